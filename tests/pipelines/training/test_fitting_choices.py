"""What the recipe says of losses, labels and steps reaches a fit of the trainable part and of the scan encoder."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from pydantic import ValidationError

from data_schemas.recipes import AugmentRecipe, ModelRecipe, TrainingRecipe
from fusion_models.case_model import Batch, CaseModel
from fusion_models.tokens import Tokens
from pipelines.models.build import build_case_model, build_scan_encoder
from pipelines.training.fitting import fit_case_model, fit_scan_encoder, training_labels

CASES = 24


def batch() -> Batch:
    generator = torch.Generator().manual_seed(0)

    def tokens(features: int, coordinates: int) -> Tokens:
        return Tokens(
            torch.randn(CASES, 3, features, generator=generator),
            torch.ones(CASES, 3, dtype=torch.bool),
            torch.rand(CASES, 3, coordinates, generator=generator),
            torch.arange(3).expand(CASES, 3),
        )

    return Batch({"scan": tokens(5, 3), "note": tokens(4, 2)})


LABELS = (torch.arange(CASES * 3).reshape(CASES, 3) % 4 == 0).float()


@pytest.fixture
def fitted(recipe):
    """Fit the trainable part with some changes to the recipe's training; gives its weights, as one vector."""

    def go(**changes) -> torch.Tensor:
        training = recipe.training.model_copy(update={"epochs": 2, "batch_size": 8, **changes})
        changed = recipe.model_copy(update={"training": training, "modalities": ("scan", "note")})
        torch.manual_seed(0)
        model: CaseModel = build_case_model(changed, modalities=("scan", "note"), scan_features=5, note_features=4)
        fit_case_model(model, batch(), LABELS, batch(), LABELS, recipe=changed)
        return torch.cat([part.detach().flatten() for part in model.parameters()])

    return go


@pytest.mark.parametrize(
    "changes",
    [
        {"optimizer": "sgd"},
        {"schedule": "step"},
        {"loss": "focal"},
        {"loss": "asymmetric"},
        {"class_weighting": "effective", "effective_beta": 0.5},
        {"alignment_weight": 1.0},
        {"averaging": "ema"},
        {"accumulate": 2},
        {"augment": AugmentRecipe(notes=True, sentence_drop=0.5)},
    ],
    ids=lambda changes: " ".join(map(str, changes.values()))[:20],
)
def test_each_choice_reaches_the_weights(fitted, changes):
    plain, changed = fitted(), fitted(**changes)
    assert torch.isfinite(changed).all()
    assert not torch.equal(plain, changed)


def test_what_only_a_broken_off_fit_needs_does_not_reach_the_weights(fitted):
    assert torch.equal(fitted(), fitted(checkpoint_steps=1, checkpoint_seconds=0.1))


@pytest.mark.parametrize(("policy", "low", "high"), [("zeros", 0.0, 0.0), ("ones", 1.0, 1.0), ("soft", 0.55, 0.85)])
def test_uncertain_labels_are_taken_as_the_recipe_has_them(examples, policy, low, high):
    rows = [dataclasses.replace(examples[0], labels={"a": value}) for value in (1, 0, -1, -1)]
    rows.append(dataclasses.replace(examples[0], labels={}))
    found = training_labels(rows, ["a"], training=TrainingRecipe(uncertain=policy))[:, 0]
    assert found[:2].tolist() == [1.0, 0.0]
    assert all(low <= value <= high for value in found[2:4].tolist())
    assert found[4].isnan()
    assert torch.equal(found[:4], training_labels(rows, ["a"], training=TrainingRecipe(uncertain=policy))[:4, 0])


def test_uncertain_labels_are_unknown_by_default(examples):
    rows = [dataclasses.replace(examples[0], labels={"a": -1})]
    assert training_labels(rows, ["a"], training=TrainingRecipe()).isnan().all()


def test_a_band_of_uncertain_labels_lies_within_the_labels():
    with pytest.raises(ValidationError, match="uncertain_band"):
        TrainingRecipe(uncertain_band=(0.8, 0.2))


def test_augmented_and_checkpointed_the_scan_encoder_learns_other_weights_and_says_the_same_twice(recipe, examples):
    def learn(**changes) -> torch.Tensor:
        changed: ModelRecipe = recipe.model_copy(
            update={"training": recipe.training.model_copy(update={"scan_epochs": 1, "scan_batch_size": 4, **changes})}
        )
        rows = [row for row in examples if row.scan is not None][:8]
        torch.manual_seed(0)
        encoder = build_scan_encoder(changed, signs=1)
        fit_scan_encoder(encoder, rows, rows[:2], signs=("pleural-effusion",), recipe=changed)
        return torch.cat([part.detach().flatten().float() for part in encoder.state_dict().values()])

    plain, moved = learn(), learn(augment=AugmentRecipe(scans=True))
    assert not torch.equal(plain, moved)
    assert torch.equal(moved, learn(augment=AugmentRecipe(scans=True)))
    assert torch.allclose(plain, learn(gradient_checkpointing=True), atol=1e-5)
