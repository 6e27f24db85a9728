"""``scan-table``: draft the table that says whose NIfTI files and pictures are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from data_schemas.errors import InputError
from flows.cli.shared import tell


def scan_table(
    folder: Annotated[Path, typer.Argument(help="Folder of NIfTI files, or of folders of PNG or TIFF.")],
    pattern: Annotated[
        str, typer.Option(help="How columns stand in the paths: 'sub-{patient_id}/*_{description}.nii.gz'.")
    ] = "",
    modality: Annotated[str, typer.Option(help="Written into every row: CT, MR, PT …")] = "",
) -> None:
    """Draft scanote-scans.csv, which says whose NIfTI files and stacks of pictures are. Read it before ingest."""
    from pipelines.scans.scan_table import STEM
    from pipelines.scans.scan_table_draft import draft_scan_table

    out = folder / f"{STEM}.csv"
    if out.exists():
        raise InputError(f"{out}: is there already; change it by hand, or remove it")
    text = draft_scan_table(folder, pattern=pattern, modality=modality)
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{out}: cannot be written ({error.strerror}); choose a folder that can") from None
    tell(f"wrote {out}: {text.count(chr(10)) - 1} rows; read it, fill in what is blank, then ingest {folder}")
