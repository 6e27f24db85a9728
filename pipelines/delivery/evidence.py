"""Evidence found again: which sentence, place or value a score rests on, as the page shows it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from data_schemas.diagnosis import Evidence, Score
from data_schemas.note import Note, Section
from data_schemas.observation import Observation
from pipelines.delivery.planes import Point
from pipelines.delivery.words import display_name, value_text

TOP = 3
_SENTENCE = re.compile(r"(\d{1,6})/(\d{1,6})/(\d{1,6})(?:#([^/]+)/([^/]+)(?:/([^/]+))?)?", re.ASCII)
TEXT = ("note", "concept")  # modalities whose evidence lies in a sentence


@dataclass(frozen=True)
class Quote:
    """A sentence or value that a finding rests on.

    ``label`` is the section of a sentence; ``target`` is the anchor in the page, empty where there is none.
    """

    text: str = field(repr=False)
    weight: float
    target: str = ""
    label: str = ""


@dataclass(frozen=True)
class Region:
    """A place of the scan, numbered through the page, and the findings (number, name, weight) that rest on it."""

    number: int
    position_mm: Point
    findings: tuple[tuple[int, str, float], ...]


@dataclass(frozen=True)
class FindingEvidence:
    """The strongest evidence of one finding, by where it comes from, strongest first."""

    regions: tuple[tuple[int, float], ...]  # number of the region, weight
    quotes: tuple[Quote, ...]
    others: tuple[Quote, ...]


def strongest(
    evidence: Iterable[Evidence], *, place: bool | None = None, modality: str | None = None
) -> list[Evidence]:
    """The ``TOP`` pieces of evidence by weight, with (or without) a place, of a modality where one is named."""
    fitting = (
        item
        for item in evidence
        if (place is None or (item.position_mm is not None) == place) and modality in (None, item.modality)
    )
    return sorted(fitting, key=lambda item: (-item.weight, item.modality, item.source))[:TOP]


def regions_of(scores: Sequence[Score]) -> list[Region]:
    """Every place that some finding's strongest evidence names, once.

    They are numbered so that the strongest places of the likeliest findings come first: every finding's first place,
    then every finding's second.
    """
    ranked = sorted(range(len(scores)), key=lambda index: (-scores[index].probability, index))
    chosen = {index: strongest(scores[index].evidence, place=True) for index in ranked}
    named: dict[tuple[float, ...], list[tuple[int, str, float]]] = {}
    for rank in range(TOP):
        for index in ranked:
            for item in chosen[index][rank : rank + 1]:
                row = (index + 1, display_name(scores[index].finding), item.weight)
                named.setdefault(_place(item), []).append(row)
    return [
        Region(number, (place[0], place[1], place[2]), tuple(sorted(rows)))
        for number, (place, rows) in enumerate(named.items(), 1)
    ]


def evidence_of(
    score: Score,
    *,
    regions: Sequence[Region],
    sections: Sequence[tuple[Note, tuple[Section, ...]]],
    observations: Sequence[Observation],
) -> FindingEvidence:
    """The strongest evidence of one finding, looked up in the notes and values of its case."""
    numbers = {region.position_mm: region.number for region in regions}
    placed = strongest(score.evidence, place=True)
    values = {item.code: item for item in observations}
    quotes, others = [], []
    for item in strongest(score.evidence, place=False, modality="note"):
        found = sentence_at(sections, item.source)
        if found is None:
            others.append(Quote(f"a sentence that is not in these notes ({item.source})", item.weight))
        else:
            section, sentence = found
            quotes.append(Quote(sentence, item.weight, anchor(item.source), section))
    for item in strongest(score.evidence, place=False, modality="concept"):
        known = sentence_at(sections, item.source) is not None
        others.append(Quote(_concept_text(item.source), item.weight, anchor(item.source) if known else ""))
    elsewhere = [item for item in score.evidence if item.modality not in TEXT and item.position_mm is None]
    others += [
        Quote(_other_text(item, values), item.weight, "observations" if item.source in values else "")
        for item in strongest(elsewhere)
    ]
    return FindingEvidence(
        regions=tuple((numbers[_place(item)], item.weight) for item in placed),
        quotes=tuple(quotes),
        others=tuple(others),
    )


def marked_sentences(scores: Sequence[Score]) -> dict[str, list[tuple[int, str, float]]]:
    """For each sentence (``note/section/sentence``) the findings (number, name, weight) whose top evidence it is."""
    marks: dict[str, list[tuple[int, str, float]]] = {}
    for number, score in enumerate(scores, 1):
        weights: dict[str, float] = {}
        for modality in TEXT:
            for item in strongest(score.evidence, place=False, modality=modality):
                if place := _numbers(item.source):
                    sentence = "/".join(map(str, place))
                    weights[sentence] = weights.get(sentence, 0.0) + item.weight
        for sentence, weight in weights.items():
            marks.setdefault(sentence, []).append((number, display_name(score.finding), weight))
    return marks


def sentence_at(sections: Sequence[tuple[Note, tuple[Section, ...]]], source: str) -> tuple[str, str] | None:
    """Section name and sentence that ``note/section/sentence`` names by number, or None where there is none."""
    place = _numbers(source)
    if place is None:
        return None
    note, section, sentence = place
    try:
        part = sections[note][1][section]
        return part.name, part.sentences[sentence]
    except IndexError:
        return None


def anchor(source: str) -> str:
    """The anchor of a sentence in the page; empty for what is no ``note/section/sentence``."""
    place = _numbers(source)
    return "s-" + "-".join(map(str, place)) if place else ""


def _numbers(source: str) -> tuple[int, int, int] | None:
    match = _SENTENCE.fullmatch(source)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def _concept_text(source: str) -> str:
    """A mention in words: ``Cardiomegaly, negated``."""
    match = _SENTENCE.fullmatch(source)
    if match is None or not match[4]:
        return f"concept: {source}"
    return ", ".join(filter(None, (display_name(match[4]), match[5], match[6])))


def _place(item: Evidence) -> Point:
    x, y, z = item.position_mm or (0.0, 0.0, 0.0)
    return round(x, 1), round(y, 1), round(z, 1)


def _other_text(item: Evidence, values: Mapping[str, Observation]) -> str:
    found = values.get(item.source)
    if found is None:
        return f"{item.modality}: {item.source}"
    return f"{found.code} {value_text(found.value)} {found.unit}".rstrip()
