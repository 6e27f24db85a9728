"""Stacks of PNG or TIFF pictures with what is stated of them beside; without that they are no scan.

It stands in ``scanote-stack.yaml`` in their folder, or in a row of `pipelines.scans.scan_table`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import yaml
from pydantic import ValidationError

from data_schemas.errors import RefusedError
from data_schemas.picture_stack import PictureStack
from data_schemas.reasons import Reason, Remark
from data_schemas.scan import Geometry, PatientFacts, Scan, ScanFile, Series, SeriesFacts, SeriesStatus
from pipelines.scans.check import MAX_VOXELS
from pipelines.scans.intensity import rescaled_twice
from pipelines.scans.look import broken
from pipelines.scans.picture_pages import PICTURE_NAMES, Page, decode_page, pages_of
from pipelines.scans.pool import DecoderPool, default_pool
from pipelines.scans.stack import (
    LPS_TO_RAS,
    MAX_POSITION_MM,
    MIN_SLICES,
    ORTHONORMAL_TOLERANCE,
    PIXEL_RANGE_MM,
    SLICE_RANGE_MM,
    affine_rows,
)
from pipelines.scans.stored import read_stored

SIDECAR = "scanote-stack.yaml"
_MAX_SIDECAR = 2**20
_DIGITS = re.compile(r"(\d+)")


def picture_series(sidecar: Path, *, pool: DecoderPool | None = None) -> tuple[Series, tuple[Path, ...]]:
    """Describe the stack of pictures that a sidecar states.

    Parameters
    ----------
    sidecar
        A file named ``scanote-stack.yaml``; the pictures lie in its folder.
    pool
        Where pictures are decoded; the process's own if None. Only the middle one is.

    Returns
    -------
    tuple
        The series, accepted with its scan or quarantined with a reason; and the pictures that it speaks of.
    """
    try:
        text = _read_sidecar(sidecar)
        stated = _stated(text)
    except RefusedError as refused:
        return broken(sidecar, refused.reason, refused.detail), ()
    return stack_series(sidecar.parent, stated, text=text, where=str(sidecar), pool=pool)


def stack_series(
    folder: Path, stated: PictureStack, *, text: bytes, where: str, pool: DecoderPool | None = None
) -> tuple[Series, tuple[Path, ...]]:
    """Describe the stack of pictures in a folder of which somebody states the rest.

    Parameters
    ----------
    folder, stated, text
        Where the pictures lie, what is stated of them, and the bytes in which it is: they are part of the scan's id.
    where
        What states it.
    pool
        As for `picture_series`.
    """
    pictures: tuple[Path, ...] = ()
    try:
        pictures = _in_order(folder, stated)
        scan = _scan(pictures, stated, text, pool or default_pool())
    except RefusedError as refused:
        return broken(where, refused.reason, refused.detail, files=max(1, len(pictures))), pictures
    series = Series(
        series_uid=scan.series_uid,
        study_uid=scan.study_uid,
        modality=scan.modality,
        files=len(pictures),
        transfer_syntax=scan.transfer_syntax,
        status=SeriesStatus.ACCEPTED,
        remarks=scan.remarks,
        where=where,
        scans=(scan,),
    )
    return series, pictures


def read_picture_slices(scan: Scan, *, verify: bool = True, pool: DecoderPool | None = None) -> Iterator[np.ndarray]:
    """Yield the slices of a scan of format ``pictures`` in order: float32 [rows, columns], rescaled once.

    Raises
    ------
    RefusedError
        ``file-missing``, ``digest-changed``, ``decode-failed``, or another reason for which a picture is refused.
    """
    pool = pool or default_pool()
    slope, intercept = scan.rescale
    shape = scan.geometry.shape[1:]
    held: tuple[str, tuple[Page, ...]] = ("", ())
    for file in scan.files:
        if held[0] != file.path:
            held = (file.path, pages_of(read_stored(file, verify=verify)))
        pages = held[1]
        if file.frame >= len(pages) or (pages[file.frame].rows, pages[file.frame].columns) != shape:
            raise RefusedError(Reason.DECODE_FAILED, f"file {file.sha256[:12]} is not of the scan's shape")
        stored = decode_page(pages[file.frame], pool)
        yield (stored * np.float64(slope) + intercept).astype(np.float32)


def _read_sidecar(sidecar: Path) -> bytes:
    try:
        with sidecar.open("rb") as stream:
            text = stream.read(_MAX_SIDECAR + 1)
    except OSError as error:
        raise RefusedError(Reason.FILE_MISSING, f"{SIDECAR} cannot be read ({type(error).__name__})") from None
    if len(text) > _MAX_SIDECAR:
        raise RefusedError(Reason.TOO_LARGE, f"{SIDECAR} is beyond {_MAX_SIDECAR} bytes")
    return text


def _stated(text: bytes) -> PictureStack:
    try:
        # An alias can stand for a list of aliases, and a kilobyte for a gigabyte.
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text, Loader=yaml.SafeLoader)):
            raise RefusedError(Reason.NOT_A_RECORD, f"{SIDECAR}: YAML aliases are not read")
        content = yaml.safe_load(text)
    except (yaml.YAMLError, UnicodeError, ValueError, RecursionError) as error:
        raise RefusedError(Reason.NOT_A_RECORD, f"{SIDECAR}: no YAML ({type(error).__name__})") from None
    if not isinstance(content, dict):
        raise RefusedError(Reason.NOT_A_RECORD, f"{SIDECAR}: expected a mapping; docs/sources.md shows one")
    try:
        return PictureStack.model_validate(content)
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False, include_context=False)[0]
        # The name of an unknown key is the writer's own text, which may be anything.
        known = [str(part) for part in problem["loc"] if part in PictureStack.model_fields or isinstance(part, int)]
        told = f"'{'.'.join(known)}': {problem['msg']}" if known else problem["msg"]
        raise RefusedError(Reason.NOT_A_RECORD, f"{SIDECAR}: {told}") from None


def _in_order(folder: Path, stated: PictureStack) -> tuple[Path, ...]:
    if stated.files:
        paths = [folder / name for name in stated.files]
        if any(not name.lower().endswith(PICTURE_NAMES) for name in stated.files):
            raise RefusedError(Reason.NOT_A_RECORD, "'files' lists what is no .png, .tif or .tiff")
    else:
        paths = [path for path in folder.iterdir() if path.name.lower().endswith(PICTURE_NAMES)]
        paths.sort(key=lambda path: _natural(path.name))
        if len({_natural(path.name) for path in paths}) < len(paths):
            raise RefusedError(Reason.NOT_A_RECORD, "two names are the same number; list the 'files'")
        if _skip([_natural(path.name) for path in paths]):
            raise RefusedError(
                Reason.MISSING_SLICES,
                "the numbers in the names have gaps; list the 'files' if all are there",
            )
    home = folder.resolve()
    if not paths or not all(path.is_file() and path.resolve().parent == home for path in paths):
        raise RefusedError(Reason.FILE_MISSING, "not all pictures are in its folder")
    return tuple(paths)


def _natural(name: str) -> tuple[tuple[int, str], ...]:
    parts = _DIGITS.split(name.casefold())
    return tuple((int(part), "") if index % 2 else (-1, part) for index, part in enumerate(parts))


def _skip(keys: Sequence[tuple[tuple[int, str], ...]]) -> bool:
    """Whether names in order that differ in one number alone go in uneven steps of it."""
    if len({len(key) for key in keys}) > 1:
        return False
    varying = [column for column in zip(*keys, strict=True) if len(set(column)) > 1]
    numbers = [number for number, _ in varying[0]] if len(varying) == 1 else []
    return len({after - one for one, after in pairwise(numbers)}) > 1


def _scan(pictures: Sequence[Path], stated: PictureStack, text: bytes, pool: DecoderPool) -> Scan:
    files: list[ScanFile] = []
    shapes: set[tuple[int, int, int, bool]] = set()
    kinds: set[str] = set()
    for path in pictures:
        data = _read(path)
        digest = hashlib.sha256(data).hexdigest()
        for frame, page in enumerate(pages_of(data)):
            files.append(ScanFile(path=str(path), sha256=digest, size=len(data), frame=frame))
            shapes.add(page.shape)
            kinds.add(page.codec)
        _check_stack(len(files), shapes)
    if len(files) < MIN_SLICES:
        raise RefusedError(Reason.TOO_FEW_SLICES, f"{len(files)} pictures; at least {MIN_SLICES} are needed")
    ((rows, columns, _, _),) = shapes
    geometry = _geometry((len(files), rows, columns), stated)
    slope, intercept = (stated.rescale.slope, stated.rescale.intercept) if stated.rescale else (1.0, 0.0)
    if slope == 0:
        raise RefusedError(Reason.IMPLAUSIBLE_INTENSITY, "a rescale slope of zero")
    middle = files[len(files) // 2]
    stored = decode_page(pages_of(read_stored(middle))[middle.frame], pool)
    if stated.modality == "CT" and rescaled_twice(stored * np.float64(slope) + intercept):
        raise RefusedError(Reason.IMPLAUSIBLE_INTENSITY, "the middle slice is darker than air: is 'rescale' right?")
    sidecar = hashlib.sha256(text).hexdigest()
    scan_id = hashlib.sha256("".join([sidecar, *(f"{file.sha256}{file.frame}" for file in files)]).encode())
    uid = f"pictures-{scan_id.hexdigest()[:32]}"
    return Scan(
        scan_id=scan_id.hexdigest(),
        format="pictures",
        patient=PatientFacts(
            patient_id=stated.patient_id,
            issuer=stated.issuer,
            name=stated.name,
            sex=stated.sex,
            birth_date=stated.birth_date,
            age_years=stated.age_years,
        ),
        study_uid=stated.study_uid or uid,
        series_uid=stated.series_uid or uid,
        accession=stated.accession,
        modality=stated.modality,
        transfer_syntax="+".join(sorted(kinds)),
        acquired=stated.acquired,
        geometry=geometry,
        files=tuple(files),
        rescale=(slope, intercept),
        facts=SeriesFacts(description=stated.description),
        remarks=() if stated.acquired else (Remark.UNDATED,),
        history=(f"pictures: order, place, rescale and patient as stated beside them ({sidecar[:12]})",),
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise RefusedError(Reason.FILE_MISSING, f"a picture cannot be read ({type(error).__name__})") from None


def _check_stack(count: int, shapes: set[tuple[int, int, int, bool]]) -> None:
    if len(shapes) > 1:
        raise RefusedError(Reason.MIXED_SHAPE, "the pictures differ in rows, columns or bits")
    for rows, columns, _, _ in shapes:
        if count * rows * columns > MAX_VOXELS:
            raise RefusedError(Reason.TOO_LARGE, f"more than {MAX_VOXELS} voxels")


def _geometry(shape: tuple[int, int, int], stated: PictureStack) -> Geometry:
    affine = np.array(stated.affine, dtype=float) if stated.affine else _from_directions(stated)
    if not np.array_equal(affine[3], (0.0, 0.0, 0.0, 1.0)):
        raise RefusedError(Reason.IMPLAUSIBLE_GEOMETRY, "the last row of the affine is not 0, 0, 0, 1")
    column_mm, row_mm, slice_mm = np.linalg.norm(affine[:3, :3], axis=0).tolist()
    low, high = PIXEL_RANGE_MM
    if not (low <= row_mm <= high and low <= column_mm <= high):
        raise RefusedError(Reason.IMPLAUSIBLE_GEOMETRY, f"pixel spacing outside of {low} to {high} mm")
    if not SLICE_RANGE_MM[0] <= slice_mm <= SLICE_RANGE_MM[1]:
        raise RefusedError(
            Reason.IMPLAUSIBLE_GEOMETRY, f"slice spacing outside of {SLICE_RANGE_MM[0]} to {SLICE_RANGE_MM[1]} mm"
        )
    axes = affine[:3, :3] / (column_mm, row_mm, slice_mm)
    if np.abs(axes.T @ axes - np.eye(3)).max() > ORTHONORMAL_TOLERANCE:
        raise RefusedError(Reason.IMPLAUSIBLE_GEOMETRY, "the axes are not at right angles")
    if np.abs(affine[:3, 3]).max() > MAX_POSITION_MM:
        raise RefusedError(Reason.IMPLAUSIBLE_GEOMETRY, "a position metres away")
    return Geometry(shape=shape, spacing_mm=(slice_mm, row_mm, column_mm), affine=affine_rows(affine))


def _from_directions(stated: PictureStack) -> np.ndarray:
    row, column = np.array(stated.orientation[:3]), np.array(stated.orientation[3:])  # type: ignore[index]
    if max(abs(np.linalg.norm(row) - 1), abs(np.linalg.norm(column) - 1)) > ORTHONORMAL_TOLERANCE:
        raise RefusedError(Reason.IMPLAUSIBLE_GEOMETRY, "row and column directions are not orthonormal")
    slice_mm, row_mm, column_mm = stated.spacing_mm or (0.0, 0.0, 0.0)
    if min(slice_mm, row_mm, column_mm) <= 0:
        raise RefusedError(Reason.IMPLAUSIBLE_GEOMETRY, "a spacing that is not above zero")
    affine = np.eye(4)
    affine[:3, 0] = LPS_TO_RAS * row * column_mm
    affine[:3, 1] = LPS_TO_RAS * column * row_mm
    affine[:3, 2] = LPS_TO_RAS * np.cross(row, column) * slice_mm
    affine[:3, 3] = LPS_TO_RAS * np.array(stated.position_mm)
    return affine
