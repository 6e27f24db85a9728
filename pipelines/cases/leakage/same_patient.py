"""One person in two splits: under one id, or under two that name and birth date give away."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from data_schemas.leakage import Check, Leak
from data_schemas.scan import PatientFacts
from pipelines.cases.leakage.case import AuditedCase, by_value, shown
from pipelines.workspace.identity import normalise_id

# More ids than this under one name and birth date are a stand-in ("ANONYMOUS", 1 January 1900), not a person.
MOST_IDS = 4


def find_same_patients(cases: Sequence[AuditedCase]) -> tuple[Check, list[Leak]]:
    """Look for patients, and for persons, in two splits.

    A person is a name (its words in any order, case and accents aside) with a birth date, or an id but for its case
    and leading zeros with a birth date, as the scans or the records state them. Where more than four ids share them
    they are a stand-in: that is watched, and is no leak.
    """
    leaks = []
    keyed = by_value((case.example.patient_key, case) for case in cases)
    twice = [group for group in keyed.values() if len({case.example.split for case in group}) > 1]
    if twice:
        leaks.append(_leak("one patient key stands in more than one split", twice))
    people = by_value((person, case) for case in cases for person in _people(case))
    several = [group for group in people.values() if _ids(group) > 1 and len({c.example.split for c in group}) > 1]
    same = [group for group in several if _ids(group) <= MOST_IDS]
    if same:
        leaks.append(_leak("one person is registered under several ids, in more than one split", same))
    if len(same) < len(several):
        crowds = [group for group in several if _ids(group) > MOST_IDS]
        evidence = "many ids share one name and birth date: stand-ins, so persons cannot be told apart there"
        leaks.append(_leak(evidence, crowds).model_copy(update={"severity": "watch"}))
    return Check(kind="same-patient", compared=len(keyed), what="patients"), leaks


def _people(case: AuditedCase) -> Iterator[str]:
    stated = [case.scan.patient] if case.scan else []
    stated += case.held.facts() if case.held else []
    yield from {person for facts in stated for person in _persons(facts)}


def _persons(facts: PatientFacts) -> Iterator[str]:
    if facts.birth_date is None:
        return
    plain = "".join(c for c in unicodedata.normalize("NFKD", facts.name.casefold()) if not unicodedata.combining(c))
    words = sorted("".join(c if c.isalnum() else " " for c in plain).split())
    if words:
        yield f"name {' '.join(words)} {facts.birth_date}"
    number = normalise_id(facts.patient_id, ignore_case=True, ignore_leading_zeros=True)
    if number:
        yield f"id {number} {facts.birth_date}"


def _ids(group: Sequence[AuditedCase]) -> int:
    return len({case.example.patient_key for case in group})


def _leak(evidence: str, groups: Sequence[Sequence[AuditedCase]]) -> Leak:
    keys = {case.example.study_key for group in groups for case in group}
    patients = {frozenset(case.example.patient_key for case in group) for group in groups}
    return Leak(
        kind="same-patient",
        severity="leak",
        evidence=evidence,
        count=len(patients),
        value=float(len(patients)),
        limit=0.0,
        where=shown(keys),
    )
