"""What belongs to a name beside it: initials, names that are words, "Surgery", "Street", "van der"."""

from __future__ import annotations

import re

from pipelines.notes.release.reading import Fate, Reading, begins, begins_line_or_field, digit_beside
from pipelines.notes.release.vocabulary import is_abbreviation, is_clinical, may_be_name
from pipelines.notes.release.words import Token, listed

ROUNDS = 4
_HEADS = listed("place_heads")
_OPENINGS = listed("place_openings")
_SUFFIXES = frozenset({"jr", "snr", "jnr", "ii", "iii", "iv", "esq"})
_JOINTS = frozenset({"and", "of", "the", "at", "de", "la", "le", "y", "on", "upon"})
_INNER = listed("particles") | {"of", "the", "upon", "on", "under", "by"}
LONGEST_JOINT, WRAPPED = 3, 55
_NAMED_GAP = re.compile(r"(?:,?[ ]|\.[ ]?|-|[ ]?&[ ]?|/|['’]s[ ]|\n[ \t]*)\Z")
_NO_NAME = listed("no_names")
_VERBS = re.compile(r"(?:ed|ing|ly|s)$")


def spread(reading: Reading, fates: list[Fate]) -> None:
    """Let names take the words beside them that belong to them, and those beside these."""
    for _ in range(ROUNDS):
        if not _spread(reading, fates):
            break


def _spread(reading: Reading, fates: list[Fate]) -> bool:
    """One round; whether it changed anything."""
    text, tokens = reading.text, reading.tokens
    changed = False
    for number, fate in enumerate(fates):
        if fate is Fate.STAYS:
            continue
        for step in (1, -1):
            other = number + step
            if not 0 <= other < len(tokens) or fates[other] is not Fate.STAYS:
                continue
            left, right = (number, other) if step == 1 else (other, number)
            gap = text[tokens[left].end : tokens[right].start]
            if _NAMED_GAP.fullmatch(gap) and _belongs(reading, other, step, gap):
                fates[other] = Fate.GOES
                changed = True
        if _fill(reading, fates, number):
            changed = True
    for number in range(1, len(tokens) - 1):
        between = fates[number] is Fate.STAYS and Fate.STAYS not in (fates[number - 1], fates[number + 1])
        token = tokens[number]
        near = text[tokens[number - 1].end : token.start] == " " == text[token.end : tokens[number + 1].start]
        if (
            between
            and near
            and token.text[0].isupper()
            and token.plain not in listed("titles")
            and not digit_beside(text, token)
        ):
            fates[number] = Fate.GOES
            changed = True
    return changed


def _fill(reading: Reading, fates: list[Fate], number: int) -> bool:
    """Take the small words between two parts of one name: "van der", "Children's of Wauwatosa", "york st john"."""
    text, tokens = reading.text, reading.tokens
    last = number - 1
    while last >= 0 and number - last <= LONGEST_JOINT and tokens[last].plain in _INNER and fates[last] is Fate.STAYS:
        last -= 1
    inner = range(last + 1, number)
    if (
        last < 0
        or not inner
        or any(text[tokens[at - 1].end : tokens[at].start] not in {" ", ". ", "\n"} for at in (*inner, number))
    ):
        return False
    left = tokens[last]
    small = any(tokens[at].plain in {"of", "the", "on", "by", "under"} for at in inner)
    ends = (
        fates[last] is Fate.GOES
        or (fates[last] is Fate.GONE and not small)
        or (left.text[0].isupper() and not left.text.isupper() and not begins(text, left) and left.plain in _OPENINGS)
    )
    if not ends or (tokens[number].text.islower() != left.text.islower()):
        return False
    for at in (last, *inner):
        if fates[at] is Fate.STAYS:
            fates[at] = Fate.GOES
    return True


def _belongs(reading: Reading, number: int, step: int, gap: str) -> bool:
    """Whether a word belongs to the name behind it (step -1) or before it (1), across a gap."""
    text, tokens = reading.text, reading.tokens
    token = tokens[number]
    word, written = token.plain, token.text
    if len(written) == 1 and written.islower():  # b. hartzell, d.osgood
        return step == -1 and gap in {".", ". "} and tokens[number + 1].text.islower()
    if len(written) == 1:
        return _is_initial(text, token, step, gap)
    if gap == ", " and not (
        word in may_be_name() and written[0].isupper() and word not in listed("stop") | _HEADS and not is_clinical(word)
    ):
        return False
    if step == 1 and gap == " " and re.fullmatch(r"[A-Z]-[A-Z]", written):
        return True
    if digit_beside(text, token) or (word in listed("allowed") and word not in _HEADS | _OPENINGS):
        return False
    if (
        word in _OPENINGS
        and step == -1
        and gap in {" ", ". "}
        and not begins(text, token)
        and (written[0].isupper() and not reading.shouted[number])
    ):
        return True
    if "\n" in gap:
        wrapped = tokens[number - 1].end - text.rfind("\n", 0, tokens[number - 1].start) > WRAPPED
        return step == 1 and wrapped and written[0].isupper() and written[1:].islower() and word in _HEADS - _JOINTS
    if word in _NO_NAME or gap == "." or (gap == ". " and step == 1):
        return False
    if written.islower():
        if word in listed("stop") | listed("titles") or is_abbreviation(word):
            return False
        beside = tokens[number - step]
        return (
            beside.text.islower()
            and word in may_be_name()
            and word in listed("hardly_words") | listed("given") | listed("family")
        )
    if word in listed("titles"):
        return False
    if step == 1 and word in _SUFFIXES and gap == " ":
        return True
    shouted = reading.shouted[number]
    if step == -1 and gap == " " and word in _OPENINGS and not shouted and not begins(text, token):
        return True
    if word in _HEADS - _JOINTS:
        return step == 1 or (not begins(text, token) and word not in listed("stop"))
    if word in listed("stop"):
        return False
    if (
        step == -1
        and gap == " "
        and written.isupper()
        and not shouted
        and number
        and tokens[number - 1].plain in {"at", "for", "with", "from", "by"}
    ):
        return True
    if shouted or written.isupper():
        return word in may_be_name()
    if is_clinical(word) and word not in may_be_name():
        return False
    if not begins(text, token):
        return True
    return word in may_be_name() or (step == -1 and begins_line_or_field(text, token) and not _VERBS.search(word))


def _is_initial(text: str, token: Token, step: int, gap: str) -> bool:
    """Whether a single letter beside a name is an initial of it: ``B. Jones``, ``Chad W.``"""
    following = text[token.end : token.end + 1]
    if not token.text.isupper():
        return False
    if step == -1:
        return gap in {" ", ". ", "."} and (token.text not in "IA" or following == ".")
    return gap == " " and token.text not in "IA" and following in {".", ",", "", " ", "\n", ")"}
