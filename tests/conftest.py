"""For all tests: the shapes in the annotations of `fusion_models` are checked at every call; tiny nets, one thread.

And one server that tests of several packages need: Orthanc, a small PACS.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import jaxtyping
import pytest

# Threads that wait for each other cost the tests' tiny nets more time than they save.
os.environ.setdefault("OMP_NUM_THREADS", "1")
jaxtyping.install_import_hook("fusion_models", "beartype.beartype")

ORTHANC, PLUGIN = Path("/usr/sbin/Orthanc"), Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
START_SECONDS = 60.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Orthanc:
    """A real Orthanc on loopback with its DICOMweb plugin; it can be killed and started again."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Of its DICOMweb service."""
        return f"http://127.0.0.1:{self.port}/dicom-web"

    def start(self) -> None:
        (self.folder / "orthanc.json").write_text(
            json.dumps(
                {
                    "StorageDirectory": str(self.folder / "storage"),
                    "IndexDirectory": str(self.folder / "storage"),
                    "HttpPort": self.port,
                    "DicomServerEnabled": False,
                    "RemoteAccessAllowed": False,
                    "AuthenticationEnabled": False,
                    "Plugins": [str(PLUGIN)],
                    "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
                }
            )
        )
        with (self.folder / "orthanc.log").open("ab") as log:
            self.process = subprocess.Popen(
                [ORTHANC, self.folder / "orthanc.json"], stdout=log, stderr=log, start_new_session=True
            )
        give_up = time.monotonic() + START_SECONDS
        while time.monotonic() < give_up:
            with contextlib.suppress(OSError):
                self.call("GET", "/system")
                return
            time.sleep(0.1)
        pytest.fail(f"no Orthanc\n{(self.folder / 'orthanc.log').read_text(errors='replace')[-2000:]}")

    def kill(self) -> None:
        """As a power cut would."""
        if self.process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(timeout=20)
            self.process = None

    def call(self, method: str, path: str, data: bytes | None = None) -> bytes:
        """Its own REST interface."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=data, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=30) as answer:
            return bytes(answer.read())

    def store(self, files: Path) -> None:
        """Give it all files under a folder."""
        for path in sorted(files.rglob("*")):
            if path.is_file():
                self.call("POST", "/instances", path.read_bytes())


@pytest.fixture(scope="session")
def debian() -> Callable[[str, Path], None]:
    """Installs packages from Debian where a file of theirs is missing and SCANOTE_SERVICES=1 asks for it."""

    def need(packages: str, file: Path) -> None:
        if not file.exists() and os.environ.get("SCANOTE_SERVICES") == "1":
            command = ["apt-get", "install", "-y", "--no-install-recommends", *packages.split()]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        if not file.exists():
            pytest.skip(f"{packages} are not installed (set SCANOTE_SERVICES=1 to have them installed)")

    return need


@pytest.fixture
def orthanc(debian: Callable[[str, Path], None], tmp_path: Path) -> Iterator[Orthanc]:
    """An empty Orthanc of this test's own."""
    debian("orthanc orthanc-dicomweb", PLUGIN)
    folder = tmp_path / "orthanc"
    folder.mkdir()
    made = Orthanc(folder)
    made.start()
    try:
        yield made
    finally:
        made.kill()
