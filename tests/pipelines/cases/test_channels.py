"""A small MR study of several sequences, each on a grid of its own: which is which, and one tensor of them all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from data_schemas.case import Case
from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason, Remark
from data_schemas.recipes import ModelRecipe, NoteRecipe, ScanRecipe
from data_schemas.scan import Scan, SeriesFacts
from data_schemas.selection import ChannelRule, ScanRule
from pipelines.cases.link import LinkResult
from pipelines.cases.prepare import prepare, tensor_digest
from pipelines.cases.tensor import resample_channels
from pipelines.scans.index import index_paths
from pipelines.scans.preprocess import recorded
from pipelines.workspace.cache import ArrayCache

NAMES = ("T1", "T2", "FLAIR")
RECIPE = ModelRecipe(
    scan=ScanRecipe(
        shape=(16, 16, 16), spacing_mm=(4.0, 4.0, 4.0), intensity="z-score", modalities=("MR",), channels=NAMES
    ),
    note=NoteRecipe(input_sections=("history",)),
)
RULES = (
    ChannelRule(name="T1", rule=ScanRule(words=("t1*",), contrast="no")),
    ChannelRule(name="T2", rule=ScanRule(words=("t2*",), words_not=("flair",))),
    ChannelRule(name="FLAIR", rule=ScanRule(words=("flair",))),
)
FRAME = "1.2.826.0.1.9"
SPOT = np.array([6.0, -10.0, 9.0])  # in RAS mm, where every sequence shows the same bright spot


def turned(angle: float) -> np.ndarray:
    return np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])


# Shape (columns, rows, slices) and axes of each sequence: another field of view, spacing and plane each.
GRIDS = {
    "T1": ((64, 60, 40), np.diag([1.0, 1.0, 1.6])),
    "T2": ((40, 44, 30), turned(0.3) @ np.diag([1.6, -1.5, 2.2])),
    "FLAIR": ((30, 50, 48), np.array([[0, 0, 1.5], [1.4, 0, 0], [0, -1.5, 0]]) @ np.diag([1.0, 1.0, 1.0])),
}
WORDS = {"T1": "AX T1 SE", "T2": "AX_T2_TSE obl", "FLAIR": "SAG T2 FLAIR"}


def write_sequence(path: Path, name: str) -> None:
    size, axes = GRIDS[name]
    affine = np.eye(4)
    affine[:3, :3] = axes
    affine[:3, 3] = -axes @ ((np.array(size) - 1) / 2) + (2.0, -3.0, 1.0)
    index = np.indices(size).reshape(3, -1)
    place = (affine[:3, :3] @ index + affine[:3, 3:]).T
    body = np.linalg.norm(place / (28, 26, 26), axis=1) < 1
    values = np.where(body, 300.0 + place[:, 0], 10.0)
    values += 400 * np.exp(-((np.linalg.norm(place - SPOT, axis=1) / 4.0) ** 2) / 2)
    nibabel.save(nibabel.Nifti1Image(values.reshape(size).astype(np.float32), affine), path)


Study = Callable[..., list[Scan]]


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """Write some sequences of one study; ``changes`` alter the facts of a sequence by name."""

    def make(*names: str, **changes: dict[str, Any]) -> list[Scan]:
        scans = []
        for number, name in enumerate(names, 1):
            path = tmp_path / f"{name}.nii"
            write_sequence(path, name)
            [series] = index_paths([path]).series
            facts = {"description": WORDS[name], "frame_of_reference": FRAME} | changes.get(name, {})
            update = {
                "format": "nifti",
                "modality": "MR",
                "study_uid": "1.2.3",
                "series_uid": f"1.2.3.{number}",
                "acquired": datetime(2024, 3, 5, 12, number),
                "facts": SeriesFacts(contrast="NONE", **facts),
            }
            scans.append(series.scans[0].model_copy(update=update))
        return scans

    return make


@pytest.fixture
def case_of(joined: Callable[..., LinkResult]) -> Callable[..., Case]:
    def make(scans: list[Scan], **rules: Any) -> Case:
        [case] = joined(scans, [], [], **({"channels": RULES} | rules)).cases
        return case

    return make


def names_of(case: Case) -> list[str]:
    return [channel.name for channel in case.channels]


def test_each_sequence_becomes_the_channel_that_its_rule_tells(study: Study, case_of) -> None:
    t1, t2, flair = study(*NAMES)
    case = case_of([flair, t1, t2])

    assert [(channel.name, channel.scan) for channel in case.channels] == [("T1", t1), ("T2", t2), ("FLAIR", flair)]
    assert case.scan == t1
    assert case.cut_off == t1.acquired
    assert Remark.CHANNEL_MISSING not in case.remarks
    assert "channels: T1 present, T2 present, FLAIR present" in case.history


def test_an_absent_sequence_is_said_so_and_the_first_that_is_there_is_the_scan(study: Study, case_of) -> None:
    case = case_of(study("T2", "FLAIR"))

    assert names_of(case) == ["T2", "FLAIR"]
    assert case.scan.facts.description == WORDS["T2"]
    assert Remark.CHANNEL_MISSING in case.remarks
    assert "channels: T2 present, FLAIR present, T1 absent" in case.history


@pytest.mark.parametrize("frame", ["1.2.826.0.1.10", ""])
def test_a_sequence_in_another_frame_of_reference_is_left_out_and_never_laid_over(study: Study, case_of, frame) -> None:
    case = case_of(study(*NAMES, T2={"frame_of_reference": frame}))

    assert names_of(case) == ["T1", "FLAIR"]
    assert Remark.CHANNEL_MISSING in case.remarks
    assert any("T2 in another frame of reference" in line for line in case.history)


def test_a_scan_is_one_channel_at_most_and_what_is_not_said_is_no_match(study: Study, case_of) -> None:
    rules = (*RULES, ChannelRule(name="T1-again", rule=ScanRule(words=("t1",))))
    case = case_of(study(*NAMES, T2={"description": ""}), channels=rules)

    assert names_of(case) == ["T1", "FLAIR"]


def test_the_digest_of_the_inputs_knows_every_channel_and_which_it_is(study: Study, case_of) -> None:
    scans = study(*NAMES)
    swapped = tuple(
        rule.model_copy(update={"name": name}) for rule, name in zip(RULES, ("T2", "T1", "FLAIR"), strict=True)
    )
    cases = [case_of(scans), case_of(scans[:2]), case_of(scans, channels=swapped), case_of(scans, channels=())]

    assert len({case.inputs_digest for case in cases}) == len(cases)


def test_all_sequences_lie_on_one_grid_by_their_affines(study: Study, case_of) -> None:
    scan = prepare(case_of(study(*NAMES)), recipe=RECIPE).scan
    assert scan.values.shape == (6, 16, 16, 16)
    assert scan.missing == ()
    spot = np.linalg.solve(scan.affine.astype(float), [*SPOT, 1])[:3][::-1]
    for channel in scan.values[:3].astype(float):
        hot = np.argwhere(channel > 0.8 * channel.max())  # the very peak is clipped
        assert np.abs(hot.mean(axis=0) - spot).max() <= 0.5
    # The body alone tells of a shift as well: away from the spot all three sequences show one ramp.
    inside = (scan.values[3:] > 0.99).all(axis=0)
    first = scan.values[0][inside].astype(float)
    for channel in scan.values[1:3]:
        assert np.corrcoef(first, channel[inside].astype(float))[0, 1] > 0.97


def test_the_grid_lies_around_the_first_channel_that_is_there(study: Study, case_of) -> None:
    case = case_of(study("T2", "FLAIR"))
    affine = prepare(case, recipe=RECIPE).scan.affine
    where = case.channels[0].scan.geometry
    middle = np.array(where.affine) @ [*((np.array(where.shape[::-1]) - 1) / 2), 1]

    np.testing.assert_allclose(affine @ [7.5, 7.5, 7.5, 1], middle, atol=1e-4)


def test_a_missing_channel_is_zero_in_values_and_mask_and_said_so(study: Study, case_of) -> None:
    scan = prepare(case_of(study("T1", "FLAIR")), recipe=RECIPE).scan

    assert scan.missing == ("T2",)
    assert not scan.values[1].any()
    assert not scan.values[4].any()
    assert scan.values[3].max() == scan.values[5].max() == 1
    assert scan.history[-1] == "channels: T2 missing; 0 in channel and mask"
    assert [recorded([line])["channel"] for line in scan.history[:-1]] == ["T1", "FLAIR"]


def test_the_masks_tell_where_a_sequence_ends(study: Study, case_of) -> None:
    scan = prepare(case_of(study(*NAMES)), recipe=RECIPE).scan
    t1, flair = scan.values[3], scan.values[5]

    assert t1[8, 8, 1:-1].min() == 1
    assert flair[8, 8, 8] == 1
    assert flair.min() == 0


def test_the_model_reads_the_channels_in_its_own_order_whatever_the_settings_say(study: Study, case_of) -> None:
    case = case_of(study(*NAMES))
    other = RECIPE.model_copy(update={"scan": RECIPE.scan.model_copy(update={"channels": ("FLAIR", "T1")})})
    scan = prepare(case, recipe=other).scan

    assert scan.values.shape[0] == other.scan.inputs == 4
    assert recorded(scan.history)["channel"] == "T1"
    assert tensor_digest(case, other) != tensor_digest(case, RECIPE)


def test_cached_channels_are_those_that_were_computed(study: Study, case_of, tmp_path) -> None:
    cache = ArrayCache(tmp_path / "cache")
    case = case_of(study("T1", "FLAIR"))
    fresh, cached = (prepare(case, recipe=RECIPE, cache=cache).scan for _ in range(2))

    np.testing.assert_array_equal(fresh.values, cached.values)
    assert (cached.history, cached.missing) == (fresh.history, fresh.missing)
    np.testing.assert_array_equal(fresh.affine, cached.affine)


def test_a_changed_file_of_any_channel_is_noticed(study: Study, case_of, tmp_path) -> None:
    cache = ArrayCache(tmp_path / "cache")
    case = case_of(study(*NAMES))
    prepare(case, recipe=RECIPE, cache=cache)
    path = Path(case.channels[2].scan.files[0].path)
    data = bytearray(path.read_bytes())
    data[-9] ^= 1
    path.write_bytes(data)
    with pytest.raises(RefusedError) as caught:
        prepare(case, recipe=RECIPE, cache=cache)
    assert caught.value.reason is Reason.DIGEST_CHANGED


def test_a_study_without_any_of_the_models_channels_is_refused(study: Study, case_of) -> None:
    case = case_of(study("T1"), channels=())
    with pytest.raises(RefusedError) as caught:
        prepare(case, recipe=RECIPE)
    assert caught.value.reason is Reason.NO_SCAN


def test_no_channel_at_all_is_refused() -> None:
    with pytest.raises(RefusedError) as caught:
        resample_channels([], recipe=RECIPE)
    assert caught.value.reason is Reason.NO_SCAN


def test_the_encoder_takes_the_channels_and_their_masks(study: Study, case_of) -> None:
    import torch

    from pipelines.models.build import build_scan_encoder

    scan = prepare(case_of(study("T1", "FLAIR")), recipe=RECIPE).scan
    encoder = build_scan_encoder(RECIPE, signs=1).eval()
    reading = encoder(torch.from_numpy(scan.values).float()[None], torch.from_numpy(scan.affine)[None])

    assert torch.isfinite(reading.tokens.values).all()


# Which scan, where there are no channels


def test_a_study_of_which_no_scan_passes_is_no_case_and_its_notes_are_kept_out(joined, scan, note) -> None:
    result = joined([scan()], [note()], [], require=ScanRule(modality=("MR",)))

    assert result.cases == ()
    assert sorted((line.kind, line.reason) for line in result.unlinked) == [
        ("case", Reason.NO_SCAN),
        ("note", Reason.NO_SCAN),
    ]


def test_the_best_by_the_rules_is_the_scan_and_its_case_says_why(joined, scan) -> None:
    many, few = scan(slices=90, facts=SeriesFacts(kernel="B70f")), scan(slices=60, facts=SeriesFacts(kernel="B30f"))
    [case] = joined([many, few], [], [], prefer=ScanRule(kernel=("b3*",))).cases

    assert case.scan == few
    assert Remark.SEVERAL_SCANS in case.remarks
    assert "selected: first of 2: preferred kernel passed, 60 slices" in case.history
