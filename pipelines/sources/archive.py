"""Zip and tar archives among the scans: unpacked within bounds, under numbers, into a folder of our own.

Nothing of an archive decides where anything is written: members become files ``000001.dcm``, ``000002`` … in the order
in which they are stored. Links, devices and folders are passed over. An archive is used whole or not at all.
"""

from __future__ import annotations

import bz2
import contextlib
import gzip
import lzma
import shutil
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, TypeVar, cast

from data_schemas.errors import RefusedError, WorkspaceError
from data_schemas.reasons import Reason
from pipelines.sources.tarball import BLOCK, PIECE, Member, is_tar_header, tar_members
from pipelines.workspace.digests import sha256_file
from pipelines.workspace.files import make_private_folder, sync_path

T = TypeVar("T")
Kind = Literal["zip", "tar", "gzip", "bzip2", "xz"]

ARCHIVE_NAMES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tbz", ".tar.xz", ".txz")
# Endings that members keep: with them, a broken file is seen as a broken scan.
_KEPT = (".nii.gz", ".nii", ".dicom", ".dcm", ".ima")
# An archive inside an archive leaves an empty file of this ending.
NESTED = ".nested"
_STAGING, _STALE_SECONDS = ".unpacking-", 86_400.0
_MAGIC: tuple[tuple[bytes, Kind], ...] = (
    (b"PK\3\4", "zip"),
    (b"PK\5\6", "zip"),
    (b"\x1f\x8b\x08", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
)
# xz -9 needs 65 MiB.
_XZ_MEMORY = 128 * 2**20
# A central directory of this size names 150,000 files with paths of 64 characters.
_MAX_DIRECTORY = 16 * 2**20
_END_RECORD, _END_RECORD_BYTES, _MAX_COMMENT = b"PK\5\6", 22, 65535
_LOCATOR_64 = b"PK\6\7"
_ENCRYPTED, _LINK = 1, 0o120000
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    OSError,
    RuntimeError,
    ValueError,
    LookupError,
    OverflowError,
)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one archive: members, bytes unpacked, and bytes unpacked for each byte stored.

    The ratio is looked at from ``free_bytes`` on: small archives of empty slices compress very well.
    """

    members: int = 100_000
    total_bytes: int = 64 * 2**30
    ratio: int = 200
    free_bytes: int = 32 * 2**20


LIMITS = Limits()


def names_archive(name: str) -> bool:
    """Whether a file's name says that it is an archive."""
    return name.lower().endswith(ARCHIVE_NAMES)


def archive_kind(path: Path) -> Kind | None:
    """What kind of archive a file is, by its bytes; only files named as archives, or without an ending, are opened.

    The preamble of a DICOM file is never taken for an archive.
    """
    if not _may_be_archive(path.name):
        return None
    try:
        with path.open("rb") as stream:
            head = stream.read(BLOCK)
    except OSError:
        return None
    if head[128:132] == b"DICM":
        return None
    if is_tar_header(head):
        return "tar"
    kind = next((kind for magic, kind in _MAGIC if head.startswith(magic)), None)
    if kind in {None, "zip"} or names_archive(path.name):
        return kind
    return kind if _holds_tar(path, kind) else None


def unpack(archive: Path, into: Path, *, limits: Limits = LIMITS) -> Path:
    """Unpack an archive into a folder that is named by its SHA-256, once: a second call finds it there.

    Parameters
    ----------
    archive
        A file of an `archive_kind`.
    into
        The folder (private; made where missing) that holds the folders of archives.
    limits
        Bounds; whatever is beyond them is refused, and nothing is kept.

    Returns
    -------
    pathlib.Path
        The folder ``into/<sha256>`` with one file a member, named by its number in the archive. An archive among the
        members is not opened; an empty file with the ending ``.nested`` stands for it.

    Raises
    ------
    RefusedError
        ``too-large`` beyond the limits, ``truncated`` or ``decode-failed`` where it is damaged,
        ``unsupported-object`` where it is encrypted or of a kind that is not read, ``file-missing`` where it cannot be
        read.
    WorkspaceError
        The folder cannot be written.
    """
    try:
        home = make_private_folder(into) / sha256_file(archive)
        size = archive.stat().st_size
    except OSError as error:
        raise RefusedError(Reason.FILE_MISSING, f"cannot be read ({type(error).__name__})") from None
    if home.is_dir():
        return home
    _sweep(into)
    staging = Path(tempfile.mkdtemp(dir=into, prefix=_STAGING))
    try:
        _unpack(archive, staging, _Budget(limits, size))
        sync_path(staging)
        try:
            staging.rename(home)
        except OSError:
            if not home.is_dir():
                raise
    except OSError as error:
        raise WorkspaceError(f"{into}: cannot be written ({error.strerror}); mend that and retry") from None
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return home


def _sweep(into: Path) -> None:
    """Remove what unpackings that were killed a day ago or earlier left behind."""
    for left in into.glob(f"{_STAGING}*"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > _STALE_SECONDS:
                shutil.rmtree(left, ignore_errors=True)


@dataclass(slots=True)
class _Budget:
    """What was unpacked so far, against the limits."""

    limits: Limits
    stored: int
    spent: int = 0

    def spend(self, size: int) -> None:
        self.spent += size
        allowed = min(self.limits.total_bytes, max(self.limits.free_bytes, self.limits.ratio * self.stored))
        if self.spent > allowed:
            raise RefusedError(Reason.TOO_LARGE, f"the archive unpacks to more than {allowed} bytes")


def _unpack(archive: Path, folder: Path, budget: _Budget) -> None:
    kind = archive_kind(archive)
    if kind is None:
        raise RefusedError(Reason.NOT_DICOM, "named as an archive, and is none")
    members = _sound(_zip_members(archive, budget) if kind == "zip" else _tar_members(archive, kind, budget))
    for member in members:
        if member.number > budget.limits.members:
            raise RefusedError(Reason.TOO_LARGE, f"the archive holds more than {budget.limits.members} members")
        _write(member, folder)


def _write(member: Member, folder: Path) -> None:
    path = folder / f"{member.number:06d}{_ending(member.name)}"
    with path.open("xb") as out:
        for piece in _sound(member.pieces):
            out.write(piece)
    path.chmod(0o600)
    if _may_be_archive(member.name):
        # Judged by the bytes alone, under a name that lets them be looked at.
        bare = path.with_suffix("")
        if archive_kind(bare) is not None:
            bare.with_suffix(NESTED).touch(0o600)
            bare.unlink()


def _sound(things: Iterator[T]) -> Iterator[T]:
    """Pass things on; what a library raises over damaged bytes becomes a reason."""
    try:
        yield from things
    except RefusedError:
        raise
    except (EOFError, NotImplementedError) as error:
        if isinstance(error, EOFError):
            raise RefusedError(Reason.TRUNCATED, "the archive ends before its own length fields say so") from None
        raise RefusedError(Reason.UNSUPPORTED_OBJECT, "the archive is packed in a way that is not read") from None
    except _DAMAGED as error:
        raise RefusedError(Reason.DECODE_FAILED, f"the archive is damaged ({type(error).__name__})") from None


def _zip_members(archive: Path, budget: _Budget) -> Iterator[Member]:
    _check_directory(archive)
    with zipfile.ZipFile(archive) as file:
        found = file.infolist()
        if len(found) > budget.limits.members:
            raise RefusedError(Reason.TOO_LARGE, f"the archive holds more than {budget.limits.members} members")
        # What it says of itself is checked before anything is unpacked, and again as it is.
        _Budget(budget.limits, budget.stored).spend(sum(entry.file_size for entry in found))
        for number, entry in enumerate(found, 1):
            if entry.flag_bits & _ENCRYPTED:
                raise RefusedError(Reason.UNSUPPORTED_OBJECT, "the archive is encrypted; unpack it yourself")
            if entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
                raise NotImplementedError
            if entry.is_dir() or (entry.external_attr >> 16) & 0o170000 == _LINK:
                continue
            with file.open(entry) as stream:
                yield Member(number, entry.filename, _spending(cast(BinaryIO, stream), budget))


def _check_directory(archive: Path) -> None:
    """Refuse a central directory that would fill the memory: zipfile reads it whole."""
    with archive.open("rb") as stream:
        end = stream.seek(0, 2)
        stream.seek(max(0, end - _END_RECORD_BYTES - _MAX_COMMENT - 20))
        tail = stream.read()
        at = tail.rfind(_END_RECORD)
        if at < 0 or len(tail) - at < _END_RECORD_BYTES:
            raise EOFError
        size = int.from_bytes(tail[at + 12 : at + 16], "little")
        locator = tail[max(0, at - 20) : at]
        if locator.startswith(_LOCATOR_64):
            stream.seek(min(int.from_bytes(locator[8:16], "little"), end))
            size = max(size if size < 0xFFFFFFFF else 0, int.from_bytes(stream.read(56)[40:48], "little"))
    if size > _MAX_DIRECTORY:
        raise RefusedError(Reason.TOO_LARGE, f"the list of the archive's members takes {size} bytes")


def _tar_members(archive: Path, kind: Kind, budget: _Budget) -> Iterator[Member]:
    with archive.open("rb") as raw:
        stream = _Counted(_opened(raw, kind), budget)
        yield from tar_members(cast(BinaryIO, stream))
        # To the end, so that a damaged checksum there is found.
        while stream.read(PIECE):
            pass


def _opened(raw: BinaryIO, kind: Kind | None) -> BinaryIO:
    if kind == "gzip":
        return cast(BinaryIO, gzip.GzipFile(fileobj=raw))
    if kind == "bzip2":
        return cast(BinaryIO, bz2.BZ2File(raw))
    return cast(BinaryIO, _Xz(raw)) if kind == "xz" else raw


def _holds_tar(path: Path, kind: Kind | None) -> bool:
    try:
        with path.open("rb") as raw:
            return is_tar_header(_opened(raw, kind).read(BLOCK))
    except (EOFError, *_DAMAGED):
        return False


def _spending(stream: BinaryIO, budget: _Budget) -> Iterator[bytes]:
    while piece := stream.read(PIECE):
        budget.spend(len(piece))
        yield piece


@dataclass(slots=True)
class _Counted:
    """A stream whose every byte is taken from a budget."""

    stream: BinaryIO
    budget: _Budget

    def read(self, size: int) -> bytes:
        data = self.stream.read(size) if size > 0 else b""
        self.budget.spend(len(data))
        return data


class _Xz:
    """An xz stream within a bound of memory, which `lzma.LZMAFile` does not offer."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._unit = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)

    def read(self, size: int) -> bytes:
        while True:
            if self._unit.eof:
                rest = self._unit.unused_data.lstrip(b"\0") or self._raw.read(PIECE).lstrip(b"\0")
                if not rest:
                    return b""
                self._unit = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)
            elif self._unit.needs_input:
                rest = self._raw.read(2**16)
                if not rest:
                    raise EOFError
            else:
                rest = b""
            if data := self._unit.decompress(rest, size):
                return data


def _may_be_archive(name: str) -> bool:
    return names_archive(name) or "." not in name.rpartition("/")[2]


def _ending(name: str) -> str:
    return next((ending for ending in _KEPT if name.lower().endswith(ending)), "")
