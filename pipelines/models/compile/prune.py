"""Structured pruning: a net with fewer channels inside its residual blocks, where nothing else reads them.

What a block adds to its shortcut keeps its channels, so every shape outside of the blocks stays, and what comes after
the net still fits. Channels go by how much they can add: the L1 norm of the filters that read them (Li et al. 2017),
times the scale that batch norm gives them (Liu et al. 2017).
"""

from __future__ import annotations

import copy
from collections.abc import Iterator

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from data_schemas.errors import ModelError

Convolution = nn.Conv2d | nn.Conv3d
Chain = tuple[Convolution, _BatchNorm, Convolution]
FEWEST = 4
MOST_SHARE = 0.9


def pruned(body: nn.Module, *, share: float) -> nn.Module:
    """A copy of a ResNet's body without this share of the inner channels of each residual block; at least 4 stay.

    Raises
    ------
    ModelError
        The share is none, or the net has no residual block whose inner channels nothing else reads (a DenseNet reads
        all of them again).
    """
    if not 0 < share <= MOST_SHARE:
        raise ModelError(f"pruning: the share of channels must be above 0 and at most {MOST_SHARE}; found {share}")
    body = copy.deepcopy(body)
    chains = list(_inner(body))
    for first, norm, second in chains:
        _thin(first, norm, second, keep=_kept(norm, second, share=share))
    if not chains:
        raise ModelError("pruning: this scan encoder has no residual block of MONAI's (resnet10, -18 and -50 have)")
    return body


def _inner(body: nn.Module) -> Iterator[Chain]:
    """Every convolution in a block with the norm and the further convolution of the block that read it.

    Only in MONAI's own blocks: in a block of the user's, who reads what cannot be told by names.
    """
    from monai.networks.nets.resnet import ResNetBlock, ResNetBottleneck

    for block in body.modules():
        if not isinstance(block, ResNetBlock | ResNetBottleneck):
            continue
        for number in (1, 2):
            names = (f"conv{number}", f"bn{number}", f"conv{number + 1}")
            first, norm, second = (getattr(block, name, None) for name in names)
            if isinstance(first, Convolution) and isinstance(norm, _BatchNorm) and isinstance(second, Convolution):
                yield first, norm, second


def _kept(norm: _BatchNorm, second: Convolution, *, share: float) -> Tensor:
    worth = norm.weight.detach().abs() * second.weight.detach().abs().transpose(0, 1).flatten(1).sum(dim=1)
    count = min(len(worth), max(FEWEST, round(len(worth) * (1 - share))))
    return worth.argsort(descending=True, stable=True)[:count].sort().values


def _thin(first: Convolution, norm: _BatchNorm, second: Convolution, *, keep: Tensor) -> None:
    """Leave only the channels at ``keep`` between two convolutions, in place."""
    first.weight, second.weight = (
        nn.Parameter(first.weight.detach()[keep]),
        nn.Parameter(second.weight.detach()[:, keep]),
    )
    norm.weight, norm.bias = nn.Parameter(norm.weight.detach()[keep]), nn.Parameter(norm.bias.detach()[keep])
    if first.bias is not None:
        first.bias = nn.Parameter(first.bias.detach()[keep])
    if norm.running_mean is not None and norm.running_var is not None:
        norm.running_mean, norm.running_var = norm.running_mean[keep].clone(), norm.running_var[keep].clone()
    first.out_channels = norm.num_features = second.in_channels = len(keep)
