"""Which encodings bytes could be in that are not UTF-8: those under which they read as words.

Method: every candidate decodes strictly; the distinct words with bytes beyond ASCII are looked at, and a reading goes
that no language has: scripts mixed within a word, signs within a word, capitals behind small letters, words of accented
letters only, one ideograph among Latin letters. charset-normalizer then drops what it measures as chaos, as long as
it leaves something. What several survivors read differently stays in doubt: that is for the caller to say.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from itertools import pairwise

# In the order of preference where two give the same text.
SINGLE_BYTE = (
    *("cp1252", "iso8859-15", "cp1250", "iso8859-2", "cp1254", "cp1257", "mac-roman", "cp850", "cp437"),
    *("cp1251", "koi8-r", "iso8859-5", "cp866", "cp1253", "iso8859-7", "cp1255", "cp1256", "iso8859-6", "cp874"),
)
MULTI_BYTE = ("cp932", "euc_jp", "gb18030", "big5", "cp949")
WORDS_AT_MOST = 20_000
SAMPLE = 2**22  # bytes that the words are taken from
_WORD = re.compile(rb"[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*")
# Several bytes: trailing bytes may be ASCII, so a word goes to the next blank or common sign.
_RUN = re.compile(rb"[^\s,.;:!?()\"'/0-9<>=+-]*[\x80-\xff][^\s,.;:!?()\"'/0-9<>=+-]*")
_WIDE = {"CJK", "HIRAGANA", "KATAKANA", "HANGUL", "KATAKANA-HIRAGANA", "IDEOGRAPHIC", "FULLWIDTH", "HALFWIDTH"}


def candidates(data: bytes) -> list[tuple[str, str]]:
    """The encodings under which bytes read as words, each with the whole text it gives, the likeliest first."""
    found: list[tuple[str, str]] = []
    for names, pattern in ((MULTI_BYTE, _RUN), (SINGLE_BYTE, _WORD)):
        words = _distinct(pattern, data)
        read = ((name, _text(data, name)) for name in names if _reads(words, name))
        found += [(name, text) for name, text in read if text is not None]
    wide = [item for item in found if item[0] in MULTI_BYTE]
    found = [item for item in found if item[0] in SINGLE_BYTE] + wide
    return _without_chaos(data, found) if len({text for _, text in found}) > 1 else found


def _distinct(pattern: re.Pattern[bytes], data: bytes) -> list[bytes]:
    words: dict[bytes, None] = {}
    for match in pattern.finditer(data, 0, SAMPLE):
        words[match[0][:200]] = None
        if len(words) >= WORDS_AT_MOST:
            break
    return list(words)


def _text(data: bytes, name: str) -> str | None:
    try:
        return data.decode(name)
    except UnicodeDecodeError:
        return None


def _reads(words: list[bytes], name: str) -> bool:
    """Whether nearly all words read as words of some language: one in a hundred may be odd."""
    odd = accents = checked = lone = wide = 0
    for raw in words:
        try:
            word = raw.decode(name)
        except UnicodeDecodeError:
            if name in SINGLE_BYTE:
                return False
            continue  # a run that was cut; the whole text is decoded strictly later
        if name in SINGLE_BYTE:
            odd += _is_odd(word)
            checked += len(word) > 2
            accents += len(word) > 2 and _is_all_accents(word)
        else:
            if not _is_printable(word):
                return False
            wide += 1
            lone += _has_lone_ideograph(word)
    if name in MULTI_BYTE:
        return 2 * lone < max(wide, 1)
    return odd <= len(words) // 100 and 2 * accents <= max(checked, 1)


def _is_printable(text: str) -> bool:
    return all(unicodedata.category(character) not in ("Cc", "Cn", "Co", "Cs") for character in text)


def _is_odd(word: str) -> bool:
    """Scripts mixed, a sign between two letters, a control character, or a capital behind a small letter."""
    if not _is_printable(word):
        return True
    scripts = {_script(character) for character in word if character.isalpha()}
    if len(scripts - {""}) > 1:
        return True
    for before, character, after in zip(word, word[1:], word[2:], strict=False):
        if before.isalpha() and after.isalpha() and not _may_stand_within(character):
            return True
    pairs = list(pairwise(word))
    if any(first.isalpha() and _is_superscript(second) for first, second in pairs):
        return True
    return any(_is_high(second) and first.islower() and second.isupper() for first, second in pairs)


def _may_stand_within(character: str) -> bool:
    return (
        character.isalpha()
        or unicodedata.category(character) in ("Mn", "Mc")
        or character in "’'‘`´-·\u00ad\u200c\u200d"
    )


def _is_superscript(character: str) -> bool:
    return unicodedata.category(character) in ("Lm", "No") and character not in "²³¹"


def _is_high(character: str) -> bool:
    return character > "\x7f"


def _is_all_accents(word: str) -> bool:
    """More than three in five letters of a Latin word are accented: a word of another script in disguise."""
    letters = [character for character in word if character.isalpha()]
    latin = bool(letters) and _script(letters[0]) == "LATIN"
    return latin and len(letters) > 2 and sum(map(_is_high, letters)) > 0.6 * len(letters)


def _has_lone_ideograph(word: str) -> bool:
    """An ideograph with a Latin letter on each side, or behind one at the end: an accented letter in disguise."""
    padded = f" {word} "
    around = zip(padded, padded[1:], padded[2:], strict=False)
    return any(
        _is_high(middle) and not (_is_high(before) or _is_high(after)) and (before.islower() or after.islower())
        for before, middle, after in around
    )


def _script(character: str) -> str:
    """The first word of a letter's name; signs that count as letters (ª, º, µ) have none."""
    if character in "ªºµƒˆ˜":
        return ""
    word = unicodedata.name(character, "").partition(" ")[0]
    return "CJK" if word in _WIDE else word


def _without_chaos(data: bytes, found: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Without the readings that charset-normalizer measures as chaos; all of them where it would leave none."""
    from charset_normalizer import from_bytes

    kept = set()
    for name in one_name_a_text(found):
        matches = from_bytes(
            data[: 2**18], cp_isolation=[name.replace("-", "_")], threshold=0.2, preemptive_behaviour=False
        )
        if matches.best() is not None:
            kept.add(name)
    texts = {text for name, text in found if name in kept}
    left = [item for item in found if item[1] in texts]
    return left or found


def one_name_a_text(found: Iterable[tuple[str, str]]) -> list[str]:
    """The first encoding of each different text, in their order."""
    seen: dict[str, str] = {}
    for name, text in found:
        seen.setdefault(text, name)
    return list(seen.values())
