"""Streets, surgeries, shops and firms by the word that ends their name, and the house number before a name."""

# ruff: noqa: E501 - a pattern stands on one line

from __future__ import annotations

import re
from collections.abc import Iterator

from pipelines.notes.release.spans import Found, open_parts
from pipelines.notes.release.vocabulary import is_clinical
from pipelines.notes.release.words import listed, plain

_SHORT = r"(?:St\.|Mt\.|[A-Z]\.)"
# A word takes its hyphens along, so that "A-B-C-D" can be read in one way alone.
_CAP = rf"(?:[A-ZÀ-ÖØ-Þ][\w'’\-]+|{_SHORT})"
_ROAD = (
    r"(?:Road|Rd|Street|St|Avenue|Ave|Lane|Ln|Drive|Close|Court|Crescent|Cres|Terrace|Tce|Way|Rise|Brae|Hill|Green|Mews|Grove|Gardens|"
    r"Walk|Highway|Hwy|Boulevard|Blvd|Loop|Parkway|Pkwy|Place|Square|Row|Parade|Esplanade|Quay|Wharf|Bridge|Park|Common|Broadway|Approach|"
    r"Estate|Fields?|Farm|Cottages?|House|Lodge|Manor|Hall|Villas?|Towers?|Point|Bypass|Turnpike|Pike|Trail|Circle|Ridge|Valley|Creek|Beach|Island)"
)
_PLACE = (
    r"(?:Surgery|(?:Medical |Family |Group |Dental |Health )*(?:Practice|Partnership|Centre|Center|Group|Associates|Clinic)|Medical|Pharmacy|Chemists?|"
    r"Opticians|Dentistry|Dental|Primary|Academy|Infants|Juniors|Nursery|Kindergarten|Preschool|Daycare|Elementary|Middle School|Grammar|"
    r"Church|Parish|Chapel|Mosque|Temple|Synagogue|Cathedral|Gurdwara|Club|Hub|Hospice|Aged Care|Nursing Home|Care Home|Residential Home|"
    r"Assisted Living|Rehab|Solicitors|LLP|Ltd|LLC|Inc|PLC|Foods|Stores|Supermarket|Market|Bakery|Brewery|Garage|Logistics|Welding|Electrical|Plumbing|"
    r"Building|Construction|Engineering|Haulage|Transport|Lines|Industries|Works|Steel|Mills?|Colliery|Mine|Quarry|Airport|Station|Prison|Jail|"
    r"Barracks|Housing|Council|Ambulance|Fire|Police|Imaging|Radiology|Laborator(?:y|ies)|Diagnostics|Dialysis|Infirmary|Regional|General|Memorial)"
)
_NAMED = re.compile(
    rf"(?P<name>{_CAP}(?:(?:[ ]|[ ]&[ ]|[ ]of[ ]|[ ]and[ ]|(?<=\.)-){_CAP}|-{_SHORT}){{0,3}})[ ](?P<head>{_ROAD}|{_PLACE})(?![\w'’\-])"
)
_NUMBER = re.compile(
    r"(?:(?<=[,;(])[ ]*|(?<=[^\d]:)[ ]+|(?<=\n)[ \t]*|\A[ \t]*|(?<=[ ]{2})|(?i:\b)(?i:lives?(?: alone)?(?: at| in)?|living at|at|address|addr|of|from|home|residence|resides at|stays at|moved to|r)[:, ]+)"
    r"(?P<id>(?:(?:Flat|Unit|Apt|Apartment|Lot|Shop|Suite|Ste|Room|Rm|RD|No\.?|Level|Villa|House|Block|Bldg|Trailer|Space|Box|#)[ .]*\d+[a-zA-Z]?[,/ ]+[ ]?)?"
    r"(?:\d{1,5}(?:[a-zA-Z]|[-/]\d{1,4})?,?[ ]+)?)(?=[A-ZÀ-ÖØ-Þa-z])"
)
_SURE = frozenset(
    {"Road", "Rd", "Street", "Avenue", "Ave", "Lane", "Crescent", "Terrace", "Highway", "Hwy", "Boulevard", "Blvd"}
)
_DOUBTFUL = frozenset(
    {"General", "Regional", "Primary", "Medical", "Fire", "Police", "Place", "Way", "Green", "Park", "Works", "Point"}
)
# In notes without capitals: "at maple knoll village", "student east durham college", "in osage beach".
_LOWER = re.compile(
    r"(?:(?<![^\W\d_])(?:at|in|from|to|near|about|of|student(?: at)?|attends?|lives|visiting|via|by)[ ]+(?:the[ ]+)?|(?:^|(?<=[\n,;(])|(?<=: )|(?<=  ))[ ]*)"
    r"(?P<name>[^\W\d_][\w'’]{2,}(?:[ ][^\W\d_][\w'’]+){0,2})[ ]"
    r"(?P<head>village|college|cent(?:re|er)|school|practice|university|academy|church|hospital|hall|lodge|manor|beach|lake|creek|springs|heights|"
    r"oaks|pines|acres|med|medical cent(?:re|er)|health cent(?:re|er)|eye clinic|pharmacy|road|street|lane|avenue|infirmary|institute|estate|towers|"
    r"prison|park|nursing home|care home|rehab|hospice|memorial|regional|kindergarten|nursery|library|opticians)(?![^\W_])",
    re.IGNORECASE,
)
_STREET = re.compile(
    r"(?<![\w./])\d{1,5}[a-z]?[ ]+(?:[nsew]\.?[ ]+)?(?P<name>[^\W\d_][\w'’\-]+(?:[ ][^\W\d_][\w'’\-]+){0,2})[ ]"
    r"(?:road|rd|street|st|avenue|ave|lane|ln|drive|close|crescent|terrace|way|court|ct|gardens|grove|boulevard|blvd|highway|hwy|circle|cir|"
    r"parkway|pkwy|rise|hill|mews|walk|row|square|view|loop|trail|place|pl|brae|approach|parade|esplanade)(?![^\W_])",
    re.IGNORECASE,
)
_GENERIC = listed("generic_places")


def find_bare_places(text: str) -> Iterator[Found]:
    """Capitalised words before "Road", "Surgery", "Primary" and their like, unless all of them are words of medicine."""
    for match in _NAMED.finditer(text):
        words = list(re.finditer(r"[^ &\-]+", match["name"]))
        begins = _begins(text, match.start("name"))
        while words and (begins or match["head"] not in _SURE) and _is_plain(words[0].group()):
            words.pop(0)
        alone = begins and len(words) == 1 and match["head"] in _DOUBTFUL
        if words and not alone:
            yield Found(match.start("name") + words[0].start(), match.end("head"), "PLACE")
    for pattern in (_LOWER, _STREET):
        for match in pattern.finditer(text):
            parts: list[str] = re.findall(r"[^\s\-]+", match["name"])
            kept = [part for part in parts if not _is_plain(part) and plain(part) not in _GENERIC]
            led = text[match.start() : match.start("name")].strip()
            if (
                kept
                and (led or pattern is _STREET or len(kept) > 1)
                and (pattern is _LOWER or len(kept) == len(parts) or kept[-1] == parts[-1])
            ):
                start = match.start() if pattern is _STREET else match.start("name") + match["name"].index(kept[0])
                yield Found(start, match.end(), "PLACE")


def find_beside_names(text: str, taken: bytearray, named: bytearray) -> Iterator[Found]:
    """The number of a house, flat or lot before what is found as a name or a place: ``31 Bingley Rise``."""
    for match in _NUMBER.finditer(text):
        start, end = match.span("id")
        if (
            start < end < len(text)
            and any(map(str.isdigit, match["id"]))
            and named[end]
            and text[end : end + 2].isalpha()
            and not all(taken[start:end])
        ):
            yield from open_parts(text, taken, start, end, "ADDRESS")


def _is_plain(word: str) -> bool:
    """Whether a word is one of medicine or of every day."""
    lower = plain(word.strip("."))
    return lower in listed("stop") | listed("titles") or is_clinical(lower)


def _begins(text: str, start: int) -> bool:
    """Whether a sentence begins here: its first word may be any; a line begins with a name more often."""
    before = text[max(0, start - 2) : start].strip(" ")
    return before[-1:] in {".", ":", "!", "?"}
