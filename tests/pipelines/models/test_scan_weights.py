"""Published weights under the names that their makers gave them; and what is refused."""

from __future__ import annotations

import logging

import pytest
import torch
from safetensors.torch import save_file

from data_schemas.errors import ModelError
from fusion_models.scan_encoder import ScanEncoder
from pipelines.models.scan_names import over_channels
from pipelines.models.weights import load_scan_weights


def encoder(architecture: str, tap: str, *, channels: int = 2, width: float = 0.125, **more) -> ScanEncoder:
    torch.manual_seed(0)
    return ScanEncoder(
        architecture=architecture, channels=channels, tap=tap, width=width, signs=1, shape=(16, 16, 16), **more
    )


def medicalnet(depth: str, *, shortcut: str) -> dict[str, torch.Tensor]:
    """As MedicalNet's files have it: a DataParallel net of one channel, with the head of its own task."""
    torch.manual_seed(9)
    body = encoder(depth, "layer4", channels=1, shortcut=shortcut).body
    given = {f"module.{name}": part.clone() for name, part in body.state_dict().items()}
    return given | {"module.conv_seg.0.weight": torch.zeros(4, 4)}


@pytest.fixture
def written(tmp_path):
    def write(given: dict[str, torch.Tensor]):
        path = tmp_path / "net.safetensors"
        save_file({name: part.contiguous() for name, part in given.items()}, path)
        return path

    return write


@pytest.mark.parametrize(("depth", "shortcut"), [("resnet10", "B"), ("resnet18", "A")])
def test_medicalnet_is_read_under_its_own_names_and_spread_over_the_channels(written, depth, shortcut):
    given = medicalnet(depth, shortcut=shortcut)
    loaded = encoder(depth, "layer3", shortcut=shortcut)
    load_scan_weights(loaded, written(given))
    for name, part in loaded.body.state_dict().items():
        true = given[f"module.{name}"]
        assert torch.allclose(part, true.repeat(1, 2, 1, 1, 1) / 2 if name == "conv1.weight" else true)


@pytest.mark.parametrize(("theirs", "own"), [("A", "B"), ("B", "A")])
def test_shortcuts_of_the_other_kind_are_one_line_that_says_what_to_set(written, theirs, own):
    path = written(medicalnet("resnet18", shortcut=theirs))
    with pytest.raises(ModelError, match=f"set model.scan.shortcut: {theirs}$"):
        load_scan_weights(encoder("resnet18", "layer3", shortcut=own), path)


@pytest.mark.parametrize("shortcut", ["A", "B"])
def test_a_tap_before_any_shortcut_takes_weights_of_either_kind(written, shortcut):
    given = medicalnet("resnet18", shortcut=shortcut)
    loaded = encoder("resnet18", "layer1")
    load_scan_weights(loaded, written(given))
    assert torch.equal(loaded.body.layer1[1].conv2.weight, given["module.layer1.1.conv2.weight"])


def test_weights_for_a_net_of_ones_own_that_has_none_change_nothing(written):
    own = ScanEncoder(
        architecture="own", channels=2, tap="", width=1.0, signs=1, make=lambda channels: torch.nn.AvgPool3d(8)
    )
    load_scan_weights(own, written({"other.weight": torch.zeros(1)}))
    assert not own.body.state_dict()


@pytest.mark.parametrize("name", ["resnet_18.pth", "model.PT", "pytorch_model.bin"])
def test_a_pickle_is_not_opened_and_the_line_says_where_to_convert_it(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"\x80\x04cos\nsystem\n")
    with pytest.raises(ModelError, match=r"pickles, .* docs/encoders\.md") as caught:
        load_scan_weights(encoder("resnet10", "layer1"), path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("form", ["whole net", "pretrained without labels"])
def test_swin_weights_are_read_from_a_whole_swinunetr_and_from_its_pretraining(written, form):
    given = encoder("swin-unetr", "layers2", width=0.25).body.state_dict()
    if form == "whole net":
        named = {f"swinViT.{name}": part for name, part in given.items()}
    else:
        named = {f"module.{name.replace('.mlp.linear', '.mlp.fc')}": part for name, part in given.items()}
    torch.manual_seed(4)
    loaded = ScanEncoder(architecture="swin-unetr", channels=2, tap="layers1", width=0.25, signs=1)
    load_scan_weights(loaded, written(named))
    assert all(torch.equal(part, given[name]) for name, part in loaded.body.state_dict().items())


def test_a_2d_net_of_colour_pictures_starts_the_slices_and_the_fresh_pooling_is_said(written, caplog):
    from monai.networks.nets import DenseNet121

    torch.manual_seed(2)
    whole = DenseNet121(spatial_dims=2, in_channels=3, out_channels=1).state_dict()
    given = {name.replace(".layers.", "."): part for name, part in whole.items()}  # as torchvision names them
    assert "features.denseblock1.denselayer1.norm1.weight" in given
    loaded = encoder("slices-densenet121", "denseblock1")
    with caplog.at_level(logging.WARNING):
        load_scan_weights(loaded, written(given))
    assert "no pooling over slices" in caplog.text
    state = loaded.body.state_dict()
    name = "denseblock1.denselayer2.layers.conv1.weight"
    assert torch.equal(state[name], whole[f"features.{name}"])
    grey = torch.rand(1, 1, 16, 16)
    colour, slices = (
        torch.nn.functional.conv2d(grey.expand(1, channels, 16, 16), weight, stride=2, padding=3)
        for channels, weight in ((3, whole["features.conv0.weight"]), (2, state["conv0.weight"]))
    )
    assert torch.allclose(colour, slices, atol=1e-5)


def test_the_encoder_of_another_model_is_read_from_its_artefact(written):
    given = encoder("resnet10", "layer2").state_dict()
    torch.manual_seed(7)
    loaded = encoder("resnet10", "layer2")
    torch.nn.init.zeros_(loaded.body.conv1.weight)
    load_scan_weights(loaded, written(given))
    assert torch.equal(loaded.body.conv1.weight, given["body.conv1.weight"])


def test_only_one_channel_and_three_colours_are_spread():
    weight = torch.arange(12.0).reshape(2, 6, 1)
    assert over_channels(weight, 2) is weight  # no convolution
    assert over_channels(torch.ones(4, 2, 3, 3), 5).shape == (4, 2, 3, 3)
    assert over_channels(torch.ones(4, 3, 3, 3), 1).unique().tolist() == [3.0]
    assert over_channels(torch.ones(4, 1, 3, 3), 4).unique().tolist() == [0.25]
