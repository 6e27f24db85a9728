"""Words that may stay: those known to be harmless where they stand. Every other word goes.

The principle of a safe list (Norgeot et al., npj Digital Medicine 2020, doi:10.1038/s41746-020-0258-y): a list of names
finds the names that somebody foresaw, a list of words lets through what is known to name nobody. A word in lower case
stays if it is one of English or of medicine; one with a capital inside a sentence only if it is one of medicine or of
the words that notes write so; one at the beginning of a sentence as in lower case, unless a name follows. In lines of
capitals, and beside a name, a word that is a name as well goes.
"""

# ruff: noqa: E501 - a pattern stands on one line

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import Enum

from pipelines.notes.release.spans import Found
from pipelines.notes.release.vocabulary import hardly_words, is_abbreviation, is_clinical, is_word, may_be_name
from pipelines.notes.release.words import Token, listed, tokens_of

ROUNDS = 4
_START = re.compile(r"(?:^|[.!?:;•*>|=\n\t\"“(\[–—]|(?:^|\s)[-–+]|\d[.)]|  |\?|->|→)[ \"“'‘*\-–]*$")
_HEADS = listed("place_heads")
_OPENINGS = listed("place_openings")
_SUFFIXES = frozenset({"jr", "snr", "jnr", "ii", "iii", "iv", "esq"})
_JOINTS = frozenset({"and", "of", "the", "at", "de", "la", "le", "y", "on", "upon"})
_INNER = listed("particles") | {"of", "the", "upon", "on", "under", "by"}
LONGEST_JOINT, WRAPPED = 3, 55
_NAMED_GAP = re.compile(r"(?:,?[ ]|\.[ ]?|-|[ ]?&[ ]?|/|['’]s[ ]|\n[ \t]*)\Z")
_EPONYM_NEAR = 3
_MEASURED = re.compile(r"[ ]*[:=]?[ ]*\d{1,2}(?![\d])")
_NO_NAME = listed("no_names")
_RELATIONS = (
    r"wife|husband|hubby|spouse|partner|son|daughter|dtr|brother|bro|sister|sis|mother|father|mom|mum|mam|dad|aunt|auntie|uncle|niece|"
    r"nephew|cousin|grandson|granddaughter|grandmother|grandfather|gran|grandma|grandad|granddad|nan|nana|friend|mate|pal|neighbou?r|fianc[eé]e?|"
    r"girlfriend|boyfriend|gf|bf|ex|carer|caregiver|stepson|stepdaughter|stepdad|stepmum|stepmom|moko|sibling|twin|baby|daughters|sons|children|kids"
)
_SAID = r"is|was|has|had|thinks|says|said|told|called|rang|came|comes|wants|lives|works|and|aged|will|phoned|visits|helps|drives|drove|brought|who|with|at|on|in|,|\(|\.|;|$"
_CALLED = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b(?:{_RELATIONS})[ ]+(?:is[ ]|called[ ]|named[ ])?(?P<id>[^\W\d_]{{2,}}(?:[ ](?-i:[A-Z])[^\W\d_]+)?)(?=[ ]?(?:{_SAID}))",
        rf"\b(?:{_RELATIONS})[ ]+(?P<id>(?-i:[a-z]){{3,}})(?=[ ](?:thinks|says|said|told|rang|phoned|wants|drove|drives|lives|visits|brought|helps)\b)",
        r"\b(?:it['’]?s|this is|my name is|name['’]?s|i am|i['’]m|love|thx|thanks|thank you|cheers|regards|best|from|hi|hello|hey|dear|ask for|signed|ta)[,]?[ ]+(?:dr[ ])?(?P<id>[^\W\d_]{2,})(?=[ ]*(?:again|here|\.|,|!|$|\n))",
        r"(?:s/n|/es/|\bsr|\bstaff nurse|\bseen by|\bd/w|\bdiscussed with|\bspoke (?:to|with)|\bsigned(?: by)?|\bwitness(?:ed by)?|\bchaperone[d]?(?: by)?|\bvia|\bper)[: ]+(?:dr\.?[ ])?(?P<id>(?-i:[A-Z])[^\W\d_]{1,}(?:[ ](?-i:[A-Z])[^\W\d_]+)?)",
        r"(?:^|\n)[ \t]*(?P<id>(?-i:[A-Z])[^\W\d_]+)(?=,[ \t]*\n)",
        r"(?:^|[.!?]\s|\n)(?P<id>(?-i:[A-Z])[^\W\d_]+)(?=[ ](?:was|is|has|says|said|thinks|wants|came|rang|will|and his|and her|lives|went)\b)",
        rf"(?P<id>(?-i:[A-Z])[^\W\d_]+)(?=[ ]*\((?:{_RELATIONS}|him|her|self|nok|poa|rn|cns|pt|ot)\b)",
    )
)  # fmt: skip
_ADVERBS = listed("adverbs")
_VERBS = re.compile(r"(?:ed|ing|ly|s)$")


class _Fate(Enum):
    STAYS = 0
    GOES = 1
    GONE = 2


def find_unsafe_words(text: str, taken: bytearray, named: bytearray) -> Iterator[Found]:
    """Every word that is not known to be harmless where it stands.

    ``taken`` marks what other findings replace, ``named`` those of them that are names or places.
    """
    tokens = tokens_of(text)
    fates = [_fate(text, tokens, number, taken, named) for number in range(len(tokens))]
    starts = {token.start: number for number, token in enumerate(tokens)}
    for at, pattern in enumerate(_CALLED):
        for match in pattern.finditer(text):
            number = starts.get(match.start("id"))
            if number is not None and fates[number] is _Fate.STAYS and _is_called(tokens[number], at == 1):
                fates[number] = _Fate.GOES
    for _ in range(ROUNDS):
        if not _spread(text, tokens, fates):
            break
    for token, fate in zip(tokens, fates, strict=True):
        if fate is _Fate.GOES and not all(taken[token.start : token.end]):
            owns = (
                token.text[-2:].lower() in {"'s", "’s"}
                and text[token.end : token.end + 1] == " "
                and text[token.end + 1 : token.end + 2].islower()
                and text[token.end + 1 : token.end + 4] != "of "
            )
            ending = 2 if owns else 0
            yield Found(token.start, token.end - ending, "NAME")


def _fate(text: str, tokens: Sequence[Token], number: int, taken: bytearray, named: bytearray) -> _Fate:
    token = tokens[number]
    if any(taken[token.start : token.end]):
        return _Fate.GONE if any(named[token.start : token.end]) else _Fate.STAYS
    if _digit_beside(text, token):
        return _Fate.STAYS  # a part of a token with digits, of which `safe_numbers` decides
    return _Fate.STAYS if _is_safe(text, tokens, number) else _Fate.GOES


def _is_safe(text: str, tokens: Sequence[Token], number: int) -> bool:
    token = tokens[number]
    word, written = token.plain, token.text
    if len(word) < 2 or word in listed("titles"):
        return True
    caseless = written[0].lower() == written[0].upper()
    if caseless:
        return not any(character.isalpha() for character in written)
    name_alone = word in listed("given") and word not in listed("word_names") | listed("stop")
    if written.islower() or _is_shouted(text, token):
        if is_word(word):
            return not name_alone
        return is_abbreviation(word) and (len(word) <= 3 or not written.islower()) and word not in may_be_name()
    if len(written) > 1 and written.isupper():
        if text[token.end : token.end + 1] == ":" and is_word(word):
            return True
        return is_abbreviation(word) or is_clinical(word) or (is_word(word) and word not in may_be_name())
    if not (written[0].isupper() and written[1:].islower()) and not _is_compound(written):
        bare = word.removesuffix("s")
        return (
            is_abbreviation(word)
            or is_abbreviation(bare)
            or is_clinical(word)
            or (is_word(word) and not written.startswith(("Mc", "Mac", "O'", "O’")))
        )
    if _begins(text, token) and (word not in listed("eponyms") or word not in listed("given") | listed("family")):
        return is_word(word) and not name_alone
    return _is_medical(text, tokens, number)


def _is_medical(text: str, tokens: Sequence[Token], number: int) -> bool:
    """Whether a word with a capital inside a sentence is one of medicine: Foley, Metformin; Baker only before cyst."""
    word = tokens[number].plain
    if word in listed("scales"):
        following = {token.plain.removesuffix("s") for token in tokens[number + 1 : number + 1 + _EPONYM_NEAR]}
        heads = listed("eponym_heads") | {"stem", "ii", "iii", "iv", "level"}
        return bool(_MEASURED.match(text, tokens[number].end)) or not following.isdisjoint(heads)
    if word in listed("eponyms") and word in listed("given") | listed("family") | listed("word_names"):
        near = {token.plain.removesuffix("s") for token in tokens[number + 1 : number + 1 + _EPONYM_NEAR]}
        return not near.isdisjoint(listed("eponym_heads"))
    if is_clinical(word):
        return word not in listed("given") - listed("stop")
    parts = re.split(r"[-']", word)
    return len(parts) > 1 and all(
        is_clinical(part) or part in listed("eponyms") or len(part) == 1 for part in parts if part
    )


def _spread(text: str, tokens: Sequence[Token], fates: list[_Fate]) -> bool:
    """Let a name take the words beside it that belong to it: initials, names that are words, "Surgery", "Street"."""
    changed = False
    for number, fate in enumerate(fates):
        if fate is _Fate.STAYS:
            continue
        for step in (1, -1):
            other = number + step
            if not 0 <= other < len(tokens) or fates[other] is not _Fate.STAYS:
                continue
            left, right = (number, other) if step == 1 else (other, number)
            gap = text[tokens[left].end : tokens[right].start]
            if _NAMED_GAP.fullmatch(gap) and _belongs(text, tokens, other, step, gap):
                fates[other] = _Fate.GOES
                changed = True
        if _fill(text, tokens, fates, number):
            changed = True
    for number in range(1, len(tokens) - 1):
        between = fates[number] is _Fate.STAYS and _Fate.STAYS not in (fates[number - 1], fates[number + 1])
        token = tokens[number]
        near = text[tokens[number - 1].end : token.start] == " " == text[token.end : tokens[number + 1].start]
        if (
            between
            and near
            and token.text[0].isupper()
            and token.plain not in listed("titles")
            and not _digit_beside(text, token)
        ):
            fates[number] = _Fate.GOES
            changed = True
    return changed


def _fill(text: str, tokens: Sequence[Token], fates: list[_Fate], number: int) -> bool:
    """Take the small words between two parts of one name: "van der", "Children's of Wauwatosa", "york st john"."""
    last = number - 1
    while last >= 0 and number - last <= LONGEST_JOINT and tokens[last].plain in _INNER and fates[last] is _Fate.STAYS:
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
        fates[last] is _Fate.GOES
        or (fates[last] is _Fate.GONE and not small)
        or (left.text[0].isupper() and not left.text.isupper() and not _begins(text, left) and left.plain in _OPENINGS)
    )
    if not ends or (tokens[number].text.islower() != left.text.islower()):
        return False
    for at in (last, *inner):
        if fates[at] is _Fate.STAYS:
            fates[at] = _Fate.GOES
    return True


def _belongs(text: str, tokens: Sequence[Token], number: int, step: int, gap: str) -> bool:
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
    if _digit_beside(text, token) or (word in listed("allowed") and word not in _HEADS | _OPENINGS):
        return False
    if (
        word in _OPENINGS
        and step == -1
        and gap in {" ", ". "}
        and not _begins(text, token)
        and (written[0].isupper() and not _is_shouted(text, token))
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
            and word in hardly_words() | listed("given") | listed("family")
        )
    if word in listed("titles"):
        return False
    if step == 1 and word in _SUFFIXES and gap == " ":
        return True
    shouted = _is_shouted(text, token)
    if step == -1 and gap == " " and word in _OPENINGS and not shouted and not _begins(text, token):
        return True
    if word in _HEADS - _JOINTS:
        return step == 1 or (not _begins(text, token) and word not in listed("stop"))
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
    if not _begins(text, token):
        return True
    after_colon = _begins_line(text, token) or text[: token.start].rstrip(" ")[-1:] == ":"
    return word in may_be_name() or (step == -1 and after_colon and not _VERBS.search(word))


def _is_initial(text: str, token: Token, step: int, gap: str) -> bool:
    """Whether a single letter beside a name is an initial of it: ``B. Jones``, ``Chad W.``"""
    following = text[token.end : token.end + 1]
    if not token.text.isupper():
        return False
    if step == -1:
        return gap in {" ", ". ", "."} and (token.text not in "IA" or following == ".")
    return gap == " " and token.text not in "IA" and following in {".", ",", "", " ", "\n", ")"}


def _is_called(token: Token, said: bool) -> bool:
    """Whether a word behind a relation or a greeting can be a name."""
    word = token.plain
    if word in _NO_NAME or word in listed("titles"):
        return False
    if token.text.islower() and word not in hardly_words() and said:
        return not is_clinical(word) and word not in _ADVERBS and not re.search(r"(?:ly|ing|ed)$", word)
    if token.text.islower() or word in hardly_words():
        return word in hardly_words() and word not in {
            "may",
            "miles",
            "art",
            "skip",
            "max",
            "stew",
            "chase",
            "sue",
            "bill",
            "grant",
        }
    return (
        word not in listed("stop") | listed("allowed") | listed("shorthand")
        and not is_clinical(word)
        and token.text[1:].islower()
    )


def _begins(text: str, token: Token) -> bool:
    """Whether a word begins a sentence, a line or a field of a form."""
    return bool(_START.search(text[max(0, token.start - 12) : token.start])) or token.start == 0


def _begins_line(text: str, token: Token) -> bool:
    return not text[text.rfind("\n", 0, token.start) + 1 : token.start].strip()


def _is_shouted(text: str, token: Token) -> bool:
    """Whether a word stands in a line of capitals."""
    if not token.text.isupper():
        return False
    begin = text.rfind("\n", 0, token.start) + 1
    end = text.find("\n", token.end)
    line = text[begin : end if end >= 0 else len(text)]
    small = sum(map(str.islower, line))
    return small * 5 < sum(map(str.isupper, line))


def _digit_beside(text: str, token: Token) -> bool:
    """Whether a digit touches the word."""
    return text[token.start - 1 : token.start].isdigit() or text[token.end : token.end + 1].isdigit()


def _is_compound(written: str) -> bool:
    """``Anglo-Saxon``, ``O'Shea's``: parts that each begin with a capital."""
    parts = re.split(r"[-'’]", written)
    return len(parts) > 1 and all(not part or part[1:].islower() or len(part) == 1 for part in parts)
