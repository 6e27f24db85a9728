"""The user's own scan encoder: a function that the settings name is imported; nothing else ever gets code imported."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_schemas.errors import SettingsError
from pipelines.workspace.digests import sha256_file

if TYPE_CHECKING:
    from fusion_models.scan_encoder import ScanEncoder

WHERE = "model.scan.builder"


@dataclass(frozen=True)
class Builder:
    """A function that builds a net, and the SHA-256 of the file that it stands in."""

    make: Callable[..., Any]
    code: bytes


def trusted_builder(wanted: str, *, named: str | None) -> Builder:
    """Import the builder ``package.module:function`` that a recipe wants, if the settings name that very one.

    Raises
    ------
    SettingsError
        The settings name none or another, or it cannot be imported.
    """
    if wanted != named:
        raise SettingsError(
            f"{WHERE}: this model's scan encoder is built by '{wanted}', code that the settings "
            f"{'do not name' if named is None else f'do not name (they name {named!r})'}; if you trust it, set "
            f"model.scan.encoder: own and {WHERE}: {wanted}"
        )
    place, _, name = wanted.partition(":")
    try:
        make = getattr(importlib.import_module(place), name, None)
    except Exception as error:  # whatever a module of the user's raises while it is imported
        told = next(iter(str(error).splitlines()), "")
        raise SettingsError(f"{WHERE}: {place} cannot be imported ({type(error).__name__}: {told})") from None
    if not callable(make):
        raise SettingsError(f"{WHERE}: {place} has no function '{name}'")
    return Builder(make, bytes.fromhex(sha256_file(_source(make, wanted))))


def own_code(encoder: ScanEncoder) -> bytes:
    """The digest of the code that built an encoder's net, as its weights hold it; empty of every net but *own*."""
    held = dict(encoder.named_buffers(recurse=False)).get("code")
    return b"" if held is None else bytes(held.tolist())


def _source(make: Callable[..., Any], wanted: str) -> Path:
    try:
        found = inspect.getsourcefile(inspect.unwrap(make))
    except TypeError:
        found = None
    if found is None or not Path(found).is_file():
        raise SettingsError(f"{WHERE}: {wanted} has no source file; give a function that is written in Python")
    return Path(found)
