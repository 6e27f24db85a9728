"""Imports run one way: flows → pipelines → fusion_models → data_schemas, and down the stops inside pipelines."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ["data_schemas", "fusion_models", "pipelines", "flows"]
STOPS = [
    {"workspace"},
    {"sources"},
    {"scans", "notes"},
    {"cases"},
    {"models", "synthetic"},
    {"training", "diagnosis"},
    {"review", "monitoring", "delivery"},
]
LEVEL = {stop: level for level, stops in enumerate(STOPS) for stop in stops}
HEAVY = {"torch", "monai", "transformers", "prefect", "mlflow", "accelerate", "nibabel", "pandas", "matplotlib"}
HEAVY |= {"sklearn", "imagecodecs", "pydicom", "sqlalchemy", "alembic", "scipy", "jinja2", "fhir"}
FORBIDDEN = {
    "data_schemas": HEAVY,
    "fusion_models": {"prefect", "mlflow", "sqlalchemy", "pydicom", "pandas"},
    "pipelines": {"prefect"},
    "flows": set(),
}


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Every module that a file imports, and whether the import stands at the top of the file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node in tree.body) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or "", node in tree.body


def sources() -> list[Path]:
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_imports_only_what_lies_below_it(path: Path) -> None:
    package, *rest = path.relative_to(ROOT).parts
    for name, _ in imports(path):
        head, *tail = name.split(".")
        assert head not in FORBIDDEN[package], f"{package} must not import {head}"
        if head in PACKAGES:
            assert PACKAGES.index(head) <= PACKAGES.index(package), f"{package} imports {name}"
        if package == head == "pipelines" and len(rest) > 1 and tail:
            same = rest[0] == tail[0]
            assert same or LEVEL[tail[0]] < LEVEL[rest[0]], f"pipelines/{rest[0]} imports {name}"


@pytest.mark.parametrize("path", sorted((ROOT / "flows" / "cli").rglob("*.py")), ids=lambda path: path.name)
def test_the_command_line_imports_nothing_heavy_at_the_top(path: Path) -> None:
    heavy = {name for name, top in imports(path) if top and name.split(".")[0] in HEAVY | {"pipelines"}}
    assert not heavy, "import these inside the command, so that --help stays quick"


def test_flows_init_imports_nothing() -> None:
    assert list(imports(ROOT / "flows" / "__init__.py")) == []
