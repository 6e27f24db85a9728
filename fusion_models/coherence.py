"""Coherent scores: a finding is never likelier than what it entails, and pairs that exclude each other are flagged."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

Pairs = Sequence[tuple[int, int]]


def coherent_scores(scores: Float[np.ndarray, "B F"], entailments: Pairs) -> Float[np.ndarray, "B F"]:
    """The nearest scores (least squares) in which no finding is likelier than a finding that it entails.

    Parameters
    ----------
    scores
        Probabilities, one row a case, one column a finding.
    entailments
        Pairs of columns (finding, what it entails), such as (child, parent); any graph without circles.

    Returns
    -------
    float64 scores in the same order. A row that is coherent already comes back unchanged; every value stays between
    the smallest and the largest of its row; doing it twice changes nothing. As true answers are coherent, the squared
    distance to them (the Brier score of the row) never grows.

    Raises
    ------
    ValueError
        A score is not finite.

    Notes
    -----
    Isotonic regression on a partial order (Barlow and Brunk 1972): a projection on a convex cone. By Moreau's
    decomposition the scores minus their projection on the polar cone are the answer, which is a non-negative least
    squares problem (Lawson and Hanson 1974).
    """
    made = np.array(scores, dtype=np.float64)
    if not np.isfinite(made).all():
        raise ValueError("a score is not finite; leave out what has no score before making scores coherent")
    pairs = _closed(entailments)
    if not pairs:
        return made
    lower, upper = (np.array(side, dtype=np.intp) for side in zip(*pairs, strict=True))
    for row in np.flatnonzero((made[:, lower] > made[:, upper]).any(axis=1)):
        made[row] = _projected(made[row], lower, upper)
    return made


def conflicts(scores: Float[np.ndarray, "B F"], exclusions: Pairs) -> Bool[np.ndarray, "B P"]:
    """Which pairs of mutually exclusive findings together have a probability above 1, which cannot be.

    One column a pair of ``exclusions``, in its order. A pair is flagged, never mended: which of the two is wrong is a
    question for a reader.
    """
    if not exclusions:
        return np.zeros((len(scores), 0), dtype=bool)
    one, two = (np.array(side, dtype=np.intp) for side in zip(*exclusions, strict=True))
    return np.asarray(scores)[:, one] + np.asarray(scores)[:, two] > 1.0


def _projected(scores: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    from scipy.optimize import nnls

    rows = np.arange(len(lower))
    differences = np.zeros((len(scores), len(lower)))
    differences[lower, rows] = 1.0
    differences[upper, rows] = -1.0
    weights, _ = nnls(differences, scores)
    nearest = np.clip(scores - differences @ weights, scores.min(), scores.max())
    # What rounding left: every finding is raised to the likeliest of those that entail it (the pairs are closed).
    made = nearest.copy()
    np.maximum.at(made, upper, nearest[lower])
    return made


def _closed(pairs: Pairs) -> list[tuple[int, int]]:
    """The pairs and all that follow from them."""
    above: dict[int, set[int]] = {}
    for lower, upper in pairs:
        above.setdefault(lower, set()).add(upper)
    for lower in above:
        waiting = list(above[lower])
        while waiting:
            fresh = above.get(waiting.pop(), set()) - above[lower]
            above[lower] |= fresh
            waiting += fresh
    return sorted((lower, upper) for lower, uppers in above.items() for upper in uppers if lower != upper)
