"""ROC and reliability of a training run: small multiples, one panel a finding, drawn without a display."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipelines.review.table import COLUMNS as ARMS
from pipelines.review.table import FEWEST, shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours, told apart by colour-blind readers; the dashes tell them apart in grey.
COLOURS = ("#56B4E9", "#56B4E9", "#E69F00", "#999999")
DASHES: Any = ((0, (4, 2)), (0, (4, 2)), (0, (1, 1.2)), (0, (6, 1, 1, 1)))
# Whatever the fusion of the run is, its line is blue and solid.
COLOUR = dict.fromkeys(ARMS, "#0072B2") | dict(zip(ARMS, COLOURS, strict=False))
DASH: dict[str, Any] = dict.fromkeys(ARMS, "solid") | dict(zip(ARMS, DASHES, strict=False))
COLUMNS = 4
PANEL_INCHES = 2.5
MOST_BINS = 10
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


def write_plots(
    folder: Path, *, probabilities: Mapping[str, np.ndarray], labels: np.ndarray, findings: Sequence[str]
) -> list[Path]:
    """Write ``roc`` and ``reliability`` as PNG and SVG. ``probabilities`` [N, F] by arm; ``labels`` NaN where unknown.

    A finding with fewer than ten cases of a class is named and not drawn.
    """
    written = []
    for name, draw, axes in (
        ("roc", _roc, ("false positive rate", "true positive rate")),
        ("reliability", _reliability, ("predicted probability", "observed share")),
    ):
        written += _write(folder, name, _panels(draw, axes, probabilities, labels, findings))
    return written


def roc_points(score: np.ndarray, label: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """False and true positive rate at every threshold, from (0, 0) to (1, 1)."""
    order = np.argsort(-score, kind="stable")
    last = np.r_[np.diff(score[order]) != 0, True]
    true, false = np.cumsum(label[order] == 1)[last], np.cumsum(label[order] == 0)[last]
    return np.r_[0.0, false / false[-1]], np.r_[0.0, true / true[-1]]


def reliability_points(score: np.ndarray, label: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean score and share of positives in bins of equal count, each of at least ten cases."""
    order = np.argsort(score, kind="stable")
    bins = np.array_split(order, max(1, min(MOST_BINS, len(order) // FEWEST)))
    return np.array([score[rows].mean() for rows in bins]), np.array([label[rows].mean() for rows in bins])


def _roc(axes: Axes, score: np.ndarray, label: np.ndarray, arm: str) -> None:
    axes.plot(*roc_points(score, label), color=COLOUR[arm], linestyle=DASH[arm], linewidth=1.4, label=arm)


def _reliability(axes: Axes, score: np.ndarray, label: np.ndarray, arm: str) -> None:
    points = reliability_points(score, label)
    axes.plot(*points, color=COLOUR[arm], linestyle=DASH[arm], linewidth=1.2, marker="o", markersize=2.5, label=arm)


def _panels(
    draw: Callable[[Axes, np.ndarray, np.ndarray, str], None],
    names: tuple[str, str],
    probabilities: Mapping[str, np.ndarray],
    labels: np.ndarray,
    findings: Sequence[str],
) -> Figure:
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = min(COLUMNS, len(findings))
    rows = math.ceil(len(findings) / columns)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(PANEL_INCHES * columns + 0.4, PANEL_INCHES * rows + 0.7), layout="constrained")
        figure.get_layout_engine().set(h_pad=0.06, w_pad=0.06)  # type: ignore[call-arg,union-attr]
        FigureCanvasAgg(figure)
        grid = figure.subplots(rows, columns, squeeze=False)
        for number, axes in enumerate(grid.flat):
            if number >= len(findings):
                axes.set_visible(False)
                continue
            known = ~np.isnan(labels[:, number])
            label = labels[known, number]
            _frame(axes, findings[number])
            if min((label == 1).sum(), (label == 0).sum()) < FEWEST:
                axes.text(0.5, 0.5, f"fewer than {FEWEST} cases\nof a class", ha="center", va="center", color="0.4")
                continue
            axes.plot([0, 1], [0, 1], color="0.8", linewidth=0.8, zorder=0)
            for arm in shown(probabilities):
                draw(axes, probabilities[arm][known, number], label, arm)
        figure.supxlabel(names[0], fontsize=9)
        figure.supylabel(names[1], fontsize=9)
        _legend(figure, shown(probabilities))
    return figure


def _frame(axes: Axes, finding: str) -> None:
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal", title=finding)
    axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    axes.set_yticks([0, 0.5, 1], ["0", "0.5", "1"])


def _legend(figure: Figure, arms: Sequence[str]) -> None:
    from matplotlib.lines import Line2D

    lines = [Line2D([], [], color=COLOUR[arm], linestyle=DASH[arm], linewidth=1.6, label=arm) for arm in arms]
    figure.legend(handles=lines, loc="outside upper center", ncols=2 if len(figure.axes) == 1 else 4, frameon=False)


def _write(folder: Path, name: str, figure: Figure) -> list[Path]:
    import matplotlib as mpl

    paths = []
    for suffix, metadata in FORMATS.items():
        path = folder / f"{name}.{suffix}"
        with mpl.rc_context(STYLE):
            figure.savefig(path, dpi=150, metadata=metadata or None)
        paths.append(path)
    return paths
