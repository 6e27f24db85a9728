"""Ingest: scans and records into the catalogue, and what became of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from data_schemas.errors import InputError
from data_schemas.scan import Index, SeriesStatus
from pipelines.cases.link import LinkResult, link
from pipelines.cases.merged import merged_in
from pipelines.cases.rules import link_rules
from pipelines.cases.turned_away import gate_of, leave_nothing, sift, unheard, withdraw
from pipelines.notes.transcribe import transcriber
from pipelines.scans.gather import index_sources
from pipelines.scans.manifest import open_manifest
from pipelines.sources.conventions import conventions_of
from pipelines.sources.mixed_units import has_unknown_codes, without_mixed_units
from pipelines.sources.outcome import Noticed, Refused
from pipelines.sources.records import read_records
from pipelines.workspace import catalogue
from pipelines.workspace.paths import Workspace
from pipelines.workspace.patient_links import put_patient_links
from pipelines.workspace.taken_back import take_back
from pipelines.workspace.versions import PutCounts


@dataclass(frozen=True)
class Ingested:
    """What one ingest did.

    ``put`` counts rows by kind; ``index`` is what was found among the scans, ``refused`` the records that could not
    be read, ``noticed`` what must be said of how others were, ``linked`` all cases of the workspace as they stand now.
    """

    put: dict[str, PutCounts]
    index: Index = field(repr=False)
    refused: tuple[Refused, ...]
    linked: LinkResult = field(repr=False)
    noticed: tuple[Noticed, ...] = ()

    @property
    def quarantined(self) -> int:
        """Series, records and cases that were set aside."""
        series = sum(series.status is SeriesStatus.QUARANTINED for series in self.index.series)
        cases = sum(line.kind == "case" and line.reason.value != "no-record" for line in self.linked.unlinked)
        return series + cases + len(self.refused)


def ingest(
    workspace: Workspace,
    *,
    scans: Sequence[Path] = (),
    notes: Sequence[Path] = (),
    observations: Sequence[Path] = (),
    labels: Sequence[Path] = (),
    id_map: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Ingested:
    """Read everything under some paths into the catalogue; reading it again adds nothing.

    Raises
    ------
    InputError
        A path does not exist, holds no file at all, or a table cannot be read as a whole. Nothing was written.
    """
    # The catalogue is read from other folders later, so it holds absolute paths.
    unpacked = workspace.incoming / "archives"
    index = Index()
    if scans:
        with open_manifest(workspace.manifest) as manifest:
            absolute = [path.absolute() for path in scans]
            index = index_sources(
                absolute,
                unpacked=unpacked,
                progress=progress,
                manifest=manifest,
                resample_irregular=workspace.settings.sources.resample_irregular,
            )
        _check_names(index)
    with workspace.database() as engine:
        gate = gate_of(workspace, engine)
    records = read_records(
        notes=notes,
        observations=observations,
        labels=labels,
        id_map=id_map,
        observation_columns=workspace.settings.sources.observation_columns,
        own_findings=workspace.settings.sources.findings,
        targets=workspace.settings.model.targets,
        transcribe=unheard(gate, transcriber(workspace)),
        identifier_system=workspace.settings.sources.fhir.identifier_system,
        conventions=conventions_of(workspace.settings.sources),
    )
    key, noticed = workspace.key, records.noticed
    with workspace.database() as engine:
        if has_unknown_codes(records):
            records = without_mixed_units(records, held=catalogue.observations(engine))
        gate = gate_of(workspace, engine)
        sifted = sift(index, records, gate, mapped=catalogue.id_map(engine) if gate.blocked else ())
        index, records = sifted.index, sifted.records
        leave_nothing(workspace, engine, gate, sifted)
        put = {
            "scans": catalogue.put_index(engine, key, index),
            "notes": catalogue.put_notes(engine, key, records.notes),
            "observations": catalogue.put_observations(engine, key, records.observations),
            "labels": catalogue.put_labels(engine, key, records.labels),
            "id map rows": catalogue.put_id_map(engine, key, records.id_map),
        }
        put_patient_links(engine, key, records.links)
        take_back(
            engine,
            key,
            notes=[(item.patient_id, item.note_id) for item in records.taken_back if item.note_id],
            observations=[
                (item.patient_id, item.code, item.taken, item.study_uid, item.origin)
                for item in records.taken_back
                if item.code
            ],
            resources=[item.origin for item in records.taken_back if item.origin],
        )
        # Whoever was forgotten while this was put is not brought back by it.
        withdraw(engine, index, records, gate_of(workspace, engine), since=gate)
        index = sifted.listed
        counts = {f"{kind} added": counts.added for kind, counts in put.items()}
        quarantined = sum(series.status is SeriesStatus.QUARANTINED for series in index.series)
        catalogue.put_ingest_run(engine, counts | {"series quarantined": quarantined, "refused": len(records.refused)})
    return Ingested(put=put, index=index, refused=records.refused, linked=load_cases(workspace), noticed=noticed)


def _check_names(index: Index) -> None:
    """Refuse paths that the catalogue cannot hold as text."""
    for series in index.series:
        for name in (series.where, *(file.path for scan in series.scans for file in scan.files)):
            if not name.isprintable() and any("\ud800" <= character <= "\udfff" for character in name):
                raise InputError(f"{name!a}: the name of a file or folder is not Unicode; rename it")


def load_cases(workspace: Workspace) -> LinkResult:
    """Every case of the catalogue, linked by the workspace's rules."""
    with workspace.database() as engine:
        merged = merged_in(engine, workspace.settings.link)
        scans, id_map = catalogue.scans(engine), catalogue.id_map(engine)
        notes, observations = catalogue.notes(engine), catalogue.observations(engine)
    select = workspace.settings.select
    return link(
        merged.scans(scans),
        merged.records(notes),
        merged.records(observations),
        merged.id_map(id_map),
        doubtful=merged.doubtful,
        workspace_key=workspace.key,
        **link_rules(workspace.settings.link),
        require=select.require,
        prefer=select.prefer,
        channels=select.channels,
    )


def count_reasons(linked: LinkResult) -> dict[str, dict[str, int]]:
    """How often each reason stands in the unlinked list, by kind of thing."""
    counted: dict[str, Counter[str]] = {}
    for line in linked.unlinked:
        counted.setdefault(line.kind, Counter())[line.reason.value] += 1
    return {kind: dict(sorted(counts.items())) for kind, counts in sorted(counted.items())}
