"""Numbers that are an identifier whatever else they look like: groups of digits, codes behind a label, plates, postcodes."""

# ruff: noqa: E501 - a pattern stands on one line

from __future__ import annotations

import re
from collections.abc import Iterator

_I = re.IGNORECASE
_SHORTEST_LABELLED = 3
YEAR = re.compile(r"(?:1[89]\d\d|20[0-4]\d)\Z")
# 0491 570 156; 978, 555, 0136; +44 20 7946
_GROUPS = re.compile(
    r"(?<![\w.])\(?\+?\d{2,}\)?(?:(?:[ .\-]|, | - |-?\n|(?<=\)))\(?\d{2,}\)?)+(?!\w)|(?<![\w.])\(?\+?\d{1,5}\)?(?:[ .\-]\(?\d{2,}\)?){2,}(?!\w)"
)
# bleep 2241, key safe 4417, lot no. 88-2041
_BEHIND_LABEL = re.compile(
    r"(?:(?<![\w/])(?:bleep|blp|bl|ext|extn|extension|dect|pager|pgr|page|paged|beep|phone|ph|tel|mob|mobile|cell|fax|call|ring|text|txt|vm|voalte|vocera|(?<!\d )x)[.:]?[ ]?(?:no\.?[ ]?|x[ ]?|#[ ]?)?|"
    r"(?<![\w])(?:key ?(?:safe|box|code|pad)|door code|pin|code|badge|locker|flight|conf(?:irmation)?|reservation|booking|"
    r"permit|policy|claim|auth(?:ori[sz]ation)?|batch|lot|serial|asset(?: tag)?|tag|device|unit|model|docket|event|incident|warrant|crime ref|job|case|lab|path|family|"
    r"screening|subject|participant|rand(?:omi[sz]ation)?|kit|donor|licen[cs]e|lic|reg(?:istration)?|rego|plate|member|"
    r"benefit|client|student|staff|employee|registration|provider|prescriber|room key|parking|invoice|order|receipt|ticket|tracking|ref(?:erence)?|acc(?:ount)?|chart|file|id|pa|np|md|rn)"
    r"[ ]?(?:no|nr|num|number|id|code|ref|card)?[.]?[ ]?(?::|#|=|is|was)?[ ]?#?[ ]?)(?P<id>(?:(?-i:[A-Z]{1,4})[ ]?)?(?:\d+-)?\d{2,}(?:-\d+)*)(?![\w%]|[.,/]\d|[ ]?(?:mg|ml|mm|cm|kg|mcg|days?|weeks?|hours?|months?|years?|yrs?|am\b|pm\b|beats|bpm|units?|min))",
    _I,
)
# Of these labels the first, behind which two digits are enough.
_PHONES = re.compile(
    r"(?:bleep|blp|bl|ext|extn|extension|dect|pager|pgr|page|paged|beep|phone|ph|tel|mob|mobile|cell|fax|vm|voalte|vocera|call|ring|text|txt|x)\b",
    _I,
)
_MAKES = "toyota|honda|ford|vauxhall|nissan|mazda|subaru|hyundai|kia|holden|volkswagen|vw|bmw|audi|mercedes|renault|peugeot|citroen|fiat|skoda|seat|volvo|tesla|chevy|chevrolet|dodge|jeep|chrysler|buick|gmc|suzuki|mitsubishi|isuzu|kenworth|mack|scania|lexus|mini|land rover|jaguar|harley|yamaha|kawasaki"
# What it is, an example, the form, and which part of it goes.
CODES: tuple[tuple[str, str, re.Pattern[str], str | int], ...] = (
    ("single digits", "4 1 7 2 0 3", re.compile(r"(?<![\w.])(?:\d[ ]){5,}\d(?![\w.])"), 0),
    (
        "national insurance",
        "NE 04 41 70 A",
        re.compile(r"(?<!\w)[A-CEGHJ-PR-TW-Z]{2}[ ]?\d\d[ ]?\d\d[ ]?\d\d[ ]?[A-D](?!\w)", _I),
        0,
    ),
    (
        "postcode",
        "yo62 6dn",
        re.compile(
            r"(?<![\w])(?:[A-PR-UWYZ](?:\d{1,2}|[A-HK-Y]\d[\dA-Z]?|\d[A-Z])[ ]?\d[ABD-HJLNP-UW-Z]{2}|[AC-FHKNPRTV-Y]\d[0-9W][ ]?[0-9AC-FHKNPRTV-Y]{4}|"
            r"(?!E\dV\dM)[ABCEGHJ-NPRSTVXY]\d[A-Z][ -]?\d[A-Z]\d)(?![\w])",
            _I,
        ),
        0,
    ),
    (
        "number plate",
        "ute rego 1KQ 7TZ",
        re.compile(
            rf"\b(?:rego?|number plate|licen[cs]e plate|plates?|registration|vehicle|car|van|truck|ute|bike|motorbike|motorcycle|lorry|hgv|suv|sedan|taxi|minibus|tractor|rig|caravan|trailer|{_MAKES})"
            r"(?:[ ,:(]+(?!(?:and|was|hit|struck)\b)[^\W\d_]{2,12})?[ ,:(]+(?P<id>(?=[A-Z0-9 \-]{0,40}\d)(?=[A-Z0-9 \-]{0,40}[A-Z])(?-i:[A-Z0-9]{1,4}[ \-]?[A-Z0-9]{2,4}(?:[ \-][A-Z0-9]{1,3})?))(?![\w])",
            _I,
        ),
        "id",
    ),
    (
        "postcode behind a state",
        "VIC 3060",
        re.compile(r"\b(?:NSW|QLD|VIC|TAS|ACT|SA|WA|NT|Auckland|Wellington|Christchurch)[ ,]+(?P<code>\d{4})(?!\d)"),
        "code",
    ),
)


def find_codes(text: str) -> Iterator[tuple[int, int]]:
    """From and to of digits that are an identifier whatever their form."""
    for match in _GROUPS.finditer(text):
        if _are_groups(match.group()):
            yield match.span()
    for match in _BEHIND_LABEL.finditer(text):
        phone = _PHONES.match(match.group())
        if phone or sum(map(str.isdigit, match["id"])) >= _SHORTEST_LABELLED:
            yield match.span("id")
    for _, _, pattern, part in CODES:
        yield from (match.span(part) for match in pattern.finditer(text))


def _are_groups(found: str) -> bool:
    """Whether groups of digits are one long number: 0491 570 156, 978, 555, 0136, but not 120 80."""
    groups = re.findall(r"\d+", found)
    total = sum(map(len, groups))
    if any(YEAR.match(group) for group in groups) and not found.startswith(("0", "(0", "+")):
        return total >= 10 and not any(len(group) < 3 for group in groups)
    if "/" in found and not any(len(group) > 3 for group in groups):
        return False
    leading = groups[0].startswith("0") or found.startswith(("+", "("))
    return total >= 6 and (
        (total >= 7 and any(len(group) >= 4 for group in groups))
        or leading
        or (len(groups) >= 3 and all(len(group) == 3 for group in groups))
        or (len(groups) >= 3 and total >= 8 and all(len(group) == 3 for group in groups[1:]))
    )
