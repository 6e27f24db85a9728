from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_schemas.errors import RefusedError
from data_schemas.scan import PatientFacts
from pipelines.notes.release import deidentify as module
from pipelines.notes.release.dates import Clock
from pipelines.notes.release.deidentify import deidentify
from pipelines.notes.release.identifiers import Known, known_of, left_over
from pipelines.notes.release.roster import roster_of
from pipelines.notes.release.spellings import parts_of_name

CLOCK = Clock(shift_days=1000)


def clean(text: str, name: str = "", *ids: str) -> str:
    facts = [PatientFacts(patient_id=ids[0] if ids else "", name=name)]
    return deidentify(text, known=known_of(facts, ids=ids[1:]), clock=CLOCK).text


@pytest.mark.parametrize(
    "written",
    ["Smith, John", "John SMITH", "J. Smith", "SMITH JOHN A", "Smith", "john smith", "smith", "JohnSmith", "Smith J",
     "Jack Smith", "Johnny", "Smith_John"],
)  # fmt: skip
def test_a_name_goes_in_every_order(written: str) -> None:
    assert clean(f"Then {written} came back.", "Smith^John^Adam") == "Then [NAME] came back."


def test_the_possessive_stays() -> None:
    assert clean("It was Smith's scan.", "Smith^John") == "It was [NAME]'s scan."


@pytest.mark.parametrize("written", ["Müller", "Mueller", "Muller", "MÜLLER", unicodedata.normalize("NFD", "Müller")])
@pytest.mark.parametrize("name", ["Müller^Hans", "Mueller^Hans"])
def test_umlauts_are_found_however_they_are_typed(written: str, name: str) -> None:
    assert clean(f"then {written} fell", name) == "then [NAME] fell"


@pytest.mark.parametrize("written", ["Hans-Peter", "Hans Peter", "Hanspeter", "HANS–PETER", "Hans"])
def test_hyphens_may_be_blanks_or_nothing(written: str) -> None:
    assert clean(f"then {written} fell", "Adler^Hans-Peter") == "then [NAME] fell"


@pytest.mark.parametrize("written", ["O'Brien", "O’Brien", "OBrien", "O Brien", "O'BRIEN"])
def test_apostrophes_may_be_missing(written: str) -> None:
    assert clean(f"then {written} fell", "O'Brien^Maeve") == "then [NAME] fell"


@pytest.mark.parametrize("written", ["山田", "太郎", "Yamada Tarou", "やまだ"])
def test_every_script_of_a_name_is_looked_for(written: str) -> None:
    assert written not in clean(f"x {written} y", "Yamada^Tarou=山田^太郎=やまだ^たろう")


@pytest.mark.parametrize("written", ["Иванов", "Ivanov", "Иван Петрович", "IVANOV"])
def test_a_cyrillic_name_is_found_in_latin_letters_too(written: str) -> None:
    assert written not in clean(f"then {written} fell", "Иванов^Иван^Петрович")


def test_a_name_that_is_a_word_goes_only_where_it_is_written_as_a_name() -> None:
    told = clean("Mr. Will may go; he will call. Brown was seen, the sputum is brown. May fell.", "Brown^Will^May")
    assert told == "Mr. [NAME] may go; he will call. [NAME] was seen, the sputum is brown. [NAME] fell."


def test_particles_alone_are_not_names() -> None:
    assert clean("van der Berg took the van", "van der Berg^Anna").endswith("took the van")


@pytest.mark.parametrize("name", ["SMITH, John A", "John A Smith", "Smith^John^A^Dr^Jr"])
def test_tables_and_dicom_write_the_same_name(name: str) -> None:
    assert parts_of_name(name) == (("Smith", "John", "A"),) or parts_of_name(name) == (("SMITH", "John", "A"),)


@pytest.mark.parametrize("written", ["0012-3456", "123456", "00123456", "12 34 56", "0012.3456", "12-3456"])
def test_an_id_goes_with_and_without_zeros_and_separators(written: str) -> None:
    assert clean(f"see {written}, thanks", "", "0012-3456") == "see [ID], thanks"


def test_letters_before_an_id_may_be_missing() -> None:
    assert clean("see 4711007 there", "", "KH-4711007") == "see [ID] there"


def test_a_short_id_is_no_reason_to_remove_every_number() -> None:
    assert clean("2 nodules of 12 mm", "", "12") == "2 nodules of 12 mm"


def test_an_id_that_is_short_without_its_zeros_goes_only_with_them() -> None:
    assert clean("a 7 mm nodule of patient 0007", "", "0007") == "a 7 mm nodule of patient [ID]"


def test_another_patient_of_the_hospital_is_found_without_context() -> None:
    roster = roster_of([("K88123", "Okonkwo^Adaeze")])
    told = deidentify("k88123 and okonkwo; Adaeze Okonkwo, OKONKWO Adaeze", clock=CLOCK, roster=roster).text
    assert told == "[ID] and [NAME]; [NAME]"


def test_what_is_left_refuses_the_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_known", lambda text, known: iter(()))
    monkeypatch.setattr(module, "_unknown", lambda text, first: iter(()))
    with pytest.raises(RefusedError, match="identifier-left") as caught:
        clean("then zbigniewski fell", "Zbigniewski^Q")
    assert "zbigniewski" not in str(caught.value).lower()


def test_the_second_look_folds_accents_and_ignores_vocabulary() -> None:
    known = Known(names=frozenset({"Grünwald^May"}))
    assert left_over("then GRUNWALD fell", known)
    assert not left_over("he may fall", known)


@given(
    family=st.text("abcdefghijklmnopqrstuvwxyzäöüéñø", min_size=4, max_size=12),
    before=st.text(max_size=40),
    after=st.text(max_size=40),
)
def test_no_text_around_a_name_hides_it(family: str, before: str, after: str) -> None:
    text = f"{before} {family.capitalize()} {after}"
    try:
        told = clean(text, f"{family.capitalize()}^Qx")
    except RefusedError:
        return
    assert f" {family.capitalize()} " not in f" {told} "
