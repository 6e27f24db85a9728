"""Worklist, case pages, JSON Lines."""
