from __future__ import annotations

import contextlib
import hashlib
import logging
import shutil
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, JPEGLSLossless
from pynetdicom import AE
from pynetdicom.sop_class import Verification

from data_schemas.errors import InputError, ServerError
from pipelines.sources.cstore import CANNOT_UNDERSTAND, OUT_OF_RESOURCES, SUCCESS, Receiver, receiving, watch
from pipelines.sources.inbox import Inbox

KEY = b"k" * 32
STUDY = "1.2.826.0.1.3680043.8.498.77"


def image(number: int = 1, *, study: str = STUDY, uid: str = "", size: int = 16) -> Dataset:
    ds = Dataset()
    ds.SOPClassUID = CTImageStorage
    ds.SOPInstanceUID = uid or f"{STUDY}.{number}"
    ds.PatientID, ds.PatientName = "SECRET007", "Muster^Erika"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = study, f"{STUDY}.9"
    ds.Rows = ds.Columns = size
    ds.BitsAllocated = ds.BitsStored = 16
    ds.HighBit, ds.PixelRepresentation, ds.SamplesPerPixel = 15, 0, 1
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.PixelData = np.full((size, size), number, "<u2").tobytes()
    ds["PixelData"].VR = "OW"
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return ds


@contextmanager
def association(receiver: Receiver, *, caller: str = "SCANNER", called: str = "SCANOTE") -> Iterator[object]:
    entity = AE(ae_title=caller)
    entity.add_requested_context(CTImageStorage, [ExplicitVRLittleEndian, JPEGLSLossless])
    entity.add_requested_context(Verification)
    link = entity.associate("127.0.0.1", receiver.port, ae_title=called)
    try:
        yield link
    finally:
        if link.is_established:
            link.release()


def send(receiver: Receiver, *images: Dataset, **titles: str) -> list[int]:
    with association(receiver, **titles) as link:
        assert link.is_established
        return [link.send_c_store(ds).get("Status", -1) for ds in images]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    with receiving(tmp_path_factory.mktemp("running"), key=KEY, port=0) as made:
        yield made


@pytest.fixture
def receiver(running: Receiver, tmp_path: Path) -> Receiver:
    """One receiver for all tests, for to end one takes half a second; its inbox is this test's own."""
    running.inbox = Inbox(tmp_path / "incoming", KEY)
    running.inbox.prepare()
    running.received = running.refused = 0
    return running


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_what_is_sent_is_ready_when_the_study_was_quiet(receiver: Receiver) -> None:
    assert send(receiver, image(1), image(2)) == [SUCCESS, SUCCESS]

    now = time.time()
    assert receiver.inbox.settle(quiet_s=60, now=now) == ()
    assert receiver.inbox.waiting() == 1
    (batch,) = receiver.inbox.settle(quiet_s=60, now=now + 61)
    assert batch.parent.parent == receiver.inbox.ready
    read = sorted((pydicom.dcmread(path) for path in batch.iterdir()), key=lambda ds: str(ds.SOPInstanceUID))
    assert [ds.pixel_array.max() for ds in read] == [1, 2]
    assert read[0].file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert receiver.inbox.waiting() == 0


def test_studies_come_to_rest_one_by_one(receiver: Receiver) -> None:
    send(receiver, image(1, study="1.2.1"), image(2, study="1.2.2"))
    ready = receiver.inbox.settle(quiet_s=60, busy={"1.2.1"}, now=time.time() + 61)

    assert len(ready) == 1
    assert receiver.inbox.waiting() == 1


def test_late_instances_make_another_batch_beside_the_first(receiver: Receiver) -> None:
    send(receiver, image(1))
    (first,) = receiver.inbox.settle(quiet_s=0)
    before = names(first)
    send(receiver, image(2))
    (second,) = receiver.inbox.settle(quiet_s=0)

    assert first.parent == second.parent
    assert names(first) == before
    assert len(names(second)) == 1


def test_the_same_bytes_sent_again_are_one_instance(receiver: Receiver) -> None:
    assert send(receiver, image(1), image(1)) == [SUCCESS, SUCCESS]
    receiver.inbox.settle(quiet_s=0)
    assert send(receiver, image(1)) == [SUCCESS]

    assert receiver.received == 1
    assert receiver.inbox.settle(quiet_s=0) == ()


def test_other_pixels_under_one_uid_are_both_kept(receiver: Receiver) -> None:
    send(receiver, image(1, uid="1.2.3"), image(2, uid="1.2.3"))
    (batch,) = receiver.inbox.settle(quiet_s=0)

    assert len(names(batch)) == 2


def test_what_was_arriving_survives_a_restart(tmp_path: Path) -> None:
    with receiving(tmp_path, key=KEY, port=0) as first:
        send(first, image(1))
        (tmp_path / "received-arriving" / "half.part").write_bytes(b"half")
    with receiving(tmp_path, key=KEY, port=0) as second:
        (batch,) = second.inbox.settle(quiet_s=0)

    assert len(names(batch)) == 1
    assert names(tmp_path / "received-arriving") == []


@pytest.mark.parametrize("uid", ["../../../evil", "/tmp/evil", "x" * 64])
def test_a_hostile_uid_that_is_sent_is_never_part_of_a_path(tmp_path: Path, uid: str) -> None:
    before = set(tmp_path.parent.rglob("*")) - set(tmp_path.rglob("*"))
    with receiving(tmp_path, key=KEY, port=0) as receiver:
        assert send(receiver, image(1, study=uid, uid=uid)) == [SUCCESS]
        receiver.inbox.settle(quiet_s=0)

    assert set(tmp_path.parent.rglob("*")) - set(tmp_path.rglob("*")) == before
    assert all(set(path.stem) <= set("0123456789abcdef") for path in receiver.inbox.ready.rglob("*.dcm"))


@settings(max_examples=50, deadline=None)
@given(st.text(), st.text())
def test_no_text_is_ever_part_of_a_path(tmp_path_factory: pytest.TempPathFactory, study: str, uid: str) -> None:
    folder = tmp_path_factory.mktemp("any")
    inbox = Inbox(folder / "inbox", KEY)
    inbox.prepare()
    inbox.take(study, uid, b"", b"content")

    assert [path.name for path in folder.iterdir()] == ["inbox"]
    assert all(set(path.stem) <= set("0123456789abcdef") for path in inbox.arriving.rglob("*"))


def test_names_on_the_disk_tell_nothing(receiver: Receiver, tmp_path: Path) -> None:
    send(receiver, image(1))
    receiver.inbox.settle(quiet_s=0)

    told = "\n".join(names(tmp_path))
    assert STUDY not in told
    assert hashlib.sha256(STUDY.encode()).hexdigest()[:32] not in told


def test_an_unlisted_caller_is_rejected(tmp_path: Path) -> None:
    with receiving(tmp_path, key=KEY, port=0, callers=["PACS"]) as receiver:
        with association(receiver, caller="SCANNER") as link:
            assert link.is_rejected
        assert send(receiver, image(1), caller="PACS") == [SUCCESS]


def test_another_called_title_is_rejected(receiver: Receiver) -> None:
    with association(receiver, called="OTHER") as link:
        assert link.is_rejected


def test_an_open_address_without_callers_is_one_clear_line(tmp_path: Path) -> None:
    with (
        pytest.raises(InputError, match=r"list who may send under sources\.receiver\.callers"),
        receiving(tmp_path, key=KEY, host="0.0.0.0", port=0),
    ):
        pass


def test_a_port_in_use_is_one_clear_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match="cannot be listened on"), receiving(tmp_path, key=KEY, port=port):
            pass


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_is_none_is_one_clear_line(tmp_path: Path, port: int) -> None:
    with pytest.raises(InputError, match="ports go from 0 to 65535"), receiving(tmp_path, key=KEY, port=port):
        pass


def test_one_workspace_has_one_receiver(tmp_path: Path) -> None:
    with (
        receiving(tmp_path, key=KEY, port=0),
        pytest.raises(ServerError, match="another process is receiving"),
        receiving(tmp_path, key=KEY, port=0),
    ):
        pass


def test_an_echo_is_answered(receiver: Receiver) -> None:
    with association(receiver) as link:
        assert link.send_c_echo().Status == SUCCESS


def test_an_instance_that_is_too_large_closes_the_line_and_keeps_nothing(tmp_path: Path) -> None:
    with receiving(tmp_path, key=KEY, port=0, max_instance_bytes=300_000) as receiver:
        with association(receiver) as link:
            assert link.send_c_store(image(1, size=64)).Status == SUCCESS
            assert link.send_c_store(image(2, size=512)).get("Status") is None
        assert len(receiver.inbox.settle(quiet_s=0)) == 1
        assert receiver.received == 1


def test_the_limit_is_one_of_each_instance_not_of_all(tmp_path: Path) -> None:
    with receiving(tmp_path, key=KEY, port=0, max_instance_bytes=60_000) as receiver:
        assert send(receiver, *(image(number, size=128) for number in range(8))) == [SUCCESS] * 8


def test_a_data_unit_of_four_gigabytes_is_not_read(receiver: Receiver) -> None:
    with socket.create_connection(("127.0.0.1", receiver.port), timeout=10) as line:
        line.sendall(struct.pack(">BBL", 1, 0, 2**32 - 1) + bytes(1000))
        with contextlib.suppress(ConnectionError):
            assert line.recv(10) == b""
    assert send(receiver, image(1)) == [SUCCESS]


def test_a_full_disk_is_answered_as_such(receiver: Receiver) -> None:
    receiver.inbox.keep_free_bytes = shutil.disk_usage("/").total * 2

    assert send(receiver, image(1)) == [OUT_OF_RESOURCES]
    assert (receiver.received, receiver.refused) == (0, 1)


def test_a_data_set_without_a_study_is_refused(receiver: Receiver) -> None:
    ds = image(1)
    del ds.StudyInstanceUID

    assert send(receiver, ds) == [CANNOT_UNDERSTAND]


def test_nothing_of_a_patient_is_logged(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        send(receiver, image(1))
        receiver.inbox.keep_free_bytes = 2**60
        send(receiver, image(2))

    ours = [record for record in caplog.records if record.name.startswith("pipelines")]
    assert ours
    assert not any(secret in record.getMessage() for record in ours for secret in ("SECRET007", "Muster", STUDY))


def test_watching_hands_on_quiet_studies_until_it_is_stopped(receiver: Receiver) -> None:
    stop, found = threading.Event(), []

    def ready(batches: tuple[Path, ...]) -> None:
        found.extend(batches)
        stop.set()

    watcher = threading.Thread(target=watch, args=(receiver, stop), kwargs={"quiet_s": 0.3, "on_ready": ready})
    watcher.start()
    send(receiver, image(1), image(2))
    watcher.join(timeout=10)
    stop.set()

    assert [len(names(batch)) for batch in found] == [2]


def test_a_study_that_is_being_sent_is_busy(receiver: Receiver) -> None:
    with association(receiver) as link:
        link.send_c_store(image(1))
        assert receiver.busy(60) == {STUDY}
    time.sleep(0.3)
    assert receiver.busy(60) == set()


@pytest.mark.services
def test_dcmtk_sends_a_series(debian: Callable[[str, Path], None], receiver: Receiver, tmp_path: Path) -> None:
    debian("dcmtk", Path("/usr/bin/storescu"))
    sent = tmp_path / "sent"
    sent.mkdir()
    for number in range(6):
        ds = image(number)
        ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = (
            ds.SOPClassUID,
            ds.SOPInstanceUID,
        )
        ds.save_as(sent / f"{number}.dcm", enforce_file_format=True)
    command = ["storescu", "-aec", "SCANOTE", "-xs", "+sd", "127.0.0.1", str(receiver.port), sent]
    subprocess.run(command, check=True, timeout=60)
    (batch,) = receiver.inbox.settle(quiet_s=0)

    def pixels(folder: Path) -> set[bytes]:
        return {pydicom.dcmread(path).PixelData for path in folder.iterdir()}

    assert pixels(batch) == pixels(sent)


def test_a_batch_of_the_inbox_needs_no_network(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path, KEY)
    inbox.prepare()
    stream = BytesIO(b"content")
    with stream.getbuffer() as view:
        assert inbox.take("1.2", "1.2.3", b"head", view)
        assert not inbox.take("1.2", "1.2.3", b"head", view)
    (batch,) = inbox.settle(quiet_s=0)

    assert [path.read_bytes() for path in batch.iterdir()] == [b"headcontent"]
