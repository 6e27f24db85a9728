"""How hospitals spell units, and what each spelling is in UCUM (the Unified Code for Units of Measure).

UCUM minds capitals and is rarely written: laboratories write "mg/dl", "MG/DL", "µmol/l", "x10^9/L", "K/uL". A spelling
may mean two things ("G/L" is giga or gram a litre); then the unit that fits the code is the one that was meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

LONGEST = 40  # characters of a unit
# What UCUM writes, and no number of more than three digits: 10*999999999 would be computed.
_UCUM = re.compile(r"(?!.*[0-9]{4})[A-Za-z0-9*/.%'\[\]_{}^+-]+", re.ASCII)
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_POWER = re.compile(r"10([⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)")
_COUNT = re.compile(r"[x*]?10(?:\^|e|\*\*|\*|exp|\(|)\+?(3|6|9|12)\)?(?:cells?)?/(l|dl|ml|ul|mcl|mm3|mm\^3|cumm|cmm)")
_ANNOTATION = re.compile(r"\{[^{}]*\}")
_WORD = re.compile(r"\b(FEU|DDU|D-DU)\b", re.IGNORECASE)

VOLUMES = {"l": "L", "dl": "dL", "ml": "mL", "ul": "uL", "mcl": "uL", "mm3": "uL", "mm^3": "uL", "cumm": "uL"}
VOLUMES |= {"cmm": "uL", "100ml": "dL"}
_AMOUNTS = {name: name for name in ("g", "mg", "ug", "ng", "pg", "fg", "mol", "mmol", "umol", "nmol", "pmol")}
_AMOUNTS |= {"mcg": "ug", "gm": "g", "gr": "g", "gms": "g", "meq": "meq", "mval": "meq", "kat": "kat", "ukat": "ukat"}
_AMOUNTS |= {"nkat": "nkat", "u": "U", "iu": "U", "ui": "U", "mu": "mU", "miu": "mU", "[iu]": "U"}
_THOUSANDS = ("k", "thou", "thous", "thousand", "thousands", "tsd", "tsd.")
_MILLIONS = ("m", "mil", "mill", "million", "millions", "mio", "mio.")
_ONES = ("", "cells", "cell", "#", "zellen", "1")

SPELLINGS: dict[str, str] = {
    **{f"{amount}/{volume}": f"{ucum}/{VOLUMES[volume]}" for amount, ucum in _AMOUNTS.items() for volume in VOLUMES},
    **{f"{word}/{volume}": f"10*3/{VOLUMES[volume]}" for word in _THOUSANDS for volume in ("ul", "mcl", "mm3", "cmm")},
    **{f"{word}/{volume}": f"10*6/{VOLUMES[volume]}" for word in _MILLIONS for volume in ("ul", "mcl", "mm3", "cmm")},
    **{f"{word}/{volume}": f"/{VOLUMES[volume]}" for word in _ONES for volume in ("ul", "mcl", "mm3", "cmm", "cumm")},
    **dict.fromkeys(("/nl", "1/nl"), "10*9/L"),
    **dict.fromkeys(("gpt/l", "giga/l"), "10*9/L"),
    **dict.fromkeys(("tpt/l", "tera/l"), "10*12/L"),
    **dict.fromkeys(("mg%", "mgs%"), "mg/dL"),
    **dict.fromkeys(("g%", "gm%"), "g/dL"),
    **dict.fromkeys(("%", "percent", "pct", "vol%", "prozent"), "%"),
    **dict.fromkeys(("1", "ratio", "inr", "{inr}", "l/l", "fraction", "(ratio)"), "1"),
    **dict.fromkeys(("°c", "c", "cel", "degc", "celsius", "ºc", "gradc", "degreescelsius"), "Cel"),
    **dict.fromkeys(("°f", "f", "degf", "[degf]", "fahrenheit", "ºf", "degreesfahrenheit"), "[degF]"),
    **dict.fromkeys(("mmhg", "mm[hg]", "torr", "mm(hg)"), "mm[Hg]"),
    **dict.fromkeys(("cmh2o", "cm[h2o]"), "cm[H2O]"),
    "kpa": "kPa",
    **dict.fromkeys(
        (
            "bpm",
            "/min",
            "1/min",
            "min-1",
            "b/min",
            "beats/min",
            "beats/minute",
            "rpm",
            "brpm",
            "breaths/min",
            "/minute",
        ),
        "/min",
    ),
    **dict.fromkeys(("kg", "kgs", "kilogram", "kilograms"), "kg"),
    **dict.fromkeys(("g", "gram", "grams"), "g"),
    **dict.fromkeys(("lb", "lbs", "[lb_av]", "pound", "pounds"), "[lb_av]"),
    **dict.fromkeys(("oz", "[oz_av]"), "[oz_av]"),
    **dict.fromkeys(("cm", "centimeter", "centimetre"), "cm"),
    **dict.fromkeys(("m", "meter", "metre"), "m"),
    **dict.fromkeys(("mm",), "mm"),
    **dict.fromkeys(("in", "inch", "inches", "[in_i]", "[in_us]"), "[in_i]"),
    **dict.fromkeys(("ft", "[ft_i]", "feet"), "[ft_i]"),
    **dict.fromkeys(("kg/m2", "kg/m^2", "kg/m**2", "kg/sqm"), "kg/m2"),
    **dict.fromkeys(("ml/min", "ml/min/1.73", "ml/min/1.73m2", "ml/min/1.73m^2", "ml/min/1,73m2"), "mL/min"),
    **dict.fromkeys(("ml/min/1.73sqm", "ml/min/1.73_m2", "ml/min/{1.73_m2}"), "mL/min"),
}
_GIGA = {"G/L": "10*9/L", "G/l": "10*9/L", "T/L": "10*12/L", "T/l": "10*12/L"}


def ucum_readings(unit: str) -> Iterator[str]:
    """What a spelling may be in UCUM, the likeliest first; nothing for what is no unit.

    Words in braces say nothing of the size of a unit and are left out.
    """
    text = tidy_unit(unit)
    if text in _GIGA:
        yield _GIGA[text]
    folded = text.lower()
    if count := _COUNT.fullmatch(folded):
        yield f"10*{count[1]}/{VOLUMES[count[2]]}"
    if folded in SPELLINGS:
        yield SPELLINGS[folded]
    bare = _ANNOTATION.sub("", text)
    if bare != text:
        yield from ucum_readings(bare or "1")
    elif 0 < len(text) <= LONGEST and _UCUM.fullmatch(text):
        yield text


def plain_unit(unit: str) -> str:
    """A unit as its spellings have it in common: its likeliest reading in UCUM, else the unit without blanks."""
    return next(ucum_readings(unit), tidy_unit(unit))


def tidy_unit(unit: str) -> str:
    """A unit without blanks, with ``u`` for micro and ``^`` for raised digits."""
    text = "".join(unit.split()).replace("µ", "u").replace("μ", "u").replace("×", "x").replace("·", ".")
    text = _POWER.sub(lambda match: "10^" + match[1].translate(_SUPERSCRIPTS), text)
    return text.translate(_SUPERSCRIPTS)


def annotation_of(unit: str) -> tuple[str, str]:
    """The word FEU or DDU that a unit carries, or "", and the unit without it."""
    match = _WORD.search(unit)
    if match is None:
        return "", unit
    word = match[1].upper().replace("-", "")
    rest = (unit[: match.start()] + unit[match.end() :]).replace("{}", "").replace("()", "").replace("[]", "")
    return word, rest.strip(" -_,/")
