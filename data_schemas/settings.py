"""The settings: one frozen tree, read from YAML, each field marked as able to change a result or not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args

import yaml
from pydantic import BaseModel, ValidationError, model_validator

from data_schemas.base import Record
from data_schemas.errors import SettingsError
from data_schemas.leakage import LeakageSettings
from data_schemas.linking import LinkSettings
from data_schemas.marks import MARK, affects, neutral
from data_schemas.pretraining import PretrainRecipe
from data_schemas.recipes import ModelRecipe
from data_schemas.selection import SelectSettings


class DicomwebSettings(Record):
    """A DICOMweb server that the ingest flow fetches studies of the last days from.

    Credentials are never written here: they are read from the environment (SCANOTE_DICOMWEB_TOKEN, or
    SCANOTE_DICOMWEB_USER and SCANOTE_DICOMWEB_PASSWORD).
    """

    url: str | None = neutral(None, pattern=r"^https?://[^@?#\s]+$")
    modalities: tuple[str, ...] = neutral(("CT",))
    days: int = neutral(7, ge=1)


FhirKind = Literal[
    "Patient",
    "Encounter",
    "ImagingStudy",
    "ServiceRequest",
    "DocumentReference",
    "DiagnosticReport",
    "Condition",
    "Observation",
]


class FhirSettings(Record):
    """A FHIR R4 server that the ingest flow fetches records of the last days from, and whose id a patient goes by.

    ``identifier_system`` holds for bundles and exports too: the system of the identifier that is the patient's id.
    ``way`` is how records are had: searched for, or as a bulk export ($export), of the patients of a ``group`` alone.
    Credentials are never written here: they are read from the environment (SCANOTE_FHIR_TOKEN, or SCANOTE_FHIR_USER
    and SCANOTE_FHIR_PASSWORD).
    """

    url: str | None = neutral(None, pattern=r"^https?://[^@?#\s]+$")
    kinds: tuple[FhirKind, ...] = neutral(get_args(FhirKind), min_length=1)
    by: Literal["_lastUpdated", "date"] = neutral("_lastUpdated")
    days: int = neutral(7, ge=1)
    page: int = neutral(100, ge=1, le=1000)
    way: Literal["search", "export"] = neutral("search")
    group: str = neutral("", pattern=r"^[A-Za-z0-9.-]{0,64}$")
    identifier_system: str | None = affects(None, min_length=1)


class ReceiverSettings(Record):
    """The C-STORE receiver. On an address that others can reach it answers listed callers (AE titles) only."""

    host: str = neutral("127.0.0.1")
    port: int = neutral(11112, ge=0, le=65535)
    aet: str = neutral("SCANOTE", pattern=r"^[A-Z0-9_]{1,16}$")
    callers: tuple[str, ...] = neutral(())
    quiet_seconds: float = neutral(60.0, gt=0.0)


class SourceSettings(Record):
    """Folders and files that the ingest flow reads; relative paths are relative to the workspace."""

    scans: tuple[str, ...] = neutral(())
    notes: tuple[str, ...] = neutral(())
    observations: tuple[str, ...] = neutral(())
    observation_columns: tuple[str, ...] = neutral(("sex", "age", "weight_kg"))
    encoding: str | None = neutral(None)
    decimal: Literal[".", ","] = neutral(".")
    comparators: Literal["refuse", "bound"] = neutral("refuse")
    codes: dict[str, str] = neutral({})
    units: dict[str, str] = neutral({})
    assumed_units: dict[str, str] = neutral({})
    labels: tuple[str, ...] = neutral(())
    findings: tuple[str, ...] = neutral(())
    id_map: str | None = neutral(None)
    splits: str | None = neutral(None)
    resample_irregular: bool = affects(False)
    dicomweb: DicomwebSettings = neutral(DicomwebSettings())
    fhir: FhirSettings = neutral(FhirSettings())
    receiver: ReceiverSettings = neutral(ReceiverSettings())


class DictationSettings(Record):
    """Recordings of speech. ``model`` is ``packaged`` (a tiny English Whisper), a local folder or a hub id.

    A hub id is fetched only with ``allow_download``. ``vocabulary`` are words of the house for the prompt.
    ``mask_below`` replaces words heard with less confidence; null masks none.
    """

    model: str = affects("packaged")
    revision: str | None = affects(None)
    vocabulary: tuple[str, ...] = affects(())
    beam: int = affects(5, ge=1, le=20)
    critical_confidence: float = affects(0.5, ge=0.0, le=1.0)
    mask_below: float | None = affects(None, ge=0.0, le=1.0)
    allow_download: bool = neutral(False)
    seconds_at_most: float = neutral(3600.0, gt=0.0)
    megabytes_at_most: float = neutral(512.0, gt=0.0)
    threads: int = neutral(0, ge=0)


class DiagnosisSettings(Record):
    """A batch run.

    ``backend`` runs the encoders: another one than torch needs the model compiled for it (``scanote compile``).
    """

    model: str = neutral("champion")
    backend: Literal["torch", "openvino", "onnxruntime"] = affects("torch")
    precision: Literal["fp32", "int8"] = affects("fp32")
    device: Literal["auto", "cpu", "cuda"] = neutral("auto")
    chunk: int = neutral(16, ge=1)
    attempts: int = neutral(3, ge=1)
    lease_seconds: float = neutral(600.0, gt=0.0)
    distance_quantile: float = affects(0.995, gt=0.5, lt=1.0)

    @model_validator(mode="after")
    def _backend_can(self) -> DiagnosisSettings:
        if self.backend == "torch" and self.precision != "fp32":
            raise ValueError(f"torch reads in fp32; for {self.precision} set backend to openvino or onnxruntime")
        if self.backend != "torch" and self.device == "cuda":
            raise ValueError(f"{self.backend} runs on the CPU; set device to auto or cpu, or backend to torch")
        return self


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
    select: SelectSettings = neutral(SelectSettings())
    sources: SourceSettings = neutral(SourceSettings())
    dictation: DictationSettings = neutral(DictationSettings())
    model: ModelRecipe = neutral(ModelRecipe())
    pretrain: PretrainRecipe = neutral(PretrainRecipe())
    leakage: LeakageSettings = neutral(LeakageSettings())
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
    text = json.dumps(rows, sort_keys=True, default=lambda record: record.model_dump(mode="json"))
    return hashlib.sha256(text.encode()).hexdigest()


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
