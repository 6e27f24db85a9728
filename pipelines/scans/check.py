"""One series of slices: a right volume, several of them, or the reasons why it is none.

Each check is a small function from headers to the problems it finds; none of them mends anything. A series is
accepted only if all of them are silent. In this order:

1. The files: byte-identical copies are dropped, faults of single files, one instance under two files.
2. The people (`pipelines.scans.identity`), over every file of the series, whatever is set aside later.
3. The objects (`pipelines.scans.objects`): no image at all refuses the series. Localizers, and captures and other
   derived pictures, are set aside where `MIN_SLICES` slices remain; a series of nothing else is ``derived``.
4. The stacks (`pipelines.scans.split`): several of them are told apart by echo, b-value, kind, time or acquisition.
5. Each stack: of one kind, shape, intensity scale and side, and even in space (`pipelines.scans.stack`). A stack that
   is wrong quarantines the series.
6. What the headers count (`pipelines.scans.count`) against what is there.

What no reader can notice: a first or last slice that is missing where no header counts them; every second slice
missing from an MR, or from a CT of overlapping slices; another slope of one PET slice, which has its own by the
standard; pixels that were changed before they came here and still decode.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace

from data_schemas.reasons import Reason, Remark
from pipelines.scans.count import alternating, lopsided, miscounted, misplaced
from pipelines.scans.decode import LOSSY
from pipelines.scans.identity import within_series
from pipelines.scans.intensity import intensity_problems
from pipelines.scans.laterality import laterality_problems
from pipelines.scans.objects import missing_frames, no_images, object_problems, sort_out
from pipelines.scans.problem import Problem
from pipelines.scans.slice_header import SliceHeader
from pipelines.scans.split import Part, split_stacks, strangers
from pipelines.scans.stack import MIN_SLICES, Stack, stack_slices

# A float volume of this size takes 4 GiB; whole-body CTs stay below a third of it.
MAX_VOXELS = 2**30

# After these nothing can be said of the geometry.
_UNREADABLE = frozenset({Reason.NOT_AN_IMAGE, Reason.NO_PIXEL_DATA})
_UID = re.compile(r"[0-9.]{1,64}")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a series: its stacks, each a right volume, or the problems for which it has none.

    ``remarks`` are those of the series and of all its stacks; each stack holds its own besides.
    """

    problems: tuple[Problem, ...]
    remarks: tuple[Remark, ...]
    stacks: tuple[Stack, ...] = ()

    @property
    def accepted(self) -> bool:
        """Whether the series is a right volume, or several."""
        return bool(self.stacks)


def check_series(headers: Sequence[SliceHeader], *, resample_irregular: bool = False) -> Verdict:
    """Check the slices of one SeriesInstanceUID.

    Parameters
    ----------
    headers
        One record a slice: a classic file, or a frame of an enhanced one.
    resample_irregular
        Accept moderately uneven gaps, to be resampled; the remark ``resampled-irregular`` says so.

    Returns
    -------
    Verdict
        For each stack its slices ordered by position along the normal, and the geometry; or every problem found.
    """
    slices, remarks = _drop_copies(headers)
    problems = [problem for check in (_faults, within_series, _instances) for problem in check(slices)]
    readable = [header for header in slices if header.fault is None]
    problems += no_images(readable)
    if len(readable) < len(slices) or any(problem.reason in _UNREADABLE for problem in problems):
        return _refused(problems, [*remarks, *_remarks(slices)])
    images, localizers, captures = sort_out(slices)
    remarks += [Remark.LOCALIZER_SET_ASIDE] * bool(localizers) + [Remark.CAPTURE_SET_ASIDE] * bool(captures)
    aside = len(localizers) + len(captures)
    if aside and len(images) < MIN_SLICES:
        problems.append(Problem(Reason.DERIVED, f"{aside} of {len(slices)} are localizers or derived pictures"))
        return _refused(problems, _remarks(slices))
    problems += [*missing_frames(slices), *object_problems(images)]
    parts = split_stacks(images)
    stacks = [_judge(part, resample_irregular=resample_irregular) for part in parts]
    problems += [problem for stack in stacks for problem in stack.problems]
    problems += lopsided([stack.slices for stack in stacks])
    if len(stacks) == 1 and stacks[0].slices:
        problems += miscounted(stacks[0].slices, in_series=len(slices))
    told = tuple(dict.fromkeys([*remarks, *(remark for stack in stacks for remark in stack.remarks)]))
    if problems:
        return _refused(problems, told)
    return Verdict(
        (), told, tuple(replace(stack, remarks=tuple(dict.fromkeys([*remarks, *stack.remarks]))) for stack in stacks)
    )


def _refused(problems: Sequence[Problem], remarks: Sequence[Remark] | Iterator[Remark]) -> Verdict:
    return Verdict(tuple(dict.fromkeys(problems)), tuple(dict.fromkeys(remarks)))


def _drop_copies(headers: Sequence[SliceHeader]) -> tuple[list[SliceHeader], list[Remark]]:
    """Frames of one file share its digest; a file that was not digested is no copy of another."""
    unique = {(header.sha256 or header.path, header.frame): header for header in headers}
    return list(unique.values()), [Remark.COPIES_DROPPED] if len(unique) < len(headers) else []


def _faults(headers: Sequence[SliceHeader]) -> Iterator[Problem]:
    for reason in dict.fromkeys(header.fault for header in headers if header.fault):
        bad = [header for header in headers if header.fault is reason]
        yield Problem(reason, f"{len(bad)} of {len(headers)} files: {bad[0].fault_detail}")


def _instances(headers: Sequence[SliceHeader]) -> Iterator[Problem]:
    named = [(header.sop_uid, header.frame) for header in headers if header.sop_uid]
    if len(set(named)) < len(named):
        yield Problem(Reason.DUPLICATE_UID, "different files claim to be the same instance")


def _judge(part: Part, *, resample_irregular: bool) -> Stack:
    """Check one stack and name it in its problems."""
    images = part.slices
    stack = stack_slices(images, resample_irregular=resample_irregular)
    checks = (strangers, _shapes, intensity_problems, laterality_problems)
    problems = [problem for check in checks for problem in check(images)]
    problems += stack.problems
    if stack.slices and not stack.problems:
        problems += [*misplaced(stack.slices), *alternating(stack.slices)]
    if stack.geometry is not None:
        problems += _size(stack.geometry.shape)
    if part.label:
        problems = [problem._replace(detail=f"{part.label}: {problem.detail}") for problem in problems]
    remarks = tuple(dict.fromkeys([*_remarks(images), *stack.remarks]))
    return replace(stack, problems=tuple(problems), label=part.label, remarks=remarks)


def _remarks(images: Sequence[SliceHeader]) -> Iterator[Remark]:
    if not all(_UID.fullmatch(uid) for uid in {uid for each in images for uid in (each.series_uid, each.study_uid)}):
        yield Remark.NONSTANDARD_UID
    if all(header.acquired is None for header in images):
        yield Remark.UNDATED
    if any(header.photometric == "MONOCHROME1" for header in images):
        yield Remark.MONOCHROME1_INVERTED
    if any(header.lossy or header.transfer_syntax in LOSSY for header in images):
        yield Remark.LOSSY
    if any("YES" in {header.burned_in, header.recognizable} for header in images):
        yield Remark.BURNED_IN_TEXT_SUSPECTED


def _shapes(images: Sequence[SliceHeader]) -> Iterator[Problem]:
    yield from _differing(images, "shapes", lambda header: (header.rows, header.columns))
    yield from _differing(images, "pixel spacings", lambda header: header.pixel_spacing)
    yield from _differing(
        images,
        "bit depths",
        lambda header: (header.bits_allocated, header.bits_stored, header.high_bit, header.signed, header.samples),
    )
    voxels = len(images) * max(((header.rows or 0) * (header.columns or 0) for header in images), default=0)
    yield from _size((voxels, 1, 1))


def _differing(headers: Sequence[SliceHeader], what: str, key: Callable[[SliceHeader], Hashable]) -> Iterator[Problem]:
    found = len({key(header) for header in headers})
    if found > 1:
        yield Problem(Reason.MIXED_SHAPE, f"{found} different {what} in {len(headers)} slices")


def _size(shape: tuple[int, int, int]) -> Iterator[Problem]:
    voxels = shape[0] * shape[1] * shape[2]
    if voxels > MAX_VOXELS:
        yield Problem(Reason.TOO_LARGE, f"{voxels} voxels are beyond {MAX_VOXELS}")
