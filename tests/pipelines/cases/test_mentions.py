"""What the input sections say of findings, as the model reads it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_schemas.recipes import ModelRecipe, NoteRecipe
from pipelines.cases.examples import Mention, sentences_of
from pipelines.cases.mentions import mentions_of
from pipelines.notes.concepts import reader_digest
from pipelines.workspace.cache import ArrayCache

NOTES = (
    "HISTORY:\nCough for a week. No pneumothorax.\n\nIMPRESSION:\nPneumonia.",
    "Seen today.\nHISTORY:\nDrain for a left pleural effusion in March.\nFAMILY HISTORY:\nFather had lung cancer.",
)


@pytest.fixture
def recipe() -> ModelRecipe:
    return ModelRecipe(modalities=("scan", "note", "concept"))


def read(texts, recipe, cache=None):
    sentences = sentences_of(texts, input_sections=recipe.note.input_sections)
    return mentions_of(texts, sentences, recipe=recipe, cache=cache), sentences


def test_mentions_are_those_of_the_input_sections_and_point_at_their_sentences(recipe):
    found, sentences = read(NOTES, recipe)
    assert found == (Mention("pneumothorax", "negated", None, 1), Mention("pleural-effusion", "present", "left", 3))
    assert [sentences[item.sentence].text for item in found] == [
        "No pneumothorax.",
        "Drain for a left pleural effusion in March.",
    ]


def test_a_model_that_reads_no_concepts_gets_none(recipe):
    found, _ = read(NOTES, recipe.model_copy(update={"modalities": ("scan", "note")}))
    assert found == ()


def test_the_settings_say_which_sections_are_read(recipe):
    note = NoteRecipe(input_sections=("impression", "family-history"))
    found, _ = read(NOTES, recipe.model_copy(update={"note": note}))
    assert [(item.finding, item.assertion) for item in found] == [("pneumonia", "present"), ("lung-cancer", "family")]


def test_a_note_that_was_read_before_comes_from_the_cache(recipe, tmp_path, monkeypatch):
    cache = ArrayCache(tmp_path)
    first = read(NOTES, recipe, cache)

    def never(*_args, **_named):
        raise AssertionError("read again")

    monkeypatch.setattr("pipelines.cases.mentions.read_concepts", never)
    assert read(NOTES, recipe, cache) == first


def test_another_vocabulary_reads_the_note_again(recipe, tmp_path, monkeypatch):
    cache = ArrayCache(tmp_path)
    first = read(NOTES, recipe, cache)
    monkeypatch.setattr("pipelines.cases.mentions.reader_digest", lambda: "0" * 64)
    monkeypatch.setattr("pipelines.cases.mentions.read_concepts", lambda *_args, **_named: ())
    assert read(NOTES, recipe, cache)[0] == ()
    assert first[0]


def test_no_word_of_a_note_stands_in_the_cache(recipe, tmp_path: Path):
    read(["HISTORY: Mrs Canary has a pleural effusion."], recipe, ArrayCache(tmp_path))
    content = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert content
    assert b"anary" not in content
    assert b"effusion" not in content


def test_the_digest_of_the_reader_changes_with_its_words_and_its_rules(monkeypatch):
    before = reader_digest()
    for name, value in (
        ("RULES", "concepts/99"),
        ("read_terms", lambda: {}),
        ("findings", dict),
    ):
        reader_digest.cache_clear()
        with monkeypatch.context() as patch:
            patch.setattr(f"pipelines.notes.concepts.{name}", value)
            assert reader_digest() != before
    reader_digest.cache_clear()
    assert reader_digest() == before


PARTS = st.sampled_from(
    [
        "HISTORY: ",
        "IMPRESSION:\n",
        "no ",
        "left ",
        "pneumonia. ",
        "pleural effusion ",
        "\n\n",
        "cough. ",
        "Plan - ",
        "; ",
    ]
)


@given(st.lists(st.lists(PARTS, max_size=12).map("".join), max_size=3))
def test_every_mention_points_at_a_sentence_that_has_its_words(texts):
    found, sentences = read(texts, ModelRecipe(modalities=("concept",)))
    for item in found:
        told = sentences[item.sentence].text.lower()
        assert {"pneumonia": "pneumonia", "pleural-effusion": "effusion"}[item.finding] in told
