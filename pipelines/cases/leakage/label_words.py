"""A finding's own words in the input text: a classifier that reads nothing else, scored against the label."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from data_schemas.finding import entailed, findings
from data_schemas.leakage import Check, Leak
from pipelines.cases.leakage.case import AuditedCase, first_of_patient, shown
from pipelines.cases.leakage.statistics import area_with_interval, holm
from pipelines.notes.concepts import read_concepts

ALPHA = 0.001
LIMIT = 0.55
FEWEST = 5  # of a class
SAYS = {"present": 1.0, "uncertain": 0.5, "historical": 0.5, "negated": -1.0}


def find_label_words(cases: Sequence[AuditedCase], names: Sequence[str]) -> tuple[Check, list[Leak]]:
    """Score each finding's own words (and those of what entails it) in the input text against its label.

    A word counts as what it says: present 1, uncertain or historical one half, negated −1; of several the highest,
    and 0 where there is none or it is of the family. One-sided Mann–Whitney test over patients, corrected by Holm over
    the findings. It is a leak where the corrected p-value is below 0.001 and the AUROC at least 0.55.
    """
    told = [_told(case.text) for case in cases]
    spoken = {case.example.study_key: words for case, words in zip(cases, told, strict=True)}
    patients = {case.example.study_key for case in first_of_patient(cases)}
    tested: list[tuple[str, np.ndarray, np.ndarray, list[AuditedCase], float]] = []
    for name in names:
        known = [case for case in cases if case.example.labels.get(name) in (0, 1)]
        label = np.array([case.example.labels[name] for case in known])
        score = np.array([_score(name, spoken[case.example.study_key]) for case in known])
        single = np.array([case.example.study_key in patients for case in known], dtype=bool)
        if not score.any() or min((label[single] == 0).sum(), (label[single] == 1).sum()) < FEWEST:
            continue
        tested.append((name, score, label, known, _p_value(score[single], label[single])))
    check = Check(
        kind="label-words",
        compared=len(cases),
        what="cases' input text",
        skipped="" if any(case.example.sentences for case in cases) else "no case has input text",
    )
    corrected = holm([p for *_, p in tested])
    leaks = []
    for (name, score, label, known, _), p in zip(tested, corrected, strict=True):
        area, low, high = area_with_interval(score, label, [case.example.patient_key for case in known])
        if p >= ALPHA:
            continue
        hits = [case.example.study_key for case, said, one in zip(known, score, label, strict=True) if said > 0 and one]
        evidence = f"the finding's own words alone score AUROC {area:.3f} ({low:.3f} to {high:.3f}), p {p:.1g}"
        leaks.append(
            Leak(
                kind="label-words",
                severity="leak" if area >= LIMIT else "watch",
                finding=name,
                evidence=evidence,
                count=int((score != 0).sum()),
                value=round(area, 4),
                limit=LIMIT,
                where=shown(hits),
            )
        )
    return check, leaks


def _told(text: str) -> dict[str, float]:
    """What the words of a text say, by finding; a finding that another entails is told with it."""
    said: dict[str, float] = {}
    for concept in read_concepts(text):
        value = SAYS.get(concept.assertion, 0.0)
        names = {concept.finding} | (entailed(concept.finding) if value > 0 else frozenset())
        for name in names:
            said[name] = max(value, said.get(name, value))
    return said


def _score(name: str, said: dict[str, float]) -> float:
    return said.get(name, 0.0) if name in findings() else 0.0


def _p_value(score: np.ndarray, label: np.ndarray) -> float:
    from scipy.stats import mannwhitneyu

    if len(set(score.tolist())) < 2:
        return 1.0
    return float(mannwhitneyu(score[label == 1], score[label == 0], alternative="greater", method="asymptotic").pvalue)
