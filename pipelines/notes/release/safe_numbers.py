"""Numbers that may stay: measures, doses, scores, levels, times, years, small counts. Whatever else has a digit goes.

A token that mixes letters and digits, has five digits or more, or is one of several groups of digits is an identifier
unless it has the form of something clinical (`number_forms`); some forms are identifiers in any case (`code_forms`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from pipelines.notes.release.code_forms import YEAR, find_codes
from pipelines.notes.release.number_forms import FORMS, WHOLE
from pipelines.notes.release.spans import Found, open_parts
from pipelines.notes.release.vocabulary import is_abbreviation, is_clinical, is_word
from pipelines.notes.release.words import listed, plain

_CHUNK = re.compile(r"[^\s()\[\]{}<>\"“”;,]*\d[^\s()\[\]{}<>\"“”;,]*")
_MIXED = re.compile(r"(?P<before>[^\W\d_]*)-?(?P<digits>\d{1,3})(?P<behind>[^\W\d_]{0,4})(?P<sign>[+\-]?)$")
# EJK 88V, LEN 448 812 V
_BESIDE = re.compile(
    r"(?:[ \-](?:\d{2,6}[A-Z]{0,2}|[A-Z]{1,3}\d{1,6}[A-Z]?))+(?:[ ][A-Z]{1,2})?"
    r"(?![\w%/]|\.\d|[ ]?(?:mg|mcg|ml|mm|cm|kg|units?|bpm|days?|weeks?|hours?|puffs?|tabs?)\b)"
)
_LABELS = listed("number_labels")


def find_unsafe_numbers(text: str, taken: bytearray, first: Iterable[Found]) -> Iterator[Found]:
    """Every token with a digit that has no clinical form and is not taken yet; and what belongs to a found number."""
    own = bytearray(taken)
    for found in _unsafe(text, own, first):
        own[found.start : found.end] = b"\1" * (found.end - found.start)
        yield found


def _unsafe(text: str, taken: bytearray, first: Iterable[Found]) -> Iterator[Found]:
    for found in first:
        if found.kind in {"ID", "PHONE"} and any(map(str.isdigit, text[found.start : found.end])):
            wide = _widened(text, *_touching(text, found.start, found.end))
            yield from open_parts(text, taken, *wide, found.kind)
    safe = bytearray(len(text))
    for _, pattern in FORMS:
        for match in pattern.finditer(text):
            safe[match.start() : match.end()] = b"\1" * (match.end() - match.start())
    bad = bytearray(len(text))
    for start, end in find_codes(text):
        bad[start:end] = b"\1" * (end - start)
        yield from open_parts(text, taken, start, end, "ID")
    for match in _CHUNK.finditer(text):
        for start, end in _untaken(text, taken, match.start(), match.end()):
            digits = [at for at in range(start, end) if text[at].isdigit()]
            touched = any(bad[match.start() : match.end()])
            harmless = all(safe[at] for at in digits) or _is_clinical(text, start, end)
            if touched or (digits and not harmless):
                yield from open_parts(text, taken, *_widened(text, start, end), "ID")


def _untaken(text: str, taken: bytearray, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The runs of a token that no finding has, marks at their ends left out."""
    at = start
    while at < end:
        if taken[at]:
            at += 1
            continue
        stop = at
        while stop < end and not taken[stop]:
            stop += 1
        begin, last = _trimmed(text, at, stop)
        if begin < last:
            yield begin, last
        at = stop


def find_beside_codes(text: str, words: Iterable[Found], taken: bytearray) -> Iterator[Found]:
    """The digits behind unknown letters: ``EJK 88V``, ``LEN 448 812 V``."""
    for word in words:
        letters = text[word.start : word.end]
        if (
            letters.isupper()
            and letters.isalpha()
            and 2 <= len(letters) <= 5
            and (behind := _BESIDE.match(text, word.end))
        ):
            yield from open_parts(text, taken, *behind.span(), "ID")


def _is_clinical(text: str, start: int, end: int) -> bool:
    """Whether a token with a digit is a known form: SpO2, CKD3b, IL-6, 2x, BNP 1432."""
    token = text[start:end].strip("-–*~=>'’")
    pieces = [piece for piece in re.split(r"[/:+=–&]|(?<=\D)-(?=\D)|(?<=[\d%])-(?=[^\W\d_])", token) if piece]
    if len(pieces) > 1 and sum(map(str.isdigit, token)) <= 8:
        return all(_is_piece(text, start, piece) for piece in pieces)
    return _is_piece(text, start, token)


def _is_piece(text: str, start: int, token: str) -> bool:
    if not any(map(str.isdigit, token)):
        word = plain(token.strip(".'"))
        return len(word) < 2 or is_word(word) or is_abbreviation(word)
    if re.fullmatch(r"[<>~+\-]*(?!0\d\d)\d{1,3}(?:\.\d{1,3})?[%+]?", token):
        return True
    if token.isdigit():
        return _is_value(text, start, token)
    mixed = _MIXED.match(token)
    if WHOLE.fullmatch(token):
        return True
    if not mixed:
        return False
    before, digits, behind = mixed["before"], mixed["digits"], mixed["behind"]
    known_before = (
        not before
        or len(before) == 1
        or is_abbreviation(plain(before))
        or is_clinical(plain(before))
        or (before.islower() and is_word(plain(before)))
    )
    known_behind = (
        len(behind) < 2
        or behind.casefold() in {"st", "nd", "rd", "th"}
        or is_abbreviation(plain(behind))
        or (behind.islower() and is_word(plain(behind)))
    )
    fewest = 2 if before else 3
    if (len(before) == 1 and before.isupper() and behind and len(digits) > 1) or (len(before) > 1 and len(behind) > 2):
        return False  # K4417, B2A: a letter, digits and a letter again are a code
    return known_before and known_behind and len(digits) <= fewest and not (len(digits) > 1 and digits[0] == "0")


def _is_value(text: str, start: int, digits: str) -> bool:
    """Whether four or five digits are a value: behind the name of a test or a drug, or a round number."""
    if digits[0] == "0" or len(digits) > 5:
        return False
    before = re.search(
        r"([^\W\d_]+)[ :=]{1,3}(?:(?:of|is|was|to|at|now|up to|peak(?:ed)?)[ ]+)?[<>~]?$",
        text[max(0, start - 40) : start],
    )
    if digits.endswith("00") and len(digits) == 4:
        return True
    if before is None:
        return False
    word = plain(before[1])
    return word not in _LABELS - {"bnp", "ck", "crp"} and (is_clinical(word) or is_abbreviation(word)) and len(word) > 1


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and not (text[start].isalnum() or text[start] in "+#@"):
        start += 1
    while start < end and not (text[end - 1].isalnum() or text[end - 1] in "#%+"):
        end -= 1
    return start, end


def _widened(text: str, start: int, end: int) -> tuple[int, int]:
    """An identifier with the short groups of capitals and digits beside it: ``EJK 88V``, ``LEN 448 812 V``."""
    while before := re.search(r"(?<![^\s(,;:])(?:[A-Z]{1,4}|[A-Z]?\d{1,4}[A-Z]?) $", text[max(0, start - 8) : start]):
        word = before.group().strip()
        fits = word.casefold() not in _LABELS and not (
            word.isalpha() and len(word) > 1 and is_word(plain(word)) and not _code(text, start, end)
        )
        if not fits or (word.isdigit() and len(word) < 2) or word in {"I", "A"}:
            break
        start -= len(before.group())
    while behind := re.match(
        r" (?:[A-Z]{1,3}|\d{1,5}[A-Z]?|[A-Z]\d{1,4})(?![\w./%-]|[ ]?(?:mg|ml|kg|mm|cm)\b)", text[end : end + 12]
    ):
        word = behind.group().strip()
        if word.isdigit() and len(word) == 1 and not _code(text, start, end):
            break
        if (word.isalpha() and len(word) > 1 and (is_abbreviation(plain(word)) or is_word(plain(word)))) or (
            word.isdigit() and YEAR.match(word)
        ):
            break
        end += len(behind.group())
    return start, end


def _touching(text: str, start: int, end: int) -> tuple[int, int]:
    """A number with the letters that touch it, of which a label took the digits: ``SN0417``, ``220417-S``."""
    before = re.search(r"(?<![^\W_])(?:[A-Z]+-?|[A-Z]*\d+-)$", text[max(0, start - 8) : start])
    if before and text[start].isalnum():
        start -= len(before.group())
    behind = re.match(r"-?[A-Z]{1,3}(?![^\W_])|(?:-\d{1,4})+(?![^\W_])", text[end : end + 10])
    if behind and text[end - 1].isdigit():
        end += len(behind.group())
    return start, end


def _code(text: str, start: int, end: int) -> bool:
    """Whether it has four digits."""
    digits = (at for at in range(start, end) if text[at].isdigit())
    return len(list(islice(digits, 4))) == 4
