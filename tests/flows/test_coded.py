from __future__ import annotations

import traceback

import pytest

from data_schemas.errors import InputError, ModelError, ServerError, SettingsError, WorkspaceError
from flows.coded import StepError, run_step

CANARY = "CANARY^PATIENT"


def failing(error: Exception) -> StepError:
    def work() -> None:
        raise error

    with pytest.raises(StepError) as caught:
        run_step("diagnose", work)
    return caught.value


def test_a_step_that_succeeds_gives_its_result() -> None:
    assert run_step("diagnose", lambda: 7) == 7


@pytest.mark.parametrize("error", [InputError(CANARY), ValueError(CANARY), OSError(2, CANARY, CANARY)], ids=repr)
def test_the_text_of_an_error_that_may_hold_patient_data_stays_inside(error: Exception) -> None:
    found = failing(error)
    told = "".join(traceback.format_exception(found)) + repr(found) + repr(vars(found))
    assert CANARY not in told


def test_an_error_keeps_no_context_that_a_log_could_print() -> None:
    found = failing(ValueError(CANARY))
    assert found.__cause__ is None
    assert found.__context__ is None


@pytest.mark.parametrize("kind", [SettingsError, ModelError, WorkspaceError, ServerError])
def test_errors_made_to_be_shown_are_told_in_full(kind: type[Exception]) -> None:
    assert str(failing(kind("the champion is gone"))) == "diagnose: the champion is gone"


def test_an_unexpected_error_tells_its_class_and_where_it_arose() -> None:
    assert "ValueError at tests/flows/test_coded.py:" in str(failing(ValueError(CANARY)))


@pytest.mark.parametrize(
    ("error", "retry"),
    [
        (SettingsError("x"), False),
        (ModelError("x"), False),
        (InputError("x"), False),
        (WorkspaceError("x"), True),
        (ServerError("x"), True),
        (OSError("x"), True),
    ],
    ids=repr,
)
def test_only_what_another_attempt_may_change_is_worth_it(error: Exception, retry: bool) -> None:
    assert failing(error).retry is retry


def test_what_failed_is_told_on_this_machine(caplog: pytest.LogCaptureFixture) -> None:
    failing(ModelError("the champion is gone"))
    assert "the champion is gone" in caplog.text
