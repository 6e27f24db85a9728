"""Which split a synthetic patient is in, which phrases its note is made of, and whom a planted leak is shared with."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from data_schemas.cohort import Split
from pipelines.synthetic.text import Pool

TEST_SHARE, VALIDATION_SHARE = 0.25, 0.15
SplitOf = Callable[[int], Split]


def split_of(number: int, *, seed: int, all_test: bool = False) -> Split:
    """The split of patient ``number`` of the hospital ``seed``: about 60 % train, 15 % validation, 25 % test.

    It comes from a hash of seed and number alone, so more patients move nobody. With ``all_test`` it is always test.
    """
    if all_test:
        return "test"
    position = _position("split", seed, number)
    if position < TEST_SHARE:
        return "test"
    return "validation" if position < TEST_SHARE + VALIDATION_SHARE else "train"


def pool_of(split: Split) -> Pool:
    """The phrase pool of a split: what is used to train or to choose shares no sentence frame with the test."""
    return "test" if split == "test" else "train"


def partner_of(number: int, *, seed: int, split_at: SplitOf, first: int = 0) -> int | None:
    """A patient of a lower number, from ``first`` on, and of another split; None where there is none.

    Lower numbers alone can be partners, so more patients change nobody.
    """
    others = [other for other in range(first, number) if split_at(other) != split_at(number)]
    return others[int(_position("partner", seed, number) * len(others))] if others else None


def _position(what: str, seed: int, number: int) -> float:
    digest = hashlib.sha256(f"scanote-synthetic-{what}\0{seed}\0{number}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48
