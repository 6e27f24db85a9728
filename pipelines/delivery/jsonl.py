"""Diagnoses as JSON Lines: the same ledger gives the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from data_schemas.diagnosis import Diagnosis
from pipelines.workspace.digests import canonical_json
from pipelines.workspace.files import write_atomic


def write_results(path: Path, diagnoses: Sequence[Diagnosis]) -> None:
    """Write one JSON object a line, by study key and then key, in UTF-8; no diagnosis gives an empty file.

    Fields are sorted by name, so that the bytes depend on the diagnoses alone. Readers see the old file or the new one.

    Raises
    ------
    WorkspaceError
        The file cannot be written.
    """
    ordered = sorted(diagnoses, key=lambda item: (item.study_key, item.key))
    write_atomic(path, b"".join(canonical_json(item) + b"\n" for item in ordered))
