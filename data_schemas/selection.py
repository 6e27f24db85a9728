"""Which of a study's scans is the scan, and which is which channel: rules over what the headers say."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, model_validator

from data_schemas.base import Record
from data_schemas.marks import affects

Plane = Literal["axial", "coronal", "sagittal", "oblique"]


def _ordered(bounds: tuple[float, float]) -> tuple[float, float]:
    if not bounds[0] <= bounds[1]:
        raise ValueError("a range needs its lower bound first")
    return bounds


Range = Annotated[tuple[float, float], AfterValidator(_ordered)]


class ScanRule(Record):
    """What a scan should be; a field that is left out asks nothing.

    Lists name alternatives: one of them is enough. ``kernel``, ``sequence`` and ``body_part`` take patterns with ``*``
    and ``?``; no rule minds upper and lower case. ``words`` and ``words_not`` are looked for in the series'
    description, as whole words ("t2" is not found in "t2w"; "t2*" finds both). Ranges take both of their ends.
    ``slice_mm`` is the distance between slices, ``thickness_mm`` what the header says of their thickness. ``time`` asks
    for the earliest or the latest scan of the study. ``original`` asks for an image made by the scanner itself.
    """

    modality: tuple[str, ...] = affects(())
    plane: tuple[Plane, ...] = affects(())
    original: bool | None = affects(None)
    slice_mm: Range | None = affects(None)
    thickness_mm: Range | None = affects(None)
    slices: Range | None = affects(None)
    kernel: tuple[str, ...] = affects(())
    contrast: Literal["any", "yes", "no"] = affects("any")
    words: tuple[str, ...] = affects(())
    words_not: tuple[str, ...] = affects(())
    body_part: tuple[str, ...] = affects(())
    sequence: tuple[str, ...] = affects(())
    echo_ms: Range | None = affects(None)
    repetition_ms: Range | None = affects(None)
    inversion_ms: Range | None = affects(None)
    time: Literal["any", "earliest", "latest"] = affects("any")

    @property
    def asked(self) -> tuple[str, ...]:
        """The names of the fields that ask something, in their order."""
        return tuple(name for name, field in type(self).model_fields.items() if getattr(self, name) != field.default)


class ChannelRule(Record):
    """One channel of a model that reads several sequences, and the rule that tells its scan."""

    name: str = affects("", pattern=r"^[A-Za-z0-9][A-Za-z0-9+-]*$")
    rule: ScanRule = affects(ScanRule())


class SelectSettings(Record):
    """Which of a study's accepted scans is the scan.

    A scan that fails what is required is never taken; a study of which none passes is no case, and is listed with the
    reason *no-scan*. What the headers do not say fails nothing. Among the rest, each preference that is met counts one
    up and each that is not counts one down; then the number of slices decides, as it did alone before there were
    rules. The defaults require nothing, and prefer what a chest CT is read in: an original, axial series of slices at
    most 10 mm apart, over a reformat, a scout or a thick set for printing.
    """

    require: ScanRule = affects(ScanRule())
    prefer: ScanRule = affects(ScanRule(original=True, plane=("axial",), slice_mm=(0.0, 10.0)))
    channels: tuple[ChannelRule, ...] = affects((), max_length=16)

    @model_validator(mode="after")
    def _channels_differ(self) -> SelectSettings:
        names = [channel.name for channel in self.channels]
        if len(set(names)) < len(names):
            raise ValueError("two channels have the same name")
        if any(not channel.rule.asked for channel in self.channels):
            raise ValueError("a channel needs a rule that asks something")
        return self
