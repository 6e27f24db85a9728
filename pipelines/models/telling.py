"""Telling MLflow of what a workspace keeps: now, or when it can be reached, once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from data_schemas.errors import ScanoteError, ServerError
from pipelines.workspace.paths import Workspace
from pipelines.workspace.spool import Spool


def tell_kept(workspace: Workspace, *, kind: str, word: str, entry: str, tell: Callable[[str], str]) -> str:
    """Tell of a kept entry, and of those of its kind that MLflow could not be told of before.

    Parameters
    ----------
    kind
        Of the entries in the spool.
    word
        What an entry is called ("evaluation"): in the spool, and in what is said.
    tell
        Tells MLflow of an entry and returns the id of its run; asked again, it finds that run.

    Returns
    -------
    The id of the run that tells of ``entry``.

    Raises
    ------
    ServerError
        MLflow cannot be reached or refuses. Nothing is lost: the next one of the kind tells it.
    """
    told: dict[str, str] = {}
    failed: dict[str, ScanoteError] = {}

    def handler(payload: dict[str, Any]) -> None:
        waiting = str(payload[word])
        try:
            told[waiting] = tell(waiting)
        except ScanoteError as error:
            failed[waiting] = error
            raise

    Spool(workspace.spool).put(kind, {word: entry})
    Spool(workspace.spool).replay({kind: handler})
    problem = failed.get(entry)
    if isinstance(problem, ServerError):
        raise ServerError(f"{problem}. The {word} is kept and is told to MLflow by the next one") from None
    if problem is not None:
        raise problem from None
    # Where it was told before, or another process tells it now, this finds it.
    return told.get(entry) or tell(entry)
