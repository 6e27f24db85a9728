from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_schemas.leakage import Leak
from data_schemas.scan import SeriesFacts
from pipelines.cases.leakage.metadata import FOLDS, PRIOR, find_telling_metadata, held_out_scores, independence

DAY = datetime(2024, 1, 1, 12)


@pytest.fixture
def found(case) -> Callable[..., list[Leak]]:
    """The leaks of some patients; each rule gives something of a patient from its number and its label."""

    def look(count: int = 120, **rules) -> list[Leak]:
        rng = np.random.default_rng(1)
        rows = []
        for number in range(count):
            label = int(rng.random() < 0.5)
            made = {name: rule(number, label, rng) for name, rule in rules.items()}
            facts = SeriesFacts(manufacturer=made.get("scanner", "A"), kernel=made.get("kernel", "B30f"))
            rows.append(
                case(
                    f"P{number}",
                    labels={"pneumonia": label},
                    facts=facts,
                    issuer=made.get("site", ""),
                    acquired=made.get("acquired", DAY),
                )
            )
        return find_telling_metadata(rows, ["pneumonia"])[1]

    return look


def chance(levels: str):
    return lambda _number, _label, rng: levels[rng.integers(len(levels))]


def tied(levels: str, share: float):
    return lambda _number, label, rng: levels[label if rng.random() < share else rng.integers(len(levels))]


@pytest.mark.parametrize("column", ["site", "scanner", "kernel"])
def test_what_follows_the_label_is_a_leak(found, column: str) -> None:
    [leak] = found(**{column: tied("ABC", 0.6)})
    assert (leak.finding, leak.severity) == ("pneumonia", "leak")
    assert leak.evidence.startswith(f"{column} alone")
    assert leak.value > 0.7


def test_the_date_that_follows_the_label_is_a_leak(found) -> None:
    def season(number: int, label: int, _rng) -> datetime:
        return DAY + timedelta(days=180 * label + number % 60)

    [leak] = found(acquired=season)
    assert "month" in leak.evidence


def test_what_is_by_chance_is_no_leak(found) -> None:
    assert found(scanner=chance("ABC"), kernel=chance("DE"), site=chance("FGHI")) == []


def test_columns_that_tell_the_same_are_one_row(found) -> None:
    [leak] = found(scanner=tied("AB", 0.8), kernel=lambda number, label, rng: "XY"[label])
    assert leak.evidence.startswith("kernel alone")
    assert leak.evidence.endswith("so do scanner")


def test_a_weak_tie_in_a_large_cohort_is_watched(found) -> None:
    [leak] = found(3000, scanner=tied("AB", 0.15))
    assert leak.severity == "watch"
    assert leak.value < leak.limit


def test_too_few_patients_of_a_class_are_not_tested(found) -> None:
    assert found(15, scanner=tied("AB", 1.0)) == []


def test_a_rare_level_does_not_tell_its_few_patients(found) -> None:
    assert found(scanner=lambda number, _label, _rng: f"only of {number}") == []


def test_without_a_catalogue_nothing_was_looked_at(case) -> None:
    assert find_telling_metadata([case(catalogued=False)], ["pneumonia"])[0].skipped


@pytest.mark.parametrize(("levels", "count"), [(3, 80), (12, 120)])
def test_the_p_value_is_that_of_permutations_or_larger(levels: int, count: int) -> None:
    rng = np.random.default_rng(2)
    level, label = np.arange(count) % levels, np.arange(count) < count // 3
    found = np.array([independence(level, rng.permutation(label).astype(float)) for _ in range(8000)])
    for p in (0.05, 0.01, 0.001):
        assert np.mean(found < p) < p + 3 * np.sqrt(p / len(found))
    assert np.mean(found < 0.05) > 0.03


@given(st.integers(0, 10_000), st.integers(30, 90), st.integers(2, 12))
def test_the_scores_are_those_computed_case_by_case(seed: int, count: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    level = np.unique(rng.integers(0, levels, count), return_inverse=True)[1]
    label = rng.permutation(np.arange(count) % 2)
    fold = np.arange(count) % FOLDS
    expected = []
    for number in range(count):
        others = fold != fold[number]
        same = others & (level == level[number])
        expected.append((label[same].sum() + PRIOR * label[others].mean()) / (same.sum() + PRIOR))
    np.testing.assert_allclose(held_out_scores(level, label), expected, atol=1e-9)
