"""From cases to diagnoses, exactly once."""
