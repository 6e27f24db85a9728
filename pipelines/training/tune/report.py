"""A tuning as text: what was chosen, what it is worth on patients that no search has seen, and what the search saw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from data_schemas.tuning import SearchRecord, Value
from pipelines.training.evaluate.report import counts, flat, interval, p_value, signed
from pipelines.training.tune.cases import Tuned
from pipelines.training.tune.chosen import section_text
from pipelines.training.tune.nested import TUNED
from pipelines.training.tune.space import KIND

READING = """**What to report is the nested figure.** In each outer fold the scan encoder, the search and the fits saw
the fold's own training and validation patients alone, and what they chose was measured on the others. The search's own
figure is the best of many on the same validation patients, and too good. The nested figure is that of the *procedure*:
the recipe below was found by the same search on all training and validation cases, and has no figure of its own until
`scanote train` measures it on the test split, which tuning never learns from."""


def tuning_markdown(tuned: Tuned) -> str:
    """The report of a tuning; the tables of its evaluation stand in ``evaluation.md`` beside it."""
    done = tuned.evaluation
    parts = [f"# {done.task}: tuning", "", "Research use only.", ""]
    parts += [f"* {name}: {value}" for name, value in done.about.items()]
    parts += [f"* **{notice}**" for notice in done.notices]
    parts += ["", READING, "", "## AUROC of the tuned recipe, and less that of the others", ""]
    parts += _table(
        ("finding", "positive / negative", *done.arms, *(f"less {arm}" for arm in done.arms if arm != TUNED)),
        [_figures(tuned, finding) for finding in done.findings],
    )
    parts += [
        "",
        "AUROC with the bootstrap's interval (whole patients; ranks within folds); differences paired, with the "
        "bootstrap's interval and Holm's p.",
        "",
        f"Mean AUROC: **{_number(tuned.reported)}** nested; {_number(tuned.inner)} is what the searches saw of their "
        "choices on their own validation patients.",
        "",
        "## The chosen recipe",
        "",
        *_table(
            ("setting", "before", "chosen"),
            [[name, _value(tuned.before[name]), _value(tuned.values.get(name))] for name in tuned.before],
        ),
        "",
        "```yaml",
        section_text(tuned.values).rstrip(),
        "```",
        "",
        "## The searches",
        "",
        *_table(
            (
                "search",
                "trials",
                "broken off",
                "chosen fusion",
                "validation loss",
                "its mean AUROC there",
                "late: loss",
            ),
            [_search(search) for search in tuned.searches],
        ),
        "",
        "Finalists are the best trials and the best one of late fusion, fitted with three seeds each; the lowest mean "
        "loss is chosen.",
    ]
    for search in tuned.searches:
        parts += ["", f"### {search.name}", "", *_table(*_finalists(search))]
    return "\n".join([*parts, ""])


def tuning_content(tuned: Tuned) -> dict[str, Any]:
    """The same as plain values for JSON; undefined figures are None."""
    done = tuned.evaluation
    return {
        "task": done.task,
        "about": dict(done.about),
        "notices": list(done.notices),
        "nested_mean_auroc": _plain(tuned.reported),
        "inner_mean_auroc": _plain(tuned.inner),
        "chosen": dict(tuned.values),
        "before": dict(tuned.before),
        "measures": [{name: _plain(value) for name, value in flat(row).items()} for row in done.rows],
        "differences": [{name: _plain(value) for name, value in flat(row).items()} for row in done.differences],
        "searches": [search.model_dump(mode="json") for search in tuned.searches],
    }


def late_of(search: SearchRecord) -> float:
    """The lowest mean loss of late fusion among the finalists."""
    return min(row.mean for row in search.finalists if search.trial(row.trial).parameters[KIND] == "late")


def _figures(tuned: Tuned, finding: str) -> list[str]:
    done = tuned.evaluation
    rows = [done.of(finding, arm) for arm in done.arms]
    first = next(row for row in rows if row is not None)
    told = {row.other: row for row in done.differences if row.finding == finding}
    differences = [
        f"{signed(told[arm].difference_bootstrap)}, p {p_value(told[arm].p_holm)}" for arm in done.arms if arm in told
    ]
    return [finding, counts(first), *(interval(row.auroc_bootstrap) if row else "–" for row in rows), *differences]


def _search(search: SearchRecord) -> list[str]:
    best = search.best
    mean = next(row.mean for row in search.finalists if row.trial == search.chosen)
    broken = sum(row.state != "complete" for row in search.trials)
    told = [search.name, f"{len(search.trials)} of {search.wanted}", str(broken), str(best.parameters[KIND])]
    return [*told, f"{mean:.4f}", "–" if best.auroc is None else f"{best.auroc:.3f}", f"{late_of(search):.4f}"]


def _finalists(search: SearchRecord) -> tuple[Sequence[str], list[list[str]]]:
    rows = sorted(search.finalists, key=lambda row: (row.mean, row.trial))
    names = list(dict.fromkeys(name for row in rows for name in search.trial(row.trial).parameters))
    table = [
        [
            f"{row.trial}{' (chosen)' if row.trial == search.chosen else ''}",
            f"{row.mean:.4f}",
            *(_value(search.trial(row.trial).parameters.get(name)) for name in names),
        ]
        for row in rows
    ]
    return ("trial", "mean loss", *names), table


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (heads, ["---"] * len(heads), *rows)]


def _value(value: Value | None) -> str:
    return "–" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _number(value: float) -> str:
    return "–" if value != value else f"{value:.3f}"


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not abs(value) < float("inf") else value
