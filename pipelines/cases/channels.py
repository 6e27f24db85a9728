"""Which scan of a study is which channel, for models that read several sequences of one examination."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from data_schemas.case import ChannelScan
from data_schemas.scan import Scan
from data_schemas.selection import ChannelRule
from pipelines.scans.select import Ranked, meets


@dataclass(frozen=True)
class Channels:
    """The channels that a study has, in the order of the settings, and what is absent.

    ``absent`` are channels without any scan; ``elsewhere`` those whose scans lie in another coordinate system than the
    first channel that is there, or in none that is named: nothing says how the two would be laid over each other.
    """

    present: tuple[ChannelScan, ...] = ()
    absent: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()

    @property
    def history(self) -> tuple[str, ...]:
        """One line for the case's history, or none where no channels are declared."""
        told = [
            *(f"{channel.name} present" for channel in self.present),
            *(f"{name} absent" for name in self.absent),
            *(f"{name} in another frame of reference, left out" for name in self.elsewhere),
        ]
        return (f"channels: {', '.join(told)}",) if told else ()


def assign_channels(ranking: Sequence[Ranked], rules: Sequence[ChannelRule]) -> Channels:
    """Give each channel the best ranked scan that meets all of its rule; one scan is one channel at most.

    The first channel that finds a scan sets the coordinate system (DICOM's Frame of Reference UID). A channel whose
    scans all lie in another one, or do not name theirs, is left out: scans are never laid over each other unseen.
    """
    among = [row.scan for row in ranking]
    present: list[ChannelScan] = []
    absent: list[str] = []
    elsewhere: list[str] = []
    for channel in rules:
        taken = {found.scan.scan_id for found in present}
        fitting = [
            row.scan
            for row in ranking
            if row.eligible and row.scan.scan_id not in taken and meets(row.scan, channel.rule, among)
        ]
        aligned = [scan for scan in fitting if not present or share_frame(scan, present[0].scan)]
        if aligned:
            present.append(ChannelScan(name=channel.name, scan=aligned[0]))
        else:
            (elsewhere if fitting else absent).append(channel.name)
    return Channels(tuple(present), tuple(absent), tuple(elsewhere))


def share_frame(one: Scan, other: Scan) -> bool:
    """Whether two scans name the same coordinate system."""
    return bool(one.facts.frame_of_reference) and one.facts.frame_of_reference == other.facts.frame_of_reference
