"""What every scan encoder must do, whatever its net is; and what the single nets are."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial

import pytest
import torch
from safetensors.torch import load, save
from torch import nn

from fusion_models.scan_encoder import KNOWN, ScanEncoder
from fusion_models.scan_encoders.own import own_body
from fusion_models.scan_encoders.slices import SlabPool, slices_body
from fusion_models.scan_encoders.swin import swin_body

SHAPE = (8, 16, 24)  # z, y, x
# Voxel (x, y, z) to mm: axes swapped and turned, spacings of their own.
AFFINE = torch.tensor([[0.0, 3.0, 0.0, -40.0], [-2.0, 0.0, 0.0, 70.0], [0.0, 0.0, 5.0, -30.0], [0.0, 0.0, 0.0, 1.0]])


def own_net(*, channels: int) -> nn.Module:
    """As a user would write one."""
    return nn.Sequential(
        OrderedDict(
            first=nn.Sequential(nn.Conv3d(channels, 6, 3, stride=2, padding=1), nn.GELU()),
            second=nn.Sequential(nn.Conv3d(6, 8, 2, stride=2), nn.GELU()),
        )
    )


ENCODERS = {
    "resnet10": partial(ScanEncoder, architecture="resnet10", tap="layer1", width=0.125),
    "resnet18, shortcut A": partial(ScanEncoder, architecture="resnet18", tap="layer2", width=0.125, shortcut="A"),
    "densenet121": partial(ScanEncoder, architecture="densenet121", tap="denseblock1", width=1.0),
    "swin-unetr": partial(ScanEncoder, architecture="swin-unetr", tap="layers1", width=0.25),
    "slices-resnet10": partial(ScanEncoder, architecture="slices-resnet10", tap="layer1", width=0.125),
    "slices-densenet121": partial(ScanEncoder, architecture="slices-densenet121", tap="denseblock1", width=1.0, slab=8),
    "own": partial(ScanEncoder, architecture="own", tap="", width=1.0, make=own_net, code=bytes(range(32))),
}


@pytest.fixture(params=ENCODERS)
def build(request):
    """Makes an encoder, always with the same weights."""

    def make(seed: int = 0) -> ScanEncoder:
        torch.manual_seed(seed)
        return ENCODERS[request.param](channels=2, signs=3, shape=SHAPE)

    return make


def volumes(count: int = 2, seed: int = 1) -> torch.Tensor:
    return torch.rand(count, 2, *SHAPE, generator=torch.Generator().manual_seed(seed))


def affines(count: int = 2) -> torch.Tensor:
    return AFFINE.expand(count, 4, 4)


def test_tokens_fill_the_volume_evenly_in_millimetres(build):
    encoder = build().eval()
    with torch.no_grad():
        tokens = encoder(volumes(), affines()).tokens
    assert tokens.values.shape == (*tokens.mask.shape, encoder.features)
    assert tokens.mask.all()
    assert tokens.source.tolist() == [list(range(tokens.mask.shape[1]))] * 2
    # By hand: voxels 0 to 23, 15 and 7 reach from -0.5 to 23.5, 15.5 and 7.5; their middle is 11.5, 7.5, 3.5.
    middle = [3 * 7.5 - 40, -2 * 11.5 + 70, 5 * 3.5 - 30]
    assert tokens.position[0].mean(dim=0).tolist() == pytest.approx(middle, abs=1e-3)
    low, high = tokens.position[0].amin(dim=0).tolist(), tokens.position[0].amax(dim=0).tolist()
    ends = [(3 * -0.5 - 40, 3 * 15.5 - 40), (-2 * 23.5 + 70, -2 * -0.5 + 70), (5 * -0.5 - 30, 5 * 7.5 - 30)]
    for axis, (first, last) in enumerate(ends):
        cells = len(set(tokens.position[0, :, axis].tolist()))
        half = (last - first) / cells / 2
        assert (low[axis], high[axis]) == pytest.approx((first + half, last - half), abs=1e-3)


def test_the_token_that_changes_most_lies_where_the_scan_changed(build):
    encoder = build().eval()
    volume = volumes(1)
    changed = volume.clone()
    changed[:, :, 4:7, 2:6, 18:22] += 5.0
    with torch.no_grad():
        before, after = (encoder(given, affines(1)).tokens for given in (volume, changed))
    change = (after.values - before.values)[0, :, :-3].square().sum(dim=-1)
    found = before.position[0, int(change.argmax())]
    true = (AFFINE @ torch.tensor([19.5, 3.5, 5.0, 1.0]))[:3]
    cells = [len(set(before.position[0, :, axis].tolist())) for axis in range(3)]
    reach = torch.tensor([3 * 16 / cells[0], 2 * 24 / cells[1], 5 * 8 / cells[2]])
    assert ((found - true).abs() <= reach).all()


def test_every_channel_is_read(build):
    encoder = build().eval()
    volume = volumes(1)
    with torch.no_grad():
        before = encoder(volume, affines(1)).tokens.values
        for channel in range(2):
            changed = volume.clone()
            changed[:, channel] = changed[:, channel].flip(-1)
            assert not torch.allclose(encoder(changed, affines(1)).tokens.values, before, atol=1e-4)


def test_in_eval_a_scan_is_read_the_same_twice_and_beside_others(build):
    encoder = build().eval()
    volume = volumes(3)
    with torch.no_grad():
        together = encoder(volume, affines(3)).tokens.values
        assert torch.equal(together, encoder(volume, affines(3)).tokens.values)
        alone = torch.cat([encoder(volume[n : n + 1], affines(1)).tokens.values for n in range(3)])
    assert torch.allclose(together, alone, atol=1e-5)


def test_gradients_of_the_signs_reach_every_parameter(build):
    encoder = build().train()
    encoder(volumes(), affines()).sign_logits.square().sum().backward()
    assert not [name for name, part in encoder.named_parameters() if part.grad is None or not part.grad.any()]


def test_checkpointing_gives_the_same_gradients_and_statistics(build):
    plain, saving = build().train(), build().train()
    saving.checkpointing = True
    for encoder in (plain, saving):
        encoder(volumes(), affines()).sign_logits.square().sum().backward()
    for one, other in zip(plain.parameters(), saving.parameters(), strict=True):
        assert torch.allclose(one.grad, other.grad, atol=1e-5)
    assert all(torch.equal(one, other) for one, other in zip(plain.buffers(), saving.buffers(), strict=True))


def test_the_weights_are_the_whole_encoder(build):
    one, other = build().eval(), build(seed=5).eval()
    other.load_state_dict(load(save({name: part.contiguous() for name, part in one.state_dict().items()})))
    with torch.no_grad():
        read, again = (encoder(volumes(), affines()).tokens.values for encoder in (one, other))
    assert torch.equal(read, again)


def test_a_fresh_encoder_is_in_training_mode_and_has_seen_nothing(build):
    encoder = build()
    assert all(part.training for part in encoder.modules())
    assert not any(part.any() for name, part in encoder.named_buffers() if name.endswith("running_mean"))


# --- SwinUNETR's encoder


@pytest.fixture
def monai_swin(monkeypatch):
    """MONAI's whole SwinUNETR encoder; the permutations that it needs a library for are written out."""
    from monai.networks.nets import swin_unetr

    orders = {
        "b c d h w -> b d h w c": (0, 2, 3, 4, 1), "n c d h w -> n d h w c": (0, 2, 3, 4, 1),
        "b d h w c -> b c d h w": (0, 4, 1, 2, 3), "n d h w c -> n c d h w": (0, 4, 1, 2, 3),
    }  # fmt: skip
    monkeypatch.setattr(swin_unetr, "rearrange", lambda x, order: x.permute(orders[order]))
    torch.manual_seed(3)
    return swin_unetr.SwinUNETR(in_channels=1, out_channels=1, feature_size=12).swinViT.eval()


@pytest.mark.parametrize("stage", [1, 3])
def test_the_swin_encoder_gives_what_monais_gives(monai_swin, stage):
    body = swin_body(channels=1, tap=f"layers{stage}", width=0.25)
    names = body.net.state_dict().keys()
    body.net.load_state_dict({name: part for name, part in monai_swin.state_dict().items() if name in names})
    volume = torch.rand(1, 1, 16, 32, 16, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected, found = monai_swin(volume)[stage], body.net.eval()(volume)
    assert found.shape[1] == body.depth
    assert torch.allclose(found, expected, atol=1e-5)


def test_a_volume_that_does_not_divide_into_cells_is_refused_with_what_would():
    with pytest.raises(ValueError, match=r"40 × 40 × 44 voxels .* a multiple of 8 × 8 × 8"):
        ScanEncoder(architecture="swin-unetr", channels=1, tap="layers2", width=0.25, signs=1, shape=(40, 40, 44))
    encoder = ScanEncoder(architecture="swin-unetr", channels=1, tap="layers1", width=0.25, signs=1)
    with pytest.raises(ValueError, match="a multiple of 4 × 4 × 4"):
        encoder(torch.zeros(1, 1, 16, 16, 18), torch.eye(4)[None])


@pytest.mark.parametrize("width", [0.1, 0.3, 1.1])
def test_a_width_that_the_heads_do_not_divide_is_refused(width):
    with pytest.raises(ValueError, match=r"take a width of 0\.25, 0\.5"):
        swin_body(channels=1, tap="layers1", width=width)


# --- 2.5D


def test_every_slice_goes_through_the_2d_net_and_slabs_are_weighted_means():
    torch.manual_seed(0)
    body = slices_body("slices-resnet10", channels=1, tap="layer1", width=0.125, slices=6, slab=3)
    net, volume = body.net.eval(), torch.rand(2, 1, 6, 16, 16)
    flat = nn.Sequential(*list(net.children())[1:-2])
    with torch.no_grad():
        grids = torch.stack([flat(volume[:, :, n]) for n in range(6)], dim=2)  # [B, D, Z, y, x]
        found = net(volume)
        for slab in range(2):
            part = grids[:, :, 3 * slab : 3 * slab + 3]
            score = torch.stack([net.pool.score(part[:, :, n]) for n in range(3)], dim=2)
            expected = (part * torch.softmax(score, dim=2)).sum(dim=2)
            assert torch.allclose(found[:, :, slab], expected, atol=1e-5)


def test_slices_of_equal_score_are_averaged():
    pool = SlabPool(depth=1, slab=2)
    nn.init.zeros_(pool.score[2].weight)
    grid = torch.tensor([1.0, 3.0, 10.0, 20.0]).reshape(4, 1, 1, 1)
    assert pool(grid).flatten().tolist() == [2.0, 15.0]


def test_slices_that_are_no_multiple_of_the_slab_are_refused():
    with pytest.raises(ValueError, match="10 slices are no multiple of a slab of 4"):
        slices_body("slices-resnet10", channels=1, tap="layer1", width=0.125, slices=10, slab=4)


# --- The user's own


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda channels: "net", "gave str, not a torch.nn.Module"),
        (lambda channels: nn.Conv3d(channels + 1, 2, 3), "cannot read a volume of 2 × 8 × 8 × 8"),
        (lambda channels: nn.Sequential(nn.Conv3d(channels, 2, 3), nn.Flatten()), r"gave \[2, 432\] for 2 volumes"),
        (lambda channels: nn.Upsample(scale_factor=2), "finer than its volume"),
        (lambda channels: nn.Threshold(1.0, float("nan")), "not finite"),
        (lambda: None, "the builder failed"),
    ],
)  # fmt: skip
def test_a_net_that_gives_no_grid_is_one_line(make, told):
    with pytest.raises(ValueError, match=told) as caught:
        own_body(make, channels=2, shape=(8, 8, 8))
    assert "\n" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_net_of_ones_own_that_is_no_sequence_is_read_and_never_checkpointed():
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Conv3d(1, 4, 2, stride=2)

        def forward(self, volume: torch.Tensor) -> torch.Tensor:
            return self.first(volume).relu()

    encoder = ScanEncoder(
        architecture="own", channels=1, tap="", width=1.0, signs=1, shape=(8, 8, 8), make=lambda channels: Net()
    ).train()
    encoder.checkpointing = True
    encoder(torch.rand(2, 1, 8, 8, 8), torch.eye(4).expand(2, 4, 4)).sign_logits.sum().backward()
    assert list(encoder.body.state_dict()) == ["first.weight", "first.bias"]
    assert encoder.body.first.weight.grad is not None


def test_the_settings_and_the_encoders_know_the_same_names():
    from typing import get_args

    from data_schemas.recipes import ScanNet

    assert set(get_args(ScanNet)) == set(KNOWN)


@pytest.mark.parametrize(("architecture", "tap"), [("swin-unetr", "layer3"), ("slices-resnet10", "norm5")])
def test_a_tap_of_another_net_is_refused_with_those_that_are_known(architecture, tap):
    with pytest.raises(ValueError, match=f"has no tap '{tap}'; known: layer"):
        ScanEncoder(architecture=architecture, channels=1, tap=tap, width=0.25, signs=1)
