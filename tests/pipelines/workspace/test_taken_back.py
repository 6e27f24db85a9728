from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.cases.ingest import ingest
from pipelines.workspace import catalogue
from pipelines.workspace.paths import Workspace, create_workspace


@pytest.fixture
def held(tmp_path: Path) -> Workspace:
    return create_workspace(tmp_path / "w")


def export(folder: Path, status: str, stamp: str) -> Path:
    subject = {"reference": "Patient/p1"}
    meta = {"lastUpdated": stamp}
    person = {"resourceType": "Patient", "id": "p1", "identifier": [{"value": "007"}]}
    note: dict[str, Any] = {"resourceType": "DocumentReference", "id": "d1", "status": status, "subject": subject}
    note |= {"date": "2024-03-05T10:00:00Z", "meta": meta}
    note["content"] = [{"attachment": {"contentType": "text/plain", "data": "Q291Z2gu"}}]
    value = {"resourceType": "Observation", "id": "o1", "status": status.replace("current", "final"), "meta": meta}
    value |= {"subject": subject, "code": {"text": "smoker"}, "valueString": "yes", "issued": "2024-03-05T10:00:00Z"}
    folder.mkdir()
    lines = "".join(f"{json.dumps(item)}\n" for item in (person, note, value))
    (folder / "all.ndjson").write_text(lines)
    return folder


def inputs(held: Workspace) -> tuple[int, int]:
    with held.database() as engine:
        return len(catalogue.notes(engine)), len(catalogue.observations(engine))


def test_what_its_source_takes_back_is_no_input_any_more_and_does_not_come_back(
    held: Workspace, tmp_path: Path
) -> None:
    old = export(tmp_path / "old", "current", "2024-03-05T11:00:00Z")
    ingest(held, notes=[old])
    assert inputs(held) == (1, 1)
    ingest(held, notes=[export(tmp_path / "new", "entered-in-error", "2024-03-06T11:00:00Z")])
    assert inputs(held) == (0, 0)
    ingest(held, notes=[old])
    assert inputs(held) == (0, 0)
