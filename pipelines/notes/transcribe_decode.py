"""The process that decodes strangers' recordings: it holds no patient and no secret, and may die.

Started as ``python -m pipelines.notes.transcribe_decode FORMAT SECONDS`` with the recording as its standard input, it
writes mono samples (16 bits, 16 kHz) to its standard output, and ends with one of the codes below. It imports PyAV and
numpy only. The kernel ends it where it takes more memory or processor time than it may.
"""

from __future__ import annotations

import contextlib
import sys
from typing import Any

RATE = 16_000
DONE, REFUSED, TOO_LONG, CUT_SHORT, NO_MEMORY = 0, 3, 4, 5, 6
SPACE_BYTES = 2 * 2**30
CPU_SECONDS = 300


def main(container_format: str, seconds_at_most: float) -> int:
    """Decode standard input to standard output; the exit code."""
    _bound()
    try:
        import av

        av.logging.set_level(av.logging.PANIC)
        return _decode(av, container_format, seconds_at_most)
    except MemoryError:
        return NO_MEMORY
    except Exception:  # whatever a foreign file makes the decoder raise
        return REFUSED


def _decode(av: Any, container_format: str, seconds_at_most: float) -> int:
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    given, written = 0.0, 0
    with av.open(sys.stdin.buffer, mode="r", format=container_format, metadata_errors="ignore") as container:
        if len(container.streams.audio) != 1:
            return REFUSED
        stream = container.streams.audio[0]
        stated = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else None
        if stated is not None and stated > seconds_at_most:
            return TOO_LONG
        for frame in container.decode(stream):
            given += frame.samples / frame.sample_rate
            frame.pts = None
            for part in resampler.resample(frame):
                written += _write(part)
            if written > seconds_at_most * RATE:
                return TOO_LONG
        for part in resampler.resample(None):
            written += _write(part)
    sys.stdout.buffer.flush()
    # The length that an MP3 states is often a guess.
    return CUT_SHORT if container_format != "mp3" and stated is not None and given < stated - 0.1 else DONE


def _write(frame: Any) -> int:
    samples = frame.to_ndarray().reshape(-1)
    sys.stdout.buffer.write(samples.tobytes())
    return len(samples)


def _bound() -> None:
    import resource

    limits = {
        resource.RLIMIT_AS: SPACE_BYTES,
        resource.RLIMIT_CPU: CPU_SECONDS,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
    }
    for what, limit in limits.items():
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(what, (limit, limit))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], float(sys.argv[2])))
