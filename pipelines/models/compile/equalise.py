"""Channels evened out before int8, in the same net: one step size for all of them then suits each.

Activations have one scale a tensor, so a channel that is a tenth as wide as the widest is left with a tenth of the 256
steps. Where a batch norm, a ReLU and a convolution follow one another, a channel can be scaled in the norm and scaled
back in the convolution, and nothing else changes: a ReLU passes a positive factor on (cross-layer equalisation, Nagel
et al. 2019). The factor parts the width between activation and weight evenly (SmoothQuant, Xiao et al. 2023).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

Convolution = nn.Conv2d | nn.Conv3d
Chain = tuple[_BatchNorm, Convolution]


@torch.no_grad()
def equalised(body: nn.Module, volumes: Sequence[np.ndarray]) -> nn.Module:
    """A copy of a net that gives the same features, up to rounding, with the channels before its convolutions evened.

    Parameters
    ----------
    volumes
        Calibration tensors [C, Z, Y, X], which tell how wide each channel is.
    """
    body = copy.deepcopy(body).cpu().eval()
    chains = list(_chains(body))
    widest: dict[int, Tensor] = {}

    def look(number: int) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
        def before(_: nn.Module, given: tuple[Tensor, ...]) -> None:
            width = given[0].abs().transpose(0, 1).flatten(1).amax(dim=1)
            widest[number] = torch.maximum(widest[number], width) if number in widest else width

        return before

    hooks = [conv.register_forward_pre_hook(look(number)) for number, (_, conv) in enumerate(chains)]
    for volume in volumes:
        body(torch.from_numpy(np.array(volume, np.float32))[None])
    for hook in hooks:
        hook.remove()
    for number, (norm, conv) in enumerate(chains):
        if number in widest:
            _even(norm, conv, widest[number])
    return body


def _even(norm: _BatchNorm, conv: Convolution, width: Tensor) -> None:
    weight = conv.weight.abs().transpose(0, 1).flatten(1).amax(dim=1)
    real = (width > 0) & (weight > 0)
    factor = torch.where(real, (width / weight.clamp(min=1e-12)).sqrt(), 1.0)
    if not real.any() or not torch.isfinite(factor).all():
        return
    factor = torch.where(real, factor / factor[real].log().mean().exp(), 1.0)
    norm.weight.div_(factor)
    norm.bias.div_(factor)
    conv.weight *= factor.view(1, -1, *[1] * (conv.weight.ndim - 2))


def _chains(body: nn.Module) -> Iterator[Chain]:
    """Norm, ReLU and convolution in a row: as parts of a sequence (DenseNet), or inside MONAI's residual blocks."""
    from monai.networks.nets.resnet import ResNetBlock, ResNetBottleneck

    for module in body.modules():
        if isinstance(module, nn.Sequential):
            parts: list[object] = list(module.children())
            rows = list(zip(parts, parts[1:], parts[2:], strict=False))
        elif isinstance(module, ResNetBlock | ResNetBottleneck):
            names = [(f"bn{number}", "act", f"conv{number + 1}") for number in (1, 2)]
            rows = [tuple(getattr(module, name, None) for name in row) for row in names]  # type: ignore[misc]
        else:
            continue
        for norm, act, conv in rows:
            if not (isinstance(norm, _BatchNorm) and isinstance(act, nn.ReLU) and isinstance(conv, Convolution)):
                continue
            if conv.groups == 1 and norm.affine and norm.num_features == conv.in_channels:
                yield norm, conv
