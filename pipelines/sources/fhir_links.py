"""Patient.link of FHIR R4: which patients of a set are one person, by what one of the two says.

``replaced-by`` and ``replaces`` merge; ``refer`` and ``seealso`` only point to where more is written of somebody.
"""

from __future__ import annotations

from typing import Any

from data_schemas.errors import RefusedError
from data_schemas.patient_link import PatientLink
from data_schemas.reasons import Reason
from data_schemas.scan import PatientFacts
from pipelines.sources.bulk import Entry
from pipelines.sources.fhir_index import Index
from pipelines.sources.fhir_model import validate
from pipelines.sources.fhir_origin import changed_at

MERGES = ("replaced-by", "replaces")


def link_of(entry: Entry, index: Index) -> PatientLink | None:
    """What the Patient of an entry says of others, each with what the set says of them; None of what is no Patient.

    One who says nothing gives a link to nobody: that takes back what was said before.

    Raises
    ------
    RefusedError
        It names a patient that the set does not hold, or a name that two bear: then nobody is merged.
    """
    content = entry.resource
    if content is None or content["resourceType"] != "Patient" or index.is_outdated(content, entry.full_url):
        return None
    held = next((index.patients[name] for name in index.names(content, entry.full_url) if name in index.patients), None)
    if held is None or held[1] is None:
        return None
    others = _others(content, held[1], index) if content.get("link") else {}
    return PatientLink(
        patient=held[1],
        replaced_by=tuple(others.get("replaced-by", ())),
        replaces=tuple(others.get("replaces", ())),
        changed=changed_at(content),
    )


def merge_linked(entries: list[Entry], index: Index) -> None:
    """Take note in the index of the patients that some entries merge; what cannot be read is said elsewhere."""
    for entry in entries:
        try:
            link = link_of(entry, index)
        except RefusedError:
            continue
        for other in link.others if link else ():
            index.merge(link.patient, other)  # type: ignore[union-attr]


def _others(content: dict[str, Any], facts: PatientFacts, index: Index) -> dict[str, list[PatientFacts]]:
    found: dict[str, list[PatientFacts]] = {kind: [] for kind in MERGES}
    for item in validate(content).link or []:
        if item.type not in MERGES or item.other is None or "RelatedPerson/" in (item.other.reference or ""):
            continue
        try:
            there = index.patient_of(item.other)
        except RefusedError as error:
            detail = f"a link ({item.type}) to a patient who is not in this bundle or export: have both in one"
            if error.reason is Reason.AMBIGUOUS_IDENTITY:
                detail = f"a link ({item.type}) to a name that two patients bear"
            raise RefusedError(error.reason, f"Patient with {detail}; nobody was merged") from None
        if there.patient_id != facts.patient_id and there not in found[item.type]:
            found[item.type].append(there)
    return found
