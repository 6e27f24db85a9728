"""An evaluation as files: Markdown to read, Parquet to go on with, figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipelines.training.evaluate.evaluation import Evaluation
from pipelines.training.evaluate.figures import write_figures
from pipelines.training.evaluate.table import ALL, FEWEST, MEASURES, MeasureRow
from pipelines.training.metrics import Interval

UNDEFINED = "–"
HEADS = {
    "auroc": "AUROC",
    "auprc": "AUPRC",
    "sensitivity": "sensitivity",
    "brier": "Brier",
    "slope": "calibration slope",
    "intercept": "intercept",
}
SIGNED = ("slope", "intercept")
READING = """AUROC with DeLong's interval (logit scale, patients whole), differences with DeLong's paired test and
Holm's correction; AUPRC, sensitivity and Brier score with bootstrap intervals of whole patients (BCa); slope and
intercept with cluster-robust ones. All intervals are 95 %. They tell what chance in the choice of these patients
does, not what another hospital would find, and in a cross-validation not what another training run would. The threshold
of the sensitivity was chosen on these same cases."""


def write_evaluation(folder: Path, evaluation: Evaluation) -> list[Path]:
    """Write ``evaluation.md``, one Parquet file a table, and the figures into a folder, and return their paths."""
    import pandas as pd

    path = folder / "evaluation.md"
    path.write_text(markdown(evaluation), encoding="utf-8")
    written = [path]
    tables = {"measures": evaluation.rows, "differences": evaluation.differences, "curves": evaluation.curves}
    for name, rows in tables.items():
        if rows:
            path = folder / f"{name}.parquet"
            pd.DataFrame([flat(row) for row in rows]).to_parquet(path, index=False)
            written.append(path)
    return [*written, *write_figures(folder, evaluation)]


def flat(row: Any) -> dict[str, Any]:
    """A row as columns of plain values: an interval becomes ``name``, ``name_low`` and ``name_high``."""
    made: dict[str, Any] = {}
    for name, value in asdict(row).items():
        if isinstance(getattr(row, name), Interval):
            made |= {name: value["value"], f"{name}_low": value["low"], f"{name}_high": value["high"]}
        else:
            made[name] = value
    return made


def markdown(evaluation: Evaluation) -> str:
    """The evaluation as Markdown: how it was made, what to know, and every table."""
    parts = [f"# {evaluation.task}: {evaluation.kind} of {evaluation.main}", "", "Research use only.", ""]
    parts += [f"* {name}: {value}" for name, value in evaluation.about.items()]
    parts += [f"* **{notice}**" for notice in evaluation.notices]
    parts += ["", READING, "", "## All cases", "", *_measures(evaluation, ALL)]
    groups = dict.fromkeys(row.group for row in evaluation.rows if row.group != ALL)
    for group in groups:
        parts += ["", f"## By {group}, {evaluation.main}", "", *_measures(evaluation, group)]
    if groups:
        parts += ["", f"Levels with fewer than {FEWEST} patients of a class are pooled with others."]
    if evaluation.differences:
        head = ("finding", "less", "difference of AUROC", "bootstrap", "p", "p (Holm)")
        parts += ["", f"## AUROC of {evaluation.main} less that of the others, paired", "", *_head(head)]
        parts += [
            _line(
                (
                    row.finding,
                    row.other,
                    signed(row.difference),
                    signed(row.difference_bootstrap),
                    p_value(row.p),
                    p_value(row.p_holm),
                )
            )
            for row in evaluation.differences
        ]
    for curve in dict.fromkeys(row.curve for row in evaluation.curves):
        rows = [row for row in evaluation.curves if row.curve == curve]
        levels = list(dict.fromkeys(row.level for row in rows))
        told = {(row.finding, row.level): interval(row.auroc) for row in rows}
        parts += ["", f"## AUROC by {curve}", "", *_head(("finding", *(f"{level:g}" for level in levels)))]
        parts += [
            _line((finding, *(told.get((finding, level), UNDEFINED) for level in levels)))
            for finding in dict.fromkeys(row.finding for row in rows)
        ]
    return "\n".join([*parts, ""])


def interval(value: Interval) -> str:
    """``0.912 (0.880–0.941)``, or a dash."""
    if value.value != value.value:
        return UNDEFINED
    return f"{value.value:.3f} ({value.low:.3f}–{value.high:.3f})"


def signed(value: Interval) -> str:
    """``+0.031 (+0.002 to +0.060)``, or a dash."""
    if value.value != value.value:
        return UNDEFINED
    return f"{value.value:+.3f} ({value.low:+.3f} to {value.high:+.3f})"


def p_value(p: float) -> str:
    """A p-value to two figures, or a dash."""
    if p != p:
        return UNDEFINED
    return "< 0.0001" if p < 0.0001 else f"{p:.2g}"


def counts(row: MeasureRow) -> str:
    """``31 / 89``: positive and negative studies."""
    return f"under {FEWEST} of a class" if row.withheld else f"{row.positives} / {row.negatives}"


def _measures(evaluation: Evaluation, group: str) -> list[str]:
    rows = [row for row in evaluation.rows if row.group == group]
    which = "arm" if group == ALL else group
    heads = {**HEADS, "sensitivity": f"sensitivity at specificity {evaluation.specificity:g}"}
    lines = _head(("finding", which, "positive / negative", *heads.values(), "threshold"))
    for row in rows:
        values = [(signed if name in SIGNED else interval)(getattr(row, name)) for name in HEADS]
        threshold = UNDEFINED if row.threshold != row.threshold else f"{row.threshold:.3f}"
        lines.append(_line((row.finding, row.arm if group == ALL else row.level, counts(row), *values, threshold)))
    return lines


def metrics(evaluation: Evaluation) -> dict[str, float]:
    """What MLflow's metrics are: every measure of every arm on all cases with its bounds, and the differences."""
    found: dict[str, float] = {}
    for row in evaluation.rows:
        if row.group != ALL:
            continue
        for name in MEASURES:
            found |= _bounds(name, f"{row.finding}/{_key(row.arm)}", getattr(row, name))
        found[f"threshold/{row.finding}/{_key(row.arm)}"] = row.threshold
    for item in evaluation.differences:
        name = f"{item.finding}/{_key(item.other)}"
        found |= _bounds("auroc_over", name, item.difference)
        found[f"auroc_over_p_holm/{name}"] = item.p_holm
    return {name: value for name, value in found.items() if abs(value) < float("inf")}


def _bounds(measure: str, name: str, value: Interval) -> dict[str, float]:
    return {
        f"{measure}/{name}": value.value,
        f"{measure}_low/{name}": value.low,
        f"{measure}_high/{name}": value.high,
    }


def _key(arm: str) -> str:
    return arm.replace(" ", "-")


def _head(cells: Sequence[str]) -> list[str]:
    return [_line(cells), _line(["---"] * len(cells))]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"
