"""Where a person's things lie in a workspace outside of its database: found by keys, counted, and removed."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from data_schemas.errors import WorkspaceError
from pipelines.cases.person import Person
from pipelines.delivery.pages import page_name
from pipelines.delivery.release import NOTES_FILE
from pipelines.scans.manifest import open_manifest
from pipelines.scans.release.keyed import person as released_person
from pipelines.sources.arrived_studies import files_in, folders_of, held_in, remove
from pipelines.sources.fetched_records import drop_resources
from pipelines.workspace.cache import ArrayCache
from pipelines.workspace.files import write_atomic
from pipelines.workspace.identity import normalise_id
from pipelines.workspace.paths import FOLDERS, Workspace
from pipelines.workspace.spool import Spool

_OWNERLESS = re.compile(r"[0-9a-f]{2}")


@dataclass(frozen=True)
class Places:
    """Folders and files to remove. ``sources`` counts files of scans that are not the workspace's, and stay."""

    folders: tuple[Path, ...] = ()
    copies: tuple[Path, ...] = ()
    pages: tuple[Path, ...] = ()
    spooled: tuple[Path, ...] = ()
    caches: tuple[ArrayCache, ...] = ()
    checkpoints: tuple[Path, ...] = ()
    released: tuple[Path, ...] = ()
    released_notes: int = 0
    headers: frozenset[str] = field(default=frozenset(), repr=False)
    resources: int = 0
    sources: int = 0

    def counts(self) -> dict[str, int]:
        """How much there is, by what people call it; what there is none of is left out."""
        found = {
            "files that came in": len({*self.copies, *files_in(self.folders)}),
            "fetched resources": self.resources,
            "case pages": len(self.pages),
            "spooled entries": len(self.spooled),
            "cache entries": sum(cache.entries() for cache in self.caches),
            "checkpoints": len(self.checkpoints),
            "released files": len(files_in(self.released)),
            "released notes": self.released_notes,
        }
        return {name: count for name, count in found.items() if count}


def find_places(workspace: Workspace, person: Person, studies: frozenset[str]) -> Places:
    """Everything in a workspace that is a person's, by the keys of their studies."""
    cache = ArrayCache(workspace.cache)
    pages = [workspace.pages / page_name(study) for study in studies]
    incoming = workspace.incoming
    checkpoints = workspace.cache / "checkpoints"
    # Of a study lies there what was computed, of a patient what was heard in their recordings.
    owners = studies | person.whose.scan_keys | person.whose.record_keys
    return Places(
        folders=folders_of(incoming, studies),
        copies=held_in(incoming, person.files),
        pages=tuple(sorted(path for path in pages if path.is_file())),
        spooled=Spool(workspace.spool).about(studies | person.whose.case_keys),
        caches=tuple(part for owner in sorted(owners) if (part := cache.of(owner)).root.exists()),
        # They hold weights that were fitted on the patient, and belong to a cohort that there is no more.
        checkpoints=tuple(sorted(checkpoints.iterdir())) if studies and checkpoints.is_dir() else (),
        released=tuple(path for name in _pseudonyms(workspace, person) for path in _in_releases(workspace, name)),
        released_notes=_released_notes(workspace, person, dry=True),
        headers=person.files,
        resources=_resources(workspace, person, dry=True),
        sources=sum(
            Path(path).is_file() and not Path(path).is_relative_to(workspace.incoming) for path in person.files
        ),
    )


def clear_places(workspace: Workspace, person: Person, places: Places) -> None:
    """Remove it all, the workspace's own copies first; what is gone already is no error.

    Raises
    ------
    WorkspaceError
        Something cannot be removed.
    """
    remove(places.folders, places.copies)
    if places.resources:
        _resources(workspace, person, dry=False)
    if places.released_notes:
        _released_notes(workspace, person, dry=False)
    for cache in places.caches:
        cache.drop()
    _drop_ownerless(workspace)
    _remove_all((*places.pages, *places.spooled, *places.checkpoints, *places.released))


def clear_headers(workspace: Workspace, places: Places) -> None:
    """Remove what the manifest holds of the person's files: last, for it tells whose a quarantined series is."""
    if places.headers and workspace.manifest.is_file():
        with open_manifest(workspace.manifest) as manifest:
            manifest.leave_out(places.headers)


def _resources(workspace: Workspace, person: Person, *, dry: bool) -> int:
    """The person's lines in what was fetched from FHIR servers: counted, and removed unless it is a dry run."""
    rules = workspace.settings.link
    plain = partial(normalise_id, ignore_case=rules.ignore_id_case, ignore_leading_zeros=rules.ignore_leading_zeros)
    ids = {plain(raw) for raw in person.record_ids} - {""}
    system = workspace.settings.sources.fhir.identifier_system
    return drop_resources(workspace.incoming, lambda raw: plain(raw) in ids, identifier_system=system, dry=dry)


def _pseudonyms(workspace: Workspace, person: Person) -> frozenset[str]:
    """What the person is called in releases."""
    rules = workspace.settings.link
    return frozenset(
        released_person(
            workspace.key,
            raw,
            "",
            ignore_case=rules.ignore_id_case,
            ignore_leading_zeros=rules.ignore_leading_zeros,
        ).pseudonym
        for raw in person.scan_ids | person.record_ids
    )


def _in_releases(workspace: Workspace, name: str) -> list[Path]:
    """What has this name in a folder of the workspace that a release may have been written to."""
    folders = [path for path in workspace.root.iterdir() if path.is_dir() and path.name not in FOLDERS]
    return sorted(path for folder in folders for path in folder.rglob(name))


def _released_notes(workspace: Workspace, person: Person, *, dry: bool) -> int:
    """The person's lines in the notes of releases: counted, and removed unless it is a dry run."""
    names, count = _pseudonyms(workspace, person), 0
    for path in _in_releases(workspace, NOTES_FILE):
        lines = path.read_bytes().splitlines(keepends=True)
        kept = [line for line in lines if _patient_of(line) not in names]
        count += len(lines) - len(kept)
        if len(kept) < len(lines) and not dry:
            write_atomic(path, b"".join(kept))
    return count


def _patient_of(line: bytes) -> str:
    with suppress(ValueError):
        row = json.loads(line)
        return str(row.get("patient", "")) if isinstance(row, dict) else ""
    return ""


def _drop_ownerless(workspace: Workspace) -> None:
    """Drop cache entries that no study is known to own; whatever is missed is computed again."""
    for folder in workspace.cache.iterdir() if workspace.cache.is_dir() else ():
        if _OWNERLESS.fullmatch(folder.name):
            ArrayCache(folder).drop()


def _remove_all(paths: Iterable[Path]) -> None:
    try:
        for path in paths:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    except OSError as error:
        raise WorkspaceError(f"{path}: cannot be removed ({error.strerror}); mend that and retry") from None
