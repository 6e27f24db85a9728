"""A pruned encoder learns its former features."""

from __future__ import annotations

import copy
import dataclasses

import pytest
import torch

from data_schemas.errors import InputError
from data_schemas.recipes import TrainingRecipe
from pipelines.models.compile.prune import pruned
from pipelines.training.fitting import stack
from pipelines.training.light.heal import heal

TRAINING = TrainingRecipe(scan_learning_rate=4e-3, scan_batch_size=8)


@pytest.mark.slow
def test_the_features_come_nearer_to_what_they_were_on_scans_that_were_not_learned(loaded, examples) -> None:
    whole = copy.deepcopy(loaded.scan_encoder.body)
    body = pruned(whole, share=0.5)
    before = copy.deepcopy(body).eval()
    training = [row for row in examples if row.split == "train"]
    heal(body, whole, training, training=TRAINING, epochs=6)
    for one, other in zip(whole.state_dict().values(), loaded.scan_encoder.body.state_dict().values(), strict=True):
        assert torch.equal(one, other)
    volume, _ = stack([row for row in examples if row.split == "test" and row.scan is not None][:16], "cpu")
    with torch.no_grad():
        aim = whole.eval()(volume)
        off = [float(((net.eval()(volume) - aim) ** 2).mean()) for net in (before, body)]
    assert off[1] < 0.7 * off[0]


def test_without_a_scan_there_is_nothing_to_learn_from(loaded, examples) -> None:
    rows = [dataclasses.replace(row, scan=None) for row in examples[:3]]
    with pytest.raises(InputError, match="no training case has a scan"):
        heal(pruned(loaded.scan_encoder.body, share=0.5), loaded.scan_encoder.body, rows, training=TRAINING, epochs=1)
