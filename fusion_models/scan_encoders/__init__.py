"""Bodies of scan encoders: nets that make a grid of features from a volume, each in its own file."""
