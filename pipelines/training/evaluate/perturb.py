"""What a hospital does to its data, done to examples on purpose: noise, lost slices, typing errors, the wrong note.

Every function takes a seed and gives the same example for the same seed and case, whatever else is in the batch. A
perturbed scan loses its ``scan_digest``: no cache may take it for the scan that it was made from.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pipelines.cases.examples import Example, Mention, Sentence
from pipelines.notes.concepts import read_concepts

KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
MODALITIES = ("scan", "note", "observations")


def without_modality(example: Example, modality: str) -> Example:
    """The case as if it had no scan, no note, or no observation."""
    if modality == "scan":
        return replace(example, scan=None, scan_digest="")
    return replace(example, sentences=(), mentions=()) if modality == "note" else replace(example, values=())


def has_modality(example: Example, modality: str) -> bool:
    """Whether a case has it."""
    held = {"scan": example.scan is not None, "note": bool(example.sentences), "observations": bool(example.values)}
    return held[modality]


def with_image_noise(example: Example, *, share: float, seed: int) -> Example:
    """Gaussian noise on every voxel, its standard deviation a share of the scan's own (per channel).

    Values of HU windows stay within 0 and 1, as a scanner's noise would after the window.
    """
    if example.scan is None or not share:
        return example
    values = np.asarray(example.scan.values, np.float32)
    spread = values.std(axis=(1, 2, 3), keepdims=True)
    noisy = values + share * spread * _rng(example, seed).standard_normal(values.shape, np.float32)
    if values.min() >= 0.0 and values.max() <= 1.0:
        noisy = noisy.clip(0.0, 1.0)
    return _with_values(example, noisy, f"noise of {share:g} standard deviations added on purpose")


def with_dropped_slices(example: Example, *, share: float, seed: int) -> Example:
    """A share of the planes of the grid (z) lost at random, each filled from its nearest plane that is left.

    This is what a reader that ignores positions makes of a series with lost slices. At least one plane stays.
    """
    if example.scan is None or not share:
        return example
    values = np.asarray(example.scan.values)
    planes = values.shape[1]
    lost = _rng(example, seed).permutation(planes)[: min(round(share * planes), planes - 1)]
    kept = np.setdiff1d(np.arange(planes), lost)
    nearest = kept[np.abs(np.arange(planes)[:, None] - kept[None]).argmin(axis=1)]
    return _with_values(example, values[:, nearest], f"{len(lost)} planes dropped on purpose")


def with_typos(example: Example, *, share: float, seed: int) -> Example:
    """Each letter of the note is mistyped with this chance: lost, doubled, swapped with the next, or a key beside it.

    A mention of a finding stays where its sentence, mistyped, still tells it; one that was read off the sentence alone
    takes what the mistyped sentence says of it (a lost "no" turns it round).
    """
    if not share or not example.sentences:
        return example
    rng = _rng(example, seed)
    told = tuple(replace(sentence, text=_mistyped(sentence.text, share, rng)) for sentence in example.sentences)
    mentions = [
        _reread(mention, example.sentences[mention.sentence], told[mention.sentence]) for mention in example.mentions
    ]
    return replace(example, sentences=told, mentions=tuple(mention for mention in mentions if mention is not None))


def with_others_notes(examples: Sequence[Example], *, seed: int) -> list[Example]:
    """Every case that has a note gets that of another patient who has one; which is drawn by the seed.

    The notes are handed on in a ring over the patients, so nobody keeps their own. Where a single patient has notes,
    nothing can be exchanged and the cases stay as they are.
    """
    holders: dict[str, list[int]] = {}
    for number, example in enumerate(examples):
        if example.sentences:
            holders.setdefault(example.patient_key, []).append(number)
    made = list(examples)
    ring = [sorted(holders)[n] for n in np.random.default_rng(seed).permutation(len(holders))]
    if len(ring) < 2:
        return made
    for place, patient in enumerate(ring):
        others = holders[ring[(place + 1) % len(ring)]]
        for turn, number in enumerate(holders[patient]):
            other = examples[others[turn % len(others)]]
            made[number] = replace(examples[number], sentences=other.sentences, mentions=other.mentions)
    return made


def _reread(mention: Mention, before: Sentence, after: Sentence) -> Mention | None:
    told = [item.assertion for item in read_concepts(after.text) if item.finding == mention.finding]
    if not told:
        return None
    alone = [item.assertion for item in read_concepts(before.text) if item.finding == mention.finding]
    return replace(mention, assertion=told[0]) if mention.assertion in alone else mention


def _mistyped(text: str, share: float, rng: np.random.Generator) -> str:
    letters, made, number = list(text), [], 0
    while number < len(letters):
        letter = letters[number]
        number += 1
        if not letter.isalpha() or rng.random() >= share:
            made.append(letter)
            continue
        kind = int(rng.integers(4))
        if kind == 1:
            made += [letter, letter]
        elif kind == 2 and number < len(letters):
            made += [letters[number], letter]
            number += 1
        elif kind == 3:
            made.append(_neighbour(letter, rng))
    return "".join(made)


def _neighbour(letter: str, rng: np.random.Generator) -> str:
    row = next((row for row in KEYBOARD if letter.lower() in row), KEYBOARD[0])
    place = row.find(letter.lower())
    other = row[(place + (1 if rng.random() < 0.5 else -1)) % len(row)]
    return other.upper() if letter.isupper() else other


def _with_values(example: Example, values: np.ndarray, what: str) -> Example:
    assert example.scan is not None  # noqa: S101 (its callers looked)
    scan = replace(example.scan, values=np.ascontiguousarray(values), history=(*example.scan.history, what))
    return replace(example, scan=scan, scan_digest="")


def _rng(example: Example, seed: int) -> np.random.Generator:
    return np.random.default_rng([seed, zlib.crc32(example.study_key.encode())])
