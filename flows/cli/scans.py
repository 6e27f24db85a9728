"""``inspect`` and ``volume``: what the files are, without a workspace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data_schemas.errors import InputError
from flows.cli.ranking import add_ranks, rank_studies, ranking_lines, settings_of
from flows.cli.shared import JsonOption, StrictOption, print_json, stage, tell

if TYPE_CHECKING:
    from data_schemas.scan import Index, Scan, Series

PathsArgument = Annotated[list[Path], typer.Argument(help="Files and folders.")]


def inspect(
    paths: PathsArgument,
    as_json: JsonOption = False,
    strict: StrictOption = False,
    workspace: Annotated[
        Path | None, typer.Option("--workspace", "-w", help="Judge and rank by this workspace's settings.")
    ] = None,
) -> None:
    """Show every series found: accepted or quarantined, why, its geometry, and which scan of a study is taken."""
    from data_schemas.scan import SeriesStatus
    from pipelines.scans.gather import index_sources
    from pipelines.scans.index import series_json

    settings = settings_of(workspace)
    irregular = settings.sources.resample_irregular
    with unpacking() as unpacked, stage("read headers", 0) as report:
        index = index_sources(paths, unpacked=unpacked, progress=report, digests=False, resample_irregular=irregular)
    ranking = rank_studies(index, settings.select)
    if as_json:
        told = series_json(index)
        add_ranks(told, index, ranking)
        print_json(told)
    else:
        _print_table(index)
        for line in ranking_lines(ranking):
            print(line)
    quarantined = [series for series in index.series if series.status is SeriesStatus.QUARANTINED]
    for series in quarantined:
        tell(f"quarantined: {', '.join(reason.value for reason in series.reasons)}: {series.where}: {series.detail}")
    if strict and quarantined:
        raise typer.Exit(1)


def volume(
    path: Annotated[Path, typer.Argument(help="File or folder.")],
    out: Annotated[Path, typer.Argument(help="NIfTI file to write (.nii or .nii.gz).")],
    series: Annotated[str | None, typer.Option(help="SeriesInstanceUID, where there are several.")] = None,
    stack: Annotated[str | None, typer.Option(help="Stack of a series that holds several, such as 'echo 2'.")] = None,
) -> None:
    """Write one accepted scan as NIfTI, in HU for CT."""
    from pipelines.scans.digest import seal
    from pipelines.scans.export import write_volume
    from pipelines.scans.gather import index_sources

    if not out.name.endswith((".nii", ".nii.gz")):
        raise InputError(f"{out}: name a .nii or .nii.gz file")
    with unpacking() as unpacked:
        with stage("read headers", 0) as report:
            index = index_sources([path], unpacked=unpacked, progress=report, digests=False)
        write_volume(seal(_one_scan(path, index, series, stack)), out)
    tell(f"wrote {out}")


@contextmanager
def unpacking() -> Iterator[Path]:
    """A private folder for what lies in archives, removed in the end."""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix="scanote-") as folder:
        yield Path(folder)


def _one_scan(path: Path, index: Index, wanted: str | None, stack: str | None) -> Scan:
    of_series = [scan for series in index.series for scan in series.scans if wanted in (None, series.series_uid)]
    found = [scan for scan in of_series if stack in (None, scan.stack)]
    if len(found) == 1:
        return found[0]
    if found or of_series:
        option = "--series" if len({scan.series_uid for scan in of_series}) > 1 else "--stack"
        raise InputError(
            f"{path}: {len(of_series)} accepted scans{'' if found else ', none of that stack'}; "
            f"choose one with {option} ('scanote inspect' lists them)"
        )
    refused = [series for series in index.series if series.reasons and wanted in (None, series.series_uid)]
    if refused:
        reasons = ", ".join(reason.value for reason in refused[0].reasons)
        raise InputError(f"{path}: no accepted scan; the series found is quarantined: {reasons}: {refused[0].detail}")
    raise InputError(f"{path}: no {'series of that UID' if wanted else 'scan'} here; 'scanote inspect' lists what is")


def _print_table(index: Index) -> None:
    print(f"{'status':<12} {'modality':<9} {'files':>5}  {'shape':<15} {'spacing mm':<20} remarks and reasons")
    for series in index.series:
        for line in _lines(series):
            print(line)
    for code, count in index.ignored.items():
        print(f"{'ignored':<12} {'':<9} {count:>5}  {'':<15} {'':<20} {code}")


def _lines(series: Series) -> Iterator[str]:
    """One line a scan, or one for a series without any."""
    start = f"{series.status.value:<12} {series.modality:<9}"
    if not series.scans:
        codes = ", ".join([*(reason.value for reason in series.reasons), *(remark.value for remark in series.remarks)])
        yield f"{start} {series.files:>5}  {'':<15} {'':<20} {codes}"
    for scan in series.scans:
        files = series.files if len(series.scans) == 1 else len({file.path for file in scan.files})
        shape = "×".join(map(str, scan.geometry.shape))
        spacing = " × ".join(f"{value:g}" for value in scan.geometry.spacing_mm)
        told = ", ".join([*filter(None, [scan.stack]), *(remark.value for remark in scan.remarks)])
        yield f"{start} {files:>5}  {shape:<15} {spacing:<20} {told}"
