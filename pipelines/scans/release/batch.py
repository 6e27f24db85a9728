"""A release: accepted scans go into a new folder, de-identified, all of it or none."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data_schemas.errors import InputError, RefusedError
from data_schemas.reasons import Reason, Remark
from data_schemas.scan import Scan, ScanFile
from pipelines.scans.release.object import release_object
from pipelines.scans.release.profile import EDITION, Profile
from pipelines.scans.release.sweep import sweep
from pipelines.scans.stored import read_stored
from pipelines.workspace.files import sync_path

Progress = Callable[[int, int], None]
# Writes further files into the folder of a release, for the scans that are in it, and says what release.json tells.
Beside = Callable[[Path, Sequence[Scan]], tuple[Sequence[Path], Mapping[str, Any]]]
NOT_CLAIMED = ("Clean Pixel Data Option", "Clean Recognizable Visual Features Option", "Clean Descriptors Option")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A scan that was not released. ``where`` is for the person who asked; it may name a patient."""

    reason: Reason
    detail: str
    where: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Report:
    """What a release did, in counts."""

    folder: Path
    patients: int
    studies: int
    scans: int
    files: int
    refused: tuple[Refusal, ...] = ()

    @property
    def reasons(self) -> dict[str, int]:
        """How many scans were refused, by reason."""
        return dict(Counter(refusal.reason.value for refusal in self.refused))


def release_scans(
    scans: Sequence[Scan],
    out: Path,
    *,
    key: bytes,
    profile: Profile,
    ignore_id_case: bool = False,
    ignore_leading_zeros: bool = False,
    progress: Progress | None = None,
    beside: Beside | None = None,
) -> Report:
    """De-identify the files of accepted scans into a new folder.

    Files lie in ``out`` by pseudonym, study, series and instance, all named by their new UIDs. Each is read again and
    searched for the identifying values of its source. The folder appears when all of it is written and synced; a
    scan with one file that is refused is left out whole.

    Parameters
    ----------
    scans
        Accepted scans of the index or the catalogue.
    out
        The folder to make; its parent must exist.
    key
        The workspace's key: with it the same patient, UID and date are replaced alike in every release.
    profile
        What is retained.
    beside
        Writes what goes with the scans, such as notes, before the folder appears.

    Raises
    ------
    InputError
        The folder exists or cannot be made; or nothing could be released.
    """
    if out.exists():
        raise InputError(f"{out}: there already; name a new folder")
    try:
        hidden = Path(tempfile.mkdtemp(prefix=f".{out.name[:64]}-", suffix=".tmp", dir=out.resolve().parent))
    except OSError as error:
        raise InputError(f"{out}: cannot be made ({error.strerror}); name a folder inside an existing one") from None
    rules = {"ignore_id_case": ignore_id_case, "ignore_leading_zeros": ignore_leading_zeros}
    written: dict[str, Path] = {}
    refused: list[Refusal] = []
    done: list[Scan] = []
    try:
        for number, scan in enumerate(scans):
            try:
                written |= _release_scan(scan, hidden, written, key=key, profile=profile, rules=rules)
                done.append(scan)
            except RefusedError as error:
                refused.append(Refusal(error.reason, error.detail, scan.files[0].path if scan.files else ""))
            if progress:
                progress(number + 1, len(scans))
        report = _report(out, done, written, refused)
        if not done:
            told = ", ".join(f"{count} {code}" for code, count in report.reasons.items()) or "no accepted scan"
            raise InputError(f"{out}: nothing to release ({told}); 'scanote inspect' shows what the files are")
        further, told_beside = beside(hidden, done) if beside else ((), {})
        record = hidden / "release.json"
        content = _record(report, profile) | dict(told_beside)
        record.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        _sync(hidden, [*written.values(), *further, record])
        hidden.rename(out)
        sync_path(out.resolve().parent)
    except OSError as error:
        raise InputError(f"{out}: cannot be written ({error.strerror}); mend that and retry") from None
    finally:
        shutil.rmtree(hidden, ignore_errors=True)
    return report


def _sync(root: Path, files: Sequence[Path]) -> None:
    """Sync files and the folders that hold them, all at the end: the disk has begun to write them long before."""
    folders = {parent for path in files for parent in path.parents if parent.is_relative_to(root)}
    for place in (*files, *folders):
        sync_path(place)


def _release_scan(
    scan: Scan, folder: Path, written: dict[str, Path], *, key: bytes, profile: Profile, rules: dict[str, bool]
) -> dict[str, Path]:
    """Write the files of one scan that another scan has not written, or none."""
    if scan.format != "dicom":
        raise RefusedError(Reason.UNSUPPORTED_OBJECT, f"a {scan.format} scan; only DICOM is released")
    if Remark.BURNED_IN_TEXT_SUSPECTED in scan.remarks and scan.series_uid not in profile.allow_burned_in:
        raise RefusedError(Reason.BURNED_IN_TEXT, "text is suspected in the picture; look at it, then allow it")
    new: dict[str, Path] = {}
    try:
        for file in _once(scan.files):
            if file.sha256 not in written and file.sha256 not in new:
                new[file.sha256] = _release_file(file, folder, key=key, profile=profile, rules=rules)
    except BaseException:
        for path in new.values():
            path.unlink()
        raise
    return new


def _once(files: Iterable[ScanFile]) -> Iterable[ScanFile]:
    return {file.path: file for file in files}.values()


def _release_file(file: ScanFile, folder: Path, *, key: bytes, profile: Profile, rules: dict[str, bool]) -> Path:
    released = release_object(read_stored(file), key=key, profile=profile, **rules)
    target = folder / released.patient / released.study_uid / released.series_uid / f"{released.sop_uid}.dcm"
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with target.open("xb") as stream:
            for part in (released.head, released.pixels, released.tail):
                stream.write(part)
    except FileExistsError:
        raise RefusedError(Reason.DUPLICATE_UID, "another file of this release claims the same instance") from None
    try:
        sweep(target.read_bytes(), released.known, shift_days=released.shift_days if profile.modified_dates else None)
    except BaseException:
        target.unlink()
        raise
    return target


def _report(out: Path, done: Sequence[Scan], written: dict[str, Path], refused: Sequence[Refusal]) -> Report:
    return Report(
        folder=out,
        patients=len({path.parts[-4] for path in written.values()}),
        studies=len({path.parts[-3] for path in written.values()}),
        scans=len(done),
        files=len(written),
        refused=tuple(refused),
    )


def _record(report: Report, profile: Profile) -> dict[str, Any]:
    """What ``release.json`` holds: how the files were made, and counts."""
    return {
        "profile": [{"code": code, "scheme": "DCM", "meaning": meaning} for code, meaning in profile.codes],
        "edition": EDITION,
        "dates": profile.temporal_information.lower(),
        "series_allowed_by_name": len(profile.allow_burned_in),
        "not_claimed": list(NOT_CLAIMED),
        "patients": report.patients,
        "studies": report.studies,
        "scans": report.scans,
        "files": report.files,
        "refused": report.reasons,
    }
