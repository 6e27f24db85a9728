"""A parity report as Markdown."""

from __future__ import annotations

from data_schemas.parity import Bounds, FindingParity, ParityReport


def parity_table(report: ParityReport) -> str:
    """The findings, then the parts, then what did not hold."""
    lines = [
        "| finding | cases (positive) | scores differ at most (mean) | AUROC differs by | Brier differs by | slope |",
        "|---|---|---|---|---|---|",
        *(_finding(row) for row in report.findings),
        "",
        "| part | precision | model ms | light ms | times as fast | model MB | light MB |",
        "|---|---|---|---|---|---|---|",
        *(
            f"| {part.part} | {part.precision} | {part.torch_ms:.1f} | {part.compiled_ms:.1f} | {part.ratio:.2f} "
            f"| {part.torch_mb:.1f} | {part.compiled_mb:.1f} |"
            for part in report.parts
        ),
        "",
        f"{report.cases} cases of {report.patients} patients, {report.threads} threads; the novelty remark changed for "
        f"{report.novelty_changed} of them.",
        *(
            [f"The model was fitted on {report.fitted_on} of them: it holds none back, and no score may differ."]
            if report.fitted_on
            else []
        ),
        *(f"failed: {line}" for line in report.failed),
    ]
    return "\n".join(lines)


def _finding(row: FindingParity) -> str:
    scores = f"{row.largest_score_difference:.1e} ({row.mean_score_difference:.1e})"
    slopes = " → ".join("–" if slope is None else f"{slope:.2f}" for slope in row.slope)
    return (
        f"| {row.finding} | {row.cases} ({row.positives}) | {scores} "
        f"| {_told(row.auroc_difference, row.auroc_interval)} | {_told(row.brier_difference, row.brier_interval)} "
        f"| {slopes} |"
    )


def _told(value: float | None, bounds: Bounds | None) -> str:
    if value is None or bounds is None:
        return "–"
    return f"{value:+.4f} ({bounds[0]:+.4f} to {bounds[1]:+.4f})"
