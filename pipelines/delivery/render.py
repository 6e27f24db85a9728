"""Templates to pages: everything that a page shows is escaped, and made visible where it would not be."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

# Control characters but tab and line feed, and lone surrogates: no page can hold them.
_UNSHOWABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
REPLACEMENT = "\ufffd"


def render(template: str, **values: Any) -> bytes:
    """Fill a template of this package; a self-contained HTML page in UTF-8.

    Every value is escaped. A character that cannot be shown becomes U+FFFD, and carriage returns become line feeds.
    """
    return _environment().get_template(template).render(**values).encode()


def showable(value: Any) -> Any:
    """A text whose every character a page can hold; anything else, markup included, as it is."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return _UNSHOWABLE.sub(REPLACEMENT, value.replace("\r\n", "\n").replace("\r", "\n"))


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("pipelines.delivery"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=showable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
