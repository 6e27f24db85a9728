"""What a tuning searches over: the fusion, its size and regularisation, and the optimiser's main dials.

The range of every setting holds the settings' own value, so that their recipe is one of those that are tried. The loss
is not among them: trials are compared, and broken off, by their validation losses, and two losses have no common scale.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from data_schemas.errors import SettingsError
from data_schemas.recipes import ModelRecipe
from data_schemas.tuning import Value
from fusion_models.fusions.kinds import KINDS

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

KIND, ENCODER, LATE = "fusion.kind", "scan.encoder", "late"
WIDTHS, HEADS, LAYERS, BATCHES = (32, 64, 128), (2, 4, 8), (1, 2, 3), (16, 32, 64, 128)
# Lowest and highest value; on a logarithmic scale where the third word says so.
RANGES = {
    "fusion.dropout": (0.0, 0.5, False),
    "fusion.modality_dropout": (0.0, 0.5, False),
    "training.learning_rate": (1e-4, 1e-2, True),
    "training.weight_decay": (1e-4, 1e-1, True),
}
TUNABLE = (
    KIND,
    "fusion.width",
    "fusion.heads",
    "fusion.layers",
    *RANGES,
    "training.batch_size",
)
DIGITS = 3


@dataclass(frozen=True)
class Space:
    """The settings that vary, in the order in which a trial sets them: ``choices`` among values, ``ranges`` of numbers.

    ``base`` gives every other setting, and is the recipe that tuning is compared with.
    """

    base: ModelRecipe
    choices: Mapping[str, tuple[Value, ...]]
    ranges: Mapping[str, tuple[float, float, bool]]

    @property
    def names(self) -> tuple[str, ...]:
        """Of the settings that vary; the fusion is always the first, for late fusion is always in the race."""
        return (*self.choices, *self.ranges)


def make_space(recipe: ModelRecipe, *, only: Sequence[str] = (), encoders: Sequence[str] = ()) -> Space:
    """The space around a recipe.

    Parameters
    ----------
    only
        Names of `TUNABLE` that vary; none: all. Where the fusion is not among them, it is the recipe's own or late.
    encoders
        Scan encoders in the race beside the recipe's own.

    Raises
    ------
    SettingsError
        A name is no setting that can be tuned, the recipe's fusion is the linear one, or it reads no scan and encoders
        are named.
    """
    if unknown := [name for name in only if name not in TUNABLE]:
        raise SettingsError(f"{unknown[0][:40]!r} cannot be tuned; give some of {', '.join(TUNABLE)}")
    own = recipe.fusion.kind
    if own not in KINDS:
        raise SettingsError(
            f"model.fusion.kind: {own} has nothing to tune, for train chooses its penalties inside the folds; name "
            f"another one, such as {next(iter(KINDS))}, to tune that"
        )
    if encoders and "scan" not in recipe.modalities:
        raise SettingsError("scan encoders are named, and model.modalities has no scan to read with them")
    wanted = only or TUNABLE
    heads = _with(HEADS, recipe.fusion.heads)
    widths = [width for width in _with(WIDTHS, recipe.fusion.width) if all(width % number == 0 for number in heads)]
    if recipe.fusion.width not in widths:
        heads = (recipe.fusion.heads,)
        widths = [width for width in _with(WIDTHS, recipe.fusion.width) if width % heads[0] == 0]
    # A number of heads must divide every width that it may meet.
    if "fusion.width" not in wanted:
        widths = [recipe.fusion.width]
        heads = tuple(number for number in _with(HEADS, recipe.fusion.heads) if widths[0] % number == 0)
    if "fusion.heads" not in wanted:
        heads = (recipe.fusion.heads,)
        widths = [width for width in _with(WIDTHS, recipe.fusion.width) if width % heads[0] == 0]
    choices: dict[str, tuple[Value, ...]] = {
        KIND: (*KINDS,) if KIND in wanted else tuple(dict.fromkeys((own, LATE))),
        ENCODER: tuple(dict.fromkeys((recipe.scan.encoder, *encoders))),
        "fusion.width": tuple(widths),
        "fusion.heads": heads,
        "fusion.layers": _with(LAYERS, recipe.fusion.layers),
        "training.batch_size": _with(BATCHES, recipe.training.batch_size),
    }
    kept = {name for name, values in choices.items() if len(values) > 1 and (name in wanted or name == ENCODER)}
    ranges = {name: _around(value_of(recipe, name), *RANGES[name]) for name in RANGES if name in wanted}
    if len(recipe.modalities) == 1:
        ranges.pop("fusion.modality_dropout", None)
    return Space(
        base=recipe,
        choices={name: values for name, values in choices.items() if name == KIND or name in kept},
        ranges=ranges,
    )


def suggested(trial: BaseTrial, space: Space) -> ModelRecipe:
    """The recipe of a trial; numbers have three digits, so that what is written into the settings is what was tried."""
    found: dict[str, Value] = {}
    for name, values in space.choices.items():
        if _reads(found.get(KIND), name):
            found[name] = _known(trial.suggest_categorical(name, values))
    for name, (low, high, log) in space.ranges.items():
        drawn = trial.suggest_float(name, low, high, log=log)
        found[name] = drawn if drawn == value_of(space.base, name) else float(f"{drawn:.{DIGITS}g}")
    return with_values(space.base, found)


def first_trials(space: Space) -> dict[str, dict[str, Value]]:
    """The parameters of the trials that every search begins with: late fusion, and the settings' own recipe."""
    own = {name: value_of(space.base, name) for name in space.names}
    kind = str(space.base.fusion.kind)
    found = {"late": _read(own | {KIND: LATE})}
    return found if kind == LATE else found | {"settings": _read(own)}


def values_of(recipe: ModelRecipe, space: Space) -> dict[str, Value]:
    """What a recipe has for the settings that vary, without those that its fusion does not read."""
    return _read({name: value_of(recipe, name) for name in space.names})


def value_of(recipe: ModelRecipe, name: str) -> Value:
    """A setting by its dotted name."""
    part, key = name.split(".")
    found: Value = getattr(getattr(recipe, part), key)
    return found


def with_values(recipe: ModelRecipe, values: Mapping[str, Value]) -> ModelRecipe:
    """The recipe with some settings, by dotted name, changed."""
    update: dict[str, Any] = {}
    for part in {name.split(".")[0] for name in values}:
        changes = {name.split(".")[1]: value for name, value in values.items() if name.split(".")[0] == part}
        update[part] = getattr(recipe, part).model_copy(update=changes)
    return recipe.model_copy(update=update)


def _known(value: Value | None) -> Value:
    if value is None:
        raise ValueError("no setting has None among its choices")
    return value


def _read(values: Mapping[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in values.items() if _reads(values.get(KIND), name)}


def _reads(kind: Value | None, name: str) -> bool:
    return not (kind == "gated" and name == "fusion.layers")


def _with(values: Sequence[int], own: int) -> tuple[int, ...]:
    return tuple(sorted({*values, own}))


def _around(own: Value, low: float, high: float, log: bool) -> tuple[float, float, bool]:
    """The range with the settings' own value in it; a logarithmic one cannot hold 0, and is then none."""
    number = float(own)
    return (
        (min(low, number), max(high, number), True) if log and number > 0 else (min(0.0, low), max(high, number), False)
    )
