"""``export``: scans and notes leave for research, de-identified."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.shared import (
    DEFAULT_WORKSPACE,
    JsonOption,
    StrictOption,
    WorkspaceOption,
    actor,
    print_json,
    stage,
    tell,
)

if TYPE_CHECKING:
    from pipelines.delivery.release import Released
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
    notes: Annotated[bool, typer.Option("--notes/--no-notes", help="With the notes of the released patients.")] = True,
    day_first: Annotated[bool, typer.Option(help="Notes that do not tell write 03/05 for the third of May.")] = False,
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
    strict: StrictOption = False,
) -> None:
    """Release accepted scans and their patients' notes, de-identified: headers after DICOM PS3.15 Annex E.

    What the pixels show is not cleaned, and no rule finds every name in a note: see docs/release.md.
    """
    from pipelines.delivery.release import release as run
    from pipelines.scans.release.profile import Profile
    from pipelines.workspace.paths import open_workspace

    given = open_workspace(workspace)
    profile = Profile(
        modified_dates=dates,
        patient_characteristics=patient,
        safe_private=safe_private,
        allow_burned_in=frozenset(allow_burned_in or ()),
    )
    with stage("de-identify", 0) as report:
        released = run(
            given,
            release,
            actor=actor(),
            profile=profile,
            paths=paths or (),
            notes=notes,
            day_first=day_first,
            progress=report,
        )
    done, texts = released.scans, released.notes
    if as_json:
        print_json(_summary(released, profile))
    else:
        print(f"released: {done.files} files of {done.scans} scans, {done.patients} patients, in {done.folder}")
        print(f"profile: {', '.join(meaning for _, meaning in profile.codes)}")
        if texts:
            kinds = ", ".join(f"{count} {kind.lower()}" for kind, count in texts.replaced.items())
            print(f"notes: {texts.notes} of {texts.patients} patients; replaced: {kinds or 'nothing'}")
        print("not claimed: what the pixels show (text, faces); look at a sample before it leaves")
        if texts and texts.notes:
            print("not claimed: that every name in the notes is gone; read a sample before they leave")
    for refusal in done.refused:
        tell(f"refused: {refusal.reason.value}: {refusal.where}: {refusal.detail}")
    for reason, count in (texts.refused if texts else {}).items():
        tell(f"refused: {reason}: {count} notes")
    if strict and (done.refused or (texts and texts.refused)):
        raise typer.Exit(1)


def _summary(released: Released, profile: Profile) -> dict[str, Any]:
    done, texts = released.scans, released.notes
    notes = {"notes": texts.notes, "replaced": texts.replaced, "refused": texts.refused} if texts else None
    return {
        "folder": str(done.folder),
        "profile": [code for code, _ in profile.codes],
        "patients": done.patients,
        "studies": done.studies,
        "scans": done.scans,
        "files": done.files,
        "refused": done.reasons,
        "notes": notes,
    }
