"""Writers of small record files."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture
def write_bundle(write: Write) -> Write:
    def write_bundle(*resources: dict[str, Any], name: str = "bundle.json") -> Path:
        entries = [{"fullUrl": f"urn:uuid:{item.get('id', 'none')}", "resource": item} for item in resources]
        return write(name, json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}))

    return write_bundle


@pytest.fixture
def patient() -> Callable[..., dict[str, Any]]:
    def patient(**changes: Any) -> dict[str, Any]:
        return {
            "resourceType": "Patient",
            "id": "p1",
            "identifier": [{"system": "urn:mrn", "value": "00123"}],
            "gender": "female",
            "birthDate": "1950-06-01",
            "name": [{"family": "Example", "given": ["Ada", "B"]}],
            **changes,
        }

    return patient


@pytest.fixture
def document() -> Callable[..., dict[str, Any]]:
    def document(text: str | bytes = "Cough.", content_type: str = "text/plain", **changes: Any) -> dict[str, Any]:
        data = base64.b64encode(text.encode() if isinstance(text, str) else text).decode()
        return {
            "resourceType": "DocumentReference",
            "id": "d1",
            "status": "current",
            "type": {"text": "Progress note"},
            "subject": {"reference": "Patient/p1"},
            "date": "2024-03-05T10:15:00+01:00",
            "content": [{"attachment": {"contentType": content_type, "data": data}}],
            **changes,
        }

    return document


@pytest.fixture
def observation() -> Callable[..., dict[str, Any]]:
    def observation(loinc: str = "29463-7", **changes: Any) -> dict[str, Any]:
        return {
            "resourceType": "Observation",
            "id": "o1",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": loinc}]},
            "subject": {"reference": "Patient/p1"},
            "effectiveDateTime": "2024-03-05T08:00:00Z",
            "valueQuantity": {"value": 70.5, "unit": "kg"},
            **changes,
        }

    return observation
