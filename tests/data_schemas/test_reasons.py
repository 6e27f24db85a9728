"""Every code is documented once, and the documentation is what the code says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from data_schemas.reasons import MEANING, Reason, Remark

ROOT = Path(__file__).parents[2]


def test_every_reason_and_remark_has_a_meaning() -> None:
    assert set(MEANING) == {*Reason, *Remark}


def test_no_code_is_both_a_reason_and_a_remark_but_undated() -> None:
    assert {item.value for item in Reason} & {item.value for item in Remark} == {"undated"}


def test_the_page_of_reasons_is_up_to_date() -> None:
    made = subprocess.run(
        [sys.executable, "docs/make_reasons.py"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert (ROOT / "docs" / "reasons.md").read_text(encoding="utf-8") == made.stdout
