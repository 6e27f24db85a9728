"""Series in which slices of another patient were mixed, and series of one patient that only look as if they were.

Two people differ in one or more of id, name, birth date and sex, often in nothing but a blank, a case or a leading
zero. The same person is written in other character sets, with other padding, with empty components at the end of the
name: that must not be taken for another.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import numpy as np
from pydicom.dataset import Dataset

from pipelines.scans import values
from pipelines.scans.slice_header import SliceHeader
from pipelines.synthetic.faults.people import STAND_INS
from pipelines.synthetic.faults.wedge import write_raw

T = TypeVar("T")

# DICOM's terms for character sets, and Python's.
CHARSETS = {
    "": "ascii", "ISO_IR 100": "latin-1", "ISO_IR 101": "iso8859_2", "ISO_IR 144": "iso8859_5",
    "ISO_IR 126": "iso8859_7", "ISO_IR 148": "iso8859_9", "ISO_IR 192": "utf-8", "GB18030": "gb18030",
}  # fmt: skip
FAMILY = ("Muster", "Müller", "Muller", "Größe", "Núñez", "Nunez", "Łuczak", "Иванова", "Παππάς", "Yılmaz", "王", "Kim",
          "O'Neil", "van der Berg", "Doe", "Smith", "Smyth")  # fmt: skip
GIVEN = (
    "Erika",
    "Änne",
    "Anne",
    "José",
    "Jose",
    "Łucja",
    "Анна",
    "Ελένη",
    "小東",
    "Mary Ann",
    "Mary",
    "John",
    "Jon",
    "",
)


@dataclass(frozen=True)
class Person:
    """Who someone is, in Unicode."""

    patient_id: str
    name: str
    birth_date: str
    sex: str


@dataclass(frozen=True)
class Written:
    """How one slice writes that: raw values and their character set."""

    charset: str
    patient_id: bytes
    name: bytes
    birth_date: str
    sex: str


@dataclass(frozen=True)
class Mixture:
    """What each slice says of its patient, and whether they are two people, differing in ``fields``."""

    written: tuple[Written, ...]
    two_people: bool
    fields: tuple[str, ...] = ()


def draw_person(rng: np.random.Generator) -> Person:
    """Draw someone; one in ten has a stand-in for an id."""
    number = int(rng.integers(10**6))
    styles = (f"{number}", f"{number:08d}", f"P{number}", f"mrn-{number:x}", f"{number:06d}A")
    stand_in = rng.random() < 0.1
    return Person(
        patient_id=_one(STAND_INS, rng) if stand_in else _one(styles, rng),
        name=f"{_one(FAMILY, rng)}^{_one(GIVEN, rng)}".rstrip("^"),
        birth_date=f"{rng.integers(1920, 2020)}{rng.integers(1, 13):02d}{rng.integers(1, 29):02d}",
        sex=_one("FMO", rng),
    )


def draw_other(person: Person, rng: np.random.Generator) -> tuple[Person, tuple[str, ...]]:
    """Draw someone else, and say in which fields they differ: in one alone half of the time."""
    names = [field.name for field in fields(Person)]
    while True:
        count = 1 if rng.random() < 0.5 else int(rng.integers(2, 5))
        chosen = sorted(rng.permutation(names)[:count].tolist())
        changes = {name: _one(_CHANGES[name](getattr(person, name), rng), rng) for name in chosen}
        other = replace(person, **changes)
        differing = tuple(name for name in names if _plain(getattr(other, name)) != _plain(getattr(person, name)))
        # The case of an id tells people apart, that of a name does not.
        if other.patient_id.strip() != person.patient_id.strip() and "patient_id" not in differing:
            differing = ("patient_id", *differing)
        if differing:
            return other, differing


def write_person(person: Person, rng: np.random.Generator) -> Written:
    """One of the many ways to write the same person."""
    able = [charset for charset, codec in CHARSETS.items() if _can(person.name, codec)]
    charset = _one(able, rng)
    name = person.name + _one(("", "", "^", "^^^", " "), rng) if person.name else ""
    if charset == "ISO_IR 192" and rng.random() < 0.3:
        name = unicodedata.normalize("NFD", name)
    patient_id = f"{_one(('', '', ' '), rng)}{person.patient_id}{_one(('', '', ' ', '  '), rng)}"
    born = person.birth_date
    if born and rng.random() < 0.1:
        born = f"{born[:4]}.{born[4:6]}.{born[6:]}"
    return Written(charset, patient_id.encode("ascii"), name.encode(CHARSETS[charset]), born, person.sex)


def draw_mixture(rng: np.random.Generator, *, slices: int, two_people: bool) -> Mixture:
    """Draw what each of some slices says: two people's slices, in runs or scattered, or one person's."""
    person = draw_person(rng)
    if not two_people:
        return Mixture(tuple(write_person(person, rng) for _ in range(slices)), two_people)
    other, differing = draw_other(person, rng)
    foreign = rng.random(slices) < rng.uniform(0.05, 0.6)
    if rng.random() < 0.3:
        foreign[:] = False
    foreign[int(rng.integers(slices))] = True
    if foreign.all():
        foreign[0] = False
    ways = {who: [write_person(who, rng) for _ in range(3)] for who in (person, other)}
    written = tuple(_one(ways[other if is_foreign else person], rng) for is_foreign in foreign)
    return Mixture(written, two_people, differing)


def in_headers(headers: Sequence[SliceHeader], mixture: Mixture) -> list[SliceHeader]:
    """The records that headers of such slices would give: decoded by the same functions as those of files."""
    decoded = {written: _decoded(written) for written in set(mixture.written)}
    return [replace(header, **decoded[written]) for header, written in zip(headers, mixture.written, strict=True)]


def in_slices(slices: Sequence[Dataset], mixture: Mixture) -> None:
    """Write it into data sets, before they become files."""
    for ds, written in zip(slices, mixture.written, strict=True):
        if written.charset:
            ds.SpecificCharacterSet = written.charset
        else:
            del ds.SpecificCharacterSet
        write_raw(ds, "PatientID", "LO", written.patient_id.decode("ascii"))
        write_raw(ds, "PatientName", "PN", written.name.decode(CHARSETS[written.charset]))
        write_raw(ds, "PatientBirthDate", "DA", written.birth_date)
        ds.PatientSex = written.sex


def _decoded(written: Written) -> dict[str, Any]:
    charset = written.charset.encode("ascii")
    return {
        "patient_id": values.text(written.patient_id, charset),
        "patient_name": values.person(written.name, charset),
        "birth_date": written.birth_date,
        "sex": written.sex,
    }


def _ids(value: str, rng: np.random.Generator) -> list[str]:
    middle = len(value) // 2
    return [
        draw_person(rng).patient_id, "", "0" + value, value.lstrip("0"), value.swapcase(), value[:-1], value + "1",
        value.replace("0", "O"), value[:middle] + " " + value[middle:], value[1:2] + value[:1] + value[2:],
        _one(STAND_INS, rng),
    ]  # fmt: skip


def _names(value: str, rng: np.random.Generator) -> list[str]:
    family, _, given = value.partition("^")
    bare = unicodedata.normalize("NFD", value).encode("ascii", "ignore").decode()
    return [draw_person(rng).name, "", bare, f"{given}^{family}", f"{value}^B", family, value + "a"]


def _births(value: str, rng: np.random.Generator) -> list[str]:
    swapped = value[:4] + value[6:] + value[4:6]
    nearby = value[:-1] + str((int(value[-1]) + 1) % 10)
    return [draw_person(rng).birth_date, "", nearby, swapped, f"{int(value[:4]) + 1}{value[4:]}"]


def _sexes(value: str, rng: np.random.Generator) -> list[str]:
    return ["F", "M", "O", ""]


_CHANGES = {"patient_id": _ids, "name": _names, "birth_date": _births, "sex": _sexes}


def _plain(value: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", value).casefold()).strip(" ").rstrip("^ ")


def _can(name: str, codec: str) -> bool:
    try:
        return name.encode(codec).decode(codec) == name
    except UnicodeError:
        return False


def _one(choices: Sequence[T], rng: np.random.Generator) -> T:
    return choices[int(rng.integers(len(choices)))]
