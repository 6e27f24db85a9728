"""What the settings leave open is planned from the cohort; what they name is kept."""

from __future__ import annotations

import numpy as np
import pytest

from data_schemas.case import Case
from data_schemas.cohort import CohortMember, LabelValue
from data_schemas.observation import Observation
from data_schemas.recipes import ModelRecipe, ScanRecipe
from data_schemas.scan import Geometry, PatientFacts, Scan
from data_schemas.target import TargetRecipe
from pipelines.cases.plan import plan_recipe

PATIENT = PatientFacts(patient_id="1")


def scan(modality: str = "CT", *, spacing: float = 1.0, count: int = 320) -> Scan:
    affine = np.diag([spacing, spacing, spacing, 1.0])
    return Scan(
        scan_id="s",
        format="nifti",
        patient=PATIENT,
        study_uid="1",
        series_uid="1",
        modality=modality,
        transfer_syntax="nifti",
        geometry=Geometry(
            shape=(count, count, count), spacing_mm=(spacing,) * 3, affine=tuple(map(tuple, affine.tolist()))
        ),
        files=(),
    )


def case(key: str, given: Scan | None, **values: float | str) -> Case:
    held = tuple(Observation(patient=PATIENT, code=code, value=value) for code, value in values.items())
    return Case(study_key=key, patient_key=key, scan=given, observations=held)


def members(**labels: tuple[int, ...]) -> list[CohortMember]:
    count = len(next(iter(labels.values())))
    return [
        CohortMember(
            study_key=str(number),
            patient_key=str(number),
            split="train",
            labels={name: LabelValue(values[number]) for name, values in labels.items()},
        )
        for number in range(count)
    ]


def never(_: Scan) -> bool:
    raise AssertionError("no scan needs to be read")


def test_a_cohort_that_the_recipe_fits_changes_nothing() -> None:
    recipe = ModelRecipe()
    labels = dict.fromkeys((*recipe.findings, *recipe.scan_signs), (1, 0))
    cases = [case(str(number), scan(), age=60.0, sex="M", weight=80.0) for number in range(2)]
    plan = plan_recipe(recipe, cases, members(**labels), others=1000, in_hu=never)
    assert plan.recipe == recipe
    assert plan.why == ()


def test_the_findings_are_those_that_are_labelled_with_both_classes() -> None:
    labels = {"relapse": (1, 0), "always": (1, 1), "pneumonia": (0, 1)}
    plan = plan_recipe(ModelRecipe(), [case("0", scan())], members(**labels), in_hu=never)
    assert plan.recipe.findings == ("pneumonia", "relapse")
    assert any(line.startswith("findings: pneumonia, relapse") for line in plan.why)


def test_what_the_settings_name_is_kept() -> None:
    recipe = ModelRecipe(
        findings=("pneumonia",),
        observation_codes=("crp",),
        scan=ScanRecipe(shape=(16, 16, 16), spacing_mm=(9.0, 9.0, 9.0), modalities=("MR",), intensity="z-score"),
    )
    cases = [case("0", scan("MR", spacing=0.2), nihss=3.0)]
    planned = plan_recipe(recipe, cases, members(relapse=(1, 0)), others=1000, in_hu=never)
    assert planned.recipe == recipe


def test_a_small_body_part_gets_a_grid_of_its_own_size() -> None:
    plan = plan_recipe(ModelRecipe(), [case("0", scan(spacing=0.3))], members(relapse=(1, 0)), in_hu=never)
    assert plan.recipe.scan.shape == (48, 48, 48)
    assert plan.recipe.scan.spacing_mm == (2.0, 2.0, 2.0)  # 320 × 0.3 mm over 48 voxels


@pytest.mark.parametrize(
    ("modality", "hu", "intensity", "modalities"),
    [
        ("MR", True, "z-score", ("MR",)),
        ("", True, "hu-windows", ("CT",)),
        ("", False, "z-score", ("OT",)),
    ],
)
def test_the_intensity_is_that_of_the_modality(
    modality: str, hu: bool, intensity: str, modalities: tuple[str, ...]
) -> None:
    plan = plan_recipe(ModelRecipe(), [case("0", scan(modality))], members(relapse=(1, 0)), in_hu=lambda _: hu)
    assert (plan.recipe.scan.intensity, plan.recipe.scan.modalities) == (intensity, modalities)
    assert any("scan.intensity" in line for line in plan.why)


def test_scans_of_a_rarer_modality_are_counted_aloud() -> None:
    cases = [case(str(number), scan("MR" if number else "CT")) for number in range(3)]
    plan = plan_recipe(ModelRecipe(), cases, members(relapse=(1, 0, 1)), in_hu=never)
    assert plan.recipe.scan.modalities == ("MR",)
    assert any("1 scans of other modalities are refused" in line for line in plan.why)


def test_numeric_observations_that_enough_cases_have_are_read() -> None:
    cases = [case(str(number), scan(), nihss=float(number), smoker="yes", stage="T2") for number in range(11)]
    cases.append(case("11", scan(), rare=1.0))
    plan = plan_recipe(ModelRecipe(), cases, members(relapse=(1, 0)), in_hu=never)
    assert plan.recipe.observation_codes == ("nihss", "smoker")


def test_declared_sequences_become_channels() -> None:
    plan = plan_recipe(ModelRecipe(), [case("0", scan("MR"))], members(relapse=(1, 0)), channels=("T1", "FLAIR"))
    assert plan.recipe.scan.channels == ("T1", "FLAIR")
    assert plan.recipe.scan.intensity == "z-score"


@pytest.mark.parametrize(("others", "kind"), [(0, "linear"), (900, "cross-attention")])
def test_a_small_cohort_gets_the_linear_reader(others: int, kind: str) -> None:
    plan = plan_recipe(ModelRecipe(), [case("0", scan())], members(relapse=(1, 0)), others=others, in_hu=never)
    assert plan.recipe.fusion.kind == kind
    assert ("radiomics" in plan.recipe.modalities) == (kind == "linear")


def test_a_scan_that_cannot_be_read_has_no_say_in_the_intensity() -> None:
    cases = [case(str(number), scan("")) for number in range(5)]
    told = iter([None, None, None, True, None])
    plan = plan_recipe(ModelRecipe(), cases, members(relapse=(1, 0)), in_hu=lambda _: next(told))
    assert plan.recipe.scan.intensity == "hu-windows"


def test_a_few_stated_modalities_decide_for_the_silent_ones() -> None:
    cases = [case(str(number), scan("MR" if number == 0 else "")) for number in range(5)]
    plan = plan_recipe(ModelRecipe(), cases, members(relapse=(1, 0)), in_hu=never)
    assert (plan.recipe.scan.modalities, plan.recipe.scan.intensity) == (("MR",), "z-score")


def test_a_small_cohort_with_targets_keeps_its_network_and_says_why() -> None:
    recipe = ModelRecipe(targets={"severity": TargetRecipe(kind="ordinal", levels=4)})
    plan = plan_recipe(recipe, [case("0", scan())], members(relapse=(1, 0)), in_hu=never)
    assert plan.recipe.fusion.kind == "cross-attention"
    assert plan.recipe.targets == recipe.targets
    [line] = [line for line in plan.why if line.startswith("fusion")]
    assert "has no heads for model.targets" in line


def test_labels_that_were_ingested_before_they_were_a_target_make_no_finding() -> None:
    recipe = ModelRecipe(targets={"severity": TargetRecipe(kind="ordinal", levels=4)})
    plan = plan_recipe(recipe, [case("0", scan())], members(relapse=(1, 0), severity=(1, 0)), in_hu=never)
    assert plan.recipe.findings == ("relapse",)
