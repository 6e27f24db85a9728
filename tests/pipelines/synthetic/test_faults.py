"""The planted faults themselves: same seed, same bytes; the judge knows right from wrong; the dial of the hospital."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from data_schemas.errors import InputError
from data_schemas.scan import SeriesStatus
from pipelines.cases.ingest import ingest
from pipelines.scans.index import index_paths
from pipelines.synthetic.faults.forms import CLASSIC, ENHANCED, FORMS, JPEG, write_form
from pipelines.synthetic.faults.judge import is_right
from pipelines.synthetic.faults.kinds import FAULTS, plant, write_fault
from pipelines.synthetic.faults.planting import assign_faults, kinds_of, told_by
from pipelines.synthetic.faults.wedge import Truth, Wedge, make_wedge
from pipelines.synthetic.write import Hospital, write_hospital
from pipelines.workspace.paths import create_workspace

Digests = Callable[[Path], dict[str, str]]


@pytest.fixture(scope="module")
def wedge() -> Wedge:
    return make_wedge(5)


@pytest.fixture
def volume(wedge: Wedge) -> np.ndarray:
    dtype = "<i2" if wedge.slices[0].PixelRepresentation else "<u2"
    planes = [np.frombuffer(ds.PixelData, dtype).reshape(64, 64) for ds in wedge.slices]
    return np.array(planes, np.float32) + wedge.intercept


def test_the_written_volume_is_right(wedge: Wedge, volume: np.ndarray) -> None:
    assert is_right(volume, wedge.truth.affine, wedge.truth)


def test_the_same_volume_in_another_order_of_axes_is_right(wedge: Wedge, volume: np.ndarray) -> None:
    turned = np.array([[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, -1, 23], [0, 0, 0, 1.0]])
    assert is_right(volume[::-1].transpose(0, 2, 1), wedge.truth.affine @ turned, wedge.truth)


def swapped(volume: np.ndarray, truth: Truth) -> tuple[np.ndarray, np.ndarray]:
    other = volume.copy()
    other[[9, 10]] = other[[10, 9]]
    return other, truth.affine


def mirrored(volume: np.ndarray, truth: Truth) -> tuple[np.ndarray, np.ndarray]:
    return volume[:, :, ::-1], truth.affine


def stretched(volume: np.ndarray, truth: Truth) -> tuple[np.ndarray, np.ndarray]:
    return volume, truth.affine @ np.diag([1, 1, 1.02, 1])


def shifted(volume: np.ndarray, truth: Truth) -> tuple[np.ndarray, np.ndarray]:
    affine = truth.affine.copy()
    affine[:3, 3] += 0.1
    return volume, affine


def brighter(volume: np.ndarray, truth: Truth) -> tuple[np.ndarray, np.ndarray]:
    return volume + 1.0, truth.affine


def shorter(volume: np.ndarray, truth: Truth) -> tuple[np.ndarray, np.ndarray]:
    return volume[:12], truth.affine


@pytest.mark.parametrize("spoil", [swapped, mirrored, stretched, shifted, brighter, shorter])
def test_a_spoilt_volume_is_not_right(
    spoil: Callable[..., tuple[np.ndarray, np.ndarray]], wedge: Wedge, volume: np.ndarray
) -> None:
    assert not is_right(*spoil(volume, wedge.truth), wedge.truth)


@pytest.mark.parametrize("form", FORMS)
def test_the_base_series_is_right_in_every_form(form: str, wedge: Wedge, tmp_path: Path) -> None:
    assert len(write_form(wedge.slices, tmp_path, form, seed=0)) == (1 if form == ENHANCED else 24)
    (series,) = index_paths(tmp_path).series
    assert series.status is SeriesStatus.ACCEPTED
    assert not series.remarks


@pytest.mark.parametrize(("kind", "form"), [("one-slice-missing", CLASSIC), ("cut-code", JPEG), ("mosaic", CLASSIC)])
def test_the_same_seed_plants_the_same_bytes_and_another_seed_others(
    kind: str, form: str, tmp_path: Path, digests: Digests
) -> None:
    for name, seed in (("one", 3), ("again", 3), ("other", 4)):
        write_fault(tmp_path / name, kind, seed=seed, form=form)
    assert digests(tmp_path / "one") == digests(tmp_path / "again") != digests(tmp_path / "other")


def test_a_fault_is_not_planted_in_a_form_in_which_it_cannot_exist(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot exist in the form enhanced"):
        write_fault(tmp_path, "other-patient-id", seed=0, form=ENHANCED)


@pytest.mark.parametrize("kind", ["nonsense", "bit-flipped-later", "more-frames"])
def test_what_cannot_be_planted_into_written_slices_is_refused(kind: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no fault that can be planted"):
        plant(tmp_path, kind, seed=0)


COUNTS = {"missing-slices": 2, "mixed-patients": 1, "truncated": 1, "other-slope": 1, "localizer-set-aside": 1}


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Hospital:
    return write_hospital(tmp_path_factory.mktemp("faulty") / "hospital", patients=9, seed=2, faults=COUNTS)


def planted(hospital: Hospital) -> dict[str, dict[str, object]]:
    faults = json.loads(hospital.truth.read_text(encoding="utf-8"))["faults"]
    return {fault["folder"]: fault for fault in faults}


def test_the_truth_lists_as_many_faults_as_were_asked_for(faulty: Hospital) -> None:
    told = [code for fault in planted(faulty).values() for code in fault["told_by"]]  # type: ignore[attr-defined]
    assert sorted(told) == sorted([*["missing-slices"] * 2, "mixed-patients", "truncated", "mixed-intensity-scale",
                                   "localizer-set-aside"])  # fmt: skip


def test_ingest_quarantines_exactly_the_scans_that_the_truth_lists(faulty: Hospital, tmp_path: Path) -> None:
    done = ingest(create_workspace(tmp_path / "workspace"), scans=[faulty.scans], notes=[faulty.records])
    told: dict[str, set[str]] = {}
    for series in done.index.series:
        if series.status is SeriesStatus.QUARANTINED:
            inside = Path(series.where).relative_to(faulty.folder.absolute()).parts
            told.setdefault("/".join(inside[:2]), set()).update(series.reasons)
    expected = {folder: fault for folder, fault in planted(faulty).items() if fault["quarantined"]}
    assert told.keys() == expected.keys()
    for folder, fault in expected.items():
        assert set(fault["told_by"]) & told[folder]  # type: ignore[call-overload]


def test_patients_without_a_fault_are_the_same_as_in_a_hospital_without_any(
    faulty: Hospital, tmp_path: Path, digests: Digests
) -> None:
    clean = digests(write_hospital(tmp_path / "clean", patients=9, seed=2).folder)
    here = digests(faulty.folder)
    spoilt = tuple(planted(faulty))
    kept = {path for path in clean if path.startswith(("scans/", "records/")) and not path.startswith(spoilt)}
    assert {path: here[path] for path in kept} == {path: clean[path] for path in kept}


def test_a_code_stands_for_the_kinds_that_are_told_by_it_alone() -> None:
    for kind in kinds_of("implausible-geometry"):
        assert told_by(FAULTS[kind]) == ["implausible-geometry"]


def test_a_kind_may_be_named_itself() -> None:
    assert kinds_of("two-slices-missing") == ["two-slices-missing"]


@pytest.mark.parametrize(
    ("faults", "message"),
    [
        ({"digest-changed": 1}, "digest-changed: no fault that can be planted before files are read; known are "),
        ({"no-such-code": 1}, "no-such-code: no fault"),
        ({"missing-slices": 4}, "4 faults in 3 patients"),
        ({"missing-slices": -1}, "faults in 3 patients"),
    ],
)
def test_faults_that_cannot_be_planted_are_one_clear_line(faults: dict[str, int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        assign_faults(faults, patients=3, seed=0)
