"""Links without a scheme, names of accounts, initials of who wrote or typed: told by a word before them, or a form."""

# ruff: noqa: E501 - a pattern stands on one line

from __future__ import annotations

import re
from collections.abc import Iterator

from pipelines.notes.release.spans import Found
from pipelines.notes.release.vocabulary import is_word
from pipelines.notes.release.words import listed, plain

_I = re.IGNORECASE
_HANDLES = re.compile(r"(?<![\w.])@(?=[\w.\-]*[^\W\d])\w[\w.\-]*\w")
_ACCOUNT = re.compile(
    r"\b(?:user(?:[ ]?name|[ ]?id)?|log[ -]?in|login|account name|screen name|handle|venmo|paypal|cash ?app|zelle|insta(?:gram)?|ig|"
    r"facebook|fb|messenger|twitter|tiktok|snap(?:chat)?|skype|discord|telegram|signal|whatsapp|wechat|strava|xbox|psn|gamertag|"
    r"linkedin|zoom|teams|facetime|apple ?id|wifi|password|passcode|pw)[ ]?(?:is|:|=|id|name)*[ ]+"
    r"(?P<id>@?(?=[\w.\-]*(?:\d|[._\-]\w))\w[\w.\-]*\w)",
    _I,
)
_DOTTED = re.compile(
    r"(?<![\w@./\-])(?:[a-z0-9](?:[a-z0-9\-]*[a-z0-9])?\.)+(?:[a-z]{2,})(?::\d+)?(?:/[\w./?=&%\-#~+]*[\w/])?(?![\w@])",
    _I,
)
_PATH = re.compile(r"(?<![\w@.])[a-z0-9\-]+(?:\.[a-z0-9\-]+)+/[\w./?=&%\-#~+]*[\w/]", _I)
_UNDERSCORED = re.compile(r"(?<![\w@./])(?=\w*[^\W_]_[^\W_])(?=\w*\d)\w+(?:\.\w+)*(?!\w)")
_NAMED_DOTS = re.compile(
    r"(?<![\w@./])[a-z]{2,}(?:\.[a-z]{2,})*\.\d{1,4}(?!\w)|(?<![\w@./])[a-z]+\d+(?:[._][a-z\d]+)+(?!\w)"
)
_INITIALS = re.compile(
    r"(?i:\b(?:initials?|initialled(?: by)?|typed(?: by)?|typist|transcribed(?: by)?|dictated|ref|our ref|your ref|by)[: ]+)"
    r"(?P<id>[A-Z](?:[ .\-]?[A-Z]){1,3}\.?)(?![\w])"
)
_TYPED = re.compile(
    r"(?<![\w/])(?P<id>(?:[A-Z]{2,4}|[A-Z](?:[a-z]{0,2}[A-Z]){1,3})[/:]{1,2}[a-z]{2,4})(?![\w/:])|(?<=[;,] )(?P<other>[A-Z]{2,3}/[A-Z]{2,3})(?=[ ]*(?:\n|$))"
)
_SIGNED_OFF = re.compile(
    r"(?:[-–—]\s?|(?i:signed)[: ]+|\n[ \t]*|(?i:sig)[: ]+)(?P<id>[A-Z]{2,3})(?=[ ]*(?:\d{1,2}[/.\-]\d|\[|$|\n|\d{4}h?\b))|(?<=[.!?] )(?P<last>[A-Z]{2,3})(?=\s*\Z)"
)
_SPELT = re.compile(r"(?<![\w])(?:[A-Za-z][ ]){4,}[A-Za-z](?![\w])|(?<![\w])(?:[A-Za-z][.\-]){3,}[A-Za-z](?![\w])")
_SPOKEN = r"(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|double|triple|hundred)"
_SPELT_DIGITS = re.compile(rf"(?<![^\W_])(?:{_SPOKEN}(?:[ ]|,[ ]?|-)+){{4,}}{_SPOKEN}(?![^\W_])", _I)
_QUOTED = re.compile(
    r"(?P<open>[\"“])(?P<id>[A-Z][\w'’\-]+(?:[ ](?:[A-Z][\w'’\-]+|&)){0,2})(?=[\"”](?![ ]*(?:sign|test|score)))"
)
_ALIAS = re.compile(
    r"(?i:\b(?:alias|a\.?k\.?a\.?|nick ?name[d]?|known (?:to all |to everyone )?as|likes to be called|prefers(?: to be called)?|"
    r"goes by|called|preferred name|street name|stage name|pronounced)[ ]*(?:is|:|=)?[ ]*[\"“'‘]?)"
    r"(?P<id>[A-Z][\w'’\-]*(?:[ ][A-Z][\w'’\-]*){0,2})"
)
_CREDENTIALS = listed("credentials")
_COUNTRY_ENDS = re.compile(
    r"(?:uk|com|org|net|edu|gov|example|test|local|health|care|clinic|io|co|au|nz|ie|ca|us|app|me|info)$", _I
)


def find_bare_links(text: str) -> Iterator[Found]:
    """Web addresses without a scheme, accounts, names with an underscore or dots and digits."""
    for pattern in (_HANDLES, _PATH, _UNDERSCORED, _NAMED_DOTS):
        yield from (Found(match.start(), match.end(), "URL") for match in pattern.finditer(text))
    yield from (Found(*match.span("id"), "URL") for match in _ACCOUNT.finditer(text))
    for match in _DOTTED.finditer(text):
        pieces = re.split(r"[.:/]", match.group())
        spoken = all(len(piece) == 1 or is_word(plain(piece)) for piece in pieces if piece.isalpha())
        ends = _COUNTRY_ENDS.search(match.group().split("/")[0].split(":")[0])
        if (ends and not spoken) or (ends and len(pieces) > 2) or "/" in match.group():
            yield Found(match.start(), match.end(), "URL")


def find_initials(text: str) -> Iterator[Found]:
    """Initials of who dictated and typed, or signed a line, and names in quotes, spelt or behind *alias*; spelt numbers."""
    for pattern in (_INITIALS, _TYPED, _ALIAS):
        for match in pattern.finditer(text):
            group = "id" if match["id"] else "other"
            if not _is_plain(match[group]):
                yield Found(*match.span(group), "NAME")
    for match in _SIGNED_OFF.finditer(text):
        group = "id" if match["id"] else "last"
        if plain(match[group]) not in _CREDENTIALS and not (
            group == "id" and match.group()[0] == "\n" and is_word(plain(match[group]))
        ):
            yield Found(*match.span(group), "NAME")
    yield from (Found(match.start(), match.end(), "NAME") for match in _SPELT.finditer(text))
    yield from (Found(match.start(), match.end(), "ID") for match in _SPELT_DIGITS.finditer(text))
    for match in _QUOTED.finditer(text):
        before = text[max(0, match.start() - 24) : match.start()]
        # What somebody says is quoted as well; a name stands behind another word of capitals or of naming.
        if not re.search(r"(?:say(?:s|ing)?|said|states?|stated|ask(?:ed|s)?|repl(?:ied|ies)|[,:])\W*$", before, _I):
            yield Found(*match.span("id"), "NAME")


def _is_plain(found: str) -> bool:
    """Whether what stands behind "by" are words that a heading begins with."""
    return plain(found.rstrip(".")) in listed("titles") or (
        len(found) > 4 and found.isupper() and is_word(plain(found))
    )
