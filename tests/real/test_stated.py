"""Ages and sexes in the indications of 3,851 real reports; the ages themselves were removed and are put back as 67."""

from __future__ import annotations

import csv
import os
import re
from pathlib import Path

import pytest

from pipelines.cases.stated import stated_in

ROOT = Path(__file__).parents[2]
DATA = ROOT / os.environ.get("SCANOTE_REAL_DATA", "../shared/data")
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="no real data: set SCANOTE_REAL_DATA to its folder")
REMOVED = re.compile(r"X{4,}(?=[\s-]*(?:year|yo\b|y/o|yrs?\b|y\.o))", re.IGNORECASE)
OLD = re.compile(r"\b67[\s-]*(?:years?[\s-]*old|y/?o\b|yr[\s-]*old)", re.IGNORECASE)
MALE = re.compile(r"\b(?:man|male|gentleman|boy)\b", re.IGNORECASE)
FEMALE = re.compile(r"\b(?:woman|female|lady|girl)\b", re.IGNORECASE)


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with (DATA / "reports" / "indiana_reports.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_most_ages_are_read_and_no_sex_is_read_wrongly(rows: list[dict[str, str]]) -> None:
    told = read = sexes = 0
    for row in rows:
        text = REMOVED.sub("67", row["indication"])
        stated = stated_in(f"INDICATION: {text}")
        told += bool(OLD.search(text))
        if stated is None:
            continue
        assert stated.age_years == 67
        read += 1
        if stated.sex:
            sexes += 1
            assert bool(MALE.search(text)) != bool(FEMALE.search(text))
            assert (stated.sex == "M") == bool(MALE.search(text))
    assert told > 1_400
    assert read / told > 0.98
    assert sexes > 1_000


def test_what_was_seen_in_a_picture_states_no_age(rows: list[dict[str, str]]) -> None:
    for row in rows:
        assert stated_in(row["findings"]) is stated_in(row["impression"]) is stated_in(row["comparison"]) is None
