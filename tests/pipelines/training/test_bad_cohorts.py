"""A cohort or an encoder that nothing can be learned from is one clear line before the first epoch."""

from __future__ import annotations

import dataclasses
import functools
import logging
import shutil
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from data_schemas.errors import InputError, ModelError, ScanoteError, SettingsError
from data_schemas.recipes import FusionRecipe, ModelRecipe
from pipelines.cases.examples import Example, Value
from pipelines.models.weights import load_note_model, resolve_note_encoder
from pipelines.training.cohort import SPLITS, check_cohort
from pipelines.training.run import train


@pytest.fixture(scope="module", autouse=True)
def one_note_encoder():
    """The packaged one is loaded once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.training.run.load_note_model", functools.cache(load_note_model))
        patch.setattr("pipelines.training.small_run.load_note_model", functools.cache(load_note_model))
        yield


@pytest.fixture(params=["network", "linear"])
def kind(request, recipe) -> ModelRecipe:
    """The recipe of a large cohort and that of a small one."""
    fusion = recipe.fusion if request.param == "network" else FusionRecipe(kind="linear")
    training = recipe.training.model_copy(update={"scan_epochs": 1, "epochs": 1, "bootstrap": 10, "repeats": 1})
    return recipe.model_copy(update={"fusion": fusion, "training": training})


@pytest.fixture
def refused(tmp_path):
    """The one line that a run ends with; no epoch is reached."""

    def go(rows: Sequence[Example], *, recipe: ModelRecipe) -> str:
        def stage(name: str, _steps: int):
            raise AssertionError(f"{name} was reached")

        with pytest.raises(ScanoteError) as caught:
            train(rows, recipe=recipe, folder=tmp_path / "model", stage=stage)
        assert caught.value.__cause__ is None
        line = str(caught.value)
        assert "\n" not in line
        return line

    return go


def each(rows: Sequence[Example], **changes) -> list[Example]:
    return [dataclasses.replace(row, **changes) for row in rows]


def test_one_class(refused, examples, kind):
    assert "no finding has" in refused(each(examples, labels=dict.fromkeys(kind.findings, 1)), recipe=kind)


def test_ten_patients(refused, examples, kind):
    assert refused(examples[:10], recipe=kind).startswith("10 labelled ")


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_voxels_that_are_not_finite(refused, examples, recipe, number):
    rows = list(examples)
    place = next(n for n, row in enumerate(rows) if row.scan is not None)
    values = np.array(rows[place].scan.values)
    values[0, 3, 3, 3] = number
    rows[place] = dataclasses.replace(rows[place], scan=dataclasses.replace(rows[place].scan, values=values))
    line = refused(rows, recipe=recipe)
    assert line.startswith(f"1 of {len(rows)} cases have a scan with values that are not finite")
    assert "memory-" not in line


def test_values_that_are_not_finite(refused, examples, kind):
    first = dataclasses.replace(examples[0], values=(Value("age", float("nan")),))
    assert "1 of 104 cases have an observation that is not finite" in refused([first, *examples[1:]], recipe=kind)


def test_every_modality_missing(refused, examples, kind):
    rows = each(examples, scan=None, sentences=(), values=(), mentions=())
    assert refused(rows, recipe=kind).startswith(
        "no training case has anything that the model reads (scan, note, observation)"
    )


def test_an_encoder_folder_without_safetensors(refused, examples, recipe, tmp_path):
    note = recipe.note.model_copy(update={"encoder": str(tmp_path)})
    line = refused(examples, recipe=recipe.model_copy(update={"note": note}))
    assert "no safetensors file in it" in line


def test_note_weights_of_another_shape(refused, examples, recipe, tmp_path):
    folder = tmp_path / "encoder"
    shutil.copytree(resolve_note_encoder("packaged"), folder)
    tensors = load_file(folder / "model.safetensors")
    name = next(name for name in tensors if name.endswith("word_embeddings.weight"))
    save_file({**tensors, name: tensors[name][:, :100].contiguous()}, folder / "model.safetensors", {"format": "pt"})
    note = recipe.note.model_copy(update={"encoder": str(folder)})
    line = refused(examples, recipe=recipe.model_copy(update={"note": note}))
    assert line.startswith(f"note encoder {folder}: cannot be loaded")


def test_scan_weights_of_another_shape(refused, examples, recipe, trained, tmp_path):
    tensors = load_file(trained.folder / "scan_encoder.safetensors")
    body = {name.removeprefix("body."): part for name, part in tensors.items() if name.startswith("body.")}
    body["conv1.weight"] = torch.zeros(4, 2, 3, 3, 3)
    save_file(body, tmp_path / "net.safetensors")
    scan = recipe.scan.model_copy(update={"weights": str(tmp_path / "net.safetensors")})
    line = refused(examples, recipe=recipe.model_copy(update={"scan": scan}))
    assert "conv1.weight is of shape (4, 2, 3, 3, 3), not" in line


def test_a_tracker_that_is_not_there(refused, examples, recipe, monkeypatch):
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "wandb" else find(name, *rest))
    training = recipe.training.model_copy(update={"trackers": ("wandb",)})
    assert "wandb is not installed" in refused(examples, recipe=recipe.model_copy(update={"training": training}))


@pytest.mark.parametrize("split", ["validation", "test"])
@pytest.mark.parametrize(("value", "lacking"), [(0, "positives"), (1, "negatives"), (None, "known labels")])
def test_a_finding_of_one_class_in_a_split_is_said_and_kept(examples, recipe, caplog, split, value, lacking):
    rows = [
        dataclasses.replace(row, labels={**row.labels, "heart-failure": value}) if row.split == split else row
        for row in examples
    ]
    parts = {name: [row for row in rows if row.split == name] for name in SPLITS}
    with caplog.at_level(logging.WARNING):
        assert "heart-failure" in check_cohort(parts, recipe).findings
    assert f"finding heart-failure: no {lacking} among the {split} cases" in caplog.text


def test_the_errors_are_those_of_the_package():
    assert issubclass(InputError, ScanoteError)
    assert issubclass(ModelError, ScanoteError)
    assert issubclass(SettingsError, ScanoteError)
