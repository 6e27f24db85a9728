"""A cache entry is right or absent."""

from __future__ import annotations

import logging
import signal
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pipelines.workspace import cache as module
from pipelines.workspace.cache import ArrayCache

KEY = "ab" * 32
DIE_BEFORE_REPLACE = """
import os, signal, sys
from pathlib import Path
import numpy as np
from pipelines.workspace.cache import ArrayCache
os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
ArrayCache(Path(sys.argv[1])).put("ab" * 32, np.ones(9))
"""
DTYPES = st.sampled_from(["f4", "f8", "i2", "u1", "?", "f2"])
ARRAYS = arrays.arrays(DTYPES, arrays.array_shapes(min_dims=0, min_side=0, max_dims=3, max_side=4))


@pytest.fixture
def cache(tmp_path: Path) -> ArrayCache:
    return ArrayCache(tmp_path / "cache")


def entry(cache: ArrayCache) -> Path:
    return next(path for path in cache.root.rglob("*") if path.is_file())


@settings(max_examples=30, deadline=None)
@given(array=ARRAYS, order=st.sampled_from("CF"))
def test_what_was_put_is_got_in_value_type_and_shape(tmp_path_factory, array: np.ndarray, order: str) -> None:
    cache = ArrayCache(tmp_path_factory.mktemp("cache"))
    cache.put(KEY, np.asarray(array, order=order))
    found = cache.get(KEY)
    np.testing.assert_array_equal(found, array, strict=True)


def test_a_found_array_cannot_be_written_to(cache: ArrayCache) -> None:
    cache.put(KEY, np.zeros(3))
    with pytest.raises(ValueError, match="read-only"):
        cache.get(KEY)[0] = 1


def test_an_absent_key_is_none(cache: ArrayCache) -> None:
    assert cache.get(KEY) is None
    assert cache.get_arrays(KEY) is None


def test_named_arrays_are_got_as_they_were_put(cache: ArrayCache) -> None:
    arrays_in = {"values": np.arange(6, dtype="f4").reshape(2, 3).T, "mask": np.array([True, False])}
    cache.put_arrays(KEY, arrays_in)
    found = cache.get_arrays(KEY)
    assert found.keys() == arrays_in.keys()
    for name, array in arrays_in.items():
        np.testing.assert_array_equal(found[name], array, strict=True)


def test_python_objects_are_refused(cache: ArrayCache) -> None:
    with pytest.raises(ValueError, match="allow_pickle"):
        cache.put(KEY, np.array([object()]))


@pytest.mark.parametrize("key", ["../../etc/passwd", "AB" * 32, "", "ab"])
def test_a_key_that_is_no_digest_is_refused(cache: ArrayCache, key: str) -> None:
    for use in (cache.get, cache.get_arrays):
        with pytest.raises(ValueError, match="digest"):
            use(key)


def test_entries_are_for_their_owner_alone(cache: ArrayCache) -> None:
    cache.put(KEY, np.zeros(3))
    assert stat.S_IMODE(entry(cache).stat().st_mode) == 0o600
    assert stat.S_IMODE(entry(cache).parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("named", [False, True])
def test_every_single_flipped_bit_is_noticed_dropped_and_said(tmp_path: Path, named: bool, caplog) -> None:
    cache = ArrayCache(tmp_path)
    put = (lambda: cache.put_arrays(KEY, {"a": np.arange(3.0)})) if named else (lambda: cache.put(KEY, np.arange(3.0)))
    get = cache.get_arrays if named else cache.get
    caplog.set_level(logging.WARNING)
    put()
    path, good = entry(cache), entry(cache).read_bytes()
    for position in range(len(good)):
        path.write_bytes(good[:position] + bytes([good[position] ^ 1 << position % 8]) + good[position + 1 :])
        caplog.clear()
        assert get(KEY) is None
        assert "dropped" in caplog.text
        assert not path.exists()
    put()
    assert get(KEY) is not None


def test_every_truncation_is_noticed(cache: ArrayCache) -> None:
    cache.put(KEY, np.arange(3.0))
    path, good = entry(cache), entry(cache).read_bytes()
    for length in range(len(good)):
        path.write_bytes(good[:length])
        assert cache.get(KEY) is None


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"x" * 500])
def test_without_the_digest_a_damaged_header_is_still_noticed(tmp_path: Path, content: bytes) -> None:
    cache = ArrayCache(tmp_path, verify=False)
    cache.put(KEY, np.arange(3.0))
    entry(cache).write_bytes(content)
    assert cache.get(KEY) is None


def test_without_the_digest_trailing_bytes_are_still_noticed(tmp_path: Path) -> None:
    cache = ArrayCache(tmp_path, verify=False)
    cache.put(KEY, np.arange(3.0))
    with entry(cache).open("ab") as stream:
        stream.write(b"x")
    assert cache.get(KEY) is None


def test_a_process_killed_before_the_move_leaves_no_entry(cache: ArrayCache, child) -> None:
    assert child(cache.root, code=DIE_BEFORE_REPLACE).wait(30) == -signal.SIGKILL
    assert cache.get(KEY) is None
    cache.put(KEY, np.zeros(2))
    np.testing.assert_array_equal(cache.get(KEY), np.zeros(2))


def test_writers_and_readers_at_once_see_whole_entries_only(cache: ArrayCache) -> None:
    expected = np.arange(5000.0)

    def use(number: int) -> bool:
        if number % 2:
            cache.put(KEY, expected)
        found = cache.get(KEY)
        return found is None or np.array_equal(found, expected)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(use, range(100)))


def test_a_cache_that_cannot_be_written_is_said_aloud_and_harms_nothing(tmp_path: Path, caplog) -> None:
    (tmp_path / "file").write_text("")
    cache = ArrayCache(tmp_path / "file")
    cache.put(KEY, np.zeros(3))
    assert "not cached" in caplog.text
    assert cache.get(KEY) is None


def test_the_key_alone_is_told_of_a_damaged_entry(cache: ArrayCache, caplog) -> None:
    cache.put(KEY, np.zeros(3))
    entry(cache).write_bytes(b"SECRET")
    cache.get(KEY)
    assert KEY in caplog.text
    assert "SECRET" not in caplog.text
    assert module.log.name in caplog.text or caplog.records


DIE_WHILE_WRITING = """
import os, signal, sys
from pathlib import Path
import numpy as np
import pipelines.workspace.files as files
from pipelines.workspace.cache import ArrayCache
class Dying:
    def __init__(self, stream):
        self.stream = stream
    def __enter__(self):
        return self
    def __exit__(self, *_):
        self.stream.close()
    def write(self, data):
        self.stream.write(data[: len(data) // 2])
        self.stream.flush()
        os.kill(os.getpid(), signal.SIGKILL)
opened = os.fdopen
files.os.fdopen = lambda *arguments: Dying(opened(*arguments))
ArrayCache(Path(sys.argv[1])).put("ab" * 32, np.ones(5000))
"""
WRITE_OFTEN = """
import sys
from pathlib import Path
import numpy as np
from pipelines.workspace.cache import ArrayCache
cache = ArrayCache(Path(sys.argv[1]))
expected = np.arange(50_000.0)
for _ in range(60):
    cache.put("ab" * 32, expected)
    found = cache.get("ab" * 32)
    assert found is not None and np.array_equal(found, expected)
"""


def test_a_process_killed_in_the_middle_of_a_write_leaves_no_entry(cache: ArrayCache, child) -> None:
    assert child(cache.root, code=DIE_WHILE_WRITING).wait(30) == -signal.SIGKILL
    assert cache.get(KEY) is None
    cache.put(KEY, np.zeros(2))
    np.testing.assert_array_equal(cache.get(KEY), np.zeros(2))


def test_a_process_killed_in_the_middle_of_a_write_leaves_an_older_entry_whole(cache: ArrayCache, child) -> None:
    cache.put(KEY, np.arange(3.0))
    assert child(cache.root, code=DIE_WHILE_WRITING).wait(30) == -signal.SIGKILL
    np.testing.assert_array_equal(cache.get(KEY), np.arange(3.0))


def test_two_processes_that_write_one_key_disturb_neither_each_other_nor_a_reader(cache: ArrayCache, child) -> None:
    expected = np.arange(50_000.0)
    writers = [child(cache.root, code=WRITE_OFTEN) for _ in range(2)]
    seen = 0
    while any(writer.poll() is None for writer in writers):
        found = cache.get(KEY)
        if found is not None:
            np.testing.assert_array_equal(found, expected)
            seen += 1
    assert [writer.wait(30) for writer in writers] == [0, 0]
    assert seen
    np.testing.assert_array_equal(cache.get(KEY), expected)
