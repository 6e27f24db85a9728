"""Studies from a DICOMweb server: asked for by date and modality (QIDO-RS), fetched a series at a time (WADO-RS).

A series appears under the folder for arrivals whole or not at all. What is there already, with the same instances, is
not fetched again; a late series or instance is. What was fetched before a server died stays, and the next run goes on.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from data_schemas.errors import ServerError
from pipelines.sources import arrivals
from pipelines.sources.quiet import quiet
from pipelines.sources.wado import Answer, Connection, StatusError
from pipelines.workspace.files import make_private_folder

PAGE = 200
# A study of a year of a large hospital is one of a million.
MAX_RESULTS = 1_000_000
# So many series in a row that cannot be fetched are the server's trouble, not theirs.
GIVE_UP_AFTER = 3
_UID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_STUDY, _SERIES, _INSTANCE, _MODALITY, _MODALITIES = (
    "0020000D",
    "0020000E",
    "00080018",
    "00080060",
    "00080061",
)
_LOUD = ("dicomweb_client", "urllib3")

Search = Callable[..., list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Fetched:
    """What one run did: studies found, series new, grown, known already or failed, and instances fetched.

    ``odd`` counts answers without a usable UID, ``gone`` instances that are here and no longer on the server.
    ``folder`` is where the series lie.
    """

    folder: Path = field(repr=False)
    studies: int = 0
    new: int = 0
    grown: int = 0
    known: int = 0
    failed: int = 0
    instances: int = 0
    odd: int = 0
    gone: int = 0


def fetch(
    connection: Connection,
    into: Path,
    *,
    key: bytes,
    since: date,
    until: date | None = None,
    modalities: Sequence[str] = (),
    skip: Collection[str] = (),
    page: int = PAGE,
    progress: Callable[[int, int], None] | None = None,
) -> Fetched:
    """Fetch every series of some modalities whose study has a date in a range.

    Parameters
    ----------
    connection
        The server.
    into
        The workspace's folder of what came in.
    key
        The workspace's key: folders and files are named by keyed digests.
    since, until
        First and last study date; without ``until`` there is no last one.
    modalities
        Codes such as "CT"; none means all.
    skip
        Keys of studies that are not fetched: those of forgotten patients.
    page
        How many results are asked for at once.
    progress
        Called with (studies done, studies found).

    Returns
    -------
    Fetched
        Counts; ``failed`` series are worth a retry.

    Raises
    ------
    ServerError
        The server does not answer, answers nonsense or refuses; or another process is fetching. What was fetched
        stays.
    WorkspaceError
        The folder cannot be written.
    """
    ready, staging = into / arrivals.FETCHED, into / arrivals.FETCHING
    counted: Counter[str] = Counter()
    failures = 0
    with arrivals.only_one(into / "dicomweb.lock", "is fetching"), quiet(*_LOUD), connection:
        studies, counted["odd"] = _studies(connection, since, until, modalities, page)
        studies = [study for study in studies if arrivals.study_name(key, study) not in skip]
        for number, study in enumerate(studies, 1):
            for work in _works(connection, study, modalities, ready, staging, key, page):
                try:
                    counts = work()
                    counted.update(counts)
                    failures = 0 if counts.keys() & {"new", "grown", "known"} else failures
                except StatusError as error:
                    counted["failed"] += 1
                    failures += 1
                    if failures >= GIVE_UP_AFTER:
                        raise ServerError(f"{error}; {failures} series in a row could not be fetched") from None
            if progress:
                progress(number, len(studies))
    return Fetched(folder=ready, studies=len(studies), **counted)


def _works(
    connection: Connection, study: str, modalities: Sequence[str], ready: Path, staging: Path, key: bytes, page: int
) -> Iterator[Callable[[], dict[str, int]]]:
    """What there is to do for one study, a series at a time; first of all, to ask for them."""
    found: list[str] = []

    def list_series() -> dict[str, int]:
        series, odd = _series(connection, study, modalities, page)
        found.extend(series)
        return {"odd": odd}

    yield list_series
    for uid in found:
        home = ready / arrivals.study_name(key, study) / arrivals.series_name(key, uid)
        yield partial(_fetch_series, connection, study, uid, home, staging, key, page)


def _studies(
    connection: Connection, since: date, until: date | None, modalities: Sequence[str], page: int
) -> tuple[list[str], int]:
    """Studies of some days that may hold a modality.

    The server is asked for the days only: Orthanc 1.10, asked for ModalitiesInStudy too, gives the first page and then
    nothing. What it says of a study's modalities is looked at here.
    """
    days = f"{since:%Y%m%d}-{until:%Y%m%d}" if until else f"{since:%Y%m%d}-"
    found: dict[str, None] = {}
    odd = 0
    filters = {"StudyDate": days}
    for row in _paged(connection, connection.client.search_for_studies, page, _STUDY, search_filters=filters):
        held = set(_values(row, _MODALITIES))
        if modalities and held and held.isdisjoint(modalities):
            continue
        uid = _value(row, _STUDY)
        if _UID.fullmatch(uid):
            found[uid] = None
        else:
            odd += 1
    return list(found), odd


def _series(connection: Connection, study: str, modalities: Sequence[str], page: int) -> tuple[list[str], int]:
    found: dict[str, None] = {}
    odd = 0
    for row in _paged(connection, connection.client.search_for_series, page, _SERIES, study_instance_uid=study):
        uid, modality = _value(row, _SERIES), _value(row, _MODALITY)
        if modalities and modality not in modalities:
            continue
        if _UID.fullmatch(uid):
            found[uid] = None
        else:
            odd += 1
    return list(found), odd


def _paged(connection: Connection, search: Search, page: int, key: str, **query: Any) -> Iterator[dict[str, Any]]:
    """Every result of a query, page by page, until one brings nothing new."""
    seen: set[str] = set()
    count = 0
    while True:
        rows = connection.ask(lambda offset=count: search(limit=page, offset=offset, **query))  # type: ignore[misc]
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise ServerError(f"{connection.url}: answers a query with something else than DICOM JSON; check the URL")
        # Rows without the key are passed on too: they are counted as odd, once.
        new = [row for row in rows if _value(row, key) not in seen]
        if not new:
            if count and len(rows) == page:
                raise ServerError(f"{connection.url}: gives the same page of results again; it cannot be read in pages")
            return
        seen |= {_value(row, key) for row in new}
        count += len(rows)
        if count > MAX_RESULTS:
            raise ServerError(f"{connection.url}: more than {MAX_RESULTS} results; ask for fewer days")
        yield from new


def _fetch_series(
    connection: Connection, study: str, series: str, home: Path, staging: Path, key: bytes, page: int
) -> dict[str, int]:
    rows = _paged(
        connection,
        connection.client.search_for_instances,
        page,
        _INSTANCE,
        study_instance_uid=study,
        series_instance_uid=series,
    )
    uids = [_value(row, _INSTANCE) for row in rows]
    wanted = {arrivals.instance_name(key, uid): uid for uid in uids if _UID.fullmatch(uid)}
    odd = len(uids) - len(wanted)
    held = arrivals.instances_in(home)
    counts = {"odd": odd, "gone": len(held - set(wanted))}
    if not set(wanted) - held:
        return counts | {"known": 1}
    batch = make_private_folder(staging / f"{home.parent.name[:16]}{home.name[:16]}")
    answer = Answer(batch, lambda uid: arrivals.instance_name(key, uid))
    missing = set(wanted) - held - answer.names()
    if missing == set(wanted):
        connection.retrieve(answer, study, series)
        missing -= answer.names()
    for name in sorted(missing):
        connection.retrieve(answer, study, series, wanted[name])
    if not set(wanted) <= held | answer.names():
        raise StatusError(f"{connection.url}: does not give all instances of a series that it lists")
    fresh = answer.names() - held
    answer.drop(held)
    arrivals.publish(batch, home)
    return counts | {"grown" if held else "new": 1, "instances": len(fresh)}


def _values(row: dict[str, Any], tag: str) -> list[str]:
    """The values of an element in DICOM JSON, as far as it is there and they are texts."""
    element = row.get(tag)
    values = element.get("Value") if isinstance(element, dict) else None
    return [value for value in values if isinstance(value, str)] if isinstance(values, list) else []


def _value(row: dict[str, Any], tag: str) -> str:
    return next(iter(_values(row, tag)), "")
