"""Release of notes: how many planted identifiers go, how many other words go with them, how many notes a second.

The notes are synthetic, and nothing here says how a hospital's own notes fare. Three sets with disjoint sentences,
names, places and date forms: *open*, which the rules were written against; *second*, sealed until its first look (recall
0.9755), whose lessons the rules have learnt since; and *sealed*, written after that, whose first look gave 0.9976 (0.9463
as it was scored then: a title, a degree and the word "at" counted as identifiers) and whose few lessons are learnt too.
Where the 3,851 de-identified reports of the Indiana collection are given, the words that the rules remove from them are
counted as well: they hold no identifiers, so each is a false one.

A fourth, *independent* (`release_sealed.py`), is 120 whole notes by a hand that had not seen the rules. A fifth,
*independent-second* (`release_sealed_second.py`), is 80 more by another such hand; it runs only where it is named.

    .venv/bin/python benchmarks/note_release.py --reports ../shared/data/reports/indiana_reports.csv
"""

# ruff: noqa: E501 - lists of names and sentences

from __future__ import annotations

import argparse
import contextlib
import csv
import random
import re
import string
import sys
import time
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from release_sealed import Note, independent_notes
from release_sealed_second import second_notes

from data_schemas.errors import RefusedError
from data_schemas.scan import PatientFacts
from pipelines.notes.release.dates import Clock
from pipelines.notes.release.deidentify import METHOD, deidentify, find_identifiers, prepare
from pipelines.notes.release.identifiers import Known, known_of

FLOOR, NOTES = 0.99, 2000
LATER_YEARS = (2008, 2024)

OPEN = {
    "family": ["Smith", "Jones", "Brown", "Müller", "O'Brien", "Garcia-Lopez", "Kowalski", "Nguyen", "Johansson", "Schneider", "May", "Young", "Papadopoulos", "Fernández", "Lindqvist", "Dubois", "Rossi", "Novák", "Yılmaz", "Haddad", "Chen", "Park", "Okafor", "Petrov", "Weiss", "Hodgkin", "Long", "Stewart"],
    "given": ["John", "Mary", "Hans-Peter", "Anna", "José", "Siobhán", "Björn", "Grace", "Wei", "Priya", "Fatima", "Mark", "Élodie", "Ivan", "Rose", "Kevin", "Linda", "Omar", "Kateřina", "Thomas", "Ingrid", "Will", "Joy", "Samuel", "Aisha", "Carlos"],
    "street": ["12 Oak Street", "4471 N. Maple Avenue, Apt 5B", "8 Rose Lane", "1200 Harbor Blvd", "Hauptstraße 12"],
    "town": ["Springfield, IL 62704", "Boston, MA 02114", "Portland, OR 97201-1234", "Austin, TX 73301"],
    "city": ["Springfield", "Boston", "New Orleans", "Hamburg", "Little Rock"],
    "hospital": ["Massachusetts General Hospital", "St. Mary's Medical Center", "Lakeside Clinic",
                 "Mount Olive Community Hospital", "University Hospital of Springfield"],
    "domain": ["example.org", "st-marys-hospital.com", "radnet.co.uk"],
    "title": ["Dr. {f}", "Dr {f}", "Dr. {g} {f}", "{g} {f}, MD", "Prof. {f}", "DR. {F}", "Nurse {f}", "{g} {i}. {f}, M.D."],
    "date": ["%m/%d/%Y", "%Y-%m-%d", "%B %d, %Y", "%d %b %Y", "%m/%d/%y", "%d.%m.%Y", "%b %d", "%m/%Y", "%B %Y",
             "%Y-%m-%dT10:30", "%A, %B %d, %Y", "%Y%m%d"],
    "patient": ["{g} {f}", "{f}, {g}", "{F}, {G}", "Mr. {f}", "{g}", "{f}", "{G} {F}", "{i}. {f}", "Mrs. {ff}", "{gg} {ff}"],
    "headers": [
        "Patient: {patient}   MRN: {mrn}   DOB: {birth}\nDate of exam: {date}   Accession: {accession}\n",
        "NAME: {patient}\nMEDICAL RECORD NUMBER: {mrn}\nBIRTH DATE: {birth}\nReferring physician: {doctor}\n",
        "{hospital}\nPatient Name: {patient}  ID {mrn}\nExam date {date}; order # {order}\n",
    ],
    "sentences": [
        "{patient} was seen in clinic on {date}.",
        "{patient}'s chest pain began on {date} and has not returned.",
        "Results were discussed with {doctor} by telephone on {date}.",
        "His wife {relative} called from {phone} about the result.",
        "She lives in {city} with her daughter {relative}.",
        "Please fax the report to {phone} or mail {email}.",
        "Home address: {street}, {town}.",
        "The patient is a {age}-year-old who was transferred from {hospital}.",
        "Images are at {url} on host {ip}.",
        "SSN {ssn}, insurance member ID {insurance}.",
        "Pager {pager}; office {phone}.",
        "Prior CT of {date} at {hospital} for comparison.",
        "Pacemaker serial number {serial} was interrogated on {date}.",
        "Study UID {uid} was sent to PACS.",
        "Dictated by {doctor}, transcribed {date}.",
        "The note of patient {other} was filed here by mistake.",
        "He was operated on by {doctor} in {date}.",
        "{doctor} recommended follow-up before {date}.",
        "Her brother {relative} had lung cancer.",
        "Account number {account}, driver's license {license}.",
        "cc: {doctor}; {doctor}.",
    ],
    "footers": [
        "\nElectronically signed by: {doctor} on {date}\n",
        "\nSigned: {doctor}\nT: {date}\n",
        "\nDictated by: {doctor}\nTranscribed: {date}  Job {order}\n",
    ],
    "clinical": [
        "There is no pleural effusion or pneumothorax.",
        "Kerley B lines and mild cardiomegaly suggest early failure.",
        "A Swan-Ganz catheter ends in the right pulmonary artery.",
        "History of Hodgkin lymphoma treated with six cycles.",
        "The patient may return to work; he will call if the cough returns.",
        "Motor strength 5/5 in all extremities, 2/6 systolic murmur.",
        "Brown sputum for three days, no fever.",
        "White count 12.4, creatinine 1.1 mg/dL, BP 120/80.",
        "Foley catheter in place; Parkinson disease is stable.",
        "A 5 x 7 mm nodule in the right upper lobe is unchanged.",
        "Wells score 4.5, Geneva score 7.",
        "Take 2 tablets twice a day for 10 days.",
    ],
}  # fmt: skip

SECOND = {
    "family": "Abernathy Czajkowski Østergaard Thibodeaux Baumgärtner MacLeish Ramanujan Villanueva-Ortiz Oyelaran D'Agostino "
    "Vandenberghe Kjellström Hoang Tsukamoto Bielawska Quintanilla Weatherby Fitzsimmons Zieliński Grünwald Case Snow "
    "Abdelrahman Mbeki Ó Ceallaigh Strand".replace("Ó Ceallaigh", "ÓCeallaigh").split(),
    "given": ["Beatrix", "Cornelius", "Dafydd", "Eulalia", "Ferdinand", "Guðrún", "Henrietta", "Ignatius", "Jiří", "Kazimiera", "Leopold", "Mireille", "Nkechi", "Ottilie", "Percival", "Rosalind", "Sébastien", "Tomoko", "Ulrike", "Valentina", "Wilhelmina", "Xavier", "Yevgeny", "Zbigniew", "Hope", "Dawn"],
    "street": ["77 Wentworth Crescent", "1905 SW Juniper Court, Suite 210", "310 12th Avenue", "6 Kingfisher Close",
               "Lindenallee 44", "2250 Old Mill Road"],
    "town": ["Duluth, MN 55802", "Santa Fe, NM 87501", "Chattanooga, TN 37402-0098", "Bozeman, MT 59715"],
    "city": ["Duluth", "Chattanooga", "Santa Fe", "Aberdeen", "Salzburg"],
    "hospital": ["Good Samaritan Regional Medical Center", "Whitfield County Hospital", "Sacred Heart Infirmary",
                 "Pinecrest Clinic", "Cedar Valley Health Center"],
    "domain": ["cedarvalley.health", "mail.whitfield.net", "uni-klinik.de"],
    "title": ["Dr. {g} {f}", "Dr. {f}", "{g} {f} MD", "{f}, {g}, MD", "Doctor {f}", "Dr. {i}. {f}", "Ms. {f}", "{g} {f}, RN",
              "Mr. {g} {f}", "Professor {g} {f}"],
    "date": ["%d/%m/%Y", "%d-%b-%Y", "%b. %d, %Y", "%d %B %Y", "%m-%d-%Y", "%Y/%m/%d", "%d.%m.%y", "%B %-d%o", "%b %Y",
             "%Y-%m-%d 08:15", "%a %b %d, %Y", "%Y%m%d%H%M", "the %-d%o of %B %Y"],
    "patient": ["{f} {g}", "{g} {i}. {f}", "{f},{g}", "Ms {f}", "Miss {ff}", "{ff} {gg}", "{F}^{G}", "{g}", "{f}", "{FF}"],
    "headers": [
        "RE: {patient}\nUnit No: {mrn}\nDate of birth: {birth}\nAdmitted: {date}  Discharged: {date}\n",
        "Pt: {patient} | MRN {mrn} | born {birth} | Acc# {accession}\nOrdering provider: {doctor}\n",
        "{hospital}, Department of Radiology\nSurname/first name: {patient}\nHospital number {mrn}  Visit {order}\nPerformed {date}\n",
    ],
    "sentences": [
        "I reviewed the films of {patient} on {date} together with {doctor}.",
        "We saw {patient} for follow-up; the last visit was {date}.",
        "According to the husband, {relative}, symptoms started around {date}.",
        "Critical findings were relayed to {doctor} at 14:05 on {date}.",
        "Contact: son {relative}, mobile {phone}.",
        "Originally from {city}, the patient works as a teacher.",
        "Questions: {email}, tel. {phone}, fax: {phone}.",
        "Lives at {street}, {town}.",
        "This {age} year old was referred by {doctor} of {hospital}.",
        "Archive: {url} (server {ip}).",
        "Social security number {ssn}; policy no. {insurance}.",
        "On call beeper {pager}.",
        "Compared with the examination of {date} from {hospital}.",
        "Implanted device S/N {serial} checked {date}.",
        "Series {uid} could not be loaded.",
        "A letter about {other} (wrong patient) was removed.",
        "Surgery was performed by {doctor} on {date} without complication.",
        "Next appointment with {doctor}: {date}.",
        "The patient's mother {relative} died of heart failure.",
        "Acct {account}; license no. {license}.",
        "Copies to: {doctor}, {doctor}.",
        "Accompanied by a neighbor, {relative}.",
    ],
    "footers": [
        "\nAttending radiologist: {doctor}\nFinalized {date}\n",
        "\nRead by {doctor}, verified by {doctor} {date}\n",
        "\nSincerely,\n{doctor}\n",
    ],
    "clinical": [
        "Lungs are clear; the heart is of normal size.",
        "Westermark sign is absent, and Hampton hump is not seen.",
        "Known Crohn disease and Graves disease, both in remission.",
        "Bochdalek hernia, unchanged; Schmorl nodes in the lower spine.",
        "She can walk a long flight of stairs; her hand is warm.",
        "Pitting edema 2+ to the knee, reflexes 2/4.",
        "Green stools and black coffee were denied.",
        "Sodium 138, potassium 4.2, ejection fraction 55 %.",
        "Hickman line and Jackson-Pratt drain remain.",
        "Stable 12 mm ground-glass opacity, Lung-RADS 3, Fleischner criteria apply.",
        "Glasgow coma scale 15; Apgar 9 and 10.",
        "One tablet every 8 hours with food for 2 weeks.",
    ],
}  # fmt: skip
SEALED = {
    "family": ["Hollingsworth", "Ravenscroft", "Szymański", "Bergström", "Achterberg", "Delacroix", "Iyengar", "Montemayor-Reyes", "Adeyemi", "O'Shaughnessy", "Vanderbilt", "Mäkelä", "Truong", "Yamaguchi", "Wojciechowska", "Zapata", "Butterworth", "Kilpatrick", "Dvořák", "Würthner", "Field", "Marsh", "Qureshi", "Dlamini", "Skjeggestad", "Winter"],
    "given": ["Archibald", "Clementine", "Eirlys", "Florian", "Gwendolyn", "Halvard", "Isolde", "Jacinta", "Květa", "Ludovic", "Marguerite", "Nobuko", "Octavia", "Philippa", "Quentin", "Raphaël", "Saoirse", "Thandiwe", "Urszula", "Vsevolod", "Winifred", "Yolanda", "Ximena", "Ágnes", "Robin", "Iris"],
    "street": ["9 Thistledown Lane", "640 NE Alder Street, Unit 12", "2718 Cobblestone Drive", "55 Queensway Terrace",
               "Mozartgasse 7", "1 Lighthouse Point Road"],
    "town": ["Fargo, ND 58102", "Las Cruces, NM 88001", "Tallahassee, FL 32301-0450", "Missoula, MT 59801"],
    "city": ["Fargo", "Las Cruces", "Tallahassee", "Inverness", "Innsbruck"],
    "hospital": ["Holy Trinity Medical Center", "Blackwood Memorial Hospital", "Riverside Children's Hospital",
                 "Elmhurst Clinic", "Harrison County Hospital"],
    "domain": ["elmhurst-clinic.org", "imaging.blackwood.net", "charite-nord.de"],
    "title": ["Dr. {f}", "Dr {g} {f}", "{g} {i}. {f}, MD", "{F}, {G}, MD", "Prof. {g} {f}", "Mrs. {f}", "Dr. {g} {i}. {f}",
              "{g} {f}, PhD", "Mr. {f}", "Sister {f}"],
    "date": ["%m.%d.%Y", "%d-%m-%Y", "%B %-d, %Y", "%-d %b %y", "%-m/%-d/%Y", "%Y.%m.%d", "%d%b%Y", "%-d%o %B", "%b-%Y",
             "%Y-%m-%d at 14:20", "%A %d %B %Y", "%-m/%-d/%y 22:05", "%b %-d%o, %Y"],
    "patient": ["{g} {f}", "{f}; {g}", "Mrs {f}", "Mr {ff}", "{gg} {i}. {ff}", "{G} {F}", "{f}", "{ff}, {gg}", "{gg}", "{F}"],
    "headers": [
        "PATIENT NAME: {patient}\nPATIENT ID: {mrn}\nD.O.B.: {birth}\nDATE OF STUDY: {date}\nORDERED BY: {doctor}\n",
        "Name: {patient}; Chart no. {mrn}; Birthdate {birth}; Exam # {accession}\n",
        "{hospital}\nRadiology report on {patient} (MRN: {mrn})\nCase {order}, examined {date}\n",
    ],
    "sentences": [
        "Thank you for referring {patient}, whom we examined on {date}.",
        "On {date} {patient} noticed swelling of both legs.",
        "Findings were communicated to {doctor} on {date}.",
        "The daughter, {relative}, can be reached at {phone}.",
        "Grew up in {city} and moved here as a child.",
        "Write to {email} or call {phone}.",
        "Mailing address: {street}, {town}.",
        "A {age} y/o patient sent by {doctor}.",
        "Stored under {url}, workstation {ip}.",
        "SSN: {ssn}. Insurance ID: {insurance}.",
        "Please page {pager} with results.",
        "The outside study of {date} ({hospital}) was loaded.",
        "Stent lot number {serial}, placed {date}.",
        "SOP instance {uid} is corrupt.",
        "Pages of {other} were scanned into this chart.",
        "Biopsy by {doctor} on {date} was benign.",
        "{doctor} will see the patient again on {date}.",
        "Her sister {relative} is healthy.",
        "Billing account {account}, license plate {license}.",
        "Copy to: {doctor}; {doctor}.",
        "Interview held with the help of his son {relative}.",
    ],
    "footers": [
        "\nReported by: {doctor}\nApproved: {date}\n",
        "\nDictated but not read: {doctor} {date}\n",
        "\nKind regards,\n{doctor}\n",
    ],
    "clinical": [
        "No focal consolidation; costophrenic angles are sharp.",
        "Virchow node is not palpable, and Homans sign is negative.",
        "Marfan syndrome and Raynaud phenomenon are known.",
        "A Meckel diverticulum was an incidental finding; Morgagni hernia is small.",
        "He may walk; she will rest; the wound is long and the skin is fair.",
        "Power 4/5 in the left arm, diastolic murmur 2/6.",
        "White sputum in winter, none in summer.",
        "Hemoglobin 9.8, platelets 210, pH 7.36, sats 97 %.",
        "A Greenfield filter and a Port-a-Cath are in place.",
        "Nodule 4 mm, category 2, Hounsfield units 35 to 60.",
        "Karnofsky 80, Child-Pugh A, Bosniak II cyst.",
        "Two puffs every 6 hours for 14 days.",
    ],
}  # fmt: skip
SETS = {"open": OPEN, "second": SECOND, "sealed": SEALED}
INDEPENDENT = "independent"
WHOLE = {INDEPENDENT: independent_notes, "independent-second": second_notes}


@dataclass(frozen=True)
class Planted:
    """One synthetic note: its text, and each identifier in it as kind, from, to."""

    text: str
    spans: tuple[tuple[str, int, int], ...]
    known: Known
    clock: Clock


def make_note(book: dict, rng: random.Random) -> Planted:
    """Draw a patient and a note about that patient."""
    family, given = rng.choice(book["family"]), rng.choice(book["given"])
    born = date(rng.randrange(1930, 2000), rng.randrange(1, 13), rng.randrange(1, 29))
    mrn = "".join(rng.choices(string.digits, k=rng.randrange(6, 10)))
    written = date(rng.randrange(*LATER_YEARS), rng.randrange(1, 13), rng.randrange(1, 29))
    facts = [PatientFacts(patient_id=mrn, name=f"{family}^{given}", birth_date=born)]
    known = known_of(facts, ids=())
    lines = [rng.choice(book["headers"])]
    body = rng.sample(book["sentences"], rng.randrange(5, 11)) + rng.sample(book["clinical"], rng.randrange(4, 8))
    rng.shuffle(body)
    lines += [" ".join(body), rng.choice(book["footers"])]
    parts: list[str] = []
    spans: list[tuple[str, int, int]] = []
    at = 0
    for piece in re.split(r"(\{\w+\})", "".join(lines)):
        text = piece
        if piece.startswith("{"):
            kind = piece[1:-1]
            text = _value(kind, book, rng, family=family, given=given, born=born, mrn=mrn, written=written)
            spans += [(kind, at + start, at + end) for start, end in _named(kind, text)]
        parts.append(text)
        at += len(text)
    clock = Clock(shift_days=rng.randrange(365, 3652), written=written)
    return Planted("".join(parts), tuple(spans), known, clock)


def whole(notes: list[Note]) -> list[Planted]:
    """The notes of `release_sealed` and `release_sealed_second`, as the others are."""
    return [
        Planted(note.text, note.spans, known_of(note.facts, ids=()), Clock(note.shift_days, written=note.written))
        for note in notes
    ]


def _value(
    kind: str, book: dict, rng: random.Random, *, family: str, given: str, born: date, mrn: str, written: date
) -> str:
    digits = lambda count: "".join(rng.choices(string.digits, k=count))  # noqa: E731
    if kind == "patient":
        return _name(rng.choice(book["patient"]), family, given)
    if kind in {"doctor", "relative", "other"}:
        others = [
            rng.choice([f for f in book["family"] if f != family]),
            rng.choice([g for g in book["given"] if g != given]),
        ]
        form = {"doctor": rng.choice(book["title"]), "relative": rng.choice(["{g}", "{g} {f}"]), "other": "{g} {f}"}[
            kind
        ]
        return _name(form, *others)
    if kind == "mrn":
        return rng.choice([mrn, mrn.zfill(10), f"{mrn[:3]}-{mrn[3:]}", f"{mrn[:3]} {mrn[3:]}"])
    if kind in {"date", "birth"}:
        day = born if kind == "birth" else written - timedelta(days=rng.randrange(1, 1500))
        whole = [form for form in book["date"] if "d" in form and form[-1] in "Yydo" and ("Y" in form or "y" in form)]
        return _date(rng.choice(whole if kind == "birth" else book["date"]), day)
    return {
        "phone": lambda: rng.choice([f"({digits(3)}) 555-{digits(4)}".replace("(0", "(2").replace("(1", "(3"),
                                     f"617-555-{digits(4)}", f"+49 30 {digits(7)}", f"617.555.{digits(4)}"]),
        "pager": lambda: digits(5),
        "email": lambda: f"{_ascii(given)}.{_ascii(family)}{digits(2)}@{rng.choice(book['domain'])}",
        "url": lambda: f"https://pacs.{rng.choice(book['domain'])}/view?study={digits(6)}",
        "ip": lambda: f"10.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(1, 255)}",
        "ssn": lambda: f"{rng.randrange(100, 600)}-{rng.randrange(10, 99)}-{rng.randrange(1000, 9999)}",
        "insurance": lambda: f"{rng.choice('ABCDX')}{rng.choice('EFGHZ')}{digits(9)}",
        "accession": lambda: rng.choice([f"CT-{digits(4)}-{digits(5)}", f"A{digits(8)}", digits(9)]),
        "order": lambda: digits(7),
        "account": lambda: digits(10),
        "license": lambda: f"{rng.choice('DKLS')}{digits(3)}-{digits(4)}",
        "serial": lambda: f"PJN{digits(6)}H",
        "uid": lambda: f"1.2.840.{digits(6).lstrip('0') or 1}.{rng.randrange(1, 99)}.{rng.randrange(1, 999)}.{digits(8).lstrip('0') or 1}",
        "age": lambda: str(rng.randrange(90, 104)),
        "street": lambda: rng.choice(book["street"]),
        "town": lambda: rng.choice(book["town"]),
        "city": lambda: rng.choice(book["city"]),
        "hospital": lambda: rng.choice(book["hospital"]),
    }[kind]()  # fmt: skip


def _name(form: str, family: str, given: str) -> str:
    return form.format(
        f=family, g=given, F=family.upper(), G=given.upper(), i=given[0], ff=_ascii(family), gg=_ascii(given),
        FF=_ascii(family).upper(),
    )  # fmt: skip


def _ascii(name: str) -> str:
    """As a keyboard without accents has it: Müller becomes Mueller."""
    import unicodedata

    for letter, pair in (
        ("ü", "ue"),
        ("ö", "oe"),
        ("ä", "ae"),
        ("ß", "ss"),
        ("ø", "oe"),
        ("Ø", "Oe"),
        ("ð", "d"),
        ("ł", "l"),
        ("ı", "i"),
    ):
        name = name.replace(letter, pair)
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().replace("'", "")


def _date(form: str, day: date) -> str:
    ending = "th" if 10 < day.day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day.day % 10, "th")
    return day.strftime(form.replace("%o", ending).replace("%H%M", "0815"))


def _named(kind: str, text: str) -> list[tuple[int, int]]:
    """Where the identifying part of a value lies: titles, degrees and times of day are not."""
    if kind in {"doctor", "patient"}:
        start = re.match(r"(?:(?:Dr|Prof|Mr|Mrs|Ms|DR|Miss|Nurse|Sister|Doctor|Professor)\b\.?\s*)?", text)
        end = re.search(r",? (?:MD|M\.D\.|RN|PhD)$", text)
        return [(start.end() if start else 0, end.start() if end else len(text))]
    if kind in {"date", "birth"}:
        start = re.match(r"(?:the )?", text)
        end = re.search(r"(?:T| | at )\d\d:\d\d$|(?<=\d{8})\d{4}$", text)
        return [(start.end() if start else 0, end.start() if end else len(text))]
    return [(0, len(text))]


def measure(name: str, count: int, seed: int) -> tuple[Counter, Counter, Counter, int, float, list[str]]:
    """Planted and found by kind, words removed and kept, the clinical words, seconds, and misses."""
    rng = random.Random(seed)
    notes = whole(WHOLE[name]()) if name in WHOLE else [make_note(SETS[name], rng) for _ in range(count)]
    find_identifiers("warm up 1", clock=Clock(shift_days=None))
    planted: Counter = Counter()
    found: Counter = Counter()
    words: Counter = Counter()
    misses: list[str] = []
    began = time.perf_counter()
    results = [find_identifiers(note.text, known=note.known, clock=note.clock) for note in notes]
    seconds = time.perf_counter() - began
    for note, result in zip(notes, results, strict=True):
        covered = bytearray(len(note.text))
        true = bytearray(len(note.text))
        for item in result:
            same = note.text[item.start : item.end] == item.instead
            covered[item.start : item.end] = bytes([0 if same else 1]) * (item.end - item.start)
        for kind, start, end in note.spans:
            true[start:end] = b"\1" * (end - start)
            planted[kind] += 1
            signs = [at for at in range(start, end) if note.text[at].isalnum()]
            if all(covered[at] for at in signs):
                found[kind] += 1
            else:
                misses.append(
                    f"{kind}: {note.text[max(0, start - 30) : start]!r} {note.text[start:end]!r} {note.text[end : end + 12]!r}"
                )
        for match in re.finditer(r"[^\W_]+", note.text):
            inside = any(true[match.start() : match.end()])
            gone = any(covered[match.start() : match.end()])
            words["removed right"] += inside and gone
            words["removed wrong"] += gone and not inside
            words["clinical"] += not inside
            if gone and not inside:
                misses.append(f"false: {note.text[max(0, match.start() - 25) : match.end() + 15]!r}")
    return planted, found, words, len(notes), seconds, misses


def measure_speed(count: int, seed: int) -> tuple[float, float]:
    """Notes of 1,000 characters a CPU second: each of a new patient, and all of one."""
    rng = random.Random(seed)
    notes = [make_note(OPEN, rng) for _ in range(count)]
    speeds = []
    for known in ([note.known for note in notes], [notes[0].known] * count):
        began = time.process_time()
        for note, whose in zip(notes, known, strict=True):
            with contextlib.suppress(RefusedError):
                deidentify((note.text * 2)[:1000], known=whose, clock=note.clock)
        speeds.append(count / (time.process_time() - began))
    return speeds[0], speeds[1]


def words_of(text: str) -> list[str]:
    """The words of a text, tags as one word."""
    return re.findall(r"\[[A-Z ]+\]|[^\W_]+(?:['’\-.][^\W_]+)*", text)


def measure_reports(path: Path) -> tuple[int, int, int, float, Counter]:
    """Reports, words, words removed, seconds, and what was removed."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    columns = ("indication", "comparison", "findings", "impression")
    texts = [prepare("\n".join(f"{column.upper()}: {row[column]}" for column in columns)) for row in rows]
    clock = Clock(shift_days=None)
    began = time.perf_counter()
    results = [find_identifiers(text, clock=clock) for text in texts]
    seconds = time.perf_counter() - began
    removed: Counter = Counter()
    for text, result in zip(texts, results, strict=True):
        for item in result:
            gone = [word for word in words_of(text[item.start : item.end]) if "XXX" not in word]
            removed[f"{item.kind}: {' '.join(gone)}"] += len(gone)
    return len(texts), sum(len(words_of(text)) for text in texts), sum(removed.values()), seconds, +removed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--notes", type=int, default=NOTES, help=f"in each set but {' and '.join(WHOLE)}")
    parser.add_argument("--sets", nargs="+", default=[*SETS, *WHOLE], choices=[*SETS, *WHOLE])
    parser.add_argument("--seed", type=int, default=20261124)
    parser.add_argument("--reports", type=Path, help="indiana_reports.csv")
    parser.add_argument("--show", type=int, default=0, help="how many misses to print")
    given = parser.parse_args()
    failed = False
    print(f"Method {METHOD}; synthetic notes, {given.notes} a set; {INDEPENDENT}: 120; independent-second: 80.\n")
    for name in given.sets:
        planted, found, words, count, seconds, misses = measure(name, given.notes, given.seed)
        print(f"### {name}\n\n| kind | planted | recall |\n| --- | ---: | ---: |")
        for kind in sorted(planted):
            print(f"| {kind} | {planted[kind]} | {found[kind] / planted[kind]:.4f} |")
        recall = found.total() / planted.total()
        right, wrong = words["removed right"], words["removed wrong"]
        print(f"| **all {len(planted)}** | {planted.total()} | **{recall:.4f}** |\n")
        print(f"Words removed rightly {right}, wrongly {wrong}: precision {right / (right + wrong):.4f}; of the clinical "
              f"words {1 - wrong / words['clinical']:.4%} stay. {count / seconds:.0f} notes/s.\n")  # fmt: skip
        for miss, times in Counter(misses).most_common(given.show):
            print(f"    {times} {miss}")
        failed |= recall < FLOOR
    new, same = measure_speed(min(given.notes, 300), given.seed)
    print(f"Notes of 1,000 characters a CPU second: {new:.0f} each of a new patient, {same:.0f} all of one.\n")
    if given.reports:
        reports, words_read, removed, seconds, what = measure_reports(given.reports)
        print(f"### Real reports without identifiers\n\n{reports} reports, {words_read} words: {removed} removed falsely "
              f"({removed / words_read:.4%}), {reports / seconds:.0f} reports/s.\n")  # fmt: skip
        for miss, times in what.most_common(given.show):
            print(f"    {times} {miss}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
