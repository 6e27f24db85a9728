"""From the texts of a case to the mentions that a model reads: what its input sections say of which finding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import get_args

import numpy as np

from data_schemas.concept import Assertion, Side
from data_schemas.finding import findings
from data_schemas.recipes import ModelRecipe
from pipelines.cases.examples import Mention, Sentence
from pipelines.notes.concepts import read_concepts, reader_digest
from pipelines.notes.sections import split_sections
from pipelines.workspace.cache import ArrayCache
from pipelines.workspace.digests import json_digest

ASSERTIONS: tuple[Assertion, ...] = get_args(Assertion)
SIDES: tuple[Side | None, ...] = (None, *get_args(Side))


def mentions_of(
    texts: Sequence[str], sentences: Sequence[Sentence], *, recipe: ModelRecipe, cache: ArrayCache | None = None
) -> tuple[Mention, ...]:
    """The mentions in the input sections of some notes, in the order of the text; none where the model reads none.

    Parameters
    ----------
    sentences
        What ``sentences_of`` gives for the same texts and sections: each mention points at one of them.
    cache
        What a note says is kept by the digest of its text, the sections, and the reader with its vocabulary.
    """
    if "concept" not in recipe.modalities:
        return ()
    place = {sentence.source: number for number, sentence in enumerate(sentences)}
    names = tuple(findings())
    found = []
    for note, text in enumerate(texts):
        sources = list(_sources(note, text))
        for finding, assertion, side, sentence in _read(text, recipe.note.input_sections, cache).tolist():
            found.append(Mention(names[finding], ASSERTIONS[assertion], SIDES[side], place[sources[sentence]]))
    return tuple(found)


def _sources(note: int, text: str) -> Iterator[str]:
    """The name of every sentence of a note, in the order in which concepts count them."""
    for place, section in enumerate(split_sections(text)):
        yield from (f"{note}/{place}/{number}" for number in range(len(section.sentences)))


def _read(text: str, sections: Sequence[str], cache: ArrayCache | None) -> np.ndarray:
    """[N, 4]: finding, assertion, side and sentence of every mention, by number."""
    key = json_digest(["concepts", reader_digest(), sorted(sections), text]) if cache else ""
    kept = cache.get(key) if cache else None
    if kept is not None:
        return kept
    number = {name: index for index, name in enumerate(findings())}
    rows = [
        (number[item.finding], ASSERTIONS.index(item.assertion), SIDES.index(item.side), item.sentence)
        for item in read_concepts(text, sections=sections)
    ]
    made = np.array(rows, np.int32).reshape(len(rows), 4)
    if cache:
        cache.put(key, made)
    return made
