"""Marked identifiers planted wherever a hospital's files can hold one, and the search for them in everything else."""
