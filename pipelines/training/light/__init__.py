"""Light models measured, and smaller models taught by larger ones."""
