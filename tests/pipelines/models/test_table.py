"""A table of cases in, a table of probabilities out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from data_schemas.errors import InputError
from data_schemas.recipes import ModelRecipe
from pipelines.cases.examples import Example, Value, sentences_of
from pipelines.cases.tensor import resample
from pipelines.diagnosis.predict import predict
from pipelines.models.artefact import LoadedModel
from pipelines.models.table import examples_of, read_table
from pipelines.scans.index import index_paths
from pipelines.scans.read import read_volume

NOTE = "History: Swollen ankles and breathless at night.\nMedications: Furosemide 40 mg."
BLANK = {"scan": "", "note": ""}


@pytest.fixture
def nifti(tmp_path: Path) -> Path:
    """A made-up volume of 300 mm a side, in HU."""
    rng = np.random.default_rng(3)
    image = nib.Nifti1Image(rng.integers(-1000, 400, (30, 30, 30)).astype(np.int16), np.diag([10.0, 10.0, 10.0, 1.0]))
    image.set_sform(image.affine, code=1)
    path = tmp_path / "volume.nii.gz"
    nib.save(image, path)
    return path


def own_probabilities(model: LoadedModel, example: Example) -> list[float]:
    [prediction] = predict(model, [example], device=torch.device("cpu"))
    return [score.probability for score in prediction.scores]


def test_a_row_gives_what_a_diagnosis_of_the_same_case_gives(loaded: LoadedModel, nifti: Path) -> None:
    recipe = loaded.card.recipe
    [series] = index_paths(nifti).series
    [scan] = series.scans
    example = Example(
        study_key="s",
        patient_key="p",
        scan=resample(read_volume(scan), scan.geometry, recipe=recipe),
        sentences=sentences_of([NOTE], input_sections=recipe.note.input_sections),
        values=(Value("age", 71.0), Value("sex", 1.0), Value("weight", 80.0)),
    )
    table = pd.DataFrame([{"scan": str(nifti), "note": NOTE, "age": 71.0, "weight": 80.0, "sex": "M"}])
    given = read_table(loaded, table)
    assert list(given.columns) == list(recipe.findings)
    np.testing.assert_allclose(given.iloc[0], own_probabilities(loaded, example), atol=1e-5)


def test_every_input_counts(loaded: LoadedModel, nifti: Path) -> None:
    full = {"scan": str(nifti), "note": NOTE, "age": 71.0, "weight": 80.0, "sex": "M"}
    rows = [full] + [full | {name: "" if name in BLANK else None} for name in full]
    given = read_table(loaded, pd.DataFrame(rows)).to_numpy()
    assert all(np.abs(row - given[0]).max() > 1e-7 for row in given[1:])


def test_a_row_with_nothing_in_it_still_gets_probabilities(loaded: LoadedModel) -> None:
    given = read_table(loaded, pd.DataFrame([BLANK]))
    assert ((given > 0) & (given < 1)).all(axis=None)


def test_rows_keep_their_order_and_their_index(loaded: LoadedModel) -> None:
    table = pd.DataFrame([BLANK | {"note": NOTE}, BLANK, BLANK | {"age": 20.0}], index=["b", "c", "a"])
    given = read_table(loaded, table)
    assert list(given.index) == ["b", "c", "a"]
    for row in ("a", "b", "c"):
        np.testing.assert_allclose(given.loc[row], read_table(loaded, table.loc[[row]]).iloc[0], atol=1e-5)


def test_an_empty_table_gives_an_empty_one_with_its_columns(loaded: LoadedModel) -> None:
    given = read_table(loaded, pd.DataFrame(columns=["scan", "note"]))
    assert given.shape == (0, len(loaded.card.recipe.findings))


@pytest.mark.parametrize("sex", ["M", "m ", " M"])
def test_sex_is_read_whatever_its_case_and_padding(recipe: ModelRecipe, sex: str) -> None:
    [example] = examples_of(pd.DataFrame([BLANK | {"sex": sex}]), recipe=recipe)
    assert example.values == (Value("sex", 1.0),)


@pytest.mark.parametrize("blank", [None, float("nan"), "", pd.NA])
@pytest.mark.parametrize("column", ["scan", "note", "age", "weight", "sex"])
def test_a_blank_cell_of_any_kind_is_a_missing_value(recipe: ModelRecipe, column: str, blank: object) -> None:
    [example] = examples_of(pd.DataFrame([BLANK | {column: blank}], dtype=object), recipe=recipe)
    assert (example.scan, example.sentences, example.values) == (None, (), ())


@pytest.mark.parametrize(
    ("column", "cell"), [("sex", "unknown"), ("age", float("inf")), ("age", "71"), ("note", 7), ("scan", 7)]
)
def test_a_cell_that_cannot_be_used_is_named_by_row_and_column(recipe: ModelRecipe, column: str, cell: object) -> None:
    with pytest.raises(InputError, match=rf"^row 1, column {column}: ") as told:
        examples_of(pd.DataFrame([BLANK, BLANK | {column: cell}], dtype=object), recipe=recipe)
    assert str(cell) not in str(told.value).removeprefix(f"row 1, column {column}: ")


def test_a_table_without_a_note_column_is_refused(recipe: ModelRecipe) -> None:
    with pytest.raises(InputError, match="no column 'note'"):
        examples_of(pd.DataFrame([{"scan": ""}]), recipe=recipe)


def test_a_scan_that_is_not_there_is_told_without_its_path(recipe: ModelRecipe, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^row 0, column scan: no file or folder") as told:
        examples_of(pd.DataFrame([BLANK | {"scan": str(tmp_path / "MILLER-ANNA")}]), recipe=recipe)
    assert "MILLER" not in str(told.value)


def test_a_file_that_is_no_scan_is_told_with_its_reason(recipe: ModelRecipe, tmp_path: Path) -> None:
    (tmp_path / "a.dcm").write_text("this is text")
    with pytest.raises(InputError, match=r"no scan to be used there \(not-dicom\)"):
        examples_of(pd.DataFrame([BLANK | {"scan": str(tmp_path)}]), recipe=recipe)


def test_a_volume_that_holds_no_numbers_is_refused(recipe: ModelRecipe, tmp_path: Path) -> None:
    image = nib.Nifti1Image(np.full((30, 30, 30), np.nan, np.float32), np.diag([10.0, 10.0, 10.0, 1.0]))
    image.set_sform(image.affine, code=1)
    nib.save(image, tmp_path / "volume.nii")
    with pytest.raises(InputError, match=r"^row 0, column scan: "):
        examples_of(pd.DataFrame([BLANK | {"scan": str(tmp_path)}]), recipe=recipe)


CELLS: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.binary(max_size=4), st.just([1])
)


@given(note=CELLS, age=CELLS, sex=CELLS)
def test_whatever_stands_in_a_cell_is_either_read_or_refused_in_one_line(note: Any, age: Any, sex: Any) -> None:
    table = pd.DataFrame({"scan": [""], "note": pd.Series([note], dtype=object)})
    table["age"], table["sex"] = pd.Series([age], dtype=object), pd.Series([sex], dtype=object)
    refused, examples = "", []
    try:
        examples = examples_of(table, recipe=ModelRecipe())
    except InputError as error:
        refused = str(error)
    assert bool(refused) != bool(examples)
    assert "\n" not in refused
    assert all(np.isfinite(value.value) for example in examples for value in example.values)
