from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from data_schemas.diagnosis import Lane, ModelReference, Score
from data_schemas.errors import InputError
from data_schemas.note import Section
from data_schemas.observation import Observation
from data_schemas.reasons import MEANING, Reason, Remark
from data_schemas.scan import PatientFacts
from data_schemas.target import Estimate
from pipelines.delivery.case_page import write_case_page
from pipelines.delivery.render import showable

BAD = "<script>alert(1)</script><img src=x onerror=alert(1)> \"'&amp; {{ 7*7 }}"
TWO = ("pneumonia", "heart-failure")


def lungs(of, value=-850.0):
    return np.full(of.scan.geometry.shape, value, np.float32)


def head(page):
    return page.all("title")[0].text


# what is found


def test_findings_stand_in_the_order_of_the_model_with_their_names_and_scores(page):
    shown = page()
    assert [element.text for element in shown.all("span", class_="name")] == ["Pneumonia", "Pleural effusion"]
    assert [element.text for element in shown.all("span", class_="num")] == ["0.62", "0.25"]


def test_that_scores_are_not_calibrated_is_said_once(page):
    assert page(remarks=(Remark.UNCALIBRATED,)).text.lower().count("calibrated") == 1


def test_calibrated_scores_carry_no_such_note(page):
    assert "calibrated" not in page(calibrated=True).text


def test_the_lane_is_told_with_its_meaning(page):
    assert "refuse The model does not speak on this study" in page(lane=Lane.REFUSE).text


def test_reasons_and_remarks_carry_their_meaning(page, case):
    of = case(remarks=(Remark.LOSSY,))
    text = page(of, reasons=(Reason.TILTED,), remarks=(Remark.NO_OBSERVATION,)).text
    assert all(MEANING[code] in text for code in (Reason.TILTED, Remark.NO_OBSERVATION, Remark.LOSSY))


def test_provenance_names_model_digests_backend_and_schema(page):
    text = page(history=("predict: done",)).text
    for part in ("scanote-chest-ct version 7", "3" * 64, "2" * 64, "d" * 64, "torch-cpu, fp32", "Schema version 1"):
        assert part in text
    assert "linked: scans 1 of 1 predict: done" in text


def test_a_line_of_history_stands_once(page, case):
    assert page(case(), history=("linked: scans 1 of 1",)).text.count("linked: scans") == 1


def test_observations_are_listed_with_their_unit_and_moment(page, case):
    rows = [row.text.split() for row in page(case()).all("tr")]
    assert rows[-1] == ["weight", "71.5", "kg", "undated"]


def test_estimates_of_targets_are_told_with_how_sure_they_are(page):
    grade = Estimate(target="severity", kind="ordinal", probabilities=(0.004, 0.25, 0.746), level=2)
    sure = Estimate(target="fev1", kind="regression", value=2.346, unit="L", low=1.9, high=2.75, coverage=0.9)
    plain = Estimate(target=BAD, kind="regression", value=17.0, unit="1")
    shown = page(estimates=(grade, sure, plain)).by_id("targets").text
    assert "severity" in shown
    assert "level 2 of 0 to 2" in shown
    assert "0: <0.01 · 1: 0.25 · 2: 0.75" in shown
    assert "2.35 L" in shown
    assert "1.9 to 2.75 L (90 % of cases like those of the validation split)" in shown
    assert BAD in shown
    assert "no interval" in shown


def test_a_diagnosis_without_targets_has_no_such_section(page):
    assert not [element for element in page().elements if element.attributes.get("id") == "targets"]


# what is missing


def test_a_missing_scan_is_stated(page, case):
    assert "This study has no scan" in page(case(scan=None, cut_off=None)).text


def test_a_missing_note_is_stated(page, case):
    assert "This study has no note" in page(case(None)).text


def test_a_missing_observation_is_stated(page, case):
    assert "This study has no observation" in page(case(observations=())).text


def test_a_scan_that_cannot_be_shown_is_stated(page):
    shown = page(volume=None)
    assert "The scan cannot be shown on this page." in shown.text
    assert not shown.pictures


# evidence in the notes


def test_the_sentence_that_a_finding_rests_on_is_marked_in_the_note(page, told):
    shown = page(scores=(Score(finding="pneumonia", probability=0.5, evidence=(told("0/0/1"),)),))
    assert [element.text for element in shown.all("mark")] == ["Puffy feet."]


def test_a_finding_quotes_its_sentence_and_points_to_it(page, told):
    shown = page(scores=(Score(finding="pneumonia", probability=0.5, evidence=(told("0/0/1"),)),))
    (quote,) = shown.all("a", class_="quote")
    assert quote.text == "Puffy feet."
    assert shown.by_id(quote.attributes["href"][1:]).text == "Puffy feet."


def test_a_finding_rests_on_its_three_strongest_sentences(page, case, told):
    of = case("COMPLAINT:\nOne. Two. Three. Four.")
    evidence = tuple(told(f"0/0/{number}", weight) for number, weight in enumerate((0.1, 0.4, 0.2, 0.3)))
    shown = page(of, scores=(Score(finding="pneumonia", probability=0.5, evidence=evidence),))
    assert [quote.text for quote in shown.all("a", class_="quote")] == ["Two.", "Four.", "Three."]
    assert [element.text for element in shown.all("mark")] == ["Two.", "Three.", "Four."]


def test_a_sentence_names_every_finding_that_rests_on_it(page, told):
    scores = tuple(
        Score(finding=name, probability=0.5, evidence=(told("0/0/0"),)) for name in ("pneumonia", "heart-failure")
    )
    (note_mark,) = page(scores=scores).all("sup")
    assert note_mark.text == "1,2"


@pytest.mark.parametrize("source", ["0/0/99", "7/0/0", "0/9/0", "0/0", "-1/0/0", "x", "0/0/٣", "0/0/0/0", ""])
def test_evidence_that_points_to_no_sentence_says_so_and_marks_nothing(page, told, source):
    shown = page(scores=(Score(finding="pneumonia", probability=0.5, evidence=(told(source),)),))
    assert f"a sentence that is not in these notes ({source})" in shown.text
    assert not shown.all("mark")


def test_sections_that_the_model_does_not_read_say_so(page):
    shown = page(input_sections=("complaint",))
    assert [element.text.split()[:2] for element in shown.all("div", class_="unread")] == [["family", "history"]]


def test_a_value_that_a_finding_rests_on_is_named(page, told):
    evidence = told("weight").model_copy(update={"modality": "observation"})
    shown = page(scores=(Score(finding="pneumonia", probability=0.5, evidence=(evidence,)),))
    assert [link.text for link in shown.all("a", class_="region")] == ["weight 71.5 kg"]


def test_a_concept_is_named_with_what_is_said_of_it_and_points_to_its_sentence(page, told):
    evidence = told("0/0/1#cardiomegaly/negated/left").model_copy(update={"modality": "concept"})
    shown = page(scores=(Score(finding="pneumonia", probability=0.5, evidence=(evidence,)),))
    [link] = shown.all("a", class_="region")
    assert (link.text, link.attributes["href"]) == ("Cardiomegaly, negated, left", "#s-0-0-1")
    assert shown.by_id("s-0-0-1").text == "Puffy feet."


def test_a_sentence_that_is_told_as_text_and_as_concept_is_marked_once_with_both_shares(page, told):
    concept = told("0/0/1#cardiomegaly/negated", 0.25).model_copy(update={"modality": "concept"})
    score = Score(finding="pneumonia", probability=0.5, evidence=(told("0/0/1", 0.5), concept))
    [mark] = page(scores=(score,)).all("sup")
    assert mark.text == "1"
    assert [link for link in page(scores=(score,)).all("a") if "75 %" in link.attributes.get("title", "")]


@pytest.mark.parametrize("source", ["0/0/99#cardiomegaly/negated", "cardiomegaly", "0/0/1"])
def test_a_concept_that_points_to_no_sentence_or_says_nothing_breaks_no_link(page, told, source):
    evidence = told(source).model_copy(update={"modality": "concept"})
    shown = page(scores=(Score(finding="pneumonia", probability=0.5, evidence=(evidence,)),))
    targets = {element.attributes["id"] for element in shown.elements if "id" in element.attributes}
    links = [link.attributes["href"] for link in shown.all("a") if link.attributes["href"].startswith("#")]
    assert {link[1:] for link in links} <= targets


# evidence in the scan


def test_a_voxel_at_the_left_front_and_head_lies_right_and_above_in_the_pictures(page, case, seen):
    of = case()
    volume = lungs(of)
    volume[16, 5, 27] = 3000.0  # slices to the head, rows to the back, columns to the left
    position = (100.0 - 2 * 27, 50.0 - 2 * 5, -30.0 + 4 * 16)
    shown = page(of, volume=volume, scores=(Score(finding="pneumonia", probability=0.5, evidence=(seen(*position),)),))
    axial, _, coronal, sagittal = (
        (np.argwhere(picture == picture.max()).mean(axis=0) + 0.5) / picture.shape for picture in shown.pictures
    )
    assert axial == pytest.approx([5.5 / 32, 27.5 / 32], abs=0.03)
    assert coronal == pytest.approx([1 - 16.5 / 20, 27.5 / 32], abs=0.03)
    assert sagittal == pytest.approx([1 - 16.5 / 20, 5.5 / 32], abs=0.03)


def test_the_cross_is_drawn_at_the_place(page, case, seen):
    of = case()  # 64 mm wide and deep, on 256 pixels: a quarter of a millimetre each
    position = (100.0 - 2 * 27, 50.0 - 2 * 5, 2.0)
    shown = page(
        of, volume=lungs(of), scores=(Score(finding="pneumonia", probability=0.5, evidence=(seen(*position),)),)
    )
    assert shown.all("path", class_="mark")[0].attributes["d"].startswith("M204.0 44.0h")  # 55/64·256 - 16, 11/64·256


def test_the_region_is_drawn_as_a_box_where_its_size_is_known(page, case, seen):
    of = case()
    scores = (Score(finding="pneumonia", probability=0.5, evidence=(seen(70, 20, 2),)),)
    shown = page(of, volume=lungs(of), scores=scores, region_mm=(16, 8, 8))
    assert [shown.all("rect")[0].attributes[name] for name in ("width", "height")] == ["64.0", "32.0"]


def test_a_place_that_two_findings_share_has_one_row_of_pictures(page, case, seen):
    of = case()
    scores = tuple(
        Score(finding=name, probability=0.5, evidence=(seen(70, 20, 2),)) for name in ("pneumonia", "heart-failure")
    )
    shown = page(of, volume=lungs(of), scores=scores)
    assert len(shown.pictures) == 4
    assert [link.attributes["href"] for link in shown.all("a", class_="region")] == ["#r-1", "#r-1"]


def test_the_likeliest_finding_has_the_first_region(page, case, seen):
    of = case()
    scores = (
        Score(finding="pneumonia", probability=0.1, evidence=(seen(60, 20, 2),)),
        Score(finding="heart-failure", probability=0.9, evidence=(seen(80, 20, 2),)),
    )
    assert "R 80 · A 20 · S 2 mm" in page(of, volume=lungs(of), scores=scores).by_id("r-1").text


def test_three_regions_have_pictures_and_the_others_are_told(page, case, seen):
    of = case()
    scores = tuple(Score(finding=f"f-{x}", probability=0.5, evidence=(seen(x, 20, 2),)) for x in (50, 60, 70, 80, 90))
    shown = page(of, volume=lungs(of), scores=scores)
    assert len(shown.pictures) == 12
    for link in shown.all("a", class_="region"):
        assert shown.by_id(link.attributes["href"][1:])


def test_a_region_outside_of_the_volume_is_told_and_not_drawn(page, case, seen):
    of = case()
    scores = (Score(finding="pneumonia", probability=0.5, evidence=(seen(900, 20, 2),)),)
    shown = page(of, volume=lungs(of), scores=scores)
    assert "outside of the scanned volume" in shown.text
    assert not shown.all("path", class_="mark")


def test_key_slices_are_there_without_any_evidence_and_unmarked(page, case):
    of = case()
    shown = page(of, volume=lungs(of))
    assert [element.text.strip() for element in shown.all("figcaption")] == [
        "Axial, lung window",
        "Axial, soft-tissue window",
        "Coronal, lung window",
        "Sagittal, lung window",
    ]
    assert not shown.all("path", class_="mark")


def test_another_modality_than_ct_is_shown_in_its_own_range(page, case):
    of = case(modality="MR")
    shown = page(of, volume=np.linspace(0, 4000, 20 * 32 * 32, dtype=np.float32).reshape(20, 32, 32))
    assert [element.text.strip() for element in shown.all("figcaption")] == [
        f"{view}, full range" for view in ("Axial", "Coronal", "Sagittal")
    ]


def test_a_page_of_pure_noise_stays_under_400_kilobytes(page, case, seen, geometry, tmp_path):
    of = case(scanned=geometry((96, 96, 96), (3.0, 3.0, 3.0)))
    volume = np.random.default_rng(0).uniform(-1350, 240, (96, 96, 96)).astype(np.float32)
    scores = tuple(Score(finding=f"f-{x}", probability=0.5, evidence=(seen(x, 0, 60),)) for x in (-60, 0, 60))
    shown = page(of, volume=volume, scores=scores)
    assert len(shown.pictures) == 12
    (path,) = tmp_path.iterdir()
    assert path.stat().st_size < 400_000


def test_pictures_are_at_most_256_pixels_wide(page, case):
    of = case()
    assert all(max(picture.shape) <= 256 for picture in page(of, volume=lungs(of)).pictures)


# privacy, safety, order


def test_no_identity_of_the_patient_stands_anywhere(page, case, told, seen, tmp_path):
    of = case()
    scores = (Score(finding="pneumonia", probability=0.5, evidence=(told("0/0/0"), seen(70, 20, 2))),)
    page(of, volume=lungs(of), scores=scores)
    (path,) = tmp_path.iterdir()
    text = path.read_text(encoding="utf-8") + path.name
    for private in ("778899", "Doe", "Jane", "1961", "07-23", "1.2.840.99", "ACC-4711", "/pacs"):
        assert private not in text


def test_file_name_and_title_come_from_the_key(page, tmp_path):
    assert head(page()) == "Study 0123456789ab · scanote"
    assert [path.name for path in tmp_path.iterdir()] == ["0123456789abcdef.html"]


def test_the_page_is_self_contained(page, case, tmp_path):
    of = case()
    shown = page(of, volume=lungs(of))
    (policy,) = [item for item in shown.all("meta") if "http-equiv" in item.attributes]
    assert policy.attributes["content"] == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    links = [
        element.attributes[name] for element in shown.elements for name in ("href", "src") if name in element.attributes
    ]
    assert all(link.startswith(("#", "data:image/png;base64,")) or link == "index.html" for link in links)
    assert "://" not in next(tmp_path.iterdir()).read_text(encoding="utf-8")
    assert not [element for element in shown.elements if element.tag in {"script", "link", "iframe", "object"}]


def test_every_link_within_the_page_has_its_target_once(page, case, told, seen):
    of = case()
    scores = tuple(
        Score(finding=f"f-{x}", probability=0.5, evidence=(told("0/0/0"), told("0/1/0"), seen(x, 20, 2)))
        for x in (60, 70, 80, 90, 900)
    )
    shown = page(of, volume=lungs(of), scores=scores)
    targets = {link.attributes["href"][1:] for link in shown.all("a") if link.attributes["href"].startswith("#")}
    assert len(targets) > 10
    assert all(shown.by_id(target) for target in targets)


def test_the_same_case_gives_the_same_bytes(page, case, told, seen, tmp_path):
    of = case()
    volume = np.random.default_rng(0).normal(-500, 400, of.scan.geometry.shape).astype(np.float32)
    scores = (Score(finding="pneumonia", probability=0.5, evidence=(told("0/0/0"), seen(70, 20, 2))),)
    page(of, volume=volume, scores=scores)
    first = next(tmp_path.iterdir()).read_bytes()
    page(of, volume=volume.copy(), scores=scores)
    assert next(tmp_path.iterdir()).read_bytes() == first


def test_hostile_text_in_every_field_stays_text(page, case, told):
    of = case(f"COMPLAINT:\n{BAD}")
    notes = (of.notes[0].model_copy(update={"kind": BAD}),)
    values = (Observation(patient=PatientFacts(patient_id="7"), code=BAD, value=BAD, unit=BAD),)
    of = of.model_copy(update={"notes": notes, "observations": values, "history": (BAD,)})
    evidence = (told("0/0/0"), told(BAD), told(BAD).model_copy(update={"modality": BAD}))
    shown = page(
        of,
        model=ModelReference(name=BAD, version=BAD, digest=BAD),
        backend=BAD,
        precision=BAD,
        settings_digest=BAD,
        history=(BAD,),
        scores=(Score(finding=BAD, probability=0.5, evidence=evidence),),
    )
    assert not shown.all("script")
    assert not shown.all("img")
    assert not [name for element in shown.elements for name in element.attributes if name.startswith("on")]
    assert shown.text.count(BAD) >= 14
    assert "49" not in shown.all("mark")[0].text


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(min_size=1, max_size=200))
@example(text="</span></body><!-- <![CDATA[ &lt; &#0; ]]> -->")
@example(text="a\x00b\r\nc\rd\x1b[31m\u202edcba\ufdd0")
@example(text="<mark id='s-0-0-0'>")
def test_any_note_text_is_shown_as_it_is_and_changes_nothing_around_it(text, case, diagnosis, parse, told, tmp_path):
    of = case(text)
    parts = [(of.notes[0], (Section(name="body", sentences=(text, "After.")),))]
    made = diagnosis(of, scores=(Score(finding="pneumonia", probability=0.5, evidence=(told("0/0/0"),)),))
    path = write_case_page(tmp_path, made, case=of, sections=parts, volume=None, geometry=None)
    shown = parse(path)
    assert shown.by_id("s-0-0-0").text == showable(text)
    assert [element.text for element in shown.all("span", class_="s")] == ["After."]


# what does not belong together


def test_a_case_whose_inputs_changed_since_the_diagnosis_is_refused(case, diagnosis, sections, tmp_path):
    of = case("COMPLAINT:\nNew words.")
    with pytest.raises(InputError, match="inputs changed since the diagnosis"):
        write_case_page(tmp_path, diagnosis(case()), case=of, sections=sections(of), volume=None, geometry=None)
    assert not list(tmp_path.iterdir())


def test_a_case_of_another_study_is_refused(page, case):
    with pytest.raises(ValueError, match="another study"):
        page(case(), study_key="f" * 32)


def test_sections_of_other_notes_are_refused(case, diagnosis, sections, tmp_path):
    of = case()
    with pytest.raises(ValueError, match="sections must be those"):
        write_case_page(tmp_path, diagnosis(of), case=of, sections=sections(case("Other.")), volume=None, geometry=None)


@pytest.mark.parametrize("shape", [(19, 32, 32), (20, 32)])
def test_a_volume_of_another_shape_is_refused(page, case, shape):
    with pytest.raises(ValueError, match="geometry of its own shape"):
        page(case(), volume=np.zeros(shape, np.float32))


def test_a_volume_without_geometry_is_refused(page, case):
    of = case()
    with pytest.raises(ValueError, match="geometry of its own shape"):
        page(of, volume=lungs(of), geometry=None)
