"""The command line: one clear line and exit code 2 for what cannot be used, quarantines for the rest."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.synthetic.write import Hospital, write_hospital

Scanote = Callable[..., Any]


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Hospital:
    return write_hospital(tmp_path_factory.mktemp("cli") / "hospital", patients=3, seed=11)


@pytest.fixture
def ingested(scanote: Scanote, hospital: Hospital, tmp_path: Path) -> Path:
    workspace = tmp_path / "ingested"
    done = scanote("ingest", "-w", workspace, "--scans", hospital.scans, "--notes", hospital.records)
    assert done.code == 0
    return workspace


def test_help_names_every_verb_and_imports_nothing_heavy() -> None:
    code = (
        "import sys; from flows.cli.app import main; sys.argv = ['scanote', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'monai', 'transformers', 'mlflow', 'prefect', 'pandas', 'sqlalchemy'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    verbs = "demo synth inspect volume ingest receive cohort train diagnose promote rollback serve export settings"
    verbs += " forget compile pretrain tune evaluate scan-table"
    for verb in verbs.split():
        assert f"  {verb} " in done.stdout


def test_inspect_tells_what_was_found_as_the_design_has_it(scanote: Scanote, hospital: Hospital) -> None:
    found = json.loads(scanote("inspect", hospital.scans, "--json").out)
    assert len(found["series"]) == 3
    assert found["ignored"] == {}
    first = found["series"][0]
    assert first["status"] == "accepted"
    assert first["scans"][0]["shape"] == [40, 64, 64]
    assert set(first) >= {"series_uid", "study_uid", "modality", "files", "transfer_syntax", "reasons", "remarks"}


def test_volume_writes_a_nifti(scanote: Scanote, hospital: Hospital, tmp_path: Path) -> None:
    import nibabel

    folder = next(path for path in sorted(hospital.scans.iterdir()))
    assert scanote("volume", folder, tmp_path / "out.nii.gz").code == 0
    assert nibabel.load(tmp_path / "out.nii.gz").shape == (64, 64, 40)


def test_volume_of_several_scans_asks_for_a_series(scanote: Scanote, hospital: Hospital, tmp_path: Path) -> None:
    done = scanote("volume", hospital.scans, tmp_path / "out.nii.gz")
    assert done.code == 2
    assert "choose one with --series" in done.complaint


def test_an_empty_folder_is_one_line(scanote: Scanote, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for verb in (("inspect", tmp_path / "empty"), ("ingest", "-w", tmp_path / "w", "--scans", tmp_path / "empty")):
        done = scanote(*verb)
        assert done.code == 2
        assert str(tmp_path / "empty") in done.complaint


def test_a_text_file_named_dcm_is_quarantined_and_the_rest_is_accepted(
    scanote: Scanote, hospital: Hospital, tmp_path: Path
) -> None:
    shutil.copytree(hospital.scans, tmp_path / "scans")
    (tmp_path / "scans" / "note.dcm").write_text("not an image\n")
    done = scanote("inspect", tmp_path / "scans", "--json")
    states = [(item["status"], item["reasons"]) for item in json.loads(done.out)["series"]]
    assert states.count(("accepted", [])) == 3
    assert ("quarantined", ["not-dicom"]) in states
    assert done.code == 0
    assert scanote("inspect", tmp_path / "scans", "--strict").code == 1


def test_a_truncated_slice_quarantines_its_series_alone(scanote: Scanote, hospital: Hospital, tmp_path: Path) -> None:
    shutil.copytree(hospital.scans, tmp_path / "scans")
    victim = sorted((tmp_path / "scans").rglob("*.dcm"))[5]
    victim.write_bytes(victim.read_bytes()[:-100])
    done = scanote("ingest", "-w", tmp_path / "w", "--scans", tmp_path / "scans", "--json")
    summary = json.loads(done.out)
    assert summary["series"] == {"accepted": 2, "quarantined": 1, "reasons": {"truncated": 1}}
    assert summary["cases"] == 2


def test_a_bundle_with_a_missing_patient_loses_only_what_belongs_to_nobody(
    scanote: Scanote, hospital: Hospital, tmp_path: Path
) -> None:
    shutil.copytree(hospital.records, tmp_path / "records")
    path = sorted((tmp_path / "records").glob("*.json"))[0]
    bundle = json.loads(path.read_text())
    bundle["entry"] = [row for row in bundle["entry"] if row["resource"]["resourceType"] != "Patient"]
    path.write_text(json.dumps(bundle))
    done = scanote("ingest", "-w", tmp_path / "w", "--scans", hospital.scans, "--notes", tmp_path / "records", "--json")
    summary = json.loads(done.out)
    assert done.code == 0
    assert summary["refused"].keys() == {"missing-patient"}
    assert summary["with_note"] == 2
    assert summary["cases"] == 3


def test_a_finding_of_the_cohorts_own_is_taken_and_said(scanote: Scanote, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("patient_id,sunburn\nA,1\n")
    done = scanote("ingest", "-w", tmp_path / "w", "--labels", tmp_path / "labels.csv")
    assert done.code == 0
    assert "own-finding" in done.err
    assert "sunburn" in done.err


@pytest.mark.parametrize(
    ("table", "said"), [("patient_id,pnuemonia\nA,1\n", "pneumonia"), ("patient_id,grade\nA,II\n", "'grade'")]
)
def test_a_column_that_is_no_finding_is_one_line(scanote: Scanote, tmp_path: Path, table: str, said: str) -> None:
    (tmp_path / "labels.csv").write_text(table)
    done = scanote("ingest", "-w", tmp_path / "w", "--labels", tmp_path / "labels.csv")
    assert done.code == 2
    assert said in done.complaint


def test_nothing_is_lost_when_a_later_table_is_unusable(
    scanote: Scanote, ingested: Path, hospital: Hospital, tmp_path: Path
) -> None:
    (tmp_path / "labels.csv").write_text("patient_id,grade\nA,II\n")
    assert scanote("ingest", "-w", ingested, "--labels", tmp_path / "labels.csv").code == 2
    again = scanote("ingest", "-w", ingested, "--scans", hospital.scans, "--json")
    assert json.loads(again.out)["records"]["scans"] == {"added": 0, "known": 3}


def test_a_model_alias_that_does_not_exist_is_one_line(scanote: Scanote, ingested: Path) -> None:
    done = scanote("diagnose", "-w", ingested, "--model", "nobody")
    assert done.code == 2
    assert "chest-ct" in done.complaint


def test_an_unknown_settings_key_is_named(scanote: Scanote, ingested: Path) -> None:
    (ingested / "scanote.yaml").write_text("lnik: {}\n")
    for verb in ("diagnose", "train", "settings"):
        done = scanote(verb, "-w", ingested)
        assert done.code == 2
        assert "'lnik'" in done.complaint


def test_a_workspace_of_another_version_is_left_alone(scanote: Scanote, ingested: Path) -> None:
    marker = ingested / "workspace.json"
    marker.write_text(marker.read_text().replace('"format": 1', '"format": 2'))
    done = scanote("diagnose", "-w", ingested)
    assert done.code == 2
    assert "another version" in done.complaint


def test_settings_marks_what_can_change_a_result(scanote: Scanote, ingested: Path) -> None:
    lines = scanote("settings", "-w", ingested).out.splitlines()
    assert "* link.allow_undated_text = False" in lines
    assert "  diagnosis.chunk = 16" in lines


def test_synth_says_what_to_do_next(scanote: Scanote, tmp_path: Path) -> None:
    done = scanote("synth", tmp_path / "new", "--patients", 1)
    assert "next: scanote ingest" in done.out
    assert scanote("synth", tmp_path / "new", "--patients", 1).code == 2


def test_a_demo_never_overwrites(scanote: Scanote, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    done = scanote("demo", tmp_path)
    assert done.code == 2
    assert "there already" in done.complaint


def test_ingest_of_nothing_says_what_to_name(scanote: Scanote, tmp_path: Path) -> None:
    done = scanote("ingest", "-w", tmp_path / "w")
    assert done.code == 2
    assert "--scans" in done.complaint
    assert not (tmp_path / "w").exists()


def test_a_demo_whose_files_are_more_than_its_test_is_refused(scanote: Scanote, tmp_path: Path) -> None:
    done = scanote("demo", tmp_path / "new", "--test", 60, "--on-disk", 100)
    assert done.code == 2
    assert "--on-disk" in done.complaint


def test_settings_show_no_server_address(scanote: Scanote, ingested: Path) -> None:
    (ingested / "scanote.yaml").write_text("servers: {mlflow_url: 'http://u:hunter2@127.0.0.1:1'}\n")
    assert "hunter2" not in scanote("settings", "-w", ingested).out
