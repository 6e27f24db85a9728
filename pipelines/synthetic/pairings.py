"""A scan and a note brought together by chance: does the linker fuse what contradicts, or lose what belongs together?

Each pairing is a scan of one person and a note that is theirs, or that another person wrote and somebody filed wrongly.
What the two say of their patients is drawn at random, and so is the spelling of the ids: padding and the encoding of a
character, which never matter; case and leading zeros, which matter unless the issuer's rule says otherwise. What
contradicts is known from how the pairing was made, never from the linker.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import numpy as np

from data_schemas.note import Note
from data_schemas.observation import Observation
from data_schemas.scan import Geometry, PatientFacts, Scan, ScanFile
from pipelines.cases.link import link
from pipelines.workspace.digests import sha256_bytes

KEY = bytes(32)
BATCH = 5_000
SCANNED = datetime(2024, 6, 1, 12)
NOTHING = "nothing"
ONE_PERSON = "one person"
NEAREST_YEARS = 6
"""Two people are so far apart in age, or less than a hundred days: no pairing lies on the border of a tolerance."""
_GEOMETRY = Geometry(
    shape=(9, 4, 4), spacing_mm=(1, 1, 1), affine=((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1))
)
_PADDING = ["", " ", "\0", "  ", "\t", "\u00a0", " \0"]


@dataclass
class PairingTrials:
    """Pairings and those that were fused, by what contradicts in them."""

    pairings: Counter[str] = field(default_factory=Counter)
    fused: Counter[str] = field(default_factory=Counter)

    @property
    def wrong(self) -> int:
        """Fused although something contradicts."""
        return sum(count for what, count in self.fused.items() if what not in (NOTHING, ONE_PERSON))

    @property
    def lost(self) -> int:
        """Not fused although they are of one person."""
        return self.pairings[ONE_PERSON] - self.fused[ONE_PERSON]


@dataclass(frozen=True)
class _Person:
    patient_id: str
    sex: str
    born: date

    def age(self, on: datetime) -> float:
        return (on.date() - self.born).days / 365.25


@dataclass(frozen=True)
class _Pairing:
    """The scans (that of the pairing first), the records (the note first), and what contradicts."""

    scans: list[Scan]
    note: Note
    values: list[Observation]
    contradiction: str


def pairing_trials(count: int, *, seed: int = 0) -> PairingTrials:
    """Make and link so many pairings in batches, every second one with the rules that forgive case and zeros."""
    trials = PairingTrials()
    for number, start in enumerate(range(0, count, BATCH)):
        rng = np.random.default_rng([seed, number])
        forgiving = number % 2 == 1
        made = [_pairing(serial, rng, forgiving) for serial in range(start, min(start + BATCH, count))]
        found = link(
            [scan for pairing in made for scan in pairing.scans],
            [pairing.note for pairing in made],
            [value for pairing in made for value in pairing.values],
            workspace_key=KEY,
            ignore_id_case=forgiving,
            ignore_leading_zeros=forgiving,
        )
        used = {case.scan.study_uid: {note.note_id for note in case.notes} for case in found.cases if case.scan}
        for pairing in made:
            trials.pairings[pairing.contradiction] += 1
            trials.fused[pairing.contradiction] += pairing.note.note_id in used.get(pairing.scans[0].study_uid, ())
    return trials


def _pairing(serial: int, rng: np.random.Generator, forgiving: bool) -> _Pairing:
    owner = _Person(f"É{serial:06d}bü", str(rng.choice(["F", "M"])), _born(rng))
    one = bool(rng.random() < 0.2)
    author = owner if one else _other(serial, owner, rng)
    written = SCANNED - timedelta(minutes=int(rng.integers(1, 60 * 24 * 60)))
    says = {name: bool(rng.random() < 0.5) for name in ("sex", "birth", "age", "their sex", "their birth", "text")}
    scan = _scan(f"{serial}.1", _facts(owner.patient_id, owner, sex=says["sex"], birth=says["birth"], age=says["age"]))
    wrong_id = not one and rng.random() < 0.25
    filed = _near(owner.patient_id, rng, forgiving) if wrong_id else _spelled(owner.patient_id, rng, forgiving)
    facts = _facts(filed, author, sex=says["their sex"], birth=says["their birth"])
    text = _text(author, written, rng) if says["text"] else "Cough and fever for three days."
    note = Note(note_id=str(serial), patient=facts, written=written, text=text)
    measured = bool(rng.random() < 0.3)
    values = [_age_value(facts, author, written)] if measured else []
    scans = [scan]
    named = not one and rng.random() < 0.1
    if named:
        where = "study_uid" if rng.random() < 0.5 else "accession"
        scans.append(_scan(f"{serial}.2", PatientFacts(patient_id=author.patient_id)))
        note = note.model_copy(update={where: getattr(scans[1], where)})
    apart = abs(owner.born - author.born) > timedelta(days=365 * NEAREST_YEARS)
    aged = says["age"] or says["birth"]
    contradictions = {
        ONE_PERSON: one,
        "identifier": wrong_id,
        "study of another patient": named,
        "sex": says["sex"] and says["their sex"] and owner.sex != author.sex,
        "birth date": says["birth"] and says["their birth"] and owner.born != author.born,
        "age": apart and aged and (says["their birth"] or measured),
        "sex or age in the text": says["text"] and ((says["sex"] and owner.sex != author.sex) or (apart and aged)),
    }
    return _Pairing(scans, note, values, next((name for name, holds in contradictions.items() if holds), NOTHING))


def _born(rng: np.random.Generator) -> date:
    return date(1940, 1, 1) + timedelta(days=int(rng.integers(0, 365 * 60)))


def _other(serial: int, owner: _Person, rng: np.random.Generator) -> _Person:
    """Another person: of any age that tells them apart, or about as old; one in four of the sex and birth date too."""
    sex, born = str(rng.choice(["F", "M"])), _born(rng)
    if rng.random() < 0.25:
        sex, born = owner.sex, owner.born
    elif abs(born - owner.born) < timedelta(days=365 * NEAREST_YEARS + 1):
        born = owner.born + timedelta(days=int(rng.integers(1, 100)))
    return _Person(f"Z{serial:06d}bü", sex, born)


def _facts(
    patient_id: str, person: _Person, *, sex: bool = False, birth: bool = False, age: bool = False
) -> PatientFacts:
    return PatientFacts.model_validate(
        {
            "patient_id": patient_id,
            "sex": person.sex if sex else "",
            "birth_date": person.born if birth else None,
            "age_years": float(int(person.age(SCANNED))) if age else None,
        }
    )


def _scan(name: str, facts: PatientFacts) -> Scan:
    digest = sha256_bytes(name.encode())
    return Scan(
        scan_id=digest,
        format="dicom",
        patient=facts,
        study_uid=f"1.{name}",
        series_uid=f"1.{name}.1",
        accession=f"ACC{name}",
        modality="CT",
        transfer_syntax="",
        acquired=SCANNED,
        geometry=_GEOMETRY,
        files=(ScanFile(path="", sha256=digest, size=0),),
    )


def _age_value(facts: PatientFacts, person: _Person, taken: datetime) -> Observation:
    return Observation(patient=facts, taken=taken, code="age", value=float(int(person.age(taken))), unit="a")


def _text(person: _Person, written: datetime, rng: np.random.Generator) -> str:
    """The age and sex as a clinician writes them; one in four was copied forward from a note of up to two years ago."""
    years = int(person.age(written)) - (int(rng.integers(0, 3)) if rng.random() < 0.25 else 0)
    word = {"F": ("woman", "female", "lady"), "M": ("man", "male", "gentleman")}[person.sex]
    frames = ("{}-year-old {} with cough.", "HISTORY:\nA {} year old {}, smoker.", "This is a {} y/o {} with fever.")
    return str(rng.choice(frames)).format(years, str(rng.choice(word)))


def _spelled(raw: str, rng: np.random.Generator, forgiving: bool) -> str:
    """The same id in another spelling."""
    text = unicodedata.normalize("NFC" if rng.random() < 0.5 else "NFD", raw)
    if forgiving:
        text = "0" * int(rng.integers(0, 3)) + str(rng.choice([text.lower(), text.upper(), text]))
    return _PADDING[int(rng.integers(len(_PADDING)))] + text + _PADDING[int(rng.integers(len(_PADDING)))]


def _near(raw: str, rng: np.random.Generator, forgiving: bool) -> str:
    """Another id, as near to this one as ids of two people come."""
    near = [f"{raw[:-1]}u", f"{raw}1", raw[:-1], f"{raw[:3]} {raw[3:]}", raw.replace("É", "E"), f"{raw}-", raw[::-1]]
    if not forgiving:
        near += [f"0{raw}", raw.lower(), raw.upper()]
    return near[int(rng.integers(len(near)))]
