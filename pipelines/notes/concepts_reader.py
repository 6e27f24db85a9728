"""The machinery under the concepts: spaCy's entity ruler on our vocabulary, one negspacy component a kind of cue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import yaml

from data_schemas.concept import Assertion
from data_schemas.finding import Finding, findings
from pipelines.notes.concepts_words import OTHER, compared, words_of

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

GAP = "…"
WIDEST_GAP = 6  # words
# Kinds of cue; the first that holds is the assertion.
KINDS: tuple[Assertion, ...] = ("family", "negated", "hypothetical", "uncertain", "historical")
NORMAL = "normal"  # the id of words that deny a finding by themselves
DISTRACTOR = "-"
# Words that a gap never spans: negations, marks, what begins a statement of its own, and what ends one. One list for
# every pattern: spaCy then looks at each word of a text once, not once a pattern.
_NO_GAP = [
    *("no", "not", "without", "nor", "but", "however", "although", "which", "with", "lung", ";", ":", "."),
    *("clear", "sharp", "normal", "unremarkable", "limit", "upper", "enlarged", "large", "increased", "prominent"),
    *("borderline", "decreased", "diminished", "low", "tortuous", "ectatic", "calcified", "elevated", "blunted"),
    *("flattened", "engorged", "degenerative", "aneurysmal", "stable", "or", "versus", "vs", "effusion", "thickening"),
]
_CUES = {
    "pseudo": "pseudo_negations",
    "preceding": "preceding_negations",
    "following": "following_negations",
    "termination": "termination",
}


@dataclass(frozen=True)
class Mark:
    """A found finding: its first word and the one after its last, whether the words deny it, and what the cues say."""

    finding: str
    first: int
    last: int
    normal: bool
    kinds: frozenset[str]


class Reader:
    """Finds findings and the cues about them in the words of one sentence."""

    def __init__(
        self, nlp: Language, *, vocabulary: frozenset[str], anchors: frozenset[str], cues: Mapping[str, frozenset[str]]
    ) -> None:
        self._nlp = nlp
        self._ruler: Any = nlp.get_pipe("entity_ruler")
        self._cues: list[tuple[frozenset[str], Any]] = [(words, nlp.get_pipe(kind)) for kind, words in cues.items()]
        self._vocabulary = vocabulary
        self._anchors = anchors

    def reduced(self, words: Sequence[str]) -> tuple[str, ...]:
        """The words with all that is outside of the vocabulary made alike; empty where no finding can be named."""
        if self._anchors.isdisjoint(words):
            return ()
        return tuple(word if word in self._vocabulary else OTHER for word in words)

    def read(self, known: Sequence[str]) -> tuple[Mark, ...]:
        """The findings among some reduced words, in their order, without overlap."""
        from spacy.tokens import Doc

        doc = Doc(self._nlp.vocab, words=list(known), sent_starts=[True, *[False] * (len(known) - 1)])
        doc = self._ruler(doc)
        if not doc.ents:
            return ()
        for needed, mark_cues in self._cues:
            if not needed.isdisjoint(known):
                doc = mark_cues(doc)
        return tuple(
            Mark(
                finding=entity.label_,
                first=entity.start,
                last=entity.end,
                normal=entity.ent_id_ == NORMAL,
                kinds=frozenset(kind for kind in KINDS if entity._.get(kind)),
            )
            for entity in doc.ents
            if entity.label_ != DISTRACTOR
        )


def find_marks(words: Sequence[str], *, report: bool) -> tuple[Mark, ...]:
    """The findings among the compared words of one sentence, in their order, without overlap."""
    known = reader(report=report).reduced(words)
    return _marks(known, report) if known else ()


@lru_cache(maxsize=4096)  # reports repeat themselves; only words of the vocabulary are kept, and no others
def _marks(known: tuple[str, ...], report: bool) -> tuple[Mark, ...]:
    return reader(report=report).read(known)


@cache
def reader(*, report: bool) -> Reader:
    """The reader, made once. In a chest report shorthand, gapped patterns and words of normality count too."""
    import negspacy.negation  # noqa: F401 - registers the component
    import spacy

    terms = read_terms()
    patterns = [*_patterns(findings().values(), report=report), *_distractors(terms["distractors"])]
    nlp = spacy.blank("en")
    nlp.tokenizer = _Tokenizer(nlp.vocab)
    nlp.add_pipe("entity_ruler", config={"phrase_matcher_attr": "ORTH"}).add_patterns(patterns)  # type: ignore[attr-defined]
    spoken: set[str] = set(_NO_GAP)
    needed: dict[
        str, frozenset[str]
    ] = {}  # a kind of cue is looked for only where a sentence has a word that begins one
    for kind in KINDS:
        begins = [*terms[kind]["preceding"], *terms[kind]["following"]]
        needed[kind] = frozenset(words_of(phrase)[0].text for phrase in begins)
        cues = {of_negspacy: list(terms[kind][ours]) for ours, of_negspacy in _CUES.items()}
        cues["termination"] += terms["starts"]
        nlp.add_pipe("negex", name=kind, config={"neg_termset": cues, "extension_name": kind})
        spoken |= {word.text for phrases in cues.values() for phrase in phrases for word in words_of(phrase)}
    named = [_words_in(pattern["pattern"]) for pattern in patterns]
    anchors = frozenset(
        max(words, key=len) for words, pattern in zip(named, patterns, strict=True) if words and pattern
    )
    return Reader(nlp, vocabulary=frozenset(spoken.union(*named)), anchors=anchors, cues=needed)


@cache
def read_terms() -> Mapping[str, Any]:
    """The cues of every kind of assertion, from ``concepts_terms.yaml``."""
    return dict(yaml.safe_load(files("pipelines.notes").joinpath("concepts_terms.yaml").read_text(encoding="utf-8")))


class _Tokenizer:
    """Our words as spaCy's tokens, for the patterns and cues, so that they are compared as the text is."""

    def __init__(self, vocab: Any) -> None:
        self.vocab = vocab

    def __call__(self, text: str) -> Doc:
        from spacy.tokens import Doc

        return Doc(self.vocab, words=[word.text for word in words_of(text)])

    def pipe(self, texts: Iterable[str], **_: Any) -> Iterator[Doc]:
        yield from map(self, texts)


def _patterns(known: Iterable[Finding], *, report: bool) -> Iterator[dict[str, Any]]:
    for finding in known:
        for words in (*finding.synonyms, *(finding.shorthand if report else ())):
            yield {"label": finding.name, "pattern": words}
        if report:
            for words in finding.patterns:
                yield {"label": finding.name, "pattern": _gapped(words)}
            for words in finding.normals:
                yield {"label": finding.name, "pattern": _gapped(words), "id": NORMAL}


def _distractors(phrases: Iterable[str]) -> Iterator[dict[str, Any]]:
    return ({"label": DISTRACTOR, "pattern": words} for words in phrases)


def _gapped(words: str) -> list[dict[str, Any]]:
    """A token pattern; a gap spans no negation, and no other statement."""
    parts = [[compared(word) for word in part.split()] for part in words.split(GAP)]
    pattern: list[dict[str, Any]] = [{"ORTH": word} for word in parts[0]]
    for part in parts[1:]:
        pattern += [{"ORTH": {"NOT_IN": _NO_GAP}, "OP": f"{{0,{WIDEST_GAP}}}"}, *({"ORTH": word} for word in part)]
    return pattern


def _words_in(pattern: str | list[dict[str, Any]]) -> set[str]:
    if isinstance(pattern, str):
        return {word.text for word in words_of(pattern)}
    return {token["ORTH"] for token in pattern if isinstance(token["ORTH"], str)}
