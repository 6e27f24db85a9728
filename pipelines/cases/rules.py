"""The settings of linking as the keyword arguments that the linker takes."""

from __future__ import annotations

from typing import Any

from data_schemas.durations import parse_duration
from data_schemas.linking import LinkSettings
from pipelines.cases.clock import zone_of


def link_rules(settings: LinkSettings) -> dict[str, Any]:
    """The keyword arguments of `pipelines.cases.link.link` that the settings give, durations and zone as objects."""
    rules = settings.model_dump(exclude={"timezone"})
    offsets = {name: parse_duration(code) for name, code in settings.offsets.items()}
    clock = {"zone": zone_of(settings.timezone), "clock_skew": parse_duration(settings.clock_skew)}
    return rules | clock | {"offsets": offsets}
