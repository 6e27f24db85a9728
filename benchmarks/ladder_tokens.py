"""What the arms of the fusion ladder share: patients drawn in memory, the seed's scan encoder, and tokens on disk.

Patients are drawn without files. The scan encoder is trained once a seed on the located signs; its tokens, the note
encoder's and the observations are kept as NumPy files (no pickle), so that every arm reads the very same.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from data_schemas.cohort import Split
from data_schemas.recipes import ModelRecipe, ScanRecipe, TrainingRecipe
from fusion_models.case_model import Batch
from fusion_models.observation_encoder import Values
from fusion_models.tokens import Tokens, collate
from pipelines.models.build import build_scan_encoder
from pipelines.models.features import observation_inputs
from pipelines.models.note_features import encode_notes
from pipelines.models.scan_features import encode_scans
from pipelines.models.weights import load_note_model, resolve_note_encoder
from pipelines.synthetic.memory import synthetic_examples
from pipelines.training.fitting import fit_scan_encoder, label_matrix
from pipelines.workspace.digests import json_digest, sha256_bytes

log = logging.getLogger("fusion_ladder")
# Every split has numbers of its own: more patients of one change none of another.
FIRST: dict[Split, int] = {"train": 0, "validation": 100_000, "test": 200_000}
PART = 200
# Cases of the training and of the validation split that the scan encoder learns from.
ENCODER_CASES: dict[Split, int] = {"train": 1000, "validation": 200}
RECIPE = ModelRecipe(
    scan=ScanRecipe(shape=(48, 48, 48), spacing_mm=(6.7, 6.7, 6.7), width=0.25),
    training=TrainingRecipe(precision="fp32", scan_epochs=5),
)


@dataclass(frozen=True)
class Cases:
    """One split: what the encoders gave of its cases, and the labels [N, F]."""

    batch: Batch
    labels: Tensor


def cases_of(
    seed: int, counts: Mapping[Split, int], *, recipe: ModelRecipe, folder: Path, device: str
) -> dict[Split, Cases]:
    """Tokens of a seed's hospital; what the folder holds is not computed again."""
    recipe = recipe.model_copy(update={"training": recipe.training.model_copy(update={"seed": seed})})
    torch.manual_seed(seed)
    encoder = build_scan_encoder(recipe, signs=len(recipe.scan_signs))
    own = folder / _key(seed, counts, recipe)
    own.mkdir(parents=True, exist_ok=True)
    _fit_encoder(encoder, own, seed, counts, recipe, device)
    return {split: _split(seed, split, count, recipe, encoder, own, device) for split, count in counts.items()}


def _fit_encoder(
    encoder: torch.nn.Module, own: Path, seed: int, counts: Mapping[Split, int], recipe: ModelRecipe, device: str
) -> None:
    from safetensors.torch import load, save

    path = own / "scan_encoder.safetensors"
    if not path.exists():
        start = time.monotonic()
        parts = {
            split: list(
                synthetic_examples(
                    [(split, min(counts[split], most))], seed=seed, recipe=recipe, first_number=FIRST[split]
                )
            )
            for split, most in ENCODER_CASES.items()
        }
        log.warning("seed %d: drawn in %.0f s", seed, time.monotonic() - start)
        fit_scan_encoder(
            encoder,  # type: ignore[arg-type]
            parts["train"],
            parts["validation"],
            signs=recipe.scan_signs,
            recipe=recipe,
            checkpoint=own / "scan-encoder",
            report=lambda epoch, metrics: log.warning("scan encoder, epoch %d: %s", epoch, metrics),
        )
        path.write_bytes(save({key: value.cpu().contiguous() for key, value in encoder.state_dict().items()}))
        log.warning("seed %d: scan encoder fitted, %.0f s so far", seed, time.monotonic() - start)
    encoder.load_state_dict(load(path.read_bytes()))
    encoder.to(device).eval()


def _split(
    seed: int, split: Split, count: int, recipe: ModelRecipe, encoder: torch.nn.Module, own: Path, device: str
) -> Cases:
    """The cases of one split, in parts of ``PART``: more of them later add to what is there."""
    scans, notes, facts = [], [], []
    for start in range(0, count, PART):
        first, drawn = FIRST[split] + start, min(PART, count - start)
        told = note_part(seed, split, first, drawn, recipe=recipe, own=own, device=device)
        notes.append(told)
        path = own / f"scan-{split}-{first}-{drawn}.npz"
        if not path.exists():
            examples = list(synthetic_examples([(split, drawn)], seed=seed, recipe=recipe, first_number=first))
            rows = collate(encode_scans(examples, encoder=encoder, digest="", device=device))  # type: ignore[arg-type]
            _save(path, _arrays(rows))
        scans.append(_load(path))
        path = own / f"facts-{split}-{first}-{drawn}.npz"
        if not path.exists():
            examples = list(
                synthetic_examples([(split, drawn)], seed=seed, recipe=recipe, first_number=first, with_scan=False)
            )
            values = observation_inputs(examples, codes=recipe.observation_codes)
            known = {name: getattr(values, name).numpy() for name in ("code", "value", "age_days", "mask")}
            _save(path, known | {"labels": label_matrix(examples, recipe.findings).numpy()})
        facts.append(_load(path))
    batch = Batch({"scan": _tokens(scans), "note": _tokens(notes), "observation": _values(facts)})
    return Cases(batch, torch.from_numpy(np.concatenate([part["labels"] for part in facts])))


def note_part(
    seed: int, split: Split, first: int, count: int, *, recipe: ModelRecipe, own: Path, device: str
) -> dict[str, np.ndarray]:
    """Tokens of so many notes; kept in the folder."""
    path = own / f"note-{split}-{first}-{count}.npz"
    if not path.exists():
        examples = list(
            synthetic_examples([(split, count)], seed=seed, recipe=recipe, first_number=first, with_scan=False)
        )
        model = load_note_model(
            resolve_note_encoder(recipe.note.encoder, revision=recipe.note.revision),
            states=recipe.note.states,
            window=recipe.note.window,
        )
        found = encode_notes(examples, note_model=model, recipe=recipe.note, device=device)
        _save(path, _arrays(collate([tokens for tokens, _ in found])))
    return _load(path)


def _key(seed: int, counts: Mapping[Split, int], recipe: ModelRecipe) -> str:
    """Of all that the tokens depend on, the look of a first patient included: synthesis that changed shows there."""
    first = next(iter(synthetic_examples([("train", 1)], seed=seed, recipe=recipe)))
    assert first.scan is not None
    looks = [sha256_bytes(first.scan.values.tobytes()), [item.text for item in first.sentences], first.labels]
    shown = recipe.model_dump(mode="json", include={"scan", "note", "findings", "scan_signs", "observation_codes"})
    shown["scan_training"] = recipe.training.model_dump(mode="json", include={"scan_epochs", "scan_learning_rate"})
    return f"seed{seed}-{json_digest([shown, min(counts['train'], ENCODER_CASES['train']), looks])[:16]}"


def _arrays(tokens: Tokens) -> dict[str, np.ndarray]:
    return {name: getattr(tokens, name).numpy() for name in ("values", "mask", "position", "source")}


def _save(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    draft = path.with_suffix(".part.npz")
    np.savez(draft, **arrays)  # type: ignore[arg-type]
    draft.rename(path)


def _load(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as held:
        return dict(held)


def _tokens(parts: list[dict[str, np.ndarray]]) -> Tokens:
    return Tokens(**{name: _joined(parts, name) for name in ("values", "mask", "position", "source")})


def _values(parts: list[dict[str, np.ndarray]]) -> Values:
    return Values(*(_joined(parts, name) for name in ("code", "value", "age_days", "mask")))


def _joined(parts: list[dict[str, np.ndarray]], name: str) -> Tensor:
    """One array of several batches, padded to the longest."""
    slots = max(part["mask"].shape[1] for part in parts)
    pad = {"source": -1}.get(name, 0)
    return torch.from_numpy(
        np.concatenate(
            [
                np.pad(
                    part[name],
                    [(0, 0), (0, slots - part[name].shape[1]), *[(0, 0)] * (part[name].ndim - 2)],
                    constant_values=pad,
                )
                for part in parts
            ]
        )
    )
