"""The workspace: paths, keys, catalogue, ledger, cache, spool."""
