"""``ingest``, ``diagnose``, ``serve`` and ``settings``: the daily round."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from data_schemas.errors import InputError, SettingsError
from flows.cli.shared import (
    DEFAULT_WORKSPACE,
    JsonOption,
    StrictOption,
    WorkspaceOption,
    print_json,
    quiet_libraries,
    stage,
    tell,
)

if TYPE_CHECKING:
    from data_schemas.diagnosis import ModelReference
    from flows.fetching import Arrival, RecordsArrival
    from pipelines.cases.ingest import Ingested
    from pipelines.delivery.deliver import Delivered
    from pipelines.diagnosis.batch import Outcome
    from pipelines.workspace.paths import Workspace

ManyPaths = list[Path] | None
DayOption = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d"], help="With --dicomweb and --fhir: first and last day.")
]


def ingest(
    scans: Annotated[ManyPaths, typer.Option(help="Files or folders of scans; repeat for more.")] = None,
    notes: Annotated[ManyPaths, typer.Option(help="FHIR bundles, tables or text folders of notes.")] = None,
    observations: Annotated[ManyPaths, typer.Option(help="Tables or bundles of observations.")] = None,
    labels: Annotated[ManyPaths, typer.Option(help="Tables of labels.")] = None,
    id_map: Annotated[Path | None, typer.Option(help="Table scan_patient_id, record_patient_id.")] = None,
    dicomweb: Annotated[str | None, typer.Option(help="URL of a DICOMweb server to fetch studies from.")] = None,
    fhir: Annotated[str | None, typer.Option(help="Base URL of a FHIR R4 server to fetch records from.")] = None,
    since: DayOption = None,
    until: DayOption = None,
    modality: Annotated[list[str] | None, typer.Option(help="With --dicomweb: modalities, e.g. CT; repeat.")] = None,
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
    strict: StrictOption = False,
) -> None:
    """Fill the workspace's catalogue, and report what was linked, refused and why."""
    from flows.fetching import Arrival, RecordsArrival
    from pipelines.cases.ingest import ingest as run
    from pipelines.workspace.paths import create_workspace

    if (modality and not dicomweb) or (not (dicomweb or fhir) and any((since, until))):
        raise InputError(
            "--since, --until and --modality choose what is fetched: name a server with --dicomweb (or --fhir, which "
            "has no modalities)"
        )
    if not any((scans, notes, observations, labels, id_map, dicomweb, fhir)):
        raise InputError(
            "nothing to ingest: name --scans, --dicomweb, --notes, --fhir, --observations, --labels or --id-map"
        )
    given = create_workspace(workspace)
    arrival = Arrival()
    if dicomweb:
        arrival = _fetch(given, dicomweb, since=since, until=until, modalities=modality)
    records = _fetch_records(given, fhir, since=since, until=until) if fhir else RecordsArrival()
    with stage("index and link", 0) as report:
        done = run(
            given,
            scans=(*(scans or ()), *arrival.folders),
            notes=(*(notes or ()), *records.folders),
            observations=observations or (),
            labels=labels or (),
            id_map=id_map,
            progress=report,
        )
    summary = ingest_summary(done)
    if as_json:
        print_json(summary)
    else:
        print_ingest(summary)
    _tell_refused(done)
    if problem := arrival.problem or records.problem:
        raise problem
    if strict and done.quarantined:
        raise typer.Exit(1)


def _fetch(
    workspace: Workspace, url: str, *, since: datetime | None, until: datetime | None, modalities: list[str] | None
) -> Arrival:
    from flows.fetching import fetch_studies

    with stage("fetch studies", 0) as report:
        arrival = fetch_studies(
            workspace,
            url=url,
            since=since.date() if since else None,
            until=until.date() if until else None,
            modalities=modalities,
            progress=report,
        )
    if counts := arrival.counts:
        tell(
            f"fetched {counts.instances} instances of {counts.studies} studies: {counts.new} series new, "
            f"{counts.grown} grown, {counts.known} known already"
        )
        for number, what in ((counts.odd, "answers without a usable UID"), (counts.gone, "no longer on the server")):
            if number:
                tell(f"{number} instances or series: {what}; left as they are")
    return arrival


def _fetch_records(workspace: Workspace, url: str, *, since: datetime | None, until: datetime | None) -> RecordsArrival:
    from flows.fetching import fetch_fhir

    days = {"since": since.date() if since else None, "until": until.date() if until else None}
    with stage("fetch records", 0) as report:
        arrival = fetch_fhir(workspace, url=url, **days, progress=report)
    if counts := arrival.counts:
        tell(f"fetched {counts.new} resources on {counts.pages} pages; {counts.known} known already")
        for number, what in ((counts.odd, "entries without type or id"), (counts.absent, "referred to, and not there")):
            if number:
                tell(f"{number} resources: {what}; left out")
    return arrival


def diagnose(
    since: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Scans acquired from this day.")] = None,
    model: Annotated[str | None, typer.Option(help="Alias or version; default: the settings' (champion).")] = None,
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
    strict: StrictOption = False,
) -> None:
    """Diagnose every case that has no diagnosis by this model yet, and write the worklist and its pages."""
    quiet_libraries()
    from pipelines.workspace.paths import open_workspace

    given = open_workspace(workspace)
    day = since.date() if since else None
    if given.settings.servers.prefect_url and _prefect_answers(given.settings.servers.prefect_url):
        reference, outcome, delivered = _run_flow(given, model=model, since=day)
    else:
        reference, outcome, delivered = run_batch(given, model=model, since=day)
    summary = batch_summary(reference, outcome, delivered)
    if as_json:
        print_json(summary)
    else:
        print_batch(summary)
    for line, count in sorted((outcome.told or Counter()).items()):
        tell(f"units: {count} {'case' if count == 1 else 'cases'}: {line}")
    if outcome.exhausted:
        tell(f"{outcome.exhausted} cases failed as often as 'diagnosis.attempts' allows and were not tried again")
    if model not in (None, given.settings.diagnosis.model):
        tell(f"these results are those of model '{model}', not of '{given.settings.diagnosis.model}'")
    if outcome.failed or outcome.leased or outcome.mendable:
        raise typer.Exit(3)
    if strict and (outcome.refused or outcome.exhausted or delivered.withheld):
        raise typer.Exit(1)


def _prefect_answers(url: str) -> bool:
    """Whether the Prefect server is there; a dead one is said aloud and never costs a case."""
    from flows.serve import check_server

    try:
        check_server(url)
    except SettingsError as error:
        tell(f"{error}; this batch runs without Prefect")
        return False
    return True


def _run_flow(
    workspace: Workspace, *, model: str | None, since: date | None
) -> tuple[ModelReference, Outcome, Delivered]:
    """The batch as a flow run of the settings' Prefect server."""
    from flows.prefect_settings import use_prefect

    use_prefect(workspace)
    from flows.diagnose import diagnose_flow

    batch = diagnose_flow(str(workspace.root), model=model, since=since.isoformat() if since else None)
    return batch.model, batch.outcome, batch.delivered


def run_batch(
    workspace: Workspace, *, model: str | None = None, since: date | None = None
) -> tuple[ModelReference, Outcome, Delivered]:
    """The batch without Prefect: diagnose, then deliver."""
    from pipelines.cases.ingest import load_cases
    from pipelines.delivery.deliver import deliver
    from pipelines.diagnosis.batch import diagnose_cases, select_cases
    from pipelines.diagnosis.speaker import load_speaker

    with stage("load model", 1):
        speaker = load_speaker(workspace, model)
    cases = select_cases(load_cases(workspace).cases, since=since)
    with stage("diagnose", len(cases)) as report:
        outcome = diagnose_cases(cases, workspace=workspace, speaker=speaker, progress=report)
    with stage("write pages", 0) as report:
        delivered = deliver(workspace, recipe=speaker.model.card.recipe, progress=report)
    return speaker.reference, outcome, delivered


def serve(workspace: WorkspaceOption = DEFAULT_WORKSPACE) -> None:
    """Register the scheduled flows with the Prefect server of the settings, and run them on this machine."""
    quiet_libraries()
    from pipelines.workspace.paths import open_workspace

    given = open_workspace(workspace)
    from flows.serve import serve as run

    if given.settings.servers.prefect_url:
        tell(f"serving ingest, diagnose and retrain of {given.root}; stop with Ctrl-C")
    run(given.root)


def settings(workspace: WorkspaceOption = DEFAULT_WORKSPACE) -> None:
    """Print every setting with its value here; those marked with * can change a result."""
    from data_schemas.settings import leaves
    from pipelines.workspace.paths import open_workspace

    for name, value, affects in leaves(open_workspace(workspace).settings):
        shown = "(set)" if name.startswith("servers.") and value else value
        print(f"{'*' if affects else ' '} {name} = {shown}")


def ingest_summary(done: Ingested) -> dict[str, Any]:
    """What ``ingest --json`` prints: counts and codes, no identifier."""
    from pipelines.cases.ingest import count_reasons

    series = done.index.series
    accepted = [item for item in series if not item.reasons]
    reasons: dict[str, int] = {}
    for item in series:
        for reason in item.reasons:
            reasons[reason.value] = reasons.get(reason.value, 0) + 1
    refused: dict[str, int] = {}
    for line in done.refused:
        refused[line.reason.value] = refused.get(line.reason.value, 0) + 1
    noticed: dict[str, dict[str, int]] = {}
    for note in done.noticed:
        by_detail = noticed.setdefault(note.remark.value, {})
        by_detail[note.detail] = by_detail.get(note.detail, 0) + 1
    return {
        "series": {"accepted": len(accepted), "quarantined": len(series) - len(accepted), "reasons": reasons},
        "ignored": done.index.ignored,
        "records": {kind: {"added": c.added, "known": c.known} for kind, c in done.put.items()},
        "refused": refused,
        "noticed": noticed,
        "cases": len(done.linked.cases),
        "with_note": sum(bool(case.notes) for case in done.linked.cases),
        "with_observation": sum(bool(case.observations) for case in done.linked.cases),
        "unlinked": count_reasons(done.linked),
    }


def print_ingest(summary: dict[str, Any]) -> None:
    """The summary for people."""
    series = summary["series"]
    print(f"series: {series['accepted']} accepted, {series['quarantined']} quarantined {series['reasons'] or ''}")
    for kind, counts in summary["records"].items():
        print(f"{kind}: {counts['added']} added, {counts['known']} known already")
    print(
        f"cases: {summary['cases']}, of which {summary['with_note']} with a note and "
        f"{summary['with_observation']} with observations before the cut-off"
    )
    for kind, reasons in summary["unlinked"].items():
        print(f"not used, {kind}: " + ", ".join(f"{count} {reason}" for reason, count in reasons.items()))
    if summary["refused"]:
        print("refused: " + ", ".join(f"{count} {reason}" for reason, count in summary["refused"].items()))


def _tell_refused(done: Ingested) -> None:
    from pipelines.cases.hints import hints

    for series in done.index.series:
        if series.reasons:
            codes = ", ".join(reason.value for reason in series.reasons)
            tell(f"quarantined: {codes}: {series.where}: {series.detail}")
    for note in done.noticed:
        tell(f"noticed: {note.remark.value}: {note.where}: {note.detail}")
    for line in done.refused:
        tell(f"refused: {line.reason.value}: {line.where}: {line.detail}")
    details = Counter((line.reason.value, line.detail) for line in done.linked.unlinked if line.detail)
    for (reason, detail), count in sorted(details.items()):
        tell(f"quarantined: {reason}: {count} {'case' if count == 1 else 'cases'}: {detail}")
    for notice in done.linked.notices:
        tell(notice)
    for hint in hints(done.index.series, done.linked):
        tell(hint)


def batch_summary(reference: ModelReference, outcome: Outcome, delivered: Delivered) -> dict[str, Any]:
    """What ``diagnose --json`` prints."""
    return {
        "model": reference.model_dump(mode="json"),
        "diagnosed": outcome.diagnosed,
        "known": outcome.known,
        "refused": dict(outcome.refused or {}),
        "failed": outcome.failed,
        "leased": outcome.leased,
        "exhausted": outcome.exhausted,
        "diagnoses": delivered.diagnoses,
        "withheld": delivered.withheld,
        "worklist": str(delivered.worklist),
        "results": str(delivered.results),
    }


def print_batch(summary: dict[str, Any]) -> None:
    """The summary for people."""
    model = summary["model"]
    ungated = ", ungated" if model["ungated"] else ""
    print(f"model: {model['name']} version {model['version']} ({model['digest'][:12]}{ungated})")
    counts = [f"{summary['diagnosed']} new", f"{summary['known']} known already"]
    counts += [f"{count} refused ({reason})" for reason, count in summary["refused"].items()]
    counts += [f"{summary[name]} {name}" for name in ("failed", "leased", "exhausted") if summary[name]]
    print(f"diagnoses: {', '.join(counts)}; {summary['diagnoses']} on the worklist")
    if summary["withheld"]:
        print(f"withheld: {summary['withheld']} diagnoses of studies that are quarantined or gone by now")
    print(f"worklist: {summary['worklist']}")
    print(f"results: {summary['results']}")
