"""Perturbed examples: what changes, what stays, and that no cache can take them for the real ones."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.cases.examples import Example, Mention, ScanTensor, Sentence
from pipelines.training.evaluate.curves import read_perturbed
from pipelines.training.evaluate.perturb import (
    has_modality,
    with_dropped_slices,
    with_image_noise,
    with_others_notes,
    with_typos,
    without_modality,
)


def case(number: int, *, text: str = "Fever and cough for three days.", patient: str = "") -> Example:
    values = np.linspace(0, 1, 2 * 8 * 4 * 4, dtype=np.float32).reshape(2, 8, 4, 4)
    return Example(
        study_key=f"s{number}",
        patient_key=patient or f"p{number}",
        scan=ScanTensor(values, np.eye(4, dtype=np.float32)),
        sentences=(Sentence(f"{text} {number}", "0/0/0", 0, 0),) if text else (),
        values=(),
        scan_digest="ab" * 32,
    )


def test_noise_has_the_size_that_was_asked_for():
    made = with_image_noise(
        dataclasses.replace(case(0), scan=ScanTensor(case(0).scan.values * 9 - 4, np.eye(4))), share=0.5, seed=0
    )
    change = made.scan.values - (case(0).scan.values * 9 - 4)
    assert change.std() == pytest.approx(0.5 * 9 * case(0).scan.values.std(axis=(1, 2, 3)).mean(), rel=0.15)


def test_noise_on_windows_stays_within_them():
    values = with_image_noise(case(0), share=2.0, seed=0).scan.values
    assert values.min() == 0.0
    assert values.max() == 1.0


def test_lost_planes_take_the_values_of_their_nearest_neighbours():
    made, before = with_dropped_slices(case(0), share=0.5, seed=0).scan.values, case(0).scan.values
    same = [np.array_equal(made[:, z], before[:, z]) for z in range(8)]
    assert sum(same) == 4
    for z in np.flatnonzero(~np.array(same)):
        distance = min(abs(z - kept) for kept in np.flatnonzero(same))
        assert any(
            np.array_equal(made[:, z], before[:, z + step]) for step in (distance, -distance) if 0 <= z + step < 8
        )


def test_one_plane_is_left_when_all_are_lost():
    made = with_dropped_slices(case(0), share=1.0, seed=0).scan.values
    assert (made == made[:, :1]).all()


@pytest.mark.parametrize("change", [with_image_noise, with_dropped_slices])
def test_a_changed_scan_is_in_no_cache_and_says_what_was_done(change):
    made = change(case(0), share=0.5, seed=0)
    assert made.scan_digest == ""
    assert "on purpose" in made.scan.history[-1]
    assert case(0).scan.values is not made.scan.values


@pytest.mark.parametrize("change", [with_image_noise, with_dropped_slices, with_typos])
def test_a_share_of_nothing_changes_nothing(change):
    row = case(0)
    assert change(row, share=0.0, seed=0) is row


@pytest.mark.parametrize("change", [with_image_noise, with_dropped_slices])
def test_a_case_without_a_scan_stays(change):
    row = dataclasses.replace(case(0), scan=None)
    assert change(row, share=0.5, seed=0) is row


@pytest.mark.parametrize("change", [with_image_noise, with_dropped_slices, with_typos])
def test_the_seed_and_the_case_alone_decide(change):
    def told(number: int, seed: int) -> object:
        made = change(dataclasses.replace(case(number), sentences=case(0).sentences * 9), share=0.5, seed=seed)
        return made.scan.values.tobytes(), made.sentences

    assert told(0, 1) == told(0, 1)
    assert told(0, 1) != told(0, 2)
    assert told(0, 1) != told(1, 1)


@given(st.text(max_size=80), st.floats(0.01, 1.0))
@settings(max_examples=60, deadline=None)
def test_typing_errors_keep_everything_but_letters(text, share):
    row = dataclasses.replace(case(0), sentences=(Sentence(text, "0/0/0", 0, 0),))
    [made] = with_typos(row, share=share, seed=0).sentences
    others = [letter for letter in text if not letter.isalpha()]
    assert sorted(letter for letter in made.text if not letter.isalpha()) == sorted(others)
    assert (made.source, made.section, made.number) == ("0/0/0", 0, 0)


def test_more_errors_are_asked_for_more_are_made():
    row = dataclasses.replace(case(0), sentences=(Sentence("pneumonia " * 60, "0/0/0", 0, 0),))

    def kept(share: float) -> int:
        return with_typos(row, share=share, seed=0).sentences[0].text.split().count("pneumonia")

    assert 60 > kept(0.02) > kept(0.1) > kept(0.3)


def test_a_mention_goes_with_its_word():
    mention = Mention("pneumonia", "present", None, 0)
    row = dataclasses.replace(case(0), sentences=(Sentence("Known pneumonia.", "0/0/0", 0, 0),), mentions=(mention,))
    assert with_typos(row, share=1.0, seed=0).mentions == ()
    assert with_typos(row, share=1e-9, seed=0).mentions == (mention,)


def test_a_note_that_is_missing_takes_its_mentions_along():
    row = dataclasses.replace(case(0), mentions=(Mention("pneumonia", "present", None, 0),))
    made = without_modality(row, "note")
    assert (made.sentences, made.mentions) == ((), ())
    assert made.scan is row.scan


@pytest.mark.parametrize("modality", ["scan", "note", "observations"])
def test_what_is_taken_away_is_gone_and_nothing_else(modality, examples):
    made = without_modality(examples[0], modality)
    others = {"scan", "note", "observations"} - {modality}
    assert not has_modality(made, modality)
    assert all(has_modality(made, name) for name in others)


def test_nobody_keeps_their_own_note_and_every_note_is_used_once():
    rows = [case(number) for number in range(6)]
    made = with_others_notes(rows, seed=0)
    texts = [row.sentences[0].text for row in made]
    assert sorted(texts) == sorted(row.sentences[0].text for row in rows)
    assert all(one.sentences != other.sentences for one, other in zip(made, rows, strict=True))


def test_a_patient_with_two_studies_gets_no_note_of_its_own_from_the_other():
    rows = [case(0, patient="a"), case(1, patient="a"), case(2, patient="b")]
    texts = [row.sentences[0].text[-1] for row in with_others_notes(rows, seed=0)]
    assert texts[:2] == ["2", "2"]
    assert texts[2] in "01"


def test_cases_without_a_note_get_none_and_one_note_goes_nowhere():
    rows = [case(0), case(1, text="")]
    assert with_others_notes(rows, seed=0) == rows


def test_readings_are_the_same_ones_whatever_the_cases_have():
    """Folds are joined reading by reading."""

    def read(rows):
        return np.array([[float(row.scan is not None)] for row in rows])

    whole = read_perturbed([case(0), case(1)], read, seed=0)
    bare = read_perturbed([dataclasses.replace(case(2, text=""), scan=None)], read, seed=0)
    assert [(row.curve, row.level, row.mixed) for row in whole] == [(row.curve, row.level, row.mixed) for row in bare]
    assert whole[0].probabilities.tolist() == [[0.0], [0.0]]
    assert not any(row.concerned.any() for row in bare)
