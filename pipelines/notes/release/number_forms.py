"""Numbers with a form of medicine, each with examples: measures, scores, times, years, levels, stages, genes."""

# ruff: noqa: E501 - a pattern stands on one line

from __future__ import annotations

import re

_I = re.IGNORECASE
_UNIT = (
    r"(?:m?mol|[µu]mol|nmol|pmol|mosm|m?eq|mcg|[µu]g|mg|ng|pg|kg|gm|gr|grams?|m?iu|units?|ml|mls|cc|[dµumn]l|lit(?:re|er)s?|"
    r"mm|cm|km|nm|ft|feet|foot|inch(?:es)?|yards?|miles?|lbs?|pounds?|oz|stone|°|deg(?:rees)?|%|percent|per cent|bpm|mmhg|hg|kpa|cmh2o|"
    r"hz|k?v|ma|mas|msv|c?gy|mbq|gbq|mci|hu|sec(?:ond)?s?|ms|msec|min(?:ute)?s?|hrs?|hours?|hourly|days?|daily|wks?|weeks?|weekly|"
    r"months?|monthly|mths?|mo|yrs?|years?|yearly|y/?o|times|puffs?|tab(?:let)?s?|cap(?:sule)?s?|drops?|doses?|pack|pk|cigs?|cigarettes|"
    r"steps|k?cal(?:ories)?|joules?|watts?|mets?|images|slices|views|cells?|copies|beats|breaths|cycles?|fractions?|sessions?|visits?|episodes?|"
    r"fold|rpm|french|gauge|ga|diopters?|ds|dc|db|ph|mil|million|thousand|bottles?|pints?|glasses|cups?|cans?|sprays?|patch(?:es)?|"
    r"rads?|points?|pts|children|people|patients|stairs|flights?|blocks?|meters?|metres?)"
)
_NUMBER = r"\d+(?:,\d{3}){0,4}(?:\.\d+)?"
# Single letters are units as they are written, and behind four digits at the most.
_LETTER = r"(?-i:[gmshdwyxLlUuFCKXJ])"
_SIGN = r"[<>~≤≥±+=\-–^]{0,4}"
# What a form lets stay, and the form. Repetitions are bounded, or a long row of numbers would take for ever.
FORMS: tuple[tuple[tuple[str, ...], re.Pattern[str]], ...] = tuple(
    (examples, re.compile(pattern, flags))
    for examples, pattern, flags in (
        (("2.5 mg", "10-20 mL/kg", "5 x 7 mm", "1,200 steps"),
         rf"(?<![\w./]){_SIGN}(?!0\d{{2}})\d{{1,6}}(?:,\d{{3}}){{0,4}}(?:\.\d+)?(?:[ ]?(?:[-–x×/*]|to|by)[ ]?{_NUMBER}){{0,6}}[ -]?{_UNIT}(?:[²³23]|\b)(?:[ ]?/[ ]?(?:{_UNIT}|\d+[ ]?{_UNIT}|lpf|hpf))*(?![^\W_])", _I),
        (("2 g", "40 s", "5 L/min"),
         rf"(?<![\w./]){_SIGN}(?!0\d{{2}})\d{{1,4}}(?:\.\d+)?(?:[ ]?[-–x×/][ ]?\d{{1,4}}(?:\.\d+)?){{0,6}}[ ]?{_LETTER}(?:/(?:{_UNIT}|{_LETTER}))?(?![^\W_]|[ ]?\d{{3}})", _I),
        (("x 10^9/L", "10*3/uL"),
         r"(?<![\w.])[x×]?[ ]?10[\^*]?[3-9]\d?(?:/[^\W\d_]+)?(?![\w])", _I),
        (("7", "98.6", "-3", "2+", "15%"),
         rf"(?<![\w./,])(?<![^\W\d_]-){_SIGN}(?<![^\W\d_]-)(?!0\d{{2}})\d{{1,3}}(?:\.\d{{1,3}})?[+%°]*(?![\w/]|[.,]\d|-(?:[A-Z]\b|[A-Z]{{2}}|\d{{4}}))", 0),
        (("1,200",),
         rf"(?<![\w./]){_SIGN}\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?(?![\w/])", 0),
        (("1012.25",),
         rf"(?<![\w.]){_SIGN}(?!0\d)\d{{1,4}}\.\d{{1,3}}%?(?![\w/.])", 0),
        (("1:40",),
         r"(?<![\w.])1:\d{1,6}(?!\w)", 0),
        (("120/80", "4/5", "2-3/10", "138-142"),
         rf"(?<![\w.]){_SIGN}(?!0\d\d)\d{{1,3}}(?:\.\d{{1,2}})?\+?(?:[ ]?[/\-–:x×][ ]?[+\-]?(?!0\d\d)\d{{1,3}}(?:\.\d{{1,2}})?[+%]?){{1,4}}(?![\w]|[/.\-]\w)", _I),
        (("14:05", "10.30am", "8h30"),
         r"(?<![\w.])(?:[01]?\d|2[0-4])[:.h][0-5]\d(?:[:.][0-5]\d)?(?:[ ]?[ap]\.?m\b\.?)?(?!\w)", _I),
        (("7 pm",),
         r"(?<![\w.])\d{1,2}(?:[.:]\d\d)?[ ]?[ap]\.?m(?![^\W_])", _I),
        (("1530h", "0600 hours"),
         r"(?<![\w.])(?:[01]\d|2[0-3])[0-5]\d[ ]?(?:h|hrs?|hours)(?![^\W_])", _I),
        (("at 0417", "@0630"),
         r"(?:\b(?:at|@|from|to|until|till|by|since|time|around|about|between|and|approx|before|after|given|taken|done|out|void\w*|arriv\w*|onset|drawn|sent|seen|called|informed|\d{2,4}|on)[ :]+|@[ ]?)(?:[01]\d|2[0-3])[0-5]\d(?!\w|[ .,\-/]\d)", _I),
        (("version 2.1.3",),
         r"\b(?:version|release|v\.?|software|revision)[ ]?\d{1,3}(?:\.\d{1,3}){1,3}(?![\w])", _I),
        (("1998", "1990s", "2019-21"),
         r"(?<![\w.])(?:1[89]\d\d|20[0-4]\d)s?(?:[-–/](?:(?:1[89]|20)?\d\d))?(?!\w)(?![-/.]\d)", 0),
        (("C5/6", "L4-S1", "T12"),
         r"(?<![\w])[CTLSDctls]\d{1,2}(?:[ ]?[-–/][ ]?[CTLSDctls]?\d{1,2})*(?![\w])", 0),
        (("E3V4M5", "G2P1", "T3aN1bM0"),
         r"(?<!\w)(?:[EVM]\d){2,3}T?(?!\w)|(?<!\w)E\dV[\dT]M\d(?!\w)|(?<!\w)G\d{1,2}[ ]?P\d{1,4}(?:\+\d)?(?!\w)|(?<!\w)[ypcr]{0,2}T[0-4isx][a-d]?(?:[ ]?N[0-3x][a-c]?)?(?:[ ]?M[01x][a-c]?)?(?!\w)", 0),
        (("J18.9",),
         r"(?<![\w])[A-TV-Z]\d[\dAB]\.\d{1,4}[A-Z]?(?![\w])", 0),
        (("c.5946delT",),
         r"(?<![\w.])[cpgmnr]\.(?:\(?[\w*>_+=\-]+\)?)(?![\w])", 0),
        (("BRCA2", "CD4+", "HLA-B27", "CYP2D6"),
         r"(?<![\w])(?:BRCA|TP|MLH|MSH|PMS|CHEK|HER|JAK|FGFR|CDK|PIK3|KRT|CK|CD|DQ|DR|DP|HLA-?[ABC]|CYP\d?[A-Z]?|GLUT|NAV|RET|MEN|SCN|APOE)-?\d{1,3}[A-Z]?(?:\*\d\d(?::\d\d)?)?[+\-]?(?![\w])", 0),
        (("17p13.1", "47,XXY"),
         r"(?<!\w)\d{1,2}[pq]\d{0,2}(?:\.\d{1,2})?(?!\w)|(?<!\w)4[5-9],?X[XY]{0,2}(?!\w)", 0),
    )
)  # fmt: skip
# Tokens of letters and digits that are known as they are: SpO2, HbA1c, CHA2DS2-VASc, 1st.
WHOLE = re.compile(
    r"(?:Sp?[Oo]2|FiO2|PaC?O2|[EP]?t?CO2|H2O|HCO3|NaHCO3|HbA1c|A1c|B12|T[34]|FT[34]|FEV1|FEV6|CA-?\d{2,3}(?:-\d)?|HER2|L\d{1,2}/[1-5S]\d?|[CTLS]\d{1,2}[/-]\d{1,2}|E[1-4]V[1-5T]M[1-6]|H1N1|P[HG]Q-?9|MgSO4|KPO4|N2O|O2|x\d|CHA2DS2(?:-VASc)?|ABCD2|HSV-?[12]|HIV-?[12]|1st|2nd|3rd|[AO]x[1-4]|x-?\d+)",
    _I,
)
