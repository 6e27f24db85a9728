"""Which sentences of a transcript are uncertain: passes that disagree, words that were hardly heard, noise."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass

from data_schemas.dictation import DoubtKind
from pipelines.notes.transcribe_align import Word, align, counterparts, likeness
from pipelines.notes.transcribe_words import (
    compared,
    critical,
    like_a_negation,
    like_a_number,
    like_a_side,
    odd_numbers,
    side_of_nothing,
)

# What a Whisper writes where nobody speaks; at the end of speech every pass may write it.
COURTESIES = frozenset(
    [
        *("thankyou", "thankyouverymuch", "thanksforwatching", "thanks", "good", "okay", "ok", "bye", "you", "did"),
        *("so", "alright", "illseeyounexttime", "wellseeyounexttime", "seeyounexttime", "thatsit", "end", "goodbye"),
    ]
)
LEAST_ALIKE = 0.45  # letters that the unprompted pass must share with a sentence, or nobody said it
LEAST_DENIED = 0.1  # confidence of a word of the denying pass, or it counts for nothing
LEAST_UNSHARED = 0.25  # confidence of a word that the unprompted pass heard otherwise
MISSED_LETTERS = 8  # of words that the unprompted pass alone heard, one after the other, to be told as missed
LEAST_MEAN = 0.5  # mean confidence of a sentence's words
LEAST_SPEECH = 0.4  # share of a sentence's time that must be speech


@dataclass(frozen=True)
class Sentence:
    """A sentence of the prompted pass by its words, from and to, and what makes it uncertain."""

    first: int
    last: int
    kinds: tuple[DoubtKind, ...] = ()


def doubts(
    words: Sequence[Word],
    bounds: Sequence[tuple[int, int]],
    *,
    unprompted: Sequence[Word],
    denying: Sequence[Word],
    speech: Sequence[tuple[float, float]],
    critical_confidence: float,
    vocabulary: Set[str] = frozenset(),
    shaky: Set[int] = frozenset(),
    cut: tuple[bool, bool] = (False, False),
) -> list[Sentence]:
    """The sentences (first word, word after the last) of the prompted pass, each with its doubts.

    A sentence is believed only where

    * the prompted, the unprompted and the denying pass (prompted with negated findings) agree in it on every
      negation, side and number;
    * each of those was heard with ``critical_confidence`` at least, and no number is garbled; any other word was heard
      well, or the same by the unprompted pass, or is of the ``vocabulary`` that the prompt is to mend;
    * the unprompted pass heard something alike at that time, and there was speech at all;
    * none of its words is ``shaky`` (loops, text that does not fit the sound), and the recording was not ``cut``
      within it: at the start or the end of these words.
    """
    # What the denying pass made up it hardly heard: 0.00 to 0.09 on most of our speech, where a lost "No" had more.
    denying = [word for word in denying if word.confidence >= LEAST_DENIED]
    pairs = align(words, unprompted)
    others = [
        (unprompted, counterparts(bounds, pairs)),
        (denying, counterparts(bounds, align(words, denying))),
    ]
    shared = {one: two for one, two in pairs if one is not None and two is not None}
    lonely = {
        number
        for number, word in enumerate(words)
        if word.confidence < LEAST_UNSHARED
        and compared(word.text) not in vocabulary
        and not (number in shared and compared(unprompted[shared[number]].text) == compared(word.text))
    }
    found = []
    for number, (first, last) in enumerate(bounds):
        told = [word.text for word in words[first:last]]
        kinds: dict[DoubtKind, None] = {}
        own = critical(told)
        for other, owners in others:
            heard = critical([other[place].text for place in owners[number]])
            for kind in ("negation", "side", "number"):
                if [said.value for said in own if said.kind == kind] != [s.value for s in heard if s.kind == kind]:
                    kinds[kind] = None
        if like_a_number(told) or odd_numbers(told):
            kinds["number"] = None
        if like_a_negation(told):
            kinds["negation"] = None
        if like_a_side(told) or side_of_nothing(told, vocabulary):
            kinds["side"] = None
        mean = sum(word.confidence for word in words[first:last]) / (last - first)
        hardly = mean < LEAST_MEAN or not lonely.isdisjoint(range(first, last))
        if hardly or any(words[first + said.word].confidence < critical_confidence for said in own):
            kinds["confidence"] = None
        alike = likeness(told, [unprompted[place].text for place in others[0][1][number]])
        if alike < LEAST_ALIKE:
            kinds["unsupported"] = None
        said = "".join(map(compared, told))
        if (
            _spoken(words[first:last], speech) < LEAST_SPEECH
            or not said
            or said in COURTESIES
            or not shaky.isdisjoint(range(first, last))
        ):
            kinds["noise"] = None
        if (cut[0] and number == 0) or (cut[1] and number == len(bounds) - 1):
            kinds["cut"] = None
        found.append(Sentence(first, last, tuple(kinds)))
    return found


def missed(words: Sequence[Word], unprompted: Sequence[Word]) -> list[float]:
    """When something was said (s) that the unprompted pass alone heard: a sentence that the prompt swallowed whole."""
    found, run = list[float](), list[Word]()
    for one, two in [*align(words, unprompted), (0, None)]:
        if one is None and two is not None:
            run.append(unprompted[two])
            continue
        said = "".join(compared(word.text) for word in run)
        if len(run) > 1 and len(said) >= MISSED_LETTERS and said not in COURTESIES:
            found.append(run[0].start)
        run = []
    return found


def _spoken(words: Sequence[Word], speech: Sequence[tuple[float, float]]) -> float:
    """The share of some words' time that lies within speech."""
    start, end = words[0].start, words[-1].end
    inside = sum(max(0.0, min(end, last) - max(start, first)) for first, last in speech)
    return inside / max(end - start, 1e-3)
