from __future__ import annotations

import dataclasses

from data_schemas.recipes import ModelRecipe
from pipelines.synthetic.memory import synthetic_examples


def test_patients_without_their_scans_are_the_same_patients():
    counts, recipe = [("train", 2), ("test", 1)], ModelRecipe()
    whole = list(synthetic_examples(counts, seed=3, recipe=recipe))
    told = list(synthetic_examples(counts, seed=3, recipe=recipe, with_scan=False))
    assert all(example.scan is not None for example in whole)
    assert told == [dataclasses.replace(example, scan=None) for example in whole]
