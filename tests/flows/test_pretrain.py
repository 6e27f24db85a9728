"""``scanote pretrain``: what cannot be learned from is one line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.mark.parametrize("objective", ["contrastive", "text", "volume"])
def test_a_workspace_without_cases_is_one_line(
    scanote: Callable[..., Any], bare: Callable[..., Any], objective: str
) -> None:
    done = scanote("pretrain", "-w", bare(sources={}).root, "--objective", objective)
    assert done.code == 2
    assert "in the training split; pretraining needs at least 20" in done.complaint


def test_an_unknown_objective_is_refused(scanote: Callable[..., Any]) -> None:
    assert scanote("pretrain", "--objective", "luck").code == 2
