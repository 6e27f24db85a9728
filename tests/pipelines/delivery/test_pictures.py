from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from pipelines.delivery.pictures import LUNG, SOFT_TISSUE, Window, grey_png, tiles_at, windows_of
from pipelines.delivery.planes import centre_mm


def grey(values, window):
    return np.asarray(Image.open(io.BytesIO(grey_png(np.array(values, np.float32), window))))


def test_a_window_runs_from_black_to_white_and_holds_what_lies_beyond():
    window = Window("w", -100.0, 100.0)
    assert grey([[-900, -100, 0, 100, 900]], window).tolist() == [[0, 0, 130, 255, 255]]


def test_a_picture_has_at_most_64_greys():
    assert len(np.unique(grey([np.linspace(-1350, 150, 5000)], LUNG))) == 64


def test_the_same_values_give_the_same_bytes():
    values = np.random.default_rng(0).normal(size=(40, 40))
    assert grey_png(values, SOFT_TISSUE) == grey_png(values.copy(), SOFT_TISSUE)


def test_a_ct_has_lung_and_soft_tissue_windows():
    assert windows_of(np.zeros((2, 8, 8)), "CT") == ((LUNG, SOFT_TISSUE), -1000.0)


def test_another_modality_has_one_window_over_its_own_values():
    volume = np.arange(4096, dtype=np.float32).reshape(16, 16, 16)
    (window,), outside = windows_of(volume, "MR")
    assert 0 <= window.low < 100
    assert 3900 < window.high < 4096
    assert outside == window.low


@pytest.mark.parametrize("fill", [0.0, np.nan])
def test_a_volume_without_contrast_still_has_a_window(fill):
    (window,), _ = windows_of(np.full((4, 8, 8), fill, np.float32), "MR")
    assert window.low < window.high


@pytest.mark.parametrize(
    ("value", "name"), [(-850.0, "lung window"), (40.0, "soft-tissue window"), (900.0, "lung window")]
)
def test_coronal_and_sagittal_are_shown_in_the_window_that_fits_the_place(value, name, geometry):
    scanned = geometry()
    volume = np.full(scanned.shape, value, np.float32)
    tiles = tiles_at(
        volume, scanned, centre_mm(scanned), windows=(LUNG, SOFT_TISSUE), outside=-1000, longest_px=64, marked=False
    )
    assert [(tile.view, tile.window) for tile in tiles] == [
        ("Axial", "lung window"),
        ("Axial", "soft-tissue window"),
        ("Coronal", name),
        ("Sagittal", name),
    ]


def test_the_scale_bar_is_five_centimetres(geometry):
    scanned = geometry((20, 32, 32), (4.0, 2.0, 2.0))  # 64 mm wide on 128 pixels: half a millimetre each
    tile = tiles_at(
        np.zeros(scanned.shape), scanned, centre_mm(scanned), windows=(LUNG,), outside=0, longest_px=128, marked=False
    )[0]
    assert (tile.width, tile.bar) == (128, 100.0)


def test_a_region_is_a_box_of_its_size_around_the_mark(geometry):
    scanned = geometry((20, 32, 32), (4.0, 2.0, 2.0))
    tile = tiles_at(
        np.zeros(scanned.shape),
        scanned,
        centre_mm(scanned),
        windows=(LUNG,),
        outside=0,
        longest_px=64,
        marked=True,
        region_mm=(16.0, 8.0, 4.0),
    )[0]
    assert tile.mark == (32.0, 32.0)
    assert (tile.box.left, tile.box.top, tile.box.width, tile.box.height) == (24.0, 28.0, 16.0, 8.0)
