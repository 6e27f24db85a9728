from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.notes.sections import NAMES, SPELLINGS, find_headings, split_sections

PIECES = st.sampled_from(
    [
        "HISTORY:",
        "Indication: ",
        "\nMedications\n",
        "Findings were",
        "Dr. ",
        "1. ",
        "- ",
        ". ",
        "! ",
        "5.5 mg",
        "\r\n",
        "\n\n",
    ]
)
NOTES = st.lists(PIECES | st.text(max_size=12), max_size=25).map("".join)


def names(text: str) -> list[str]:
    return [section.name for section in split_sections(text)]


@given(NOTES)
def test_nothing_but_blanks_and_headings_is_lost(text: str) -> None:
    rest, at = "", 0
    for heading in find_headings(text):
        rest, at = rest + text[at : heading.start], heading.end
    rest += text[at:]
    kept = "".join(sentence for section in split_sections(text) for sentence in section.sentences)
    assert "".join(kept.split()) == "".join(rest.split())


@given(NOTES)
def test_headings_are_known_spellings_in_order(text: str) -> None:
    end = 0
    for heading in find_headings(text):
        assert end <= heading.start < heading.end
        assert heading.name in SPELLINGS
        end = heading.end


@pytest.mark.parametrize(("spelling", "name"), NAMES.items())
@pytest.mark.parametrize("write", [str.upper, str.capitalize, str.lower])
def test_every_spelling_at_the_start_of_a_line_opens_its_section(spelling: str, name: str, write) -> None:
    assert names(f"Before.\n{write(spelling)}: something here") == ["body", name]


def test_no_spelling_belongs_to_two_sections() -> None:
    assert len(NAMES) == sum(len(spellings) for spellings in SPELLINGS.values())


@pytest.mark.parametrize(
    "line",
    [
        "Past medical history\nAsthma.",
        "## Past medical history\nAsthma.",
        "**Past medical history:** Asthma.",
        "2. Past Medical History: Asthma.",
        "PAST  MEDICAL HISTORY (see letter): Asthma.",
        "Past medical history - Asthma.",
        "  past medical history:\r\nAsthma.",
    ],
)
def test_headings_are_known_in_many_dresses(line: str) -> None:
    (section,) = split_sections(line)
    assert (section.name, section.sentences) == ("history", ("Asthma.",))


def test_headings_within_a_line_follow_a_sentence_and_have_a_capital_and_a_colon() -> None:
    text = "HISTORY: Cough; findings: none told. Indication: dyspnoea. IMPRESSION: clear."
    assert names(text) == ["history", "indication", "impression"]


@pytest.mark.parametrize(
    "text", ["The findings were normal.", "History of smoking.", "Family history of gout.", "Plan for CT"]
)
def test_a_heading_word_within_prose_is_prose(text: str) -> None:
    assert names(text) == ["body"]


def test_text_before_any_heading_is_the_body() -> None:
    body, history = split_sections("Seen today.\nHistory: asthma.")
    assert (body.name, body.sentences) == ("body", ("Seen today.",))
    assert (history.name, history.sentences) == ("history", ("asthma.",))


def test_a_heading_with_nothing_under_it_gives_no_section() -> None:
    assert names("Allergies:\nMedications: aspirin") == ["medications"]


def test_sections_of_one_name_stay_apart_and_in_order() -> None:
    assert names("History: a.\nPlan: b.\nHistory: c.") == ["history", "plan", "history"]


def test_a_conclusion_never_hides_in_another_section() -> None:
    sections = {
        section.name: section.sentences for section in split_sections("HISTORY: cough.\nCONCLUSION: pneumonia.")
    }
    assert sections == {"history": ("cough.",), "impression": ("pneumonia.",)}


@pytest.mark.parametrize("text", ["", " \n\t"])
def test_a_blank_note_has_no_sections(text: str) -> None:
    assert split_sections(text) == ()


@pytest.mark.parametrize(
    "piece",
    ["a", " \t", ". ", "\n", "History ", "1. ", "A.B.", ".", "\n \n", "History\n", "#", "(", "History (", "x. \t"],
)
def test_hostile_text_takes_linear_time(piece: str) -> None:
    started = time.perf_counter()
    split_sections(piece * 30_000)
    assert time.perf_counter() - started < 2.0
