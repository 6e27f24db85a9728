"""The parity report: whether a compiled model says what its model says, how fast, and how large it is."""

from __future__ import annotations

from data_schemas.base import Record

Bounds = tuple[float, float]


class FindingParity(Record):
    """One finding on the held-out cases: the compiled model less the model itself.

    ``auroc_difference`` and ``brier_difference`` come with the 95 % interval of a paired bootstrap of whole patients;
    None where a class is missing. ``slope`` is the calibration slope, of the model and of the compiled one.
    """

    finding: str
    cases: int
    positives: int
    largest_score_difference: float
    mean_score_difference: float
    auroc_difference: float | None = None
    auroc_interval: Bounds | None = None
    brier_difference: float | None = None
    brier_interval: Bounds | None = None
    slope: tuple[float | None, float | None] = (None, None)


class PartSpeed(Record):
    """One encoder, a case or a window at a time, both in turns in one run: median milliseconds, and megabytes."""

    part: str
    precision: str
    torch_ms: float
    compiled_ms: float
    torch_mb: float
    compiled_mb: float

    @property
    def ratio(self) -> float:
        """How many times as fast as torch the compiled encoder is."""
        return self.torch_ms / self.compiled_ms


class ParityReport(Record):
    """What was compared. ``novelty_changed`` counts the cases that one of the two alone finds unlike its training.

    ``fitted_on`` counts the cases that the model was fitted on: above 0 only for a model that holds none back, in fp32.
    ``failed`` says in words what did not hold; empty where the compiled model may speak.
    """

    cases: int
    patients: int
    findings: tuple[FindingParity, ...]
    parts: tuple[PartSpeed, ...]
    threads: int
    novelty_changed: int
    fitted_on: int = 0
    failed: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the compiled model may speak in the model's place."""
        return not self.failed
