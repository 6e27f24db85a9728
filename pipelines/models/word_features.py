"""The words of cases: one token a few sentences, with a place in it for each word and pair of words, by hash.

No list of words is kept: a hash cannot be read back into a text, though a guess can be tried against it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import torch

from fusion_models.tokens import Tokens, missing, of_one_case
from pipelines.cases.examples import Example

WORD_BUCKETS = 2048
# A case's sentences stand in so many tokens at most: more of them share one.
MOST_TOKENS = 32
# "62", "61.5" and "1,240" are one word: how large a number is, a word does not tell.
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def encode_words(examples: Sequence[Example]) -> list[Tokens]:
    """Tokens of each case's text (B = 1): 1 at each of its words; a masked slot where there is no text.

    Words and pairs of neighbours within a sentence are hashed into 2,048 places (feature hashing, Weinberger 2009,
    by scikit-learn), without regard to case.
    """
    from sklearn.feature_extraction.text import HashingVectorizer

    words = HashingVectorizer(
        n_features=WORD_BUCKETS,
        preprocessor=_plain,
        ngram_range=(1, 2),
        binary=True,
        norm=None,
        alternate_sign=False,
    )
    rows = []
    for example in examples:
        if not example.sentences:
            rows.append(missing(batch=1, features=WORD_BUCKETS, coordinates=2))
            continue
        held = words.transform([sentence.text for sentence in example.sentences])
        block = token_of_sentence(len(example.sentences))
        values = torch.zeros(block[-1] + 1, WORD_BUCKETS)
        sentence, word = held.nonzero()
        values[torch.tensor(block)[sentence], torch.from_numpy(word).long()] = 1.0
        first = [block.index(number) for number in range(len(values))]
        place = [(float(example.sentences[n].section), float(example.sentences[n].number)) for n in first]
        rows.append(of_one_case(values, torch.tensor(place)))
    return rows


def token_of_sentence(sentences: int) -> list[int]:
    """The token in which each of a case's sentences stands."""
    tokens = min(sentences, MOST_TOKENS)
    return [number * tokens // sentences for number in range(sentences)]


def _plain(text: str) -> str:
    return _NUMBER.sub("00", text.lower())
