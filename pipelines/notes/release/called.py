"""Names by who is called so: behind a relation, a greeting, "seen by", or before what somebody says or does."""

# ruff: noqa: E501 - a pattern stands on one line

from __future__ import annotations

import re
from collections.abc import Iterator

from pipelines.notes.release.vocabulary import is_clinical
from pipelines.notes.release.words import Token, listed

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
        # her son Keisha rang; my husband will, and so on
        rf"\b(?:{_RELATIONS})[ ]+(?:is[ ]|called[ ]|named[ ])?(?P<id>[^\W\d_]{{2,}}(?:[ ](?-i:[A-Z])[^\W\d_]+)?)(?=[ ]?(?:{_SAID}))",
        # my husband will thinks it is the tablets
        rf"\b(?:{_RELATIONS})[ ]+(?P<id>(?-i:[a-z]){{3,}})(?=[ ](?:thinks|says|said|told|rang|phoned|wants|drove|drives|lives|visits|brought|helps)\b)",
        # it's jo here; thanks, Petra
        r"\b(?:it['’]?s|this is|my name is|name['’]?s|i am|i['’]m|love|thx|thanks|thank you|cheers|regards|best|from|hi|hello|hey|dear|ask for|signed|ta)[,]?[ ]+(?:dr[ ])?(?P<id>[^\W\d_]{2,})(?=[ ]*(?:again|here|\.|,|!|$|\n))",
        # seen by Imogen Tarrant; /es/ Quinlan
        r"(?:s/n|/es/|\bsr|\bstaff nurse|\bseen by|\bd/w|\bdiscussed with|\bspoke (?:to|with)|\bsigned(?: by)?|\bwitness(?:ed by)?|\bchaperone[d]?(?: by)?|\bvia|\bper)[: ]+(?:dr\.?[ ])?(?P<id>(?-i:[A-Z])[^\W\d_]{1,}(?:[ ](?-i:[A-Z])[^\W\d_]+)?)",
        # Petra, at the head of a letter
        r"(?:^|\n)[ \t]*(?P<id>(?-i:[A-Z])[^\W\d_]+)(?=,[ \t]*\n)",
        # Quinlan says it hurts
        r"(?:^|[.!?]\s|\n)(?P<id>(?-i:[A-Z])[^\W\d_]+)(?=[ ](?:was|is|has|says|said|thinks|wants|came|rang|will|and his|and her|lives|went)\b)",
        # Petra (daughter)
        rf"(?P<id>(?-i:[A-Z])[^\W\d_]+)(?=[ ]*\((?:{_RELATIONS}|him|her|self|nok|poa|rn|cns|pt|ot)\b)",
    )
)  # fmt: skip
_SPOKEN_OF = 1  # the pattern behind which a word in lower case is a name
_ADVERBS = listed("adverbs")
# Given names that are too often words behind a relation, "may" above all.
_WORDS_FIRST = frozenset({"may", "miles", "art", "skip", "max", "stew", "chase", "sue", "bill", "grant"})


def find_called(text: str) -> Iterator[tuple[int, bool]]:
    """Where a word stands that may be a name by what stands around it, and whether it may be one in lower case."""
    for at, pattern in enumerate(_CALLED):
        yield from ((match.start("id"), at == _SPOKEN_OF) for match in pattern.finditer(text))


def is_called(token: Token, said: bool) -> bool:
    """Whether a word behind a relation or a greeting can be a name."""
    word, hardly = token.plain, listed("hardly_words")
    if word in _NO_NAME or word in listed("titles"):
        return False
    if token.text.islower() and word not in hardly and said:
        return not is_clinical(word) and word not in _ADVERBS and not re.search(r"(?:ly|ing|ed)$", word)
    if token.text.islower() or word in hardly:
        return word in hardly and word not in _WORDS_FIRST
    return (
        word not in listed("stop")
        and word not in listed("allowed")
        and word not in listed("shorthand")
        and not is_clinical(word)
        and token.text[1:].islower()
    )
