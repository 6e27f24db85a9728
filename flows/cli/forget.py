"""``forget``: a patient's inputs, results, pages and cache go; a tombstone stays."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from data_schemas.errors import InputError
from flows.cli.shared import (
    DEFAULT_WORKSPACE,
    JsonOption,
    WorkspaceOption,
    actor,
    print_json,
    quiet_libraries,
    tell,
)

if TYPE_CHECKING:
    from pipelines.delivery.forget import Forgotten, Found
    from pipelines.workspace.paths import Workspace

LONGEST_ID = 1024


def forget(
    patient: Annotated[
        str, typer.Argument(help="Patient id as scans or records have it; '-' reads it from stdin, @FILE from a file.")
    ],
    issuer: Annotated[str, typer.Option(help="Who issued the id, where the scans name an issuer.")] = "",
    space: Annotated[
        Literal["scan", "record"] | None,
        typer.Option("--as", help="Whose id it is, where scans and records have it for two people."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Remove without asking.")] = False,
    lift: Annotated[bool, typer.Option("--lift", help="Let a forgotten patient be ingested again.")] = False,
    reason: Annotated[str, typer.Option(help="With --lift: why; kept in the audit log, so name nobody.")] = "",
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Remove a patient's inputs, diagnoses, pages and cache, and leave a tombstone that turns them away.

    Shows first what would go, and asks. The files that the scans and records were read from stay: they are not ours.
    """
    quiet_libraries()
    from pipelines.delivery.forget import look_up
    from pipelines.workspace.paths import open_workspace

    if reason and not lift:
        raise InputError("--reason belongs to --lift")
    if issuer and lift:
        raise InputError("--issuer is for forgetting: a tombstone knows no issuer; leave it out with --lift")
    given = open_workspace(workspace)
    patient_id = _read_id(patient)
    if lift:
        _lift(given, patient_id, reason=reason, space=space, as_json=as_json)
        return
    found = look_up(given, patient_id, issuer=issuer, space=space)
    if not found.already and not yes:
        if as_json or patient == "-" or not sys.stdin.isatty():
            _show(given, found, as_json=as_json)
            tell("nothing was removed; add --yes to remove it")
            return
        _show(given, found, as_json=False)
        if not typer.confirm("Remove all of it for good?", err=True):
            tell("nothing was removed")
            return
    _forget(given, patient_id, issuer=issuer, space=space, again=found.already, as_json=as_json)


def _forget(
    workspace: Workspace,
    patient_id: str,
    *,
    issuer: str,
    space: Literal["scan", "record"] | None,
    again: bool,
    as_json: bool,
) -> None:
    from pipelines.delivery.forget import forget as run

    done = run(workspace, patient_id, actor=actor(), issuer=issuer, space=space)
    models = _models(workspace, done)
    if as_json:
        summary = {"removed": {} if again else done.counts, "already": again, "month": done.month, **models}
        print_json({"dry_run": False, **summary, "files_left_outside": done.sources, "compacted": done.compacted})
        return
    if again:
        print(f"already forgotten, in {done.month}; nothing was left to remove")
    else:
        print(f"forgotten: {_counted(done.counts)}")
    _tell_rest(done.sources, models)
    if not done.compacted:
        print("old bytes: PostgreSQL's own vacuum removes them; purge its backups and archived logs yourself")


def _show(workspace: Workspace, found: Found, *, as_json: bool) -> None:
    models = _models(workspace, found)
    if as_json:
        print_json({"dry_run": True, "would_remove": found.counts, "files_left_outside": found.sources, **models})
        return
    print(f"would be removed: {_counted(found.counts)}")
    _tell_rest(found.sources, models)


def _tell_rest(sources: int, models: dict[str, Any]) -> None:
    if sources:
        print(f"left: {sources} files of scans outside the workspace; remove them where they are kept")
    print("left: tables, bundles and backups outside the workspace, and other people's notes that mention the patient")
    if models["models"] is None:
        tell("MLflow cannot be reached: versions of the models are not shown")
    for model in models["models"] or models["digests"]:
        if isinstance(model, str):
            print(f"model that saw the patient: {model[:12]}")
            continue
        names = [f"{v['name']} version {v['version']}{_aliases(v['aliases'])}" for v in model["versions"]]
        cases = ", ".join(f"{count} {split}" for split, count in model["cases"].items())
        print(f"model that saw the patient: {', '.join(names) or model['digest'][:12]} (cases: {cases})")


def _models(workspace: Workspace, found: Found | Forgotten) -> dict[str, Any]:
    from pipelines.delivery.forget import registered

    named = registered(workspace, found.models)
    return {"models": named if named is None else list(named), "digests": [m.model_digest for m in found.models]}


def _aliases(names: list[str]) -> str:
    return f" ({', '.join(names)})" if names else ""


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items()) or "nothing but what a stopped removal left"


def _lift(
    workspace: Workspace, patient_id: str, *, reason: str, space: Literal["scan", "record"] | None, as_json: bool
) -> None:
    from pipelines.delivery.forget import lift as run

    months = run(workspace, patient_id, reason=reason, actor=actor(), space=space)
    if as_json:
        print_json({"lifted": list(months)})
    else:
        print(f"lifted: forgotten in {', '.join(months)}; the next ingest takes the patient in again")


def _read_id(given: str) -> str:
    """The id from the command line, from stdin or from a file; one line, so that a list is not taken for an id."""
    if given != "-" and not (given.startswith("@") and len(given) > 1):
        return given
    place = "stdin" if given == "-" else given[1:]
    try:
        text = sys.stdin.read(LONGEST_ID * 4) if given == "-" else Path(place).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{place}: cannot be read as text ({type(error).__name__})") from None
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) != 1:
        raise InputError(f"expected one patient id, on one line; found {len(lines)} lines")
    if len(lines[0]) > LONGEST_ID:
        raise InputError(f"expected one patient id; found a line of more than {LONGEST_ID} characters")
    return lines[0]
