"""Post-training int8: static for the scan encoder's convolutions, dynamic for the note encoder's products.

The scheme is that of Jacob et al. (2018): weights symmetric, a scale a channel; activations unsigned, a scale a tensor.
Ranges of activations are the smallest and largest value on the calibration volumes.
"""

from __future__ import annotations

import contextlib
import logging
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from data_schemas.errors import ModelError
from pipelines.models.compile.backends import Backend, need
from pipelines.models.compile.export import SCAN_IN


def quantise_scan(data: bytes, volumes: Sequence[np.ndarray], *, backend: Backend) -> bytes:
    """The graph of a scan encoder with its convolutions in int8.

    Parameters
    ----------
    volumes
        Calibration tensors [C, Z, Y, X] of the training split, at least one.
    backend
        ONNX Runtime joins a convolution to int8 only where its output is quantised too. OpenVINO needs no more than
        its inputs, and computes something else where the output has a zero point (2026.4: 58 % off on DenseNet121).

    Raises
    ------
    ModelError
        A library is missing, or cannot quantise the graph.
    """
    quantization = need("onnxruntime.quantization")
    need("onnxruntime.quantization.shape_inference")
    options = {"OpTypesToExcludeOutputQuantization": ["Conv"]} if backend == "openvino" else {}
    with _workplace(data) as (given, made):
        prepared = given.with_name("prepared.onnx")
        quantization.shape_inference.quant_pre_process(str(given), str(prepared), skip_symbolic_shape=True)
        quantization.quantize_static(
            str(prepared),
            str(made),
            _reader(volumes),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=["Conv"],
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            calibrate_method=quantization.CalibrationMethod.MinMax,
            extra_options=options | {"QuantizeBias": backend != "openvino"},
        )
        return made.read_bytes()


def quantise_notes(data: bytes) -> bytes:
    """The graph of a note encoder with its matrix products in int8, the range of activations taken anew in each run.

    That range is of all windows of a run: such a graph must read one window at a time, without padding, or a case's
    score would depend on what is read beside it. Raises as `quantise_scan` does.
    """
    quantization = need("onnxruntime.quantization")
    with _workplace(data) as (given, made):
        quantization.quantize_dynamic(
            str(given),
            str(made),
            op_types_to_quantize=["MatMul"],
            per_channel=True,
            weight_type=quantization.QuantType.QInt8,
        )
        return made.read_bytes()


def _reader(volumes: Sequence[np.ndarray]) -> Any:
    class Reader(need("onnxruntime.quantization").CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.left = iter(volumes)

        def get_next(self) -> dict[str, np.ndarray] | None:
            volume = next(self.left, None)
            return None if volume is None else {SCAN_IN: np.asarray(volume, np.float32)[None]}

    return Reader()


@contextlib.contextmanager
def _workplace(data: bytes) -> Iterator[tuple[Path, Path]]:
    """A private folder for the quantiser, which works on files, and talks."""
    root = logging.getLogger()
    disabled = root.manager.disable
    try:
        with tempfile.TemporaryDirectory(prefix="scanote-int8-") as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            logging.disable(logging.CRITICAL)
            given = Path(folder) / "given.onnx"
            given.write_bytes(data)
            yield given, Path(folder) / "made.onnx"
    except ModelError:
        raise
    except Exception as error:  # whatever the quantiser finds in a foreign net
        raise ModelError(f"int8: the net cannot be quantised ({type(error).__name__}); use precision fp32") from None
    finally:
        logging.disable(disabled)
