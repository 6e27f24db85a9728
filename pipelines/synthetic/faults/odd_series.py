"""Ways to write right series that look odd."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from pipelines.synthetic.faults.forms import CLASSIC, Encoder, write_files, write_form
from pipelines.synthetic.faults.numbers import as_mr, planes
from pipelines.synthetic.faults.objects import again
from pipelines.synthetic.faults.wedge import LOWEST_HU, Style, Truth, Wedge, draw_style, make_wedge, truth_of, write_raw

Slices = list[Dataset]
Rng = np.random.Generator
Change = Callable[[Slices, Rng], None]


@dataclass(frozen=True)
class Variant:
    """A way to write a right series; ``write`` returns the truth of each scan that must be accepted."""

    write: Callable[[Path, int], list[Truth]]
    seeds: int


def edited(change: Change, *, form: str = CLASSIC, seeds: int = 4, lowest: float | None = None) -> Variant:
    """A wedge whose headers were changed in a harmless way."""

    def write(folder: Path, seed: int) -> list[Truth]:
        wedge = make_wedge(seed)
        change(wedge.slices, np.random.default_rng([seed, 3]))
        write_form(wedge.slices, folder, form, seed=seed)
        return [truth_of(wedge.slices, lowest=LOWEST_HU if lowest is None else lowest)]

    return Variant(write, seeds)


def styled(change: Callable[[Style, Rng], Style], *, form: str = CLASSIC, seeds: int = 4) -> Variant:
    """A wedge of another style."""

    def write(folder: Path, seed: int) -> list[Truth]:
        wedge = make_wedge(seed, style=change(draw_style(seed), np.random.default_rng([seed, 3])))
        write_form(wedge.slices, folder, form, seed=seed)
        return [wedge.truth]

    return Variant(write, seeds)


def encoded(syntax: str, encode: Encoder | None = None, *, seeds: int = 3) -> Variant:
    """A wedge in another transfer syntax."""

    def write(folder: Path, seed: int) -> list[Truth]:
        wedge = make_wedge(seed)
        write_files(wedge.slices, folder, syntax=syntax, encode=encode, seed=seed)
        return [wedge.truth]

    return Variant(write, seeds)


def named(name: Callable[[int], str], *, seeds: int = 3) -> Variant:
    """A wedge under other file names."""

    def write(folder: Path, seed: int) -> list[Truth]:
        wedge = make_wedge(seed)
        names = [name(int(number)) for number in np.random.default_rng(seed).permutation(len(wedge.slices))]
        for path in names:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
        write_files(wedge.slices, folder, names=names)
        return [wedge.truth]

    return Variant(write, seeds)


def split(label: Callable[[Slices, int], None], *, mr: bool = True, parts: int = 2, seeds: int = 4) -> Variant:
    """Several complete stacks under one UID, that ``label`` tells apart."""

    def write(folder: Path, seed: int) -> list[Truth]:
        wedge = make_wedge(seed)
        slices = as_mr(wedge.slices) if mr else wedge.slices
        stacks = [again(slices, f"part {part}", values=part * 3) for part in range(parts)]
        for part, stack in enumerate(stacks):
            label(stack, part)
        write_form([ds for stack in stacks for ds in stack], folder, CLASSIC, seed=seed)
        lowest = float(planes(slices[0]).min()) if mr else float(LOWEST_HU)
        return [truth_of(stack, lowest=lowest + part * 3) for part, stack in enumerate(stacks)]

    return Variant(write, seeds)


def setting(**values: object) -> Change:
    """All slices get these values."""

    def change(slices: Slices, _: Rng) -> None:
        for ds in slices:
            for keyword, value in values.items():
                setattr(ds, keyword, value)

    return change


def without(*keywords: str) -> Change:
    """All slices lack these attributes."""

    def change(slices: Slices, _: Rng) -> None:
        for ds in slices:
            for keyword in keywords:
                if keyword in ds:
                    del ds[keyword]

    return change


def per_slice(keyword: str, vr: str, value: Callable[[int], object]) -> Change:
    """Each slice gets a value of its own."""

    def change(slices: Slices, _: Rng) -> None:
        for index, ds in enumerate(slices):
            write_raw(ds, keyword, vr, value(index))

    return change


def oblique(style: Style, rng: Rng) -> Style:
    """Some plane of no name."""
    turned, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    return replace(style, orientation=tuple(float(value) for value in (*turned[0], *turned[1])))


def rounded(position: int, direction: int) -> Change:
    """Positions and directions with so many decimals."""

    def change(slices: Slices, _: Rng) -> None:
        for ds in slices:
            ds.ImagePositionPatient = [f"{float(value):.{position}f}" for value in ds.ImagePositionPatient]
            ds.ImageOrientationPatient = [f"{float(value):.{direction}f}" for value in ds.ImageOrientationPatient]

    return change


def private(slices: Slices, rng: Rng) -> None:
    """Private elements, and a sequence whose items name another patient and series."""
    for ds in slices:
        for group, creator in ((0x0009, "GEMS_IDEN_01"), (0x0029, "SIEMENS CSA HEADER"), (0x2001, "Philips Imaging")):
            block = ds.private_block(group, creator, create=True)
            block.add_new(0x10, "OB", rng.bytes(2 * int(rng.integers(1, 200))))
            block.add_new(0x11, "LO", "private")
        inner = Dataset()
        inner.PatientID, inner.SeriesInstanceUID = "NOBODY", "1.2.3"
        ds.RequestAttributesSequence = [inner]


def mixed_charsets(slices: Slices, _: Rng) -> None:
    """One name, in two character sets by turns."""
    for index, ds in enumerate(slices):
        ds.SpecificCharacterSet = "ISO_IR 192" if index % 2 else "ISO_IR 100"
        ds.PatientName = "Größe^Änne"


def padded(slices: Slices, _: Rng) -> None:
    """Blanks after the id and empty components after the name, in some slices."""
    for index, ds in enumerate(slices):
        if index % 3 == 0:
            write_raw(ds, "PatientID", "LO", f"{ds.PatientID} ")
            write_raw(ds, "PatientName", "PN", f"{ds.PatientName}^^^")


def uid_style(make: Callable[[str], str]) -> Change:
    """UIDs of another make."""

    def change(slices: Slices, _: Rng) -> None:
        for ds in slices:
            for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID"):
                write_raw(ds, keyword, "UI", make(ds[keyword].value))

    return change


def continued(slices: Slices, _: Rng) -> None:
    """Two acquisitions, one after the other in space."""
    for index, ds in enumerate(slices):
        half = index >= len(slices) // 2
        ds.AcquisitionNumber, ds.AcquisitionTime = (2, "102000") if half else (1, "101600")


def slope_two(slices: Slices, _: Rng) -> None:
    """HU = stored / 2 − 1024, in 16 unsigned bits."""
    for ds in slices:
        intercept = int(ds.RescaleIntercept)
        hu = np.frombuffer(ds.PixelData, "<i2" if ds.PixelRepresentation else "<u2").astype("<i4") + intercept
        ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 15, 0
        ds.RescaleSlope, ds.RescaleIntercept = "0.5", "-1024"
        ds.PixelData = ((hu + 1024) * 2).astype("<u2").tobytes()


def interleaved(folder: Path, seed: int) -> list[Truth]:
    """Three series of two patients in one folder, file names interleaved."""
    wedges = [make_wedge(seed), make_wedge(seed, series="second"), make_wedge(seed + 500)]
    for number, wedge in enumerate(wedges):
        write_files(wedge.slices, folder, names=[f"F{3 * index + number:04d}" for index in range(len(wedge.slices))])
    return [wedge.truth for wedge in wedges]


def without_preamble(folder: Path, seed: int) -> list[Truth]:
    """The bare data set, as old exports have it."""
    wedge = make_wedge(seed)
    for path in write_files(wedge.slices, folder, syntax=ImplicitVRLittleEndian, seed=seed):
        data = path.read_bytes()
        length = int.from_bytes(data[140:144], "little")
        path.write_bytes(data[132 + 12 + length :])
    return [wedge.truth]


def with_other_files(folder: Path, seed: int) -> list[Truth]:
    """What systems leave lying in a folder."""
    wedge = make_wedge(seed)
    write_files(wedge.slices, folder, seed=seed)
    (folder / "readme.txt").write_text("nothing")
    (folder / "Thumbs.db").write_bytes(bytes(600))
    (folder / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    return [wedge.truth]


def one_stand_in(slices: Slices, _: Rng) -> None:
    """A stand-in for an id, and one person behind it."""
    for ds in slices:
        ds.PatientID = "W/I"


def count(slices: int) -> Variant:
    """So many slices, numbered along."""

    def write(folder: Path, seed: int) -> list[Truth]:
        # Five shuffled numbers may look as if one end slice had been carried to the other end, which is a fault.
        wedge = make_wedge(seed, style=replace(draw_style(seed, slices=slices), numbering="along"))
        write_form(wedge.slices, folder, CLASSIC, seed=seed)
        return [wedge.truth]

    return Variant(write, 2)


def deflated(folder: Path, seed: int) -> list[Truth]:
    """The deflated transfer syntax."""
    wedge = make_wedge(seed)
    write_files(wedge.slices, folder, syntax=DeflatedExplicitVRLittleEndian, seed=seed)
    return [wedge.truth]


def mr(form: str) -> Variant:
    """An MR: stored values without a rescale."""

    def write(folder: Path, seed: int) -> list[Truth]:
        wedge: Wedge = make_wedge(seed)
        slices = as_mr(wedge.slices)
        write_form(slices, folder, form, seed=seed)
        return [truth_of(slices, lowest=float(planes(slices[0]).min()))]

    return Variant(write, 4)


def label(keyword: str, *values: object) -> Callable[[Slices, int], None]:
    """A label of `split`: one attribute, one value a part."""

    def label(stack: Slices, part: int) -> None:
        for ds in stack:
            setattr(ds, keyword, values[part])

    return label


def echo(stack: Slices, part: int) -> None:
    """A label of `split`: echo number and time."""
    for ds in stack:
        ds.EchoNumbers, ds.EchoTime = part + 1, ("10", "80", "120")[part]


def phase(stack: Slices, part: int) -> None:
    """A label of `split`: time position and trigger time."""
    for ds in stack:
        ds.TemporalPositionIdentifier, ds.TriggerTime = part + 1, str(part * 40)


def kind(stack: Slices, part: int) -> None:
    """A label of `split`: magnitude and phase."""
    for ds in stack:
        ds.ImageType = ["ORIGINAL", "PRIMARY", ("M", "P")[part], "ND"]


def jpeg_ls(plane: np.ndarray) -> bytes:
    """One plane as JPEG-LS."""
    import imagecodecs

    return bytes(imagecodecs.jpegls_encode(plane))


def jpeg_2000(plane: np.ndarray) -> bytes:
    """One plane as JPEG 2000, reversible."""
    import imagecodecs

    return bytes(imagecodecs.jpeg2k_encode(plane, level=0, codecformat="j2k", reversible=True))


def htj2k(plane: np.ndarray) -> bytes:
    """One plane as HTJ2K."""
    import imagecodecs

    return bytes(imagecodecs.htj2k_encode(plane))


def rle(plane: np.ndarray) -> bytes:
    """DICOM's RLE (PS3.5, annex G): one PackBits segment a byte of the sample, the most significant first."""
    import imagecodecs

    parts = [bytes(imagecodecs.packbits_encode(part.astype("u1").tobytes())) for part in (plane >> 8, plane & 0xFF)]
    parts = [part + bytes(len(part) % 2) for part in parts]
    return struct.pack("<16I", 2, 64, 64 + len(parts[0]), *[0] * 13) + b"".join(parts)
