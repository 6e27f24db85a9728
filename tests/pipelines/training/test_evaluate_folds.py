"""Folds: every patient once, whole, and the labels spread evenly, rare ones too."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.cases.examples import Example
from pipelines.training.evaluate.folds import cross_splits, patient_labels, stratified_folds


def example(patient: str, study: str = "", **labels: int) -> Example:
    return Example(
        study_key=study or f"s-{patient}", patient_key=patient, scan=None, sentences=(), values=(), labels=labels
    )


@given(st.integers(0, 10_000), st.integers(2, 6), st.integers(6, 60))
@settings(max_examples=60, deadline=None)
def test_every_patient_is_in_one_fold_and_folds_are_of_one_size(seed, folds, patients):
    rng = np.random.default_rng(seed)
    labels = rng.choice([0.0, 1.0, np.nan], (patients, 3))
    place = stratified_folds(labels, folds=folds, seed=seed)
    sizes = np.bincount(place, minlength=folds)
    assert sizes.sum() == patients
    assert place.min() >= 0
    # Stratification may cost a little evenness: each label may pull a fold by a patient.
    assert sizes.max() - sizes.min() <= 4


@given(st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_a_label_of_one_finding_is_spread_to_within_one_patient(seed):
    rng = np.random.default_rng(seed)
    labels = (rng.random((57, 1)) < 0.3).astype(float)
    place = stratified_folds(labels, folds=5, seed=seed)
    counts = np.bincount(place[labels[:, 0] == 1], minlength=5)
    assert counts.max() - counts.min() <= 1


def test_the_rarest_of_several_labels_reaches_every_fold():
    rng = np.random.default_rng(0)
    labels = np.column_stack([rng.integers(0, 2, 100), rng.integers(0, 2, 100), np.zeros(100)]).astype(float)
    labels[rng.permutation(100)[:5], 2] = 1
    for seed in range(20):
        place = stratified_folds(labels, folds=5, seed=seed)
        assert sorted(place[labels[:, 2] == 1].tolist()) == [0, 1, 2, 3, 4]


def test_known_negatives_are_spread_too():
    labels = np.full((100, 1), np.nan)
    labels[:40, 0], labels[40:45, 0] = 1, 0
    place = stratified_folds(labels, folds=5, seed=1)
    assert sorted(place[40:45].tolist()) == [0, 1, 2, 3, 4]


def test_another_seed_cuts_anew_and_the_same_one_does_not():
    labels = np.random.default_rng(0).integers(0, 2, (40, 2)).astype(float)
    one, same, other = (stratified_folds(labels, folds=4, seed=seed) for seed in (1, 1, 2))
    assert (one == same).all()
    assert not (one == other).all()


@pytest.mark.parametrize(("patients", "folds"), [(4, 5), (10, 1)])
def test_too_few_patients_or_folds_are_refused(patients, folds):
    with pytest.raises(ValueError, match=f"{patients} patients cannot be cut into {folds} folds"):
        stratified_folds(np.zeros((patients, 1)), folds=folds, seed=0)


def test_a_patient_has_a_finding_that_any_of_its_cases_has():
    rows = [
        example("a", "1", x=0, y=-1),
        example("a", "2", x=1),
        example("b", x=0, y=1),
        example("c", x=-1),
    ]
    keys, labels = patient_labels(rows, ["x", "y"])
    assert keys == ["a", "b", "c"]
    expected = [[1, np.nan], [0, 1], [np.nan, np.nan]]
    assert np.array_equal(labels, expected, equal_nan=True)


def test_every_fold_tests_other_patients_and_validates_on_some_of_the_rest():
    rng = np.random.default_rng(0)
    rows = [example(f"p{n:02d}", x=int(rng.integers(0, 2))) for n in range(50)]
    rows += [dataclasses.replace(row, study_key=f"{row.study_key}-again") for row in rows[:20]]
    made = cross_splits(rows, ["x"], folds=5, seed=0, validation_share=0.2)
    tested = [key for split in made for key, name in split.items() if name == "test"]
    assert sorted(tested) == sorted({row.patient_key for row in rows})
    for split in made:
        assert set(split) == {row.patient_key for row in rows}
        sizes = {name: list(split.values()).count(name) for name in ("train", "validation", "test")}
        assert sizes == {"train": 32, "validation": 8, "test": 10}


def test_splits_do_not_depend_on_the_order_of_the_cases():
    rows = [example(f"p{n:02d}", x=n % 2) for n in range(30)]
    assert cross_splits(rows, ["x"], folds=3, seed=0, validation_share=0.2) == cross_splits(
        rows[::-1], ["x"], folds=3, seed=0, validation_share=0.2
    )
