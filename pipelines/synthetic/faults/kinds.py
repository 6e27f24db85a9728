"""Every kind of fault by name, and how one is planted into a folder."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset

from data_schemas.errors import InputError
from pipelines.synthetic.faults.fault import Fault
from pipelines.synthetic.faults.files import FILES
from pipelines.synthetic.faults.forms import CLASSIC, ENHANCED, enhance, write_files, write_form
from pipelines.synthetic.faults.geometry import GEOMETRY
from pipelines.synthetic.faults.numbers import NUMBERS
from pipelines.synthetic.faults.objects import OBJECTS
from pipelines.synthetic.faults.people import PEOPLE
from pipelines.synthetic.faults.unnoticed import UNNOTICED
from pipelines.synthetic.faults.wedge import Truth, make_wedge, truth_of

FAULTS: dict[str, Fault] = {**FILES, **GEOMETRY, **NUMBERS, **PEOPLE, **OBJECTS}
ALL_KINDS = FAULTS | UNNOTICED


def write_fault(folder: Path, kind: str, *, seed: int, form: str = CLASSIC) -> Truth:
    """Write a series of known voxels with one fault planted; return what a right volume would hold.

    Faults that happen after the index are not planted yet: `plant_later` does that.

    Raises
    ------
    ValueError
        The fault cannot exist in this form.
    """
    fault = ALL_KINDS[kind]
    if form not in fault.forms:
        raise ValueError(f"{kind} cannot exist in the form {form}")
    rng = stream(kind, seed)
    wedge = make_wedge(seed)
    slices, count = wedge.slices, len(wedge.slices)
    lowest = wedge.truth.lowest
    if fault.edit:
        slices = fault.edit(slices, rng)
    truth = wedge.truth
    if fault.stored_values:
        lowest = float(_lowest(slices))
    if fault.from_headers or fault.stored_values:
        truth = truth_of(slices[:count], lowest=lowest)
    if form == ENHANCED and fault.frames:
        ds = enhance(slices)
        fault.frames(ds, rng)
        write_files([ds], folder, seed=seed)
    else:
        write_form(slices, folder, form, seed=seed)
    if fault.damage:
        fault.damage(folder, rng)
    return truth


def plant_later(folder: Path, kind: str, *, seed: int) -> None:
    """Do to the files of a folder what the fault does after the index; nothing for the other kinds."""
    fault = ALL_KINDS[kind]
    if fault.later:
        fault.later(folder, stream(kind, seed))


def plant(folder: Path, kind: str, *, seed: int) -> None:
    """Plant a fault into a folder that holds one uncompressed classic series.

    Raises
    ------
    InputError
        The kind is unknown, happens only after the index, or needs another form.
    """
    fault = FAULTS.get(kind)
    if fault is None or fault.later or CLASSIC not in fault.forms:
        raise InputError(f"{kind}: no fault that can be planted into a classic series; docs/faults.md lists the kinds")
    rng = stream(kind, seed)
    if fault.edit:
        paths = sorted(folder.glob("*.dcm"))
        slices = sorted((Dataset(pydicom.dcmread(path)) for path in paths), key=_place)
        for path in paths:
            path.unlink()
        write_files(fault.edit(slices, rng), folder, seed=seed)
    if fault.damage:
        fault.damage(folder, rng)


def stream(kind: str, seed: int) -> np.random.Generator:
    """The random numbers of one kind and seed; other kinds do not matter."""
    return np.random.default_rng([seed, zlib.crc32(kind.encode())])


def _place(ds: Dataset) -> float:
    directions = np.array(ds.ImageOrientationPatient, float)
    return float(np.cross(directions[:3], directions[3:]) @ np.array(ds.ImagePositionPatient, float))


def _lowest(slices: list[Dataset]) -> int:
    """The value at voxel (0, 0, 0), where the first slice's values are the least of all."""
    values = np.frombuffer(slices[0].PixelData, "<u2")
    inverted = slices[0].PhotometricInterpretation == "MONOCHROME1"
    return int(2 ** int(slices[0].BitsStored) - 1 - values[0]) if inverted else int(values[0])
