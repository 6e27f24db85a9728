"""Every scan encoder of the settings learns its signs and encodes cases; a whole run of each is slow."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch

from data_schemas.errors import ModelError, SettingsError
from data_schemas.recipes import ModelRecipe, ScanRecipe
from fusion_models.novelty import Novelty
from pipelines.models.artefact import ModelCard, load_model, save_model
from pipelines.models.build import build_case_model, build_scan_encoder
from pipelines.models.reading import read_cases
from pipelines.models.scan_features import encode_scans
from pipelines.models.weights import PACKAGED, load_note_model, resolve_note_encoder, weights_digest
from pipelines.training.fitting import fit_scan_encoder
from pipelines.training.run import train

CODE = """
import torch

def net(channels):
    first = torch.nn.Sequential(torch.nn.Conv3d(channels, 6, 4, stride=4), torch.nn.BatchNorm3d(6), torch.nn.ReLU())
    return torch.nn.Sequential(first)
"""
NAME = "nets_of_a_user:net"
SCANS = {
    "swin-unetr": {"encoder": "swin-unetr", "tap": "layers1", "width": 0.25},
    "slices-resnet10": {"encoder": "slices-resnet10", "tap": "layer2", "width": 0.25},
    "slices-densenet121": {"encoder": "slices-densenet121", "tap": "denseblock1"},
    "resnet18, shortcut A": {"encoder": "resnet18", "tap": "layer2", "width": 0.25, "shortcut": "A"},
    "own": {"encoder": "own", "builder": NAME},
}


@pytest.fixture
def nets(tmp_path, monkeypatch):
    """The user's own code, on the path."""
    (tmp_path / "nets_of_a_user.py").write_text(CODE)
    monkeypatch.syspath_prepend(tmp_path)
    sys.modules.pop("nets_of_a_user", None)
    yield tmp_path / "nets_of_a_user.py"
    sys.modules.pop("nets_of_a_user", None)


def with_scan(recipe: ModelRecipe, name: str) -> ModelRecipe:
    scan = ScanRecipe(shape=recipe.scan.shape, spacing_mm=recipe.scan.spacing_mm, **SCANS[name])
    fast = recipe.training.model_copy(
        update={"epochs": 1, "scan_epochs": 1, "scan_batch_size": 4, "gradient_checkpointing": True}
    )
    return recipe.model_copy(update={"scan": scan, "modalities": ("scan", "observation"), "training": fast})


@pytest.mark.parametrize("name", SCANS)
def test_an_encoder_learns_and_encodes(nets, recipe, examples, name):
    recipe = with_scan(recipe, name)
    rows = [row for row in examples if row.scan is not None][:12]
    torch.manual_seed(0)
    encoder = build_scan_encoder(recipe, signs=1, builder=recipe.scan.builder)
    before = {key: part.clone() for key, part in encoder.state_dict().items()}
    fitted = fit_scan_encoder(encoder, rows[:8], rows[8:], signs=("pleural-effusion",), recipe=recipe)
    assert len(fitted.epochs) == 1
    assert any(not torch.equal(part, before[key]) for key, part in encoder.body.state_dict(prefix="body.").items())
    tokens = encode_scans(rows[:2], encoder=encoder, digest=weights_digest(encoder), device="cpu")
    assert tokens[0].values.shape[2] == encoder.features
    assert torch.isfinite(tokens[0].values).all()
    assert tokens[0].position.shape == (1, tokens[0].values.shape[1], 3)


def test_a_model_with_an_own_encoder_is_read_where_the_settings_name_its_code_only(nets, recipe, tmp_path):
    recipe = with_scan(recipe, "own")
    encoder = build_scan_encoder(recipe, signs=1, builder=NAME)
    note = load_note_model(resolve_note_encoder(PACKAGED), states=recipe.note.states)
    sizes = {"scan_features": encoder.features, "note_features": note.encoder.features}
    digest = save_model(
        tmp_path / "model",
        card=ModelCard(recipe=recipe, signs=("pleural-effusion",), note_digest=note.digest, training={}),
        scan_encoder=encoder,
        case_model=build_case_model(recipe, modalities=recipe.modalities, **sizes),
        novelty=Novelty(features=encoder.features),
    )
    again = load_model(tmp_path / "model", expected_digest=digest, builder=NAME).scan_encoder.state_dict()
    assert all(torch.equal(part, again[key]) for key, part in encoder.state_dict().items())
    sys.modules.pop("nets_of_a_user")
    with pytest.raises(SettingsError, match=f"built by '{NAME}', code that the settings do not name"):
        load_model(tmp_path / "model", expected_digest=digest)
    assert "nets_of_a_user" not in sys.modules
    nets.write_text(CODE + "\n# another line\n")
    with pytest.raises(ModelError, match="not the code that this model was trained with"):
        load_model(tmp_path / "model", expected_digest=digest, builder=NAME)


@pytest.mark.slow
@pytest.mark.parametrize("name", SCANS)
def test_a_whole_run(nets, recipe, examples, tmp_path, name):
    recipe = with_scan(recipe, name)
    done = train(examples, recipe=recipe, folder=tmp_path / "model", checkpoints=tmp_path / "checkpoints")
    model = load_model(done.folder, expected_digest=done.digest, builder=recipe.scan.builder)
    by_key = {row.study_key: row for row in examples}
    read = read_cases(model, [by_key[key] for key in done.test_keys]).probabilities
    assert np.allclose(read, done.probabilities["cross-attention"], atol=1e-5)
