"""What may be an input of a case: the cut-off and the study's own report."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from data_schemas.note import Note
from data_schemas.observation import Observation
from data_schemas.reasons import Reason
from pipelines.cases.clock import is_after, on_day_of, order_of
from pipelines.workspace.identity import normalise_id

REPORT = "report"
TIMELESS = frozenset({"sex"})
"""Codes that hold at any time: they need no date."""


def note_exclusion(
    note: Note, *, study_uid: str, cut_off: datetime | None, allow_undated_text: bool = False
) -> Reason | None:
    """Why a note is no input of a study; None where it is one.

    A report of the study is never an input: one that names the study, or names none and is dated on the study's day.
    A report that names no study and cannot be dated against it (either is undated) may be its own, so it counts as
    its own, whatever the settings allow.
    """
    if note.kind == REPORT and _is_own_report(note, study_uid=study_uid, cut_off=cut_off):
        return Reason.OWN_REPORT
    elsewhere = _is_about_another(note.study_uid, study_uid)
    return _date_exclusion(note.written, cut_off=cut_off, allow_undated=allow_undated_text and not elsewhere)


def observation_exclusion(
    item: Observation, *, study_uid: str, cut_off: datetime | None, allow_undated_text: bool = False
) -> Reason | None:
    """Why a value is no input of a study; None where it is one. Sex needs no date."""
    if item.code in TIMELESS:
        return None
    elsewhere = _is_about_another(item.study_uid, study_uid)
    return _date_exclusion(item.taken, cut_off=cut_off, allow_undated=allow_undated_text and not elsewhere)


def latest_values(observations: Iterable[Observation]) -> tuple[Observation, ...]:
    """The latest value of every code, by code; an undated one only where there is no dated one.

    Between values of one moment the choice is by their text, so that it does not depend on an order.
    """
    latest: dict[str, Observation] = {}
    for item in sorted(observations, key=lambda item: (order_of(item.taken), str(item.value), item.unit)):
        latest[item.code] = item
    return tuple(latest[code] for code in sorted(latest))


def is_undated(moment: datetime | None, cut_off: datetime | None) -> bool:
    """Whether something counts as undated: it is, or the study is."""
    return moment is None or cut_off is None


def _is_own_report(note: Note, *, study_uid: str, cut_off: datetime | None) -> bool:
    about = normalise_id(note.study_uid)
    if about:
        return about == normalise_id(study_uid)
    return note.written is None or cut_off is None or on_day_of(note.written, cut_off)


def _is_about_another(about: str, study_uid: str) -> bool:
    """Whether something names another study: undated, it may be of a later one."""
    return normalise_id(about) not in ("", normalise_id(study_uid))


def _date_exclusion(moment: datetime | None, *, cut_off: datetime | None, allow_undated: bool) -> Reason | None:
    if moment is None or cut_off is None:
        return None if allow_undated else Reason.UNDATED
    return Reason.AFTER_CUT_OFF if is_after(moment, cut_off) else None
