from __future__ import annotations

import hashlib
import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from data_schemas.errors import InputError, ServerError
from pipelines.sources import arrivals, wado
from pipelines.sources.dicomweb import Fetched, fetch
from pipelines.sources.wado import Connection, check_url, connect

KEY = b"k" * 32
SINCE = date(2024, 1, 1)
ROOT = "1.2.826.0.1.3680043.8.498"
Tree = dict[str, dict[str, dict[str, bytes]]]


def instance(uid: str, *, series: str, study: str) -> bytes:
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, uid
    ds.PatientID, ds.PatientName = "SECRET007", "Muster^Erika"
    ds.StudyDate, ds.Modality = "20240301", "CT"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = study, series
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = CTImageStorage, uid
    stream = BytesIO()
    ds.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def studies(count: int = 2, series: int = 2, instances: int = 3) -> Tree:
    return {
        (study := f"{ROOT}.{s}"): {
            (uid := f"{study}.{e}"): {
                f"{uid}.{i}": instance(f"{uid}.{i}", series=uid, study=study) for i in range(instances)
            }
            for e in range(series)
        }
        for s in range(count)
    }


@dataclass
class Fake:
    """A DICOMweb server that answers as told: ``spoil`` may answer a request otherwise, once or always."""

    tree: Tree
    spoil: Callable[[str], tuple[int, dict[str, str], bytes] | None] = lambda _path: None
    paged: bool = True
    modalities: list[str] = field(default_factory=list)
    port: int = 0
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/dicom-web"

    def retrievals(self) -> list[str]:
        return [path for path in self.asked if "?" not in path and "/series/" in path and path.count("/series/") == 1]

    def answer(self, path: str, query: dict[str, list[str]]) -> tuple[int, dict[str, str], bytes]:
        parts = path.removeprefix("/dicom-web/").split("/")
        if "limit" in query:
            return self.rows(parts, query)
        study, series = parts[1], parts[3]
        found = self.tree[study][series]
        if len(parts) == 6:
            found = {parts[5]: found[parts[5]]}
        return multipart(list(found.values()))

    def rows(self, parts: list[str], query: dict[str, list[str]]) -> tuple[int, dict[str, str], bytes]:
        if parts[-1] == "studies":
            rows = [
                {"0020000D": {"vr": "UI", "Value": [uid]}, "00080061": {"vr": "CS", "Value": self.modalities}}
                for uid in self.tree
            ]
        elif parts[-1] == "series":
            rows = [
                {"0020000E": {"vr": "UI", "Value": [uid]}, "00080060": {"vr": "CS", "Value": ["CT"]}}
                for uid in self.tree[parts[1]]
            ]
        else:
            rows = [{"00080018": {"vr": "UI", "Value": [uid]}} for uid in self.tree[parts[1]][parts[3]]]
        if self.paged:
            offset, limit = int(query["offset"][0]), int(query["limit"][0])
            rows = rows[offset : offset + limit]
        if not rows:
            return 204, {}, b""
        return 200, {"Content-Type": "application/dicom+json"}, json.dumps(rows).encode()


def multipart(files: list[bytes], *, end: bytes = b"--") -> tuple[int, dict[str, str], bytes]:
    body = b"".join(b"\r\n--b0\r\nContent-Type: application/dicom\r\n\r\n" + data for data in files)
    return 200, {"Content-Type": 'multipart/related; type="application/dicom"; boundary=b0'}, body + b"\r\n--b0" + end


@pytest.fixture
def fake() -> Iterator[Fake]:
    made = Fake(studies())

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            made.asked.append(self.path)
            made.headers.append(dict(self.headers))
            parts = urlsplit(self.path)
            status, headers, body = made.spoil(self.path) or made.answer(parts.path, parse_qs(parts.query))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", headers.get("X-Length", str(len(body))))
            self.end_headers()
            self.wfile.write(body)
            if "X-Length" in headers:
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def run(fake: Fake, tmp_path: Path) -> Callable[..., Fetched]:
    def run(**options: Any) -> Fetched:
        connection = connect(fake.url, environment={}, attempts=options.pop("attempts", 3), wait_s=0.001)
        return fetch(connection, tmp_path / "incoming", key=KEY, since=SINCE, **options)

    return run


def digests(folder: Path) -> list[str]:
    return sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*.dcm"))


def all_of(tree: Tree) -> list[str]:
    return sorted(
        hashlib.sha256(data).hexdigest() for study in tree.values() for s in study.values() for data in s.values()
    )


def once(pattern: str, answer: tuple[int, dict[str, str], bytes]) -> Callable[[str], Any]:
    left = [answer]
    return lambda path: left.pop() if pattern in path and left else None


def always(pattern: str, answer: tuple[int, dict[str, str], bytes]) -> Callable[[str], Any]:
    return lambda path: answer if pattern in path else None


def test_every_series_is_fetched_byte_for_byte(run: Callable[..., Fetched], fake: Fake) -> None:
    done = run(modalities=["CT"])

    assert (done.studies, done.new, done.known, done.failed, done.instances) == (2, 4, 0, 0, 12)
    assert digests(done.folder) == all_of(fake.tree)
    assert "StudyDate=20240101-" in fake.asked[0]


def test_studies_without_the_modality_are_not_asked_for_their_series(run: Callable[..., Fetched], fake: Fake) -> None:
    fake.modalities = ["MR", "SR"]
    done = run(modalities=["CT"])

    assert done == Fetched(folder=done.folder)
    assert not [path for path in fake.asked if "/series?" in path]
    assert run(modalities=["MR", "CT"]).studies == 2


def test_a_study_of_a_forgotten_patient_is_not_asked_for(run: Callable[..., Fetched], fake: Fake) -> None:
    first, second = sorted(fake.tree)
    done = run(skip={arrivals.study_name(KEY, first)})
    assert (done.studies, done.new) == (1, len(fake.tree[second]))
    assert not any(f"/studies/{first}" in path for path in fake.asked)


def test_what_is_there_is_not_fetched_again(run: Callable[..., Fetched], fake: Fake) -> None:
    run()
    fake.asked.clear()
    done = run()

    assert (done.new, done.known, done.instances) == (0, 4, 0)
    assert fake.retrievals() == []


def test_a_late_series_is_fetched_and_the_others_are_not(run: Callable[..., Fetched], fake: Fake) -> None:
    run()
    study = next(iter(fake.tree))
    fake.tree[study]["9.9"] = {"9.9.1": instance("9.9.1", series="9.9", study=study)}
    done = run()

    assert (done.new, done.known, done.instances) == (1, 4, 1)


def test_late_instances_come_as_a_batch_of_their_own(run: Callable[..., Fetched], fake: Fake) -> None:
    first = run()
    before = {path: path.read_bytes() for path in first.folder.rglob("*.dcm")}
    study, series = next((study, uid) for study in fake.tree for uid in fake.tree[study])
    for uid in (f"{series}.7", f"{series}.8"):
        fake.tree[study][series][uid] = instance(uid, series=series, study=study)
    done = run()

    assert (done.new, done.grown, done.known, done.instances) == (0, 1, 3, 2)
    after = {path: path.read_bytes() for path in first.folder.rglob("*.dcm")}
    assert before.items() <= after.items()
    assert len({path.parent for path in after}) == 5
    assert digests(done.folder) == all_of(fake.tree)


def test_what_is_no_longer_on_the_server_stays_and_is_counted(run: Callable[..., Fetched], fake: Fake) -> None:
    first = run()
    study, series = next((study, uid) for study in fake.tree for uid in fake.tree[study])
    fake.tree[study][series].pop(f"{series}.0")
    done = run()

    assert (done.gone, done.known) == (1, 4)
    assert len(digests(first.folder)) == 12


@pytest.mark.parametrize("page", [1, 2, 5])
def test_results_are_read_page_by_page(run: Callable[..., Fetched], fake: Fake, page: int) -> None:
    fake.tree = studies(5, 1, 4)

    assert run(page=page).instances == 20
    assert sum("/studies?" in path for path in fake.asked) == -(-5 // page) + 1


def test_a_server_that_knows_no_pages_gives_all_at_once(run: Callable[..., Fetched], fake: Fake) -> None:
    fake.paged = False

    assert run(page=100).instances == 12


def test_a_server_that_repeats_its_first_page_is_refused(run: Callable[..., Fetched], fake: Fake) -> None:
    fake.paged = False
    with pytest.raises(ServerError, match="same page of results again"):
        run(page=2)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
@pytest.mark.parametrize("pattern", ["/studies?", "/instances?", ".0.0"])
def test_a_server_in_trouble_is_asked_again(run: Callable[..., Fetched], fake: Fake, status: int, pattern: str) -> None:
    fake.spoil = once(pattern, (status, {}, b"busy"))

    assert run().instances == 12


def test_an_answer_that_breaks_off_is_asked_for_again(run: Callable[..., Fetched], fake: Fake) -> None:
    status, headers, body = multipart([b"x" * 1000])
    spoilt = (status, headers | {"X-Length": "5000"}, body)
    fake.spoil = lambda path: spoilt if fake.retrievals() and fake.asked.count(path) == 1 else None

    done = run()
    assert (done.instances, done.failed) == (12, 0)
    assert digests(done.folder) == all_of(fake.tree)


@pytest.mark.parametrize(
    "spoilt",
    [
        (404, {}, b"gone"),
        (500, {}, b"trouble"),
        (200, {"Content-Type": "text/html"}, b"<html>"),
        (200, {"Content-Type": "multipart/related"}, b""),
        multipart([b"x" * 1000]),
        multipart([instance("1.2.3", series="1", study="2")], end=b""),
        multipart([]),
        multipart([instance("1.2.3", series="1", study="2")]),
    ],
    ids=["404", "500", "html", "no boundary", "no DICOM", "cut", "nothing", "another instance"],
)
def test_a_series_that_cannot_be_had_keeps_no_other_waiting(
    run: Callable[..., Fetched], fake: Fake, spoilt: tuple[int, dict[str, str], bytes]
) -> None:
    bad = f"{ROOT}.0.1"
    fake.spoil = lambda path: spoilt if f"/series/{bad}" in path and "?" not in path else None
    done = run()

    assert (done.new, done.failed, done.instances) == (3, 1, 9)
    assert len({path.parent.parent for path in done.folder.rglob("*.dcm")}) == 3
    fake.spoil = lambda _path: None
    assert run().new == 1
    assert set(all_of(fake.tree)) <= set(digests(done.folder))


def test_only_what_is_missing_is_fetched_when_it_goes_on(run: Callable[..., Fetched], fake: Fake) -> None:
    fake.tree = studies(1, 1, 3)
    ((series, held),) = next(iter(fake.tree.values())).items()
    first, *_, last = held
    partial = multipart([data for uid, data in held.items() if uid != last])
    fake.spoil = lambda path: (
        partial if path.endswith(f"/series/{series}") else (500, {}, b"") if path.endswith(last) else None
    )
    assert run().failed == 1
    assert digests(fake_ready := run().folder) == []
    fake.asked.clear()
    fake.spoil = lambda _path: None
    done = run()

    assert [path.rpartition("/")[2] for path in fake.retrievals()] == [last]
    assert (done.new, len(digests(fake_ready))) == (1, 3)
    assert first not in "".join(fake.retrievals())


def test_a_dead_server_is_one_line_and_worth_a_retry(run: Callable[..., Fetched], tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="does not answer") as caught:
        fetch(
            connect("http://127.0.0.1:9/dicom-web", environment={}, attempts=2, wait_s=0.001),
            tmp_path,
            key=KEY,
            since=SINCE,
        )
    assert "2 attempts" in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_server_that_fails_series_after_series_is_given_up(run: Callable[..., Fetched], fake: Fake) -> None:
    fake.tree = studies(6, 1, 1)
    fake.spoil = lambda path: (500, {}, b"") if "?" not in path else None
    with pytest.raises(ServerError, match="3 series in a row"):
        run(attempts=1)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ((401, {}, b""), "refuses access (status 401); set SCANOTE_DICOMWEB_TOKEN"),
        ((403, {}, b""), "refuses access (status 403)"),
        ((404, {}, b""), "answers with status 404"),
        ((302, {"Location": "http://127.0.0.1:1/elsewhere"}, b""), "redirects to another address"),
        ((200, {"Content-Type": "text/html"}, b"<html>"), "something else than DICOM JSON"),
        ((200, {"Content-Type": "application/json"}, b'["text"]'), "something else than DICOM JSON"),
        ((200, {"Content-Type": "application/json"}, b"[" * 100_000), "something else than DICOM JSON"),
    ],
)
def test_an_odd_answer_to_the_first_question_is_one_line(
    run: Callable[..., Fetched], fake: Fake, answer: tuple[int, dict[str, str], bytes], told: str
) -> None:
    fake.spoil = always("/studies?", answer)
    with pytest.raises(ServerError) as caught:
        run()

    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_answer_without_end_is_refused(
    run: Callable[..., Fetched], fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wado, "MAX_ANSWER_BYTES", 1000)
    fake.spoil = always("/studies?", (200, {"Content-Type": "application/json"}, b" " * 2000))
    with pytest.raises(ServerError, match="beyond 1000 bytes"):
        run()


def test_an_instance_without_end_is_refused(
    run: Callable[..., Fetched], fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wado, "MAX_INSTANCE_BYTES", 100)
    fake.tree = studies(1, 1, 1)

    assert run().failed == 1


@pytest.mark.parametrize("uid", ["../../../evil", "1/2", "", "..", "a b", "1.2?x=1", "%2e%2e", "x" * 65, 7, None])
def test_a_hostile_uid_in_an_answer_is_counted_and_never_used(
    run: Callable[..., Fetched], fake: Fake, tmp_path: Path, uid: object
) -> None:
    row = {"0020000D": {"vr": "UI", "Value": [uid]}}
    fake.tree = {}
    fake.spoil = once("/studies?", (200, {"Content-Type": "application/json"}, json.dumps([row]).encode()))
    done = run()

    assert done.studies == 0
    assert done.odd == 1
    assert not [path for path in fake.asked if "?" not in path]
    assert {path.name for path in tmp_path.iterdir()} == {"incoming"}


def test_a_hostile_uid_in_a_file_is_never_part_of_a_path(
    run: Callable[..., Fetched], fake: Fake, tmp_path: Path
) -> None:
    ds = pydicom.dcmread(BytesIO(instance("1.2.3", series="1", study="2")))
    data = bytearray(instance("1.2.3.4.5.6.7", series="1", study="2"))
    at = data.index(b"1.2.3.4.5.6.7")
    data[at : at + 13] = b"../../../evil"
    fake.spoil = lambda path: multipart([bytes(data)]) if "?" not in path else None
    with suppress(ServerError):
        run(attempts=1)

    assert ds.SOPInstanceUID == "1.2.3"
    assert {path.name for path in tmp_path.iterdir()} == {"incoming"}
    assert not list(tmp_path.rglob("*evil*"))


def test_names_logs_and_messages_tell_nothing_of_a_patient(
    run: Callable[..., Fetched], fake: Fake, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        run()
        fake.tree = studies(6, 1, 1)
        fake.spoil = lambda path: (500, {"Warning": f'299 "{ROOT}"'}, b"SECRET007") if "?" not in path else None
        with pytest.raises(ServerError) as caught:
            run(attempts=1)
    told = caplog.text + str(caught.value) + "\n".join(map(str, tmp_path.rglob("*")))

    assert not [secret for secret in (ROOT, "SECRET007", "Muster", "20240301") if secret in told]


def test_a_token_is_sent_and_shown_nowhere(fake: Fake, tmp_path: Path) -> None:
    connection = connect(fake.url, environment={"SCANOTE_DICOMWEB_TOKEN": "hunter2"})
    assert "hunter2" not in repr(connection)
    fetch(connection, tmp_path, key=KEY, since=SINCE)

    assert {headers["Authorization"] for headers in fake.headers} == {"Bearer hunter2"}


def test_user_and_password_are_sent_in_utf_8(fake: Fake, tmp_path: Path) -> None:
    environment = {"SCANOTE_DICOMWEB_USER": "jürgen", "SCANOTE_DICOMWEB_PASSWORD": "пароль"}
    fetch(connect(fake.url, environment=environment), tmp_path, key=KEY, since=SINCE)
    import base64

    sent = fake.headers[0]["Authorization"].removeprefix("Basic ")
    assert base64.b64decode(sent).decode() == "jürgen:пароль"


@pytest.mark.parametrize(
    "url", ["", "pacs", "ftp://pacs/x", "http://user:pw@pacs/x", "http://pacs/x?token=1", "http://pacs:x/", "http://"]
)
def test_a_url_that_cannot_be_used_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(InputError, match="the DICOMweb URL must be like") as caught:
        check_url(url)

    assert "pw" not in str(caught.value)


def test_one_workspace_is_fetched_for_by_one_process(fake: Fake, run: Callable[..., Fetched], tmp_path: Path) -> None:
    caught: list[BaseException] = []

    def also() -> None:
        try:
            run()
        except ServerError as error:
            caught.append(error)

    def spoil(_path: str) -> None:
        if not caught:
            fake.spoil = lambda _path: None
            thread = threading.Thread(target=also)
            thread.start()
            thread.join()

    fake.spoil = spoil
    run()

    assert "another process is fetching" in str(caught[0])


def test_a_single_file_may_be_the_answer(fake: Fake, run: Callable[..., Fetched]) -> None:
    fake.tree = studies(1, 1, 1)
    ((data,),) = [tuple(held.values()) for found in fake.tree.values() for held in found.values()]
    fake.spoil = lambda path: (200, {"Content-Type": "application/dicom"}, data) if "?" not in path else None

    assert run().instances == 1


def test_a_connection_shows_no_session(fake: Fake) -> None:
    assert repr(connect(fake.url, environment={})) == f"Connection(url='{fake.url}', attempts=5, wait_s=1.0)"
    assert isinstance(connect(fake.url, environment={}), Connection)
