from __future__ import annotations

from data_schemas.case import Case
from data_schemas.cohort import CohortMember, LabelValue
from pipelines.cases.describe import availability, prevalences, sizes


def members(split: str, positive: int, negative: int, uncertain: int = 0) -> list[CohortMember]:
    values = [LabelValue.POSITIVE] * positive + [LabelValue.NEGATIVE] * negative + [LabelValue.UNCERTAIN] * uncertain
    return [
        CohortMember(
            study_key=f"{split} {n}", patient_key=f"{split} {n // 2}", split=split, labels={"pneumonia": value}
        )
        for n, value in enumerate(values)
    ]


def test_prevalence_is_of_the_known_labels_of_a_split() -> None:
    rows = prevalences([*members("train", 10, 30, 12), *members("test", 20, 20)], ["pneumonia"])
    assert [(row.split, row.positive, row.negative, row.uncertain) for row in rows] == [
        ("train", 10, 30, 12),
        ("validation", None, None, None),
        ("test", 20, 20, None),
    ]
    assert [row.share for row in rows] == [0.25, None, 0.5]


def test_a_class_of_under_ten_withholds_the_share_too() -> None:
    [row, *_] = prevalences(members("train", 9, 91), ["pneumonia"])
    assert (row.positive, row.negative, row.share) == (None, 91, None)


def test_sizes_count_cases_and_patients() -> None:
    found = sizes([*members("train", 20, 20), *members("test", 9, 0)])
    assert found["train"] == {"cases": 40, "patients": 20}
    assert found["test"] == {"cases": None, "patients": None}


def test_availability_counts_what_the_cases_have(scan, note, joined) -> None:
    rows = members("train", 24, 0)
    linked = joined([scan(str(n), study=str(n)) for n in range(1, 25)], [note(str(n)) for n in range(1, 13)], []).cases
    keyed = [row.model_copy(update={"study_key": case.study_key}) for row, case in zip(rows, linked, strict=True)]
    found = availability(keyed, {case.study_key: case for case in linked})
    assert found == {
        "scan": {"train": 12, "validation": None, "test": None},
        "scan + note": {"train": 12, "validation": None, "test": None},
    }


def test_a_case_without_anything_is_told_as_such() -> None:
    rows = members("test", 10, 0)
    cases = {row.study_key: Case(study_key=row.study_key, patient_key=row.patient_key) for row in rows}
    assert availability(rows, cases)["nothing"]["test"] == 10
