"""Cohorts: cases joined with their labels, and split by patient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from data_schemas.case import Case, Unlinked
from data_schemas.cohort import CohortMember, IdMapping, Label, LabelValue
from data_schemas.reasons import Reason
from pipelines.cases.people import People, match_people
from pipelines.cases.split import split_patients
from pipelines.workspace.identity import keyed_digest, normalise_id, study_key


@dataclass(frozen=True)
class CohortResult:
    """The labelled cases by study key, and the labels that no case could take, with their reason."""

    members: tuple[CohortMember, ...]
    unlinked: tuple[Unlinked, ...]


def build_cohort(
    cases: Sequence[Case],
    labels: Sequence[Label],
    id_map: Sequence[IdMapping] = (),
    *,
    workspace_key: bytes,
    seed: int = 0,
    validation_share: float = 0.15,
    test_share: float = 0.25,
    ignore_id_case: bool = False,
    ignore_leading_zeros: bool = False,
) -> CohortResult:
    """Join labels to cases by study or by patient, and split the patients.

    A label that names a study is for that study alone and outranks one of the patient; a label of a patient (record
    id, joined as the records are) is for all cases of that patient. An unknown finding is absent. Two labels of one
    rank that contradict each other are both set aside (*contradictory-labels*), and the finding is unknown. A label
    of no case is *no-scan*; one whose study belongs to another patient is *identity-conflict*; one whose patient is
    ambiguous is *ambiguous-identity*. A case without any label is no member.
    """
    cast = _cast(cases, id_map, ignore_id_case=ignore_id_case, ignore_leading_zeros=ignore_leading_zeros)
    set_aside: dict[Label, Reason] = {}
    aimed: dict[tuple[str, str], dict[bool, list[Label]]] = {}
    for label in labels:
        aim = cast.aim(label, workspace_key)
        if isinstance(aim, Reason):
            set_aside[label] = aim
            continue
        for key in aim:
            aimed.setdefault((key, label.finding), {}).setdefault(bool(label.study_uid), []).append(label)
    found: dict[str, dict[str, LabelValue | float]] = {}
    for (key, finding), ranks in aimed.items():
        for group in ranks.values():
            if not _agree(group):
                set_aside |= dict.fromkeys(group, Reason.CONTRADICTORY_LABELS)
        strongest = ranks[max(ranks)]
        if _agree(strongest):
            found.setdefault(key, {})[finding] = strongest[0].value
    members = [case for case in cases if case.study_key in found]
    splits = split_patients(
        (case.patient_key for case in members), seed=seed, validation_share=validation_share, test_share=test_share
    )
    unlinked = {_unlinked(label, reason, workspace_key): None for label, reason in set_aside.items()}
    return CohortResult(
        tuple(
            CohortMember(
                study_key=case.study_key,
                patient_key=case.patient_key,
                split=splits[case.patient_key],
                labels={name: item for name, item in found[case.study_key].items() if isinstance(item, LabelValue)},
                targets={name: item for name, item in found[case.study_key].items() if isinstance(item, float)},
            )
            for case in sorted(members, key=lambda case: case.study_key)
        ),
        tuple(sorted(unlinked, key=lambda line: (line.subject, line.reason))),
    )


@dataclass(frozen=True)
class _Cast:
    """Who is who: the scan id of every case's patient, and the studies of every patient."""

    people: People
    owner: dict[str, str]
    studies: dict[str, list[str]]
    plain: Callable[[str], str]

    def aim(self, label: Label, workspace_key: bytes) -> list[str] | Reason:
        """The study keys that a label is for, or why it is for none."""
        record = self.plain(label.patient_id)
        if record in self.people.ambiguous_records:
            return Reason.AMBIGUOUS_IDENTITY
        person = self.people.scan_id.get(record, "") if record else ""
        if not normalise_id(label.study_uid):
            return self.studies.get(person, []) if person else Reason.NO_SCAN
        key = study_key(workspace_key, label.study_uid)
        if key not in self.owner:
            return Reason.NO_SCAN
        return Reason.IDENTITY_CONFLICT if record and self.owner[key] != person else [key]


def _cast(
    cases: Sequence[Case], id_map: Sequence[IdMapping], *, ignore_id_case: bool, ignore_leading_zeros: bool
) -> _Cast:
    plain = partial(normalise_id, ignore_case=ignore_id_case, ignore_leading_zeros=ignore_leading_zeros)
    owner = {case.study_key: plain(case.scan.patient.patient_id) if case.scan else "" for case in cases}
    studies: dict[str, list[str]] = {}
    for key, person in owner.items():
        studies.setdefault(person, []).append(key)
    people = match_people(
        owner.values(), id_map, ignore_id_case=ignore_id_case, ignore_leading_zeros=ignore_leading_zeros
    )
    return _Cast(people, owner, studies, plain)


def _agree(labels: Sequence[Label]) -> bool:
    return len({label.value for label in labels}) == 1


def _unlinked(label: Label, reason: Reason, workspace_key: bytes) -> Unlinked:
    parts = (label.patient_id, label.study_uid, label.finding, _told(label))
    return Unlinked(subject=keyed_digest(workspace_key, "label", *parts), kind="label", reason=reason)


def _told(label: Label) -> str:
    return str(int(label.value)) if isinstance(label.value, LabelValue) else repr(label.value)
