"""Where scans and records come from: folders, tables, FHIR bundles, text files."""
