"""Libraries that would tell, in logs or warnings, what they were sent: names, UIDs, addresses."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet(*libraries: str) -> Iterator[None]:
    """Keep the named libraries silent for the length of a ``with`` block, threads of theirs included."""
    loud = [logging.getLogger(name) for name in libraries]
    levels = [logger.level for logger in loud]
    with warnings.catch_warnings():
        for name in libraries:
            warnings.filterwarnings("ignore", module=rf"{name}(\..*)?")
        for logger in loud:
            logger.setLevel(logging.CRITICAL + 1)
        try:
            yield
        finally:
            for logger, level in zip(loud, levels, strict=True):
                logger.setLevel(level)
