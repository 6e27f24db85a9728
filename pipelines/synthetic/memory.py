"""Synthetic patients straight into examples, without files; a test proves that the files give the same tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from data_schemas.cohort import Split
from data_schemas.recipes import ModelRecipe
from pipelines.cases.examples import WORDS, Example, Value, sentences_of
from pipelines.cases.mentions import mentions_of
from pipelines.cases.tensor import resample
from pipelines.synthetic.patients import Patient, draw_patient
from pipelines.synthetic.split import pool_of
from pipelines.synthetic.truth import Dials


def synthetic_examples(
    counts: Sequence[tuple[Split, int]],
    *,
    seed: int,
    recipe: ModelRecipe,
    dials: Dials | None = None,
    first_number: int = 0,
    with_scan: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Example]:
    """Draw so many patients of each split, one after the other, numbered from ``first_number``.

    Without ``with_scan`` no volume is painted, and the examples have none: notes alone are drawn much faster.
    """
    splits = [split for split, count in counts for _ in range(count)]
    for offset, split in enumerate(splits):
        patient = draw_patient(
            first_number + offset,
            seed=seed,
            dials=dials or Dials(),
            pool=pool_of(split),
            split_at=lambda number: splits[number - first_number],
            first=first_number,
        )
        yield example_of(patient, recipe=recipe, split=split, with_scan=with_scan)
        if progress:
            progress(offset + 1, len(splits))


def example_of(patient: Patient, *, recipe: ModelRecipe, split: Split, with_scan: bool = True) -> Example:
    """The example that the files of this patient would give, its keys excepted; on request without its scan."""
    texts = [patient.note] if patient.note else []
    hours = (patient.scanned - patient.noted).total_seconds() / 3600
    values = {"age": float(patient.age_years), "sex": WORDS[patient.sex], "weight": patient.weight_kg}
    ages, units = {"sex": 0.0}, {"age": "years", "sex": "", "weight": "kg"}
    scan = (
        resample(patient.phantom.volume.astype(np.float32), patient.phantom.geometry, recipe=recipe)
        if with_scan
        else None
    )
    sentences = sentences_of(texts, input_sections=recipe.note.input_sections)
    return Example(
        study_key=f"memory-{patient.patient_id}",
        patient_key=f"memory-{patient.patient_id}",
        scan=scan,
        sentences=sentences,
        values=tuple(
            Value(code, values[code], ages.get(code, hours / 24), units[code])
            for code in sorted(values)
            if code in recipe.observation_codes
        ),
        labels=patient.labels,
        split=split,
        mentions=mentions_of(texts, sentences, recipe=recipe),
    )
