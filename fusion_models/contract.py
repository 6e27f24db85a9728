"""What every fusion and every encoder must keep, as checks that anyone can run on their own.

Each check raises AssertionError with what is wrong. Under pytest::

    @pytest.mark.parametrize("check", FUSION_CHECKS)
    def test_my_fusion_keeps_the_contract(check):
        check(MyFusion)

A fusion is given as its maker, with the flat arguments of :class:`Diagnoser`; an encoder with inputs of its own.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from fusion_models.fusions.reading import Reading
from fusion_models.tokens import Inputs, Tokens, missing, without

FEATURES = {"one": 6, "other": 5}
SCALE: dict[str, tuple[float, ...]] = {"one": (60.0, 60.0, 60.0), "other": (4.0, 4.0)}
FINDINGS = 3
CLOSE = 1e-5
Maker = Callable[..., nn.Module]


def padding_changes_nothing(make: Maker) -> None:
    """More masked slots, whatever stands in them, NaN too, change no logit."""
    model, given = _made(make), _cases()
    expected = model(given).logits
    for value in (0.0, 1e4, float("nan"), float("inf")):
        padded = {name: _padded(part, value) for name, part in given.items()}
        _same(model(padded).logits, expected, f"logits change with padding full of {value}")


def a_missing_modality_is_its_absence_token(make: Maker) -> None:
    """Hidden tokens are not read, and what is read instead is not a token of zeros."""
    model, given = _made(make), _cases()
    hidden = given | {"other": without(given["other"], torch.ones(len(given["other"]), dtype=torch.bool))}
    nothing = missing(batch=len(given["other"]), features=FEATURES["other"], coordinates=len(SCALE["other"]))
    absent = model(given | {"other": nothing})
    _same(model(hidden).logits, absent.logits, "tokens of a missing modality are read")
    _must(not absent.attention["other"][..., :-1].any(), "evidence stands on tokens that are not there")
    zeros = Tokens(nothing.values, torch.ones_like(nothing.mask), nothing.position, torch.zeros_like(nothing.source))
    _differ(model(given | {"other": zeros}).logits, absent.logits, "a missing modality reads as a token of zeros")


def a_batch_reads_as_its_cases_one_by_one(make: Maker) -> None:
    """No case changes another."""
    model, given = _made(make), _cases()
    rows = [{name: part.take(torch.tensor([n])) for name, part in given.items()} for n in range(len(given["one"]))]
    _same(model(given).logits, torch.cat([model(row).logits for row in rows]), "a case changes with its batch")


def the_order_of_tokens_does_not_matter(make: Maker) -> None:
    """Tokens that change places with their positions give the same logits, and their shares go with them."""
    model, given = _made(make), _cases()
    part = given["one"]
    order = torch.arange(part.mask.shape[1]).flip(0)
    turned = Tokens(part.values[:, order], part.mask[:, order], part.position[:, order], part.source[:, order])
    before, after = model(given), model(given | {"one": turned})
    _same(after.logits, before.logits, "logits change with the order of tokens")
    _same(after.attention["one"][..., :-1], before.attention["one"][..., order], "shares do not follow their tokens")


def positions_are_read(make: Maker) -> None:
    """Where a token comes from changes what is made of it."""
    model, given = _made(make), _cases()
    part = given["other"]
    moved = Tokens(part.values, part.mask, part.position + 3.0, part.source)
    _differ(model(given | {"other": moved}).logits, model(given).logits, "positions are not read")


def eval_is_deterministic(make: Maker) -> None:
    """In eval mode two readings are the same bits, though dropout is set."""
    model, given = _made(make, dropout=0.5, modality_dropout=0.5), _cases()
    _must(torch.equal(model(given).logits, model(given).logits), "two readings in eval mode differ")


def shares_sum_to_one_over_real_tokens(make: Maker) -> None:
    """The evidence of each finding: no share below 0, none on a masked token, in all 1, a slot for each token."""
    model, given = _made(make), _cases()
    attention = model(given).attention
    _must(set(attention) == set(given), "evidence is not told by modality")
    for name, share in attention.items():
        count, slots = given[name].mask.shape
        _must(share.shape == (count, FINDINGS, slots + 1), f"shares of {name} are {tuple(share.shape)}")
        _must((share >= 0).all(), "a share is below 0")
        _must(not share[..., :-1].masked_select(~given[name].mask[:, None]).any(), "a masked token has a share")
        _must(not share[given[name].mask.any(dim=1)][..., -1].any(), "the absence of what is there has a share")
    total = torch.stack([share.sum(dim=-1) for share in attention.values()]).sum(dim=0)
    _same(total, torch.ones_like(total), "the shares of a finding do not sum to 1")


def a_case_without_anything_is_finite(make: Maker) -> None:
    """Where all modalities are missing the scores are numbers, in training and after it."""
    model = _made(make)
    nothing = {name: missing(batch=2, features=FEATURES[name], coordinates=len(SCALE[name])) for name in FEATURES}
    for mode in (True, False):
        reading: Reading = model.train(mode)(nothing)
        _must(reading.logits.isfinite().all(), "a case without any modality has no finite score")
        _must(all(share.isfinite().all() for share in reading.attention.values()), "its evidence is not finite")


def gradients_reach_every_parameter(make: Maker) -> None:
    """After some batches with and without each modality no parameter is without a gradient, and none is NaN."""
    model, given = _made(make), _cases()
    model.train()
    torch.manual_seed(0)
    for _ in range(8):
        (model(given).logits * torch.randn(len(given["one"]), FINDINGS)).sum().backward()
    for name, parameter in model.named_parameters():
        _must(parameter.grad is not None and bool(parameter.grad.isfinite().all()), f"no finite gradient at {name}")
        _must(parameter.grad is not None and bool(parameter.grad.any()), f"no gradient reaches {name}")


def it_exports(make: Maker) -> None:
    """The whole reading is one graph (torch.export) that gives the same logits."""
    model, given = _made(make), _cases()
    parts = tuple(x for part in given.values() for x in (part.values, part.mask, part.position, part.source))
    graph = torch.export.export(_Flat(model, tuple(given)), parts, strict=False).module()
    _same(graph(*parts), model(given).logits, "the exported graph reads otherwise")


def a_modality_that_was_not_handed_in_is_a_key_error(make: Maker) -> None:
    """A missing modality is handed in as masked tokens; left out, it is a mistake of the caller."""
    model, given = _made(make), _cases()
    try:
        model({"one": given["one"]})
    except KeyError:
        return
    _must(False, "a modality was left out, and nothing said so")


FUSION_CHECKS: tuple[Callable[[Maker], None], ...] = (
    padding_changes_nothing,
    a_missing_modality_is_its_absence_token,
    a_batch_reads_as_its_cases_one_by_one,
    the_order_of_tokens_does_not_matter,
    positions_are_read,
    eval_is_deterministic,
    shares_sum_to_one_over_real_tokens,
    a_case_without_anything_is_finite,
    gradients_reach_every_parameter,
    it_exports,
    a_modality_that_was_not_handed_in_is_a_key_error,
)


def tokens_are_as_announced(encoder: nn.Module, inputs: Inputs) -> None:
    """One row a case, of the width and the coordinates that the encoder names; a source for each real token alone."""
    tokens: Tokens = encoder(inputs)
    _must(len(tokens) == len(inputs), "there is not one row of tokens a case")
    _must(tokens.values.shape[2] == encoder.features, "the tokens are not as wide as announced")
    _must(tokens.position.shape[2] == len(encoder.position_scale), "coordinates and their units differ in number")  # type: ignore[arg-type]
    _must((tokens.source[tokens.mask] >= 0).all(), "a real token has no source")
    _must(tokens.values[tokens.mask].isfinite().all(), "a real token is not finite")


def a_case_encodes_the_same_alone(encoder: nn.Module, inputs: Inputs) -> None:
    """Padding and the other cases of a batch change no token; a case without inputs has no real one."""
    tokens: Tokens = encoder.eval()(inputs)
    for number in range(len(inputs)):
        index = torch.tensor([number])
        alone, among = encoder(inputs.take(index)), tokens.take(index)
        _must(torch.equal(alone.mask, among.mask), "a case has other tokens alone than in a batch")
        _same(alone.values[alone.mask], among.values[among.mask], "a token changes with its batch")
        _same(alone.position[alone.mask], among.position[among.mask], "a position changes with its batch")


def encoding_is_deterministic(encoder: nn.Module, inputs: Inputs) -> None:
    """In eval mode the same inputs give the same bits."""
    encoder.eval()
    _must(torch.equal(encoder(inputs).values, encoder(inputs).values), "two encodings in eval mode differ")


def what_it_fits_is_saved(encoder: nn.Module, inputs: Inputs) -> None:
    """What ``fit`` takes of the training cohort stands in the state dict: loading it gives the same tokens."""
    encoder.eval()
    fresh = {key: value.clone() for key, value in encoder.state_dict().items()}
    encoder.fit(inputs)  # type: ignore[operator]
    fitted = {key: value.clone() for key, value in encoder.state_dict().items()}
    expected = encoder(inputs).values.clone()
    encoder.load_state_dict(fresh)
    encoder.load_state_dict(fitted)
    _must(torch.equal(encoder(inputs).values, expected), "something that was fitted is not saved")


def gradients_reach_every_weight(encoder: nn.Module, inputs: Inputs) -> None:
    """No trainable weight is out of reach of the loss."""
    tokens: Tokens = encoder.train()(inputs)
    if tokens.values.requires_grad:
        (tokens.values * torch.randn_like(tokens.values)).sum().backward()
    for name, parameter in encoder.named_parameters():
        _must(parameter.grad is not None and bool(parameter.grad.any()), f"no gradient reaches {name}")


ENCODER_CHECKS: tuple[Callable[[nn.Module, Inputs], None], ...] = (
    tokens_are_as_announced,
    a_case_encodes_the_same_alone,
    encoding_is_deterministic,
    what_it_fits_is_saved,
    gradients_reach_every_weight,
)


class _Flat(nn.Module):
    def __init__(self, model: nn.Module, names: tuple[str, ...]) -> None:
        super().__init__()
        self.model, self.names = model, names

    def forward(self, *parts: Tensor) -> Tensor:
        rows = [parts[start : start + 4] for start in range(0, len(parts), 4)]
        logits: Tensor = self.model({name: Tokens(*row) for name, row in zip(self.names, rows, strict=True)}).logits
        return logits


def _made(make: Maker, *, dropout: float = 0.0, modality_dropout: float = 0.0) -> nn.Module:
    torch.manual_seed(3)
    return make(
        findings=FINDINGS,
        features=FEATURES,
        position_scale=SCALE,
        width=16,
        heads=4,
        layers=2,
        dropout=dropout,
        modality_dropout=modality_dropout,
    ).eval()


def _cases() -> dict[str, Tokens]:
    """Five cases: whole ones, one without each modality, and one without anything."""
    return {"one": _drawn((3, 5, 0, 2, 0), "one", seed=1), "other": _drawn((2, 1, 4, 0, 0), "other", seed=2)}


def _drawn(lengths: tuple[int, ...], name: str, *, seed: int) -> Tokens:
    generator = torch.Generator().manual_seed(seed)
    shape = (len(lengths), max(lengths))
    mask = torch.arange(shape[1])[None] < torch.tensor(lengths)[:, None]
    scale = torch.tensor(SCALE[name])
    return Tokens(
        values=torch.randn(*shape, FEATURES[name], generator=generator) * mask[..., None],
        mask=mask,
        position=torch.randn(*shape, len(scale), generator=generator) * scale * mask[..., None],
        source=torch.arange(shape[1]).expand(shape).masked_fill(~mask, -1),
    )


def _padded(part: Tokens, value: float) -> Tokens:
    count = len(part)
    more = [torch.full((count, 3, x.shape[2]), value) for x in (part.values, part.position)]
    return Tokens(
        torch.cat([part.values, more[0]], dim=1),
        torch.cat([part.mask, torch.zeros(count, 3, dtype=torch.bool)], dim=1),
        torch.cat([part.position, more[1]], dim=1),
        torch.cat([part.source, torch.full((count, 3), -1)], dim=1),
    )


def _must(held: bool | Tensor, what: str) -> None:
    if not bool(held):
        raise AssertionError(what)


def _same(found: Tensor, expected: Tensor, what: str) -> None:
    _must(found.shape == expected.shape and torch.allclose(found, expected, atol=CLOSE, rtol=0.0), what)


def _differ(found: Tensor, expected: Tensor, what: str) -> None:
    _must(not torch.allclose(found, expected, atol=1e-4, rtol=0.0), what)
