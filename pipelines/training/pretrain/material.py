"""What an encoder may be pretrained on: scans and text of the patients that no model is tested on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from data_schemas.case import Case
from data_schemas.cohort import Split
from data_schemas.errors import InputError, RefusedError
from data_schemas.note import Note
from data_schemas.recipes import ModelRecipe
from pipelines.cases.examples import SECTION_NUMBER, Example, Sentence
from pipelines.cases.ingest import load_cases
from pipelines.cases.labelled import add_sources, load_cohort
from pipelines.cases.leakage.case import own_reports
from pipelines.cases.merged import merged_in
from pipelines.cases.people import match_people
from pipelines.cases.prepare import prepare
from pipelines.cases.split import split_patients
from pipelines.notes.sections import BODY, split_sections
from pipelines.workspace import catalogue
from pipelines.workspace.cache import ArrayCache
from pipelines.workspace.identity import normalise_id, patient_key
from pipelines.workspace.memberships import Member
from pipelines.workspace.paths import Workspace

# What a report says of its study; its history is that of the referral.
TOLD = ("findings", "impression", BODY)
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Pair:
    """A scan and what is written of it. ``body_part`` and ``description`` are blank where the headers have none."""

    example: Example = field(repr=False)
    sentences: tuple[Sentence, ...] = field(repr=False)
    body_part: str = field(default="", repr=False)
    description: str = field(default="", repr=False)

    @property
    def text(self) -> str:
        """The sentences, one a line."""
        return "\n".join(sentence.text for sentence in self.sentences)


def split_of_patients(workspace: Workspace, keys: Sequence[str], given: Mapping[str, Split]) -> dict[str, Split]:
    """The split of each patient, as training will have it: a given one by patient key, else that of the hash."""
    training = workspace.settings.model.training
    drawn = split_patients(
        keys, seed=training.seed, validation_share=training.validation_share, test_share=training.test_share
    )
    return {key: given.get(key, split) for key, split in drawn.items()}


def key_of(workspace: Workspace, patient_id: str) -> str:
    """The key of a patient, by the settings' rules of identity."""
    rules = workspace.settings.link
    return patient_key(
        workspace.key,
        patient_id,
        ignore_case=rules.ignore_id_case,
        ignore_leading_zeros=rules.ignore_leading_zeros,
    )


def recipe_of(workspace: Workspace, *, splits: Mapping[str, Split] | None = None) -> ModelRecipe:
    """The recipe that training will have: as planned for the labelled cases, or as the settings have it."""
    with workspace.database() as engine:
        labelled = bool(catalogue.labels(engine))
    return load_cohort(workspace, splits=splits).plan.recipe if labelled else workspace.settings.model


def read_examples(
    workspace: Workspace,
    *,
    recipe: ModelRecipe,
    splits: Mapping[str, Split] | None = None,
    progress: Progress | None = None,
) -> tuple[list[Example], int]:
    """Every case with a scan, labelled or not, of the training and validation splits; and how many were refused.

    A case of the test split is not even read. The examples bear no labels.
    """
    cases = [case for case in load_cases(workspace).cases if case.scan is not None]
    given = {key_of(workspace, patient): split for patient, split in (splits or {}).items()}
    split_of = split_of_patients(workspace, [case.patient_key for case in cases], given)
    wanted: list[tuple[Case, Split]] = [
        (case, split_of[case.patient_key]) for case in cases if split_of[case.patient_key] != "test"
    ]
    cache = ArrayCache(workspace.cache)
    examples = []
    for number, (case, split) in enumerate(wanted):
        with suppress(RefusedError):
            examples.append(prepare(case, recipe=recipe, cache=cache, split=split))
        if progress:
            progress(number + 1, len(wanted))
    return [row for row in examples if row.scan is not None], len(wanted) - len(examples)


def read_pairs(workspace: Workspace, examples: Sequence[Example], *, text: str) -> list[Pair]:
    """The examples that have text, each with it; ``text`` is ``reports``, ``notes`` or ``both``.

    A study's own report tells what its labels tell. It is no input of any model; here it teaches encoders what
    training patients' scans show, as labels would, and no report of a test patient is read.
    """
    pairs = []
    for case in add_sources(workspace, examples):
        told = () if text == "notes" else _sentences(own_reports(case))
        read = () if text == "reports" else case.example.sentences
        facts = case.scan.facts if case.scan else None
        if told or read:
            pairs.append(
                Pair(
                    example=case.example,
                    sentences=(*read, *told),
                    body_part=_plain(facts.body_part) if facts else "",
                    description=_plain(facts.description) if facts else "",
                )
            )
    return pairs


def read_members(workspace: Workspace, *, splits: Mapping[str, Split] | None = None) -> Iterator[Member]:
    """The cases of the patients whose text `read_texts` gives. A patient without a scan has no case, and is in none."""
    cases = load_cases(workspace).cases
    given = {key_of(workspace, patient): split for patient, split in (splits or {}).items()}
    split_of = split_of_patients(workspace, [case.patient_key for case in cases], given)
    for case in cases:
        if split_of[case.patient_key] != "test":
            yield Member(case.study_key, case.patient_key, split_of[case.patient_key])


def read_texts(workspace: Workspace, *, splits: Mapping[str, Split] | None = None) -> dict[Split, list[str]]:
    """The text of every note of the catalogue, reports included, by its patient's split; none of the test split's.

    A patient without a scan has a split by the same hash. A note whose patient may be one of several is left out.
    Equal texts of a split stand once, in an order that does not depend on that of the catalogue.
    """
    rules = workspace.settings.link
    ids = {"ignore_id_case": rules.ignore_id_case, "ignore_leading_zeros": rules.ignore_leading_zeros}
    with workspace.database() as engine:
        merged = merged_in(engine, rules)
        scans, id_map = merged.scans(catalogue.scans(engine)), merged.id_map(catalogue.id_map(engine))
        notes = merged.records(catalogue.notes(engine))
    people = match_people((scan.patient.patient_id for scan in scans), id_map, **ids)
    owners: dict[str, list[Note]] = {}
    for note in notes:
        record = normalise_id(
            note.patient.patient_id, ignore_case=rules.ignore_id_case, ignore_leading_zeros=rules.ignore_leading_zeros
        )
        if record and record not in people.ambiguous_records:
            owners.setdefault(key_of(workspace, people.scan_id.get(record, record)), []).append(note)
    given = {key_of(workspace, merged.scan_id(patient)): split for patient, split in (splits or {}).items()}
    split_of = split_of_patients(workspace, list(owners), given)
    found: dict[Split, set[str]] = {"train": set(), "validation": set()}
    for key, held in owners.items():
        if split_of[key] in found:
            found[split_of[key]] |= {note.text for note in held if note.text.strip()}
    return {"train": sorted(found["train"]), "validation": sorted(found["validation"] - found["train"])}


def check_enough(rows: Mapping[str, int], *, what: str, fewest: int, mend: str) -> None:
    """Refuse what no encoder can learn from.

    Raises
    ------
    InputError
        Fewer in the training split than ``fewest``, or none to validate on.
    """
    if rows.get("train", 0) < fewest:
        raise InputError(
            f"{rows.get('train', 0)} {what} in the training split; pretraining needs at least {fewest}: {mend}"
        )
    if not rows.get("validation", 0):
        raise InputError(f"no {what} in the validation split; ingest more, or raise model.training.validation_share")


def count_splits(examples: Sequence[Example]) -> Counter[str]:
    """How many of each split."""
    return Counter(example.split for example in examples)


def _sentences(notes: Iterator[Note]) -> tuple[Sentence, ...]:
    return tuple(
        Sentence(sentence, f"{note}/{place}/{number}", SECTION_NUMBER[section.name], number)
        for note, report in enumerate(notes)
        for place, section in enumerate(split_sections(report.text))
        if section.name in TOLD
        for number, sentence in enumerate(section.sentences)
    )


def _plain(text: str) -> str:
    return " ".join(text.lower().split())
