"""Which sentences of a transcript are believed: one test a rule, on passes written by hand."""

from __future__ import annotations

from data_schemas.dictation import DoubtKind
from pipelines.notes.transcribe_align import Word, align, counterparts
from pipelines.notes.transcribe_doubts import doubts
from pipelines.notes.transcribe_text import sentence_bounds


def heard(
    text: str, *, confidence: float = 0.9, weak: dict[str, float] | None = None, start: float = 0.0
) -> list[Word]:
    """Words half a second each, one after the other."""
    return [
        Word(word, start + 0.5 * number, start + 0.5 * number + 0.4, (weak or {}).get(word, confidence))
        for number, word in enumerate(text.split())
    ]


def kinds(
    text: str,
    plain: str | None = None,
    denying: str | None = None,
    *,
    weak: dict[str, float] | None = None,
    denied: dict[str, float] | None = None,
    **rules: object,
) -> list[tuple[DoubtKind, ...]]:
    main = heard(text, weak=weak)
    given: dict = {"speech": [(0.0, 60.0)], "critical_confidence": 0.5} | rules
    found = doubts(
        main,
        sentence_bounds(main),
        unprompted=heard(text if plain is None else plain),
        denying=heard(text if denying is None else denying, weak=denied),
        **given,
    )
    return [sentence.kinds for sentence in found]


def test_three_passes_that_agree_are_believed() -> None:
    assert kinds("No pneumothorax. Small effusion on the left.") == [(), ()]


def test_a_no_that_the_prompt_swallowed_makes_the_sentence_uncertain() -> None:
    assert kinds("Pneumothorax is seen.", "no pneumothorax is seen") == [("negation",)]


def test_a_no_that_both_lost_is_found_by_the_denying_pass() -> None:
    assert kinds("Pneumothorax is seen.", denying="No pneumothorax is seen.") == [("negation",)]


def test_a_no_that_the_denying_pass_made_up_counts_for_nothing() -> None:
    assert kinds("Pneumothorax is seen.", denying="No pneumothorax is seen.", denied={"No": 0.05}) == [()]


def test_a_term_that_the_prompt_repaired_is_believed() -> None:
    assert kinds("No pneumothorax.", "no numothorex") == [()]


def test_another_side_or_number_makes_it_uncertain() -> None:
    assert kinds("Mass on the left.", "mass on the right") == [("side",)]
    assert kinds("Mass of 2.5 cm.", "mass of 25 cm") == [("number",)]


def test_a_number_that_sounds_like_a_word_makes_it_uncertain() -> None:
    assert kinds("There are free nodules.") == [("number",)]


def test_a_negation_that_was_hardly_heard_makes_it_uncertain() -> None:
    assert kinds("No pneumothorax.", weak={"No": 0.3}) == [("confidence",)]


def test_what_only_the_prompted_pass_heard_is_unsupported() -> None:
    assert kinds("Small effusion. Subscribe to my channel.", "small effusion")[1] == ("unsupported",)


def test_words_where_nobody_spoke_are_noise() -> None:
    assert kinds("Small effusion.", speech=[(10.0, 12.0)]) == [("noise",)]


def test_text_that_the_model_itself_calls_shaky_is_noise() -> None:
    assert kinds("Small effusion. No mass.", shaky={2}) == [(), ("noise",)]


def test_courtesies_at_the_end_are_noise() -> None:
    assert kinds("Small effusion. Thank you. Good.") == [(), ("noise",), ("noise",)]


def test_a_sentence_through_which_the_recording_was_cut_is_uncertain() -> None:
    assert kinds("No mass. Small effusion.", cut=(False, True)) == [(), ("cut",)]
    assert kinds("No mass. Small effusion.", cut=(True, False)) == [("cut",), ()]


def test_a_pass_that_heard_nothing_supports_nothing() -> None:
    assert "unsupported" in kinds("No mass.", "")[0]


def test_words_are_paired_in_time() -> None:
    one = [*heard("no mass"), *heard("no mass", start=10.0)]
    two = heard("no mass", start=10.0)
    assert align(one, two) == [(0, None), (1, None), (2, 0), (3, 1)]


def test_a_word_between_two_sentences_belongs_to_both() -> None:
    one, two = heard("clear. effusion."), heard("clear. No effusion.")
    assert counterparts([(0, 1), (1, 2)], align(one, two)) == [(0, 1), (1, 2)]
