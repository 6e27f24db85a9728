from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
from itertools import chain, pairwise
from pathlib import Path

import pytest
import torch
from torch import nn

from data_schemas.errors import InputError, SettingsError
from pipelines.training.loop import Fitted, fit, make_accelerator

GENERATOR = torch.Generator().manual_seed(0)
X = torch.randn(23, 4, generator=GENERATOR)
Y = (X[:, :1] * 2 - X[:, 1:2] + 0.3 * torch.randn(23, 1, generator=GENERATOR)).detach()


def net(seed: int = 0) -> nn.Module:
    """With dropout and batch norm: randomness and buffers that a resumed run must have again."""
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.3), nn.Linear(8, 1))


def loss_of(module: nn.Module, index: torch.Tensor) -> torch.Tensor:
    return ((module(X[index]) - Y[index]) ** 2).mean()


def validation_loss(module: nn.Module) -> float:
    assert not module.training
    with torch.no_grad():
        return float(((module(X) - Y) ** 2).mean())


def run(module: nn.Module, **changes) -> Fitted:
    arguments = {
        "loss_of": loss_of,
        "validation_loss": validation_loss,
        "count": len(X),
        "epochs": 6,
        "patience": 6,
        "batch_size": 5,
        "learning_rate": 0.02,
        "weight_decay": 0.01,
        "warmup_share": 0.1,
        "clip_norm": 1.0,
        "seed": 1,
    }
    return fit(module, **arguments | changes)


def same(one: nn.Module, other: nn.Module) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


class StoppedError(Exception):
    """Ends a run as a kill would."""


def stop_after(epoch: int):
    def report(done: int, _metrics) -> None:
        if done == epoch:
            raise StoppedError

    return report


def curve(*losses: float):
    """Validation losses, one an epoch."""
    given = iter(losses)
    return lambda _module: next(given)


def test_a_fit_lowers_the_loss():
    fitted = run(net(), epochs=20)
    assert fitted.best_loss < fitted.epochs[0]["validation_loss"] / 2


def test_the_same_seed_gives_the_same_weights_and_another_seed_others():
    one, two, other = net(), net(), net()
    assert run(one) == run(two)
    run(other, seed=2)
    assert same(one, two)
    assert not same(one, other)


@pytest.mark.parametrize("epoch", [0, 2, 4])
def test_a_run_stopped_after_an_epoch_and_resumed_ends_in_the_same_weights(tmp_path, epoch):
    whole, broken, resumed = net(), net(), net(seed=5)
    fitted = run(whole)
    with pytest.raises(StoppedError):
        run(broken, checkpoint=tmp_path, report=stop_after(epoch))
    assert run(resumed, checkpoint=tmp_path) == fitted
    assert same(resumed, whole)


def test_a_run_stopped_within_an_epoch_goes_on_from_the_last_one(tmp_path):
    whole, resumed = net(), net()
    fitted = run(whole)
    calls = []

    def dying(module: nn.Module, index: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        if len(calls) == 13:
            raise StoppedError
        return loss_of(module, index)

    with pytest.raises(StoppedError):
        run(net(), checkpoint=tmp_path, loss_of=dying)
    assert run(resumed, checkpoint=tmp_path) == fitted
    assert same(resumed, whole)


def test_a_run_killed_by_the_system_goes_on_to_the_same_weights(tmp_path):
    script = f"""
import os, signal, sys
sys.path[:0] = [{str(Path(__file__).parents[3])!r}, {str(Path(__file__).parent)!r}]
from pathlib import Path
from test_loop import net, run
die = lambda epoch, _: os.kill(os.getpid(), signal.SIGKILL) if epoch == 1 else None
run(net(), checkpoint=Path({str(tmp_path)!r}), report=die)
"""
    environment = os.environ | {"PYTHONWARNINGS": "ignore"}
    killed = subprocess.run([sys.executable, "-c", script], env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL
    whole, resumed = net(), net()
    fitted = run(whole)
    assert run(resumed, checkpoint=tmp_path) == fitted
    assert same(resumed, whole)


def test_a_finished_run_is_not_trained_again(tmp_path):
    first, second = net(), net()
    fitted = run(first, checkpoint=tmp_path)

    def never(_module: nn.Module, _index: torch.Tensor) -> torch.Tensor:
        raise AssertionError("trained again")

    assert run(second, checkpoint=tmp_path, loss_of=never) == fitted
    assert same(first, second)


def test_early_stopping_survives_a_resume(tmp_path):
    losses = (3.0, 1.0, 2.0, 2.0, 2.0, 0.5)
    whole = run(net(), patience=2, validation_loss=curve(*losses))
    with pytest.raises(StoppedError):
        run(net(), patience=2, validation_loss=curve(*losses), checkpoint=tmp_path, report=stop_after(2))
    resumed = run(net(), patience=2, validation_loss=curve(*losses[3:]), checkpoint=tmp_path)
    assert resumed == whole
    assert len(whole.epochs) == 4


@pytest.mark.parametrize("damage", ["truncate", "flip", "remove", "not json", "old format", "other module"])
def test_a_damaged_checkpoint_is_said_and_the_fit_begins_anew(tmp_path, caplog, damage):
    with pytest.raises(StoppedError):
        run(net(), checkpoint=tmp_path, report=stop_after(2))
    [tensors] = tmp_path.glob("*.safetensors")
    data = tensors.read_bytes()
    state = tmp_path / "state.json"
    if damage == "truncate":
        tensors.write_bytes(data[: len(data) // 2])
    elif damage == "flip":
        tensors.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    elif damage == "remove":
        tensors.unlink()
    elif damage == "not json":
        state.write_text(state.read_text()[:-5])
    elif damage == "old format":
        state.write_text(json.dumps({"epochs": []}))
    else:
        run(nn.Sequential(nn.Linear(4, 1)), checkpoint=tmp_path, epochs=1)
        state.unlink()
        with pytest.raises(StoppedError):
            run(nn.Sequential(nn.Linear(4, 1)), checkpoint=tmp_path, report=stop_after(0))
    whole, resumed = net(), net()
    fitted = run(whole)
    with caplog.at_level(logging.WARNING):
        assert run(resumed, checkpoint=tmp_path) == fitted
    assert same(resumed, whole)
    assert "trained from its beginning" in caplog.text


def test_a_half_written_newer_checkpoint_does_not_hide_the_older_one(tmp_path):
    with pytest.raises(StoppedError):
        run(net(), checkpoint=tmp_path, report=stop_after(2))
    (tmp_path / "state-4-0.safetensors").write_bytes(b"half")
    (tmp_path / ".state.json-x.tmp").write_text("{")
    whole, resumed = net(), net()
    epochs = []
    run(whole)
    run(resumed, checkpoint=tmp_path, report=lambda epoch, _: epochs.append(epoch))
    assert epochs == [3, 4, 5]
    assert same(resumed, whole)


def test_only_the_last_checkpoint_is_kept(tmp_path):
    run(net(), checkpoint=tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["state-6-0.safetensors", "state.json"]


def test_a_fit_stops_after_so_many_epochs_without_a_better_one():
    fitted = run(net(), epochs=10, patience=2, validation_loss=curve(3.0, 1.0, 2.0, 1.0, 0.0))
    assert (len(fitted.epochs), fitted.best_epoch, fitted.best_loss) == (4, 1, 1.0)


def test_the_weights_of_the_best_epoch_are_restored():
    module = net()
    losses = (3.0, 1.0, 2.0, 2.0, 2.0, 2.0)
    kept = []

    def remember(module: nn.Module) -> float:
        kept.append({name: part.clone() for name, part in module.state_dict().items()})
        return losses[len(kept) - 1]

    fitted = run(module, validation_loss=remember)
    assert fitted.best_epoch == 1
    assert all(torch.equal(part, kept[1][name]) for name, part in module.state_dict().items())
    assert not all(torch.equal(part, kept[-1][name]) for name, part in module.state_dict().items())
    assert not module.training


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_is_one_line(value):
    def bad(module: nn.Module, index: torch.Tensor) -> torch.Tensor:
        return loss_of(module, index) * value

    with pytest.raises(InputError, match=r"the loss became (nan|inf) in epoch 0; lower the learning rate"):
        run(net(), loss_of=bad)


def test_a_validation_loss_that_is_not_finite_is_never_taken_for_the_best():
    with pytest.raises(InputError, match="the validation loss became nan in epoch 1"):
        run(net(), validation_loss=curve(1.0, float("nan")))


def test_nothing_to_train_on_is_one_line():
    with pytest.raises(InputError, match="no case to train on"):
        run(net(), count=0)


def test_no_epochs_leave_the_module_as_it_was():
    module, fresh = net(), net()
    assert run(module, epochs=0).epochs == ()
    assert same(module, fresh)


def test_every_case_is_seen_once_an_epoch_and_never_alone():
    seen: list[list[int]] = []

    def watched(module: nn.Module, index: torch.Tensor) -> torch.Tensor:
        seen.append(index.tolist())
        return loss_of(module, index)

    run(net(), epochs=2, count=21, loss_of=watched)
    assert [len(part) for part in seen] == [5, 5, 5, 6] * 2
    first, second = (list(chain.from_iterable(part)) for part in (seen[:4], seen[4:]))
    assert sorted(first) == sorted(second) == list(range(21))
    assert first != second


def test_the_learning_rate_warms_up_and_falls_to_zero():
    weights, module = [], nn.Linear(4, 1)

    def watched(inner: nn.Module, index: torch.Tensor) -> torch.Tensor:
        weights.append(inner.weight.detach().clone())
        return (inner(X[index]) - Y[index]).mean() * 1e3

    run(module, epochs=4, count=20, loss_of=watched, weight_decay=0.0, warmup_share=0.25, validation_loss=lambda _: 1.0)
    steps = [float((b - a).abs().max()) for a, b in pairwise(weights)]
    assert steps[0] < steps[2] < steps[4]
    assert steps[-1] < max(steps) / 10


def test_gradients_are_clipped():
    def steep(module: nn.Module, index: torch.Tensor) -> torch.Tensor:
        return loss_of(module, index) * 1e6

    seen = []
    original = torch.optim.AdamW.step

    def step(self, *arguments, **named):
        seen.append(float(torch.cat([p.grad.flatten() for g in self.param_groups for p in g["params"]]).norm()))
        return original(self, *arguments, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.optim.AdamW, "step", step)
        run(net(), loss_of=steep, epochs=1)
    assert seen
    assert max(seen) <= 1.0 + 1e-4


def test_bf16_without_a_gpu_that_has_it_is_a_settings_error(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SettingsError, match=r"model\.training\.precision"):
        make_accelerator("bf16")


@pytest.mark.parametrize("precision", ["auto", "fp32"])
def test_without_such_a_gpu_training_runs_in_fp32(monkeypatch, precision):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert make_accelerator(precision).mixed_precision == "no"
