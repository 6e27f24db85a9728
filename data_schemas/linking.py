"""The settings of linking: whose records are whose, and until when something counts as known."""

from __future__ import annotations

from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import field_validator

from data_schemas.base import Record
from data_schemas.durations import duration_code, parse_duration
from data_schemas.marks import affects

KINDS = ("note", "observation")


class LinkSettings(Record):
    """How scans and records are joined, and what may be an input.

    ``timezone`` (an IANA name) is that of moments which bear none; without it, this machine's. ``offsets`` say, for
    ``note``, ``observation``, one kind of note (``note/order``, or ``order`` for short) or one code
    (``observation/crp``), how long after the cut-off something may be dated to be an input; negative: how long before
    it at least. ``clock_skew`` is how far the clocks of two systems may disagree: so much closer must be proven.
    ``text_identity`` is what becomes of a case whose note says of its patient another sex or age than is known
    ("67-year-old woman"), ages by ``text_age_tolerance_years``.
    """

    allow_undated_text: bool = affects(False)
    ignore_id_case: bool = affects(False)
    ignore_leading_zeros: bool = affects(False)
    age_tolerance_years: float = affects(1.5, ge=0.0)
    text_identity: Literal["quarantine", "refuse-note", "off"] = affects("quarantine")
    text_age_tolerance_years: float = affects(3.0, ge=0.0)
    timezone: str | None = affects(None)
    offsets: dict[str, str] = affects({})
    clock_skew: str = affects("PT0S", validate_default=True)

    @field_validator("timezone")
    @classmethod
    def _is_zone(cls, name: str | None) -> str | None:
        try:
            return name if name is None else str(ZoneInfo(name))
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("no time zone of the IANA list; write one such as Europe/Berlin, or UTC") from None

    @field_validator("offsets", mode="before")
    @classmethod
    def _are_offsets(cls, given: object) -> object:
        if not isinstance(given, dict):
            return given
        found: dict[str, str] = {}
        for name, value in given.items():
            key = offset_name(str(name))
            if key in found:
                raise ValueError(f"{key} stands twice")
            try:
                found[key] = duration_code(parse_duration(value))
            except ValueError as error:
                raise ValueError(f"{key}: {error}") from None
        return dict(sorted(found.items()))

    @field_validator("clock_skew", mode="before")
    @classmethod
    def _is_skew(cls, given: object) -> str:
        code = duration_code(parse_duration(given))
        if code.startswith("-"):
            raise ValueError("a clock skew is not negative")
        return code


def offset_name(name: str) -> str:
    """The one form of what an offset is for: ``note``, ``note/KIND``, ``observation`` or ``observation/CODE``.

    Raises
    ------
    ValueError
        It names neither notes nor observations.
    """
    head, slash, rest = " ".join(name.lower().split()).partition("/")
    if (head, slash) == ("order", ""):
        return "note/order"
    if head not in KINDS or (slash and not rest.strip()):
        raise ValueError(f"'{name}' is neither note, observation, note/KIND, observation/CODE nor order")
    if not slash:
        return head
    return f"note/{plain_kind(rest)}" if head == "note" else f"observation/{rest.strip()}"


def plain_kind(kind: str) -> str:
    """The kind of a note as offsets compare it: lower case, without the word *note* at its end."""
    words = kind.lower().split()
    return " ".join(words[:-1] if len(words) > 1 and words[-1] in ("note", "notes") else words)
