"""How ``inspect`` explains which of a study's scans is taken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_schemas.errors import InputError
from data_schemas.selection import SelectSettings

if TYPE_CHECKING:
    from data_schemas.scan import Index
    from data_schemas.settings import Settings
    from pipelines.scans.select import Ranked

Ranking = dict[str, tuple["Ranked", ...]]


def settings_of(workspace: Path | None) -> Settings:
    """The settings of a workspace, or the default ones."""
    from data_schemas.settings import Settings, read_settings

    if workspace and not workspace.is_dir():
        raise InputError(f"{workspace}: no workspace here; leave --workspace out to judge by the default settings")
    return read_settings(workspace / "scanote.yaml") if workspace else Settings()


def rank_studies(index: Index, rules: SelectSettings) -> Ranking:
    """The accepted scans of each study in the order of the rules, by study."""
    from pipelines.cases.join import study_uid_of
    from pipelines.scans.select import rank

    studies: dict[str, list[Any]] = {}
    for series in index.series:
        for scan in series.scans:
            studies.setdefault(study_uid_of(scan), []).append(scan)
    return {uid: rank(scans, require=rules.require, prefer=rules.prefer) for uid, scans in studies.items()}


def add_ranks(told: Mapping[str, Any], index: Index, ranking: Ranking) -> None:
    """Add ``rank``, ``of``, ``score``, ``eligible`` and ``why`` to each scan of ``inspect --json``."""
    places = {row.scan.scan_id: (row, len(rows)) for rows in ranking.values() for row in rows}
    for series, entry in zip(index.series, told["series"], strict=True):
        for scan, place in zip(series.scans, entry["scans"], strict=True):
            row, count = places[scan.scan_id]
            checks = [
                {"rule": check.rule, "required": check.required, "verdict": check.verdict.value} for check in row.why
            ]
            place |= {"rank": row.rank, "of": count, "score": row.score, "eligible": row.eligible, "why": checks}


def ranking_lines(ranking: Ranking) -> Iterator[str]:
    """One line a scan for each study of several: its place, its score, and why."""
    for rows in ranking.values():
        if len(rows) < 2:
            continue
        yield f"\na study of {len(rows)} scans; the first is taken"
        for row in rows:
            stack = f" ({row.scan.stack})" if row.scan.stack else ""
            kept = "" if row.eligible else "not taken: "
            yield f"{row.rank:>3}. score {row.score:+d}  {row.scan.series_uid}{stack}: {kept}{row.explained}"
