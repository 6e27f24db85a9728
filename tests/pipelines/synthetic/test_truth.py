"""The generative model: dials, chances, and what is attainable."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import rankdata

from data_schemas.errors import InputError
from data_schemas.finding import findings
from pipelines.synthetic.truth import (
    LOCATED_SIGNS,
    ROLES,
    ZONES,
    Dials,
    Truth,
    attainable,
    chances,
    draw_labels,
    draw_truth,
    sides_of,
)

NOISE = 0.04
DRAWS = 200_000


def auroc(score: np.ndarray, label: np.ndarray) -> float:
    """By ranks (Mann-Whitney), ties counted half."""
    positive = label.sum()
    ranks = rankdata(score)[label].sum()
    return float((ranks - positive * (positive + 1) / 2) / (positive * (len(label) - positive)))


def one_sign(share: float, noise: float) -> float:
    """AUROC of a binary sign of that share for a finding that copies it, but for the noise."""
    hits, misses = share * (1 - noise), (1 - share) * noise
    false, right = share * noise, (1 - share) * (1 - noise)
    return (1 + hits / (hits + misses) - false / (false + right)) / 2


@pytest.mark.parametrize(
    "values",
    [
        {"interaction": -0.1},
        {"interaction": 1.1},
        {"label_noise": 0.5},
        {"label_noise": -0.01},
        {"missing_notes": 1.5},
        {"future_notes": -1.0},
        {"interaction": float("nan")},
        {"label_noise": float("nan")},
    ],
)
def test_a_dial_out_of_range_is_refused_by_its_name(values: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(values))):
        Dials(**values)


def test_every_label_is_a_known_finding(truth: Callable[..., Truth]) -> None:
    labels = draw_labels(truth(), Dials(), np.random.default_rng(0))
    assert list(labels) == [*ROLES, *LOCATED_SIGNS]
    assert set(labels) <= set(findings())


def test_without_noise_a_finding_is_what_its_rule_says(truth: Callable[..., Truth]) -> None:
    state = truth(effusion=True, breathless=True, masses=frozenset({"left-lower"}), complaint_side="right")
    sure = chances(state, Dials(label_noise=0.0))
    assert (sure["pleural-effusion"], sure["pulmonary-mass"]) == (1.0, 1.0)
    assert (sure["discordant-presentation"], sure["symptomatic-mass"]) == (0.0, 0.0)


def test_the_interactions_turn_positive_where_sign_and_clue_cross(truth: Callable[..., Truth]) -> None:
    state = truth(breathless=True, masses=frozenset({"left-lower"}), complaint_side="left")
    sure = chances(state, Dials(label_noise=0.0))
    assert (sure["discordant-presentation"], sure["symptomatic-mass"]) == (1.0, 1.0)


@pytest.mark.parametrize("finding", ["pleural-effusion", "ground-glass-opacity"])
def test_a_finding_that_copies_an_even_sign_is_attainable_up_to_its_noise(finding: str) -> None:
    assert attainable(Dials(label_noise=0.1))[finding] == pytest.approx({"scan": 0.9, "note": 0.5, "both": 0.9})


def test_any_mass_is_attainable_as_one_sign_of_its_share() -> None:
    expected = one_sign(0.85, NOISE)
    assert attainable(Dials())["pulmonary-mass"]["scan"] == pytest.approx(expected)


def test_the_binding_interaction_is_attainable_as_one_sign_where_both_are_seen() -> None:
    ceilings = attainable(Dials())["symptomatic-mass"]
    assert ceilings["both"] == pytest.approx(one_sign(0.5, NOISE))
    assert ceilings["note"] == pytest.approx(0.5)
    assert 0.5 < ceilings["scan"] < ceilings["both"] - 0.15


def test_the_global_interaction_cannot_be_told_from_one_modality() -> None:
    expected = {"scan": 0.5, "note": 0.5, "both": 1 - NOISE}
    assert attainable(Dials())["discordant-presentation"] == pytest.approx(expected)


def test_with_the_interaction_turned_off_one_modality_tells_something() -> None:
    ceilings = attainable(Dials(interaction=0.0))["discordant-presentation"]
    assert min(ceilings["scan"], ceilings["note"]) > 0.65


def test_missing_notes_lower_what_the_note_allows() -> None:
    missing = 0.3
    # Both of a pair without a note: a coin. Else the one that has a note is on its right side but for the noise.
    expected = (1 - missing**2) * (1 - NOISE) + missing**2 / 2
    ceilings = attainable(Dials(missing_notes=missing))["heart-failure"]
    assert ceilings == pytest.approx({"scan": 0.5, "note": expected, "both": expected})


def test_with_no_notes_at_all_both_is_the_scan() -> None:
    for ceilings in attainable(Dials(missing_notes=1.0)).values():
        assert ceilings["both"] == pytest.approx(ceilings["scan"])
        assert ceilings["note"] == pytest.approx(0.5)


@pytest.fixture(scope="module")
def drawn() -> tuple[list[Truth], np.ndarray, dict[str, np.ndarray]]:
    """The different states met in many draws, which of them each draw is, and a fresh coin for its every label."""
    rng = np.random.default_rng(5)
    numbers: dict[Truth, int] = {}
    which = np.array([numbers.setdefault(draw_truth(rng), len(numbers)) for _ in range(DRAWS)])
    rows = [chances(state, Dials()) for state in numbers]
    labels = {name: rng.random(DRAWS) < np.array([row[name] for row in rows])[which] for name in ROLES}
    return list(numbers), which, labels


# The best scores, by hand: monotone in the chance of the finding given what is seen.
BEST = {
    ("pleural-effusion", "scan"): lambda s: s.effusion,
    ("ground-glass-opacity", "scan"): lambda s: s.ground_glass,
    ("pulmonary-mass", "scan"): lambda s: bool(s.masses),
    ("heart-failure", "note"): lambda s: s.cardiac,
    ("pneumonia", "scan"): lambda s: s.ground_glass,
    ("pneumonia", "note"): lambda s: s.infection,
    ("pneumonia", "both"): lambda s: s.ground_glass + s.infection,
    ("discordant-presentation", "scan"): lambda s: s.effusion,
    ("discordant-presentation", "note"): lambda s: s.breathless,
    ("discordant-presentation", "both"): lambda s: s.effusion != s.breathless,
    ("symptomatic-mass", "scan"): lambda s: len(sides_of(s.masses)),
    ("symptomatic-mass", "both"): lambda s: s.complaint_side in sides_of(s.masses),
}


@pytest.mark.parametrize(("finding", "view"), BEST)
def test_the_best_score_reaches_what_is_attainable_on_drawn_patients(
    finding: str, view: str, drawn: tuple[list[Truth], np.ndarray, dict[str, np.ndarray]]
) -> None:
    states, which, labels = drawn
    score = np.array([float(BEST[finding, view](state)) for state in states])[which]
    assert auroc(score, labels[finding]) == pytest.approx(attainable(Dials())[finding][view], abs=0.01)


def test_labels_fall_as_often_as_their_chances(truth: Callable[..., Truth]) -> None:
    rng, state = np.random.default_rng(3), truth(ground_glass=True, masses=frozenset(ZONES[:1]))
    rows = [draw_labels(state, Dials(), rng) for _ in range(4000)]
    share = {name: np.mean([row[name] for row in rows]) for name in rows[0]}
    assert share["pneumonia"] == pytest.approx(0.5, abs=0.03)
    assert share["pulmonary-mass-right-upper"] == pytest.approx(1 - NOISE, abs=0.015)
    assert share["pulmonary-mass-left-lower"] == pytest.approx(NOISE, abs=0.015)


def test_the_signs_are_drawn_at_their_stated_prevalence() -> None:
    rng = np.random.default_rng(9)
    states = [draw_truth(rng) for _ in range(8000)]
    assert np.mean([state.effusion for state in states]) == pytest.approx(0.5, abs=0.02)
    assert np.mean([len(state.masses) for state in states]) == pytest.approx((0.7 + 2 * 0.15) * 1.2, abs=0.04)
    assert np.mean([bool(state.masses) for state in states]) == pytest.approx(0.85, abs=0.02)
    assert np.mean([state.complaint_side == "left" for state in states]) == pytest.approx(0.5, abs=0.02)
