"""From text to sections and sentences."""
