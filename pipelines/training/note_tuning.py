"""Adapt the note encoder to the training split's findings, before it is frozen and its features are cached."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from data_schemas.errors import InputError
from data_schemas.recipes import ModelRecipe, NoteRecipe
from fusion_models.losses import masked_bce
from fusion_models.note_encoder import NoteEncoder
from fusion_models.note_findings import NoteFindings
from pipelines.cases.examples import Example
from pipelines.models.adapted_notes import with_adapted
from pipelines.models.note_features import windows_of_case
from pipelines.models.weights import NoteModel
from pipelines.notes.windows import Windows
from pipelines.training.adapters import made_tunable, merged
from pipelines.training.fitting import label_matrix, shared_by_fits, training_labels, usable
from pipelines.training.loop import Fitted, Report, fit, make_accelerator

# Of one record: the last windows that hold so many sub-words, at least one. Gradients keep what reading drops.
SUBWORDS_A_CASE = 2048
FEW_VALIDATED = 64
RATES = {"lora": 1e-3, "partial": 5e-5, "full": 5e-5}
log = logging.getLogger(__name__)


def tune_note_encoder(
    note_model: NoteModel,
    train: Sequence[Example],
    validation: Sequence[Example],
    *,
    recipe: ModelRecipe,
    checkpoint: Path | None = None,
    report: Report | None = None,
) -> tuple[NoteModel, Fitted]:
    """A note model whose encoder learned to tell the findings from the text, and how the fit went.

    The given one is left as it is. Cases without text or a known finding are left out; uncertain labels count as the
    recipe has them. The head is thrown away: what is kept is the encoder.

    Raises
    ------
    InputError
        No finding has both classes among the training cases with text, or the loss is not finite.
    SettingsError
        The encoder cannot be tuned so.
    """
    training, how = recipe.training, recipe.note
    train = [row for row in train if row.sentences]
    findings = usable(label_matrix(train, recipe.findings), recipe.findings)
    if not findings:
        raise InputError(
            "model.note.tuning: no finding has both positive and negative training cases among those with text; add "
            "labels, or set it to frozen"
        )
    read = _windows(note_model, how)
    rows, labels = _readable(train, training_labels(train, findings, training=training), read)
    held_out, known = _readable(validation, label_matrix(validation, findings), read)
    if not held_out:
        log.warning("no validation case has text and a known finding; training cases choose the note encoder's epoch")
        held_out, known = rows[:FEW_VALIDATED], labels[:FEW_VALIDATED]
    padding = note_model.tokenizer.pad_token_id or 0
    device = make_accelerator(training.precision).device
    torch.manual_seed(training.seed)
    backbone = made_tunable(copy.deepcopy(note_model.encoder.backbone), how)
    encoder = NoteEncoder(backbone=backbone, states=note_model.encoder.states)
    module = NoteFindings(encoder=encoder, findings=len(findings))

    def logits_of(module: nn.Module, cuts: Sequence[Windows]) -> Tensor:
        read: Tensor = module(*(part.to(device) for part in _batch(cuts, padding)), len(cuts))
        return read

    def loss_of(module: nn.Module, index: Tensor) -> Tensor:
        numbers = index.tolist()
        return masked_bce(logits_of(module, [rows[n] for n in numbers]), labels[numbers].to(device))

    @torch.no_grad()
    def validation_loss(module: nn.Module) -> float:
        starts = range(0, len(held_out), how.tuning_batch_size)
        parts = [held_out[start : start + how.tuning_batch_size] for start in starts]
        return float(masked_bce(torch.cat([logits_of(module, part).float().cpu() for part in parts]), known))

    rate = how.tuning_rate or RATES[how.tuning]
    fitted = fit(
        module,
        loss_of=loss_of,
        validation_loss=validation_loss,
        count=len(rows),
        epochs=how.tuning_epochs,
        patience=training.patience,
        batch_size=how.tuning_batch_size,
        learning_rate=training.learning_rate,
        rates={"encoder.": rate / training.learning_rate},
        checkpoint=checkpoint,
        report=report,
        **shared_by_fits(training),
    )
    return with_adapted(note_model, merged(module.encoder.backbone)), fitted


def _readable(
    examples: Sequence[Example], labels: Tensor, read: Callable[[Example], Windows]
) -> tuple[list[Windows], Tensor]:
    """The windows of those cases that have text and a label [F] that is not all NaN, and their labels."""
    known = (~labels.isnan()).any(dim=1).tolist()
    cuts = {number: read(row) for number, row in enumerate(examples) if known[number]}
    kept = [number for number, cut in cuts.items() if cut.ids]
    return [cuts[number] for number in kept], labels[kept]


def _windows(note_model: NoteModel, recipe: NoteRecipe) -> Callable[[Example], Windows]:
    window = recipe.window or note_model.window
    most = min(recipe.windows_at_most, max(SUBWORDS_A_CASE // window, 1))
    short = recipe.model_copy(update={"windows_at_most": most})
    return lambda example: windows_of_case(example, note_model=note_model, recipe=short)


def _batch(cuts: Sequence[Windows], padding: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Sub-words, mask and unit [W, L] of the windows of some records, and the case of every unit [U]."""
    longest = max(len(row) for cut in cuts for row in cut.ids)
    ids, mask, unit = [], [], []
    case: list[int] = []
    for number, cut in enumerate(cuts):
        first = len(case)
        for row, units in zip(cut.ids, cut.unit, strict=True):
            gap = longest - len(row)
            ids.append([*row, *([padding] * gap)])
            mask.append([1] * len(row) + [0] * gap)
            unit.append([*(first + n if n >= 0 else -1 for n in units), *([-1] * gap)])
        case += [number] * len(cut.sentence)
    return torch.tensor(ids), torch.tensor(mask), torch.tensor(unit), torch.tensor(case)
