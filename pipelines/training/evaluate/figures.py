"""Figures of an evaluation, as SVG and PNG, drawn without a display: arms, subgroups, calibration, curves.

Points with error bars for estimates and their intervals; lines are labelled where they end. Okabe and Ito's colours are
told apart by colour-blind readers, and markers and dashes tell them apart in grey.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.training.evaluate.curves import MISSING, CurveRow
from pipelines.training.evaluate.evaluation import Evaluation
from pipelines.training.evaluate.table import ALL, MeasureRow
from pipelines.training.metrics import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DASHES: tuple[Any, ...] = ("solid", (0, (4, 2)), (0, (1, 1.2)), (0, (6, 1, 1, 1)))
COLUMNS = 3
STYLE: dict[Any, Any] = {
    "font.size": 8,
    "font.family": "DejaVu Sans",
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.hashsalt": "scanote",
    "svg.fonttype": "none",
}
FORMATS: dict[str, dict[str, str | None]] = {"png": {}, "svg": {"Date": None}}
LONGEST = 34
AXIS = {
    "dropped slices": "share of dropped slices",
    "another patient's note": "share of cases with another patient's note",
}


def write_figures(folder: Path, evaluation: Evaluation) -> list[Path]:
    """Write the figures that the evaluation has something for, and return their paths."""
    import matplotlib as mpl

    with mpl.rc_context(STYLE):
        made = {
            "arms": _arms(evaluation),
            "subgroups": _subgroups(evaluation),
            "calibration": _calibration(evaluation),
            "missing": _missing(evaluation),
            "noise": _noise(evaluation),
        }
        paths = []
        for name, figure in made.items():
            for suffix, metadata in FORMATS.items() if figure else ():
                path = folder / f"{name}.{suffix}"
                figure.savefig(path, dpi=150, metadata=metadata or None)  # type: ignore[union-attr]
                paths.append(path)
    return paths


def _arms(evaluation: Evaluation) -> Figure | None:
    """AUROC of every arm, a panel a finding."""
    panels = {
        finding: [(row.arm, row) for row in evaluation.rows if (row.finding, row.group) == (finding, ALL)]
        for finding in evaluation.findings
    }
    return _forest(panels, "AUROC on all cases, 95 % interval", evaluation.main)


def _subgroups(evaluation: Evaluation) -> Figure | None:
    """AUROC of the main arm by subgroup, with that of all cases as a line."""
    panels = {}
    for finding in evaluation.findings:
        rows = [row for row in evaluation.rows if row.finding == finding and row.group not in (ALL, "repeat")]
        whole = evaluation.of(finding)
        if rows and whole:
            panels[finding] = [("all cases", whole), *((f"{row.group}: {row.level}", row) for row in rows)]
    return _forest(panels, f"AUROC of {evaluation.main} by subgroup, 95 % interval", "all cases")


def _forest(panels: dict[str, list[tuple[str, MeasureRow]]], title: str, strong: str) -> Figure | None:
    drawn = {
        finding: [(name, row.auroc, row) for name, row in rows if math.isfinite(row.auroc.value)]
        for finding, rows in panels.items()
    }
    drawn = {finding: rows for finding, rows in drawn.items() if rows}
    if not drawn:
        return None
    most = max(len(rows) for rows in drawn.values())
    figure, grid = _grid(len(drawn), width=3.6, height=0.6 + 0.2 * most)
    for axes, (finding, rows) in zip(grid, drawn.items(), strict=False):
        for place, (name, value, _) in enumerate(rows):
            colour = COLOURS[0] if name == strong else "0.35"
            axes.errorbar(
                value.value,
                place,
                xerr=_bars([value]),
                fmt="o",
                color=colour,
                markersize=4,
                elinewidth=1.3,
                capsize=2,
            )
        main = next((value for name, value, _ in rows if name == strong), None)
        if main is not None:
            axes.axvline(main.value, color=COLOURS[0], linewidth=0.7, linestyle=(0, (2, 2)), zorder=0)
        axes.axvline(0.5, color="0.85", linewidth=0.8, zorder=0)
        axes.set(xlim=(-0.02, 1.02), ylim=(most - 0.4, -0.6), title=finding)
        axes.set_yticks(range(len(rows)), [_short(name) for name, *_ in rows])
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
    figure.supxlabel(title, fontsize=9)
    return figure


def _calibration(evaluation: Evaluation) -> Figure | None:
    """Calibration slope and intercept of the main arm, a row a finding."""
    found = [(finding, row) for finding in evaluation.findings if (row := evaluation.of(finding)) is not None]
    found = [(finding, row) for finding, row in found if math.isfinite(row.slope.value)]
    if not found:
        return None
    figure, grid = _grid(2, width=3.6, height=0.8 + 0.25 * len(found), columns=2)
    for axes, (name, ideal) in zip(grid, (("slope", 1.0), ("intercept", 0.0)), strict=True):
        axes.axvline(ideal, color=COLOURS[0], linewidth=0.8, linestyle=(0, (2, 2)))
        axes.set_title(f"calibration {name} (ideal: {ideal:g})")
        for place, (_, row) in enumerate(found):
            value = getattr(row, name)
            axes.errorbar(
                value.value,
                place,
                xerr=_bars([value]),
                fmt="o",
                color="0.25",
                markersize=4,
                capsize=2,
            )
        axes.set_yticks(range(len(found)), [_short(finding) for finding, _ in found])
        axes.set(ylim=(len(found) - 0.4, -0.6))
    figure.supxlabel(f"{evaluation.main}, all cases, 95 % interval", fontsize=9)
    return figure


def _missing(evaluation: Evaluation) -> Figure | None:
    """AUROC against the share of cases that lack a modality: a panel a finding, a line a modality."""
    rows = [row for row in evaluation.curves if row.curve.startswith(MISSING)]
    findings = [name for name in evaluation.findings if any(row.finding == name for row in rows)]
    names = list(dict.fromkeys(row.curve for row in rows))
    if not findings:
        return None
    figure, grid = _grid(len(findings), width=3.4, height=2.5)
    for axes, finding in zip(grid, findings, strict=False):
        lines = [
            (name.removeprefix(MISSING), [row for row in rows if (row.finding, row.curve) == (finding, name)])
            for name in names
        ]
        _draw_lines(axes, lines)
        axes.set(title=finding, ylim=(0.3, 1.02), ylabel="AUROC")
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "50 %", "75 %", "100 %"])
    figure.supxlabel("share of cases from which it is missing", fontsize=9)
    return figure


def _noise(evaluation: Evaluation) -> Figure | None:
    """AUROC against what is wrong in the inputs: a panel a curve, a line a finding."""
    rows = [row for row in evaluation.curves if not row.curve.startswith(MISSING)]
    names = list(dict.fromkeys(row.curve for row in rows))
    if not names:
        return None
    figure, grid = _grid(len(names), width=4.2, height=2.9, columns=2)
    for axes, name in zip(grid, names, strict=False):
        lines = [
            (finding, [row for row in rows if (row.finding, row.curve) == (finding, name)])
            for finding in evaluation.findings
        ]
        _draw_lines(axes, lines)
        axes.set(ylim=(0.3, 1.02), xlabel=AXIS.get(name, name), ylabel="AUROC")
    return figure


def _draw_lines(axes: Axes, lines: Sequence[tuple[str, Sequence[CurveRow]]]) -> None:
    """Lines with error bars, a little apart from each other, each named where it ends."""
    ends = []
    furthest = max((row.level for _, rows in lines for row in rows), default=1.0)
    for number, (name, rows) in enumerate(lines):
        rows = [row for row in rows if math.isfinite(row.auroc.value)]
        if not rows:
            continue
        colour = COLOURS[number % len(COLOURS)]
        apart = (number - (len(lines) - 1) / 2) * 0.012 * furthest
        axes.errorbar(
            [row.level + apart for row in rows],
            [row.auroc.value for row in rows],
            yerr=_bars([row.auroc for row in rows]),
            color=colour,
            linestyle=DASHES[number % len(DASHES)],
            marker=MARKERS[number % len(MARKERS)],
            markersize=3.5,
            linewidth=1.3,
            elinewidth=0.6,
        )
        ends.append((rows[-1].auroc.value, name, colour, furthest * (1 + 0.006 * len(lines))))
    axes.axhline(0.5, color="0.85", linewidth=0.8, zorder=0)
    axes.set_ylim(0.3, 1.02)
    _label_ends(axes, ends)


def _bars(values: Sequence[Interval]) -> list[list[float]]:
    """Lengths of error bars below and above."""
    return [
        [max(value.value - value.low, 0.0) for value in values],
        [max(value.high - value.value, 0.0) for value in values],
    ]


def _label_ends(axes: Axes, ends: list[tuple[float, str, str, float]]) -> None:
    """The finding's name beside the end of its line; names that would overlap are moved apart."""
    low, high = axes.get_ylim()
    gap = (high - low) * 0.075
    places = sorted(ends)
    wanted = [min(max(value, low), high) for value, *_ in places]
    heights = list(wanted)
    for number in range(1, len(heights)):
        heights[number] = max(heights[number], heights[number - 1] + gap)
    if not heights:
        return
    # The block as a whole stays where its lines end, and within the panel.
    over = max((sum(heights) - sum(wanted)) / len(heights), heights[-1] - high)
    for height, (_, finding, colour, level) in zip(heights, places, strict=True):
        axes.annotate(
            _short(finding, 24),
            (level, height - over),
            xytext=(6, 0),
            textcoords="offset points",
            color=colour,
            va="center",
            fontsize=7,
            annotation_clip=False,
        )


def _grid(count: int, *, width: float, height: float, columns: int = COLUMNS) -> tuple[Figure, list[Axes]]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = min(columns, count)
    rows = math.ceil(count / columns)
    figure = Figure(figsize=(width * columns + 0.3, height * rows + 0.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for spare in axes[count:]:
        spare.set_visible(False)
    return figure, axes


def _short(name: str, longest: int = LONGEST) -> str:
    return name if len(name) <= longest else f"{name[: longest - 1]}…"
