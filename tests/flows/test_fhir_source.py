"""A FHIR server from end to end: through `scanote ingest`, and through the scheduled flow, into the catalogue."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from data_schemas.errors import ServerError
from flows.ingest import _ingest
from pipelines.workspace import catalogue
from pipelines.workspace.paths import create_workspace

Scanote = Callable[..., Any]
HELD: dict[str, list[dict[str, Any]]] = {
    "Patient": [{"resourceType": "Patient", "id": "p1", "identifier": [{"system": "urn:mrn", "value": "007"}]}],
    "DocumentReference": [
        {
            "resourceType": "DocumentReference",
            "id": "d1",
            "status": "current",
            "subject": {"reference": "Patient/p1"},
            "date": "2024-03-05T10:00:00Z",
            "content": [{"attachment": {"contentType": "text/plain", "data": "Q291Z2gu"}}],
        }
    ],
}


@pytest.fixture
def server() -> Iterator[tuple[str, set[str]]]:
    """Its address, and the kinds that it is out of order for."""
    broken: set[str] = set()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, _, name = self.path.removeprefix("/fhir/").partition("?")[0].partition("/")
            entry = [{"resource": resource} for resource in HELD.get(kind, [])]
            content = json.dumps(HELD[kind][0] if name else {"resourceType": "Bundle", "entry": entry}).encode()
            self.send_response(500 if kind in broken else 200)
            self.send_header("Content-Type", "application/fhir+json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    held = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=held.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{held.server_port}/fhir", broken
    held.shutdown()
    thread.join()
    held.server_close()


@pytest.fixture(autouse=True)
def _without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)


def test_records_are_fetched_and_ingested_once(scanote: Scanote, server, tmp_path: Path) -> None:
    ask = ("ingest", "-w", tmp_path / "w", "--fhir", server[0], "--since", "2024-01-01", "--json")
    first, again = scanote(*ask), scanote(*ask)
    assert (first.code, again.code) == (0, 0)
    assert json.loads(first.out)["records"]["notes"] == {"added": 1, "known": 0}
    assert json.loads(again.out)["records"]["notes"] == {"added": 0, "known": 1}
    assert "fetched 2 resources on 8 pages; 0 known already" in first.err


def test_a_server_that_is_partly_out_of_order_is_exit_code_3_and_the_rest_is_ingested(
    scanote: Scanote, server, tmp_path: Path
) -> None:
    server[1].add("Observation")
    ran = scanote("ingest", "-w", tmp_path / "w", "--fhir", server[0], "--json")
    assert ran.code == 3
    assert json.loads(ran.out)["records"]["notes"]["added"] == 1
    assert "status 500" in ran.complaint
    assert "searching for Observation" in ran.complaint


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--fhir", "ehr"), "the FHIR URL must be like https://"),
        (("--fhir", "http://u:hunter2@ehr/fhir"), "SCANOTE_FHIR_TOKEN"),
        (("--fhir", "http://ehr/fhir", "--modality", "CT"), "--fhir, which has no modalities"),
        (("--fhir", "http://ehr/x", "--since", "2026-02-01", "--until", "2026-01-01"), "lies before the first one"),
    ],
)
def test_wrong_input_is_one_line(scanote: Scanote, tmp_path: Path, arguments: tuple[str, ...], told: str) -> None:
    ran = scanote("ingest", "-w", tmp_path / "w", *arguments)
    assert ran.code == 2
    assert told in ran.complaint
    assert "hunter2" not in ran.err


def test_the_scheduled_ingest_fetches_by_the_settings(server, tmp_path: Path) -> None:
    rules = {"sources": {"fhir": {"url": server[0], "kinds": ["DocumentReference"], "identifier_system": "urn:mrn"}}}
    held = create_workspace(tmp_path / "w", yaml.safe_dump(rules))
    assert _ingest(held)["notes"] == {"added": 1, "known": 0}
    server[1].add("DocumentReference")
    with pytest.raises(ServerError, match="status 500"):
        _ingest(held)
    with held.database() as engine:
        assert len(catalogue.notes(engine)) == 1
