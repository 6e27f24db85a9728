"""The generative model of the synthetic hospital: hidden signs and clues, labels, and what is attainable.

Every patient has hidden *scan signs* (visible in the volume) and hidden *note clues* (told indirectly in the text),
independent of each other but for the places of masses. A finding is a coin whose chance depends on them through the
rules of this file, so that the best possible score from the scan alone, from the note alone and from both is known
exactly.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import TypeVar

import numpy as np

from data_schemas.errors import InputError

T = TypeVar("T")
ZONES = ("right-upper", "right-lower", "left-upper", "left-lower")
PREVALENCE = {"effusion": 0.5, "ground_glass": 0.5, "cardiac": 0.5, "infection": 0.5, "breathless": 0.5}
SIDES = ("right", "left")
# Most patients with a mass have it on one side alone: counting masses tells little of whether it is on the side named.
SIDES_WITH_MASS = {frozenset(): 0.15, frozenset({"right"}): 0.35, frozenset({"left"}): 0.35, frozenset(SIDES): 0.15}
LEVELS_WITH_MASS = {("upper",): 0.4, ("lower",): 0.4, ("upper", "lower"): 0.2}
LOCATED_SIGNS = tuple(f"pulmonary-mass-{zone}" for zone in ZONES)
ROLES = {
    "pleural-effusion": "seen in the scan only",
    "ground-glass-opacity": "seen in the scan only",
    "pulmonary-mass": "seen in the scan only",
    "heart-failure": "told in the note only",
    "pneumonia": "additive",
    "discordant-presentation": "global interaction",
    "symptomatic-mass": "binding interaction",
}


@dataclass(frozen=True)
class Leaks:
    """What can be planted for the leakage audit to name: the share of patients that carry each leak.

    Parameters
    ----------
    same_patient
        Registered a second time, under another id: name, birth date and sex are those of a patient of another split.
    duplicate_text
        The note is that of a patient of another split, but for one line.
    duplicate_volume
        The pixels of the scan are those of a patient of another split.
    label_words
        The note says of the main findings, in their own words, whether they were labelled.
    future_input
        The note, dated before the scan, goes on with an addendum that was stamped after it.
    label_source
        The note holds the impression of the study's own report; every such patient has that report.
    metadata
        The scanner follows the label of pneumonia.
    """

    same_patient: float = 0.0
    duplicate_text: float = 0.0
    duplicate_volume: float = 0.0
    label_words: float = 0.0
    future_input: float = 0.0
    label_source: float = 0.0
    metadata: float = 0.0

    def __post_init__(self) -> None:
        """Refuse shares outside 0 to 1."""
        for item in fields(self):
            if not 0.0 <= getattr(self, item.name) <= 1.0:
                raise InputError(f"leak {item.name.replace('_', '-')} must be a share between 0 and 1")


@dataclass(frozen=True)
class Dials:
    """What can be turned on the hospital.

    Parameters
    ----------
    interaction
        1: the planted interactions stand alone; 0: the two interaction findings are additive instead.
    label_noise
        Chance that the coin of a determined finding falls the other way.
    missing_notes
        Share of patients without any note.
    future_notes
        Share of patients with one more note, dated after the scan, that tells the opposite of every clue.
    reports
        Share of patients with the report of the study itself, dated after the scan: it tells the labels.
    leaks
        What is planted for the leakage audit; what is attainable is told without it.
    """

    interaction: float = 1.0
    label_noise: float = 0.04
    missing_notes: float = 0.0
    future_notes: float = 0.0
    reports: float = 0.0
    leaks: Leaks = Leaks()

    def __post_init__(self) -> None:
        """Refuse shares outside 0 to 1, and noise at which nothing could be learned."""
        for name in ("interaction", "missing_notes", "future_notes", "reports"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise InputError(f"dial {name} must lie between 0 and 1")
        if not 0.0 <= self.label_noise < 0.5:
            raise InputError("dial label_noise must be 0 or more and below 0.5")


@dataclass(frozen=True)
class Truth:
    """The hidden state of one patient. ``masses`` holds zones; ``complaint_side`` is where the note says it hurts."""

    effusion: bool
    ground_glass: bool
    masses: frozenset[str]
    cardiac: bool
    infection: bool
    breathless: bool
    complaint_side: str


def draw_truth(rng: np.random.Generator) -> Truth:
    """One patient's hidden state."""
    coins = {name: bool(rng.random() < chance) for name, chance in PREVALENCE.items()}
    sides = _draw(SIDES_WITH_MASS, rng)
    masses = frozenset(f"{side}-{level}" for side in sorted(sides) for level in _draw(LEVELS_WITH_MASS, rng))
    return Truth(masses=masses, complaint_side=SIDES[int(rng.integers(len(SIDES)))], **coins)


def chances(truth: Truth, dials: Dials) -> dict[str, float]:
    """The chance of each finding given the hidden state."""
    noise, strength = dials.label_noise, dials.interaction
    sign, clue = float(truth.effusion), float(truth.breathless)
    crossed = sign * (1 - clue) + (1 - sign) * clue
    there = float(truth.complaint_side in sides_of(truth.masses))
    any_mass = float(bool(truth.masses))
    return {
        "pleural-effusion": _coin(sign, noise),
        "ground-glass-opacity": _coin(float(truth.ground_glass), noise),
        "pulmonary-mass": _coin(any_mass, noise),
        "heart-failure": _coin(float(truth.cardiac), noise),
        "pneumonia": _logistic(-2.6 + 2.6 * truth.ground_glass + 2.6 * truth.infection),
        "discordant-presentation": _coin(strength * crossed + (1 - strength) * (sign + clue) / 2, noise),
        "symptomatic-mass": _coin(strength * there + (1 - strength) * any_mass, noise),
    }


def draw_labels(truth: Truth, dials: Dials, rng: np.random.Generator) -> dict[str, int]:
    """One coin a finding; the places of the masses (``LOCATED_SIGNS``) are labelled too."""
    located = {f"pulmonary-mass-{zone}": _coin(float(zone in truth.masses), dials.label_noise) for zone in ZONES}
    every = chances(truth, dials) | located
    return {finding: int(rng.random() < chance) for finding, chance in every.items()}


def sides_of(masses: frozenset[str]) -> frozenset[str]:
    """The sides that have a mass."""
    return frozenset(zone.split("-")[0] for zone in masses)


@cache
def attainable(dials: Dials) -> Mapping[str, dict[str, float]]:
    """Per finding, the best AUROC attainable from ``scan``, from ``note`` and from ``both``.

    The hidden states are enumerated with their probabilities, each with and without a note where notes may be missing.
    The best score that sees a part of the state is the chance of the finding given that part (Neyman-Pearson), and its
    AUROC follows by summing over pairs of states.
    """
    every = [_state(bits, side) for bits in itertools.product([0, 1], repeat=9) for side in SIDES]
    shares = {True: 1 - dials.missing_notes, False: dials.missing_notes}
    rows = [(state, has_note) for state in every for has_note, share in shares.items() if share]
    states = [state for state, _ in rows]
    weight = np.array([_weight(state) * shares[has_note] for state, has_note in rows])
    scan = [(s.effusion, s.ground_glass, s.masses) for s in states]
    note = [(s.cardiac, s.infection, s.breathless, s.complaint_side) if told else None for s, told in rows]
    views: dict[str, Sequence] = {"scan": scan, "note": note, "both": list(zip(scan, note, strict=True))}
    chance = [chances(state, dials) for state in states]
    result = {}
    for finding in ROLES:
        p = np.array([row[finding] for row in chance])
        result[finding] = {name: _best_auroc(view, weight, p) for name, view in views.items()}
    return result


def _best_auroc(view: Sequence, weight: np.ndarray, chance: np.ndarray) -> float:
    groups = {key: number for number, key in enumerate(dict.fromkeys(view))}
    index = np.array([groups[key] for key in view])
    positive = np.bincount(index, weight * chance)
    negative = np.bincount(index, weight * (1 - chance))
    order = np.argsort(positive / (positive + negative), kind="stable")
    score = np.round((positive / (positive + negative))[order], 12)
    positive, negative = positive[order], negative[order]
    level = np.unique(score, return_inverse=True)[1]
    positive, negative = np.bincount(level, positive), np.bincount(level, negative)
    below = np.concatenate([[0.0], np.cumsum(negative)[:-1]])
    return float((positive * (below + negative / 2)).sum() / (positive.sum() * negative.sum()))


def _state(bits: tuple[int, ...], side: str) -> Truth:
    masses = frozenset(name for name, bit in zip(ZONES, bits[2:6], strict=True) if bit)
    return Truth(bool(bits[0]), bool(bits[1]), masses, bool(bits[6]), bool(bits[7]), bool(bits[8]), side)


def _weight(state: Truth) -> float:
    coins = np.prod([chance if getattr(state, name) else 1 - chance for name, chance in PREVALENCE.items()])
    return float(coins * _masses_chance(state.masses) / len(SIDES))


def _masses_chance(masses: frozenset[str]) -> float:
    sides = sides_of(masses)
    chance = SIDES_WITH_MASS[sides]
    for side in sides:
        chance *= LEVELS_WITH_MASS[tuple(level for level in ("upper", "lower") if f"{side}-{level}" in masses)]
    return chance


def _draw(chances_of: Mapping[T, float], rng: np.random.Generator) -> T:
    choices = list(chances_of)
    return choices[int(rng.choice(len(choices), p=list(chances_of.values())))]


def _coin(truth: float, noise: float) -> float:
    return noise + (1 - 2 * noise) * truth


def _logistic(value: float) -> float:
    return float(1 / (1 + np.exp(-value)))
