"""A pretrained scan encoder: its head is fitted first, and its body is changed only where that is better."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from data_schemas.recipes import ModelRecipe
from fusion_models.losses import masked_bce
from fusion_models.scan_encoder import ScanEncoder
from pipelines.models.build import build_scan_encoder
from pipelines.models.weights import weights_bytes
from pipelines.training import run
from pipelines.training.fitting import fit_scan_encoder, stack
from pipelines.training.head_first import fit_sign_head, sign_logits

SIGNS = ("pleural-effusion", "ground-glass-opacity")


class CutError(Exception):
    """Stands for a power cut, or for all that comes after."""


def tokens_with_a_sign(cases: int, *, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Tokens [N, 5, 3] on a scale of their own; in one token of every other case the second feature stands out."""
    cells = torch.randn(cases, 5, 3, generator=torch.Generator().manual_seed(seed))
    labels = (torch.arange(cases) % 2).float()[:, None]
    cells[:, 2, 1] += 6 * labels[:, 0]
    return cells * torch.tensor([100.0, 0.01, 1.0]) + 7, labels


@pytest.fixture
def rows(examples) -> list[Any]:
    return [row for row in examples if row.scan is not None][:12]


@pytest.fixture
def learn(recipe, rows):
    """Fit a scan encoder of two signs as a pretrained one, with some changes to training; gives it and how it went."""

    def go(*, changes: dict[str, Any] | None = None, **how: Any) -> tuple[ScanEncoder, Any]:
        training = recipe.training.model_copy(update={"scan_epochs": 2, "scan_batch_size": 4, **(changes or {})})
        changed: ModelRecipe = recipe.model_copy(update={"training": training})
        torch.manual_seed(0)
        encoder = build_scan_encoder(changed, signs=2)
        return encoder, fit_scan_encoder(
            encoder, rows[:8], rows[8:], signs=SIGNS, recipe=changed, **{"pretrained": True, **how}
        )

    return go


def body_of(encoder: ScanEncoder) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in encoder.body.state_dict().items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, other[name]) for name, value in one.items())


def test_a_sign_is_the_log_of_the_mean_of_its_tokens_as_the_encoder_reads_it(recipe, rows) -> None:
    assert sign_logits(torch.tensor([[[0.0], [math.log(3.0)]]])).tolist() == [[pytest.approx(math.log(2.0))]]
    encoder = build_scan_encoder(recipe, signs=2).eval()
    with torch.no_grad():
        read = encoder(*stack(rows[:3], "cpu"))
        heat = encoder.sign_head(read.tokens.values[..., : encoder.sign_head.in_features])
    assert torch.allclose(sign_logits(heat), read.sign_logits, atol=1e-5)


def test_a_head_finds_a_sign_in_one_token_on_any_scale_and_its_loss_is_that_of_the_head() -> None:
    (cells, labels), (held, told) = tokens_with_a_sign(60, seed=0), tokens_with_a_sign(40, seed=1)
    head = torch.nn.Linear(3, 1)
    loss = fit_sign_head(head, cells, labels, held, told)
    with torch.no_grad():
        again = float(masked_bce(sign_logits(head(held)), told))
    assert loss == pytest.approx(again, abs=1e-4)
    assert loss < 0.25 < math.log(2)


def test_unknown_labels_teach_nothing_and_a_sign_without_labels_stays_a_coin() -> None:
    cells, labels = tokens_with_a_sign(60, seed=0)
    both = torch.cat([labels, torch.full_like(labels, torch.nan)], dim=1)
    head = torch.nn.Linear(3, 2)
    fit_sign_head(head, cells, both, cells, both)
    with torch.no_grad():
        shares = sign_logits(head(cells)).sigmoid()
    assert shares[:, 1].tolist() == pytest.approx([0.5] * 60, abs=1e-3)
    assert shares[labels[:, 0] == 1, 0].median() > 0.7 > 0.3 > shares[labels[:, 0] == 0, 0].median()


def test_without_epochs_the_head_alone_is_fitted(recipe, learn) -> None:
    torch.manual_seed(0)
    fresh = build_scan_encoder(recipe, signs=2)
    encoder, fitted = learn(changes={"scan_epochs": 0})
    assert fitted.best_epoch == -1
    assert math.isfinite(fitted.best_loss)
    assert same(body_of(encoder), body_of(fresh))
    assert not torch.equal(encoder.sign_head.weight, fresh.sign_head.weight)


def test_where_no_epoch_is_better_than_the_head_the_body_stays_as_it_was(recipe, learn) -> None:
    torch.manual_seed(0)
    before = body_of(build_scan_encoder(recipe, signs=2))
    encoder, fitted = learn(changes={"scan_learning_rate": 5.0, "pretrained_rate": 1.0, "clip_norm": 100.0})
    assert fitted.best_epoch == -1
    assert len(fitted.epochs) == 2
    assert fitted.best_loss <= min(epoch["validation_loss"] for epoch in fitted.epochs)
    assert same(body_of(encoder), before)


def test_a_pretrained_body_learns_at_its_own_rate(recipe, learn, monkeypatch) -> None:
    seen = []
    monkeypatch.setattr("pipelines.training.fitting.fit", lambda *_, **how: seen.append(how["rates"]) or stop())
    for pretrained in (True, False):
        with pytest.raises(CutError):
            learn(changes={"encoder_rate": 0.5, "pretrained_rate": 0.1}, pretrained=pretrained)
    assert seen == [{"body.": pytest.approx(0.05)}, {"body.": 0.5}]


def stop() -> None:
    raise CutError


def test_cut_off_it_ends_in_the_same_weights(learn, tmp_path: Path) -> None:
    def cut(_epoch: int, _metrics: dict[str, float]) -> None:
        raise CutError

    whole, fitted = learn()
    with pytest.raises(CutError):
        learn(checkpoint=tmp_path / "cut", report=cut)
    resumed, again = learn(checkpoint=tmp_path / "cut")
    assert (again.best_epoch, again.best_loss) == (fitted.best_epoch, fitted.best_loss)
    assert same(dict(whole.state_dict()), dict(resumed.state_dict()))


@pytest.mark.parametrize("given", [True, False])
def test_train_takes_an_encoder_with_given_weights_for_a_pretrained_one(
    recipe, examples, tmp_path: Path, monkeypatch, given: bool
) -> None:
    path = tmp_path / "body.safetensors"
    path.write_bytes(weights_bytes(build_scan_encoder(recipe, signs=1).body))
    scan = recipe.scan.model_copy(update={"weights": str(path) if given else None})
    seen = []
    for name in ("fit_sign_head", "fit"):
        monkeypatch.setattr(
            f"pipelines.training.fitting.{name}", lambda *_, name=name, **__: seen.append(name) or stop()
        )
    with pytest.raises(CutError):
        run.train(examples, recipe=recipe.model_copy(update={"scan": scan}), folder=tmp_path / "artefact")
    assert seen == ["fit_sign_head" if given else "fit"]
