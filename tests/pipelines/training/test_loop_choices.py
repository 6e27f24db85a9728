from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from data_schemas.errors import SettingsError
from pipelines.training.averaging import averaged, make_average
from pipelines.training.loop import fit
from pipelines.training.optimisers import make_optimizer
from pipelines.training.schedules import make_schedule

X = torch.randn(16, 3, generator=torch.Generator().manual_seed(3))
Y = X.sum(dim=1, keepdim=True)


def net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 1))


def run(module: nn.Module, **changes):
    def validation_loss(module: nn.Module) -> float:
        with torch.no_grad():
            return float(((module(X) - Y) ** 2).mean())

    arguments = {
        "loss_of": lambda module, index: ((module(X[index]) - Y[index]) ** 2).mean(),
        "validation_loss": validation_loss,
        "count": len(X),
        "epochs": 5,
        "patience": 5,
        "batch_size": 4,
        "learning_rate": 0.01,
        "weight_decay": 0.0,
        "warmup_share": 0.1,
        "clip_norm": 1.0,
        "seed": 1,
    }
    return fit(module, **arguments | changes)


def test_cosine_rises_to_one_and_falls_to_zero():
    factor = make_schedule("cosine", steps=10, warmup_share=0.2)
    assert [factor(0), factor(1), factor(2), factor(6), factor(10)] == pytest.approx([0.5, 1.0, 1.0, 0.5, 0.0])


def test_steps_drop_by_their_factor_after_each_share():
    factor = make_schedule("step", steps=30, warmup_share=0.0, drop_share=1 / 3, drop_factor=0.1)
    assert [factor(0), factor(9), factor(10), factor(19), factor(20)] == pytest.approx([1.0, 1.0, 0.1, 0.1, 0.01])


def test_constant_stays_after_the_warm_up():
    factor = make_schedule("constant", steps=10, warmup_share=0.2)
    assert [factor(0), factor(2), factor(9)] == pytest.approx([0.5, 1.0, 1.0])


@pytest.mark.parametrize(
    ("make", "key"),
    [
        (lambda: make_schedule("linear", steps=3, warmup_share=0.0), "schedule"),
        (lambda: make_optimizer(net(), "lion", learning_rate=1.0, weight_decay=0.0), "optimizer"),
        (lambda: make_average("median", decay=0.5, epochs=3), "averaging"),
    ],
)
def test_what_nobody_knows_is_one_line(make, key):
    with pytest.raises(SettingsError, match=rf"model\.training\.{key}: there is no '\w+'; known: "):
        make()


@pytest.mark.parametrize(("kind", "expected"), [("sgd", 1.0 - 0.1 * (2.0 + 0.5)), ("adam", 0.9), ("adamw", 0.85)])
def test_each_optimiser_takes_its_own_first_step(kind, expected):
    """Of a weight 1 with gradient 2, rate 0.1, decay 0.5: SGD adds the decay, Adam hides it, AdamW takes it apart."""
    module = nn.Linear(1, 1, bias=False)
    module.weight.data.fill_(1.0)
    module.weight.grad = torch.full((1, 1), 2.0)
    make_optimizer(module, kind, learning_rate=0.1, weight_decay=0.5).step()
    assert float(module.weight.detach()) == pytest.approx(expected, abs=1e-6)


def test_parts_learn_at_their_own_rate_by_the_longest_name_that_fits():
    optimizer = make_optimizer(
        net(), "adamw", learning_rate=0.1, weight_decay=0.0, rates={"0.": 0.5, "0.bias": 0.0, "absent": 3.0}
    )
    assert [(group["lr"], len(group["params"])) for group in optimizer.param_groups] == [(0.1, 2), (0.05, 1), (0.0, 1)]


def test_a_part_of_rate_zero_stays_as_it_was():
    module, before = net(), net()
    run(module, rates={"0.": 0.0}, weight_decay=0.5)
    assert torch.equal(module[0].weight, before[0].weight)
    assert not torch.equal(module[2].weight, before[2].weight)


@pytest.mark.parametrize("optimizer", ["adamw", "adam", "sgd"])
def test_every_optimiser_lowers_the_loss(optimizer):
    fitted = run(net(), optimizer=optimizer, epochs=8)
    assert fitted.best_loss < fitted.epochs[0]["validation_loss"]


def test_accumulated_batches_are_one_large_batch():
    large, small = net(), net()
    run(large, batch_size=8)
    run(small, batch_size=2, accumulate=4)
    pairs = zip(large.state_dict().values(), small.state_dict().values(), strict=True)
    assert all(torch.allclose(one, other, atol=1e-5) for one, other in pairs)


def test_uneven_parts_of_a_step_count_by_their_cases():
    large, small = net(), net()
    run(large, count=15, batch_size=15)
    run(small, count=15, batch_size=4, accumulate=4)
    pairs = zip(large.state_dict().values(), small.state_dict().values(), strict=True)
    assert all(torch.allclose(one, other, atol=1e-5) for one, other in pairs)


def test_the_moving_average_is_as_computed_by_hand():
    module = nn.Linear(1, 1, bias=False)
    average = make_average("ema", decay=0.5, epochs=1)
    for value in (1.0, 3.0, 4.0):
        module.weight.data.fill_(value)
        average.after_step(module)
    # Decays 0.1, 2/11, 3/12; the first copy is its own average.
    expected = 1.0 + (3.0 - 1.0) * (1 - 2 / 11)
    expected += (4.0 - expected) * (1 - 3 / 12)
    assert float(average.weights["weight"]) == pytest.approx(expected)


def test_the_mean_of_the_last_epochs_is_a_plain_mean():
    module = nn.Linear(1, 1, bias=False)
    average = make_average("swa", decay=0.0, epochs=8)
    for epoch, value in enumerate([9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 1.0, 4.0]):
        module.weight.data.fill_(value)
        average.after_epoch(module, epoch)
    assert float(average.weights["weight"]) == pytest.approx(2.5)


def test_averaged_weights_are_there_inside_only():
    module = nn.BatchNorm1d(1)
    average = make_average("swa", decay=0.0, epochs=1)
    average.after_epoch(module, 0)
    module.weight.data.fill_(7.0)
    with averaged(module, average):
        assert float(module.weight.detach()) == 1.0
    assert float(module.weight.detach()) == 7.0


def test_the_average_is_what_is_validated_and_kept():
    seen = []

    def validation_loss(module: nn.Module) -> float:
        seen.append(module[0].weight.detach().clone())
        return -float(len(seen))

    module, plain = net(), net()
    run(module, averaging="ema", average_decay=0.9, validation_loss=validation_loss)
    run(plain, validation_loss=lambda _module: 1.0 / math.pi)
    assert torch.equal(module[0].weight.detach(), seen[-1])
    assert not torch.equal(module[0].weight, plain[0].weight)
