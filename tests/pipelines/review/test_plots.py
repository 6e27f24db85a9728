"""ROC and reliability: points computed by hand, and pictures without what must not be shown."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from pipelines.review.plots import reliability_points, roc_points, write_plots
from pipelines.review.table import ARMS


def arms(probabilities: np.ndarray) -> dict[str, np.ndarray]:
    return dict.fromkeys(ARMS, probabilities)


def test_the_roc_goes_through_its_thresholds_and_takes_ties_in_one_step() -> None:
    false, true = roc_points(np.array([0.9, 0.7, 0.7, 0.2]), np.array([1, 1, 0, 0]))
    assert false.tolist() == [0, 0, 0.5, 1]
    assert true.tolist() == [0, 0.5, 1, 1]


def test_reliability_compares_mean_score_and_share_in_bins_of_equal_count() -> None:
    score = np.array([0.1] * 10 + [0.6] * 10)
    label = np.array([0] * 9 + [1] + [1] * 5 + [0] * 5)
    predicted, observed = reliability_points(score, label)
    np.testing.assert_allclose(predicted, [0.1, 0.6])
    np.testing.assert_allclose(observed, [0.1, 0.5])


def test_no_bin_of_a_reliability_diagram_holds_fewer_than_ten_cases() -> None:
    rng = np.random.default_rng(0)
    for count in (1, 9, 10, 19, 20, 101, 1000):
        predicted, _ = reliability_points(rng.random(count), np.zeros(count))
        assert len(predicted) <= max(1, count // 10)


def test_both_plots_are_written_as_png_and_svg(tmp_path: Path) -> None:
    label = np.tile([0.0, 1.0], 20)[:, None]
    paths = write_plots(tmp_path, probabilities=arms(label * 0.5 + 0.2), labels=label, findings=["pneumonia"])
    assert sorted(path.name for path in paths) == ["reliability.png", "reliability.svg", "roc.png", "roc.svg"]
    for path in paths:
        if path.suffix == ".png":
            with Image.open(path) as image:
                assert min(image.size) > 300
        else:
            text = path.read_text()
            assert all(arm in text for arm in (*ARMS, "pneumonia"))


def test_a_finding_with_fewer_than_ten_cases_of_a_class_is_named_and_not_drawn(tmp_path: Path) -> None:
    label = np.r_[np.ones(9), np.zeros(40)][:, None]
    write_plots(tmp_path, probabilities=arms(label * 0.5), labels=label, findings=["pneumonia"])
    text = (tmp_path / "roc.svg").read_text()
    assert "fewer than 10 cases" in text
    assert "pneumonia" in text


def test_cases_without_a_label_are_left_out(tmp_path: Path) -> None:
    label = np.r_[np.tile([0.0, 1.0], 10), [np.nan] * 5][:, None]
    folders = [tmp_path / "with", tmp_path / "without"]
    for folder, rows in zip(folders, (slice(None), slice(20)), strict=True):
        folder.mkdir()
        score = np.linspace(0, 1, 25)[rows, None]
        write_plots(folder, probabilities=arms(score), labels=label[rows], findings=["pneumonia"])
    assert (folders[0] / "roc.svg").read_bytes() == (folders[1] / "roc.svg").read_bytes()


def test_plots_neither_need_a_display_nor_change_the_users_figures(tmp_path: Path) -> None:
    label = np.tile([0.0, 1.0], 20)[:, None]
    write_plots(tmp_path, probabilities=arms(label), labels=label, findings=["pneumonia"])
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or not pyplot.get_fignums()
