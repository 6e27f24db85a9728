"""Labels from reports: one answer a finding, from everything that a report says of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal

from data_schemas.concept import Concept
from data_schemas.finding import entailed, exclusions, findings
from pipelines.notes.concepts import read_concepts
from pipelines.notes.sections import find_headings

Label = Literal[1, 0, -1]
POSITIVE: Label = 1
NEGATIVE: Label = 0
UNCERTAIN: Label = -1
SAYS: Mapping[str, Label] = {"present": POSITIVE, "negated": NEGATIVE, "uncertain": UNCERTAIN}
STRENGTH = (POSITIVE, UNCERTAIN, NEGATIVE)  # within a section the first that is said wins


def labels_from_report(text: str, *, sections: Sequence[str] = ("findings", "impression")) -> dict[str, Label | None]:
    """The label of every known finding: 1 positive, 0 negative, -1 uncertain, None unmentioned.

    A text without any of these sections is read whole. What is of the family, of the past, or asked for
    ("rule out…") says nothing about the study.

    Rules, in their order:

    1. In a section a positive mention beats an uncertain one, and that a negative one: a report that tells of an
       effusion on the left and of none on the right has one.
    2. Across sections a positive mention anywhere wins; otherwise the last section that says anything does (the
       impression weighs what the findings left open).
    3. What a finding entails (its parents, what it implies) is positive where the finding is, and uncertain where the
       finding is uncertain and nothing positive is said.
    4. Where a finding is negative, those that entail it are negative unless the report mentions them.
    5. Where a finding is positive, an unmentioned one that it excludes is negative.
    """
    named = {heading.name for heading in find_headings(text)}
    chosen: Collection[str] | None = sections if named.intersection(sections) else None
    return labels_of(read_concepts(text, sections=chosen, report=True), order=sections)


def labels_of(concepts: Iterable[Concept], *, order: Sequence[str]) -> dict[str, Label | None]:
    """The labels that some concepts of one report give; ``order`` names its sections, the weightiest last."""
    said: dict[str, dict[str, set[Label]]] = {}
    for concept in concepts:
        if concept.assertion in SAYS:
            by_section = said.setdefault(concept.finding, {})
            by_section.setdefault(concept.section, set()).add(SAYS[concept.assertion])
    mentioned = {finding: _weigh(by_section, order=order) for finding, by_section in said.items()}
    return _coherent(mentioned)


def _weigh(by_section: Mapping[str, set[Label]], *, order: Sequence[str]) -> Label:
    if any(POSITIVE in labels for labels in by_section.values()):
        return POSITIVE
    rank = {name: number for number, name in enumerate(order)}
    last = max(by_section, key=lambda name: rank.get(name, -1))
    return next(label for label in STRENGTH if label in by_section[last])


def _coherent(mentioned: Mapping[str, Label]) -> dict[str, Label | None]:
    labels: dict[str, Label | None] = {name: mentioned.get(name) for name in findings()}
    for wanted in (POSITIVE, UNCERTAIN):
        for finding in [name for name, label in labels.items() if label == wanted]:
            for above in entailed(finding):
                if labels[above] != POSITIVE:
                    labels[above] = wanted
    for finding in labels:
        if labels[finding] is None and any(labels[above] == NEGATIVE for above in entailed(finding)):
            labels[finding] = NEGATIVE
    for one, two in exclusions(labels):
        for positive, other in ((one, two), (two, one)):
            if labels[positive] == POSITIVE and labels[other] is None:
                labels[other] = NEGATIVE
    return labels
