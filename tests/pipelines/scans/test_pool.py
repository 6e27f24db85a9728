"""The pool of decoders, with real children: what they give, what ends them, and what they leave behind."""

from __future__ import annotations

import mmap
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import imagecodecs
import numpy as np
import pytest

from data_schemas.errors import RefusedError, ScanoteError
from data_schemas.reasons import Reason
from pipelines.scans import child as child_module
from pipelines.scans import pool_child
from pipelines.scans.child import DECODED, FAILED, NO_MEMORY, READY, REPLY, REQUEST, decode_code, pixels_at
from pipelines.scans.pool import DecoderPool, default_pool

FRAME = np.random.default_rng(1).integers(0, 4096, (64, 60)).astype(np.uint16)
CODES = {
    "jpeg": imagecodecs.jpeg8_encode(FRAME, lossless=True),
    "jpegls": imagecodecs.jpegls_encode(FRAME),
    "jpeg2k": imagecodecs.jpeg2k_encode(FRAME, level=0, codecformat="j2k", reversible=True),
}
# 16 megapixels of noise keep OpenJPEG busy for seconds, and in need of hundreds of megabytes.
SLOW_SIDE = 1500


@pytest.fixture
def pool() -> Iterator[DecoderPool]:
    with DecoderPool(size=1) as pool:
        yield pool


@pytest.fixture(scope="module")
def slow() -> bytes:
    noise = np.random.default_rng(2).integers(0, 65536, (SLOW_SIDE, SLOW_SIDE)).astype(np.uint16)
    return imagecodecs.jpeg2k_encode(noise, level=0, codecformat="j2k", reversible=True, numthreads=2)


def decode(pool: DecoderPool, codec: str = "jpegls", code: bytes | None = None) -> np.ndarray:
    return pool.decode(codec, CODES[codec] if code is None else code, rows=64, columns=60, sample_bytes=2)


def refusal(pool: DecoderPool, codec: str, code: bytes, *, side: int = 64) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        pool.decode(codec, code, rows=side, columns=side, sample_bytes=2)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value


@pytest.mark.parametrize("codec", CODES)
def test_a_child_gives_the_pixels_that_were_compressed(pool: DecoderPool, codec: str) -> None:
    np.testing.assert_array_equal(decode(pool, codec), FRAME)


def test_a_frame_is_the_callers_own(pool: DecoderPool) -> None:
    first = decode(pool)
    other = imagecodecs.jpegls_encode(FRAME[::-1].copy())
    pool.decode("jpegls", other, rows=64, columns=60, sample_bytes=2)

    np.testing.assert_array_equal(first, FRAME)


def test_frames_of_growing_size_pass_through_one_child(pool: DecoderPool) -> None:
    for side in (8, 900, 16, 1400):
        frame = np.full((side, side), side, np.uint16)
        code = imagecodecs.jpegls_encode(frame)
        np.testing.assert_array_equal(pool.decode("jpegls", code, rows=side, columns=side, sample_bytes=2), frame)
    assert len(pool.pids()) == 1


def test_children_are_started_when_they_are_needed_and_stay(pool: DecoderPool) -> None:
    assert pool.pids() == ()
    decode(pool)
    before = pool.pids()
    decode(pool)

    assert pool.pids() == before


@pytest.mark.parametrize("code", [b"", b"\xff\xd8\xff", b"noise" * 100])
def test_what_a_decoder_refuses_is_refused_and_the_child_lives_on(pool: DecoderPool, code: bytes) -> None:
    assert refusal(pool, "jpegls", code).reason is Reason.DECODE_FAILED
    assert pool.deaths == 0
    np.testing.assert_array_equal(decode(pool), FRAME)


def test_a_frame_of_another_shape_than_asked_for_is_refused(pool: DecoderPool) -> None:
    refused = refusal(pool, "jpegls", CODES["jpegls"], side=60)

    assert refused.reason is Reason.DECODE_FAILED
    assert "shape" in refused.detail


def test_a_frame_that_takes_too_long_ends_its_child_and_no_other_frame(slow: bytes) -> None:
    with DecoderPool(size=1, seconds=0.05) as pool:
        refused = refusal(pool, "jpeg2k", slow, side=SLOW_SIDE)

        assert refused.reason is Reason.DECODER_DIED
        assert "0.05 s" in refused.detail
        np.testing.assert_array_equal(decode(pool), FRAME)
        assert pool.deaths == 1


def test_a_frame_that_needs_too_much_memory_is_refused(slow: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_child, "SPACE_BYTES", 0)
    monkeypatch.setattr(pool_child, "SPACE_BYTES_PER_PIXEL", 1)
    with DecoderPool(size=1) as pool:
        refused = refusal(pool, "jpeg2k", slow, side=SLOW_SIDE)

        assert refused.reason in {Reason.DECODER_DIED, Reason.DECODE_FAILED}
        monkeypatch.undo()
        np.testing.assert_array_equal(decode(pool), FRAME)


def test_a_bomb_takes_no_more_memory_than_its_frame_may(pool: DecoderPool) -> None:
    decode(pool)
    bomb = bytearray(CODES["jpeg2k"])
    for at in (8, 12, 24, 28):  # width and height of the picture, and of its one tile
        bomb[at : at + 4] = (16384).to_bytes(4, "big")

    assert refusal(pool, "jpeg2k", bytes(bomb)).reason in {Reason.DECODER_DIED, Reason.DECODE_FAILED}
    for pid in pool.pids():
        peak = Path(f"/proc/{pid}/status").read_text().split("VmHWM:")[1].split()[0]
        assert int(peak) < 128 * 1024


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
def test_a_child_that_died_between_frames_costs_one_frame(pool: DecoderPool, number: signal.Signals) -> None:
    decode(pool)
    (pid,) = pool.pids()
    os.kill(pid, number)
    refused = refusal(pool, "jpegls", CODES["jpegls"])

    assert refused.reason is Reason.DECODER_DIED
    assert number.name in refused.detail
    np.testing.assert_array_equal(decode(pool), FRAME)
    assert pool.pids() != (pid,)


def test_a_child_that_is_stopped_is_ended_when_patience_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with DecoderPool(size=1, seconds=0.05) as pool:
        decode(pool)
        os.kill(pool.pids()[0], signal.SIGSTOP)
        refused = refusal(pool, "jpegls", CODES["jpegls"])

        assert refused.reason is Reason.DECODER_DIED
        assert "no answer" in refused.detail


def test_many_threads_share_few_children() -> None:
    frames = [np.full((64, 60), number, np.uint16) for number in range(200)]
    codes = [imagecodecs.jpegls_encode(frame) for frame in frames]
    with DecoderPool(size=2) as pool, ThreadPoolExecutor(8) as workers:
        found = list(workers.map(lambda code: decode(pool, "jpegls", code), codes))
        assert len(pool.pids()) <= 2

    assert all(np.array_equal(one, other) for one, other in zip(found, frames, strict=True))


def test_children_that_die_among_threads_cost_their_own_frames_only() -> None:
    stop = threading.Event()

    def kill(pool: DecoderPool) -> None:
        while not stop.wait(0.05):
            for pid in pool.pids():
                os.kill(pid, signal.SIGKILL)

    def attempt(pool: DecoderPool) -> str:
        try:
            return "right" if np.array_equal(decode(pool), FRAME) else "wrong"
        except RefusedError as refused:
            return refused.reason.value

    with DecoderPool(size=2) as pool, ThreadPoolExecutor(5) as workers:
        killer = workers.submit(kill, pool)
        outcomes = set(workers.map(attempt, [pool] * 200))
        stop.set()
        killer.result()

    assert outcomes <= {"right", "decoder-died"}
    assert "right" in outcomes


def test_an_interrupt_between_question_and_answer_replaces_the_child(
    pool: DecoderPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode(pool)
    before = pool.pids()

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(pool_child.Child, "_answer", interrupt)
        with pytest.raises(KeyboardInterrupt):
            decode(pool)

    np.testing.assert_array_equal(decode(pool), FRAME)
    assert pool.pids() != before


def test_a_closed_pool_leaves_no_process_and_decodes_no_more() -> None:
    with DecoderPool(size=1) as pool:
        decode(pool)
        (pid,) = pool.pids()

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(ScanoteError, match="closed"):
        decode(pool)


def test_a_pool_that_is_forgotten_leaves_no_process() -> None:
    pool = DecoderPool(size=1)
    decode(pool)
    (pid,) = pool.pids()
    del pool

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize("arguments", [{"size": 0}, {"seconds": 0.0}, {"seconds": float("nan")}])
def test_a_pool_without_children_or_time_is_refused(arguments: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="pool"):
        DecoderPool(**arguments)  # type: ignore[arg-type]


def test_a_python_that_cannot_be_run_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with DecoderPool(size=1) as pool, pytest.raises(ScanoteError, match="no decoder process"):
        decode(pool)


def test_a_child_that_does_not_start_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_child, "_environment", lambda: {"PYTHONPATH": "/nowhere", "PYTHONHOME": "/nowhere"})
    with DecoderPool(size=1) as pool, pytest.raises(ScanoteError, match="does not start"):
        decode(pool)


SCRIPT = """
import sys, time
import numpy as np, imagecodecs
from pipelines.scans.pool import default_pool
code = imagecodecs.jpegls_encode(np.zeros((8, 8), np.uint16))
default_pool().decode("jpegls", code, rows=8, columns=8, sample_bytes=2)
print(*default_pool().pids(), flush=True)
"""


def gone(pid: int, *, within: float = 5.0) -> bool:
    until = time.monotonic() + within
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def test_children_end_with_a_parent_that_is_killed() -> None:
    command = [sys.executable, "-c", SCRIPT + "time.sleep(60)"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()

        assert gone(pid)


def test_children_end_with_their_parent_and_say_nothing() -> None:
    done = subprocess.run([sys.executable, "-W", "error", "-c", SCRIPT], capture_output=True, text=True, check=True)

    assert done.stderr == ""
    assert gone(int(done.stdout))


UNUSED = """
import os
child = os.fork()
if child == 0:
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
default_pool().decode("jpegls", code, rows=8, columns=8, sample_bytes=2)
"""

FORKED = """
import os
first = default_pool().pids()
child = os.fork()
if child == 0:
    frame = default_pool().decode("jpegls", code, rows=8, columns=8, sample_bytes=2)
    assert frame.shape == (8, 8) and not set(default_pool().pids()) & set(first)
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
default_pool().decode("jpegls", code, rows=8, columns=8, sample_bytes=2)
assert default_pool().pids() == first
"""


@pytest.mark.parametrize("then", [FORKED, UNUSED], ids=["used", "unused"])
def test_after_a_fork_each_process_has_children_of_its_own(then: str) -> None:
    done = subprocess.run([sys.executable, "-W", "error", "-c", SCRIPT + then], capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")


def test_the_process_has_one_pool_of_its_own() -> None:
    assert default_pool() is default_pool()


def test_shared_memory_cannot_be_cut_short_under_its_reader() -> None:
    descriptor = pool_child.shared_memory(2**20)
    try:
        with pytest.raises(OSError, match="not permitted"):
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def test_without_memfd_an_unnamed_file_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "memfd_create")
    with DecoderPool(size=1) as pool:
        np.testing.assert_array_equal(decode(pool), FRAME)


# The child's side, in this process.


@pytest.mark.parametrize("codec", CODES)
def test_a_codestream_is_decoded_as_it_was_made(codec: str) -> None:
    np.testing.assert_array_equal(decode_code(codec, memoryview(CODES[codec]), 64, 60, 2), FRAME)


def test_an_rle_frame_is_decoded_as_the_others_are() -> None:
    code = struct.pack("<16I", 1, 64, *[0] * 14) + b"\x02abc"

    assert decode_code("rle", memoryview(code), 1, 3, 1).tolist() == [list(b"abc")]


def test_samples_wider_than_asked_for_are_refused() -> None:
    with pytest.raises(ValueError, match="bits"):
        decode_code("jpegls", memoryview(CODES["jpegls"]), 64, 60, 1)


def test_a_child_answers_until_its_channel_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_module, "_space_limit", lambda: lambda _: None)
    monkeypatch.setattr(signal, "setitimer", lambda *_: None)
    ours, theirs = socket.socketpair()
    code = CODES["jpegls"]
    shared = pool_child.shared_memory(2**20)
    with ours, theirs, ThreadPoolExecutor(1) as workers:
        serving = workers.submit(child_module.serve, theirs)
        assert REPLY.unpack(ours.recv(REPLY.size))[0] == READY
        os.pwrite(shared, code, 0)
        request = REQUEST.pack(b"jpegls", 2**20, len(code), 64, 60, 2, 2**30, 5.0)
        # In two pieces, as a socket may deliver them.
        socket.send_fds(ours, [request[:10]], [shared])
        ours.sendall(request[10:])
        assert REPLY.unpack(ours.recv(REPLY.size))[:2] == (DECODED, b"u2")
        pixels = np.frombuffer(os.pread(shared, FRAME.nbytes, pixels_at(len(code))), np.uint16).reshape(64, 60)
        np.testing.assert_array_equal(pixels, FRAME)
        ours.sendall(REQUEST.pack(b"jpegls", 0, 3, 64, 60, 2, 2**30, 5.0))
        assert REPLY.unpack(ours.recv(REPLY.size))[0] == FAILED
        ours.shutdown(socket.SHUT_WR)
        serving.result(timeout=5)
    os.close(shared)


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (MemoryError(), NO_MEMORY, b""),
        (RuntimeError("of a library"), FAILED, b"RuntimeError"),
        (ValueError("in our own words"), FAILED, b"in our own words"),
        (UnicodeError("of a library"), FAILED, b"UnicodeError"),
    ],
)
def test_a_child_tells_its_own_words_and_of_a_library_the_kind_of_error_only(
    error: Exception, status: int, told: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(child_module, "decode_code", fail)
    monkeypatch.setattr(child_module, "_space_limit", lambda: lambda _: None)
    answer = child_module._answer(mmap.mmap(-1, 4096), "jpegls", 8, 4, 4, 2, 2**30, 5.0)

    assert REPLY.unpack(answer) == (status, b"\0\0", told.ljust(61, b"\0"))


def test_limits_hold_while_a_frame_is_decoded_and_are_lifted_after_it() -> None:
    before = resource.getrlimit(resource.RLIMIT_AS)
    with child_module._limits(2**44, 100.0):
        assert 2**44 <= resource.getrlimit(resource.RLIMIT_AS)[0] < 2**45
        assert 0.0 < signal.getitimer(signal.ITIMER_PROF)[0] < 101.0

    assert resource.getrlimit(resource.RLIMIT_AS) == before
    assert signal.getitimer(signal.ITIMER_PROF)[0] == 0.0


def test_a_child_without_shared_memory_ends() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(REQUEST.pack(b"jpegls", 0, 3, 64, 60, 2, 2**30, 5.0))
        child_module.serve(theirs)
