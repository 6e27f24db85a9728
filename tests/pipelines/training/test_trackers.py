from __future__ import annotations

import importlib.util

import pytest
from accelerate.tracking import GeneralTracker, on_main_process

from data_schemas.errors import SettingsError
from pipelines.training.trackers import open_trackers


class Kept(GeneralTracker):
    """A tracker that keeps what it is told."""

    name = "kept"
    requires_logging_directory = False

    @on_main_process
    def __init__(self):
        super().__init__()
        self.told: list[tuple[dict, int]] = []
        self.ended = False

    @property
    def tracker(self):
        return self.told

    @on_main_process
    def store_init_configuration(self, values):
        raise AssertionError("settings were told")

    @on_main_process
    def log(self, values, step=None, **_):
        self.told.append((values, step))

    @on_main_process
    def finish(self):
        self.ended = True


def test_trackers_are_told_every_epoch_of_every_part_under_one_count(tmp_path):
    kept = Kept()
    with open_trackers([kept], folder=tmp_path / "told") as track:
        track("scan encoder", 0, {"loss": 0.5})
        track("fusion", 0, {"loss": 0.25})
    assert kept.told == [
        ({"scan-encoder/epoch": 0, "scan-encoder/loss": 0.5}, 0),
        ({"fusion/epoch": 0, "fusion/loss": 0.25}, 1),
    ]
    assert kept.ended


def test_without_trackers_nothing_is_written(tmp_path):
    with open_trackers([], folder=tmp_path / "told") as track:
        track("fusion", 0, {"loss": 0.25})
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["tensorboard", "wandb"])
def test_a_tracker_that_is_not_installed_is_one_line(tmp_path, monkeypatch, name):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with (
        pytest.raises(SettingsError, match=rf"model\.training\.trackers: {name} is not installed; pip install {name}"),
        open_trackers([name], folder=tmp_path),
    ):
        pass
