"""A C-STORE receiver (storage SCP): takes what listed systems send, and says when a study has come to rest.

What is sent is written byte for byte, never decoded; of its data set the study's UID is read and nothing else. Names on
the disk are keyed digests, so no UID that is sent is ever part of a path.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data_schemas.errors import InputError
from pipelines.sources import arrivals
from pipelines.sources.inbox import Inbox, NoRoomError
from pipelines.sources.quiet import quiet

# Of one instance. An enhanced CT of 1,000 slices of 512² takes half of it.
MAX_INSTANCE_BYTES = 2**30
MAX_ASSOCIATIONS = 8
# The longest protocol data unit that is asked for, and the longest that is read at all: the rest is a closed line.
PDU_BYTES, MAX_PDU_BYTES = 2**17, 2**20
IDLE_SECONDS = 60.0
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
# Statuses of PS3.4, table B.2-1.
SUCCESS, OUT_OF_RESOURCES, CANNOT_UNDERSTAND = 0x0000, 0xA700, 0xC000
# Deflated data sets are not offered: they would have to be inflated to be looked at.
SYNTAXES = (
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.2",
    "1.2.840.10008.1.2.5",
    *(f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 57, 70, 80, 81, 90, 91, 201, 202, 203)),
)
_STUDY = 0x0020000D
# TCP has no more.
_LAST_PORT = 65535
_TITLE = re.compile(r"(?! )[\x20-\x5b\x5d-\x7e]{1,16}(?<! )")
_LOUD = ("pynetdicom", "pydicom")
log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Line:
    """One association: bytes of the message that is being read, when the last ones came, and of which study it was."""

    limit: int
    taken: int = 0
    last: float = 0.0
    study: str = ""

    def count(self, size: int) -> None:
        """Note bytes that are about to be read; closes the line where there are too many."""
        self.taken += size
        self.last = time.time()
        if size > MAX_PDU_BYTES or self.taken > self.limit:
            raise OSError("more bytes than any instance may have")


@dataclass(slots=True)
class Receiver:
    """A running receiver. ``received`` counts instances that were new, ``refused`` those that were not taken."""

    inbox: Inbox
    port: int = 0
    received: int = 0
    refused: int = 0
    _lines: dict[int, _Line] = field(default_factory=dict, repr=False)

    def busy(self, seconds: float) -> set[str]:
        """UIDs of studies that open associations have sent bytes for in the last seconds."""
        now = time.time()
        return {line.study for line in list(self._lines.values()) if line.study and now - line.last < seconds}


@contextmanager
def receiving(
    into: Path,
    *,
    key: bytes,
    host: str = "127.0.0.1",
    port: int = 11112,
    aet: str = "SCANOTE",
    callers: Sequence[str] = (),
    max_instance_bytes: int = MAX_INSTANCE_BYTES,
) -> Iterator[Receiver]:
    """Receive for the length of a ``with`` block.

    Parameters
    ----------
    into, key
        The workspace's folder of what came in, and the workspace's key.
    host, port
        Address to listen on; port 0 takes a free one.
    aet
        Our AE title; a caller that asks for another is rejected.
    callers
        AE titles that may send. On loopback none means all.
    max_instance_bytes
        An association that sends a larger instance is closed.

    Raises
    ------
    InputError
        The address can be reached by others and no callers are listed, it cannot be listened on, or a title is none.
    ServerError
        Another process receives for this workspace.
    WorkspaceError
        The folder cannot be written.
    """
    from pynetdicom import AE

    if host not in LOOPBACK and not callers:
        raise InputError(
            f"{host}: others can reach this address; list who may send under sources.receiver.callers, or with --caller"
        )
    if not all(_TITLE.fullmatch(title) for title in (aet, *callers)):
        raise InputError("an AE title is 1 to 16 printable characters without a backslash; correct it")
    if not 0 <= port <= _LAST_PORT:
        raise InputError(f"port {port}: ports go from 0 to {_LAST_PORT}; correct it")
    receiver = Receiver(Inbox(into, key))
    entity = AE(ae_title=aet)
    entity.require_called_aet = True
    entity.require_calling_aet = list(callers)
    entity.maximum_associations = MAX_ASSOCIATIONS
    entity.maximum_pdu_size = PDU_BYTES
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = IDLE_SECONDS
    entity.supported_contexts = _contexts()
    with arrivals.only_one(into / "received.lock", "is receiving"), quiet(*_LOUD):
        receiver.inbox.prepare()
        try:
            server = entity.start_server(
                (host, port), block=False, evt_handlers=_handlers(receiver, max_instance_bytes)
            )
        except OSError as error:
            raise InputError(f"{host}:{port}: cannot be listened on ({error.strerror}); choose another port") from None
        try:
            receiver.port = server.socket.getsockname()[1] if server and server.socket else port
            yield receiver
        finally:
            entity.shutdown()


def watch(
    receiver: Receiver,
    stop: threading.Event,
    *,
    quiet_s: float,
    on_ready: Callable[[tuple[Path, ...]], None],
) -> None:
    """Until ``stop`` is set, hand on the batches of studies that have been quiet for some seconds.

    Raises
    ------
    InputError
        The time of quiet is not above zero.
    WorkspaceError
        A batch cannot be moved.
    """
    if not quiet_s > 0:
        raise InputError("a study needs some seconds of quiet before it counts as complete; correct --quiet")
    while not stop.wait(min(1.0, quiet_s / 4)):
        if ready := receiver.inbox.settle(quiet_s=quiet_s, busy=receiver.busy(quiet_s)):
            on_ready(ready)


def _contexts() -> list[Any]:
    from pynetdicom import AllStoragePresentationContexts, build_context
    from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

    storage = [
        build_context(str(context.abstract_syntax), list(SYNTAXES)) for context in AllStoragePresentationContexts
    ]
    return [*storage, build_context(Verification)]


def _handlers(receiver: Receiver, limit: int) -> list[Any]:
    from pynetdicom import evt

    def opened(event: Any) -> None:
        line = receiver._lines[id(event.assoc)] = _Line(limit)
        connection = event.assoc.dul.socket
        read = connection.recv

        def bounded(size: int) -> Any:
            line.count(size)
            return read(size)

        # pynetdicom reads whatever length a PDU states of itself, into memory.
        connection.recv = bounded

    def closed(event: Any) -> None:
        receiver._lines.pop(id(event.assoc), None)

    def store(event: Any) -> int:
        line = receiver._lines.get(id(event.assoc)) or _Line(limit)
        status = _store(receiver, line, event)
        line.taken = 0
        return status

    def echo(event: Any) -> int:
        if line := receiver._lines.get(id(event.assoc)):
            line.taken = 0
        return SUCCESS

    return [
        (evt.EVT_CONN_OPEN, opened),
        (evt.EVT_CONN_CLOSE, closed),
        (evt.EVT_C_STORE, store),
        (evt.EVT_C_ECHO, echo),
    ]


def _store(receiver: Receiver, line: _Line, event: Any) -> int:
    """Keep one instance; the status that is answered. Nothing of it is logged."""
    from pynetdicom.dsutils import encode_file_meta

    try:
        content = event.request.DataSet
        line.study = _study_uid(content, event.context.transfer_syntax)
        head = b"\0" * 128 + b"DICM" + encode_file_meta(event.file_meta)
        sop_uid = str(event.request.AffectedSOPInstanceUID)
    except Exception:  # whatever the libraries raise over a stranger's bytes
        receiver.refused += 1
        return CANNOT_UNDERSTAND
    try:
        with content.getbuffer() as view:
            receiver.received += receiver.inbox.take(line.study, sop_uid, head, view)
    except (NoRoomError, OSError) as error:
        receiver.refused += 1
        log.warning("an instance was not taken: %s", error if isinstance(error, NoRoomError) else error.strerror)
        return OUT_OF_RESOURCES
    return SUCCESS


def _study_uid(content: Any, syntax: str) -> str:
    """The StudyInstanceUID of a data set; elements behind it are not looked at.

    Raises
    ------
    ValueError
        There is none: nothing could be done with such an instance.
    """
    from pydicom.filereader import read_dataset
    from pydicom.uid import UID

    kind = UID(syntax)
    content.seek(0)
    found = read_dataset(
        content,
        is_implicit_VR=kind.is_implicit_VR,
        is_little_endian=kind.is_little_endian,
        stop_when=lambda tag, _vr, _length: tag > _STUDY,
        specific_tags=[_STUDY],
    )
    uid = str(found[_STUDY].value or "").strip()
    if not uid or len(uid) > 128:
        raise ValueError
    return uid
