"""``pretrain``: encoders that learn from the hospital's own scans and text, without a label."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.cohort import given_splits
from flows.cli.shared import DEFAULT_WORKSPACE, JsonOption, WorkspaceOption, print_json, quiet_libraries, stage, tell

if TYPE_CHECKING:
    from pipelines.training.pretrain.run import Pretrained


class Objective(StrEnum):
    """What is learned."""

    CONTRASTIVE = "contrastive"
    TEXT = "text"
    VOLUME = "volume"


def pretrain(
    objective: Annotated[
        Objective,
        typer.Option(help="Scans with their reports; words of notes; or hidden parts of scans."),
    ] = Objective.CONTRASTIVE,
    splits: Annotated[
        Path | None, typer.Option(help="Table patient_id, split; else that of the settings, or by hash.")
    ] = None,
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Pretrain an encoder without labels on all patients but those of the test split, and keep it for train."""
    quiet_libraries()
    from pipelines.training.pretrain.run import pretrain as run
    from pipelines.training.pretrain.telling import tell_encoder
    from pipelines.workspace.paths import open_workspace

    given = open_workspace(workspace)
    done = run(given, objective=objective.value, splits=given_splits(given, splits), stage=stage)
    if done.refused:
        tell(f"{done.refused} cases could not be read and were left out")
    if as_json:
        print_json(summary(done))
    else:
        _print(done)
    with stage("tell MLflow", 1):
        tell_encoder(given, done.kept.card)


def summary(done: Pretrained) -> dict[str, Any]:
    """What ``pretrain --json`` prints."""
    card = done.kept.card
    return {
        "objective": card.objective,
        "digest": card.digest,
        "folder": str(done.kept.folder),
        "setting": done.kept.setting,
        "cases": card.cases,
        "refused": done.refused,
        "measures": card.measures,
        "epochs": len(card.epochs),
        "fresh_head": done.fresh_head,
        "release": card.release,
    }


def _print(done: Pretrained) -> None:
    card = done.kept.card
    cases = ", ".join(f"{count if count is not None else 'under 10'} {split}" for split, count in card.cases.items())
    print(f"pretrained by {card.objective} on {cases}")
    for name, value in card.measures.items():
        print(f"  {name.replace('_', ' '):<14} {value:.3f}")
    print(f"kept: {done.kept.folder}\n{card.release}")
    print(f"to train from it, put into scanote.yaml:\n  {done.kept.setting}")
