"""Errors that a user may see. Their text says what, where and how to mend it, and holds no patient data."""

from __future__ import annotations

from data_schemas.reasons import Reason


class ScanoteError(Exception):
    """Base of every error that scanote raises on purpose."""


class InputError(ScanoteError, ValueError):
    """Something handed to scanote cannot be used (exit code 2)."""


class SettingsError(InputError):
    """The settings file holds an unknown key or a value out of range (exit code 2)."""


class LeakageError(InputError):
    """The cohort gives its labels, or its test split, away; it must be mended, or the leak allowed by name."""


class WorkspaceError(ScanoteError, RuntimeError):
    """The workspace is missing, of another version, or damaged (exit code 2)."""


class ModelError(ScanoteError, LookupError):
    """A model, alias or weight file is missing, or is not what its digest says (exit code 2)."""


class ServerError(ScanoteError, ConnectionError):
    """A server cannot be reached or refuses what it is told; nothing is lost, a retry is worth it (exit code 3)."""


class RefusedError(ScanoteError, ValueError):
    """A series or a case is refused for a reason of the list; the rest of the batch goes on.

    Parameters
    ----------
    reason
        The code that is recorded.
    detail
        What and where, without patient data.
    """

    def __init__(self, reason: Reason, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason.value}: {detail}" if detail else reason.value)
