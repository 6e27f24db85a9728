"""The slices of one series to its scans: checked, one of each stack decoded, their files' digests taken."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from data_schemas.scan import Scan, ScanFile, Series, SeriesFacts, SeriesStatus
from pipelines.scans.check import check_series
from pipelines.scans.decode import decode_frame
from pipelines.scans.digest import file_digests, scan_id, unsealed_id
from pipelines.scans.elements import DEFLATED
from pipelines.scans.headers import patient_facts
from pipelines.scans.inflate import data_set
from pipelines.scans.intensity import no_hounsfield_units
from pipelines.scans.look import Stamp
from pipelines.scans.problem import Problem
from pipelines.scans.read import rescale
from pipelines.scans.slice_header import SliceHeader
from pipelines.scans.stack import Stack
from pipelines.scans.stored import StoredFile


@dataclass(slots=True)
class Known:
    """What is known of files by path, beside their headers; grown while series are made.

    ``probed`` holds, by path and frame, what decoding found. ``touched`` are the paths of which something was learnt.
    """

    stamps: dict[str, Stamp | None] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    probed: dict[tuple[str, int], Problem | None] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)

    def digest(self, paths: Sequence[str], done: Callable[[], None] = lambda: None) -> None:
        """Take the digests of files that have none yet; one that changed since it was looked at gets ""."""
        for path, digest in file_digests(
            (path for path in paths if path not in self.digests), self.stamps, done
        ).items():
            self.digests[path] = digest
            self.touched.add(path)


def make_series(
    uid: str,
    headers: Sequence[SliceHeader],
    known: Known,
    *,
    digests: bool,
    resample_irregular: bool = False,
    done: Callable[[], None] = lambda: None,
) -> Series:
    """Judge the slices of one SeriesInstanceUID.

    Parameters
    ----------
    uid, headers
        The series, and every slice that claims to be of it.
    known
        Stamps of the files, and what else is known of them; what is learnt here is added.
    digests
        Take the SHA-256 of every file of an accepted series. Without it only files that may be copies of each other
        are read whole, and the scans are not sealed.
    resample_irregular
        As for `pipelines.scans.check.check_series`.
    done
        Called for each file whose digest was taken.
    """
    headers = _with_digests(headers, known)
    verdict = check_series(headers, resample_irregular=resample_irregular)
    problems = list(verdict.problems)
    for stack in verdict.stacks:
        problems += _probe(stack, known)
    if digests and not problems:
        known.digest([header.path for stack in verdict.stacks for header in stack.slices], done)
        changed = sum(not known.digests[header.path] for stack in verdict.stacks for header in stack.slices)
        if changed:
            detail = f"{changed} slices changed, or went, while they were indexed; index them again"
            problems.append(Problem(Reason.DIGEST_CHANGED, detail))
    return Series(
        series_uid=uid,
        study_uid=one_of({header.study_uid for header in headers}),
        modality=one_of({header.modality for header in headers}),
        files=len({header.path for header in headers}),
        transfer_syntax=one_of({header.transfer_syntax for header in headers}) or "mixed",
        status=SeriesStatus.QUARANTINED if problems else SeriesStatus.ACCEPTED,
        reasons=tuple(dict.fromkeys(problem.reason for problem in problems)),
        remarks=verdict.remarks,
        detail="; ".join(f"{problem.reason.value}: {problem.detail}" for problem in problems),
        where=str(Path(headers[0].path).parent),
        scans=() if problems else tuple(_scan(uid, stack, known) for stack in verdict.stacks),
    )


def _with_digests(headers: Sequence[SliceHeader], known: Known) -> list[SliceHeader]:
    """Give headers their files' digests where known, and take those of files that may be copies of each other.

    Copies are of one size and name one instance, so no other file needs to be read for them.
    """
    alike: dict[tuple[str, int], set[str]] = defaultdict(set)
    for header in headers:
        alike[header.sop_uid, header.size].add(header.path)
    known.digest([path for paths in alike.values() if len(paths) > 1 for path in sorted(paths)])
    return [
        replace(header, sha256=digest) if (digest := known.digests.get(header.path, "")) != header.sha256 else header
        for header in headers
    ]


def _probe(stack: Stack, known: Known) -> Iterator[Problem]:
    """Decode the middle slice of a stack that passed every check of its headers, and look at its values."""
    middle = stack.slices[len(stack.slices) // 2]
    key = middle.path, middle.frame
    if key not in known.probed:
        known.probed[key] = _decode(middle)
        known.touched.add(middle.path)
    problem = known.probed[key]
    if problem:
        yield problem


def _decode(middle: SliceHeader) -> Problem | None:
    file = ScanFile(path=middle.path, sha256=middle.sha256, size=middle.size, frame=middle.frame)
    try:
        with StoredFile(file, verify=False) as stored:
            read = stored.read
            if middle.transfer_syntax == DEFLATED:
                whole = data_set(stored.read(0, file.size))
                read = lambda at, count: whole[at : at + count]  # noqa: E731
            values = rescale(decode_frame(read, middle), middle)
    except RefusedError as refused:
        return Problem(refused.reason, refused.detail)
    against = no_hounsfield_units(values) if middle.modality == "CT" else ""
    return Problem(Reason.IMPLAUSIBLE_INTENSITY, against) if against else None


def _scan(uid: str, stack: Stack, known: Known) -> Scan:
    slices, geometry = stack.slices, stack.geometry
    assert geometry is not None  # noqa: S101
    first = slices[0]
    # Aware and naive times do not compare; the wall clock does, and a series has one clock.
    dated = [(header.acquired.replace(tzinfo=None), header) for header in slices if header.acquired]
    earliest = min(dated, key=lambda pair: pair[0])[1] if dated else None
    history = [f"index: {len(slices)} slices ordered by position along the normal, LPS to RAS", *stack.history]
    if earliest:
        history.append(f"acquired: {earliest.acquired_from}")
    files = tuple(
        ScanFile(path=header.path, sha256=known.digests.get(header.path, ""), size=header.size, frame=header.frame)
        for header in slices
    )
    return Scan(
        scan_id=scan_id(files) if all(file.sha256 for file in files) else unsealed_id(files, known.stamps),
        format="dicom",
        patient=patient_facts(first),
        study_uid=first.study_uid,
        series_uid=uid,
        accession=one_of({header.accession for header in slices}),
        modality=first.modality,
        transfer_syntax=one_of({header.transfer_syntax for header in slices}) or "mixed",
        acquired=earliest.acquired if earliest else None,
        geometry=geometry,
        files=files,
        stored_origins=stack.stored_origins,
        stack=stack.label,
        facts=_facts(first),
        remarks=stack.remarks,
        history=tuple(history),
    )


def _facts(header: SliceHeader) -> SeriesFacts:
    return SeriesFacts(
        description=header.description,
        body_part=header.body_part,
        laterality=header.laterality or header.image_laterality,
        kernel=header.kernel,
        contrast=header.contrast,
        thickness_mm=header.thickness,
        manufacturer=header.manufacturer,
        sequence=header.sequence,
        image_type=header.image_type,
        echo_ms=header.echo_time,
        repetition_ms=header.repetition_time,
        inversion_ms=header.inversion_time,
        frame_of_reference=header.frame_of_reference,
    )


def one_of(values: set[str]) -> str:
    """Return the one value of a set, or "" where there are several."""
    return next(iter(values)) if len(values) == 1 else ""
