"""Which of a study's scans is the scan, and why: rules over what the headers say, and one order in the end."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

import numpy as np

from data_schemas.scan import Geometry, Scan
from data_schemas.selection import ScanRule

# A plane is named after the axis that its normal lies along, to within about 37 degrees.
_ALONG = 0.8
_PLANES = ("sagittal", "coronal", "axial")
_WORD = re.compile(r"[^\W_]+")
# What scanners write into the contrast agent where there was none.
_NO_AGENT = frozenset({"NONE", "NO", "NO CONTRAST", "WITHOUT", "N", "OFF"})


class Verdict(StrEnum):
    """What became of one rule; *unknown* where the headers do not say."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Check:
    """One thing that was asked of a scan, whether it had to be met, and what became of it."""

    rule: str
    required: bool
    verdict: Verdict

    def __str__(self) -> str:
        """In words, without anything that a header says."""
        return f"{'required' if self.required else 'preferred'} {self.rule.replace('_', ' ')} {self.verdict}"


@dataclass(frozen=True)
class Ranked:
    """A scan in its place: ``rank`` counts from 1, ``score`` is preferences met less those not met.

    A scan that fails what is required is not ``eligible``, and stands behind all that are.
    """

    scan: Scan
    rank: int
    score: int
    eligible: bool
    why: tuple[Check, ...]

    @property
    def explained(self) -> str:
        """The ranking in words: every check, then what decides between equals."""
        told = [str(check) for check in self.why]
        return ", ".join([*told, f"{self.scan.geometry.shape[0]} slices"])


def rank(
    scans: Sequence[Scan], *, require: ScanRule | None = None, prefer: ScanRule | None = None
) -> tuple[Ranked, ...]:
    """Rank the accepted scans of one study, the best first.

    The order: what meets the requirements; then the score; then the number of slices; then the digest of the series
    UID, which only makes the order total. It does not depend on the order of ``scans``.
    """
    rows = []
    for scan in scans:
        why = (*_checks(scan, require or ScanRule(), scans, True), *_checks(scan, prefer or ScanRule(), scans, False))
        eligible = not any(check.required and check.verdict is Verdict.FAILED for check in why)
        met = [check.verdict for check in why if not check.required]
        rows.append((eligible, met.count(Verdict.PASSED) - met.count(Verdict.FAILED), scan, why))
    rows.sort(key=lambda row: (not row[0], -row[1], -row[2].geometry.shape[0], *_digest(row[2])))
    return tuple(
        Ranked(scan, number, score, eligible, why) for number, (eligible, score, scan, why) in enumerate(rows, 1)
    )


def meets(scan: Scan, rule: ScanRule, among: Sequence[Scan]) -> bool:
    """Whether a scan passes all that a rule asks; what the headers do not say is not enough."""
    return all(check.verdict is Verdict.PASSED for check in _checks(scan, rule, among, True))


def plane_of(geometry: Geometry) -> str:
    """The plane of the slices by the normal of their rows and columns: axial, coronal, sagittal, else oblique."""
    axes = np.array(geometry.affine)[:3, :2]
    normal = np.abs(np.cross(axes[:, 0], axes[:, 1]))
    normal /= np.linalg.norm(normal)
    nearest = int(normal.argmax())
    return _PLANES[nearest] if normal[nearest] >= _ALONG else "oblique"


def _digest(scan: Scan) -> tuple[str, str]:
    return hashlib.sha256(f"{scan.series_uid}\0{scan.stack}".encode()).hexdigest(), scan.scan_id


def _checks(scan: Scan, rule: ScanRule, among: Sequence[Scan], required: bool) -> Iterator[Check]:
    for name in rule.asked:
        asked = getattr(rule, name)
        yield Check(name, required, _time(scan, asked, among) if name == "time" else _VERDICTS[name](scan, asked))


def _either(known: bool, passed: bool) -> Verdict:
    if not known:
        return Verdict.UNKNOWN
    return Verdict.PASSED if passed else Verdict.FAILED


def _named(value: str, patterns: Sequence[str]) -> Verdict:
    return _either(bool(value), any(fnmatchcase(value.upper(), pattern.upper()) for pattern in patterns))


def _within(value: float | None, bounds: tuple[float, float]) -> Verdict:
    return _either(value is not None, value is not None and bounds[0] <= value <= bounds[1])


def _has_word(scan: Scan, patterns: Sequence[str]) -> bool:
    words = _WORD.findall(scan.facts.description.lower())
    return any(fnmatchcase(word, pattern.lower()) for word in words for pattern in patterns)


def _contrast(scan: Scan, asked: str) -> Verdict:
    """DICOM requires the agent where one was given: a DICOM scan that names none was made without."""
    agent = scan.facts.contrast.strip().upper()
    given = bool(agent) and agent not in _NO_AGENT
    return _either(bool(agent) or scan.format == "dicom", given == (asked == "yes"))


def _original(scan: Scan, asked: bool) -> Verdict:
    """By the first two values of Image Type: pixels derived from others, or an image made after the examination."""
    words = [word.upper() for word in scan.facts.image_type[:2]]
    return _either(bool(words), (words[0] != "DERIVED" and "SECONDARY" not in words) == asked if words else False)


def _time(scan: Scan, asked: str, among: Sequence[Scan]) -> Verdict:
    """Against the other dated scans, by the wall clock: a study has one clock."""
    times = [other.acquired.replace(tzinfo=None) for other in among if other.acquired]
    if scan.acquired is None:
        return Verdict.UNKNOWN
    return _either(True, scan.acquired.replace(tzinfo=None) == (min(times) if asked == "earliest" else max(times)))


_VERDICTS: dict[str, Callable[..., Verdict]] = {
    "modality": lambda scan, asked: _named(scan.modality, asked),
    "plane": lambda scan, asked: _either(True, plane_of(scan.geometry) in asked),
    "original": _original,
    "slice_mm": lambda scan, asked: _within(scan.geometry.spacing_mm[0], asked),
    "thickness_mm": lambda scan, asked: _within(scan.facts.thickness_mm, asked),
    "slices": lambda scan, asked: _within(scan.geometry.shape[0], asked),
    "kernel": lambda scan, asked: _named(scan.facts.kernel, asked),
    "contrast": _contrast,
    "words": lambda scan, asked: _either(bool(scan.facts.description), _has_word(scan, asked)),
    "words_not": lambda scan, asked: _either(bool(scan.facts.description), not _has_word(scan, asked)),
    "body_part": lambda scan, asked: _named(scan.facts.body_part, asked),
    "sequence": lambda scan, asked: _named(scan.facts.sequence, asked),
    "echo_ms": lambda scan, asked: _within(scan.facts.echo_ms, asked),
    "repetition_ms": lambda scan, asked: _within(scan.facts.repetition_ms, asked),
    "inversion_ms": lambda scan, asked: _within(scan.facts.inversion_ms, asked),
}
