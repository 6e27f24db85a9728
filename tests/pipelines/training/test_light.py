"""The parity report: what passes, what fails, and for which reason."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from data_schemas.errors import InputError
from data_schemas.parity import PartSpeed
from pipelines.training.light import parity
from pipelines.training.light.parity import compare
from pipelines.training.light.table import parity_table
from pipelines.workspace.cache import ArrayCache

N = 400


@pytest.fixture
def labels() -> np.ndarray:
    return (np.random.default_rng(0).random((N, 1)) < 0.4).astype(float)


@pytest.fixture
def scores(labels) -> np.ndarray:
    level = np.random.default_rng(1).standard_normal((N, 1)) + 2 * labels - 1
    return 1 / (1 + np.exp(-level))


def report(scores, light, labels, *, exact=False, patients=None, names=("effusion",)):
    patients = patients or [f"p{n}" for n in range(len(labels))]
    return compare(scores, light, labels, patients, names, exact=exact, draws=200)


def shifted(scores, by: float) -> np.ndarray:
    """The same order, all logits moved."""
    return 1 / (1 + np.exp(-(np.log(scores / (1 - scores)) + by)))


def test_the_same_scores_pass_with_no_difference(scores, labels) -> None:
    found = report(scores, scores, labels, exact=True)
    [row] = found.findings
    assert found.passed
    assert (row.auroc_difference, row.auroc_interval, row.largest_score_difference) == (0.0, (0.0, 0.0), 0.0)


def test_rounding_passes_in_fp32(scores, labels) -> None:
    noise = np.random.default_rng(2).standard_normal(scores.shape) * 1e-6
    assert report(scores, np.clip(scores + noise, 0, 1), labels, exact=True).passed


def test_one_score_far_off_fails_in_fp32_though_no_area_moves(scores, labels) -> None:
    light = scores.copy()
    light[0] += 0.01 if light[0] < 0.5 else -0.01
    assert report(scores, light, labels).passed
    assert "a score differs by 1.0e-02, in fp32" in report(scores, light, labels, exact=True).failed[0]


def test_an_area_that_moves_fails(scores, labels) -> None:
    light = np.where(np.random.default_rng(3).random(scores.shape) < 0.2, 1 - scores, scores)
    found = report(scores, light, labels)
    assert any("effusion: AUROC differs by" in line for line in found.failed)


def test_a_shift_that_keeps_the_order_fails_by_the_brier_score(scores, labels) -> None:
    found = report(scores, shifted(scores, 1.5), labels)
    assert [line.split(" differs")[0] for line in found.failed] == ["effusion: Brier score"]
    assert found.findings[0].auroc_difference == 0.0


def test_few_cases_fail_where_the_scores_differ_for_nothing_is_proven(scores, labels) -> None:
    noise = np.random.default_rng(4).standard_normal(scores.shape) * 0.02
    light = np.clip(scores + noise, 0, 1)
    assert not report(scores[:30], light[:30], labels[:30]).passed


def test_cases_of_one_patient_count_as_one(scores, labels) -> None:
    noise = np.random.default_rng(5).standard_normal(scores.shape) * 0.05
    light = np.clip(scores + noise, 0, 1)
    own = report(scores, light, labels).findings[0].auroc_interval
    shared = report(scores, light, labels, patients=[f"p{n // 20}" for n in range(N)]).findings[0].auroc_interval
    assert shared != own


def test_the_largest_score_difference_is_over_all_cases_the_unlabelled_too(scores, labels) -> None:
    labels, light = labels.copy(), scores.copy()
    labels[7] = np.nan
    light[7] = 1.0 if scores[7] < 0.5 else 0.0
    found = report(scores, light, labels).findings[0]
    assert found.cases == N - 1
    assert found.largest_score_difference == pytest.approx(abs(float(light[7, 0] - scores[7, 0])))


def test_a_score_that_is_no_number_fails(scores, labels) -> None:
    light = scores.copy()
    light[3] = np.nan
    assert "a score is not a finite number" in report(scores, light, labels).failed


def test_a_finding_of_one_class_is_not_measured_but_the_others_are(scores, labels) -> None:
    both = np.hstack([labels, np.zeros_like(labels)])
    found = report(np.hstack([scores, scores]), np.hstack([scores, scores]), both, names=("effusion", "mass"))
    assert [row.auroc_interval is None for row in found.findings] == [False, True]
    assert found.passed


def test_where_no_finding_can_be_measured_it_says_so(scores, labels) -> None:
    with pytest.raises(InputError, match="ingest more labelled cases"):
        report(scores, scores, np.zeros_like(labels))


def test_the_table_tells_findings_encoders_and_what_failed(scores, labels) -> None:
    light = shifted(scores, 1.5)
    speed = PartSpeed(part="scan", precision="int8", torch_ms=30, compiled_ms=10, torch_mb=4, compiled_mb=1)
    told = parity_table(report(scores, light, labels).model_copy(update={"parts": (speed,)}))
    assert "| effusion | 400 (" in told
    assert "| scan | int8 | 30.0 | 10.0 | 3.00 | 4.0 | 1.0 |" in told
    assert "failed: effusion: Brier score" in told


def test_an_estimate_of_a_target_that_differs_fails_in_fp32(loaded, examples, monkeypatch, tmp_path) -> None:
    """A grade of three levels, read off the first finding's logit; the light model's is another one in one case."""
    rows, honest = list(examples[-16:]), parity.read_cases

    def with_grade(shift: float):
        def read(model, given, *, cache=None):
            done = honest(model, given, cache=cache)
            steps = torch.stack([done.reading.logits[:, 0] + 1, done.reading.logits[:, 0] - 1], dim=1)
            steps[3] += shift * (model is not loaded)
            return dataclasses.replace(done, reading=done.reading._replace(targets={"severity": steps}))

        return read

    light = dataclasses.replace(loaded)
    for shift, failed in ((0.0, []), (0.5, ["severity: an estimate differs"])):
        monkeypatch.setattr(parity, "read_cases", with_grade(shift))
        found = parity.check_parity(loaded, light, rows, exact=True, draws=20, cache=ArrayCache(tmp_path))
        assert [line.split(" by ")[0] for line in found.failed] == failed
