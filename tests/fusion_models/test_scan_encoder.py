from __future__ import annotations

import pytest
import torch

from fusion_models.scan_encoder import ScanEncoder, cell_centres
from fusion_models.scan_encoders.cnn import RESNET_TAPS


def build(architecture: str = "resnet10", tap: str = "layer3", width: float = 0.125, signs: int = 2) -> ScanEncoder:
    torch.manual_seed(0)
    return ScanEncoder(architecture=architecture, channels=2, tap=tap, width=width, signs=signs).eval()


def read(encoder: ScanEncoder, side: int = 32, cases: int = 1, seed: int = 0):
    volume = torch.rand(cases, 2, side, side, side, generator=torch.Generator().manual_seed(seed))
    return encoder(volume, torch.eye(4).expand(cases, 4, 4))


def test_cell_centres_are_the_middle_of_each_cell_in_voxel_order_z_y_x():
    centres = cell_centres(torch.Size([1, 1, 2]), torch.Size([3, 4, 8]), torch.eye(4)[None])
    # Cells of 4 voxels along x: voxels 0-3 and 4-7; y: 0-3; z: 0-2.
    assert centres[0].tolist() == [[1.5, 1.5, 1.0], [5.5, 1.5, 1.0]]


def test_cell_centres_follow_the_affine():
    affine = torch.tensor([[0.0, 2.0, 0.0, 10.0], [-3.0, 0.0, 0.0, 20.0], [0.0, 0.0, 5.0, 30.0], [0.0, 0.0, 0.0, 1.0]])
    centres = cell_centres(torch.Size([2, 1, 1]), torch.Size([4, 4, 4]), affine[None])
    assert centres[0].tolist() == [[13.0, 15.5, 32.5], [13.0, 15.5, 42.5]]


def test_cell_centres_of_voxels_as_cells_are_the_voxels_themselves():
    assert cell_centres(torch.Size([1, 2, 1]), torch.Size([1, 2, 1]), torch.eye(4)[None])[0].tolist() == [
        [0.0, 0.0, 0.0],
        [0.0, 1.0, 0.0],
    ]


@pytest.mark.parametrize(
    ("architecture", "tap", "side"),
    [
        ("resnet10", "layer1", 8),
        ("resnet10", "layer2", 4),
        ("resnet10", "layer3", 2),
        ("resnet10", "layer4", 1),
        ("resnet18", "layer3", 2),
        ("resnet50", "layer3", 2),
        ("densenet121", "norm5", 1),
    ],
)
def test_a_scan_becomes_a_grid_of_tokens(architecture, tap, side):
    encoder = build(architecture, tap)
    tokens = read(encoder).tokens
    assert tokens.values.shape == (1, side**3, encoder.features)
    assert tokens.mask.all()
    assert tokens.source.tolist() == [list(range(side**3))]
    assert torch.equal(tokens.position, cell_centres(torch.Size([side] * 3), torch.Size([32] * 3), torch.eye(4)[None]))


def test_the_tokens_of_a_changed_corner_lie_in_that_corner():
    encoder = build(tap="layer1")
    volume = torch.rand(1, 2, 32, 32, 32, generator=torch.Generator().manual_seed(0))
    changed = volume.clone()
    changed[:, :, 28:, :4, :4] += 3.0  # high z, low y, low x
    affine = torch.eye(4)[None]
    before, after = encoder(volume, affine).tokens, encoder(changed, affine).tokens
    change = (after.values - before.values)[0, :, :-2].abs().sum(dim=-1)
    x, y, z = before.position[0, int(change.argmax())].tolist()
    assert (x < 8, y < 8, z > 24) == (True, True, True)


def test_the_sign_logit_is_the_log_mean_exp_over_the_tokens():
    encoder = build()
    reading = read(encoder)
    heat = encoder.sign_head(reading.tokens.values[..., :-2])
    expected = torch.log(torch.exp(heat.double()).mean(dim=1)).float()
    assert torch.allclose(reading.sign_logits, expected, atol=1e-5)


def test_a_token_ends_in_the_heat_of_its_signs():
    encoder = build()
    tokens = read(encoder).tokens
    heat = encoder.sign_head(tokens.values[..., :-2])
    expected = torch.sigmoid(heat - torch.log(torch.tensor(float(heat.shape[1]))))
    assert torch.allclose(tokens.values[..., -2:], expected, atol=1e-6)


def test_scans_read_together_read_as_one_by_one():
    encoder = build()
    volume = torch.rand(3, 2, 32, 32, 32, generator=torch.Generator().manual_seed(1))
    affine = torch.eye(4).expand(3, 4, 4)
    whole = encoder(volume, affine).tokens.values
    single = torch.cat([encoder(volume[n : n + 1], affine[n : n + 1]).tokens.values for n in range(3)])
    assert torch.allclose(whole, single, atol=1e-5)


def test_gradients_of_the_signs_reach_every_parameter():
    encoder = build().train()
    volume = torch.rand(2, 2, 32, 32, 32, generator=torch.Generator().manual_seed(1))
    encoder(volume, torch.eye(4).expand(2, 4, 4)).sign_logits.sum().backward()
    assert not [name for name, part in encoder.named_parameters() if part.grad is None]


def test_later_stages_are_not_built():
    shallow, deep = (sum(part.numel() for part in build(tap=tap).parameters()) for tap in ("layer1", "layer4"))
    assert shallow < deep / 10


def test_building_an_encoder_leaves_it_in_training_mode_and_its_statistics_fresh():
    encoder = ScanEncoder(architecture="resnet10", channels=2, tap="layer1", width=0.125, signs=1)
    assert encoder.training
    assert not encoder.body.bn1.running_mean.any()


def test_an_unknown_architecture_is_refused_with_those_that_are_known():
    with pytest.raises(ValueError, match=r"'resnet34'; known: resnet10, resnet18, resnet50, densenet121"):
        build("resnet34")


@pytest.mark.parametrize(("architecture", "tap"), [("resnet10", "norm5"), ("densenet121", RESNET_TAPS[0])])
def test_a_tap_of_another_net_is_refused(architecture, tap):
    with pytest.raises(ValueError, match=f"{architecture} has no tap '{tap}'"):
        build(architecture, tap)
