"""Speech made by synthetic voices becomes a note, through the real model; silence, noise and music do not."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from data_schemas.errors import ModelError, RefusedError
from data_schemas.reasons import Reason
from data_schemas.settings import DictationSettings
from pipelines.notes.sections import split_sections
from pipelines.notes.transcribe import transcribe, transcriber, transcript_recipe
from pipelines.notes.transcribe_align import Word
from pipelines.notes.transcribe_model import SpeechModel, fit_prompt, load_speech_model, resolve_speech_model
from pipelines.notes.transcribe_passes import LONGEST_SECONDS, stretches, unheard
from pipelines.sources.text import read_text_notes
from pipelines.workspace.paths import create_workspace

pytest.importorskip("faster_whisper", reason="the extra scanote[dictation] is not installed")
SAID = "Clinical history. Cough for 3 days. Findings. There is a small right pleural effusion. No pneumothorax."


def model(digest: str = "d", prompt: str = "p") -> SpeechModel:
    return SpeechModel(whisper=None, digest=digest, prompt=prompt, denials="n")


@pytest.fixture(scope="module")
def tiny() -> SpeechModel:
    return load_speech_model("packaged", threads=1)


@pytest.fixture
def say(debian: Callable[[str, Path], None]) -> Callable[[str, Path], None]:
    debian("flite", Path("/usr/bin/flite"))

    def speak(text: str, path: Path) -> None:
        subprocess.run(["flite", "-voice", "rms", "-t", text, "-o", str(path)], check=True)

    return speak


def test_speech_is_cut_at_its_longest_pauses() -> None:
    speech = [(0.0, 10.0), (11.5, 20.0), (20.2, 28.0), (29.0, 40.0)]
    assert [(part.start, part.end, part.cut) for part in stretches(speech)] == [
        (0.0, 10.0, False),
        (11.5, 28.0, False),
        (29.0, 40.0, False),
    ]


def test_a_cut_without_a_pause_is_told() -> None:
    assert [part.cut for part in stretches([(0.0, 20.0), (20.1, 40.0)])] == [True, False]


def test_no_stretch_is_longer_than_what_is_heard_at_once() -> None:
    generator = np.random.default_rng(0)
    edges = np.cumsum(generator.uniform(0.2, 8.0, 400))
    speech = [(float(a), float(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    found = stretches(speech)
    assert max(part.end - part.start for part in found) <= LONGEST_SECONDS
    assert (found[0].start, found[-1].end) == (speech[0][0], speech[-1][1])


def test_speech_that_gave_no_word_is_told() -> None:
    words = [Word("a", 0.0, 1.0, 1.0), Word("b", 4.0, 5.0, 1.0)]
    assert unheard([(0.0, 5.0)], words) == [pytest.approx(1.3)]
    assert unheard([(0.0, 1.2), (4.0, 5.0)], words) == []


def test_the_prompt_holds_as_many_terms_as_fit() -> None:
    terms = ["mass", "effusion", "edema"]
    prompt = fit_prompt(terms, template="no {}.", tokens=lambda text: len(text.split()), at_most=5)
    assert prompt == "No mass. No effusion."


def test_the_recipe_changes_with_model_prompt_and_settings() -> None:
    rules = DictationSettings()
    recipes = {
        transcript_recipe(model(), rules),
        transcript_recipe(model("e"), rules),
        transcript_recipe(model(prompt="q"), rules),
        transcript_recipe(model(), rules.model_copy(update={"beam": 4})),
        transcript_recipe(model(), rules.model_copy(update={"critical_confidence": 0.4})),
        transcript_recipe(model(), rules.model_copy(update={"mask_below": 0.1})),
    }
    assert len(recipes) == 6
    assert transcript_recipe(model(), rules.model_copy(update={"threads": 3})) in recipes


def test_a_hub_id_is_not_fetched_unless_allowed() -> None:
    with pytest.raises(ModelError, match=r"dictation\.allow_download"):
        resolve_speech_model("nobody/no-such-whisper")


def test_a_folder_without_a_model_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no model\.bin in it"):
        resolve_speech_model(str(tmp_path))


@pytest.mark.parametrize("kind", ["silence", "noise", "tone"])
def test_where_nobody_speaks_nothing_is_believed(kind: str, tiny: SpeechModel) -> None:
    clock = np.arange(5 * 16_000) / 16_000
    samples = {
        "silence": np.zeros(len(clock)),
        "noise": np.random.default_rng(0).normal(0.0, 0.1, len(clock)),
        "tone": 0.3 * np.sin(2 * np.pi * 440 * clock) * (1 + np.sin(2 * np.pi * 3 * clock)) / 2,
    }[kind].astype(np.float32)
    with pytest.raises(RefusedError) as caught:
        transcribe(samples, model=tiny, audio_sha256="a", recipe="r")
    assert caught.value.reason is Reason.NO_SPEECH


@pytest.mark.services
def test_a_recording_becomes_a_note_once(
    tmp_path: Path, say: Callable[[str, Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = create_workspace(tmp_path / "w")
    folder = tmp_path / "notes"
    folder.mkdir()
    say(SAID, folder / "a.wav")
    (folder / "manifest.csv").write_text("file,patient_id,datetime,type\na.wav,007,2025-03-01T10:00,note\n")
    (note,) = read_text_notes(folder / "manifest.csv", transcribe=transcriber(workspace)).notes
    sections = {section.name: section.sentences for section in split_sections(note.text)}
    assert {"history", "findings"} <= set(sections)
    assert any("pneumothorax" in sentence for sentence in sections["findings"])
    assert note.dictation is not None
    assert all(0.0 <= word.confidence <= 1.0 for word in note.dictation.words)
    assert [note.text[word.start : word.end] for word in note.dictation.words][:1] == ["Clinical"]
    monkeypatch.setattr("pipelines.notes.transcribe.read_recording", _unable_to_hear)
    (again,) = read_text_notes(folder / "manifest.csv", transcribe=transcriber(workspace)).notes
    assert again == note


def _unable_to_hear(*arguments: object, **options: object) -> np.ndarray:
    raise AssertionError("a recording was decoded again")


@pytest.mark.services
def test_ingest_and_pages_say_that_a_note_is_a_transcript(tmp_path: Path, say: Callable[[str, Path], None]) -> None:
    from pipelines.cases.ingest import ingest
    from pipelines.workspace import catalogue

    workspace = create_workspace(tmp_path / "w")
    folder = tmp_path / "notes"
    folder.mkdir()
    say("No pneumothorax.", folder / "a.wav")
    shutil.copy(folder / "a.wav", folder / "stray.wav")
    (folder / "manifest.csv").write_text("file,patient_id,datetime,type\na.wav,007,2025-03-01T10:00,note\n")
    done = ingest(workspace, notes=[folder])
    assert [line.reason for line in done.refused] == [Reason.MISSING_PATIENT]
    with workspace.database() as engine:
        (note,) = catalogue.notes(engine)
    assert note.dictation is not None
    assert json.loads(note.model_dump_json())["dictation"]["recipe"] == note.dictation.recipe
    assert ingest(workspace, notes=[folder]).put["notes"].added == 0
