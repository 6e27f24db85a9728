"""Nothing that could be two people is taken for one; nothing of one person is torn apart by its spelling."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_schemas.reasons import Reason
from data_schemas.scan import Geometry, PatientFacts, Scan, ScanFile, Series, SeriesStatus
from pipelines.scans.check import check_series
from pipelines.scans.identity import across, is_stand_in, plain_name, within_series

BORN = date(1960, 1, 2)
STAND_INS = ["W/I", "unknown", "ANONYMOUS", "anon", "None", "N/A", "0", "000000", "123456", "TEST", "XXXX", "NO ID"]
STAND_INS += ["noid", " w/i ", "?", "---", "99999999", "Unbekannt", "Test Patient", "no-id", "NULL"]


@pytest.mark.parametrize("patient_id", STAND_INS)
def test_a_word_for_no_id_is_a_stand_in(patient_id: str) -> None:
    assert is_stand_in(patient_id)


@pytest.mark.parametrize("patient_id", ["", "  ", "007", "98C1066", "ANON0001", "TEST7", "1000000", "Xaver", "1234"])
def test_an_id_that_may_be_one_is_no_stand_in(patient_id: str) -> None:
    assert not is_stand_in(patient_id)


OTHERS = [{"patient_id": "008"}, {"patient_id": "7"}, {"patient_id": ""}, {"patient_name": ""}, {"birth_date": ""}]
OTHERS += [{"patient_name": "Muster^Eva"}, {"sex": "M"}, {"sex": ""}, {"age": "031Y"}, {"issuer": "B"}]


@pytest.mark.parametrize("fields", OTHERS, ids=str)
def test_half_an_identity_or_another_is_another_patient(slices, changed, fields) -> None:
    problems = list(within_series(changed(slices, (4,), **fields)))

    assert [problem.reason for problem in problems] == [Reason.MIXED_PATIENTS]


SPELLINGS = [{"patient_id": " 007\t"}, {"patient_name": "MUSTER^Erika"}, {"patient_name": "Muster ^ Erika^^"}]
SPELLINGS += [{"birth_date": "1960.01.02"}, {"age": "64"}, {"age": ""}, {"age": "065Y"}]


@pytest.mark.parametrize("fields", SPELLINGS, ids=str)
def test_padding_and_spelling_make_no_other_patient(slices, changed, fields) -> None:
    assert check_series(changed(slices, (4,), **fields)).accepted


def test_one_name_in_two_character_sets_is_one_name(series: Callable[..., object], tmp_path) -> None:
    from pipelines.scans.headers import read_header

    def edit(ds, index: int) -> None:
        ds.SpecificCharacterSet = "ISO_IR 192" if index % 2 else "ISO_IR 100"
        ds.PatientName = "Müller^Jürgen"

    headers = [read_header(path.read_bytes()) for path in sorted(series(edit=edit).iterdir())]
    assert check_series(headers).accepted


@given(st.text(st.sampled_from("aAéßİ ^=\u0301"), max_size=8))
def test_comparing_a_comparable_name_changes_nothing(raw: str) -> None:
    assert plain_name(plain_name(raw)) == plain_name(raw)


def entry(study: str, **facts: object) -> Series:
    patient = PatientFacts(**{"patient_id": "W/I", "name": "Muster^Erika", "birth_date": BORN, "sex": "F", **facts})
    rows = ((1.0, 0, 0, 0), (0, 1.0, 0, 0), (0, 0, 1.0, 0), (0, 0, 0, 1.0))
    scan = Scan(
        scan_id="1",
        format="dicom",
        patient=patient,
        study_uid=study,
        series_uid=f"{study}.1",
        modality="CT",
        transfer_syntax="",
        geometry=Geometry(shape=(5, 5, 5), spacing_mm=(1, 1, 1), affine=rows),
        files=(ScanFile(path="", sha256="0" * 64, size=0),),
    )
    return Series(
        series_uid=scan.series_uid,
        study_uid=study,
        modality="CT",
        files=1,
        transfer_syntax="",
        status=SeriesStatus.ACCEPTED,
        scans=(scan,),
    )


def reasons(*found: Series) -> list[tuple[Reason, ...]]:
    return [series.reasons for series in across(found)]


SHARED = (Reason.PLACEHOLDER_IDENTITY,)


@pytest.mark.parametrize(
    "other",
    [{"name": "Beispiel^Max"}, {"birth_date": date(1970, 1, 1)}, {"sex": "M"}, {"name": "", "birth_date": None}],
    ids=str,
)
def test_a_stand_in_id_of_two_people_quarantines_both(other: dict[str, object]) -> None:
    assert reasons(entry("1"), entry("2", **other), entry("3", patient_id="8")) == [SHARED, SHARED, ()]


PROVES_NOTHING = [{"name": "", "birth_date": None, "sex": ""}, {"name": "", "birth_date": None}]
PROVES_NOTHING += [{"name": "ANON^ANON", "birth_date": None}, {"name": "Unknown", "birth_date": None, "sex": ""}]


@pytest.mark.parametrize("facts", PROVES_NOTHING, ids=str)
def test_a_stand_in_id_without_a_name_or_birth_date_proves_nothing(facts: dict[str, object]) -> None:
    assert reasons(entry("1", **facts), entry("2", **facts)) == [SHARED, SHARED]


def test_a_stand_in_id_of_one_person_by_name_and_birth_date_is_left_alone() -> None:
    assert reasons(entry("1"), entry("2", name="MUSTER^ERIKA^"), entry("2")) == [(), (), ()]


def test_a_stand_in_id_of_one_study_is_left_alone() -> None:
    assert reasons(entry("1", name="", birth_date=None, sex="")) == [()]


def test_two_names_behind_a_stand_in_id_in_one_study_are_two_patients() -> None:
    unborn = {"birth_date": None, "sex": ""}

    assert reasons(entry("1", **unborn), entry("1", name="B", **unborn)) == [(Reason.MIXED_PATIENTS,)] * 2
    assert reasons(entry("1", patient_id="8"), entry("1", patient_id="8", name="Muster^E")) == [(), ()]


def test_an_id_that_two_people_share_is_a_stand_in_whatever_it_looks_like() -> None:
    shared = reasons(entry("1", patient_id="4711"), entry("2", patient_id="4711", name="B", birth_date=date(1, 1, 1)))
    renamed = reasons(entry("1", patient_id="4711"), entry("2", patient_id="4711", name="Beispiel^Erika"))

    assert shared == [SHARED, SHARED]
    assert renamed == [(), ()]


@pytest.mark.parametrize("other", [{"patient_id": "8"}, {"issuer": "B"}, {"sex": "M"}, {"birth_date": date(1, 1, 1)}])
def test_a_study_of_two_patients_quarantines_its_series(other: dict[str, object]) -> None:
    one = entry("1", patient_id="007")

    assert reasons(one, entry("1", **{"patient_id": "007", **other})) == [(Reason.MIXED_PATIENTS,)] * 2
    assert across((one, entry("1", **{"patient_id": "007", **other})))[0].scans == ()


def test_the_same_id_of_another_issuer_is_another_person() -> None:
    assert reasons(entry("1", issuer="A"), entry("2", issuer="B", name="B", birth_date=None)) == [(), ()]


def test_no_detail_tells_of_the_patient() -> None:
    told = " ".join(series.detail for series in across((entry("1"), entry("2", name="Beispiel^Max"))))

    assert "Muster" not in told
    assert "W/I" not in told
