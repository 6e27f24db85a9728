"""What no reader can notice: the files are whole, agree with each other, and tell something that is not true.

Each is planted in a test that expects a volume without a word, so that the list in docs/conformance.md stays true.
"""

from __future__ import annotations

import numpy as np
from pydicom.dataset import Dataset

from pipelines.synthetic.faults.fault import CLASSIC_FORMS, UNCOMPRESSED, Fault, inner
from pipelines.synthetic.faults.files import damaged, flip
from pipelines.synthetic.faults.numbers import as_mr

Slices = list[Dataset]
Rng = np.random.Generator


def _shorter(slices: Slices, rng: Rng) -> Slices:
    """The first or the last slice, or several, are missing; no header counts them."""
    count = int(rng.integers(1, 6))
    return slices[count:] if rng.random() < 0.5 else slices[:-count]


def _every_second_mr(slices: Slices, _: Rng) -> Slices:
    return as_mr(slices)[::2]


def _all_mirrored(slices: Slices, _: Rng) -> Slices:
    """Every slice carries the position of its mirror image, as after an export with the z axis turned."""
    positions = [ds.ImagePositionPatient for ds in slices]
    for ds, position in zip(slices, reversed(positions), strict=True):
        ds.ImagePositionPatient = position
    return slices


def _exchanged(slices: Slices, rng: Rng) -> Slices:
    """The pixels of two slices are exchanged, and nothing else."""
    one = inner(slices, rng)
    other = (one + int(rng.integers(1, 5))) % len(slices)
    slices[one].PixelData, slices[other].PixelData = slices[other].PixelData, slices[one].PixelData
    return slices


def _all_spacings(slices: Slices, rng: Rng) -> Slices:
    factor = float(rng.uniform(1.05, 1.5))
    for ds in slices:
        ds.PixelSpacing = [f"{float(value) * factor:.6g}" for value in ds.PixelSpacing]
    return slices


def _all_intercepts(slices: Slices, _: Rng) -> Slices:
    for ds in slices:
        ds.RescaleIntercept = str(int(ds.RescaleIntercept) - 24)
    return slices


def _another_throughout(slices: Slices, _: Rng) -> Slices:
    for ds in slices:
        ds.PatientID, ds.PatientName = "Z999999", "Someone^Else"
    return slices


UNNOTICED = {
    "shorter": Fault("slices missing at an end, where no header counts them", edit=_shorter),
    "every-second-mr": Fault("every second slice missing from an MR", edit=_every_second_mr, forms=CLASSIC_FORMS),
    "all-mirrored": Fault("all positions mirrored alike", edit=_all_mirrored),
    "exchanged-pixels": Fault("the pixels of two slices exchanged before ingest", edit=_exchanged),
    "all-spacings": Fault("the same wrong pixel spacing in all slices", edit=_all_spacings),
    "all-intercepts": Fault("the same wrong intercept in all slices, by less than a tissue", edit=_all_intercepts),
    "another-throughout": Fault("another patient's name and id in all slices", edit=_another_throughout,
                                identity=True),
    "bit-flipped-before": Fault("bits of stored pixels changed before ingest", damage=damaged(flip),
                                forms=UNCOMPRESSED),
}  # fmt: skip
