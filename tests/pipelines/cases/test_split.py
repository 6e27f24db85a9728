from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_schemas.errors import SettingsError
from pipelines.cases.split import split_patients

KEYS = st.lists(st.text(max_size=8), max_size=40)
SHARES = {"seed": 0, "validation_share": 0.15, "test_share": 0.25}


@given(KEYS, st.integers(0, 9))
def test_every_patient_is_in_exactly_one_split_however_often_it_is_named(keys: list[str], seed: int) -> None:
    splits = split_patients(keys + keys[::-1], seed=seed, validation_share=0.2, test_share=0.2)
    assert set(splits) == set(keys)
    assert set(splits.values()) <= {"train", "validation", "test"}


@given(KEYS, KEYS)
def test_a_patient_keeps_its_split_when_others_are_added(keys: list[str], more: list[str]) -> None:
    before, after = split_patients(keys, **SHARES), split_patients(more + keys, **SHARES)
    assert {key: after[key] for key in before} == before


def test_the_split_of_a_key_is_the_same_on_every_machine() -> None:
    keys = [f"patient-{number}" for number in range(16)]
    assert "".join(split[2] for split in split_patients(keys, **SHARES).values()) == "asaaasaasllaaaaa"


def test_another_seed_is_another_split() -> None:
    keys = [str(number) for number in range(200)]
    assert split_patients(keys, **SHARES) != split_patients(keys, **{**SHARES, "seed": 1})


def test_the_shares_hold_on_average() -> None:
    counts = Counter(split_patients([str(number) for number in range(20_000)], **SHARES).values())
    assert counts["test"] / 20_000 == pytest.approx(0.25, abs=0.01)
    assert counts["validation"] / 20_000 == pytest.approx(0.15, abs=0.01)


@given(st.dictionaries(st.text(max_size=4), st.sampled_from("abc"), max_size=60))
def test_with_strata_every_stratum_holds_the_shares_to_within_one_patient(strata: dict[str, str]) -> None:
    splits = split_patients(strata, **SHARES, strata=strata)
    for stratum in set(strata.values()):
        members = [key for key, name in strata.items() if name == stratum]
        counts = Counter(splits[key] for key in members)
        assert abs(counts["test"] - 0.25 * len(members)) <= 1
        assert abs(counts["validation"] - 0.15 * len(members)) <= 1


@pytest.mark.parametrize(("validation", "test"), [(-0.1, 0.2), (0.2, -0.1), (0.5, 0.5)])
def test_shares_that_leave_nothing_to_train_on_are_refused(validation: float, test: float) -> None:
    with pytest.raises(SettingsError, match="leave a share to train on"):
        split_patients([], seed=0, validation_share=validation, test_share=test)
