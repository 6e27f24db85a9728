from __future__ import annotations

from datetime import date

import pytest

from data_schemas.leakage import Leak
from pipelines.cases.leakage.same_patient import find_same_patients

BORN = date(1960, 5, 4)


def found(*cases) -> list[Leak]:
    return find_same_patients(cases)[1]


def test_patients_of_one_split_each_are_no_leak(case) -> None:
    one = [case("1", "train", study=study, name="A^B", birth_date=BORN) for study in ("1", "2")]
    assert found(*one, case("2", "test", name="C^D", birth_date=BORN)) == []


def test_one_key_in_two_splits_is_a_leak(case) -> None:
    [leak] = found(case("1", "train", study="1"), case("1", "test", study="2"))
    assert (leak.severity, leak.count, leak.where) == ("leak", 1, ("study 1", "study 2"))


@pytest.mark.parametrize("other", ["Mueller^Anna", "ANNA MUELLER", "müller^anna", "Muller, Anna^"])
def test_name_and_birth_date_give_a_second_id_away_in_any_spelling(case, other: str) -> None:
    name = "Müller^Anna" if "ue" not in other.lower() else "Mueller^Anna"
    [leak] = found(case("1", "train", name=name, birth_date=BORN), case("2", "validation", name=other, birth_date=BORN))
    assert "several ids" in leak.evidence
    assert leak.severity == "leak"


def test_an_id_that_differs_in_case_and_zeros_gives_itself_away_with_the_birth_date(case) -> None:
    rows = [case("00a7", "train", birth_date=BORN), case("A7", "test", birth_date=BORN)]
    assert len(found(*rows)) == 1
    assert found(case("00a7", "train"), case("A7", "test")) == []


def test_what_the_records_say_counts_as_what_the_scans_say(case, note) -> None:
    told = note("2", name="A^B", birth_date=BORN)
    assert len(found(case("1", "train", name="A^B", birth_date=BORN), case("2", "test", notes=(told,)))) == 1


@pytest.mark.parametrize(
    "facts", [{"name": "A^B"}, {"birth_date": BORN}, {"name": "A^B", "birth_date": date(1960, 5, 5)}]
)
def test_half_an_identity_or_another_birth_date_proves_nothing(case, facts) -> None:
    assert found(case("1", "train", name="A^B", birth_date=BORN), case("2", "test", **facts)) == []


def test_two_ids_of_one_person_in_one_split_are_no_leak(case) -> None:
    assert found(*(case(patient, "test", name="A^B", birth_date=BORN) for patient in "12")) == []


def test_a_stand_in_that_many_ids_share_is_watched_and_is_no_leak(case) -> None:
    rows = [case(str(n), ("train", "test")[n % 2], name="ANONYMOUS", birth_date=BORN) for n in range(1, 8)]
    [leak] = found(*rows)
    assert leak.severity == "watch"


def test_neither_name_nor_date_stands_in_what_is_told(case) -> None:
    rows = [
        case("1", "train", name="Canary^Anna", birth_date=BORN),
        case("2", "test", name="A^CANARY", birth_date=BORN),
    ]
    rows.append(case("3", "test", name="canary^anna", birth_date=BORN))
    told = repr(found(*rows)) + found(*rows)[0].model_dump_json()
    assert "anary" not in told
    assert "1960" not in told


def test_cases_without_a_catalogue_are_compared_by_key(case) -> None:
    check, leaks = find_same_patients([case("1", catalogued=False), case("2", "test", catalogued=False)])
    assert (check.compared, leaks) == (2, [])
