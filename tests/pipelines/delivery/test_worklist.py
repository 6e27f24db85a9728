from __future__ import annotations

from datetime import datetime

import pytest

from data_schemas.diagnosis import Lane, ModelReference, Score
from data_schemas.reasons import MEANING, Reason, Remark
from pipelines.delivery.worklist import write_worklist

MORNING = datetime(2025, 3, 6, 7, 30)


@pytest.fixture
def worklist(tmp_path, parse):
    def make(*diagnoses, **changes):
        return parse(write_worklist(tmp_path, diagnoses, generated=MORNING, **changes))

    return make


def scored(diagnosis, key, *probabilities, **changes):
    scores = tuple(
        Score(finding=name, probability=value)
        for name, value in zip(
            ("pneumonia", "heart-failure", "pleural-effusion", "pulmonary-mass"), probabilities, strict=False
        )
    )
    return diagnosis(study_key=key * 32, scores=scores, **changes)


def studies(page):
    return [element.text.split()[0] for element in page.all("td", class_="study")]


def test_the_highest_score_comes_first(worklist, diagnosis):
    page = worklist(scored(diagnosis, "a", 0.2), scored(diagnosis, "b", 0.1, 0.9), scored(diagnosis, "c", 0.5))
    assert [key[0] for key in studies(page)] == ["b", "c", "a"]


def test_equal_scores_are_ordered_by_study(worklist, diagnosis):
    page = worklist(*(scored(diagnosis, key, 0.5) for key in "cab"))
    assert [key[0] for key in studies(page)] == ["a", "b", "c"]


def test_a_study_without_scores_comes_last(worklist, diagnosis):
    page = worklist(scored(diagnosis, "a"), scored(diagnosis, "b", 0.0))
    assert [key[0] for key in studies(page)] == ["b", "a"]


def test_a_row_shows_the_three_highest_findings_in_their_order(worklist, diagnosis):
    page = worklist(scored(diagnosis, "a", 0.3, 0.1, 0.8, 0.5))
    (cell,) = page.all("td", class_="scores")
    assert cell.text.split() == ["Pleural", "effusion0.80", "Pulmonary", "mass0.50", "Pneumonia0.30"]


def test_a_bar_is_as_long_as_its_score(worklist, diagnosis):
    page = worklist(scored(diagnosis, "a", 0.625))
    assert [item.attributes["style"] for item in page.all("span") if "style" in item.attributes] == ["width:62.5%"]


def test_a_study_is_linked_where_its_page_lies(worklist, diagnosis, tmp_path):
    (tmp_path / ("a" * 16 + ".html")).touch()
    page = worklist(scored(diagnosis, "a", 0.5), scored(diagnosis, "b", 0.4))
    assert [link.attributes["href"] for link in page.all("a")] == ["a" * 16 + ".html"]


def test_remarks_carry_their_meaning(worklist, diagnosis):
    page = worklist(scored(diagnosis, "a", 0.5, remarks=(Remark.NO_NOTE,)))
    chip = page.all("span", class_="chip", title=MEANING[Remark.NO_NOTE].split()[0])[0]
    assert chip.text == "no-note"
    assert MEANING[Remark.NO_NOTE] in page.text


def test_reasons_are_shown_as_remarks_are(worklist, diagnosis):
    page = worklist(scored(diagnosis, "a", 0.5, reasons=(Reason.MISSING_SLICES,), lane=Lane.REFUSE))
    assert MEANING[Reason.MISSING_SLICES] in page.text


def test_lanes_are_counted(worklist, diagnosis):
    page = worklist(scored(diagnosis, "a", 0.5), scored(diagnosis, "b", 0.4), scored(diagnosis, "c", lane=Lane.REFUSE))
    assert "confident 0" in page.text
    assert "review 2" in page.text
    assert "refuse 1" in page.text


def test_the_header_says_research_use_only(worklist):
    assert "Research use only" in worklist().text


def test_the_header_names_the_model_its_digest_and_that_it_is_ungated(worklist, diagnosis):
    page = worklist(scored(diagnosis, "a", 0.5))
    assert "scanote-chest-ct version 7 ungated" in page.text
    assert page.all("code", title="3" * 64)


def test_several_models_are_told_apart_with_their_studies(worklist, diagnosis):
    newer = ModelReference(name="scanote-chest-ct", version="8", digest="8" * 64, ungated=False)
    page = worklist(scored(diagnosis, "a", 0.5), scored(diagnosis, "b", 0.4, model=newer))
    assert "version 7, 1 study" in page.text
    assert "version 8, 1 study" in page.text


def test_that_scores_are_uncalibrated_is_said_once(worklist, diagnosis):
    many = [scored(diagnosis, key, 0.5, remarks=(Remark.UNCALIBRATED,)) for key in "abc"]
    assert worklist(*many).text.lower().count("calibrated.") == 1
    assert "uncalibrated" not in worklist(*many).text


def test_calibrated_scores_carry_no_such_note(worklist, diagnosis):
    assert "Not calibrated" not in worklist(scored(diagnosis, "a", 0.5, calibrated=True)).text


def test_what_failed_and_what_was_set_aside_is_counted_with_its_meaning(worklist):
    page = worklist(failed={"prediction-failed": 2}, quarantined={"own-report": 3, "tilted": 30, "lossy": 0})
    rows = [" ".join(row.text.split()) for row in page.all("tr")]
    assert f"2 prediction-failed {MEANING[Reason.PREDICTION_FAILED]}" in rows
    assert rows.index(f"30 tilted {MEANING[Reason.TILTED]}") < rows.index(f"3 own-report {MEANING[Reason.OWN_REPORT]}")
    assert "lossy" not in page.text


def test_an_empty_ledger_is_stated(worklist):
    assert "There is no diagnosis in the ledger." in worklist().text


def test_the_page_is_self_contained(worklist, diagnosis, tmp_path):
    page = worklist(scored(diagnosis, "a", 0.5))
    assert page.all("meta", content="default-src")
    assert "://" not in (tmp_path / "index.html").read_text(encoding="utf-8")
    assert not [element for element in page.elements if element.tag in {"script", "link", "iframe", "object"}]


def test_the_same_ledger_gives_the_same_bytes_in_any_order(worklist, diagnosis, tmp_path):
    made = [scored(diagnosis, key, 0.5, remarks=(Remark.LOSSY, Remark.NO_NOTE)) for key in "abc"]
    worklist(*made)
    first = (tmp_path / "index.html").read_bytes()
    worklist(*made[::-1])
    assert (tmp_path / "index.html").read_bytes() == first


def test_hostile_names_and_codes_stay_text(worklist, diagnosis):
    bad = "<script>alert(1)</script>\"'>"
    model = ModelReference(name=bad, version=bad, digest=bad)
    scores = (Score(finding=bad, probability=0.5),)
    page = worklist(diagnosis(model=model, scores=scores), failed={bad: 1}, quarantined={bad: 1})
    assert not page.all("script")
    assert page.text.count(bad) == 5
