"""The recipe: what a model reads, what it is built of and how it is fitted; one frozen tree, stored in its artefact."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import model_validator

from data_schemas.base import Record
from data_schemas.marks import neutral
from data_schemas.target import TargetRecipe

TARGET_NAME = re.compile(r"[a-z][a-z0-9-]*", re.ASCII)
LINEAR_HAS_NO_TARGETS = (
    "targets: the linear fusion of small cohorts has no heads for them; name another fusion.kind, such as "
    "concatenation, or leave the targets out"
)
Modality = Literal["scan", "radiomics", "note", "words", "observation", "concept"]


ScanNet = Literal[
    "resnet10",
    "resnet18",
    "resnet50",
    "densenet121",
    "swin-unetr",
    "slices-resnet10",
    "slices-resnet18",
    "slices-resnet50",
    "slices-densenet121",
    "own",
]


class ScanRecipe(Record):
    """From volume to tensor: a grid in RAS+ around the volume's centre, and HU windows or z-scores as channels.

    ``modalities`` are those that the model reads: a scan that says it is of another one is refused. ``channels`` names
    the sequences of a model that reads several (z-scored); which scan is which is told by ``select.channels``.
    ``slab`` is how many slices a 2.5D encoder pools, ``shortcut`` the kind of a ResNet's, ``builder`` the function
    (``package.module:function``) that builds the encoder *own*: code that is imported because the settings name it.
    """

    shape: tuple[int, int, int] = neutral((40, 40, 40))
    spacing_mm: tuple[float, float, float] = neutral((8.0, 8.0, 8.0))
    windows_hu: tuple[tuple[float, float], ...] = neutral(((-1000.0, 400.0), (-160.0, 240.0)))
    intensity: Literal["hu-windows", "z-score"] = neutral("hu-windows")
    modalities: tuple[str, ...] = neutral(("CT",), min_length=1)
    channels: tuple[str, ...] = neutral((), max_length=16)
    encoder: ScanNet = neutral("resnet10")
    tap: str = neutral("layer3")
    width: float = neutral(0.5, gt=0.0, le=2.0)
    slab: int = neutral(4, ge=1)
    shortcut: Literal["A", "B"] = neutral("B")
    builder: str | None = neutral(None, pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*$")
    weights: str | None = neutral(None)

    @model_validator(mode="after")
    def _grid_and_windows(self) -> ScanRecipe:
        if min(self.shape) < 8 or min(self.spacing_mm) <= 0:
            raise ValueError("the grid needs 8 voxels or more on each axis, and a spacing above 0")
        if not self.windows_hu or any(not low < high for low, high in self.windows_hu):
            raise ValueError("windows_hu needs at least one window, each with its lower bound below its upper bound")
        if self.intensity == "hu-windows" and (self.modalities != ("CT",) or self.channels):
            raise ValueError("HU windows are for CT alone; other modalities, and channels, need intensity: z-score")
        if len(set(self.channels)) < len(self.channels):
            raise ValueError("two channels have the same name")
        if (self.encoder == "own") != (self.builder is not None):
            raise ValueError("encoder: own and builder: package.module:function go together; give both or neither")
        return self

    @property
    def inputs(self) -> int:
        """Input channels of the scan encoder: the windows, or the z-scores; of several sequences, a mask with each."""
        if self.intensity == "hu-windows":
            return len(self.windows_hu)
        return 2 * len(self.channels) or 1


class NoteRecipe(Record):
    """From text to tokens. ``encoder`` is a local folder, a hub id, or ``packaged`` (the offline default).

    Without a ``window``, it is what the encoder reads at once, up to 8,192; of one that reads no more than 512, 256.
    ``tuning`` adapts the encoder to the training split's findings before it is frozen: small matrices beside its
    attention (``lora``, of ``lora_rank``), its last ``layers`` (``partial``) or all of it (``full``). Without a
    ``tuning_rate``, it is 1e-3 for ``lora`` and 5e-5 for the others.
    """

    encoder: str = neutral("packaged")
    revision: str | None = neutral(None)
    input_sections: tuple[str, ...] = neutral(
        ("history", "indication", "complaint", "medications", "examination", "laboratory", "surgery", "body")
    )
    window: int | None = neutral(None, ge=16)
    stride: int = neutral(32, ge=0)
    windows_at_most: int = neutral(256, ge=1)
    unit: Literal["sentence", "token"] = neutral("sentence")
    keep_uncertain: bool = neutral(False)
    states: tuple[int, ...] = neutral((1, -1))
    tuning: Literal["frozen", "lora", "partial", "full"] = neutral("frozen")
    lora_rank: int = neutral(8, ge=1)
    layers: int = neutral(2, ge=1)
    tuning_rate: float | None = neutral(None, gt=0.0)
    tuning_epochs: int = neutral(4, ge=1)
    tuning_batch_size: int = neutral(8, ge=1)

    @model_validator(mode="after")
    def _stride_leaves_room(self) -> NoteRecipe:
        if self.window is not None and self.stride >= self.window - 2:
            raise ValueError(f"a stride of {self.stride} leaves no room in a window of {self.window} sub-words")
        return self


class ConceptRecipe(Record):
    """From concepts to tokens: their width, and how many mentions of a case are read, the last ones of the record."""

    width: int = neutral(16, ge=1)
    at_most: int = neutral(512, ge=1)


class FusionRecipe(Record):
    """The fusion. ``linear`` is that of small cohorts: penalised scores, measured by cross-validation."""

    kind: Literal["cross-attention", "joint", "bottleneck", "concatenation", "gated", "late", "linear"] = neutral(
        "cross-attention"
    )

    width: int = neutral(64, ge=8)
    heads: int = neutral(4, ge=1)
    layers: int = neutral(2, ge=1)
    dropout: float = neutral(0.1, ge=0.0, lt=1.0)
    modality_dropout: float = neutral(0.1, ge=0.0, lt=1.0)

    @model_validator(mode="after")
    def _heads_divide_width(self) -> FusionRecipe:
        if self.width % self.heads:
            raise ValueError(f"a width of {self.width} is no multiple of {self.heads} heads")
        return self


class AugmentRecipe(Record):
    """What each training step sees changed, drawn anew; never in validation, test or diagnosis.

    ``scans`` are moved, scaled and changed in intensity where the scan encoder learns; never mirrored: sides matter.
    ``notes`` lose sentences and have their sections shuffled, on the cached tokens. ``note_copies`` of each training
    note are rewritten (sentences dropped, sections shuffled, synonyms) and encoded beside it.
    """

    scans: bool = neutral(False)
    rotation_degrees: float = neutral(8.0, ge=0.0, le=45.0)
    scale: float = neutral(0.08, ge=0.0, lt=0.5)
    translation_mm: float = neutral(10.0, ge=0.0)
    gain: float = neutral(0.08, ge=0.0, lt=1.0)
    offset: float = neutral(0.04, ge=0.0, lt=1.0)
    gamma: float = neutral(0.15, ge=0.0, lt=1.0)
    noise: float = neutral(0.03, ge=0.0, lt=1.0)
    blur: float = neutral(0.2, ge=0.0, le=1.0)
    notes: bool = neutral(False)
    note_copies: int = neutral(0, ge=0, le=20)
    sentence_drop: float = neutral(0.1, ge=0.0, lt=1.0)
    section_shuffle: float = neutral(0.5, ge=0.0, le=1.0)
    synonyms: float = neutral(0.3, ge=0.0, le=1.0)


class TrainingRecipe(Record):
    """How a model is fitted.

    ``encoder_rate`` is a factor on the learning rate of encoders beside their heads, and ``pretrained_rate`` one more
    on that of a scan encoder that starts from ``scan.weights``. ``accumulate`` batches make one step. ``uncertain``
    labels (-1) are left out, taken for 0 or 1, or softened into ``uncertain_band``. ``alignment_weight`` is the weight
    of a loss that draws the modalities of one case together. Within an epoch the state is kept every
    ``checkpoint_seconds``, or ``checkpoint_steps`` where above 0.
    """

    seed: int = neutral(0, ge=0, lt=2**32)
    folds: int = neutral(5, ge=2)
    repeats: int = neutral(3, ge=1)
    epochs: int = neutral(40, ge=1)
    patience: int = neutral(5, ge=1)
    batch_size: int = neutral(32, ge=1)
    learning_rate: float = neutral(1e-3, gt=0.0)
    weight_decay: float = neutral(1e-2, ge=0.0)
    warmup_share: float = neutral(0.1, ge=0.0, lt=1.0)
    clip_norm: float = neutral(1.0, gt=0.0)
    optimizer: Literal["adamw", "adam", "sgd"] = neutral("adamw")
    momentum: float = neutral(0.9, ge=0.0, lt=1.0)
    schedule: Literal["cosine", "step", "constant"] = neutral("cosine")
    drop_share: float = neutral(1 / 3, gt=0.0, le=1.0)
    drop_factor: float = neutral(0.1, gt=0.0, le=1.0)
    encoder_rate: float = neutral(1.0, ge=0.0)
    pretrained_rate: float = neutral(0.1, ge=0.0)
    accumulate: int = neutral(1, ge=1)
    averaging: Literal["none", "ema", "swa"] = neutral("none")
    average_decay: float = neutral(0.99, ge=0.0, lt=1.0)
    loss: Literal["bce", "focal", "asymmetric"] = neutral("bce")
    focal_gamma: float = neutral(2.0, ge=0.0)
    asymmetric_gamma: float = neutral(4.0, ge=0.0)
    asymmetric_margin: float = neutral(0.05, ge=0.0, lt=1.0)
    class_weights: bool = neutral(True)
    class_weighting: Literal["ratio", "effective"] = neutral("ratio")
    effective_beta: float = neutral(0.999, gt=0.0, lt=1.0)
    uncertain: Literal["ignore", "zeros", "ones", "soft"] = neutral("ignore")
    uncertain_band: tuple[float, float] = neutral((0.55, 0.85))
    alignment_weight: float = neutral(0.0, ge=0.0)
    alignment_temperature: float = neutral(0.1, gt=0.0)
    augment: AugmentRecipe = neutral(AugmentRecipe())
    gradient_checkpointing: bool = neutral(False)
    checkpoint_steps: int = neutral(0, ge=0)
    checkpoint_seconds: float = neutral(60.0, gt=0.0)
    trackers: tuple[Literal["tensorboard", "wandb"], ...] = neutral(())
    precision: Literal["auto", "fp32", "bf16"] = neutral("auto")
    deterministic: bool = neutral(True)
    scan_epochs: int = neutral(4, ge=0)
    scan_batch_size: int = neutral(16, ge=1)
    scan_learning_rate: float = neutral(2e-3, gt=0.0)
    bootstrap: int = neutral(1000, ge=10)
    validation_share: float = neutral(0.15, gt=0.0, lt=0.5)
    test_share: float = neutral(0.25, gt=0.0, lt=0.8)

    @model_validator(mode="after")
    def _band_within_labels(self) -> TrainingRecipe:
        low, high = self.uncertain_band
        if not 0.0 <= low <= high <= 1.0:
            raise ValueError("uncertain_band needs two numbers from 0 to 1, the lower first")
        return self


class ModelRecipe(Record):
    """Everything that a model is built and fitted from; stored in its artefact.

    ``targets`` are grades and measurements, by name, that it learns beside the findings.
    """

    task: str = neutral("chest-ct", pattern=r"^[a-z][a-z0-9-]*$")
    findings: tuple[str, ...] = neutral(
        (
            "pleural-effusion",
            "ground-glass-opacity",
            "pulmonary-mass",
            "heart-failure",
            "pneumonia",
            "discordant-presentation",
            "symptomatic-mass",
        )
    )
    scan_signs: tuple[str, ...] = neutral(
        (
            "pleural-effusion",
            "ground-glass-opacity",
            "pulmonary-mass-right-upper",
            "pulmonary-mass-right-lower",
            "pulmonary-mass-left-upper",
            "pulmonary-mass-left-lower",
        )
    )
    targets: dict[str, TargetRecipe] = neutral({})
    modalities: tuple[Modality, ...] = neutral(("scan", "note", "observation"), min_length=1)
    scan: ScanRecipe = neutral(ScanRecipe())
    note: NoteRecipe = neutral(NoteRecipe())
    concept: ConceptRecipe = neutral(ConceptRecipe())
    observation_codes: tuple[str, ...] = neutral(("age", "sex", "weight"))
    fusion: FusionRecipe = neutral(FusionRecipe())
    training: TrainingRecipe = neutral(TrainingRecipe())

    @model_validator(mode="after")
    def _modalities_once(self) -> ModelRecipe:
        if len(set(self.modalities)) < len(self.modalities):
            raise ValueError("a modality stands twice in modalities")
        return self

    @model_validator(mode="after")
    def _targets_beside_findings(self) -> ModelRecipe:
        for name in self.targets:
            if not TARGET_NAME.fullmatch(name):
                raise ValueError("targets: a name is small letters, digits and hyphens, and begins with a letter")
            if name in (*self.findings, *self.scan_signs):
                raise ValueError(f"targets: {name} is one of the findings or scan signs too; give it another name")
        if self.targets and self.fusion.kind == "linear":
            raise ValueError(LINEAR_HAS_NO_TARGETS)
        return self
