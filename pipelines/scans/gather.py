"""Everything under some paths, as people keep it: folders and files, archives, stacks of pictures, discs, tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from data_schemas.scan import Index, Series
from pipelines.scans.index import index_paths
from pipelines.scans.look import broken
from pipelines.scans.pictures import SIDECAR, picture_series, stack_series
from pipelines.scans.scan_table import ScanTable, is_scan_table, read_scan_tables
from pipelines.sources.archive import LIMITS, NESTED, Limits, archive_kind, names_archive, unpack
from pipelines.sources.dicomdir import is_dicomdir, missing_files
from pipelines.sources.folder import walk


@dataclass(slots=True)
class _Opened:
    """The files to index, which folder each archive went to, and what is an entry of its own."""

    files: list[Path] = field(default_factory=list)
    archives: dict[Path, Path] = field(default_factory=dict)
    entries: list[Series] = field(default_factory=list)


def index_sources(
    paths: Iterable[Path | str] | Path | str, *, unpacked: Path, limits: Limits = LIMITS, **options: Any
) -> Index:
    """Index paths as `pipelines.scans.index.index_paths` does, and what lies in archives and stacks of pictures too.

    Parameters
    ----------
    paths
        Files and folders.
    unpacked
        The private folder that archives are unpacked into; it must outlive the use of the scans.
    limits
        Bounds on each archive.
    options
        Handed on to `index_paths`.

    Returns
    -------
    Index
        As `index_paths`; ``where`` names the archive, and the member by its number. An archive that is refused, a
        stack of pictures that is not stated well, and an archive within an archive are quarantined entries. Files
        that a DICOMDIR lists and that are not there are counted in ``ignored`` as ``file-missing``. What
        `pipelines.scans.scan_table` states of NIfTI files and of pictures is filled in.

    Raises
    ------
    InputError
        A path does not exist, there is no file at all, or a table of scans cannot be read as a whole.
    WorkspaceError
        The folder for archives cannot be written.
    """
    roots = [Path(paths)] if isinstance(paths, (str, Path)) else [Path(path) for path in paths]
    files = list(walk(roots))
    opened = _open(files, unpacked, limits)
    table = read_scan_tables(path for path in files if is_scan_table(path))
    stacks, claimed = _stacks(files, table)
    rest = [path for path in opened.files if not (is_scan_table(path) or (claimed and path.resolve() in claimed))]
    # By their roots where all are left: so they are walked and resolved once more, and not each for itself.
    named = roots if rest == files else rest
    index = index_paths(named, stated=table.scans, **options) if named else Index()
    series = [*(_told(entry, opened.archives) for entry in index.series), *opened.entries, *table.refused]
    ignored = dict(index.ignored)
    if missing := sum(missing_files(path, files)[0] for path in files if is_dicomdir(path)):
        ignored[Reason.FILE_MISSING.value] = ignored.get(Reason.FILE_MISSING.value, 0) + missing
    return Index(series=(*series, *_apart(stacks, series)), ignored=dict(sorted(ignored.items())))


def _open(files: Sequence[Path], unpacked: Path, limits: Limits) -> _Opened:
    opened = _Opened()
    for path in files:
        if not names_archive(path.name) and archive_kind(path) is None:
            opened.files.append(path)
            continue
        try:
            folder = unpack(path, unpacked, limits=limits)
        except RefusedError as refused:
            opened.entries.append(broken(path, refused.reason, refused.detail))
            continue
        if folder in opened.archives:
            continue
        opened.archives[folder] = path
        for member in sorted(folder.iterdir()):
            if member.name.endswith(NESTED):
                detail = "an archive within an archive; unpack the outer one yourself"
                entry = broken(_member(path, member), Reason.UNSUPPORTED_OBJECT, detail)
                opened.entries.append(entry)
            else:
                opened.files.append(member)
    return opened


def _stacks(files: Sequence[Path], table: ScanTable) -> tuple[list[Series], set[Path]]:
    """The stacks of pictures, and the resolved paths of the files that they speak of."""
    stacks: list[Series] = []
    claimed: set[Path] = set()
    for sidecar in files:
        if sidecar.name == SIDECAR:
            series, pictures = picture_series(sidecar)
            stacks.append(series)
            claimed |= {path.resolve() for path in (sidecar, *pictures)}
    for place, stated in table.stacks.items():
        folder = place if place.is_dir() else place.parent
        text = stated.model_dump_json(exclude={"files"}).encode()
        if (folder / SIDECAR).exists():
            told = f"a row of the table and {SIDECAR} state the same pictures; keep one"
            stacks.append(broken(place, Reason.NOT_A_RECORD, told))
            continue
        series, pictures = stack_series(folder, stated, text=text, where=str(place))
        stacks.append(series)
        claimed |= {path.resolve() for path in pictures}
    return stacks, claimed


def _apart(stacks: Sequence[Series], others: Sequence[Series]) -> Iterator[Series]:
    """Pass on the stacks whose UIDs are their own: of a study or series that is another patient's, none is right."""
    owners: dict[str, set[tuple[str, str]]] = {}
    for series in (*stacks, *others):
        for scan in series.scans:
            owner = (scan.patient.issuer, scan.patient.patient_id)
            owners.setdefault(scan.study_uid, set()).add(owner)
    uids = [series.series_uid for series in (*stacks, *others) if series.series_uid]
    for series in stacks:
        if any(len(owners[scan.study_uid]) > 1 for scan in series.scans):
            yield broken(series.where, Reason.MIXED_PATIENTS, "the study it states is another patient's")
        elif uids.count(series.series_uid) > 1:
            yield broken(series.where, Reason.DUPLICATE_UID, "the series it states is there already")
        else:
            yield series


def _told(series: Series, archives: dict[Path, Path]) -> Series:
    """The series with the archive that it came from, in ``where`` and in its scans' history."""
    where = Path(series.where)
    archive = archives.get(where) or archives.get(where.parent)
    if archive is None:
        return series
    folder = where if where in archives else where.parent
    told = f"archive: unpacked from a file with digest {folder.name[:12]}"
    scans = tuple(scan.model_copy(update={"history": (told, *scan.history)}) for scan in series.scans)
    place = str(archive) if where in archives else _member(archive, where)
    return series.model_copy(update={"where": place, "scans": scans})


def _member(archive: Path, member: Path) -> str:
    return f"{archive}: member {int(member.name[:6])}"
