"""The worklist: one page with one row a study, the highest score first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from data_schemas.diagnosis import Diagnosis, Lane, ModelReference, Score
from pipelines.delivery.pages import WORKLIST, page_name
from pipelines.delivery.render import render
from pipelines.delivery.words import LANE_MEANING, Chip, chips, display_name, meaning_of, probability_text
from pipelines.workspace.files import write_atomic

HIGHEST = 3
SHORT_KEY = 12


@dataclass(frozen=True)
class ScoreBar:
    """One score as the worklist shows it."""

    name: str
    probability: float
    text: str


@dataclass(frozen=True)
class WorklistRow:
    """One study of the worklist. ``page`` is empty where there is none to open."""

    study: str
    page: str
    lane: Lane
    scores: list[ScoreBar]
    chips: list[Chip]
    model: ModelReference


def write_worklist(
    folder: Path,
    diagnoses: Sequence[Diagnosis],
    *,
    generated: datetime,
    failed: Mapping[str, int] | None = None,
    quarantined: Mapping[str, int] | None = None,
) -> Path:
    """Write ``index.html`` into the folder of pages and return its path.

    Parameters
    ----------
    folder
        Exists. Case pages already there are linked; a study without one has no link.
    diagnoses
        The current ones, one a study.
    generated
        When the page is made; it is the only thing that two pages of one ledger differ in.
    failed, quarantined
        Cases that failed, and records, series and cases set aside: how many, by code.

    Raises
    ------
    ValueError
        A study key that is no digest.
    WorkspaceError
        The page cannot be written.
    """
    ordered = sorted(diagnoses, key=lambda item: (-_highest(item), item.study_key, item.key))
    lanes = Counter(item.lane for item in diagnoses)
    models = Counter((item.model.name, item.model.version, item.model.digest, item.model.ungated) for item in diagnoses)
    rows = [_row(folder, item) for item in ordered]
    page = render(
        "worklist.html",
        rows=rows,
        generated=generated.isoformat(sep=" ", timespec="minutes"),
        lanes=[(lane, lanes[lane], LANE_MEANING[lane]) for lane in Lane],
        models=[
            (ModelReference(name=n, version=v, digest=d, ungated=u), c) for (n, v, d, u), c in sorted(models.items())
        ],
        uncalibrated=sum(not item.calibrated for item in diagnoses),
        legend=sorted({chip.code: chip for row in rows for chip in row.chips}.values(), key=lambda chip: chip.code),
        failed=_counts(failed or {}),
        quarantined=_counts(quarantined or {}),
    )
    path = folder / WORKLIST
    write_atomic(path, page)
    return path


def highest_scores(scores: Sequence[Score], count: int) -> list[ScoreBar]:
    """The highest scores, highest first; of equal ones the model's order decides."""
    ordered = sorted(scores, key=lambda score: -score.probability)[:count]
    return [
        ScoreBar(display_name(score.finding), score.probability, probability_text(score.probability))
        for score in ordered
    ]


def _row(folder: Path, diagnosis: Diagnosis) -> WorklistRow:
    name = page_name(diagnosis.study_key)
    return WorklistRow(
        study=diagnosis.study_key[:SHORT_KEY],
        page=name if (folder / name).is_file() else "",
        lane=diagnosis.lane,
        scores=highest_scores(diagnosis.scores, HIGHEST),
        # That scores are uncalibrated is said once, in the header.
        chips=[chip for chip in chips([*diagnosis.reasons, *diagnosis.remarks]) if chip.code != "uncalibrated"],
        model=diagnosis.model,
    )


def _highest(diagnosis: Diagnosis) -> float:
    return max((score.probability for score in diagnosis.scores), default=-1.0)


def _counts(by_code: Mapping[str, int]) -> list[tuple[str, int, str]]:
    """Code, count and meaning, the most frequent first."""
    ordered = sorted(by_code.items(), key=lambda item: (-item[1], item[0]))
    return [(code, count, meaning_of(code)) for code, count in ordered if count]
