"""A student: what it may have of its own, what its teacher tells it, and that it listens."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from data_schemas.errors import SettingsError
from data_schemas.recipes import ModelRecipe, TrainingRecipe
from pipelines.models.artefact import load_model
from pipelines.models.reading import read_cases
from pipelines.training.light.student import read_changes, student_recipe
from pipelines.training.light.teacher import sign_scores, taught, teacher_of, unweighted
from pipelines.training.run import train

NAN = float("nan")


def test_a_target_is_the_share_of_the_teacher_and_of_the_label_and_either_alone_where_one_is_silent() -> None:
    labels, said = torch.tensor([[1.0, 0.0, NAN, 1.0, NAN]]), torch.tensor([[0.6, 0.6, 0.6, NAN, NAN]])
    found = taught(labels, said, trust=0.25)
    torch.testing.assert_close(found, torch.tensor([[0.9, 0.15, 0.6, 1.0, NAN]]), equal_nan=True)


def test_the_odds_lose_the_class_weight() -> None:
    """Odds of 3 with a weight of 3 are odds of 1."""
    torch.testing.assert_close(
        unweighted(torch.tensor([[0.75, 0.2]]), torch.tensor([3.0, 1.0])), torch.tensor([[0.5, 0.2]])
    )


def test_with_class_weights_a_balanced_word_of_the_teacher_stays_as_rare_as_the_labels(loaded, examples) -> None:
    rows = list(examples[:40])
    teacher = dataclasses.replace(
        teacher_of(loaded, rows[:1]), trust=1.0, of_findings={row.study_key: np.full(3, 0.5) for row in rows}
    )
    labels = torch.zeros(40, 3)
    labels[:10] = 1
    weighted, plain = (
        dataclasses.replace(teacher, training=TrainingRecipe(class_weights=had)).finding_targets(rows, labels)
        for had in (True, False)
    )
    torch.testing.assert_close(weighted, torch.full((40, 3), 0.25))
    torch.testing.assert_close(plain, torch.full((40, 3), 0.5))
    assert teacher.training == loaded.card.recipe.training


def test_the_scores_of_signs_are_read_off_the_tokens(loaded, examples) -> None:
    rows = [*(row for row in examples if row.scan is not None)][:4]
    rows.insert(2, dataclasses.replace(rows[0], scan=None, scan_digest=""))
    batch = read_cases(loaded, rows).features.batch
    found = sign_scores(batch["scan"], len(loaded.card.signs))
    for row, score in zip(rows, found, strict=True):
        if row.scan is None:
            assert np.isnan(score).all()
            continue
        volume, affine = (torch.from_numpy(np.array(part))[None].float() for part in (row.scan.values, row.scan.affine))
        with torch.no_grad():
            expected = torch.sigmoid(loaded.scan_encoder(volume, affine).sign_logits)[0]
        np.testing.assert_allclose(score, expected.numpy(), rtol=1e-4, atol=1e-6)


def test_a_student_has_its_teachers_recipe_but_for_what_is_its_own(recipe) -> None:
    found = student_recipe(recipe, {"scan": {"width": 0.125}, "fusion": {"width": 8, "heads": 1}})
    assert (found.scan.width, found.fusion.width, found.fusion.heads) == (0.125, 8, 1)
    assert (found.findings, found.scan.shape, found.note) == (recipe.findings, recipe.scan.shape, recipe.note)


def test_a_student_may_have_another_kind_of_scan_encoder_than_a_net_of_ones_own(recipe) -> None:
    own = recipe.scan.model_copy(update={"encoder": "own", "builder": "my.nets:net"})
    teacher = recipe.model_copy(update={"scan": own})
    found = student_recipe(teacher, {"scan": {"encoder": "slices-resnet18", "slab": 2, "shortcut": "A"}}).scan
    assert (found.encoder, found.slab, found.shortcut, found.builder) == ("slices-resnet18", 2, "A", None)
    assert student_recipe(teacher, {"fusion": {"width": 8, "heads": 1}}).scan.builder == "my.nets:net"


def test_a_student_may_leave_its_note_encoder_frozen(recipe) -> None:
    tuned = recipe.note.model_copy(update={"tuning": "partial", "layers": 6})
    teacher = recipe.model_copy(update={"note": tuned})
    assert student_recipe(teacher, {"note": {"tuning": "frozen"}}).note.tuning == "frozen"


def test_a_student_does_not_begin_with_weights_of_another_net(recipe) -> None:
    teacher = recipe.model_copy(update={"scan": recipe.scan.model_copy(update={"weights": "pretrained.safetensors"})})
    assert student_recipe(teacher, {"scan": {"width": 0.125}}).scan.weights is None


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"findings": ["mass"]}, "'findings' is not to be changed"),
        ({"scan": {"shape": [8, 8, 8]}}, "'scan.shape' is its teacher's"),
        ({"scan": 3}, "'scan' holds no keys"),
        ({"scan": {"width": 9}}, "'scan.width'"),
        ({"fusion": {"heads": 3}}, "'fusion'"),
        ({"fusion": {"kind": "linear"}}, "linear learns from labels alone"),
    ],
)
def test_what_a_student_cannot_have_is_one_line(recipe, changes, told) -> None:
    with pytest.raises(SettingsError) as error:
        student_recipe(recipe, changes)
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_a_linear_model_has_no_student(recipe: ModelRecipe) -> None:
    linear = recipe.model_copy(update={"fusion": recipe.fusion.model_copy(update={"kind": "linear"})})
    with pytest.raises(SettingsError, match="compile it, without --distill"):
        student_recipe(linear, {"fusion": {"width": 8}})


@pytest.mark.parametrize("text", ["[", "just words", "", "- a\n- b\n"])
def test_a_file_that_says_nothing_is_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "student.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=r"student\.yaml"):
        read_changes(path)


@pytest.mark.slow
def test_a_student_says_what_its_teacher_says_where_the_labels_say_something_else(
    loaded, examples, recipe, tmp_path
) -> None:
    """The teacher is sure that everybody has the first finding and nobody the second."""
    training = [row for row in examples if row.split == "train"]
    sure = {row.study_key: np.array([0.98, 0.02, 0.5]) for row in training}
    teacher = dataclasses.replace(teacher_of(loaded, training), of_findings=sure, trust=1.0)
    longer = {"training": {"epochs": 12, "class_weights": False}, "fusion": {"width": 8, "heads": 1}}
    small = student_recipe(recipe, longer | {"scan": {"width": 0.125}})
    student, alone = (
        train(examples, recipe=small, folder=tmp_path / str(number), teacher=given)
        for number, given in enumerate((teacher, None))
    )
    read = load_model(student.folder, expected_digest=student.digest)
    assert read.card.training["teacher"] == loaded.digest
    assert "teacher" not in alone.card.training
    assert read.card.signs == loaded.card.signs
    size = [sum(part.numel() for part in model.scan_encoder.parameters()) for model in (loaded, read)]
    assert size[1] < 0.5 * size[0]
    means = [done.probabilities[recipe.fusion.kind].mean(axis=0) for done in (student, alone)]
    assert means[0][0] > means[1][0] + 0.1
    assert means[0][1] < means[1][1] - 0.1
