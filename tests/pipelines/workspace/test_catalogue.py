"""Putting twice adds nothing, what is replaced is kept, and readers see what is current."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select, update

from data_schemas.cohort import IdMapping, Label, LabelValue
from data_schemas.errors import InputError, WorkspaceError
from data_schemas.reasons import Reason
from data_schemas.scan import Geometry, Index, Scan, SeriesStatus
from pipelines.workspace import catalogue, tables
from pipelines.workspace.database import read, write
from pipelines.workspace.versions import PutCounts

KINDS = ["note", "observation", "label"]


def put(kind: str):
    return getattr(catalogue, f"put_{kind}s")


def get(kind: str):
    return getattr(catalogue, f"{kind}s")


@pytest.mark.parametrize("kind", [*KINDS, "scan"])
def test_what_was_put_is_read_as_it_was(engine: Engine, key: bytes, make, kind: str) -> None:
    item = getattr(make, kind)()
    assert put(kind)(engine, key, [item]) == PutCounts(added=1)
    assert get(kind)(engine) == (item,)


@pytest.mark.parametrize("kind", [*KINDS, "scan"])
def test_putting_twice_adds_nothing(engine: Engine, key: bytes, make, kind: str) -> None:
    item = getattr(make, kind)()
    put(kind)(engine, key, [item])
    assert put(kind)(engine, key, [item, item]) == PutCounts(known=1)
    assert get(kind)(engine) == (item,)


@pytest.mark.parametrize(
    ("kind", "first", "second"), [("note", "old", "new"), ("observation", 1.0, 2.0), ("label", 0, 1)]
)
def test_a_later_version_replaces_and_the_earlier_one_is_kept(engine, key, make, kind, first, second) -> None:
    old, new = getattr(make, kind)(first), getattr(make, kind)(second)
    put(kind)(engine, key, [old])
    assert put(kind)(engine, key, [new]) == PutCounts(added=1, superseded=1)
    assert get(kind)(engine) == (new,)
    assert get(kind)(engine, superseded=True) == (old,)


def test_reading_an_old_export_again_takes_no_addendum_back(engine: Engine, key: bytes, make) -> None:
    old, new = make.note("old"), make.note("old and addendum")
    catalogue.put_notes(engine, key, [old])
    catalogue.put_notes(engine, key, [new])
    assert catalogue.put_notes(engine, key, [old]) == PutCounts(known=1)
    assert catalogue.notes(engine) == (new,)


def test_of_two_versions_in_one_call_the_last_is_current_however_often_it_is_put(engine: Engine, key, make) -> None:
    both = [make.note("first"), make.note("second")]
    for _ in range(2):
        catalogue.put_notes(engine, key, both)
        assert catalogue.notes(engine) == (both[1],)
    assert catalogue.notes(engine, superseded=True) == (both[0],)


def test_the_same_note_id_of_two_patients_is_two_notes(engine: Engine, key: bytes, make) -> None:
    catalogue.put_notes(engine, key, [make.note(patient="P1"), make.note(patient="P2")])
    assert len(catalogue.notes(engine)) == 2


def test_padding_of_the_patient_id_makes_no_second_note_current(engine: Engine, key: bytes, make) -> None:
    catalogue.put_notes(engine, key, [make.note(patient="P1")])
    catalogue.put_notes(engine, key, [make.note(patient="P1 ")])
    assert len(catalogue.notes(engine)) == 1


def test_a_note_without_a_patient_is_kept(engine: Engine, key: bytes, make) -> None:
    catalogue.put_notes(engine, key, [make.note(patient="")])
    assert len(catalogue.notes(engine)) == 1


def test_more_rows_than_a_statement_can_name_are_put(engine: Engine, key: bytes, make) -> None:
    many = [make.note(note_id=str(number)) for number in range(1500)]
    assert catalogue.put_notes(engine, key, many) == PutCounts(added=1500)
    changed = [make.note("addendum", note_id=str(number)) for number in range(1500)]
    assert catalogue.put_notes(engine, key, changed) == PutCounts(added=1500, superseded=1500)
    assert len(catalogue.notes(engine)) == 1500


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_an_observation_that_is_no_number_is_refused_before_it_is_stored(engine, key, make, value: float) -> None:
    with pytest.raises(InputError, match="not a finite number"):
        catalogue.put_observations(engine, key, [make.observation(value)])
    assert catalogue.observations(engine) == ()


def test_text_that_is_not_unicode_is_refused_without_being_told(engine: Engine, key: bytes, make) -> None:
    with pytest.raises(InputError, match="not Unicode") as caught:
        catalogue.put_notes(engine, key, [make.note("SECRET \ud800")])
    assert "SECRET" not in str(caught.value)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_survives(engine: Engine, key: bytes, make, text: str) -> None:
    catalogue.put_notes(engine, key, [make.note(text, note_id=text)])
    assert text in {note.text for note in catalogue.notes(engine)}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(calls=st.lists(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 3)), max_size=4), max_size=5))
def test_repeating_a_history_of_puts_changes_nothing(engine: Engine, key: bytes, make, calls) -> None:
    def play() -> tuple:
        for call in calls:
            catalogue.put_notes(engine, key, [make.note(str(text), note_id=name) for name, text in call])
        return catalogue.notes(engine), catalogue.notes(engine, superseded=True)

    first = play()
    assert play() == first
    assert len({note.note_id for note in first[0]}) == len(first[0])


def test_a_late_slice_supersedes_the_shorter_scan_of_the_series(engine: Engine, key: bytes, make) -> None:
    short, full = make.scan("a" * 64, files=2), make.scan("b" * 64, files=3)
    catalogue.put_scans(engine, key, [short])
    assert catalogue.put_scans(engine, key, [full]) == PutCounts(added=1, superseded=1)
    assert catalogue.scans(engine) == (full,)


def test_a_partial_copy_never_displaces_the_fuller_scan(engine: Engine, key: bytes, make) -> None:
    short, full = make.scan("a" * 64, files=2), make.scan("b" * 64, files=3)
    catalogue.put_scans(engine, key, [full])
    catalogue.put_scans(engine, key, [short])
    assert full in catalogue.scans(engine)


def test_the_other_half_of_a_series_displaces_nothing_and_the_whole_displaces_both(
    engine: Engine, key: bytes, make
) -> None:
    def part(digit: str, *, start: float, slices: int) -> Scan:
        affine = ((1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 2.0, start), (0.0, 0.0, 0.0, 1.0))
        geometry = Geometry(shape=(slices, 4, 4), spacing_mm=(2.0, 1.0, 1.0), affine=affine)
        return make.scan(digit * 64, files=slices).model_copy(update={"geometry": geometry})

    lower, upper = part("a", start=0.0, slices=6), part("b", start=12.0, slices=6)
    catalogue.put_scans(engine, key, [lower])
    catalogue.put_scans(engine, key, [upper])
    assert set(catalogue.scans(engine)) == {lower, upper}
    whole = part("c", start=0.0, slices=12)
    catalogue.put_scans(engine, key, [whole])
    assert catalogue.scans(engine) == (whole,)


def test_several_scans_of_one_series_stay_side_by_side(engine: Engine, key: bytes, make) -> None:
    catalogue.put_scans(engine, key, [make.scan("a" * 64), make.scan("b" * 64)])
    assert len(catalogue.scans(engine)) == 2


def test_the_stacks_of_one_series_do_not_supersede_each_other(engine: Engine, key: bytes, make) -> None:
    short = make.scan("a" * 64, files=2).model_copy(update={"stack": "echo 1"})
    long = make.scan("b" * 64, files=3).model_copy(update={"stack": "echo 2"})
    catalogue.put_scans(engine, key, [short])
    catalogue.put_scans(engine, key, [long])
    assert set(catalogue.scans(engine)) == {short, long}


def test_a_series_that_turns_out_to_be_several_stacks_is_no_longer_one_scan(engine: Engine, key: bytes, make) -> None:
    whole = make.scan("a" * 64, files=2)
    stacks = [make.scan(digit * 64, files=2).model_copy(update={"stack": f"echo {digit}"}) for digit in "12"]
    catalogue.put_scans(engine, key, [whole])
    assert catalogue.put_scans(engine, key, stacks) == PutCounts(added=2, superseded=1)
    assert set(catalogue.scans(engine)) == set(stacks)


def test_a_scan_without_digests_is_not_stored(engine: Engine, key: bytes, make) -> None:
    scan = make.scan()
    bare = scan.model_copy(
        update={"files": tuple(file.model_copy(update={"sha256": ""}) for file in scan.files)},
    )
    with pytest.raises(WorkspaceError, match="without the digests"):
        catalogue.put_scans(engine, key, [bare])
    assert catalogue.scans(engine) == ()


def test_the_same_series_uid_in_another_study_supersedes_nothing(engine: Engine, key: bytes, make) -> None:
    catalogue.put_scans(engine, key, [make.scan("a" * 64, study="1.1")])
    catalogue.put_scans(engine, key, [make.scan("b" * 64, study="1.2")])
    assert len(catalogue.scans(engine)) == 2


def test_scans_without_a_series_uid_do_not_supersede_each_other(engine: Engine, key: bytes, make) -> None:
    catalogue.put_scans(engine, key, [make.scan("a" * 64, series="")])
    catalogue.put_scans(engine, key, [make.scan("b" * 64, series="")])
    assert len(catalogue.scans(engine)) == 2


def test_a_scan_that_moved_is_known_and_found_at_its_new_place(engine: Engine, key: bytes, make) -> None:
    catalogue.put_scans(engine, key, [make.scan(folder="/old")])
    assert catalogue.put_scans(engine, key, [make.scan(folder="/new")]) == PutCounts(known=1)
    assert catalogue.known_files(engine) == {"/new/0.dcm": f"{0:064x}", "/new/1.dcm": f"{1:064x}"}


def test_a_quarantined_series_is_listed_once_with_its_latest_reasons(engine: Engine, key: bytes, make) -> None:
    latest = make.quarantined(Reason.TILTED)
    for item in (make.quarantined(Reason.MISSING_SLICES), latest, latest):
        assert catalogue.put_series_quarantined(engine, key, [item]) == 1
    assert catalogue.quarantined(engine) == (latest,)


def test_unreadable_files_without_a_series_uid_are_listed_one_by_one(engine: Engine, key: bytes, make) -> None:
    found = [make.quarantined(Reason.TRUNCATED, series="", detail=f"file {number}") for number in range(2)]
    for _ in range(2):
        catalogue.put_series_quarantined(engine, key, found)
    assert len(catalogue.quarantined(engine)) == 2


def test_a_series_that_was_mended_is_quarantined_no_longer(engine: Engine, key: bytes, make) -> None:
    bad = make.quarantined(Reason.MISSING_SLICES)
    catalogue.put_series_quarantined(engine, key, [bad])
    catalogue.put_scans(engine, key, [make.scan()])
    assert catalogue.quarantined(engine) == ()
    catalogue.put_series_quarantined(engine, key, [bad])
    assert catalogue.quarantined(engine) == (bad,)


@pytest.mark.parametrize("reason", [Reason.MIXED_PATIENTS, Reason.MIXED_STUDIES])
def test_a_series_found_to_hold_two_patients_takes_its_earlier_scan_with_it(engine, key, make, reason) -> None:
    catalogue.put_scans(engine, key, [make.scan()])
    catalogue.put_series_quarantined(engine, key, [make.quarantined(reason, study="other")])
    assert catalogue.scans(engine) == ()
    catalogue.put_scans(engine, key, [make.scan()])
    assert len(catalogue.scans(engine)) == 1


def test_a_partial_copy_that_is_quarantined_leaves_the_good_scan(engine: Engine, key: bytes, make) -> None:
    catalogue.put_scans(engine, key, [make.scan()])
    catalogue.put_series_quarantined(engine, key, [make.quarantined(Reason.MISSING_SLICES)])
    assert len(catalogue.scans(engine)) == 1


def test_an_index_is_put_whole(engine: Engine, key: bytes, make) -> None:
    bad = make.quarantined(Reason.TILTED, series="9")
    good = bad.model_copy(update={"status": SeriesStatus.ACCEPTED, "reasons": (), "scans": (make.scan(),)})
    index = Index(series=(good, bad))
    assert catalogue.put_index(engine, key, index) == PutCounts(added=1)
    assert catalogue.scans(engine) == (make.scan(),)
    assert catalogue.quarantined(engine) == (bad,)


def test_an_ambiguous_id_map_stays_ambiguous(engine: Engine, key: bytes) -> None:
    rows = [IdMapping(scan_patient_id="S", record_patient_id=record) for record in ("A", "B")]
    for _ in range(2):
        catalogue.put_id_map(engine, key, rows)
    assert set(catalogue.id_map(engine)) == set(rows)


def test_a_corrected_id_map_replaces_the_wrong_row(engine: Engine, key: bytes) -> None:
    wrong, right = (IdMapping(scan_patient_id="S", record_patient_id=record) for record in ("A", "B"))
    catalogue.put_id_map(engine, key, [wrong])
    assert catalogue.put_id_map(engine, key, [right]) == PutCounts(added=1, superseded=1)
    assert catalogue.id_map(engine) == (right,)
    assert catalogue.id_map(engine, superseded=True) == (wrong,)


def test_a_wrong_correction_of_the_id_map_can_be_taken_back(engine: Engine, key: bytes) -> None:
    right, wrong = (IdMapping(scan_patient_id="S", record_patient_id=record) for record in ("A", "B"))
    for row in (right, wrong, right):
        catalogue.put_id_map(engine, key, [row])
    assert catalogue.id_map(engine) == (right,)
    assert catalogue.put_id_map(engine, key, [right]) == PutCounts(known=1)


def test_a_label_can_be_put_back(engine: Engine, key: bytes) -> None:
    one, other = (Label(patient_id="P", finding="pneumonia", value=LabelValue(value)) for value in (1, 0))
    for label in (one, other, one):
        catalogue.put_labels(engine, key, [label])
    assert catalogue.labels(engine) == (one,)


def test_two_tables_that_disagree_give_the_same_label_every_time(engine: Engine, key: bytes) -> None:
    one, other = (Label(patient_id="P", finding="pneumonia", value=LabelValue(value)) for value in (1, 0))
    catalogue.put_labels(engine, key, [one, other])
    assert catalogue.put_labels(engine, key, [one, other]) == PutCounts(known=2)
    assert catalogue.labels(engine) == (other,)


def test_ingest_runs_are_counted_in_order(engine: Engine) -> None:
    numbers = [catalogue.put_ingest_run(engine, {"scans": count}) for count in (3, 0)]
    assert numbers == sorted(set(numbers))
    assert catalogue.ingest_runs(engine) == ({"scans": 3}, {"scans": 0})


def test_identifiers_stand_in_the_record_and_in_no_other_column(engine: Engine, key: bytes, make) -> None:
    catalogue.put_index(engine, key, Index(series=(make.quarantined(Reason.TILTED, series="SECRET"),)))
    catalogue.put_scans(engine, key, [make.scan(patient="SECRET", series="SECRET", study="SECRET")])
    catalogue.put_notes(engine, key, [make.note(patient="SECRET", note_id="SECRET")])
    for table in (tables.scan, tables.note, tables.quarantined_series):
        columns = [column for column in table.c if column.name != "record"]
        rows = read(engine, lambda connection, columns=columns: connection.execute(select(*columns)).all())
        assert len(rows) == 1
        assert "SECRET" not in str(rows)


def test_a_record_of_another_version_is_one_clear_line_without_its_content(engine: Engine, key: bytes, make) -> None:
    catalogue.put_notes(engine, key, [make.note()])
    foreign = json.dumps({"SECRET": "SECRET"})
    write(engine, lambda connection: connection.execute(update(tables.note).values(record=foreign)))
    with pytest.raises(WorkspaceError, match="a stored note does not fit this version") as caught:
        catalogue.notes(engine)
    assert "SECRET" not in str(caught.value)
