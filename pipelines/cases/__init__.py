"""Linking scans and records into cases; splits and cohorts."""
