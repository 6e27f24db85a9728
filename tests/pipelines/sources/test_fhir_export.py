"""A bulk export, by a server that makes one: the standard library's HTTP server on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from data_schemas.errors import InputError, ServerError, WorkspaceError
from pipelines.cases.ingest import ingest
from pipelines.sources.fhir import read_fhir
from pipelines.sources.fhir_connection import connect_fhir
from pipelines.sources.fhir_export import fetch_export
from pipelines.sources.fhir_server import FetchedRecords
from pipelines.workspace import catalogue
from pipelines.workspace.paths import create_workspace, open_workspace

KEY = bytes(32)
KINDS = ("Patient", "Observation")
Reply = tuple[int, dict[str, str], bytes]


class Fake:
    """A server that makes one export; ``faults`` are handed out first, to paths that contain their name."""

    def __init__(self) -> None:
        self.files: dict[str, list[dict[str, Any]]] = {}
        self.deleted: list[dict[str, Any]] = []
        self.faults: list[tuple[str, Reply | str]] = []
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.busy = 0
        self.count: dict[str, int] = {}
        self.url = ""

    def reply(self, path: str) -> Reply | str:
        self.asked.append(path)
        for number, (name, fault) in enumerate(self.faults):
            if name in path:
                del self.faults[number]
                return fault
        if "$export" in path:
            return 202, {"Content-Location": f"{self.url}/status/1"}, b""
        if "/status/" in path:
            if self.busy:
                self.busy -= 1
                return 202, {"Retry-After": "7", "X-Progress": "working"}, b""
            return 200, {"Content-Type": "application/json"}, json.dumps(self.manifest()).encode()
        lines = self.deleted if path.endswith("/deleted") else self.files[path.rpartition("/")[2]]
        content = "".join(f"{json.dumps(line)}\n" for line in lines).encode()
        return 200, {"Content-Type": "application/fhir+ndjson"}, content

    def manifest(self) -> dict[str, Any]:
        output = [
            {"type": name.partition(".")[0], "url": f"{self.url}/file/{name}", "count": self.count.get(name, len(held))}
            for name, held in self.files.items()
        ]
        deleted = [{"type": "Bundle", "url": f"{self.url}/file/deleted"}] if self.deleted else []
        return {"transactionTime": "2024-03-01T00:00:00Z", "request": "", "output": output, "deleted": deleted}


@pytest.fixture
def fake() -> Iterator[Fake]:
    made = Fake()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.headers.append(dict(self.headers))
            reply = made.reply(self.path)
            if isinstance(reply, str):  # the connection breaks in the middle of a file
                self.send_response(200)
                self.send_header("Content-Length", "1000")
                self.end_headers()
                self.wfile.write(reply.encode())
                return
            status, headers, content = reply
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def do_DELETE(self) -> None:
            made.asked.append(f"DELETE {self.path}")
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_address[1]}/fhir"
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


def person(number: str = "1") -> dict[str, Any]:
    return {"resourceType": "Patient", "id": f"p{number}", "identifier": [{"value": f"00{number}"}]}


def weight(name: str, number: float) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": name,
        "status": "final",
        "subject": {"reference": "Patient/p1"},
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        "effectiveDateTime": f"2024-03-0{name[-1]}",
        "valueQuantity": {"value": number, "unit": "kg"},
    }


@pytest.fixture
def fetch(fake: Fake, tmp_path: Path) -> Callable[..., FetchedRecords]:
    fake.files = {"Patient.1": [person()], "Observation.1": [weight("o1", 70.0)], "Observation.2": [weight("o2", 71.0)]}

    def run(*, waits: list[float] | None = None, attempts: int = 2, **rest: Any) -> FetchedRecords:
        sleep = (waits if waits is not None else []).append
        connection = connect_fhir(
            fake.url, environment={"SCANOTE_FHIR_TOKEN": "t"}, attempts=attempts, wait_s=0.0, sleep=sleep
        )
        return fetch_export(connection, tmp_path / "incoming", key=KEY, kinds=KINDS, **rest)

    return run


def values(found: FetchedRecords) -> list[float | str]:
    return sorted(item.value for item in read_fhir(sorted(found.folder.iterdir())).observations)


def test_an_export_is_asked_for_waited_for_and_fetched(fake: Fake, fetch: Callable[..., FetchedRecords]) -> None:
    fake.busy = 2
    waits: list[float] = []
    found = fetch(since=date(2024, 1, 2), waits=waits)
    assert (found.new, found.pages, found.failed, values(found)) == (3, 3, 0, [70.0, 71.0])
    assert waits == [7.0, 7.0]  # Retry-After
    asked = parse_qs(urlsplit(fake.asked[0]).query)
    assert urlsplit(fake.asked[0]).path == "/fhir/Patient/$export"
    assert (asked["_type"], asked["_since"]) == (["Patient,Observation"], ["2024-01-02T00:00:00Z"])
    assert fake.headers[0]["Prefer"] == "respond-async"
    assert fake.asked[-1] == "DELETE /fhir/status/1"
    again = fetch()
    assert (again.new, again.known) == (0, 3)


def test_a_group_is_exported_alone(fake: Fake, fetch: Callable[..., FetchedRecords]) -> None:
    fetch(group="g1")
    assert fake.asked[0].startswith("/fhir/Group/g1/$export?")


def test_an_interrupted_export_goes_on_at_the_file_that_is_missing(
    fake: Fake, fetch: Callable[..., FetchedRecords]
) -> None:
    fake.faults = [("Observation.2", '{"resourceType": "Obs')]
    with pytest.raises(ServerError, match="does not answer"):
        fetch(attempts=1)
    before = len(fake.asked)
    found = fetch(since=date(2024, 2, 2))
    files = [path.rpartition("/")[2] for path in fake.asked[before:] if "/file/" in path]
    assert (files, values(found)) == (["Observation.2"], [70.0, 71.0])
    assert not any("$export" in path for path in fake.asked[before:])


def test_a_file_that_breaks_off_is_fetched_again_whole(fake: Fake, fetch: Callable[..., FetchedRecords]) -> None:
    fake.faults = [("Observation.1", "{"), ("status", (503, {"Retry-After": "1"}, b""))]
    assert values(fetch()) == [70.0, 71.0]


def test_an_export_that_the_server_forgot_is_asked_for_anew(fake: Fake, fetch: Callable[..., FetchedRecords]) -> None:
    fake.busy = 1
    with pytest.raises(ServerError, match="still makes its export; run the same command later"):
        fetch(patience_s=5.0)
    fake.faults = [("status", (404, {}, b""))]
    assert values(fetch()) == [70.0, 71.0]
    assert sum("$export" in path for path in fake.asked) == 2


def test_what_was_deleted_goes_from_the_catalogue(
    fake: Fake, fetch: Callable[..., FetchedRecords], tmp_path: Path
) -> None:
    workspace = create_workspace(tmp_path / "w")
    ingest(workspace, notes=[fetch().folder])
    entry = {"request": {"method": "DELETE", "url": "Observation/o1"}}
    fake.files, fake.deleted = {}, [{"resourceType": "Bundle", "type": "transaction", "entry": [entry]}]
    ingest(workspace, notes=[fetch().folder])
    with workspace.database() as engine:
        assert [item.value for item in catalogue.observations(engine)] == [71.0]


def test_the_settings_choose_the_export(
    fake: Fake, fetch: Callable[..., FetchedRecords], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.fetching import fetch_fhir

    monkeypatch.delenv("SCANOTE_FHIR_TOKEN", raising=False)
    workspace = create_workspace(tmp_path / "w")
    settings = f"sources:\n  fhir: {{url: '{fake.url}', way: export, group: g1, kinds: [Patient, Observation]}}\n"
    (workspace.root / "scanote.yaml").write_text(settings)
    workspace = open_workspace(workspace.root)
    arrival = fetch_fhir(workspace, since=date(2024, 1, 2))
    assert arrival.problem is None
    assert arrival.counts is not None
    assert arrival.counts.new == 3
    assert fake.asked[0].startswith("/fhir/Group/g1/$export?")
    with pytest.raises(InputError, match="a bulk export has no last day"):
        fetch_fhir(workspace, since=date(2024, 1, 2), until=date(2024, 1, 3))


def test_what_lacks_is_told(fake: Fake, fetch: Callable[..., FetchedRecords]) -> None:
    fake.count = {"Observation.1": 2}
    found = fetch()
    assert found.failed == 1
    assert found.problems[0].endswith("a file of Observation has 1 of 2 resources")


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (("$export", (200, {"Content-Type": "application/fhir+json"}, b"{}")), "does not offer bulk exports"),
        (("$export", (404, {}, b"")), "status 404"),
        (("$export", (202, {"Content-Location": "http://127.0.0.1:1/status"}, b"")), "another server"),
        (("status", (200, {"Content-Type": "application/json"}, b"[]")), "no manifest of an export"),
    ],
)
def test_a_server_that_cannot_export_is_one_line(
    fake: Fake, fetch: Callable[..., FetchedRecords], fault: tuple[str, Reply], told: str
) -> None:
    fake.faults = [fault]
    with pytest.raises(ServerError, match=told):
        fetch()


def test_a_file_of_another_server_is_not_fetched(fake: Fake, fetch: Callable[..., FetchedRecords]) -> None:
    manifest = {"transactionTime": "", "output": [{"type": "Patient", "url": "http://127.0.0.1:1/file"}]}
    fake.faults = [("status", (200, {"Content-Type": "application/json"}, json.dumps(manifest).encode()))]
    with pytest.raises(ServerError, match="another server"):
        fetch()


def test_an_export_of_later_days_does_not_stand_for_one_of_earlier_days(
    fake: Fake, fetch: Callable[..., FetchedRecords]
) -> None:
    for since in (date(2024, 1, 2), None):
        fake.busy = 1
        with pytest.raises(ServerError, match="still makes its export"):
            fetch(since=date(2024, 2, 2), patience_s=5.0)
        before = len(fake.asked)
        fake.busy = 0
        fetch(since=since)
        assert [("_since" in path) for path in fake.asked[before:] if "$export" in path] == [since is not None]


@pytest.mark.parametrize("status", [500, 400])
def test_an_export_that_the_server_could_not_make_is_asked_for_anew(
    fake: Fake, fetch: Callable[..., FetchedRecords], status: int
) -> None:
    fake.faults = [("status", (status, {}, b""))]
    with pytest.raises(ServerError, match=f"status {status}"):
        fetch(attempts=1)
    fake.faults = [("status", (status, {}, b""))]
    assert values(fetch(attempts=1)) == [70.0, 71.0]
    assert sum("$export" in path for path in fake.asked) == 2


def test_an_export_of_which_a_file_is_gone_is_asked_for_anew(fake: Fake, fetch: Callable[..., FetchedRecords]) -> None:
    fake.faults = [("Observation.2", (410, {}, b""))]
    with pytest.raises(ServerError, match="has dropped a file of its export; run the same command"):
        fetch()
    assert values(fetch()) == [70.0, 71.0]
    assert sum("$export" in path for path in fake.asked) == 2


def test_a_full_disk_is_not_taken_for_a_silent_server(fake: Fake) -> None:
    class Full(BytesIO):
        def write(self, _: object) -> int:
            raise OSError(28, "No space left on device")

    fake.files = {"Patient.1": [person()]}
    connection = connect_fhir(fake.url, environment={}, attempts=2, wait_s=0.0, sleep=lambda _: None)
    with connection, pytest.raises(WorkspaceError, match="No space left on device"):
        connection.download(f"{fake.url}/file/Patient.1", Full(), media="application/fhir+ndjson", at_most=1000)
