"""Faults of shape and of what the stored numbers mean."""

from __future__ import annotations

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import MRImageStorage

from data_schemas.reasons import Reason, Remark
from pipelines.synthetic.faults.fault import CLASSIC_FORMS, EDIT, UNCOMPRESSED, Fault, inner
from pipelines.synthetic.faults.forms import CLASSIC, ENHANCED
from pipelines.synthetic.faults.people import chosen
from pipelines.synthetic.faults.wedge import write_raw

Slices = list[Dataset]
Rng = np.random.Generator


def planes(ds: Dataset) -> np.ndarray:
    """The stored values of a slice, as unsigned words [rows, columns]; a copy."""
    return np.frombuffer(ds.PixelData, "<u2").reshape(int(ds.Rows), int(ds.Columns)).copy()


def some_raw(keyword: str, vr: str, *values: str) -> EDIT:
    """Some slices carry another value."""

    def edit(slices: Slices, rng: Rng) -> Slices:
        value = values[int(rng.integers(len(values)))]
        for ds in chosen(slices, rng):
            write_raw(ds, keyword, vr, value)
        return slices

    return edit


def all_raw(keyword: str, vr: str, *values: str) -> EDIT:
    """All slices carry another value."""

    def edit(slices: Slices, rng: Rng) -> Slices:
        value = values[int(rng.integers(len(values)))]
        for ds in slices:
            write_raw(ds, keyword, vr, value)
        return slices

    return edit


def as_mr(slices: Slices) -> Slices:
    """The same slices as an MR: no rescale, so the stored values are the values."""
    lowest = min(int(np.frombuffer(ds.PixelData, "<i2").min()) for ds in slices)
    for ds in slices:
        ds.SOPClassUID, ds.Modality = MRImageStorage, "MR"
        ds.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND"]
        del ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType
        if lowest < 0:
            ds.PixelData = (np.frombuffer(ds.PixelData, "<i2").astype("<i4") - lowest).astype("<u2").tobytes()
            ds.PixelRepresentation = 0
    return slices


def _other_rows(slices: Slices, rng: Rng) -> Slices:
    ds = slices[inner(slices, rng)]
    half = planes(ds)[: int(ds.Rows) // 2]
    ds.Rows, ds.PixelData = half.shape[0], half.tobytes()
    return slices


def _transposed(slices: Slices, rng: Rng) -> Slices:
    """One slice has rows and columns exchanged, in shape and in pixels."""
    for ds in slices:
        kept = planes(ds)[:, :48].copy()
        ds.Columns, ds.PixelData = 48, kept.tobytes()
    ds = slices[inner(slices, rng)]
    turned = planes(ds).T.copy()
    ds.Rows, ds.Columns, ds.PixelData = *turned.shape, turned.tobytes()
    return slices


def _other_pixel_spacing(slices: Slices, rng: Rng) -> Slices:
    factor = float(rng.uniform(1.02, 1.6))
    for ds in chosen(slices, rng):
        ds.PixelSpacing = [f"{float(value) * factor:.6g}" for value in ds.PixelSpacing]
    return slices


def _other_bits(slices: Slices, rng: Rng) -> Slices:
    for ds in chosen(slices, rng):
        ds.BitsStored = 14
        ds.HighBit = 13
    return slices


def _other_sign(slices: Slices, rng: Rng) -> Slices:
    for ds in chosen(slices, rng):
        ds.PixelRepresentation = 1 - ds.PixelRepresentation
    return slices


def _too_few_bits(slices: Slices, rng: Rng) -> Slices:
    """More bits are used than the header states."""
    for ds in slices:
        ds.BitsStored, ds.HighBit = 10, 9
    return slices


def _no_rescale(slices: Slices, rng: Rng) -> Slices:
    names = (
        ["RescaleSlope", "RescaleIntercept"]
        if rng.random() < 0.5
        else [["RescaleIntercept", "RescaleSlope"][int(rng.integers(2))]]
    )
    for ds in slices:
        for name in names:
            del ds[name]
    return slices


def _no_rescale_in_some(slices: Slices, rng: Rng) -> Slices:
    for ds in chosen(slices, rng):
        del ds.RescaleSlope, ds.RescaleIntercept
    return slices


def _rescaled_twice(slices: Slices, rng: Rng) -> Slices:
    """The pixels are HU already, and the header subtracts 1024 again."""
    intercept, slope = int(slices[0].RescaleIntercept), 1
    for ds in slices:
        dtype = "<i2" if ds.PixelRepresentation else "<u2"
        hu = np.frombuffer(ds.PixelData, dtype).astype("<i4") * slope + intercept
        ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 15, 1
        ds.RescaleIntercept = "-1024"
        ds.PixelData = hu.astype("<i2").tobytes()
    return slices


def _eight_bits(slices: Slices, rng: Rng) -> Slices:
    """A CT windowed to 0…255 for display, with an identity rescale."""
    for ds in slices:
        values = planes(ds).astype("<i4") & 0xFFF
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
        ds.RescaleIntercept, ds.RescaleSlope = "0", "1"
        ds.PixelData = np.clip(values // 10, 0, 255).astype("u1").tobytes()
    return slices


def _swapped_bytes(slices: Slices, rng: Rng) -> Slices:
    """The bytes of the pixels lie in the other order than the syntax says; the rest of the file does not."""
    for ds in slices:
        values = planes(ds)
        ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 12, 11, 0
        ds.RescaleIntercept = "-1024"
        ds.PixelData = ((values.astype("<i4") + 1024) & 0xFFF if _signed(ds) else values).astype(">u2").tobytes()
    return slices


def _signed(ds: Dataset) -> bool:
    return bool(np.frombuffer(ds.PixelData, "<u2").max() > 4095)


def _inverted_ct(slices: Slices, _: Rng) -> Slices:
    for ds in slices:
        ds.PhotometricInterpretation = "MONOCHROME1"
    return slices


def _inverted_some(slices: Slices, rng: Rng) -> Slices:
    for ds in chosen(slices, rng):
        ds.PhotometricInterpretation = "MONOCHROME1"
    return slices


def _colour_declared(slices: Slices, _: Rng) -> Slices:
    for ds in slices:
        ds.PhotometricInterpretation = "RGB"
    return slices


def _colour(slices: Slices, _: Rng) -> Slices:
    for ds in slices:
        ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PlanarConfiguration = 3, "RGB", 0
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
        ds.PixelData = np.repeat((planes(ds) >> 4).astype("u1"), 3).tobytes()
    return slices


def _palette(slices: Slices, _: Rng) -> Slices:
    for ds in slices:
        ds.PhotometricInterpretation = "PALETTE COLOR"
    return slices


def _vast(slices: Slices, _: Rng) -> Slices:
    for ds in slices:
        ds.Rows = ds.Columns = 60_000
    return slices


def _pixels_of_another_size(slices: Slices, rng: Rng) -> Slices:
    ds = slices[inner(slices, rng)]
    ds.PixelData = planes(ds)[: int(ds.Rows) // 2].tobytes()
    return slices


def _no_pixels(slices: Slices, rng: Rng) -> Slices:
    del slices[inner(slices, rng)].PixelData
    return slices


def _mr_inverted(slices: Slices, _: Rng) -> Slices:
    for ds in as_mr(slices):
        ends = 2 ** int(ds.BitsStored) - 1
        ds.PhotometricInterpretation = "MONOCHROME1"
        ds.PixelData = (ends - planes(ds).astype("<i4")).astype("<u2").tobytes()
    return slices


_SCALE = frozenset({Reason.MIXED_INTENSITY_SCALE})
_SHAPE = frozenset({Reason.MIXED_SHAPE})
_UNITS = frozenset({Reason.IMPLAUSIBLE_INTENSITY})
_FAILED = frozenset({Reason.DECODE_FAILED})

NUMBERS = {
    "other-rows": Fault("one slice with other rows", _SHAPE, edit=_other_rows, forms=CLASSIC_FORMS),
    "transposed-slice": Fault("one slice with rows and columns exchanged", _SHAPE, edit=_transposed,
                              forms=CLASSIC_FORMS),
    "other-pixel-spacing": Fault("slices with another pixel spacing", _SHAPE, edit=_other_pixel_spacing),
    "other-bits": Fault("slices with another bit depth", _SHAPE, edit=_other_bits, forms=CLASSIC_FORMS),
    "other-sign": Fault("slices with another sign of pixels", _SHAPE, edit=_other_sign, forms=CLASSIC_FORMS),
    "too-few-bits": Fault("values that need more bits than stated", _FAILED | _UNITS, edit=_too_few_bits),
    "other-slope": Fault("slices with another slope", _SCALE, edit=some_raw("RescaleSlope", "DS", "2", "0.5", "1.01")),
    "other-intercept": Fault("slices with another intercept", _SCALE,
                             edit=some_raw("RescaleIntercept", "DS", "-1000", "1024", "-8192")),
    "other-rescale-type": Fault("slices in another unit", _SCALE, edit=some_raw("RescaleType", "LO", "OD", "Z_EFF")),
    "other-photometric": Fault("slices in MONOCHROME1", _SCALE | {Reason.PHOTOMETRIC_CONFLICT}, edit=_inverted_some,
                               forms=CLASSIC_FORMS),
    "other-tube-voltage": Fault("slices at another tube voltage", _SCALE, edit=some_raw("KVP", "DS", "80", "140"),
                                forms=CLASSIC_FORMS),
    "other-contrast": Fault("slices with a contrast agent", _SCALE,
                            edit=some_raw("ContrastBolusAgent", "LO", "IOMEPROL", "YES"), forms=CLASSIC_FORMS),
    "other-phase": Fault("slices of another temporal position", frozenset({Reason.SEVERAL_STACKS}),
                         edit=some_raw("TemporalPositionIdentifier", "IS", "2", "3"), forms=CLASSIC_FORMS),
    "no-rescale-in-some": Fault("slices without a rescale", _SCALE | _UNITS, edit=_no_rescale_in_some),
    "no-rescale": Fault("a CT without slope or intercept", _UNITS, edit=_no_rescale),
    "slope-zero": Fault("slope 0", _UNITS, edit=all_raw("RescaleSlope", "DS", "0", "-1")),
    "slope-no-number": Fault("slope nan", _UNITS, edit=all_raw("RescaleSlope", "DS", "nan", "inf")),
    "another-unit": Fault("a CT that is not in HU", _UNITS, edit=all_raw("RescaleType", "LO", "OD", "Z_EFF", "MGML")),
    "rescaled-twice": Fault("HU pixels with the intercept again", _FAILED | _UNITS, edit=_rescaled_twice),
    "eight-bit-window": Fault("a CT windowed to 8 bits", _UNITS, edit=_eight_bits, forms=(CLASSIC,)),
    "swapped-bytes": Fault("pixels in the other byte order", _FAILED | _UNITS, edit=_swapped_bytes,
                           forms=UNCOMPRESSED),
    "monochrome1-ct": Fault("a CT in MONOCHROME1", frozenset({Reason.PHOTOMETRIC_CONFLICT}), edit=_inverted_ct),
    "colour-declared": Fault("one sample declared RGB", frozenset({Reason.COLOUR, Reason.PHOTOMETRIC_CONFLICT}),
                             edit=_colour_declared, forms=UNCOMPRESSED),
    "colour": Fault("coloured pixels", frozenset({Reason.COLOUR}), edit=_colour, forms=(CLASSIC,)),
    "palette": Fault("palette colours", frozenset({Reason.COLOUR}), edit=_palette, forms=UNCOMPRESSED),
    "vast-shape": Fault("60,000 × 60,000 pixels stated", frozenset({Reason.TOO_LARGE}), edit=_vast,
                        forms=CLASSIC_FORMS),
    "vast-frames": Fault("60,000 × 60,000 pixels a frame stated", _FAILED | {Reason.TOO_LARGE}, edit=_vast,
                         forms=(ENHANCED,)),
    "pixels-of-another-size": Fault("pixels that do not fill the shape", _FAILED, edit=_pixels_of_another_size),
    "no-pixels": Fault("no pixel data", frozenset({Reason.NO_PIXEL_DATA}), edit=_no_pixels),
    "monochrome1-mr": Fault("an MR in MONOCHROME1", remark=Remark.MONOCHROME1_INVERTED, edit=_mr_inverted,
                            stored_values=True),
}  # fmt: skip
