"""The note encoder learns from the training split's findings, is frozen, and travels in the model's artefact."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from data_schemas.errors import InputError, ModelError, SettingsError
from data_schemas.recipes import FusionRecipe, ModelRecipe, NoteRecipe, TrainingRecipe
from data_schemas.settings import read_settings
from pipelines.cases.examples import Example, Sentence
from pipelines.models.adapted_notes import ADAPTED, NOT_FOR_RELEASE
from pipelines.models.artefact import artefact_digest, load_model
from pipelines.models.note_features import encode_notes
from pipelines.models.pyfunc_save import save_pyfunc
from pipelines.models.reading import read_cases
from pipelines.models.weights import NoteModel, load_note_model, weights_digest
from pipelines.review.publication import keep_artefact
from pipelines.training.adapters import check_tuning, made_tunable, merged
from pipelines.training.note_tuning import tune_note_encoder
from pipelines.training.run import train

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "cough", "fever", "no", "rest", "walks", "."]
KINDS = ("lora", "partial", "full")
NOTE = NoteRecipe(stride=4, tuning_rate=0.02, tuning_epochs=6, lora_rank=4, layers=1)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of two layers that knows a few words."""
    from transformers import BertConfig, BertModel, BertTokenizer

    place = tmp_path_factory.mktemp("bert")
    torch.manual_seed(0)
    size = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16}
    BertModel(BertConfig(vocab_size=len(WORDS), max_position_embeddings=64, **size)).save_pretrained(place)
    (place / "vocab.txt").write_text("\n".join(WORDS))
    BertTokenizer.from_pretrained(place).save_pretrained(place)
    return place


@pytest.fixture
def note_model(folder: Path) -> NoteModel:
    return load_note_model(folder, states=(1, -1))


def case(number: int, split: str) -> Example:
    """Has the finding where a sentence tells of a cough that is not denied."""
    ill, noise = number % 2, ("Rest.", "Walks.", "No fever.", "Fever.")
    texts = ["Cough." if ill else "No cough.", noise[number // 2 % 4], noise[number // 8 % 4]]
    order = np.random.default_rng(number).permutation(3)
    sentences = tuple(Sentence(texts[n], f"0/0/{place}", 0, place) for place, n in enumerate(order))
    return Example(f"s{number}", f"p{number}", None, sentences, (), {"pneumonia": ill}, split)


TRAIN = [case(n, "train") for n in range(48)]
VALIDATION = [case(n + 100, "validation") for n in range(16)]


def recipe_of(tuning: str, **changes) -> ModelRecipe:
    return ModelRecipe(
        findings=("pneumonia", "heart-failure"),
        modalities=("note",),
        note=NOTE.model_copy(update={"tuning": tuning, **changes}),
        training=TrainingRecipe(learning_rate=0.02, patience=9),
    )


def state(note_model: NoteModel) -> dict[str, torch.Tensor]:
    return {name: part.clone() for name, part in note_model.encoder.backbone.state_dict().items()}


@pytest.mark.parametrize("tuning", KINDS)
def test_the_encoder_learns_and_only_what_may_learn_changes(note_model, tuning):
    before = state(note_model)
    tuned, fitted = tune_note_encoder(note_model, TRAIN, VALIDATION, recipe=recipe_of(tuning))
    share = 0.95 if tuning == "lora" else 0.75  # beside an attention that nobody trained, LoRA has little to move
    assert fitted.best_loss < share * fitted.epochs[0]["validation_loss"]
    after = state(tuned)
    assert after.keys() == before.keys()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    projections = {f"encoder.layer.{n}.attention.self.{part}.weight" for n in (0, 1) for part in ("query", "value")}
    if tuning == "lora":
        assert changed == projections
    elif tuning == "partial":
        assert changed
        assert all(name.startswith("encoder.layer.1.") for name in changed)
    else:
        assert "embeddings.word_embeddings.weight" in changed
        assert projections <= changed
    # The given one stays as it was; the new one is frozen, and known by a digest of its own.
    assert all(torch.equal(part, before[name]) for name, part in state(note_model).items())
    assert not any(part.requires_grad or part.grad is not None for part in tuned.encoder.parameters())
    assert not tuned.encoder.training
    assert tuned.digest != note_model.digest
    assert tuned.window == note_model.window


def test_the_tokens_of_an_adapted_encoder_are_its_own(note_model):
    tuned, _ = tune_note_encoder(note_model, TRAIN, VALIDATION, recipe=recipe_of("full", tuning_epochs=1))
    [(before, _)], [(after, _)] = (
        encode_notes(TRAIN[:1], note_model=model, recipe=NOTE, device="cpu") for model in (note_model, tuned)
    )
    assert before.values.shape == after.values.shape
    assert not torch.allclose(before.values, after.values, atol=1e-4)


@pytest.mark.parametrize("tuning", ["lora", "partial"])
def test_a_run_that_is_broken_off_ends_in_the_weights_of_an_unbroken_one(note_model, tmp_path, tuning):
    recipe = recipe_of(tuning, tuning_epochs=2)
    recipe = recipe.model_copy(update={"training": recipe.training.model_copy(update={"checkpoint_steps": 1})})
    whole, _ = tune_note_encoder(note_model, TRAIN, VALIDATION, recipe=recipe)

    def stop(epoch: int, _metrics: dict[str, float]) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tune_note_encoder(note_model, TRAIN, VALIDATION, recipe=recipe, checkpoint=tmp_path / "at", report=stop)
    torch.manual_seed(99)  # nothing of the old process is needed
    resumed, _ = tune_note_encoder(note_model, TRAIN, VALIDATION, recipe=recipe, checkpoint=tmp_path / "at")
    assert resumed.digest == whole.digest
    assert weights_digest(resumed.encoder.backbone) == weights_digest(whole.encoder.backbone)


def test_uncertain_labels_count_as_the_recipe_has_them(note_model):
    rows = [dataclasses.replace(row, labels={"pneumonia": -1}) if n > 23 else row for n, row in enumerate(TRAIN)]
    ones = recipe_of("full", tuning_epochs=1)
    ones = ones.model_copy(update={"training": ones.training.model_copy(update={"uncertain": "ones"})})
    ignored = recipe_of("full", tuning_epochs=1)
    digests = {tune_note_encoder(note_model, rows, VALIDATION, recipe=recipe)[0].digest for recipe in (ones, ignored)}
    assert len(digests) == 2


def test_validation_cases_with_nothing_but_uncertain_labels_choose_no_epoch(note_model, caplog):
    unsure = [dataclasses.replace(row, labels={"pneumonia": -1}) for row in VALIDATION]
    _, fitted = tune_note_encoder(note_model, TRAIN, unsure, recipe=recipe_of("full", tuning_epochs=1))
    assert "training cases choose the note encoder's epoch" in caplog.text
    assert fitted.best_loss > 0.1


def test_without_a_finding_of_two_classes_in_the_text_it_is_one_line(note_model):
    silent = [dataclasses.replace(row, sentences=()) for row in TRAIN]
    with pytest.raises(InputError, match=r"model\.note\.tuning: no finding has both .* set it to frozen"):
        tune_note_encoder(note_model, silent, VALIDATION, recipe=recipe_of("lora"))


# --- What may be asked for


def test_more_layers_than_the_encoder_has_are_refused_before_anything_is_fitted(note_model):
    with pytest.raises(SettingsError, match=r"model\.note\.layers: 3; the note encoder has 2"):
        check_tuning(note_model.encoder.backbone, NOTE.model_copy(update={"tuning": "partial", "layers": 3}))


def test_a_rank_that_is_wider_than_the_encoder_is_refused(note_model):
    check_tuning(note_model.encoder.backbone, NoteRecipe(tuning="lora", lora_rank=16))
    with pytest.raises(SettingsError, match=r"model\.note\.lora_rank: 17; the note encoder is 16 wide"):
        check_tuning(note_model.encoder.backbone, NoteRecipe(tuning="lora", lora_rank=17))


def test_a_net_without_attention_that_lora_knows_is_refused():
    with pytest.raises(SettingsError, match="take partial or full"):
        check_tuning(torch.nn.Linear(2, 2), NoteRecipe(tuning="lora"))


def test_a_rank_of_zero_is_one_line(tmp_path):
    path = tmp_path / "scanote.yaml"
    path.write_text("model:\n  note: {tuning: lora, lora_rank: 0}\n")
    with pytest.raises(SettingsError, match=r"'model\.note\.lora_rank': Input should be greater than or equal to 1"):
        read_settings(path)


@pytest.mark.parametrize("kind", ["modernbert", "longformer", "distilbert", "roberta"])
@pytest.mark.parametrize("tuning", KINDS)
def test_encoders_of_other_kinds_can_be_tuned(kind, tuning):
    import transformers as hub

    size = {"vocab_size": 20, "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2, "pad_token_id": 0}
    heads = {"num_attention_heads": 2}
    torch.manual_seed(0)
    net = {
        "modernbert": lambda: hub.ModernBertModel(hub.ModernBertConfig(bos_token_id=1, eos_token_id=2, cls_token_id=1,
                                                                       sep_token_id=2, **size, **heads)),
        "longformer": lambda: hub.LongformerModel(hub.LongformerConfig(attention_window=8, **size, **heads)),
        "distilbert": lambda: hub.DistilBertModel(hub.DistilBertConfig(vocab_size=20, dim=16, hidden_dim=16, n_layers=2,
                                                                       n_heads=2)),
        "roberta": lambda: hub.RobertaModel(hub.RobertaConfig(**size, **heads)),
    }[kind]()  # fmt: skip
    names = list(net.state_dict())
    tunable = made_tunable(net, NoteRecipe(tuning=tuning, layers=1, lora_rank=2))
    ids = torch.randint(3, 20, (2, 8))
    tunable(input_ids=ids, attention_mask=torch.ones_like(ids), output_hidden_states=True).hidden_states[-1].square().mean().backward()  # noqa: E501  # fmt: skip
    learning = [name for name, part in tunable.named_parameters() if part.requires_grad]
    assert learning
    assert len(learning) < len(names) or tuning == "full"
    assert list(merged(tunable).state_dict()) == names


# --- A whole run


@pytest.fixture(scope="module")
def tuned_run(folder, recipe, examples, tmp_path_factory):
    note = NoteRecipe(encoder=str(folder), stride=4, tuning="lora", lora_rank=2, tuning_epochs=1)
    fast = recipe.training.model_copy(update={"epochs": 1, "scan_epochs": 1})
    wanted = recipe.model_copy(update={"note": note, "training": fast, "modalities": ("note", "observation")})
    return train(examples, recipe=wanted, folder=tmp_path_factory.mktemp("tuned") / "artefact")


def test_the_artefact_holds_the_adapted_encoder_and_reads_as_the_run_measured(tuned_run, examples):
    assert (tuned_run.folder / ADAPTED).is_file()
    assert len(tuned_run.epochs["note encoder"]) == 1
    model = load_model(tuned_run.folder, expected_digest=tuned_run.digest)
    assert model.card.release == NOT_FOR_RELEASE == "adapted on notes: not for release"
    assert weights_digest(model.note_model.encoder.backbone) == model.card.note_adapted
    by_key = {row.study_key: row for row in examples}
    read = read_cases(model, [by_key[key] for key in tuned_run.test_keys]).probabilities
    assert np.allclose(read, tuned_run.probabilities["cross-attention"], atol=1e-5)


def test_an_adapted_encoder_that_was_changed_or_lost_is_refused(tuned_run, tmp_path):
    copy = Path(shutil.copytree(tuned_run.folder, tmp_path / "copy"))
    data = bytearray((copy / ADAPTED).read_bytes())
    data[-2] ^= 1
    (copy / ADAPTED).write_bytes(data)
    with pytest.raises(ModelError, match="digest differs"):
        load_model(copy, expected_digest=tuned_run.digest)
    (copy / ADAPTED).unlink()
    with pytest.raises(ModelError, match="digest differs"):
        load_model(copy, expected_digest=tuned_run.digest)
    with pytest.raises(ModelError, match=f"{ADAPTED} is not the one of its card"):
        load_model(copy, expected_digest=artefact_digest(copy))


def test_a_frozen_encoder_is_not_part_of_the_artefact(trained):
    assert not (trained.folder / ADAPTED).exists()
    assert (trained.card.note_adapted, trained.card.release) == ("", "")


@pytest.mark.parametrize(
    ("note", "fusion", "told"),
    [
        ({"tuning": "partial", "layers": 9}, "concatenation", "the note encoder has 6"),
        ({"tuning": "lora"}, "linear", "reads a frozen note encoder; set it to frozen, or name another"),
    ],
)
def test_what_cannot_be_tuned_is_one_line_before_the_first_epoch(examples, recipe, tmp_path, note, fusion, told):
    def stage(name: str, _steps: int):
        raise AssertionError(f"{name} was reached")

    wanted = recipe.model_copy(update={"note": NoteRecipe(**note), "fusion": FusionRecipe(kind=fusion)})
    with pytest.raises(SettingsError, match=told) as caught:
        train(examples, recipe=wanted, folder=tmp_path / "model", stage=stage)
    assert "\n" not in str(caught.value)


def test_the_adapted_encoder_is_kept_with_its_model(tuned_run, workspace):
    kept = keep_artefact(workspace, tuned_run.folder, tuned_run.digest)
    assert (kept / ADAPTED).read_bytes() == (tuned_run.folder / ADAPTED).read_bytes()
    assert load_model(kept, expected_digest=tuned_run.digest).card == tuned_run.card


@pytest.mark.slow
def test_the_mlflow_model_holds_the_adapted_encoder(tuned_run, tmp_path):
    save_pyfunc(
        tmp_path / "model",
        artefact=tuned_run.folder,
        digest=tuned_run.digest,
        recipe=tuned_run.card.recipe,
        model_id="m-0123456789abcdef0123456789abcdef",
        run_id="0" * 32,
    )
    assert (tmp_path / "model" / "artifacts" / ADAPTED).is_file()
    assert artefact_digest(tmp_path / "model" / "artifacts") == tuned_run.digest
