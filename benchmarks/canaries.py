"""Canaries: a whole story on a hospital whose every field holds a marked word, and where those words are seen after it.

Ingest, cohort, training, promotion, a batch with failures, pages and a release run as flows under Prefect's ephemeral
API and as verbs of the command line, with all logging at DEBUG. Then the bytes of every store are searched: MLflow's
database and artefacts, Prefect's database, logs, stdout, the texts of exceptions with what they chain, caches, the
worklist, titles and names of pages, the model, the ledger's own columns, the release.

Where canaries may be: the column *record* of catalogue and ledger and the *code* of an observation, the manifest of
headers (`cache/headers.db`), the bodies of case pages, and the paths in `scanote.yaml`. A release may hold the words of
notes that identify nobody. stderr of `scanote ingest` at a terminal names the files it refuses, and is not searched.

    .venv/bin/python benchmarks/canaries.py
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import logging
import sqlite3
import subprocess
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

from data_schemas.recipes import FusionRecipe, ModelRecipe, ScanRecipe, TrainingRecipe
from pipelines.synthetic.canaries.plant import Canaries, plant_canaries
from pipelines.synthetic.canaries.search import Sighting, find_canaries, search_folder
from pipelines.synthetic.truth import Dials
from pipelines.synthetic.write import Hospital, write_hospital
from pipelines.workspace.paths import Workspace, create_workspace

FEWEST_KINDS, SEED = 50, 11
IN_MEMORY = (("train", 30), ("validation", 12), ("test", 18))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=6, help="that go the whole way through files")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="scanote-story-") as folder:
        return story(Path(folder), given.patients)


def story(folder: Path, patients: int) -> int:
    dials = Dials(reports=1.0, future_notes=0.5)
    hospital = write_hospital(folder / "hospital", patients=patients, seed=SEED, dials=dials, all_test=True)
    canaries = plant_canaries(hospital.folder, seed=7)
    workspace = create_workspace(folder / "workspace", settings_text(canaries))
    out, err, log = io.StringIO(), io.StringIO(), io.StringIO()
    with everything_heard(log), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        errors = run(workspace, hospital, canaries)
        released = folder / "released"
        told = command("export", "-w", workspace.root, "--release", released, "--json")
        told += command("ingest", "-w", workspace.root, "--labels", hospital.labels, "--json")
        told += command("cohort", "-w", workspace.root, "--json")
    seen: dict[str, list[Sighting]] = {
        "workspace: MLflow, Prefect, artefacts, caches, worklist, results, names": list(
            search_folder(canaries.words, workspace.root, allowed=private(workspace))
        ),
        "catalogue and ledger, all columns but record": list(columns(canaries.words, workspace.root / "scanote.db")),
        "titles of pages": [
            sighting
            for page in sorted(workspace.pages.rglob("*.html"))
            for sighting in find_canaries(canaries.words, page.name, title_of(page).encode())
        ],
        "release": list(search_folder(canaries.identifying, released)),
        "log at DEBUG": list(find_canaries(canaries.words, "log", log.getvalue().encode())),
        "stdout and stderr of the flows": list(
            find_canaries(canaries.words, "output", (out.getvalue() + err.getvalue()).encode())
        ),
        "stdout of the verbs": list(find_canaries(canaries.words, "verbs", told.encode())),
        "exceptions and what they chain": list(find_canaries(canaries.words, "exceptions", errors.encode())),
    }
    kept = {sighting.kind for sighting in search_folder(canaries.words, workspace.root)}
    print(
        f"{canaries.kinds} kinds of canary in {patients} patients' files; {len(kept)} kinds seen where they belong.\n"
    )
    print("| store | canaries seen |\n| --- | ---: |")
    for name, sightings in seen.items():
        print(f"| {name} | {len(sightings)} |")
    leaks = control(workspace)
    print(f"\nA plain Prefect flow with five values: {leaks} of 5 seen in Prefect's database.")
    for (kind, where, form), count in Counter((s.kind, s.where, s.form) for x in seen.values() for s in x).items():
        print(f"    {count} {kind} in {where} as {form}")
    return int(any(seen.values()) or canaries.kinds < FEWEST_KINDS or leaks < 5 or not kept)


def run(workspace: Workspace, hospital: Hospital, canaries: Canaries) -> str:
    """The story as flows; what its failures said comes back."""
    from flows.prefect_settings import use_prefect

    use_prefect(workspace, verbose=True)
    from flows.diagnose import diagnose_flow
    from flows.ingest import ingest_flow
    from flows.retrain import retrain_flow
    from pipelines.diagnosis import batch
    from pipelines.review.promote import promote
    from pipelines.review.retrain import retrain
    from pipelines.sources.tables import read_splits
    from pipelines.synthetic.memory import synthetic_examples

    root, errors = str(workspace.root), []
    secret = canaries.words["family name 0"]
    ingest_flow(root)
    with failing(errors, must=False):  # few patients are a small cohort, or none at all
        retrain_flow(root)
    recipe = workspace.settings.model
    extra = list(synthetic_examples(IN_MEMORY, seed=5, recipe=recipe, first_number=1000))
    trained = retrain(workspace, extra=extra, splits=read_splits(hospital.splits))
    version = trained.registered.version
    promote(workspace, task=recipe.task, selector=version, reviewer="R", reason="first", actor="benchmark")
    spoil(hospital)
    plain, calls = batch.prepare, iter(range(1000))

    def prepare(*arguments: object, **options: object) -> object:
        patient_name = secret
        if next(calls) == 1:
            raise ValueError(f"{patient_name} is odd") from KeyError(patient_name)
        return plain(*arguments, **options)

    batch.prepare = prepare
    diagnose_flow(root)
    batch.prepare = plain
    diagnose_flow(root)
    settings = workspace.root / "scanote.yaml"
    good = settings.read_text(encoding="utf-8")
    for broken in broken_sources(workspace, secret):
        settings.write_text(yaml.safe_dump(yaml.safe_load(good) | {"sources": broken}), encoding="utf-8")
        with failing(errors, must=False):  # a file that is set aside fails nothing
            ingest_flow(root)
    settings.write_text(good, encoding="utf-8")
    with failing(errors):
        diagnose_flow(root, model="no such model")
    return "\n".join(errors)


def broken_sources(workspace: Workspace, secret: str) -> list[dict[str, list[str]]]:
    """Sources that cannot be used, each of which names a canary."""
    beside = workspace.root.parent
    (beside / f"{secret}.csv").write_text(f"patient_id,datetime,{secret}\n{secret},x,y\n", encoding="utf-8")
    (beside / f"{secret}.json").write_text(f'{{"resourceType": "{secret}", ', encoding="utf-8")
    (beside / f"{secret}.parquet").write_bytes(f"PAR1{secret}".encode())
    return [{"notes": [f"../{secret}{ending}"]} for ending in (".csv", ".json", ".parquet", "/nowhere")]


def settings_text(canaries: Canaries) -> str:
    recipe = ModelRecipe(
        findings=("pleural-effusion", "heart-failure"),
        scan=ScanRecipe(shape=(16, 16, 16), spacing_mm=(20.0, 20.0, 20.0), width=0.25),
        fusion=FusionRecipe(width=16, heads=2, layers=1),
        training=TrainingRecipe(scan_epochs=1, epochs=2, bootstrap=20),
    )
    sources = {
        "scans": ["../hospital/scans"],
        "notes": ["../hospital/records", f"../hospital/{canaries.words['table folder']}"],
        "observations": [f"../hospital/{canaries.words['observations table name']}.csv"],
        "labels": ["../hospital/labels.csv"],
        "splits": "../hospital/splits.csv",
    }
    tree = {
        "model": recipe.model_dump(mode="json"),
        "sources": sources,
        "diagnosis": {"chunk": 2, "device": "cpu"},
        "leakage": {"allow": ["label-words", "metadata", "future-input", "label-source", "duplicate-text"]},
    }
    return yaml.safe_dump(tree)


def private(workspace: Workspace) -> tuple[Path, ...]:
    database = [workspace.root / f"scanote.db{ending}" for ending in ("", "-wal", "-shm")]
    bodies = [path for path in workspace.pages.rglob("*.html") if path.name != "index.html"]
    return (*database, *bodies, workspace.manifest, workspace.incoming, workspace.root / "scanote.yaml")


def columns(words: Mapping[str, str], database: Path) -> Iterator[Sighting]:
    """Canaries in any column but *record* of any table; the code of an observation is one of the catalogue's own."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            names = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]
            for name in set(names) - {"record"} - ({"code"} if table == "observation" else set()):
                rows = connection.execute(f'SELECT "{name}" FROM "{table}"').fetchall()
                yield from find_canaries(words, f"{table}.{name}", "\n".join(str(row[0]) for row in rows).encode())


def title_of(page: Path) -> str:
    return page.read_text(encoding="utf-8").partition("<title>")[2].partition("</title>")[0]


def spoil(hospital: Hospital) -> None:
    """One bit of one slice flips, and another file is cut."""
    first, *_, last = sorted(hospital.scans.rglob("*.dcm"))
    content = bytearray(first.read_bytes())
    content[-1] ^= 1
    first.write_bytes(content)
    last.write_bytes(last.read_bytes()[:-100])


@contextlib.contextmanager
def failing(errors: list[str], *, must: bool = True) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        errors.append("".join(traceback.TracebackException.from_exception(error).format(chain=True)))
    else:
        if must:
            raise RuntimeError("this was to fail")


@contextlib.contextmanager
def everything_heard(stream: io.StringIO) -> Iterator[None]:
    handler, root = logging.StreamHandler(stream), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


def command(*arguments: object) -> str:
    """What a verb prints on stdout."""
    scanote = Path(sys.executable).with_name("scanote")
    done = subprocess.run([scanote, *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode not in {0, 2}:
        raise RuntimeError(f"scanote {arguments[0]} ended with {done.returncode}\n{done.stderr[-2000:]}")
    if done.returncode == 0:
        json.loads(done.stdout)
    return done.stdout


def control(workspace: Workspace) -> int:
    """How many of five values a plain flow leaves in Prefect's database."""
    from prefect import flow, get_run_logger, task
    from prefect.artifacts import create_markdown_artifact
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogWorker

    words = {kind: f"KNRI{kind.upper()}ZZQQ" for kind in ("parameter", "name", "exception", "log", "artifact")}

    @task(name="read", task_run_name=f"read {words['name']}")
    def read(patient: str) -> None:
        get_run_logger().error("reading %s", words["log"])
        create_markdown_artifact(words["artifact"], key="plain")
        raise ValueError(words["exception"])

    @flow(name="plain")
    def plain(patient: str) -> None:
        read(patient)

    with contextlib.suppress(ValueError), contextlib.redirect_stderr(io.StringIO()):
        plain(words["parameter"])
    APILogWorker.instance().drain()
    EventsWorker.drain_all()
    seen = search_folder(words, workspace.prefect)
    return len({sighting.kind for sighting in seen})


if __name__ == "__main__":
    sys.exit(main())
