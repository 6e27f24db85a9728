"""Cases in the splits that a registered model really had them in, whatever the workspace would draw today."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from data_schemas.cohort import Split
from pipelines.cases.examples import Example
from pipelines.cases.merged import merged_in
from pipelines.workspace.memberships import members
from pipelines.workspace.paths import Workspace


def as_trained(workspace: Workspace, model_digest: str, examples: Sequence[Example]) -> tuple[list[Example], bool]:
    """The cases with the split that was recorded when the model was trained, and whether anything was recorded.

    A case that came later keeps the split it has. But one of a patient whom the model was fitted on, by this id or by
    one that was merged into it since, counts as a training case.
    """
    with workspace.database() as engine:
        held = members(engine, model_digest)
        merged = merged_in(engine, workspace.settings.link)
    of_case = {row.study_key: row.split for row in held}
    fitted = {row.patient_key for row in held if row.split != "test"}
    fitted |= {now for before, now in merged.keys(workspace.key).items() if before in fitted}

    def split_of(row: Example) -> Split:
        found = of_case.get(row.study_key)
        return "train" if found in (None, "test") and row.patient_key in fitted else found or row.split

    return [replace(row, split=split_of(row)) for row in examples], bool(held)
