"""A net of the user's own as the body of a scan encoder: checked before it is trusted to give positions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from fusion_models.scan_encoders.body import Body, probed

OWN = "own"


def own_body(make: Callable[..., Any], *, channels: int, shape: tuple[int, int, int]) -> Body:
    """The net that ``make(channels=…)`` gives, for volumes of one (Z, Y, X) shape.

    Raises
    ------
    ValueError
        ``make`` fails, its net is no `torch.nn.Module` or cannot read such a volume, or what it gives is no grid
        [B, D, z, y, x] of finite numbers for every volume.
    """
    try:
        net = make(channels=channels)
    except Exception as error:  # whatever the user's code raises
        told = next(iter(str(error).splitlines()), "")
        raise ValueError(f"the builder failed ({type(error).__name__}: {told})") from None
    if not isinstance(net, nn.Module):
        raise ValueError(f"the builder gave {type(net).__name__}, not a torch.nn.Module")  # noqa: TRY004
    try:
        grid = probed(net, (2, channels, *shape))
    except Exception as error:  # whatever the user's net raises
        told = next(iter(str(error).splitlines()), "")
        raise ValueError(
            f"the builder's net cannot read a volume of {channels} × {' × '.join(map(str, shape))} "
            f"({type(error).__name__}: {told})"
        ) from None
    if not isinstance(grid, Tensor) or grid.ndim != 5 or len(grid) != 2 or not grid.is_floating_point():
        given = list(grid.shape) if isinstance(grid, Tensor) else type(grid).__name__
        raise ValueError(f"the builder's net gave {given} for 2 volumes, not a grid of features [2, D, z, y, x]")
    if any(cells > side for cells, side in zip(grid.shape[2:], shape, strict=True)):
        raise ValueError(f"the builder's net gave a grid of {list(grid.shape[2:])} cells, finer than its volume")
    if not torch.isfinite(grid).all():
        raise ValueError("the builder's net gave features that are not finite for an empty volume")
    return Body(net, int(grid.shape[1]))
