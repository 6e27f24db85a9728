"""The cohort of a run: its digest, and whether a model can be trained and measured on it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import numpy as np

from data_schemas.cohort import Split
from data_schemas.errors import InputError
from data_schemas.recipes import ModelRecipe
from pipelines.cases.examples import Example
from pipelines.training.fitting import label_matrix, usable
from pipelines.workspace.digests import json_digest, sha256_bytes

SPLITS: tuple[Split, ...] = ("train", "validation", "test")
FEWEST_TRAINING_CASES = 20
FEWEST_OF_A_CLASS = 5
log = logging.getLogger(__name__)


def digest_cohort(examples: Sequence[Example]) -> str:
    """SHA-256 over everything of the cohort that reaches a model, whatever the order of its cases."""
    return json_digest(sorted(digest_example(example) for example in examples))


def digest_example(example: Example) -> str:
    """SHA-256 over what a case brings to a model: tensor, text with places, values, mentions, labels, split, no key.

    Its targets too, where it has any.
    """
    scan = example.scan_digest
    if not scan and example.scan is not None:
        parts = (example.scan.values, example.scan.affine)
        scan = json_digest([sha256_bytes(np.ascontiguousarray(part).data) for part in parts])
    return json_digest(
        [
            scan,
            [[sentence.text, sentence.section, sentence.number] for sentence in example.sentences],
            [[value.code, value.value, value.age_days] for value in example.values],
            [[item.finding, item.assertion, item.side, item.sentence] for item in example.mentions],
            dict(example.labels),
            example.split,
            # Cases without targets keep the digest that they had before there were any.
            *([dict(example.targets)] if example.targets else []),
        ]
    )


def check_cohort(parts: Mapping[Split, Sequence[Example]], recipe: ModelRecipe) -> ModelRecipe:
    """The recipe with only those findings that the training split can teach; what is left out or lacking is logged.

    Raises
    ------
    InputError
        Too few training cases, no labelled validation or test case, no finding with both classes in the training
        split, a patient in two splits, or nothing at all to learn from.
    """
    if len(parts["train"]) < FEWEST_TRAINING_CASES:
        raise InputError(
            f"{len(parts['train'])} labelled training cases; training needs at least {FEWEST_TRAINING_CASES}: "
            "ingest more cases or labels"
        )
    for split in SPLITS[1:]:
        if not parts[split]:
            raise InputError(f"no case in the {split} split; ingest more cases, or raise training.{split}_share")
    _check_patients(parts)
    findings = usable(label_matrix(parts["train"], recipe.findings), recipe.findings)
    for name in recipe.findings:
        if name not in findings:
            log.warning("finding %s is left out: the training cases do not have both classes of it", name)
    if not findings:
        raise InputError("no finding has both positive and negative training cases; add labels, or check their column")
    for split in SPLITS[1:]:
        if label_matrix(parts[split], findings).isnan().all():
            raise InputError(f"no case of the {split} split has a known label of any finding; add labels")
    _tell_one_class(parts, findings)
    _tell_absent(parts["train"], recipe.modalities)
    return recipe.model_copy(update={"findings": findings})


def check_small_cohort(used: Sequence[Example], tested: Sequence[Example], recipe: ModelRecipe) -> ModelRecipe:
    """As `check_cohort`, for a cohort that is cross-validated: at least two patients of each class of a finding.

    Raises
    ------
    InputError
        Too few cases, no finding with two patients of each class, or a patient among the used and the tested.
    """
    if len(used) < FEWEST_TRAINING_CASES:
        raise InputError(
            f"{len(used)} labelled cases; training needs at least {FEWEST_TRAINING_CASES}: ingest more cases or labels"
        )
    _check_patients({"train": used, "test": tested})
    labels = label_matrix(used, recipe.findings).numpy()
    patients = np.array([row.patient_key for row in used])
    findings = tuple(
        name
        for column, name in enumerate(recipe.findings)
        if all(len(set(patients[labels[:, column] == value])) >= FEWEST_OF_A_CLASS for value in (0, 1))
    )
    for name in recipe.findings:
        if name not in findings:
            log.warning("finding %s is left out: fewer than %s patients of a class", name, FEWEST_OF_A_CLASS)
    if not findings:
        raise InputError(f"no finding has {FEWEST_OF_A_CLASS} patients with it and as many without; add labels")
    _tell_absent(used, recipe.modalities)
    return recipe.model_copy(update={"findings": findings})


def _check_patients(parts: Mapping[Split, Sequence[Example]]) -> None:
    patients = {split: {row.patient_key for row in rows} for split, rows in parts.items()}
    shared = sum(len(keys) for keys in patients.values()) - len(set().union(*patients.values()))
    if shared:
        raise InputError(f"{shared} patients stand in more than one split; split by patient, never by study")


def check_numbers(examples: Sequence[Example]) -> None:
    """Every voxel and every value is a finite number.

    Raises
    ------
    InputError
        How many cases have one that is not.
    """
    scans = sum(
        row.scan is not None and not (np.isfinite(row.scan.values).all() and np.isfinite(row.scan.affine).all())
        for row in examples
    )
    if scans:
        raise InputError(
            f"{scans} of {len(examples)} cases have a scan with values that are not finite (NaN or infinity); "
            "ingest their scans again, which quarantines what is wrong with them"
        )
    values = sum(any(not np.isfinite(value.value) for value in row.values) for row in examples)
    if values:
        raise InputError(
            f"{values} of {len(examples)} cases have an observation that is not finite (NaN or infinity); "
            "mend the table and ingest it again"
        )


def _tell_one_class(parts: Mapping[Split, Sequence[Example]], findings: Sequence[str]) -> None:
    """Training can do without, but the validation loss and the figures then know one side of the finding only."""
    for split in SPLITS[1:]:
        labels = label_matrix(parts[split], findings)
        for name in (name for name in findings if name not in usable(labels, findings)):
            column = labels[:, list(findings).index(name)]
            lacking = "positives" if not (column == 1).any() else "negatives"
            lacking = "known labels" if column.isnan().all() else lacking
            told = "its late fusion is the mean" if split == "validation" else "nothing is measured of it"
            log.warning("finding %s: no %s among the %s cases; %s", name, lacking, split, told)


def _tell_absent(train: Sequence[Example], modalities: Sequence[str]) -> None:
    has = {
        "scan": ("a scan", any(row.scan is not None for row in train)),
        "radiomics": ("a scan", any(row.scan is not None for row in train)),
        "note": ("a note", any(row.sentences for row in train)),
        "words": ("a note", any(row.sentences for row in train)),
        "observation": ("an observation", any(row.values for row in train)),
        "concept": ("a concept", any(row.mentions for row in train)),
    }
    for told in dict.fromkeys(has[name][0] for name in modalities if not has[name][1]):
        log.warning("no training case has %s: the model learns nothing from any", told)
    if not any(has[name][1] for name in modalities):
        raise InputError(
            f"no training case has anything that the model reads ({', '.join(modalities)}); ingest it, or change "
            "model.modalities"
        )
