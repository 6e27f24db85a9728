"""Patient-level splits: a patient is in one split, whatever else is in the cohort."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from data_schemas.cohort import Split
from data_schemas.errors import SettingsError


def split_patients(
    patient_keys: Iterable[str],
    *,
    seed: int,
    validation_share: float,
    test_share: float,
    strata: Mapping[str, str] | None = None,
) -> dict[str, Split]:
    """The split of every patient, from a hash of (seed, patient key).

    Without ``strata`` a patient's split depends on nothing but its key, the seed and the shares: adding patients moves
    nobody, and the shares hold on average. With ``strata`` (a label by patient key; absent ones are a stratum of
    their own) the patients of each stratum are ranked by their hash and cut at the shares, so that small cohorts hold
    the shares to within one patient a stratum; adding patients may then move some across a border.

    Raises
    ------
    SettingsError
        The shares are negative or leave nothing to train on.
    """
    if min(validation_share, test_share) < 0 or validation_share + test_share >= 1:
        raise SettingsError("validation_share and test_share must be 0 or more and leave a share to train on")
    positions = {key: _position(seed, key) for key in patient_keys}
    if strata is not None:
        positions = _ranks(positions, strata)
    return {key: _split(at, validation_share, test_share) for key, at in positions.items()}


def _position(seed: int, key: str) -> float:
    """A number in [0, 1) that looks uniform over the keys."""
    digest = hashlib.sha256(f"scanote-split\0{seed}\0{key}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def _ranks(positions: Mapping[str, float], strata: Mapping[str, str]) -> dict[str, float]:
    """The place of each patient within its stratum, as a number in (0, 1)."""
    members: dict[str, list[str]] = {}
    for key in sorted(positions, key=lambda key: (positions[key], key)):
        members.setdefault(strata.get(key, ""), []).append(key)
    return {key: (at + 0.5) / len(keys) for keys in members.values() for at, key in enumerate(keys)}


def _split(at: float, validation_share: float, test_share: float) -> Split:
    if at < test_share:
        return "test"
    return "validation" if at < test_share + validation_share else "train"
