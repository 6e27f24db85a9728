"""Records brought to the scans: by patient; by study UID or accession number where an observation names no patient."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from data_schemas.cohort import IdMapping
from data_schemas.note import Note
from data_schemas.observation import Observation
from data_schemas.reasons import Reason
from data_schemas.scan import PatientFacts, Scan
from data_schemas.selection import ChannelRule, ScanRule
from pipelines.cases.channels import Channels, assign_channels
from pipelines.cases.inputs import accession_of
from pipelines.cases.people import People, match_people
from pipelines.scans.identity import is_stand_in
from pipelines.scans.select import Ranked, rank
from pipelines.workspace.identity import normalise_id

PERSONAL = frozenset({"sex", "age"})


@dataclass(frozen=True)
class Study:
    """The scans of one study, and whose they are (normalised ids; blank ones left out).

    ``accessions`` are its accession numbers, without padding; stand-ins ("0") and such as stand in the study of another
    person too are left out: they tell nothing.
    ``main`` is its scan, the best of ``ranking`` or the first of the ``channels`` that are there. Where ``usable`` is
    false no scan of the study passes what is required.
    """

    uid: str
    scans: tuple[Scan, ...]
    owners: tuple[str, ...]
    main: Scan
    ranking: tuple[Ranked, ...]
    channels: Channels
    usable: bool
    accessions: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Held:
    """All that is recorded of one person or one study."""

    notes: list[Note] = field(default_factory=list)
    observations: list[Observation] = field(default_factory=list)

    def put(self, item: Note | Observation) -> None:
        """Add a record to its kind."""
        if isinstance(item, Note):
            self.notes.append(item)
        else:
            self.observations.append(item)

    def everything(self) -> list[Note | Observation]:
        """Notes and observations together."""
        return [*self.notes, *self.observations]

    def facts(self) -> list[PatientFacts]:
        """What the records say of the patient, each saying once."""
        return list(dict.fromkeys(item.patient for item in self.everything()))

    def personal(self) -> list[Observation]:
        """The values that tell who somebody is: sex and age."""
        return [item for item in self.observations if item.code in PERSONAL]


@dataclass(frozen=True)
class Joined:
    """Studies by UID, and the records that were brought to them.

    ``by_person`` is keyed by normalised scan id, ``by_study`` by study UID; ``contested`` are studies that a record
    claims for another patient; ``left`` are the records that came to no study, with their reason.
    """

    studies: dict[str, Study]
    people: People
    by_person: dict[str, Held]
    by_study: dict[str, Held]
    contested: frozenset[str]
    left: tuple[tuple[Note | Observation, Reason], ...]

    def of_study(self, study: Study) -> Held:
        """Everything joined to a study, of all its owners."""
        parts = [self.by_study.get(study.uid, Held()), *(self.by_person.get(owner, Held()) for owner in study.owners)]
        notes = [note for part in parts for note in part.notes]
        return Held(notes, [item for part in parts for item in part.observations])


def join(
    scans: Sequence[Scan],
    records: Sequence[Note | Observation],
    id_map: Sequence[IdMapping],
    *,
    ignore_id_case: bool = False,
    ignore_leading_zeros: bool = False,
    require: ScanRule | None = None,
    prefer: ScanRule | None = None,
    channels: Sequence[ChannelRule] = (),
) -> Joined:
    """Group scans into studies and bring every record to the patient, or the study, that it names.

    A record whose study UID or accession number is that of another patient's study than its own is brought nowhere,
    and that study is contested.

    ``require``, ``prefer`` and ``channels`` say which of a study's scans is the scan; without them it is the one of
    most slices.
    """

    def plain(raw: str) -> str:
        return normalise_id(raw, ignore_case=ignore_id_case, ignore_leading_zeros=ignore_leading_zeros)

    grouped: dict[str, list[Scan]] = {}
    for scan in scans:
        grouped.setdefault(study_uid_of(scan), []).append(scan)
    shared = _shared_accessions(grouped, plain)
    studies = {
        uid: _study(uid, found, plain, rank(found, require=require, prefer=prefer), channels, shared)
        for uid, found in grouped.items()
    }
    by_accession: dict[str, list[Study]] = {}
    for study in studies.values():
        for accession in study.accessions:
            by_accession.setdefault(accession, []).append(study)
    people = match_people(
        (scan.patient.patient_id for scan in scans),
        id_map,
        ignore_id_case=ignore_id_case,
        ignore_leading_zeros=ignore_leading_zeros,
    )
    by_person: dict[str, Held] = {}
    by_study: dict[str, Held] = {}
    contested: set[str] = set()
    left: list[tuple[Note | Observation, Reason]] = []
    for item in records:
        person = plain(item.patient.patient_id)
        named = _named(item, studies, by_accession)
        if wrong := _of_others(named, person, people):
            contested.update(study.uid for study in wrong)
            left.append((item, Reason.IDENTITY_CONFLICT))
        elif person in people.ambiguous_records:
            left.append((item, Reason.AMBIGUOUS_IDENTITY))
        elif person in people.scan_id:
            by_person.setdefault(people.scan_id[person], Held()).put(item)
        elif person or (isinstance(item, Observation) and (item.study_uid or accession_of(item)) and not named):
            left.append((item, Reason.NO_SCAN))
        elif not isinstance(item, Observation) or not named:
            left.append((item, Reason.MISSING_PATIENT))
        elif len(named) == 1:
            by_study.setdefault(named[0].uid, Held()).put(item)
        elif named[0].owners:  # one order, several studies of one person
            by_person.setdefault(named[0].owners[0], Held()).put(item)
        else:
            left.append((item, Reason.AMBIGUOUS_IDENTITY))
    return Joined(studies, people, by_person, by_study, frozenset(contested), tuple(left))


def _study(
    uid: str,
    scans: Sequence[Scan],
    plain: Callable[[str], str],
    ranking: tuple[Ranked, ...],
    rules: Sequence[ChannelRule],
    shared: frozenset[str],
) -> Study:
    assigned = assign_channels(ranking, rules)
    return Study(
        uid=uid,
        scans=tuple(scans),
        owners=tuple(sorted({plain(scan.patient.patient_id) for scan in scans} - {""})),
        main=assigned.present[0].scan if assigned.present else ranking[0].scan,
        ranking=ranking,
        channels=assigned,
        usable=ranking[0].eligible,
        accessions=frozenset(accessions_of(scans)) - shared,
    )


def accessions_of(scans: Iterable[Scan]) -> set[str]:
    """The accession numbers of some scans without padding, stand-ins ("0", "NONE") left out."""
    return {normalise_id(scan.accession) for scan in scans if not is_stand_in(scan.accession)} - {""}


def _shared_accessions(grouped: dict[str, list[Scan]], plain: Callable[[str], str]) -> frozenset[str]:
    """Accession numbers that stand in the studies of several people."""
    owners: dict[str, set[str]] = {}
    for scans in grouped.values():
        for accession in accessions_of(scans):
            owners.setdefault(accession, set()).update(plain(scan.patient.patient_id) for scan in scans)
    return frozenset(accession for accession, found in owners.items() if len(found) > 1)


def study_uid_of(scan: Scan) -> str:
    """The UID that a scan's study goes by: its own, else that of the series, else the scan's id."""
    return normalise_id(scan.study_uid) or normalise_id(scan.series_uid) or scan.scan_id


def _named(item: Note | Observation, studies: dict[str, Study], by_accession: dict[str, list[Study]]) -> list[Study]:
    """The studies here that a record names: the one of its UID, then those of its accession number."""
    study = studies.get(normalise_id(item.study_uid))
    ordered = by_accession.get(accession_of(item), [])
    return ordered if study is None else [study, *(other for other in ordered if other.owners != study.owners)]


def _of_others(named: Sequence[Study], person: str, people: People) -> list[Study]:
    """The studies of those named whose owner is known, and is not the person, or not that of the others named."""
    owned = [study for study in named if len(study.owners) == 1]
    if not person:
        return owned if len({study.owners for study in owned}) > 1 else []
    return [study for study in owned if people.record_id.get(study.owners[0], person) != person]
