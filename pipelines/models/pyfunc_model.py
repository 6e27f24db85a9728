"""The model as MLflow's users load it. MLflow runs this file when it loads one; scanote itself never does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from pipelines.models.artefact import LoadedModel, load_model
from pipelines.models.table import read_table


class ScanoteModel(PythonModel):
    """Reads a table of cases, one a row; `pipelines.models.table.read_table` says which columns."""

    model: LoadedModel

    def load_context(self, context: PythonModelContext) -> None:
        """Load the artefact that lies beside this file after checking its digest."""
        folder = Path(context.artifacts["model.json"]).parent
        self.model = load_model(folder, expected_digest=context.model_config["digest"])

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """One column of probabilities a finding."""
        return read_table(self.model, model_input)


mlflow.models.set_model(ScanoteModel())
