"""An artefact as an MLflow model: a folder with the same safetensors and JSON, and the code that reads them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from data_schemas.recipes import ModelRecipe
from pipelines.models.artefact import files_of
from pipelines.models.table import NOTE, SCAN, TEXT_CODES
from pipelines.models.tracking import prepare_mlflow

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

# Written for the example, and for nobody.
EXAMPLE_NOTE = "History: Cough and fever for three days. Medications: none."
EXAMPLE_VALUES = {"age": 63.0, "weight": 71.0}
CODE = Path(__file__).with_name("pyfunc_model.py")


def save_pyfunc(place: Path, *, artefact: Path, digest: str, recipe: ModelRecipe, model_id: str, run_id: str) -> None:
    """Write an MLflow model folder to ``place``, which must not exist yet."""
    with _without_their_warnings():
        prepare_mlflow()
        from mlflow.models import Model
        from mlflow.pyfunc import save_model

        save_model(
            path=str(place),
            python_model=str(CODE),
            artifacts={name: str(artefact / name) for name in files_of(artefact)},
            model_config={"digest": digest},
            signature=signature_of(recipe),
            input_example=input_example(recipe),
            pip_requirements=[f"scanote=={scanote_version()}"],
            mlflow_model=Model(model_id=model_id, run_id=run_id),
            metadata={"scanote.digest": digest},
        )


def signature_of(recipe: ModelRecipe) -> ModelSignature:
    """The columns that a model of a recipe takes and gives."""
    prepare_mlflow()
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    values: list[Any] = [
        ColSpec("string" if code in TEXT_CODES else "double", code, required=False) for code in recipe.observation_codes
    ]
    taken = [ColSpec("string", SCAN), ColSpec("string", NOTE), *values]
    return ModelSignature(Schema(taken), Schema([ColSpec("double", finding) for finding in recipe.findings]))


def input_example(recipe: ModelRecipe) -> pd.DataFrame:
    """One made-up case without a scan."""
    values = {code: "F" if code in TEXT_CODES else EXAMPLE_VALUES.get(code, 1.0) for code in recipe.observation_codes}
    return pd.DataFrame([{SCAN: "", NOTE: EXAMPLE_NOTE, **values}])


def scanote_version() -> str:
    """The installed version of scanote."""
    try:
        return version("scanote")
    except PackageNotFoundError:
        return "unknown"


@contextmanager
def _without_their_warnings() -> Iterator[None]:
    """Silence what importing MLflow 3.17 prints on a user's terminal, and nobody here can mend."""
    with warnings.catch_warnings():
        # Its own classes for agents, while they are imported.
        warnings.filterwarnings("ignore", r"(?s).*Any type hint is inferred as AnyType", UserWarning)
        yield
