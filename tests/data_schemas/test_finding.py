"""The list of findings: its rules hold, and a list that breaks one is refused by name."""

from __future__ import annotations

import pytest

from data_schemas.errors import InputError
from data_schemas.finding import Finding, check_findings, entailed, entailments, exclusions, findings
from data_schemas.recipes import ModelRecipe


def finding(name: str, **rules: tuple[str, ...]) -> Finding:
    return Finding(name=name, display=name, **rules)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([finding("a"), finding("a")], "'a' stands twice"),
        ([finding("a", parents=("b",))], "'a' names 'b', which is not in the list"),
        ([finding("a", excludes=("b",))], "'a' names 'b', which is not in the list"),
        ([finding("a", parents=("b",)), finding("b", implies=("a",))], "'a' entails itself"),
        ([finding("a", parents=("a",))], "'a' entails itself"),
        ([finding("a", parents=("b",), excludes=("b",)), finding("b")], "'a' excludes a finding that it entails"),
        ([finding("a", excludes=("a",))], "'a' excludes a finding that it entails"),
        ([finding("a", synonyms=("Word",)), finding("b", shorthand=("word",))], "share the words 'word'"),
    ],
)
def test_a_list_that_breaks_a_rule_is_refused(rows: list[Finding], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_findings(rows)


def test_the_list_of_the_package_keeps_its_rules() -> None:
    check_findings(findings().values())


def test_the_default_findings_are_in_the_list() -> None:
    recipe = ModelRecipe()
    assert {*recipe.findings, *recipe.scan_signs} <= set(findings())


def test_entailment_reaches_over_a_finding_that_is_left_out() -> None:
    names = ("pulmonary-mass-left-upper", "lung-opacity")
    assert entailments(names) == (("pulmonary-mass-left-upper", "lung-opacity"),)


def test_what_is_implied_is_entailed() -> None:
    assert entailed("hydropneumothorax") == {"pleural-effusion", "pneumothorax"}


def test_an_exclusion_is_a_pair_once() -> None:
    assert exclusions(("low-lung-volumes", "hyperinflation")) == (("low-lung-volumes", "hyperinflation"),)
    assert exclusions(("cardiomegaly", "hyperinflation")) == ()


def test_codes_are_written_as_their_systems_write_them() -> None:
    import re

    shapes = {"SCT": r"\d{6,18}", "RID": r"RID\d+", "I10": r"[A-Z]\d\d(\.\d{1,3})?"}
    for row in findings().values():
        for code in row.codes:
            assert re.fullmatch(shapes[code.system], code.code), (row.name, code)


def test_snomed_codes_have_a_right_check_digit() -> None:
    for row in findings().values():
        for code in row.codes:
            if code.system == "SCT":
                assert verhoeff(code.code), (row.name, code.code)


def verhoeff(number: str) -> bool:
    """Whether a number ends in its Verhoeff check digit, as every SNOMED CT identifier does."""
    permute = [list(range(10)), [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]]
    while len(permute) < 8:
        permute.append([permute[-1][place] for place in permute[1]])
    check = 0
    for place, digit in enumerate(reversed(number)):
        check = dihedral(check, permute[place % 8][int(digit)])
    return check == 0


def dihedral(one: int, two: int) -> int:
    """Multiplication in the dihedral group of order ten."""
    if one < 5:
        return (one + two) % 5 if two < 5 else 5 + (one + two - 5) % 5
    return 5 + (one - two) % 5 if two < 5 else (one - two) % 5
