"""``scanote forget`` from end to end: a look first, nothing private on the way, and nobody else is told."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from data_schemas.note import Note
from data_schemas.scan import PatientFacts
from flows.cli.batch import run_batch
from pipelines.cases.examples import Example
from pipelines.cases.ingest import load_cases
from pipelines.review.retrain import retrain
from pipelines.synthetic.write import Hospital
from pipelines.training.trained import Trained
from pipelines.workspace import audit, catalogue
from pipelines.workspace.paths import Workspace


@pytest.fixture
def patient(workspace: Workspace) -> str:
    scan = load_cases(workspace).cases[0].scan
    assert scan is not None
    return scan.patient.patient_id


def test_the_whole_way_of_a_patient_who_is_forgotten(
    scanote: Callable,
    workspace: Workspace,
    hospital: Hospital,
    patient: str,
    canaries: Callable[[Workspace], set[str]],
    text_of: Callable[[Path], str],
    tmp_path: Path,
) -> None:
    run_batch(workspace)
    private = canaries(workspace)
    (tmp_path / "id.txt").write_text(f"{patient}\n")
    look = scanote("forget", "-w", workspace.root, f"@{tmp_path / 'id.txt'}", "--json")
    assert look.code == 0
    would = json.loads(look.out)
    assert would["dry_run"]
    assert would["would_remove"]["diagnoses"] == would["would_remove"]["scans"] == 1
    assert "nothing was removed" in look.err
    assert len(load_cases(workspace).cases) == 6

    done = scanote("forget", "-w", workspace.root, patient, "--yes", "--json")
    assert (done.code, json.loads(done.out)["removed"]) == (0, would["would_remove"])
    again = scanote("forget", "-w", workspace.root, patient)
    assert again.code == 0
    assert again.out.startswith("already forgotten, in 20")
    told = look.out + look.err + done.out + done.err + again.out + again.err
    assert [word for word in private if len(word) > 4 and word in told] == []
    mlflow = text_of(workspace.root / "mlflow.db")
    assert [word for word in private if len(word) > 4 and word in mlflow] == []

    sources = ("--scans", hospital.scans, "--notes", hospital.records, "--labels", hospital.labels)
    back = scanote("ingest", "-w", workspace.root, *sources, "--json")
    assert json.loads(back.out)["cases"] == 5
    assert json.loads(back.out)["series"]["reasons"] == {"forgotten": 1}
    assert scanote("ingest", "-w", workspace.root, *sources, "--strict").code == 1

    lifted = scanote("forget", "-w", workspace.root, patient, "--lift", "--reason", "consent was given again")
    assert lifted.code == 0
    assert json.loads(scanote("ingest", "-w", workspace.root, *sources, "--json").out)["cases"] == 6


def test_training_notes_whom_a_model_saw_and_forget_names_the_version(
    scanote: Callable, workspace: Workspace, patient: str, trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fitted(examples: list[Example], **_options: object) -> Trained:
        return replace(trained, splits={row.study_key: row.split for row in examples})

    monkeypatch.setattr("pipelines.review.retrain.train", fitted)
    done = retrain(workspace)
    look = json.loads(scanote("forget", "-w", workspace.root, patient, "--json").out)
    [model] = look["models"]
    assert model["digest"] == done.registered.digest == trained.digest
    assert [(item["version"], item["aliases"]) for item in model["versions"]] == [
        ("1", ["champion"]),
        ("2", ["challenger"]),
    ]
    assert sum(model["cases"].values()) == 1
    told = scanote("forget", "-w", workspace.root, patient, "--yes").out
    assert "scanote-chest-ct version 1 (champion), scanote-chest-ct version 2 (challenger) (cases: 1 " in told


@pytest.fixture
def small(bare: Callable[..., Workspace]) -> Workspace:
    """A workspace with one note of one patient."""
    made = bare()
    note = Note(note_id="n1", patient=PatientFacts(patient_id="MRN-4711"), text="Cough.")
    with made.database() as engine:
        catalogue.put_notes(engine, made.key, [note])
    return made


def notes_in(workspace: Workspace) -> int:
    with workspace.database() as engine:
        return len(catalogue.notes(engine))


def test_an_unknown_patient_is_one_line_without_the_id(scanote: Callable, small: Workspace) -> None:
    done = scanote("forget", "-w", small.root, "NOBODY-99", "--yes")
    assert done.code == 2
    assert "no patient of that id" in done.complaint
    assert "NOBODY" not in done.err + done.out


def test_the_id_is_read_from_stdin(scanote: Callable, small: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("one\ntwo\n"))
    assert "found 2 lines" in scanote("forget", "-w", small.root, "-", "--yes").complaint
    monkeypatch.setattr(sys, "stdin", io.StringIO(" MRN-4711\n"))
    assert scanote("forget", "-w", small.root, "-", "--yes").out.startswith("forgotten: 1 notes")
    assert notes_in(small) == 0


def test_an_id_file_that_is_not_there_is_one_line(scanote: Callable, small: Workspace, tmp_path: Path) -> None:
    done = scanote("forget", "-w", small.root, f"@{tmp_path / 'gone.txt'}", "--yes")
    assert (done.code, "cannot be read as text" in done.complaint) == (2, True)


def test_without_a_terminal_and_without_yes_nothing_is_removed(
    scanote: Callable, small: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    done = scanote("forget", "-w", small.root, "MRN-4711")
    assert (done.code, "add --yes" in done.err) == (0, True)
    assert notes_in(small) == 1


def test_on_a_terminal_it_asks_and_no_means_no(
    scanote: Callable, small: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal("n\n"))
    assert "nothing was removed" in scanote("forget", "-w", small.root, "MRN-4711").err
    assert notes_in(small) == 1
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    assert "forgotten: 1 notes" in scanote("forget", "-w", small.root, "MRN-4711").out
    assert notes_in(small) == 0


def test_a_reason_without_lift_is_refused(scanote: Callable, small: Workspace) -> None:
    done = scanote("forget", "-w", small.root, "MRN-4711", "--reason", "because")
    assert (done.code, done.complaint) == (2, "scanote: --reason belongs to --lift")


def test_an_issuer_with_lift_is_refused(scanote: Callable, small: Workspace) -> None:
    done = scanote("forget", "-w", small.root, "MRN-4711", "--lift", "--reason", "again", "--issuer", "NORTH")
    assert (done.code, "--issuer is for forgetting" in done.complaint) == (2, True)


def test_what_is_no_text_on_stdin_is_one_line(
    scanote: Callable, small: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"M\xfcller"), encoding="utf-8"))
    done = scanote("forget", "-w", small.root, "-", "--yes")
    assert (done.code, done.complaint) == (2, "scanote: stdin: cannot be read as text (UnicodeDecodeError)")


def test_who_has_no_name_on_this_machine_is_known_by_number(
    scanote: Callable, small: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container that runs under a number without an entry in the password file."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_123)
    assert scanote("forget", "-w", small.root, "MRN-4711", "--yes").code == 0
    with small.database() as engine:
        assert [event.actor for event in audit.events(engine)] == ["uid 4000000123"]


@pytest.mark.usefixtures("prefect_api")
def test_prefect_holds_nothing_that_would_have_to_be_deleted(
    scanote: Callable,
    workspace: Workspace,
    patient: str,
    canaries: Callable[[Workspace], set[str]],
    told: Callable[[], str],
) -> None:
    from flows.diagnose import diagnose_flow
    from flows.ingest import ingest_flow

    private = {word for word in canaries(workspace) if len(word) > 4}
    scanote("forget", "-w", workspace.root, patient, "--yes")
    ingest_flow(str(workspace.root))
    diagnose_flow(str(workspace.root))
    stored = told()
    assert "forgotten" in stored
    assert [word for word in private if word in stored] == []
