"""What a model owes to every batch, whatever stands in it."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from fusion_models.case_model import Batch
from fusion_models.losses import masked_bce
from fusion_models.tokens import Tokens, without

MODALITIES = ("scan", "note", "observation", "concept")
CLOSE = {"atol": 1e-5, "rtol": 0.0}


def pad(tokens: Tokens, extra: int, value: float) -> Tokens:
    """More masked slots, full of some value."""
    more = lambda part: torch.full((len(part), extra, *part.shape[2:]), value).to(part.dtype)  # noqa: E731
    mask = torch.zeros(len(tokens.mask), extra, dtype=torch.bool)
    source = torch.full((len(tokens.mask), extra), -1)
    return Tokens(
        torch.cat([tokens.values, more(tokens.values)], dim=1),
        torch.cat([tokens.mask, mask], dim=1),
        torch.cat([tokens.position, more(tokens.position)], dim=1),
        torch.cat([tokens.source, source], dim=1),
    )


@pytest.mark.parametrize("value", [0.0, 1e4, float("nan"), float("inf")])
def test_padding_changes_nothing_whatever_stands_in_it(case_model, batch, value):
    model, given = case_model(), batch([3, 0, 2], [2, 4, 0], [1, 2, 0])
    padded = given.with_inputs("scan", pad(given["scan"], 5, value)).with_inputs("note", pad(given["note"], 2, value))
    assert torch.allclose(model(padded).logits, model(given).logits, **CLOSE)


def test_unknown_observations_change_nothing_whatever_their_value(case_model, batch):
    model, given = case_model(), batch([3, 1], [2, 4], [1, 3])
    values = given["observation"]
    noise = torch.where(values.mask, values.value, torch.full_like(values.value, float("nan")))
    changed = given.with_inputs("observation", dataclasses.replace(values, value=noise))
    assert torch.allclose(model(changed).logits, model(given).logits, **CLOSE)


def test_a_batch_reads_as_its_cases_one_by_one(case_model, batch):
    model, given = case_model(), batch([3, 0, 2, 5], [2, 4, 0, 1], [1, 2, 0, 3])
    whole = model(given).logits
    single = torch.cat([model(given.take(torch.tensor([number]))).logits for number in range(len(given))])
    assert torch.allclose(whole, single, **CLOSE)


def test_cases_keep_their_order(case_model, batch):
    model, given = case_model(), batch([3, 0, 2], [2, 4, 0], [1, 2, 0])
    order = torch.tensor([2, 0, 1])
    assert torch.allclose(model(given.take(order)).logits, model(given).logits[order], **CLOSE)


def test_taking_cases_cuts_the_padding_that_none_of_them_needs(batch):
    taken = batch([3, 0, 2], [2, 4, 0], [1, 2, 0]).take(torch.tensor([1, 2]))
    assert (taken["scan"].mask.shape, taken["note"].mask.shape, taken["observation"].mask.shape) == (
        (2, 2), (2, 4), (2, 2)
    )  # fmt: skip
    assert batch([0], [0], [0]).take(torch.tensor([0]))["scan"].mask.shape == (1, 1)


@pytest.mark.parametrize("name", MODALITIES)
def test_a_missing_modality_is_its_learned_absence_token(case_model, batch, name):
    counts = {other: [0] if other == name else [2] for other in MODALITIES}
    model = case_model()
    given = batch(counts["scan"], counts["note"], counts["observation"], mentions=counts["concept"])
    before = model(given).logits
    with torch.no_grad():
        model.diagnoser.fusion.enter[name].absence += torch.randn(16, generator=torch.Generator().manual_seed(5))
    assert not torch.allclose(model(given).logits, before, atol=1e-3)


@pytest.mark.parametrize("name", MODALITIES)
def test_the_absence_token_of_a_present_modality_is_not_read(case_model, batch, name):
    model, given = case_model(), batch([3], [2], [2])
    before = model(given).logits
    with torch.no_grad():
        model.diagnoser.fusion.enter[name].absence += torch.randn(16, generator=torch.Generator().manual_seed(5))
    assert torch.equal(model(given).logits, before)


def test_a_missing_modality_is_not_a_token_of_zeros(case_model, batch):
    model, given = case_model(), batch([0], [2], [2])
    zeros = Tokens(
        torch.zeros(1, 1, 6), torch.ones(1, 1, dtype=torch.bool), torch.zeros(1, 1, 3), torch.zeros(1, 1).long()
    )
    assert not torch.allclose(model(given).logits, model(given.with_inputs("scan", zeros)).logits, atol=1e-3)


def test_a_case_without_any_modality_gets_finite_scores(case_model, batch):
    reading = case_model()(batch([0, 2], [0, 2], [0, 1], mentions=[0, 2]))
    assert reading.logits.isfinite().all()
    assert all(share.isfinite().all() for share in reading.attention.values())


def test_the_shares_of_a_finding_sum_to_one_and_fall_on_real_tokens_only(case_model, batch):
    given = batch([3, 0], [2, 4], [1, 0])
    attention = case_model()(given).attention
    total = sum(share.sum(dim=-1) for share in attention.values())
    assert torch.allclose(total, torch.ones_like(total), **CLOSE)
    assert not attention["scan"][1, :, :-1].any()
    assert (attention["scan"][1, :, -1] > 0).all()
    assert not attention["scan"][0, :, -1].any()


def test_a_model_in_eval_mode_is_deterministic(case_model, batch):
    model, given = case_model(dropout=0.5, modality_dropout=0.5), batch([3, 0], [2, 4], [1, 0])
    assert torch.equal(model(given).logits, model(given).logits)


def test_dropout_acts_in_training_only(case_model, batch):
    model, given = case_model(dropout=0.5).train(), batch([3], [2], [1])
    assert not torch.equal(model(given).logits, model(given).logits)


@pytest.mark.parametrize("modalities", [MODALITIES, *((name,) for name in MODALITIES), ("scan", "note")])
def test_gradients_reach_every_parameter(case_model, batch, modalities):
    model = case_model(modalities=modalities, layers=1).train()
    # The second case has nothing, so that the absence tokens are read too.
    reading = model(batch([3, 0], [2, 0], [3, 0], mentions=[4, 0], seed=4))
    masked_bce(reading.logits, torch.tensor([[1.0, 0, 1, 0], [0.0, 1, 0, 1]])).backward()
    without_any = [name for name, part in model.named_parameters() if part.grad is None or not part.grad.any()]
    assert not without_any


def test_the_place_of_a_scan_in_the_scanner_does_not_matter(case_model, batch):
    model, given = case_model(), batch([3, 5], [2, 4], [1, 2])
    moved = given["scan"].position + torch.tensor([500.0, -300.0, 900.0]) * given["scan"].mask[..., None]
    scan = Tokens(given["scan"].values, given["scan"].mask, moved, given["scan"].source)
    assert torch.allclose(model(given.with_inputs("scan", scan)).logits, model(given).logits, atol=1e-4)


def test_the_place_of_a_region_within_its_scan_does_matter(case_model, batch):
    model, given = case_model(), batch([3], [2], [1])
    moved = given["scan"].position.clone()
    moved[0, 0] += 90.0
    scan = Tokens(given["scan"].values, given["scan"].mask, moved, given["scan"].source)
    assert not torch.allclose(model(given.with_inputs("scan", scan)).logits, model(given).logits, atol=1e-3)


def test_a_single_modality_model_reads_nothing_else(case_model, batch):
    model = case_model(modalities=("note",))
    one, other = batch([3], [2], [1]), batch([5], [2], [3], seed=9)
    assert torch.equal(model(one).logits, model(other.with_inputs("note", one["note"])).logits)


def test_a_model_without_any_modality_is_refused(case_model):
    with pytest.raises(ValueError, match="at least one modality"):
        case_model(modalities=())


def test_a_batch_without_a_modality_of_the_model_is_refused(case_model, batch):
    given = batch([3], [2], [1])
    with pytest.raises(KeyError, match="note"):
        case_model()(Batch({name: part for name, part in given.inputs.items() if name != "note"}))


def test_a_batch_of_modalities_that_differ_in_their_cases_is_refused(batch):
    one, two = batch([3], [2], [1]), batch([3, 2], [2, 1], [1, 1])
    with pytest.raises(ValueError, match="as many cases"):
        one.with_inputs("note", two["note"])


def test_statistics_come_from_the_real_tokens_of_the_training_cohort(case_model, batch):
    model, given = case_model(), batch([3, 2], [2, 4], [1, 2])
    with torch.no_grad():
        model.fit_statistics(given)
    real = given["note"].values[given["note"].mask]
    assert torch.allclose(model.encoders["note"].centre, real.mean(dim=0), atol=1e-6)
    assert torch.allclose(model.encoders["note"].spread, real.std(dim=0), atol=1e-6)


def test_statistics_of_a_cohort_that_lacks_a_modality_leave_it_as_it_was(case_model, batch):
    model = case_model()
    with torch.no_grad():
        model.fit_statistics(batch([0, 0], [2, 4], [0, 0]))
    assert (model.encoders["scan"].spread == 1).all()
    assert (model.encoders["observation"].scale == 1).all()


def test_modality_dropout_never_takes_all_that_a_case_has(case_model, batch):
    model = case_model(modality_dropout=0.9)
    tokens = model.tokens(
        batch([2] * 50 + [2, 0, 0], [2] * 50 + [0, 1, 0], [1] * 50 + [0, 0, 0], mentions=[1] * 50 + [0, 0, 0])
    )
    torch.manual_seed(0)
    left = []
    for _ in range(20):
        dropped = model.diagnoser._drop(tokens)
        left.append(torch.stack([part.mask.any(dim=1) for part in dropped.values()], dim=1))
    present = torch.stack(left)
    assert present[:, :52].any(dim=2).all()
    assert not present[:, :50].all()
    assert not present[:, 52].any()


def test_modality_dropout_hides_about_the_share_it_is_asked_to(case_model, batch):
    model = case_model(modality_dropout=0.2)
    tokens = model.tokens(batch([1] * 400, [1] * 400, [1] * 400))
    torch.manual_seed(0)
    hidden = [1 - part.mask.any(dim=1).float().mean() for part in model.diagnoser._drop(tokens).values()]
    assert sum(hidden) / len(MODALITIES) == pytest.approx(0.2, abs=0.04)


def test_modality_dropout_acts_in_training_only(case_model, batch):
    model, given = case_model(modality_dropout=0.8), batch([2] * 9, [2] * 9, [1] * 9)
    plain = model(given).logits
    assert torch.equal(plain, model(given).logits)
    torch.manual_seed(0)
    assert not torch.equal(model.train()(given).logits, plain)


def test_a_hidden_modality_reads_as_a_missing_one(case_model, batch):
    model, given = case_model(), batch([2], [3], [1])
    hidden = given.with_inputs("note", without(given["note"], torch.tensor([True])))
    missing = given.with_inputs("note", batch([2], [0], [1])["note"])
    assert torch.allclose(model(hidden).logits, model(missing).logits, **CLOSE)


def test_tokens_of_half_precision_are_read_in_float32(case_model, batch):
    model, given = case_model(), batch([2], [3], [1])
    scan = dataclasses.replace(given["scan"], values=given["scan"].values.half())
    moved = given.with_inputs("scan", scan).to("cpu")
    assert torch.allclose(model(moved).logits, model(given).logits, atol=1e-2)
    assert model(moved).logits.dtype == torch.float32


def test_weights_survive_the_way_through_a_state_dict(case_model, batch):
    model, given = case_model(), batch([2], [3], [1])
    with torch.no_grad():
        model.fit_statistics(batch([3, 2], [2, 4], [1, 2]))
    torch.manual_seed(99)
    other = case_model()
    other.load_state_dict(model.state_dict())
    assert torch.equal(other(given).logits, model(given).logits)
