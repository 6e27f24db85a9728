"""From files to right volumes and tensors: index, check, read, preprocess."""
