"""A second look at unchanged files reads almost nothing, and never believes a file that changed."""

from __future__ import annotations

import json
import logging
import os
import shutil
import sqlite3
import stat
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from highdicom.legacy import LegacyConvertedEnhancedCTImage
from hypothesis import given
from hypothesis import strategies as st

from data_schemas.reasons import Reason
from data_schemas.scan import Index, SeriesStatus
from data_schemas.stated_scan import StatedScan
from pipelines.scans import manifest
from pipelines.scans.headers import read_headers
from pipelines.scans.index import index_paths
from pipelines.scans.look import Stamp, look
from pipelines.scans.manifest import SETTLE_SECONDS, Entry, forget, open_manifest
from pipelines.scans.manifest_rows import found_of, row_of
from pipelines.scans.problem import Problem

Write = Callable[..., np.ndarray]


@pytest.fixture(autouse=True)
def _files_settle_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests do not wait for the clock to move on; the one that is about that sets it back."""
    monkeypatch.setattr(manifest, "SETTLE_SECONDS", -3600.0)


@pytest.fixture
def tree(tmp_path: Path, writer: Write) -> Path:
    """Two series of 24 small slices in two folders."""
    values = np.random.default_rng(0).integers(-1000, 900, (24, 16, 16))

    def other(ds: object, index: int) -> None:
        ds.SeriesInstanceUID, ds.SOPInstanceUID = "1.2.3", f"1.2.3.{index}"  # type: ignore[attr-defined]

    root = tmp_path / "tree"
    writer(root / "a", values=values)
    writer(root / "b", values=values, edit=other)
    return root


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "headers.db"


def indexed(tree: Path, store: Path, **options: object) -> Index:
    with open_manifest(store) as opened:
        return index_paths(tree, manifest=opened, **options)  # type: ignore[arg-type]


def bytes_read() -> int:
    return int(Path("/proc/self/io").read_text().split()[1])


def opened_files(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A list that grows by the path of each file that is looked at."""
    looked: list[str] = []

    def watched(path: Path, **options: object) -> object:
        looked.append(str(path))
        return look(path, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("pipelines.scans.index.look", watched)
    return looked


def test_a_second_run_gives_the_same_index_and_reads_almost_nothing(tree: Path, store: Path) -> None:
    first = indexed(tree, store)
    before = bytes_read()

    again = indexed(tree, store)

    assert again == first
    assert {series.status for series in again.series} == {SeriesStatus.ACCEPTED}
    assert bytes_read() - before < 48 * 1000


def test_a_second_run_looks_at_no_file(tree: Path, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    indexed(tree, store)
    looked = opened_files(monkeypatch)

    indexed(tree, store)

    assert looked == []


def test_each_changed_file_is_noticed_though_its_size_and_time_are_kept(tree: Path, store: Path) -> None:
    first = indexed(tree, store)
    changed = sorted(tree.rglob("*.dcm"))[::4]
    for path in changed:
        data, status = path.read_bytes(), path.stat()
        path.write_bytes(data[:-2] + bytes([data[-2] ^ 1]) + data[-1:])
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    again = indexed(tree, store)

    def digests(index: Index) -> dict[str, str]:
        return {file.path: file.sha256 for series in index.series for scan in series.scans for file in scan.files}

    old, new = digests(first), digests(again)
    assert {path for path in new if new[path] != old[path]} == set(map(str, changed))


def test_a_file_put_in_the_place_of_another_is_noticed(tree: Path, store: Path) -> None:
    indexed(tree, store)
    one, other = sorted((tree / "a").iterdir())[:2]
    status = one.stat()
    other.replace(one)
    os.utime(one, ns=(status.st_atime_ns, status.st_mtime_ns))

    assert indexed(tree, store) == index_paths(tree)


def test_new_and_removed_files_are_noticed(tree: Path, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = sorted((tree / "a").iterdir())
    paths[0].rename(tree.parent / "aside.dcm")
    indexed(tree, store)
    looked = opened_files(monkeypatch)
    (tree.parent / "aside.dcm").rename(paths[0])
    paths[1].unlink()

    assert indexed(tree, store) == index_paths(tree)
    assert looked[:1] == [str(paths[0])]


def test_digests_that_were_not_wanted_at_first_are_taken_later(tree: Path, store: Path) -> None:
    headers_only = indexed(tree, store, digests=False)

    assert not any(scan.sealed for series in headers_only.series for scan in series.scans)
    assert indexed(tree, store) == index_paths(tree)


def test_a_file_written_a_moment_ago_is_not_kept(tree: Path, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest, "SETTLE_SECONDS", SETTLE_SECONDS)
    indexed(tree, store)
    looked = opened_files(monkeypatch)

    indexed(tree, store)

    assert len(looked) == 48


def test_what_is_no_slice_is_kept_too(tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "x.dcm").write_text("not a scan")
    (tmp_path / "tree" / "LICENSE").write_text("free")
    first = indexed(tmp_path / "tree", store)
    looked = opened_files(monkeypatch)

    assert indexed(tmp_path / "tree", store) == first
    assert looked == []
    assert first.ignored == {"not-dicom": 1}


def test_a_nifti_is_of_the_patient_whom_this_runs_table_names(tmp_path: Path, store: Path) -> None:
    import nibabel

    (tmp_path / "tree").mkdir()
    image = nibabel.Nifti1Image(np.zeros((6, 6, 6), np.float32), np.eye(4))
    image.set_sform(np.eye(4), code=1)
    nibabel.save(image, tmp_path / "tree" / "x.nii")

    def patient(name: str | None) -> str:
        stated = {str(tmp_path / "tree" / "x.nii"): StatedScan(patient_id=name)} if name else None
        return indexed(tmp_path / "tree", store, stated=stated).series[0].scans[0].patient.patient_id

    assert [patient("A"), patient("B"), patient(None)] == ["A", "B", ""]


def test_a_slice_that_cannot_be_decoded_is_refused_again(tmp_path: Path, store: Path, writer: Write) -> None:
    def edit(ds: object, index: int) -> None:
        if index == 12:
            content = ds.PixelData  # type: ignore[attr-defined]
            ds.PixelData = content[:100] + bytes(len(content) - 100)  # type: ignore[attr-defined]

    writer(tmp_path / "tree", syntax="1.2.840.10008.1.2.4.80", edit=edit)
    first = indexed(tmp_path / "tree", store)

    assert first.series[0].reasons == (Reason.DECODE_FAILED,)
    assert indexed(tmp_path / "tree", store) == first


def test_the_file_is_private(tree: Path, store: Path) -> None:
    old = os.umask(0)
    try:
        indexed(tree, store)
    finally:
        os.umask(old)

    assert stat.S_IMODE(store.stat().st_mode) == 0o600


@pytest.mark.parametrize("damage", [b"garbage" * 100, b"SQLite format 3\0" + b"\xff" * 4000])
def test_a_damaged_file_is_dropped_and_said_aloud(
    tree: Path, store: Path, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    first = indexed(tree, store)
    store.write_bytes(damage)

    with caplog.at_level(logging.WARNING):
        assert indexed(tree, store) == first

    assert "damaged and was dropped" in caplog.text
    assert "Muster" not in caplog.text


@pytest.mark.parametrize("content", [b"x", b"x\x9c\x03\x00\x00\x00\x00\x01", b"[1]"])
def test_a_damaged_row_is_read_anew(tree: Path, store: Path, content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    first = indexed(tree, store)
    with sqlite3.connect(store) as connection:
        connection.execute("UPDATE folder SET content = ?", (content,))
    connection.close()

    with caplog.at_level(logging.WARNING):
        assert indexed(tree, store) == first

    assert "read again" in caplog.text


def test_pages_that_are_damaged_are_read_anew_and_mended(
    tree: Path, store: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = indexed(tree, store)
    size = store.stat().st_size
    with store.open("r+b") as stream:
        stream.seek(4096)
        stream.write(b"\xa5" * (size - 4096))

    with caplog.at_level(logging.WARNING):
        assert indexed(tree, store) == first
    caplog.clear()
    assert indexed(tree, store) == first
    assert indexed(tree, store) == first
    assert caplog.text == ""


def test_a_file_of_another_version_is_read_anew(tree: Path, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = indexed(tree, store)
    with sqlite3.connect(store) as connection:
        connection.execute("UPDATE writer SET name = 'another'")
    connection.close()
    looked = opened_files(monkeypatch)

    assert indexed(tree, store) == first
    assert len(looked) == 48


def test_a_place_that_cannot_be_written_costs_time_and_no_scan(
    tree: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        found = indexed(tree, tmp_path / "no" / "where" / "headers.db")

    assert found == index_paths(tree)
    assert "cannot be opened" in caplog.text


def test_files_that_are_gone_are_forgotten(tree: Path, store: Path) -> None:
    indexed(tree, store)
    shutil.rmtree(tree / "b")
    min((tree / "a").iterdir()).unlink()
    indexed(tree, store)

    with sqlite3.connect(store) as connection:
        rows = connection.execute("SELECT path FROM folder").fetchall()
    connection.close()
    assert rows == [(os.fsencode(tree / "a"),)]


def test_a_folder_can_be_forgotten(tree: Path, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    indexed(tree, store)
    forget(store, {str(tree / "a")})
    looked = opened_files(monkeypatch)

    indexed(tree, store)

    assert {Path(path).parent.name for path in looked} == {"a"}
    forget(tree / "nothing.db", {"x"})


def test_a_name_that_is_no_text_is_read_each_time(tree: Path, store: Path) -> None:
    path = min((tree / "a").iterdir())
    path.rename(os.fsdecode(os.fsencode(path.parent) + b"/\xff.dcm"))
    first = indexed(tree, store)

    assert indexed(tree, store) == first


def test_headers_come_back_as_they_were(tree: Path) -> None:
    path = min((tree / "a").iterdir())
    headers = read_headers(path.read_bytes(), path=str(path), sha256="a" * 64)
    row = row_of(headers)

    assert found_of(row, path=str(path), size=path.stat().st_size, sha256="a" * 64) == headers


@pytest.fixture(params=["1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.70"], ids=["native", "compressed"])
def frames(request: pytest.FixtureRequest, tmp_path: Path, writer: Write) -> Path:
    """A folder with a multi-frame file."""
    writer(tmp_path / "classic", syntax=request.param)
    slices = [pydicom.dcmread(path) for path in sorted((tmp_path / "classic").iterdir())]
    for ds in slices:
        ds.StudyID, ds.SeriesNumber, ds.Manufacturer, ds.ReferringPhysicianName = "1", 1, "X", ""
        ds.PositionReferenceIndicator = ""
    (tmp_path / "frames").mkdir()
    converted = LegacyConvertedEnhancedCTImage(slices, "1.2.3.1", 2, "1.2.3.4", 1, transfer_syntax_uid=request.param)
    converted.save_as(tmp_path / "frames" / "one.dcm")
    return tmp_path / "frames"


def test_the_headers_of_frames_come_back_as_they_were(frames: Path) -> None:
    (path,) = frames.iterdir()
    headers = read_headers(path.read_bytes(), path=str(path), sha256="a" * 64)
    row = json.loads(json.dumps(row_of(headers)))

    assert len(headers) == 24
    assert found_of(row, path=str(path), size=path.stat().st_size, sha256="a" * 64) == headers


def test_a_multi_frame_series_is_the_same_the_second_time(frames: Path, store: Path) -> None:
    first = indexed(frames, store)

    assert first.series[0].status is SeriesStatus.ACCEPTED
    assert indexed(frames, store) == first


@pytest.mark.parametrize(
    ("place", "value"), [(1, []), (1, [["short"]]), (1, "no-reason"), (2, 7), (2, "0f"), (3, {"x": 1}), (3, None)]
)
def test_an_entry_that_cannot_be_read_is_read_anew(
    tree: Path, store: Path, place: int, value: object, caplog: pytest.LogCaptureFixture
) -> None:
    first = indexed(tree, store)
    connection = sqlite3.connect(store)
    for folder, content in connection.execute("SELECT path, content FROM folder").fetchall():
        rows = json.loads(zlib.decompress(content))
        for row in rows.values():
            row[place] = value
        packed = zlib.compress(json.dumps(rows).encode())
        connection.execute("UPDATE folder SET content = ? WHERE path = ?", (packed, folder))
    connection.commit()
    connection.close()

    with caplog.at_level(logging.WARNING):
        assert indexed(tree, store) == first

    assert "an entry that cannot be read" in caplog.text


@given(st.dictionaries(st.integers(0, 5), st.sampled_from([None, Problem(Reason.DECODE_FAILED, "why")])))
def test_an_entry_comes_back_as_it_was(probed: dict[int, Problem | None]) -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE folder (path BLOB PRIMARY KEY, content BLOB)")
    stamp = Stamp(1, 2, 3, 4, 5)
    entry = Entry(stamp, Reason.NOT_DICOM, "b" * 64, probed)
    opened = manifest.Manifest(connection, now=time.time())

    opened.put("/x/y", entry)

    assert opened.get("/x/y", stamp) == entry
    assert opened.get("/x/y", stamp._replace(ctime_ns=9)) is None
    connection.close()
