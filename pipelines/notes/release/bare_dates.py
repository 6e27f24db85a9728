"""Dates without a year and without a form of their own: 3/10, Fri 27th, oct 28, "twelfth of May", holidays, months.

They become ``[DATE]``: without a year, or with a day that may be a month, a move would be a guess. A fraction that the
words around it make a score, a strength, an acuity or a span of days (4/5, 6/36, 3/52) stays.
"""

# ruff: noqa: E501 - a pattern stands on one line

from __future__ import annotations

import re
from collections.abc import Iterator

from pipelines.notes.release.months import DAY_NAME
from pipelines.notes.release.spans import Found

_I = re.IGNORECASE
_SHORT_MONTH = r"(?:jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\.?"
_SURE_MONTH = r"(?:january|february|april|june|july|august|september|october|november|december)"
_ANY_MONTH = rf"(?:{_SURE_MONTH}|march|may|{_SHORT_MONTH})(?![^\W\d_])"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_MONTH_NUMBER = r"(?:0?[1-9]|1[0-2])"
_ENDING = r"(?:st|nd|rd|th)"
_UNIT = r"(?:mg|mcg|g|kg|ml|mls|cc|l|cm|mm|m|iu|units?|%|hours?|hrs?|h|days?|weeks?|wks?|months?|years?|yrs?|mins?|minutes|tabs?|tablets?|puffs?|times|x)\b"
_ONES = "first|second|third|fourth|fifth|sixth|seventh|eighth|ninth"
_ORDINAL = (
    rf"(?:twenty[- ](?:{_ONES})|thirty[- ]first|{_ONES}|tenth|eleventh|twelfth|thirteenth|fourteenth|fifteenth|sixteenth|"
    r"seventeenth|eighteenth|nineteenth|twentieth|thirtieth)"
)
_DIGIT = "one|two|three|four|five|six|seven|eight|nine"
_TENS = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
_TEENS = "ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen"
_COUNT = rf"(?:(?:{_TENS})(?:[- ](?:{_DIGIT}))?|{_TEENS}|{_DIGIT})"
_SPOKEN_YEAR = rf"(?:(?:nineteen|twenty)[- ](?:oh[- ](?:{_DIGIT})|(?:hundred)|{_COUNT})|two thousand(?:[ ](?:and[ ])?{_COUNT})?|(?:{_TENS})(?:[- ](?:{_DIGIT}))?)"
_LEADING = r"(?:on|by|until|till|since|from|before|after|of|in|last|next|due|early|mid|late|end of|start of|through|during|for|this|and|to|between|around|approx|about|every)"

_DATES = tuple(
    re.compile(pattern, _I)
    for pattern in (
        # 4 / 27 / 22
        r"(?<![\d/])\d{1,2} ?/ ?\d{1,2} ?/ ?(?:\d{4}|\d\d)(?![\d/])",
        # Fri 27th, Mon 8 Nov, sunday the 18th, Weds Oct 23, Mon 30/1
        rf"(?<![^\W\d_]){DAY_NAME}\.?,?[ ]+(?:the[ ]+)?{_DAY}(?:[/.-]{_DAY}(?![/\d]))?(?:[/.-]\d{{2,4}})?(?:{_ENDING})?(?![\d:.]\d|:)(?:[ ]+(?:of[ ]+)?{_ANY_MONTH})?(?![\w%]|[ ]?{_UNIT})",
        rf"(?<![^\W\d_]){DAY_NAME}\.?,?[ ]+{_ANY_MONTH}[ ]*(?:the[ ]+)?{_DAY}(?:{_ENDING})?(?![\d:])",
        # 19 dec, 27th of jan, 16 Nov '22, oct 28, Feb 14th
        rf"(?<![\d./:]){_DAY}(?:{_ENDING})?[ -]?(?:of[ ]+)?(?:{_SURE_MONTH}|{_SHORT_MONTH})(?![^\W\d_])(?:[ ,]*['’]?\d\d(?![\d:.]))?",
        rf"(?<![\d./:]){_DAY}{_ENDING}\s(?:of[ ]+)?(?:march|may)(?![^\W\d_])",
        rf"(?<![^\W\d_])(?:{_SURE_MONTH}|{_SHORT_MONTH})\s?(?:the[ ]+)?['’]?{_DAY}(?:{_ENDING})?(?![\d:]|\.\d|[ ]?{_UNIT})",
        rf"(?<![^\W\d_])(?:march|may)\s(?:the[ ]+)?{_DAY}{_ENDING}(?![^\W_])",
        rf"(?<=\bon )(?:march|may)[ ]+{_DAY}(?!\d)",
        # the 18th; twelfth of May; July fifth twenty nineteen
        rf"(?<=\bthe ){_DAY}{_ENDING}(?![^\W_])(?![ -]*(?:per)?centiles?)(?![ ]+(?:rib|week|floor|time|day|grade|edition|toe|finger|vertebra\w*|nerve|cranial|ward|dose|cycle|attempt|inter\w+|meta\w+|digit|decade|percent\w*|admission|birthday|month|year|cent\w*|one|visit|session|line|hour|degree|ray|ventricle|webspace))",
        rf"(?<![^\W\d_]){_ORDINAL}[ ]+(?:day[ ]+)?(?:of[ ]+)?{_ANY_MONTH}(?:[ ,]+(?:of[ ]+)?(?:{_SPOKEN_YEAR}))?",
        rf"(?<![^\W\d_]){_ANY_MONTH}[ ]+(?:the[ ]+)?{_ORDINAL}(?:[ ,]+(?:of[ ]+)?(?:{_SPOKEN_YEAR}))?(?![^\W\d_])",
        rf"(?<![^\W\d_]){_ANY_MONTH}[ ,]+(?:of[ ]+)?(?:(?:nineteen|twenty)[- ](?:oh[- ](?:{_DIGIT})|{_COUNT})|two thousand(?:[ ](?:and[ ])?{_COUNT})?)(?![^\W\d_])",
        # a month alone
        rf"(?<![^\W\d_])(?:{_SURE_MONTH}|(?<=in )March)(?![^\W\d_])(?:[ ]?['’]\d\d(?!\d)|[ ](?:next|last|this)[ ]year)?",
        r"(?<=[a-z,(] )(?-i:March|May|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)(?![^\W\d_])(?![ ]*\d)",
        rf"\b{_LEADING}[ ]+(?P<month>{_SHORT_MONTH})(?![^\W\d_])(?![ ]?\d)",
        r"(?<=\bin )(?:march|may)(?![^\W\d_])|(?<=\bsince )(?:march|may)(?![^\W\d_])|(?<=\blast )(?:march|may)(?![^\W\d_])",
        # Jan '21, DEC 44, summer of '68
        rf"(?<![^\W\d_]){_SHORT_MONTH}[ ]*['’]?\d\d(?![\d:]|\.\d|[ ]?{_UNIT})",
        # 18 janv. 2021, 3 de abril
        r"(?<![\d./:])\d{1,2}(?:er|\.)?[ ]+(?:de[ ])?(?:janv|f[ée]vr|mars|avr|mai|juin|juil|ao[uû]t|d[ée]c|ene|abr|ago|dic|enero|febrero|marzo|abril|mayo|junio|julio|agosto|setiembre|septiembre|octubre|noviembre|diciembre|janvier|f[ée]vrier|avril|juillet|septembre|octobre|novembre|d[ée]cembre)\.?(?![^\W\d_])(?:[ ]+(?:de[l]?[ ])?\d{4})?",
        # behind words that only a date follows: next 7-22, on 8-31, next 20.12
        rf"\b(?:on|next|dated?|due|seen|appt|visit|until|till|since)[: ]+(?P<pair>{_DAY}-{_DAY})(?![\w/-]|\.\d|[ ]*(?:{_UNIT}|to\b))",
        rf"\b(?:on|next|dated?|due|appt|since|until|till)[: ]+(?P<dots>(?:{_DAY}\.{_MONTH_NUMBER}))(?!\w|[/-]|\.\d|[ ]*{_UNIT})",
    )
)  # fmt: skip
_FRACTION = re.compile(rf"(?<![\w./,-])(?<!\d )(?P<a>{_DAY})/(?P<b>{_DAY})(?![\w/%]|\.\d|-\d)")
_SCORE_BEFORE = re.compile(
    r"(?<![^\W\d_])(?:power|strength|motor|murmur|scor\w*|scale|pain\w*|apgars?|gcs|day|grade\w*|reflex\w*|pulses?|tone|mrc|vas|nrs|oxford|moca|mmse|"
    r"phq\S*|gad\S*|amt\S*|rass|ramsay|mews?|news|pod|day|step|jerks?|dtrs?|biceps|triceps|grip|flexion|extension|abduction|"
    r"adduction|objects?|named|naming|dorsiflexion|plantarflexion|quads?|severity|intensity|rated?|worst|average|min|max|borg|rpe|strong|"
    r"edema|oedema|cycle|fraction|dose|unit|bottle|core|cores|nodes?|va|vision|acuity|re|le|od|os|ou|bilat\w*|left|right|[rl]|systolic|"
    r"diastolic|criteria|sirs|curb\S*|wells|abcd\S*|qsofa|attempts?|er|pr|allred|mallampati|station|orientation|recall|alert|oriented|ao|ax?o|episodes?|all|each|every|a|at rest|movement|legs?|arms?|ue|le|lue|rue|lle|rle|sensation|light touch|proprioception|concentration|"
    r"questions?|items?|correct|words?|participation|accuracy|trials?)\W{0,3}(?:(?:is|was|of|at|now|today|currently|score|to|a|in|remains|about|around|only)\W+){0,2}$",
    _I,
)
_SCORE_BEHIND = re.compile(
    r"[ ]*(?:strength|power|motor|murmur|systolic|diastolic|pulses?|reflex\w*|grade|o?edema|pitting|score|pain|in (?:all|both|the|bilat)|of\b|lobes?|"
    r"views?|nodes?|segments?|mets|bid|tid|full|bilateral\w*|throughout|bilat|symmetric\w*|intensity|severity|headache|sem\b|esm\b|psm\b|ej\w+|"
    r"criteria|cores?|at (?:rest|worst|best)|on movement|with movement|[^\W\d_]+ strength|questions|items|correct|words|trials|cups?|tab\w*|pack|dose)",
    _I,
)
_ACUITY = frozenset({"6/4", "6/5", "6/6", "6/7", "6/9", "6/12", "6/18", "6/24", "20/15", "20/20", "20/25", "20/30"})
_SPAN_BEFORE = re.compile(
    r"(?:\b(?:in|for|every|after|within|over|last|past|next|x|bd|od|tds|qds|tid|bid|mane|nocte|prn|stat|hx|history|r/v|f/u|review|about|approx|of|~|\d)\W{0,2}|[-–(x×]\s?|\d[-–])$",
    _I,
)
_SPAN_BEHIND = re.compile(
    r"[ ]*(?:(?-i:[a-z]){5,}|ago|hx|history|course|cough|off|apart|then|later|old|time|hence|of\b|and (?:stop|review))",
    _I,
)
_SIGHT = re.compile(
    r"\b(?:VA|BCVA|PH|vision|acuity|snellen|RE|LE|OD|OS|R|L|unaided|pinhole|glasses|aided)\b[^\n]{0,18}$"
)
_HOLIDAYS = re.compile(
    r"\b(?:christmas|xmas|thanksgiving|easter|hallowe'?en|hanuk?kah|chanukah|ramadan|passover|pesach|diwali|deepavali|eid(?: (?:al|ul)[- ]\w+)?|"
    r"kwanzaa|hogmanay|burns night|guy fawkes|bonfire night|juneteenth|cinco de mayo|mardi gras|super bowl|ash wednesday|palm sunday|"
    r"holy (?:thursday|week|saturday)|maundy thursday|good friday|whit ?sun(?:day)?|pentecost|epiphany|three kings(?:')?|all (?:saints|souls)|"
    r"day of the dead|d[ií]a de (?:los muertos|reyes)|shrove tuesday|pancake day|groundhog day|mothering sunday|"
    r"st\.? ?\w+['’]?s day|(?:saint|st)\.? (?:patrick|paddy|stephen|george|andrew|david|nicholas|john|joseph)['’]?s?(?= day| night)|paddy['’]?s|yom kippur|rosh hashanah|purim|"
    r"sukkot|shavuot|nowruz|vaisakhi|baisakhi|navratri|durga puja|(?:chinese|lunar|tibetan|orthodox) new year|t[eế]t(?= (?:holiday|festival|new year))|songkran|vesak|"
    r"wigilia|matariki|waitangi|anzac|melbourne cup|oktoberfest|thaipusam|raksha bandhan|onam|pongal|ganesh chaturthi|"
    r"(?:summer|spring|early may|may|august|late summer) bank holiday|bank hol(?:iday)?(?: monday| mon)?|public holiday|boxing day|new year['’]?s?(?: eve| day)?|"
    r"(?:labou?r|memorial|independence|veterans?['’]?|columbus|presidents?['’]?|martin luther king|mlk|indigenous peoples?['’]?|mother['’]?s|father['’]?s|"
    r"grandparents['’]?|valentine['’]?s?|australia|canada|victoria|flag|earth|remembrance|armistice|bastille|election|boxing|may|st patricks)[ ]day|"
    r"remembrance sunday|fourth of july|4th of july|july (?:the )?(?:4th|fourth)|(?:queen|king)['’]?s birthday|solstice|black friday|family day|heritage day|republic day)"
    r"(?:['’]s)?(?:[ ]+(?:day|eve|night|sunday|monday|week(?:end)?))?\b",
    _I,
)
# Spelt out, they are seasons and feelings too: a capital tells the feast.
_FEASTS = re.compile(
    r"(?<=[a-z,] )(?:Lent|Advent|Holi|Purim|Tet|Independence|Fourth|Ascension|Assumption|Candlemas|Michaelmas|Lammas)(?: Day)?\b"
)
_OLD = r"(?:9\d|1[0-2]\d)"
_AGES = (
    re.compile(rf"(?<=\()(?P<age>{_OLD})(?=[ ]?(?:[FMfm]|yrs?|years)?\))(?!\)[ ]*%)"),
    re.compile(rf"(?:(?<=[^\W\d_],[ ])|(?<=[\])\"”],[ ]))(?P<age>{_OLD})(?=[,.;\n]|$)(?!\.\d)"),
    re.compile(rf"\b(?:turn(?:ed|s|ing)|aged?|alive at|died at|dead at|deceased at|lived to|reached|well at|until age|to age|dx at|age of|nearly|almost)[ ]+(?P<age>{_OLD})(?![\d./%]|[ ]?(?:{_UNIT}|bpm|kg|mmhg))", _I),
    re.compile(r"\b(?P<age>ninet(?:y|ies)(?:[- ](?:one|two|three|four|five|six|seven|eight|nine))?|(?:one|a) hundred(?:[- ](?:and[ ])?(?:one|two|three|four|five|six|seven|eight|nine|ten))?(?=[- ]years?)|mid[- ]nineties)\b(?! (?:percent|per cent|degrees?|minutes?|mg|milligram|days?|over|beats|seconds?))", _I),
    re.compile(rf"(?<![\d./])(?P<age>{_OLD})(?=[ -]?(?:y(?:rs?|ears?)?\.?[ -]?o(?:ld)?|yrs?|yo|y/o|year)\b)", _I),
    re.compile(r"\b(?P<age>(?:early |mid |late |mid-)?90['’]?s)(?=[,. ;)]|$)(?<=90s)", _I),
)  # fmt: skip


def find_bare_dates(text: str) -> Iterator[Found]:
    """Days, months and holidays without a year; they are not moved but replaced by ``[DATE]``."""
    for match in (*_HOLIDAYS.finditer(text), *_FEASTS.finditer(text)):
        yield Found(match.start(), match.end(), "DATE")
    for pattern in _DATES:
        for match in pattern.finditer(text):
            group = next((name for name in ("month", "pair", "dots") if match.groupdict().get(name)), 0)
            start, end = match.span(group)
            yield Found(start, end, "DATE")
    for match in _FRACTION.finditer(text):
        if _is_day(text, match):
            yield Found(match.start(), match.end(), "DATE")


def find_bare_ages(text: str) -> Iterator[Found]:
    """Ages beyond 89 without the word *years*: ``(91)``, ``, 96,``, ``turned 93``, ``ninety-five``."""
    for pattern in _AGES:
        for match in pattern.finditer(text):
            yield Found(*match.span("age"), "AGE", "90+")


def _is_day(text: str, match: re.Match[str]) -> bool:
    """Whether a fraction is a day and a month: no score, no strength, no acuity, no span of days, weeks or months."""
    first, second = int(match["a"]), int(match["b"])
    if min(first, second) > 12:
        return False
    before, behind = text[max(0, match.start() - 32) : match.start()], text[match.end() : match.end() + 24]
    if re.search(rf"{DAY_NAME}\.?,?[ ]+$", before, _I):
        return True
    if _SCORE_BEFORE.search(before) or _SCORE_BEHIND.match(behind):
        return False
    if match.group() in _ACUITY and _SIGHT.search(before):
        return False
    # 3/7, 2/52 and 1/12 are days, weeks and months where a span is meant.
    return not (second in {7, 12} and (_SPAN_BEFORE.search(before) or _SPAN_BEHIND.match(behind)))
