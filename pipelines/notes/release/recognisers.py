"""Presidio's recognisers for what has a form or a check sum; no language model, no network.

Its recogniser of names needs a spaCy model that this package does not carry: names are found by `people` and
`identifiers`. Its check of top-level domains would fetch a list from the network, so mail addresses are taken by form.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import cache
from typing import Any

from pipelines.notes.release.spans import Found, Kind

LONGEST_PIECE = 20_000
SURE = 0.3
_KINDS: dict[str, Kind] = {
    "EMAIL_ADDRESS": "EMAIL", "IP_ADDRESS": "IP", "MAC_ADDRESS": "IP", "PHONE_NUMBER": "PHONE", "US_SSN": "ID",
    "CREDIT_CARD": "ID", "IBAN_CODE": "ID", "MEDICAL_LICENSE": "ID", "UK_NHS": "ID", "CRYPTO": "ID",
}  # fmt: skip


def find_with_presidio(text: str) -> Iterator[Found]:
    """Mail, IP and MAC addresses, phone numbers, credit cards, bank accounts, SSN, NHS and DEA numbers."""
    for start, piece in _pieces(text):
        if not any(character.isdigit() or character in "@:" for character in piece):
            continue
        for recogniser in _recognisers():
            for result in recogniser.analyze(piece, recogniser.supported_entities, None):
                if result.score >= SURE and _plausible(result.entity_type, piece[result.start : result.end]):
                    yield Found(start + result.start, start + result.end, _KINDS[result.entity_type])


@cache
def _recognisers() -> tuple[Any, ...]:
    logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)  # its warnings would name what it reads
    from presidio_analyzer import PatternRecognizer
    from presidio_analyzer import predefined_recognizers as of

    return (
        PatternRecognizer("EMAIL_ADDRESS", patterns=of.EmailRecognizer.PATTERNS),
        of.IpRecognizer(),
        of.MacAddressRecognizer(),
        of.PhoneRecognizer(),
        of.UsSsnRecognizer(),
        of.CreditCardRecognizer(),
        of.IbanRecognizer(),
        of.MedicalLicenseRecognizer(),
        of.NhsRecognizer(),
        of.CryptoRecognizer(),
    )


def _plausible(kind: str, found: str) -> bool:
    """A phone number has seven digits or more; an IP address more than five signs."""
    if kind == "PHONE_NUMBER":
        return sum(map(str.isdigit, found)) >= 7
    return kind != "IP_ADDRESS" or len(found) > 5


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """The text in pieces of bounded length, cut at line ends or blanks."""
    at = 0
    while at < len(text):
        end = min(at + LONGEST_PIECE, len(text))
        if end < len(text):
            cut = max(text.rfind("\n", at, end), text.rfind(" ", at, end))
            end = cut + 1 if cut > at else end
        yield at, text[at:end]
        at = end
