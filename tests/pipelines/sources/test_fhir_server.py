"""A FHIR server with faults, played by the standard library's HTTP server on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from data_schemas.errors import InputError, ServerError
from pipelines.sources import fhir_connection
from pipelines.sources.fhir import read_fhir
from pipelines.sources.fhir_connection import connect_fhir
from pipelines.sources.fhir_server import FetchedRecords, fetch_records

KEY = bytes(32)
SINCE = date(2024, 1, 1)
Reply = tuple[int, dict[str, str], bytes]


class Fake:
    """Answers by path and query; ``faults`` are handed out first, one a request, to paths that contain their name."""

    def __init__(self) -> None:
        self.resources: dict[str, list[dict[str, Any]]] = {}
        self.single: dict[str, Reply] = {}
        self.faults: list[tuple[str, Reply | str]] = []
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.per_page = 2
        self.next_of: Callable[[str, str], str] = lambda _, usual: usual
        self.url = ""

    def reply(self, path: str) -> Reply | str:
        self.asked.append(path)
        for number, (name, fault) in enumerate(self.faults):
            if name in path:
                del self.faults[number]
                return fault
        parts = urlsplit(path)
        kind, _, name = parts.path.removeprefix("/fhir/").partition("/")
        if f"{kind}/{name}" in self.single:
            return self.single[f"{kind}/{name}"]
        if name:
            found = [item for item in self.resources.get(kind, []) if item["id"] == name]
            return answer(found[0]) if found else (404, {}, b"")
        if kind == "metadata":
            return answer({"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"})
        query = parse_qs(parts.query)
        offset = int(query.get("_offset", ["0"])[0])
        held = self.resources.get(kind, [])
        bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset"}
        bundle["entry"] = [{"resource": item} for item in held[offset : offset + self.per_page]]
        if offset + self.per_page < len(held):
            usual = f"{self.url}/{kind}?_offset={offset + self.per_page}"
            bundle["link"] = [{"relation": "next", "url": self.next_of(kind, usual)}]
        return answer(bundle)


def answer(content: Any, kind: str = "application/fhir+json") -> Reply:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return 200, {"Content-Type": kind}, data


@pytest.fixture
def fake() -> Iterator[Fake]:
    held = Fake()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            held.headers.append(dict(self.headers))
            reply = held.reply(self.path)
            if reply == "cut":  # promises more than it sends
                self.send_response(200)
                self.send_header("Content-Type", "application/fhir+json")
                self.send_header("Content-Length", "5000")
                self.end_headers()
                self.wfile.write(b'{"resourceType": "Bun')
                return
            if reply == "dropped":
                self.connection.close()
                return
            status, headers, data = reply
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except (OSError, ValueError):
                self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    held.url = f"http://127.0.0.1:{server.server_port}/fhir"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield held
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def hospital(fake: Fake, patient, document) -> Fake:
    fake.resources["Patient"] = [patient()]
    fake.resources["DocumentReference"] = [document(f"Text {number}.", id=f"d{number}") for number in range(5)]
    return fake


def fetch(fake: Fake, folder: Path, **changes: Any) -> FetchedRecords:
    options: dict[str, Any] = {"key": KEY, "kinds": ("DocumentReference",), "since": SINCE} | changes
    environment = options.pop("environment", {})
    pauses = options.pop("pauses", [])
    connection = connect_fhir(fake.url, environment=environment, attempts=3, wait_s=0.01, sleep=pauses.append)
    return fetch_records(connection, folder, **options)


def notes(found: FetchedRecords) -> list[str]:
    records = read_fhir([*found.folder.glob("*.ndjson"), found.folder / "manifest.json"])
    assert not records.refused
    return sorted(note.text for note in records.notes)


def test_every_page_is_fetched_with_the_patients_they_refer_to(hospital: Fake, tmp_path: Path) -> None:
    found = fetch(hospital, tmp_path)
    assert (found.pages, found.new, found.known) == (3, 6, 0)
    assert notes(found) == [f"Text {number}." for number in range(5)]


def test_the_search_names_days_page_and_order(hospital: Fake, tmp_path: Path) -> None:
    fetch(hospital, tmp_path, until=date(2024, 2, 29), page=7)
    query = parse_qs(urlsplit(hospital.asked[1]).query)
    assert query == {
        "_lastUpdated": ["ge2024-01-01", "lt2024-03-01"],
        "_count": ["7"],
        "_sort": ["_lastUpdated"],
    }


def test_a_search_by_date_asks_for_the_resources_own(hospital: Fake, tmp_path: Path) -> None:
    fetch(hospital, tmp_path, kinds=("Condition", "Patient"), by="date")
    asked = [parse_qs(urlsplit(path).query) for path in hospital.asked[1:]]
    assert [next(iter(query)) for query in asked] == ["recorded-date", "_lastUpdated"]


def test_fetching_again_writes_nothing_and_a_later_version_counts(hospital: Fake, tmp_path: Path, document) -> None:
    fetch(hospital, tmp_path)
    files = sorted(tmp_path.rglob("*.ndjson"))
    again = fetch(hospital, tmp_path)
    assert (again.new, again.known, sorted(tmp_path.rglob("*.ndjson"))) == (0, 5, files)

    for number, stamp in ((4, "2024-03-06T00:00:00.001Z"), (3, "2024-03-06T00:00:00Z")):
        changed = document(f"Later {number}.", id="d0", meta={"lastUpdated": stamp})
        hospital.resources["DocumentReference"][0] = changed
        fetch(hospital, tmp_path)
    assert notes(fetch(hospital, tmp_path))[0] == "Later 4."


def test_a_fetch_that_died_goes_on_at_its_page(hospital: Fake, tmp_path: Path) -> None:
    hospital.faults = [("_offset=2", "dropped")] * 3
    with pytest.raises(ServerError, match="does not answer"):
        fetch(hospital, tmp_path)
    hospital.asked.clear()
    found = fetch(hospital, tmp_path)
    assert [path for path in hospital.asked if "DocumentReference" in path] == [
        "/fhir/DocumentReference?_offset=2",
        "/fhir/DocumentReference?_offset=4",
    ]
    assert len(notes(found)) == 5


def test_a_page_that_the_server_forgot_is_searched_for_again(hospital: Fake, tmp_path: Path) -> None:
    hospital.faults = [("_offset=2", "dropped")] * 3
    with pytest.raises(ServerError):
        fetch(hospital, tmp_path)
    hospital.faults = [("_offset=2", (410, {}, b""))]
    assert len(notes(fetch(hospital, tmp_path))) == 5


def test_an_interrupted_search_of_other_days_is_finished_too(hospital: Fake, tmp_path: Path) -> None:
    hospital.faults = [("_offset=2", "dropped")] * 3
    with pytest.raises(ServerError):
        fetch(hospital, tmp_path)
    hospital.asked.clear()
    fetch(hospital, tmp_path, since=date(2024, 1, 2))
    assert "_offset=2" in hospital.asked[1]
    assert any("ge2024-01-02" in path for path in hospital.asked)


@pytest.mark.parametrize("fault", ["cut", "dropped", (429, {}, b""), (503, {}, b""), answer(b'{"resourceType": "B')])
def test_a_passing_fault_costs_nothing(hospital: Fake, tmp_path: Path, fault: Reply | str) -> None:
    hospital.faults = [("DocumentReference", fault), ("_offset=4", fault)]
    assert len(notes(fetch(hospital, tmp_path))) == 5


def test_a_server_says_how_long_to_wait(hospital: Fake, tmp_path: Path) -> None:
    pauses: list[float] = []
    hospital.faults = [("DocumentReference", (429, {"Retry-After": "7"}, b""))]
    hospital.faults += [("DocumentReference", (503, {"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}, b""))]
    fetch(hospital, tmp_path, pauses=pauses)
    assert pauses == [7.0, 0.02]


def test_a_server_that_wants_to_be_left_alone_for_long_is(hospital: Fake, tmp_path: Path) -> None:
    hospital.faults = [("DocumentReference", (429, {"Retry-After": "86400"}, b""))]
    with pytest.raises(ServerError, match="left alone for 86400 s"):
        fetch(hospital, tmp_path)


def test_links_that_go_round_in_a_circle_end(hospital: Fake, tmp_path: Path) -> None:
    hospital.next_of = lambda kind, _: f"{hospital.url}/{kind}?_offset=2"
    found = fetch(hospital, tmp_path)
    assert (found.pages, found.failed) == (1, 1)
    assert "round in a circle" in found.problems[0]


def test_links_that_are_always_new_and_bring_nothing_end(hospital: Fake, tmp_path: Path) -> None:
    numbers = iter(range(10**6))
    hospital.next_of = lambda kind, _: f"{hospital.url}/{kind}?_offset=2&n={next(numbers)}"
    found = fetch(hospital, tmp_path)
    assert found.failed == 1
    assert len(hospital.asked) < 70


@pytest.mark.parametrize("stranger", ["http://127.0.0.1:9/fhir/x", "https://127.0.0.1/fhir/x", "//other.example/x"])
def test_no_link_leads_to_another_server(hospital: Fake, tmp_path: Path, stranger: str) -> None:
    hospital.next_of = lambda *_: stranger
    with pytest.raises(ServerError, match="links to a page on another server"):
        fetch(hospital, tmp_path)


def test_a_relative_link_is_followed(hospital: Fake, tmp_path: Path) -> None:
    hospital.next_of = lambda _, usual: "?" + urlsplit(usual).query
    assert len(notes(fetch(hospital, tmp_path))) == 5


def test_redirects_are_not_followed(hospital: Fake, tmp_path: Path) -> None:
    hospital.faults = [("DocumentReference", (302, {"Location": f"{hospital.url}/Patient"}, b""))]
    with pytest.raises(ServerError, match="redirects to another address"):
        fetch(hospital, tmp_path)


@pytest.mark.parametrize(
    ("environment", "sent"),
    [
        ({"SCANOTE_FHIR_TOKEN": "s3cret"}, "Bearer s3cret"),
        ({"SCANOTE_FHIR_USER": "ann", "SCANOTE_FHIR_PASSWORD": "s3cret"}, "Basic YW5uOnMzY3JldA=="),
    ],
)
def test_credentials_come_from_the_environment(hospital: Fake, tmp_path: Path, environment, sent: str) -> None:
    fetch(hospital, tmp_path, environment=environment)
    assert {headers["Authorization"] for headers in hospital.headers} == {sent}
    assert not any("s3cret" in path.read_text() for path in tmp_path.rglob("*.json"))


@pytest.mark.parametrize("status", [401, 403])
def test_refused_access_says_what_to_set_and_no_secret(hospital: Fake, tmp_path: Path, status: int) -> None:
    hospital.faults = [("metadata", (status, {}, b""))]
    with pytest.raises(ServerError, match="SCANOTE_FHIR_TOKEN") as caught:
        fetch(hospital, tmp_path, environment={"SCANOTE_FHIR_TOKEN": "s3cret"})
    assert "s3cret" not in repr(caught.value)
    assert caught.value.__cause__ is None


def test_a_login_page_is_no_bundle(hospital: Fake, tmp_path: Path) -> None:
    hospital.faults = [("DocumentReference", answer(b"<html>login</html>", "text/html"))]
    found = fetch(hospital, tmp_path)
    assert "something else than FHIR JSON; check the base URL" in found.problems[0]


def test_a_kind_that_the_server_does_not_have_costs_only_itself(hospital: Fake, tmp_path: Path) -> None:
    hospital.faults = [("ServiceRequest", (404, {}, b""))]
    found = fetch(hospital, tmp_path, kinds=("ServiceRequest", "DocumentReference"))
    assert "sources.fhir.kinds" in found.problems[0]
    assert len(notes(found)) == 5


def test_a_huge_page_is_not_read_to_its_end(hospital: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fhir_connection, "MAX_ANSWER_BYTES", 10_000)
    hospital.faults = [("DocumentReference", answer(b" " * 100_000))]
    with pytest.raises(ServerError, match=r"sources\.fhir\.page"):
        fetch(hospital, tmp_path)


@pytest.mark.parametrize("version", ["5.0.0", "3.0.2", "1.0.2"])
def test_a_server_of_another_version_is_one_clear_line(hospital: Fake, tmp_path: Path, version: str) -> None:
    hospital.faults = [("metadata", answer({"resourceType": "CapabilityStatement", "fhirVersion": version}))]
    with pytest.raises(ServerError, match=f"speaks FHIR {version}; scanote reads R4"):
        fetch(hospital, tmp_path)


def test_an_answer_that_says_it_is_r5_is_refused(hospital: Fake, tmp_path: Path) -> None:
    hospital.faults = [
        ("DocumentReference", answer({"resourceType": "Bundle"}, "application/fhir+json; fhirVersion=5.0"))
    ]
    with pytest.raises(ServerError, match=r"version 5\.0; scanote reads R4"):
        fetch(hospital, tmp_path)


def test_a_server_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    connection = connect_fhir("http://127.0.0.1:9/fhir", environment={}, attempts=2, wait_s=0.0)
    with pytest.raises(ServerError, match=r"does not answer \(ConnectError, 2 attempts\)"):
        fetch_records(connection, tmp_path, key=KEY, kinds=("Patient",), since=SINCE)


def test_attached_texts_are_fetched_from_the_same_server_alone(hospital: Fake, tmp_path: Path, document) -> None:
    def attached(name: str, url: str) -> dict[str, Any]:
        return document(id=name, content=[{"attachment": {"contentType": "text/html; charset=utf-8", "url": url}}])

    page = "<p>Müde.</p><script>x</script>".encode()
    hospital.resources["DocumentReference"] = [
        attached("d1", "Binary/b1"),
        attached("d2", f"{hospital.url}/Binary/b2"),
        attached("d3", "http://127.0.0.1:9/fhir/Binary/b3"),
    ]
    hospital.single["Binary/b1"] = answer(page, "text/html")
    hospital.single["Binary/b2"] = answer(
        {"resourceType": "Binary", "id": "b2", "contentType": "text/html", "data": "PHA+RmV2ZXIuPC9wPg=="}
    )
    found = fetch(hospital, tmp_path)
    records = read_fhir([*found.folder.glob("*.ndjson"), found.folder / "manifest.json"])
    assert sorted(note.text for note in records.notes) == ["Fever.", "Müde."]
    assert ["not in this bundle or export" in line.detail for line in records.refused] == [True]
    assert not any("b3" in path for path in hospital.asked)


def test_what_is_referred_to_and_gone_is_counted(hospital: Fake, tmp_path: Path) -> None:
    hospital.resources["Patient"] = []
    assert fetch(hospital, tmp_path).absent == 1


def test_entries_without_a_usable_id_are_counted_and_name_no_file(hospital: Fake, tmp_path: Path, document) -> None:
    hospital.resources["DocumentReference"] = [document(id="../../etc"), document(id="d1"), {"resourceType": "X"}]
    hospital.per_page = 3
    found = fetch(hospital, tmp_path)
    assert (found.odd, len(notes(found))) == (2, 1)
    assert {path.suffix for path in tmp_path.rglob("*") if path.is_file()} == {".ndjson", ".json", ".lock"}


def test_names_on_the_disk_hold_no_id(hospital: Fake, tmp_path: Path) -> None:
    fetch(hospital, tmp_path)
    names = " ".join(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*"))
    assert not any(word in names for word in ("00123", "p1", "127.0.0.1", "Patient"))


@pytest.mark.parametrize("url", ["ehr", "ftp://x/y", "http://u:hunter2@ehr/fhir", "http://ehr/fhir?key=1", "http://[x"])
def test_a_wrong_url_is_one_line_without_its_password(url: str) -> None:
    with pytest.raises(InputError, match="SCANOTE_FHIR_TOKEN") as caught:
        connect_fhir(url, environment={})
    assert "hunter2" not in str(caught.value)
