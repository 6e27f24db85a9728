from __future__ import annotations

import pytest
from fhir.resources.R4B import get_fhir_model_class
from hypothesis import given, settings
from hypothesis import strategies as st

from data_schemas.reasons import Reason
from pipelines.sources.fhir import read_fhir

BUNDLE = """<?xml version="1.0" encoding="UTF-8"?>
<Bundle xmlns="http://hl7.org/fhir"><type value="collection"/>
<entry><fullUrl value="urn:uuid:1"/><resource><Patient><id value="p1"/>
 <text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml">Ada</div></text>
 <extension url="urn:x"><valueString value="y"/></extension>
 <identifier><type><coding><code value="MR"/></coding><text value="record"/></type><value value="00123"/></identifier>
 <active value="true"/><name><family value="Example"/><given value="Ada"/><given value="B"/></name>
 <gender value="female"/><birthDate value="1950-06-01"/></Patient></resource></entry>
<entry><resource><Observation><status value="final"/>
 <code><coding><system value="http://loinc.org"/><code value="29463-7"/></coding></code>
 <subject><reference value="Patient/p1"/></subject><effectiveDateTime value="2024-03-05T08:00:00Z"/>
 <valueQuantity><value value="70.50"/><unit value="kg"/></valueQuantity></Observation></resource></entry>
<entry><resource><DiagnosticReport><contained><ImagingStudy><id value="s"/>
   <identifier><system value="urn:dicom:uid"/><value value="urn:oid:1.2.3"/></identifier><status value="available"/>
   <subject><reference value="Patient/p1"/></subject></ImagingStudy></contained>
 <status value="final"/><code><text value="CT"/></code><subject><reference value="Patient/p1"/></subject>
 <imagingStudy><reference value="#s"/></imagingStudy><conclusion value="true"/></DiagnosticReport></resource></entry>
<entry><resource><Basic><code><text value="passed over"/></code></Basic></resource></entry>
</Bundle>"""


def test_a_bundle_in_xml_is_read_as_one_in_json(write) -> None:
    records = read_fhir([write("b.xml", BUNDLE)])
    assert not records.refused
    assert [(item.code, item.value) for item in records.observations] == [("sex", "F"), ("weight", 70.5)]
    (note,) = records.notes
    assert (note.text, note.study_uid, note.patient.patient_id, note.patient.name) == (
        "true",
        "1.2.3",
        "00123",
        "Example^Ada^B",
    )


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            '<!DOCTYPE b [<!ENTITY x SYSTEM "file:///etc/passwd">]><Bundle xmlns="http://hl7.org/fhir">&x;</Bundle>',
            "entities",
        ),
        ('<!DOCTYPE b [<!ENTITY a "SECRET"><!ENTITY b "&a;&a;">]><Bundle>&b;</Bundle>', "entities"),
        ('<!DOCTYPE b SYSTEM "http://127.0.0.1:9/x.dtd"><Bundle/>', "document type"),
        ('<ClinicalDocument xmlns="urn:hl7-org:v3"/>', "a CDA document"),
        ("<html><body>SECRET</body></html>", "XML that is not FHIR's"),
        ("<Bundle", "not XML"),
        ("", "not XML"),
        ('<?xml version="1.0" encoding="nonsense"?><Bundle/>', "not XML"),
        ('<Patient xmlns="http://hl7.org/fhir"/>', "no FHIR Bundle"),
    ],
)
def test_other_xml_is_one_refused_file_with_how_to_mend_it(write, content: str, told: str) -> None:
    (line,) = read_fhir([write("b.xml", content)]).refused
    assert (line.reason, told in line.detail) == (Reason.NOT_A_RECORD, True), line.detail
    assert "SECRET" not in line.detail


def test_an_unknown_field_is_refused_by_its_resource(write) -> None:
    content = BUNDLE.replace('<active value="true"/>', '<secret value="SECRET"/>')
    lines = read_fhir([write("b.xml", content)]).refused
    assert lines[0].detail.startswith("no valid R4 Patient")
    assert "SECRET" not in repr(lines)


def test_deep_nesting_is_refused(write) -> None:
    deep = "<contained><Basic>" * 500 + "</Basic></contained>" * 500
    records = read_fhir([write("b.xml", BUNDLE.replace('<active value="true"/>', deep))])
    assert [line.detail for line in records.refused] == ["XML nested more than 60 deep"]


def test_nested_extensions_are_left_out_however_deep(write) -> None:
    inner = "<extension url='u'>" * 5_000 + "</extension>" * 5_000
    records = read_fhir([write("b.xml", BUNDLE.replace('<active value="true"/>', inner))])
    assert (len(records.notes), records.refused) == (1, ())


@settings(deadline=None)  # it writes and reads a file, on machines that do other things too
@given(st.text(alphabet="<>/ab'\"=&;!?-[]Bundle ", max_size=80))
def test_any_xml_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.xml"
    path.write_text(f'<Bundle xmlns="http://hl7.org/fhir">{text}</Bundle>')
    read_fhir([path])


def test_every_field_of_the_models_is_known_as_one_or_many() -> None:
    """The models state by their types what repeats; a change of that shape would be found here."""
    from pipelines.sources.fhir_xml import _shape

    shape = _shape(get_fhir_model_class("Observation"))
    assert shape["component"][1]
    assert shape["component"][0].__name__ == "ObservationComponent"
    assert not shape["code"][1]
    assert shape["status"] == (None, False)
