"""Sentences to windows of sub-words: whole records, with overlap, never just the first 512 sub-words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Unit = Literal["sentence", "token"]
# Characters that the tokenizer gets at once: it takes about a hundred times their memory.
CHARACTERS_AT_ONCE = 20_000


@dataclass(frozen=True)
class Windows:
    """Sub-words of one record, cut into windows.

    ``ids`` and ``unit`` have one row a window, of unequal length; ``unit`` is -1 on the special sub-words.
    ``sentence`` gives, for every unit, the sentence that it belongs to. ``left_out`` counts sub-words before the first
    window.
    """

    ids: tuple[tuple[int, ...], ...]
    unit: tuple[tuple[int, ...], ...]
    sentence: tuple[int, ...]
    left_out: int


def cut_windows(
    sentences: Sequence[str], *, tokenizer: Any, window: int, stride: int, windows_at_most: int, unit: Unit
) -> Windows:
    """Cut a record into windows of at most ``window`` sub-words, each repeating the last ``stride`` of the one before.

    A unit is a sentence, or a single sub-word. A sentence without any sub-word is no unit. Of a record that is longer
    than ``windows_at_most`` windows the beginning is left out: records grow at their end, and what stands there is
    the newest.

    Raises
    ------
    ValueError
        The stride leaves no room to go forward.
    """
    room = window - 2
    if not 0 <= stride < room:
        raise ValueError(f"a stride of {stride} leaves no room in a window of {window} sub-words")
    ids, owner, left_out = _last_sub_words(sentences, tokenizer, room + (windows_at_most - 1) * (room - stride))
    kept = len(ids)
    if unit == "token":
        units, sentence = list(range(kept)), tuple(owner)
    else:
        number = {old: new for new, old in enumerate(dict.fromkeys(owner))}
        units, sentence = [number[old] for old in owner], tuple(number)
    starts = range(0, max(kept - stride, 1), room - stride) if kept else ()
    first, last = tokenizer.cls_token_id, tokenizer.sep_token_id
    return Windows(
        ids=tuple((first, *ids[start : start + room], last) for start in starts),
        unit=tuple((-1, *units[start : start + room], -1) for start in starts),
        sentence=sentence,
        left_out=left_out,
    )


def _last_sub_words(sentences: Sequence[str], tokenizer: Any, most: int) -> tuple[list[int], list[int], int]:
    """The last ``most`` sub-words of a record, the sentence of each, and how many stand before them."""
    # What looks like a special sub-word ("[SEP]") in a note is text like any other.
    how = {"add_special_tokens": False, "split_special_tokens": True, "verbose": False}
    ids: list[int] = []
    owner: list[int] = []
    left_out = 0
    for batch in _from_the_end(sentences):
        for number, row in zip(
            (number for number, _ in batch), tokenizer([text for _, text in batch], **how)["input_ids"], strict=True
        ):
            room = most - len(ids)
            taken = row[::-1][:room]
            left_out += len(row) - len(taken)
            ids += taken
            owner += [number] * len(taken)
    return ids[::-1], owner[::-1], left_out


def _from_the_end(sentences: Sequence[str]) -> Iterator[list[tuple[int, str]]]:
    """Sentences with their numbers, the last first, so many together as the tokenizer gets at once."""
    batch: list[tuple[int, str]] = []
    size = 0
    for number in reversed(range(len(sentences))):
        for text in reversed(_pieces(sentences[number])):
            batch.append((number, text))
            size += len(text)
            if size >= CHARACTERS_AT_ONCE:
                yield batch
                batch, size = [], 0
    if batch:
        yield batch


def _pieces(text: str) -> list[str]:
    """A long sentence in pieces that begin at a blank, which gives the same sub-words; a longer word is cut."""
    pieces = []
    start = 0
    while len(text) - start > CHARACTERS_AT_ONCE:
        end = start + CHARACTERS_AT_ONCE
        blank = max(text.rfind(" ", start + 1, end), text.rfind("\n", start + 1, end))
        end = blank if blank > start else end
        pieces.append(text[start:end])
        start = end
    return [*pieces, text[start:]]
