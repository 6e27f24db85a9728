"""The trainable part of a model: an encoder a modality, fusion and heads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Int
from torch import Tensor, nn

from fusion_models.diagnoser import Reading
from fusion_models.targets import TargetHeads
from fusion_models.tokens import Inputs, Tokens


@runtime_checkable
class Encoder(Protocol):
    """What a modality owes the model: the width of its tokens, the units of their positions, and the two methods.

    ``fit`` takes statistics of the training cohort; called with a batch's inputs, it gives one token row a case.
    """

    features: int
    position_scale: tuple[float, ...]

    def fit(self, inputs: Any) -> None:
        """Take what is needed from the training cohort."""
        ...

    def __call__(self, inputs: Any) -> Tokens:
        """Tokens of a batch."""
        ...


@dataclass(frozen=True)
class Batch:
    """Some cases as the trainable part takes them: by modality what its encoder reads, all of the same cases."""

    inputs: Mapping[str, Inputs]

    def __post_init__(self) -> None:
        """Refuse modalities of different cases."""
        if len({len(part) for part in self.inputs.values()}) != 1:
            raise ValueError("a batch needs at least one modality, and as many cases in each")

    def __getitem__(self, name: str) -> Inputs:
        """What the encoder of a modality reads."""
        return self.inputs[name]

    def __len__(self) -> int:
        """Number of cases."""
        return len(next(iter(self.inputs.values())))

    def take(self, index: Int[Tensor, " N"]) -> Batch:
        """The cases at ``index``, with padding that none of them needs cut off."""
        return Batch({name: part.take(index) for name, part in self.inputs.items()})

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on a device."""
        return Batch({name: part.to(device) for name, part in self.inputs.items()})

    def with_inputs(self, name: str, inputs: Inputs) -> Batch:
        """The same batch with other inputs of one modality."""
        return Batch({**self.inputs, name: inputs})


class CaseModel(nn.Module):
    """Encoders, and the reader of their tokens: fusion and heads.

    Parameters
    ----------
    encoders
        By modality, in the order in which the fusion has them; a single one gives a single-modality baseline.
    reader
        Makes the module that reads the tokens, from each modality's features and position scale by name.
    targets
        The heads of targets beside the findings; the reader then gives as many more logits.
    """

    def __init__(
        self,
        *,
        encoders: Mapping[str, nn.Module],
        reader: Callable[[Mapping[str, int], Mapping[str, tuple[float, ...]]], nn.Module],
        targets: TargetHeads | None = None,
    ) -> None:
        super().__init__()
        if not encoders:
            raise ValueError("a model needs the encoder of at least one modality")
        self.encoders = nn.ModuleDict(encoders)
        self.diagnoser = reader(
            {name: self._encoder(name).features for name in encoders},
            {name: self._encoder(name).position_scale for name in encoders},
        )
        self.targets = targets

    @property
    def modalities(self) -> tuple[str, ...]:
        """What it reads."""
        return tuple(self.encoders)

    def fit_statistics(self, batch: Batch) -> None:
        """Take the means and standard deviations that standardise features and values from the training cohort."""
        for name in self.modalities:
            self._encoder(name).fit(batch[name])

    def tokens(self, batch: Batch) -> dict[str, Tokens]:
        """Tokens of the modalities that this model reads; what else the batch holds is not looked at."""
        return {name: self._encoder(name)(batch[name]) for name in self.modalities}

    def forward(self, batch: Batch) -> Reading:
        """Read a batch.

        Raises
        ------
        KeyError
            The batch lacks a modality of the model; where no case has it, hand in masked inputs instead.
        """
        reading: Reading = self.diagnoser(self.tokens(batch))
        return reading if self.targets is None else self.targets(reading)

    def _encoder(self, name: str) -> Encoder:
        return self.encoders[name]  # type: ignore[return-value]
