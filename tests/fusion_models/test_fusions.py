"""The contract, run on every fusion and encoder that scanote has, and what each fusion is beyond it."""

from __future__ import annotations

from functools import partial
from typing import get_args

import pytest
import torch
from torch import nn

from data_schemas.recipes import FusionRecipe
from fusion_models import contract
from fusion_models.contract import ENCODER_CHECKS, FUSION_CHECKS
from fusion_models.fusions.concatenation import Concatenation
from fusion_models.fusions.gated import Gated
from fusion_models.fusions.hidden import hide_modalities
from fusion_models.fusions.kinds import KINDS
from fusion_models.fusions.late import Late
from fusion_models.tokens import Tokens, without

ENCODERS = ("scan", "note", "observation", "concept")


@pytest.mark.parametrize("check", FUSION_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("kind", KINDS)
def test_a_fusion_keeps_the_contract(kind, check):
    check(KINDS[kind])


@pytest.mark.parametrize("check", ENCODER_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", ENCODERS)
def test_an_encoder_keeps_the_contract(encoders, batch, name, check):
    torch.manual_seed(0)
    encoder = encoders([name])[name]
    inputs = batch([3, 0, 5], [2, 0, 4], [2, 0, 3], mentions=[3, 0, 9])[name]
    nn.init.normal_(encoder.finding.weight) if name == "concept" else None
    seen = getattr(inputs, "code", None)
    if seen is not None:
        seen.copy_(torch.arange(seen.numel()).reshape(seen.shape) % 3 * inputs.mask)
    check(encoder, inputs)


def test_every_settings_word_has_a_fusion():
    words = set(get_args(FusionRecipe.model_fields["kind"].annotation))
    assert words - {"linear"} == set(KINDS)


class ReadsPadding(Concatenation):
    """Breaks the contract: the mean over all slots, masked or not."""

    def forward(self, tokens):
        shift = sum(part.values.nan_to_num(7.0, 7.0).mean() for part in tokens.values())
        reading = super().forward(tokens)
        return reading._replace(logits=reading.logits + shift)


@pytest.mark.parametrize(
    "check",
    [contract.padding_changes_nothing, contract.a_batch_reads_as_its_cases_one_by_one],
    ids=lambda c: c.__name__,
)
def test_the_contract_catches_a_fusion_that_reads_padding_or_other_cases(check):
    with pytest.raises(AssertionError):
        check(ReadsPadding)


class Deaf(Gated):
    """Breaks the contract: a parameter that nothing uses, dropout that stays on, shares that do not sum to 1."""

    def __init__(self, **arguments):
        super().__init__(**arguments)
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, tokens):
        reading = super().forward({"one": tokens["one"], "other": tokens.get("other", tokens["one"])})
        shares = {name: share * 2 for name, share in reading.attention.items()}
        return reading._replace(logits=nn.functional.dropout(reading.logits, 0.5), attention=shares)


@pytest.mark.parametrize(
    "check",
    [
        contract.gradients_reach_every_parameter,
        contract.eval_is_deterministic,
        contract.shares_sum_to_one_over_real_tokens,
    ],
    ids=lambda check: check.__name__,
)
def test_the_contract_catches_an_unused_parameter_and_dropout_in_eval_and_wrong_shares(check):
    with pytest.raises(AssertionError):
        check(Deaf)


def test_the_contract_catches_a_fusion_that_reads_order():
    class Ordered(Concatenation):
        def forward(self, tokens):
            first = tokens["one"].values[:, :1, :1].mean(dim=(1, 2))
            reading = super().forward(tokens)
            return reading._replace(logits=reading.logits + first[:, None])

    with pytest.raises(AssertionError, match="order"):
        contract.the_order_of_tokens_does_not_matter(Ordered)


@pytest.fixture
def cases(tokens):
    return {
        "a": tokens([3, 2, 0], features=4, coordinates=1),
        "b": tokens([2, 0, 3], features=3, coordinates=2, seed=1),
    }


@pytest.fixture
def made():
    def make(kind, **changes):
        torch.manual_seed(0)
        arguments = {
            "findings": 2,
            "features": {"a": 4, "b": 3},
            "position_scale": {"a": (1.0,), "b": (1.0, 1.0)},
            "width": 8,
            "heads": 2,
            "layers": 1,
            "dropout": 0.0,
            "modality_dropout": 0.0,
        }
        return kind(**arguments | changes).eval()

    return make


def test_late_fusion_is_the_weighted_sum_of_what_its_models_say(made, cases):
    late = made(Late)
    with torch.no_grad():
        late.weight.copy_(torch.tensor([[0.3, 1.2], [-0.5, 2.0]]))
        late.bias.copy_(torch.tensor([0.1, -0.7]))
    alone = [late.single[name]({name: cases[name]}).logits for name in ("a", "b")]
    weight = torch.nn.functional.softplus(late.weight)
    expected = late.bias + weight[:, 0] * alone[0] + weight[:, 1] * alone[1]
    assert torch.allclose(late(cases).logits, expected, atol=1e-6)


def test_late_fusion_cannot_cross_its_modalities(made, cases):
    late, part = made(Late), cases["b"]
    other = Tokens(part.values + 1, part.mask, part.position, part.source)
    gone = cases | {"a": without(cases["a"], torch.ones(3, dtype=torch.bool))}
    with_a = late(cases | {"b": other}).logits - late(cases).logits
    without_a = late(gone | {"b": other}).logits - late(gone).logits
    assert torch.allclose(with_a, without_a, atol=1e-5)


@pytest.mark.parametrize("kind", [name for name in KINDS if name != "late"])
def test_every_other_fusion_can_cross_its_modalities(made, cases, kind):
    fusion, part = made(KINDS[kind]), cases["b"]
    other = Tokens(part.values + 1, part.mask, part.position, part.source)
    gone = cases | {"a": without(cases["a"], torch.ones(3, dtype=torch.bool))}
    with_a = fusion(cases | {"b": other}).logits - fusion(cases).logits
    without_a = fusion(gone | {"b": other}).logits - fusion(gone).logits
    assert not torch.allclose(with_a[0], without_a[0], atol=1e-4)


def test_a_model_of_late_fusion_learns_as_if_the_others_were_not_there(made, cases):
    whole = {name: part.take(torch.tensor([0])) for name, part in cases.items()}
    part = whole["a"]
    changed = whole | {"a": Tokens(part.values + 1, part.mask, part.position, part.source)}
    learned = []
    for given in (whole, changed):
        late = made(Late).train()
        torch.manual_seed(1)
        for _ in range(12):
            (late(given).logits ** 2).sum().backward()
        learned.append({name: p.grad for name, p in late.named_parameters() if p.grad is not None})
    of_b = [name for name in learned[0] if name.startswith("single.b.")]
    assert any(learned[0][name].any() for name in of_b)
    assert all(torch.equal(learned[0][name], learned[1][name]) for name in of_b)
    assert not torch.equal(learned[0]["weight"], learned[1]["weight"])


def test_gates_part_the_evidence_among_the_modalities(made, cases):
    gated = made(Gated)
    attention = gated(cases).attention
    before = attention["a"].sum(dim=-1)
    with torch.no_grad():
        gated.gate[-1].bias[0] += 5.0
    after = gated(cases).attention["a"].sum(dim=-1)
    assert (after[:, 0] > before[:, 0]).all()
    assert torch.allclose(after[:, 1], before[:, 1], atol=1e-6)


def test_concatenation_gives_each_modality_the_same_part_of_the_evidence(made, cases):
    attention = made(Concatenation)(cases).attention
    for share in attention.values():
        assert torch.allclose(share.sum(dim=-1), torch.full((3, 2), 0.5), atol=1e-6)


@pytest.mark.parametrize("kind", ["concatenation", "gated", "cross-attention", "joint", "bottleneck"])
def test_a_width_that_the_heads_do_not_divide_is_refused(made, kind):
    with pytest.raises(ValueError, match="not a multiple of 3 heads"):
        made(KINDS[kind], heads=3)


@pytest.mark.parametrize("kind", KINDS)
def test_modality_dropout_acts_in_training_only(made, cases, kind):
    fusion = made(partial(KINDS[kind], modality_dropout=0.9))
    plain = fusion(cases).logits
    assert torch.equal(plain, made(KINDS[kind])(cases).logits)


def test_a_case_never_loses_all_it_has(cases):
    torch.manual_seed(0)
    for _ in range(50):
        hidden = hide_modalities(cases, 0.9)
        left = torch.stack([part.mask.any(dim=1) for part in hidden.values()])
        assert left.any(dim=0).all()
