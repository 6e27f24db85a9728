"""Recordings to samples: strangers' bytes, whatever their name says."""

from __future__ import annotations

import io
import subprocess
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from pipelines.notes.transcribe_audio import kind_of, read_bytes, read_recording

av = pytest.importorskip("av", reason="the extra scanote[dictation] is not installed")


def wav(samples: np.ndarray, *, rate: int = 16_000) -> bytes:
    """A WAV file of samples [T] or [T, channels] in -1 to 1."""
    stream = io.BytesIO()
    with wave.open(stream, "wb") as out:
        out.setnchannels(samples.shape[1] if samples.ndim > 1 else 1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes((samples * 32767).astype("<i2").tobytes())
    return stream.getvalue()


def tone(seconds: float, *, rate: int = 16_000) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * 440 * np.arange(int(seconds * rate)) / rate)


def encoded(samples: np.ndarray, *, container: str, codec: str) -> bytes:
    stream = io.BytesIO()
    with av.open(stream, "w", format=container) as out:
        track = out.add_stream(codec, rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray((samples * 32767).astype(np.int16)[None], format="s16", layout="mono")
        frame.sample_rate = 16_000
        resampler = av.AudioResampler(format=track.codec_context.format or "s16", layout="mono", rate=16_000)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            out.mux(track.encode(part))
        out.mux(track.encode(None))
    return stream.getvalue()


def refused(content: bytes, *, seconds_at_most: float = 60.0) -> Reason:
    with pytest.raises(RefusedError) as caught:
        read_recording(content, seconds_at_most=seconds_at_most)
    assert "\n" not in str(caught.value)
    return caught.value.reason


def test_a_wav_comes_back_as_it_was_written() -> None:
    samples = read_recording(wav(tone(1.0)), seconds_at_most=60.0)
    assert samples.dtype == np.float32
    assert np.abs(samples - tone(1.0)).max() < 1e-3


@pytest.mark.parametrize("rate", [8_000, 44_100])
def test_other_rates_are_brought_to_sixteen_kilohertz(rate: int) -> None:
    samples = read_recording(wav(tone(1.0, rate=rate), rate=rate), seconds_at_most=60.0)
    assert abs(len(samples) - 16_000) < 200
    crossings = np.count_nonzero(np.diff(np.signbit(samples)))
    assert abs(crossings - 880) < 20


def test_two_channels_are_averaged() -> None:
    both = np.stack([tone(1.0), np.zeros(16_000)], axis=1)
    samples = read_recording(wav(both), seconds_at_most=60.0)
    assert np.abs(samples).max() == pytest.approx(0.25, abs=0.12)


@pytest.mark.parametrize(("container", "codec"), [("flac", "flac"), ("mp3", "libmp3lame")])
def test_flac_and_mp3_are_read(container: str, codec: str) -> None:
    samples = read_recording(encoded(tone(1.0), container=container, codec=codec), seconds_at_most=60.0)
    assert abs(len(samples) - 16_000) < 2_000


def test_an_empty_file_is_refused() -> None:
    assert refused(b"") is Reason.NOT_A_RECORD


def test_a_recording_of_no_length_is_refused() -> None:
    assert refused(wav(np.zeros(0))) is Reason.NO_SPEECH


@pytest.mark.parametrize(
    "content", [b"\x00\x00\x00\x20ftypmp42" + bytes(99), b"RIFF\0\0\0\0AVI LIST", b"PK\3\4aaaaaaaaaaaa"]
)
def test_a_video_or_an_archive_is_refused_whatever_its_name(content: bytes) -> None:
    assert refused(content) is Reason.NOT_A_RECORD


def test_a_truncated_wav_is_refused() -> None:
    assert refused(wav(tone(1.0))[:-5_000]) is Reason.TRUNCATED


def test_a_truncated_flac_is_refused() -> None:
    whole = encoded(np.random.default_rng(0).uniform(-0.5, 0.5, 32_000), container="flac", codec="flac")
    assert refused(whole[: len(whole) // 2]) in {Reason.TRUNCATED, Reason.DECODE_FAILED}


def test_noise_with_the_head_of_a_recording_is_refused() -> None:
    junk = np.random.default_rng(0).bytes(20_000)
    assert refused(b"fLaC" + junk) in {Reason.DECODE_FAILED, Reason.TRUNCATED, Reason.NO_SPEECH}
    assert refused(b"ID3\4\0\0\0\0\0\0" + junk) in {Reason.DECODE_FAILED, Reason.NO_SPEECH}


def test_a_recording_that_lasts_too_long_is_refused() -> None:
    assert refused(wav(tone(3.0)), seconds_at_most=2.0) is Reason.TOO_LARGE


def test_a_file_that_is_too_large_is_not_even_read(tmp_path: Path) -> None:
    path = tmp_path / "large.wav"
    with path.open("wb") as stream:
        stream.truncate(2 * 2**20)
    with pytest.raises(RefusedError) as caught:
        read_bytes(path, megabytes_at_most=1.0)
    assert caught.value.reason is Reason.TOO_LARGE


def test_the_process_that_decodes_gets_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[dict[str, str]] = []
    run = subprocess.run

    def watched(*arguments: Any, **options: Any) -> Any:
        started.append(options["env"])
        return run(*arguments, **options)

    monkeypatch.setenv("SCANOTE_FHIR_PASSWORD", "swordfish")
    monkeypatch.setattr(subprocess, "run", watched)
    read_recording(wav(tone(1.0)), seconds_at_most=60.0)
    assert started
    assert "swordfish" not in started[0].values()


def test_a_kind_is_known_by_its_bytes() -> None:
    assert kind_of(wav(tone(0.1))[:12]) == "wav"
