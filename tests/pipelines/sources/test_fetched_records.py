"""The lines of one patient go from what was fetched, and every other line stays byte for byte."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import pipelines.sources.fetched_records as module
from pipelines.sources.fetched_records import drop_resources


def patient(name: str, number: str, *, kind: str = "MR") -> dict[str, Any]:
    identifier = {"type": {"coding": [{"code": kind}]}, "system": "urn:mrn", "value": number}
    return {"resourceType": "Patient", "id": name, "identifier": [identifier]}


def about(kind: str, name: str, subject: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": kind, "id": name, "subject": {"reference": f"Patient/{subject}"}, **more}


def text(name: str) -> dict[str, Any]:
    return {"resourceType": "Binary", "id": name, "data": "c2VjcmV0"}


@pytest.fixture
def fetched(tmp_path: Path) -> Path:
    """Two files of one server: p1 and p2 have a document each, and share a leaflet."""
    folder = tmp_path / "incoming" / "fhir" / "server"
    folder.mkdir(parents=True)
    shared = {"content": [{"attachment": {"url": "Binary/leaflet"}}]}
    files = {
        "a": [patient("p1", "MRN-1"), about("DocumentReference", "d1", "p1", content=[_at("b1")])],
        "b": [
            patient("p2", "MRN-2"),
            about("Observation", "o1", "p1"),
            about("Observation", "o2", "p2", focus=[{"reference": "Patient/p1"}]),
            about("DocumentReference", "d2", "p2", content=[_at("b2")]),
            about("Basic", "x1", "p1", **shared),
            about("Basic", "x2", "p2", **shared),
            {"resourceType": "Provenance", "id": "v1", "target": [{"reference": "Patient/p1"}]},
            text("b1"),
            text("b2"),
            text("leaflet"),
        ],
    }
    for name, resources in files.items():
        (folder / f"{name}.ndjson").write_text("".join(json.dumps(item) + "\n" for item in resources))
    return tmp_path / "incoming"


def _at(name: str) -> dict[str, Any]:
    return {"attachment": {"contentType": "text/plain", "url": f"Binary/{name}"}}


def left(incoming: Path) -> set[str]:
    return {json.loads(line)["id"] for path in incoming.rglob("*.ndjson") for line in path.read_text().splitlines()}


def test_a_dry_run_counts_and_changes_nothing(fetched: Path) -> None:
    before = left(fetched)
    assert drop_resources(fetched, lambda raw: raw == "MRN-1", dry=True) == 6
    assert left(fetched) == before


def test_the_patient_what_is_about_them_and_their_texts_go(fetched: Path) -> None:
    assert drop_resources(fetched, lambda raw: raw == "MRN-1") == 6
    assert left(fetched) == {"p2", "o2", "d2", "x2", "b2", "leaflet"}
    assert [path.name for path in fetched.rglob("*.ndjson")] == ["b.ndjson"]
    assert drop_resources(fetched, lambda raw: raw == "MRN-1") == 0


def test_an_identifier_of_another_system_is_nobody_s_record_number(fetched: Path) -> None:
    assert drop_resources(fetched, lambda raw: raw == "MRN-1", identifier_system="urn:else") == 0


@pytest.mark.parametrize("writes", [1, 2, 3])
def test_stopped_in_between_the_next_run_still_knows_whose_the_lines_are(
    fetched: Path, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    real, calls = module._write, []

    def stopped(path: Path, lines: list[bytes]) -> None:
        if len(calls) == writes:
            raise KeyboardInterrupt
        calls.append(path)
        real(path, lines)

    monkeypatch.setattr(module, "_write", stopped)
    with pytest.raises(KeyboardInterrupt):
        drop_resources(fetched, lambda raw: raw == "MRN-1")
    monkeypatch.setattr(module, "_write", real)
    drop_resources(fetched, lambda raw: raw == "MRN-1")
    assert left(fetched) == {"p2", "o2", "d2", "x2", "b2", "leaflet"}


def test_a_subject_that_is_contained_or_named_by_an_identifier_alone_is_known_too(fetched: Path) -> None:
    def of(number: str, name: str) -> list[dict[str, Any]]:
        logical = {"identifier": {"system": "urn:mrn", "value": number}}
        inner = {**patient("me", number), "id": "me"}
        return [
            {"resourceType": "Observation", "id": f"logical-{name}", "subject": logical},
            {"resourceType": "Basic", "id": f"inner-{name}", "contained": [inner], "subject": {"reference": "#me"}},
        ]

    lines = [json.dumps(item) for item in [*of("MRN-1", "theirs"), *of("MRN-2", "others")]]
    (fetched / "fhir" / "server" / "c.ndjson").write_text("\n".join(lines) + "\n")
    assert drop_resources(fetched, lambda raw: raw == "MRN-1") == 8
    assert left(fetched) == {"p2", "o2", "d2", "x2", "b2", "leaflet", "logical-others", "inner-others"}


def test_nothing_fetched_is_nothing_to_do(tmp_path: Path) -> None:
    assert drop_resources(tmp_path, lambda _raw: True) == 0
