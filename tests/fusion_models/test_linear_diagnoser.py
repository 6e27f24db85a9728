"""The linear reader: its logits by hand, absence, padding, and the shares of its evidence."""

from __future__ import annotations

import pytest
import torch

from fusion_models.linear_diagnoser import LinearDiagnoser
from fusion_models.observation_encoder import Values
from fusion_models.tokens import Tokens
from fusion_models.value_vector import ValueVector


def tokens(rows: list[list[list[float]]], longest: int) -> Tokens:
    """Rows of tokens, padded with NaN."""
    width = len(rows[0][0])
    values = torch.full((len(rows), longest, width), float("nan"))
    mask = torch.zeros(len(rows), longest, dtype=torch.bool)
    for number, row in enumerate(rows):
        values[number, : len(row)] = torch.tensor(row)
        mask[number, : len(row)] = True
    return Tokens(
        values.nan_to_num(0.0), mask, torch.zeros(len(rows), longest, 1), torch.zeros_like(mask, dtype=torch.long)
    )


def reader() -> LinearDiagnoser:
    """Note: centre 1, spread 2, weight 3, offset 0.5, share 0.5; scan: weight (1, -1), share 1; bias -1."""
    made = LinearDiagnoser(findings=1, features={"scan": 2, "note": 1})
    one = torch.ones(1)
    made.fill(
        torch.tensor([-1.0]),
        {
            "scan": {"weight": torch.tensor([[1.0, -1.0]]), "share": one},
            "note": {
                "centre": torch.tensor([[1.0]]),
                "spread": torch.tensor([[2.0]]),
                "weight": torch.tensor([[3.0]]),
                "offset": torch.tensor([0.5]),
                "share": torch.tensor([0.5]),
            },
        },
    )
    return made.eval()


def test_the_logit_is_the_bias_and_every_modalitys_share_of_its_score() -> None:
    """Note: mean of 2 and 4 is 3, level (3 - 1) / 2 = 1, score 3.5, half of it; scan: 2 - 0.5."""
    given = {"scan": tokens([[[2.0, 0.5]]], 1), "note": tokens([[[2.0], [4.0]]], 3)}
    assert reader()(given).logits.item() == pytest.approx(-1 + 1.5 + 1.75)


def test_a_missing_modality_adds_nothing_and_padding_does_not_count() -> None:
    note = tokens([[[2.0], [4.0]], [[2.0], [4.0]]], 5)
    note = Tokens(note.values, note.mask & torch.tensor([[True], [False]]), note.position, note.source)
    given = {"scan": tokens([[[2.0, 0.5]]] * 2, 1), "note": note}
    assert reader()(given).logits.flatten().tolist() == pytest.approx([2.25, 0.5])


def test_a_feature_beyond_all_that_was_seen_is_held() -> None:
    given = {"scan": tokens([[[1e6, 0.0]]], 1), "note": tokens([[[1.0]]], 1)}
    assert reader()(given).logits.item() == pytest.approx(-1 + 5 + 0.25)


def test_the_shares_sum_to_one_and_name_the_token_that_moved_the_score() -> None:
    given = {"scan": tokens([[[0.0, 0.0]]], 1), "note": tokens([[[1.0], [9.0]]], 3)}
    attention = reader()(given).attention
    assert sum(part.sum().item() for part in attention.values()) == pytest.approx(1.0)
    assert attention["note"][0, 0].argmax().item() == 1
    assert attention["note"].shape == (1, 1, 4)  # the last slot is the absence's


def test_where_nothing_moves_the_score_the_shares_are_even_over_what_a_case_has_whatever_is_read_beside_it() -> None:
    given = {"scan": tokens([[[0.0, 0.0]], [[0.0, 0.0]]], 1), "note": tokens([[[1.0]], [[1.0]] * 3], 5)}
    hidden = given["note"].mask & torch.tensor([[False], [True]])
    given["note"] = Tokens(given["note"].values, hidden, given["note"].position, given["note"].source)
    made = LinearDiagnoser(findings=1, features={"scan": 2, "note": 1})
    attention = made(given).attention
    assert attention["scan"][:, 0].tolist() == [[0.5, 0.0], [0.25, 0.0]]
    assert attention["note"][:, 0].tolist() == [[0.0] * 5 + [0.5], [0.25] * 3 + [0.0] * 3]
    alone = made({name: part.take(torch.tensor([1])) for name, part in given.items()}).attention
    assert alone["note"][0, 0].tolist() == [0.25] * 3 + [0.0]


def test_the_mean_of_value_tokens_is_the_vector_of_the_case() -> None:
    """Code 0: 3 of mean 1 and deviation 2 is level 1; code 2 is at its mean; code 1 is not known."""
    encoder = ValueVector(codes=3)
    encoder.centre.copy_(torch.tensor([1.0, 0.0, 5.0]))
    encoder.scale.copy_(torch.tensor([2.0, 1.0, 1.0]))
    values = Values(
        code=torch.tensor([[0, 2, 0]]),
        value=torch.tensor([[3.0, 5.0, 99.0]]),
        age_days=torch.zeros(1, 3),
        mask=torch.tensor([[True, True, False]]),
    )
    made = encoder(values)
    mean = made.values[0, :2].mean(dim=0)
    assert mean.tolist() == [1.0, 0.0, 0.0, 1.0, 0.0, 1.0]
    assert made.values[0, 2].tolist() == [0.0] * 6
