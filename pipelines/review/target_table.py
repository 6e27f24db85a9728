"""The targets of a training run, for the terminal and for MLflow: every arm's measures with their intervals."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.review.table import FEWEST, UNDEFINED, aligned, shown
from pipelines.training.metrics import Interval
from pipelines.training.target_report import KAPPA, PEARSON, R2, TargetReport

NAMES = {KAPPA: "weighted kappa", R2: "R²", PEARSON: "Pearson's r"}


def format_targets(reports: Sequence[TargetReport]) -> str:
    """The measures as aligned text: a line a target and measure, a column an arm."""
    return aligned(*_cells(reports))


def markdown_targets(reports: Sequence[TargetReport]) -> str:
    """The same as Markdown under its own heading; empty without a target."""
    if not reports:
        return ""
    head, body = _cells(reports)
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(["", "## Targets on the test split, with 95 % interval", "", *map(_line, lines), ""])


def target_measures(reports: Sequence[TargetReport]) -> dict[str, float]:
    """The figures by name, as MLflow has them; none of a target with fewer than ten test cases."""
    found = {}
    for report in reports:
        told = {
            f"{measure}/{report.target}/{arm.replace(' ', '-')}": interval
            for arm, measures in report.measures.items()
            for measure, interval in measures.items()
        }
        told[f"interval_coverage/{report.target}"] = report.covered
        if report.cases >= FEWEST:
            for name, interval in told.items():
                measure, rest = name.split("/", 1)
                found[name] = interval.value
                found[f"{measure}_low/{rest}"] = interval.low
                found[f"{measure}_high/{rest}"] = interval.high
    return found


def _cells(reports: Sequence[TargetReport]) -> tuple[list[str], list[list[str]]]:
    arms = shown(reports[0].measures)
    body = []
    for report in reports:
        few = report.cases < FEWEST
        for measure in report.measures[report.model]:
            name = NAMES.get(measure, f"MAE in {report.unit or 'levels'}")
            cells = [UNDEFINED if few else _interval(report.measures[arm][measure]) for arm in arms]
            body.append([f"{report.target}: {name}", *cells])
        if report.covered.value == report.covered.value and not few:
            cells = [_interval(report.covered) if arm == report.model else "" for arm in arms]
            body.append([f"{report.target}: within the interval", *cells])
    return ["target (95 % interval)", *arms], body


def _interval(value: Interval) -> str:
    if value.value != value.value:
        return UNDEFINED
    return f"{value.value:.3g} ({value.low:.3g} to {value.high:.3g})"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
