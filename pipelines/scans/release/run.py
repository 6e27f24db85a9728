"""A release out of a workspace, entered in its audit log."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from pipelines.scans.index import index_paths
from pipelines.scans.release.batch import Beside, Progress, Refusal, Report, release_scans
from pipelines.scans.release.profile import Profile
from pipelines.workspace import audit, catalogue
from pipelines.workspace.paths import Workspace


def release(
    workspace: Workspace,
    out: Path,
    *,
    actor: str,
    profile: Profile = Profile(),  # noqa: B008 - frozen
    paths: Sequence[Path] = (),
    progress: Progress | None = None,
    beside: Beside | None = None,
) -> Report:
    """Release the accepted scans of the catalogue, or those found under some paths.

    Parameters
    ----------
    workspace
        Its key, its rule for patient ids and its catalogue are used.
    out
        The folder to make.
    actor
        Who asked for it, for the audit log.
    profile
        What is retained.
    paths
        Files and folders to release instead of the catalogue; a series that is quarantined counts as refused.
    beside
        Writes what goes with the scans, such as notes, before the folder appears.

    Raises
    ------
    InputError
        As `pipelines.scans.release.batch.release_scans`; or a path does not exist.
    WorkspaceError
        The catalogue or the audit log cannot be used.
    """
    with workspace.database() as engine:
        refused: tuple[Refusal, ...] = ()
        if paths:
            series = index_paths(paths).series
            scans = tuple(scan for item in series for scan in item.scans)
            refused = tuple(Refusal(item.reasons[0], item.detail, item.where) for item in series if item.reasons)
        else:
            scans = catalogue.scans(engine)
        rule = workspace.settings.link
        report = release_scans(
            scans,
            out,
            key=workspace.key,
            profile=profile,
            ignore_id_case=rule.ignore_id_case,
            ignore_leading_zeros=rule.ignore_leading_zeros,
            progress=progress,
            beside=beside,
        )
        report = dataclasses.replace(report, refused=(*refused, *report.refused))
        detail = {
            "profile": [code for code, _ in profile.codes],
            "patients": report.patients,
            "scans": report.scans,
            "files": report.files,
            "refused": report.reasons,
        }
        audit.record(engine, actor, "release", "scans", detail)
    return report
