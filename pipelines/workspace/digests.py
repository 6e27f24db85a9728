"""Digests: SHA-256 of bytes, of files, and of plain values in a canonical JSON form."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel


def sha256_bytes(data: bytes | bytearray | memoryview) -> str:
    """SHA-256 of bytes, 64 hex characters."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """SHA-256 of a file, 64 hex characters; the file is read in blocks.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def canonical_json(value: Any) -> bytes:
    """One JSON text for equal values, in UTF-8: keys sorted, no blanks, tuples as lists, schemas as their fields.

    Raises
    ------
    ValueError
        A number is not finite: JSON has no form for it.
    TypeError
        The value is made of something else than JSON types and schemas.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_plain)
    return text.encode("utf-8", "surrogatepass")


def json_digest(value: Any) -> str:
    """SHA-256 of a value's canonical JSON, 64 hex characters. Raises as `canonical_json` does."""
    return sha256_bytes(canonical_json(value))


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(f"a {type(value).__name__} has no canonical JSON form")
