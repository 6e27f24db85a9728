"""A FHIR bundle in a file of its own, JSON or XML: held at arm's length, then its entries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from pipelines.sources.bulk import Entry
from pipelines.sources.fhir_json import parse_fhir

LARGEST_BUNDLE = 512 * 2**20
HOW_TO_MEND = "scanote reads FHIR R4 bundles"


def read_document(path: Path) -> Any:
    """The JSON of a file, or what its FHIR XML says as JSON.

    Raises
    ------
    RefusedError
        It cannot be opened, is beyond the limit, or is neither.
    """
    try:
        if path.stat().st_size > LARGEST_BUNDLE:
            detail = f"a file of more than {LARGEST_BUNDLE} bytes; write the resources as NDJSON, one a line"
            raise RefusedError(Reason.TOO_LARGE, detail)
        data = path.read_bytes()
    except OSError as error:
        raise RefusedError(Reason.NOT_A_RECORD, f"cannot be read ({type(error).__name__})") from None
    try:
        if path.suffix.lower() == ".xml":
            from pipelines.sources.fhir_xml import parse_fhir_xml

            return parse_fhir_xml(data)
        return parse_fhir(data)
    except ValueError as error:
        if isinstance(error, RefusedError):
            raise
        raise RefusedError(Reason.NOT_A_RECORD, f"{error}; {HOW_TO_MEND}") from None


def entries_in(path: Path, content: Any) -> list[Entry]:
    """The entries of a bundle, numbered from 1.

    Raises
    ------
    RefusedError
        It is no bundle.
    """
    kind = content.get("resourceType") if isinstance(content, dict) else None
    found = content.get("entry") or [] if isinstance(content, dict) else None
    if kind != "Bundle" or not isinstance(found, list):
        raise RefusedError(Reason.NOT_A_RECORD, f"no FHIR Bundle; {HOW_TO_MEND}, one a file, and NDJSON exports")
    return [_entry(f"{path}: entry {number}", entry) for number, entry in enumerate(found, 1)]


def _entry(where: str, entry: Any) -> Entry:
    resource = entry.get("resource") if isinstance(entry, dict) else None
    if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
        return Entry(where, problem=RefusedError(Reason.NOT_A_RECORD, "an entry without a resource"))
    return Entry(where, resource=resource, full_url=entry.get("fullUrl"), place=resource)
