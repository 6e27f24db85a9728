"""A tuning kept in the workspace, whole or not at all: report, recipe as YAML, and what MLflow is told of it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from data_schemas.base import Record
from data_schemas.errors import WorkspaceError
from data_schemas.tuning import SearchRecord
from pipelines.models.pyfunc_save import scanote_version
from pipelines.training.evaluate.report import metrics, write_evaluation
from pipelines.training.tune.cases import Tuned
from pipelines.training.tune.chosen import section_text
from pipelines.training.tune.report import tuning_content, tuning_markdown
from pipelines.workspace.digests import json_digest
from pipelines.workspace.files import write_folder, write_new
from pipelines.workspace.paths import Workspace

HEAD, REPORT = "tuning.json", "report"


class KeptTuning(Record):
    """What MLflow is told beside the files: aggregates. ``finished`` is in milliseconds since 1970."""

    tuning_id: str
    task: str
    finished: int
    params: dict[str, str]
    tags: dict[str, str]
    metrics: dict[str, float]
    searches: tuple[SearchRecord, ...]


def keep_tuning(workspace: Workspace, tuned: Tuned) -> tuple[KeptTuning, Path]:
    """Write a tuning into the workspace, and return what is told of it and the folder of its report.

    The report is ``tuning.md``, ``tuning.json``, ``model.yaml``, and the nested cross-validation in the files of
    ``scanote evaluate``. The same tuning, made again, is kept once.
    """
    done = tuned.evaluation
    told = {f"chosen.{name}": str(value) for name, value in tuned.values.items()}
    figures = {"auroc_mean_nested": tuned.reported, "auroc_mean_inner": tuned.inner}
    content: dict[str, Any] = {
        "task": done.task,
        "params": told | {name.replace(" ", "_"): value[:500] for name, value in done.about.items()},
        "tags": {
            "scanote.version": scanote_version(),
            "scanote.kind": done.kind,
            "scanote.use": "research only",
        },
        "metrics": metrics(done) | {name: value for name, value in figures.items() if value == value},
        "searches": [search.model_dump(mode="json") for search in tuned.searches],
    }
    # Another subgroup is another report too. As text: an undefined figure has no JSON form.
    tables = [repr(table) for table in (done.rows, done.differences)]
    kept = KeptTuning(
        tuning_id=json_digest([content, list(done.notices), tables]), finished=time.time_ns() // 10**6, **content
    )
    folder = tuning_folder(workspace, kept.tuning_id)
    if (folder / HEAD).is_file():
        return read_tuning(workspace, kept.tuning_id), folder / REPORT

    def write(made: Path) -> None:
        write_evaluation(made, done)
        (made / "tuning.md").write_text(tuning_markdown(tuned), encoding="utf-8")
        plain = json.dumps(tuning_content(tuned), indent=1, ensure_ascii=False)
        (made / "tuning.json").write_text(plain + "\n", encoding="utf-8")
        (made / "model.yaml").write_text(section_text(tuned.values), encoding="utf-8")

    write_folder(folder / REPORT, write)
    write_new(folder / HEAD, kept.model_dump_json(indent=1).encode())  # last: it says that the rest is there
    return kept, folder / REPORT


def tuning_folder(workspace: Workspace, tuning_id: str) -> Path:
    """Where a tuning is kept."""
    return workspace.artifacts / "tunings" / tuning_id[:16]


def read_tuning(workspace: Workspace, tuning_id: str) -> KeptTuning:
    """What MLflow is told of a kept tuning.

    Raises
    ------
    WorkspaceError
        It is gone or damaged.
    """
    path = tuning_folder(workspace, tuning_id) / HEAD
    try:
        return KeptTuning(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        raise WorkspaceError(
            f"{path}: gone or damaged; delete its folder, then tune again: no trial is repeated"
        ) from None
