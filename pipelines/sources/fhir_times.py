"""When something was known: the latest of the moments that its source states, for that is when it can be relied on."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from pipelines.sources.values import instant, parse_moment


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
