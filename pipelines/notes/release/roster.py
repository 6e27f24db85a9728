"""Other patients: a note may name one by mistake, and then no context tells."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pipelines.notes.release.spans import Found
from pipelines.notes.release.spellings import parts_of_name, pieces_of
from pipelines.notes.release.words import listed, plain, tokens_of

SHORTEST_ID = 5
_RUN = re.compile(r"(?<![^\W_])[^\W_]+(?:[\-./_:][^\W_]+)*(?![^\W_])")


@dataclass(frozen=True, slots=True)
class Roster:
    """Ids without separators and leading zeros, and pairs of family and given name, of many patients."""

    ids: frozenset[str] = field(default=frozenset(), repr=False)
    names: frozenset[frozenset[str]] = field(default=frozenset(), repr=False)


def roster_of(people: Iterable[tuple[str, str]]) -> Roster:
    """The roster of patients, given as id and name as sources write them."""
    ids: set[str] = set()
    names: set[frozenset[str]] = set()
    for patient_id, name in people:
        bare = _bare(patient_id)
        if len(bare) >= SHORTEST_ID and any(map(str.isdigit, bare)):
            ids.add(bare)
        for script in parts_of_name(name):
            family = [plain(word) for word in pieces_of(script[0])]
            given = [plain(word) for part in script[1:] for word in pieces_of(part)]
            names |= {frozenset({one, two}) for one in family for two in given if one != two}
    ordinary = listed("stop") | listed("particles")
    return Roster(frozenset(ids), frozenset(pair for pair in names if not pair & ordinary))


def find_others(text: str, roster: Roster) -> Iterator[Found]:
    """Every id of the roster, and every family name beside its given name."""
    if roster.ids:
        for match in _RUN.finditer(text):
            if _bare(match.group()) in roster.ids:
                yield Found(match.start(), match.end(), "ID")
    if roster.names:
        tokens = tokens_of(text)
        for number, token in enumerate(tokens):
            for other in tokens[number + 1 : number + 3]:
                near = other.start - token.end <= 4 and "\n" not in text[token.end : other.start]
                if near and token.capital and frozenset({token.plain, other.plain}) in roster.names:
                    yield Found(token.start, other.end, "NAME")


def _bare(text: str) -> str:
    return "".join(filter(str.isalnum, text)).casefold().lstrip("0")
