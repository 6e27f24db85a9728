"""What MLflow is told of a finished run: written into the workspace whole, so that it can be told now or later."""

from __future__ import annotations

import json
import math
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from data_schemas.base import Record
from data_schemas.errors import ModelError
from data_schemas.settings import leaves
from pipelines.cases.leakage.table import aggregates, markdown
from pipelines.models.artefact import artefact_digest, files_of
from pipelines.models.pyfunc_save import scanote_version
from pipelines.models.registry import kept_folder
from pipelines.review.plots import write_plots
from pipelines.review.table import FEWEST, ReportRow, flat_rows, markdown_table, report_table
from pipelines.review.target_table import markdown_targets, target_measures
from pipelines.training.trained import Trained
from pipelines.workspace.digests import json_digest
from pipelines.workspace.files import make_private_folder, write_new
from pipelines.workspace.paths import Workspace

RUN, REPORT = "run.json", "report"
NOT_FOR_RELEASE = "not for release: adapted on patients' notes and scans"
SYNTHETIC = "synthetic data only: no claim about patients"


class Publication(Record):
    """Aggregates of one run. ``epochs`` by part; ``measures`` of the test split by name; ``cases`` by split, or None.

    ``publication_id`` is the digest of all the others but ``finished`` (milliseconds since 1970).
    """

    publication_id: str
    task: str
    digest: str
    cohort_digest: str
    synthetic: bool
    finished: int
    settings: dict[str, str]
    tags: dict[str, str]
    cases: dict[str, int | None]
    epochs: dict[str, tuple[dict[str, float], ...]]
    measures: dict[str, float]


def keep_artefact(workspace: Workspace, folder: Path, digest: str) -> Path:
    """Copy an artefact to where this machine keeps its models, whole or not at all.

    Raises
    ------
    ModelError
        The files are not those of the digest.
    """
    place = kept_folder(workspace, digest)
    if place.is_dir() and _is_intact(place, digest):
        return place
    make_private_folder(place.parent)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=".keep-") as work:
        copy = make_private_folder(Path(work) / "copy")
        for name in files_of(folder):
            shutil.copyfile(folder / name, copy / name)
        if artefact_digest(copy) != digest:
            raise ModelError("model artefact: its files changed after training; train again")
        shutil.rmtree(place, ignore_errors=True)
        try:
            copy.rename(place)
        except OSError:  # another process was quicker: its files are the same ones
            if not _is_intact(place, digest):
                raise
    return place


def write_publication(
    workspace: Workspace,
    trained: Trained,
    *,
    attainable: Mapping[str, Mapping[str, float]] | None,
    synthetic: bool,
) -> Publication:
    """Write everything that MLflow is to be told of a run, and return it; the same run is written once."""
    rows = report_table(trained.reports, attainable)
    publication = _publication(trained, rows, synthetic=synthetic)
    folder = publication_folder(workspace, publication.publication_id)
    if (folder / RUN).is_file():
        return read_publication(workspace, publication.publication_id)
    report = make_private_folder(folder / REPORT)
    _write_report(report, trained, rows, publication)
    write_new(folder / RUN, publication.model_dump_json(indent=1).encode())  # last: it says that the rest is there
    return publication


def read_publication(workspace: Workspace, publication_id: str) -> Publication:
    """Read what was written.

    Raises
    ------
    ModelError
        It is gone or damaged.
    """
    path = publication_folder(workspace, publication_id) / RUN
    try:
        return Publication(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        raise ModelError(f"{path}: gone or damaged; train again to register the model") from None


def publication_folder(workspace: Workspace, publication_id: str) -> Path:
    """The folder of a publication."""
    return workspace.artifacts / "runs" / publication_id[:16]


def _publication(trained: Trained, rows: list[ReportRow], *, synthetic: bool) -> Publication:
    recipe = trained.card.recipe
    content: dict[str, Any] = {
        "task": recipe.task,
        "digest": trained.digest,
        "cohort_digest": trained.cohort_digest,
        "synthetic": synthetic,
        "settings": {name: _plain(value) for name, value, _ in leaves(recipe)},
        "tags": {
            "scanote.version": scanote_version(),
            "scanote.digest": trained.digest,
            "scanote.cohort": trained.cohort_digest,
            "scanote.synthetic": "yes" if synthetic else "no",
            "scanote.release": SYNTHETIC if synthetic else NOT_FOR_RELEASE,
            "scanote.leaks": ", ".join(f"{kind} (allowed)" for kind in trained.allowed_leaks) or "none",
            "scanote.use": "research only",
        },
        "cases": {split: count if count >= FEWEST else None for split, count in trained.counts.items()},
        "epochs": {part: [_finite(epoch) for epoch in epochs] for part, epochs in trained.epochs.items()},
        "measures": _finite(
            {name: value for row in rows for name, value in _measures(row).items()} | target_measures(trained.targets)
        ),
    }
    return Publication(publication_id=json_digest(content), finished=time.time_ns() // 10**6, **content)


def _measures(row: ReportRow) -> dict[str, float]:
    found = {}
    for measure, by_arm in (("auroc", row.auroc), ("auprc", row.auprc)):
        for arm, interval in by_arm.items():
            name = f"{row.finding}/{arm.replace(' ', '-')}"
            found[f"{measure}/{name}"] = interval.value
            found[f"{measure}_low/{name}"] = interval.low
            found[f"{measure}_high/{name}"] = interval.high
    for name, interval in (("over_late", row.over_late), ("over_single", row.over_single)):
        found[f"auroc_{name}/{row.finding}"] = interval.value
        found[f"auroc_{name}_low/{row.finding}"] = interval.low
        found[f"auroc_{name}_high/{row.finding}"] = interval.high
    if row.attainable is not None:
        found[f"auroc_attainable/{row.finding}"] = row.attainable
    return found


def _write_report(folder: Path, trained: Trained, rows: list[ReportRow], publication: Publication) -> None:
    import pandas as pd

    title = f"# scanote-{publication.task}, model {trained.digest[:12]}"
    tables = markdown_table(rows) + markdown_targets(trained.targets)
    marks = f"Research use only. {publication.tags['scanote.release'].capitalize()}."
    (folder / "report.md").write_text(f"{title}\n\n{marks}\n\n{tables}", encoding="utf-8")
    allowed = trained.allowed_leaks
    (folder / "leakage.md").write_text(markdown(trained.audit, allow=allowed), encoding="utf-8")
    told = json.dumps(aggregates(trained.audit, allow=allowed), indent=1)
    (folder / "leakage.json").write_text(told, encoding="utf-8")
    pd.DataFrame(flat_rows(rows)).to_parquet(folder / "report.parquet", index=False)
    write_plots(
        folder, probabilities=trained.probabilities, labels=trained.labels, findings=trained.card.recipe.findings
    )


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=lambda record: record.model_dump(mode="json"))


def _finite(values: Mapping[str, float]) -> dict[str, float]:
    return {name: float(value) for name, value in values.items() if math.isfinite(value)}


def _is_intact(folder: Path, digest: str) -> bool:
    try:
        return artefact_digest(folder) == digest
    except ModelError:
        return False
