"""Plain functions, one sub-package per stop of the way of a case."""
