from __future__ import annotations

import pytest
import torch

from fusion_models.observation_encoder import ObservationEncoder, Values


def level(encoder: ObservationEncoder, code: int, value: float) -> float:
    """The standardised value, read off a token by a linear map that keeps it."""
    with torch.no_grad():
        encoder.code.weight.zero_()
        encoder.value.bias.zero_()
        encoder.value.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
        known = torch.ones(1, 1, dtype=torch.bool)
        tokens = encoder(Values(torch.tensor([[code]]), torch.tensor([[value]]), torch.zeros(1, 1), known))
    first, second = tokens.values[0, 0].tolist()
    assert second == pytest.approx(first**2)
    return first


def fitted(*rows: tuple[int, float], codes: int = 2) -> ObservationEncoder:
    encoder = ObservationEncoder(codes=codes, features=2)
    code, value = torch.tensor([[code for code, _ in rows]]).long(), torch.tensor([[value for _, value in rows]])
    encoder.fit(Values(code, value, torch.zeros_like(value), torch.ones_like(code, dtype=torch.bool)))
    return encoder


def test_values_are_standardised_by_mean_and_deviation_of_their_code():
    encoder = fitted((0, 40.0), (0, 60.0), (1, 1.0), (1, 5.0))
    assert level(encoder, 0, 70.0) == pytest.approx(2.0)
    assert level(encoder, 1, 1.0) == pytest.approx(-1.0)


def test_a_code_never_seen_keeps_its_values():
    assert level(fitted((0, 40.0), (0, 60.0)), 1, 2.5) == 2.5


def test_an_outlier_is_held_at_five_deviations():
    assert level(fitted((0, 40.0), (0, 60.0)), 0, 1e6) == 5.0


def test_rounding_of_a_constant_value_is_not_taken_for_its_spread():
    assert abs(level(fitted(*[(0, 70.1)] * 7), 0, 70.1)) < 1e-3


def test_a_value_seen_once_is_its_own_mean():
    assert level(fitted((0, 3.0)), 0, 4.0) == pytest.approx(1.0)


def test_fitting_on_nothing_changes_nothing():
    encoder = ObservationEncoder(codes=2, features=2)
    unknown = torch.zeros(1, 1, dtype=torch.bool)
    encoder.fit(Values(torch.zeros(1, 1).long(), torch.full((1, 1), 7.0), torch.zeros(1, 1), unknown))
    assert level(encoder, 0, 1.5) == 1.5


def test_an_unknown_slot_is_masked_and_zero_whatever_its_value():
    encoder = ObservationEncoder(codes=2, features=4)
    value = torch.tensor([[1.0, float("nan")]])
    tokens = encoder(Values(torch.zeros(1, 2).long(), value, torch.zeros(1, 2), torch.tensor([[True, False]])))
    assert tokens.source.tolist() == [[0, -1]]
    assert not tokens.values[0, 1].any()


def test_the_position_of_a_value_is_its_age():
    encoder = ObservationEncoder(codes=1, features=4)
    known = torch.ones(1, 1, dtype=torch.bool)
    tokens = encoder(Values(torch.zeros(1, 1).long(), torch.zeros(1, 1), torch.tensor([[12.0]]), known))
    assert tokens.position.tolist() == [[[12.0]]]
