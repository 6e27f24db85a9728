"""The audit: every check on one cohort, and the rule that a run with a leak must be told by name to go on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from data_schemas.errors import InputError, LeakageError
from data_schemas.leakage import LEAK_KINDS, Check, Leak, LeakReport
from pipelines.cases.leakage.case import AuditedCase
from pipelines.cases.leakage.duplicate_text import find_duplicate_texts
from pipelines.cases.leakage.duplicate_volume import find_duplicate_volumes
from pipelines.cases.leakage.future_input import find_future_inputs
from pipelines.cases.leakage.label_source import find_label_sources
from pipelines.cases.leakage.label_words import find_label_words
from pipelines.cases.leakage.metadata import find_telling_metadata
from pipelines.cases.leakage.same_patient import find_same_patients


def audit(
    cases: Sequence[AuditedCase],
    *,
    findings: Sequence[str],
    progress: Callable[[int, int], None] | None = None,
) -> LeakReport:
    """Look for every kind of leak; no encoder is needed, and the order of the cases changes nothing.

    ``findings`` are those that are predicted. A check that finds nothing to look at says so.
    """
    cases = sorted(cases, key=lambda case: (case.example.study_key, case.example.split))
    looks: tuple[Callable[[], tuple[Check, list[Leak]]], ...] = (
        lambda: find_same_patients(cases),
        lambda: find_duplicate_texts(cases),
        lambda: find_duplicate_volumes(cases),
        lambda: find_label_words(cases, findings),
        lambda: find_future_inputs(cases),
        lambda: find_label_sources(cases),
        lambda: find_telling_metadata(cases, findings),
    )
    checks, leaks = [], []
    for number, look in enumerate(looks):
        check, found = look()
        checks.append(check)
        leaks += found
        if progress:
            progress(number + 1, len(looks))
    return LeakReport(cases=len(cases), checks=tuple(checks), leaks=tuple(leaks))


def refuse_leaks(report: LeakReport, *, allow: Collection[str] = ()) -> None:
    """Let a report pass that holds no leak but those allowed by name.

    Raises
    ------
    LeakageError
        It holds others; the message names their kinds.
    InputError
        A name that is no kind of leak.
    """
    check_kinds(allow)
    found = [kind for kind in report.found if kind not in allow]
    if found:
        raise LeakageError(
            f"leakage audit: {', '.join(found)}; see what and where with scanote cohort, and mend it, or train all the "
            f"same with {' '.join(f'--allow-leak {kind}' for kind in found)}"
        )


def check_kinds(names: Collection[str]) -> None:
    """Every name is a kind of leak.

    Raises
    ------
    InputError
        One is not; the message lists those that are.
    """
    for name in names:
        if name not in LEAK_KINDS:
            raise InputError(f"no leak is called {name}; the kinds are {', '.join(LEAK_KINDS)}")
