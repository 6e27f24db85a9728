from __future__ import annotations

import pytest
import torch

from fusion_models.concept_encoder import ConceptEncoder, Mentions


@pytest.fixture
def encoder() -> ConceptEncoder:
    torch.manual_seed(0)
    return ConceptEncoder(findings=4, assertions=3, sides=2, features=6)


def mentions(finding, assertion, side, mask=None, place=None) -> Mentions:
    finding = torch.tensor(finding)
    return Mentions(
        finding=finding,
        assertion=torch.tensor(assertion),
        side=torch.tensor(side),
        place=torch.zeros(*finding.shape, 2) if place is None else torch.tensor(place),
        mask=torch.ones_like(finding, dtype=torch.bool) if mask is None else torch.tensor(mask),
    )


def test_a_token_is_the_sum_of_its_finding_its_assertion_and_its_side(encoder):
    torch.nn.init.normal_(encoder.finding.weight)
    expected = encoder.finding.weight[3] + encoder.assertion.weight[1] + encoder.side.weight[0]
    assert torch.allclose(encoder(mentions([[3]], [[1]], [[0]])).values[0, 0], expected)


def test_findings_that_training_never_saw_read_alike(encoder):
    tokens = encoder(mentions([[0, 3]], [[1, 1]], [[0, 0]]))
    assert torch.equal(tokens.values[0, 0], tokens.values[0, 1])


def test_what_is_said_of_a_finding_is_told_apart_from_the_first_step(encoder):
    tokens = encoder(mentions([[2, 2]], [[0, 1]], [[0, 0]]))
    assert not torch.allclose(tokens.values[0, 0], tokens.values[0, 1])


def test_a_masked_slot_is_zero_and_has_no_source(encoder):
    tokens = encoder(mentions([[1, 0]], [[2, 0]], [[1, 0]], mask=[[True, False]]))
    assert tokens.source.tolist() == [[0, -1]]
    assert not tokens.values[0, 1].any()


def test_a_token_lies_at_its_section_and_sentence(encoder):
    assert encoder(mentions([[1]], [[0]], [[0]], place=[[[2.0, 5.0]]])).position.tolist() == [[[2.0, 5.0]]]
