"""The dials of leaks: what each plants, what the truth tells of it, and that the audit names it and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from data_schemas.errors import InputError
from data_schemas.leakage import LEAK_KINDS, LeakKind
from data_schemas.recipes import ModelRecipe
from pipelines.cases.leakage.audit import audit
from pipelines.cases.link import link
from pipelines.notes.concepts import read_concepts
from pipelines.scans.index import index_paths
from pipelines.sources.records import read_records
from pipelines.synthetic.audited import audited_cohort, draw_patients
from pipelines.synthetic.leak_text import NAMED, impression_of
from pipelines.synthetic.memory import synthetic_examples
from pipelines.synthetic.patients import Patient
from pipelines.synthetic.phantom import SCANNERS
from pipelines.synthetic.records import notes_of, observations_of, scan_of
from pipelines.synthetic.split import partner_of, split_of
from pipelines.synthetic.truth import Dials, Leaks, attainable
from pipelines.synthetic.write import Hospital

RECIPE = ModelRecipe()
SHARES: dict[LeakKind, float] = {
    "same-patient": 0.1,
    "duplicate-text": 0.1,
    "duplicate-volume": 0.1,
    "label-words": 0.3,
    "future-input": 0.1,
    "label-source": 0.1,
    "metadata": 0.6,
}
# An impression names the findings: where it is copied, the findings' own words are in the text too.
ALSO: dict[str, set[str]] = {"label-source": {"label-words"}}


def leaking(kind: LeakKind, share: float) -> Dials:
    return Dials(reports=1.0, leaks=Leaks(**{kind.replace("-", "_"): share}))


def drawn(kind: LeakKind, *, share: float = 0.5, count: int = 60, seed: int = 3) -> list[Patient]:
    return [row for row in draw_patients(count, seed=seed, dials=leaking(kind, share)) if row.planted]


def test_every_kind_of_leak_has_its_dial() -> None:
    assert [item.name.replace("_", "-") for item in fields(Leaks)] == list(LEAK_KINDS) == list(SHARES)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_out_of_range_is_refused_by_name(share: float) -> None:
    with pytest.raises(InputError, match="future-input"):
        Leaks(future_input=share)


def test_at_zero_the_audit_is_silent_on_twenty_seeds() -> None:
    """Reports, future notes and missing notes are no leak: the linker keeps them out, and the audit knows."""
    dials = Dials(reports=1.0, future_notes=0.1, missing_notes=0.05)
    for seed in range(20):
        report = audit(audited_cohort(80, seed=seed, dials=dials, recipe=RECIPE), findings=RECIPE.findings)
        assert report.leaks == ()
        assert [check.kind for check in report.checks] == list(LEAK_KINDS)
        assert not any(check.skipped for check in report.checks)


@pytest.mark.parametrize("kind", [kind for kind in LEAK_KINDS if kind != "duplicate-volume"])
def test_each_dial_is_named_by_the_audit_and_no_other(kind: LeakKind) -> None:
    for seed in range(2):
        cases = audited_cohort(120, seed=seed, dials=leaking(kind, SHARES[kind]), recipe=RECIPE)
        found = set(audit(cases, findings=RECIPE.findings).found)
        assert kind in found
        assert found - {kind} <= ALSO.get(kind, set())


def test_the_dial_of_volumes_is_named_by_the_audit_and_no_other() -> None:
    dials = leaking("duplicate-volume", 0.2)
    cases = audited_cohort(50, seed=0, dials=dials, recipe=RECIPE, volumes=True)
    assert audit(cases, findings=RECIPE.findings).found == ("duplicate-volume",)


@pytest.mark.slow
def test_with_volumes_the_audit_is_silent_at_zero_on_twenty_seeds_too() -> None:
    for seed in range(20):
        cases = audited_cohort(80, seed=seed, dials=Dials(reports=1.0), recipe=RECIPE, volumes=True)
        assert audit(cases, findings=RECIPE.findings).leaks == ()


@pytest.mark.slow
@pytest.mark.parametrize("kind", LEAK_KINDS)
def test_each_dial_is_named_on_twenty_seeds(kind: LeakKind) -> None:
    for seed in range(20):
        dials = leaking(kind, SHARES[kind])
        cases = audited_cohort(120, seed=seed, dials=dials, recipe=RECIPE, volumes=kind == "duplicate-volume")
        found = set(audit(cases, findings=RECIPE.findings).found)
        assert kind in found
        assert found - {kind} <= ALSO.get(kind, set())


def test_a_partner_is_a_lower_number_of_another_split() -> None:
    def split_at(number: int) -> str:
        return split_of(number, seed=3)

    partners = {number: partner_of(number, seed=3, split_at=split_at) for number in range(50)}
    assert partners[0] is None
    assert all(other is None or (other < n and split_at(other) != split_at(n)) for n, other in partners.items())
    assert partner_of(9, seed=3, split_at=lambda _number: "test") is None


def test_without_any_leak_nobody_depends_on_another_patient() -> None:
    few, many = (draw_patients(count, seed=3, dials=Dials()) for count in (5, 12))
    assert few == many[:5]
    assert not any(row.planted or row.report for row in many)


def test_the_same_person_again_has_name_birth_date_and_sex_of_another_split() -> None:
    everyone = {row.number: row for row in draw_patients(60, seed=3, dials=leaking("same-patient", 0.5))}
    again = [row for row in everyone.values() if row.planted]
    assert again
    for row in again:
        assert row.partner is not None
        other = everyone[row.partner]
        assert (row.name, row.birth_date, row.sex) == (other.name, other.birth_date, other.sex)
        assert row.patient_id != other.patient_id
        assert split_of(row.number, seed=3) != split_of(other.number, seed=3)


def test_a_copied_note_is_anothers_but_for_a_line_and_tells_its_clues() -> None:
    everyone = {row.number: row for row in draw_patients(60, seed=3, dials=leaking("duplicate-text", 0.3))}
    for row in [row for row in everyone.values() if row.planted]:
        assert row.note
        assert row.partner is not None
        other = everyone[row.partner]
        differing = set(row.note.splitlines()) ^ set((other.note or "").splitlines())
        assert len(differing) == 2
        assert (row.truth.cardiac, row.truth.infection) == (other.truth.cardiac, other.truth.infection)


def test_a_copied_volume_is_anothers_voxel_by_voxel_with_its_signs() -> None:
    everyone = {row.number: row for row in draw_patients(20, seed=3, dials=leaking("duplicate-volume", 0.5))}
    for row in [row for row in everyone.values() if row.planted][:3]:
        assert row.partner is not None
        other = everyone[row.partner]
        np.testing.assert_array_equal(row.phantom.volume, other.phantom.volume)
        assert (row.truth.effusion, row.truth.masses) == (other.truth.effusion, other.truth.masses)


def test_label_words_say_what_is_labelled() -> None:
    for row in drawn("label-words"):
        said = {concept.finding: concept.assertion for concept in read_concepts(row.note or "")}
        for name in NAMED:
            assert (said[name] != "negated") == bool(row.labels[name])


def test_an_addendum_is_stamped_after_the_scan_in_a_note_dated_before() -> None:
    for row in drawn("future-input"):
        [line] = [line for line in (row.note or "").splitlines() if line.startswith("Addendum ")]
        assert datetime.strptime(line[9:25], "%Y-%m-%d %H:%M") > row.scanned > row.noted


def test_a_copied_impression_is_that_of_the_own_report() -> None:
    for row in drawn("label-source"):
        assert row.report is not None
        assert impression_of(row.report) in (row.note or "")


def test_a_tied_scanner_follows_the_label() -> None:
    for row in drawn("metadata"):
        assert row.exposure.acquisition()[0] == SCANNERS[1 - row.labels["pneumonia"]]
        assert row.phantom.scanner == row.exposure.acquisition()[0]


def test_planting_changes_no_label_and_no_attainable_score() -> None:
    plain = draw_patients(40, seed=3, dials=Dials())
    for kind in ("same-patient", "label-words", "future-input", "label-source", "metadata"):
        dialled = draw_patients(40, seed=3, dials=leaking(kind, 1.0))
        assert [row.labels for row in dialled] == [row.labels for row in plain]
    assert attainable(leaking("metadata", 1.0)) == attainable(Dials())


@pytest.fixture(scope="module")
def leaky(write: Callable[..., Hospital]) -> Hospital:
    leaks = Leaks(same_patient=0.6, duplicate_volume=0.4, label_source=0.5)
    return write(patients=8, dials=Dials(reports=0.5, future_notes=0.3, leaks=leaks))


def test_the_truth_tells_who_carries_which_leak_with_whom(leaky: Hospital) -> None:
    told = json.loads(leaky.truth.read_text(encoding="utf-8"))
    dials = Dials(**{**told["dials"], "leaks": Leaks(**told["dials"]["leaks"])})
    rows = draw_patients(8, seed=told["seed"], dials=dials)
    expected = {(row.patient_id, kind.replace("_", "-")) for row in rows for kind in row.planted}
    assert {(row["patient_id"], row["kind"]) for row in told["leaks"]} == expected
    shared = [row for row in told["leaks"] if row["kind"] != "label-source"]
    assert shared
    assert all(row["shared_with"].startswith("SYN") for row in shared)


def test_files_and_memory_give_the_same_cases(leaky: Hospital) -> None:
    """Scan facts, notes, reports and dates: but for ids of notes and digests of files, which memory makes up."""
    told = json.loads(leaky.truth.read_text(encoding="utf-8"))
    dials = Dials(**{**told["dials"], "leaks": Leaks(**told["dials"]["leaks"])})
    patients = draw_patients(8, seed=told["seed"], dials=dials)
    scans = [scan_of(row, seed=told["seed"]) for row in patients]
    notes = [note for row in patients for note in notes_of(row, seed=told["seed"])]
    values = [item for row in patients for item in observations_of(row)]
    memory = link(scans, notes, values, workspace_key=bytes(32))
    records = read_records(notes=[leaky.records])
    found = [scan for series in index_paths(leaky.scans).series for scan in series.scans]
    files = link(found, records.notes, records.observations, workspace_key=bytes(32))

    def plain(moment: datetime | None) -> datetime | None:
        return moment and moment.replace(tzinfo=None)

    def told_of(case) -> tuple:
        scan = case.scan
        facts = (scan.facts.manufacturer, scan.facts.kernel, scan.facts.thickness_mm)
        written = [(note.text, plain(note.written)) for note in case.notes]
        measured = [(item.code, item.value, plain(item.taken)) for item in case.observations]
        person = (scan.patient.name, scan.patient.birth_date, scan.patient.sex)
        return case.study_key, case.patient_key, facts, person, plain(case.cut_off), written, measured

    assert [told_of(case) for case in files.cases] == [told_of(case) for case in memory.cases]
    assert sorted(note.text for note in notes) == sorted(note.text for note in records.notes)
    assert {note.study_uid for note in records.notes if note.kind == "report"} == {
        note.study_uid for note in notes if note.kind == "report"
    }


def test_examples_in_memory_carry_leaks_between_the_splits_that_they_are_given(tmp_path: Path) -> None:
    counts = (("train", 12), ("test", 12))
    dials = Dials(leaks=Leaks(duplicate_text=1.0))
    recipe = RECIPE.model_copy(update={"scan": RECIPE.scan.model_copy(update={"shape": (8, 8, 8)})})
    rows = list(synthetic_examples(counts, seed=3, recipe=recipe, dials=dials, first_number=100))
    texts = [{sentence.text for sentence in row.sentences} for row in rows]
    copies = [max(len(one & other) / len(one) for other in texts[:12]) for one in texts[12:]]
    assert min(copies) > 0.8


def test_a_future_note_and_a_report_come_after_the_scan(leaky: Hospital) -> None:
    reports = [note for note in read_records(notes=[leaky.records]).notes if note.kind == "report"]
    scanned = {scan.study_uid: scan.acquired for series in index_paths(leaky.scans).series for scan in series.scans}
    assert reports
    assert all(
        timedelta(hours=4) < note.written - scanned[note.study_uid] < timedelta(hours=6)  # type: ignore[operator]
        for note in reports
    )
