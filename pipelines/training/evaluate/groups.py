"""Subgroups: what a case has, who the patient is, and where and with what the scan was made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from pipelines.cases.examples import Example
from pipelines.cases.leakage.case import AuditedCase
from pipelines.training.evaluate.perturb import MODALITIES, has_modality

AVAILABLE, AGE, SEX = "has", "age", "sex"
SITE, SCANNER, KERNEL = "site", "scanner", "kernel"
AGE_BANDS = ((18.0, "under 18"), (40.0, "18 to 39"), (65.0, "40 to 64"), (80.0, "65 to 79"))
OLDEST = "80 and over"
UNKNOWN = "unknown"
AGES = (*(name for _, name in AGE_BANDS), OLDEST, UNKNOWN)


def groups_of(examples: Sequence[Example]) -> dict[str, np.ndarray]:
    """Availability, age band and sex [N] of every case, as the model's own inputs tell them."""
    told = [availability(example) for example in examples]
    values = [{value.code: value.value for value in example.values} for example in examples]
    ages = [age_band(row.get("age")) for row in values]
    sexes = [{1.0: "M", 0.0: "F"}.get(row.get("sex", -1.0), UNKNOWN) for row in values]
    return {name: np.array(rows, object) for name, rows in ((AVAILABLE, told), (AGE, ages), (SEX, sexes))}


def catalogue_groups(cases: Sequence[AuditedCase]) -> dict[str, Mapping[str, str]]:
    """By name, the level of each study: what the scans' headers tell. Age and sex too, where no observation does.

    The name of the institution is not read from headers yet: the site is the issuer of the patient id.
    """
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for case in cases:
        key, scan = case.example.study_key, case.scan
        values = {value.code: value.value for value in case.example.values}
        age: float | None = values.get("age")
        sex = {1.0: "M", 0.0: "F"}.get(values.get("sex", -1.0), UNKNOWN)
        if scan is not None:
            found[SITE][key] = scan.patient.issuer.strip() or UNKNOWN
            found[SCANNER][key] = scan.facts.manufacturer.strip() or UNKNOWN
            found[KERNEL][key] = scan.facts.kernel.strip() or UNKNOWN
            age = scan.patient.age_years if age is None else age
            sex = scan.patient.sex or UNKNOWN if sex == UNKNOWN else sex
        found[AGE][key], found[SEX][key] = age_band(age), sex
    return dict(found)


def availability(example: Example) -> str:
    """What a case has: ``scan + note``."""
    return " + ".join(name for name in MODALITIES if has_modality(example, name)) or "nothing"


def age_band(age: float | None) -> str:
    """The band of an age in years."""
    if age is None or not age >= 0:
        return UNKNOWN
    return next((name for limit, name in AGE_BANDS if age < limit), OLDEST)
