from __future__ import annotations

import dataclasses
import functools
import logging
import math
from collections.abc import Sequence
from contextlib import contextmanager

import numpy as np
import pytest
import torch

from data_schemas.errors import InputError, ModelError, SettingsError
from data_schemas.recipes import ModelRecipe
from pipelines.cases.examples import Example, Mention
from pipelines.models.artefact import load_model
from pipelines.models.features import encode
from pipelines.models.reading import read_cases
from pipelines.models.weights import load_note_model
from pipelines.training.cohort import digest_cohort, digest_example
from pipelines.training.fitting import choose_signs, label_matrix, stack, usable, with_signs
from pipelines.training.report import CONCEPT, FUSION, LATE, NOTE, SINGLES
from pipelines.training.run import train
from pipelines.training.trained import Trained
from pipelines.workspace.cache import ArrayCache


@pytest.fixture(scope="module")
def quick(recipe: ModelRecipe) -> ModelRecipe:
    return recipe.model_copy(
        update={"training": recipe.training.model_copy(update={"scan_epochs": 1, "epochs": 1, "bootstrap": 10})}
    )


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> ArrayCache:
    return ArrayCache(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module", autouse=True)
def one_note_encoder():
    """Loaded once: every run reads the same one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.training.run.load_note_model", functools.cache(load_note_model))
        yield


@pytest.fixture
def run(quick, cache, tmp_path):
    """Train with the tokens of the notes from a cache, as a second run of a workspace does."""

    def go(rows: Sequence[Example], **changes) -> Trained:
        return train(rows, **{"recipe": quick, "folder": tmp_path / "model", "cache": cache} | changes)

    return go


@pytest.fixture(scope="module")
def once(quick, cache, examples, tmp_path_factory) -> Trained:
    """The run that others are compared with."""
    return train(examples, recipe=quick, folder=tmp_path_factory.mktemp("once") / "model", cache=cache)


def without(rows: Sequence[Example], **changes) -> list[Example]:
    return [dataclasses.replace(row, **changes) for row in rows]


def split(rows: Sequence[Example], name: str) -> list[Example]:
    return [row for row in rows if row.split == name]


def test_a_run_leaves_an_artefact_that_loads_by_its_digest(trained):
    assert load_model(trained.folder, expected_digest=trained.digest).card.signs == trained.card.signs


def test_a_run_reports_every_arm_on_the_test_split(trained, examples):
    assert set(trained.probabilities) == {*SINGLES, LATE, FUSION}
    assert {rows.shape for rows in trained.probabilities.values()} == {(len(split(examples, "test")), 3)}
    assert all(np.isfinite(rows).all() for rows in trained.probabilities.values())
    assert [report.finding for report in trained.reports] == list(trained.card.recipe.findings)
    assert trained.counts == {"train": 48, "validation": 16, "test": 40}


def test_modalities_of_the_recipe_are_those_that_are_trained_and_measured(run, examples, quick):
    told = [
        (Mention("rib-fracture", "present", "left", 0), Mention("pneumothorax", "negated", None, 0)),
        (Mention("pneumothorax", "present", "right", 0),),
    ]
    rows = [
        dataclasses.replace(row, scan=None, mentions=told[n % 2] if row.sentences else ())
        for n, row in enumerate(examples)
    ]
    found = run(rows, recipe=quick.model_copy(update={"modalities": ("note", "concept")}))
    assert set(found.probabilities) == {NOTE, CONCEPT, LATE, FUSION}
    model = load_model(found.folder, expected_digest=found.digest)
    assert model.case_model.modalities == ("note", "concept")
    probabilities = read_cases(model, sorted(split(rows, "test"), key=digest_example)).probabilities
    assert np.allclose(probabilities, found.probabilities[FUSION], atol=1e-5)


def test_mentions_reach_the_digest_of_a_case(examples):
    row = dataclasses.replace(examples[0], mentions=(Mention("pneumothorax", "present", None, 0),))
    denied = dataclasses.replace(examples[0], mentions=(Mention("pneumothorax", "negated", None, 0),))
    assert len({digest_example(one) for one in (examples[0], row, denied)}) == 3


def test_the_card_holds_the_rules_among_the_findings_and_the_window_that_was_read(trained):
    assert (trained.card.entails, trained.card.excludes, trained.card.concept_digest) == ((), (), "")
    assert trained.card.recipe.note.window == 256


def test_the_loaded_model_gives_the_probabilities_that_were_reported(trained, examples):
    model = load_model(trained.folder)
    rows = sorted(split(examples, "test"), key=lambda row: row.study_key)
    features = encode(
        rows,
        scan_encoder=model.scan_encoder,
        scan_digest=model.scan_digest,
        note_model=model.note_model,
        note_recipe=model.card.recipe.note,
        codes=model.card.recipe.observation_codes,
    )
    with torch.no_grad():
        found = torch.sigmoid(model.case_model(features.batch).logits.double()).numpy()
    assert np.allclose(np.sort(found, axis=0), np.sort(trained.probabilities[FUSION], axis=0), atol=1e-5)


def test_the_same_seed_gives_the_same_digest_whatever_the_order_of_the_cases(run, once, examples):
    again = run(examples[::-1], cache=None)
    assert again.digest == once.digest
    assert again.reports == once.reports


def test_another_seed_gives_another_model(run, once, examples, quick):
    other = quick.model_copy(update={"training": quick.training.model_copy(update={"seed": 7})})
    assert run(examples, recipe=other).digest != once.digest


def test_a_run_stopped_between_two_parts_goes_on_to_the_same_model(run, once, examples, tmp_path):
    class StoppedError(Exception):
        pass

    opened = []

    @contextmanager
    def stage(name: str, _steps: int):
        if name == f"train {FUSION}" and not opened:
            opened.append(name)
            raise StoppedError
        yield lambda _done, _total: None

    with pytest.raises(StoppedError):
        run(examples, checkpoints=tmp_path / "checkpoints", stage=stage)
    assert run(examples, checkpoints=tmp_path / "checkpoints", stage=stage).digest == once.digest


def test_checkpoints_of_another_cohort_are_not_used(run, once, examples, tmp_path):
    fewer = [row for row in examples if row is not split(examples, "train")[0]]
    run(fewer, checkpoints=tmp_path / "checkpoints")
    assert run(examples, checkpoints=tmp_path / "checkpoints", folder=tmp_path / "all").digest == once.digest


def test_deterministic_algorithms_are_asked_for_during_the_run_only(run, examples):
    asked = []

    def stage(_name: str, _steps: int):
        asked.append(torch.are_deterministic_algorithms_enabled())
        raise InterruptedError

    with pytest.raises(InterruptedError):
        run(examples, stage=stage)
    assert asked == [True]
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize("name", ["validation", "test"])
def test_a_cohort_without_a_split_is_refused(run, examples, name):
    rows = [row for row in examples if row.split != name]
    with pytest.raises(InputError, match=rf"no case in the {name} split; .* training\.{name}_share"):
        run(rows)


def test_too_few_training_cases_are_refused(run, examples):
    rows = [*split(examples, "train")[:19], *split(examples, "validation"), *split(examples, "test")]
    with pytest.raises(InputError, match="19 labelled training cases; training needs at least 20"):
        run(rows)


def test_no_case_at_all_is_refused(run):
    with pytest.raises(InputError, match="0 labelled training cases"):
        run([])


@pytest.mark.parametrize("value", [0, 1, -1])
def test_a_cohort_of_one_class_is_refused(run, examples, quick, value):
    with pytest.raises(InputError, match="no finding has both positive and negative training cases"):
        run(without(examples, labels=dict.fromkeys(quick.findings, value)))


@pytest.mark.parametrize("name", ["validation", "test"])
def test_a_split_without_any_known_label_is_refused(run, examples, name):
    rows = [dataclasses.replace(row, labels={}) if row.split == name else row for row in examples]
    with pytest.raises(InputError, match=f"no case of the {name} split has a known label"):
        run(rows)


def test_a_patient_in_two_splits_is_refused(run, examples):
    key = split(examples, "train")[0].patient_key
    leaked = dataclasses.replace(split(examples, "test")[0], patient_key=key)
    with pytest.raises(InputError, match="1 patients stand in more than one split") as caught:
        run([*examples, leaked])
    assert key not in str(caught.value)


def test_a_finding_of_one_class_is_left_out_and_said(run, examples, quick, caplog):
    rows = [dataclasses.replace(row, labels={**row.labels, "heart-failure": 0}) for row in examples]
    with caplog.at_level(logging.WARNING):
        trained = run(rows)
    assert trained.card.recipe.findings == ("pleural-effusion", "discordant-presentation")
    assert "finding heart-failure is left out" in caplog.text


def test_a_cohort_without_any_scan_is_trained_and_says_so(run, examples, caplog):
    with caplog.at_level(logging.WARNING):
        trained = run(without(examples, scan=None))
    assert "no training case has a scan" in caplog.text
    assert "scan encoder" not in trained.epochs
    assert all(np.isfinite(rows).all() for rows in trained.probabilities.values())
    novelty = load_model(trained.folder).novelty
    assert float(novelty(torch.ones(1, len(novelty.mean)))[0]) > float(novelty.limit)


def test_a_cohort_without_any_note_or_observation_is_trained_and_says_so(run, examples, caplog):
    with caplog.at_level(logging.WARNING):
        trained = run(without(examples, sentences=(), values=()))
    assert "no training case has a note" in caplog.text
    assert "no training case has an observation" in caplog.text
    assert all(np.isfinite(rows).all() for rows in trained.probabilities.values())
    assert trained.reports[0].auroc[NOTE].value == pytest.approx(0.5)
    assert "memory-" not in caplog.text


def test_an_encoder_that_cannot_be_had_is_known_before_anything_is_trained(run, examples, quick, tmp_path):
    opened = []

    def stage(name: str, _steps: int):
        opened.append(name)
        raise AssertionError(name)

    note = quick.note.model_copy(update={"encoder": str(tmp_path)})
    with pytest.raises(ModelError):
        run(examples, recipe=quick.model_copy(update={"note": note}), stage=stage)
    window = quick.note.model_copy(update={"window": 513})
    with pytest.raises(SettingsError):
        run(examples, recipe=quick.model_copy(update={"note": window}), stage=stage)
    tap = quick.scan.model_copy(update={"tap": "norm5"})
    with pytest.raises(SettingsError):
        run(examples, recipe=quick.model_copy(update={"scan": tap}), stage=stage)
    scan = quick.scan.model_copy(update={"weights": str(tmp_path / "none")})
    with pytest.raises(ModelError):
        run(examples, recipe=quick.model_copy(update={"scan": scan}), stage=stage)
    assert not opened


def test_given_scan_weights_are_where_the_fit_begins(run, examples, quick, trained, tmp_path):
    from safetensors.torch import load_file, save_file

    tensors = load_file(trained.folder / "scan_encoder.safetensors")
    body = {key.removeprefix("body."): value for key, value in tensors.items() if key.startswith("body.")}
    save_file(body, tmp_path / "net.safetensors")
    scan = quick.scan.model_copy(update={"weights": str(tmp_path / "net.safetensors")})
    still = quick.training.model_copy(update={"scan_epochs": 0})
    found = run(examples, recipe=quick.model_copy(update={"scan": scan, "training": still}))
    began = load_file(found.folder / "scan_encoder.safetensors")
    assert all(torch.equal(began[f"body.{name}"], value) for name, value in body.items())


def test_labels_are_one_zero_or_unknown(examples):
    rows = [dataclasses.replace(examples[0], labels={"a": value}) for value in (1, 0, -1)] + without(
        examples[:1], labels={}
    )
    found = label_matrix(rows, ["a"])[:, 0].tolist()
    assert found[:2] == [1.0, 0.0]
    assert all(math.isnan(value) for value in found[2:])


def test_a_label_matrix_of_no_case_keeps_its_columns():
    assert label_matrix([], ["a", "b"]).shape == (0, 2)
    assert usable(label_matrix([], ["a", "b"]), ["a", "b"]) == ()


def test_only_names_with_both_classes_are_usable():
    labels = torch.tensor([[1.0, 1.0, float("nan")], [0.0, 1.0, 0.0]])
    assert usable(labels, ["a", "b", "c"]) == ("a",)


def test_the_scan_encoder_learns_the_labelled_signs(examples, recipe):
    assert choose_signs(split(examples, "train"), recipe) == recipe.scan_signs


def test_where_no_sign_is_labelled_the_scan_encoder_learns_the_findings(examples, recipe, caplog):
    rows = [dataclasses.replace(row, labels={"heart-failure": row.labels["heart-failure"]}) for row in examples]
    with caplog.at_level(logging.WARNING):
        assert choose_signs(rows, recipe) == ("heart-failure",)
    assert "learns the findings themselves" in caplog.text


def test_signs_that_only_cases_without_a_scan_tell_apart_are_none(examples, recipe):
    rows = split(examples, "train")
    positive = [dataclasses.replace(row, labels={"pleural-effusion": 1}) for row in rows[:5]]
    negative = [dataclasses.replace(row, labels={"pleural-effusion": 0}, scan=None) for row in rows[5:9]]
    with pytest.raises(InputError, match="among those with a scan"):
        choose_signs([*positive, *negative], recipe)


def test_cases_without_scan_or_known_sign_teach_the_scan_encoder_nothing(examples):
    rows = [
        dataclasses.replace(examples[0], labels={"a": 1}),
        dataclasses.replace(examples[1], labels={"a": -1}),
        dataclasses.replace(examples[2], labels={"a": 0}, scan=None),
    ]
    assert with_signs(rows, ["a"]) == rows[:1]


def test_read_only_memory_maps_are_stacked_without_a_warning(examples, tmp_path):
    cache = ArrayCache(tmp_path)
    cache.put("ab" * 32, examples[0].scan.values)
    scan = dataclasses.replace(examples[0].scan, values=cache.get("ab" * 32))
    volume, affine = stack([dataclasses.replace(examples[0], scan=scan)], "cpu")
    assert volume.dtype == affine.dtype == torch.float32
    assert np.array_equal(volume[0].numpy(), examples[0].scan.values.astype(np.float32))


@pytest.mark.parametrize(
    "change",
    [
        lambda row: {"labels": {**row.labels, "pleural-effusion": -1}},
        lambda row: {"split": "validation"},
        lambda row: {"sentences": row.sentences[:-1]},
        lambda row: {"sentences": (dataclasses.replace(row.sentences[0], section=9), *row.sentences[1:])},
        lambda row: {"values": row.values[:-1]},
        lambda row: {"scan": dataclasses.replace(row.scan, affine=row.scan.affine * 2)},
        lambda row: {"scan": dataclasses.replace(row.scan, values=1 - row.scan.values)},
        lambda row: {"scan": None},
        lambda row: {"scan_digest": "ab" * 32},
    ],
)
def test_the_digest_of_a_cohort_changes_with_whatever_reaches_the_model(examples, change):
    row = examples[0]
    changed = dataclasses.replace(row, **change(row))
    assert digest_cohort([changed, *examples[1:]]) != digest_cohort(examples)


def test_the_digest_of_a_cohort_depends_on_neither_keys_nor_order(examples):
    renamed = [dataclasses.replace(row, study_key=f"s{n}", patient_key=f"p{n}") for n, row in enumerate(examples)]
    assert digest_cohort(renamed[::-1]) == digest_cohort(examples)
