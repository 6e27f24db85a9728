"""Makers of audited cases: what reaches the model, and beside it what a catalogue would hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from data_schemas.note import Note
from data_schemas.observation import Observation
from data_schemas.scan import Scan
from pipelines.cases.examples import Example, ScanTensor, Value, sentences_of
from pipelines.cases.join import Held
from pipelines.cases.leakage.case import AuditedCase


@pytest.fixture(scope="session")
def case(scan: Callable[..., Scan]) -> Callable[..., AuditedCase]:
    """Makes one case; ``scan`` and ``held`` as the catalogue has them where ``catalogued``."""

    def make(
        patient: str = "7",
        split: str = "train",
        *,
        text: str = "",
        study: str = "",
        labels: dict[str, int] | None = None,
        values: tuple[Value, ...] = (),
        tensor: np.ndarray | None = None,
        notes: tuple[Note, ...] = (),
        observations: tuple[Observation, ...] = (),
        catalogued: bool = True,
        **facts: Any,
    ) -> AuditedCase:
        study = study or f"1.2.{patient}"
        example = Example(
            study_key=f"study {study}",
            patient_key=f"patient {patient}",
            scan=None if tensor is None else ScanTensor(tensor, np.eye(4)),
            sentences=sentences_of([text], input_sections=["history", "body"]) if text else (),
            values=values,
            labels=labels or {},
            split=split,
        )
        if not catalogued:
            return AuditedCase(example)
        return AuditedCase(example, scan(patient, study=study, **facts), Held([*notes], [*observations]))

    return make
