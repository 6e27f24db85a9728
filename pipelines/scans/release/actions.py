"""The table of actions: what becomes of an attribute, by its tag and by where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

# Storage classes that a release takes, and how their objects count in the table of needed attributes.
CLASSIC, PET, ENHANCED = "classic", "pet", "enhanced"
_STORAGE = "1.2.840.10008.5.1.4.1.1."
KINDS: Mapping[str, str] = {
    f"{_STORAGE}2": CLASSIC,
    f"{_STORAGE}4": CLASSIC,
    f"{_STORAGE}128": PET,
    f"{_STORAGE}2.1": ENHANCED,
    f"{_STORAGE}2.2": ENHANCED,
    f"{_STORAGE}4.1": ENHANCED,
    f"{_STORAGE}4.4": ENHANCED,
    f"{_STORAGE}130": ENHANCED,
    f"{_STORAGE}128.1": ENHANCED,
}
TEMPORAL = frozenset({"DA", "DT", "TM"})
ZONE = 0x00080201


class Action(StrEnum):
    """What becomes of one attribute; the letters are those of PS3.15 Table E.1-1a."""

    REMOVE = "X"
    EMPTY = "Z"
    DUMMY = "D"
    UID = "U"
    KEEP = "K"
    KEEP_TEXT = "kept unless it holds an identifier"
    KEEP_UID = "kept where the standard registers it, else U"
    CHARACTERISTIC = "kept, an age above 89 years capped"
    SHIFT = "date moved, time kept"


@dataclass(frozen=True, slots=True)
class Rule:
    """The row of one attribute: its value representation by PS3.6, and its action without any option.

    ``choice`` is set where the action depends on whether the object needs the attribute.
    """

    vr: str
    action: Action
    choice: str = ""
    characteristic: bool = False
    temporal: bool = False


def action_of(
    tag: int, parent: int | None, kind: str, *, modified_dates: bool, patient_characteristics: bool
) -> tuple[Action, Action]:
    """The action for an attribute, and the one to fall back on where its value cannot be moved or kept.

    Parameters
    ----------
    tag
        Group and element as one number.
    parent
        Tag of the sequence it stands in; None at the top.
    kind
        ``classic``, ``pet`` or ``enhanced``.
    """
    rule = rule_of(tag)
    base = rule.action
    if rule.choice:
        base = _chosen(rule.choice, _table().needed.get(kind if parent is None else parent, {}).get(tag, 3))
    if patient_characteristics and rule.characteristic:
        return Action.CHARACTERISTIC, base
    if modified_dates and rule.temporal:
        return Action.SHIFT, base
    return base, base


def _chosen(choice: str, attribute_type: int) -> Action:
    """PS3.15 Table E.1-1a: the mildest action that the type of the attribute (1, 2, 3) leaves."""
    if choice == "Z/D":
        return Action.DUMMY if attribute_type == 1 else Action.EMPTY
    if attribute_type == 3:
        return Action.REMOVE
    if choice == "X/Z/U*":
        return Action.UID
    if choice == "X/Z" or (choice == "X/Z/D" and attribute_type == 2):
        return Action.EMPTY
    return Action.DUMMY if attribute_type == 1 else Action.REMOVE


@cache
def rule_of(tag: int) -> Rule:
    """The row of a tag; what has none is removed, save that a standard date may be moved."""
    from pydicom.datadict import dictionary_VR

    table = _table()
    if tag >> 16 & 1:
        return Rule("UN", Action.REMOVE)
    try:
        vr = dictionary_VR(tag)
    except KeyError:
        return Rule("UN", Action.REMOVE)
    listed = table.listed.get(tag)
    action = table.keep.get(tag, Action.REMOVE) if listed is None else Action.REMOVE
    if listed in {"Z", "D", "U"}:
        action = Action(listed)
    return Rule(
        vr,
        action,
        choice=listed if listed and "/" in listed else "",
        characteristic=tag in table.characteristics,
        temporal=(vr in TEMPORAL and tag not in table.person_dates) or tag == ZONE,
    )


def identifiers() -> frozenset[int]:
    """Tags of the attributes, besides names, dates and UIDs, whose values identify."""
    return _table().identifiers


def safe_private() -> Mapping[tuple[str, int, int], str]:
    """Value representation by block owner, group and element in the block, of PS3.15 Table E.3.10-1."""
    return _table().safe_private


@dataclass(frozen=True, slots=True)
class _Table:
    listed: Mapping[int, str]
    keep: Mapping[int, Action]
    needed: Mapping[str | int, Mapping[int, int]]
    characteristics: frozenset[int]
    person_dates: frozenset[int]
    identifiers: frozenset[int]
    safe_private: Mapping[tuple[str, int, int], str]


@cache
def _table() -> _Table:
    content: dict[str, Any] = yaml.safe_load(files(__package__).joinpath("actions.yaml").read_text(encoding="utf-8"))
    special = {"text": Action.KEEP_TEXT, "uids": Action.KEEP_UID}
    return _Table(
        listed={_tag(word): action for action, words in content["listed"].items() for word in words},
        keep={_tag(w): special.get(part, Action.KEEP) for part, words in content["keep"].items() for w in words},
        needed={
            place if place in {CLASSIC, PET, ENHANCED} else _tag(place): {_tag(w): t for w, t in rows.items()}
            for place, rows in content["needed"].items()
        },
        characteristics=frozenset(map(_tag, content["characteristics"])),
        person_dates=frozenset(map(_tag, content["person_dates"])),
        identifiers=frozenset(map(_tag, content["identifiers"])),
        safe_private={(owner, group, element): vr for owner, group, element, vr in content["safe_private"]},
    )


def _tag(keyword: str) -> int:
    from pydicom.datadict import tag_for_keyword

    tag = tag_for_keyword(keyword)
    if tag is None:
        raise LookupError(f"actions.yaml: no attribute has the keyword {keyword}")
    return int(tag)
