"""What a step of a flow may say when it fails: a code and a place in the source, never what was read."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from data_schemas.errors import InputError, ModelError, ScanoteError, ServerError, SettingsError, WorkspaceError

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

T = TypeVar("T")
ROOT = Path(__file__).parents[1]
log = logging.getLogger(__name__)


class StepError(ScanoteError, RuntimeError):
    """A step of a flow failed. Prefect stores the text of an exception in states and logs: this one may stand there.

    Parameters
    ----------
    step
        What failed, in the words of the command line.
    detail
        A sentence without patient data.
    retry
        Whether another attempt may end otherwise.
    """

    def __init__(self, step: str, detail: str, *, retry: bool) -> None:
        self.step = step
        self.detail = detail
        self.retry = retry
        super().__init__(f"{step}: {detail}")


def run_step(step: str, work: Callable[[], T]) -> T:
    """The result of ``work``, or a `StepError` without a cause: the text and the values of what failed stay here.

    Errors of settings, workspace, model and server are told in full, for their text is made to be shown. Those of the
    input may name a file, and any other may hold whatever a library puts in: only the class is told, and where it
    arose.

    Raises
    ------
    StepError
        ``work`` raised.
    """
    try:
        return work()
    except (SettingsError, ModelError) as error:
        problem = StepError(step, str(error), retry=False)
    except (WorkspaceError, ServerError) as error:
        problem = StepError(step, str(error), retry=True)
    except InputError as error:
        detail = f"{type(error).__name__}; to read what is wrong with which file, run at a terminal: scanote {step}"
        problem = StepError(step, detail, retry=False)
    except Exception as error:  # whatever a library raises
        problem = StepError(step, f"{type(error).__name__} at {_place(error)}", retry=True)
    # Raised out here, the new error has no context that a log could print.
    log.error("%s", problem)
    raise problem


def worth_retrying(_task: Any, _task_run: Any, state: State[Any]) -> bool:
    """For Prefect's ``retry_condition_fn``: not where the same input, settings or model would fail again."""
    return not (isinstance(state.data, StepError) and not state.data.retry)


def _place(error: BaseException) -> str:
    """The innermost line of our own source that an error passed through."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        if path.is_relative_to(ROOT) and "site-packages" not in path.parts and path != Path(__file__):
            return f"{path.relative_to(ROOT)}:{frame.lineno}"
    return "an unknown place"
