"""Sentences to windows of sub-words: whole records, with overlap, never just the first 512 sub-words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

Unit = Literal["sentence", "token"]


@dataclass(frozen=True)
class Windows:
    """Sub-words of one record, cut into windows.

    ``ids`` and ``unit`` have one row a window, of unequal length; ``unit`` is -1 on the special sub-words.
    ``sentence`` gives, for every unit, the sentence that it belongs to. ``left_out`` counts sub-words beyond the last
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

    A unit is a sentence, or a single sub-word. A sentence without any sub-word is no unit.

    Raises
    ------
    ValueError
        The stride leaves no room to go forward.
    """
    room = window - 2
    if not 0 <= stride < room:
        raise ValueError(f"a stride of {stride} leaves no room in a window of {window} sub-words")
    # What looks like a special sub-word ("[SEP]") in a note is text like any other.
    how = {"add_special_tokens": False, "split_special_tokens": True, "verbose": False}
    pieces = tokenizer(list(sentences), **how)["input_ids"] if sentences else []
    ids = [piece for row in pieces for piece in row]
    owner = [number for number, row in enumerate(pieces) for _ in row]
    kept = min(len(ids), room + (windows_at_most - 1) * (room - stride))
    left_out, ids, owner = len(ids) - kept, ids[:kept], owner[:kept]
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
