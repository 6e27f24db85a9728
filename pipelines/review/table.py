"""The table of a training run, for the terminal and for MLflow: per finding, every arm's AUROC, and the ceiling."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from pipelines.training.metrics import Interval
from pipelines.training.report import FUSION, LATE, NOTE, OTHER_FUSIONS, RADIOMICS, SCAN, SELECTED, FindingReport

ARMS = (SCAN, NOTE, LATE, FUSION)
# In the order of their columns; a run has at most one of the first two, and one of those after late fusion.
COLUMNS = (SCAN, RADIOMICS, NOTE, LATE, FUSION, SELECTED, *OTHER_FUSIONS)
BOTH = "both"
FEWEST = 10
"""Smallest count that leaves the workspace."""
UNDEFINED = "–"
WIDEST_NAME = 30


@dataclass(frozen=True)
class ReportRow:
    """One finding: AUROC by arm, and the best that is attainable from scan and note, where that is known.

    ``positives`` and ``negatives`` are None where either is below ten.
    """

    finding: str
    positives: int | None
    negatives: int | None
    auroc: Mapping[str, Interval]
    auprc: Mapping[str, Interval]
    over_late: Interval
    over_single: Interval
    attainable: float | None = None
    model: str = FUSION


def shown(arms: Collection[str]) -> tuple[str, ...]:
    """The arms of a run that have a column."""
    return tuple(arm for arm in COLUMNS if arm in arms)


def report_table(
    reports: Sequence[FindingReport], attainable: Mapping[str, Mapping[str, float]] | None = None
) -> list[ReportRow]:
    """The rows of the table, in the order of the reports.

    ``attainable`` holds, by finding, the best attainable AUROC from ``scan``, ``note`` and ``both``.
    """
    rows = []
    for report in reports:
        classes = (report.positives, report.cases - report.positives)
        counted = classes if min(classes) >= FEWEST else (None, None)
        rows.append(
            ReportRow(
                finding=report.finding,
                positives=counted[0],
                negatives=counted[1],
                auroc={arm: report.auroc[arm] for arm in shown(report.auroc)},
                auprc={arm: report.auprc[arm] for arm in shown(report.auprc)},
                over_late=report.over_late,
                over_single=report.over_single,
                attainable=(attainable or {}).get(report.finding, {}).get(BOTH),
                model=report.model,
            )
        )
    return rows


def format_table(reports: Sequence[FindingReport], attainable: Mapping[str, Mapping[str, float]] | None = None) -> str:
    """The table as aligned text of at most 130 columns. The last column stands only where a ceiling is known."""
    rows = report_table(reports, attainable)
    ceiling = any(row.attainable is not None for row in rows)
    arms = _arms(rows)
    head = ["AUROC (95 % interval)", *arms] + ["attainable"] * ceiling
    body = [
        [_short(row.finding), *(_interval(row.auroc[arm]) for arm in arms)] + [_number(row.attainable)] * ceiling
        for row in rows
    ]
    return aligned(head, body)


def format_differences(reports: Sequence[FindingReport]) -> str:
    """Paired AUROC differences of the model, as aligned text."""
    head = [f"AUROC of {_model(reports)} minus", "late fusion", "best single modality"]
    body = [[_short(row.finding), _signed(row.over_late), _signed(row.over_single)] for row in report_table(reports)]
    return aligned(head, body)


def markdown_table(rows: Sequence[ReportRow]) -> str:
    """The rows as Markdown, with AUPRC and the paired differences."""
    parts, arms = [], _arms(rows)
    for title, values in (("AUROC", "auroc"), ("AUPRC", "auprc")):
        head = ["finding", "positive / negative", *arms, *(["attainable"] if values == "auroc" else [])]
        parts += [f"## {title}{_measured(rows)}, with 95 % interval", "", *_head(head)]
        for row in rows:
            cells = [row.finding, _counts(row), *(_interval(getattr(row, values)[arm]) for arm in arms)]
            parts.append(_line([*cells, *([_number(row.attainable)] if values == "auroc" else [])]))
        parts.append("")
    parts += [f"## AUROC of {_model(rows)} over the others, paired", ""]
    parts += _head(["finding", "over late fusion", "over the better single modality"])
    parts += [_line([row.finding, _interval(row.over_late), _interval(row.over_single)]) for row in rows]
    return "\n".join([*parts, ""])


def flat_rows(rows: Sequence[ReportRow]) -> list[dict[str, str | float | int | None]]:
    """One row a finding and arm, for a table of columns."""
    return [
        {
            "finding": row.finding,
            "arm": arm,
            "positives": row.positives,
            "negatives": row.negatives,
            "auroc": row.auroc[arm].value,
            "auroc_low": row.auroc[arm].low,
            "auroc_high": row.auroc[arm].high,
            "auprc": row.auprc[arm].value,
            "auprc_low": row.auprc[arm].low,
            "auprc_high": row.auprc[arm].high,
            "attainable_auroc": row.attainable,
        }
        for row in rows
        for arm in row.auroc
    ]


def _arms(rows: Sequence[ReportRow]) -> tuple[str, ...]:
    return tuple(rows[0].auroc) if rows else ARMS


def _measured(rows: Sequence[ReportRow]) -> str:
    return " in cross-validation" if _model(rows) == SELECTED else " on the test split"


def _model(rows: Sequence[ReportRow | FindingReport]) -> str:
    return rows[0].model if rows else FUSION


def _counts(row: ReportRow) -> str:
    return f"under {FEWEST} of a class" if row.positives is None else f"{row.positives} / {row.negatives}"


def _interval(interval: Interval) -> str:
    if interval.value != interval.value:
        return UNDEFINED
    return f"{interval.value:.3f} ({interval.low:.3f}–{interval.high:.3f})"


def _number(value: float | None) -> str:
    return UNDEFINED if value is None else f"{value:.3f}"


def _short(name: str) -> str:
    return name if len(name) <= WIDEST_NAME else f"{name[: WIDEST_NAME - 1]}…"


def _head(cells: Sequence[str]) -> list[str]:
    return [_line(cells), _line(["---"] * len(cells))]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _signed(value: Interval) -> str:
    if value.value != value.value:
        return UNDEFINED
    return f"{value.value:+.3f} ({value.low:+.3f} to {value.high:+.3f})"


def aligned(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """Cells under their heads, as text."""
    widths = [max(len(line[column]) for line in [head, *body]) for column in range(len(head))]
    lines = [head, ["─" * width for width in widths], *body]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
