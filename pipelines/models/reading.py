"""A loaded model reads some cases: what it says of each finding, coherent by its own rules, and what led there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from fusion_models.coherence import coherent_scores, conflicts
from fusion_models.diagnoser import Reading
from pipelines.cases.examples import Example
from pipelines.cases.value_units import example_in_units
from pipelines.models.artefact import LoadedModel, ModelCard
from pipelines.models.features import Features, encode
from pipelines.workspace.cache import ArrayCache


@dataclass(frozen=True)
class CasesRead:
    """What a model makes of some cases.

    ``before`` [N, F] are the probabilities of the heads, ``probabilities`` [N, F] the same made coherent;
    ``conflicts`` [N, P] says which of the model's excluded pairs both stand too high.
    """

    features: Features
    reading: Reading
    before: np.ndarray
    probabilities: np.ndarray
    conflicts: np.ndarray


@torch.no_grad()
def read_cases(
    model: LoadedModel,
    examples: Sequence[Example],
    *,
    device: torch.device | str = "cpu",
    cache: ArrayCache | None = None,
) -> CasesRead:
    """Read some cases, at least one; each is read the same whatever others are read with it, within 1e-5.

    Values are brought into the units that the model was trained in.

    Raises
    ------
    RefusedError
        *unknown-unit*: a value of a case cannot be.
    """
    recipe = model.card.recipe
    features = encode(
        [example_in_units(example, model.card.units) for example in examples],
        scan_encoder=model.scan_encoder,
        scan_digest=model.scan_digest,
        note_model=model.note_model,
        note_recipe=recipe.note,
        codes=recipe.observation_codes,
        modalities=recipe.modalities,
        mentions_at_most=recipe.concept.at_most,
        device=device,
        cache=cache,
    )
    reading = model.case_model.to(device).eval()(features.batch.to(device))
    before = torch.sigmoid(reading.logits.double()).cpu().numpy()
    probabilities = coherent(before, model.card)
    exclusions = _columns(model.card, model.card.excludes)
    return CasesRead(features, reading, before, probabilities, conflicts(probabilities, exclusions))


def coherent(probabilities: np.ndarray, card: ModelCard) -> np.ndarray:
    """Probabilities [N, F] in which no finding is likelier than what it entails, by the rules in the model's card."""
    return coherent_scores(probabilities, _columns(card, card.entails))


def _columns(card: ModelCard, pairs: Sequence[tuple[str, str]]) -> list[tuple[int, int]]:
    number = {name: place for place, name in enumerate(card.recipe.findings)}
    return [(number[one], number[other]) for one, other in pairs]
