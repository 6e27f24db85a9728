"""Patients that their source merged: under every id they had, in scans and in records, they are one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import Engine

from data_schemas.cohort import IdMapping, Label
from data_schemas.linking import LinkSettings
from data_schemas.note import Note
from data_schemas.observation import Observation
from data_schemas.patient_link import PatientLink
from data_schemas.reasons import Reason
from data_schemas.scan import PatientFacts, Scan
from pipelines.cases.agree import Conflict, person_conflict
from pipelines.workspace import catalogue
from pipelines.workspace.identity import normalise_id, patient_key
from pipelines.workspace.patient_links import patient_links

Dated = TypeVar("Dated", Note, Observation)
CIRCLE = Conflict(Reason.AMBIGUOUS_IDENTITY, "links between patients go in a circle")
SEVERAL = Conflict(Reason.AMBIGUOUS_IDENTITY, "a patient was replaced by several others")


@dataclass(frozen=True)
class Merged:
    """Who is who after the merges that the sources state.

    ``survivors`` are by the comparable form of every id that was merged away, ``groups`` by that of every id that a
    merge touches; ``doubtful`` are the ids of merges that cannot be true, with what contradicts. ``mapped`` are the
    scan ids that the id map names: they are of another system, and no merge of record ids touches them.
    """

    survivors: Mapping[str, PatientFacts] = field(default_factory=dict, repr=False)
    groups: Mapping[str, frozenset[str]] = field(default_factory=dict, repr=False)
    doubtful: Mapping[str, Conflict] = field(default_factory=dict, repr=False)
    mapped: frozenset[str] = field(default=frozenset(), repr=False)
    ignore_id_case: bool = False
    ignore_leading_zeros: bool = False

    def plain(self, raw: str) -> str:
        """An id in its comparable form."""
        return normalise_id(raw, ignore_case=self.ignore_id_case, ignore_leading_zeros=self.ignore_leading_zeros)

    def scan_id(self, raw: str) -> str:
        """The id that a patient of the scans goes by now."""
        return raw if not self.survivors or self.plain(raw) in self.mapped else self.record_id(raw)

    def record_id(self, raw: str) -> str:
        """The id that a patient of the records goes by now."""
        found = self.survivors.get(self.plain(raw)) if self.survivors else None
        return found.patient_id if found else raw

    def keys(self, workspace_key: bytes) -> dict[str, str]:
        """The keys of patients who were merged away, each with the key that they go by now."""
        rule = {"ignore_case": self.ignore_id_case, "ignore_leading_zeros": self.ignore_leading_zeros}
        return {
            patient_key(workspace_key, old, **rule): patient_key(workspace_key, now.patient_id, **rule)
            for old, now in self.survivors.items()
            if old not in self.mapped
        }

    def scans(self, scans: Sequence[Scan]) -> tuple[Scan, ...]:
        """Scans under the ids that their patients go by now."""
        return tuple(
            scan
            if (now := self.scan_id(scan.patient.patient_id)) == scan.patient.patient_id
            else scan.model_copy(update={"patient": scan.patient.model_copy(update={"patient_id": now})})
            for scan in scans
        )

    def records(self, records: Sequence[Dated]) -> tuple[Dated, ...]:
        """Notes or observations under the ids that their patients go by now; what else they say stays."""
        return tuple(self._record(item) for item in records)

    def labels(self, labels: Sequence[Label]) -> tuple[Label, ...]:
        """Labels under the ids that their patients go by now."""
        return tuple(
            label if now == label.patient_id else label.model_copy(update={"patient_id": now})
            for label in labels
            for now in (self.record_id(label.patient_id),)
        )

    def id_map(self, rows: Sequence[IdMapping]) -> tuple[IdMapping, ...]:
        """The id map, leading to the ids that patients go by now."""
        return tuple(
            row if now == row.record_patient_id else row.model_copy(update={"record_patient_id": now})
            for row in rows
            for now in (self.record_id(row.record_patient_id),)
        )

    def _record(self, item: Dated) -> Dated:
        found = self.survivors.get(self.plain(item.patient.patient_id)) if self.survivors else None
        if found is None:
            return item
        patient = item.patient.model_copy(update={"patient_id": found.patient_id, "issuer": found.issuer})
        return item.model_copy(update={"patient": patient})


def merged_in(engine: Engine, rules: LinkSettings) -> Merged:
    """The merges of a workspace's catalogue, by its rule for ids."""
    return merge_people(
        patient_links(engine),
        catalogue.id_map(engine),
        ignore_id_case=rules.ignore_id_case,
        ignore_leading_zeros=rules.ignore_leading_zeros,
    )


def merge_people(
    links: Iterable[PatientLink],
    id_map: Iterable[IdMapping] = (),
    *,
    ignore_id_case: bool = False,
    ignore_leading_zeros: bool = False,
) -> Merged:
    """Who is who by some links. One end's word is enough; chains are followed to their end.

    Links that go in a circle, that lead to several people, or between people of different sex or birth date merge
    nobody: all their ids are ``doubtful``.
    """
    rule = Merged(ignore_id_case=ignore_id_case, ignore_leading_zeros=ignore_leading_zeros)
    facts: dict[str, list[PatientFacts]] = {}
    after: dict[str, set[str]] = {}
    for link in links:
        for person in (link.patient, *link.others):
            facts.setdefault(rule.plain(person.patient_id), []).append(person)
        own = rule.plain(link.patient.patient_id)
        pairs = [(own, rule.plain(other.patient_id)) for other in link.replaced_by]
        pairs += [(rule.plain(other.patient_id), own) for other in link.replaces]
        for old, new in pairs:
            if old and new and old != new:
                after.setdefault(old, set()).add(new)
    survivors: dict[str, PatientFacts] = {}
    doubtful: dict[str, Conflict] = {}
    groups: dict[str, frozenset[str]] = {}
    for group in _groups(after):
        groups |= dict.fromkeys(group, group)
        conflict = _conflict(group, after, [person for name in sorted(group) for person in facts[name]])
        if conflict is not None:
            doubtful |= dict.fromkeys(group, conflict)
            continue
        [last] = group - after.keys()
        survivors |= dict.fromkeys(group - {last}, facts[last][0])
    return Merged(
        survivors,
        groups,
        doubtful,
        frozenset(rule.plain(row.scan_patient_id) for row in id_map),
        ignore_id_case,
        ignore_leading_zeros,
    )


def _groups(after: Mapping[str, set[str]]) -> list[frozenset[str]]:
    """Ids that links connect, whichever way."""
    near: dict[str, set[str]] = {}
    for old, news in after.items():
        for new in news:
            near.setdefault(old, set()).add(new)
            near.setdefault(new, set()).add(old)
    found: list[frozenset[str]] = []
    seen: set[str] = set()
    for start in sorted(near):
        group, waiting = set[str](), [start]
        while waiting:
            name = waiting.pop()
            if name not in group:
                group.add(name)
                waiting += near[name]
        if start not in seen:
            found.append(frozenset(group))
            seen |= group
    return found


def _conflict(group: frozenset[str], after: Mapping[str, set[str]], people: Sequence[PatientFacts]) -> Conflict | None:
    left = {name: set(after.get(name, ())) for name in group}
    while ends := {name for name, news in left.items() if not news}:
        left = {name: news - ends for name, news in left.items() if name not in ends}
    if left:
        return CIRCLE
    if len(group - after.keys()) > 1:
        return SEVERAL
    conflict = person_conflict([], [person.model_copy(update={"issuer": ""}) for person in people])
    return conflict and Conflict(conflict.reason, f"two patients that the source merged: {conflict.detail}")
