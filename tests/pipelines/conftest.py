"""One tiny model, really trained once a session on synthetic patients, for every test that needs a finished run."""

from __future__ import annotations

import pytest

from data_schemas.settings import FusionRecipe, ModelRecipe, ScanRecipe, TrainingRecipe
from pipelines.cases.examples import Example
from pipelines.training.run import Trained, train

COUNTS = (("train", 48), ("validation", 16), ("test", 40))


@pytest.fixture(scope="session")
def recipe() -> ModelRecipe:
    """A recipe that trains in seconds."""
    return ModelRecipe(
        findings=("pleural-effusion", "heart-failure", "discordant-presentation"),
        scan=ScanRecipe(shape=(16, 16, 16), spacing_mm=(20.0, 20.0, 20.0), width=0.25),
        fusion=FusionRecipe(width=16, heads=2, layers=1),
        training=TrainingRecipe(scan_epochs=1, epochs=2, bootstrap=20),
    )


@pytest.fixture(scope="session")
def examples(recipe: ModelRecipe) -> tuple[Example, ...]:
    from pipelines.synthetic.memory import synthetic_examples

    return tuple(synthetic_examples(COUNTS, seed=5, recipe=recipe))


@pytest.fixture(scope="session")
def trained(
    recipe: ModelRecipe, examples: tuple[Example, ...], tmp_path_factory: pytest.TempPathFactory
) -> Trained:
    return train(examples, recipe=recipe, folder=tmp_path_factory.mktemp("trained") / "artefact")
