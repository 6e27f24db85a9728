"""The vectors of the modalities before they are fused, for a loss that draws those of one case together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from torch import Tensor, nn

from fusion_models.fusions.entrance import Entrance
from fusion_models.losses import alignment
from fusion_models.tokens import Tokens


@contextmanager
def entered(module: nn.Module) -> Iterator[dict[str, Tokens]]:
    """Collects, while the module reads a batch, the tokens as its fusion takes them in, by modality.

    The last slot of each is the absence token. A reader without entrances (the linear one) leaves it empty.
    """
    found: dict[str, Tokens] = {}

    def keep(name: str) -> object:
        def hook(_module: nn.Module, _given: object, result: tuple[Tokens, Tensor]) -> None:
            found[name] = result[0]

        return hook

    handles = [
        # Named by its modality: ``fusion.enter.scan``, or ``pool.scan.enter``.
        part.register_forward_hook(keep(name.removesuffix(".enter").rsplit(".", 1)[-1]))  # type: ignore[arg-type]
        for name, part in module.named_modules()
        if isinstance(part, Entrance)
    ]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


def alignment_of(tokens: Mapping[str, Tokens], *, temperature: float) -> Tensor:
    """The alignment loss of entered tokens: each modality is the mean of its real tokens, without the absence token."""
    vectors, present = {}, {}
    for name, part in tokens.items():
        mask = part.mask[:, :-1]
        weight = mask[..., None].to(part.values.dtype)
        vectors[name] = (part.values[:, :-1] * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1)
        present[name] = mask.any(dim=1)
    return alignment(vectors, present, temperature=temperature)
