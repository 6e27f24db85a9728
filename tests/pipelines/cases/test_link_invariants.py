"""What never changes a case: the order of things, the future, other people, and a shift of all clocks."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from data_schemas.note import Note
from data_schemas.observation import Observation
from data_schemas.scan import PatientFacts

NOON = datetime(2024, 3, 5, 12, 0)
PEOPLE = ("7", "8", " 7", "9")
WHEN = st.none() | st.integers(-72, 72).map(lambda hours: NOON + timedelta(hours=hours))
ZONED = st.booleans().map(lambda zoned: UTC if zoned else None)
KINDS = st.sampled_from(["note", "progress note", "report", "order"])
TEXTS = st.sampled_from(["Cough.", "Fever.", "67-year-old woman with cough."])
ABOUT = st.fixed_dictionaries({"study_uid": st.sampled_from(["", "1", "2"]), "accession": st.sampled_from(["", "A1"])})
RULES = st.fixed_dictionaries(
    {
        "allow_undated_text": st.booleans(),
        "clock_skew": st.sampled_from([timedelta(0), timedelta(minutes=5)]),
        "offsets": st.sampled_from([{}, {"observation": timedelta(hours=1), "note/order": timedelta(minutes=-30)}]),
        "zone": st.just(UTC),
    }
)


def stamped(moment: datetime | None, zone: Any) -> datetime | None:
    return moment and moment.replace(tzinfo=zone)


def note_of(patient: str, written: datetime | None, zone: Any, kind: str, text: str, about: dict[str, str]) -> Note:
    name = repr((patient, written, zone, kind, text, about))
    facts = PatientFacts(patient_id=patient)
    return Note(note_id=name, patient=facts, written=stamped(written, zone), kind=kind, text=text, **about)


def value_of(patient: str, taken: datetime | None, zone: Any, code: str, number: int) -> Observation:
    facts = PatientFacts(patient_id=patient)
    return Observation(patient=facts, taken=stamped(taken, zone), code=code, value=float(number))


NOTES = st.lists(st.builds(note_of, st.sampled_from(PEOPLE), WHEN, ZONED, KINDS, TEXTS, ABOUT), max_size=6)
VALUES = st.lists(
    st.builds(value_of, st.sampled_from(PEOPLE), WHEN, ZONED, st.sampled_from(["crp", "lactate"]), st.integers(0, 3)),
    max_size=6,
)


def scans_of(scan: Any) -> list[Any]:
    facts = {"sex": "F", "birth_date": date(1957, 1, 1)}
    return [
        scan("7", study="1", accession="A1", **facts),
        scan("7", study="2", acquired=NOON.replace(tzinfo=UTC) + timedelta(hours=30), **facts),
        scan("8", study="3", acquired=None, **facts),
    ]


@given(notes=NOTES, values=VALUES, rules=RULES, rng=st.randoms(use_true_random=False))
def test_the_order_of_everything_changes_nothing(joined, scan, notes, values, rules, rng: random.Random) -> None:
    scans = scans_of(scan)
    mixed = [rng.sample(part, len(part)) for part in (scans, notes, values)]
    assert joined(scans, notes, values, **rules) == joined(*mixed, **rules)


@given(notes=NOTES, values=VALUES, rules=RULES, kind=KINDS, hours=st.integers(2, 999))
def test_a_record_of_after_the_cut_off_changes_no_inputs(joined, scan, notes, values, rules, kind, hours: int) -> None:
    after = NOON + timedelta(hours=30 + hours)  # of the later study
    late = Note(note_id="late", patient=PatientFacts(patient_id="7"), written=after, kind=kind, text="45-year-old man.")
    later = Observation(patient=PatientFacts(patient_id="7"), taken=after, code="crp", value=99.0)
    found, more = (
        joined(scans_of(scan), [*notes, *extra], [*values, *other], **rules)
        for extra, other in (([], []), ([late], [later]))
    )
    assert [case.inputs_digest for case in found.cases] == [case.inputs_digest for case in more.cases]


@given(notes=NOTES, values=VALUES, rules=RULES, written=WHEN, kind=KINDS)
def test_another_persons_records_change_no_case(joined, scan, notes, values, rules, written, kind) -> None:
    facts = PatientFacts(patient_id="10", sex="M", birth_date=date(1999, 9, 9))
    other = Note(note_id="other", patient=facts, written=written, kind=kind, text="24-year-old man.")
    value = Observation(patient=facts, taken=written, code="crp", value=99.0)
    found = joined(scans_of(scan), notes, values, **rules)
    more = joined([*scans_of(scan), scan("10", study="10")], [*notes, other], [*values, value], **rules)
    assert found.cases == tuple(case for case in more.cases if case.scan.study_uid != "10")


@given(notes=NOTES, values=VALUES, rules=RULES, days=st.integers(-20_000, 20_000))
def test_a_shift_of_all_clocks_by_whole_days_changes_nothing(joined, scan, notes, values, rules, days: int) -> None:
    by = timedelta(days=days)

    def shifted(item: Any, name: str) -> Any:
        moment = getattr(item, name)
        return item.model_copy(update={name: moment and moment + by})

    def moved(item: Any) -> Any:
        born = item.patient.birth_date + by
        return shifted(item, "acquired").model_copy(
            update={"patient": item.patient.model_copy(update={"birth_date": born})}
        )

    before = joined(scans_of(scan), notes, values, **rules)
    after = joined(
        [moved(item) for item in scans_of(scan)],
        [shifted(item, "written") for item in notes],
        [shifted(item, "taken") for item in values],
        **rules,
    )
    assert [(case.study_key, case.remarks, case.history) for case in before.cases] == [
        (case.study_key, case.remarks, case.history) for case in after.cases
    ]
    assert [[kept.note_id for kept in case.notes] for case in before.cases] == [
        [kept.note_id for kept in case.notes] for case in after.cases
    ]
