"""Words of a note with their places, and the lists that tell a name from another word."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files

import yaml

LONGEST_WORD = 60
_WORD = re.compile(r"[^\W\d_]+(?:['’‘`\-‐‑][^\W\d_]+)*")
_SPECIAL = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "’": "'", "‘": "'",
     "`": "'", "‐": "-", "‑": "-"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Token:
    """A word, where it stands (from, to), and how it is compared."""

    text: str = field(repr=False)
    start: int
    end: int
    plain: str = field(repr=False)

    @property
    def capital(self) -> bool:
        """Whether it begins with a capital, or its script has none."""
        return not self.text[0].islower()


def tokens_of(text: str) -> list[Token]:
    """The words of a text in their order; hyphens and apostrophes inside a word belong to it."""
    return [
        Token(match.group(), match.start(), match.end(), plain(match.group()))
        for match in _WORD.finditer(text)
        if match.end() - match.start() <= LONGEST_WORD
    ]


@lru_cache(maxsize=65536)
def plain(word: str) -> str:
    """A word in lower case, without accents and without the ending ``'s``."""
    folded = unicodedata.normalize("NFKD", word.casefold().translate(_SPECIAL))
    bare = "".join(character for character in folded if not unicodedata.combining(character))
    return bare.removesuffix("'s").removesuffix("'")


@cache
def listed(name: str) -> frozenset[str]:
    """One of the lists of ``words.yaml``."""
    return frozenset(_lists()[name].split())


@cache
def _lists() -> dict[str, str]:
    content: dict[str, str] = yaml.safe_load(files(__package__).joinpath("words.yaml").read_text(encoding="utf-8"))
    return content
