"""What has the form of an identifier: numbers behind labels, long numbers, addresses, places, links, contacts."""

# ruff: noqa: E501 - a pattern stands on one line

from __future__ import annotations

import re
from collections.abc import Iterator

from pipelines.notes.release.spans import Found, Kind
from pipelines.notes.release.words import listed, plain

_I = re.IGNORECASE
_CAP = r"(?-i:[A-ZÀ-ÖØ-ÞŁŚŻČŠŽ][\w'’\-]*\.?)"
_PROPER = _CAP.replace(r"\.?)", ")")
_LABELLED = re.compile(
    r"(?<![^\W_])(?:m\.?r\.?n\.?|medical record|med rec|patient|pt|account|acct|accession|acc|encounter|visit|case|fin|csn|"
    r"order|requisition|req|specimen|lab|sample|licen[cs]e|lic|dea|npi|upin|passport|policy|member|subscriber|group|insurance|"
    r"ins|medicare|medicaid|ssn|social security|nhs|nhi|chi|study|exam|examination|serial|s/n|sn|device|implant|lot|job|"
    r"document|doc|chart|hospital|unit|record|id|identifier|identification|certificate|badge|employee|plate|vin|vehicle|"
    r"claim|prescription|rx|protocol|trial|file|folder|claim|tax|bed|confirmation|reference|ref|ticket|health plan|"
    r"beneficiary|health card|fallnummer|patienten-?nr|versicherten-?nr|aktenzeichen|film|x-?ray|image|report|dossier)"
    r"(?:[ ]*(?:record|identification|identifier|plan|card|plate|beneficiary|security|serial|tracking|file|ref))?"
    r"[ ]*(?:no|nr|num|number|nummer|id|code|#)?[.]?(?:[ ]*\(?(?:mrn|id|ssn|no|#)\)?)?[ ]*(?:is|was|:|#|=|-)*[ ]*[:#]?[ ]*"
    r"(?P<id>(?=[A-Z0-9./\-]*\d)[A-Z0-9](?:[A-Z0-9./\-]*[A-Z0-9])?(?:[ ]\d{2,}(?:[ ]\d{2,})*)?)",
    _I,
)
_FORMS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("ID", re.compile(r"(?<![\w.])[0-2](?:\.\d+){5,}(?![\w])")),
    ("ID", re.compile(r"(?<!\w)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?!\w)", _I)),
    ("ID", re.compile(r"(?<!\w)[0-9a-f]{24,}(?!\w)", _I)),
    ("URL", re.compile(r"(?<!\w)(?:https?|ftp|file|sftp|s3|dicom)://[^\s<>\"]+|(?<![\w@.])www\.[^\s<>\"]+[^\s<>\".,;)]", _I)),
    ("URL", re.compile(
        r"(?<![\w@.\-])(?:[a-z0-9][a-z0-9\-]*\.)+(?:com|org|net|edu|gov|mil|info|biz|io|co|uk|de|fr|ch|at|eu|ca|au|us|local|lan|"
        r"health|hospital|clinic)(?:(?::\d+)?/[^\s<>\"]*[^\s<>\".,;)])?(?![\w@])(?!\.\w)"
    )),
    ("URL", re.compile(r"\\\\[\w.\-]+(?:\\[^\\\s<>\"|]+)+|(?<![\w])[A-Z]:\\[^\s<>\"|]+|(?<![\w/.])/(?:home|users|mnt|data|srv|var|export|pacs|media|tmp)/[^\s<>\"]+", _I)),
    ("EMAIL", re.compile(r"(?<![\w.])[\w.+\-]+\s?(?:@|\(at\)|\[at\])\s?[\w\-]+(?:\.[\w\-]+)+", _I)),
    ("URL", re.compile(r"(?<![\w.@])@[A-Za-z_][\w.]{2,}")),
    ("ID", re.compile(r"(?<![\w.\-])\d{3}[-. ]\d{2}[-. ]\d{4}(?![\w\-])")),
    ("PHONE", re.compile(
        r"(?<![\w.])(?:tel(?:ephone)?|ph(?:one)?|fax|mobile|cell(?:ular|phone)?|pager|page|beeper|ext(?:ension)?|call(?: back)?(?: at)?|"
        r"contact(?: number| at)?|home|work|handy|telefon|hotline|dect|direct line|reached at|text|voicemail)"
        r"(?:[ ]*(?:no|nr|number|#))?[.]?[ ]*(?:is|at|on|:|#|=)*[ ]*(?P<id>\(?\+?\d[\d()\-./ ]{2,}\d(?:[ ]*(?:x|ext\.?)[ ]*\d+)?)", _I)),
    ("PHONE", re.compile(r"(?<![\w.\-/])(?:\+|00)[1-9]\d{0,2}[ \-./]?(?:\(?0?\d{1,5}\)?[ \-./]?){2,5}\d{2,}(?![\w])")),
    ("PHONE", re.compile(r"(?<![\w.\-/])(?:1[-. ])?\(?[2-9]\d{2}\)?[-. /]{1,2}\d{3}[-. ]\d{4}(?:[ ]*(?:x|ext\.?)[ ]*\d+)?(?![\w\-])", _I)),
    ("PHONE", re.compile(r"(?<![\w.\-/])[2-9]\d{2}-\d{4}(?:[ ]*(?:x|ext\.?)[ ]*\d+)?(?![\w\-]|[ ]?(?:mg|ml|cc|units|kcal))", _I)),
    ("PHONE", re.compile(r"(?<!\w)x[ ]?\d{4,5}(?!\w)")),
    ("ADDRESS", re.compile(
        rf"(?<![\w.])\d{{1,6}}[A-Z]?[ ]+(?:(?:N|S|E|W|NE|NW|SE|SW|North|South|East|West)\.?[ ]+)?(?:{_CAP}[ ]+|\d{{1,3}}(?:st|nd|rd|th)[ ]+){{1,4}}"
        r"(?:Street|St|Avenue|Ave|Road|Rd|Drive|Dr|Lane|Ln|Boulevard|Blvd|Court|Ct|Place|Pl|Terrace|Ter|Way|Circle|Cir|"
        r"Highway|Hwy|Parkway|Pkwy|Square|Sq|Trail|Trl|Close|Crescent|Cres|Gardens|Row|Mews|Alley|Loop|Plaza|Turnpike|Pike)\b\.?"
        rf"(?:,?[ ]+(?:Apt|Apartment|Suite|Ste|Unit|Room|Rm|Floor|Fl|No|\#)\.?[ ]*\#?[\w\-]+)?"
        rf"(?:,?[ \n]+{_CAP}(?:[ ]{_CAP}){{0,2}},?[ ]+(?-i:[A-Z]{{2}})?[ ,]*\d{{5}}(?:-\d{{4}})?)?")),
    ("ADDRESS", re.compile(r"\bP\.?[ ]?O\.?[ ]?Box[ ]*\#?\d+", _I)),
    ("ADDRESS", re.compile(r"(?<!\w)(?:Apt|Apartment|Suite|Ste)\.?[ ]*\#?\d+[A-Z]?\b")),
    ("ADDRESS", re.compile(
        rf"\b{_CAP}(?:[ ]{_CAP}){{0,2}},?[ ]+(?-i:A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|"
        r"T[NX]|UT|V[AT]|W[AIVY])[ ,]+\d{5}(?:-\d{4})?(?!\w)", _I)),
    ("ADDRESS", re.compile(r"(?<![\w.\-])\d{5}-\d{4}(?![\w\-])")),
    ("ADDRESS", re.compile(r"\b(?:zip|zip code|postal code|postcode|plz)[ ]*(?:is|:|=)*[ ]*(?P<id>[A-Z0-9][A-Z0-9 \-]{2,9}[A-Z0-9])\b", _I)),
    ("ADDRESS", re.compile(r"(?<!\w)(?:GIR 0AA|[A-PR-UWYZ](?:\d{1,2}|[A-HK-Y]\d[\dA-HJKPS-UW]?|\d[A-HJKPS-UW])[ ]\d[ABD-HJLNP-UW-Z]{2})(?!\w)")),
    ("ADDRESS", re.compile(r"(?<!\w)[ABCEGHJ-NPRSTVXY]\d[A-Z][ ]\d[A-Z]\d(?!\w)")),
    ("ADDRESS", re.compile(
        r"(?<!\w)[A-ZÄÖÜ][\wäöüß\-]*(?:[Ss]tra(?:ß|ss)e|[Ss]tr\.|weg|platz|allee|gasse|damm|ufer|ring)[ ]+\d{1,4}[ ]?[a-z]?\b"
        r"(?:,?[ \n]+(?:D-)?\d{4,5}[ ]+[A-ZÄÖÜ][\wäöüß\-]+)?")),
    ("ADDRESS", re.compile(r"(?<!\w)(?:\d{1,4},?[ ]+)(?:rue|avenue|boulevard|place|chemin|calle|via|viale|piazza)[ ]+(?:(?:de|du|des|la|le|del|di)[ ]+)*[A-ZÀ-Þ][\w\-'’]+(?:[ ][A-ZÀ-Þ][\w\-'’]+)*(?:,?[ ]+\d{4,5}[ ]+[A-ZÀ-Þ][\w\-]+)?")),
    ("ADDRESS", re.compile(r"\b(?:home |mailing |street )?(?:address|anschrift|adresse)[ ]*(?::|is)[ ]*(?P<id>[^\n;]{4,120}?)(?=\.?\s*(?:\n|;|$)|\.\s)", _I)),
    ("ID", re.compile(r"(?<![\w.\-/,])[A-Z]{1,5}[- ]?\d{5,}(?:-\d+)*(?![\w])")),
    ("ID", re.compile(r"(?<![\w.,/\-$])\d{7,}(?:-\d+)?(?![\w%]|[.,]\d)")),
    ("ID", re.compile(r"(?<![\w.,/\-])\d{2,4}-\d{2,4}-\d{3,6}(?![\w\-])")),
    ("ID", re.compile(r"(?<![\w.\-/])(?=[A-Z0-9\-]*\d[A-Z0-9\-]*\d[A-Z0-9\-]*\d)(?=[A-Z0-9\-]*[A-Z])[A-Z0-9]{2,}(?:-[A-Z0-9]+){2,}(?![\w\-])")),
)  # fmt: skip
_INSTITUTION = re.compile(
    rf"(?P<name>(?:(?:{_PROPER}|(?:St|Mt|Ft)\.)(?:[ ]+(?:of|the|and|for|de|la|at|&)(?=[ ]))*[ ]+){{1,5}})"
    r"(?P<head>(?:University |General |Memorial |Community |Regional |Children'?s |Veterans |VA |County |District |Medical )*"
    r"(?:Hospital|Hospitals|Medical Cent(?:er|re)|Health Cent(?:er|re)|Infirmary|Clinic|Klinik|Klinikum|Hospice|Sanatorium|"
    r"Nursing Home|Rehab(?:ilitation)? Cent(?:er|re)|Health System|Healthcare|Imaging Cent(?:er|re)|Cancer Cent(?:er|re)|"
    r"Institute|University|College|High School|Elementary School|School|Radiology Associates|Medical Group|Surgery Cent(?:er|re)|"
    r"Care Cent(?:er|re)|Manor|Retirement Home|Assisted Living))\b"
)
_UNIVERSITY_OF = re.compile(
    rf"\bUniversity (?:Hospitals? )?of (?P<place>{_PROPER}(?:[ ]{_PROPER}){{0,2}})|\b(?:Universitätsklinikum|Krankenhaus|Klinikum|Hôpital|Hospital|Ospedale) (?P<other>(?!Course|Day|Stay|Discharge|Admission|Problem|Medications?|Number|Bed|Unit|Ward|Staff)(?:(?:de|du|la|le|der|am|im|San|St\.) ?)*(?-i:[A-ZÀ-Þ])[\w\-'’]+(?:[ ](?-i:[A-ZÀ-Þ])[\w\-'’]+)?)"
)
_LIVES = re.compile(
    r"\b(?:lives? in|lived in|living in|resides? in|residing in|resident of|native of|originally from|comes from|moved (?:here )?(?:to|from)|"
    r"born in|born and raised in|raised in|grew up in|hometown(?: is| of)?:?|travell?ed (?:to|from)|trip to|returned from|emigrated from|"
    r"immigrated from|visiting (?:from )?|vacation in|flew (?:in )?from|flown in from|transferred from|transfer from|works? (?:at|for)|"
    r"employed (?:at|by)|employer:?|retired from|flight from|stationed in|deployed to|city:|town:|state:|country:|county:|from outside hospital in)"
    rf"[ ]+(?:the[ ]+)?(?:city of[ ]+|town of[ ]+)?(?P<place>{_CAP}(?:[ ]{_CAP}){{0,3}}(?:,[ ]+{_CAP}(?:[ ]{_CAP})?)?)",
    _I,
)
_COMMON_PLACES = frozenset(
    [
        "the",
        "outside",
        "emergency",
        "outpatient",
        "inpatient",
        "general",
        "pain",
        "cardiology",
        "neurology",
        "oncology",
        "surgery",
        "surgical",
        "medical",
        "brief",
        "this",
        "our",
        "their",
        "any",
        "local",
        "another",
        "each",
        "state",
        "community",
        "private",
        "public",
        "day",
        "memory",
        "sleep",
        "wound",
        "eye",
        "dental",
        "primary",
        "care",
        "referring",
        "same",
        "skilled",
        "nursing",
        "home",
        "rehab",
        "rehabilitation",
        "acute",
        "psychiatric",
        "mental",
        "teaching",
        "tertiary",
        "university",
        "children's",
        "veterans",
        "regional",
        "county",
        "district",
        "va",
        "imaging",
        "cancer",
        "heart",
        "stroke",
        "trauma",
        "burn",
        "transplant",
        "women's",
        "college",
        "high",
        "school",
        "elementary",
        "a",
        "an",
        "prior",
        "previous",
        "urgent",
        "walk-in",
        "anticoagulation",
        "coumadin",
        "diabetes",
        "from",
        "at",
        "to",
        "in",
        "hospital",
        "clinic",
        "per",
        "after",
        "she",
        "he",
        "patient",
        "pulmonary",
        "gi",
        "ent",
        "vascular",
        "fracture",
        "infusion",
        "chest",
        "allergy",
        "dialysis",
        "hospice",
        "national",
        "health",
        "healthcare",
        "student",
        "middle",
        "nursing",
        "law",
        "medicine",
        "assisted",
        "orthopedic",
        "foot",
    ]
)
_PLACES_BEGIN = frozenset(
    [
        "new",
        "old",
        "little",
        "long",
        "fort",
        "san",
        "santa",
        "los",
        "las",
        "saint",
        "st",
        "mount",
        "north",
        "south",
        "east",
        "west",
        "grand",
        "great",
        "green",
        "high",
        "red",
        "white",
        "black",
        "big",
        "upper",
        "lower",
        "cape",
        "lake",
        "palm",
        "salt",
        "park",
        "bay",
        "el",
        "la",
        "le",
        "rio",
        "sao",
        "des",
        "baton",
        "cedar",
        "grand",
        "royal",
    ]
)
_TITLE_BEFORE = re.compile(r"\b(?:Dr|Mr|Mrs|Ms|Miss|Mx|Prof|Doctor|Professor|Nurse)\.?[ ]+(?:[A-Z]\.[ ]+)?$", _I)
_PERSONAL = listed("titles") | {"md", "do", "rn", "np", "pa", "phd", "mbbs"}
_LABEL_BEFORE = re.compile(r"([A-Z]{2,5})[ ](?=\d)")
_LABELS = listed("id_labels")
_FEWEST_DIGITS, _FEWEST_SIGNS = 3, 4


def find_labelled(text: str) -> Iterator[Found]:
    """Numbers behind a label such as ``MRN:`` or ``Accession #``."""
    for match in _LABELLED.finditer(text):
        found = match["id"]
        digits = sum(map(str.isdigit, found))
        marked = match.group()[: match.start("id") - match.start()].rstrip()[-1:] in {"#", ":", "="}
        if digits >= _FEWEST_DIGITS and len(found) >= _FEWEST_SIGNS - marked and not _is_measure(text, match.end("id")):
            yield Found(*match.span("id"), "ID")


def find_forms(text: str) -> Iterator[Found]:
    """What looks like an address, a contact, a link, a UID or another long number, wherever it stands."""
    for kind, pattern in _FORMS:
        for match in pattern.finditer(text):
            span = match.span("id") if "id" in pattern.groupindex else match.span()
            label = _LABEL_BEFORE.match(match.group()) if kind == "ID" else None
            if label and label[1].casefold() in _LABELS:
                span = (span[0] + label.end(), span[1])
            if kind == "PHONE" and sum(map(str.isdigit, text[slice(*span)])) < 4:
                continue
            if kind == "ADDRESS" and _is_plain(match.group()):
                continue
            yield Found(*span, kind)


def find_places(text: str) -> Iterator[Found]:
    """Names of hospitals, schools and employers, and where somebody lives or comes from."""
    for match in _INSTITUTION.finditer(text):
        start = match.start("name")
        words = list(re.finditer(r"\S+", match["name"]))
        people = [at for at, word in enumerate(words) if plain(word.group().strip(".,")) in _PERSONAL]
        if not people and _TITLE_BEFORE.search(text[max(0, start - 14) : start]):
            people = [0]
        if people:  # "Dr. Smith of Lakeside": the person is found as one
            joints = [at for at, word in enumerate(words) if at > people[-1] and word.group() in {"of", "at", "from"}]
            words = words[joints[0] + 1 if joints else len(words) :]
        while words and _is_common(words[0].group()):
            words.pop(0)
        if words:
            yield Found(start + words[0].start(), match.end("head"), "PLACE")
    for match in _UNIVERSITY_OF.finditer(text):
        group = "place" if match["place"] else "other"
        if not _is_common(match[group].split()[0]):
            yield Found(match.start() if group == "place" else match.start("other"), match.end(), "PLACE")
    for match in _LIVES.finditer(text):
        end = match.start("place")
        words = list(re.finditer(r"[^\s,]+,?", match["place"]))
        for number, word in enumerate(words):
            last = number + 1 == len(words)
            begins = plain(word.group().strip(",.")) in _PLACES_BEGIN and not last and not word.group().endswith(",")
            if _is_common(word.group()) and not (begins and not _is_common(words[number + 1].group())):
                break
            end = match.start("place") + word.end()
        place = text[match.start("place") : end].rstrip(" ,.")
        if place:
            yield Found(match.start("place"), match.start("place") + len(place), "PLACE")


def _is_common(word: str) -> bool:
    lower = plain(word.strip(".,"))
    return lower in _COMMON_PLACES or (lower in listed("stop") and lower not in listed("given"))


def _is_plain(found: str) -> bool:
    """Whether what looks like a street is a count of things: ``2 Right Lower Place``."""
    words = re.findall(r"[^\W\d_]+", found)
    return len(words) > 1 and all(plain(word) in listed("stop") for word in words[:-1])


def _is_measure(text: str, at: int) -> bool:
    return bool(
        re.match(
            r"[ ]?(?:mg|ml|mm|cm|kg|cc|mcg|hu\b|%|units?\b|years?\b|yo\b|y/o|days?\b|weeks?\b|months?\b|hours?\b|x[ ]?\d)",
            text[at:],
            _I,
        )
    )
