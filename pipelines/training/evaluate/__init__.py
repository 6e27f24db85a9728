"""How well a model does, how sure that is, for whom, and what it takes to make it worse."""
