"""What published weights of scan encoders call their tensors, and what the nets here call them.

==============================  ===========================================  ==========================================
file                            has                                          read as
==============================  ===========================================  ==========================================
MedicalNet, any DataParallel    ``module.layer1.0.conv1.weight``             ``layer1.0.conv1.weight``
a whole SwinUNETR               ``swinViT.layers1.0.blocks.0.…``             ``layers1.0.blocks.0.…``
a whole DenseNet                ``features.denseblock1.…``                   ``denseblock1.…``
torchvision's DenseNet          ``….denselayer1.norm1.weight``               ``….denselayer1.layers.norm1.weight``
SwinUNETR pretrained without    ``….mlp.fc1.weight``                         ``….mlp.linear1.weight``
labels
a model of scanote              ``body.layer1.…``                            ``layer1.…``
==============================  ===========================================  ==========================================

A name that the net itself has is never changed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from torch import Tensor

from data_schemas.errors import ModelError

PREFIXES = ("module.", "body.", "features.", "swinViT.")
RENAMED = (
    (re.compile(r"(denselayer\d+)\.((?:norm|conv)\d)\."), r"\1.layers.\2."),
    (re.compile(r"\.mlp\.fc(\d)\."), r".mlp.linear\1."),
)
PICKLES = (".pth", ".pt", ".bin", ".ckpt", ".tar", ".pkl")
GREY = (1, 3)


def named_as(body: Collection[str], given: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The given tensors under the names of a body, as far as they are known by another one."""
    return {name if name in body else _renamed(name): value for name, value in given.items()}


def refuse_pickle(path: Path) -> None:
    """Raises ModelError where a file of weights is a pickle, by its name."""
    if path.suffix.lower() in PICKLES:
        raise ModelError(
            f"scan weights {path}: {path.suffix} files are pickles, which can run code, and scanote opens none; write "
            "it as safetensors once, where you trust it: docs/encoders.md has the line"
        )


def refuse_shortcut(path: Path, body: Collection[str], given: Collection[str]) -> None:
    """Raises ModelError where a ResNet's weights have shortcuts of the other kind than the body."""
    # Of the stages that both have: up to its tap a body may have no place for a shortcut yet.
    stages = {name.split(".")[0] for name in body} & {name.split(".")[0] for name in given}
    own, theirs = (
        any(".downsample." in name and name.split(".")[0] in stages for name in names) for names in (body, given)
    )
    if own != theirs and "layer1" in stages:
        kind = "B" if theirs else "A"
        raise ModelError(
            f"scan weights {path}: they are of a ResNet with shortcuts of type {kind}; set model.scan.shortcut: {kind}"
        )


def over_channels(weight: Tensor, channels: int) -> Tensor:
    """A first convolution of one channel, or of three colours, over so many channels, an equal share to each.

    It gives for one picture in every channel what it gave for that picture, grey. Any other weight stays as it is.
    """
    if weight.ndim < 4 or weight.shape[1] not in GREY or weight.shape[1] == channels:
        return weight
    return weight.sum(dim=1, keepdim=True).repeat_interleave(channels, dim=1) / channels


def _renamed(name: str) -> str:
    for prefix in PREFIXES:
        name = name.removeprefix(prefix)
    for pattern, instead in RENAMED:
        name = pattern.sub(instead, name)
    return name
