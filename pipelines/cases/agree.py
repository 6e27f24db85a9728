"""Whether all that is said of one person can be true: issuers, sex, birth date and age."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time

from data_schemas.observation import Observation
from data_schemas.reasons import Reason
from data_schemas.scan import PatientFacts, Scan
from pipelines.cases.clock import years_between
from pipelines.workspace.identity import normalise_id


def person_conflict(
    scanned: Iterable[PatientFacts], recorded: Iterable[PatientFacts], observations: Iterable[Observation] = ()
) -> Reason | None:
    """Why facts under one identity cannot be of one person; None where nothing contradicts.

    ``scanned`` and ``recorded`` are everything that the scans and the records say, whatever its date, for who somebody
    is does not depend on a cut-off. Two issuers among the scans, or among the records, give *ambiguous-identity* (an
    id is unique within its issuer only); scans and records name issuers differently, so one is not held against the
    other. Two sexes or two birth dates give *identity-conflict*.
    """
    sides = (tuple(scanned), tuple(recorded))
    if any(len({normalise_id(facts.issuer) for facts in side} - {""}) > 1 for side in sides):
        return Reason.AMBIGUOUS_IDENTITY
    people = (*sides[0], *sides[1])
    sexes = {facts.sex for facts in people} | {str(item.value) for item in observations if item.code == "sex"}
    births = {facts.birth_date for facts in people} - {None}
    return Reason.IDENTITY_CONFLICT if len(sexes - {""}) > 1 or len(births) > 1 else None


def age_conflict(
    scan: Scan,
    recorded: Iterable[PatientFacts],
    observations: Iterable[Observation] = (),
    *,
    age_tolerance_years: float = 1.5,
) -> Reason | None:
    """*identity-conflict* where an age in the records is not the scan's; None where nothing contradicts.

    A dated age is carried forward to the scan's time, a birth date gives the age at that time; an undated age is
    compared as it stands, unless it names another study.
    """
    stated = scan.patient.age_years
    if stated is None and scan.patient.birth_date is not None and scan.acquired is not None:
        stated = _age(scan.patient.birth_date, scan.acquired)
    if stated is None:
        return None
    ages = _ages(scan, recorded, observations)
    return Reason.IDENTITY_CONFLICT if any(abs(age - stated) > age_tolerance_years for age in ages) else None


def _ages(scan: Scan, recorded: Iterable[PatientFacts], observations: Iterable[Observation]) -> Iterator[float]:
    for facts in recorded:
        if facts.age_years is not None:
            yield facts.age_years
        if facts.birth_date is not None and scan.acquired is not None:
            yield _age(facts.birth_date, scan.acquired)
    for item in observations:
        if item.code != "age" or isinstance(item.value, str):
            continue
        if item.taken is None:
            if normalise_id(item.study_uid) in ("", normalise_id(scan.study_uid)):
                yield item.value
        elif scan.acquired is not None:
            yield item.value + years_between(item.taken, scan.acquired)


def _age(birth: date, moment: datetime) -> float:
    return years_between(datetime.combine(birth, time.min), moment)
