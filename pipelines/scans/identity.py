"""Whether the slices of a series, and the series of an index, belong to the people whom they name.

Within a series everything that identifies must agree; half an identity proves nothing, so a blank against a value
counts as a difference. What never counts: padding, the character set that a name was written in, the case of a name,
and empty components at its end. What always counts: the case and the leading zeros of an id.

Between series an id is believed, unless it is a stand-in ("W/I", "UNKNOWN", "0"): then name or birth date must prove
that two studies are of one person.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence, Set

from data_schemas.reasons import Reason
from data_schemas.scan import PatientFacts, Scan, Series, SeriesStatus
from pipelines.scans import values
from pipelines.scans.problem import Problem
from pipelines.scans.slice_header import SliceHeader
from pipelines.workspace.identity import PADDING, normalise_id

# Without blanks, punctuation and case. Numbered ones ("ANON0001") are pseudonyms, and tell people apart.
# fmt: off
_STAND_INS = frozenset(
    {
        "anon", "anonym", "anonymous", "anonymized", "anonymised", "anonymisiert", "anonyme", "anonymus",
        "blank", "deidentified", "default", "dummy", "emergency", "idunknown", "inconnu", "inconnue", "janedoe",
        "johndoe", "doejohn", "doejane", "missing", "na", "nan", "nil", "no", "nobody", "noid", "noidea",
        "none", "noname", "nopatientid", "notassigned", "notavailable", "notfall", "notgiven", "notknown",
        "notspecified", "null", "patient", "patientid", "phantom", "redacted", "removed", "temp", "temporary",
        "test", "testid", "testpatient", "tbd", "tba", "unassigned", "unbekannt", "undefined", "unidentified",
        "unk", "unkn", "unknown", "unknownid", "unknownpatient", "unspecified", "wi", "withoutid", "withheld",
        "12345", "123456", "1234567", "12345678", "123456789", "1234567890", "0123456789"
    }
)
# fmt: on
_REPEATED = re.compile(r"0+|x+|9{5,}")
# Ages are whole numbers of years, months, weeks or days; within a series they differ by a birthday at most.
_AGE_YEARS = 1.0


def is_stand_in(patient_id: str) -> bool:
    """Whether an id is none: a word, or digits, that is written where no id is known. A blank id is no stand-in."""
    plain = normalise_id(patient_id, ignore_case=True)
    bare = "".join(character for character in plain if character.isalnum())
    return bool(plain) and (not bare or bare in _STAND_INS or bool(_REPEATED.fullmatch(bare)))


def within_series(headers: Sequence[SliceHeader]) -> Iterator[Problem]:
    """Find what tells that the slices of one series are of several patients or studies."""
    readable = [header for header in headers if header.fault is None]
    patients = Reason.MIXED_PATIENTS
    yield from _differing(readable, patients, "patient ids", lambda header: normalise_id(header.patient_id))
    yield from _differing(readable, patients, "issuers of patient ids", lambda header: normalise_id(header.issuer))
    yield from _differing(readable, patients, "patient names", lambda header: header.patient_name, plain_name)
    yield from _differing(readable, patients, "birth dates", lambda header: header.birth_date.replace(".", ""))
    yield from _differing(readable, patients, "sexes", lambda header: header.sex)
    ages = [age for raw in {header.age for header in readable} if (age := values.age_years(raw)) is not None]
    if ages and max(ages) - min(ages) > _AGE_YEARS:
        yield Problem(patients, f"ages differ in {len(readable)} slices")
    yield from _differing(readable, Reason.MIXED_STUDIES, "studies", lambda header: header.study_uid)
    yield from _differing(readable, Reason.MIXED_STUDIES, "study dates", lambda header: header.study_date)


def _differing(
    headers: Sequence[SliceHeader],
    reason: Reason,
    what: str,
    key: Callable[[SliceHeader], str],
    plain: Callable[[str], Hashable] = str,
) -> Iterator[Problem]:
    found = len({plain(raw) for raw in {key(header) for header in headers}})
    if found > 1:
        yield Problem(reason, f"{found} different {what} in {len(headers)} slices")


def plain_name(raw: str) -> str:
    """Return a person's name in its comparable form: no padding, no empty components at the end, no case, NFC."""
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFD", raw).casefold())
    groups = ["^".join(part.strip(PADDING) for part in group.split("^")).rstrip("^") for group in folded.split("=")]
    return "=".join(groups).rstrip("=")


def across(found: Sequence[Series]) -> tuple[Series, ...]:
    """Quarantine the series of an index that are not proven to be of one person.

    ``mixed-patients``: the accepted series of one study differ in id, issuer, or in a stated birth date or sex;
    or in name, behind a stand-in id.
    ``placeholder-identity``: one stand-in id in several studies that neither name nor birth date proves to be one
    person's, or that differ in name, birth date or sex; and any id in studies that differ in name and birth date.
    """
    scans = [scan for series in found for scan in series.scans]
    studies: dict[str, list[PatientFacts]] = defaultdict(list)
    for scan in scans:
        studies[scan.study_uid].append(scan.patient)
    mixed = {study for study, facts in studies.items() if _mixed(facts)}
    shared = unproven_owners(scans)
    return tuple(_judge(series, mixed, shared) for series in found)


def unproven_owners(scans: Iterable[Scan]) -> frozenset[tuple[str, str]]:
    """Return the patients, as (issuer, id) without padding, whose studies are not proven to be of one person."""
    people: dict[tuple[str, str], dict[str, list[PatientFacts]]] = defaultdict(lambda: defaultdict(list))
    for scan in scans:
        people[owner_of(scan.patient)][scan.study_uid].append(scan.patient)
    return frozenset(owner for owner, held in people.items() if len(held) > 1 and not _one_person(owner[1], held))


def _judge(series: Series, mixed: set[str], shared: Set[tuple[str, str]]) -> Series:
    if any(scan.study_uid in mixed for scan in series.scans):
        return quarantined(series, Problem(Reason.MIXED_PATIENTS, "the series of this study are not of one patient"))
    if any(owner_of(scan.patient) in shared for scan in series.scans):
        detail = "several studies carry this patient id, and nothing proves them to be one person's"
        return quarantined(series, Problem(Reason.PLACEHOLDER_IDENTITY, detail))
    return series


def owner_of(patient: PatientFacts) -> tuple[str, str]:
    """Return the issuer and the id of a patient, without padding."""
    return normalise_id(patient.issuer), normalise_id(patient.patient_id)


def _mixed(facts: Sequence[PatientFacts]) -> bool:
    births = {patient.birth_date for patient in facts} - {None}
    names = {plain_name(patient.name) for patient in facts if not _is_no_name(patient.name)}
    unsure = len(names) > 1 and any(is_stand_in(patient.patient_id) for patient in facts)
    return len({owner_of(patient) for patient in facts}) > 1 or len(births) > 1 or len(_sexes(facts)) > 1 or unsure


def _is_no_name(raw: str) -> bool:
    components = [part for part in re.split(r"[\^=]", raw) if part.strip(PADDING)]
    return is_stand_in("".join(components)) or all(is_stand_in(part) for part in components)


def _sexes(facts: Sequence[PatientFacts]) -> set[str]:
    return {str(patient.sex) for patient in facts} - {""}


def _one_person(patient_id: str, studies: dict[str, list[PatientFacts]]) -> bool:
    if not patient_id:
        return True
    facts = [patient for held in studies.values() for patient in held]
    names = {"" if _is_no_name(patient.name) else plain_name(patient.name) for patient in facts}
    births = {patient.birth_date for patient in facts}
    if not is_stand_in(patient_id):
        return len(names - {""}) < 2 or len(births - {None}) < 2
    proven = (len(names) == 1 and "" not in names) or (len(births) == 1 and None not in births)
    return proven and len(names - {""}) < 2 and len(births - {None}) < 2 and len(_sexes(facts)) < 2


def quarantined(series: Series, problem: Problem) -> Series:
    """Return an accepted series as one that is quarantined for a problem."""
    return series.model_copy(
        update={
            "status": SeriesStatus.QUARANTINED,
            "reasons": (problem.reason,),
            "detail": f"{problem.reason.value}: {problem.detail}",
            "scans": (),
        }
    )
