"""Learning rates over a fit, as factors of the rate in the settings: a warm-up, then cosine, steps, or no change."""

from __future__ import annotations

import math
from collections.abc import Callable

from data_schemas.errors import SettingsError

Factor = Callable[[int], float]


def make_schedule(
    kind: str, *, steps: int, warmup_share: float, drop_share: float = 1 / 3, drop_factor: float = 0.1
) -> Factor:
    """The factor at each optimiser step, from 0.

    Parameters
    ----------
    kind
        ``cosine`` falls to 0 at the last step (Loshchilov 2017, one cycle); ``step`` is multiplied by ``drop_factor``
        after every ``drop_share`` of the steps; ``constant`` stays.
    steps
        Number of optimiser steps of the whole fit.
    warmup_share
        Share of the steps over which the rate rises from near 0; at least one step.

    Raises
    ------
    SettingsError
        There is no such schedule.
    """
    warmup = max(int(steps * warmup_share), 1)
    length = max(steps * drop_share, 1.0)
    kinds: dict[str, Factor] = {
        "cosine": lambda step: 0.5 * (1 + math.cos(math.pi * min((step - warmup) / max(steps - warmup, 1), 1.0))),
        # Rounded, for a third of thirty steps is 10 and not 9.999….
        "step": lambda step: drop_factor ** int(round(step / length, 9)),
        "constant": lambda _step: 1.0,
    }
    if kind not in kinds:
        raise SettingsError(f"model.training.schedule: there is no '{kind}'; known: {', '.join(kinds)}")
    after = kinds[kind]
    return lambda step: (step + 1) / warmup if step < warmup else after(step)
