"""CT files with an identity in every corner, and the release of one of them."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread
from pydicom.dataset import FileDataset

from pipelines.scans.release.object import Released, release_object
from pipelines.scans.release.profile import Profile

KEY = bytes(range(32))

Edit = Callable[[FileDataset], None]


def joined(released: Released) -> bytes:
    return released.head + bytes(released.pixels) + released.tail


@pytest.fixture
def key() -> bytes:
    return KEY


@pytest.fixture
def ct_bytes(writer: Callable[..., object], tmp_path: Path, hounsfield: Callable[..., object]) -> Callable[..., bytes]:
    """Bytes of one CT slice; takes an edit of its data set, and `write_series`'s arguments."""

    def make(edit: Edit | None = None, **arguments: object) -> bytes:
        folder = tmp_path / "one"
        writer(
            folder,
            values=hounsfield(1),
            edit=(lambda ds, _index: edit(ds)) if edit else None,
            **arguments,
        )
        return next(folder.iterdir()).read_bytes()

    return make


@pytest.fixture
def released(ct_bytes: Callable[..., bytes]) -> Callable[..., Dataset]:
    """The released form of a CT slice, as pydicom reads it; takes an edit of the source, and the profile."""

    def make(edit: Edit | None = None, profile: Profile | None = None, **arguments: object) -> Dataset:
        done = release_object(ct_bytes(edit, **arguments), key=KEY, profile=profile or Profile())
        return dcmread(io.BytesIO(joined(done)))

    return make
