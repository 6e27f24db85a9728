"""A data set as it may be released: every element goes through the table of actions, at every depth."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipelines.scans.release.actions import ZONE, Action, action_of, rule_of, safe_private
from pipelines.scans.release.encode import Elements, Value
from pipelines.scans.release.forms import DUMMY_WORD, dummy, has_form, written_vr
from pipelines.scans.release.identifiers import CHARSET, Identifiers, is_registered, tells
from pipelines.scans.release.keyed import Person, capped_age, keyed_uid, shift_date, shift_date_time
from pipelines.scans.release.profile import SCHEME, Profile
from pipelines.scans.values import text

PATIENT_NAME, PATIENT_ID = 0x00100010, 0x00100020
IDENTITY_REMOVED, METHOD, METHOD_CODES = 0x00120062, 0x00120063, 0x00120064
TEMPORAL_MODIFIED = 0x00280303
CODE_VALUE, CODE_SCHEME, CODE_MEANING = 0x00080100, 0x00080102, 0x00080104


@dataclass(frozen=True, slots=True)
class Context:
    """What the actions of one object need to know."""

    key: bytes = field(repr=False)
    person: Person
    profile: Profile
    kind: str
    little: bool
    known: Identifiers = field(repr=False)


def deidentify(source: Elements, context: Context) -> dict[int, Value]:
    """Return the elements of an image object that may be released, with the profile recorded among them.

    Parameters
    ----------
    source
        The data set without its pixels; nothing of it is changed.
    context
        Key, person, profile and kind of the object.

    Notes
    -----
    After DICOM PS3.15 Annex E (2026c): the Basic Application Level Confidentiality Profile with the options of the
    profile. What neither its table nor the list of safe image attributes names is removed.
    """
    elements = _elements(source, None, context, b"")
    for tag, vr in ((PATIENT_NAME, "PN"), (PATIENT_ID, "LO")):
        elements[tag] = Value(vr, context.person.pseudonym.encode())
    elements[IDENTITY_REMOVED] = Value("CS", b"YES")
    elements[METHOD] = Value("LO", "\\".join(context.profile.methods).encode())
    elements[METHOD_CODES] = Value("SQ", items=tuple(_code(code, name) for code, name in context.profile.codes))
    elements[TEMPORAL_MODIFIED] = Value("CS", context.profile.temporal_information.encode())
    return elements


def _elements(source: Elements, parent: int | None, context: Context, charset: bytes) -> dict[int, Value]:
    found: dict[int, Value] = {}
    if CHARSET in source:
        charset = source[CHARSET].data
    for tag, given in source.items():
        private = tag >> 16 & 1
        value = _private(source, tag, context) if private else _element(given, tag, parent, context, charset)
        if value is not None:
            found[tag] = value
    for creator in {at & 0xFFFF0000 | at >> 8 & 0xFF for at in found if at >> 16 & 1}:
        found[creator] = source[creator]
    return found


def _element(given: Value, tag: int, parent: int | None, context: Context, charset: bytes) -> Value | None:
    profile = context.profile
    action, fallback = action_of(
        tag,
        parent,
        context.kind,
        modified_dates=profile.modified_dates,
        patient_characteristics=profile.patient_characteristics,
    )
    if action is Action.REMOVE:
        return None
    expected = rule_of(tag).vr
    if given.items is not None or expected == "SQ":
        return _sequence(given, tag, action, context, charset) if expected == given.vr else None
    vr = written_vr(expected, given.vr)
    value = _valued(tag, vr, given.data, action, context, charset)
    if value is None and fallback is not action:
        value = _valued(tag, vr, given.data, fallback, context, charset)
    return value if value is None else Value(vr, value)


def _valued(tag: int, vr: str, data: bytes, action: Action, context: Context, charset: bytes) -> bytes | None:
    """The new value; None where the element goes, or where the action does not fit its value."""
    if action is Action.EMPTY or action is Action.DUMMY:
        return _replaced(tag, vr, action, context)
    if action is Action.UID:
        return _uids(data, context, registered=False)
    if action is Action.KEEP_UID:
        return _uids(data, context, registered=True)
    if action is Action.SHIFT:
        return _moved(tag, vr, data, context)
    if action is Action.KEEP_TEXT or (action is Action.CHARACTERISTIC and vr == "SH"):
        return _clean_text(vr, data, context, charset)
    if action is Action.CHARACTERISTIC and vr == "AS":
        age = capped_age(text(data))
        return age.encode() if age else b"" if not data.strip(b" \0") else None
    if action in {Action.KEEP, Action.CHARACTERISTIC}:
        return data if has_form(vr, data) else None
    return None


def _replaced(tag: int, vr: str, action: Action, context: Context) -> bytes:
    if tag in {PATIENT_NAME, PATIENT_ID}:
        return context.person.pseudonym.encode()
    if action is Action.EMPTY:
        return b""
    return keyed_uid(context.key, "dummy").encode() if vr == "UI" else dummy(vr, little=context.little)


def _uids(data: bytes, context: Context, *, registered: bool) -> bytes:
    parts = [part.strip() for part in text(data).split("\\")]
    return "\\".join(
        part if registered and is_registered(part) else keyed_uid(context.key, part) for part in parts
    ).encode()


def _moved(tag: int, vr: str, data: bytes, context: Context) -> bytes | None:
    if not data.strip(b" \0"):
        return b""
    if vr == "TM" or tag == ZONE:
        zone = text(data)
        fits = has_form("TM", data) if tag != ZONE else len(zone) == 5 and zone[0] in "+-" and zone[1:].isdecimal()
        return data if fits else None
    move = shift_date if vr == "DA" else shift_date_time
    moved = [move(part, context.person.shift_days) for part in text(data).split("\\")]
    return "\\".join(part for part in moved if part).encode() if all(moved) else None


def _clean_text(vr: str, data: bytes, context: Context, charset: bytes) -> bytes | None:
    if not has_form(vr, data):
        return None
    told = text(data, charset)
    known = context.known
    holds = tells(told, known, known.dates) or any(piece in data.lower() for piece in known.raw)
    return DUMMY_WORD.encode() if holds else data


def _sequence(given: Value, tag: int, action: Action, context: Context, charset: bytes) -> Value | None:
    if action is Action.EMPTY:
        return Value("SQ", items=())
    items = given.items or ()
    if action is Action.DUMMY:
        return Value("SQ", items=tuple(_dummy_item(item, tag, context, charset) for item in items or ({},)))
    if action in {Action.KEEP, Action.UID}:
        return Value("SQ", items=tuple(_elements(item, tag, context, charset) for item in items))
    return None


def _dummy_item(item: Elements, tag: int, context: Context, charset: bytes) -> dict[int, Value]:
    """An item that tells nothing: its UIDs replaced, nothing else of it; else a code that stands for no concept."""
    from pydicom.datadict import keyword_for_tag

    kept = _elements(item, tag, context, charset)
    uids = {at: value for at, value in kept.items() if value.vr == "UI"}
    if uids or "Code" not in keyword_for_tag(tag):
        return uids
    return _code(DUMMY_WORD, "removed", scheme="99SCANOTE")


def _code(value: str, meaning: str, *, scheme: str = SCHEME) -> dict[int, Value]:
    return {
        CODE_VALUE: Value("SH", value.encode()),
        CODE_SCHEME: Value("SH", scheme.encode()),
        CODE_MEANING: Value("LO", meaning.encode()),
    }


def _private(source: Elements, tag: int, context: Context) -> Value | None:
    """A private element, where the standard lists it as safe and the profile retains such."""
    if not context.profile.safe_private or tag & 0xFF00 < 0x1000:
        return None
    creator = tag & 0xFFFF0000 | tag >> 8 & 0xFF
    if creator not in source:
        return None
    vr = safe_private().get((text(source[creator].data), tag >> 16, tag & 0xFF))
    given = source[tag]
    if vr is None or given.items is not None or given.vr not in {vr, "UN"} or not has_form(vr, given.data):
        return None
    return Value(vr, given.data)
