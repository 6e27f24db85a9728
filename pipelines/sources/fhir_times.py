"""When something was known: the latest of the moments that its source states, for that is when it can be relied on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from pipelines.sources.values import parse_moment

# A moment without a zone lies at the latest here: twelve hours behind UTC the day ends last.
LAST_ZONE = timedelta(hours=12)


def known_at(*stated: Any) -> datetime | None:
    """The latest of some stated moments (None among them are passed over), or None where there is none.

    A partial date is the end of its period, and a moment without a zone counts as late as it can be; the one that is
    returned keeps its own zone.

    Raises
    ------
    RefusedError
        One of them is no date.
    """
    try:
        moments = [moment for moment in map(parse_moment, stated) if moment is not None]
    except ValueError as error:
        raise RefusedError(Reason.UNREADABLE_ROW, str(error)) from None
    return max(moments, key=instant, default=None)


def instant(moment: datetime) -> float:
    """Seconds since 1970 by which a moment has passed everywhere."""
    if moment.utcoffset() is None:
        return (moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC) + LAST_ZONE).total_seconds()
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()


def known_after(period: Any) -> tuple[Any, ...]:
    """What a period says of when its content was known: its end and, beside an end, its start.

    A period that has only begun says nothing: what belongs to it may have been known long after its start.
    """
    if period is None or period.end is None:
        return ()
    return (period.end, period.start)


def last_change(resource: Any) -> Any:
    """``meta.lastUpdated``: when the server last changed a resource, or None."""
    return resource.meta.lastUpdated if resource.meta else None
