from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from pipelines.scans import values


def test_padding_is_insignificant_and_case_and_zeros_are_not() -> None:
    assert values.text(b"  00aB \0") == "00aB"


@pytest.mark.parametrize(
    ("raw", "charset"),
    [
        ("Müller".encode("latin-1"), b"ISO_IR 100"),
        ("Müller".encode(), b"ISO_IR 192"),
        ("Mu\u0308ller".encode(), b"ISO_IR 192"),
        ("Müller".encode("gb18030"), b"GB18030 "),
    ],
)
def test_the_character_set_is_insignificant(raw: bytes, charset: bytes) -> None:
    assert values.text(raw, charset) == "Müller"


def test_a_japanese_name_in_three_scripts_is_read() -> None:
    raw = b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B"

    assert values.person(raw, b"\\ISO 2022 IR 87") == "Yamada^Tarou=山田^太郎"


def test_bytes_that_no_character_set_explains_stay_apart() -> None:
    assert values.text(b"M\xfcller", b"") != values.text(b"M\xfdller", b"")


def test_empty_trailing_components_of_a_name_are_insignificant() -> None:
    assert values.person(b"Muster^Erika^^^ ") == values.person(b"Muster^Erika") == "Muster^Erika"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [(b"1\\-2.5\\3e1 ", (1.0, -2.5, 30.0)), (b"1\\2", None), (b"1\\2\\x", None), (b"1\\2\\1_0", None), (None, None)],
)
def test_decimals_are_read_strictly(raw: bytes | None, expected: tuple[float, ...] | None) -> None:
    assert values.decimals(raw, 3) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [("048Y", 48.0), ("42", 42.0), ("006M", 0.5), ("052W", 52 * 7 / 365.25), ("", None), ("4 Y", None)],
)
def test_ages_are_years(raw: str, expected: float | None) -> None:
    assert values.age_years(raw) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("raw", "expected"), [("20240229", date(2024, 2, 29)), ("2024.02.29", date(2024, 2, 29)), ("20230229", None)]
)
def test_days_are_read_or_absent(raw: str, expected: date | None) -> None:
    assert values.day(raw) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [("09", (9, 0, 0, 0)), ("0912", (9, 12, 0, 0)), ("091203.25", (9, 12, 3, 250_000)), ("091260", (9, 12, 59, 0))],
)
def test_times_may_be_short(raw: str, expected: tuple[int, int, int, int]) -> None:
    assert values.moment("20240301", raw) == datetime(2024, 3, 1, *expected)


@pytest.mark.parametrize("raw", ["", "9", "2512", "09:1x", "09120"])
def test_a_bad_time_is_absent(raw: str) -> None:
    assert values.moment("20240301", raw) is None


def test_an_offset_makes_a_time_aware() -> None:
    found = values.date_time("20240301091203.5-0530", UTC)

    assert found == datetime(2024, 3, 1, 9, 12, 3, 500_000, timezone(-timedelta(hours=5, minutes=30)))


@pytest.mark.filterwarnings("ignore")
def test_names_that_no_character_set_explains_stay_different_and_warn_nobody(recwarn) -> None:
    charset = b"ISO 2022 IR 6\\ISO 2022 IR 87"
    first, second = (values.text(b"\x1b$B\x24" + last + b"\xff", charset) for last in (b"\xfe", b"\xfd"))
    assert first != second
    assert not recwarn.list
