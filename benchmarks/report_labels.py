"""Labels and concepts from 3,851 real reports against the MeSH column and against sentences annotated by hand.

The rows are split once by a hash of their id: rules and words were made on the open half, the sealed half is for the
last measurement. See docs/report-labels.md.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from data_schemas.finding import entailed
from pipelines.notes.concepts import read_concepts
from pipelines.notes.labels import labels_from_report

HERE = Path(__file__).parent
COLUMNS = ("indication", "comparison", "findings", "impression")
REPORT = ("findings", "impression")
NOT_INDEXED = "No Indexing"
LABEL_FLOOR, SENTENCE_FLOOR, FINDINGS_FLOOR = 0.75, 0.90, 8

HEDGED = "missed: the report hedges (label -1)"
DENIED = "missed: the report denies it (label 0)"
UNNAMED = "missed: no known words for it in the report"
INDEXED_NORMAL = "spurious: the report tells of it, the index says normal"
OTHER_WORD = "spurious: the index has a neighbouring term"
NOT_IN_INDEX = "spurious: the index has nothing of the kind"

Row = Mapping[str, str]


@dataclass(frozen=True)
class Mention:
    """One annotated or read mention, in offsets of its column."""

    finding: str
    start: int
    end: int
    assertion: str

    def same(self, other: Mention) -> bool:
        """The same finding with the same assertion, at places that overlap."""
        return (
            (self.finding, self.assertion) == (other.finding, other.assertion)
            and self.start < other.end
            and other.start < self.end
        )


@dataclass
class Tally:
    """Right, spurious and missed answers."""

    right: int = 0
    spurious: int = 0
    missed: int = 0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 0 where nothing was there or said."""
        return 2 * self.right / max(1, 2 * self.right + self.spurious + self.missed)

    def line(self, name: str) -> str:
        precision = self.right / max(1, self.right + self.spurious)
        recall = self.right / max(1, self.right + self.missed)
        cells = (name, self.right, self.spurious, self.missed, f"{precision:.3f}", f"{recall:.3f}", f"{self.f1:.3f}")
        return "| " + " | ".join(map(str, cells)) + " |"


HEAD = "| {} | right | spurious | missed | precision | recall | F1 |\n|---|---|---|---|---|---|---|"


def half_of(uid: str) -> str:
    """``open`` where SHA-256 of the row's id, as a number, is even; ``sealed`` otherwise."""
    return "sealed" if hashlib.sha256(uid.encode()).digest()[-1] % 2 else "open"


def note_of(row: Row) -> str:
    """The report as one text with headings."""
    return "\n".join(f"{name.upper()}: {row[name]}" for name in COLUMNS if row[name].strip())


def meant(mesh: str, table: Mapping[str, Iterable[str]]) -> set[str]:
    """The findings of the table that a MeSH cell names, and those of the table that they entail."""
    entries = [[part.strip() for part in entry.split("/")] for entry in mesh.split(";")]
    named = {name for name, rules in table.items() if any(fits(rule, entry) for rule in rules for entry in entries)}
    return named.union(*(entailed(name) for name in named)) & set(table)


def fits(rule: str, entry: list[str]) -> bool:
    term, qualifiers = entry[0], entry[1:]
    return rule == term or (rule.startswith(f"{term} ") and rule[len(term) + 1 :] in qualifiers)


def score_labels(rows: Iterable[Row], table: Mapping[str, list[str]], *, positive: set[int]) -> dict[str, Tally]:
    tallies = {name: Tally() for name in table}
    for row in rows:
        said, true = labels_from_report(note_of(row)), meant(row["MeSH"], table)
        for name, tally in tallies.items():
            says, is_true = said[name] in positive, name in true
            tally.right += says and is_true
            tally.spurious += says and not is_true
            tally.missed += is_true and not says
    return tallies


def kinds_of_disagreement(
    rows: Iterable[Row], table: Mapping[str, list[str]], neighbours: Mapping[str, list[str]]
) -> Counter[str]:
    """Why labels and index differ, by what can be told without judgement: what the text says, what the index has."""
    kinds: Counter[str] = Counter()
    for row in rows:
        said, true = labels_from_report(note_of(row)), meant(row["MeSH"], table)
        terms = {entry.split("/")[0].strip() for entry in row["MeSH"].split(";")}
        for name in table:
            if name in true and said[name] != 1:
                kinds[{-1: HEDGED, 0: DENIED, None: UNNAMED}[said[name]]] += 1
            elif name not in true and said[name] == 1:
                if terms == {"normal"}:
                    kinds[INDEXED_NORMAL] += 1
                elif terms.intersection(neighbours.get(name, ())):
                    kinds[OTHER_WORD] += 1
                else:
                    kinds[NOT_IN_INDEX] += 1
    return kinds


def total(tallies: Iterable[Tally]) -> Tally:
    both = Tally()
    for tally in tallies:
        both.right, both.spurious = both.right + tally.right, both.spurious + tally.spurious
        both.missed += tally.missed
    return both


def annotated(path: Path, half: str) -> dict[tuple[str, str, int, int], list[Mention]]:
    """Annotated sentences (row, column, from, to) of a half, with their mentions."""
    sentences: dict[tuple[str, str, int, int], list[Mention]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["half"] == half:
                key = (row["uid"], row["column"], int(row["sentence_start"]), int(row["sentence_end"]))
                mentions = sentences.setdefault(key, [])
                if row["finding"]:
                    mentions.append(Mention(row["finding"], int(row["start"]), int(row["end"]), row["assertion"]))
    return sentences


def mentions_in(row: Row, column: str, start: int, end: int) -> Iterator[Mention]:
    heading = f"{column.upper()}: "
    for concept in read_concepts(heading + row[column]):
        first, last = concept.start - len(heading), concept.end - len(heading)
        if start <= first and last <= end:
            yield Mention(concept.finding, first, last, concept.assertion)


def score_sentences(rows: Mapping[str, Row], sentences: Mapping[tuple[str, str, int, int], list[Mention]]) -> dict:
    tallies: dict[str, Tally] = {}
    for (uid, column, start, end), wanted in sentences.items():
        left = list(wanted)
        for mention in mentions_in(rows[uid], column, start, end):
            tally = tallies.setdefault(mention.assertion, Tally())
            found = next((other for other in left if mention.same(other)), None)
            if found:
                left.remove(found)
                tally.right += 1
            else:
                tally.spurious += 1
        for mention in left:
            tallies.setdefault(mention.assertion, Tally()).missed += 1
    return tallies


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reports", type=Path, default=HERE.parents[1] / "shared/data/reports/indiana_reports.csv")
    parser.add_argument("--half", choices=["open", "sealed"], nargs="+", default=["open", "sealed"])
    wanted = parser.parse_args()
    with wanted.reports.open(encoding="utf-8", newline="") as file:
        every = {row["uid"]: row for row in csv.DictReader(file)}
    mesh = yaml.safe_load((HERE / "report_mesh.yaml").read_text(encoding="utf-8"))
    table = mesh["findings"]
    met = True
    for half in wanted.half:
        chosen = [row for uid, row in every.items() if half_of(uid) == half]
        read = [row for row in chosen if NOT_INDEXED not in row["MeSH"] and any(row[name].strip() for name in REPORT)]
        print(f"\n## Labels, {half} half: {len(read):,} of {len(chosen):,} reports (indexed, with text)\n")
        print(HEAD.format("finding"))
        tallies = score_labels(read, table, positive={1})
        for name, tally in sorted(tallies.items(), key=lambda item: -(item[1].right + item[1].missed)):
            print(tally.line(name))
        labels = total(tallies.values())
        print(labels.line("**all (micro)**"))
        print(total(score_labels(read, table, positive={1, -1}).values()).line("all, uncertain as positive"))
        print("\n| disagreement | count |\n|---|---|")
        for kind, count in kinds_of_disagreement(read, table, mesh["neighbours"]).most_common():
            print(f"| {kind} | {count} |")
        sentences = annotated(HERE / "report_sentences.csv", half)
        by_assertion = score_sentences(every, sentences)
        print(f"\n## Mentions, {half} half: {len(sentences)} annotated sentences\n")
        print(HEAD.format("assertion"))
        for name, tally in sorted(by_assertion.items()):
            print(tally.line(name))
        mentions = total(by_assertion.values())
        print(mentions.line("**all (micro)**"))
        seen = Counter(name for name, tally in tallies.items() if tally.right + tally.missed)
        met &= labels.f1 >= LABEL_FLOOR and mentions.f1 >= SENTENCE_FLOOR and len(seen) >= FINDINGS_FLOOR
    print(f"\nFloors: labels {LABEL_FLOOR}, mentions {SENTENCE_FLOOR}: {'met' if met else 'MISSED'}")
    return 0 if met else 1


if __name__ == "__main__":
    raise SystemExit(main())
