"""Records of after the scan in every disguise of a clock: none becomes an input, and the benchmark would see one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipelines.cases import inputs
from pipelines.synthetic.future import KINDS, FutureHospital, future_hospital, is_in


def reached(hospital: FutureHospital) -> set[str]:
    """The kinds of planted records of which one stands among the inputs."""
    found = set()
    for case in hospital.cases:
        text = " ".join(note.text for note in case.notes)
        values = {item.value for item in case.observations}
        found |= {kind for kind, mark in hospital.planted[case.study_key] if is_in(text, mark) or float(mark) in values}
    return found


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York"])
def test_none_becomes_an_input_and_all_that_was_known_before_does(zone: str) -> None:
    hospital = future_hospital(60, share=0.3, zone=zone)
    assert {kind for planted in hospital.planted.values() for kind, _ in planted} == set(KINDS)
    assert reached(hospital) == set()
    assert len(hospital.cases) == 60
    for case in hospital.cases:
        assert is_in(" ".join(note.text for note in case.notes), hospital.past[case.study_key])
        assert float(hospital.past[case.study_key]) in {item.value for item in case.observations}


def test_were_time_not_looked_at_they_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "is_after", lambda *_moments, **_rules: False)
    found = reached(future_hospital(60, share=0.3))
    assert found == set(KINDS) - {"note, undated", "report of the study, dated before it"}


def test_were_clocks_off_by_two_hours_the_soonest_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    late = inputs.is_after

    def two_hours_off(*moments, allowed: timedelta, **rules):
        return late(*moments, allowed=allowed + timedelta(hours=2), **rules)

    monkeypatch.setattr(inputs, "is_after", two_hours_off)
    assert {"note, within the hour", "value, within the hour"} <= reached(future_hospital(60, share=0.3))
