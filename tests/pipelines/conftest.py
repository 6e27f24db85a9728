"""One tiny model, really trained once a session on synthetic patients, and workspaces with an empty MLflow store.

The first training patient carries canaries: a key and a sentence that must not be found outside of the workspace's
own protected places.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from data_schemas.recipes import FusionRecipe, ModelRecipe, ScanRecipe, TrainingRecipe
from pipelines.cases.examples import Example, Sentence
from pipelines.models.artefact import LoadedModel, artefact_digest, load_model
from pipelines.synthetic.memory import synthetic_examples
from pipelines.training.run import train
from pipelines.training.trained import Trained
from pipelines.workspace.paths import Workspace, create_workspace, open_workspace

COUNTS = (("train", 48), ("validation", 16), ("test", 40))
CANARY = "CANARY7Q"


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
    first, *others = synthetic_examples(COUNTS, seed=5, recipe=recipe)
    told = Sentence(f"{CANARY} lives in Mill Lane.", "0/0/99", 0, 99)
    marked = dataclasses.replace(
        first, study_key=f"study-{CANARY}", patient_key=f"patient-{CANARY}", sentences=(*first.sentences, told)
    )
    return (marked, *others)


@pytest.fixture(scope="session")
def trained(recipe: ModelRecipe, examples: tuple[Example, ...], tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return train(examples, recipe=recipe, folder=tmp_path_factory.mktemp("trained") / "artefact")


@pytest.fixture(scope="session")
def loaded(trained: Trained) -> LoadedModel:
    return load_model(trained.folder, expected_digest=trained.digest)


@pytest.fixture(scope="session")
def fresh_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., LoadedModel]:
    """A small model that nobody trained, saved and loaded; ``lean`` is what each finding's logit begins from."""

    def make(
        lean: dict[str, float], *, modalities: tuple[str, ...] = ("note", "observation", "concept")
    ) -> LoadedModel:
        import torch

        from data_schemas.finding import entailments, exclusions
        from fusion_models.novelty import Novelty
        from pipelines.models.artefact import ModelCard, save_model
        from pipelines.models.build import build_case_model, build_scan_encoder
        from pipelines.models.weights import load_note_model, resolve_note_encoder
        from pipelines.notes.concepts import reader_digest

        recipe = ModelRecipe(
            findings=tuple(lean),
            modalities=modalities,
            scan=ScanRecipe(shape=(16, 16, 16), spacing_mm=(20.0, 20.0, 20.0), width=0.25),
            fusion=FusionRecipe(width=16, heads=2, layers=1),
        )
        torch.manual_seed(0)
        note = load_note_model(resolve_note_encoder(recipe.note.encoder), states=recipe.note.states)
        scan_encoder = build_scan_encoder(recipe, signs=1)
        model = build_case_model(
            recipe, modalities=modalities, scan_features=scan_encoder.features, note_features=note.encoder.features
        )
        with torch.no_grad():
            model.diagnoser.bias.copy_(torch.tensor(list(lean.values())))
        card = ModelCard(
            recipe=recipe,
            signs=("pleural-effusion",),
            note_digest=note.digest,
            concept_digest=reader_digest(),
            entails=entailments(recipe.findings),
            excludes=exclusions(recipe.findings),
            training={},
        )
        folder = tmp_path_factory.mktemp("fresh") / "artefact"
        novelty = Novelty(features=scan_encoder.features)
        digest = save_model(folder, card=card, scan_encoder=scan_encoder, case_model=model, novelty=novelty)
        return load_model(folder, expected_digest=digest)

    return make


@pytest.fixture(scope="session")
def another(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Trained]:
    """Finished runs like ``trained`` whose artefacts differ: their cards hold a number."""

    def make(number: int) -> Trained:
        folder = tmp_path_factory.mktemp("another") / "artefact"
        shutil.copytree(trained.folder, folder)
        card = json.loads((folder / "model.json").read_text())
        card["training"]["number"] = number
        (folder / "model.json").write_text(json.dumps(card))
        return dataclasses.replace(trained, folder=folder, digest=artefact_digest(folder))

    return make


@pytest.fixture(scope="session")
def empty_workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose MLflow store is there and holds nothing: making one takes seconds, so it is copied."""
    from pipelines.models.registry import versions

    workspace = create_workspace(tmp_path_factory.mktemp("template") / "workspace")
    assert versions(workspace, "chest-ct") == ()
    return workspace.root


@pytest.fixture
def workspace(empty_workspace: Path, tmp_path: Path) -> Workspace:
    shutil.copytree(empty_workspace, tmp_path / "workspace")
    return open_workspace(tmp_path / "workspace")


@pytest.fixture
def workspace_on(empty_workspace: Path, tmp_path: Path) -> Callable[[str], Workspace]:
    """A workspace whose settings name an MLflow server."""

    def make(url: str) -> Workspace:
        root = tmp_path / "workspace"
        if not root.exists():
            shutil.copytree(empty_workspace, root)
        (root / "scanote.yaml").write_text(f"servers:\n  mlflow_url: {url}\n")
        return open_workspace(root)

    return make


@pytest.fixture(scope="session")
def canary() -> str:
    return CANARY
