"""The page of a case with a transcribed note: it says so, and shows what is not believed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from data_schemas.dictation import UNCERTAIN, Dictation, SpokenWord
from pipelines.delivery.case_page import write_case_page


def test_a_transcript_shows_its_marks_and_its_weak_words(
    tmp_path: Path, case: Callable[..., Any], diagnosis: Callable[..., Any], sections: Callable[..., Any]
) -> None:
    text = f"Cough for days.\n{UNCERTAIN} There is pneumothorax."
    words = (
        SpokenWord(start=0, end=5, said=0.0, confidence=0.31),
        SpokenWord(start=6, end=9, said=0.5, confidence=0.98),
    )
    told = Dictation(audio_sha256="a", recipe="r", seconds=1.0, sentences=2, words=words)
    plain = case(text)
    of = plain.model_copy(update={"notes": (plain.notes[0].model_copy(update={"dictation": told}),)})
    path = write_case_page(tmp_path, diagnosis(of), case=of, sections=sections(of), volume=None, geometry=None)
    page = path.read_text()
    assert "transcribed" in page
    assert 'class="s uncertain" title="Not believed' in page
    assert f"{UNCERTAIN} There is pneumothorax." in page
    assert "Heard poorly: Cough (0.31)" in page
    assert "for (0.98)" not in page
