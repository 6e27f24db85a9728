"""Whole records in windows, read under a budget of sub-words."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from data_schemas.recipes import NoteRecipe
from pipelines.cases.examples import Example, Sentence
from pipelines.models import note_features
from pipelines.models.note_features import batches_of, encode_notes

RECIPE = NoteRecipe(window=32, stride=8)


@pytest.fixture(scope="module")
def records(examples) -> list[Example]:
    """A short record, a long one, one without text and one of middle length."""
    told = examples[3].sentences

    def of(count: int) -> Example:
        rows = tuple(Sentence(told[n % len(told)].text, f"0/0/{n}", 1, n) for n in range(count))
        return dataclasses.replace(examples[0], sentences=rows)

    return [of(1), of(40), of(0), of(9)]


def states(records, packaged, recipe=RECIPE) -> list[torch.Tensor]:
    return [tokens.values[0] for tokens, _ in encode_notes(records, note_model=packaged, recipe=recipe, device="cpu")]


@given(st.lists(st.integers(1, 60), max_size=40), st.integers(1, 200))
def test_every_window_is_in_one_batch_that_keeps_the_budget(lengths, budget):
    batches = batches_of(lengths, budget=budget)
    assert sorted(number for batch in batches for number in batch) == list(range(len(lengths)))
    for batch in batches:
        padded = len(batch) * max(lengths[number] for number in batch)
        assert padded <= budget or len(batch) == 1
        assert padded - sum(lengths[number] for number in batch) <= 0.2 * padded + 1e-6


@given(st.lists(st.integers(1, 60), min_size=2, max_size=40))
def test_windows_of_like_length_are_read_together(lengths):
    order = [lengths[number] for batch in batches_of(lengths, budget=120) for number in batch]
    assert order == sorted(order)


@pytest.mark.parametrize("unit", ["sentence", "token"])
@pytest.mark.parametrize("budget", [1, 70, 10**6])
def test_a_record_reads_the_same_however_its_windows_are_spread_over_batches(
    records, packaged, monkeypatch, unit, budget
):
    recipe = RECIPE.model_copy(update={"unit": unit})
    alone = [states([record], packaged, recipe)[0] for record in records]
    monkeypatch.setattr(note_features, "SUBWORDS_A_BATCH", budget)
    for one, other in zip(states(records, packaged, recipe), alone, strict=True):
        assert torch.allclose(one, other, atol=1e-5)


def test_the_encoder_never_gets_more_than_the_budget_however_long_a_record_is(records, packaged, monkeypatch):
    shapes = []
    run = packaged.encoder.sums

    def watched(ids, *arguments):
        shapes.append(ids.shape)
        return run(ids, *arguments)

    monkeypatch.setattr(note_features, "SUBWORDS_A_BATCH", 100)
    monkeypatch.setattr(packaged.encoder, "sums", watched)
    states(records, packaged)
    assert len(shapes) > 4
    assert max(rows * columns for rows, columns in shapes) <= 100


def test_the_sub_words_of_two_windows_are_averaged_over_both(packaged, examples):
    """A sentence over two windows, by hand: the sums and counts of each window on its own."""
    words = Sentence("cough " * 40, "0/0/0", 1, 0)
    example = dataclasses.replace(examples[0], sentences=(words,))
    [(tokens, cut)] = encode_notes([example], note_model=packaged, recipe=RECIPE, device="cpu")
    assert len(cut.ids) == 2
    total, count = torch.zeros(1, packaged.encoder.features), 0
    with torch.no_grad():
        for row in cut.ids:
            ids = torch.tensor([row])
            hidden = packaged.encoder.backbone(input_ids=ids, output_hidden_states=True).hidden_states
            total += torch.cat([hidden[1], hidden[-1]], dim=-1)[0, 1:-1].sum(dim=0)
            count += len(row) - 2
    assert torch.allclose(tokens.values[0], total / count, atol=1e-5)


def test_of_a_record_that_is_too_long_the_last_sentences_are_read(records, packaged):
    recipe = RECIPE.model_copy(update={"windows_at_most": 2})
    [(_, cut)] = encode_notes([records[1]], note_model=packaged, recipe=recipe, device="cpu")
    assert cut.sentence[-1] == 39
    assert cut.sentence[0] > 0
    assert cut.left_out > 0
