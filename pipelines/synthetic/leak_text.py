"""What leaks write into a note: findings in their own words, the impression of a report, an addendum from later.

None of it stands in the phrase book: without these dials no finding's own word is in an input.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import numpy as np

from data_schemas.finding import findings
from pipelines.synthetic.text import phrases

NAMED = ("pleural-effusion", "pulmonary-mass", "heart-failure", "pneumonia")
SECTION = "HISTORY"
_SAID = ("Known {}.", "{} was diagnosed.", "The patient has {}.")
_DENIED = ("No {}.", "No sign of {}.", "{} was ruled out.")
_MEASURED = {
    "pleural-effusion": "Pleural effusion of {} mm depth reaching to {} mm below the carina.",
    "ground-glass-opacity": "Ground-glass opacity over {} per cent of the lung volume at a mean of -{} HU.",
    "pulmonary-mass": "Pulmonary mass of {} by {} mm with spiculated margins.",
    "heart-failure": "Signs of heart failure with a cardiac width of {} mm and septal lines over {} segments.",
    "pneumonia": "Pneumonia with air bronchograms over {} mm in series {}.",
}


def write_report(labels: Mapping[str, int], *, rng: np.random.Generator) -> str:
    """The report of a study: it tells the labels, with figures of its own."""
    series, image, level = rng.integers(2, 9), rng.integers(20, 400), rng.integers(100, 300)
    told = [
        frame.format(*rng.integers(11, 99, 2)) if labels[name] else f"No {_word(name, 0)}."
        for name, frame in _MEASURED.items()
    ]
    findings_of = f"The carina lies {level} mm below the apex on image {image} of series {series}."
    return f"FINDINGS:\n{findings_of}\n\nIMPRESSION:\n{' '.join(told)} Reference image {image} of series {series}."


def impression_of(report: str) -> str:
    """The impression of such a report, without its heading."""
    return report.partition("IMPRESSION:\n")[2]


def label_words(labels: Mapping[str, int], *, rng: np.random.Generator) -> str:
    """Sentences that say of the main findings, in words of their own, whether they are labelled."""
    told = []
    for name in NAMED:
        frame = (_SAID if labels[name] else _DENIED)[int(rng.integers(3))]
        words = frame.format(_word(name, int(rng.integers(99))))
        told.append(words[0].upper() + words[1:])
    return " ".join(told)


def addendum(labels: Mapping[str, int], *, scanned: datetime, rng: np.random.Generator) -> str:
    """An entry stamped days after the scan; what it says depends on the label of pneumonia."""
    stamped = scanned + timedelta(days=int(rng.integers(1, 21)), minutes=int(rng.integers(0, 600)))
    outcome = "as was suspected at the time" if labels["pneumonia"] else "unlike what was suspected at the time"
    return f"Addendum {stamped:%Y-%m-%d %H:%M}: seen in clinic again, {outcome}."


def with_line(note: str, line: str) -> str:
    """A note with one more line at the end of its history."""
    blocks = note.split("\n\n")
    return "\n\n".join(f"{block}\n{line}" if block.startswith(f"{SECTION}:") else block for block in blocks)


def with_other_line(note: str) -> str:
    """A note with another medication: almost the same one."""
    head, _, rest = note.partition("MEDICATIONS:\n")
    said, _, after = rest.partition("\n\n")
    other = next(line for line in phrases()["filler"]["medications"] if line != said)
    return f"{head}MEDICATIONS:\n{other}\n\n{after}"


def _word(name: str, turn: int) -> str:
    known = findings()[name].synonyms
    return known[turn % len(known)]
