"""An audit as a table: for the terminal with keys, and as aggregates for what leaves the workspace."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from data_schemas.leakage import MEANING, Leak, LeakReport
from pipelines.cases.describe import FEWEST, withheld

COUNTED = ("same-patient", "future-input")  # their value is a count


def status_of(report: LeakReport, kind: str, *, allow: Collection[str] = ()) -> str:
    """``leak``, ``allowed``, ``watch``, ``not looked at`` or ``none``."""
    severities = {leak.severity for leak in report.leaks if leak.kind == kind}
    if "leak" in severities:
        return "allowed" if kind in allow else "leak"
    if "watch" in severities:
        return "watch"
    return "not looked at" if any(check.skipped for check in report.checks if check.kind == kind) else "none"


def format_audit(report: LeakReport, *, allow: Collection[str] = ()) -> str:
    """The audit as text: a line for each kind, below it what was found and in which studies."""
    lines = []
    for check in report.checks:
        looked = check.skipped or f"{check.compared} {check.what}"
        lines.append(f"{check.kind:<17}{status_of(report, check.kind, allow=allow):<15}{looked}")
        for leak in report.leaks:
            if leak.kind == check.kind:
                finding = f"{leak.finding}: " if leak.finding else ""
                lines.append(f"    {leak.severity}: {finding}{leak.evidence}")
                lines.append(f"    {_measure(leak)}" + (f"; studies {', '.join(leak.where)}" if leak.where else ""))
    return "\n".join(lines)


def aggregates(report: LeakReport, *, allow: Collection[str] = ()) -> dict[str, Any]:
    """The audit without any key, counts under ten as None."""
    return {
        "cases": withheld(report.cases),
        "checks": [
            {
                "kind": check.kind,
                "meaning": MEANING[check.kind],
                "status": status_of(report, check.kind, allow=allow),
                "compared": withheld(check.compared),
                "what": check.what,
                "skipped": check.skipped,
            }
            for check in report.checks
        ],
        "leaks": [
            {
                "kind": leak.kind,
                "severity": leak.severity,
                "finding": leak.finding,
                "evidence": leak.evidence,
                "count": withheld(leak.count),
                "value": withheld(int(leak.value)) if leak.kind in COUNTED else leak.value,
                "limit": leak.limit,
            }
            for leak in report.leaks
        ],
    }


def markdown(report: LeakReport, *, allow: Collection[str] = ()) -> str:
    """The aggregates as Markdown."""
    told = aggregates(report, allow=allow)
    lines = ["# Leakage audit", "", "| kind | found | looked at |", "| --- | --- | --- |"]
    for row in told["checks"]:
        looked = row["skipped"] or f"{_shown(row['compared'])} {row['what']}"
        lines.append(f"| {row['kind']} | {row['status']} | {looked} |")
    if told["leaks"]:
        lines += ["", "| kind | severity | finding | evidence | how many | value | limit |", "| --- " * 7 + "|"]
    for row in told["leaks"]:
        cells = [row["kind"], row["severity"], row["finding"] or "", row["evidence"]]
        cells += [_shown(row["count"]), _shown(row["value"]), f"{row['limit']:g}"]
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", *(f"* {kind}: {meaning}" for kind, meaning in MEANING.items())]
    return "\n".join(lines) + "\n"


def _measure(leak: Leak) -> str:
    if leak.kind in COUNTED:
        return f"how many: {leak.count}"
    return f"how many: {leak.count}; value {leak.value:g}, limit {leak.limit:g}"


def _shown(value: float | None) -> str:
    return f"under {FEWEST}" if value is None else f"{value:g}"
