"""Passes of a speech model over a recording: the same stretches of speech, heard under different prompts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from pipelines.notes.transcribe_align import Word
from pipelines.notes.transcribe_decode import RATE
from pipelines.notes.transcribe_model import SpeechModel

# A Whisper hears 30 s at once, and only its first window is given the prompt: no stretch is longer.
LONGEST_SECONDS = 25.0
MARGIN_SECONDS = 0.2
SHORTEST_PAUSE_MS = 150
MOST_TOKENS_A_SECOND = 8.0  # twice as many as fast speech has
# As Whisper's authors use them: text that repeats itself, that hardly fits the sound, that is made of silence.
MOST_COMPRESSED, LEAST_LOG_PROBABILITY, MOST_SILENT = 2.4, -1.0, 0.6


@dataclass(frozen=True)
class Stretch:
    """A part of a recording (from, to, in s), and whether speech goes on over its end without a real pause."""

    start: float
    end: float
    cut: bool = False


@dataclass(frozen=True)
class Pass:
    """What one pass heard in a stretch, in the recording's time, and which of its words stand in shaky text."""

    words: tuple[Word, ...]
    shaky: frozenset[int] = frozenset()


def find_speech(samples: np.ndarray) -> list[tuple[float, float]]:
    """Speech (from, to, in s) in samples [T] at 16 kHz, by the Silero detector that faster-whisper carries."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    rules = VadOptions(
        min_silence_duration_ms=SHORTEST_PAUSE_MS, speech_pad_ms=60, max_speech_duration_s=LONGEST_SECONDS - 1.0
    )
    return [(part["start"] / RATE, part["end"] / RATE) for part in get_speech_timestamps(samples, rules)]


def stretches(speech: Sequence[tuple[float, float]]) -> list[Stretch]:
    """Speech packed into stretches of at most ``LONGEST_SECONDS``, cut at the longest pauses that allow it.

    A cut in a pause shorter than 0.3 s may lie within a sentence, and is told.
    """
    parts = list(speech)
    found = []
    while parts:
        fitting = [number for number, (_, end) in enumerate(parts) if end - parts[0][0] <= LONGEST_SECONDS] or [0]
        last = fitting[-1]
        if last + 1 < len(parts):
            pauses = {number: parts[number + 1][0] - parts[number][1] for number in fitting}
            late = [number for number in fitting if parts[number][1] - parts[0][0] >= LONGEST_SECONDS / 3] or [last]
            last = max(late, key=lambda number: pauses[number])
            found.append(Stretch(parts[0][0], parts[last][1], cut=pauses[last] < 0.3))
        else:
            found.append(Stretch(parts[0][0], parts[last][1]))
        parts = parts[last + 1 :]
    return found


def hear(whisper: Any, samples: np.ndarray, stretch: Stretch, *, prompt: str | None, beam: int) -> Pass:
    """One pass over a stretch: temperature 0 and no memory of earlier text, so that it is always the same."""
    first = max(int((stretch.start - MARGIN_SECONDS) * RATE), 0)
    last = int((stretch.end + MARGIN_SECONDS) * RATE)
    segments, _ = whisper.transcribe(
        samples[first:last],
        language="en",
        beam_size=beam,
        temperature=0.0,
        condition_on_previous_text=False,
        word_timestamps=True,
        initial_prompt=prompt,
        # With time marks in the text, what is left after the last of them is heard again, and became endless loops.
        without_timestamps=True,
        max_new_tokens=int(MOST_TOKENS_A_SECOND * (stretch.end - stretch.start)) + 24,
        vad_filter=False,
    )
    words: list[Word] = []
    shaky: set[int] = set()
    for segment in segments:
        begun = len(words)
        for text, start, end, confidence in _whole_words(segment.words or ()):
            words.append(Word(text, start + first / RATE, end + first / RATE, confidence))
        if (
            segment.compression_ratio > MOST_COMPRESSED
            or segment.avg_logprob < LEAST_LOG_PROBABILITY
            or segment.no_speech_prob > MOST_SILENT
        ):
            shaky.update(range(begun, len(words)))
    return Pass(tuple(words), frozenset(shaky))


def hear_thrice(model: SpeechModel, samples: np.ndarray, stretch: Stretch, *, beam: int) -> tuple[Pass, Pass, Pass]:
    """The prompted pass, which gives the text, the unprompted and the denying one; those two search no wider than 2."""
    narrow = min(beam, 2)
    return (
        hear(model.whisper, samples, stretch, prompt=model.prompt, beam=beam),
        hear(model.whisper, samples, stretch, prompt=None, beam=narrow),
        hear(model.whisper, samples, stretch, prompt=model.denials, beam=narrow),
    )


def unheard(speech: Sequence[tuple[float, float]], words: Sequence[Word], *, seconds: float = 0.7) -> list[float]:
    """Where speech of at least so many seconds began that gave no word."""
    heard = sorted((word.start - 0.3, word.end + 0.3) for word in words)
    gaps = []
    for start, end in speech:
        edges = [(start, start), *((max(a, start), min(b, end)) for a, b in heard if b > start and a < end), (end, end)]
        reached = start
        for (_, before), (after, _) in pairwise(edges):
            reached = max(reached, before)
            if after - reached >= seconds:
                gaps.append(reached)
    return gaps


def _whole_words(parts: Sequence[Any]) -> Iterator[tuple[str, float, float, float]]:
    """Words with their marks; what begins without a blank ("4" and ".2") is the end of the word before."""
    held: tuple[str, float, float, float] | None = None
    for part in parts:
        text = part.word.strip()
        if not text:
            continue
        if held and not part.word[:1].isspace():
            held = (held[0] + text, held[1], float(part.end), min(held[3], float(part.probability)))
            continue
        if held:
            yield held
        held = (text, float(part.start), float(part.end), float(part.probability))
    if held:
        yield held
