"""For all tests: the shapes in the annotations of `fusion_models` are checked at every call; tiny nets, one thread."""

from __future__ import annotations

import os

import jaxtyping

# Threads that wait for each other cost the tests' tiny nets more time than they save.
os.environ.setdefault("OMP_NUM_THREADS", "1")
jaxtyping.install_import_hook("fusion_models", "beartype.beartype")
