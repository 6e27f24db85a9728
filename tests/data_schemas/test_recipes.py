"""Recipes that contradict themselves are refused where the settings are read, not hours later."""

from __future__ import annotations

import pytest

from data_schemas.errors import SettingsError
from data_schemas.settings import read_settings


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("model: {fusion: {width: 64, heads: 5}}", "a width of 64 is no multiple of 5 heads"),
        ("model: {note: {window: 32, stride: 30}}", "a stride of 30 leaves no room in a window of 32"),
        ("model: {modalities: [scan, scan]}", "a modality stands twice"),
        ("model: {modalities: []}", "'model.modalities'"),
        ("model: {modalities: [scan, genome]}", "'model.modalities.1'"),
        ("model: {scan: {modalities: [MR]}}", "HU windows are for CT alone"),
        ("model: {scan: {channels: [T1, T2]}}", "HU windows are for CT alone"),
        ("model: {scan: {intensity: z-score, modalities: [MR], channels: [T1, T1]}}", "the same name"),
        ("select: {prefer: {slice_mm: [3, 1]}}", "a range needs its lower bound first"),
    ],
)
def test_a_recipe_that_contradicts_itself_is_one_line(tmp_path, text, told):
    path = tmp_path / "settings.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=told) as caught:
        read_settings(path)
    assert "\n" not in str(caught.value)


def test_the_widest_stride_that_leaves_room_is_taken(tmp_path):
    path = tmp_path / "settings.yaml"
    path.write_text("model: {note: {window: 32, stride: 29}}")
    assert read_settings(path).model.note.stride == 29


@pytest.mark.parametrize(
    ("text", "inputs"),
    [
        ("{}", 2),
        ("model: {scan: {intensity: z-score, modalities: [MR]}}", 1),
        ("model: {scan: {intensity: z-score, modalities: [MR], channels: [T1, T2, FLAIR]}}", 6),
    ],
)
def test_an_encoder_has_an_input_a_window_or_a_channel_with_its_mask(tmp_path, text, inputs):
    path = tmp_path / "settings.yaml"
    path.write_text(text)
    assert read_settings(path).model.scan.inputs == inputs
