"""The audit as a whole: what it says it looked at, and what may pass."""

from __future__ import annotations

import json

import pytest

from data_schemas.errors import InputError, LeakageError
from data_schemas.leakage import LEAK_KINDS, MEANING, LeakReport
from pipelines.cases.leakage.audit import audit, refuse_leaks
from pipelines.cases.leakage.table import aggregates, format_audit, markdown, status_of


@pytest.fixture
def leaky(case) -> LeakReport:
    """One patient in two splits, and label words in forty texts."""
    rows = [
        case(f"P{n}", text="Pneumonia is known." if n % 2 else "Cough.", labels={"pneumonia": n % 2}) for n in range(40)
    ]
    return audit([*rows, case("P1", "test", study="again")], findings=["pneumonia"])


def test_meaning_and_checks_are_of_every_kind_in_one_order() -> None:
    assert list(MEANING) == list(LEAK_KINDS)
    assert [check.kind for check in audit([], findings=["pneumonia"]).checks] == list(LEAK_KINDS)


def test_an_empty_cohort_has_no_leak() -> None:
    report = audit([], findings=[])
    assert (report.cases, report.found, report.leaks) == (0, (), ())


def test_the_order_of_the_cases_changes_nothing(case) -> None:
    rows = [case(f"P{n}", ("train", "test")[n % 2], text="Known pneumonia.", labels={"pneumonia": 1}) for n in range(9)]
    assert audit(rows, findings=["pneumonia"]) == audit(rows[::-1], findings=["pneumonia"])


def test_progress_is_told_check_by_check(case) -> None:
    told: list[tuple[int, int]] = []
    audit([case()], findings=[], progress=lambda done, of: told.append((done, of)))
    assert told == [(number, 7) for number in range(1, 8)]


def test_found_kinds_are_in_the_order_of_the_list(leaky: LeakReport) -> None:
    assert leaky.found == ("same-patient", "label-words")


def test_a_leak_is_refused_by_its_name_with_the_way_to_allow_it(leaky: LeakReport) -> None:
    with pytest.raises(LeakageError) as caught:
        refuse_leaks(leaky, allow=["label-words"])
    assert "same-patient" in str(caught.value)
    assert "--allow-leak same-patient" in str(caught.value)
    assert "label-words" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_allowed_by_name_passes(leaky: LeakReport) -> None:
    refuse_leaks(leaky, allow=["label-words", "same-patient"])


def test_a_watch_passes(case, note) -> None:
    report = audit([case(text="Cough.", notes=(note(text="Cough.", written=None),))], findings=[])
    assert [leak.severity for leak in report.leaks] == ["watch"]
    refuse_leaks(report)
    assert status_of(report, "future-input") == "watch"


def test_a_name_that_is_no_kind_of_leak_is_refused(leaky: LeakReport) -> None:
    with pytest.raises(InputError, match=r"no leak is called labels; the kinds are same-patient, "):
        refuse_leaks(leaky, allow=["labels"])


def test_the_table_tells_status_measure_and_studies(leaky: LeakReport) -> None:
    told = format_audit(leaky, allow=["same-patient"])
    lines = {line.split()[0]: line for line in told.splitlines() if not line.startswith(" ")}
    assert list(lines) == list(LEAK_KINDS)
    assert " allowed " in lines["same-patient"]
    assert " leak " in lines["label-words"]
    assert " not looked at " in lines["label-source"]
    assert " none " in lines["future-input"] or " watch " in lines["future-input"]
    assert "study again" in told
    assert "pneumonia: the finding's own words alone score AUROC 1.000" in told


def test_aggregates_hold_no_key_and_no_count_under_ten(leaky: LeakReport) -> None:
    told = aggregates(leaky)
    text = json.dumps(told) + markdown(leaky)
    assert "study again" not in text
    [same] = [row for row in told["leaks"] if row["kind"] == "same-patient"]
    assert (same["count"], same["value"]) == (None, None)
    assert told["cases"] == 41
    assert "under 10" in text
    assert "P1" not in text
