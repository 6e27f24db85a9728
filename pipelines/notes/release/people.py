"""Names of other people: told by a title, a signature, a label, a relation, a degree, or by being a given name."""

# ruff: noqa: E501 - a pattern stands on one line

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pipelines.notes.release.spans import Found
from pipelines.notes.release.words import Token, listed, tokens_of

LONGEST_NAME = 4
NEAR = 200
_SIGNED = re.compile(
    r"\b(?:(?:signed|dictated|transcribed|reviewed|reported|authored|verified|approved|finali[sz]ed|interpreted|read|"
    r"attested|authenticated|co-?signed|prepared|entered|performed|ordered|referred|requested|unterschrieben|gezeichnet|"
    r"gez|vidiert)(?:[ ]+(?:by|von|per)[ ]*:?|[ ]*:|\b[^.:\n]{0,40}?\b(?:by|von|per)\b:?)|"
    r"(?:examined|supervised|discussed|communicated|seen|evaluated|operated|admitted|accompanied|brought in|relayed|spoke|"
    r"conveyed|given|called|telephoned|paged|faxed|assisted|followed|treated|managed|cared for|scrubbed|notified|informed|"
    r"consent(?:ed)?|results?|findings?|report|case|reviewed|reported|referred|message|copy|letter)\b[^.:\n]{0,40}?"
    r"\b(?:by|to|with|from|per)\b)\s*",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"(?:^|(?<=[\n;|\t])|(?<=  ))[ \t>*\-]*+(?:(?:patient|pt|full|last|first|middle|given|family|maiden|sur|mother'?s|"
    r"father'?s|spouse|guarantor|subscriber|attending|referring|ordering|requesting|consulting|admitting|primary|"
    r"primary care|family|reading|reporting|responsible|emergency|performing|interpreting|treating|discharging)[ ]*"
    r"(?:'s)?[ ]*)*(?:patient|pt|name|surname|physicians?|doctor|provider|practitioner|radiologist|surgeon|consultant|"
    r"attending|resident|fellow|technologist|technician|tech|nurse|pcp|gp|author|signed|dictator|transcriptionist|"
    r"next of kin|nok|contact(?: person)?|guardian|caregiver|carer|cc|re|to|from|copies to|copy to|attn|dear|"
    r"hausarzt|patientin|arzt)[ \t]*(?:\([^)\n]{0,30}\)[ \t]*)?(?::|(?<=dear)|(?<=Dear)|=)[ \t]*",
    re.IGNORECASE,
)
_RELATION = re.compile(
    r"\b(?:wife|husband|spouse|partner|son|daughter|brother|sister|mother|father|mom|mum|dad|aunt|uncle|niece|nephew|"
    r"cousin|grandson|granddaughter|grandmother|grandfather|friend|neighbou?r|fianc[eé]e?|girlfriend|boyfriend|"
    r"caregiver|guardian|roommate|boss|lawyer|attorney|son-in-law|daughter-in-law|named|called|known as|a\.?k\.?a\.?|"
    r"n[eé]e|goes by|surname|case manager|social worker|interpreter|nurse|technologist|sonographer|therapist)"
    r"[ ]*[,:(]?[ ]*(?:is[ ]|named[ ])?[\"“(]?",
    re.IGNORECASE,
)
_TITLES = re.compile(
    r"(?<!\w)(?:" + "|".join(sorted(listed("titles"), key=len, reverse=True)) + r")(?:\.|\b)"
    r"(?:[ \n]*(?:med|dent|habil|dr|prof)\.)*[ \t]*\n?[ \t]*",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"(?:sincerely|(?:best|kind|warm)?[ ]*regards|yours truly|respectfully|thank you|mit freundlichen gr(?:ü|ue)(?:ß|ss)en)"
    r"[^\n]{0,20}\n\s*",
    re.IGNORECASE,
)
_PATIENT = re.compile(r"\b[Pp](?:atient|t)\.?[ ]+(?=[^\W\d_a-z])")
_DEGREE = re.compile(
    r"(?:,[ ]*(?:P\.?A|D\.?O|N\.?P|R\.?T(?:\(R\))?|M\.?B\.?A|M\.?S|B\.?S|J\.?D)|,?[ ]+(?:M\.?D|M\.?B\.?B\.?S|Ph\.?D|R\.?N|"
    r"P\.?A-C|D\.?N\.?P|C\.?R\.?N\.?P|F\.?R\.?C\.?[RSP]|F\.?A\.?C\.?[RSP]|M\.?R\.?C\.?P|A\.?R\.?N\.?P|A\.?P\.?R\.?N|"
    r"F\.?N\.?P|C\.?R\.?N\.?A|L\.?P\.?N|M\.?S\.?W|L\.?C\.?S\.?W|Pharm\.?D|D\.?P\.?M|D\.?D\.?S|R\.T\.|RDMS|RVT|"
    r"B\.?S\.?N|M\.?P\.?H|Esq))\b\.?"
)
_PHRASE_END = re.compile(r"['’]s\b|\s*(?:[.,:;()|\d]|$|\n|(?:and|who|is|was|has|had|at|on|in|of|by|for|died|called)\b)")
_DRUG = re.compile(
    r"(?:ine|ol|pril|mab|nib|azole|statin|cillin|mycin|xacin|oxin|pam|lam|one|ide|ate|arin|tan|parin|vir|ium|ase)$"
)
_SAID = frozenset({"may", "will", "march", "april", "june", "august"})  # names that a capital tells from the word
_LOWER_TITLES = frozenset({"dr", "mr", "mrs", "ms", "miss", "prof"})


def find_people(text: str) -> Iterator[Found]:
    """Every place where a person is named by what stands around the name; the title and the label stay."""
    tokens = tokens_of(text)
    starts = {token.start: number for number, token in enumerate(tokens)}
    for match in _TITLES.finditer(text):
        if (number := starts.get(match.end())) is not None:
            yield from _after_title(text, tokens, number, match.group())
    for pattern in (_SIGNED, _LABEL, _RELATION, _CLOSING, _PATIENT):
        for match in pattern.finditer(text):
            at = match.end()
            for _ in range(3 if pattern in {_LABEL, _SIGNED} else 1):  # "cc: A. Smith; B. Jones"
                number = _first(text, tokens, starts, at)
                if number is None or _is_eponym(text, tokens, number):
                    break
                last = _run(text, tokens, number, strict=True)
                if last is None:
                    break
                yield _name(tokens[number].start, tokens[last])
                more = re.match(r"\.?[ ]*(?:[;,&/+]|and)[ ]+", text[tokens[last].end : tokens[last].end + 8])
                if not more or _is_degree(text, tokens[last].end):
                    break
                at = tokens[last].end + more.end()
    yield from _with_degree(text, tokens)
    yield from _given_names(text, tokens)
    yield from _strange_pairs(text, tokens)


def _after_title(text: str, tokens: Sequence[Token], number: int, title: str) -> Iterator[Found]:
    token = tokens[number]
    word = title.strip(" .\n\t")
    lower_title = word.islower()
    first = number
    while tokens[first].plain in listed("particles") and not tokens[first].capital and first + 1 < len(tokens):
        first += 1
    if first > number and tokens[first].capital:  # "Dr. van der Berg"
        last = _run(text, tokens, first, strict=False)
        yield _name(token.start, tokens[first if last is None else last])
        return
    if not token.capital:
        known = token.plain in listed("stop") or len(token.plain) < 3
        if lower_title and word in _LOWER_TITLES and not known:
            yield _name(token.start, token)
        return
    sure = word.casefold() in {"dr", "drs", "mr", "mrs", "ms", "miss", "prof", "mx"}
    if not sure and token.plain in listed("stop") - listed("word_names"):
        return
    if word.islower() and word not in _LOWER_TITLES | {"doctor", "professor", "nurse", "fellow", "resident"}:
        return
    if token.plain in listed("titles"):
        return
    last = _run(text, tokens, number, strict=False)
    yield _name(token.start, tokens[number if last is None else last])


def _first(text: str, tokens: Sequence[Token], starts: dict[int, int], at: int) -> int | None:
    """The first word of a name at a place, titles passed over."""
    number = starts.get(at)
    while number is not None and number < len(tokens) and tokens[number].plain in listed("titles"):
        gap = re.match(r"\.?\s*", text[tokens[number].end :])
        number = starts.get(tokens[number].end + (gap.end() if gap else 0))
    return number


def _run(text: str, tokens: Sequence[Token], number: int, *, strict: bool) -> int | None:
    """The last word of the name that begins with a word, or None where none does.

    A name goes on with capitalised words that are not of the list *stop*, with initials, and with particles before
    such a word; "Smith, John" goes on behind its comma. In a line of capitals it goes on for one word at most, and
    that must be a known name or an initial. ``strict``: the first word must pass as well.
    """
    first = tokens[number]
    if strict and not _may_be_name(first) and not _before_name(text, tokens, number):
        return None
    shouting = _line_of(text, first).isupper()
    last, length = number, 1
    for following in range(number + 1, min(number + 6, len(tokens))):
        token = tokens[following]
        gap = text[tokens[following - 1].end : token.start]
        comma = gap.strip() == "," and length == 1 and "\n" not in gap
        initial_before = len(tokens[following - 1].text) == 1 and gap in {". ", ".", " "}
        if gap not in {" ", "-", "  "} and not comma and not initial_before:
            break
        if token.plain in listed("particles") and not token.capital:
            continue
        initial = len(token.text) == 1 and token.text.isupper()
        known = token.plain in listed("given") or token.plain in listed("family")
        if not token.capital or length >= LONGEST_NAME or token.plain in listed("titles"):
            break
        if _is_degree(text, tokens[following - 1].end) or (not initial and _is_no_name(text, tokens, following)):
            break
        if (shouting or comma) and not (known or initial or (comma and not shouting and _may_be_name(token))):
            break
        last, length = following, length + 1
    return last


def _is_no_name(text: str, tokens: Sequence[Token], number: int) -> bool:
    """Whether a word ends a name: one of the list *stop*; a name that is also a word goes on at its phrase's end."""
    token, before = tokens[number], tokens[number - 1]
    if token.plain not in listed("stop"):
        return False
    before_name = before.plain in listed("given") or len(before.text) == 1 or token.plain in _SAID
    return token.plain not in listed("word_names") or not (before_name or _ends_phrase(text, token))


def _may_be_name(token: Token) -> bool:
    if len(token.text) == 1:
        return token.text.isupper()
    return token.capital and token.plain not in listed("stop") and token.plain not in listed("eponym_heads")


def _before_name(text: str, tokens: Sequence[Token], number: int) -> bool:
    """Whether a particle, or a name that is also a word, has a name behind it, or ends the phrase: ``daughter Will.``"""
    token, ahead = tokens[number], tokens[number + 1 : number + 2]
    near = bool(ahead) and text[token.end : ahead[0].start] in {" ", ". "} and _may_be_name(ahead[0])
    if token.plain in listed("particles"):
        return near
    name = token.plain in listed("word_names") and token.capital and not _line_of(text, token).isupper()
    return name and (near or token.plain in _SAID or _ends_phrase(text, token))


def _name(start: int, last: Token) -> Found:
    """A finding from a place to the end of a word, an ending ``'s`` excepted."""
    ending = 2 if last.text[-2:] in {"'s", "’s", "'S", "’S"} else 0
    return Found(start, last.end - ending, "NAME")


def _ends_phrase(text: str, token: Token) -> bool:
    return bool(_PHRASE_END.match(text, token.end))


def _with_degree(text: str, tokens: Sequence[Token]) -> Iterator[Found]:
    """``John A. Smith, MD``: up to four capitalised words before the degree."""
    ends = {token.end: number for number, token in enumerate(tokens)}
    for match in _DEGREE.finditer(text):
        number = ends.get(match.start(), ends.get(match.start() - 1))
        if number is None:
            continue
        first = number
        while first > 0 and number - first < LONGEST_NAME - 1:
            gap, token = text[tokens[first - 1].end : tokens[first].start], tokens[first - 1]
            ordinary = token.plain in (listed("stop") - listed("word_names")) | listed("titles") and len(token.text) > 1
            if gap not in {" ", ". ", ", ", "-"} or not token.capital or ordinary:
                break
            first -= 1
        if _may_be_name(tokens[number]) or first < number:
            yield _name(tokens[first].start, tokens[number])


def _given_names(text: str, tokens: Sequence[Token]) -> Iterator[Found]:
    """A known given name with what follows it, and one behind "Smith, "; alone where it is no word of the language."""
    for number, token in enumerate(tokens):
        parts = token.plain.split("-")
        if not token.text[0].isupper() or not any(part in listed("given") for part in parts):
            continue
        if _is_eponym(text, tokens, number):
            continue
        behind = tokens[number - 1] if number else None
        if behind and text[behind.end : token.start] in {", ", ","} and _may_be_name(behind) and not _starts(behind):
            yield _name(behind.start, token)
        last = _run(text, tokens, number, strict=False)
        last = number if last is None else last
        word = token.plain in listed("word_names") or len(token.plain) < 3
        if last > number and word and not any(t.plain in listed("family") for t in tokens[number + 1 : last + 1]):
            continue
        if last > number or (not word and token.plain not in listed("stop") and not _line_of(text, token).isupper()):
            yield _name(token.start, tokens[last])
    for number, token in enumerate(tokens[:-1]):
        following = tokens[number + 1]
        word = token.plain in listed("word_names") and token.text[0].isupper()
        if word and following.plain in listed("family") and text[token.end : following.start] == " ":
            sure = following.plain not in listed("word_names") and not _is_eponym(text, tokens, number + 1)
            if sure and following.text[0].isupper() and token.plain not in listed("stop"):
                yield _name(token.start, following)


def _strange_pairs(text: str, tokens: Sequence[Token]) -> Iterator[Found]:
    """Two to four capitalised words beside each other, within a sentence, that no list knows: ``about Ottilie Hoang``."""
    number = 0
    while number < len(tokens) - 1:
        last = number
        while last < len(tokens) and last - number < LONGEST_NAME and _is_strange(text, tokens[last]):
            gap = text[tokens[last - 1].end : tokens[last].start] if last > number else " "
            if gap != " " and not (gap == ". " and len(tokens[last - 1].text) == 1):
                break
            last += 1
        words = [token.plain for token in tokens[number:last] if len(token.text) > 1]
        pair = len(words) >= 2 and not all(_DRUG.search(word) for word in words)
        if pair and not _begins_sentence(text, tokens[number]) and not _is_eponym(text, tokens, last - 1):
            yield _name(tokens[number].start, tokens[last - 1])
        number = max(last, number + 1)


def _is_strange(text: str, token: Token) -> bool:
    """Whether a word is written like a name, and is none of a list, of a heading or of letters alone."""
    if len(token.text) == 1:
        return token.text.isupper() and text[token.end : token.end + 1] == "."
    known = any(token.plain in listed(name) for name in ("stop", "eponyms", "eponym_heads", "titles"))
    parts = set(token.plain.split("-")) & (listed("stop") | listed("eponyms"))
    written = token.text[0].isupper() and token.text[1:] != token.text[1:].upper()
    return written and not known and not parts


def _begins_sentence(text: str, token: Token) -> bool:
    before = text[max(0, token.start - 12) : token.start].rstrip(" \"'“(")
    return not before or before[-1] in ".!?:;\n•*-–"


def _starts(token: Token) -> bool:
    """Whether a word is an ordinary one that begins a sentence: "However, John"."""
    return token.plain in {"however", "therefore", "moreover", "additionally", "furthermore", "meanwhile", "later"}


def _is_eponym(text: str, tokens: Sequence[Token], number: int) -> bool:
    """Whether a name belongs to a thing: Hodgkin lymphoma, Swan-Ganz, St. Jude valve."""
    token = tokens[number]
    heads: list[str] = []
    before = token
    for item in tokens[number + 1 : number + 3]:
        if text[before.end : item.start] not in {" ", "-", "\n"}:
            break
        heads.append(item.plain.removesuffix("s"))
        before = item
    if any(head in listed("eponym_heads") for head in heads[:1]):
        return True
    parts = token.plain.split("-")
    if len(parts) > 1 and all(part in listed("eponyms") for part in parts):
        return True
    return token.plain in listed("eponyms") and any(head in listed("eponym_heads") for head in heads)


def _is_degree(text: str, at: int) -> bool:
    return bool(_DEGREE.match(text, at))


def _line_of(text: str, token: Token) -> str:
    """The line that a word stands in; of a very long one what is near."""
    before, after = text[max(0, token.start - NEAR) : token.start], text[token.end : token.end + NEAR]
    return before.rpartition("\n")[2] + token.text + after.partition("\n")[0]
