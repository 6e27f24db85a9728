from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from data_schemas.errors import ModelError, SettingsError
from data_schemas.recipes import ModelRecipe, ScanRecipe
from pipelines.models.artefact import FILES, artefact_digest, device_for, load_model, save_model
from pipelines.models.build import build_scan_encoder


@pytest.fixture
def folder(trained, tmp_path) -> Path:
    """A copy that may be damaged."""
    return Path(shutil.copytree(trained.folder, tmp_path / "artefact"))


def edit_card(folder: Path, **changes) -> None:
    path = folder / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_saved_model_loads_by_its_digest_in_eval_mode(trained):
    model = load_model(trained.folder, expected_digest=trained.digest)
    assert (model.digest, model.card) == (trained.digest, trained.card)
    assert not any(part.training for part in (model.scan_encoder, model.case_model, model.novelty))


def test_saving_what_was_loaded_gives_the_same_bytes(trained, tmp_path):
    model = load_model(trained.folder)
    again = save_model(
        tmp_path / "again",
        card=model.card,
        scan_encoder=model.scan_encoder,
        case_model=model.case_model,
        novelty=model.novelty,
    )
    assert again == trained.digest


def test_an_artefact_holds_json_and_safetensors_only(trained):
    assert sorted(path.name for path in trained.folder.iterdir()) == sorted(FILES)


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_bit_is_noticed(folder, trained, name):
    data = bytearray((folder / name).read_bytes())
    data[-3] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(ModelError, match="digest differs"):
        load_model(folder, expected_digest=trained.digest)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(ModelError, match=f"{name} missing"):
        artefact_digest(folder)
    with pytest.raises(ModelError, match=f"{name} missing"):
        load_model(folder)


def test_an_artefact_of_another_format_is_refused(folder):
    edit_card(folder, format=1, new_field="x")
    with pytest.raises(ModelError, match="format 1, and this scanote reads format 2"):
        load_model(folder)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "\xff"])
def test_a_card_that_is_none_is_one_line(folder, content):
    (folder / "model.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(ModelError) as caught:
        load_model(folder)
    assert "\n" not in str(caught.value)


def test_a_card_with_an_unknown_field_names_it(folder):
    edit_card(folder, surprise=1)
    with pytest.raises(ModelError, match=r"model\.json, surprise"):
        load_model(folder)


def test_the_note_encoder_must_be_the_one_of_the_training(folder):
    edit_card(folder, note_digest="0" * 64)
    with pytest.raises(ModelError, match="not the weights that this model was trained with"):
        load_model(folder)


def test_a_model_of_concepts_is_read_by_the_vocabulary_of_its_training_only(fresh_model, monkeypatch, tmp_path):
    model = fresh_model({"pneumonia": 0.0})
    parts = {"scan_encoder": model.scan_encoder, "case_model": model.case_model, "novelty": model.novelty}
    save_model(tmp_path, card=model.card, **parts)
    monkeypatch.setattr("pipelines.models.artefact.reader_digest", lambda: "0" * 64)
    with pytest.raises(ModelError, match="another vocabulary or other rules of concepts"):
        load_model(tmp_path)


def test_a_model_without_concepts_does_not_care_for_the_vocabulary(trained, monkeypatch):
    monkeypatch.setattr("pipelines.models.artefact.reader_digest", lambda: "0" * 64)
    assert load_model(trained.folder).digest == trained.digest


def test_tensors_that_do_not_fit_the_recipe_are_one_line_that_names_the_first(folder):
    path = folder / "case_model.safetensors"
    tensors = load_file(path)
    tensors.pop("diagnoser.bias")
    save_file(tensors, path)
    with pytest.raises(ModelError, match=r"case_model\.safetensors does not fit.*diagnoser\.bias") as caught:
        load_model(folder)
    assert "\n" not in str(caught.value)


def test_a_truncated_file_of_tensors_is_one_line(folder):
    path = folder / "novelty.safetensors"
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(ModelError, match=r"novelty\.safetensors does not fit"):
        load_model(folder)


def test_a_gpu_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert device_for("auto") == device_for("cpu") == torch.device("cpu")
    with pytest.raises(ModelError, match=r"set diagnosis\.device to auto or cpu"):
        device_for("cuda")


def test_a_tap_that_the_encoder_does_not_have_is_a_settings_error():
    with pytest.raises(SettingsError, match=r"model\.scan: resnet10 has no tap 'norm5'"):
        build_scan_encoder(ModelRecipe(scan=ScanRecipe(tap="norm5")), signs=1)
