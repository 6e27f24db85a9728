"""A batch: every case that has no diagnosis by this model yet gets one, exactly once, whatever else fails."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import torch
from sqlalchemy import Engine

from data_schemas.case import Case
from data_schemas.diagnosis import Diagnosis, Lane, ModelReference
from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from data_schemas.settings import settings_digest
from pipelines.cases.examples import Example
from pipelines.cases.prepare import prepare
from pipelines.cases.value_units import in_units
from pipelines.diagnosis.predict import Prediction, predict
from pipelines.models.artefact import LoadedModel, ModelCard
from pipelines.workspace import claims, ledger
from pipelines.workspace.cache import ArrayCache
from pipelines.workspace.claims import Claim, ClaimOutcome
from pipelines.workspace.forget import drop_forgotten, study_is_forgotten
from pipelines.workspace.owners import this_owner
from pipelines.workspace.paths import Workspace

BACKEND = "torch"
# The stored files are not what was ingested: that can be mended, so the case stays open for another attempt.
MENDABLE = {Reason.FILE_MISSING, Reason.DIGEST_CHANGED}
NO_UNITS = "the model does not say the units of its values (it was trained before they were kept): they are read as is"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Speaker:
    """The model of a batch, and what its diagnoses say of it. ``compiled`` names backend and graphs, if not torch."""

    model: LoadedModel
    reference: ModelReference
    device: torch.device
    compiled: str = ""

    @property
    def backend(self) -> str:
        """Backend and kind of device, or which compiled model: each can change a score in its last digits."""
        return self.compiled or f"{BACKEND}-{self.device.type}"


@dataclass(frozen=True)
class Outcome:
    """How many cases of a batch ended how; ``refused`` by reason, ``mendable`` those of them that a retry may mend.

    ``told`` is what must be said of the values that were read or refused now, each line with how many cases it is of.
    """

    diagnosed: int = 0
    known: int = 0
    leased: int = 0
    exhausted: int = 0
    refused: Counter[str] | None = None
    mendable: int = 0
    failed: int = 0
    told: Counter[str] | None = None

    def __add__(self, other: Outcome) -> Outcome:
        """The sum, count by count."""
        return Outcome(
            diagnosed=self.diagnosed + other.diagnosed,
            known=self.known + other.known,
            leased=self.leased + other.leased,
            exhausted=self.exhausted + other.exhausted,
            refused=(self.refused or Counter()) + (other.refused or Counter()),
            mendable=self.mendable + other.mendable,
            failed=self.failed + other.failed,
            told=(self.told or Counter()) + (other.told or Counter()),
        )


def select_cases(cases: Sequence[Case], *, since: date | None = None) -> list[Case]:
    """The cases of a batch: all, or those whose scan was acquired at or after a day, and the undated ones."""
    return [case for case in cases if since is None or case.cut_off is None or case.cut_off.date() >= since]


def key_of(case: Case, workspace: Workspace, speaker: Speaker) -> str:
    """The key of the diagnosis that this batch would make of a case."""
    settings = workspace.settings
    return ledger.diagnosis_key(
        case.study_key,
        case.inputs_digest,
        speaker.reference.digest,
        settings_digest(settings),
        speaker.backend,
        settings.diagnosis.precision,
    )


def diagnose_cases(
    cases: Sequence[Case],
    *,
    workspace: Workspace,
    speaker: Speaker,
    progress: Callable[[int, int], None] | None = None,
) -> Outcome:
    """Diagnose some cases one after the other; what is in the ledger is passed over.

    A case whose scan is refused gets a diagnosis in the lane *refuse* with its reason; one whose files are gone or
    changed, or that fails otherwise, is left for another attempt. None of them stops the others.
    """
    cache = ArrayCache(workspace.cache)
    total = Outcome()
    owner = this_owner()
    with workspace.database() as engine:
        drop_forgotten(engine, cache)
        for number, case in enumerate(cases):
            total += _diagnose(case, engine, owner=owner, workspace=workspace, speaker=speaker, cache=cache)
            if progress:
                progress(number + 1, len(cases))
    return total


def _diagnose(
    case: Case, engine: Engine, *, owner: str, workspace: Workspace, speaker: Speaker, cache: ArrayCache
) -> Outcome:
    settings = workspace.settings.diagnosis
    key = key_of(case, workspace, speaker)
    asked = claims.claim(
        engine, key, case.study_key, owner, lease_seconds=settings.lease_seconds, attempts=settings.attempts
    )
    if asked.claim is None:
        return Outcome(
            known=int(asked.outcome in (ClaimOutcome.ALREADY_DIAGNOSED, ClaimOutcome.REINSTATED)),
            leased=int(asked.outcome is ClaimOutcome.LEASED),
            exhausted=int(asked.outcome is ClaimOutcome.EXHAUSTED),
            refused=Counter([Reason.FORGOTTEN.value] if asked.outcome is ClaimOutcome.FORGOTTEN else []),
        )
    try:
        return _attempt(case, asked.claim, engine, workspace=workspace, speaker=speaker, cache=cache)
    except (KeyboardInterrupt, SystemExit):
        claims.release(engine, asked.claim)
        raise
    except Exception as error:  # one failing case never fails a batch; only the class is told, its text may be private
        if study_is_forgotten(engine, case.study_key):
            claims.fail(engine, asked.claim, Reason.FORGOTTEN, type(error).__name__)
            cache.of(case.study_key).drop()  # what this attempt computed goes with the rest
            return Outcome(refused=Counter([Reason.FORGOTTEN.value]))
        claims.fail(engine, asked.claim, Reason.PREDICTION_FAILED, type(error).__name__)
        log.warning("case %s failed (%s); it will be tried again", case.study_key[:12], type(error).__name__)
        return Outcome(failed=1)


def _attempt(
    case: Case, claim: Claim, engine: Engine, *, workspace: Workspace, speaker: Speaker, cache: ArrayCache
) -> Outcome:
    card = speaker.model.card
    try:
        example = prepare(case, recipe=card.recipe, cache=cache)
        told = _units_told(example, card)
    except RefusedError as error:
        if error.reason in MENDABLE:
            if study_is_forgotten(engine, case.study_key):
                raise  # its files are gone for good
            claims.release(engine, claim)  # no attempt is used up: the case is right once its files are
            return Outcome(refused=Counter([error.reason.value]), mendable=1)
        ledger.complete(engine, claim, refusal(case, claim.key, workspace, speaker, error.reason))
        of_units = [f"refused: {error.detail}"] if error.reason is Reason.UNKNOWN_UNIT else []
        return Outcome(refused=Counter([error.reason.value]), told=Counter(of_units))
    diagnosis = diagnosis_of(case, example, claim.key, workspace=workspace, speaker=speaker, cache=cache)
    ledger.complete(engine, claim, diagnosis)
    return Outcome(diagnosed=1, told=Counter(told))


def _units_told(example: Example, card: ModelCard) -> tuple[str, ...]:
    """What must be said of the units of a case's values; ``RefusedError`` where the model cannot read one."""
    if "observation" in card.recipe.modalities and card.observation_units is None and example.values:
        return (NO_UNITS,)
    return in_units(example.values, card.units)[1]


def diagnosis_of(
    case: Case, example: Example, key: str, *, workspace: Workspace, speaker: Speaker, cache: ArrayCache | None
) -> Diagnosis:
    """What the model says of a case, as the ledger keeps it."""
    [prediction] = predict(speaker.model, [example], device=speaker.device, cache=cache)
    return _record(case, key, workspace, speaker, lane=Lane.REVIEW, prediction=prediction)


def refusal(case: Case, key: str, workspace: Workspace, speaker: Speaker, reason: Reason) -> Diagnosis:
    """A diagnosis without scores: the case cannot be read, for a reason that another attempt would not change."""
    return _record(case, key, workspace, speaker, lane=Lane.REFUSE, reasons=(reason,))


def _record(
    case: Case,
    key: str,
    workspace: Workspace,
    speaker: Speaker,
    *,
    lane: Lane,
    prediction: Prediction | None = None,
    reasons: tuple[Reason, ...] = (),
) -> Diagnosis:
    told = prediction or Prediction(scores=(), remarks=(), history=())
    return Diagnosis(
        key=key,
        study_key=case.study_key,
        patient_key=case.patient_key,
        inputs_digest=case.inputs_digest,
        settings_digest=settings_digest(workspace.settings),
        model=speaker.reference,
        backend=speaker.backend,
        precision=workspace.settings.diagnosis.precision,
        calibrated=False,
        lane=lane,
        scores=told.scores,
        estimates=told.estimates,
        reasons=reasons,
        remarks=tuple(dict.fromkeys((*case.remarks, *told.remarks))),
        history=(*case.history, *told.history),
    )
