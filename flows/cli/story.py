"""``demo`` and ``synth``: the synthetic hospital, written and read from end to end."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from data_schemas.cohort import Split
from data_schemas.errors import InputError
from data_schemas.leakage import LEAK_KINDS
from flows.cli.shared import quiet_libraries, stage, tell

SeedOption = Annotated[int, typer.Option(min=0, help="Same seed, same bytes.")]


def synth(
    folder: Annotated[Path, typer.Argument(help="New or empty folder.")],
    patients: Annotated[int, typer.Option(min=1, help="How many.")] = 100,
    seed: SeedOption = 0,
    interaction: Annotated[float, typer.Option(help="Strength of the planted interactions, 0 to 1.")] = 1.0,
    label_noise: Annotated[float, typer.Option(help="Chance that a label falls the other way.")] = 0.04,
    missing_notes: Annotated[float, typer.Option(help="Share of patients without a note.")] = 0.0,
    future_notes: Annotated[float, typer.Option(help="Share with a note from after the scan.")] = 0.0,
    reports: Annotated[float, typer.Option(help="Share with the report of the study itself.")] = 0.0,
    leak: Annotated[list[str] | None, typer.Option(help="KIND=SHARE of patients with that leak; repeatable.")] = None,
    fault: Annotated[list[str] | None, typer.Option(help="REASON=COUNT: scans with that fault; repeatable.")] = None,
) -> None:
    """Write a synthetic hospital: DICOM series, FHIR bundles, labels, and the truth they were drawn from."""
    from pipelines.synthetic.truth import Dials, Leaks
    from pipelines.synthetic.write import write_hospital

    dials = Dials(
        interaction=interaction,
        label_noise=label_noise,
        missing_notes=missing_notes,
        future_notes=future_notes,
        reports=reports,
        leaks=Leaks(**_shares(leak or ())),
    )
    faults = _counts(fault or ())
    with stage("write hospital", patients) as report:
        done = write_hospital(folder, patients=patients, seed=seed, dials=dials, faults=faults, progress=report)
    print(f"{done.patients} patients, {done.slices} slices, {done.notes} notes in {done.folder}")
    places = [shlex.quote(str(path)) for path in (done.scans, done.records, done.labels)]
    print("next: scanote ingest --scans {} --notes {} --labels {}".format(*places))


def _counts(given: Iterable[str]) -> dict[str, int]:
    """The counts of ``--fault REASON=COUNT``."""
    counts: dict[str, int] = {}
    for word in given:
        code, _, count = word.partition("=")
        if not code or not count.isdecimal() or not count.isascii():
            raise InputError(f"--fault {word}: expected REASON=COUNT, such as --fault missing-slices=3")
        counts[code] = counts.get(code, 0) + int(count)
    return counts


def _shares(given: Iterable[str]) -> dict[str, float]:
    """The shares of ``--leak KIND=SHARE``, by the name of the dial."""
    shares: dict[str, float] = {}
    for word in given:
        kind, _, share = word.partition("=")
        if kind not in LEAK_KINDS:
            raise InputError(f"--leak {word}: no leak of that kind; known are {', '.join(LEAK_KINDS)}")
        try:
            shares[kind.replace("-", "_")] = float(share)
        except ValueError:
            raise InputError(f"--leak {word}: expected KIND=SHARE, such as --leak same-patient=0.1") from None
    return shares


def demo(
    folder: Annotated[Path, typer.Argument(help="New or empty folder.")] = Path("demo"),
    seed: SeedOption = 1,
    training: Annotated[int, typer.Option(min=100, help="Patients to train on, drawn in memory.")] = 1200,
    test: Annotated[int, typer.Option(min=60, help="Patients to test on, those on disk included.")] = 640,
    on_disk: Annotated[int, typer.Option(min=1, help="Patients that go the whole way through files.")] = 64,
) -> None:
    """Tell the whole story on a synthetic hospital: generate, ingest, train, promote, diagnose, write pages."""
    quiet_libraries()
    began = time.monotonic()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder}: there already; name a new folder, or remove that one")
    if on_disk > test:
        raise InputError(f"--on-disk {on_disk} patients are part of the --test {test}; lower it, or raise --test")
    from flows.cli.batch import ingest_summary, print_ingest, run_batch
    from pipelines.cases.ingest import ingest
    from pipelines.review.promote import promote
    from pipelines.review.retrain import retrain
    from pipelines.review.table import format_differences, format_table
    from pipelines.sources.tables import read_splits
    from pipelines.synthetic.memory import synthetic_examples
    from pipelines.synthetic.truth import Dials, attainable
    from pipelines.synthetic.write import write_hospital
    from pipelines.workspace.paths import create_workspace

    tell("A synthetic hospital: nothing that it shows says anything about patients.")
    workspace = create_workspace(folder / "workspace")
    recipe = workspace.settings.model
    with stage("write hospital (files)", on_disk) as report:
        hospital = write_hospital(folder / "hospital", patients=on_disk, seed=seed, all_test=True, progress=report)
    with stage("ingest", 0) as report:
        done = ingest(
            workspace,
            scans=[hospital.scans],
            notes=[hospital.records],
            labels=[hospital.labels],
            progress=report,
        )
    validation = max(training // 6, 50)
    counts: list[tuple[Split, int]] = [("train", training), ("validation", validation), ("test", test - on_disk)]
    with stage("draw patients (memory)", sum(count for _, count in counts)) as report:
        extra = list(synthetic_examples(counts, seed=seed, recipe=recipe, first_number=on_disk, progress=report))
    ceilings = attainable(Dials())
    learnt = retrain(workspace, extra=extra, splits=read_splits(hospital.splits), stage=stage, attainable=ceilings)
    del extra
    promoted = promote(
        workspace,
        task=recipe.task,
        selector=learnt.registered.version,
        reviewer="demo",
        reason="first model of the demo",
    )
    _, outcome, delivered = run_batch(workspace)
    print_ingest(ingest_summary(done))
    print()
    print(format_table(learnt.trained.reports, attainable=ceilings))
    print()
    print(format_differences(learnt.trained.reports))
    print()
    print(promoted.message)
    print(f"diagnoses: {outcome.diagnosed} new, in {delivered.results}")
    print(f"worklist:  {delivered.worklist}")
    print(f"MLflow:    mlflow ui --backend-store-uri {workspace.mlflow_url}")
    print(f"model:     {learnt.registered.name} version {learnt.registered.version} ({learnt.registered.digest[:12]})")
    tell(f"{time.monotonic() - began:.0f} s, {_peak_gib():.1f} GiB at most")


def _peak_gib() -> float:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
