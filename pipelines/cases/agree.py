"""Whether all that is said of one person can be true: issuers, sex, birth date and age."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo

from data_schemas.observation import Observation
from data_schemas.reasons import Reason
from data_schemas.scan import PatientFacts, Scan
from pipelines.cases.clock import years_between
from pipelines.cases.stated import Stated
from pipelines.workspace.identity import normalise_id

CAPPED_YEARS = 89.0
"""De-identified data tell no age beyond it (45 CFR 164.514)."""


@dataclass(frozen=True)
class Conflict:
    """Why facts cannot be of one person; ``detail`` says in what they differ, without what they say."""

    reason: Reason
    detail: str


def person_conflict(
    scanned: Iterable[PatientFacts], recorded: Iterable[PatientFacts], observations: Iterable[Observation] = ()
) -> Conflict | None:
    """Why facts under one identity cannot be of one person; None where nothing contradicts.

    ``scanned`` and ``recorded`` are everything that the scans and the records say, whatever its date, for who somebody
    is does not depend on a cut-off. Two issuers among the scans, or among the records, give *ambiguous-identity* (an
    id is unique within its issuer only); scans and records name issuers differently, so one is not held against the
    other. Two sexes or two birth dates give *identity-conflict*.
    """
    sides = (tuple(scanned), tuple(recorded))
    if any(len({normalise_id(facts.issuer) for facts in side} - {""}) > 1 for side in sides):
        return Conflict(Reason.AMBIGUOUS_IDENTITY, "one id of two issuers")
    people = (*sides[0], *sides[1])
    sexes = {facts.sex for facts in people} | {str(item.value) for item in observations if item.code == "sex"}
    births = {facts.birth_date for facts in people} - {None}
    if len(births) > 1:
        return Conflict(Reason.IDENTITY_CONFLICT, "birth dates differ")
    return Conflict(Reason.IDENTITY_CONFLICT, "sexes differ") if len(sexes - {""}) > 1 else None


def age_conflict(
    scan: Scan,
    recorded: Iterable[PatientFacts],
    observations: Iterable[Observation] = (),
    *,
    age_tolerance_years: float = 1.5,
    zone: tzinfo | None = None,
) -> Conflict | None:
    """*identity-conflict* where an age in the records is not the scan's; None where nothing contradicts.

    A dated age is carried forward to the scan's time, a birth date gives the age at that time; an undated age is
    compared as it stands, unless it names another study.
    """
    stated = scan.patient.age_years
    if stated is None and scan.patient.birth_date is not None and scan.acquired is not None:
        stated = _age(scan.patient.birth_date, scan.acquired, zone)
    if stated is None:
        return None
    ages = _ages(scan, recorded, observations, zone)
    apart = any(abs(age - stated) > age_tolerance_years for age in ages)
    return Conflict(Reason.IDENTITY_CONFLICT, "ages differ") if apart else None


def text_conflict(
    stated: Stated,
    *,
    written: datetime | None,
    scan: Scan,
    recorded: Iterable[PatientFacts],
    observations: Iterable[Observation] = (),
    tolerance_years: float = 3.0,
    zone: tzinfo | None = None,
) -> Conflict | None:
    """*identity-conflict* where a note's text says another sex or age of its patient than is known.

    Known are sex, birth date and age of the scan and of all records. The age is that on the day of the note (on the
    scan's, where the note is undated): by a birth date, else the scan's age carried to that day, else an age of the
    records. Two whole years of age that touch do not contradict; beyond that the tolerance is for text that was copied
    forward. From 89 years on ages are often capped, so two such ages agree.
    """
    people = [scan.patient, *recorded]
    values = list(observations)
    sexes = {facts.sex for facts in people} | {str(item.value) for item in values if item.code == "sex"}
    if stated.sex and (known := sexes & {"M", "F"}) and stated.sex not in known:
        return Conflict(Reason.IDENTITY_CONFLICT, "the text of a note tells of another sex")
    at = written or scan.acquired
    for age, span in _ages_at(at, scan, people, values, zone):
        apart = max(stated.age_years - age - span, age - stated.age_years - stated.span, 0.0)
        if apart > tolerance_years and min(stated.age_years, age) < CAPPED_YEARS:
            return Conflict(Reason.IDENTITY_CONFLICT, "the text of a note tells of another age")
    return None


def _ages_at(
    at: datetime | None,
    scan: Scan,
    people: Iterable[PatientFacts],
    observations: Iterable[Observation],
    zone: tzinfo | None,
) -> list[tuple[float, float]]:
    """The ages at a moment from the best source that there is, and how wide each is in years."""
    if at is not None:
        births = {facts.birth_date for facts in people if facts.birth_date is not None}
        if births:
            return [(_age(birth, at, zone), 0.0) for birth in births]
        if scan.patient.age_years is not None and scan.acquired is not None:
            return [(scan.patient.age_years - years_between(at, scan.acquired, zone=zone), 1.0)]
        taken = [item for item in observations if item.code == "age" and item.taken and not isinstance(item.value, str)]
        if taken:
            return [(float(item.value) + years_between(item.taken, at, zone=zone), 1.0) for item in taken if item.taken]
    return [(facts.age_years, 1.0) for facts in people if facts.age_years is not None]


def _ages(
    scan: Scan, recorded: Iterable[PatientFacts], observations: Iterable[Observation], zone: tzinfo | None
) -> Iterator[float]:
    for facts in recorded:
        if facts.age_years is not None:
            yield facts.age_years
        if facts.birth_date is not None and scan.acquired is not None:
            yield _age(facts.birth_date, scan.acquired, zone)
    for item in observations:
        if item.code != "age" or isinstance(item.value, str):
            continue
        if item.taken is None:
            if normalise_id(item.study_uid) in ("", normalise_id(scan.study_uid)):
                yield item.value
        elif scan.acquired is not None:
            yield item.value + years_between(item.taken, scan.acquired, zone=zone)


def _age(birth: date, moment: datetime, zone: tzinfo | None) -> float:
    return years_between(datetime.combine(birth, time.min), moment, zone=zone)
