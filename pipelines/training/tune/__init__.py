"""Tuning: a search over recipes on cached features, inside a nested cross-validation."""
