"""Pretraining of encoders on what the hospital has without labels."""
