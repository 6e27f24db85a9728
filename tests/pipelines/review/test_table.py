"""The table of a run: what stands in it, what is left out, and how wide it may be."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.review.table import ARMS, flat_rows, format_differences, format_table, markdown_table, report_table
from pipelines.training.metrics import Interval
from pipelines.training.report import FindingReport

NOTHING = Interval(math.nan, math.nan, math.nan)


def report(finding: str = "pneumonia", *, cases: int = 100, positives: int = 40, value: float = 0.9) -> FindingReport:
    interval = Interval(value, value - 0.05, value + 0.05)
    arms = dict.fromkeys(ARMS, interval)
    return FindingReport(finding, cases, positives, arms, arms, interval, interval)


def test_the_table_is_aligned_and_tells_every_arm_and_the_ceiling() -> None:
    text = format_table([report(), report("heart-failure", value=0.8)], {"pneumonia": {"scan": 0.7, "both": 0.975}})
    head, rule, first, second = text.splitlines()
    places = [head.index(arm) for arm in (*ARMS, "attainable")]
    assert [first[place : place + 19] for place in places[:4]] == ["0.900 (0.850–0.950)"] * 4
    assert [second[place : place + 19] for place in places[:4]] == ["0.800 (0.750–0.850)"] * 4
    assert (first[places[4] :], second[places[4] :]) == ("0.975", "–")
    assert len(rule) == len(head)


def test_without_ceilings_there_is_no_column_for_them() -> None:
    assert "attainable" not in format_table([report()])


def test_a_measure_that_is_undefined_is_a_dash() -> None:
    undefined = FindingReport("x", 3, 0, dict.fromkeys(ARMS, NOTHING), dict.fromkeys(ARMS, NOTHING), NOTHING, NOTHING)
    assert format_table([undefined]).splitlines()[-1].split() == ["x", "–", "–", "–", "–"]


@given(st.lists(st.from_regex(r"[a-z][a-z0-9-]{0,80}", fullmatch=True), max_size=5), st.booleans())
def test_the_table_is_never_wider_than_130_columns(names: list[str], known: bool) -> None:
    ceilings = {name: {"both": 0.5} for name in names} if known else None
    assert all(len(line) <= 130 for line in format_table([report(name) for name in names], ceilings).splitlines())


@pytest.mark.parametrize(("cases", "positives"), [(100, 9), (100, 91), (12, 6), (9, 0)])
def test_counts_of_a_class_below_ten_are_suppressed_on_both_sides(cases: int, positives: int) -> None:
    [row] = report_table([report(cases=cases, positives=positives)])
    assert (row.positives, row.negatives) == (None, None)
    assert "| under 10 of a class |" in markdown_table([row])
    assert all(told["positives"] is None and told["negatives"] is None for told in flat_rows([row]))


@pytest.mark.parametrize(("cases", "positives"), [(20, 10), (100, 90)])
def test_counts_from_ten_on_are_told(cases: int, positives: int) -> None:
    [row] = report_table([report(cases=cases, positives=positives)])
    assert (row.positives, row.negatives) == (positives, cases - positives)
    assert f"| {positives} / {cases - positives} |" in markdown_table([row])


def test_the_flat_table_has_one_row_a_finding_and_arm() -> None:
    rows = flat_rows(report_table([report(), report("heart-failure")]))
    assert [(row["finding"], row["arm"]) for row in rows] == [
        (finding, arm) for finding in ("pneumonia", "heart-failure") for arm in ARMS
    ]


def test_differences_are_signed_and_name_every_finding() -> None:
    text = format_differences([report(value=0.1), report("heart-failure", value=math.nan)])
    _, _, first, second = text.splitlines()
    assert first.split() == ["pneumonia", *(["+0.100", "(+0.050", "to", "+0.150)"] * 2)]
    assert second.split() == ["heart-failure", "–", "–"]
