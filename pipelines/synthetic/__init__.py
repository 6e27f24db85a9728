"""The hospital in a box: a generative model whose truth is known."""
