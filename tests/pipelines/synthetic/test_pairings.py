"""Notes and scans brought together by chance: none is fused where something contradicts, none of one person is lost."""

from __future__ import annotations

import pytest

from data_schemas.reasons import Reason
from pipelines.cases import link as linking
from pipelines.synthetic.misfiled import misfiled_hospital
from pipelines.synthetic.pairings import NOTHING, ONE_PERSON, pairing_trials


def test_none_is_fused_where_something_contradicts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.synthetic.pairings.BATCH", 500)
    trials = pairing_trials(1_000)
    assert len(trials.pairings) == 8
    assert min(trials.pairings.values()) > 20
    assert trials.wrong == 0
    assert trials.lost == 0
    assert trials.fused[ONE_PERSON] == trials.pairings[ONE_PERSON]
    assert trials.fused[NOTHING] == trials.pairings[NOTHING]


@pytest.mark.parametrize(
    ("check", "what"),
    [
        ("person_conflict", "birth date"),
        ("age_conflict", "age"),
        ("notes_of_others", "sex or age in the text"),
    ],
)
def test_a_check_that_is_left_out_is_missed(monkeypatch: pytest.MonkeyPatch, check: str, what: str) -> None:
    nothing: list[Reason] | None = [] if check == "notes_of_others" else None
    monkeypatch.setattr(linking, check, lambda *_given, **_rules: nothing)
    assert pairing_trials(500).fused[what] > 0


def test_of_a_hospitals_misfiled_notes_only_those_are_fused_that_nothing_contradicts() -> None:
    hospital = misfiled_hospital(300, share=0.15)
    assert {what: count for what, count in hospital.fused.items() if count} == {"nothing": hospital.notes["nothing"]}
    assert len(hospital.notes) == 3
    assert (hospital.lost, hospital.clean) == (0, 300 - sum(hospital.notes.values()))
