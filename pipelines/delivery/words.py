"""Numbers, codes and moments in the words that a reader expects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from data_schemas.diagnosis import Lane
from data_schemas.finding import findings
from data_schemas.reasons import MEANING, Reason, Remark
from pipelines.cases.clock import DAYS_A_YEAR, years_between, zone_of

LANE_MEANING = {
    Lane.CONFIDENT: "The model is calibrated and sure of this study.",
    Lane.REVIEW: "A reader decides; the scores order and prepare the work.",
    Lane.REFUSE: "The model does not speak on this study; see the reasons.",
}
_MEANING = {code.value: text for code, text in MEANING.items()}
DIRECTIONS = (("R", "L"), ("A", "P"), ("S", "I"))


@dataclass(frozen=True)
class Chip:
    """A code with its meaning in one line."""

    code: str
    meaning: str


def display_name(finding: str) -> str:
    """The finding as people write it; one that is not in the list keeps its own name."""
    known = findings().get(finding)
    return known.display if known else finding


def finding_note(finding: str) -> str:
    """What needs to be said of a finding that has no code of its own."""
    known = findings().get(finding)
    return known.note if known else ""


def probability_text(probability: float) -> str:
    """Two decimals, and never a certainty: ``<0.01`` and ``>0.99`` at the ends."""
    if probability < 0.01:
        return "<0.01"
    return ">0.99" if probability > 0.99 else f"{probability:.2f}"


def chips(codes: Iterable[Reason | Remark]) -> list[Chip]:
    """Codes with their meanings, each once, in their order."""
    return [Chip(code.value, MEANING.get(code, "")) for code in dict.fromkeys(codes)]


def meaning_of(code: str) -> str:
    """The meaning of a reason's or remark's code; empty for one that is unknown."""
    return _MEANING.get(code, "")


def position_text(position_mm: tuple[float, float, float]) -> str:
    """RAS millimetres as viewers write them: ``R 45 · P 12 · S 30 mm``."""
    parts = (
        f"{names[0] if value >= 0 else names[1]} {abs(round(value))}"
        for value, names in zip(position_mm, DIRECTIONS, strict=True)
    )
    return " · ".join(parts) + " mm"


def moment_text(moment: datetime | None) -> str:
    """A moment to the minute, or the day where it is one; ``undated`` where there is none."""
    if moment is None:
        return "undated"
    text = moment.isoformat(sep=" ", timespec="minutes")
    return text.removesuffix(" 00:00")


def before_text(moment: datetime | None, cut_off: datetime | None, timezone: str = "") -> str:
    """How long before the cut-off; empty where either is undated. ``timezone`` is that of moments without one."""
    if moment is None or cut_off is None:
        return ""
    days = years_between(moment, cut_off, zone=zone_of(timezone)) * DAYS_A_YEAR
    if days < 0:
        return "after the cut-off"
    for unit, length in (("year", DAYS_A_YEAR), ("month", DAYS_A_YEAR / 12), ("day", 1.0), ("hour", 1 / 24)):
        count = int(days / length + 1e-6)
        if count >= (2 if unit in ("year", "month") else 1):
            return f"{count} {unit}{'s' if count > 1 else ''} before the scan"
    return "within the hour before the scan"


def value_text(value: float | str) -> str:
    """A number in its shortest form, or the text."""
    return value if isinstance(value, str) else f"{value:.6g}"


def measure_text(value: float, unit: str | None) -> str:
    """A measurement to three digits with its unit; ``1`` is none."""
    return f"{value:.3g}" if unit in (None, "", "1") else f"{value:.3g} {unit}"
