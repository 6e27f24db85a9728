"""Encoders as graphs: the same model, whatever runs it; int8 near it; kept and found only as it was measured."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from data_schemas.errors import InputError, ModelError
from data_schemas.parity import FindingParity, ParityReport
from fusion_models.note_encoder import NoteEncoder
from pipelines.models.artefact import LoadedModel
from pipelines.models.compile import backends
from pipelines.models.compile.backends import BACKENDS, backend_version, open_graph
from pipelines.models.compile.compiled import CompiledBackbone, Graph, with_graphs
from pipelines.models.compile.export import export_notes, export_scan
from pipelines.models.compile.kept import CompiledCard, compiled_folder, keep_compiled, load_compiled
from pipelines.models.compile.make import calibration_volumes, make_graphs
from pipelines.models.compile.quantise import quantise_notes, quantise_scan
from pipelines.models.compile.speed import in_turns
from pipelines.models.features import encode
from pipelines.models.reading import read_cases
from pipelines.workspace.cache import ArrayCache
from pipelines.workspace.digests import sha256_bytes

MODEL = "a" * 64


@pytest.fixture(scope="session")
def scan_graph(loaded: LoadedModel) -> bytes:
    return export_scan(loaded.scan_encoder, shape=loaded.card.recipe.scan.shape)


@pytest.fixture(scope="session")
def tiny_notes() -> NoteEncoder:
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=50, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=24,
    )  # fmt: skip
    return NoteEncoder(backbone=BertModel(config).eval(), states=(1, -1)).eval()


@pytest.fixture(scope="session")
def note_graph(tiny_notes: NoteEncoder) -> bytes:
    return export_notes(tiny_notes, window=24)


@pytest.fixture(scope="session")
def volumes(examples) -> list[np.ndarray]:
    return calibration_volumes(examples, at_most=8)


@pytest.fixture(scope="session")
def int8(scan_graph: bytes, volumes: list[np.ndarray]) -> dict[str, bytes]:
    return {backend: quantise_scan(scan_graph, volumes, backend=backend) for backend in BACKENDS}


def scans_only(model: LoadedModel) -> LoadedModel:
    recipe = model.card.recipe.model_copy(update={"modalities": ("scan",)})
    return dataclasses.replace(model, card=model.card.model_copy(update={"recipe": recipe}))


def windows(lengths: list[int], longest: int) -> tuple[torch.Tensor, torch.Tensor]:
    ids = torch.randint(4, 50, (len(lengths), longest), generator=torch.Generator().manual_seed(0))
    mask = (torch.arange(longest) < torch.tensor(lengths)[:, None]).long()
    return ids * mask, mask


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_compiled_model_scores_as_the_model_does(backend, loaded, scan_graph, examples) -> None:
    compiled = with_graphs(loaded, {"scan": Graph(scan_graph, "fp32")}, backend=backend)
    one, other = (read_cases(model, examples[:6]) for model in (loaded, compiled))
    np.testing.assert_allclose(other.probabilities, one.probabilities, atol=1e-5)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_scan_reads_the_same_to_the_bit_whatever_is_read_beside_it(backend, loaded, int8, examples) -> None:
    compiled = with_graphs(loaded, {"scan": Graph(int8[backend], "int8")}, backend=backend)
    volume = torch.from_numpy(np.stack(calibration_volumes(examples, at_most=4)))
    together = compiled.scan_encoder.body(volume)
    alone = torch.cat([compiled.scan_encoder.body(volume[n : n + 1]) for n in range(4)])
    assert torch.equal(together, alone)


@pytest.mark.parametrize("backend", BACKENDS)
def test_int8_features_are_near_those_in_fp32_and_not_the_same(backend, loaded, int8, volumes) -> None:
    """OpenVINO with quantised outputs of convolutions was 58 % off; 8 bits cost 1 to 5 %."""
    run = open_graph(int8[backend], backend=backend, threads=1, one_case=True)
    given = volumes[0][None]
    with torch.no_grad():
        expected = loaded.scan_encoder.body(torch.from_numpy(given)).numpy()
    off = np.abs(run({"volume": given}) - expected).mean() / np.abs(expected).mean()
    assert 1e-4 < off < 0.1


def test_int8_is_a_fraction_of_the_size(scan_graph, int8) -> None:
    assert len(int8["openvino"]) < 0.5 * len(scan_graph)


def test_a_graph_takes_any_number_of_volumes(scan_graph, loaded, volumes) -> None:
    run = open_graph(scan_graph, backend="onnxruntime", threads=1)
    given = np.stack(volumes[:3])
    with torch.no_grad():
        expected = loaded.scan_encoder.body(torch.from_numpy(given)).numpy()
    np.testing.assert_allclose(run({"volume": given}), expected, atol=1e-4)


@pytest.mark.parametrize("backend", BACKENDS)
def test_note_states_are_the_same_for_windows_of_any_number_and_length(backend, tiny_notes, note_graph) -> None:
    backbone = CompiledBackbone(open_graph(note_graph, backend=backend, threads=1), states=(1, -1), one_by_one=False)
    for lengths in ([24, 3, 11], [2]):
        ids, mask = windows(lengths, max(lengths))
        with torch.no_grad():
            expected = tiny_notes.backbone(input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states
        read = backbone(input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states
        real = mask.bool()
        for state in (1, -1):
            torch.testing.assert_close(read[state][real], expected[state][real], atol=1e-4, rtol=1e-4)


def test_an_int8_window_reads_the_same_whatever_is_read_beside_it(note_graph) -> None:
    """The range of activations is that of a whole run: read together, a neighbour would change it."""
    run = open_graph(quantise_notes(note_graph), backend="onnxruntime", threads=1)
    backbone = CompiledBackbone(run, states=(1, -1), one_by_one=True)
    ids, mask = windows([9, 24], 24)
    together = backbone(input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states[-1]
    alone = backbone(input_ids=ids[:1, :9], attention_mask=mask[:1, :9], output_hidden_states=True).hidden_states[-1]
    assert torch.equal(together[0, :9], alone[0])


def test_features_of_a_compiled_model_are_never_taken_for_the_models_own(loaded, int8, examples, tmp_path) -> None:
    cache, compiled = (
        ArrayCache(tmp_path),
        with_graphs(loaded, {"scan": Graph(int8["openvino"], "int8")}, backend="openvino"),
    )
    rows = [dataclasses.replace(row, scan_digest=str(n)) for n, row in enumerate(examples[:3])]

    def scan(model: LoadedModel) -> torch.Tensor:
        read = encode(
            rows,
            scan_encoder=model.scan_encoder,
            scan_digest=model.scan_digest,
            note_model=model.note_model,
            note_recipe=model.card.recipe.note,
            codes=(),
            modalities=("scan",),
            cache=cache,
        )
        return read.batch["scan"].values  # type: ignore[attr-defined, no-any-return]

    first, light, again = scan(loaded), scan(compiled), scan(loaded)
    assert torch.equal(first, again)
    assert not torch.equal(first, light)


def test_the_model_itself_is_left_as_it_was(loaded, scan_graph) -> None:
    body, digest = loaded.scan_encoder.body, loaded.scan_digest
    with_graphs(loaded, {"scan": Graph(scan_graph, "fp32")}, backend="onnxruntime")
    assert loaded.scan_encoder.body is body
    assert loaded.scan_digest == digest


def test_the_same_net_gives_the_same_graph(loaded, scan_graph) -> None:
    assert export_scan(loaded.scan_encoder, shape=loaded.card.recipe.scan.shape) == scan_graph


def test_int8_without_a_scan_to_calibrate_with_says_so(loaded) -> None:
    with pytest.raises(InputError, match="no scan in the training split"):
        make_graphs(loaded, backend="openvino", precision="int8")


def test_a_model_without_encoders_says_that_there_is_nothing_to_compile(loaded) -> None:
    recipe = loaded.card.recipe.model_copy(update={"modalities": ("observation",)})
    model = dataclasses.replace(loaded, card=loaded.card.model_copy(update={"recipe": recipe}))
    with pytest.raises(ModelError, match="nothing to compile"):
        make_graphs(model, backend="openvino", precision="fp32")


def test_a_missing_library_is_one_line_that_names_the_extra(monkeypatch) -> None:
    def absent(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(backends.importlib, "import_module", absent)
    with pytest.raises(ModelError, match=r"openvino is not installed; pip install 'scanote\[light\]'"):
        backend_version("openvino")


@pytest.mark.parametrize("backend", BACKENDS)
def test_bytes_that_are_no_graph_are_one_line(backend) -> None:
    with pytest.raises(ModelError, match="cannot run the compiled graph") as told:
        open_graph(b"no graph", backend=backend, threads=1)
    assert "\n" not in str(told.value)


def test_calibration_scans_are_spread_over_the_cases_that_have_one(examples) -> None:
    having = [row for row in examples if row.scan is not None]
    chosen = calibration_volumes(examples, at_most=2)
    assert len(chosen) == 2
    np.testing.assert_array_equal(chosen[0], having[0].scan.values)
    np.testing.assert_array_equal(chosen[1], having[-1].scan.values)


def test_calls_are_timed_in_turns() -> None:
    order: list[str] = []
    assert len(in_turns([lambda: order.append("a"), lambda: order.append("b")], rounds=2)) == 2
    assert order == ["a", "b"] * 3


def card(graph: bytes = b"graph", *, library: str | None = None, failed: tuple[str, ...] = ()) -> CompiledCard:
    row = FindingParity(finding="f", cases=9, positives=4, largest_score_difference=0.0, mean_score_difference=0.0)
    return CompiledCard(
        model_digest=MODEL,
        backend="openvino",
        precision="fp32",
        library=library or backend_version("openvino"),
        parts={"scan": ("fp32", sha256_bytes(graph))},
        parity=ParityReport(
            cases=9, patients=9, findings=(row,), parts=(), threads=1, novelty_changed=0, failed=failed
        ),
    )


def keep(workspace, **changes) -> Path:
    return keep_compiled(workspace, card(**changes), {"scan": Graph(b"graph", "fp32")})


def load(workspace, **changes):
    asked = {"model_digest": MODEL, "version": "3", "backend": "openvino", "precision": "fp32"}
    return load_compiled(workspace, **asked | changes)


def test_what_is_kept_loads_as_it_was_measured(workspace) -> None:
    place = keep(workspace)
    found = load(workspace)
    assert found.card == card()
    assert found.graphs["scan"].data == b"graph"
    assert sorted(path.name for path in place.parent.iterdir()) == [place.name]
    assert {path.name for path in place.iterdir()} == {"compiled.json", "scan.onnx"}
    assert place.stat().st_mode & 0o077 == 0


def test_a_newer_one_takes_the_place_of_an_older(workspace) -> None:
    keep(workspace)
    newer = card(b"other").model_copy(update={"calibration_scans": 5})
    keep_compiled(workspace, newer, {"scan": Graph(b"other", "fp32")})
    assert load(workspace).card == newer


def test_what_failed_its_parity_report_is_not_kept(workspace) -> None:
    with pytest.raises(ModelError, match="parity report failed: too far off"):
        keep(workspace, failed=("too far off",))
    assert not compiled_folder(workspace, model_digest=MODEL, backend="openvino", precision="fp32").exists()


def test_where_there_is_none_the_message_names_the_command(workspace) -> None:
    with pytest.raises(ModelError, match="scanote compile 3 --backend openvino --precision int8"):
        load(workspace, precision="int8")


@pytest.mark.parametrize("name", ["scan.onnx", "compiled.json"])
def test_a_changed_file_is_refused(workspace, name) -> None:
    path = keep(workspace) / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(ModelError, match="make it anew"):
        load(workspace)


def test_a_missing_graph_is_refused(workspace) -> None:
    (keep(workspace) / "scan.onnx").unlink()
    with pytest.raises(ModelError, match="damaged"):
        load(workspace)


def test_one_of_another_model_is_refused(workspace) -> None:
    place = keep(workspace)
    other = compiled_folder(workspace, model_digest="b" * 64, backend="openvino", precision="fp32")
    other.parent.mkdir(parents=True)
    place.rename(other)
    with pytest.raises(ModelError, match="not those that were measured"):
        load(workspace, model_digest="b" * 64)


def test_parity_holds_only_for_the_library_that_it_was_measured_with(workspace) -> None:
    keep(workspace, library="2020.1")
    with pytest.raises(ModelError, match=r"measured with openvino 2020\.1"):
        load(workspace)


def test_the_command_that_measures_a_pruned_one_again_prunes_it_again(workspace) -> None:
    keep_compiled(
        workspace, card(library="2020.1").model_copy(update={"pruned": 0.3}), {"scan": Graph(b"graph", "fp32")}
    )
    with pytest.raises(ModelError, match=r"--precision fp32 --prune 0\.3 --again"):
        load(workspace)
