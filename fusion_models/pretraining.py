"""Joint representation of scans and text without labels: what belongs to one study is drawn together in one space.

Shapes: B cases, E width of the shared space, T tokens, D features.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from fusion_models.scan_encoder import ScanEncoder
from fusion_models.tokens import Tokens

MOST_SCALE = 100.0
PLACE_MM = 60.0
SIGLIP_SCALE, SIGLIP_BIAS = 10.0, -10.0


def info_nce(
    scan: Float[Tensor, "B E"],
    note: Float[Tensor, "B E"],
    *,
    scale: Float[Tensor, ""],
    alike: Bool[Tensor, "B B"] | None = None,
) -> Float[Tensor, ""]:
    """Symmetric InfoNCE (CLIP, Radford et al. 2021): each scan finds its note among the batch's, and the other way.

    Parameters
    ----------
    scan, note
        Vectors of length 1; row i of both is of one case.
    scale
        1 / temperature.
    alike
        Pairs that must not count as negatives: two studies of one patient, or equal texts. The diagonal is ignored.
    """
    logits = scale * scan @ note.T
    if alike is not None:
        own = torch.eye(len(scan), dtype=torch.bool, device=scan.device)
        logits = logits.masked_fill(alike & ~own, -math.inf)
    target = torch.arange(len(scan), device=scan.device)
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2


def sigmoid_pairs(
    scan: Float[Tensor, "B E"],
    note: Float[Tensor, "B E"],
    *,
    scale: Float[Tensor, ""],
    bias: Float[Tensor, ""],
    alike: Bool[Tensor, "B B"] | None = None,
) -> Float[Tensor, ""]:
    """Sigmoid loss of pairs (SigLIP, Zhai et al. 2023): every pair is told to belong together or not, on its own.

    The sum over all pairs, divided by the number of cases. ``alike`` as in `info_nce`: such pairs are left out.
    """
    own = torch.eye(len(scan), dtype=torch.bool, device=scan.device)
    logits = scale * scan @ note.T + bias
    loss = -F.logsigmoid(torch.where(own, logits, -logits))
    if alike is not None:
        loss = loss.masked_fill(alike & ~own, 0.0)
    return loss.sum() / len(scan)


class Projection(nn.Module):
    """Tokens of one modality to one vector of length 1.

    Every token goes through a small net first, so that each sentence or region is a detector of its own, of what is
    there and where; then the mean and the maximum over the real tokens are joined, for a finding may stand in one of
    them alone.

    Parameters
    ----------
    place_scale
        One unit of each position coordinate that the tokens are read with, relative to the case's own middle; none
        where it is empty.
    """

    place_scale: Tensor

    def __init__(self, *, features: int, hidden: int, width: int, place_scale: tuple[float, ...] = ()) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(features)
        self.token = nn.Sequential(
            nn.Linear(features + len(place_scale), hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU()
        )
        self.case = nn.Linear(2 * hidden, width)
        self.register_buffer("place_scale", torch.tensor(place_scale), persistent=False)

    def forward(self, tokens: Tokens) -> Float[Tensor, "B E"]:
        """A case without a real token gives the vector of nothing, which is the same for all."""
        mask, weight = tokens.mask, tokens.mask[..., None].to(tokens.values.dtype)
        count = weight.sum(dim=1).clamp(min=1)
        read = self.norm(tokens.values)
        if len(self.place_scale):
            middle = (tokens.position * weight).sum(dim=1) / count
            read = torch.cat([read, (tokens.position - middle[:, None]) / self.place_scale], dim=-1)
        hidden = self.token(read)
        mean = (hidden * weight).sum(dim=1) / count
        most = hidden.masked_fill(~mask[..., None], -math.inf).amax(dim=1)
        most = torch.where(mask.any(dim=1)[:, None], most, torch.zeros_like(most))
        return F.normalize(self.case(torch.cat([mean, most], dim=-1)).float(), dim=-1)


class Pairs(NamedTuple):
    """Scans and notes in the shared space, vectors of length 1, with what the loss scales their products by."""

    scan: Float[Tensor, "B E"]
    note: Float[Tensor, "B E"]
    scale: Float[Tensor, ""]
    bias: Float[Tensor, ""]


class PairModel(nn.Module):
    """A scan encoder that is trained, tokens of a frozen note encoder, and the two projections that join them.

    The learned scale (1 / temperature) is held at 100 or less, as CLIP does.

    Parameters
    ----------
    scan_encoder
        Read before its sign head, which nothing teaches here.
    note_features
        Width of the note encoder's tokens.
    hidden, width
        Of the projections, and of the shared space.
    temperature
        Where the scale begins; ``None`` begins where SigLIP does (scale 10, bias -10).
    """

    def __init__(
        self, *, scan_encoder: ScanEncoder, note_features: int, hidden: int, width: int, temperature: float | None
    ) -> None:
        super().__init__()
        self.scan_encoder = scan_encoder
        self.scan_projection = Projection(
            features=scan_encoder.sign_head.in_features, hidden=hidden, width=width, place_scale=(PLACE_MM,) * 3
        )
        self.note_projection = Projection(features=note_features, hidden=hidden, width=width)
        scale = SIGLIP_SCALE if temperature is None else 1 / temperature
        self.log_scale = nn.Parameter(torch.tensor(math.log(scale)))
        self.bias = nn.Parameter(torch.tensor(SIGLIP_BIAS if temperature is None else 0.0))

    @property
    def scale(self) -> Float[Tensor, ""]:
        """1 / temperature, at most 100."""
        return self.log_scale.clamp(max=math.log(MOST_SCALE)).exp()

    def forward(self, volume: Float[Tensor, "B C Z Y X"], affine: Float[Tensor, "B 4 4"], note: Tokens) -> Pairs:
        """Both vectors of every case."""
        return Pairs(self.read_scans(volume, affine), self.read_notes(note), self.scale, self.bias)

    def read_scans(self, volume: Float[Tensor, "B C Z Y X"], affine: Float[Tensor, "B 4 4"]) -> Float[Tensor, "B E"]:
        """Vectors of scans."""
        tokens = self.scan_encoder(volume, affine).tokens
        cells = tokens.values[..., : self.scan_encoder.sign_head.in_features]
        return self.scan_projection(replace(tokens, values=cells))

    def read_notes(self, note: Tokens) -> Float[Tensor, "B E"]:
        """Vectors of notes, or of prompts."""
        return self.note_projection(note)


def pair_loss(pairs: Pairs, *, kind: str, alike: Bool[Tensor, "B B"] | None = None) -> Float[Tensor, ""]:
    """``info-nce`` or ``siglip`` of a batch."""
    if kind == "siglip":
        return sigmoid_pairs(pairs.scan, pairs.note, scale=pairs.scale, bias=pairs.bias, alike=alike)
    return info_nce(pairs.scan, pairs.note, scale=pairs.scale, alike=alike)


def recall_at(scan: Float[Tensor, "B E"], note: Float[Tensor, "B E"], *, k: int) -> Float[Tensor, ""]:
    """Share of scans whose own note is among the ``k`` nearest of all notes; of equally near ones, half stand before.

    Chance is ``k`` / B.
    """
    near = scan @ note.T
    own = near.diagonal()[:, None]
    ties = (near == own).sum(dim=1) - 1
    before = (near > own).sum(dim=1) + ties / 2
    return (before < k).float().mean()


def prompt_scores(
    scan: Float[Tensor, "B E"],
    present: Float[Tensor, "F E"],
    absent: Float[Tensor, "F E"],
    *,
    scale: Float[Tensor, ""],
) -> Float[Tensor, "B F"]:
    """How much nearer a scan is to "there is X" than to "there is no X": the softmax over the two (CheXzero, Tiu 2022).

    Between 0 and 1, and no probability: nothing has calibrated it.
    """
    return torch.sigmoid(scale * (scan @ present.T - scan @ absent.T))
