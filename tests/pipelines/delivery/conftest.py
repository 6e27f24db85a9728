"""Makers of small cases and diagnoses, and a reader of the pages they become."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from data_schemas.case import Case
from data_schemas.diagnosis import Diagnosis, Evidence, ModelReference, Score
from data_schemas.note import Note, Section
from data_schemas.observation import Observation
from data_schemas.scan import Geometry, PatientFacts, Scan, ScanFile
from pipelines.delivery.case_page import write_case_page
from pipelines.notes.sections import split_sections

STUDY = "0123456789abcdef" * 2
PATIENT = PatientFacts(patient_id="MRN-778899", name="Doe^Jane", sex="F", birth_date=date(1961, 7, 23))
TEXT = "COMPLAINT:\nShort of breath. Puffy feet.\n\nFAMILY HISTORY:\nNothing of note."
VOID = {"meta", "link", "br", "img", "input", "hr"}
BLOCKS = {"td", "th", "tr", "div", "li", "dt", "dd", "p"}


@dataclass
class Element:
    """One element of a page: its tag, attributes, and the text within it."""

    tag: str
    attributes: dict[str, str]
    text: str = ""


@dataclass
class Page(HTMLParser):
    """A parsed page; a tag that is closed by another one is an error."""

    elements: list[Element] = field(default_factory=list)
    stack: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        if tag in BLOCKS:
            self.handle_data(" ")
        self.elements.append(element)
        if tag not in VOID:
            self.stack.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop().tag == tag

    def handle_data(self, data: str) -> None:
        for element in self.stack:
            element.text += data

    def all(self, tag: str, **attributes: str) -> list[Element]:
        wanted = {name.rstrip("_"): value for name, value in attributes.items()}
        return [
            element
            for element in self.elements
            if element.tag == tag
            and all(value in element.attributes.get(name, "").split() for name, value in wanted.items())
        ]

    def by_id(self, name: str) -> Element:
        (element,) = [item for item in self.elements if item.attributes.get("id") == name]
        return element

    @property
    def text(self) -> str:
        (body,) = self.all("body")
        return " ".join(body.text.split())

    @property
    def pictures(self) -> list[np.ndarray]:
        """The PNGs of the page in its order, as grey values [rows, columns]."""
        sources = [element.attributes["href"] for element in self.all("image")]
        return [np.asarray(Image.open(io.BytesIO(base64.b64decode(source.split(",")[1])))) for source in sources]


@pytest.fixture(scope="session")
def parse() -> Callable[[Path], Page]:
    def read(path: Path) -> Page:
        page = Page()
        page.feed(path.read_text(encoding="utf-8"))
        page.close()
        assert not page.stack
        return page

    return read


@pytest.fixture(scope="session")
def geometry() -> Callable[..., Geometry]:
    def make(
        shape: tuple[int, int, int] = (20, 32, 32), spacing: tuple[float, float, float] = (4.0, 2.0, 2.0)
    ) -> Geometry:
        """Axial slices from feet to head, rows to the back, columns to the left (LPS), as most scanners have it."""
        z, y, x = spacing
        return Geometry(
            shape=shape,
            spacing_mm=spacing,
            affine=((-x, 0, 0, 100.0), (0, -y, 0, 50.0), (0, 0, z, -30.0), (0, 0, 0, 1)),
        )

    return make


@pytest.fixture(scope="session")
def case(geometry: Callable[..., Geometry]) -> Callable[..., Case]:
    def make(text: str | None = TEXT, *, scanned: Geometry | None = None, modality: str = "CT", **changes: Any) -> Case:
        scan = Scan(
            scan_id="a" * 64,
            format="dicom",
            patient=PATIENT,
            study_uid="1.2.840.99",
            series_uid="1.2.840.99.1",
            accession="ACC-4711",
            modality=modality,
            transfer_syntax="1.2.840.10008.1.2.1",
            acquired=datetime(2025, 3, 5, 12),
            geometry=scanned or geometry(),
            files=(ScanFile(path="/pacs/doe_jane/1.dcm", sha256="b" * 64, size=1),),
        )
        note = Note(
            note_id="NOTE-MRN-778899",
            patient=PATIENT,
            written=datetime(2025, 3, 3, 9, 30),
            kind="letter",
            text=text or "",
        )
        values = {
            "study_key": STUDY,
            "patient_key": "fedc" * 8,
            "cut_off": datetime(2025, 3, 5, 12),
            "scan": scan,
            "notes": () if text is None else (note,),
            "observations": (Observation(patient=PATIENT, code="weight", value=71.5, unit="kg"),),
            "history": ("linked: scans 1 of 1",),
        }
        return Case.model_validate(values | changes)

    return make


@pytest.fixture(scope="session")
def diagnosis() -> Callable[..., Diagnosis]:
    def make(of: Case | None = None, **changes: Any) -> Diagnosis:
        values = {
            "key": "d" * 64,
            "study_key": of.study_key if of else STUDY,
            "patient_key": "fedc" * 8,
            "inputs_digest": of.inputs_digest if of else "1" * 64,
            "settings_digest": "2" * 64,
            "model": ModelReference(name="scanote-chest-ct", version="7", digest="3" * 64),
            "backend": "torch-cpu",
            "precision": "fp32",
            "scores": (
                Score(finding="pneumonia", probability=0.625),
                Score(finding="pleural-effusion", probability=0.25),
            ),
        }
        return Diagnosis.model_validate(values | changes)

    return make


@pytest.fixture(scope="session")
def told() -> Callable[..., Evidence]:
    def make(source: str, weight: float = 0.5) -> Evidence:
        return Evidence(modality="note", source=source, weight=weight)

    return make


@pytest.fixture(scope="session")
def seen() -> Callable[..., Evidence]:
    def make(*position: float, weight: float = 0.5) -> Evidence:
        return Evidence(modality="scan", source="0", weight=weight, position_mm=position)

    return make


@pytest.fixture(scope="session")
def sections() -> Callable[[Case], list[tuple[Note, tuple[Section, ...]]]]:
    return lambda case: [(note, split_sections(note.text)) for note in case.notes]


@pytest.fixture
def page(
    tmp_path: Path,
    case: Callable[..., Case],
    diagnosis: Callable[..., Diagnosis],
    sections: Callable[[Case], list[tuple[Note, tuple[Section, ...]]]],
    parse: Callable[[Path], Page],
) -> Callable[..., Page]:
    """Write the page of a case and read it."""

    def make(of: Case | None = None, *, volume: np.ndarray | None = None, **changes: Any) -> Page:
        of = of or case()
        arguments = {name: changes.pop(name) for name in ("region_mm", "input_sections", "geometry") if name in changes}
        if volume is not None and of.scan:
            arguments.setdefault("geometry", of.scan.geometry)
        path = write_case_page(
            tmp_path,
            diagnosis(of, **changes),
            case=of,
            sections=sections(of),
            volume=volume,
            **{"geometry": None, **arguments},
        )
        return parse(path)

    return make
