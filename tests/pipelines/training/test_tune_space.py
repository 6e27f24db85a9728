"""What a tuning searches over: the settings' own recipe and late fusion are in it, whatever the settings are."""

from __future__ import annotations

import itertools

import optuna
import pytest

from data_schemas.errors import SettingsError
from data_schemas.recipes import FusionRecipe, ModelRecipe, TrainingRecipe
from pipelines.training.tune.space import (
    TUNABLE,
    first_trials,
    make_space,
    suggested,
    value_of,
    values_of,
    with_values,
)


def recipe_of(**fusion: object) -> ModelRecipe:
    return ModelRecipe(fusion=FusionRecipe.model_validate(fusion))


@pytest.mark.parametrize(
    "recipe",
    [
        ModelRecipe(),
        recipe_of(width=24, heads=3),
        recipe_of(width=16, heads=2, dropout=0.7),
        ModelRecipe(training=TrainingRecipe(learning_rate=0.05, weight_decay=0.0, batch_size=7)),
    ],
    ids=["defaults", "odd heads", "narrow", "out of the usual ranges"],
)
def test_the_settings_own_recipe_and_late_fusion_with_its_values_are_the_first(recipe: ModelRecipe) -> None:
    space = make_space(recipe)
    first = {
        name: suggested(optuna.trial.FixedTrial(values), space)  # warns, which is an error, where a range lacks a value
        for name, values in first_trials(space).items()
    }
    assert list(first) == ["late", "settings"]
    assert first["settings"] == recipe
    assert first["late"] == recipe.model_copy(update={"fusion": recipe.fusion.model_copy(update={"kind": "late"})})


@pytest.mark.parametrize(("width", "heads"), [(64, 4), (24, 3), (16, 2), (8, 8), (100, 5)])
@pytest.mark.parametrize("only", [(), ("fusion.width",), ("fusion.heads",)])
def test_heads_divide_every_width_that_they_meet(width: int, heads: int, only: tuple[str, ...]) -> None:
    space = make_space(recipe_of(width=width, heads=heads), only=only)
    widths = space.choices.get("fusion.width", (width,))
    for one, other in itertools.product(widths, space.choices.get("fusion.heads", (heads,))):
        assert int(one) % int(other) == 0


def test_only_what_is_named_varies_and_late_fusion_stays_in_the_race() -> None:
    recipe = recipe_of(kind="gated")
    space = make_space(recipe, only=("training.learning_rate",))
    assert space.names == ("fusion.kind", "training.learning_rate")
    assert space.choices["fusion.kind"] == ("gated", "late")


def test_a_recipe_of_late_fusion_is_one_first_trial() -> None:
    assert list(first_trials(make_space(recipe_of(kind="late")))) == ["late"]


def test_what_the_fusion_does_not_read_is_not_set() -> None:
    recipe = recipe_of(kind="gated")
    assert "fusion.layers" not in values_of(recipe, make_space(recipe))
    assert "fusion.layers" in values_of(recipe_of(kind="joint"), make_space(recipe))


def test_what_is_tried_is_what_is_written() -> None:
    """Numbers have three digits: the YAML then holds the very recipe of the trial."""
    space = make_space(ModelRecipe())
    values = first_trials(space)["settings"] | {"training.learning_rate": 0.00123456}
    assert suggested(optuna.trial.FixedTrial(values), space).training.learning_rate == 0.00123


def test_a_single_modality_has_no_modality_dropout() -> None:
    assert "fusion.modality_dropout" not in make_space(ModelRecipe(modalities=("note",))).names


@pytest.mark.parametrize("name", TUNABLE)
def test_every_tunable_name_is_a_setting(name: str) -> None:
    recipe = ModelRecipe()
    assert with_values(recipe, {name: value_of(recipe, name)}) == recipe


@pytest.mark.parametrize(
    ("recipe", "how", "complaint"),
    [
        (ModelRecipe(), {"only": ("training.seed",)}, "'training.seed' cannot be tuned; give some of fusion.kind"),
        (recipe_of(kind="linear"), {}, "linear has nothing to tune, for train chooses its penalties"),
        (ModelRecipe(modalities=("note",)), {"encoders": ("resnet18",)}, "has no scan to read"),
    ],
)
def test_what_cannot_be_tuned_is_one_line(recipe, how, complaint):
    with pytest.raises(SettingsError, match=complaint) as told:
        make_space(recipe, **how)
    assert "\n" not in str(told.value)
