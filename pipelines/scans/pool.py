"""A few warm child processes that decode compressed pixels; one that dies is replaced, and its frame is refused.

A frame goes to a child through memory that both have mapped (a sealed memfd, or an unlinked file), and comes back the
same way. What the child answers is believed no more than the codestream was. Children are made by ``exec``, never by
``fork`` alone, so threads, Prefect and pytest do not mind them; they end when the parent does, however it ends.
"""

from __future__ import annotations

import contextlib
import os
import queue
import threading
import weakref

import numpy as np

from data_schemas.errors import RefusedError, ScanoteError
from data_schemas.reasons import Reason
from pipelines.scans.pool_child import Child, DiedError

SIZE = 2
# Processor time that one frame may take. The slowest honest one, 16 megapixels of JPEG 2000, takes 2 to 4 s.
SECONDS = 20.0


class DecoderPool:
    """Children that decode frames; a context manager, safe among threads and after a fork.

    Parameters
    ----------
    size
        How many children at most. They are started when they are first needed.
    seconds
        Processor time that one frame may take.

    Examples
    --------
    >>> with DecoderPool(size=1) as pool:
    ...     frame = pool.decode("jpegls", code, rows=512, columns=512, sample_bytes=2)
    """

    def __init__(self, *, size: int = SIZE, seconds: float = SECONDS) -> None:
        if size < 1 or not seconds > 0:
            raise ValueError("a pool needs one child or more, and some time")
        self.size, self.seconds = size, seconds
        self.deaths = 0
        self._begin()

    def _begin(self) -> None:
        self._owner = os.getpid()
        self._idle: queue.LifoQueue[Child | None] = queue.LifoQueue()
        for _ in range(self.size):
            self._idle.put(None)
        self._children: list[Child] = []
        self._lock = threading.Lock()
        self._closed = False
        self._end = weakref.finalize(self, _end_all, self._children, self._owner)

    def __enter__(self) -> DecoderPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the children. A frame that is being decoded in another thread is refused."""
        self._closed = True
        self._end()

    def decode(self, codec: str, code: bytes, *, rows: int, columns: int, sample_bytes: int) -> np.ndarray:
        """Decode one codestream in a child.

        Parameters
        ----------
        codec
            ``rle``, ``jpeg`` (baseline, extended, lossless), ``jpegls``, ``jpeg2k`` (HTJ2K too), ``png`` or ``tiff``.
        code
            The codestream; its stated size must have been checked before.
        rows, columns, sample_bytes
            Of the frame that must come out of it.

        Returns
        -------
        numpy.ndarray
            [rows, columns] of integers of at most ``sample_bytes``, as the decoder gives them.

        Raises
        ------
        RefusedError
            ``decode-failed`` where the decoder refuses, ``decoder-died`` where the child died, or took more memory or
            time than it may.
        ScanoteError
            No child could be started, or the pool is closed.
        """
        if os.getpid() != self._owner:
            self._abandon()
        if self._closed:
            raise ScanoteError("the pool of decoders is closed; use it inside its with block")
        child = self._idle.get()
        try:
            if child is None:
                child = self._start()
            return child.decode(
                codec, code, rows=rows, columns=columns, sample_bytes=sample_bytes, seconds=self.seconds
            )
        except DiedError as died:
            self._bury(child)
            child = None
            raise RefusedError(Reason.DECODER_DIED, str(died)) from None
        except RefusedError:
            raise
        except BaseException:
            # An interrupt may have come between question and answer: the next answer would be another frame's.
            self._bury(child)
            child = None
            raise
        finally:
            self._idle.put(child)

    def pids(self) -> tuple[int, ...]:
        """Return the process ids of the children that run now: for whoever measures them."""
        with self._lock:
            return tuple(child.pid for child in self._children)

    def _start(self) -> Child:
        child = Child()
        with self._lock:
            self._children.append(child)
        if self._closed:  # meanwhile, by another thread
            child.end()
        return child

    def _bury(self, child: Child | None) -> None:
        if child is None:
            return
        child.end()
        with self._lock:
            self.deaths += 1
            with contextlib.suppress(ValueError):
                self._children.remove(child)

    def _abandon(self) -> None:
        """After a fork: the children belong to the other process, and are not to be ended or asked from here."""
        closed = self._closed
        self._end()
        self._begin()
        self._closed = closed


def _end_all(children: list[Child], owner: int) -> None:
    for child in list(children):
        if os.getpid() == owner:
            child.end()
        else:
            child.abandon()


_default: DecoderPool | None = None
_default_lock = threading.Lock()


def default_pool() -> DecoderPool:
    """Return the pool of this process, made when it is first asked for and ended with the process.

    The one thing here that is global: children cost a tenth of a second to start, and every reader of a process would
    otherwise start its own or have a pool handed through all of its callers. It holds no state that a result depends
    on.
    """
    global _default
    with _default_lock:
        if _default is None:
            _default = DecoderPool()
        return _default


def _after_fork() -> None:
    global _default_lock
    _default_lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
