"""Everything found under some paths: each series accepted with its scan, or quarantined with its reasons."""

from __future__ import annotations

import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from data_schemas.errors import InputError, RefusedError
from data_schemas.reasons import Reason, Remark
from data_schemas.scan import Index, PatientFacts, Scan, ScanFile, Series, SeriesStatus
from pipelines.scans.check import Verdict, check_series
from pipelines.scans.headers import SliceHeader, patient_facts, read_header
from pipelines.scans.intensity import rescaled_twice
from pipelines.scans.nifti import is_nifti, nifti_scan
from pipelines.scans.problem import Problem
from pipelines.scans.read import slice_values
from pipelines.scans.stored import read_stored
from pipelines.sources.folder import walk

# The largest classic slice is 32 MiB, a whole-body NIfTI in float64 4 GiB; a file beyond this is refused unread.
MAX_FILE_BYTES = 4 * 2**30
_HEAD_BYTES = 4096
_DICOM_NAMES = (".dcm", ".dicom", ".ima")
_NIFTI_NAMES = (".nii", ".nii.gz")
_DICOMDIR = "1.2.840.10008.1.3.10"

Progress = Callable[[int, int], None]


def index_paths(
    paths: Iterable[Path | str] | Path | str,
    *,
    progress: Progress | None = None,
    identity: Mapping[str, PatientFacts] | None = None,
) -> Index:
    """Find every DICOM series and NIfTI volume under some paths.

    Parameters
    ----------
    paths
        Files and folders.
    progress
        Called with (files done, files in all).
    identity
        For NIfTI files, which carry none: the patient by path, relative to the folder that was named.

    Returns
    -------
    Index
        One entry a series, in the order of their first file; files that claim to be DICOM or NIfTI and are not have
        their own entry with an empty series UID; all other files are counted in ``ignored``.

    Raises
    ------
    InputError
        A path does not exist, or there is no file at all.
    """
    roots = [Path(paths)] if isinstance(paths, (str, Path)) else [Path(path) for path in paths]
    files = list(walk(roots))
    if not files:
        raise InputError(f"{', '.join(map(str, roots)) or 'no path'}: no files there; name a folder that holds scans")
    groups: dict[str, list[SliceHeader]] = {}
    entries: dict[tuple[str, str], Series | list[SliceHeader]] = {}
    ignored: Counter[str] = Counter()
    for done, path in enumerate(files, 1):
        found = _look(path, _patient_of(path, roots, identity))
        if isinstance(found, Reason):
            ignored[found.value] += 1
        elif isinstance(found, Series):
            key = ("volume", found.series_uid) if found.series_uid else ("file", str(path))
            known = entries.get(key)
            entries[key] = _nifti_copy(known, found) if isinstance(known, Series) else found
        else:
            slices = groups.setdefault(found.series_uid, [])
            slices.append(found)
            entries["slices", found.series_uid] = slices
        if progress:
            progress(done, len(files))
    series = [_series(uid, found) if isinstance(found, list) else found for (_, uid), found in entries.items()]
    return Index(series=tuple(_refuse_shared_studies(series)), ignored=dict(sorted(ignored.items())))


def series_json(index: Index) -> dict[str, Any]:
    """Return the index in the form of ``scanote inspect --json``."""
    return {"series": [_series_json(series) for series in index.series], "ignored": dict(index.ignored)}


def _series_json(series: Series) -> dict[str, Any]:
    scans = [
        {
            "shape": list(scan.geometry.shape),
            "spacing_mm": list(scan.geometry.spacing_mm),
            "affine": [list(row) for row in scan.geometry.affine],
            "remarks": [remark.value for remark in scan.remarks],
        }
        for scan in series.scans
    ]
    return {
        "series_uid": series.series_uid,
        "study_uid": series.study_uid,
        "modality": series.modality,
        "files": series.files,
        "transfer_syntax": series.transfer_syntax,
        "status": series.status.value,
        "reasons": [reason.value for reason in series.reasons],
        "remarks": [remark.value for remark in series.remarks],
        "scans": scans,
    }


def _patient_of(path: Path, roots: Sequence[Path], identity: Mapping[str, PatientFacts] | None) -> PatientFacts | None:
    if not identity:
        return None
    names = [str(path)]
    names += [path.relative_to(root).as_posix() for root in roots if root.is_dir() and path.is_relative_to(root)]
    return next((identity[name] for name in names if name in identity), None)


def _look(path: Path, patient: PatientFacts | None) -> SliceHeader | Series | Reason:
    """Read one file: a slice, an entry of its own, or the reason why it is ignored."""
    name = path.name.lower()
    claims = name.endswith(_DICOM_NAMES + _NIFTI_NAMES)
    try:
        with path.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            head = stream.read(_HEAD_BYTES)
            nifti = is_nifti(head)
            if not nifti and not _may_be_dicom(head):
                return _broken(path, Reason.NOT_DICOM, "by its first bytes") if claims else Reason.NOT_DICOM
            if size > MAX_FILE_BYTES:
                return _broken(path, Reason.TOO_LARGE, f"{size} bytes are beyond {MAX_FILE_BYTES}")
            data = head + stream.read()
    except OSError as error:
        return _broken(path, Reason.FILE_MISSING, f"cannot be read ({type(error).__name__}); grant read access")
    sha256 = hashlib.sha256(data).hexdigest()
    if nifti:
        return _nifti(data, path, sha256, patient)
    return _dicom(data, path, sha256, claims=claims)


def _may_be_dicom(head: bytes) -> bool:
    """With the preamble, or without it beginning in group 2 or 8 as every data set does."""
    return head[128:132] == b"DICM" or head[:4] in {b"\x02\0\0\0", b"\x02\0\1\0"} or head[:2] == b"\x08\0"


def _dicom(data: bytes, path: Path, sha256: str, *, claims: bool) -> SliceHeader | Series | Reason:
    header = read_header(data, path=str(path), sha256=sha256)
    if data[128:132] != b"DICM" and (header.fault or not header.sop_class.startswith("1.2.840.10008.")):
        return _broken(path, header.fault or Reason.NOT_DICOM, header.fault_detail) if claims else Reason.NOT_DICOM
    if header.sop_class == _DICOMDIR:
        return Reason.NOT_AN_IMAGE
    if header.series_uid:
        return header
    if header.fault:
        return _broken(path, header.fault, header.fault_detail)
    return _broken(path, Reason.UNSUPPORTED_OBJECT, "a DICOM object without a SeriesInstanceUID")


def _nifti(data: bytes, path: Path, sha256: str, patient: PatientFacts | None) -> Series:
    try:
        scan = nifti_scan(data, path=str(path), sha256=sha256, patient=patient)
    except RefusedError as refused:
        return _broken(path, refused.reason, refused.detail, syntax="nifti")
    return Series(
        series_uid=scan.series_uid,
        study_uid=scan.study_uid,
        modality=scan.modality,
        files=1,
        transfer_syntax=scan.transfer_syntax,
        status=SeriesStatus.ACCEPTED,
        remarks=scan.remarks,
        where=str(path),
        scans=(scan,),
    )


def _broken(path: Path, reason: Reason, detail: str, *, syntax: str = "") -> Series:
    return Series(
        series_uid="",
        study_uid="",
        modality="",
        files=1,
        transfer_syntax=syntax,
        status=SeriesStatus.QUARANTINED,
        reasons=(reason,),
        detail=detail,
        where=str(path),
    )


def _series(uid: str, headers: Sequence[SliceHeader]) -> Series:
    verdict = check_series(headers)
    problems = verdict.problems
    if verdict.accepted:
        problems = tuple(_probe(verdict))
    return Series(
        series_uid=uid,
        study_uid=_one({header.study_uid for header in headers}),
        modality=_one({header.modality for header in headers}),
        files=len(headers),
        transfer_syntax=_one({header.transfer_syntax for header in headers}) or "mixed",
        status=SeriesStatus.QUARANTINED if problems else SeriesStatus.ACCEPTED,
        reasons=tuple(dict.fromkeys(problem.reason for problem in problems)),
        remarks=verdict.remarks,
        detail="; ".join(f"{problem.reason.value}: {problem.detail}" for problem in problems),
        where=str(Path(headers[0].path).parent),
        scans=() if problems else (_scan(uid, verdict),),
    )


def _probe(verdict: Verdict) -> list[Problem]:
    """Decode the middle slice of a series that passed every check of its headers, and look at its values."""
    middle = verdict.slices[len(verdict.slices) // 2]
    try:
        values = slice_values(read_stored(_file(middle)), middle)
    except RefusedError as refused:
        return [Problem(refused.reason, refused.detail)]
    if middle.modality == "CT" and rescaled_twice(values):
        return [Problem(Reason.IMPLAUSIBLE_INTENSITY, "the middle slice is darker than air: rescaled twice?")]
    return []


def _scan(uid: str, verdict: Verdict) -> Scan:
    slices, geometry = verdict.slices, verdict.geometry
    assert geometry is not None  # noqa: S101
    first = slices[0]
    # Aware and naive times do not compare; the wall clock does, and a series has one clock.
    dated = [(header.acquired.replace(tzinfo=None), header) for header in slices if header.acquired]
    earliest = min(dated, key=lambda pair: pair[0])[1] if dated else None
    history = [f"index: {len(slices)} slices ordered by position along the normal, LPS to RAS"]
    if earliest:
        history.append(f"acquired: {earliest.acquired_from}")
    return Scan(
        scan_id=hashlib.sha256("".join(header.sha256 for header in slices).encode()).hexdigest(),
        format="dicom",
        patient=patient_facts(first),
        study_uid=first.study_uid,
        series_uid=uid,
        accession=_one({header.accession for header in slices}),
        modality=first.modality,
        transfer_syntax=_one({header.transfer_syntax for header in slices}) or "mixed",
        acquired=earliest.acquired if earliest else None,
        geometry=geometry,
        files=tuple(_file(header) for header in slices),
        remarks=verdict.remarks,
        history=tuple(history),
    )


def _file(header: SliceHeader) -> ScanFile:
    return ScanFile(path=header.path, sha256=header.sha256, size=header.size)


def _nifti_copy(first: Series, again: Series) -> Series:
    """Join byte-identical NIfTI files; where a table calls them by different patients, neither is right."""
    files = first.files + again.files
    if not first.scans or first.scans[0].patient != again.scans[0].patient:
        problem = Problem(Reason.MIXED_PATIENTS, "identical files under different patients")
        return _quarantined(first, problem).model_copy(update={"files": files})
    remarks = tuple(dict.fromkeys((*first.remarks, Remark.COPIES_DROPPED)))
    scan = first.scans[0].model_copy(update={"remarks": remarks})
    return first.model_copy(update={"files": files, "remarks": remarks, "scans": (scan,)})


def _refuse_shared_studies(found: Sequence[Series]) -> Iterator[Series]:
    """Quarantine the accepted series of a study whose series belong to different patients."""
    owners: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for series in found:
        for scan in series.scans:
            owners[scan.study_uid].add((scan.patient.issuer, scan.patient.patient_id))
    problem = Problem(Reason.MIXED_PATIENTS, "the series of this study belong to different patients")
    for series in found:
        shared = any(len(owners[scan.study_uid]) > 1 for scan in series.scans)
        yield _quarantined(series, problem) if shared else series


def _quarantined(series: Series, problem: Problem) -> Series:
    return series.model_copy(
        update={
            "status": SeriesStatus.QUARANTINED,
            "reasons": (problem.reason,),
            "detail": f"{problem.reason.value}: {problem.detail}",
            "scans": (),
        }
    )


def _one(values: set[str]) -> str:
    return next(iter(values)) if len(values) == 1 else ""
