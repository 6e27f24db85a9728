"""Pretraining: hard batches, exact resume, encoders that training starts from, and nothing of a test patient."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from data_schemas.errors import InputError, ModelError, SettingsError
from data_schemas.pretraining import ContrastiveRecipe, PretrainRecipe, TextRecipe, VolumeRecipe
from data_schemas.recipes import ModelRecipe, ScanRecipe, TrainingRecipe
from fusion_models.masked_volume import MaskedVolume
from fusion_models.tokens import Tokens
from pipelines.cases.examples import Example, ScanTensor, Sentence
from pipelines.cases.ingest import ingest
from pipelines.cases.labelled import load_cohort
from pipelines.models.build import build_scan_encoder
from pipelines.models.weights import VOCABULARIES, load_note_model, load_scan_weights
from pipelines.synthetic.truth import Dials
from pipelines.synthetic.write import Hospital, write_hospital
from pipelines.training.pretrain import run as runs
from pipelines.training.pretrain.batches import not_negatives, numbered, with_hard_negatives
from pipelines.training.pretrain.contrastive import build_pair_model, fit_pairs, retrieval, vectors_of
from pipelines.training.pretrain.keep import CARD, PAIR, SCAN, read_card
from pipelines.training.pretrain.material import Pair, read_examples, read_pairs, read_texts, recipe_of
from pipelines.training.pretrain.run import pretrain
from pipelines.training.pretrain.telling import tell_encoder
from pipelines.training.pretrain.text import fit_words, load_language_model, save_language_model, windows_of
from pipelines.training.pretrain.volume import fit_volumes
from pipelines.training.pretrain.zero_shot import load_pairs, prompts_of, zero_shot_scores
from pipelines.workspace.memberships import members
from pipelines.workspace.paths import Workspace, create_workspace, open_workspace

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "cough", "fever", "pain", "no", "calm", "sleep", "."]
NOTE_FEATURES = 6
RECIPE = ModelRecipe(
    scan=ScanRecipe(shape=(16, 16, 16), spacing_mm=(20.0, 20.0, 20.0), width=0.125, tap="layer1"),
    training=TrainingRecipe(precision="fp32"),
)
QUICK = PretrainRecipe(
    contrastive=ContrastiveRecipe(epochs=3, batch_size=4, hidden=16, width=8, learning_rate=3e-3),
    text=TextRecipe(epochs=3, batch_size=4, window=16, learning_rate=1e-2),
    volume=VolumeRecipe(epochs=3, batch_size=4, block=4, learning_rate=1e-2),
)


class KilledError(Exception):
    """Stands for a power cut."""


def example(number: int, *, patient: str = "") -> Example:
    """A scan that is brighter the higher its number."""
    volume = np.full((2, 16, 16, 16), number / 12, np.float16)
    scan = ScanTensor(volume, np.diag([20.0, 20, 20, 1]).astype(np.float32))
    return Example(f"s{number}", patient or f"p{number}", scan, (), ())


def pairs_of(count: int) -> tuple[list[Pair], Tokens]:
    """Pairs whose text tells how bright the scan is."""
    rows = [
        Pair(example(number), (Sentence(f"Brightness {number}.", "0/0/0", 0, 0),), body_part="chest")
        for number in range(count)
    ]
    level = torch.arange(count)[:, None, None] / 12
    values = torch.cat([level, 1 - level, level**2, torch.ones_like(level).expand(-1, -1, NOTE_FEATURES - 3)], dim=2)
    mask = torch.ones(count, 1, dtype=torch.bool)
    return rows, Tokens(values, mask, torch.zeros(count, 1, 2), torch.zeros(count, 1, dtype=torch.long))


def cut_after(epoch: int) -> Callable[[int, dict[str, float]], None]:
    def report(done: int, _metrics: dict[str, float]) -> None:
        if done == epoch:
            raise KilledError

    return report


def state_of(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, other[name]) for name, value in one.items())


@settings(max_examples=60, deadline=None)
@given(data=st.data(), count=st.integers(0, 8), seed=st.integers(0, 99))
def test_hard_negatives_share_a_group_and_bring_nobody_twice(data: st.DataObject, count: int, seed: int) -> None:
    size = data.draw(st.integers(2, 20))
    group = torch.tensor(data.draw(st.lists(st.integers(-1, 3), min_size=size, max_size=size)))
    patient = torch.tensor(data.draw(st.lists(st.integers(0, 9), min_size=size, max_size=size)))
    index = torch.randperm(size, generator=torch.Generator().manual_seed(seed))[: size // 2 + 1]
    torch.manual_seed(seed)
    found = with_hard_negatives(index, groups=[group], patient=patient, count=count)
    more = found[len(index) :]
    assert torch.equal(found[: len(index)], index)
    assert len(more) <= count
    assert len({*more.tolist(), *index.tolist()}) == len(found)
    assert len(set(patient[more].tolist())) == len(more)
    assert not set(patient[more].tolist()) & set(patient[index].tolist())
    assert all(
        group[number] >= 0 and group[number] in group[found[:place]] for place, number in enumerate(more, len(index))
    )


def test_hard_negatives_are_found_where_there_are_any() -> None:
    group = torch.tensor([0, 0, 0, 1, 1, -1])
    torch.manual_seed(0)
    found = with_hard_negatives(torch.tensor([0, 5]), groups=[group], patient=torch.arange(6), count=2)
    assert set(found.tolist()) <= {0, 5, 1, 2}
    assert len(found) > 2


def test_studies_of_one_patient_and_equal_texts_are_no_negatives() -> None:
    found = not_negatives(torch.tensor([0, 1, 2]), patient=numbered(["a", "a", "b"]), text=numbered(["x", "y", "x"]))
    assert found.tolist() == [[True, True, True], [True, True, False], [True, False, True]]


@pytest.mark.parametrize("loss", ["info-nce", "siglip"])
def test_pairs_are_learned_and_found_again(loss: str) -> None:
    rows, tokens = pairs_of(12)
    how = QUICK.contrastive.model_copy(update={"loss": loss, "epochs": 12})
    torch.manual_seed(0)
    model = build_pair_model(
        build_scan_encoder(RECIPE, signs=1),
        note_features=NOTE_FEATURES,
        recipe=QUICK.model_copy(update={"contrastive": how}),
    )
    fitted = fit_pairs(
        model, rows, tokens, rows, tokens, recipe=RECIPE,
        pretrain=QUICK.model_copy(update={"contrastive": how, "patience": 12}),
    )  # fmt: skip
    assert fitted.best_loss < fitted.epochs[0]["validation_loss"]
    assert retrieval(model, rows, tokens).recall_at_1 > 2 / 12


def test_a_contrastive_fit_that_was_cut_off_ends_in_the_same_weights(tmp_path: Path) -> None:
    rows, tokens = pairs_of(12)

    def fresh() -> Any:
        torch.manual_seed(0)
        return build_pair_model(build_scan_encoder(RECIPE, signs=1), note_features=NOTE_FEATURES, recipe=QUICK)

    def run(model: Any, **how: Any) -> Any:
        return fit_pairs(
            model, rows, tokens, rows[:4], tokens.take(torch.arange(4)), recipe=RECIPE, pretrain=QUICK, **how
        )

    whole = fresh()
    run(whole)
    with pytest.raises(KilledError):
        run(fresh(), checkpoint=tmp_path / "cut", report=cut_after(0))
    resumed = fresh()
    run(resumed, checkpoint=tmp_path / "cut")
    assert same(state_of(whole), state_of(resumed))


def test_volumes_are_learned_and_a_cut_off_fit_ends_in_the_same_weights(tmp_path: Path) -> None:
    rows = [example(number) for number in range(12)]

    def fresh() -> MaskedVolume:
        torch.manual_seed(0)
        return MaskedVolume(scan_encoder=build_scan_encoder(RECIPE, signs=1))

    def run(model: MaskedVolume, **how: Any) -> Any:
        return fit_volumes(model, rows, rows[:4], recipe=RECIPE, pretrain=QUICK, **how)

    whole = fresh()
    fitted = run(whole)
    assert fitted.best_loss < fitted.epochs[0]["validation_loss"]
    with pytest.raises(KilledError):
        run(fresh(), checkpoint=tmp_path / "cut", report=cut_after(0))
    resumed = fresh()
    run(resumed, checkpoint=tmp_path / "cut")
    assert same(state_of(whole), state_of(resumed))


@pytest.fixture
def bert(tmp_path: Path) -> Path:
    """A BERT of one layer and twelve words, without a masked-language head."""
    from transformers import BertConfig, BertModel, BertTokenizer

    folder = tmp_path / "bert"
    config = BertConfig(
        vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=32,
    )  # fmt: skip
    torch.manual_seed(0)
    BertModel(config).save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    BertTokenizer.from_pretrained(folder).save_pretrained(folder)
    return folder


TEXTS = ["HISTORY:\nFever and cough.\n\nFINDINGS:\nNo pain.", "Calm sleep. No fever."] * 6


def test_an_encoder_without_a_head_says_so_and_gets_a_fresh_one(bert: Path, caplog: pytest.LogCaptureFixture) -> None:
    language = load_language_model(bert, seed=0)
    assert language.fresh_head
    assert "no masked-language head" in caplog.text
    embeddings = language.model.get_input_embeddings().weight
    assert language.model.get_output_embeddings().weight is embeddings


def test_words_are_learned_and_the_result_is_a_note_encoder_with_its_head(bert: Path, tmp_path: Path) -> None:
    language = load_language_model(bert, seed=0)
    rows = windows_of(TEXTS, language.tokenizer, window=16)
    fitted = fit_words(language, rows, rows[:4], recipe=RECIPE, pretrain=QUICK)
    assert fitted.best_loss < fitted.epochs[0]["validation_loss"]
    save_language_model(language, tmp_path / "kept")
    assert not [path for path in (tmp_path / "kept").iterdir() if path.suffix in {".bin", ".pt", ".pkl"}]
    model = load_note_model(tmp_path / "kept", states=(1, -1))
    before = load_note_model(bert, states=(1, -1))
    assert model.digest != before.digest
    assert not load_language_model(tmp_path / "kept", seed=0).fresh_head


def test_a_fit_of_words_that_was_cut_off_ends_in_the_same_weights(bert: Path, tmp_path: Path) -> None:
    def run(**how: Any) -> dict[str, torch.Tensor]:
        language = load_language_model(bert, seed=0)
        rows = windows_of(TEXTS, language.tokenizer, window=16)
        fit_words(language, rows, rows[:4], recipe=RECIPE, pretrain=QUICK, **how)
        return state_of(language.model)

    whole = run()
    with pytest.raises(KilledError):
        run(checkpoint=tmp_path / "cut", report=cut_after(0))
    assert same(whole, run(checkpoint=tmp_path / "cut"))


def test_no_window_holds_words_of_two_notes_and_all_words_are_read(bert: Path) -> None:
    language = load_language_model(bert, seed=0)
    rows = windows_of(["Fever. " * 20, "Cough. " * 3], language.tokenizer, window=16)
    read = [language.tokenizer.decode(row[1:-1]) for row in rows]
    assert not [text for text in read if "fever" in text and "cough" in text]
    assert sum(text.count("fever") for text in read) == 20
    assert sum(text.count("cough") for text in read) == 3


def test_a_folder_that_is_no_language_model_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "vocab.txt").write_text("\n".join(WORDS))
    with pytest.raises(ModelError, match="cannot be loaded as a masked language model"):
        load_language_model(tmp_path, seed=0)


def test_a_language_model_without_a_tokenizer_gets_none_made_up(bert: Path) -> None:
    for name in VOCABULARIES:
        (bert / name).unlink(missing_ok=True)
    with pytest.raises(ModelError, match="no tokenizer in it"):
        load_language_model(bert, seed=0)


def test_a_tokenizer_that_knows_more_words_than_its_language_model_is_one_line(bert: Path) -> None:
    from transformers import BertTokenizer

    (bert / "tokenizer.json").unlink(missing_ok=True)
    (bert / "vocab.txt").write_text("\n".join([*WORDS, "more"]))
    BertTokenizer(vocab=str(bert / "vocab.txt")).save_pretrained(bert)
    with pytest.raises(ModelError, match="they do not belong together"):
        load_language_model(bert, seed=0)


def test_a_window_that_the_encoder_cannot_read_is_one_line(bert: Path) -> None:
    with pytest.raises(SettingsError, match=r"pretrain.text.window: 64; .* reads at most 32"):
        load_language_model(bert, seed=0, window=64)


def test_prompts_say_a_finding_by_its_display_name_and_deny_it() -> None:
    present, absent = prompts_of("pleural-effusion")
    assert present[0] == "There is pleural effusion."
    assert absent[0] == "There is no pleural effusion."
    assert prompts_of("mci-to-ad")[0][1] == "Mci to ad is seen."


PATIENTS = 16
TESTED = 3


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Hospital:
    folder = tmp_path_factory.mktemp("pretrain") / "hospital"
    return write_hospital(folder, patients=PATIENTS, seed=11, dials=Dials(reports=1.0))


@pytest.fixture(scope="module")
def splits() -> dict[str, str]:
    names = [f"SYN011-{number:06d}" for number in range(PATIENTS)]
    return {name: "test" if n < TESTED else "validation" if n < TESTED + 3 else "train" for n, name in enumerate(names)}


@pytest.fixture(scope="module")
def place(hospital: Hospital, empty_workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with the hospital's scans and records and no label; a tiny recipe."""
    root = tmp_path_factory.mktemp("pretrain") / "workspace"
    shutil.copytree(empty_workspace, root)
    tree = {"model": RECIPE.model_dump(mode="json"), "pretrain": QUICK.model_dump(mode="json")}
    (root / "scanote.yaml").write_text(yaml.safe_dump(tree))
    workspace = open_workspace(root)
    ingest(workspace, scans=[hospital.scans], notes=[hospital.records])
    return workspace


@pytest.fixture(scope="module")
def done(place: Workspace, splits: Any) -> runs.Pretrained:
    """A contrastive pretraining of thirteen patients."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "FEWEST_CASES", 8)
        return pretrain(place, objective="contrastive", splits=splits)


def test_a_test_patient_is_neither_seen_nor_read(place: Workspace, splits: Any) -> None:
    rows, refused = read_examples(place, recipe=recipe_of(place), splits=splits)
    assert refused == 0
    assert len(rows) == PATIENTS - TESTED
    assert {row.split for row in rows} == {"train", "validation"}
    assert not any(row.labels for row in rows)
    texts = read_texts(place, splits=splits)
    everything = read_texts(place, splits=dict.fromkeys(splits, "train"))
    assert set(texts["train"]) | set(texts["validation"]) < set(everything["train"])
    assert len(everything["train"]) == 2 * PATIENTS


def test_scans_are_paired_with_the_report_of_their_own_study(place: Workspace, splits: Any) -> None:
    rows, _ = read_examples(place, recipe=recipe_of(place), splits=splits)
    reports = read_pairs(place, rows, text="reports")
    assert len(reports) == len(rows)
    assert all("carina" in pair.text and "Complaint" not in pair.text for pair in reports)
    notes = read_pairs(place, rows, text="notes")
    assert not any("carina" in pair.text for pair in notes)
    both = read_pairs(place, rows, text="both")
    assert [pair.text for pair in both] == [
        f"{note.text}\n{report.text}" for note, report in zip(notes, reports, strict=True)
    ]
    assert all(pair.body_part or pair.description for pair in reports)


def test_a_kept_encoder_is_where_training_begins(done: runs.Pretrained, place: Workspace) -> None:
    assert done.kept.setting.startswith("model: {scan: {weights: artifacts/encoders/")
    named = yaml.safe_load(done.kept.setting)["model"]["scan"]["weights"]
    assert (place.root / named).is_file()
    encoder = build_scan_encoder(RECIPE, signs=3)
    load_scan_weights(encoder, place.root / named)
    kept = load_pairs(done.kept.folder).model.scan_encoder.body
    assert same(state_of(encoder.body), state_of(kept))


def test_weights_relative_to_the_workspace_are_found_from_anywhere(
    done: runs.Pretrained, place: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = yaml.safe_load(done.kept.setting)["model"]["scan"]["weights"]
    scan = RECIPE.scan.model_copy(update={"weights": named})
    settings_of = place.settings.model_copy(update={"model": RECIPE.model_copy(update={"scan": scan})})
    monkeypatch.chdir(tmp_path)
    found = load_cohort(dataclasses.replace(place, settings=settings_of)).plan.recipe.scan.weights
    assert found == str(place.root / named)


def test_a_card_says_what_was_done_and_nothing_of_a_patient(done: runs.Pretrained, place: Workspace) -> None:
    card = read_card(done.kept.folder)
    assert card.release.startswith("not for release")
    assert card.cases == {"train": 10, "validation": None}
    text = (done.kept.folder / CARD).read_text()
    assert not [word for word in ("SYN011", "carina", "memory-") if word in text]
    assert {path.name for path in done.kept.folder.iterdir()} == {CARD, SCAN, PAIR}


def test_whom_an_encoder_has_seen_is_recorded(done: runs.Pretrained, place: Workspace) -> None:
    with place.database() as engine:
        assert len(members(engine, done.kept.card.digest)) == PATIENTS - TESTED


def test_an_encoder_whose_files_changed_is_not_used(done: runs.Pretrained, tmp_path: Path) -> None:
    copy = tmp_path / done.kept.folder.name
    shutil.copytree(done.kept.folder, copy)
    (copy / SCAN).write_bytes(b"other")
    with pytest.raises(ModelError, match="not those that were kept"):
        load_pairs(copy)


def test_the_same_pretraining_gives_the_same_encoder(done: runs.Pretrained, place: Workspace, splits: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "FEWEST_CASES", 8)
        again = pretrain(place, objective="contrastive", splits=splits)
    assert again.kept.folder == done.kept.folder


def test_what_pretrain_prints_as_json_names_encoder_and_setting(done: runs.Pretrained) -> None:
    from flows.cli.pretrain import summary

    told = json.loads(json.dumps(summary(done)))
    assert told["digest"] == done.kept.card.digest
    assert told["setting"] == done.kept.setting
    assert set(told["measures"]) == {"recall_at_1", "recall_at_10", "chance"}


def test_mlflow_is_told_of_an_encoder_once(done: runs.Pretrained, place: Workspace) -> None:
    from pipelines.models.tracking import tracking

    run = tell_encoder(place, done.kept.card)
    assert tell_encoder(place, done.kept.card) == run
    with tracking(place) as client:
        told = client.get_run(run)
    assert told.data.tags["scanote.release"].startswith("not for release")
    assert set(told.data.metrics) >= {"loss", "validation_loss", "recall_at_1", "chance"}
    assert "SYN011" not in json.dumps(told.to_dictionary())


def test_zero_shot_scores_are_shares_and_nan_without_a_scan(done: runs.Pretrained) -> None:
    reader = load_pairs(done.kept.folder)
    scores = zero_shot_scores(reader, [example(1), Example("s", "p", None, (), ())], ["pleural-effusion", "my-finding"])
    assert scores.shape == (2, 2)
    assert ((scores[0] > 0) & (scores[0] < 1)).all()
    assert scores[1].isnan().all()
    scans, texts = vectors_of(reader.model, *_one_pair(reader))
    assert torch.allclose(scans.norm(dim=-1), torch.ones(1))
    assert torch.allclose(texts.norm(dim=-1), torch.ones(1))


def _one_pair(reader: Any) -> tuple[list[Pair], Tokens]:
    features = reader.note_model.encoder.features
    tokens = Tokens(
        torch.ones(1, 1, features), torch.ones(1, 1, dtype=torch.bool), torch.zeros(1, 1, 2), torch.zeros(1, 1).long()
    )
    return [Pair(example(1), ())], tokens


def test_too_few_scans_are_one_line(place: Workspace, splits: Any) -> None:
    with pytest.raises(InputError, match="10 scans in the training split; pretraining needs at least 20"):
        pretrain(place, objective="volume", splits=splits)


def test_nothing_ingested_is_one_line(tmp_path: Path) -> None:
    workspace = create_workspace(tmp_path / "empty")
    for objective in ("contrastive", "text", "volume"):
        with pytest.raises(InputError, match="pretraining needs at least"):
            pretrain(workspace, objective=objective)  # type: ignore[arg-type]
