"""Who is who: patient ids made comparable, and the keys that stand for patients and studies outside the catalogue."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata

from data_schemas.errors import InputError

# DICOM pads with blanks and NULs, tables with whatever a spreadsheet leaves.
PADDING = (
    "\0\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
# The last zero stays where nothing, or no letter or digit, follows it: "000" is "0", and "0-1" is not "-1".
LEADING_ZEROS = re.compile(r"^0+(?=\w)")


def normalise_id(raw: str, *, ignore_case: bool = False, ignore_leading_zeros: bool = False) -> str:
    """The comparable form of a patient id.

    Padding (blanks and NULs at either end) and the way a character was encoded (Unicode NFC) never matter. Case and
    leading zeros do, unless the issuer's rule in the settings says otherwise. Normalising twice changes nothing. An
    empty result is no identity: it must never match anything.
    """
    text = unicodedata.normalize("NFC", raw).strip(PADDING)
    if ignore_case:
        # Unicode's canonical caseless matching folds the decomposed form.
        text = unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())
    return LEADING_ZEROS.sub("", text) if ignore_leading_zeros else text


def patient_key(
    workspace_key: bytes, raw: str, *, ignore_case: bool = False, ignore_leading_zeros: bool = False
) -> str:
    """The patient's key in this workspace: HMAC-SHA256 of the normalised id, 32 hex characters.

    Raises
    ------
    InputError
        The id is empty: patients without an id must not share a key.
    """
    text = normalise_id(raw, ignore_case=ignore_case, ignore_leading_zeros=ignore_leading_zeros)
    if not text:
        raise InputError("a patient without an id has no key; give the id in the source or through the id map")
    return keyed_digest(workspace_key, "patient", text)


def study_key(workspace_key: bytes, uid: str) -> str:
    """The study's key in this workspace: HMAC-SHA256 of the study UID without its padding, 32 hex characters.

    Raises
    ------
    InputError
        The UID is empty.
    """
    text = normalise_id(uid)
    if not text:
        raise InputError("a study without a UID has no key")
    return keyed_digest(workspace_key, "study", text)


def keyed_digest(workspace_key: bytes, domain: str, *parts: str) -> str:
    """HMAC-SHA256 over parts that are kept apart by their lengths, 32 hex characters.

    ``domain`` says what is named, so that a patient and a study of the same number have different keys.
    """
    mac = hmac.new(workspace_key, digestmod=hashlib.sha256)
    for part in ("scanote", domain, *parts):
        data = part.encode("utf-8", "surrogatepass")
        mac.update(len(data).to_bytes(8, "big") + data)
    return mac.hexdigest()[:32]
