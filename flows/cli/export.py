"""``export``: scans leave for research, de-identified."""

from __future__ import annotations

from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.shared import (
    DEFAULT_WORKSPACE,
    JsonOption,
    StrictOption,
    WorkspaceOption,
    print_json,
    stage,
    tell,
)

if TYPE_CHECKING:
    from pipelines.scans.release.batch import Report
    from pipelines.scans.release.profile import Profile


def export(
    release: Annotated[Path, typer.Option(help="New folder for the de-identified files.")],
    paths: Annotated[list[Path] | None, typer.Argument(help="Files and folders, instead of the catalogue.")] = None,
    dates: Annotated[bool, typer.Option("--dates-moved/--dates-removed", help="By each patient's own days.")] = True,
    patient: Annotated[
        bool, typer.Option("--patient-characteristics/--no-patient-characteristics", help="Sex, age, size, weight.")
    ] = True,
    safe_private: Annotated[bool, typer.Option(help="Keep the private attributes listed as safe.")] = False,
    allow_burned_in: Annotated[
        list[str] | None,
        typer.Option(help="SeriesInstanceUID whose pixels you looked at and found free of text and faces."),
    ] = None,
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
    strict: StrictOption = False,
) -> None:
    """Release accepted scans: headers de-identified after DICOM PS3.15 Annex E, pixels byte for byte.

    What the pixels show is not cleaned: see docs/release.md for what is not claimed.
    """
    from pipelines.scans.release.profile import Profile
    from pipelines.scans.release.run import release as run
    from pipelines.workspace.paths import open_workspace

    given = open_workspace(workspace)
    profile = Profile(
        modified_dates=dates,
        patient_characteristics=patient,
        safe_private=safe_private,
        allow_burned_in=frozenset(allow_burned_in or ()),
    )
    with stage("de-identify", 0) as report:
        done = run(given, release, actor=getuser(), profile=profile, paths=paths or (), progress=report)
    if as_json:
        print_json(_summary(done, profile))
    else:
        print(f"released: {done.files} files of {done.scans} scans, {done.patients} patients, in {done.folder}")
        print(f"profile: {', '.join(meaning for _, meaning in profile.codes)}")
        print("not claimed: what the pixels show (text, faces); look at a sample before it leaves")
    for refusal in done.refused:
        tell(f"refused: {refusal.reason.value}: {refusal.where}: {refusal.detail}")
    if strict and done.refused:
        raise typer.Exit(1)


def _summary(done: Report, profile: Profile) -> dict[str, Any]:
    return {
        "folder": str(done.folder),
        "profile": [code for code, _ in profile.codes],
        "patients": done.patients,
        "studies": done.studies,
        "scans": done.scans,
        "files": done.files,
        "refused": done.reasons,
    }
