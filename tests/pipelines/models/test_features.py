from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch

from data_schemas.recipes import ModelRecipe, NoteRecipe
from fusion_models.case_model import CaseModel
from fusion_models.scan_encoder import ScanEncoder
from pipelines.cases.examples import Example, Mention, Sentence, Value
from pipelines.models.build import build_case_model, build_scan_encoder
from pipelines.models.features import Features, encode, pooled_scans
from pipelines.models.note_features import encode_notes
from pipelines.workspace.cache import ArrayCache

CODES = ("age", "sex")
MODALITIES = ("scan", "note", "observation", "concept")
DIGEST = "ab" * 32


@pytest.fixture(scope="module")
def scan_encoder(recipe: ModelRecipe) -> ScanEncoder:
    torch.manual_seed(0)
    return build_scan_encoder(recipe, signs=2).eval()


@pytest.fixture(scope="module")
def cases(examples: Sequence[Example]) -> tuple[Example, ...]:
    """Eight cases with digests and mentions, in which every modality is missing once, and one long record."""
    told = (Mention("pneumonia", "negated", None, 0), Mention("rib-fracture", "present", "left", 1))
    rows = [
        dataclasses.replace(row, scan_digest=f"{n:064x}", mentions=told[: n % 3]) for n, row in enumerate(examples[:8])
    ]
    rows[1] = dataclasses.replace(rows[1], scan=None, scan_digest="")
    rows[2] = dataclasses.replace(rows[2], sentences=(), mentions=())
    rows[3] = dataclasses.replace(rows[3], values=())
    long = tuple(dataclasses.replace(rows[4].sentences[0], number=n) for n in range(60))
    rows[4] = dataclasses.replace(rows[4], sentences=long)
    return tuple(rows)


@pytest.fixture(scope="module")
def encoded(scan_encoder, packaged) -> Callable[..., Features]:
    def run(cases: Sequence[Example], **changes) -> Features:
        arguments = {
            "scan_encoder": scan_encoder,
            "scan_digest": DIGEST,
            "note_model": packaged,
            "note_recipe": NoteRecipe(window=64, stride=8),
            "codes": CODES,
            "modalities": MODALITIES,
        }
        return encode(cases, **arguments | changes)

    return run


@pytest.fixture(scope="module")
def whole(encoded, cases) -> Features:
    return encoded(cases)


@pytest.fixture(scope="module")
def case_model(recipe, scan_encoder, packaged, whole) -> CaseModel:
    torch.manual_seed(0)
    model = build_case_model(
        recipe, modalities=MODALITIES, scan_features=scan_encoder.features, note_features=packaged.encoder.features
    )
    with torch.no_grad():
        model.fit_statistics(whole.batch)
        for part in model.parameters():
            if part.dim() > 1:
                part.mul_(2.0)  # a trained model is sharper than a fresh one
    return model.eval()


@torch.no_grad()
def scores(model: CaseModel, features: Features) -> torch.Tensor:
    return torch.sigmoid(model(features.batch).logits.double())


def equal(one: Features, other: Features) -> bool:
    parts = [(one.batch["scan"], other.batch["scan"]), (one.batch["note"], other.batch["note"])]
    names = ("values", "mask", "position", "source")
    return all(torch.equal(getattr(a, name), getattr(b, name)) for a, b in parts for name in names)


def test_every_case_gets_its_tokens_in_the_order_given(whole, cases):
    assert len(whole.batch) == len(cases)
    assert whole.batch["scan"].mask.any(dim=1).tolist() == [row.scan is not None for row in cases]
    assert whole.batch["note"].mask.any(dim=1).tolist() == [bool(row.sentences) for row in cases]
    assert whole.batch["observation"].mask.any(dim=1).tolist() == [bool(row.values) for row in cases]


def test_tokens_are_in_float32(whole):
    assert whole.batch["scan"].values.dtype == whole.batch["note"].values.dtype == torch.float32


def test_a_note_token_lies_at_the_section_and_number_of_its_sentence(whole, cases):
    for row, example in enumerate(cases):
        for unit, sentence in enumerate(whole.sentence_of_unit[row]):
            told = example.sentences[sentence]
            assert whole.batch["note"].position[row, unit].tolist() == [told.section, told.number]


def test_observations_keep_code_value_and_age_and_unknown_codes_are_left_out(encoded, cases):
    values = (Value("sex", 1.0), Value("mood", 3.0), Value("age", 64.0, 2.5))
    found = encoded([dataclasses.replace(cases[0], values=values)]).batch["observation"]
    assert (found.code.tolist(), found.value.tolist(), found.age_days.tolist()) == (
        [[1, 0]],
        [[1.0, 64.0]],
        [[0.0, 2.5]],
    )
    assert found.mask.all()


@pytest.mark.parametrize("order", [[7, 6, 5, 4, 3, 2, 1, 0], [4, 0, 2, 6], [3, 1]])
def test_scores_do_not_depend_on_the_cases_read_beside_them(encoded, cases, whole, case_model, order):
    found = scores(case_model, encoded([cases[n] for n in order]))
    assert torch.allclose(found, scores(case_model, whole)[order], atol=1e-5, rtol=0)


def test_a_case_alone_scores_as_in_a_batch(encoded, cases, whole, case_model):
    single = torch.cat([scores(case_model, encoded([row])) for row in cases])
    assert torch.allclose(single, scores(case_model, whole), atol=1e-5, rtol=0)


def test_features_from_the_cache_are_bit_equal_and_need_no_encoder(encoded, cases, tmp_path, monkeypatch, scan_encoder):
    cache = ArrayCache(tmp_path)
    first = encoded(cases, cache=cache)

    def never(*_args, **_named):
        raise AssertionError("an encoder ran though everything is cached")

    monkeypatch.setattr(type(scan_encoder), "forward", never)
    monkeypatch.setattr("pipelines.models.note_features._sums", never)
    assert equal(encoded(cases, cache=cache), first)


def test_what_fills_the_cache_is_what_is_computed_without_one(encoded, cases, whole, tmp_path):
    assert equal(encoded(cases, cache=ArrayCache(tmp_path)), whole)


def test_a_scan_without_a_digest_is_not_cached(encoded, cases, tmp_path):
    encoded([dataclasses.replace(cases[0], scan_digest="", sentences=(), mentions=())], cache=ArrayCache(tmp_path))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_other_scan_weights_read_another_cache_entry(encoded, cases, tmp_path, recipe):
    cache = ArrayCache(tmp_path)
    first = encoded(cases[:1], cache=cache)
    torch.manual_seed(1)
    other = build_scan_encoder(recipe, signs=2).eval()
    second = encoded(cases[:1], cache=cache, scan_encoder=other, scan_digest="cd" * 32)
    assert not torch.equal(first.batch["scan"].values, second.batch["scan"].values)


def test_the_same_weights_in_a_net_of_another_slab_read_another_cache_entry(encoded, cases, tmp_path, recipe):
    cache = ArrayCache(tmp_path)
    found = []
    for slab in (2, 4):
        scan = recipe.scan.model_copy(update={"encoder": "slices-resnet10", "tap": "layer2", "slab": slab})
        encoder = build_scan_encoder(recipe.model_copy(update={"scan": scan}), signs=2)
        found.append(encoded(cases[:1], scan_encoder=encoder, cache=cache).batch["scan"].values.shape[1])
    assert found[0] == 2 * found[1]


def test_sentences_cut_elsewhere_from_the_same_words_read_another_cache_entry(encoded, cases, tmp_path):
    def told(*texts: str) -> Example:
        rows = tuple(Sentence(text, f"0/0/{n}", 1, n) for n, text in enumerate(texts))
        return dataclasses.replace(cases[0], scan=None, scan_digest="", sentences=rows, mentions=())

    one, other = told("no cough", "fever"), told("no", "cough fever")
    cache = ArrayCache(tmp_path)
    encoded([one], cache=cache)
    assert equal(encoded([other], cache=cache), encoded([other]))


@pytest.mark.parametrize("change", [{"unit": "token"}, {"window": 32}])
def test_notes_of_another_recipe_are_cached_apart(encoded, cases, tmp_path, change):
    cache = ArrayCache(tmp_path)
    encoded(cases[4:5], cache=cache)
    recipe = NoteRecipe(**{"window": 64, "stride": 8} | change)
    assert equal(encoded(cases[4:5], cache=cache, note_recipe=recipe), encoded(cases[4:5], note_recipe=recipe))


def test_read_only_memory_maps_of_scans_are_taken_without_a_warning(encoded, cases, whole, tmp_path):
    cache = ArrayCache(tmp_path)
    rows = []
    for row in cases:
        if row.scan is not None:
            cache.put(row.scan_digest, row.scan.values)
            row = dataclasses.replace(row, scan=dataclasses.replace(row.scan, values=cache.get(row.scan_digest)))
            assert not row.scan.values.flags.writeable
        rows.append(row)
    assert equal(encoded(rows), whole)


def test_a_long_record_is_read_in_windows_to_its_end(whole, cases):
    assert whole.sentence_of_unit[4] == tuple(range(60))
    assert whole.left_out[4] == 0


def test_what_the_windows_leave_out_is_counted(encoded, cases):
    found = encoded(cases[4:5], note_recipe=NoteRecipe(window=64, stride=8, windows_at_most=1))
    assert found.left_out[0] > 0
    assert len(found.sentence_of_unit[0]) < 60


def test_sub_words_as_units_point_to_their_sentences(encoded, cases):
    found = encoded(cases[:1], note_recipe=NoteRecipe(window=64, stride=8, unit="token"))
    assert set(found.sentence_of_unit[0]) == set(range(len(cases[0].sentences)))
    assert len(found.sentence_of_unit[0]) == int(found.batch["note"].mask.sum())


def test_cases_without_anything_are_missing_everywhere_and_finite(encoded, cases, case_model):
    nothing = dataclasses.replace(cases[0], scan=None, scan_digest="", sentences=(), values=(), mentions=())
    found = encoded([nothing, nothing])
    assert not (any(part.mask.any() for part in found.batch.inputs.values()))
    assert scores(case_model, found).isfinite().all()


def test_the_order_of_sentences_reaches_the_encoder(packaged, cases):
    def tokens(example: Example) -> torch.Tensor:
        [(found, _)] = encode_notes([example], note_model=packaged, recipe=NoteRecipe(), device="cpu")
        return found.values[0]

    turned = dataclasses.replace(cases[0], sentences=cases[0].sentences[::-1])
    assert not torch.allclose(tokens(turned).flip(0), tokens(cases[0]), atol=1e-3)


def test_progress_counts_up_to_the_number_of_cases(encoded, cases, tmp_path):
    told = []
    cache = ArrayCache(tmp_path)
    encoded(cases[:3], cache=cache)
    encoded(cases, cache=cache, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (len(cases), len(cases))


def test_pooled_scans_are_the_mean_tokens_of_the_cases_that_have_one(whole, cases):
    pooled = pooled_scans(whole.batch["scan"])
    assert len(pooled) == sum(row.scan is not None for row in cases)
    assert torch.allclose(pooled[0], whole.batch["scan"].values[0].mean(dim=0), atol=1e-6)


def test_pooled_scans_of_cases_without_any_are_empty(encoded, cases, scan_encoder):
    assert pooled_scans(encoded([cases[1]]).batch["scan"]).shape == (0, scan_encoder.features)


def test_padding_of_windows_changes_nothing_beyond_rounding(encoded, cases, whole):
    alone = encoded([cases[0]]).batch["note"]
    together = whole.batch["note"].values[0, : alone.values.shape[1]]
    assert np.allclose(alone.values[0].numpy(), together.numpy(), atol=1e-5)


def test_a_concept_token_lies_at_the_section_and_number_of_its_sentence(encoded, cases):
    sentences = (Sentence("No pneumonia.", "0/1/0", 3, 0), Sentence("Old left rib fracture.", "0/1/4", 3, 4))
    told = (Mention("pneumonia", "negated", None, 0), Mention("rib-fracture", "historical", "left", 1))
    found = encoded([dataclasses.replace(cases[0], sentences=sentences, mentions=told)]).batch["concept"]
    assert found.place.tolist() == [[[3.0, 0.0], [3.0, 4.0]]]
    assert found.side.tolist() == [[0, 1]]
    assert found.finding[0, 0] != found.finding[0, 1]
    assert found.assertion[0, 0] != found.assertion[0, 1]


def test_of_too_many_mentions_the_last_are_read_and_the_others_counted(encoded, cases):
    told = tuple(Mention("pneumonia", "present", side, 0) for side in (None, "left", "right", "bilateral"))
    found = encoded([dataclasses.replace(cases[0], mentions=told), cases[1]], mentions_at_most=3)
    assert found.batch["concept"].side.tolist() == [[1, 2, 3], [0, 0, 0]]
    assert found.mentions_left_out == (1, 0)


def test_what_is_said_of_a_finding_moves_the_score(encoded, cases, case_model):
    def told(assertion: str) -> Example:
        return dataclasses.replace(cases[0], mentions=(Mention("pneumonia", assertion, None, 0),))

    one, other = (scores(case_model, encoded([told(assertion)])) for assertion in ("present", "negated"))
    assert not torch.allclose(one, other, atol=1e-5)


def test_a_modality_that_the_model_does_not_read_is_not_encoded(encoded, cases):
    assert tuple(encoded(cases, modalities=("note",)).batch.inputs) == ("note",)
