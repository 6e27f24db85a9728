"""The settings of a workspace reach the linker."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from data_schemas.reasons import Remark
from pipelines.cases.ingest import load_cases
from pipelines.workspace import catalogue
from pipelines.workspace.paths import create_workspace, open_workspace

NOON = datetime(2024, 3, 5, 12, 0)


@pytest.fixture
def linked(tmp_path: Path, scan, note, value):
    """What a workspace links under some settings: a scan of noon UTC, and records of an hour around it."""
    workspace = create_workspace(tmp_path / "workspace")
    with workspace.database() as engine:
        catalogue.put_scans(engine, workspace.key, [scan(acquired=NOON.replace(tzinfo=UTC), accession="A1")])
        order = note(written=NOON.replace(tzinfo=UTC) + timedelta(minutes=20), kind="order", accession="A1")
        catalogue.put_notes(engine, workspace.key, [order, note(written=NOON + timedelta(minutes=30), text="Fever.")])
        orders = [
            value("crp", 1.0, patient_id="", accession=name, taken=NOON - timedelta(days=1)) for name in ("A1", "A2")
        ]
        catalogue.put_observations(engine, workspace.key, orders)

    def under(settings: str):
        (workspace.root / "scanote.yaml").write_text(settings)
        return load_cases(open_workspace(workspace.root))

    return under


def test_zone_and_offsets_of_the_settings_are_those_of_the_cases(linked) -> None:
    (plain,) = linked("link: {timezone: UTC}\n").cases
    assert plain.notes == ()
    (case,) = linked("link: {timezone: Europe/Berlin, offsets: {order: 30m}}\n").cases
    assert {kept.kind for kept in case.notes} == {"order", "note"}
    assert Remark.LATE_INPUT in case.remarks
    assert "order up to 30 min after" in case.history[-1]


def test_a_clock_skew_of_the_settings_brings_the_cut_off_nearer(linked) -> None:
    (case,) = linked("link: {timezone: Europe/Berlin, clock_skew: 29m, offsets: {order: 30m}}\n").cases
    assert {kept.kind for kept in case.notes} == {"note"}


def test_without_a_zone_it_is_said_that_there_is_none(linked) -> None:
    assert "link.timezone" in linked("").notices[0]
    assert linked("link: {timezone: UTC}\n").notices == ()


def test_values_of_two_orders_are_two_values(linked) -> None:
    result = linked("link: {timezone: UTC}\n")
    assert [len(case.observations) for case in result.cases] == [1]
    assert sum(line.kind == "observation" for line in result.unlinked) == 1
