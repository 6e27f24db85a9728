"""Words to tokens: what counts as one word, and how a long record stands in few tokens."""

from __future__ import annotations

import pytest

from pipelines.cases.examples import Example, Sentence
from pipelines.models.word_features import MOST_TOKENS, encode_words, token_of_sentence


def example(*sentences: str) -> Example:
    told = tuple(Sentence(text, f"0/0/{number}", 0, number) for number, text in enumerate(sentences))
    return Example("s", "p", None, told, ())


def words(*sentences: str) -> set[int]:
    [tokens] = encode_words([example(*sentences)])
    return set(tokens.values[0].amax(dim=0).nonzero()[:, 0].tolist())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Night PAIN", "night pain."),
        ("FEV1 of 62 %", "fev1 of 71.5 %"),
        ("pain, pain and pain", "pain pain and pain"),
    ],
)
def test_case_punctuation_and_the_size_of_numbers_make_no_other_word(one: str, other: str) -> None:
    assert words(one) == words(other)


def test_pairs_of_neighbours_tell_a_negation_from_what_it_denies() -> None:
    assert words("no pain") - words("no fever") - words("pain")


def test_no_pair_reaches_over_the_end_of_a_sentence() -> None:
    assert words("no", "pain") == words("no") | words("pain")


def test_a_case_without_text_has_no_words() -> None:
    [tokens] = encode_words([example()])
    assert not tokens.mask.any()


def test_every_sentence_of_a_short_text_has_a_token_and_a_long_record_has_few() -> None:
    assert token_of_sentence(3) == [0, 1, 2]
    tokens = token_of_sentence(650)
    assert (tokens[0], tokens[-1]) == (0, MOST_TOKENS - 1)
    assert max(tokens.count(number) for number in range(MOST_TOKENS)) == 21
    [made] = encode_words([example(*(f"word{number}" for number in range(100)))])
    assert made.mask.shape == (1, MOST_TOKENS)


def test_a_token_lies_where_its_first_sentence_does() -> None:
    [tokens] = encode_words([example(*["pain"] * 64)])
    assert tokens.position[0, :3].tolist() == [[0.0, 0.0], [0.0, 2.0], [0.0, 4.0]]
