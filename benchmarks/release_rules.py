"""What PS3.15 asks of every attribute, from tables of others; and whether an attribute was treated so."""

from __future__ import annotations

import json
from pathlib import Path

import highdicom
import numpy as np
from dicomanonymizer.dicomfields_selector import dicom_anonymization_database_selector
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.uid import UID

SOP = {
    "CT": "1.2.840.10008.5.1.4.1.1.2",
    "MR": "1.2.840.10008.5.1.4.1.1.4",
    "PET": "1.2.840.10008.5.1.4.1.1.128",
    "enhanced CT": "1.2.840.10008.5.1.4.1.1.2.1",
    "enhanced MR": "1.2.840.10008.5.1.4.1.1.4.1",
}
# Modules whose attributes an image is not understood without; of patient, study, trial, specimen, device and
# signature modules nothing is asked to stay.
NOT_OF_THE_IMAGE = {
    "patient", "clinical-trial-subject", "general-study", "patient-study", "clinical-trial-study",
    "clinical-trial-series", "general-reference", "device", "specimen", "overlay-plane", "common-instance-reference",
    "acquisition-context", "intervention", "icc-profile", "frame-extraction",
    "supplemental-palette-color-lookup-table", "sop-common",
}  # fmt: skip
NUMBERS_AND_CODES = {"CS", "DS", "IS", "US", "SS", "US or SS", "UL", "SL", "UV", "SV", "OV", "FL", "FD", "AT", "SQ"}
CHARACTERISTICS = {
    "PatientSex", "PatientSexNeutered", "PatientAge", "PatientSize", "PatientWeight", "EthnicGroup",
    "PregnancyStatus", "SmokingStatus",
}  # fmt: skip


def oracle() -> dict[int, str]:
    """Action by tag, as the third party's table has it; repeating groups by a tag of theirs."""
    tables = dicom_anonymization_database_selector("dicomfields_2026c")
    found = {}
    for name, tags in tables.items():
        if name != "ALL_TAGS":
            action = name.removesuffix("_TAGS").replace("_STAR", "*").replace("_", "/")
            for group, element, *mask in tags:
                groups = (group, group + 2) if mask else (group,)
                for one in groups:
                    found[one << 16 | (element or 0x0010)] = action
    # Group 0000 and 0002 stand in no data set; the file meta group is looked at on its own.
    return {tag: action for tag, action in found.items() if tag >> 16 >= 0x0004}


def iods() -> tuple[dict[str, dict[tuple[tuple[str, ...], str], int]], dict[str, set[str]]]:
    """For each object: the type of each attribute by path and keyword; and the image attributes that are to stay."""
    folder = Path(highdicom.__file__).parent / "_standard"
    modules = json.loads((folder / "module_attribute_map.json").read_text())
    of_iod = json.loads((folder / "iod_module_map.json").read_text())
    of_sop = json.loads((folder / "sop_class_iod_map.json").read_text())
    acted = oracle()
    types: dict[str, dict[tuple[tuple[str, ...], str], int]] = {}
    stay: dict[str, set[str]] = {}
    for name, sop in SOP.items():
        types[name], stay[name] = {}, set()
        for module in (row["key"] for row in of_iod[of_sop[sop]]):
            for row in modules[module]:
                place = (tuple(row["path"]), row["keyword"])
                types[name][place] = min(types[name].get(place, 3), int(row["type"][0]))
                tags = [tag_for_keyword(word) for word in (*row["path"], row["keyword"])]
                if module in NOT_OF_THE_IMAGE or None in tags or any(int(tag) in acted for tag in tags):
                    continue
                if dictionary_VR(tags[-1]) in NUMBERS_AND_CODES:
                    stay[name].add(row["keyword"])
    return types, stay


def resolved(action: str, attribute_type: int) -> str:
    """PS3.15 Table E.1-1a in the words of the standard: X unless Z or D is required to maintain conformance."""
    if "/" not in action:
        return action
    if action == "Z/D":
        return "D" if attribute_type == 1 else "Z"
    if action == "X/D":
        return "D" if attribute_type == 1 else "X"
    if action == "X/Z":
        return "X" if attribute_type == 3 else "Z"
    if action == "X/Z/D":
        return {1: "D", 2: "Z", 3: "X"}[attribute_type]
    return "X" if attribute_type == 3 else "Z or U"


def moved_days(before: str, after: str) -> int | None:
    try:
        return int((np.datetime64(f"{before[:4]}-{before[4:6]}-{before[6:8]}")
                    - np.datetime64(f"{after[:4]}-{after[4:6]}-{after[6:8]}")).astype(int))  # fmt: skip
    except ValueError:
        return None


def verdict(expected: str, before: object, after: object, *, days: int, canaries: set[str]) -> bool:
    """Whether an attribute was treated as expected; ``before`` and ``after`` are elements, or None where absent."""
    if expected == "X":
        return after is None
    if after is None:
        return False
    if before.VR == "SQ":
        text = str(after.value)
        clean = not any(word in text for word in canaries)
        return clean and {"Z": True, "Z or U": True, "D": len(after.value) > 0, "K": len(after.value) > 0}[expected]
    if expected == "K":
        return after.value == before.value and after.VR == before.VR
    if expected == "C":
        if before.VR == "TM" or before.keyword == "TimezoneOffsetFromUTC":
            return after.value == before.value
        old, new = str(before.value), str(after.value)
        return moved_days(old, new) == days and old[8:] == new[8:]
    same = after.value == before.value
    if expected == "U":
        return not same and UID(str(after.value)).is_valid and len(str(after.value)) > 4
    empty = after.value is None or (hasattr(after.value, "__len__") and len(after.value) == 0)
    return not same and (expected == "Z" or not empty)
