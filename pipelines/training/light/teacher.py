"""What a larger model says of the training cases, for a smaller one to learn from beside the labels.

Knowledge distillation (Hinton, Vinyals and Dean 2015): the teacher's probability tells more of a case than its label
does. Here each target is the mean of both, weighed by how far the teacher is trusted; where no label is known, the
teacher's word alone. The scan encoder learns the teacher's signs in the same way, on every scan.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from data_schemas.recipes import TrainingRecipe
from fusion_models.tokens import Tokens
from pipelines.cases.examples import Example
from pipelines.models.artefact import LoadedModel
from pipelines.models.reading import read_cases
from pipelines.training.fitting import class_weight
from pipelines.workspace.cache import ArrayCache

TRUST = 0.5
# A token's heat is held this far from 1, so that its odds are a number.
EDGE = 1e-6


@dataclass(frozen=True)
class Teacher:
    """Probabilities by study key, of the signs and of the findings that a model knows.

    ``digest`` is the model's, ``training`` how it was fitted; ``trust`` is the teacher's share in a target, the label's
    being the rest.
    """

    digest: str
    training: TrainingRecipe
    signs: tuple[str, ...]
    findings: tuple[str, ...]
    of_signs: Mapping[str, np.ndarray]
    of_findings: Mapping[str, np.ndarray]
    trust: float = TRUST

    def sign_targets(self, examples: Sequence[Example], labels: Tensor) -> Tensor:
        """Soft labels [N, S] of the signs, from the labels [N, S] (NaN where unknown)."""
        return taught(labels, _rows(self.of_signs, examples, labels), trust=self.trust)

    def finding_targets(self, examples: Sequence[Example], labels: Tensor) -> Tensor:
        """Soft labels [N, F] of the findings, from the labels [N, F] (NaN where unknown).

        The class weights that a teacher was fitted with raise what it says of a rare finding, and a student may be
        fitted with others: so what the teacher says is first brought back to the scale of the labels.
        """
        said = _rows(self.of_findings, examples, labels)
        if self.training.class_weights:
            said = unweighted(said, class_weight(self.training, labels))
        return taught(labels, said, trust=self.trust)


def teacher_of(
    model: LoadedModel, examples: Sequence[Example], *, trust: float = TRUST, cache: ArrayCache | None = None
) -> Teacher:
    """Let a model read the training cases, at least one; scans that it has read before come out of the cache."""
    read = read_cases(model, examples, cache=cache)
    keys = [example.study_key for example in examples]
    signs = model.card.signs
    tokens = read.features.batch.inputs.get("scan")
    of_signs = dict(zip(keys, sign_scores(tokens, len(signs)), strict=True)) if isinstance(tokens, Tokens) else {}
    return Teacher(
        digest=model.digest,
        training=model.card.recipe.training,
        signs=signs,
        findings=model.card.recipe.findings,
        of_signs=of_signs,
        of_findings=dict(zip(keys, read.before, strict=True)),
        trust=trust,
    )


def sign_scores(tokens: Tokens, signs: int) -> np.ndarray:
    """Probability [N, S] of each sign anywhere in a scan, from its tokens' own heat; NaN where there is no scan.

    The last S features of a token are sigmoid(heat - log T) of T tokens, and a sign's logit is the log-mean-exp of its
    heat: so the odds of the sign are the sum of the odds of its tokens.
    """
    heat = tokens.values[..., -signs:].double().clamp(max=1 - EDGE)
    odds = (heat / (1 - heat) * tokens.mask[..., None]).sum(dim=1)
    score = odds / (1 + odds)
    return torch.where(tokens.mask.any(dim=1)[:, None], score, torch.nan).numpy()


def taught(labels: Tensor, said: Tensor, *, trust: float) -> Tensor:
    """The teacher's word times ``trust`` plus the label times the rest; where one of the two is NaN, the other."""
    both = trust * said + (1 - trust) * labels
    return torch.where(labels.isnan(), said, torch.where(said.isnan(), labels, both))


def unweighted(said: Tensor, weight: Tensor) -> Tensor:
    """Probabilities [N, F] as they would be without class weights [F]: the odds over the weight."""
    return said / (weight * (1 - said) + said)


def _rows(said: Mapping[str, np.ndarray], examples: Sequence[Example], labels: Tensor) -> Tensor:
    silent = np.full(labels.shape[1], np.nan)
    rows = [said.get(example.study_key, silent) for example in examples]
    return torch.tensor(np.stack(rows), dtype=torch.float32) if rows else torch.zeros_like(labels)
