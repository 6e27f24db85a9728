"""The page of one case: what was read, what was found, where it rests, and where it comes from."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

import numpy as np

from data_schemas.case import Case
from data_schemas.diagnosis import Diagnosis
from data_schemas.errors import InputError
from data_schemas.note import Note, Section
from data_schemas.reasons import Remark
from data_schemas.scan import Geometry
from pipelines.delivery import words
from pipelines.delivery.evidence import Region, evidence_of, marked_sentences, regions_of
from pipelines.delivery.pages import WORKLIST, page_name
from pipelines.delivery.pictures import Tile, tiles_at, windows_of
from pipelines.delivery.planes import Point, centre_mm, contains
from pipelines.delivery.render import render
from pipelines.delivery.worklist import SHORT_KEY
from pipelines.workspace.files import write_atomic

PICTURED = 3  # regions with pictures; the others are told by their position
WIDEST_PX = {0: 256, 1: 256, 2: 256, 3: 232}
PICTURE_BYTES = 300_000
SMALLEST_PX = 96


@dataclass(frozen=True)
class Place:
    """One row of pictures: a region, or the middle of the volume where ``region`` is None; ``text`` where it lies."""

    region: Region | None
    text: str
    tiles: list[Tile]
    note: str = ""


def write_case_page(
    folder: Path,
    diagnosis: Diagnosis,
    *,
    case: Case,
    sections: Sequence[tuple[Note, tuple[Section, ...]]],
    volume: np.ndarray | None,
    geometry: Geometry | None,
    input_sections: Collection[str] | None = None,
    region_mm: Point | None = None,
) -> Path:
    """Write the page of a case into the folder of pages and return its path. Same arguments, same bytes.

    Parameters
    ----------
    folder
        Exists.
    diagnosis, case
        Of one study, and of the same inputs.
    sections
        The notes of the case in their order, each with all of its sections, as evidence counts them.
    volume, geometry
        [slices, rows, columns] in HU (CT) or the values of the modality, and where its voxels lie; both None where
        there is no scan, or none that can be shown.
    input_sections
        Names of the sections that the model reads; others are marked as not read. None: it reads all.
    region_mm
        Size (x, y, z) of one region of the scan as the model sees it, drawn as a box. None: a cross alone.

    Raises
    ------
    InputError
        The case's inputs are no longer those of the diagnosis: its evidence would point to other text.
    ValueError
        Case, sections, volume or geometry do not belong together.
    WorkspaceError
        The page cannot be written.
    """
    _check(diagnosis, case, sections, volume, geometry)
    regions = regions_of(diagnosis.scores)
    page = render(
        "case.html",
        worklist=WORKLIST,
        study=diagnosis.study_key[:SHORT_KEY],
        diagnosis=diagnosis,
        case=case,
        lane_meaning=words.LANE_MEANING[diagnosis.lane],
        reasons=words.chips(diagnosis.reasons),
        # That scores are uncalibrated is said once, above them.
        remarks=words.chips(remark for remark in _remarks(diagnosis, case) if remark is not Remark.UNCALIBRATED),
        findings=[
            (score, evidence_of(score, regions=regions, sections=sections, observations=case.observations))
            for score in diagnosis.scores
        ],
        places=_places(regions, case, volume, geometry, region_mm),
        sections=sections,
        marks=marked_sentences(diagnosis.scores),
        input_sections=input_sections,
        sentences=sum(len(section.sentences) for _, parts in sections for section in parts),
        history=list(dict.fromkeys([*case.history, *diagnosis.history])),
        words=words,
    )
    path = folder / page_name(diagnosis.study_key)
    write_atomic(path, page)
    return path


def _check(
    diagnosis: Diagnosis,
    case: Case,
    sections: Sequence[tuple[Note, tuple[Section, ...]]],
    volume: np.ndarray | None,
    geometry: Geometry | None,
) -> None:
    if case.study_key != diagnosis.study_key:
        raise ValueError("the case is of another study than the diagnosis")
    if case.inputs_digest != diagnosis.inputs_digest:
        raise InputError(
            f"study {diagnosis.study_key[:SHORT_KEY]}: its inputs changed since the diagnosis; diagnose it again"
        )
    if [note for note, _ in sections] != list(case.notes):
        raise ValueError("sections must be those of the case's notes, in their order")
    if volume is not None and (case.scan is None or geometry is None or volume.shape != geometry.shape):
        raise ValueError("a volume needs the case's scan and a geometry of its own shape")


def _remarks(diagnosis: Diagnosis, case: Case) -> list[Remark]:
    return [*diagnosis.remarks, *case.remarks]


def _places(
    regions: Sequence[Region],
    case: Case,
    volume: np.ndarray | None,
    geometry: Geometry | None,
    region_mm: Point | None,
) -> list[Place]:
    """A row of pictures for each of the first regions, and the other regions in words; at least one row of pictures."""
    if volume is None or geometry is None or case.scan is None:
        return [Place(region, words.position_text(region.position_mm), []) for region in regions]
    inside = [region for region in regions if contains(geometry, region.position_mm)]
    pictured: list[Region | None] = list(inside[:PICTURED]) or [None]
    rows = _pictures(pictured, volume, geometry, case.scan.modality, region_mm)
    places = [
        Place(region, words.position_text(_position(region, geometry)), tiles)
        for region, tiles in zip(pictured, rows, strict=True)
    ]
    for region in regions:
        if region not in pictured:
            note = "" if region in inside else "outside of the scanned volume"
            places.append(Place(region, words.position_text(region.position_mm), [], note))
    return places


def _pictures(
    regions: Sequence[Region | None],
    volume: np.ndarray,
    geometry: Geometry,
    modality: str,
    region_mm: Point | None,
) -> list[list[Tile]]:
    """Rows of pictures, small enough for one page together."""
    windows, outside = windows_of(volume, modality)
    longest = WIDEST_PX[len(regions)]
    while True:
        rows = [
            tiles_at(
                volume,
                geometry,
                _position(region, geometry),
                windows=windows,
                outside=outside,
                longest_px=longest,
                marked=region is not None,
                region_mm=region_mm,
            )
            for region in regions
        ]
        size = sum(len(tile.source) for row in rows for tile in row)
        if size <= PICTURE_BYTES or longest <= SMALLEST_PX:
            return rows
        longest = max(int(longest * sqrt(PICTURE_BYTES / size) * 0.97), SMALLEST_PX)


def _position(region: Region | None, geometry: Geometry) -> Point:
    return region.position_mm if region else centre_mm(geometry)
