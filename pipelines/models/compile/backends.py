"""The two libraries that run a compiled graph, each behind one function: arrays by name in, one array out."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from importlib.metadata import version
from io import BytesIO
from typing import Any, Literal

import numpy as np

from data_schemas.errors import ModelError

Backend = Literal["openvino", "onnxruntime"]
BACKENDS: tuple[Backend, ...] = ("openvino", "onnxruntime")
Run = Callable[[Mapping[str, np.ndarray]], np.ndarray]


def need(name: str) -> Any:
    """Import a library of the extra ``light``.

    Raises
    ------
    ModelError
        It is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError:
        raise ModelError(f"light models: {name} is not installed; pip install 'scanote[light]'") from None


def backend_version(backend: Backend) -> str:
    """The installed version of a backend. Raises as `need` does."""
    need(backend)
    return version(backend)


def open_graph(data: bytes, *, backend: Backend, threads: int, one_case: bool = False) -> Run:
    """Make an ONNX graph ready to run on the CPU.

    Parameters
    ----------
    threads
        Of one run.
    one_case
        The first axis of every input will be 1: OpenVINO plans better for shapes that it knows.

    Raises
    ------
    ModelError
        The library is not installed, or cannot run the graph.
    """
    try:
        if backend == "openvino":
            return _openvino(data, threads, one_case)
        return _onnxruntime(data, threads)
    except ModelError:
        raise
    except Exception as error:  # whatever the libraries raise; their texts run over many lines
        raise ModelError(
            f"{backend}: cannot run the compiled graph ({type(error).__name__}); compile it again"
        ) from None


def _openvino(data: bytes, threads: int, one_case: bool) -> Run:
    openvino = need("openvino")
    core = openvino.Core()
    graph = core.read_model(BytesIO(data))
    if one_case:
        graph.reshape({node: [1, *list(node.partial_shape)[1:]] for node in graph.inputs})
    plan = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads,
        # Where the CPU has bf16, OpenVINO takes it for fp32 unless told otherwise: differences of 1e-2.
        "INFERENCE_PRECISION_HINT": "f32",
        # Pinned threads would stay on cores that others use too.
        "ENABLE_CPU_PINNING": False,
    }
    request = core.compile_model(graph, "CPU", plan).create_infer_request()

    def run(arrays: Mapping[str, np.ndarray]) -> np.ndarray:
        return np.array(request.infer(dict(arrays))[0])  # a copy: the next run writes over it

    return run


def _onnxruntime(data: bytes, threads: int) -> Run:
    runtime = need("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # Waiting threads that spin take the cores from whoever else works here.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = runtime.InferenceSession(data, options, providers=["CPUExecutionProvider"])

    def run(arrays: Mapping[str, np.ndarray]) -> np.ndarray:
        return np.asarray(session.run(None, dict(arrays))[0])

    return run
