"""Whether stored numbers are what they say: from headers, and from the values of one slice."""

from __future__ import annotations

import numpy as np
import pytest

from data_schemas.reasons import Reason
from pipelines.scans.check import Verdict, check_series
from pipelines.scans.intensity import intensity_problems, no_hounsfield_units

MR = {"modality": "MR", "sop_class": "1.2.840.10008.5.1.4.1.1.4"}
PT = {"modality": "PT", "sop_class": "1.2.840.10008.5.1.4.1.1.128"}


def reasons(verdict: Verdict) -> set[Reason]:
    return {problem.reason for problem in verdict.problems}


IMPLAUSIBLE = [
    {"slope": float("nan")},
    {"slope": 1e-4},
    {"slope": None, "intercept": None, "rescaled": False},
    {"intercept": float("inf")},
    {"intercept": 0.0},
    {"intercept": -9000.0},
    {"rescale_type": "MGML"},
    {"image_type": ("DERIVED", "PRIMARY", "SUBTRACTION")},
    {"bits_allocated": 8, "bits_stored": 8, "high_bit": 7, "slope": 8.0, "pixels": None},
]


@pytest.mark.parametrize("fields", IMPLAUSIBLE, ids=str)
def test_a_ct_that_is_not_in_hounsfield_units_is_refused(slices, changed, fields) -> None:
    found = {problem.reason for problem in intensity_problems(changed(slices, **fields))}

    assert found == {Reason.IMPLAUSIBLE_INTENSITY}


@pytest.mark.parametrize("fields", [{"rescale_type": "US"}, {"rescale_type": ""}, {"intercept": -1000.0}], ids=str)
def test_a_ct_in_hounsfield_units_passes(slices, changed, fields) -> None:
    assert check_series(changed(slices, **fields)).accepted


def test_a_signed_ct_without_offset_passes(slices, changed) -> None:
    assert check_series(changed(slices, signed=True, bits_stored=16, high_bit=15, intercept=0.0)).accepted


def test_an_mr_needs_no_rescale_but_the_whole_of_it(slices, changed) -> None:
    bare = changed(slices, slope=None, intercept=None, rescaled=False, rescale_type="", **MR)

    assert check_series(bare).accepted
    assert reasons(check_series(changed(bare, slope=2.0, rescaled=True))) == {Reason.IMPLAUSIBLE_INTENSITY}


def test_a_subtraction_of_mr_is_a_volume(slices, changed) -> None:
    assert check_series(changed(slices, image_type=("DERIVED", "PRIMARY", "SUBTRACTION"), **MR)).accepted


def test_every_pet_slice_has_its_own_slope(slices, changed) -> None:
    pet = changed(slices, slope=lambda at: 0.5 + at, intercept=0.0, rescale_type="BQML", **PT)

    assert check_series(pet).accepted
    assert reasons(check_series(changed(pet, (3,), intercept=1.0))) == {Reason.MIXED_INTENSITY_SCALE}


def test_monochrome1_is_a_matter_of_display_but_for_quantities(slices, changed) -> None:
    assert reasons(check_series(changed(slices, photometric="MONOCHROME1"))) == {Reason.PHOTOMETRIC_CONFLICT}
    assert check_series(changed(slices, photometric="MONOCHROME1", **MR)).accepted


def test_a_slice_of_a_patient_is_in_hounsfield_units(hounsfield) -> None:
    assert no_hounsfield_units(hounsfield()[12].astype(np.float32)) == ""


@pytest.mark.parametrize(
    "spoil",
    [lambda hu: hu - 1024, lambda hu: np.clip(hu, -1000, 500) / 10 - 900, lambda hu: np.full_like(hu, -1000.0)],
    ids=["rescaled twice", "squeezed into a window", "nothing but air"],
)
def test_a_slice_in_other_units_is_noticed(hounsfield, spoil) -> None:
    assert no_hounsfield_units(spoil(hounsfield()[12].astype(np.float32)))


@pytest.mark.parametrize("fields", [{"units": "CNTS"}, {"decay": "NONE"}], ids=str)
def test_a_pet_is_of_one_unit_and_one_decay_correction(slices, changed, fields) -> None:
    pet = changed(slices, intercept=0.0, rescale_type="", units="BQML", decay="START", **PT)

    assert check_series(pet).accepted
    assert reasons(check_series(changed(pet, (3,), **fields))) == {Reason.MIXED_INTENSITY_SCALE}
