"""How fast a compiled encoder is: it and torch in turns on the same input, so that a busy machine slows both."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from statistics import median

import numpy as np
import torch
from torch import Tensor, nn

from data_schemas.parity import PartSpeed
from data_schemas.recipes import NoteRecipe
from pipelines.cases.examples import Example
from pipelines.models.artefact import LoadedModel
from pipelines.models.compile.compiled import NOTE, SCAN, Graph
from pipelines.models.note_features import windows_of_case
from pipelines.models.reading import read_cases
from pipelines.models.weights import NoteModel

ROUNDS = 7
LOOKED_AT = 64


@torch.no_grad()
def measure_speed(
    model: LoadedModel,
    compiled: LoadedModel,
    graphs: dict[str, Graph],
    examples: Sequence[Example],
    *,
    rounds: int = ROUNDS,
) -> tuple[PartSpeed, ...]:
    """Median time of each compiled encoder and of torch's: one scan, and the longest window of some notes.

    A part that no example has anything for is left out.
    """
    speeds = []
    # A copy: what comes out of the cache cannot be written to, and torch warns of that.
    volume = next((torch.tensor(row.scan.values[None]).float() for row in examples if row.scan is not None), None)
    if SCAN in graphs and volume is not None:
        one, other = model.scan_encoder.body, compiled.scan_encoder.body
        times = in_turns([lambda: one(volume), lambda: other(volume)], rounds=rounds)
        speeds.append(_speed(SCAN, graphs[SCAN], one, times))
    window = _longest_window(examples, model.note_model, model.card.recipe.note) if NOTE in graphs else None
    if window is not None:
        backbones = (model.note_model.encoder.backbone, compiled.note_model.encoder.backbone)
        mask = torch.ones_like(window)
        calls = [
            lambda net=net: net(input_ids=window, attention_mask=mask, output_hidden_states=True) for net in backbones
        ]
        speeds.append(_speed(NOTE, graphs[NOTE], backbones[0], in_turns(calls, rounds=rounds)))
    return tuple(speeds)


@torch.no_grad()
def measure_student(
    teacher: LoadedModel, student: LoadedModel, examples: Sequence[Example], *, rounds: int = ROUNDS
) -> tuple[PartSpeed, ...]:
    """Median time of a student's scan encoder and of its teacher's on one scan, and what reads all tokens of a case.

    ``torch_ms`` and ``torch_mb`` are the teacher's, ``compiled_ms`` and ``compiled_mb`` the student's.
    """
    speeds = []
    example = next((row for row in examples if row.scan is not None), examples[0])
    if example.scan is not None and "scan" in teacher.card.recipe.modalities:
        volume = torch.tensor(example.scan.values[None]).float()
        bodies = (teacher.scan_encoder.body, student.scan_encoder.body)
        one, other = bodies
        times = in_turns([lambda: one(volume), lambda: other(volume)], rounds=rounds)
        speeds.append(_pair(SCAN, times, *map(_megabytes, bodies)))
    batches = [read_cases(model, [example]).features.batch for model in (teacher, student)]
    readers = (teacher.case_model, student.case_model)
    calls = [lambda net=net, batch=batch: net(batch) for net, batch in zip(readers, batches, strict=True)]
    speeds.append(_pair("fusion", in_turns(calls, rounds=rounds), *map(_megabytes, readers)))
    return tuple(speeds)


def in_turns(calls: Sequence[Callable[[], object]], *, rounds: int) -> list[float]:
    """Median milliseconds of each call over some rounds, each calling all of them, after a round that is not told."""
    times = np.empty((rounds + 1, len(calls)))
    for row in times:
        for number, call in enumerate(calls):
            began = time.perf_counter()
            call()
            row[number] = (time.perf_counter() - began) * 1000
    return [median(column) for column in times[1:].T.tolist()]


def _speed(part: str, graph: Graph, net: nn.Module, times: Sequence[float]) -> PartSpeed:
    return _pair(part, times, _megabytes(net), len(graph.data) / 1e6, precision=graph.precision)


def _pair(part: str, times: Sequence[float], before: float, after: float, *, precision: str = "fp32") -> PartSpeed:
    return PartSpeed(
        part=part,
        precision=precision,
        torch_ms=round(times[0], 3),
        compiled_ms=round(times[1], 3),
        torch_mb=round(before, 3),
        compiled_mb=round(after, 3),
    )


def _megabytes(net: nn.Module) -> float:
    return sum(value.numel() * value.element_size() for value in net.state_dict().values()) / 1e6


def _longest_window(examples: Sequence[Example], note: NoteModel, recipe: NoteRecipe) -> Tensor | None:
    windows = [
        row for example in examples[:LOOKED_AT] for row in windows_of_case(example, note_model=note, recipe=recipe).ids
    ]
    return torch.tensor([max(windows, key=len)]) if windows else None
