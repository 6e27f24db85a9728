"""What the headers of one stack say of the side of the body, held against itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from data_schemas.reasons import Reason
from pipelines.scans.problem import Problem
from pipelines.scans.slice_header import SliceHeader

_SIDE = {"LEFT": "L", "LINKS": "L", "LINKE": "L", "GAUCHE": "L", "RIGHT": "R", "RECHTS": "R", "RECHTE": "R"}
_SIDE |= {"DROIT": "R", "DROITE": "R", "IZQUIERDA": "L", "IZQUIERDO": "L", "DERECHA": "R", "DERECHO": "R"}
# With one of these a side word tells how a patient lies, which chamber is meant or where the needle is.
_OTHERWISE = frozenset(
    {"DECUBITUS", "LATERAL", "OBLIQUE", "SIDE", "LYING", "DOWN", "UP", "VENTRICLE", "VENTRICULAR", "ATRIUM", "ATRIAL"}
    | {"HEART", "CARDIAC", "CORONARY", "MAIN", "BREATH", "INJECTION", "CONTRAST", "CUBITAL", "VIEW", "TO"}
)


def laterality_problems(images: Iterable[SliceHeader]) -> Iterator[Problem]:
    """Find sides that differ between slices, between elements, or from the one side that the words name."""
    said = {(header.laterality, header.image_laterality, header.body_part, header.description) for header in images}
    series_sides = {row[0] for row in said} - {""}
    image_sides = {row[1] for row in said} - {""}
    if len(series_sides) > 1 or len(image_sides) > 1:
        yield Problem(Reason.LATERALITY_CONFLICT, "the laterality differs between slices")
        return
    sides = (series_sides | image_sides) & {"L", "R"}
    words = {side for row in said for text in row[2:] if (side := side_of(text))}
    if len(sides) > 1:
        yield Problem(Reason.LATERALITY_CONFLICT, "Laterality and Image Laterality name different sides")
    elif len(sides | words) > 1:
        yield Problem(Reason.LATERALITY_CONFLICT, "laterality, body part and description name different sides")


def side_of(text: str) -> str:
    """Return "L" or "R" where a text names one side of the body and only one, otherwise an empty text."""
    words = set(re.split(r"[^A-Z]+", text.upper()))
    sides = {_SIDE[word] for word in words & _SIDE.keys()}
    return next(iter(sides)) if len(sides) == 1 and not words & _OTHERWISE else ""
