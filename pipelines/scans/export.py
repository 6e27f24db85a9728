"""An accepted scan as a NIfTI file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from data_schemas.errors import InputError
from data_schemas.scan import Scan
from pipelines.scans.read import read_volume


def write_volume(scan: Scan, out: Path) -> Path:
    """Write a scan as float32 NIfTI; the affine stands in sform and qform, both in the scanner's space.

    Parameters
    ----------
    scan
        An accepted scan of the index.
    out
        A path that ends in ``.nii`` or ``.nii.gz``; its folder must exist.

    Raises
    ------
    InputError
        The path has another ending, or cannot be written.
    RefusedError
        A file of the scan is missing, changed or cannot be decoded.
    """
    import nibabel

    if not out.name.endswith((".nii", ".nii.gz")):
        raise InputError(f"{out}: the name must end in .nii or .nii.gz")
    volume = read_volume(scan)
    affine = np.array(scan.geometry.affine)
    image = nibabel.Nifti1Image(volume.transpose(2, 1, 0), affine)
    image.header.set_xyzt_units("mm")
    image.set_sform(affine, code=1)
    # Rotations only: a stack that drifts by less than a pixel loses that drift here, and keeps it in the sform.
    image.set_qform(affine, code=1)
    try:
        nibabel.save(image, out)
    except OSError as error:
        raise InputError(f"{out}: cannot be written ({error.strerror}); check the folder") from None
    return out
