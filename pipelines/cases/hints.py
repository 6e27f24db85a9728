"""What a person who ingests for the first time has probably not set yet: one line each, with how to mend it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from data_schemas.reasons import Reason
from data_schemas.scan import Series
from pipelines.cases.link import LinkResult
from pipelines.scans.scan_table import STEM


def hints(series: Sequence[Series], linked: LinkResult) -> tuple[str, ...]:
    """Lines for those of the series just read, and of the workspace's cases, that a setting or a table would mend."""
    nobody = sum(
        scan.format != "dicom" and not scan.patient.patient_id.strip() for found in series for scan in found.scans
    )
    undated = Counter(line.kind for line in linked.unlinked if line.reason is Reason.UNDATED)
    told = []
    if nobody:
        told.append(
            f"{nobody} scans name no patient, for their files cannot: state it in {STEM}.csv beside them "
            "(drafted by: scanote scan-table FOLDER --pattern '{patient_id}_*.nii.gz')"
        )
    if undated:
        counts = " and ".join(f"{count} {kind}s" for kind, count in sorted(undated.items()))
        told.append(
            f"{counts} are undated, or their scans are, and were left out; state when the scans were acquired; or, "
            "where all text was known before the scan, set link.allow_undated_text: true"
        )
    return tuple(told)
