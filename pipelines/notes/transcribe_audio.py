"""Recordings to samples: what a file is stands in its bytes, and strangers' bytes are decoded in a child process."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from data_schemas.errors import RefusedError, ScanoteError
from data_schemas.reasons import Reason
from pipelines.notes.transcribe_decode import CPU_SECONDS, CUT_SHORT, DONE, NO_MEMORY, RATE, REFUSED, TOO_LONG

HEAD_BYTES = 12
FEWEST_SECONDS = 0.3
PATIENCE = 2.0  # by the clock decoding may take longer than by the processor


def read_recording(content: bytes, *, seconds_at_most: float) -> np.ndarray:
    """Samples [T] of a WAV, FLAC or MP3 file, mono, 16 kHz, float32 in -1 to 1. Channels are averaged.

    Raises
    ------
    RefusedError
        The bytes are another kind of file (``not-a-record``); end early (``truncated``); last longer than
        ``seconds_at_most`` (``too-large``) or shorter than a word (``no-speech``); are damaged (``decode-failed``); or
        the process that decodes them died (``decoder-died``).
    ScanoteError
        No process can be started.
    """
    kind = kind_of(content[:HEAD_BYTES])
    if kind == "wav" and _is_cut(content):
        raise RefusedError(Reason.TRUNCATED, "the recording ends before its header says it does; export it again")
    command = [sys.executable, "-B", "-P", "-m", "pipelines.notes.transcribe_decode", kind, str(seconds_at_most)]
    try:
        with tempfile.TemporaryFile() as given:
            given.write(content)
            given.seek(0)
            done = subprocess.run(  # noqa: S603
                command,
                stdin=given,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_environment(),
                timeout=CPU_SECONDS * PATIENCE,
                check=False,
            )
    except subprocess.TimeoutExpired:
        raise RefusedError(Reason.DECODER_DIED, "the recording took too long to decode") from None
    except OSError as error:
        raise ScanoteError(f"no process can be started that decodes recordings ({error.strerror})") from None
    _check(done.returncode, seconds_at_most)
    samples = np.frombuffer(done.stdout, np.int16).astype(np.float32) / 32768.0
    if len(samples) < FEWEST_SECONDS * RATE:
        raise RefusedError(Reason.NO_SPEECH, "the recording is empty or shorter than a word")
    return samples


def kind_of(head: bytes) -> str:
    """``wav``, ``flac`` or ``mp3`` by the first bytes of a file; ``RefusedError`` (not-a-record) for all others."""
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return "wav"
    if head[:4] == b"fLaC":
        return "flac"
    if head[:3] == b"ID3" or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2):
        return "mp3"
    told = "is empty" if not head else "is no WAV, FLAC or MP3, whatever its name says; convert it"
    raise RefusedError(Reason.NOT_A_RECORD, f"the recording {told}")


def _is_cut(content: bytes) -> bool:
    """Whether a WAV file's data is shorter than its header says, or of a length that nobody wrote down."""
    place = 12
    while place + 8 <= len(content):
        size = int.from_bytes(content[place + 4 : place + 8], "little")
        if content[place : place + 4] == b"data":
            return content[:4] == b"RIFF" and place + 8 + size > len(content)
        place += 8 + size + size % 2
    return True


def _check(code: int, seconds_at_most: float) -> None:
    if code == DONE:
        return
    if code == TOO_LONG:
        detail = f"the recording lasts longer than {seconds_at_most:g} s (dictation.seconds_at_most); split it"
        raise RefusedError(Reason.TOO_LARGE, detail)
    if code == CUT_SHORT:
        raise RefusedError(Reason.TRUNCATED, "the recording ends before its header says it does; export it again")
    if code == REFUSED:
        raise RefusedError(Reason.DECODE_FAILED, "the recording is damaged; export it again")
    told = "needed more memory than it may" if code == NO_MEMORY else "died"
    raise RefusedError(Reason.DECODER_DIED, f"the process that decodes the recording {told}")


def read_bytes(path: Path, *, megabytes_at_most: float) -> bytes:
    """The bytes of a recording; ``RefusedError`` (too-large) before any of them is read where it is too large."""
    size = path.stat().st_size
    if size > megabytes_at_most * 2**20:
        detail = f"the recording is larger than {megabytes_at_most:g} MB (dictation.megabytes_at_most)"
        raise RefusedError(Reason.TOO_LARGE, detail)
    return path.read_bytes()


def _environment() -> dict[str, str]:
    paths = [path or str(Path.cwd()) for path in sys.path]
    threads = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    plain = {name: value for name, value in os.environ.items() if not name.startswith("SCANOTE_")}  # no credentials
    return {**plain, **threads, "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths))}
