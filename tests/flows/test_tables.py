from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flows.tables import markdown_table


def test_a_table_has_a_head_a_rule_and_its_rows() -> None:
    assert markdown_table(("lane", "count"), [("review", 3)]) == "| lane | count |\n| --- | --- |\n| review | 3 |\n"


@given(st.lists(st.tuples(st.text(), st.text()), max_size=5))
def test_no_cell_breaks_the_table(rows: list[tuple[str, str]]) -> None:
    lines = markdown_table(("a", "b"), rows).splitlines()
    assert len(lines) == len(rows) + 2
    assert all(line.count("|") == 3 for line in lines)
