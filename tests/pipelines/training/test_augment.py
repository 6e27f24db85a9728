from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from data_schemas.recipes import AugmentRecipe, ScanRecipe
from fusion_models.tokens import Tokens
from pipelines.cases.examples import Example, Mention, Sentence
from pipelines.training.augment_notes import augment_note_tokens, rewritten, with_note_copies
from pipelines.training.augment_scans import augment_scans, moved, smoothed

STILL = AugmentRecipe(
    rotation_degrees=0.0, scale=0.0, translation_mm=0.0, gain=0.0, offset=0.0, gamma=0.0, noise=0.0, blur=0.0
)
MRI = ScanRecipe(intensity="z-score", modalities=("MR",), channels=("t1", "t2"))


def affine(spacing=(2.0, 3.0, 5.0)) -> torch.Tensor:
    result = torch.diag(torch.tensor([*spacing, 1.0]))
    result[:3, 3] = torch.tensor([-10.0, 7.0, 40.0])
    return result


def positions(at: torch.Tensor, shape=(8, 10, 12)) -> torch.Tensor:
    """RAS millimetres of every voxel [3, Z, Y, X]."""
    z, y, x = torch.meshgrid(*(torch.arange(n, dtype=torch.float32) for n in shape), indexing="ij")
    return torch.einsum("ij,jzyx->izyx", at, torch.stack([x, y, z, torch.ones_like(x)]))[:3]


def test_a_moved_voxel_says_where_its_anatomy_lies():
    """A volume whose values are its own millimetres: wherever it is read, value and affine agree."""
    torch.manual_seed(4)
    given = positions(affine())[None].repeat(3, 1, 1, 1, 1)
    found, at = moved(given, affine().repeat(3, 1, 1), rotation_degrees=8.0, scale=0.1, translation_mm=2.0)
    inner = (slice(3, -3), slice(3, -3), slice(3, -3))
    for values, where in zip(found, at, strict=True):
        assert torch.allclose(values[(slice(None), *inner)], positions(where)[(slice(None), *inner)], atol=1e-3)
    assert not torch.allclose(at[0], at[1])


def test_moving_never_mirrors():
    torch.manual_seed(0)
    _, at = moved(
        torch.zeros(50, 1, 8, 8, 8), affine().repeat(50, 1, 1), rotation_degrees=45.0, scale=0.4, translation_mm=9.0
    )
    assert (torch.linalg.det(at[:, :3, :3]) > 0).all()
    assert (at[:, 0, 0] > 0).all()


def test_widths_of_zero_change_nothing():
    volume, at = torch.rand(2, 2, 8, 8, 8), affine().repeat(2, 1, 1)
    found, where = augment_scans(volume, at, recipe=STILL, scan=ScanRecipe())
    assert torch.allclose(found, volume, atol=1e-5)
    assert torch.allclose(where, at, atol=1e-4)


def test_windowed_values_stay_within_their_window():
    torch.manual_seed(0)
    strong = AugmentRecipe(gain=0.9, offset=0.9, gamma=0.9, noise=0.9)
    found, _ = augment_scans(torch.rand(4, 2, 8, 8, 8), affine().repeat(4, 1, 1), recipe=strong, scan=ScanRecipe())
    assert 0.0 <= float(found.min()) < float(found.max()) <= 1.0


def test_a_sequence_that_is_absent_stays_zero_and_its_mask_is_never_changed():
    torch.manual_seed(0)
    volume = torch.cat([torch.randn(2, 1, 8, 8, 8), torch.zeros(2, 1, 8, 8, 8)], dim=1)
    masks = torch.cat([torch.ones(2, 1, 8, 8, 8), torch.zeros(2, 1, 8, 8, 8)], dim=1)
    found, _ = augment_scans(
        torch.cat([volume, masks], dim=1), affine().repeat(2, 1, 1), recipe=AugmentRecipe(), scan=MRI
    )
    assert not found[:, 1].any()
    assert torch.allclose(found[:, 2], torch.ones(2, 8, 8, 8), atol=1e-5)
    assert not found[:, 3].any()
    assert not torch.allclose(found[:, 0], volume[:, 0])


def test_a_softer_kernel_keeps_the_mean_and_lowers_the_noise():
    torch.manual_seed(0)
    volume = torch.randn(1, 1, 16, 16, 16)
    found = smoothed(volume, at_most=1.0)
    assert float(found.mean()) == pytest.approx(float(volume.mean()), abs=0.02)
    assert float(found.std()) < float(volume.std())


def test_the_same_seed_draws_the_same_changes():
    volume, at = torch.rand(2, 2, 8, 8, 8), affine().repeat(2, 1, 1)
    found = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        found.append(augment_scans(volume, at, recipe=AugmentRecipe(), scan=ScanRecipe())[0])
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def note_tokens() -> Tokens:
    position = torch.tensor([[[0.0, 0.0], [0.0, 1.0], [5.0, 0.0], [7.0, 0.0]]]).repeat(40, 1, 1)
    mask = torch.ones(40, 4, dtype=torch.bool)
    mask[0] = False
    return Tokens(torch.randn(40, 4, 3), mask, position, torch.arange(4).expand(40, 4))


def test_dropped_sentences_are_masked_and_no_note_is_lost():
    torch.manual_seed(0)
    given = note_tokens()
    found = augment_note_tokens(given, sentence_drop=0.8, section_shuffle=0.0)
    assert torch.equal(found.mask.any(dim=1), given.mask.any(dim=1))
    assert int(found.mask.sum()) < int(given.mask.sum())
    assert not (found.mask & ~given.mask).any()
    assert torch.equal(found.position, given.position)


def test_shuffled_sections_swap_their_numbers_and_keep_their_sentences():
    torch.manual_seed(0)
    given = note_tokens()
    found = augment_note_tokens(given, sentence_drop=0.0, section_shuffle=1.0)
    assert torch.equal(found.position[..., 1], given.position[..., 1])
    assert torch.equal(found.position[:, 0, 0], found.position[:, 1, 0])
    assert all(sorted(row) == [0.0, 0.0, 5.0, 7.0] or row[0] == row[1] for row in found.position[1:, :, 0].tolist())
    assert {frozenset(row) for row in found.position[1:, :, 0].tolist()} == {frozenset({0.0, 5.0, 7.0})}
    assert len({tuple(row) for row in found.position[1:, :, 0].tolist()}) > 3


def example(*texts: str) -> Example:
    sentences = tuple(Sentence(text, f"0/{n // 2}/{n % 2}", n // 2, n % 2) for n, text in enumerate(texts))
    mentions = tuple(Mention(str(n), "present", None, n) for n in range(len(texts)))
    return Example("s", "p", None, sentences, (), mentions=mentions)


@settings(max_examples=60, deadline=None)
@given(count=st.integers(1, 7), drop=st.floats(0, 0.95), seed=st.integers(0, 999))
def test_a_rewritten_note_has_some_of_its_sentences_and_their_mentions(count, drop, seed):
    given_example = example(*(f"Sentence {n}." for n in range(count)))
    found = rewritten(given_example, recipe=AugmentRecipe(sentence_drop=drop), random=np.random.default_rng(seed))
    assert 1 <= len(found.sentences) <= count
    assert set(found.sentences) <= set(given_example.sentences)
    assert len(found.mentions) == len(found.sentences)
    for item in found.mentions:
        assert found.sentences[item.sentence] == given_example.sentences[int(item.finding)]
    for section in {row.section for row in found.sentences}:
        numbers = [row.number for row in found.sentences if row.section == section]
        assert numbers == sorted(numbers)


def test_a_finding_goes_by_another_of_its_names():
    found = rewritten(
        example("Congestive heart failure since spring; CHF clinic."),
        recipe=AugmentRecipe(synonyms=1.0, section_shuffle=0.0),
        random=np.random.default_rng(0),
    )
    [sentence] = found.sentences
    assert "heart failure since" not in sentence.text.replace("congestive ", "").lower() or "CHF" not in sentence.text
    assert sentence.text.endswith(" clinic.")
    assert sentence.text[0].isupper()


def test_words_that_only_contain_a_name_stay():
    text = "The pneumonias of winter; chfx; non-pneumonic."
    found = rewritten(
        example(text), recipe=AugmentRecipe(synonyms=1.0, section_shuffle=0.0), random=np.random.default_rng(0)
    )
    assert found.sentences[0].text == text


def test_copies_stand_beside_the_original_and_only_where_there_is_a_note():
    silent = dataclasses.replace(example(), mentions=())
    told = example("One.", "Two.", "Three.", "Four.")
    recipe = AugmentRecipe(note_copies=2, sentence_drop=0.5)
    found = with_note_copies([silent, told], recipe=recipe, seed=1)
    assert found[:2] == [silent, told]
    assert len(found) == 4
    assert found == with_note_copies([silent, told], recipe=recipe, seed=1)
    assert found[2] != told
