"""Names of synthetic things: always the same for the same seed, and opaque."""

from __future__ import annotations

import hashlib
import uuid

NAMESPACE = uuid.UUID("5ca90e00-0000-4000-8000-000000000000")


def make_uuid(*parts: object) -> uuid.UUID:
    """A name-based UUID (version 5) of the parts."""
    return uuid.uuid5(NAMESPACE, "/".join(map(str, parts)))


def make_uid(*parts: object) -> str:
    """A DICOM UID of the parts, under the root 2.25 (PS3.5 B.2)."""
    return f"2.25.{make_uuid(*parts).int}"


def opaque(*parts: object) -> str:
    """A file or folder name that tells nothing: twelve hexadecimal digits."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:12]
