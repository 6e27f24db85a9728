from __future__ import annotations

import socket
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.notes.release.dates import Clock
from pipelines.notes.release.deidentify import deidentify, find_identifiers, prepare
from pipelines.notes.release.spans import Found, replace_all, settle
from pipelines.notes.release.words import tokens_of

CLOCK = Clock(shift_days=1000)


def clean(text: str) -> str:
    return deidentify(text, clock=CLOCK).text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Seen by Dr. Nkechi Oyelaran today.", "Seen by Dr. [NAME] today."),
        ("Discussed with Dr. van der Berg.", "Discussed with Dr. [NAME]."),
        ("dr smith agrees", "dr [NAME] agrees"),
        ("Read by Ana Quiroga, MD", "Read by [NAME], MD"),
        ("Electronically signed by: WEATHERBY, JOHN", "Electronically signed by: [NAME]"),
        ("Referring physician: Tomoko Abe", "Referring physician: [NAME]"),
        ("cc: A. Weatherby; B. Strand", "cc: [NAME]; [NAME]"),
        ("His wife Ottilie called.", "His wife [NAME] called."),
        ("Her brother Will had it.", "Her brother [NAME] had it."),
        ("A word about Ottilie Grünwald here.", "A word about [NAME] here."),
        ("Sincerely,\nTomoko Abe", "Sincerely,\n[NAME]"),
        ("Call (617) 555-0199 now.", "Call [PHONE] now."),
        ("Fax: +49 30 1234567.", "Fax: [PHONE]."),
        ("Pager 4711.", "Pager [PHONE]."),
        ("Mail a.b@c-hospital.local soon.", "Mail [EMAIL] soon."),
        ("See https://pacs.local/x?id=3 or 10.0.3.7.", "See [URL] or [IP]."),
        ("SSN 123-45-6789.", "SSN [ID]."),
        ("MRN: 00123.", "MRN: [ID]."),
        ("Accession # CT-2021-00042", "Accession # [ID]"),
        ("UID 1.2.840.113619.2.55.3 here", "UID [ID] here"),
        ("Lives at 12 Oak Street, Springfield, IL 62704.", "Lives at [ADDRESS]."),
        ("Postcode SW1A 1AA.", "Postcode [ADDRESS]."),
        ("Lindenallee 44, 10115 Berlin", "[ADDRESS]"),
        ("She lives in New Orleans now.", "She lives in [PLACE] now."),
        ("Transferred from Whitfield County Hospital.", "Transferred from [PLACE]."),
        ("Dr. Strand of Sacred Heart Infirmary", "Dr. [NAME] of [PLACE]"),
    ],
)
def test_an_identifier_is_replaced_by_its_kind(text: str, expected: str) -> None:
    assert clean(text) == expected


@pytest.mark.parametrize(
    "text",
    ["Hodgkin lymphoma in remission.", "A Swan-Ganz catheter is in place.", "Kerley B lines are seen.",
     "Known Crohn disease and Parkinson disease.", "Foley catheter removed.", "Bochdalek hernia, unchanged.",
     "Wells score 4.5 and Glasgow coma scale 15.", "Brief Hospital Course: stable.", "In the Emergency Department.",
     "Discussed with Cardiology and Infectious Disease.", "PA and lateral views of the chest.",
     "Patient History: Cough.", "Findings were discussed with the patient.", "Take 2 tablets 3 times a day, 10 days.",
     "Hemoglobin 9.8, platelets 210, sodium 138.", "T8 vertebra, L4-L5 disc, C6-C7.", "Lung-RADS 3, BI-RADS 2.",
     "Right IJ line with tip in the SVC.", "COMPARISON: None.", "Series 3, image 45, 512 x 512 pixels."],
)  # fmt: skip
def test_words_of_medicine_stay(text: str) -> None:
    assert clean(text) == text


def test_counts_are_told_and_no_text_in_a_repr() -> None:
    done = deidentify("Dr. Abe saw Mr. Ono on 2021-03-05.", clock=CLOCK)
    assert done.counts == {"DATE": 1, "NAME": 2}
    assert "Abe" not in repr(done)
    assert "Abe" not in repr(tokens_of("Dr. Abe"))


def test_signs_that_are_not_seen_hide_nothing() -> None:
    assert clean("Mail a\u200b.b@c\u00ad-hospital.org, SSN １２３-４５-６７８９.") == "Mail [EMAIL], SSN [ID]."


def test_a_run_without_blanks_is_no_text() -> None:
    assert clean(f"see {'QUJD' * 400} end") == "see [REMOVED] end"


@pytest.mark.parametrize(
    "text", ["a" * 1_000_000, "Dr. " * 4000, "( " * 20_000, "a@ " * 4000, "12/ 3" * 1500, "Smith, " * 4000]
)
def test_hostile_text_takes_no_more_than_seconds(text: str) -> None:
    clean("Dr. Abe")  # the recognisers are loaded
    began = time.process_time()
    clean(text)
    assert time.process_time() - began < 10


def test_the_network_is_not_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert clean("Mail a.b@example.org, www.example.org") == "Mail [EMAIL], [URL]"


@given(st.text(max_size=200))
def test_findings_are_in_order_and_never_overlap(text: str) -> None:
    ready = prepare(text)
    found = find_identifiers(ready, clock=CLOCK)
    assert all(one.end <= other.start for one, other in pairwise(found))
    assert all(0 <= item.start < item.end <= len(ready) for item in found)


def test_of_two_findings_at_one_place_the_first_stays_whole() -> None:
    text = "abc 12345 def"
    found = settle(text, [Found(4, 9, "DATE", "1"), Found(0, 13, "PLACE")])
    assert replace_all(text, found) == "[PLACE]1[PLACE]"
