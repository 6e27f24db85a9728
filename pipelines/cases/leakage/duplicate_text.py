"""Almost the same text of two patients in two splits, where no template explains it."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from data_schemas.leakage import Check, Leak, Severity
from pipelines.cases.leakage.case import AuditedCase, passages, shown
from pipelines.cases.leakage.shingles import boilerplate, candidates, jaccard, minhash, shingles, without, words_of

LIMIT = 0.7
# Shorter texts, or what boilerplate leaves of them, are alike by chance. These bounds were set on 3,826 real chest
# reports, which templates fill: no pair is told there; with twenty patients and fifteen shingles there would be 174.
FEWEST_SHINGLES = 25
BOILERPLATE_SHARE, FEWEST_PATIENTS, MOST_PATIENTS = 0.002, 4, 10
MOST_ALIKE = 4  # patients whose texts are almost the same as one: more are a template's
BITS = 32.0  # beyond what all pairs of the cohort would need to meet by chance
LARGEST_BUCKET = 50

Pairs = dict[tuple[int, int], float]


@dataclass(frozen=True)
class _Passage:
    """A note or section: the case that it is of, its sentences as they are compared, and its shingles."""

    case: int
    sentences: frozenset[str]
    shingles: np.ndarray


def find_duplicate_texts(cases: Sequence[AuditedCase]) -> tuple[Check, list[Leak]]:
    """Look for notes, and sections of notes, that two patients of different splits share.

    MinHash finds the candidates, the Jaccard index of their word shingles (0.7 and more) decides. Twice, for there are
    two ways to write what is nobody else's:

    * in words of one's own: shingles that stand in the texts of more than 0.2 % of all patients (of more than four,
      and in any case of more than ten) are boilerplate and left out, and so are texts of which fewer than twenty-five
      shingles are left;
    * by putting ready sentences together: here nothing is left out, but texts to which those of more than four other
      patients are as similar come from a template; the rest is a leak where the sentences that two texts share would
      meet by chance less often than once in 2³² cohorts (the shares of patients who have them, multiplied, over all
      pairs of patients), and is watched otherwise.
    """
    found = [
        _Passage(number, frozenset(map(words_of, part)), shingles(" ".join(part)))
        for number, case in enumerate(cases)
        for part in passages(case.example)
    ]
    long = [passage for passage in found if len(passage.shingles) >= FEWEST_SHINGLES]
    own = _in_own_words(found, cases)
    assembled, chance = _put_together(long, cases)
    leaks = own | {pair: alike for pair, alike in assembled.items() if chance[pair] >= BITS}
    watched = {pair: alike for pair, alike in assembled.items() if pair not in leaks}
    check = Check(
        kind="duplicate-text",
        compared=len({passage.case for passage in long}),
        what="cases with a text that is long enough",
        skipped="" if long else "no case has a text that is long enough",
    )
    evidence = "notes, or sections of them, of two patients in two splits share their word shingles (Jaccard index)"
    told: list[tuple[Pairs, Severity, str]] = [
        (leaks, "leak", evidence),
        (watched, "watch", f"{evidence}; a template may have made them"),
    ]
    return check, [_leak(pairs, severity, words, cases) for pairs, severity, words in told if pairs]


def _in_own_words(found: Sequence[_Passage], cases: Sequence[AuditedCase]) -> Pairs:
    by_patient: defaultdict[str, list[np.ndarray]] = defaultdict(list)
    for passage in found:
        by_patient[cases[passage.case].example.patient_key].append(passage.shingles)
    common = boilerplate(by_patient, share=BOILERPLATE_SHARE, at_least=FEWEST_PATIENTS, at_most=MOST_PATIENTS)
    rare = [_Passage(row.case, row.sentences, without(row.shingles, common)) for row in found]
    kept = [row for row in rare if len(row.shingles) >= FEWEST_SHINGLES]
    pairs: Pairs = {}
    for first, second, alike in _alike(kept, cases):
        if _apart(first, second, cases):
            pair = _pair(first, second)
            pairs[pair] = max(alike, pairs.get(pair, 0.0))
    return pairs


def _put_together(long: Sequence[_Passage], cases: Sequence[AuditedCase]) -> tuple[Pairs, Pairs]:
    """Pairs with their Jaccard index, and with the bits that their sentences say beyond chance."""

    def patient(row: _Passage) -> str:
        return cases[row.case].example.patient_key

    alike = list(_alike(long, cases))
    similar: defaultdict[int, set[str]] = defaultdict(set)
    for first, second, _ in alike:
        similar[id(first)].add(patient(second))
        similar[id(second)].add(patient(first))
    having = Counter(sentence for _, sentence in {(patient(row), text) for row in long for text in row.sentences})
    patients = max(len({patient(row) for row in long}), 2)
    pairs: Pairs = {}
    chance: Pairs = {}
    for first, second, value in alike:
        if max(len(similar[id(first)]), len(similar[id(second)])) <= MOST_ALIKE and _apart(first, second, cases):
            said = -sum(math.log2(having[text] / patients) for text in first.sentences & second.sentences)
            pair = _pair(first, second)
            pairs[pair] = max(value, pairs.get(pair, 0.0))
            chance[pair] = max(said - 2 * math.log2(patients), chance.get(pair, -math.inf))
    return pairs, chance


def _alike(kept: Sequence[_Passage], cases: Sequence[AuditedCase]) -> Iterator[tuple[_Passage, _Passage, float]]:
    """Passages of different patients whose shingles are almost the same."""
    for one, other in candidates([minhash(row.shingles) for row in kept], largest=LARGEST_BUCKET):
        first, second = kept[one], kept[other]
        if cases[first.case].example.patient_key != cases[second.case].example.patient_key:
            alike = jaccard(first.shingles, second.shingles)
            if alike >= LIMIT:
                yield first, second, alike


def _apart(first: _Passage, second: _Passage, cases: Sequence[AuditedCase]) -> bool:
    return cases[first.case].example.split != cases[second.case].example.split


def _pair(first: _Passage, second: _Passage) -> tuple[int, int]:
    return min(first.case, second.case), max(first.case, second.case)


def _leak(pairs: Pairs, severity: Severity, evidence: str, cases: Sequence[AuditedCase]) -> Leak:
    return Leak(
        kind="duplicate-text",
        severity=severity,
        evidence=evidence,
        count=len(pairs),
        value=round(max(pairs.values()), 4),
        limit=LIMIT,
        where=shown(cases[number].example.study_key for pair in pairs for number in pair),
    )
