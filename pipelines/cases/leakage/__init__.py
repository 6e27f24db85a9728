"""The leakage audit: what a cohort gives away, looked for before a model is trained on it."""
