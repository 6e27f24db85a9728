"""From the ledger to what people open: JSON Lines, the worklist, and a page a case."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from data_schemas.case import Case
from data_schemas.diagnosis import Diagnosis
from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from data_schemas.recipes import ModelRecipe
from pipelines.cases.ingest import load_cases
from pipelines.delivery.case_page import write_case_page
from pipelines.delivery.jsonl import write_results
from pipelines.delivery.pages import page_name, retire
from pipelines.delivery.worklist import write_worklist
from pipelines.notes.sections import split_sections
from pipelines.scans.read import read_volume
from pipelines.workspace import catalogue
from pipelines.workspace.claims import Attempt, AttemptOutcome, attempts
from pipelines.workspace.ledger import diagnoses
from pipelines.workspace.paths import Workspace
from pipelines.workspace.tombstones import blocked

RESULTS = "diagnoses.jsonl"


@dataclass(frozen=True)
class Delivered:
    """Where the worklist and the results are, how many pages are new, and how many diagnoses are shown.

    ``withheld`` counts diagnoses of studies that are no case any more: quarantined since, or gone from the catalogue.
    """

    worklist: Path
    results: Path
    new_pages: int
    diagnoses: int
    withheld: int = 0


def deliver(
    workspace: Workspace, *, recipe: ModelRecipe | None = None, progress: Callable[[int, int], None] | None = None
) -> Delivered:
    """Write everything anew that the ledger's current diagnoses ask for; a page that stands is not written again.

    ``recipe`` is the model's: it tells which sections are inputs, and how large a region of the scan is.
    """
    with workspace.database() as engine:
        standing = diagnoses(engine)
        tried = attempts(engine)
        series = catalogue.quarantined(engine)
        forgotten = blocked(engine).studies
    linked = load_cases(workspace)
    cases = {case.study_key: case for case in linked.cases}
    # A study that was quarantined after its diagnosis is no longer shown as fit to be read; the ledger keeps it.
    current = tuple(item for item in standing if item.study_key in cases and item.study_key not in forgotten)
    retire(workspace.pages, {item.study_key for item in current})
    wanted = []
    for item in current:
        case = cases[item.study_key]
        if _stands(workspace.pages, item):
            continue
        # A page of an earlier diagnosis must not stand in for one whose inputs have changed since.
        (workspace.pages / page_name(item.study_key)).unlink(missing_ok=True)
        if case.inputs_digest == item.inputs_digest:
            wanted.append((item, case))
    for number, (item, case) in enumerate(wanted):
        _page(workspace.pages, item, case, recipe or workspace.settings.model)
        if progress:
            progress(number + 1, len(wanted))
    results = workspace.results / RESULTS
    write_results(results, current)
    quarantined = Counter(reason.value for item in series for reason in item.reasons)
    quarantined.update(
        line.reason.value for line in linked.unlinked if line.kind == "case" and line.reason is not Reason.NO_RECORD
    )
    worklist = write_worklist(
        workspace.pages,
        current,
        generated=datetime.now().astimezone(),
        failed=open_failures(tried),
        quarantined=quarantined,
    )
    with workspace.database() as engine:
        late = blocked(engine).studies - forgotten
    if late.intersection(item.study_key for item in current):  # forgotten while their pages were written
        return deliver(workspace, recipe=recipe, progress=progress)
    return Delivered(
        worklist=worklist,
        results=results,
        new_pages=len(wanted),
        diagnoses=len(current),
        withheld=len(standing) - len(current),
    )


def open_failures(tried: Sequence[Attempt]) -> Counter[str]:
    """How many diagnosis keys have failed and were not diagnosed since, by the reason of their last failure."""
    last = {attempt.key: attempt for attempt in sorted(tried, key=lambda attempt: attempt.number)}
    return Counter(
        attempt.reason.value
        for attempt in last.values()
        if attempt.outcome is AttemptOutcome.FAILED and attempt.reason is not None
    )


def _stands(pages: Path, diagnosis: Diagnosis) -> bool:
    path = pages / page_name(diagnosis.study_key)
    return path.is_file() and diagnosis.key.encode() in path.read_bytes()


def _page(pages: Path, diagnosis: Diagnosis, case: Case, recipe: ModelRecipe) -> None:
    volume = None
    if case.scan is not None:
        try:
            volume = read_volume(case.scan)
        except RefusedError:
            volume = None  # the page says that the scan cannot be shown
    depth, height, width = recipe.scan.spacing_mm
    cell = 2 ** (2 + max(int(recipe.scan.tap[-1]) - 1, 0)) if recipe.scan.tap.startswith("layer") else 8
    write_case_page(
        pages,
        diagnosis,
        case=case,
        sections=[(note, split_sections(note.text)) for note in case.notes],
        volume=volume,
        geometry=case.scan.geometry if case.scan is not None and volume is not None else None,
        input_sections=recipe.note.input_sections,
        region_mm=(width * cell, height * cell, depth * cell),
    )
