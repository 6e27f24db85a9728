"""Cases with what models said of them: what every table and curve of an evaluation is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from pipelines.cases.examples import Example
from pipelines.training.evaluate.groups import UNKNOWN, groups_of


@dataclass(frozen=True)
class Scored:
    """N rows, a row a case and reading: a cross-validation with R repeats reads every case R times.

    Parameters
    ----------
    probabilities
        By arm, [N, F]; NaN where a fold's model does not know the finding.
    labels
        [N, F]: 1, 0, or NaN where unknown.
    patients, studies
        [N] keys. Keys stay in the workspace: no table holds any.
    strata
        [N] integers: which model read the row. Ranks are compared within a stratum only.
    groups
        By name ("sex", "age band"), the level [N] of every row.
    """

    findings: tuple[str, ...]
    probabilities: Mapping[str, np.ndarray]
    labels: np.ndarray
    patients: np.ndarray = field(repr=False)
    studies: np.ndarray = field(repr=False)
    strata: np.ndarray = field(repr=False)
    groups: Mapping[str, np.ndarray]

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.labels)

    def take(self, rows: np.ndarray) -> Scored:
        """Some of the rows."""
        return replace(
            self,
            probabilities={arm: values[rows] for arm, values in self.probabilities.items()},
            labels=self.labels[rows],
            patients=self.patients[rows],
            studies=self.studies[rows],
            strata=self.strata[rows],
            groups={name: levels[rows] for name, levels in self.groups.items()},
        )


def scored(
    examples: Sequence[Example],
    probabilities: Mapping[str, np.ndarray],
    findings: Sequence[str],
    *,
    stratum: int = 0,
    groups: Mapping[str, Mapping[str, str]] | None = None,
) -> Scored:
    """Examples and what some arms said of them, in the same order.

    ``groups`` gives more levels, by name and study key (site, scanner, kernel), beside those that an example tells.
    """
    told = groups_of(examples)
    for name, levels in (groups or {}).items():
        told[name] = np.array([levels.get(example.study_key, UNKNOWN) for example in examples], object)
    return Scored(
        findings=tuple(findings),
        probabilities=dict(probabilities),
        labels=label_array(examples, findings),
        patients=np.array([example.patient_key for example in examples], object),
        studies=np.array([example.study_key for example in examples], object),
        strata=np.full(len(examples), stratum),
        groups=told,
    )


def label_array(examples: Sequence[Example], findings: Sequence[str]) -> np.ndarray:
    """Labels [N, F]: 1, 0, or NaN where unknown or uncertain."""
    rows = [[example.labels.get(name, -1) for name in findings] for example in examples]
    labels = np.array(rows, np.float64).reshape(len(examples), len(findings))
    return np.where((labels == 0) | (labels == 1), labels, np.nan)


def join_scored(parts: Sequence[Scored]) -> Scored:
    """The rows of several readings with the same arms, findings and groups, one after the other."""
    first = parts[0]
    return Scored(
        findings=first.findings,
        probabilities={arm: np.concatenate([part.probabilities[arm] for part in parts]) for arm in first.probabilities},
        labels=np.concatenate([part.labels for part in parts]),
        patients=np.concatenate([part.patients for part in parts]),
        studies=np.concatenate([part.studies for part in parts]),
        strata=np.concatenate([part.strata for part in parts]),
        groups={name: np.concatenate([part.groups[name] for part in parts]) for name in first.groups},
    )
