"""Every kind of fault is refused with its reason, or mended with its remark; every right series is accepted as it is.

One seed of each here; `make test-slow` and `benchmarks/faults.py` run twenty.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from data_schemas.reasons import Reason, Remark
from pipelines.synthetic.faults.fault import Fault
from pipelines.synthetic.faults.judge import Outcome, accepts, judge
from pipelines.synthetic.faults.kinds import FAULTS
from pipelines.synthetic.faults.unnoticed import UNNOTICED
from pipelines.synthetic.faults.variants import VARIANTS

ROOT = Path(__file__).parents[3]
SEEDS = 20
CASES = [(kind, form) for kind, fault in FAULTS.items() for form in fault.forms]
# Reasons of the issue that no written file shows by itself: the death of a decoder is tested in test_pool.py.
UNPLANTED = {Reason.DECODER_DIED}
OF_SERIES = list(Reason)[: list(Reason).index(Reason.NOT_A_RECORD)]


def expected(fault: Fault) -> Outcome:
    return Outcome.REMARKED if fault.remark else Outcome.REFUSED


@pytest.mark.parametrize(("kind", "form"), CASES)
def test_no_fault_is_accepted_silently(kind: str, form: str, tmp_path: Path) -> None:
    found = judge(tmp_path, kind, seed=1, form=form)
    assert found.outcome is expected(FAULTS[kind]), (found.told, found.detail)


@pytest.mark.parametrize("name", VARIANTS)
def test_no_right_series_is_refused(name: str, tmp_path: Path) -> None:
    assert accepts(tmp_path, name, seed=0) == ""


@pytest.mark.parametrize("kind", UNNOTICED)
def test_what_the_documentation_says_no_reader_can_notice_is_not_noticed(kind: str, tmp_path: Path) -> None:
    found = judge(tmp_path, kind, seed=1, form=UNNOTICED[kind].forms[0])
    assert found.outcome is Outcome.SILENT, (found.told, found.detail)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "form"), CASES)
def test_no_fault_is_accepted_silently_by_any_seed(kind: str, form: str, tmp_path: Path) -> None:
    for seed in range(SEEDS):
        found = judge(tmp_path / str(seed), kind, seed=seed, form=form)
        assert found.outcome is expected(FAULTS[kind]), (seed, found.told, found.detail)


@pytest.mark.slow
@pytest.mark.parametrize("name", VARIANTS)
def test_no_right_series_is_refused_by_any_seed(name: str, tmp_path: Path) -> None:
    for seed in range(VARIANTS[name].seeds):
        assert accepts(tmp_path / str(seed), name, seed=seed) == "", seed


@pytest.mark.parametrize("reason", [reason for reason in OF_SERIES if reason not in UNPLANTED])
def test_every_reason_of_a_series_has_a_fault(reason: Reason) -> None:
    assert [kind for kind, fault in FAULTS.items() if fault.reasons == {reason}]


@pytest.mark.parametrize(
    "remark",
    [
        Remark.TILT_CORRECTED,
        Remark.RESAMPLED_IRREGULAR,
        Remark.MONOCHROME1_INVERTED,
        Remark.COPIES_DROPPED,
        Remark.LOCALIZER_SET_ASIDE,
        Remark.CAPTURE_SET_ASIDE,
        Remark.BURNED_IN_TEXT_SUSPECTED,
        Remark.UNDATED,
        Remark.NONSTANDARD_UID,
    ],
)
def test_every_remark_of_a_scan_has_a_fault_that_it_mends(remark: Remark) -> None:
    assert [kind for kind, fault in FAULTS.items() if fault.remark is remark]


def test_there_are_as_many_kinds_and_variants_as_promised() -> None:
    assert len(FAULTS) >= 45
    assert sum(variant.seeds for variant in VARIANTS.values()) >= 200


def test_the_page_of_conformance_is_up_to_date() -> None:
    made = subprocess.run(
        [sys.executable, "docs/make_conformance.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8") == made.stdout


def test_the_page_of_faults_lists_every_kind() -> None:
    page = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
    assert [kind for kind in FAULTS if f"\n| {kind} | " not in page] == []
