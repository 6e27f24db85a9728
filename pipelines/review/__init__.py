"""Promotion of models."""
