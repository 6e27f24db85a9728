"""Late fusion: per finding, a logistic regression on the logits of the single-modality models."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def stack_late(validation: Sequence[np.ndarray], labels: np.ndarray, test: Sequence[np.ndarray]) -> np.ndarray:
    """Probabilities [N, F] of the stacked model on the test cases.

    ``validation`` and ``test`` hold one array of logits [N, F] a modality; ``labels`` [N, F] is NaN where unknown. A
    finding whose validation labels are all of one class takes the mean of the logits instead.
    """
    from scipy.special import expit
    from sklearn.linear_model import LogisticRegression

    result = np.empty_like(test[0], dtype=np.float64)
    for finding in range(result.shape[1]):
        known = ~np.isnan(labels[:, finding])
        given = np.stack([logits[known, finding] for logits in validation], axis=1)
        asked = np.stack([logits[:, finding] for logits in test], axis=1)
        target = labels[known, finding]
        if len(np.unique(target)) < 2:
            result[:, finding] = expit(asked.mean(axis=1))
        else:
            result[:, finding] = LogisticRegression(max_iter=1000).fit(given, target).predict_proba(asked)[:, 1]
    return result
