"""A cache of arrays by key: whole entries or none, checked before use, safe for many writers at once.

The key is the digest of everything that the content depends on, so two writers of one key write the same. Every
entry ends with the SHA-256 of what comes before it. A damaged entry is dropped, said aloud, and computed again.
"""

from __future__ import annotations

import contextlib
import io
import logging
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data_schemas.errors import WorkspaceError
from pipelines.workspace.digests import sha256_bytes
from pipelines.workspace.files import make_private_folder, write_atomic

KEY = re.compile(r"^[0-9a-f]{16,128}$")
SEAL_BYTES = 64
OWNED = "owned"
SUFFIXES = (".npy", ".safetensors")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ArrayCache:
    """A folder of arrays. ``verify=False`` skips the digest (not the header and the length) when reading."""

    root: Path
    verify: bool = True

    def of(self, owner: str) -> ArrayCache:
        """The part of the cache that belongs to an owner (a study's key), so that it can be dropped when the owner is.

        Its folder is named by a digest: an owner's name is never a path.
        """
        return ArrayCache(self.root / OWNED / sha256_bytes(owner.encode("utf-8", "surrogatepass"))[:32], self.verify)

    def entries(self) -> int:
        """How many entries lie in this part of the cache."""
        return sum(1 for path in self.root.rglob("*") if path.suffix in SUFFIXES) if self.root.is_dir() else 0

    def drop(self) -> None:
        """Remove this part of the cache and everything in it.

        Raises
        ------
        WorkspaceError
            It cannot be removed.
        """
        for last in (False, False, True):  # another process may write, or remove, an entry meanwhile
            try:
                shutil.rmtree(self.root)
            except FileNotFoundError:
                if not self.root.exists():
                    return
            except OSError as error:
                if last:
                    message = f"{self.root}: cannot be removed ({error.strerror}); mend that and retry"
                    raise WorkspaceError(message) from None
            else:
                return

    def get(self, key: str) -> np.ndarray | None:
        """The array of a key, memory-mapped and read-only, or None where there is none or it was damaged."""
        path = self._path(key, ".npy")
        try:
            return _map_array(path, verify=self.verify)
        except FileNotFoundError:
            return None
        except Exception as error:  # whatever damage makes numpy raise
            _drop(path, error)
            return None

    def put(self, key: str, array: np.ndarray) -> None:
        """Store an array of numbers or truth values; raises ValueError for one of Python objects.

        A cache that cannot be written (a full disk) costs time, not the case: it is logged and nothing is stored.
        """
        stream = io.BytesIO()
        np.lib.format.write_array(stream, np.ascontiguousarray(array).reshape(array.shape), allow_pickle=False)
        self._write(self._path(key, ".npy"), stream.getvalue())

    def get_arrays(self, key: str) -> dict[str, np.ndarray] | None:
        """The named arrays of a key, in memory, or None where there are none or they were damaged."""
        from safetensors.numpy import load

        path = self._path(key, ".safetensors")
        try:
            return load(_unsealed(path.read_bytes()))
        except FileNotFoundError:
            return None
        except Exception as error:  # whatever damage makes safetensors raise
            _drop(path, error)
            return None

    def put_arrays(self, key: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Store named arrays under one key, as `put` does."""
        from safetensors.numpy import save

        content = save({name: np.ascontiguousarray(array) for name, array in arrays.items()})
        self._write(self._path(key, ".safetensors"), content)

    def _path(self, key: str, suffix: str) -> Path:
        if not KEY.match(key):
            raise ValueError("a cache key is a digest in lower-case hex")
        return self.root / key[:2] / f"{key}{suffix}"

    def _write(self, path: Path, content: bytes) -> None:
        try:
            make_private_folder(path.parent)
            write_atomic(path, content + sha256_bytes(content).encode())
        except WorkspaceError as error:
            log.warning("not cached: %s", error)


def _unsealed(data: bytes) -> bytes:
    content, seal = data[:-SEAL_BYTES], data[-SEAL_BYTES:]
    if sha256_bytes(content).encode() != seal:
        raise ValueError("digest changed")
    return content


def _map_array(path: Path, *, verify: bool) -> np.ndarray:
    """Map an entry; the header, the length and (with ``verify``) the digest must be right, else ValueError."""
    if verify:
        _unsealed(path.read_bytes())
    array = np.lib.format.open_memmap(path, mode="r")
    if path.stat().st_size != array.offset + array.nbytes + SEAL_BYTES:
        raise ValueError("wrong length")
    return array.view(np.ndarray)


def _drop(path: Path, error: Exception) -> None:
    log.warning("cache entry %s was damaged (%s): dropped, to be computed again", path.name, type(error).__name__)
    with contextlib.suppress(OSError):
        path.unlink()
