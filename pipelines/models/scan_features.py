"""Scans to tokens by the frozen encoder: computed once a scan, cached by the digests of its tensor and the weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from fusion_models.scan_encoder import ScanEncoder
from fusion_models.tokens import Tokens, missing, of_one_case
from pipelines.cases.examples import Example
from pipelines.workspace.cache import ArrayCache
from pipelines.workspace.digests import json_digest

SCANS_A_BATCH = 16
Progress = Callable[[int, int], None]


@torch.no_grad()
def encode_scans(
    examples: Sequence[Example],
    *,
    encoder: ScanEncoder,
    digest: str,
    device: torch.device | str,
    cache: ArrayCache | None = None,
    progress: Progress | None = None,
) -> list[Tokens]:
    """Tokens of each case's scan (B = 1), in float32; a masked slot where there is no scan."""
    encoder = encoder.to(device).eval()
    rows = [missing(batch=1, features=encoder.features, coordinates=3) for _ in examples]
    wanted = []
    for number, example in enumerate(examples):
        own = cache.of(example.study_key) if cache and example.scan_digest and example.scan else None
        found = own.get_arrays(_key(digest, encoder, example)) if own else None
        if found:
            rows[number] = of_one_case(torch.from_numpy(found["values"]), torch.from_numpy(found["position"]))
        elif example.scan is not None:
            wanted.append(number)
    for start in range(0, len(wanted), SCANS_A_BATCH):
        numbers = wanted[start : start + SCANS_A_BATCH]
        volume = np.stack([examples[n].scan.values for n in numbers])  # type: ignore[union-attr]
        affine = np.stack([examples[n].scan.affine for n in numbers])  # type: ignore[union-attr]
        volume_on, affine_on = torch.from_numpy(volume).to(device).float(), torch.from_numpy(affine).to(device).float()
        tokens = encoder(volume_on, affine_on).tokens
        for number, values, position in zip(numbers, tokens.values.float().cpu(), tokens.position.cpu(), strict=True):
            rows[number] = of_one_case(values, position.float())
            if cache and examples[number].scan_digest:
                arrays = {"values": values.numpy(), "position": position.numpy()}
                cache.of(examples[number].study_key).put_arrays(_key(digest, encoder, examples[number]), arrays)
        if progress:
            progress(len(examples) - len(wanted) + min(start + SCANS_A_BATCH, len(wanted)), len(examples))
    return rows


def _key(digest: str, encoder: ScanEncoder, example: Example) -> str:
    # The same weights can stand in two nets: a 2.5D encoder of another slab has none of its own.
    return json_digest(["scan tokens", digest, repr(encoder.body), example.scan_digest])
