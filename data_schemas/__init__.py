"""Frozen schemas of everything that crosses a boundary. Imports pydantic and numpy only."""
