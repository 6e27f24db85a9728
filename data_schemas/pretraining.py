"""The settings of pretraining: encoders that learn from scans and text before, or without, any label."""

from __future__ import annotations

from typing import Literal

from data_schemas.base import Record
from data_schemas.marks import neutral


class ContrastiveRecipe(Record):
    """Scan and text of one study are drawn together, those of others apart.

    ``text`` is what a scan is paired with: the findings and impression of the study's own ``reports``, the ``notes``
    that are its inputs, or ``both``. ``hard_share`` of a batch are cases of the same body part or the same study
    description as another of its cases. ``temperature`` is where InfoNCE begins; it is learned.
    """

    loss: Literal["info-nce", "siglip"] = neutral("info-nce")
    text: Literal["reports", "notes", "both"] = neutral("reports")
    width: int = neutral(128, ge=8)
    hidden: int = neutral(256, ge=8)
    temperature: float = neutral(0.07, ge=0.01, le=1.0)
    hard_share: float = neutral(0.25, ge=0.0, le=0.75)
    epochs: int = neutral(20, ge=1)
    batch_size: int = neutral(32, ge=4)
    learning_rate: float = neutral(1e-3, gt=0.0)


class TextRecipe(Record):
    """Words of the hospital's own notes are hidden and told from what stands around them."""

    hidden_share: float = neutral(0.15, gt=0.0, lt=1.0)
    window: int = neutral(128, ge=16)
    epochs: int = neutral(3, ge=1)
    batch_size: int = neutral(16, ge=2)
    learning_rate: float = neutral(5e-5, gt=0.0)


class VolumeRecipe(Record):
    """Blocks of a scan (``block`` voxels along each axis) are hidden and told from what is left of it."""

    hidden_share: float = neutral(0.5, gt=0.0, lt=1.0)
    block: int = neutral(8, ge=2)
    epochs: int = neutral(20, ge=1)
    batch_size: int = neutral(16, ge=2)
    learning_rate: float = neutral(1e-3, gt=0.0)


class PretrainRecipe(Record):
    """How encoders are pretrained; seed, precision and augmentation are those of ``model.training``.

    ``patience`` is long: the loss on held-out pairs is often worse than chance for some epochs, until the rate falls.
    """

    contrastive: ContrastiveRecipe = neutral(ContrastiveRecipe())
    text: TextRecipe = neutral(TextRecipe())
    volume: VolumeRecipe = neutral(VolumeRecipe())
    patience: int = neutral(20, ge=1)
    weight_decay: float = neutral(1e-2, ge=0.0)
    warmup_share: float = neutral(0.1, ge=0.0, lt=1.0)
    clip_norm: float = neutral(1.0, gt=0.0)
