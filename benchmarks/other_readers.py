"""The readers that scanote is compared with, each called as its documentation shows, and what became of a folder.

They run in processes of their own (`judged` is called there), for some inputs end the interpreter.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.synthetic.faults.judge import is_right
from pipelines.synthetic.faults.wedge import Truth

Volume = tuple[np.ndarray, np.ndarray]
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
# A word of warning in what a reader printed.
ALARM = re.compile(r"[^\n]*\b(warning|error|invalid|mismatch|skipp\w+|unequal|not supported)\b[^\n]*", re.IGNORECASE)


def monai(folder: Path) -> Iterator[Volume]:
    """PydicomReader on the folder, or on its one file."""
    from monai.data import PydicomReader

    files = sorted(path for path in folder.iterdir() if path.is_file())
    reader = PydicomReader()
    values, meta = reader.get_data(reader.read(str(folder if len(files) > 1 else files[0])))
    yield np.asarray(values, float).transpose(2, 1, 0), np.asarray(meta["affine"], float)


def simpleitk(folder: Path) -> Iterator[Volume]:
    """ImageSeriesReader on each series that GDCM finds; ReadImage on a single file."""
    import SimpleITK

    files = sorted(path for path in folder.iterdir() if path.is_file())
    if len(files) == 1:
        yield _of_image(SimpleITK.ReadImage(str(files[0])))
        return
    names = SimpleITK.ImageSeriesReader.GetGDCMSeriesIDs(str(folder))
    if not names:
        raise ValueError("no series")
    for name in names:
        reader = SimpleITK.ImageSeriesReader()
        reader.SetFileNames(SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder), name))
        yield _of_image(reader.Execute())


def _of_image(image: Any) -> Volume:
    import SimpleITK

    affine = np.eye(4)
    affine[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    affine[:3, 3] = image.GetOrigin()
    return SimpleITK.GetArrayFromImage(image).astype(float), LPS_TO_RAS @ affine


def highdicom(folder: Path) -> Iterator[Volume]:
    """get_volume_from_series on all files, or get_volume of the one file."""
    import highdicom as hd
    import pydicom

    files = sorted(path for path in folder.iterdir() if path.is_file())
    if len(files) == 1:
        volume = hd.imread(files[0]).get_volume()
    else:
        volume = hd.get_volume_from_series([pydicom.dcmread(path) for path in files])
    affine = np.array(volume.affine, float)[:, [2, 1, 0, 3]]
    yield np.asarray(volume.array, float), LPS_TO_RAS @ affine


def dcm2niix(folder: Path) -> Iterator[Volume]:
    """The converter with its defaults; what it prints goes where warnings are looked for."""
    import dcm2niix as package
    import nibabel

    with tempfile.TemporaryDirectory() as out:
        command = [package.bin, "-b", "n", "-z", "n", "-f", "%d_%s_%j", "-o", out, str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        os.write(2, (done.stdout + done.stderr).encode())
        found = sorted(Path(out).glob("*.nii"))
        if not found:
            raise ValueError("no output")
        for path in found:
            image = nibabel.load(path)
            values = np.asarray(image.dataobj, float)
            if values.ndim == 3 and values.shape[2] > 1:
                yield values.transpose(2, 1, 0), np.array(image.affine)
            else:
                yield np.zeros((1, 1, 1)), np.eye(4)


READERS: dict[str, Callable[[Path], Iterator[Volume]]] = {
    "MONAI": monai,
    "SimpleITK": simpleitk,
    "dcm2niix": dcm2niix,
    "highdicom": highdicom,
}


def judged(
    name: str, folder: Path, truth: Truth, *, identity: bool, known: frozenset[str], tolerance_hu: float = 1.0
) -> tuple[str, set[str]]:
    """What a reader made of a folder: refused, warned, right or silent; and the words of alarm that it printed.

    A volume that is not the truth, without an error or an alarm, is silent; so is any volume of two people. Where a
    reader gives several volumes, one right one is enough. Alarms in ``known`` (told of faultless series too) count
    for nothing. ``tolerance_hu`` is what a resampled voxel may be off.
    """
    alarms: set[str] = set()
    with _listening(alarms):
        try:
            volumes = list(READERS[name](folder))
        except BaseException as error:
            if isinstance(error, (KeyboardInterrupt, SystemExit)):
                raise
            volumes = []
    new = alarms - known
    if not volumes:
        return "refused", alarms
    right = any(is_right(volume, affine, truth, tolerance=tolerance_hu) for volume, affine in volumes)
    if right and not identity:
        return "right", alarms
    return "warned" if new else "silent", alarms


@contextmanager
def _listening(alarms: set[str]) -> Iterator[None]:
    """Collect warnings of Python, and alarms printed to standard error, in C++ too."""
    kept = os.dup(2)
    with tempfile.TemporaryFile() as caught, warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        os.dup2(caught.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            caught.seek(0)
            printed = caught.read().decode("utf-8", "replace")
            lines = [str(warning.message) for warning in told] + [found[0] for found in ALARM.finditer(printed)]
            alarms |= {_plain(line) for line in lines}


def _plain(line: str) -> str:
    """A line without what differs from file to file."""
    return re.sub(r"\S*/\S+|0x\w+|[0-9.'\"()\[\],-]+", "", line).strip()[:80]
