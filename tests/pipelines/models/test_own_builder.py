"""The user's own net: imported because the settings name it, and never because a model's files do."""

from __future__ import annotations

import sys

import pytest
import torch

from data_schemas.errors import SettingsError
from data_schemas.recipes import ModelRecipe, ScanRecipe
from pipelines.models.build import build_scan_encoder

CODE = """
from pathlib import Path
import torch
(Path(__file__).parent / "ran").touch()

def net(*, channels):
    return torch.nn.Sequential(torch.nn.Conv3d(channels, 4, 4, stride=4), torch.nn.ReLU())

number = 3
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A module of the user's on the path."""
    (tmp_path / "my_hospital_nets.py").write_text(CODE)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop("my_hospital_nets", None)


def recipe(builder: str = "my_hospital_nets:net") -> ModelRecipe:
    return ModelRecipe(scan=ScanRecipe(encoder="own", builder=builder, shape=(8, 8, 8)))


def test_a_builder_that_the_settings_name_builds_the_encoder(package):
    encoder = build_scan_encoder(recipe(), signs=2, builder="my_hospital_nets:net")
    assert encoder.features == 4 + 2
    assert list(encoder.body.state_dict()) == ["0.weight", "0.bias"]


@pytest.mark.parametrize("named", [None, "my_hospital_nets:other"])
def test_a_recipe_alone_never_gets_code_imported(package, named):
    with pytest.raises(SettingsError, match=r"settings do not name.*if you trust it, set model\.scan\.encoder: own"):
        build_scan_encoder(recipe(), signs=2, builder=named)
    assert not (package / "ran").exists()
    assert "my_hospital_nets" not in sys.modules


def test_other_code_is_another_encoder(package):
    one = build_scan_encoder(recipe(), signs=2, builder="my_hospital_nets:net")
    sys.modules.pop("my_hospital_nets")
    (package / "my_hospital_nets.py").write_text(CODE + "\n# changed\n")
    other = build_scan_encoder(recipe(), signs=2, builder="my_hospital_nets:net")
    assert one.code.shape == (32,)
    assert not torch.equal(one.code, other.code)


@pytest.mark.parametrize(
    ("builder", "told"),
    [
        ("no_such_package_of_mine:net", "no_such_package_of_mine cannot be imported (ModuleNotFoundError"),
        ("my_hospital_nets:absent", "my_hospital_nets has no function 'absent'"),
        ("my_hospital_nets:number", "my_hospital_nets has no function 'number'"),
        ("math:sqrt", "math:sqrt has no source file"),
    ],
)
def test_a_builder_that_is_none_is_one_line(package, builder, told):
    with pytest.raises(SettingsError) as caught:
        build_scan_encoder(recipe(builder), signs=1, builder=builder)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"encoder": "own"},
        {"builder": "a:b"},
        {"encoder": "own", "builder": "../evil.py"},
        {"shortcut": "C"},
        {"slab": 0},
    ],
)
def test_settings_that_do_not_go_together_are_refused(wrong):
    with pytest.raises(ValueError, match=r"go together|pattern|'A' or 'B'|greater than or equal to 1"):
        ScanRecipe(**wrong)


def test_a_shape_that_the_encoder_cannot_read_is_a_settings_error():
    wrong = ModelRecipe(scan=ScanRecipe(encoder="swin-unetr", tap="layers4", width=0.25))
    with pytest.raises(SettingsError, match=r"model\.scan: a volume of 40 × 40 × 40 .* multiple of 32"):
        build_scan_encoder(wrong, signs=1)
