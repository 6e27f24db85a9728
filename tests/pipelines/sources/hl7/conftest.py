"""Writers of HL7 v2 messages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipelines.sources.hl7 import read_hl7
from pipelines.sources.outcome import Records

PID = "PID|1||00123^^^HOSP&1.2.3.4&ISO^MR~999^^^SSA^SS||Müller^Ada^B||19500601|F"


def field(segment: str, number: int, value: str) -> str:
    """A segment with one field replaced."""
    parts = segment.split("|") + [""] * 30
    shift = 1 if segment.startswith("MSH") else 0
    parts[number - shift] = value
    return "|".join(parts).rstrip("|")


LAB = field(field("OBR|1|P1|F1|57021-8^CBC^LN|||202403050800", 22, "202403051000"), 24, "LAB")
RADIOLOGY = field(field("OBR|1|P2|F2|CTCH^CT Thorax^L|||202403050900", 18, "ACC7"), 22, "202403051130")
RADIOLOGY = field(RADIOLOGY, 24, "RAD")
TXA = field(field("TXA|1|CN|TX|20240304|||20240305120000", 12, "DOC1^SYS"), 19, "AV")


def header(kind: str = "ORU^R01", *, charset: str = "UNICODE UTF-8", sent: str = "20240305120000+0100") -> str:
    return field(f"MSH|^~\\&|LAB|HOSP|SCANOTE|HOSP|{sent}||{kind}|1|P|2.5", 18, charset)


def obx(kind: str, code: str, value: str, unit: str = "", *, status: str = "F", at: str = "", sub: str = "") -> str:
    return field(f"OBX|1|{kind}|{code}|{sub}|{value}|{unit}|||||{status}", 14, at)


def lab(*lines: str, **options: str) -> list[str]:
    return [header(**options), PID, LAB, *lines]


def report(*lines: str, order: str = RADIOLOGY, **options: str) -> list[str]:
    return [header(**options), PID, "PV1|1|I|" + "|" * 16 + "V1", order, *lines]


def document(*lines: str, event: str = "T02", txa: str = TXA, sent: str = "20240305130000+0100") -> list[str]:
    return [header(f"MDM^{event}", sent=sent), "EVN|T02|20240305", PID, "PV1|1|O", txa, *lines]


def values(records: Records) -> dict[str, object]:
    return {item.code: item.value for item in records.observations if item.code != "sex"}


@pytest.fixture
def v2() -> SimpleNamespace:
    """The writers, and the segments that they use."""
    made = (field, header, obx, lab, report, document, values)
    return SimpleNamespace(
        PID=PID, LAB=LAB, RADIOLOGY=RADIOLOGY, TXA=TXA, **{function.__name__: function for function in made}
    )


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Records]:
    def read(*messages: str | list[str], end: str = "\r", encoding: str = "utf-8", **options: object) -> Records:
        paths = []
        for number, message in enumerate(messages):
            path = tmp_path / f"{number}.hl7"
            text = message if isinstance(message, str) else end.join([*message, ""])
            path.write_bytes(text.encode(encoding))
            paths.append(path)
        return read_hl7(paths, **options)  # type: ignore[arg-type]

    return read
