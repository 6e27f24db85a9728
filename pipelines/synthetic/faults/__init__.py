"""Faults of scans, planted where the truth is known: kinds, base series, forms, and the judge of what a reader made."""
