"""One text, as it may be released: what is known of the patient goes, and whatever has the form of an identifier."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from pipelines.notes.release.bare_dates import find_bare_ages, find_bare_dates
from pipelines.notes.release.bare_links import find_bare_links, find_initials
from pipelines.notes.release.bare_places import find_bare_places, find_beside_names
from pipelines.notes.release.dates import Clock, find_ages, find_dates
from pipelines.notes.release.identifiers import Known, find_known, left_over
from pipelines.notes.release.patterns import find_forms, find_labelled, find_places
from pipelines.notes.release.people import find_people
from pipelines.notes.release.recognisers import find_with_presidio
from pipelines.notes.release.roster import Roster, find_others
from pipelines.notes.release.safe_numbers import find_beside_codes, find_unsafe_numbers
from pipelines.notes.release.safe_words import find_unsafe_words
from pipelines.notes.release.spans import Found, open_parts, replace_all, settle

METHOD = "scanote-notes-2"
# What is not seen and would hide a name from every pattern: soft hyphens, zero-width signs, marks of direction, NULs.
_UNSEEN = dict.fromkeys([0, 0xAD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065), 0xFEFF])
_WIDE = {0xFF01 + at: 0x21 + at for at in range(94)} | {0xA0: 0x20, 0x202F: 0x20, 0x3000: 0x20, 0x2007: 0x20}
LONGEST_RUN = 1000
_NO_TEXT = re.compile(rf"\S{{{LONGEST_RUN},}}")  # a run without a blank that is no text, and could hold anything
LONGEST_BLANK = 200
_BLANKS = re.compile(rf"(?<=\s{{{LONGEST_BLANK}}})\s+")  # what looks across blanks stays quick
_NAMING = frozenset({"NAME", "PLACE", "ADDRESS"})
_OWNED = re.compile(
    r"(?<=\w)['’]s(?=[.,;:)\n]|$|[ ](?:[A-Z]|lab\b|hospital\b|church\b|school\b))"
)  # of a name that a thing is called after: St Kentigern's
_NOBODY = Known()
_EVERYBODY = Roster()


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A text that may be released, and how many findings of each kind were replaced in it."""

    text: str = field(repr=False)
    counts: dict[str, int]


def deidentify(text: str, *, known: Known = _NOBODY, clock: Clock, roster: Roster = _EVERYBODY) -> Cleaned:
    """Replace every identifier of a text: names, ids, contacts, addresses and places by their kind in brackets.

    Dates move by the days of ``clock``, ages beyond 89 become ``90+``, and birth dates go.

    Parameters
    ----------
    text
        A note, or any other text of the record. It is brought to Unicode NFC; signs that are not seen are dropped.
    known
        The patient's own identifiers.
    clock
        How dates are moved.
    roster
        Ids and names of all other patients: a note may name one by mistake.

    Raises
    ------
    RefusedError
        ``identifier-left``: an identifier of the patient still stands in what was written.

    Notes
    -----
    After the identifiers of 45 CFR 164.514(b)(2). The rules come first, for they know what a thing is and move dates;
    what they leave must be on a list of harmless words or have a clinical form, or it goes (Norgeot et al., npj Digital
    Medicine 2020, doi:10.1038/s41746-020-0258-y). Recognisers for contacts and numbers with check sums are those of
    Presidio; names, dates and places are found by rules of this package. No rule finds every name: measure on your own
    notes, and let somebody read a sample.
    """
    ready, runs = _NO_TEXT.subn("[REMOVED]", _BLANKS.sub("", prepare(text)))
    found = find_identifiers(ready, known=known, clock=clock, roster=roster)
    written = replace_all(ready, found)
    if left_over(written, known):
        raise RefusedError(Reason.IDENTIFIER_LEFT, "in the text of a note")
    counts = Counter[str](item.kind for item in found)
    counts["REMOVED"] += runs
    return Cleaned(written, dict(sorted((+counts).items())))


def find_identifiers(
    text: str, *, known: Known = _NOBODY, clock: Clock, roster: Roster = _EVERYBODY, strict: bool = True
) -> tuple[Found, ...]:
    """All findings in a prepared text, in its order, without overlaps.

    ``strict``, as a release is: what no rule finds goes as well, unless it is known to be harmless (`safe_words`,
    `safe_numbers`). Without it the rules alone decide.
    """
    first = settle(text, _findings(text, known, clock, roster))
    if not strict:
        return first
    return settle(text, (*first, *_unknown(text, first)))


def prepare(text: str) -> str:
    """The text in Unicode NFC, with wide letters and blanks made plain, and without signs that are not seen."""
    return unicodedata.normalize("NFC", text.translate(_UNSEEN).translate(_WIDE))


def _findings(text: str, known: Known, clock: Clock, roster: Roster) -> Iterator[Found]:
    """In the order of precedence: links, dates, what is known, what has a form of its own, what the context tells."""
    forms = list(find_forms(text))
    yield from (found for found in forms if found.kind == "EMAIL")
    yield from find_bare_links(text)
    yield from (found for found in forms if found.kind == "URL")
    every_date = list(find_dates(text, clock, known.birth_dates))
    dates = [found for found in every_date if found.end - found.start > len("2021")]
    dated = bytearray(len(text))
    for found in dates:
        dated[found.start : found.end] = b"\1" * (found.end - found.start)
    # A number behind a label is one, whatever else it looks like; unless it begins as a whole date does.
    yield from (found for found in find_labelled(text) if not any(dated[found.start : found.end]))
    yield from dates
    yield from (found for found in forms if found.kind == "ADDRESS")
    yield from find_places(text)
    yield from find_known(text, known)
    yield from find_others(text, roster)
    yield from find_ages(text)
    # Digits of a date and the time of day behind it can look like a phone number.
    contacts = (*forms, *find_with_presidio(text))
    yield from (found for found in contacts if found.kind != "PHONE" or not any(dated[found.start : found.end]))
    yield from every_date
    yield from find_bare_dates(text)
    yield from find_bare_ages(text)
    yield from find_people(text)
    yield from find_initials(text)


def _unknown(text: str, first: tuple[Found, ...]) -> Iterator[Found]:
    """What no rule has found, and what is not known to be harmless either."""
    taken, named = bytearray(len(text)), bytearray(len(text))
    for found in first:
        taken[found.start : found.end] = b"\1" * (found.end - found.start)
        if found.kind in _NAMING:
            named[found.start : found.end] = b"\1" * (found.end - found.start)
    for found in find_unsafe_numbers(text, taken, first):
        taken[found.start : found.end] = b"\1" * (found.end - found.start)
        yield found
    words = tuple(find_unsafe_words(text, taken, named))
    yield from words
    for found in words:
        taken[found.start : found.end] = named[found.start : found.end] = b"\1" * (found.end - found.start)
    for found in find_bare_places(text):
        yield from open_parts(text, taken, found.start, found.end, "PLACE")
        taken[found.start : found.end] = named[found.start : found.end] = b"\1" * (found.end - found.start)
    yield from find_beside_names(text, taken, named)
    yield from find_beside_codes(text, words, taken)
    for match in _OWNED.finditer(text):
        if named[match.start() - 1]:
            yield Found(match.start(), match.end(), "NAME")
