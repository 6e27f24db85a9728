"""The confidentiality profile of a release: what may be chosen, and how it is recorded in every object."""

from __future__ import annotations

from dataclasses import dataclass

EDITION = "DICOM PS3.15 2026c Annex E"
SCHEME = "DCM"
BASIC = ("113100", "Basic Application Confidentiality Profile")
MODIFIED_DATES = ("113107", "Retain Longitudinal Temporal Information Modified Dates Option")
CHARACTERISTICS = ("113108", "Retain Patient Characteristics Option")
SAFE_PRIVATE = ("113111", "Retain Safe Private Option")


@dataclass(frozen=True, slots=True)
class Profile:
    """The basic profile with its options.

    Parameters
    ----------
    modified_dates
        Dates are moved by a number of days of the patient's own, so that intervals stay; otherwise they are removed.
    patient_characteristics
        Sex, age (at most 90 years), size, weight, pregnancy and smoking status stay.
    safe_private
        The numeric private attributes that the standard lists as safe stay (b-values, gradients, scale factors).
    allow_burned_in
        SeriesInstanceUIDs whose pixels somebody has looked at: text, or a face, told of by the header is no reason
        to refuse them.
    """

    modified_dates: bool = True
    patient_characteristics: bool = True
    safe_private: bool = False
    allow_burned_in: frozenset[str] = frozenset()

    @property
    def codes(self) -> tuple[tuple[str, str], ...]:
        """Code value and meaning of the profile and each option taken (CID 7050)."""
        chosen = (
            (BASIC, True),
            (MODIFIED_DATES, self.modified_dates),
            (CHARACTERISTICS, self.patient_characteristics),
            (SAFE_PRIVATE, self.safe_private),
        )
        return tuple(code for code, taken in chosen if taken)

    @property
    def methods(self) -> tuple[str, ...]:
        """The values of De-identification Method (0012,0063)."""
        return (EDITION, *(meaning for _, meaning in self.codes))

    @property
    def temporal_information(self) -> str:
        """The value of Longitudinal Temporal Information Modified (0028,0303)."""
        return "MODIFIED" if self.modified_dates else "REMOVED"
