"""From heard words to the text of a note: one sentence a line, uncertain ones marked, headings as headings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from data_schemas.dictation import UNCERTAIN, UNCLEAR, Doubt, DoubtKind, SpokenWord
from pipelines.notes.sections import NAMES, split_sections
from pipelines.notes.sentences import split_sentences
from pipelines.notes.transcribe_align import Word
from pipelines.notes.transcribe_doubts import Sentence

# Their headings are taken even where a pass did not hear them: what follows is then no input, which is the safe side.
CLOSING = frozenset(["findings", "impression", "assessment", "plan"])
# Before a comma these open a section; the other names of sections are words of sentences too.
OPENING = frozenset(
    [
        *("findings", "impression", "conclusion", "indication", "comparison", "technique", "history", "allergies"),
        *("clinical history", "medical history", "past medical history", "family history", "social history"),
    ]
)
LONGEST_HEADING = 5  # words
_MARKS = ".,:;!? "


@dataclass(frozen=True)
class Written:
    """The text of a note, its words and its doubts by their places in it, and how many sentences it has."""

    text: str = field(repr=False)
    words: tuple[SpokenWord, ...]
    doubts: tuple[Doubt, ...]
    sentences: int


@dataclass(frozen=True)
class _Line:
    """A line: its text, its words as (from, to, number of the word), and its doubts."""

    text: str = field(repr=False)
    places: tuple[tuple[int, int, int], ...] = ()
    kinds: tuple[DoubtKind, ...] = ()


def sentence_bounds(words: Sequence[Word]) -> list[tuple[int, int]]:
    """The sentences of a pass by its own full stops: first word and the one after the last.

    What begins after a full stop counts as a beginning, even where the pass wrote it small.
    """
    parts = [word.text for word in words]
    for number, before in enumerate(parts[:-1], 1):
        if before.endswith((".", "!", "?")) and len(parts[number][:1].upper()) == 1:
            parts[number] = parts[number][:1].upper() + parts[number][1:]
    text = " ".join(parts)
    ends, at = [], 0
    for sentence in split_sentences(text):
        at = text.index(sentence, at) + len(sentence)
        ends.append(at)
    bounds, first, place = [], 0, -1
    for number, word in enumerate(words):
        place += 1 + len(word.text)
        if any(end <= place for end in ends):
            bounds.append((first, number + 1))
            first = number + 1
            ends = [end for end in ends if end > place]
    if first < len(words):
        bounds.append((first, len(words)))
    return bounds


def write_note(
    words: Sequence[Word],
    sentences: Sequence[Sentence],
    *,
    unheard: Sequence[float] = (),
    mask_below: float = 0.0,
) -> Written:
    """The text of a note, one sentence a line.

    A sentence with a doubt begins with the mark of uncertain ones, in whatever way the text is cut into sentences
    later. Words heard with less than ``mask_below`` are replaced by the sign for unclear ones. Speech without a word,
    told by when it began (s), is a marked line of its own. A sentence that is nothing but the name of a section
    becomes its heading.
    """
    lines: list[_Line] = []
    gaps = sorted(unheard)
    for sentence in sentences:
        while gaps and gaps[0] < words[sentence.first].start:
            gaps.pop(0)
            lines.append(_Line(f"{UNCERTAIN} {UNCLEAR}", kinds=("unsupported",)))
        lines += _lines(words, sentence, mask_below)
    lines += [_Line(f"{UNCERTAIN} {UNCLEAR}", kinds=("unsupported",)) for _ in gaps]
    spoken: list[SpokenWord] = []
    doubts = []
    at = 0
    for line in lines:
        for start, end, number in line.places:
            word = words[number]
            spoken.append(
                SpokenWord(
                    start=at + start, end=at + end, said=round(word.start, 2), confidence=round(word.confidence, 3)
                )
            )
        if line.kinds:
            doubts.append(Doubt(start=at, end=at + len(line.text), kinds=line.kinds))
        at += len(line.text) + 1
    return Written("\n".join(line.text for line in lines), tuple(spoken), tuple(doubts), len(lines))


def _lines(words: Sequence[Word], sentence: Sentence, mask_below: float) -> Iterator[_Line]:
    numbers = list(range(sentence.first, sentence.last))
    parts = [words[number].text if words[number].confidence >= mask_below else UNCLEAR for number in numbers]
    heading = _heading(parts, doubtful=bool(sentence.kinds))
    if heading:
        line = _line(parts[:heading], numbers[:heading])
        yield _Line(f"{line.text.rstrip(_MARKS)}:", _within(line, len(line.text.rstrip(_MARKS))).places)
        if heading < len(parts) and parts[heading].strip(_MARKS).lower() == "colon":
            heading += 1
        parts, numbers = parts[heading:], numbers[heading:]
    if not parts:
        return
    line = _line(parts, numbers)
    if not sentence.kinds:
        first = line.text[:1].upper()
        yield _Line((first if len(first) == 1 else line.text[:1]) + line.text[1:], line.places)
        return
    # A heading within a doubtful line would end it, and leave what follows without a mark.
    text, place = line.text.replace(":", ","), 0
    for piece in _pieces(text):
        start = text.index(piece, place)
        place = start + len(piece)
        shift = len(UNCERTAIN) + 1 - start
        own = [(a + shift, b + shift, number) for a, b, number in line.places if start <= a and b <= place]
        yield _Line(f"{UNCERTAIN} {piece}", tuple(own), sentence.kinds)


def _line(parts: Sequence[str], numbers: Sequence[int]) -> _Line:
    places, at = [], 0
    for part, number in zip(parts, numbers, strict=True):
        places.append((at, at + len(part), number))
        at += len(part) + 1
    return _Line(" ".join(parts), tuple(places))


def _within(line: _Line, length: int) -> _Line:
    places = tuple((start, min(end, length), number) for start, end, number in line.places if start < length)
    return _Line(line.text[:length], places)


def _heading(parts: Sequence[str], *, doubtful: bool) -> int:
    """How many words at the start of a sentence are a heading; 0 where there is none."""
    for count in range(min(len(parts), LONGEST_HEADING), 0, -1):
        name = " ".join(parts[:count]).lower().rstrip(_MARKS)
        if name not in NAMES or (doubtful and NAMES[name] not in CLOSING):
            continue
        alone = len(parts) == count or parts[count].strip(_MARKS).lower() == "colon"
        if alone or parts[count - 1].endswith(":") or (parts[count - 1].endswith(",") and name in OPENING):
            return count
    return 0


def _pieces(text: str) -> Iterator[str]:
    """A doubtful passage cut so that each piece, with a mark before it, stays one sentence of the note."""
    rest = text.strip()
    while rest:
        found = [sentence for section in split_sections(f"{UNCERTAIN} {rest}") for sentence in section.sentences]
        first = found[0].removeprefix(UNCERTAIN).strip()
        if len(found) == 1 or not first:
            yield rest
            return
        yield first
        rest = rest[rest.index(first) + len(first) :].strip()
