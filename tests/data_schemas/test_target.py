"""Targets in the settings, and what is stored of them."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from data_schemas.cohort import Label, LabelValue
from data_schemas.diagnosis import Diagnosis, ModelReference
from data_schemas.errors import SettingsError
from data_schemas.settings import leaves, read_settings, settings_digest
from data_schemas.target import Estimate, TargetRecipe

GOOD = "model: {targets: {severity: {kind: ordinal, levels: 4}, fev1: {kind: regression, unit: L, weight: 0.5}}}"


def test_targets_are_named_in_the_settings_and_change_no_diagnosis_but_through_the_model(tmp_path):
    path, plain = tmp_path / "settings.yaml", tmp_path / "plain.yaml"
    path.write_text(GOOD)
    plain.write_text("{}")
    found = read_settings(path)
    assert found.model.targets == {
        "severity": TargetRecipe(kind="ordinal", levels=4),
        "fev1": TargetRecipe(kind="regression", unit="L", weight=0.5),
    }
    assert ("model.targets", found.model.targets, False) in list(leaves(found))
    assert settings_digest(found) == settings_digest(read_settings(plain))


@pytest.mark.parametrize(
    ("targets", "told"),
    [
        ("severity: {kind: ordinal}", "needs levels"),
        ("severity: {kind: ordinal, levels: 2}", "greater than or equal to 3"),
        ("severity: {kind: ordinal, levels: 4, unit: mm}", "has no unit"),
        ("fev1: {kind: regression}", "needs its unit"),
        ("fev1: {kind: regression, unit: L, levels: 4}", "has no levels"),
        ("FEV1: {kind: regression, unit: L}", "small letters"),
        ("pneumonia: {kind: ordinal, levels: 4}", "pneumonia is one of the findings"),
        ("fev1: {kind: regression, unit: L, weight: 0}", "greater than 0"),
        ("fev1: {kind: regression, unit: L, weight: .inf}", "finite number"),
        ("fev1: {kind: survival, unit: L}", "targets.fev1.kind"),
    ],
)
def test_a_target_that_says_too_little_or_too_much_is_one_line(tmp_path, targets, told):
    path = tmp_path / "settings.yaml"
    path.write_text(f"model: {{targets: {{{targets}}}}}")
    with pytest.raises(SettingsError, match=told) as caught:
        read_settings(path)
    assert "\n" not in str(caught.value)


def test_the_linear_fusion_has_no_targets(tmp_path):
    path = tmp_path / "settings.yaml"
    path.write_text(GOOD.replace("model: {", "model: {fusion: {kind: linear}, "))
    with pytest.raises(SettingsError, match="linear fusion of small cohorts has no heads"):
        read_settings(path)


def test_a_label_of_a_finding_is_stored_as_before_and_a_target_is_told_apart():
    assert Label(patient_id="1", finding="x", value=1).model_dump_json() == (
        '{"patient_id":"1","study_uid":"","finding":"x","value":1}'
    )
    finding, target = (Label.model_validate_json(f'{{"finding":"x","value":{text}}}').value for text in ("1", "1.0"))
    assert isinstance(finding, LabelValue)
    assert isinstance(target, float)
    for bad in (2, float("nan"), float("inf")):
        with pytest.raises(ValidationError):
            Label(finding="x", value=bad)


def test_an_older_diagnosis_is_read_and_estimates_survive_the_ledger():
    model = ModelReference(name="m", version="1", digest="d")
    keys = dict.fromkeys(("key", "study_key", "patient_key", "inputs_digest", "settings_digest", "backend"), "k")
    estimate = Estimate(target="severity", kind="ordinal", probabilities=(0.1, 0.2, 0.7), level=2)
    told = Diagnosis(model=model, precision="fp32", estimates=(estimate,), **keys)
    assert Diagnosis.model_validate_json(told.model_dump_json()) == told
    older = json.loads(told.model_dump_json())
    del older["estimates"]
    assert Diagnosis.model_validate_json(json.dumps(older)).estimates == ()
