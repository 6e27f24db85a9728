"""A doctor's recording becomes the text of a note, with a confidence a word, and with its doubts.

A vocabulary as prompt mends the terms that a speech model does not know, and swallows words that matter: *No
pneumothorax* became *Pneumothorax*. So three passes are compared: prompted with the findings, without a prompt, and
prompted with the findings denied, which errs the other way. The first gives the text; the others decide what of it is
believed.
"""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from data_schemas.dictation import Dictation, Heard
from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from data_schemas.settings import DictationSettings
from pipelines.notes.transcribe_align import Word
from pipelines.notes.transcribe_audio import read_bytes, read_recording
from pipelines.notes.transcribe_decode import RATE
from pipelines.notes.transcribe_doubts import Sentence, doubts, missed
from pipelines.notes.transcribe_model import SpeechModel, load_speech_model
from pipelines.notes.transcribe_passes import find_speech, hear_thrice, stretches, unheard
from pipelines.notes.transcribe_text import sentence_bounds, write_note
from pipelines.sources.dictation import Transcriber
from pipelines.workspace.cache import ArrayCache
from pipelines.workspace.digests import json_digest, sha256_bytes
from pipelines.workspace.identity import patient_key
from pipelines.workspace.paths import Workspace

# Names how a recording becomes text: a new name, where the method changes, leaves cached transcripts of the old one.
METHOD = "transcript/1"


def transcribe(
    samples: np.ndarray,
    *,
    model: SpeechModel,
    audio_sha256: str,
    recipe: str,
    beam: int = 5,
    critical_confidence: float = 0.5,
    mask_below: float | None = None,
) -> Heard:
    """The transcript of samples [T], mono, 16 kHz.

    Parameters
    ----------
    audio_sha256, recipe
        Digests of the file and of what decides its text; they travel with the note.
    critical_confidence
        A negation, side or number heard with less makes its sentence uncertain.
    mask_below
        Words heard with less are replaced by the sign for unclear ones.

    Raises
    ------
    RefusedError
        No speech was found, or none that gave a word (``no-speech``).

    Notes
    -----
    Whisper (Radford et al. 2022) by beam search at temperature 0, on stretches of speech found by the Silero voice
    detector; confidences are those of its word alignment. How passes are compared: `transcribe_doubts`.
    """
    speech = find_speech(samples)
    words: list[Word] = []
    sentences: list[Sentence] = []
    gaps: list[float] = []
    follows_cut = False
    for stretch in stretches(speech):
        main, plain, denying = hear_thrice(model, samples, stretch, beam=beam)
        found = doubts(
            main.words,
            sentence_bounds(main.words),
            unprompted=plain.words,
            denying=denying.words,
            speech=speech,
            vocabulary=model.vocabulary,
            shaky=main.shaky,
            critical_confidence=critical_confidence,
            cut=(follows_cut, stretch.cut),
        )
        gaps += missed(main.words, plain.words)
        follows_cut = stretch.cut
        before = len(words)
        words += main.words
        sentences += [Sentence(item.first + before, item.last + before, item.kinds) for item in found]
    if not words:
        raise RefusedError(Reason.NO_SPEECH, "no speech was found in the recording")
    gaps += [moment for moment in unheard(speech, words) if all(abs(moment - gap) > 2.0 for gap in gaps)]
    written = write_note(words, sentences, unheard=gaps, mask_below=mask_below or 0.0)
    told = Dictation(
        audio_sha256=audio_sha256,
        recipe=recipe,
        seconds=round(len(samples) / RATE, 2),
        sentences=written.sentences,
        words=written.words,
        doubts=written.doubts,
    )
    return Heard(text=written.text, dictation=told)


def transcriber(workspace: Workspace) -> Transcriber:
    """A function that transcribes a file of a patient by the workspace's settings.

    The model is loaded at the first recording that needs it. A transcript is cached under the patient's key, by the
    digests of the recording, of the model and of the settings, so a recording is transcribed once.
    """
    rules = workspace.settings.dictation

    @cache
    def model() -> SpeechModel:
        return load_speech_model(
            rules.model,
            revision=rules.revision,
            allow_download=rules.allow_download,
            vocabulary=rules.vocabulary,
            threads=rules.threads,
        )

    def run(path: Path, patient_id: str) -> Heard:
        content = read_bytes(path, megabytes_at_most=rules.megabytes_at_most)
        audio, recipe = sha256_bytes(content), transcript_recipe(model(), rules)
        cached = ArrayCache(workspace.cache).of(patient_key(workspace.key, patient_id))
        key = json_digest([audio, recipe])
        kept = cached.get(key)
        if kept is not None:
            with suppress(ValidationError):  # of another version of scanote
                return Heard.model_validate_json(kept.tobytes())
        heard = transcribe(
            read_recording(content, seconds_at_most=rules.seconds_at_most),
            model=model(),
            audio_sha256=audio,
            recipe=recipe,
            beam=rules.beam,
            critical_confidence=rules.critical_confidence,
            mask_below=rules.mask_below,
        )
        cached.put(key, np.frombuffer(heard.model_dump_json().encode(), np.uint8))
        return heard

    return run


def transcript_recipe(model: SpeechModel, rules: DictationSettings) -> str:
    """Digest of everything but the recording that a transcript depends on."""
    words = sorted(model.vocabulary)
    settings = [rules.beam, rules.critical_confidence, rules.mask_below]
    return json_digest([METHOD, model.digest, model.prompt, model.denials, words, settings])
