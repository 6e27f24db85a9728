"""Labels from reports: the rules in their order, each on a report that turns with it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_schemas.concept import Concept
from data_schemas.finding import entailments, findings
from pipelines.notes.labels import NEGATIVE, POSITIVE, UNCERTAIN, labels_from_report, labels_of

ORDER = ("findings", "impression")
ASSERTIONS = ("present", "negated", "uncertain", "historical", "family", "hypothetical")


@pytest.mark.parametrize(
    ("report", "finding", "label"),
    [
        pytest.param("FINDINGS: Small effusion.", "pleural-effusion", 1, id="positive"),
        pytest.param("FINDINGS: No effusion.", "pleural-effusion", 0, id="negative"),
        pytest.param("FINDINGS: Possible effusion.", "pleural-effusion", -1, id="uncertain"),
        pytest.param("FINDINGS: No effusion.", "pneumothorax", None, id="unmentioned"),
        pytest.param(
            "FINDINGS: Left effusion. No right effusion.", "pleural-effusion", 1, id="positive beats negative"
        ),
        pytest.param(
            "FINDINGS: Possible effusion.\nIMPRESSION: Effusion.", "pleural-effusion", 1, id="the impression decides"
        ),
        pytest.param(
            "FINDINGS: Possible effusion.\nIMPRESSION: No effusion.", "pleural-effusion", 0, id="the impression denies"
        ),
        pytest.param(
            "FINDINGS: Effusion.\nIMPRESSION: No large effusion.", "pleural-effusion", 1, id="positive wins anywhere"
        ),
        pytest.param("FINDINGS: Atelectasis.", "lung-opacity", 1, id="a parent is positive with its child"),
        pytest.param("FINDINGS: Possible atelectasis.", "lung-opacity", -1, id="a parent is uncertain with its child"),
        pytest.param(
            "FINDINGS: The lungs are clear. Possible atelectasis.", "lung-opacity", -1, id="a child weakens a denial"
        ),
        pytest.param("FINDINGS: Hydropneumothorax.", "pneumothorax", 1, id="implied"),
        pytest.param("FINDINGS: The lungs are clear.", "atelectasis", 0, id="a child is negative with its parent"),
        pytest.param("FINDINGS: The lungs are hyperinflated.", "low-lung-volumes", 0, id="excluded"),
        pytest.param("FINDINGS: Normal.\nINDICATION: Pneumonia.", "pneumonia", None, id="other sections do not count"),
        pytest.param("FINDINGS: History of pneumonia.", "pneumonia", None, id="the past says nothing"),
        pytest.param("IMPRESSION: CT to rule out pneumonia.", "pneumonia", None, id="what is asked for says nothing"),
        pytest.param("Small effusion. No pneumothorax.", "pleural-effusion", 1, id="without headings: read whole"),
    ],
)
def test_a_label(report: str, finding: str, label: int | None) -> None:
    assert labels_from_report(report)[finding] == label


def test_the_sections_can_be_chosen() -> None:
    report = "FINDINGS: Effusion.\nIMPRESSION: No effusion."
    assert labels_from_report(report, sections=("impression",))["pleural-effusion"] == NEGATIVE


def test_every_known_finding_has_an_answer() -> None:
    assert list(labels_from_report("")) == list(findings())


def test_two_that_exclude_each_other_are_left_as_the_report_has_them() -> None:
    labels = labels_from_report("FINDINGS: Hyperinflation. Low lung volumes on the lateral view.")
    assert (labels["hyperinflation"], labels["low-lung-volumes"]) == (POSITIVE, POSITIVE)


@given(
    st.lists(
        st.tuples(st.sampled_from(list(findings())), st.sampled_from(ORDER), st.sampled_from(ASSERTIONS)), max_size=12
    )
)
def test_labels_are_coherent_and_keep_every_positive_mention(said: list[tuple[str, str, str]]) -> None:
    concepts = [
        Concept(finding=finding, start=0, end=1, sentence=0, section=section, assertion=assertion)  # type: ignore[arg-type]
        for finding, section, assertion in said
    ]
    labels = labels_of(concepts, order=ORDER)
    assert all(labels[finding] == POSITIVE for finding, _, assertion in said if assertion == "present")
    rank = {NEGATIVE: 0, None: 0, UNCERTAIN: 1, POSITIVE: 2}
    assert all(rank[labels[low]] <= rank[labels[high]] for low, high in entailments(findings()))
    for low, high in entailments(findings()):
        assert not (labels[high] == NEGATIVE and labels[low] is None)
