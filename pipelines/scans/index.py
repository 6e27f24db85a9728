"""Everything found under some paths: each series accepted with its scans, or quarantined with its reasons."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from data_schemas.errors import InputError
from data_schemas.reasons import Reason, Remark
from data_schemas.scan import Index, Series
from data_schemas.stated_scan import StatedScan
from pipelines.scans.group import Known, make_series
from pipelines.scans.identity import across, quarantined
from pipelines.scans.look import Found, look, stamp_of
from pipelines.scans.manifest import Entry, Manifest
from pipelines.scans.nifti import state
from pipelines.scans.problem import Problem
from pipelines.scans.slice_header import SliceHeader
from pipelines.sources.folder import walk

Progress = Callable[[int, int], None]


def index_paths(
    paths: Iterable[Path | str] | Path | str,
    *,
    progress: Progress | None = None,
    stated: Mapping[str, StatedScan] | None = None,
    digests: bool = True,
    manifest: Manifest | None = None,
    digest_progress: Progress | None = None,
    resample_irregular: bool = False,
) -> Index:
    """Find every DICOM series and NIfTI volume under some paths.

    Headers are read first and judged; of each stack one slice is decoded; then the digests of the files of accepted
    series are taken.

    Parameters
    ----------
    paths
        Files and folders.
    progress, digest_progress
        Called with (files done, files in all): of headers, and of digests.
    stated
        For NIfTI files, which carry no patient: what a table states of each, by resolved path.
    digests
        Without them no file is read whole, but for the copies of another, one slice a stack, NIfTI and deflated
        files; the scans are not sealed (`pipelines.scans.digest.seal`).
    manifest
        What an earlier run read; files that did not change since are not read again.
    resample_irregular
        As for `pipelines.scans.check.check_series`.

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
    known = Known()
    for done, path in enumerate(files, 1):
        found = _known_or_looked_at(path, manifest, known)
        if isinstance(found, Reason):
            ignored[found.value] += 1
        elif isinstance(found, Series):
            found = state(found, (stated or {}).get(str(path.resolve())))
            key = ("volume", found.series_uid) if found.series_uid else ("file", str(path))
            already = entries.get(key)
            entries[key] = _nifti_copy(already, found) if isinstance(already, Series) else found
        else:
            slices = groups.setdefault(found[0].series_uid, [])
            slices.extend(found)
            entries["slices", found[0].series_uid] = slices
        if progress:
            progress(done, len(files))
    tell = _counter(digest_progress, sum(len({header.path for header in slices}) for slices in groups.values()))
    series = [
        make_series(uid, found, known, digests=digests, resample_irregular=resample_irregular, done=tell)
        if isinstance(found, list)
        else found
        for (_, uid), found in entries.items()
    ]
    if manifest:
        _remember(manifest, known, groups.values())
    return Index(series=across(series), ignored=dict(sorted(ignored.items())))


def _known_or_looked_at(path: Path, manifest: Manifest | None, known: Known) -> Found:
    """Return what the manifest knows of a file, or look at it; slices are remembered later, with their digest."""
    name = str(path)
    entry = None
    if manifest:
        try:
            entry = manifest.get(name, stamp_of(path.stat()))
        except OSError:
            entry = None
    if entry:
        known.stamps[name] = entry.stamp
        if entry.sha256:
            known.digests[name] = entry.sha256
        known.probed.update({(name, frame): problem for frame, problem in entry.probed.items()})
        return entry.found
    stamp, found = look(path)
    known.stamps[name] = stamp
    known.touched.add(name)
    if manifest and stamp and not isinstance(found, tuple):
        manifest.put(name, Entry(stamp, found))
    return found


def _remember(manifest: Manifest, known: Known, groups: Iterable[Sequence[SliceHeader]]) -> None:
    by_path: dict[str, list[SliceHeader]] = defaultdict(list)
    for slices in groups:
        for header in slices:
            if header.path in known.touched:
                by_path[header.path].append(header)
    probed: dict[str, dict[int, Problem | None]] = defaultdict(dict)
    for (path, frame), problem in known.probed.items():
        probed[path][frame] = problem
    for path, headers in by_path.items():
        stamp = known.stamps[path]
        if stamp:
            entry = Entry(stamp, tuple(headers), known.digests.get(path, ""), probed.get(path, {}))
            manifest.put(path, entry)


def _counter(progress: Progress | None, total: int) -> Callable[[], None]:
    done = 0

    def tell() -> None:
        nonlocal done
        done += 1
        if progress:
            progress(done, total)

    return tell


def series_json(index: Index) -> dict[str, Any]:
    """Return the index in the form of ``scanote inspect --json``."""
    return {"series": [_series_json(series) for series in index.series], "ignored": dict(index.ignored)}


def _series_json(series: Series) -> dict[str, Any]:
    scans = [
        {
            "stack": scan.stack,
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


def _nifti_copy(first: Series, again: Series) -> Series:
    """Join byte-identical NIfTI files; where a table calls them by different patients, neither is right."""
    files = first.files + again.files
    if not first.scans or first.scans[0].patient != again.scans[0].patient:
        problem = Problem(Reason.MIXED_PATIENTS, "identical files under different patients")
        return quarantined(first, problem).model_copy(update={"files": files})
    remarks = tuple(dict.fromkeys((*first.remarks, Remark.COPIES_DROPPED)))
    scan = first.scans[0].model_copy(update={"remarks": remarks})
    return first.model_copy(update={"files": files, "remarks": remarks, "scans": (scan,)})
