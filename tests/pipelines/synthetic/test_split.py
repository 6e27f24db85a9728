"""Splits of synthetic patients, and the phrase pool of each."""

from __future__ import annotations

from collections import Counter

import pytest

from pipelines.synthetic.split import pool_of, split_of


def test_the_shares_are_sixty_fifteen_and_twenty_five_per_cent() -> None:
    count = Counter(split_of(number, seed=4) for number in range(8000))
    shares = {split: number / 8000 for split, number in count.items()}
    assert shares == pytest.approx({"train": 0.60, "validation": 0.15, "test": 0.25}, abs=0.02)


def test_another_seed_splits_otherwise() -> None:
    assert [split_of(n, seed=0) for n in range(50)] != [split_of(n, seed=1) for n in range(50)]


def test_all_patients_can_be_put_into_the_test_split() -> None:
    assert {split_of(number, seed=0, all_test=True) for number in range(50)} == {"test"}


def test_only_the_test_split_is_written_with_test_phrases() -> None:
    assert [pool_of(split) for split in ("train", "validation", "test")] == ["train", "train", "test"]
