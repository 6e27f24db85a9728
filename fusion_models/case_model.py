"""The trainable part of a model: observation encoder, fusion and heads, over frozen scan and note tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fusion_models.diagnoser import Diagnoser, Reading
from fusion_models.observation_encoder import ObservationEncoder
from fusion_models.tokens import Tokens

MODALITIES = ("scan", "note", "observation")
OBSERVATION_FEATURES = 16
# One unit of each position coordinate: millimetres (scan), section and sentence (note), days (observation).
POSITION_SCALE = {"scan": (60.0, 60.0, 60.0), "note": (4.0, 4.0), "observation": (30.0,)}


@dataclass(frozen=True)
class Batch:
    """Some cases as the trainable part takes them.

    ``scan`` and ``note`` are encoder tokens; observations are ``code`` [B, T] (int), ``value`` [B, T], ``age_days``
    [B, T] and ``known`` [B, T] (true: a real value).
    """

    scan: Tokens
    note: Tokens
    code: Tensor
    value: Tensor
    age_days: Tensor
    known: Tensor

    def take(self, index: Tensor) -> Batch:
        """The cases at ``index``, with padding that none of them needs cut off."""
        return Batch(
            scan=_take(self.scan, index),
            note=_take(self.note, index),
            code=self.code[index],
            value=self.value[index],
            age_days=self.age_days[index],
            known=self.known[index],
        )

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on a device, values in float32."""
        return Batch(
            scan=self.scan.to(device).float(),
            note=self.note.to(device).float(),
            code=self.code.to(device),
            value=self.value.to(device),
            age_days=self.age_days.to(device),
            known=self.known.to(device),
        )

    def __len__(self) -> int:
        """Number of cases."""
        return len(self.code)


class CaseModel(nn.Module):
    """Observation encoder, fusion and heads.

    Parameters
    ----------
    modalities
        Which of ``scan``, ``note`` and ``observation`` it reads; a single one gives a single-modality baseline.
    findings, width, heads, layers, dropout, modality_dropout
        As :class:`Diagnoser` has them.
    scan_features, note_features
        Features of the encoders' tokens.
    codes
        Number of observation codes.
    """

    def __init__(
        self,
        *,
        modalities: Sequence[str],
        findings: int,
        scan_features: int,
        note_features: int,
        codes: int,
        width: int,
        heads: int,
        layers: int,
        dropout: float,
        modality_dropout: float,
    ) -> None:
        super().__init__()
        unknown = set(modalities) - set(MODALITIES)
        if unknown or not modalities:
            raise ValueError(f"modalities must be some of {', '.join(MODALITIES)}; found {', '.join(modalities)}")
        features = {"scan": scan_features, "note": note_features, "observation": OBSERVATION_FEATURES}
        self.modalities = tuple(name for name in MODALITIES if name in modalities)
        if "observation" in self.modalities:
            self.observation_encoder = ObservationEncoder(codes=max(codes, 1), features=OBSERVATION_FEATURES)
        self.diagnoser = Diagnoser(
            findings=findings,
            features={name: features[name] for name in self.modalities},
            position_scale={name: POSITION_SCALE[name] for name in self.modalities},
            width=width,
            heads=heads,
            layers=layers,
            dropout=dropout,
            modality_dropout=modality_dropout if len(self.modalities) > 1 else 0.0,
        )

    def fit_statistics(self, batch: Batch) -> None:
        """Take the means and standard deviations that standardise features and values from the training cohort."""
        if "observation" in self.modalities:
            self.observation_encoder.fit(batch.code[batch.known], batch.value[batch.known])
        self.diagnoser.fit({name: part for name, part in self.tokens(batch).items() if name != "observation"})

    def tokens(self, batch: Batch) -> dict[str, Tokens]:
        """Tokens of the modalities that this model reads; scan positions are taken from the scan's own centre."""
        given = {"scan": _centred(batch.scan), "note": batch.note}
        if "observation" in self.modalities:
            given["observation"] = self.observation_encoder(batch.code, batch.value, batch.age_days, batch.known)
        return {name: given[name] for name in self.modalities}

    def forward(self, batch: Batch) -> Reading:
        """Read a batch."""
        return self.diagnoser(self.tokens(batch))


def _centred(tokens: Tokens) -> Tokens:
    hidden = ~tokens.mask[..., None]
    count = tokens.mask.sum(dim=1)[:, None, None].clamp(min=1)
    centre = tokens.position.masked_fill(hidden, 0.0).sum(dim=1, keepdim=True) / count
    return Tokens(tokens.values, tokens.mask, (tokens.position - centre).masked_fill(hidden, 0.0), tokens.source)


def _take(tokens: Tokens, index: Tensor) -> Tokens:
    mask = tokens.mask[index]
    keep = int(mask.any(dim=0).nonzero().max()) + 1 if mask.any() else 1
    values, position, source = (part[index][:, :keep] for part in (tokens.values, tokens.position, tokens.source))
    return Tokens(values, mask[:, :keep], position, source)
