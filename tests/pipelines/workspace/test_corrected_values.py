"""A corrected Observation replaces what an earlier version of it gave, through the door that everything comes in by."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.cases.ingest import ingest
from pipelines.workspace import catalogue
from pipelines.workspace.paths import Workspace, create_workspace

Put = Callable[..., None]
MORNING, NOON, EVENING = (f"2024-03-05T{hour}:00:00+00:00" for hour in ("08", "12", "20"))


@pytest.fixture
def held(tmp_path: Path) -> Workspace:
    return create_workspace(tmp_path / "w")


def person(number: str = "1") -> dict[str, Any]:
    return {"resourceType": "Patient", "id": f"p{number}", "identifier": [{"value": f"00{number}"}]}


def value(
    crp: float = 5.0, *, name: str = "o1", at: str = MORNING, status: str = "final", of: str = "1", **rest: Any
) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": name,
        "status": status,
        "subject": {"reference": f"Patient/p{of}"},
        "code": {"coding": [{"system": "http://loinc.org", "code": "1988-5"}]},
        "effectiveDateTime": at,
        "valueQuantity": {"value": crp, "unit": "mg/L"},
        **rest,
    }


def at(day: int, version: int | None = None) -> dict[str, Any]:
    return {"lastUpdated": f"2024-03-{day:02}T10:00:00Z"} | ({} if version is None else {"versionId": str(version)})


@pytest.fixture(params=["bundle", "ndjson", "server"])
def put(request: pytest.FixtureRequest, held: Workspace, tmp_path: Path) -> Put:
    """Ingest some resources as one bundle, as an export without its server's address, or as one with it."""
    number = 0

    def make(*resources: dict[str, Any], people: tuple[str, ...] = ("1",)) -> None:
        nonlocal number
        number += 1
        folder = tmp_path / f"in-{number}"
        folder.mkdir()
        everything = [*map(person, people), *resources]
        if request.param == "bundle":
            entries = [{"resource": item} for item in everything]
            content = {"resourceType": "Bundle", "type": "collection", "entry": entries}
            (folder / "a.json").write_text(json.dumps(content))
        else:
            (folder / "all.ndjson").write_text("".join(f"{json.dumps(item)}\n" for item in everything))
        if request.param == "server":
            stated = {"transactionTime": "", "request": "https://ehr.example/fhir/$export", "output": [], "error": []}
            (folder / "manifest.json").write_text(json.dumps(stated))
        ingest(held, observations=[folder])

    return make


def found(held: Workspace) -> list[tuple[str, float | str, str]]:
    with held.database() as engine:
        rows = catalogue.observations(engine)
    return sorted(
        (item.patient.patient_id, item.value, item.taken.isoformat())
        for item in rows
        if item.code == "crp" and item.taken
    )


def test_a_correction_replaces_its_earlier_version_whatever_changed_in_it(held: Workspace, put: Put) -> None:
    put(value(5.0, meta=at(5)))
    put(value(6.0, at=NOON, status="corrected", meta=at(6)))
    # What is corrected was known when the server last changed it.
    assert found(held) == [("001", 6.0, "2024-03-06T10:00:00+00:00")]
    put(value(5.0, meta=at(5)))  # the old export once more
    assert found(held) == [("001", 6.0, "2024-03-06T10:00:00+00:00")]


def test_another_time_alone_is_a_correction_too(held: Workspace, put: Put) -> None:
    put(value(5.0, at=MORNING))
    put(value(5.0, at=NOON))
    assert found(held) == [("001", 5.0, NOON)]


def test_an_earlier_version_that_comes_later_is_history(held: Workspace, put: Put) -> None:
    put(value(6.0, at=NOON, meta=at(6)))
    put(value(5.0, meta=at(5)))
    assert found(held) == [("001", 6.0, NOON)]
    put(value(8.0, name="o2", at=EVENING, meta={"versionId": "9"}))
    put(value(1.0, name="o2", at=EVENING, meta={"versionId": "10"}))
    put(value(2.0, name="o2", meta={"versionId": "8"}))
    assert found(held) == [("001", 1.0, EVENING), ("001", 6.0, NOON)]


@pytest.mark.parametrize("turned", [False, True])
def test_within_one_set_the_later_version_counts(held: Workspace, put: Put, turned: bool) -> None:
    pairs = [
        (value(5.0, meta=at(5)), value(6.0, at=NOON, meta=at(6))),
        (value(5.0, name="o2", meta={"versionId": "9"}), value(7.0, name="o2", at=NOON, meta={"versionId": "10"})),
        (value(5.0, name="o3"), value(8.0, name="o3", at=NOON, status="corrected")),
    ]
    put(*(item for pair in pairs for item in (reversed(pair) if turned else pair)))
    assert {number for _, number, _ in found(held)} <= {6.0, 7.0, 8.0}


def test_what_was_entered_in_error_goes_though_its_value_is_gone_already(held: Workspace, put: Put) -> None:
    put(value(5.0, meta=at(5)), value(9.0, name="o2", at=NOON))
    emptied = value(status="entered-in-error", at=NOON, meta=at(6))
    del emptied["valueQuantity"]
    put(emptied)
    assert found(held) == [("001", 9.0, NOON)]  # that of the same moment is another resource
    put(value(status="entered-in-error", name="o2"), value(9.5, name="o3", at=NOON))
    assert found(held) == [("001", 9.5, NOON)]


def test_an_old_withdrawal_takes_no_later_version_back(held: Workspace, put: Put) -> None:
    put(value(6.0, meta=at(7)))
    put(value(5.0, status="entered-in-error", meta=at(6)))
    assert found(held) == [("001", 6.0, MORNING)]


def test_a_correction_that_cannot_be_read_leaves_no_value(held: Workspace, put: Put) -> None:
    put(value(5.0, meta=at(5)))
    put(value(6.0, status="corrected", meta=at(6), valueQuantity={"value": 6.0, "unit": "furlong"}))
    assert found(held) == []


def test_a_component_that_a_correction_leaves_out_goes(held: Workspace, put: Put) -> None:
    part = {"code": {"coding": [{"system": "http://loinc.org", "code": "2160-0"}]}}
    part["valueQuantity"] = {"value": 80, "unit": "umol/L"}  # type: ignore[assignment]
    put(value(5.0, meta=at(5), component=[part]))
    put(value(6.0, meta=at(6)))
    with held.database() as engine:
        assert [item.code for item in catalogue.observations(engine)] == ["crp"]


def test_a_set_that_does_not_say_which_version_is_the_last_gives_none(held: Workspace, put: Put) -> None:
    put(value(5.0), value(6.0, at=NOON), value(7.0, name="o2"), value(7.0, name="o2"))
    assert found(held) == [("001", 7.0, MORNING)]


def test_two_patients_with_resources_of_one_id_keep_their_values(held: Workspace, tmp_path: Path) -> None:
    for number in ("1", "2"):
        entries = [{"resource": person(number)}, {"resource": value(float(number), of=number)}]
        (tmp_path / f"{number}.json").write_text(json.dumps({"resourceType": "Bundle", "entry": entries}))
        ingest(held, observations=[tmp_path / f"{number}.json"])
    assert [row[:2] for row in found(held)] == [("001", 1.0), ("002", 2.0)]


def test_a_value_that_moves_to_its_right_patient_leaves_the_wrong_one(held: Workspace, tmp_path: Path) -> None:
    for number in ("1", "2"):
        entry = {"fullUrl": "https://ehr.example/fhir/Observation/o1", "resource": value(5.0, of=number)}
        bundle = {"resourceType": "Bundle", "entry": [{"resource": person(number)}, entry]}
        (tmp_path / f"{number}.json").write_text(json.dumps(bundle))
        ingest(held, observations=[tmp_path / f"{number}.json"])
    assert [row[:2] for row in found(held)] == [("002", 5.0)]


def test_what_a_server_has_deleted_goes_by_its_name_alone(held: Workspace, tmp_path: Path) -> None:
    def export(name: str, *lines: dict[str, Any]) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "a.ndjson").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        stated = {"transactionTime": "", "request": "https://ehr.example/fhir/$export", "output": [], "error": []}
        (folder / "manifest.json").write_text(json.dumps(stated))
        return folder

    ingest(held, observations=[export("one", person(), value(5.0), value(6.0, name="o2", at=NOON))])
    gone = {"resourceType": "Bundle", "type": "transaction"}
    gone["entry"] = [{"request": {"method": "DELETE", "url": "Observation/o1"}}]  # type: ignore[assignment]
    ingest(held, observations=[export("two", person(), gone)])
    assert [row[1] for row in found(held)] == [6.0]


def test_a_correction_without_a_value_leaves_none(held: Workspace, put: Put) -> None:
    put(value(5.0, meta=at(5)), value(9.0, name="o2", at=NOON))
    absent = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": "error"}]}
    emptied = value(status="corrected", meta=at(6), dataAbsentReason=absent)
    del emptied["valueQuantity"]
    put(emptied)
    assert found(held) == [("001", 9.0, NOON)]


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("moment", [MORNING, NOON])
def test_of_several_sets_that_are_read_at_once_the_later_version_counts(
    held: Workspace, tmp_path: Path, turned: bool, moment: str
) -> None:
    sets = []
    for number, item in enumerate([value(5.0, meta=at(5)), value(6.0, at=moment, meta=at(6))]):
        entry = {"fullUrl": "https://ehr.example/fhir/Observation/o1", "resource": item}
        path = tmp_path / f"{number}.json"
        path.write_text(json.dumps({"resourceType": "Bundle", "entry": [{"resource": person()}, entry]}))
        sets.append(path)
    ingest(held, observations=sets[::-1] if turned else sets)
    assert found(held) == [("001", 6.0, moment)]
