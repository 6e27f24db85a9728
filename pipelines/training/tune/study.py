"""The memory of a search: Optuna's journal, a file in the workspace, so that a killed tuning goes on.

It holds the trials' settings and losses. A trial that was running when its process died is begun again, with the very
same settings: the sampler is seeded anew for every trial, from the seed and the number of trials that ended before it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_schemas.errors import WorkspaceError
from pipelines.workspace.digests import json_digest
from pipelines.workspace.files import make_private_folder, write_atomic, write_new

if TYPE_CHECKING:
    import optuna

STARTUP_TRIALS = 8
"""Trials that are drawn at random, the fixed ones included, before the sampler begins to model them."""
PRUNED_FROM = 5
"""Complete trials before any is broken off: the fixed ones never are."""
SHELTERED = 8
"""A trial runs through one part in so many of its epochs before it may be broken off."""


def open_storage(path: Path | None) -> optuna.storages.BaseStorage:
    """Optuna's storage in a journal of JSON lines, or in memory. One process may use a journal at a time.

    A line that a killed process left unfinished is cut off; its lock is taken away.

    Raises
    ------
    WorkspaceError
        The file is damaged or cannot be written.
    """
    import optuna
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    if path is None:
        return optuna.storages.InMemoryStorage()
    make_private_folder(path.parent)
    write_new(path, b"")  # mode 0600
    try:
        held = path.read_bytes()
        whole = held.rfind(b"\n") + 1
        if whole < len(held):
            write_atomic(path, held[:whole])
        path.with_name(f"{path.name}.lock").unlink(missing_ok=True)
        return optuna.storages.JournalStorage(JournalFileBackend(str(path)))
    except (OSError, ValueError, KeyError, TypeError, AssertionError) as error:
        raise WorkspaceError(
            f"{path}: the trials kept there cannot be read ({type(error).__name__}); delete the file to begin anew"
        ) from None


def open_study(storage: optuna.storages.BaseStorage, name: str, *, epochs: int) -> optuna.Study:
    """The study of a search, as it was left; what was running when its process died counts as failed."""
    import optuna

    study = optuna.create_study(
        storage=storage,
        study_name=name,
        load_if_exists=True,
        direction="minimize",
        sampler=optuna.samplers.RandomSampler(seed=0),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=PRUNED_FROM, n_warmup_steps=max(1, epochs // SHELTERED)),
    )
    for trial in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
    return study


def finished(study: optuna.Study, *, at_most: int) -> list[optuna.trial.FrozenTrial]:
    """The first trials that ended, whole or broken off, in their order."""
    from optuna.trial import TrialState

    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))[:at_most]


def ask(study: optuna.Study, *, ended: int, seed: int, fixed: dict[str, Any] | None) -> optuna.Trial:
    """The trial that follows so many that ended: with fixed settings, or sampled by a tree of Parzen estimators.

    The searches of one tuning draw apart.

    TPE of Bergstra et al. 2011 (NeurIPS), in Optuna's form.
    """
    import optuna
    from optuna.trial import TrialState

    if fixed is not None and not study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
        study.enqueue_trial(fixed)
    drawn = int(json_digest(["trial", study.study_name, seed, ended])[:8], 16)
    study.sampler = optuna.samplers.TPESampler(n_startup_trials=STARTUP_TRIALS, seed=drawn)
    return study.ask()
