"""Digests of an index: of which files they are made, when, and what they notice."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason, Remark
from data_schemas.scan import SeriesStatus
from pipelines.scans.digest import seal
from pipelines.scans.index import index_paths

Write = Callable[..., np.ndarray]


def test_the_scan_id_is_the_digest_of_the_digests_in_slice_order(series: Callable[..., Path]) -> None:
    folder = series()
    files = {float(pydicom.dcmread(path).ImagePositionPatient[2]): path for path in folder.iterdir()}
    digests = [hashlib.sha256(files[z].read_bytes()).hexdigest() for z in sorted(files)]

    (scan,) = index_paths(folder).series[0].scans

    assert scan.scan_id == hashlib.sha256("".join(digests).encode()).hexdigest()
    assert [file.sha256 for file in scan.files] == digests


def test_without_digests_the_scan_says_that_it_is_not_sealed(series: Callable[..., Path]) -> None:
    folder = series()

    (scan,) = index_paths(folder, digests=False).series[0].scans

    assert not scan.sealed
    assert scan.scan_id.startswith("unsealed-")
    assert {file.sha256 for file in scan.files} == {""}


def test_a_sealed_scan_is_the_one_of_an_index_with_digests(series: Callable[..., Path]) -> None:
    folder = series()
    (scan,) = index_paths(folder, digests=False).series[0].scans
    (expected,) = index_paths(folder).series[0].scans

    assert seal(scan) == expected
    assert seal(expected) is expected


def test_a_scan_of_files_that_changed_since_cannot_be_sealed(series: Callable[..., Path]) -> None:
    folder = series()
    (scan,) = index_paths(folder, digests=False).series[0].scans
    path = min(folder.iterdir())
    data, status = path.read_bytes(), path.stat()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    with pytest.raises(RefusedError, match="digest-changed"):
        seal(scan)


def test_a_scan_of_files_that_are_gone_cannot_be_sealed(series: Callable[..., Path]) -> None:
    folder = series()
    (scan,) = index_paths(folder, digests=False).series[0].scans
    min(folder.iterdir()).unlink()

    with pytest.raises(RefusedError, match="digest-changed"):
        seal(scan)


def test_copies_are_dropped_without_digests_of_all_files(tmp_path: Path, writer: Write) -> None:
    writer(tmp_path / "a")
    (tmp_path / "b").mkdir()
    path = min((tmp_path / "a").iterdir())
    shutil.copy(path, tmp_path / "b")

    (entry,) = index_paths(tmp_path, digests=False).series

    assert (entry.status, entry.files, entry.remarks) == (SeriesStatus.ACCEPTED, 25, (Remark.COPIES_DROPPED,))
    (scan,) = entry.scans
    assert [Path(file.path).name for file in scan.files if file.sha256] == [path.name]


@pytest.mark.parametrize("digests", [True, False])
def test_one_instance_with_other_pixels_is_no_copy(tmp_path: Path, writer: Write, digests: bool) -> None:
    writer(tmp_path / "a")
    (tmp_path / "b").mkdir()
    path = min((tmp_path / "a").iterdir())
    data = path.read_bytes()
    (tmp_path / "b" / path.name).write_bytes(data[:-2] + bytes([data[-2] ^ 1]) + data[-1:])

    (entry,) = index_paths(tmp_path, digests=digests).series

    assert Reason.DUPLICATE_UID in entry.reasons


def test_a_file_that_changes_between_header_and_digest_is_noticed(
    series: Callable[..., Path],
) -> None:
    folder = series()
    path = min(folder.iterdir())
    data = path.read_bytes()

    def told(done: int, total: int) -> None:
        if done == total:
            path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))

    (entry,) = index_paths(folder, progress=told).series

    assert entry.reasons == (Reason.DIGEST_CHANGED,)


def test_digests_tell_how_far_they_are(series: Callable[..., Path]) -> None:
    told: list[tuple[int, int]] = []
    index_paths(series(), digest_progress=lambda done, total: told.append((done, total)))

    assert told == [(done, 24) for done in range(1, 25)]


def bytes_read() -> int:
    """What this process has asked the kernel for."""
    return int(Path("/proc/self/io").read_text().split()[1])


def test_a_run_over_headers_reads_no_more_than_headers(tmp_path: Path, writer: Write) -> None:
    values = np.random.default_rng(0).integers(-1000, 900, (24, 128, 128))
    writer(tmp_path, values=values)
    index_paths(tmp_path, digests=False)  # modules that are imported on first use are not counted
    before = bytes_read()

    index = index_paths(tmp_path, digests=False)

    # 4 KiB a file, and the slice that is decoded.
    assert bytes_read() - before < 24 * 4096 + 2 * 40_000
    assert index.series[0].status is SeriesStatus.ACCEPTED
