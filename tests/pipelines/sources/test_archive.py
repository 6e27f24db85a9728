from __future__ import annotations

import io
import os
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from pipelines.sources.archive import Limits, archive_kind, unpack
from pipelines.sources.tarball import tar_members

FILES = {"disc/IM0001": b"one" * 400, "disc/sub/two.DCM": os.urandom(70_000), "three.nii.gz": b"", "four.txt": b"4"}
FORMATS = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}
PACKED = [".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz"]


def write_zip(path: Path, files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def write_tar(path: Path, files: dict[str, bytes], form: int = tarfile.PAX_FORMAT) -> Path:
    mode = {".gz": "w:gz", ".tgz": "w:gz", ".bz2": "w:bz2", ".xz": "w:xz"}.get(path.suffix, "w")
    with tarfile.open(path, mode, format=form) as archive:  # type: ignore[call-overload]
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return path


def pack(path: Path, files: dict[str, bytes]) -> Path:
    return write_zip(path, files) if path.suffix == ".zip" else write_tar(path, files)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def refusal(archive: Path, tmp_path: Path, **limits: int) -> Reason:
    with pytest.raises(RefusedError) as caught:
        unpack(archive, tmp_path / "unpacked", limits=Limits(**limits))
    assert list((tmp_path / "unpacked").iterdir()) == []
    assert caught.value.__cause__ is None
    return caught.value.reason


@pytest.mark.parametrize("suffix", PACKED)
def test_members_become_numbered_files(tmp_path: Path, suffix: str) -> None:
    folder = unpack(pack(tmp_path / f"scans{suffix}", FILES), tmp_path / "unpacked")

    one, two, three, four = FILES.values()
    assert contents(folder) == {"000001": one, "000002.dcm": two, "000003.nii.gz": three, "000004": four}
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


@pytest.mark.parametrize("suffix", PACKED)
def test_an_archive_is_known_without_an_ending(tmp_path: Path, suffix: str) -> None:
    bare = pack(tmp_path / f"scans{suffix}", FILES).rename(tmp_path / "scans")

    assert archive_kind(bare) is not None


def test_other_files_are_no_archives(tmp_path: Path) -> None:
    report = write_zip(tmp_path / "report.docx", FILES)
    plain = tmp_path / "IM0001"
    plain.write_bytes(bytes(600))
    polyglot = tmp_path / "IM0002"
    polyglot.write_bytes(b"PK\3\4" + bytes(124) + b"DICM" + bytes(600))

    assert [archive_kind(path) for path in (report, plain, polyglot, tmp_path / "none")] == [None] * 4


def test_a_second_call_finds_what_the_first_unpacked(tmp_path: Path) -> None:
    archive = pack(tmp_path / "a.zip", FILES)
    first = unpack(archive, tmp_path / "unpacked")
    made = {path: path.stat().st_mtime_ns for path in first.iterdir()}
    copy = tmp_path / "b.zip"
    copy.write_bytes(archive.read_bytes())

    assert unpack(copy, tmp_path / "unpacked") == first
    assert {path: path.stat().st_mtime_ns for path in first.iterdir()} == made


@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
def test_long_names_and_their_endings_are_read(tmp_path: Path, form: int) -> None:
    name = "/".join(["folder"] * 18) + "/slice.dcm"
    archive = write_tar(tmp_path / "a.tar", {name: b"slice", "x/" + "y" * 90 + ".ima": b"other"}, form)

    assert contents(unpack(archive, tmp_path / "unpacked")) == {"000001.dcm": b"slice", "000002.ima": b"other"}


@pytest.mark.parametrize(
    "name", ["../evil.dcm", "/etc/evil.dcm", "a/../../evil.dcm", "C:\\evil.dcm", "..", "evil\0.dcm"]
)
@pytest.mark.parametrize("suffix", [".zip", ".tar"])
def test_no_name_leaves_the_folder(tmp_path: Path, name: str, suffix: str) -> None:
    before = {path for path in tmp_path.rglob("*") if path.name != f"a{suffix}"}
    folder = unpack(pack(tmp_path / f"a{suffix}", {name: b"evil"}), tmp_path / "unpacked")

    after = {path for path in tmp_path.rglob("*") if path.name != f"a{suffix}"} - before
    assert all(path == tmp_path / "unpacked" or path.is_relative_to(folder) for path in after)
    assert [path.read_bytes() for path in folder.iterdir()] == [b"evil"]


def test_links_devices_and_folders_are_passed_over(tmp_path: Path) -> None:
    kinds = (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE)
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for number, kind in enumerate(kinds):
            entry = tarfile.TarInfo(f"thing{number}")
            entry.type, entry.linkname = kind, "/etc/passwd"
            archive.addfile(entry)
        last = tarfile.TarInfo("last.dcm")
        last.size = 4
        archive.addfile(last, io.BytesIO(b"last"))

    assert contents(unpack(tmp_path / "a.tar", tmp_path / "unpacked")) == {"000007.dcm": b"last"}


def test_a_link_in_a_zip_is_passed_over(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        link = zipfile.ZipInfo("link.dcm")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("folder/", b"")
        archive.writestr("real.dcm", b"real")

    assert contents(unpack(tmp_path / "a.zip", tmp_path / "unpacked")) == {"000003.dcm": b"real"}


@pytest.mark.parametrize("suffix", [".zip", ".tar.gz", ".tar.bz2", ".tar.xz"])
def test_a_bomb_is_refused(tmp_path: Path, suffix: str) -> None:
    bomb = pack(tmp_path / f"a{suffix}", {"bomb": bytes(80 * 2**20)})

    assert refusal(bomb, tmp_path) is Reason.TOO_LARGE


def test_a_bomb_takes_little_memory(tmp_path: Path) -> None:
    bomb = write_tar(tmp_path / "a.tar.gz", {"bomb": bytes(80 * 2**20)})
    tracemalloc.start()
    try:
        refusal(bomb, tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 16 * 2**20
    finally:
        tracemalloc.stop()


def test_a_zip_that_understates_its_size_is_refused(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "a.zip", {"bomb": bytes(2**20)})
    data = archive.read_bytes()
    archive.write_bytes(data.replace((2**20).to_bytes(4, "little"), (10).to_bytes(4, "little")))

    assert refusal(archive, tmp_path) is Reason.DECODE_FAILED


@pytest.mark.parametrize("suffix", [".zip", ".tar"])
def test_too_many_members_are_refused(tmp_path: Path, suffix: str) -> None:
    archive = pack(tmp_path / f"a{suffix}", {str(number): b"" for number in range(12)})

    assert refusal(archive, tmp_path, members=11) is Reason.TOO_LARGE


@pytest.mark.parametrize("suffix", [".zip", ".tar"])
def test_too_many_bytes_are_refused(tmp_path: Path, suffix: str) -> None:
    archive = pack(tmp_path / f"a{suffix}", {"a": os.urandom(6000), "b": os.urandom(6000)})

    assert refusal(archive, tmp_path, total_bytes=9000) is Reason.TOO_LARGE


def test_a_directory_that_fills_the_memory_is_refused_unread(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "a.zip", {"a": b"a"})
    data = bytearray(archive.read_bytes())
    at = data.rfind(b"PK\5\6")
    data[at + 12 : at + 16] = (2**30).to_bytes(4, "little")
    archive.write_bytes(data)

    assert refusal(archive, tmp_path) is Reason.TOO_LARGE


@pytest.mark.parametrize("kind", [b"L", b"x"])
def test_a_tar_header_that_fills_the_memory_is_refused(tmp_path: Path, kind: bytes) -> None:
    entry = tarfile.TarInfo("long")
    entry.type, entry.size = kind, 2**32
    (tmp_path / "a.tar").write_bytes(entry.tobuf(tarfile.GNU_FORMAT) + bytes(2**20))

    assert refusal(tmp_path / "a.tar", tmp_path) is Reason.TOO_LARGE


@pytest.mark.parametrize("suffix", PACKED)
@pytest.mark.parametrize("kept", [0.3, 0.85])
def test_an_archive_cut_short_is_refused_whole(tmp_path: Path, suffix: str, kept: float) -> None:
    archive = pack(tmp_path / f"a{suffix}", FILES)
    data = archive.read_bytes()
    archive.write_bytes(data[: int(len(data) * kept)])

    assert refusal(archive, tmp_path) in {Reason.TRUNCATED, Reason.DECODE_FAILED}


@pytest.mark.parametrize("suffix", [".zip", ".tar.gz", ".tar.bz2", ".tar.xz"])
def test_a_changed_byte_in_the_middle_is_found(tmp_path: Path, suffix: str) -> None:
    archive = pack(tmp_path / f"a{suffix}", FILES)
    data = bytearray(archive.read_bytes())
    data[len(data) // 2] ^= 0x10
    archive.write_bytes(data)

    assert refusal(archive, tmp_path) is Reason.DECODE_FAILED


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "a.zip", {"a": b"a"})
    data = bytearray(archive.read_bytes())
    data[data.rfind(b"PK\1\2") + 8] |= 1
    archive.write_bytes(data)

    assert refusal(archive, tmp_path) is Reason.UNSUPPORTED_OBJECT


def test_an_unusual_packing_is_refused(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "a.zip", FILES, zipfile.ZIP_LZMA)

    assert refusal(archive, tmp_path) is Reason.UNSUPPORTED_OBJECT


def test_a_sparse_tar_is_refused(tmp_path: Path) -> None:
    entry = tarfile.TarInfo("a.dcm")
    entry.type = tarfile.GNUTYPE_SPARSE
    (tmp_path / "a.tar").write_bytes(entry.tobuf(tarfile.GNU_FORMAT) + bytes(1024))

    assert refusal(tmp_path / "a.tar", tmp_path) is Reason.UNSUPPORTED_OBJECT


def test_a_text_that_is_named_as_an_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_text("not an archive")

    assert refusal(tmp_path / "a.zip", tmp_path) is Reason.NOT_DICOM


@pytest.mark.parametrize("suffix", PACKED)
def test_an_archive_within_an_archive_is_not_opened(tmp_path: Path, suffix: str) -> None:
    inner = pack(tmp_path / f"inner{suffix}", FILES).read_bytes()
    folder = unpack(write_zip(tmp_path / "outer.zip", {f"a{suffix}": inner, "b": inner}), tmp_path / "unpacked")

    assert contents(folder) == {"000001.nested": b"", "000002.nested": b""}


def test_streams_one_after_another_are_read_to_the_end(tmp_path: Path) -> None:
    import bz2
    import gzip
    import lzma

    plain = write_tar(tmp_path / "a.tar", FILES).read_bytes()
    for suffix, compress in ((".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)):
        path = tmp_path / f"a.tar{suffix}"
        path.write_bytes(compress(plain[:9000]) + compress(plain[9000:]))
        assert len(contents(unpack(path, tmp_path / "unpacked"))) == 4


Names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=140)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(Names.filter(lambda name: not name.endswith("/")), st.binary(max_size=2000), max_size=6))
@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
def test_tar_files_are_read_as_tarfile_reads_them(form: int, files: dict[str, bytes]) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form) as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            try:
                archive.addfile(entry, io.BytesIO(data))
            except ValueError:  # too long a name for ustar
                continue
    stream.seek(0)
    with tarfile.open(fileobj=stream) as archive:
        expected = [archive.extractfile(entry).read() for entry in archive if entry.isreg()]  # type: ignore[union-attr]
    stream.seek(0)

    assert [b"".join(member.pieces) for member in tar_members(stream)] == expected


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(PACKED), st.integers(0, 2**31), st.integers(1, 255))
def test_a_damaged_archive_is_unpacked_whole_or_refused(
    small: dict[str, bytes], workplace: Callable[[], Path], suffix: str, at: int, change: int
) -> None:
    data = bytearray(small[suffix])
    data[at % len(data)] ^= change
    place = workplace()
    (place / f"a{suffix}").write_bytes(data)

    try:
        folder = unpack(place / f"a{suffix}", place / "unpacked")
    except RefusedError:
        assert list((place / "unpacked").iterdir()) == []
    else:
        assert all(path.parent == folder for path in folder.rglob("*"))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("small")
    return {suffix: pack(folder / f"a{suffix}", FILES).read_bytes() for suffix in PACKED}


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    return lambda: tmp_path_factory.mktemp("damaged")
