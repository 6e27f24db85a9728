"""What the settings say of how sources are written reaches the values, and a word of it that is wrong is one line."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from data_schemas.errors import SettingsError
from data_schemas.reasons import Reason, Remark
from data_schemas.settings import SourceSettings
from pipelines.cases.ingest import ingest
from pipelines.sources.conventions import Conventions, conventions_of
from pipelines.workspace import catalogue
from pipelines.workspace.paths import create_workspace

LONG = "patient_id;datetime;code;value;unit\n"


def test_the_default_asks_nothing_but_the_standard() -> None:
    assert conventions_of(SourceSettings()) == Conventions()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"encoding": "klingon"}, "'sources.encoding'"),
        ({"encoding": "unicode_escape"}, "'sources.encoding'"),
        ({"units": {"crp": "foo"}}, "'sources.units.crp'"),
        ({"assumed_units": {"crp": ""}}, "'sources.assumed_units.crp'"),
    ],
)
def test_a_convention_that_means_nothing_is_named(settings: dict[str, object], told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        conventions_of(SourceSettings.model_validate(settings))


def test_an_ingest_reads_by_the_conventions_of_its_workspace_and_says_what_it_chose(tmp_path: Path) -> None:
    sources = {
        "encoding": "cp1252",
        "decimal": ",",
        "comparators": "bound",
        "codes": {"L1": "crp"},
        "assumed_units": {"potassium": "mmol/L"},
    }
    workspace = create_workspace(tmp_path / "w", settings_text=yaml.safe_dump({"sources": sources}))
    table = tmp_path / "o.csv"
    rows = "1;2024-03-05;L1;1,25;mg/dL\n1;2024-03-05;potassium;4,1;\n1;2024-03-05;troponin-t;<3;ng/L\n1;;grün;è;\n"
    table.write_bytes((LONG + rows).encode("cp1252"))
    done = ingest(workspace, observations=[table])
    with workspace.database() as engine:
        held = {item.code: (item.value, item.unit) for item in catalogue.observations(engine)}
    assert held == {
        "crp": (12.5, "mg/L"),
        "potassium": (4.1, "mmol/L"),
        "troponin-t": (3.0, "ng/L"),
        "grün": ("è", ""),
    }
    assert done.refused == ()
    assert {line.remark for line in done.noticed} == {
        Remark.ENCODING_CHOSEN,
        Remark.DELIMITER_CHOSEN,
        Remark.UNIT_ASSUMED,
        Remark.BOUND_TAKEN,
    }


def test_a_later_ingest_mixes_no_units_into_what_is_held(tmp_path: Path) -> None:
    workspace = create_workspace(tmp_path / "w")
    for number, unit in enumerate(("mg/L", "g/L")):
        table = tmp_path / f"{number}.csv"
        table.write_text(LONG + f"1;2024-03-0{number + 1};LAB1;5;{unit}\n")
        done = ingest(workspace, observations=[table])
    assert [line.reason for line in done.refused] == [Reason.MIXED_UNITS]
    with workspace.database() as engine:
        assert [item.unit for item in catalogue.observations(engine)] == ["mg/L"]
