"""The text of a transcribed note: no doubtful word stands in a sentence without a mark, however the text is cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from data_schemas.dictation import UNCERTAIN, UNCLEAR, is_uncertain
from pipelines.notes.sections import split_sections
from pipelines.notes.transcribe_align import Word
from pipelines.notes.transcribe_doubts import Sentence
from pipelines.notes.transcribe_text import Written, sentence_bounds, write_note

WORDS = ["no", "No", "pneumothorax.", "Impression:", "Impression", "Findings,", "colon", "1.", "2.5", "cm", "dr.", "-"]
WORDS += [
    "e.g.",
    "history.",
    "no.",
    "5",
    "left!",
    "why?",
    ":",
    "a:b",
    "(a)",
    "Plan",
    "o/e",
    "§",
    "x.",
    "A.",
    "…",
    "\\n",
]


def words_of(text: str, confidence: float = 0.9) -> list[Word]:
    return [Word(word, float(number), number + 0.5, confidence) for number, word in enumerate(text.split())]


def written(text: str, doubtful: set[int] | None = None, **rules: object) -> Written:
    words = words_of(text)
    kinds = [("negation",) if number in (doubtful or set()) else () for number in range(len(words))]
    return write_note(
        words,
        [Sentence(first, last, kinds[number]) for number, (first, last) in enumerate(sentence_bounds(words))],
        **rules,
    )


def test_one_sentence_is_one_line() -> None:
    assert written("no mass. small effusion.").text == "No mass.\nSmall effusion."


def test_no_text_stands_in_a_repr() -> None:
    assert "mass" not in repr(words_of("No mass.")) + repr(written("No mass."))


def test_a_doubtful_sentence_is_marked() -> None:
    note = written("No mass. small effusion.", {1})
    assert note.text == f"No mass.\n{UNCERTAIN} small effusion."
    assert [note.text[doubt.start : doubt.end] for doubt in note.doubts] == [f"{UNCERTAIN} small effusion."]


def test_words_are_told_by_their_places() -> None:
    note = written("No mass. small effusion.", {1})
    assert [note.text[word.start : word.end] for word in note.words] == ["No", "mass.", "small", "effusion."]


def test_words_heard_poorly_can_be_masked() -> None:
    words = [Word("no", 0, 1, 0.9), Word("mess.", 1, 2, 0.2)]
    assert write_note(words, [Sentence(0, 2)], mask_below=0.3).text == f"No {UNCLEAR}"


def test_speech_without_a_word_is_a_marked_line_in_its_place() -> None:
    assert written("No mass. Small effusion.", unheard=[1.5]).text.split("\n")[1] == f"{UNCERTAIN} {UNCLEAR}"


def test_spoken_headings_become_headings() -> None:
    note = written("Clinical history. Cough. Findings, small effusion. Impression colon pneumonia. Plan.")
    assert [(section.name, section.sentences) for section in split_sections(note.text)] == [
        ("history", ("Cough.",)),
        ("findings", ("Small effusion.",)),
        ("impression", ("Pneumonia.",)),
    ]


def test_a_heading_of_inputs_that_is_doubtful_is_none_and_one_of_conclusions_is() -> None:
    assert written("History. Cough.", {0}).text == f"{UNCERTAIN} History.\nCough."
    assert written("Impression. Cough.", {0}).text == "Impression:\nCough."


def test_a_word_that_names_a_section_within_a_sentence_is_no_heading() -> None:
    assert written("History of cough. Study of the chest.").text == "History of cough.\nStudy of the chest."


@given(
    st.lists(st.sampled_from(WORDS) | st.text(min_size=1, max_size=8), min_size=1, max_size=14),
    st.sets(st.integers(0, 8)),
)
def test_no_doubtful_word_stands_in_a_sentence_without_a_mark(parts: list[str], doubtful: set[int]) -> None:
    words = [Word("".join(part.split()) or "x", float(n), n + 0.5, 0.9) for n, part in enumerate(parts)]
    bounds = sentence_bounds(words)
    assert [number for first, last in bounds for number in range(first, last)] == list(range(len(words)))
    sentences = [Sentence(a, b, ("negation",) if n in doubtful else ()) for n, (a, b) in enumerate(bounds)]
    note = write_note(words, sentences)
    for doubt in note.doubts:
        told = note.text[doubt.start : doubt.end]
        assert told.startswith(UNCERTAIN)
    cut = [sentence for section in split_sections(note.text) for sentence in section.sentences]
    lines = [note.text[doubt.start : doubt.end] for doubt in note.doubts]
    marked = [sentence for sentence in cut if is_uncertain(sentence)]
    assert [" ".join(line.split()) for line in lines] == [" ".join(sentence.split()) for sentence in marked]
