"""Radiomics of cases: one token each, computed once and cached by the digest of the resampled scan."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from fusion_models.radiomics import radiomics, radiomics_features
from fusion_models.tokens import Tokens, missing, of_one_case
from pipelines.cases.examples import Example
from pipelines.workspace.cache import ArrayCache
from pipelines.workspace.digests import json_digest

# A new name, where the numbers change, leaves cached ones of the old.
METHOD = "radiomics/1"


@torch.no_grad()
def encode_radiomics(
    examples: Sequence[Example],
    *,
    channels: int,
    cache: ArrayCache | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Tokens]:
    """The token of each case's scan (B = 1) at the middle of its grid; a masked slot where there is no scan."""
    rows = []
    for number, example in enumerate(examples, 1):
        if example.scan is None:
            rows.append(missing(batch=1, features=radiomics_features(channels), coordinates=3))
        else:
            middle = (np.array(example.scan.values.shape[:0:-1]) - 1) / 2
            place = example.scan.affine[:3, :3] @ middle + example.scan.affine[:3, 3]
            values = _numbers(example, cache)
            rows.append(of_one_case(values[None], torch.from_numpy(place.astype(np.float32))[None]))
        if progress:
            progress(number, len(examples))
    return rows


def _numbers(example: Example, cache: ArrayCache | None) -> torch.Tensor:
    assert example.scan is not None  # noqa: S101
    key = json_digest([METHOD, example.scan_digest])
    own = cache.of(example.study_key) if cache and example.scan_digest else None
    found = own.get(key) if own else None
    if found is not None:
        return torch.from_numpy(found.copy())  # what the cache maps is not to be written to
    made = radiomics(torch.tensor(example.scan.values[None]))[0]  # a copy, for the same reason
    if own:
        own.put(key, made.numpy())
    return made
