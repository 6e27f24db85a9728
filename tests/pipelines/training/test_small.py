"""A small cohort goes the whole way: cross-validated, fitted on all cases, saved, and read again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from data_schemas.errors import InputError, SettingsError
from data_schemas.reasons import Remark
from data_schemas.recipes import FusionRecipe, ModelRecipe, ScanRecipe, TrainingRecipe
from pipelines.cases.examples import Example, ScanTensor, Sentence, Value
from pipelines.diagnosis.predict import predict
from pipelines.models.artefact import load_model
from pipelines.models.build import build_scan_encoder
from pipelines.models.radiomics_features import encode_radiomics
from pipelines.training.evaluate.cross import cross_validate
from pipelines.training.report import LATE, SELECTED
from pipelines.training.run import train
from pipelines.training.trained import Trained
from pipelines.workspace.cache import ArrayCache

RECIPE = ModelRecipe(
    findings=("relapse", "always"),
    observation_codes=("score",),
    modalities=("radiomics", "note", "words", "observation"),
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
    assert {"radiomics only", "note only", "words only", "observations only", LATE, SELECTED} <= set(report.auroc)
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
    one, two = ((run.folder / "case_model.safetensors").read_bytes() for run in (held, other))
    assert one == two


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


def test_a_linear_fusion_reads_no_scan_encoder_that_nobody_has_trained(tmp_path: Path) -> None:
    recipe = RECIPE.model_copy(update={"modalities": ("scan", "note")})
    with pytest.raises(SettingsError, match=r"linear trains no scan encoder; name model\.scan\.weights"):
        train(examples(), recipe=recipe, folder=tmp_path / "model")


def test_a_linear_fusion_reads_the_scan_encoder_that_is_named_and_another_one_anew(tmp_path: Path) -> None:
    rows = [Example(**{**row.__dict__, "scan_digest": f"{n:064x}"}) for n, row in enumerate(examples())]
    found = []
    for seed in range(2):
        torch.manual_seed(seed)
        scan = RECIPE.scan.model_copy(update={"width": 0.125, "weights": str(tmp_path / f"{seed}.safetensors")})
        recipe = RECIPE.model_copy(update={"modalities": ("scan",), "scan": scan})
        body = build_scan_encoder(recipe, signs=1).body
        save_file(body.state_dict(), scan.weights)
        done = train(rows, recipe=recipe, folder=tmp_path / f"model{seed}", cache=ArrayCache(tmp_path / "cache"))
        kept = load_model(done.folder).scan_encoder.body.state_dict()
        assert all(torch.equal(part, kept[name]) for name, part in body.state_dict().items())
        found.append((done.folder / "case_model.safetensors").read_bytes())
    assert found[0] != found[1]


def test_a_scan_unlike_all_others_is_remarked_and_the_others_are_not(trained: Trained) -> None:
    model = load_model(trained.folder)
    rows = examples()
    volume = np.random.default_rng(9).standard_normal((1, 12, 12, 12)).astype(np.float16)
    volume[:, ::2] *= 30
    strange = Example(**{**rows[0].__dict__, "scan": ScanTensor(volume, np.eye(4, dtype=np.float32), ())})
    *found, last = predict(model, [*rows, strange], device=torch.device("cpu"))
    remarked = [Remark.OUTSIDE_TRAINING_DISTRIBUTION in row.remarks for row in found]
    assert Remark.OUTSIDE_TRAINING_DISTRIBUTION in last.remarks
    assert sum(remarked) <= 6


def test_what_each_case_was_used_for_is_told(trained: Trained, tmp_path: Path) -> None:
    assert set(trained.splits.values()) == {"train"}
    held = train(examples(), recipe=RECIPE, folder=tmp_path / "model", hold_out=True)
    assert {key for key, split in held.splits.items() if split == "test"} == {f"s{n}" for n in range(45, 60)}


def test_no_fold_of_an_evaluation_is_fitted_on_what_it_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    folds: list[Trained] = []

    def watched(*arguments, **options) -> Trained:
        folds.append(train(*arguments, **options))
        return folds[-1]

    monkeypatch.setattr("pipelines.training.evaluate.cross.train", watched)
    recipe = RECIPE.model_copy(update={"findings": ("relapse",)})
    done = cross_validate(examples(), recipe=recipe, folds=2, repeats=1, draws=50, curves=False)
    tested = [{key for key, split in fold.splits.items() if split == "test"} for fold in folds]
    assert done.main == SELECTED
    assert [set(fold.test_keys) for fold in folds] == tested
    assert sorted(key for part in tested for key in part) == sorted(row.study_key for row in examples())


def test_radiomics_of_a_scan_that_the_cache_maps_are_made_without_a_warning() -> None:
    scan = examples()[0].scan
    scan.values.setflags(write=False)
    [made] = encode_radiomics([Example(**{**examples()[0].__dict__, "scan": scan})], channels=1)
    assert made.values.isfinite().all()


def test_radiomics_come_back_from_the_cache_as_they_were_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = Example(**{**examples()[0].__dict__, "scan_digest": "a" * 64})
    cache = ArrayCache(tmp_path)
    [made] = encode_radiomics([row], channels=1, cache=cache)
    monkeypatch.setattr("pipelines.models.radiomics_features.radiomics", None)
    [found] = encode_radiomics([row], channels=1, cache=cache)
    torch.testing.assert_close(found.values, made.values, rtol=0, atol=0)
