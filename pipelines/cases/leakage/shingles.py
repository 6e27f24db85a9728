"""Texts as sets of word shingles, boilerplate left out, and MinHash to find those that are almost the same.

Shingling, MinHash and its bands: Broder 1997; Leskovec, Rajaraman, Ullman, "Mining of Massive Datasets", chapter 3.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from zlib import crc32

import numpy as np

WORDS_A_SHINGLE = 5
HASHES, BANDS = 128, 32
_WORD = re.compile(r"[^\W_]+")
_MIX = np.array([0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB], np.uint64)


def shingles(text: str) -> np.ndarray:
    """The different runs of five words of a text, as sorted 64-bit hashes; case and punctuation do not count."""
    words = np.array([_hash(word) for word in _WORD.findall(text.lower())], np.uint64)
    if len(words) < WORDS_A_SHINGLE:
        return np.array([], np.uint64)
    windows = np.lib.stride_tricks.sliding_window_view(words, WORDS_A_SHINGLE)
    mixed = np.zeros(len(windows), np.uint64)
    for column in range(WORDS_A_SHINGLE):
        mixed = _spread(mixed ^ windows[:, column])
    return np.unique(mixed)


def boilerplate(by_patient: Mapping[str, Iterable[np.ndarray]], *, share: float, at_least: int, at_most: int) -> set:
    """Shingles that stand in the texts of more patients than a share of all; the bounds are counts of patients.

    What a template writes says nothing of where a text comes from.
    """
    counts: Counter[int] = Counter()
    for texts in by_patient.values():
        found = list(texts)
        if found:
            counts.update(np.unique(np.concatenate(found)).tolist())
    limit = min(max(share * len(by_patient), at_least), at_most)
    return {shingle for shingle, patients in counts.items() if patients > limit}


def words_of(text: str) -> str:
    """A text as it is compared: its words in lower case, and no punctuation."""
    return " ".join(_WORD.findall(text.lower()))


def without(found: np.ndarray, common: set) -> np.ndarray:
    """The shingles that are not common."""
    return found[[shingle not in common for shingle in found.tolist()]] if common and len(found) else found


def minhash(found: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """The MinHash signature [128] of a set of shingles: the share of equal places estimates the Jaccard index."""
    rng = np.random.default_rng(seed)
    keys = rng.integers(0, 2**64, HASHES, np.uint64)
    return _spread(found[None, :] ^ keys[:, None]).min(axis=1)


def candidates(signatures: Sequence[np.ndarray], *, largest: int = 10**9) -> Iterator[tuple[int, int]]:
    """Pairs whose signatures agree in a whole band of four: nearly all of Jaccard index 0.7 and more, each once.

    More than ``largest`` that agree in a band are passed over there: a template's text, not one's own.
    """
    seen: set[tuple[int, int]] = set()
    rows = HASHES // BANDS
    for band in range(BANDS):
        buckets: dict[bytes, list[int]] = {}
        for number, signature in enumerate(signatures):
            buckets.setdefault(signature[band * rows : (band + 1) * rows].tobytes(), []).append(number)
        for members in buckets.values():
            if len(members) > largest:
                continue
            for place, first in enumerate(members):
                for second in members[place + 1 :]:
                    if (first, second) not in seen:
                        seen.add((first, second))
                        yield first, second


def jaccard(first: np.ndarray, second: np.ndarray) -> float:
    """The share of shingles that two texts have in common, of all that either has."""
    common = len(np.intersect1d(first, second, assume_unique=True))
    return common / (len(first) + len(second) - common) if len(first) + len(second) else 0.0


def containment(part: np.ndarray, whole: np.ndarray) -> float:
    """The share of a text's shingles that stand in another."""
    return len(np.intersect1d(part, whole, assume_unique=True)) / len(part) if len(part) else 0.0


@lru_cache(maxsize=1 << 16)
def _hash(word: str) -> int:
    return crc32(word.encode("utf-8", "surrogatepass"))


def _spread(values: np.ndarray) -> np.ndarray:
    """The mixing steps of SplitMix64: every bit of the input changes about half of the output's."""
    mixed = values + _MIX[0]
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIX[1]
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _MIX[2]
    return mixed ^ (mixed >> np.uint64(31))
