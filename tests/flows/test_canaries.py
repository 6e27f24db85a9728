"""Marked identifiers in every field of a hospital's files, and none but where patients' data belongs."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import flows.diagnose
from data_schemas.case import Case
from flows.coded import StepError
from flows.diagnose import diagnose_flow
from flows.ingest import ingest_flow
from pipelines.delivery.release import release
from pipelines.diagnosis import batch as batch_module
from pipelines.synthetic.canaries.plant import Canaries, plant_canaries
from pipelines.synthetic.canaries.search import find_canaries, search_folder
from pipelines.synthetic.truth import Dials
from pipelines.synthetic.write import Hospital, write_hospital
from pipelines.workspace.paths import Workspace

pytestmark = pytest.mark.usefixtures("prefect_api")
PATIENTS = 3


@pytest.fixture
def heard() -> Iterator[Callable[[], bytes]]:
    """Every log record of every library from DEBUG up, with its traceback."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setLevel(logging.DEBUG)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lambda: stream.getvalue().encode()
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture
def planted(tmp_path: Path) -> tuple[Hospital, Canaries]:
    hospital = write_hospital(
        tmp_path / "hospital", patients=PATIENTS, seed=11, dials=Dials(reports=1.0), all_test=True
    )
    return hospital, plant_canaries(hospital.folder, seed=7)


def sources(canaries: Canaries) -> dict[str, Any]:
    tables = canaries.words["table folder"]
    return {
        "scans": ["../hospital/scans"],
        "notes": ["../hospital/records", f"../hospital/{tables}"],
        "observations": [f"../hospital/{canaries.words['observations table name']}.csv"],
        "labels": ["../hospital/labels.csv"],
    }


def private(workspace: Workspace) -> tuple[Path, ...]:
    """Where patients' data belongs: catalogue and ledger, case pages, headers that were read, settings' paths."""
    database = [workspace.root / f"scanote.db{ending}" for ending in ("", "-wal", "-shm")]
    pages = [path for path in workspace.pages.rglob("*.html") if path != workspace.pages / "index.html"]
    return (*database, *pages, workspace.manifest, workspace.incoming, workspace.root / "scanote.yaml")


@pytest.mark.slow
def test_a_batch_with_failures_tells_nobody_who_the_patients_are(
    champion: Callable[..., Workspace],
    planted: tuple[Hospital, Canaries],
    told: Callable[[], str],
    heard: Callable[[], bytes],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    hospital, canaries = planted
    assert canaries.kinds >= 50
    workspace = champion("w", sources=sources(canaries))
    ingest_flow(str(workspace.root))
    spoilt = _spoil(hospital)
    secret = next(word for kind, word in canaries.words.items() if kind.startswith("family name"))
    _break_one_case(monkeypatch, secret, spoilt)
    flows.diagnose._speaker.cache_clear()
    outcome = diagnose_flow(str(workspace.root)).outcome
    assert (outcome.diagnosed, outcome.failed, outcome.refused) == (PATIENTS - 2, 1, {"digest-changed": 1})
    errors = _failing_flows(workspace, secret)
    done = release(workspace, tmp_path / "released", actor="test")
    assert done.notes is not None
    assert done.notes.notes > 0
    out, err = capsys.readouterr()
    seen = [
        *search_folder(canaries.words, workspace.root, allowed=private(workspace)),
        *search_folder(canaries.identifying, tmp_path / "released"),
        *find_canaries(canaries.words, "Prefect", told().encode("latin-1", "replace")),
        *find_canaries(canaries.words, "logs", heard()),
        *find_canaries(canaries.words, "stdout", out.encode()),
        *find_canaries(canaries.words, "stderr", err.encode()),
        *find_canaries(canaries.words, "errors", errors.encode()),
    ]
    assert seen == []
    _check_pages(workspace, canaries)
    kept = {sighting.kind for sighting in search_folder(canaries.words, workspace.root)}
    assert {"patient id 0", "study uid 0", "note text", "csv note id", "tag AccessionNumber", "csv text"} <= kept


def test_a_plain_flow_tells_five_of_five(told: Callable[[], str]) -> None:
    import contextlib

    from prefect import flow, get_run_logger, task
    from prefect.artifacts import create_markdown_artifact

    words = {kind: f"KNRI{kind.upper()}ZZQQ" for kind in ("parameter", "name", "exception", "log", "artifact")}

    @task(name="read", task_run_name=f"read {words['name']}")
    def read(patient: str) -> None:
        get_run_logger().error("reading %s", words["log"])
        create_markdown_artifact(words["artifact"], key="plain")
        raise ValueError(words["exception"])

    @flow(name="plain")
    def plain(patient: str) -> None:
        read(patient)

    with contextlib.suppress(ValueError):
        plain(words["parameter"])
    seen = {sighting.kind for sighting in find_canaries(words, "Prefect", told().encode("latin-1", "replace"))}
    assert seen == set(words)


def _check_pages(workspace: Workspace, canaries: Canaries) -> None:
    """The title and the name of a page tell nothing; its body may."""
    pages = sorted(workspace.pages.rglob("*.html"))
    assert len(pages) >= PATIENTS - 2
    for page in pages:
        title = page.read_text(encoding="utf-8").partition("<title>")[2].partition("</title>")[0]
        assert title
        assert list(find_canaries(canaries.words, "title", title.encode())) == []


def _spoil(hospital: Hospital) -> Path:
    """Flip one bit of one stored slice, and say of which series."""
    path = sorted(hospital.scans.rglob("*.dcm"))[0]
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    return path.parent


def _break_one_case(monkeypatch: pytest.MonkeyPatch, secret: str, spoilt: Path) -> None:
    """The first sound case that is prepared fails, with a canary in the exception, its cause and its locals."""
    plain, sound = batch_module.prepare, iter(range(1000))

    def prepare(case: Case, *arguments: Any, **options: Any) -> Any:
        patient_name = secret  # a local that a traceback with values would show
        is_spoilt = case.scan is not None and Path(case.scan.files[0].path).parent == spoilt
        if not is_spoilt and next(sound) == 0:
            raise ValueError(f"{patient_name} is odd") from KeyError(patient_name)
        return plain(case, *arguments, **options)

    monkeypatch.setattr(batch_module, "prepare", prepare)


def _failing_flows(workspace: Workspace, secret: str) -> str:
    """What flows say of sources that are missing or broken, with everything that hangs on their exceptions."""
    path = workspace.root / "scanote.yaml"
    good = path.read_text(encoding="utf-8")
    broken = workspace.root.parent / f"{secret} broken.csv"
    broken.write_text(f"patient_id,datetime,{secret}\n{secret},x,y\n", encoding="utf-8")
    told = []
    for notes in (f"../{secret}/nowhere", f"../{broken.name}"):
        path.write_text(yaml.safe_dump(yaml.safe_load(good) | {"sources": {"notes": [notes]}}), encoding="utf-8")
        with pytest.raises(StepError) as caught:
            ingest_flow(str(workspace.root))
        told.append(_everything(caught.value))
    path.write_text(good, encoding="utf-8")
    return "\n".join(told)


def _everything(error: BaseException | None) -> str:
    import traceback

    assert error is not None
    return "".join(traceback.TracebackException.from_exception(error, capture_locals=False).format(chain=True))
