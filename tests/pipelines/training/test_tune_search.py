"""A search: late fusion always in the race, poor trials broken off, and a killed one goes on as if it had not been."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import optuna
import pytest

from data_schemas.errors import InputError, WorkspaceError
from data_schemas.recipes import ModelRecipe, TrainingRecipe
from data_schemas.tuning import SearchRecord
from pipelines.training.loop import Fitted, Report
from pipelines.training.tune.search import FINALISTS, SEEDS, Found, search
from pipelines.training.tune.space import make_space
from pipelines.training.tune.study import open_storage

EPOCHS = 10
RECIPE = ModelRecipe(training=TrainingRecipe(epochs=EPOCHS, seed=3))


class KilledError(BaseException):
    """What ends a process, and no handler of errors catches."""


def loss_of(recipe: ModelRecipe) -> float:
    """Late fusion is far from the best, and the learning rate matters; each seed adds its luck."""
    luck = 0.01 * ((recipe.training.seed * 7919 + int(1e6 * recipe.training.learning_rate)) % 10)
    return abs(recipe.training.learning_rate - 0.004) * 100 + (1.0 if recipe.fusion.kind == "late" else 0.0) + luck


@dataclass
class Cut:
    """Stands for the cases: the loss of a recipe is known, and every fit is counted."""

    loss: Callable[[ModelRecipe], float] = loss_of
    fits: list[ModelRecipe] = field(default_factory=list)
    dies_at: int | None = None

    def fit(self, recipe: ModelRecipe, *, report: Report | None = None) -> tuple[None, Fitted]:
        self.fits.append(recipe)
        loss = self.loss(recipe)
        for epoch in range(EPOCHS):
            if self.dies_at == len(self.fits) and epoch == EPOCHS // 2:
                raise KilledError
            if loss > 1e6:
                raise InputError("the loss became inf in epoch 0; lower the learning rate")
            if report:
                report(epoch, {"validation_loss": loss + 1 / (epoch + 1)})
        return None, Fitted(EPOCHS - 1, loss + 1 / EPOCHS, ())


@pytest.fixture(autouse=True)
def _no_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.training.tune.search.mean_auroc", lambda *_: 0.75)


def run(cut: Cut, storage: optuna.storages.BaseStorage | None = None, **how: Any) -> Found:
    held = storage or optuna.storages.InMemoryStorage()
    given: Any = {"resnet10": cut}
    return search(given, make_space(RECIPE), storage=held, **({"name": "fold 1", "trials": 12, "seed": 0} | how))


@pytest.fixture(scope="module")
def found() -> Found:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.training.tune.search.mean_auroc", lambda *_: 0.75)
        return run(Cut())


def test_late_fusion_is_the_first_trial_and_a_finalist_however_poor_it_is(found: Found) -> None:
    first, second, *others = found.record.trials
    assert (first.fixed, first.parameters["fusion.kind"], first.state) == ("late", "late", "complete")
    assert (second.fixed, second.parameters["fusion.kind"]) == ("settings", "cross-attention")
    assert not any(row.fixed for row in others)
    lates = [row.trial for row in found.record.finalists if kind(found.record, row.trial) == "late"]
    assert lates
    assert found.late.fusion.kind == "late"
    assert found.chosen.fusion.kind != "late"


def test_the_finalists_are_the_best_and_the_lowest_mean_over_the_seeds_is_chosen(found: Found) -> None:
    record = found.record
    whole = sorted((row for row in record.trials if row.loss is not None), key=lambda row: row.loss or 0.0)
    assert {row.number for row in whole[:FINALISTS]} <= {row.trial for row in record.finalists}
    for finalist in record.finalists:
        assert len(finalist.losses) == SEEDS
        assert finalist.losses[0] == record.trial(finalist.trial).loss
    assert record.chosen == min(record.finalists, key=lambda row: row.mean).trial
    assert found.chosen.training.learning_rate == record.best.parameters["training.learning_rate"]
    assert found.chosen.training.seed == RECIPE.training.seed


def test_the_seeds_may_turn_the_order_of_the_finalists() -> None:
    """The trial with the lowest loss is not chosen where its other seeds do worse."""

    def lucky(recipe: ModelRecipe) -> float:
        first = recipe.training.seed == RECIPE.training.seed
        if recipe.fusion.kind == "late":
            return 0.5
        return 0.4 if first else 0.8

    done = run(Cut(lucky), trials=2)
    assert done.record.trial(1).loss == pytest.approx(0.4 + 1 / EPOCHS)
    assert [row.mean for row in done.record.finalists] == pytest.approx([2 / 3 + 0.1, 0.6])
    assert done.record.chosen == 0


def test_poor_trials_are_broken_off_early_and_the_fixed_ones_never(found: Found) -> None:
    broken = [row for row in found.record.trials if row.state == "pruned"]
    assert broken
    assert all(row.epochs < EPOCHS and row.loss is None and row.auroc is None for row in broken)
    assert all(row.epochs == EPOCHS for row in found.record.trials if row.state == "complete")


def test_the_same_seed_gives_the_same_search_and_another_gives_another(found: Found) -> None:
    assert run(Cut()) == found
    assert run(Cut(), seed=1).record.trials != found.record.trials
    # The first trials are the same in every search; from then on the searches of one tuning draw apart.
    other = run(Cut(), name="fold 2").record.trials
    assert other[:2] == found.record.trials[:2]
    assert other[2:] != found.record.trials[2:]


@pytest.mark.parametrize("dies_at", [2, 13])
def test_a_killed_search_goes_on_and_ends_as_an_unbroken_one(tmp_path: Path, found: Found, dies_at: int) -> None:
    path = tmp_path / "tuning" / "trials.jsonl"
    killed, resumed, idle = Cut(dies_at=dies_at), Cut(), Cut()
    with pytest.raises(KilledError):
        run(killed, open_storage(path))
    with path.open("ab") as stream:
        stream.write(b'{"op_code": 6, "worker')  # the line that was being written
    assert run(resumed, open_storage(path)) == found
    # What was fitted before the kill is not fitted again, but for the fit that was broken off.
    fits = len(found.record.trials) + (SEEDS - 1) * len(found.record.finalists)
    assert len(killed.fits) - 1 + len(resumed.fits) == fits
    assert run(idle, open_storage(path)) == found
    assert not idle.fits
    assert path.stat().st_mode & 0o077 == 0


def test_the_lock_of_a_killed_process_does_not_hold_the_next_one_up(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    path.with_name("trials.jsonl.lock").symlink_to(path)
    assert len(run(Cut(), open_storage(path), trials=2).record.trials) == 2


def test_more_trials_go_on_from_fewer(found: Found) -> None:
    storage = optuna.storages.InMemoryStorage()
    run(Cut(), storage, trials=5)
    assert run(Cut(), storage).record.trials == found.record.trials
    assert run(Cut(), storage, trials=5).record.trials == found.record.trials[:5]


def test_without_time_the_fixed_trials_are_run_and_no_other() -> None:
    done = run(Cut(), seconds=0.0)
    assert [row.fixed for row in done.record.trials] == ["late", "settings"]
    assert done.record.wanted == 12


def test_a_loss_that_is_not_finite_ends_a_trial_and_not_the_search() -> None:
    """But for the settings' own recipe: then it is the settings that need mending."""
    done = run(Cut(lambda recipe: 1e9 if recipe.fusion.kind == "gated" else loss_of(recipe)), trials=20)
    states = {row.state for row in done.record.trials if row.parameters["fusion.kind"] == "gated"}
    assert states == {"diverged"}
    with pytest.raises(InputError, match="lower the learning rate"):
        run(Cut(lambda recipe: 1e9 if recipe.fusion.kind == "cross-attention" else 0.0))


def test_a_finalist_whose_other_seed_is_not_finite_is_not_chosen() -> None:
    def fragile(recipe: ModelRecipe) -> float:
        if recipe.fusion.kind == "late":
            return 0.5
        return 0.1 if recipe.training.seed == RECIPE.training.seed else 1e9

    done = run(Cut(fragile), trials=4)
    assert kind(done.record, done.record.chosen) == "late"
    assert SearchRecord.model_validate_json(done.record.model_dump_json()) == done.record


def test_a_damaged_memory_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    path.write_bytes(b"no JSON\n" * 3)
    with pytest.raises(WorkspaceError, match="delete the file to begin anew"):
        open_storage(path)


def kind(record: SearchRecord, number: int) -> object:
    return record.trial(number).parameters["fusion.kind"]
