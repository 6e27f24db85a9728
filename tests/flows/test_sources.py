"""Sources from end to end: archives and hostile trees through `scanote`, a server and a sender into the catalogue."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable
from copy import deepcopy
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom
import pytest

from flows.cli.app import main
from pipelines.cases.ingest import ingest, load_cases
from pipelines.synthetic.write import Hospital, write_hospital
from pipelines.workspace import ledger
from pipelines.workspace.paths import Workspace

SCANOTE = "from flows.cli.app import main; main()"
# Writes down every path that the process opens for writing, makes, moves, links or removes, by Python's own account.
AUDITED = """
import os, sys
out = os.open(sys.argv.pop(1), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
PATHS = {"os.mkdir": (0,), "os.rename": (0, 1), "os.link": (0, 1), "os.symlink": (0, 1), "os.remove": (0,),
         "os.rmdir": (0,), "os.truncate": (0,), "os.chmod": (0,), "os.chown": (0,), "shutil.rmtree": (0,),
         "shutil.copyfile": (1,), "shutil.move": (0, 1), "tempfile.mkstemp": (0,), "tempfile.mkdtemp": (0,),
         "sqlite3.connect": (0,)}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
def hook(event, arguments):
    if event == "open":
        path, mode, flags = arguments
        found = [path] if isinstance(flags, int) and flags & WRITES else []
    else:
        found = [arguments[at] for at in PATHS.get(event, ())]
    held = arguments[-1] if event in ("os.remove", "os.rmdir", "os.mkdir", "os.chmod") else -1
    for path in found:
        if isinstance(path, (str, bytes, os.PathLike)):
            if isinstance(held, int) and held >= 0:  # relative to a folder that is open
                path = os.path.join(os.readlink(f"/proc/self/fd/{held}"), os.fsdecode(path))
            os.write(out, os.path.realpath(os.fsdecode(path)).encode() + b"\\n")
sys.addaudithook(hook)
"""


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Hospital:
    return write_hospital(tmp_path_factory.mktemp("sources") / "hospital", patients=3, seed=11)


def command(*arguments: object, code: str = SCANOTE, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, timeout=120, **options
    )


def cli(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object
) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["scanote", *map(str, arguments)])
    code = 0
    try:
        main()
    except SystemExit as stop:
        code = int(stop.code or 0)
    return code, *capsys.readouterr()


def archive(folder: Path, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return Path(shutil.make_archive(str(path.with_suffix("")), "zip", folder))


def test_ingest_reads_an_archive_and_reads_it_once(
    scans: Hospital, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    packed = archive(scans.scans, tmp_path / "in" / "scans.zip")
    ask = ("ingest", "-w", tmp_path / "w", "--scans", packed, "--json")
    first = json.loads(cli(monkeypatch, capsys, *ask)[1])
    again = json.loads(cli(monkeypatch, capsys, *ask)[1])

    assert first["series"]["accepted"] == 3
    assert (first["records"]["scans"], again["records"]["scans"]) == (
        {"added": 3, "known": 0},
        {"added": 0, "known": 3},
    )
    assert len(list((tmp_path / "w" / "incoming" / "archives").iterdir())) == 1


def test_inspect_and_volume_read_an_archive_and_leave_nothing(
    scans: Hospital, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import nibabel

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    packed = archive(sorted(scans.scans.iterdir())[0], tmp_path / "one.zip")
    code, out, _ = cli(monkeypatch, capsys, "inspect", packed, "--json")
    assert (code, [item["status"] for item in json.loads(out)["series"]]) == (0, ["accepted"])
    assert cli(monkeypatch, capsys, "volume", packed, tmp_path / "out.nii")[0] == 0

    assert nibabel.load(tmp_path / "out.nii").shape == (64, 64, 40)
    assert {path.name for path in tmp_path.iterdir()} == {"one.zip", "out.nii"}


def test_a_damaged_archive_is_told_with_its_reason(
    scans: Hospital, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    packed = archive(scans.scans, tmp_path / "a.zip")
    packed.write_bytes(packed.read_bytes()[:-9000])
    code, _, err = cli(monkeypatch, capsys, "inspect", packed, "--strict")

    assert code == 1
    assert f"quarantined: truncated: {packed}: the archive ends before its own length fields say so" in err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("ingest",), "nothing to ingest: name --scans, --dicomweb"),
        (("ingest", "--since", "2026-01-01"), "name a server with --dicomweb"),
        (("ingest", "--dicomweb", "pacs"), "the DICOMweb URL must be like https://"),
        (("ingest", "--dicomweb", "http://u:hunter2@pacs/x"), "SCANOTE_DICOMWEB_TOKEN"),
        (
            ("ingest", "--dicomweb", "http://pacs/x", "--since", "2026-02-01", "--until", "2026-01-01"),
            "the last day lies before the first one",
        ),
        (("receive", "--host", "0.0.0.0"), "list who may send under sources.receiver.callers, or with --caller"),
        (("receive", "--aet", "a title that is too long"), "AE title"),
        (("receive", "--quiet", "0"), "--quiet"),
        (("inspect", "NOWHERE"), "NOWHERE: no such file or folder; check the path"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    told: str,
) -> None:
    monkeypatch.setenv("SCANOTE_WORKSPACE", str(tmp_path / "w"))
    code, _, err = cli(monkeypatch, capsys, *arguments)
    lines = [line for line in err.splitlines() if line.startswith("scanote: ")]

    assert code == 2
    assert len(lines) == 1
    assert told in lines[0]
    assert "hunter2" not in err


def test_a_dead_server_is_exit_code_3_and_the_rest_is_ingested(
    scans: Hospital, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    ask = ("ingest", "-w", tmp_path / "w", "--scans", scans.scans, "--dicomweb", "http://127.0.0.1:9/x", "--json")
    code, out, err = cli(monkeypatch, capsys, *ask)

    assert code == 3
    assert json.loads(out)["records"]["scans"] == {"added": 3, "known": 0}
    assert "scanote: http://127.0.0.1:9/x: does not answer (ConnectionError, 5 attempts); is it running?" in err


def hostile_tree(root: Path, scans: Path) -> None:
    """Good series among whatever tries to lead elsewhere: names, UIDs, archives, links, a DICOMDIR."""
    shutil.copytree(scans, root / "good")
    bad = root / "bad"
    bad.mkdir()
    for number, uid in enumerate(["../../../evil", "/tmp/evil", "..", "a" * 64]):
        ds = pydicom.dcmread(sorted(next(iter(sorted(scans.iterdir()))).iterdir())[number])
        for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
            ds[name]._value = uid
        ds["PatientID"]._value = f"../{uid}"
        ds.PatientName = "../../evil"
        ds.save_as(bad / f"{number} ..%2f..;evil")
    names = ["../../evil.dcm", "/tmp/evil.dcm", "..", "a/../../../../evil.dcm", "scanote.yaml", "key"]
    with zipfile.ZipFile(root / "evil.zip", "w") as made, tarfile.open(root / "evil.tar.gz", "w:gz") as tar:
        for name in names:
            made.writestr(name, b"evil")
            entry = tarfile.TarInfo(name)
            entry.size = 4
            tar.addfile(entry, BytesIO(b"evil"))
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
            link = tarfile.TarInfo("link")
            link.type, link.linkname = kind, "/etc"
            tar.addfile(link)
            inside = tarfile.TarInfo("link/evil")
            inside.size = 4
            tar.addfile(inside, BytesIO(b"evil"))
    outside = root.parent / "outside"
    outside.mkdir()
    (outside / "secret.dcm").write_bytes(b"secret")
    (root / "out").symlink_to(outside)
    (root / "file").symlink_to(outside / "secret.dcm")
    (root / "round").symlink_to(root)
    (root / "DICOMDIR").write_bytes(bytes(128) + b"DICM" + b"../../evil" * 40)
    (root / "scanote-stack.yaml").write_text("modality: MR\nfiles: ['../../evil.png']\n")


@pytest.mark.parametrize("verb", ["ingest", "inspect"])
def test_no_hostile_input_makes_a_write_outside_of_the_workspace(scans: Hospital, tmp_path: Path, verb: str) -> None:
    hostile_tree(tmp_path / "in", scans.scans)
    home, temporary = tmp_path / "workspace", tmp_path / "temporary"
    temporary.mkdir()
    before = {path for path in tmp_path.rglob("*") if not path.is_relative_to(home)}
    arguments = ["ingest", "-w", home, "--scans", tmp_path / "in"] if verb == "ingest" else ["inspect", tmp_path / "in"]
    log = tmp_path / "written"
    environment = os.environ | {"TMPDIR": str(temporary), "PYTHONDONTWRITEBYTECODE": "1"}
    done = command(log, *arguments, "--json", code=AUDITED + SCANOTE, env=environment)

    assert done.returncode == 0, done.stderr
    written = {Path(line) for line in log.read_text().splitlines()} - {log, Path("/dev/null"), Path("/dev/tty")}
    astray = {path for path in written if not path.is_relative_to(home) and not path.is_relative_to(temporary)}
    assert astray == set()
    assert written, "the hook sees nothing"
    after = {path for path in tmp_path.rglob("*") if not path.is_relative_to(home)} - {log}
    assert after == before
    content = json.loads(done.stdout)
    accepted = (
        content["series"]["accepted"]
        if verb == "ingest"
        else sum(item["status"] == "accepted" for item in content["series"])
    )
    assert accepted == 3


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(text: str, log: Path, seconds: float = 60) -> None:
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        if log.exists() and text in log.read_text():
            return
        time.sleep(0.05)
    pytest.fail(f"no '{text}' within {seconds:.0f} s\n{log.read_text()}")


def test_receive_ingests_what_is_sent_and_ends_in_order(scans: Hospital, tmp_path: Path) -> None:
    from pynetdicom import AE
    from pynetdicom.sop_class import CTImageStorage  # type: ignore[attr-defined]

    port, log = free_port(), tmp_path / "log"
    arguments = ["receive", "-w", tmp_path / "w", "--port", port, "--quiet", "0.5", "--ingest"]
    with log.open("w") as stream:
        process = subprocess.Popen([sys.executable, "-c", SCANOTE, *map(str, arguments)], stdout=stream, stderr=stream)
    try:
        wait_for(f"receiving on 127.0.0.1:{port} as SCANOTE", log)
        entity = AE(ae_title="SCANNER")
        entity.add_requested_context(CTImageStorage)
        link = entity.associate("127.0.0.1", port, ae_title="SCANOTE")
        for path in sorted(sorted(scans.scans.iterdir())[0].iterdir()):
            assert link.send_c_store(path).Status == 0
        link.release()
        wait_for("ingested: series 1 accepted, 0 quarantined", log)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.wait()
    told = log.read_text()
    assert "1 studies complete, 40 instances" in told
    assert "stopped: 40 instances received, 0 refused" in told
    ds = pydicom.dcmread(path)
    assert not [secret for secret in (str(ds.PatientID), ds.StudyInstanceUID, str(ds.PatientName)) if secret in told]


def current(workspace: Workspace) -> dict[str, str]:
    with workspace.database() as engine:
        return {item.study_key: item.key for item in ledger.diagnoses(engine, current_only=True)}


def diagnose(workspace: Workspace) -> None:
    from flows.cli.batch import run_batch

    run_batch(workspace)


def grown(folder: Path, out: Path) -> None:
    """The same series with two more slices below, as a scanner sends them late."""
    out.mkdir(parents=True)
    slices = sorted((pydicom.dcmread(path) for path in folder.iterdir()), key=lambda ds: ds.ImagePositionPatient[2])
    step = float(slices[1].ImagePositionPatient[2] - slices[0].ImagePositionPatient[2])
    for number in (1, 2):
        ds = deepcopy(slices[0])
        x, y, z = map(float, ds.ImagePositionPatient)
        ds.ImagePositionPatient = [x, y, f"{z - number * step:.6g}"]
        ds.SOPInstanceUID = f"{slices[0].SOPInstanceUID[:50]}.{number}"
        ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
        ds.InstanceNumber = str(1000 + number)
        ds.save_as(out / f"late{number}.dcm", enforce_file_format=True)


def test_late_instances_make_a_received_study_new_again(champion: Callable[..., Workspace], hospital: Hospital) -> None:
    from pipelines.sources.inbox import Inbox

    workspace = champion()
    inbox = Inbox(workspace.incoming, workspace.key)
    inbox.prepare()
    folder = sorted(hospital.scans.iterdir())[0]

    def send(files: Path) -> None:
        for path in sorted(files.iterdir()):
            ds = pydicom.dcmread(path, stop_before_pixels=True)
            inbox.take(ds.StudyInstanceUID, ds.SOPInstanceUID, b"", path.read_bytes())
        inbox.settle(quiet_s=0)
        ingest(workspace, scans=[inbox.ready], notes=[hospital.records])
        diagnose(workspace)

    send(folder)
    before = current(workspace)
    grown(folder, hospital.scans / "late")
    send(hospital.scans / "late")

    assert len(load_cases(workspace).cases) == 1
    assert load_cases(workspace).cases[0].scan is not None
    assert load_cases(workspace).cases[0].scan.geometry.shape[0] == 42  # type: ignore[union-attr]
    after = current(workspace)
    assert before.keys() == after.keys()
    assert before != after


@pytest.mark.services
def test_the_scheduled_ingest_fetches_and_a_late_part_supersedes_a_diagnosis(
    champion: Callable[..., Workspace], hospital: Hospital, orthanc: Any, prefect_api: None, tmp_path: Path
) -> None:
    from flows.coded import StepError
    from flows.ingest import ingest_flow

    sources = {
        "notes": [str(hospital.records)],
        "dicomweb": {"url": orthanc.url, "days": (date.today().year - 1990) * 366},
    }
    workspace = champion(sources=sources)
    orthanc.store(hospital.scans)
    assert ingest_flow(str(workspace.root))["scans"] == {"added": 6, "known": 0}
    diagnose(workspace)
    before = current(workspace)
    assert len(before) == 6

    grown(sorted(hospital.scans.iterdir())[0], tmp_path / "late")
    orthanc.store(tmp_path / "late")
    assert ingest_flow(str(workspace.root))["scans"] == {"added": 1, "known": 5}
    diagnose(workspace)
    after = current(workspace)
    assert before.keys() == after.keys()
    assert len(before.items() - after.items()) == 1

    orthanc.kill()
    with pytest.raises(StepError, match="does not answer"):
        ingest_flow(str(workspace.root))
    assert current(workspace) == after


@pytest.mark.services
def test_the_command_line_fetches_from_a_server(
    scans: Hospital, orthanc: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    orthanc.store(scans.scans)
    ask = ("ingest", "-w", tmp_path / "w", "--dicomweb", orthanc.url, "--since", "1990-01-01", "--modality", "CT")
    code, out, err = cli(monkeypatch, capsys, *ask)
    assert code == 0
    assert "series: 3 accepted, 0 quarantined" in out
    assert "fetched 120 instances of 3 studies: 3 series new, 0 grown, 0 known already" in err
    code, _, err = cli(monkeypatch, capsys, *ask)
    assert "fetched 0 instances of 3 studies: 0 series new, 0 grown, 3 known already" in err
