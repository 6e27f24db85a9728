from __future__ import annotations

from pathlib import Path

import pytest

from data_schemas.errors import SettingsError
from data_schemas.settings import Settings, read_settings, settings_digest


def read(tmp_path: Path, link: str) -> Settings:
    path = tmp_path / "scanote.yaml"
    path.write_text(f"link:\n{link}")
    return read_settings(path)


def test_offsets_that_mean_the_same_are_the_same_settings(tmp_path: Path) -> None:
    one = read(tmp_path, "  offsets: {observation: 1h, note/Progress Note: 0, order: 30m}\n  clock_skew: 5m\n")
    other = read(
        tmp_path, "  offsets: {note/order: PT30M, note/progress: 0s, observation: 60 min}\n  clock_skew: PT5M\n"
    )
    assert one == other
    assert settings_digest(one) == settings_digest(other)
    assert settings_digest(one) != settings_digest(Settings())


@pytest.mark.parametrize(
    ("link", "told"),
    [
        ("  offsets: {lab: 1h}\n", "neither note, observation"),
        ("  offsets: {note/: 1h}\n", "neither note, observation"),
        ("  offsets: {observation: 90}\n", "observation: not a duration"),
        ("  offsets: {order: 1h, note/order: 2h}\n", "note/order stands twice"),
        ("  offsets: [1h]\n", "dict"),
        ("  clock_skew: -1m\n", "not negative"),
        ("  timezone: Europe/Atlantis\n", "IANA"),
        ("  timezone: ../../etc/passwd\n", "IANA"),
        ("  timezone: ''\n", "IANA"),
        ("  timezone: 'Europe'\n", "IANA"),
        ("  text_identity: guess\n", "quarantine"),
    ],
)
def test_a_wrong_setting_is_one_line_that_says_how_to_mend_it(tmp_path: Path, link: str, told: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, link)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
