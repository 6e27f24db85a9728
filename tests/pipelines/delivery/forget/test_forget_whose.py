"""Whose id it is: forgotten is one patient and nobody else, or nobody, with one line that says why."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest

from data_schemas.errors import InputError
from data_schemas.reasons import Reason
from data_schemas.scan import Index, Series, SeriesStatus
from pipelines.delivery.forget import forget
from pipelines.workspace import catalogue
from pipelines.workspace.paths import Workspace
from pipelines.workspace.tombstones import tombstones


def test_an_unknown_patient_is_one_line_that_does_not_repeat_the_id(workspace: Workspace) -> None:
    with pytest.raises(InputError, match="no patient of that id") as caught:
        forget(workspace, "NOBODY-99", actor="tester")
    assert "NOBODY-99" not in str(caught.value)
    with workspace.database() as engine:
        assert tombstones(engine) == ()


@pytest.mark.parametrize("stand_in", ["UNKNOWN", "0000", " ", "W/I"])
def test_a_stand_in_for_an_id_forgets_nobody(workspace: Workspace, stand_in: str) -> None:
    with pytest.raises(InputError, match=r"stand-in|empty"):
        forget(workspace, stand_in, actor="tester")


def refused(workspace: Workspace, tools: SimpleNamespace, raw: str, match: str) -> None:
    before = tools.rows(workspace), tools.files(workspace)
    with pytest.raises(InputError, match=match) as caught:
        forget(workspace, raw, actor="tester")
    assert raw not in str(caught.value)
    assert (tools.rows(workspace), tools.files(workspace)) == before


def test_a_study_shared_with_another_patient_is_refused(workspace: Workspace, tools: SimpleNamespace) -> None:
    one = tools.PEOPLE[0]
    other = tools.scan_of(one, workspace.root / "other", note="z", patient="SOMEBODY-ELSE")
    with workspace.database() as engine:
        catalogue.put_scans(engine, workspace.key, [other])
    refused(workspace, tools, one.scan_id, "shares a study with another")


def test_a_series_that_names_two_patients_is_refused(workspace: Workspace, tools: SimpleNamespace) -> None:
    one = tools.PEOPLE[0]
    mixed = Series(
        series_uid=f"{one.study}.a",
        study_uid=one.study,
        modality="CT",
        files=2,
        transfer_syntax="",
        status=SeriesStatus.QUARANTINED,
        reasons=(Reason.MIXED_PATIENTS,),
    )
    with workspace.database() as engine:
        catalogue.put_index(engine, workspace.key, Index(series=(mixed,)))
    refused(workspace, tools, one.scan_id, "shares a series with another")


def test_a_note_of_another_patient_about_the_study_is_refused(workspace: Workspace, tools: SimpleNamespace) -> None:
    one, other = tools.PEOPLE[0], tools.PEOPLE[1]
    claim = tools.note_of(other).model_copy(update={"study_uid": one.study, "note_id": "claims"})
    with workspace.database() as engine:
        catalogue.put_notes(engine, workspace.key, [claim])
    refused(workspace, tools, one.scan_id, "a note claims for another")


def test_an_id_that_the_map_gives_to_two_is_refused(workspace: Workspace, tools: SimpleNamespace) -> None:
    from data_schemas.cohort import IdMapping

    one = tools.PEOPLE[1]
    with workspace.database() as engine:
        known = catalogue.id_map(engine)
        more = IdMapping(scan_patient_id=one.scan_id, record_patient_id="REC-OTHER")
        catalogue.put_id_map(engine, workspace.key, [*known, more])
    refused(workspace, tools, one.scan_id, "several candidates")


def test_an_id_of_two_people_asks_whose_it_is(workspace: Workspace, tools: SimpleNamespace) -> None:
    """Scans say REC-B2 for another person than the records do, who are mapped to SCAN-B2."""
    one = tools.PEOPLE[1]
    other = tools.One(one.record_id, "REC-E5", 55)
    tools.put_person(workspace, other)
    refused(workspace, tools, one.record_id, "--as scan or --as record")
    forget(workspace, one.record_id, actor="tester", space="scan")
    left = tools.raw_bytes(workspace)
    assert other.words.encode() not in left
    assert one.words.encode() in left


def test_scans_of_two_issuers_under_one_id_are_refused(workspace: Workspace, tools: SimpleNamespace) -> None:
    one = tools.PEOPLE[0]
    twin = tools.One(one.scan_id, one.record_id, 66)
    scans = [tools.scan_of(one, workspace.root / "o", note="i"), tools.scan_of(twin, workspace.root / "p", note="j")]
    issued = [
        scan.model_copy(update={"patient": scan.patient.model_copy(update={"issuer": name})})
        for scan, name in zip(scans, ("NORTH", "SOUTH"), strict=True)
    ]
    with workspace.database() as engine:
        catalogue.put_scans(engine, workspace.key, issued)
    refused(workspace, tools, one.scan_id, "several issuers")


def test_leading_zeros_tell_two_patients_apart_and_only_one_is_forgotten(
    workspace: Workspace, tools: SimpleNamespace
) -> None:
    padded, bare = tools.PEOPLE[2], tools.PEOPLE[3]
    forget(workspace, padded.scan_id, actor="tester")
    left = tools.raw_bytes(workspace)
    assert padded.words.encode() not in left
    assert bare.words.encode() in left


def test_with_a_rule_that_ignores_case_every_spelling_goes(
    filled: Callable[..., Workspace], tools: SimpleNamespace
) -> None:
    from pipelines.workspace.paths import open_workspace

    made = filled()
    (made.root / "scanote.yaml").write_text("link: {ignore_id_case: true}\n")
    workspace, one = open_workspace(made.root), tools.PEOPLE[0]
    with workspace.database() as engine:
        lower = tools.note_of(tools.One(one.scan_id.lower(), one.scan_id.lower(), one.number), "Spelt otherwise.")
        catalogue.put_notes(engine, workspace.key, [lower])
    assert forget(workspace, one.scan_id.title(), actor="tester").counts["notes"] == 3
    assert b"Spelt otherwise" not in tools.raw_bytes(workspace)
