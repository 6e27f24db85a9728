"""Numbers that may stay: measures, doses, scores, levels, times, years, small counts. Whatever else has a digit goes.

A token that mixes letters and digits, has five digits or more, or is one of several groups of digits is an identifier
unless it has the form of something clinical.
"""

# ruff: noqa: E501 - a pattern stands on one line

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pipelines.notes.release.spans import Found, open_parts
from pipelines.notes.release.vocabulary import is_abbreviation, is_clinical, is_word
from pipelines.notes.release.words import listed, plain

_I = re.IGNORECASE
_UNIT = (
    r"(?:m?mol|[µu]mol|nmol|pmol|mosm|m?eq|mcg|[µu]g|mg|ng|pg|kg|gm|gr|grams?|m?iu|units?|ml|mls|cc|[dµumn]l|lit(?:re|er)s?|"
    r"mm|cm|km|nm|ft|feet|foot|inch(?:es)?|yards?|miles?|lbs?|pounds?|oz|stone|°|deg(?:rees)?|%|percent|per cent|bpm|mmhg|hg|kpa|cmh2o|"
    r"hz|k?v|ma|mas|msv|c?gy|mbq|gbq|mci|hu|sec(?:ond)?s?|ms|msec|min(?:ute)?s?|hrs?|hours?|hourly|days?|daily|wks?|weeks?|weekly|"
    r"months?|monthly|mths?|mo|yrs?|years?|yearly|y/?o|times|puffs?|tab(?:let)?s?|cap(?:sule)?s?|drops?|doses?|pack|pk|cigs?|cigarettes|"
    r"steps|k?cal(?:ories)?|joules?|watts?|mets?|images|slices|views|cells?|copies|beats|breaths|cycles?|fractions?|sessions?|visits?|episodes?|"
    r"fold|rpm|french|gauge|ga|diopters?|ds|dc|db|ph|mil|million|thousand|bottles?|pints?|glasses|cups?|cans?|sprays?|patch(?:es)?|"
    r"rads?|points?|pts|children|people|patients|stairs|flights?|blocks?|meters?|metres?)"
)
_NUMBER = r"\d+(?:,\d{3})*(?:\.\d+)?"
# Single letters are units as they are written, and behind four digits at the most.
_LETTER = r"(?-i:[gmshdwyxLlUuFCKXJ])"
_SIGN = r"[<>~≤≥±+=\-–^]*"
_SAFE = tuple(
    re.compile(pattern, flags)
    for pattern, flags in (
        # 2.5 mg, 10-20 mL/kg, 5 x 7 mm, 1,200 steps, 10^9/L
        (rf"(?<![\w./]){_SIGN}(?!0\d{{2}})\d{{1,6}}(?:,\d{{3}})*(?:\.\d+)?(?:[ ]?(?:[-–x×/*]|to|by)[ ]?{_NUMBER})*[ -]?{_UNIT}(?:[²³23]|\b)(?:[ ]?/[ ]?(?:{_UNIT}|\d+[ ]?{_UNIT}|lpf|hpf))*(?![^\W_])", _I),
        (rf"(?<![\w./]){_SIGN}(?!0\d{{2}})\d{{1,4}}(?:\.\d+)?(?:[ ]?[-–x×/][ ]?\d{{1,4}}(?:\.\d+)?)*[ ]?{_LETTER}(?:/(?:{_UNIT}|{_LETTER}))?(?![^\W_]|[ ]?\d{{3}})", _I),
        (r"(?<![\w.])[x×]?[ ]?10[\^*]?[3-9]\d?(?:/[^\W\d_]+)?(?![\w])", _I),
        # 7, 1.25, 98.6, 1,200, -3, +2, 2+, 15%, 1:40
        (rf"(?<![\w./,])(?<![^\W\d_]-){_SIGN}(?<![^\W\d_]-)(?!0\d{{2}})\d{{1,3}}(?:\.\d{{1,3}})?[+%°]*(?![\w/]|[.,]\d|-(?:[A-Z]\b|[A-Z]{{2}}|\d{{4}}))", 0),
        (rf"(?<![\w./]){_SIGN}\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?(?![\w/])", 0),
        (rf"(?<![\w.]){_SIGN}(?!0\d)\d{{1,4}}\.\d{{1,3}}%?(?![\w/.])", 0),
        (r"(?<![\w.])1:\d{1,6}(?!\w)", 0),
        # 120/80, 4/5, 24/380/+14/80%, 3-5, 2-3/10, 138-142
        (rf"(?<![\w.]){_SIGN}(?!0\d\d)\d{{1,3}}(?:\.\d{{1,2}})?\+?(?:[ ]?[/\-–:x×][ ]?[+\-]?(?!0\d\d)\d{{1,3}}(?:\.\d{{1,2}})?[+%]?){{1,4}}(?![\w]|[/.\-]\w)", _I),
        # 8.00, 14:05, 10.30am, 1532h, at 0417
        (r"(?<![\w.])(?:[01]?\d|2[0-4])[:.h][0-5]\d(?:[:.][0-5]\d)?(?:[ ]?[ap]\.?m\b\.?)?(?!\w)", _I),
        (r"(?<![\w.])\d{1,2}(?:[.:]\d\d)?[ ]?[ap]\.?m(?![^\W_])", _I),
        (r"(?<![\w.])(?:[01]\d|2[0-3])[0-5]\d[ ]?(?:h|hrs?|hours)(?![^\W_])", _I),
        (r"(?:\b(?:at|@|from|to|until|till|by|since|time|around|about|between|and|approx|before|after|given|taken|done|out|void\w*|arriv\w*|onset|drawn|sent|seen|called|informed|\d{2,4}|on)[ :]+|@[ ]?)(?:[01]\d|2[0-3])[0-5]\d(?!\w|[ .,\-/]\d)", _I),
        (r"\b(?:version|release|v\.?|software|revision)[ ]?\d{1,3}(?:\.\d{1,3}){1,3}(?![\w])", _I),
        # years
        (r"(?<![\w.])(?:1[89]\d\d|20[0-4]\d)s?(?:[-–/](?:(?:1[89]|20)?\d\d))?(?!\w)(?![-/.]\d)", 0),
        # C5/6, L4-S1, T12, D10
        (r"(?<![\w])[CTLSDctls]\d{1,2}(?:[ ]?[-–/][ ]?[CTLSDctls]?\d{1,2})*(?![\w])", 0),
        # E3V4M5, G2P1, T3aN1bM0, G3P2002
        (r"(?<!\w)(?:[EVM]\d){2,3}T?(?!\w)|(?<!\w)E\dV[\dT]M\d(?!\w)|(?<!\w)G\d{1,2}[ ]?P\d{1,4}(?:\+\d)?(?!\w)|(?<!\w)[ypcr]{0,2}T[0-4isx][a-d]?(?:[ ]?N[0-3x][a-c]?)?(?:[ ]?M[01x][a-c]?)?(?!\w)", 0),
        # ICD-10 with a point; genes and proteins
        (r"(?<![\w])[A-TV-Z]\d[\dAB]\.\d{1,4}[A-Z]?(?![\w])", 0),
        (r"(?<![\w.])[cpgmnr]\.(?:\(?[\w*>_+=\-]+\)?)(?![\w])", 0),
        (r"(?<![\w])(?:BRCA|TP|MLH|MSH|PMS|CHEK|HER|JAK|FGFR|CDK|PIK3|KRT|CK|CD|DQ|DR|DP|HLA-?[ABC]|CYP\d?[A-Z]?|GLUT|NAV|RET|MEN|SCN|APOE)-?\d{1,3}[A-Z]?(?:\*\d\d(?::\d\d)?)?[+\-]?(?![\w])", 0),
        (r"(?<!\w)\d{1,2}[pq]\d{0,2}(?:\.\d{1,2})?(?!\w)|(?<!\w)4[5-9],?X[XY]{0,2}(?!\w)", 0),
    )
)  # fmt: skip
_CHUNK = re.compile(r"[^\s()\[\]{}<>\"“”;,]*\d[^\s()\[\]{}<>\"“”;,]*")
_MIXED = re.compile(r"(?P<before>[^\W\d_]*)-?(?P<digits>\d{1,3})(?P<behind>[^\W\d_]{0,4})(?P<sign>[+\-]?)$")
_GROUPS = re.compile(
    r"(?<![\w.])\(?\+?\d{2,}\)?(?:(?:[ .\-]|, | - |-?\n|(?<=\)))\(?\d{2,}\)?)+(?!\w)|(?<![\w.])\(?\+?\d{1,5}\)?(?:[ .\-]\(?\d{2,}\)?){2,}(?!\w)"
)
_SINGLE = re.compile(r"(?<![\w.])(?:\d[ ]){5,}\d(?![\w.])")
_BESIDE = re.compile(
    r"(?:[ \-](?:\d{2,6}[A-Z]{0,2}|[A-Z]{1,3}\d{1,6}[A-Z]?))+(?:[ ][A-Z]{1,2})?(?![\w%/]|\.\d|[ ]?(?:mg|mcg|ml|mm|cm|kg|units?|bpm|days?|weeks?|hours?|puffs?|tabs?)\b)"
)
_YEAR = re.compile(r"(?:1[89]\d\d|20[0-4]\d)\Z")
_BEHIND_LABEL = re.compile(
    r"(?:(?<![\w/])(?:bleep|blp|bl|ext|extn|extension|dect|pager|pgr|page|paged|beep|phone|ph|tel|mob|mobile|cell|fax|call|ring|text|txt|vm|voalte|vocera|(?<!\d )x)[.:]?[ ]?(?:no\.?[ ]?|x[ ]?|#[ ]?)?|"
    r"(?<![\w])(?:key ?(?:safe|box|code|pad)|door code|pin|code|badge|locker|docket|flight|conf(?:irmation)?|reservation|booking|"
    r"permit|policy|claim|auth(?:ori[sz]ation)?|batch|lot|serial|asset(?: tag)?|tag|device|unit|model|docket|event|incident|warrant|crime ref|job|case|lab|path|family|"
    r"screening|subject|participant|rand(?:omi[sz]ation)?|kit|donor|licen[cs]e|lic|reg(?:istration)?|rego|plate|member|"
    r"benefit|client|student|staff|employee|registration|provider|prescriber|room key|parking|invoice|order|receipt|ticket|tracking|ref(?:erence)?|acc(?:ount)?|chart|file|id|pa|np|md|rn)"
    r"[ ]?(?:no|nr|num|number|id|code|ref|card)?[.]?[ ]?(?::|#|=|is|was)?[ ]?#?[ ]?)(?P<id>(?:(?-i:[A-Z]{1,4})[ ]?)?(?:\d+-)?\d{2,}(?:-\d+)*)(?![\w%]|[.,/]\d|[ ]?(?:mg|ml|mm|cm|kg|mcg|days?|weeks?|hours?|months?|years?|yrs?|am\b|pm\b|beats|bpm|units?|min))",
    _I,
)
_PHONES = re.compile(
    r"(?:bleep|blp|bl|ext|extn|extension|dect|pager|pgr|page|paged|beep|phone|ph|tel|mob|mobile|cell|fax|vm|voalte|vocera|call|ring|text|txt|x)\b",
    _I,
)
_FORMS = re.compile(
    r"(?:Sp?[Oo]2|FiO2|PaC?O2|[EP]?t?CO2|H2O|HCO3|NaHCO3|HbA1c|A1c|B12|T[34]|FT[34]|FEV1|FEV6|CA-?\d{2,3}(?:-\d)?|HER2|L\d{1,2}/[1-5S]\d?|[CTLS]\d{1,2}[/-]\d{1,2}|E[1-4]V[1-5T]M[1-6]|H1N1|P[HG]Q-?9|MgSO4|KPO4|N2O|O2|x\d|CHA2DS2(?:-VASc)?|ABCD2|HSV-?[12]|HIV-?[12]|1st|2nd|3rd|[AO]x[1-4]|x-?\d+)",
    _I,
)
_SHORTEST_LABELLED = 3
_LABELS = listed("number_labels")
_NATIONAL = re.compile(r"(?<!\w)[A-CEGHJ-PR-TW-Z]{2}[ ]?\d\d[ ]?\d\d[ ]?\d\d[ ]?[A-D](?!\w)", _I)
_POSTCODES = re.compile(
    r"(?<![\w])(?:[A-PR-UWYZ](?:\d{1,2}|[A-HK-Y]\d[\dA-Z]?|\d[A-Z])[ ]?\d[ABD-HJLNP-UW-Z]{2}|[AC-FHKNPRTV-Y]\d[0-9W][ ]?[0-9AC-FHKNPRTV-Y]{4}(?<=\d.{0,3})|"
    r"(?!E\dV\dM)[ABCEGHJ-NPRSTVXY]\d[A-Z][ -]?\d[A-Z]\d)(?![\w])".replace(r"(?<=\d.{0,3})", ""),
    _I,
)  # fmt: skip
_MAKES = "toyota|honda|ford|vauxhall|nissan|mazda|subaru|hyundai|kia|holden|volkswagen|vw|bmw|audi|mercedes|renault|peugeot|citroen|fiat|skoda|seat|volvo|tesla|chevy|chevrolet|dodge|jeep|chrysler|buick|gmc|suzuki|mitsubishi|isuzu|kenworth|mack|scania|lexus|mini|land rover|jaguar|harley|yamaha|kawasaki"
_PLATES = re.compile(
    rf"\b(?:rego?|number plate|licen[cs]e plate|plates?|registration|vehicle|car|van|truck|ute|bike|motorbike|motorcycle|lorry|hgv|suv|sedan|taxi|minibus|tractor|rig|caravan|trailer|{_MAKES})"
    r"(?:[ ,:(]+(?!(?:and|was|hit|struck)\b)[^\W\d_]{2,12})?[ ,:(]+(?P<id>(?=[A-Z0-9 \-]*\d)(?=[A-Z0-9 \-]*[A-Z])(?-i:[A-Z0-9]{1,4}[ \-]?[A-Z0-9]{2,4}(?:[ \-][A-Z0-9]{1,3})?))(?![\w])",
    _I,
)
_STATE = re.compile(r"\b(?:NSW|QLD|VIC|TAS|ACT|SA|WA|NT|Auckland|Wellington|Christchurch)[ ,]+(?P<code>\d{4})(?!\d)")


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
    for pattern in _SAFE:
        for match in pattern.finditer(text):
            safe[match.start() : match.end()] = b"\1" * (match.end() - match.start())
    bad = bytearray(len(text))
    for start, end in _bad(text):
        bad[start:end] = b"\1" * (end - start)
        yield from open_parts(text, taken, start, end, "ID")
    for match in _CHUNK.finditer(text):
        for start, end in _untaken(text, taken, match.start(), match.end()):
            digits = [at for at in range(start, end) if text[at].isdigit()]
            touched = any(bad[at] for at in range(match.start(), match.end()))
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


def _bad(text: str) -> Iterator[tuple[int, int]]:
    """Digits that are an identifier whatever their form: groups of them, and those behind a label."""
    for match in _GROUPS.finditer(text):
        if _are_groups(match.group()):
            yield match.span()
    yield from (match.span() for match in _SINGLE.finditer(text))
    for match in _BEHIND_LABEL.finditer(text):
        phone = _PHONES.match(match.group())
        if phone or sum(map(str.isdigit, match["id"])) >= _SHORTEST_LABELLED:
            yield match.span("id")
    for pattern in (_NATIONAL, _POSTCODES):
        yield from (match.span() for match in pattern.finditer(text))
    yield from (match.span("id") for match in _PLATES.finditer(text))
    yield from (match.span("code") for match in _STATE.finditer(text))


def _are_groups(found: str) -> bool:
    """Whether groups of digits are one long number: 0491 570 156, 978, 555, 0136, but not 120 80."""
    groups = re.findall(r"\d+", found)
    total = sum(map(len, groups))
    if any(_YEAR.match(group) for group in groups) and not found.startswith(("0", "(0", "+")):
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
    if _FORMS.fullmatch(token):
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
            word.isdigit() and _YEAR.match(word)
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
    return sum(map(str.isdigit, text[start:end])) >= 4
