"""Tables, subgroups, comparisons, curves and files of an evaluation, from made-up scores of known quality."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipelines.cases.examples import Example
from pipelines.training.evaluate.compare import difference_rows
from pipelines.training.evaluate.curves import Reading, curve_rows, join_readings
from pipelines.training.evaluate.evaluation import Evaluation, summarise
from pipelines.training.evaluate.groups import AGES, age_band, groups_of
from pipelines.training.evaluate.report import flat, markdown, metrics, write_evaluation
from pipelines.training.evaluate.scored import Scored, join_scored, label_array, scored
from pipelines.training.evaluate.table import ALL, measure_rows, pooled

FINDINGS = ("pneumonia", "mass")


def cohort(
    size: int = 120, *, strengths: tuple[float, ...] = (3.0, 1.0), seed: int = 0, **groups: np.ndarray
) -> Scored:
    """Two findings, arms of falling quality, one case a patient."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, (size, 2)).astype(float)
    arms = {}
    for name, strength in zip(("fusion", "late", "third"), strengths, strict=False):
        arms[name] = 1 / (1 + np.exp(-(strength * (labels - 0.5) + rng.normal(0, 1, labels.shape))))
    keys = np.array([f"p{n}" for n in range(size)], object)
    return Scored(
        FINDINGS, arms, labels, keys, np.array([f"s-{key}" for key in keys], object), np.zeros(size, int), groups
    )


def summary(given: Scored, **changes: object) -> Evaluation:
    arguments: dict[str, object] = {
        "kind": "held-out test",
        "task": "chest-ct",
        "main": "fusion",
        "others": ["late"],
        "specificity": 0.9,
        "draws": 50,
        "seed": 0,
        "about": {"folds": "none"},
    }
    return summarise(given, **arguments | changes)  # type: ignore[arg-type]


def rows_of(given: Scored, **how: object):
    return measure_rows(given, **{"main": "fusion", "specificity": 0.9, "draws": 50, "seed": 0} | how)  # type: ignore[arg-type]


def test_every_arm_is_measured_on_all_cases():
    rows = rows_of(cohort())
    assert [(row.finding, row.arm) for row in rows] == [(f, arm) for f in FINDINGS for arm in ("fusion", "late")]
    first = rows[0]
    assert first.cases == first.positives + first.negatives == 120
    for value in (first.auroc, first.auroc_bootstrap, first.auprc, first.sensitivity, first.brier, first.slope):
        assert value.low <= value.value <= value.high


def test_both_intervals_of_the_area_are_around_one_estimate():
    row = rows_of(cohort(), draws=500)[0]
    assert row.auroc.value == pytest.approx(row.auroc_bootstrap.value)
    assert row.auroc.low == pytest.approx(row.auroc_bootstrap.low, abs=0.03)


def test_cases_with_an_unknown_label_do_not_count():
    given = cohort()
    given.labels[:30, 0] = np.nan
    assert rows_of(given)[0].cases == 90


def test_cases_that_one_arm_has_not_read_do_not_count_for_any():
    given = cohort()
    given.probabilities["late"][:30, 0] = np.nan
    assert [row.cases for row in rows_of(given)] == [90, 90, 120, 120]


def test_a_case_that_was_read_in_every_repeat_counts_once():
    one = cohort()
    again = dataclasses.replace(one, strata=np.ones(len(one), int))
    assert rows_of(join_scored([one, again]))[0].cases == 120


def test_the_counts_of_fewer_than_ten_patients_are_withheld_and_the_measures_are_not():
    given = cohort()
    given.labels[:, 0] = 0.0
    given.labels[:9, 0] = 1.0
    row = rows_of(given)[0]
    assert (row.cases, row.positives, row.negatives) == (None, None, None)
    assert math.isfinite(row.auroc.value)


def test_many_cases_of_few_patients_are_withheld_too():
    given = cohort()
    given = dataclasses.replace(given, patients=np.array([f"p{n % 8}" for n in range(120)], object))
    assert rows_of(given)[0].withheld


@pytest.mark.parametrize("value", [0.0, 1.0, np.nan])
def test_a_finding_of_one_class_or_none_is_named_and_not_measured(value):
    given = cohort()
    given.labels[:, 0] = value
    found = summary(given)
    assert math.isnan(found.of("pneumonia").auroc.value)
    [line] = [notice for notice in found.notices if "pneumonia" in notice]
    assert "nothing is measured" in line
    assert math.isnan(found.differences[0].p)
    assert found.differences[1].p_holm == found.differences[1].p


def test_subgroups_are_measured_for_the_main_arm():
    sex = np.array(["F", "M"] * 60, object)
    rows = [row for row in rows_of(cohort(sex=sex)) if row.group == "sex"]
    assert [(row.finding, row.arm, row.level) for row in rows] == [
        (finding, "fusion", level) for finding in FINDINGS for level in ("F", "M")
    ]
    assert sum(row.cases for row in rows if row.finding == "mass") == 120


def test_no_count_under_ten_can_be_told_from_a_total():
    rng = np.random.default_rng(9)
    site = rng.choice(["a", "b", "c", "d"], 200, p=[0.6, 0.3, 0.06, 0.04]).astype(object)
    rows = rows_of(cohort(200, site=site))
    for finding in FINDINGS:
        levels = [row for row in rows if (row.finding, row.group) == (finding, "site")]
        assert all(min(row.positives, row.negatives) >= 10 for row in levels)
        assert sum(row.cases for row in levels) == 200


def people(counts: dict[str, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """So many patients of each class in each level."""
    levels = np.array([level for level, count in counts.items() for _ in range(2 * count)], object)
    return levels, np.arange(len(levels)) % 2, np.arange(len(levels)).astype(str)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"F": 20, "M": 30}, {"F": ["F"], "M": ["M"]}),
        ({"F": 20, "M": 30, "unknown": 1}, {"M": ["M"], "unknown or F": ["unknown", "F"]}),
        ({"a": 6, "b": 7, "c": 40}, {"a or b": ["a", "b"], "c": ["c"]}),
        ({"F": 9, "M": 30}, {}),
        ({"F": 50}, {}),
    ],
)
def test_small_levels_are_pooled(counts, expected):
    assert pooled(*people(counts)) == expected


def test_ages_are_pooled_with_their_neighbours():
    given = people({"18 to 39": 5, "40 to 64": 40, "65 to 79": 30, "80 and over": 4})
    assert list(pooled(*given, AGES)) == ["18 to 39 or 40 to 64", "65 to 79 or 80 and over"]


def test_many_small_levels_are_counted_not_listed():
    found = pooled(*people({f"site {n}": 3 for n in range(4)} | {"main": 30}))
    assert "4 others" in found


@pytest.mark.parametrize(
    ("age", "band"),
    [
        (None, "unknown"),
        (math.nan, "unknown"),
        (17.9, "under 18"),
        (18, "18 to 39"),
        (64, "40 to 64"),
        (99, "80 and over"),
    ],
)
def test_age_bands(age, band):
    assert age_band(age) == band


def test_an_example_tells_what_it_has_and_who_the_patient_is(examples: tuple[Example, ...]):
    rows = [examples[0], dataclasses.replace(examples[1], scan=None, values=(), mentions=())]
    told = groups_of(rows)
    assert told["has"].tolist() == ["scan + note + observations", "note"]
    assert told["age"][1] == told["sex"][1] == "unknown"
    assert told["age"][0] in AGES[:-1]


def test_the_paired_differences_are_corrected_over_all_of_them():
    found = difference_rows(
        cohort(strengths=(3.0, 1.0, 2.9)), main="fusion", others=["late", "third"], draws=50, seed=0
    )
    assert [(row.finding, row.other) for row in found] == [(f, arm) for f in FINDINGS for arm in ("late", "third")]
    smallest = min(found, key=lambda row: row.p)
    assert smallest.other == "late"
    assert smallest.p_holm == pytest.approx(4 * smallest.p)
    assert all(row.p_holm >= row.p for row in found)
    for row in found:
        assert row.difference.value == pytest.approx(row.difference_bootstrap.value)


def reading(given: Scored, curve: str, level: float, *, mixed: bool, values: np.ndarray | None = None) -> Reading:
    chance = np.full(given.labels.shape, 0.5)
    return Reading(curve, level, mixed, chance if values is None else values, np.ones(len(given), bool))


def test_a_curve_over_the_missing_share_goes_from_the_whole_model_to_the_one_without():
    given = cohort()
    rows = curve_rows(given, [reading(given, "missing note", 1.0, mixed=True)], main="fusion", draws=20, seed=0)
    points = {row.level: row.auroc.value for row in rows if row.finding == "mass"}
    assert list(points) == [pytest.approx(number / 10) for number in range(11)]
    assert points[0.0] == pytest.approx(rows_of(given)[2].auroc.value)
    assert points[1.0] == 0.5
    assert points[0.0] > points[0.3] > points[0.7] > points[1.0]


def test_only_the_cases_that_have_the_modality_can_lose_it():
    given = cohort()
    none = dataclasses.replace(
        reading(given, "missing note", 1.0, mixed=True), concerned=np.arange(len(given)) < len(given) // 2
    )
    points = {row.level: row.auroc.value for row in curve_rows(given, [none], main="fusion", draws=20, seed=0)}
    assert points[1.0] > 0.55


def test_a_curve_of_levels_begins_with_nothing_done():
    given = cohort()
    worse = [reading(given, "noise", level, mixed=False) for level in (0.5, 1.0)]
    rows = [row for row in curve_rows(given, worse, main="fusion", draws=20, seed=0) if row.finding == "mass"]
    assert [row.level for row in rows] == [0.0, 0.5, 1.0]
    assert rows[0].auroc.value == pytest.approx(rows_of(given)[2].auroc.value)
    assert rows[1].auroc.value == 0.5


def test_what_no_case_has_gives_no_curve_and_one_line():
    given = cohort()
    nobody = [
        dataclasses.replace(reading(given, f"missing {name}", 1.0, mixed=True), concerned=np.zeros(len(given), bool))
        for name in ("note", "observations")
    ]
    found = summary(given, readings=nobody)
    assert found.curves == ()
    assert found.notices == ("left out, as no case has what they change: missing note, missing observations",)


def test_readings_of_folds_are_joined_in_their_order():
    given = cohort()
    halves = [given.take(np.arange(60)), given.take(np.arange(60, 120))]
    parts = [[reading(half, "noise", 1.0, mixed=False, values=half.probabilities["late"])] for half in halves]
    [joined] = join_readings(parts)
    assert np.array_equal(joined.probabilities, given.probabilities["late"])
    assert len(joined.concerned) == 120


def test_scored_cases_follow_their_examples(examples: tuple[Example, ...]):
    rows = examples[:3]
    names = ("pleural-effusion", "unheard-of")
    given = scored(rows, {"arm": np.zeros((3, 2))}, names, groups={"site": {rows[1].study_key: "north"}})
    assert given.studies.tolist() == [row.study_key for row in rows]
    assert given.groups["site"].tolist() == ["unknown", "north", "unknown"]
    assert np.isnan(given.labels[:, 1]).all()
    uncertain = dataclasses.replace(rows[0], labels={"pleural-effusion": -1})
    assert np.isnan(label_array([uncertain], names)).all()


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    given = cohort(sex=np.array(["F", "M"] * 60, object))
    readings = [reading(given, "missing note", 1.0, mixed=True), reading(given, "dropped slices", 0.5, mixed=False)]
    return summary(given, readings=readings)


@pytest.fixture(scope="module")
def written(evaluation: Evaluation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the evaluation."""
    folder = tmp_path_factory.mktemp("evaluation")
    named = write_evaluation(folder, evaluation)
    assert {path.name for path in named} == {path.name for path in folder.iterdir()}
    return folder


def test_the_files_are_markdown_parquet_and_figures_in_both_forms(written: Path):
    names = {path.name for path in written.iterdir()}
    figures = {
        f"{name}.{kind}" for name in ("arms", "subgroups", "calibration", "missing", "noise") for kind in ("png", "svg")
    }
    assert names == {"evaluation.md", "measures.parquet", "differences.parquet", "curves.parquet"} | figures
    assert all((written / name).stat().st_size > 0 for name in names)


def test_the_parquet_holds_every_row_with_its_bounds(evaluation: Evaluation, written: Path):
    table = pd.read_parquet(written / "measures.parquet")
    assert len(table) == len(evaluation.rows)
    first = evaluation.rows[0]
    assert table.loc[0, ["auroc", "auroc_low", "auroc_high"]].tolist() == [
        first.auroc.value,
        first.auroc.low,
        first.auroc.high,
    ]


def test_the_figures_name_what_they_show(written: Path):
    texts = {name: (written / f"{name}.svg").read_text() for name in ("arms", "subgroups", "missing", "noise")}
    for name, words in (("arms", "fusion"), ("subgroups", "sex: F"), ("missing", "note"), ("noise", "dropped slices")):
        assert words in texts[name]
        assert "pneumonia" in texts[name]


@pytest.mark.slow
def test_the_same_evaluation_gives_the_same_figures(evaluation: Evaluation, written: Path, tmp_path: Path):
    write_evaluation(tmp_path, evaluation)
    for path in written.glob("*.svg"):
        assert path.read_bytes() == (tmp_path / path.name).read_bytes()


def test_an_evaluation_of_nothing_measurable_still_writes_its_tables(tmp_path: Path):
    given = cohort()
    given.labels[:] = np.nan
    names = {path.name for path in write_evaluation(tmp_path, summary(given))}
    assert names == {"evaluation.md", "measures.parquet", "differences.parquet"}


def test_the_markdown_has_every_finding_and_every_notice(evaluation: Evaluation):
    told = markdown(dataclasses.replace(evaluation, notices=("mind this",)))
    assert "**mind this**" in told
    assert re.search(r"\| pneumonia \| fusion \| \d+ / \d+ \| 0\.\d{3} \(0\.\d{3}–\d\.\d{3}\)", told)
    assert "## By sex, fusion" in told
    assert "AUROC by missing note" in told


def test_no_key_of_a_patient_or_study_is_in_any_file(written: Path):
    told = "".join(path.read_bytes().decode("latin-1") for path in written.iterdir())
    assert not re.search(r"s-p\d+", told)


def test_metrics_are_finite_and_named_by_measure_finding_and_arm(evaluation: Evaluation):
    found = metrics(evaluation)
    row = evaluation.of("mass", "late")
    assert found["auroc/mass/late"] == row.auroc.value
    assert found["auprc_low/mass/late"] == row.auprc.low
    assert found["auroc_over/mass/late"] == evaluation.differences[1].difference.value
    assert all(math.isfinite(value) for value in found.values())
    assert not any("F" in name.split("/")[-1] for name in found)


def test_a_row_is_flat(evaluation: Evaluation):
    row = flat(evaluation.rows[0])
    assert all(value is None or isinstance(value, (str, int, float)) for value in row.values())
    assert {"finding", "group", "level", "slope_high", "threshold"} <= set(row)
    assert row["group"] == ALL


@pytest.mark.parametrize("change", [lambda given: given, lambda given: given.take(np.arange(19)[::-1])])
def test_few_patients_are_said_aloud(change: Callable[[Scored], Scored]):
    few = change(cohort(19))
    assert any("fewer than 20 patients" in notice for notice in summary(few).notices)
