"""A whole pretraining: material of the workspace, the fit with its checkpoints, and the encoder that is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_schemas.cohort import Split
from data_schemas.pretraining import PretrainRecipe
from data_schemas.recipes import ModelRecipe
from fusion_models.masked_volume import MaskedVolume
from pipelines.cases.examples import Example
from pipelines.models.weights import (
    folder_digest,
    load_note_model,
    resolve_note_encoder,
    weights_bytes,
    weights_digest,
)
from pipelines.training.cohort import digest_example
from pipelines.training.first_encoder import first_scan_encoder
from pipelines.training.loop import make_accelerator
from pipelines.training.pretrain.contrastive import Retrieval, build_pair_model, fit_pairs, retrieval
from pipelines.training.pretrain.keep import (
    PAIR,
    SCAN,
    EncoderCard,
    Kept,
    Objective,
    counted,
    drop_half_kept,
    keep_encoder,
)
from pipelines.training.pretrain.material import (
    Pair,
    check_enough,
    count_splits,
    read_examples,
    read_members,
    read_pairs,
    read_texts,
    recipe_of,
)
from pipelines.training.pretrain.text import fit_words, load_language_model, save_language_model, windows_of
from pipelines.training.pretrain.volume import fit_volumes
from pipelines.training.pretrain.zero_shot import note_tokens
from pipelines.training.run import deterministic
from pipelines.training.trained import Stage, no_stage
from pipelines.workspace.cache import ArrayCache
from pipelines.workspace.digests import json_digest
from pipelines.workspace.files import write_atomic
from pipelines.workspace.forget import drop_forgotten
from pipelines.workspace.local_paths import with_local_paths
from pipelines.workspace.memberships import Member, put_members
from pipelines.workspace.paths import Workspace

FEWEST_CASES, FEWEST_TEXTS = 20, 20


@dataclass(frozen=True)
class Pretrained:
    """A kept encoder, how many cases could not be read, and for pairs how well held-out scans find their text."""

    kept: Kept
    refused: int = 0
    retrieval: Retrieval | None = None
    fresh_head: bool = False


def pretrain(
    workspace: Workspace,
    *,
    objective: Objective,
    splits: Mapping[str, Split] | None = None,
    stage: Stage | None = None,
) -> Pretrained:
    """Pretrain an encoder on everything of the workspace that no model is tested on, labelled or not.

    ``contrastive`` and ``volume`` give a scan encoder, ``text`` a note encoder. An interrupted run with the same
    settings and material goes on from its last checkpoint.

    Parameters
    ----------
    splits
        A given split by patient id as the scans have it; other patients are split by the hash that training uses.

    Raises
    ------
    InputError
        Too little to learn from, or nothing to validate on.
    ModelError, SettingsError
        The note encoder or the scan encoder's first weights cannot be had as the settings have them.
    """
    drop_half_kept(workspace)
    stage = stage or no_stage
    recipe = with_local_paths(recipe_of(workspace, splits=splits), workspace.root)
    with deterministic(recipe.training.deterministic):
        run = {"contrastive": _contrastive, "text": _text, "volume": _volume}[objective]
        return run(workspace, recipe, splits, stage)


def _contrastive(
    workspace: Workspace, recipe: ModelRecipe, splits: Mapping[str, Split] | None, stage: Stage
) -> Pretrained:
    settings = workspace.settings.pretrain
    examples, refused = _examples(workspace, recipe, splits, stage)
    pairs = sorted(
        read_pairs(workspace, examples, text=settings.contrastive.text),
        key=lambda pair: (digest_example(pair.example), pair.text),
    )
    parts = {split: [pair for pair in pairs if pair.example.split == split] for split in ("train", "validation")}
    check_enough(
        count_splits([pair.example for pair in pairs]),
        what=f"scans with {'text' if settings.contrastive.text == 'both' else settings.contrastive.text}",
        fewest=FEWEST_CASES,
        mend="ingest more scans and the reports of their studies, or set pretrain.contrastive.text to notes or both",
    )
    device = make_accelerator(recipe.training.precision).device
    note_model = load_note_model(
        resolve_note_encoder(recipe.note.encoder, revision=recipe.note.revision),
        states=recipe.note.states,
        window=recipe.note.window,
    )
    encoder = first_scan_encoder(recipe, signs=1)
    started_from = weights_digest(encoder)
    tokens = {}
    for split, rows in parts.items():
        with stage(f"encode {split} text", 1):
            tokens[split] = note_tokens(
                [pair.sentences for pair in rows],
                keys=[pair.example.study_key for pair in rows],
                note_model=note_model,
                recipe=recipe.note,
                device=device,
                cache=ArrayCache(workspace.cache),
            )
    model = build_pair_model(encoder, note_features=note_model.encoder.features, recipe=settings)
    how = settings.contrastive
    with stage("pretrain on pairs", how.epochs) as report:
        fitted = fit_pairs(
            model,
            parts["train"],
            tokens["train"],
            parts["validation"],
            tokens["validation"],
            recipe=recipe,
            pretrain=settings,
            checkpoint=_checkpoint(
                workspace, recipe, settings, "contrastive", started_from, [note_model.digest, _pair_digests(pairs)]
            ),
            report=lambda epoch, _metrics: report(epoch + 1, how.epochs),
        )
    found = retrieval(model, parts["validation"], tokens["validation"])
    measures = {"recall_at_1": found.recall_at_1, "recall_at_10": found.recall_at_10, "chance": found.chance}

    def write(folder: Path) -> None:
        write_atomic(folder / SCAN, weights_bytes(encoder.body))
        write_atomic(folder / PAIR, weights_bytes(model))

    kept = _keep(
        workspace,
        write,
        objective="contrastive",
        recipe=recipe,
        started_from=started_from,
        cases={split: len(rows) for split, rows in parts.items()},
        settings=how.model_dump(mode="json"),
        measures=measures,
        epochs=fitted.epochs,
        note_digest=note_model.digest,
        members=_members(pair.example for pair in pairs),
    )
    return Pretrained(kept, refused, retrieval=found)


def _volume(workspace: Workspace, recipe: ModelRecipe, splits: Mapping[str, Split] | None, stage: Stage) -> Pretrained:
    settings = workspace.settings.pretrain
    examples, refused = _examples(workspace, recipe, splits, stage)
    examples = sorted(examples, key=digest_example)
    parts = {split: [row for row in examples if row.split == split] for split in ("train", "validation")}
    check_enough(count_splits(examples), what="scans", fewest=FEWEST_CASES, mend="ingest more scans")
    encoder = first_scan_encoder(recipe, signs=1)
    started_from = weights_digest(encoder)
    model, how = MaskedVolume(scan_encoder=encoder), settings.volume
    with stage("pretrain on volumes", how.epochs) as report:
        fitted = fit_volumes(
            model,
            parts["train"],
            parts["validation"],
            recipe=recipe,
            pretrain=settings,
            checkpoint=_checkpoint(
                workspace, recipe, settings, "volume", started_from, [digest_example(row) for row in examples]
            ),
            report=lambda epoch, _metrics: report(epoch + 1, how.epochs),
        )
    kept = _keep(
        workspace,
        lambda folder: write_atomic(folder / SCAN, weights_bytes(encoder.body)),
        objective="volume",
        recipe=recipe,
        started_from=started_from,
        cases={split: len(rows) for split, rows in parts.items()},
        settings=how.model_dump(mode="json"),
        measures={"masked_error": fitted.best_loss},
        epochs=fitted.epochs,
        note_digest="",
        members=_members(examples),
    )
    return Pretrained(kept, refused)


def _text(workspace: Workspace, recipe: ModelRecipe, splits: Mapping[str, Split] | None, stage: Stage) -> Pretrained:
    settings = workspace.settings.pretrain
    how = settings.text
    texts = read_texts(workspace, splits=splits)
    check_enough(
        {split: len(rows) for split, rows in texts.items()},
        what="notes",
        fewest=FEWEST_TEXTS,
        mend="ingest more notes",
    )
    source = resolve_note_encoder(recipe.note.encoder, revision=recipe.note.revision)
    started_from = folder_digest(source)
    language = load_language_model(source, seed=recipe.training.seed, window=how.window)
    rows = {split: windows_of(part, language.tokenizer, window=how.window) for split, part in texts.items()}
    check_enough(
        {split: len(part) for split, part in rows.items()}, what="notes with words", fewest=1, mend="ingest more notes"
    )
    with stage("pretrain on notes", how.epochs) as report:
        fitted = fit_words(
            language,
            rows["train"],
            rows["validation"],
            recipe=recipe,
            pretrain=settings,
            checkpoint=_checkpoint(
                workspace, recipe, settings, "text", started_from, [rows["train"], rows["validation"]]
            ),
            report=lambda epoch, _metrics: report(epoch + 1, how.epochs),
        )
    kept = _keep(
        workspace,
        lambda folder: save_language_model(language, folder),
        objective="text",
        recipe=recipe,
        started_from=started_from,
        cases={split: len(part) for split, part in texts.items()},
        settings=how.model_dump(mode="json"),
        measures={"masked_loss": fitted.best_loss},
        epochs=fitted.epochs,
        note_digest="",
        members=read_members(workspace, splits=splits),
    )
    return Pretrained(kept, fresh_head=language.fresh_head)


def _examples(
    workspace: Workspace, recipe: ModelRecipe, splits: Mapping[str, Split] | None, stage: Stage
) -> tuple[list[Example], int]:
    with stage("read scans", 1) as report:
        return read_examples(workspace, recipe=recipe, splits=splits, progress=report)


def _checkpoint(
    workspace: Workspace,
    recipe: ModelRecipe,
    settings: PretrainRecipe,
    objective: str,
    started_from: str,
    material: Sequence[Any],
) -> Path:
    """One folder for everything that the fit depends on: whatever of it changes, it begins anew."""
    training = recipe.training.model_dump(mode="json", include={"seed", "precision", "augment"})
    origin = [objective, settings, recipe.scan, training, started_from, material]
    return workspace.cache / "checkpoints" / json_digest(origin)


def _pair_digests(pairs: Iterable[Pair]) -> list[list[str]]:
    return [
        [digest_example(pair.example), pair.text, pair.body_part, pair.description, pair.example.patient_key]
        for pair in pairs
    ]


def _keep(
    workspace: Workspace,
    write: Callable[[Path], None],
    *,
    objective: Objective,
    recipe: ModelRecipe,
    started_from: str,
    cases: Mapping[str, int],
    settings: Mapping[str, Any],
    measures: Mapping[str, float],
    epochs: Sequence[Mapping[str, float]],
    note_digest: str,
    members: Iterable[Member],
) -> Kept:
    recipes = {
        "model": recipe.model_dump(mode="json"),
        "pretrain": workspace.settings.pretrain.model_dump(mode="json"),
        "note_digest": note_digest,
    }
    folder, card = keep_encoder(
        workspace,
        write,
        content={
            "objective": objective,
            "started_from": started_from,
            "task": recipe.task,
            "cases": counted(cases),
            "settings": {f"{objective}.{name}": str(value) for name, value in settings.items()},
            "measures": dict(measures),
            "epochs": tuple(dict(epoch) for epoch in epochs),
            "recipe": recipes,
        },
    )
    with workspace.database() as engine:
        # Whom an encoder has seen is known as long as it is kept, so that `forget` can name it.
        put_members(engine, card.digest, members)
        drop_forgotten(engine, ArrayCache(workspace.cache))
    return Kept(folder, card, setting_of(workspace, folder, card))


def _members(examples: Iterable[Example]) -> Iterator[Member]:
    return (Member(row.study_key, row.patient_key, row.split) for row in examples)


def setting_of(workspace: Workspace, folder: Path, card: EncoderCard) -> str:
    """The lines of the settings by which `train` starts from a kept encoder."""
    place = folder.relative_to(workspace.root)
    if card.objective == "text":
        return f"model: {{note: {{encoder: {place}}}}}"
    return f"model: {{scan: {{weights: {place / SCAN}}}}}"
