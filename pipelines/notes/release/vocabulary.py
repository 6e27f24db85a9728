"""The words that are known to be harmless: English, clinical, abbreviations; and those that may be a name.

A word is known in its British spelling (*haemoglobin*), as a compound (*infrahilar*, *non-tender*), and where its
ending is one of the language of medicine (*-ectomy*). Names of people and places are no words of the list, unless
they are words as well: of those the context decides (`safe_words`).
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from importlib.resources import files

from pipelines.notes.release.words import listed

FEWEST_OF_ENDING, FEWEST_OF_PART = 7, 4
_BRITISH = (
    ("ae", "e"), ("oe", "e"), ("our", "or"), ("ise", "ize"), ("isa", "iza"), ("isi", "izi"), ("yse", "yze"),
    ("tre", "ter"), ("lled", "led"), ("lling", "ling"), ("ogue", "og"), ("mme", "m"), ("phth", "pth"),
    ("lph", "lf"), ("lfil", "lfill"), ("ys", "yz"),
)  # fmt: skip
_BEGINNINGS = (
    "un|ex|juxta|dextro|levo|well|ill|broad|narrow|thick|thin|re|non|pre|post|sub|super|supra|infra|hyper|hypo|peri|para|intra|inter|extra|trans|retro|hemi|haemo|hemo|semi|"
    "multi|micro|macro|mega|anti|auto|bi|tri|poly|endo|ecto|epi|iso|over|under|out|mid|ante|cardio|costo|pleuro|"
    "broncho|bronch|pneumo|hepato|spleno|gastro|entero|ileo|colo|recto|osteo|arthro|chondro|myo|neuro|vaso|angio|thrombo|"
    "lympho|leuko|erythro|dermo|vertebro|thoraco|thoracic|lumbo|sacro|cervico|atrio|ventriculo|fibro|nodulo|"
    "reticulo|cephalo|cranio|cerebro|oculo|naso|oro|tracheo|laryngo|cysto|uretero|nephro|uro|radio|echo|electro|photo|"
    "psycho|immuno|chemo|cyto|histo|patho|physio|hydro|thermo|antero|postero|infero|supero|medio|latero|dorso|ventro"
)
_BEGINS = re.compile(rf"(?:{_BEGINNINGS})-?(?=([a-z]{{{FEWEST_OF_PART},}})$)")
_ENDS = re.compile(
    r"(?:itis|osis|oses|ectomy|ectomies|otomy|ostomy|oplasty|scopy|scopic|graphy|graphic|gram|grams|pathy|pathic|emia|emic|uria|"
    r"uric|algia|plegia|plegic|paresis|trophy|trophic|genic|genesis|lysis|lytic|ectasis|ectatic|megaly|penia|phagia|phasia|"
    r"pnea|pnoea|rrhea|rrhoea|rrhage|rrhagic|stenosis|sclerosis|sclerotic|centesis|pexy|desis|olol|pril|sartan|statin|cillin|"
    r"mycin|micin|azole|floxacin|zepam|zolam|gliptin|gliflozin|glutide|parin|xaban|gatran|prazole|dipine|tidine|triptan|setron|"
    r"lukast|cycline|oxetine|azepine|profen|caine|curium|dronate|fibrate|thiazide|terol|tropium|asone|solone|mab|tinib|"
    r"ciclib|platin|taxel|rubicin|blastoma|sarcoma|carcinoma|cytoma|lithiasis|opsia|opia|cele|ology|ologist|ological|"
    r"ularity|ically|cytosis|philia|philic|phobia)$"
)
# Endings of longer words that no name has: *-ency*, *-ular*, *-ally*, *-ature*.
FEWEST_OF_FORM = 8
_FORMED = re.compile(
    r"(?:[aeiou]tion|[aeiou]tions|[aeiou]tional|ency|encies|ancy|ity|ities|ative|itive|ctive|ation|ally|orly|ively|ously|ular|ularly|"
    r"oidal|oid|ature|atures|ness|able|ible|ably|ibly|ated|ating|ised|ized|izing|ising|ization|isation|ectasia|ural|eal|inal|onal|"
    r"ymal|ernal|teral|toral|phageal|ital|ficial|[aeiou]rial|rative|motive|ptive|stive|[oaei]tic|ytic|stic|phic|opic|emic|enic|logic|logical|"
    r"iform|fold|like|wise|ward|wards|most|shaped|thoraces|thorax|mata|omas|ulate|ulated|otomy|lucency|cardial|pulmonary|hilar|carinal|"
    r"sternal|costal|phrenic|pleural|vascular|muscular|articular|cellular|tracheal|bronchial|alveolar|lobular|nodular|lobar)$"
)


@cache
def words_of(name: str) -> frozenset[str]:
    """One of the lists of the folder ``lists``: *english*, *proper*, *clinical*, *drugs*, *abbreviations*."""
    return frozenset(files(__package__).joinpath("lists", f"{name}.txt").read_text(encoding="utf-8").split())


@cache
def clinical_words() -> frozenset[str]:
    """Words of medicine, drugs with them."""
    return words_of("clinical") | words_of("drugs")


@cache
def may_be_name() -> frozenset[str]:
    """Words that name somebody or some place as well as a thing."""
    people = listed("given") | listed("family") | listed("word_names")
    return (words_of("proper") | people | listed("hardly_words")) - listed("stop")


@cache
def _harmless() -> frozenset[str]:
    ours = listed("stop") | listed("shorthand") | listed("allowed") | listed("eponyms") | listed("eponym_heads")
    return ours | words_of("english") | clinical_words() | listed("titles") | listed("particles")


@lru_cache(maxsize=65536)
def is_word(word: str) -> bool:
    """Whether a word, in lower case without accents, is one of English or of medicine."""
    return _listed(word) or all(_one(part) for part in re.split(r"[-']", word) if part)


@lru_cache(maxsize=65536)
def is_clinical(word: str) -> bool:
    """Whether a word is known as one of medicine, or as one that notes write with a capital, and names nobody."""
    if word in listed("stop") or word in listed("allowed") or word in listed("eponyms") or word in listed("titles"):
        return True
    if word in may_be_name():
        return False
    if word in clinical_words() or word in listed("shorthand") or _british(word, clinical_words()):
        return True
    if len(word) >= FEWEST_OF_ENDING and _ENDS.search(word):
        return True
    parts = re.split(r"[-']", word)
    return len(parts) > 1 and all(part == "" or is_clinical(part) or len(part) == 1 for part in parts)


def is_abbreviation(word: str) -> bool:
    """Whether letters are an abbreviation of medicine: *copd*."""
    return word in words_of("abbreviations") or word in listed("shorthand") or word in listed("stop")


def _listed(word: str) -> bool:
    return word in _harmless() or (len(word) == 1 and word.isascii())


def _one(word: str) -> bool:
    if _listed(word) or _british(word, _harmless()):
        return True
    if len(word) >= FEWEST_OF_ENDING and _ENDS.search(word):
        return True
    if len(word) >= FEWEST_OF_FORM and word not in may_be_name() and _FORMED.search(word):
        return True
    begins = _BEGINS.match(word)
    if begins and (begins[1] in _harmless() or _british(begins[1], _harmless())):
        return True
    stem = re.sub(r"(?:s|es|ed|d|ing|ly|er|al|ic|ar)$", "", word)
    return stem != word and len(stem) >= FEWEST_OF_PART and (stem in clinical_words() or stem + "e" in clinical_words())


def _british(word: str, known: frozenset[str]) -> bool:
    """Whether the American spelling of a word is known."""
    folded = {word}
    for old, new in _BRITISH:
        if old in word:
            folded |= {one.replace(old, new) for one in folded}
    return len(word) > FEWEST_OF_PART and not folded.isdisjoint(known)
