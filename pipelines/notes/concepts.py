"""Concepts: the findings that a note tells of, and what it says of each: present, negated, uncertain, of whom, when."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache

from data_schemas.concept import Assertion, Concept
from data_schemas.dictation import is_uncertain
from data_schemas.finding import findings
from pipelines.notes.concepts_reader import KINDS, Mark, find_marks, read_terms
from pipelines.notes.concepts_side import side_of
from pipelines.notes.concepts_words import Located, Word, locate_sentences, words_of
from pipelines.workspace.digests import json_digest

REPORT_SECTIONS = ("findings", "impression")
# Names how words become concepts: a new name, where the rules of this package change, makes models of the old rules
# refuse to read by the new ones.
RULES = "concepts/1"
PIECE = 400  # words; a longer sentence is read in pieces of this length


def read_concepts(text: str, *, sections: Collection[str] | None = None, report: bool = False) -> tuple[Concept, ...]:
    """Every mention of a known finding in a note, in the order of the text.

    Parameters
    ----------
    text
        The note. Nothing in it is executed or obeyed; a word outside of the vocabulary has no effect. A sentence that
        a dictation marks uncertain tells nothing.
    sections
        Canonical names of the sections to read; without it, all.
    report
        The whole text is a chest report: in it, and always in ``findings`` and ``impression``, shorthand such as
        "effusion" and words of normality such as "heart size is normal" (a negated cardiomegaly) count too.

    Notes
    -----
    Findings by the words of ``findings.yaml``, the longest first (spaCy's entity ruler); cues by the NegEx algorithm
    (Chapman et al. 2001, negspacy), once for each kind of cue, with the terms of ``concepts_terms.yaml``. Where
    several kinds hold, the first of family, negated, hypothetical, uncertain, historical is the assertion.
    """
    return tuple(
        concept
        for sentence in locate_sentences(text)
        if sections is None or sentence.section in sections
        if not is_uncertain(text[sentence.start : sentence.end])
        for concept in _read_sentence(text, sentence, report=report or sentence.section in REPORT_SECTIONS)
    )


def read_many(
    texts: Iterable[str], *, sections: Collection[str] | None = None, report: bool = False
) -> Iterator[tuple[Concept, ...]]:
    """``read_concepts`` of many notes, one by one: a batch takes no more memory than its largest note."""
    return (read_concepts(text, sections=sections, report=report) for text in texts)


@cache
def reader_digest() -> str:
    """SHA-256 over the rules' version and the words of findings and cues: another reader has another one."""
    words = [[row.name, row.synonyms, row.shorthand, row.patterns, row.normals] for row in findings().values()]
    return json_digest([RULES, words, read_terms()])


def _read_sentence(text: str, sentence: Located, *, report: bool) -> Iterator[Concept]:
    words = words_of(text[sentence.start : sentence.end], offset=sentence.start)
    for start in range(0, len(words), PIECE):
        piece = words[start : start + PIECE]
        marks = find_marks([word.text for word in piece], report=report)
        for number, mark in enumerate(marks):
            yield _concept(piece, sentence, marks, number, mark)


def _concept(words: Sequence[Word], sentence: Located, marks: Sequence[Mark], number: int, mark: Mark) -> Concept:
    before = marks[number - 1].last if number else 0
    after = marks[number + 1].first if number + 1 < len(marks) else len(words)
    return Concept(
        finding=mark.finding,
        start=words[mark.first].start,
        end=words[mark.last - 1].end,
        sentence=sentence.number,
        section=sentence.section,
        assertion=_assertion(mark, sentence.section),
        side=side_of([word.text for word in words], first=mark.first, last=mark.last, before=before, after=after),
    )


def _assertion(mark: Mark, section: str) -> Assertion:
    if section == "family-history" or "family" in mark.kinds:
        return "family"
    if mark.normal:
        return "negated"
    return next((kind for kind in KINDS if kind in mark.kinds), "present")
