"""Which patients of a synthetic hospital carry which fault."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from data_schemas.errors import InputError
from pipelines.synthetic.faults.fault import Fault
from pipelines.synthetic.faults.forms import CLASSIC
from pipelines.synthetic.faults.kinds import FAULTS


def assign_faults(faults: Mapping[str, int], *, patients: int, seed: int) -> dict[int, str]:
    """Choose patients for faults.

    Parameters
    ----------
    faults
        How many patients by code of a reason or remark ("missing-slices"), or by kind ("one-slice-missing"). Where a
        code has several kinds, they take turns.

    Returns
    -------
    dict
        The kind of fault by patient number.

    Raises
    ------
    InputError
        A code that no planted fault tells, a count below 0, or more faults than patients.
    """
    if sum(faults.values()) > patients or any(count < 0 for count in faults.values()):
        raise InputError(f"{sum(faults.values())} faults in {patients} patients: a patient carries one at most")
    places = iter(np.random.default_rng([seed, 77]).permutation(patients).tolist())
    chosen: dict[int, str] = {}
    for code, count in faults.items():
        kinds = kinds_of(code)
        for turn in range(count):
            chosen[next(places)] = kinds[(seed + turn) % len(kinds)]
    return chosen


def kinds_of(code: str) -> list[str]:
    """The kinds of fault that are told by this reason or remark and by no other, or the one kind of that name.

    Raises
    ------
    InputError
        There is none that can be planted before the files are read.
    """
    plantable = {kind: fault for kind, fault in FAULTS.items() if _plantable(fault)}
    told = [kind for kind, fault in plantable.items() if code in told_by(fault) and len(told_by(fault)) == 1]
    if told:
        return told
    if code in plantable:
        return [code]
    known = sorted({code for fault in plantable.values() if len(told_by(fault)) == 1 for code in told_by(fault)})
    raise InputError(f"{code}: no fault that can be planted before files are read; known are {', '.join(known)}")


def _plantable(fault: Fault) -> bool:
    return fault.later is None and CLASSIC in fault.forms and not fault.resample


def told_by(fault: Fault) -> list[str]:
    """The codes of which one must be told of a fault."""
    return sorted(reason.value for reason in fault.reasons) + ([fault.remark.value] if fault.remark else [])
