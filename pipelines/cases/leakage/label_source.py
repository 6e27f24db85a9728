"""The study's own report in its input text: copied whole, or its impression alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from data_schemas.leakage import Check, Leak
from pipelines.cases.leakage.case import AuditedCase, own_reports, shown
from pipelines.cases.leakage.shingles import boilerplate, containment, shingles, without
from pipelines.notes.sections import BODY, split_sections

LIMIT = 0.5
FEWEST_SHINGLES = 5
BOILERPLATE_SHARE, FEWEST_PATIENTS, MOST_PATIENTS = 0.02, 4, 50
# What labels are read from; the history of a report is often that of the referral, and no leak.
SOURCES = ("findings", "impression", BODY)


def find_label_sources(cases: Sequence[AuditedCase]) -> tuple[Check, list[Leak]]:
    """Look for the findings or the impression of a study's own reports in its input text.

    The share of a section's word shingles that stand in the input text decides; shingles that stand in the reports or
    inputs of more than 2 % of all patients (of more than four) are boilerplate and left out.
    """
    told = [(case, [shingles(part) for part in _sources(case)], shingles(case.text)) for case in cases]
    by_patient: dict[str, list[np.ndarray]] = {}
    for case, parts, text in told:
        by_patient.setdefault(case.example.patient_key, []).extend([*parts, text])
    common = boilerplate(by_patient, share=BOILERPLATE_SHARE, at_least=FEWEST_PATIENTS, at_most=MOST_PATIENTS)
    found: dict[str, float] = {}
    for case, parts, text in told:
        rare = [kept for part in parts if len(kept := without(part, common)) >= FEWEST_SHINGLES]
        copied = max((containment(part, text) for part in rare), default=0.0)
        if copied >= LIMIT:
            found[case.example.study_key] = copied
    reported = sum(bool(parts) for _, parts, _ in told)
    check = Check(
        kind="label-source",
        compared=reported,
        what="cases with a report of their own",
        skipped="" if reported else "the catalogue holds no report of a study",
    )
    if not found:
        return check, []
    leak = Leak(
        kind="label-source",
        severity="leak",
        evidence="the input text holds findings or impression of the study's own report (share of its word shingles)",
        count=len(found),
        value=round(max(found.values()), 4),
        limit=LIMIT,
        where=shown(found),
    )
    return check, [leak]


def _sources(case: AuditedCase) -> Iterator[str]:
    for note in own_reports(case):
        for section in split_sections(note.text):
            if section.name in SOURCES:
                yield " ".join(section.sentences)
