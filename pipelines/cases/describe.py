"""A cohort in numbers: prevalence by finding and split, and what the cases have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from data_schemas.case import Case
from data_schemas.cohort import CohortMember, LabelValue, Split

SPLITS: tuple[Split, ...] = ("train", "validation", "test")
FEWEST = 10
"""Smallest count that is told."""


def withheld(count: int) -> int | None:
    """The count, or None where it is too small to be told."""
    return count if count >= FEWEST else None


@dataclass(frozen=True)
class Prevalence:
    """One finding in one split: positive, negative and uncertain cases. A count under ten is None."""

    finding: str
    split: Split
    positive: int | None
    negative: int | None
    uncertain: int | None

    @property
    def share(self) -> float | None:
        """Positives among the known labels; None where a count is withheld."""
        if self.positive is None or self.negative is None:
            return None
        return self.positive / (self.positive + self.negative)


def prevalences(members: Sequence[CohortMember], findings: Sequence[str]) -> tuple[Prevalence, ...]:
    """Every finding in every split, in the order of the findings."""
    counts = Counter((name, row.split, value) for row in members for name, value in row.labels.items())

    def told(name: str, split: Split, value: LabelValue) -> int | None:
        return withheld(counts[name, split, value])

    return tuple(
        Prevalence(
            finding=name,
            split=split,
            positive=told(name, split, LabelValue.POSITIVE),
            negative=told(name, split, LabelValue.NEGATIVE),
            uncertain=told(name, split, LabelValue.UNCERTAIN),
        )
        for name in findings
        for split in SPLITS
    )


def sizes(members: Sequence[CohortMember]) -> dict[str, dict[str, int | None]]:
    """Cases and patients of each split; a count under ten is None."""
    return {
        split: {
            "cases": withheld(sum(row.split == split for row in members)),
            "patients": withheld(len({row.patient_key for row in members if row.split == split})),
        }
        for split in SPLITS
    }


def availability(members: Sequence[CohortMember], cases: Mapping[str, Case]) -> dict[str, dict[str, int | None]]:
    """Cases by what they have ("scan + note + observations") and split; a count under ten is None."""
    counts: Counter[tuple[str, str]] = Counter()
    for row in members:
        case = cases[row.study_key]
        has = {"scan": case.scan is not None, "note": bool(case.notes), "observations": bool(case.observations)}
        counts[" + ".join(name for name, there in has.items() if there) or "nothing", row.split] += 1
    patterns = sorted({pattern for pattern, _ in counts})
    return {pattern: {split: withheld(counts[pattern, split]) for split in SPLITS} for pattern in patterns}
