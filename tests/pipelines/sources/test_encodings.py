"""Encodings are named by a mark, by the user, or by there being no other; a text is never guessed."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_schemas.errors import InputError, RefusedError
from data_schemas.reasons import Reason
from pipelines.sources.encodings import Decoded, decode, is_encoding, mojibake, read_decoded

TEXTS = {
    "de": "Der Patient klagt über Müdigkeit, Schwäche und Übelkeit. Große Rötung am rechten Knöchel.",
    "fr": "Le patient présente une fièvre élevée, une dyspnée à l'effort et une douleur thoracique. Très gêné.",
    "es": "Paciente de 54 años con disnea y tos. ¿Dolor torácico? Mañana radiografía.",
    "pt": "Paciente com dispneia há três dias, não apresenta febre. Coração normal.",
    "pl": "Pacjent skarży się na duszność i gorączkę. Płuca: świszczący oddech. Żadnych zmian.",
    "cs": "Pacient si stěžuje na dušnost a horečku. Plíce: pravostranný výpotek. Žádné změny.",
    "hu": "A beteg három napja lázas, köhög. Jobb oldali folyadékgyülem, tüdőödéma.",
    "tr": "Hasta üç gündür nefes darlığı ve göğüs ağrısından şikayetçi. Sağ akciğerde sıvı.",
    "da": "Patienten klager over åndenød, hævelse og feber. Højre side: væske.",
    "lt": "Pacientas skundžiasi dusuliu ir karščiavimu. Dešinėje pusėje skystis.",
    "ru": "Пациент жалуется на одышку и лихорадку. Правосторонний плевральный выпот. Изменений нет.",
    "el": "Ο ασθενής παραπονείται για δύσπνοια και πυρετό. Πλευριτική συλλογή δεξιά. Άλλα όχι.",
    "he": "החולה מתלונן על קוצר נשימה וחום מזה שלושה ימים",
    "ar": "يشكو المريض من ضيق التنفس والحمى منذ ثلاثة أيام",
    "ja": "患者は三日前から息切れと発熱を訴えている。右側に胸水を認める。CT検査を行う。",
    "zh": "患者三天前出现呼吸困难和发热。右侧胸腔积液。建议CT检查。",
    "tw": "病人三天前出現呼吸困難和發燒。右側胸腔積液。建議CT檢查。",
    "ko": "환자는 3일 전부터 호흡곤란과 발열을 호소한다. 우측 흉수가 관찰된다.",
    "th": "ผู้ป่วยมีอาการหายใจลำบากและมีไข้มาสามวัน",
}
LEGACY = {
    **dict.fromkeys(("de", "fr", "es", "pt", "da"), ("cp1252", "latin-1", "cp850", "mac-roman")),
    **dict.fromkeys(("pl", "cs", "hu"), ("cp1250", "iso8859-2")),
    "tr": ("cp1254",),
    "lt": ("cp1257",),
    "ru": ("cp1251", "koi8-r", "iso8859-5", "cp866"),
    "el": ("cp1253", "iso8859-7"),
    "he": ("cp1255",),
    "ar": ("cp1256", "iso8859-6"),
    "ja": ("cp932", "euc_jp"),
    "zh": ("gb18030", "big5"),
    "tw": ("big5", "gb18030"),
    "ko": ("cp949",),
    "th": ("cp874",),
}


def decoded_or_refused(data: bytes) -> Decoded | RefusedError:
    try:
        return decode(data)
    except RefusedError as error:
        return error


PAIRS = [(name, encoding) for name, encodings in LEGACY.items() for encoding in encodings]


@pytest.mark.parametrize(("name", "encoding"), PAIRS)
def test_a_text_in_an_old_encoding_is_read_right_or_refused_by_name_never_read_wrong(name: str, encoding: str) -> None:
    data = TEXTS[name].encode(encoding, "ignore")
    found = decoded_or_refused(data)
    if isinstance(found, RefusedError):
        assert found.reason is Reason.AMBIGUOUS_ENCODING
        assert "sources.encoding" in found.detail
    else:
        assert found.text == data.decode(encoding)
        assert (found.how, found.told) == ("detected", f"read as {found.encoding}")


@pytest.mark.parametrize("length", [1, 2, 3, 5, 8])
@pytest.mark.parametrize(("name", "encoding"), PAIRS)
def test_a_few_words_are_never_read_wrong_either(name: str, encoding: str, length: int) -> None:
    words = TEXTS[name].split()
    for start in range(0, len(words), length):
        data = " ".join(words[start : start + length]).encode(encoding, "ignore")
        with contextlib.suppress(RefusedError):
            assert decode(data).text == data.decode(encoding)


@pytest.mark.parametrize("name", ["de", "ru", "ar", "pl"])
def test_what_reads_in_one_way_only_is_read(name: str) -> None:
    assert decode(TEXTS[name].encode(LEGACY[name][0])).text == TEXTS[name]


@pytest.mark.parametrize(("name", "encoding"), PAIRS)
def test_the_named_encoding_is_believed_and_said(name: str, encoding: str) -> None:
    data = TEXTS[name].encode(encoding, "ignore")
    decoded = decode(data, encoding=encoding)
    assert (decoded.text, decoded.told) == (data.decode(encoding), f"read as {encoding}")


@pytest.mark.parametrize("name", list(TEXTS))
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_decides_over_a_name(name: str, encoding: str) -> None:
    decoded = decode(TEXTS[name].encode(encoding), encoding="cp1252")
    assert (decoded.text, decoded.how, decoded.told) == (TEXTS[name], "marked", "")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_its_mark_is_told_by_its_zeros(encoding: str) -> None:
    decoded = decode("patient_id,text\r\n1,Müde\r\n".encode(encoding))
    assert (decoded.text, decoded.encoding) == ("patient_id,text\r\n1,Müde\r\n", encoding)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff")))
def test_utf8_is_itself_and_nothing_is_said(text: str) -> None:
    decoded = decode(text.encode(), encoding="cp1252")
    assert (decoded.text, decoded.how, decoded.told) == (text, "utf-8", "")


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused_in_one_line(data: bytes) -> None:
    found = decoded_or_refused(data)
    if isinstance(found, RefusedError):
        assert found.reason is Reason.AMBIGUOUS_ENCODING
        assert "\n" not in found.detail


@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: data.replace(b"\xc3\xbc", b"\xfc", 1)])
def test_utf8_with_a_broken_place_is_called_so_and_not_read_as_something_else(damage) -> None:
    with pytest.raises(RefusedError, match="UTF-8 that is damaged at byte"):
        decode(damage("Müdigkeit, Schwäche, Übelkeit, Größe, Tüte, Föhn und ü".encode()))


def test_a_file_that_is_not_in_the_named_encoding_is_refused() -> None:
    with pytest.raises(RefusedError, match="the settings say cp1252, which it is not at byte 1"):
        decode(b"M\x81de", encoding="cp1252")


def test_an_encoding_of_seven_bits_is_read_by_its_name() -> None:
    assert decode("胸水".encode("iso2022_jp"), encoding="iso2022_jp").text == "胸水"


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("MÃ¼de, schwÃ¤cher", 2),
        ("â€œfeverâ€\x9d", 2),
        ("Müde, fièvre, 38 °C, “fever”", 0),
        ("IRMÃ\u00a0", 0),
        ("Ã", 0),
        ("", 0),
    ],
)
def test_utf8_that_was_read_as_latin1_is_suspected_where_it_looks_so(text: str, places: int) -> None:
    assert mojibake(text) == places


@pytest.mark.parametrize("name", ["de", "fr", "pl", "da", "tr", "pt", "es"])
def test_all_that_was_broken_in_this_way_is_seen_and_nothing_else(name: str) -> None:
    assert mojibake(TEXTS[name]) == 0
    assert mojibake(TEXTS[name].encode().decode("cp1252", "ignore")) > 0


@pytest.mark.parametrize(
    ("name", "known"),
    [("cp1252", True), ("UTF-8", True), ("nonsense", False), ("unicode_escape", False), ("hex", False)],
)
def test_only_encodings_of_text_are_encodings(name: str, known: bool) -> None:
    assert is_encoding(name) is known


@pytest.mark.parametrize("name", ["de", "ru", "zh"])
def test_a_large_file_is_decided_in_bounded_time(name: str) -> None:
    data = (TEXTS[name] + "\n").encode(LEGACY[name][0]) * (2 * 2**20 // len(TEXTS[name]))
    started = time.perf_counter()
    with contextlib.suppress(RefusedError):
        decode(data)
    assert time.perf_counter() - started < 20


def test_a_file_beyond_the_limit_is_not_opened(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("pipelines.sources.encodings.LARGEST", 10)
    path = tmp_path / "n.csv"
    path.write_text("x" * 11)
    with pytest.raises(InputError, match="larger than"):
        read_decoded(path)
