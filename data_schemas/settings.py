"""The settings: one frozen tree, read from YAML, each field marked as able to change a result or not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, Field, ValidationError, model_validator

from data_schemas.base import Record
from data_schemas.errors import SettingsError

MARK = "affects_result"


def affects(default: Any, **rules: Any) -> Any:
    """A field whose value can change a diagnosis: it is part of the diagnosis key."""
    return Field(default=default, json_schema_extra={MARK: True}, **rules)


def neutral(default: Any, **rules: Any) -> Any:
    """A field that cannot change a diagnosis: where things lie, when they run, how fast.

    The training recipe is neutral too, for its effect reaches a diagnosis only through the model's digest.
    """
    return Field(default=default, json_schema_extra={MARK: False}, **rules)


class LinkSettings(Record):
    """How scans and records are joined, and what may be an input."""

    allow_undated_text: bool = affects(False)
    ignore_id_case: bool = affects(False)
    ignore_leading_zeros: bool = affects(False)
    age_tolerance_years: float = affects(1.5, ge=0.0)


class SourceSettings(Record):
    """Folders and files that the ingest flow reads; relative paths are relative to the workspace."""

    scans: tuple[str, ...] = neutral(())
    notes: tuple[str, ...] = neutral(())
    observations: tuple[str, ...] = neutral(())
    observation_columns: tuple[str, ...] = neutral(("sex", "age", "weight_kg"))
    labels: tuple[str, ...] = neutral(())
    id_map: str | None = neutral(None)
    splits: str | None = neutral(None)


class ScanRecipe(Record):
    """From volume to tensor: a grid in RAS+ around the volume's centre, and HU windows as channels."""

    shape: tuple[int, int, int] = neutral((40, 40, 40))
    spacing_mm: tuple[float, float, float] = neutral((8.0, 8.0, 8.0))
    windows_hu: tuple[tuple[float, float], ...] = neutral(((-1000.0, 400.0), (-160.0, 240.0)))
    encoder: Literal["resnet10", "resnet18", "resnet50", "densenet121"] = neutral("resnet10")
    tap: str = neutral("layer3")
    width: float = neutral(0.5, gt=0.0, le=2.0)
    weights: str | None = neutral(None)

    @model_validator(mode="after")
    def _grid_and_windows(self) -> ScanRecipe:
        if min(self.shape) < 8 or min(self.spacing_mm) <= 0:
            raise ValueError("the grid needs 8 voxels or more on each axis, and a spacing above 0")
        if not self.windows_hu or any(not low < high for low, high in self.windows_hu):
            raise ValueError("windows_hu needs at least one window, each with its lower bound below its upper bound")
        return self


class NoteRecipe(Record):
    """From text to tokens. ``encoder`` is a local folder, a hub id, or ``packaged`` (the offline default)."""

    encoder: str = neutral("packaged")
    revision: str | None = neutral(None)
    input_sections: tuple[str, ...] = neutral(
        ("history", "indication", "complaint", "medications", "examination", "laboratory", "surgery", "body")
    )
    window: int = neutral(256, ge=16)
    stride: int = neutral(32, ge=0)
    windows_at_most: int = neutral(64, ge=1)
    unit: Literal["sentence", "token"] = neutral("sentence")
    states: tuple[int, ...] = neutral((1, -1))

    @model_validator(mode="after")
    def _stride_leaves_room(self) -> NoteRecipe:
        if self.stride >= self.window - 2:
            raise ValueError(f"a stride of {self.stride} leaves no room in a window of {self.window} sub-words")
        return self


class FusionRecipe(Record):
    """The shape of the fusion."""

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


class TrainingRecipe(Record):
    """How a model is fitted."""

    seed: int = neutral(0)
    epochs: int = neutral(40, ge=1)
    patience: int = neutral(5, ge=1)
    batch_size: int = neutral(32, ge=1)
    learning_rate: float = neutral(1e-3, gt=0.0)
    weight_decay: float = neutral(1e-2, ge=0.0)
    warmup_share: float = neutral(0.1, ge=0.0, lt=1.0)
    clip_norm: float = neutral(1.0, gt=0.0)
    class_weights: bool = neutral(True)
    precision: Literal["auto", "fp32", "bf16"] = neutral("auto")
    deterministic: bool = neutral(True)
    scan_epochs: int = neutral(4, ge=0)
    scan_batch_size: int = neutral(16, ge=1)
    scan_learning_rate: float = neutral(2e-3, gt=0.0)
    bootstrap: int = neutral(1000, ge=10)
    validation_share: float = neutral(0.15, gt=0.0, lt=0.5)
    test_share: float = neutral(0.25, gt=0.0, lt=0.8)


class ModelRecipe(Record):
    """Everything that a model is built and fitted from; stored in its artefact."""

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
    scan: ScanRecipe = neutral(ScanRecipe())
    note: NoteRecipe = neutral(NoteRecipe())
    observation_codes: tuple[str, ...] = neutral(("age", "sex", "weight"))
    fusion: FusionRecipe = neutral(FusionRecipe())
    training: TrainingRecipe = neutral(TrainingRecipe())


class DiagnosisSettings(Record):
    """A batch run."""

    model: str = neutral("champion")
    precision: Literal["fp32"] = affects("fp32")
    device: Literal["auto", "cpu", "cuda"] = neutral("auto")
    chunk: int = neutral(16, ge=1)
    attempts: int = neutral(3, ge=1)
    lease_seconds: float = neutral(600.0, gt=0.0)
    distance_quantile: float = affects(0.995, gt=0.5, lt=1.0)


class ServerSettings(Record):
    """Servers; empty means embedded (SQLite, MLflow on SQLite, Prefect's ephemeral API)."""

    database_url: str | None = neutral(None, repr=False)
    mlflow_url: str | None = neutral(None)
    prefect_url: str | None = neutral(None)


class ScheduleSettings(Record):
    """Cron schedules of the served flows; null leaves a flow unscheduled."""

    ingest: str | None = neutral("0 * * * *")
    diagnose: str | None = neutral("15 * * * *")
    retrain: str | None = neutral(None)


class Settings(Record):
    """The whole tree."""

    link: LinkSettings = neutral(LinkSettings())
    sources: SourceSettings = neutral(SourceSettings())
    model: ModelRecipe = neutral(ModelRecipe())
    diagnosis: DiagnosisSettings = neutral(DiagnosisSettings())
    servers: ServerSettings = neutral(ServerSettings())
    schedules: ScheduleSettings = neutral(ScheduleSettings())


def leaves(tree: BaseModel, prefix: str = "") -> Iterator[tuple[str, Any, bool]]:
    """Every leaf of a settings tree as (dotted name, value, whether it can change a result)."""
    for name, field in type(tree).model_fields.items():
        value = getattr(tree, name)
        if isinstance(value, BaseModel):
            yield from leaves(value, f"{prefix}{name}.")
        else:
            extra = field.json_schema_extra
            if not isinstance(extra, dict) or MARK not in extra:
                raise SettingsError(f"settings field {prefix}{name} is not marked as result-affecting or neutral")
            yield f"{prefix}{name}", value, bool(extra[MARK])


def settings_digest(settings: Settings) -> str:
    """SHA-256 over the result-affecting leaves only."""
    rows = {name: value for name, value, affecting in leaves(settings) if affecting}
    return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()


def read_settings(path: Path) -> Settings:
    """Read settings from a YAML file; an absent key takes its default.

    Raises
    ------
    SettingsError
        The file is no YAML mapping, holds an unknown key, or a value out of range. One line, naming the key.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(f"{path}: cannot be read as YAML ({type(error).__name__}); mend or delete it") from None
    if not isinstance(content, dict):
        raise SettingsError(f"{path}: expected a mapping of settings, found {type(content).__name__}")
    try:
        return Settings.model_validate(content)
    except ValidationError as error:
        raise SettingsError(f"{path}: {_first_problem(error)}") from None


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_input=False, include_url=False)[0]
    where = ".".join(str(part) for part in problem["loc"])
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    if problem["type"] == "extra_forbidden":
        return f"unknown settings key '{where}'; a new workspace's scanote.yaml lists the known ones{more}"
    return f"'{where}': {problem['msg']}{more}"
