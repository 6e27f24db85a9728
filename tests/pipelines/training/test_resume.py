"""A fit that is broken off anywhere, however often, ends in the same weights as an unbroken one."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from pipelines.training.loop import Fitted, fit

GENERATOR = torch.Generator().manual_seed(0)
X = torch.randn(23, 4, generator=GENERATOR)
Y = (X[:, :1] * 2 - X[:, 1:2] + 0.3 * torch.randn(23, 1, generator=GENERATOR)).detach()
STEPS, EPOCHS = 5, 4
CHOICES = {
    "adamw": {},
    "sgd, steps": {"optimizer": "sgd", "schedule": "step", "learning_rate": 0.01},
    "adam, rates": {"optimizer": "adam", "rates": {"0.": 0.3}},
    "ema": {"averaging": "ema"},
    "swa": {"averaging": "swa"},
    "accumulated": {"accumulate": 2, "batch_size": 3},
}


class StoppedError(Exception):
    """Ends a run as a kill would."""


def net(seed: int = 0) -> nn.Module:
    """With dropout and batch norm: randomness and buffers that a resumed run must have again."""
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.3), nn.Linear(8, 1))


def loss_of(module: nn.Module, index: torch.Tensor) -> torch.Tensor:
    noisy = X[index] + 0.1 * torch.randn(len(index), 4)  # augmentation draws from the same generator
    return ((module(noisy) - Y[index]) ** 2).mean()


def validation_loss(module: nn.Module) -> float:
    with torch.no_grad():
        return float(((module(X) - Y) ** 2).mean())


def run(module: nn.Module, **changes) -> Fitted:
    arguments = {
        "loss_of": loss_of,
        "validation_loss": validation_loss,
        "count": len(X),
        "epochs": EPOCHS,
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


def dying_at(call: int, act=None):
    """The loss, until the call of this number."""
    calls = []

    def loss(module: nn.Module, index: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        if len(calls) > call:
            if act is None:
                raise StoppedError
            act()
        return loss_of(module, index)

    return loss


@pytest.mark.parametrize("how", CHOICES)
def test_stopped_at_every_step_in_turn_a_fit_ends_in_the_same_weights(tmp_path, how):
    whole = net()
    fitted = run(whole, **CHOICES[how])
    for _ in range(200):
        module = net(seed=9 if any(tmp_path.iterdir()) else 0)
        try:
            # One step further each time: its gradients are taken anew from the last state that was kept.
            found = run(module, checkpoint=tmp_path, checkpoint_steps=1, loss_of=dying_at(3), **CHOICES[how])
            break
        except StoppedError:
            continue
    assert found == fitted
    assert same(module, whole)


def test_a_step_between_two_kept_states_is_taken_again(tmp_path):
    whole, resumed = net(), net(seed=9)
    fitted = run(whole)
    with pytest.raises(StoppedError):
        run(net(), checkpoint=tmp_path, checkpoint_steps=2, loss_of=dying_at(STEPS + 3))
    assert [path.name for path in tmp_path.glob("*.safetensors")] == ["state-1-2.safetensors"]
    assert run(resumed, checkpoint=tmp_path, checkpoint_steps=2) == fitted
    assert same(resumed, whole)


def test_a_fit_stopped_before_its_first_validation_goes_on(tmp_path):
    whole, resumed = net(), net(seed=9)
    fitted = run(whole)

    def never(_module: nn.Module) -> float:
        raise StoppedError

    with pytest.raises(StoppedError):
        run(net(), checkpoint=tmp_path, checkpoint_steps=1, validation_loss=never)
    assert run(resumed, checkpoint=tmp_path) == fitted
    assert same(resumed, whole)


def test_states_within_an_epoch_are_kept_by_time_too(tmp_path):
    with pytest.raises(StoppedError):
        run(net(), checkpoint=tmp_path, checkpoint_seconds=1e-9, loss_of=dying_at(3))
    assert [path.name for path in tmp_path.glob("*.safetensors")] == ["state-0-3.safetensors"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_killed_by_the_system_at_random_steps_a_run_ends_in_the_same_weights(tmp_path, seed):
    whole, resumed = net(), net(seed=9)
    fitted = run(whole)
    calls = random.Random(seed).sample(range(1, STEPS * EPOCHS // 2), 2)
    for call in calls:
        script = f"""
import os, signal, sys
sys.path[:0] = [{str(Path(__file__).parents[3])!r}, {str(Path(__file__).parent)!r}]
from pathlib import Path
from test_resume import dying_at, net, run
run(net(), checkpoint=Path({str(tmp_path)!r}), checkpoint_steps=2,
    loss_of=dying_at({call}, lambda: os.kill(os.getpid(), signal.SIGKILL)))
"""
        environment = os.environ | {"PYTHONWARNINGS": "ignore"}
        killed = subprocess.run([sys.executable, "-c", script], env=environment, check=False)
        assert killed.returncode == -signal.SIGKILL
    assert run(resumed, checkpoint=tmp_path) == fitted
    assert same(resumed, whole)


@pytest.mark.slow
def test_two_processes_end_where_one_does(tmp_path):
    script = tmp_path / "two.py"
    script.write_text(f"""
import sys
sys.path[:0] = [{str(Path(__file__).parents[3])!r}, {str(Path(__file__).parent)!r}]
import torch
from torch import nn
from safetensors.torch import save_file
from accelerate import PartialState
from test_resume import X, Y, run, validation_loss
torch.manual_seed(0)
module = nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.Linear(8, 1))
fitted = run(module, loss_of=lambda net, n: ((net(X[n]) - Y[n]) ** 2).mean(), accumulate=2, batch_size=4)
if PartialState().is_main_process:
    print(PartialState().num_processes, flush=True)
    save_file({{name: part.contiguous() for name, part in module.state_dict().items()}}, sys.argv[1])
""")
    from safetensors.torch import load_file

    found = {}
    # On CPUs accelerate's own launcher wants MPI; under torchrun it finds its processes by itself (gloo).
    environment = os.environ | {"PYTHONWARNINGS": "ignore", "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}
    for processes in (1, 2):
        out = tmp_path / f"{processes}.safetensors"
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(processes)]
        done = subprocess.run(
            [*command, str(script), str(out)], env=environment, check=False, capture_output=True, text=True, timeout=240
        )
        assert done.returncode == 0, done.stderr[-2000:]
        assert done.stdout.split()[-1] == str(processes)
        found[processes] = load_file(out)
    assert all(torch.allclose(part, found[2][name], atol=1e-5) for name, part in found[1].items())
