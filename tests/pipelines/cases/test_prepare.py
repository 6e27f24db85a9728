from __future__ import annotations

from datetime import datetime
from pathlib import Path

import nibabel
import numpy as np
import pytest

from data_schemas.case import Case
from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from data_schemas.recipes import ModelRecipe, NoteRecipe, ScanRecipe
from pipelines.cases import tensor as module
from pipelines.cases.examples import Mention
from pipelines.cases.prepare import prepare, tensor_digest
from pipelines.cases.tensor import resample
from pipelines.scans.index import index_paths
from pipelines.scans.preprocess import recorded
from pipelines.scans.read import read_volume
from pipelines.workspace.cache import ArrayCache

RECIPE = ModelRecipe(
    scan=ScanRecipe(shape=(12, 12, 12), spacing_mm=(6.0, 6.0, 6.0)), note=NoteRecipe(input_sections=("history",))
)


@pytest.fixture
def stored(tmp_path) -> Path:
    values = np.random.default_rng(0).integers(-1000, 400, (20, 18, 16)).astype(np.int16)
    path = tmp_path / "scans" / "ct.nii.gz"
    path.parent.mkdir()
    nibabel.save(nibabel.Nifti1Image(values, np.diag([3.0, 3.0, 4.0, 1.0])), path)
    return path


@pytest.fixture
def case(stored, note, value) -> Case:
    [series] = index_paths([stored.parent]).series
    return Case(
        study_key="s",
        patient_key="p",
        cut_off=datetime(2024, 3, 5, 12),
        scan=series.scans[0],
        notes=(note(text="HISTORY: Cough.\nIMPRESSION: Pneumonia."),),
        observations=(value("age", 64.0),),
    )


@pytest.fixture
def cache(tmp_path) -> ArrayCache:
    return ArrayCache(tmp_path / "cache")


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)


def test_a_case_becomes_an_example(case):
    row = prepare(case, recipe=RECIPE, labels={"pneumonia": 1}, split="train")
    assert (row.study_key, row.patient_key, row.split, row.labels) == ("s", "p", "train", {"pneumonia": 1})
    assert [sentence.text for sentence in row.sentences] == ["Cough."]
    assert [(item.code, item.value) for item in row.values] == [("age", 64.0)]
    assert (row.scan.values.shape, row.scan.values.dtype) == ((2, 12, 12, 12), np.float16)
    assert row.scan.affine.dtype == np.float32
    assert row.scan_digest == tensor_digest(case, RECIPE)


def test_a_model_of_concepts_gets_the_mentions_of_the_input_sections(case, cache, note):
    recipe = RECIPE.model_copy(update={"modalities": ("scan", "note", "concept")})
    told = case.model_copy(update={"notes": (note(text="HISTORY: Cough. No pneumothorax.\nIMPRESSION: Pneumonia."),)})
    fresh, again = (prepare(told, recipe=recipe, cache=cache).mentions for _ in range(2))
    assert fresh == again == (Mention("pneumothorax", "negated", None, 1),)
    assert prepare(told, recipe=RECIPE).mentions == ()


def test_values_lie_within_zero_and_one(case):
    values = prepare(case, recipe=RECIPE).scan.values
    assert (values.min() >= 0, values.max() <= 1, values.std() > 0.01) == (True, True, True)


def test_the_centre_of_the_grid_is_the_centre_of_the_scan(case):
    affine = prepare(case, recipe=RECIPE).scan.affine
    source = np.array(case.scan.geometry.affine)
    middle = (np.array(case.scan.geometry.shape[::-1]) - 1) / 2
    assert affine @ [5.5, 5.5, 5.5, 1] == pytest.approx(source @ [*middle, 1], abs=1e-4)


def test_a_cached_tensor_equals_a_fresh_one(case, cache):
    fresh = prepare(case, recipe=RECIPE)
    for _ in range(2):
        row = prepare(case, recipe=RECIPE, cache=cache)
        assert np.array_equal(row.scan.values, fresh.scan.values)
        assert np.array_equal(row.scan.affine, fresh.scan.affine)
        assert row.scan.values.dtype == fresh.scan.values.dtype


def test_what_is_cached_is_not_resampled_again(case, cache, monkeypatch):
    first = prepare(case, recipe=RECIPE, cache=cache)
    monkeypatch.setattr(module, "resample", None)
    monkeypatch.setattr(module, "read_slices", None)
    assert np.array_equal(prepare(case, recipe=RECIPE, cache=cache).scan.values, first.scan.values)


def test_a_cached_tensor_is_only_used_while_its_files_are_what_was_ingested(case, cache, stored):
    prepare(case, recipe=RECIPE, cache=cache)
    damage(stored)
    with pytest.raises(RefusedError) as caught:
        prepare(case, recipe=RECIPE, cache=cache)
    assert caught.value.reason is Reason.DIGEST_CHANGED


def test_a_flipped_bit_in_a_stored_file_is_noticed_before_it_is_used(case, stored):
    damage(stored)
    with pytest.raises(RefusedError) as caught:
        prepare(case, recipe=RECIPE)
    assert caught.value.reason is Reason.DIGEST_CHANGED


def test_a_file_that_is_gone_is_a_reason(case, stored):
    stored.unlink()
    with pytest.raises(RefusedError) as caught:
        prepare(case, recipe=RECIPE)
    assert caught.value.reason is Reason.FILE_MISSING


def test_a_refused_scan_leaves_nothing_in_the_cache(case, cache, stored):
    damage(stored)
    with pytest.raises(RefusedError):
        prepare(case, recipe=RECIPE, cache=cache)
    assert cache.get(tensor_digest(case, RECIPE)) is None


def test_a_damaged_cache_entry_is_computed_again_from_the_checked_file(case, cache, tmp_path):
    fresh = prepare(case, recipe=RECIPE, cache=cache).scan.values.copy()
    entries = list((tmp_path / "cache").rglob("*.npy"))
    assert len(entries) == 2  # the tensor, and what was done to it
    for entry in entries:
        damage(entry)
        assert np.array_equal(prepare(case, recipe=RECIPE, cache=cache).scan.values, fresh)


def spoil(monkeypatch: pytest.MonkeyPatch, voxel: float) -> None:
    def spoiled(scan):
        volume = read_volume(scan)
        volume[10, 9, 8] = voxel
        return iter(volume)

    monkeypatch.setattr(module, "read_slices", spoiled)


def test_a_voxel_that_is_no_number_refuses_the_case_and_is_not_cached(case, cache, monkeypatch):
    spoil(monkeypatch, np.nan)
    with pytest.raises(RefusedError) as caught:
        prepare(case, recipe=RECIPE, cache=cache)
    assert caught.value.reason is Reason.IMPLAUSIBLE_INTENSITY
    assert cache.get(tensor_digest(case, RECIPE)) is None


def test_a_voxel_without_bound_is_held_within_the_window(case, monkeypatch):
    spoil(monkeypatch, np.inf)
    assert np.isfinite(prepare(case, recipe=RECIPE).scan.values).all()


def test_a_case_without_a_scan_has_no_tensor_and_no_digest(case):
    row = prepare(case.model_copy(update={"scan": None}), recipe=RECIPE)
    assert (row.scan, row.scan_digest) == (None, "")


@pytest.mark.parametrize(
    "change",
    [
        {"shape": (12, 12, 10)},
        {"spacing_mm": (6.0, 6.0, 5.0)},
        {"windows_hu": ((-1000.0, 400.0),)},
        {"intensity": "z-score"},
    ],
)
def test_another_grid_is_another_tensor(case, cache, change):
    other = RECIPE.model_copy(update={"scan": RECIPE.scan.model_copy(update=change)})
    assert tensor_digest(case, other) != tensor_digest(case, RECIPE)
    prepare(case, recipe=RECIPE, cache=cache)
    cached, fresh = prepare(case, recipe=other, cache=cache), prepare(case, recipe=other)
    assert np.array_equal(cached.scan.values, fresh.scan.values)


def test_what_does_not_change_the_tensor_does_not_change_its_digest(case):
    other = RECIPE.model_copy(update={"scan": RECIPE.scan.model_copy(update={"tap": "layer2", "width": 1.0})})
    assert tensor_digest(case, other) == tensor_digest(case, RECIPE)


def test_another_scan_or_geometry_is_another_tensor(case):
    scan = case.scan
    moved = scan.geometry.model_copy(update={"spacing_mm": (9.0, 9.0, 9.0)})
    for changed in (scan.model_copy(update={"scan_id": "0" * 64}), scan.model_copy(update={"geometry": moved})):
        assert tensor_digest(case.model_copy(update={"scan": changed}), RECIPE) != tensor_digest(case, RECIPE)


def test_resampling_is_what_the_cache_holds(case):
    fresh = resample(read_volume(case.scan), case.scan.geometry, recipe=RECIPE)
    assert np.array_equal(fresh.values, prepare(case, recipe=RECIPE).scan.values)


def test_what_was_done_comes_with_the_tensor_also_from_the_cache(case, cache):
    fresh, cached = (prepare(case, recipe=RECIPE, cache=cache).scan for _ in range(2))
    told = recorded(fresh.history)
    assert (told["shape"], told["intensity"]) == ((12, 12, 12), "hu-windows")
    assert np.allclose(told["affine"], fresh.affine, atol=1e-4)
    assert cached.history == fresh.history


Z_SCORED = RECIPE.model_copy(
    update={"scan": ScanRecipe(shape=(12, 12, 12), spacing_mm=(6.0, 6.0, 6.0), intensity="z-score", modalities=("MR",))}
)


def test_a_z_scored_scan_is_one_channel_with_its_statistics_in_the_history(case):
    scan = prepare(case, recipe=Z_SCORED).scan
    told = recorded(scan.history)
    assert scan.values.shape == (1, 12, 12, 12)
    assert told["intensity"] == "z-score"
    assert told["sd"] > 0
    assert scan.values.max() == pytest.approx((told["high"] - told["mean"]) / told["sd"], rel=1e-2)


@pytest.mark.parametrize(("modality", "recipe"), [("MR", RECIPE), ("CT", Z_SCORED), ("PT", RECIPE)])
def test_a_scan_of_a_modality_that_the_model_does_not_read_is_refused(case, cache, modality, recipe):
    other = case.model_copy(update={"scan": case.scan.model_copy(update={"modality": modality})})
    for held in (None, cache):
        with pytest.raises(RefusedError) as caught:
            prepare(other, recipe=recipe, cache=held)
        assert caught.value.reason is Reason.IMPLAUSIBLE_INTENSITY


@pytest.mark.parametrize(("low", "high"), [(0, 4000), (0, 2), (-1000, 100)])
def test_a_nifti_that_is_not_in_hounsfield_units_is_refused_by_a_model_that_reads_them(case, stored, low, high):
    values = np.random.default_rng(0).integers(low, high, (20, 18, 16)).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(values, np.diag([3.0, 3.0, 4.0, 1.0])), stored)
    [series] = index_paths([stored.parent]).series
    with pytest.raises(RefusedError) as caught:
        prepare(case.model_copy(update={"scan": series.scans[0]}), recipe=RECIPE)
    assert caught.value.reason is Reason.IMPLAUSIBLE_INTENSITY


@pytest.mark.parametrize(("modality", "recipe"), [("CT", RECIPE), ("MR", Z_SCORED), ("", RECIPE)])
def test_a_scan_of_the_models_modality_or_of_none_that_is_said_is_read(case, modality, recipe):
    other = case.model_copy(update={"scan": case.scan.model_copy(update={"modality": modality})})
    assert prepare(other, recipe=recipe).scan is not None
