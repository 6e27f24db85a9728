"""Torch modules and their mathematics, built from flat arguments; no files, no network."""
