"""Which split a synthetic patient is in, and which phrases its note is made of."""

from __future__ import annotations

import hashlib

from data_schemas.cohort import Split
from pipelines.synthetic.text import Pool

TEST_SHARE, VALIDATION_SHARE = 0.25, 0.15


def split_of(number: int, *, seed: int, all_test: bool = False) -> Split:
    """The split of patient ``number`` of the hospital ``seed``: about 60 % train, 15 % validation, 25 % test.

    It comes from a hash of seed and number alone, so more patients move nobody. With ``all_test`` it is always test.
    """
    if all_test:
        return "test"
    digest = hashlib.sha256(f"scanote-synthetic-split\0{seed}\0{number}".encode()).digest()
    position = int.from_bytes(digest[:6], "big") / 2**48
    if position < TEST_SHARE:
        return "test"
    return "validation" if position < TEST_SHARE + VALIDATION_SHARE else "train"


def pool_of(split: Split) -> Pool:
    """The phrase pool of a split: what is used to train or to choose shares no sentence frame with the test."""
    return "test" if split == "test" else "train"
