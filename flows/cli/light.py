"""``compile``: a registered model made light or small, and measured against itself."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.shared import DEFAULT_WORKSPACE, JsonOption, WorkspaceOption, print_json, quiet_libraries, stage, tell

if TYPE_CHECKING:
    from pipelines.review.compile import CompiledVersion
    from pipelines.review.distil import Distilled


CALIBRATION_SCANS = 32


class BackendName(StrEnum):
    """What runs the encoders."""

    OPENVINO = "openvino"
    ONNXRUNTIME = "onnxruntime"


class PrecisionName(StrEnum):
    """Of the encoders' weights and activations."""

    FP32 = "fp32"
    INT8 = "int8"


def compile(
    version: Annotated[str, typer.Argument(help="Version or alias, such as champion.")],
    backend: Annotated[BackendName, typer.Option(help="What shall run the encoders.")] = BackendName.OPENVINO,
    precision: Annotated[PrecisionName, typer.Option(help="int8 is calibrated on scans of the training split.")] = (
        PrecisionName.FP32
    ),
    calibration_scans: Annotated[int, typer.Option(min=1, help="For int8: so many scans.")] = CALIBRATION_SCANS,
    draws: Annotated[
        int | None, typer.Option(min=10, help="Bootstrap samples; else training.bootstrap of the model's recipe.")
    ] = None,
    prune: Annotated[
        float,
        typer.Option(min=0.0, max=0.9, help="Share of a ResNet's inner channels to leave out; it is fitted anew."),
    ] = 0.0,
    distil: Annotated[
        Path | None,
        typer.Option("--distill", help="YAML of what a smaller model has of its own; it is trained, and registered."),
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Make it anew where it is there already.")] = False,
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Compile a model's encoders for the CPU; kept beside the model if its parity report passes, else exit with 1.

    With --distill, train a smaller model on what it says instead, and register that if its parity report passes.
    """
    quiet_libraries()
    if distil is not None:
        _check_alone(
            backend=backend is not BackendName.OPENVINO,
            precision=precision is not PrecisionName.FP32,
            calibration_scans=calibration_scans != CALIBRATION_SCANS,
            prune=bool(prune),
            again=again,
        )
        _distil(version, distil, draws=draws, workspace=workspace, as_json=as_json)
        return
    from pipelines.review.compile import compile_version
    from pipelines.training.light.table import parity_table
    from pipelines.workspace.paths import open_workspace

    given = open_workspace(workspace)
    done = compile_version(
        given,
        version,
        backend=backend.value,
        precision=precision.value,
        prune=prune,
        again=again,
        calibration_scans=calibration_scans,
        draws=draws,
        stage=stage,
    )
    if as_json:
        print_json(compiled_summary(done))
    else:
        print(parity_table(done.card.parity))
        print()
    what = f"{done.registered.name} version {done.registered.version} for {backend.value} in {precision.value}"
    for speed in done.card.parity.parts:
        if speed.ratio < 1:
            tell(f"the {speed.part} encoder is slower than torch here: {speed.ratio:.2f} times as fast")
    if precision is PrecisionName.INT8:
        for part, (kind, _) in done.card.parts.items():
            if kind != precision.value:
                tell(f"the {part} encoder stays in {kind}: in int8 {backend.value} is slower, or too far off, with it")
    if done.kept is None:
        goes_on = "what was kept before, pruned otherwise" if done.known else "torch"
        tell(f"parity failed, so {what} is not kept: diagnosis goes on with {goes_on}")
        raise typer.Exit(1)
    if not done.told:
        tell("MLflow cannot be reached: the version has no tag of it there yet; run the same command later to tell it")
    if not as_json:
        print(f"{'there already' if done.known else 'kept'}: {what} ({done.kept})")
        print(
            f"to use it: diagnosis.backend: {backend.value} and diagnosis.precision: {precision.value} in scanote.yaml"
        )


def _check_alone(**given: bool) -> None:
    """Refuse options that a student would be trained without, before anything is read."""
    from data_schemas.errors import InputError

    for name, other in given.items():
        if other:
            option = f"--{name.replace('_', '-')}"
            raise InputError(
                f"{option} is for compiling: leave it or --distill out, and compile the student afterwards"
            )


def _distil(version: str, student: Path, *, draws: int | None, workspace: Path, as_json: bool) -> None:
    from pipelines.review.distil import distil_version
    from pipelines.training.light.student import read_changes
    from pipelines.training.light.table import parity_table
    from pipelines.workspace.paths import open_workspace

    given = open_workspace(workspace)
    done = distil_version(given, version, changes=read_changes(student), draws=draws, stage=stage)
    if as_json:
        print_json(distilled_summary(done))
    else:
        print(parity_table(done.parity))
        print()
    if done.registered is None:
        tell(f"parity failed, so the student of version {done.teacher.version} is not registered")
        raise typer.Exit(1)
    if not as_json:
        new = done.registered
        print(f"registered: {new.name} version {new.version}, alias challenger, student of {done.teacher.version}")
        print(f"to use it: scanote promote {new.version} …; to make its encoders light: scanote compile {new.version}")


def distilled_summary(done: Distilled) -> dict[str, Any]:
    """What ``compile --distill --json`` prints."""
    return {
        "teacher": done.teacher.version,
        "model": done.teacher.name,
        "version": done.registered.version if done.registered else None,
        "digest": done.trained.digest,
        "parity": done.parity.model_dump(mode="json"),
        "passed": done.parity.passed,
    }


def compiled_summary(done: CompiledVersion) -> dict[str, Any]:
    """What ``compile --json`` prints."""
    return {
        "model": done.registered.name,
        "version": done.registered.version,
        "kept": str(done.kept) if done.kept else None,
        "known": done.known,
        **done.card.model_dump(mode="json"),
        "passed": done.card.parity.passed,
    }
