"""Model artefacts: weights, digests, registry."""
