"""A synthetic cohort in memory, as the leakage audit sees it: linked by the linker, its examples beside the records."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from data_schemas.cohort import Split
from data_schemas.recipes import ModelRecipe
from pipelines.cases.examples import Example, sentences_of, values_of
from pipelines.cases.join import join
from pipelines.cases.leakage.case import AuditedCase
from pipelines.cases.link import link
from pipelines.cases.tensor import resample
from pipelines.synthetic.patients import Patient, draw_patient
from pipelines.synthetic.records import notes_of, observations_of, scan_of
from pipelines.synthetic.split import pool_of, split_of
from pipelines.synthetic.truth import Dials
from pipelines.workspace.identity import study_key

KEY = bytes(32)


def draw_patients(count: int, *, seed: int, dials: Dials) -> list[Patient]:
    """The patients of a hospital, in their splits."""

    def split_at(number: int) -> Split:
        return split_of(number, seed=seed)

    return [
        draw_patient(number, seed=seed, dials=dials, pool=pool_of(split_at(number)), split_at=split_at)
        for number in range(count)
    ]


def audited_cohort(
    count: int, *, seed: int, dials: Dials, recipe: ModelRecipe, volumes: bool = False
) -> list[AuditedCase]:
    """So many patients of a hospital as the way through its files would give them to the audit.

    Scans, notes and observations go through the real linker. With ``volumes`` the phantoms are painted and resampled,
    ten milliseconds each; without, no case has a tensor.
    """
    patients = draw_patients(count, seed=seed, dials=dials)
    scans = [scan_of(patient, seed=seed) for patient in patients]
    notes = [note for patient in patients for note in notes_of(patient, seed=seed)]
    observations = [item for patient in patients for item in observations_of(patient)]
    cases = {case.study_key: case for case in link(scans, notes, observations, workspace_key=KEY).cases}
    joined = join(scans, [*notes, *observations], [])
    rows = []
    for patient, scan in zip(patients, scans, strict=True):
        case = cases[study_key(KEY, scan.study_uid)]
        example = Example(
            study_key=case.study_key,
            patient_key=case.patient_key,
            scan=None,
            sentences=sentences_of([note.text for note in case.notes], input_sections=recipe.note.input_sections),
            values=values_of(case, codes=recipe.observation_codes),
            labels=patient.labels,
            split=split_of(patient.number, seed=seed),
        )
        if volumes:
            phantom = patient.phantom
            tensor = resample(phantom.volume.astype(np.float32), phantom.geometry, recipe=recipe)
            example = replace(example, scan=tensor)
        rows.append(AuditedCase(example, scan, joined.of_study(joined.studies[scan.study_uid])))
    return rows
