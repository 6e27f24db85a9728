"""One kind of fault: how it is planted, in which forms it can exist, and what must be said of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from data_schemas.reasons import Reason, Remark
from pipelines.synthetic.faults.forms import CLASSIC, ENHANCED, FORMS, JPEG

EDIT = Callable[[list[Dataset], np.random.Generator], list[Dataset]]
DAMAGE = Callable[[Path, np.random.Generator], None]

CLASSIC_FORMS = (CLASSIC, JPEG)
ALL_FORMS = FORMS
UNCOMPRESSED = (CLASSIC, ENHANCED)


@dataclass(frozen=True)
class Fault:
    """A kind of fault.

    Parameters
    ----------
    what
        One line for the table.
    reasons
        Any of these must be told; empty for faults that a remark mends.
    remark
        Then the volume must be right, and this remark on it.
    edit
        Plants it into the slices, given in slice order, before they become files; may change them in place.
    frames
        Plants it into the one enhanced data set.
    damage, later
        Plants it into the written folder, before or after it was indexed.
    forms
        The forms in which the fault can exist.
    identity
        The voxels may be right; it is the patient, the study or the side that is not.
    from_headers, stored_values
        The truth is the lattice that the slices tell, sheared or short; or their stored values, not HU.
    resample
        The settings allow uneven distances to be resampled.
    """

    what: str
    reasons: frozenset[Reason] = frozenset()
    remark: Remark | None = None
    edit: EDIT | None = None
    frames: Callable[[Dataset, np.random.Generator], None] | None = None
    damage: DAMAGE | None = None
    later: DAMAGE | None = None
    forms: tuple[str, ...] = ALL_FORMS
    identity: bool = False
    from_headers: bool = False
    stored_values: bool = False
    resample: bool = False


def inner(slices: list[Dataset], rng: np.random.Generator) -> int:
    """An index that is neither of the two at each end: a fault there cannot pass for a shorter series."""
    return int(rng.integers(2, max(3, len(slices) - 2)))
