"""The bytes of a file that was indexed, proven to be the same bytes before anything is made of them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from data_schemas.scan import ScanFile


def read_stored(file: ScanFile, *, verify: bool = True) -> bytes:
    """Read a file once; with ``verify`` its size and SHA-256 must be those of the index.

    Raises
    ------
    RefusedError
        ``file-missing`` where it cannot be read, ``digest-changed`` where a single bit differs.
    """
    try:
        with Path(file.path).open("rb") as stream:
            data = stream.read(file.size + 1)
    except OSError as error:
        raise RefusedError(Reason.FILE_MISSING, f"file {file.sha256[:12]}: {type(error).__name__}") from None
    if verify and (len(data) != file.size or hashlib.sha256(data).hexdigest() != file.sha256):
        raise RefusedError(Reason.DIGEST_CHANGED, f"file {file.sha256[:12]} is not what was indexed; ingest it again")
    return data
