"""Fusions: what reads the tokens of several modalities. One signature; ``kinds`` makes each by its settings word."""
