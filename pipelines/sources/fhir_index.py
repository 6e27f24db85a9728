"""Who and what a set of FHIR resources speaks of, and the references between them.

A set is a bundle, or all files of one export: within it a reference leads somewhere, beyond it nowhere, for the ids of
two servers may be equal and mean two people.
"""

from __future__ import annotations

import hashlib
from collections import ChainMap
from collections.abc import Callable, Iterable, MutableMapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from data_schemas.scan import PatientFacts
from pipelines.sources.fhir_model import validate
from pipelines.sources.fhir_patient import is_of_type, patient_facts
from pipelines.sources.values import instant

DICOM_UID = "urn:dicom:uid"
ERROR = "entered-in-error"
T = TypeVar("T")
Held = MutableMapping[str, tuple[float, T | None]]


@dataclass(frozen=True)
class Linked:
    """An ImagingStudy, ServiceRequest or Encounter, as far as others need it: references lead through it.

    ``uid`` and ``accession`` name the study, ``orders`` are names of resources, ``subject`` is that of its patient,
    ``ended`` the end of an encounter, ``withdrawn`` says that it was entered in error.
    """

    uid: str = ""
    accession: str = ""
    orders: tuple[str, ...] = ()
    subject: str = ""
    ended: Any = None
    withdrawn: bool = False


@dataclass(frozen=True)
class Index:
    """A set's resources by the names that references use: full URLs and ``Type/id``, each with its last change.

    None stands for two different things under one name. ``newest`` holds, by a digest of the name, when the newest
    version of a resource was written, ``uids_by`` the studies of an accession number or of an order's name; ``base``
    is the server's address, which absolute references begin with, and ``load`` gives the resource at a place again.
    ``one_person`` leads from an id of a patient to another one that the set merges it with.
    """

    identifier_system: str | None = None
    base: str = ""
    load: Callable[[Any], dict[str, Any]] = field(default=lambda place: place, repr=False)
    patients: Held[PatientFacts] = field(default_factory=dict, repr=False)
    identified: Held[PatientFacts] = field(default_factory=dict, repr=False)
    linked: Held[Linked] = field(default_factory=dict, repr=False)
    uids_by: MutableMapping[str, set[str]] = field(default_factory=dict, repr=False)
    binaries: MutableMapping[str, Any] = field(default_factory=dict, repr=False)
    newest: dict[bytes, float] = field(default_factory=dict, repr=False)
    deleted: set[str] = field(default_factory=set, repr=False)
    one_person: dict[str, str] = field(default_factory=dict, repr=False)

    def name(self, reference: Any) -> str:
        """The name that a reference (text) uses, without version and server; blank where it has none."""
        if not isinstance(reference, str):
            return ""
        plain = reference.partition("/_history/")[0]
        return plain.removeprefix(f"{self.base}/") if self.base else plain

    def add(self, resource: dict[str, Any], *, full_url: Any = None, place: Any = None) -> None:
        """Take note of a resource; one that others refer to must be valid (``RefusedError``)."""
        kind, stamp = resource["resourceType"], written(resource)
        names = self.names(resource, full_url)
        if stamp > float("-inf"):
            for name in names:
                key = _key(name)
                self.newest[key] = max(stamp, self.newest.get(key, stamp))
        if kind == "Patient":
            patient = validate(resource)
            facts = patient_facts(patient, self.identifier_system)
            for name in names:
                _put(self.patients, name, facts, stamp)
            for item in patient.identifier or []:
                if item.value and item.system:
                    _put(self.identified, f"{item.system}|{item.value}", facts, stamp)
        elif kind in ("ImagingStudy", "ServiceRequest", "Encounter"):
            # An encounter is no input: what it lacks is no reason to refuse it.
            lenient = {"class": {}, "status": "unknown"} if kind == "Encounter" else {}
            linked = _linked(kind, validate({**lenient, **resource}), self)
            for name in names:
                _put(self.linked, name, linked, stamp)
            if linked.uid and not linked.withdrawn:
                for way in filter(None, (*linked.orders, linked.accession)):
                    # A set of its own: one that is contained in a resource does not reach beyond it.
                    self.uids_by[way] = self.uids_by.get(way, set()) | {linked.uid}
        elif kind == "Binary":
            self.binaries.update(dict.fromkeys(names, place))

    def names(self, resource: dict[str, Any], full_url: Any = None) -> set[str]:
        """The names of a resource: its full URL and ``Type/id``."""
        local = f"{resource['resourceType']}/{resource['id']}" if isinstance(resource.get("id"), str) else ""
        return {name for name in (self.name(full_url), local) if name}

    def is_outdated(self, resource: dict[str, Any], full_url: Any = None) -> bool:
        """Whether the set holds a later version of a resource."""
        stamp = written(resource)
        return any(self.newest.get(_key(name), stamp) > stamp for name in self.names(resource, full_url))

    def within(self, contained: Any) -> Index:
        """The index with the resources that are contained in another, under their names there (``#id``).

        Raises
        ------
        RefusedError
            One of them that others may refer to cannot be used.
        """
        if not contained:
            return self
        inner = replace(
            self,
            patients=ChainMap({}, self.patients),
            identified=ChainMap({}, self.identified),
            linked=ChainMap({}, self.linked),
            uids_by=ChainMap({}, self.uids_by),
            binaries=ChainMap({}, self.binaries),
            newest={},
        )
        for item in contained:
            if isinstance(item, dict) and isinstance(item.get("resourceType"), str) and item.get("id"):
                inner.add({**item, "id": None}, full_url=f"#{item['id']}", place=item)
        return inner

    def patient_of(self, subject: Any) -> PatientFacts:
        """The patient that a subject refers to; ``RefusedError`` where there is none, or more than one."""
        name = self.name(subject.reference) if subject is not None else ""
        held = self.patients.get(name)
        if held is None and not name and subject is not None and subject.identifier is not None:
            held = self.identified.get(f"{subject.identifier.system}|{subject.identifier.value}")
        if held is None:
            raise RefusedError(Reason.MISSING_PATIENT, "its subject is no patient of this bundle or export")
        if held[1] is None:
            raise RefusedError(Reason.AMBIGUOUS_IDENTITY, "two different patients of this bundle bear that name")
        return held[1]

    def link(self, reference: Any) -> Linked:
        """What a reference leads to, or an empty `Linked`."""
        held = self.linked.get(self.name(reference.reference)) if reference is not None else None
        return (held and held[1]) or Linked()

    def study_of(self, references: Iterable[Any] | None, orders: Iterable[Any] | None = None) -> tuple[str, str]:
        """The study UID and the accession number that references name, by themselves or through what they lead to.

        Each is blank where none is named, or several are: then the dates must tell whether a report is the study's own.
        """
        uids: set[str] = set()
        accessions: set[str] = set()
        for reference in references or ():
            there = self.link(reference)
            named = [reference.identifier] if reference.identifier else []
            uids |= {_uid(named), there.uid}
            accessions |= {accession_in(named), there.accession}
        for reference in orders or ():
            named = [reference.identifier] if reference.identifier else []
            accessions |= {accession_in(named), self.link(reference).accession}
            uids |= self.uids_by.get(self.name(reference.reference), set())
        return self.study_by(uids, accessions)

    def study_by(self, uids: set[str], accessions: set[str]) -> tuple[str, str]:
        """The one UID and the one accession number of a study; an accession number of an ImagingStudy gives its UID."""
        uid, accession = _only(uids), _only(accessions)
        if accession and not uids - {""}:
            uid = _only(self.uids_by.get(accession, set()))
        return uid, accession

    def merge(self, one: PatientFacts, other: PatientFacts) -> None:
        """Take note that two patients of the set are one person."""
        first, second = self._first_id(one.patient_id), self._first_id(other.patient_id)
        if first != second:
            self.one_person[first] = second

    def is_one(self, one: PatientFacts, other: PatientFacts) -> bool:
        """Whether the set merges two patients."""
        return self._first_id(one.patient_id) == self._first_id(other.patient_id)

    def _first_id(self, patient_id: str) -> str:
        while (other := self.one_person.get(patient_id)) is not None:
            patient_id = other
        return patient_id

    def check_subject(self, patient: PatientFacts, *references: Any) -> None:
        """Refuse (``RefusedError``) what leads to an encounter, order or study of another patient, or one in error."""
        for reference in references:
            there = self.link(reference)
            if there.withdrawn:
                raise RefusedError(Reason.WITHDRAWN, "what it belongs to is marked as entered in error")
            held = self.patients.get(there.subject)
            if held is not None and held[1] != patient and not (held[1] and self.is_one(held[1], patient)):
                raise RefusedError(Reason.IDENTITY_CONFLICT, "its encounter, order or study is another patient's")


def accession_in(identifiers: Iterable[Any] | None) -> str:
    """The accession number among identifiers: the one of type ACSN."""
    return _only({item.value or "" for item in identifiers or [] if is_of_type(item, "ACSN")})


def written(resource: dict[str, Any]) -> float:
    """When this version of a resource was written by its server, in seconds since 1970; -inf where it says nothing."""
    meta = resource.get("meta")
    stated = meta.get("lastUpdated") if isinstance(meta, dict) else None
    try:
        return instant(datetime.fromisoformat(stated)) if isinstance(stated, str) else float("-inf")
    except ValueError:
        return float("-inf")


def _linked(kind: str, resource: Any, index: Index) -> Linked:
    names = [index.name(reference.reference) for reference in getattr(resource, "basedOn", None) or []]
    period = resource.period if kind == "Encounter" else None
    return Linked(
        uid=_uid(resource.identifier) if kind == "ImagingStudy" else "",
        accession=accession_in(resource.identifier) if kind != "Encounter" else "",
        orders=tuple(name for name in names if name),
        subject=index.name(resource.subject.reference) if resource.subject else "",
        ended=period.end if period else None,
        withdrawn=resource.status == ERROR,
    )


def _put(held: Held[T], name: str, value: T, stamp: float) -> None:
    known = held.get(name)
    if known is None or stamp > known[0]:
        held[name] = (stamp, value)
    elif stamp == known[0] and known[1] != value:
        held[name] = (stamp, None)


def _uid(identifiers: Iterable[Any] | None) -> str:
    for item in identifiers or []:
        if item.system == DICOM_UID or (item.value or "").startswith("urn:oid:"):
            return (item.value or "").removeprefix("urn:oid:").strip()
    return ""


def _only(found: set[str]) -> str:
    found = {item.strip() for item in found} - {""}
    return found.pop() if len(found) == 1 else ""


def _key(name: str) -> bytes:
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()
