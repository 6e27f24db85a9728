"""A small cohort goes the whole way: cross-validated, fitted on all cases, saved, and read again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from data_schemas.errors import InputError
from data_schemas.settings import FusionRecipe, ModelRecipe, ScanRecipe, TrainingRecipe
from pipelines.cases.examples import Example, ScanTensor, Sentence, Value
from pipelines.diagnosis.predict import predict
from pipelines.models.artefact import load_model
from pipelines.training.report import LATE, SELECTED
from pipelines.training.run import train
from pipelines.training.trained import Trained

RECIPE = ModelRecipe(
    findings=("relapse", "always"),
    observation_codes=("score",),
    modalities=("radiomics", "note", "observation"),
    scan=ScanRecipe(shape=(12, 12, 12), spacing_mm=(4.0, 4.0, 4.0), modalities=("MR",), intensity="z-score"),
    fusion=FusionRecipe(kind="linear"),
    training=TrainingRecipe(folds=3, repeats=1, bootstrap=50),
)
WORDS = ("Night pain for weeks.", "No complaint at all.")


def examples(count: int = 60, *, seed: int = 0) -> list[Example]:
    """A bright middle, a sentence and a value, each of which tells something of *relapse*; some cases lack one."""
    random = np.random.default_rng(seed)
    made = []
    for number in range(count):
        ill = number % 2
        volume = random.standard_normal((1, 12, 12, 12)).astype(np.float32)
        volume[:, 4:8, 4:8, 4:8] += 1.5 * ill
        scan = ScanTensor(volume.astype(np.float16), np.eye(4, dtype=np.float32), ())
        text = WORDS[ill != (random.random() < 0.8)]
        made.append(
            Example(
                study_key=f"s{number}",
                patient_key=f"p{number // 2}" if number < 10 else f"p{number}",
                scan=None if number == 50 else scan,
                sentences=() if number == 51 else (Sentence(text, "0/0/0", 0, 0),),
                values=() if number == 52 else (Value("score", random.standard_normal() + ill),),
                labels={"relapse": ill, "always": 1},
                split="test" if number >= 45 else "train",
            )
        )
    return made


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return train(examples(), recipe=RECIPE, folder=tmp_path_factory.mktemp("small") / "model")


def test_every_case_is_measured_by_a_model_that_never_saw_its_patient(trained: Trained) -> None:
    [report] = trained.reports
    assert (report.finding, report.cases, report.model) == ("relapse", 60, SELECTED)
    assert report.auroc[SELECTED].value > 0.85
    assert {"radiomics only", "note only", "observations only", LATE, SELECTED} <= set(report.auroc)
    assert trained.card.training["measured"] == "1 × 3 folds"


def test_a_finding_of_one_class_is_left_out(trained: Trained) -> None:
    assert trained.card.recipe.findings == ("relapse",)


def test_the_saved_model_scores_as_it_was_fitted_and_names_its_evidence(trained: Trained) -> None:
    model = load_model(trained.folder, expected_digest=trained.digest)
    rows = examples()
    found = predict(model, rows, device=torch.device("cpu"))
    score = np.array([row.scores[0].probability for row in found])
    label = np.array([row.labels["relapse"] for row in rows])
    assert score[label == 1].mean() - score[label == 0].mean() > 0.5
    assert {part.modality for part in found[0].scores[0].evidence} == {"scan", "note", "observation"}
    alone = predict(model, rows[7:8], device=torch.device("cpu"))[0].scores[0].probability
    assert alone == pytest.approx(score[7], abs=1e-5)


def test_the_same_cases_in_another_order_give_the_same_model(trained: Trained, tmp_path: Path) -> None:
    again = train(examples()[::-1], recipe=RECIPE, folder=tmp_path / "model")
    assert again.digest == trained.digest


def test_a_given_test_split_takes_no_part_in_the_fit(tmp_path: Path) -> None:
    held = train(examples(), recipe=RECIPE, folder=tmp_path / "one", hold_out=True)
    spoiled = [
        Example(**{**row.__dict__, "labels": {"relapse": 1 - row.labels["relapse"]}}) if row.split == "test" else row
        for row in examples()
    ]
    other = train(spoiled, recipe=RECIPE, folder=tmp_path / "two", hold_out=True)
    assert len(held.labels) == 15
    assert held.card.training["measured"] == "test split"
    for name in ("case_model.safetensors",):
        assert (held.folder / name).read_bytes() == (other.folder / name).read_bytes()


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (lambda: examples(12), "12 labelled cases; training needs at least 20"),
        (lambda: [Example(**{**row.__dict__, "labels": {"relapse": 0}}) for row in examples()], "no finding has 5"),
    ],
)
def test_a_cohort_that_cannot_teach_is_one_line(tmp_path: Path, rows, said: str) -> None:
    with pytest.raises(InputError, match=said):
        train(rows(), recipe=RECIPE, folder=tmp_path / "model")
