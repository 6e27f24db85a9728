"""Learning and honest measurement."""
