"""Reasons (why something is quarantined or refused) and remarks (what is noted and carried along).

A member's value is the code that users see in reports; its docstring-like text in ``MEANING`` is the line of
documentation that `docs/reasons.md` prints.
"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why a series, a case or an attempt is refused."""

    # series
    NOT_DICOM = "not-dicom"
    TRUNCATED = "truncated"
    NO_PIXEL_DATA = "no-pixel-data"
    NOT_AN_IMAGE = "not-an-image"
    UNSUPPORTED_TRANSFER_SYNTAX = "unsupported-transfer-syntax"
    UNSUPPORTED_OBJECT = "unsupported-object"
    DECODE_FAILED = "decode-failed"
    DECODER_DIED = "decoder-died"
    MISSING_GEOMETRY = "missing-geometry"
    IMPLAUSIBLE_GEOMETRY = "implausible-geometry"
    MISSING_SLICES = "missing-slices"
    DUPLICATE_SLICES = "duplicate-slices"
    DUPLICATE_UID = "duplicate-uid"
    IRREGULAR_SPACING = "irregular-spacing"
    MIXED_ORIENTATION = "mixed-orientation"
    MIXED_SHAPE = "mixed-shape"
    MIXED_PATIENTS = "mixed-patients"
    PLACEHOLDER_IDENTITY = "placeholder-identity"
    MIXED_STUDIES = "mixed-studies"
    MIXED_FRAMES_OF_REFERENCE = "mixed-frames-of-reference"
    MIXED_INTENSITY_SCALE = "mixed-intensity-scale"
    SEVERAL_STACKS = "several-stacks"
    LATERALITY_CONFLICT = "laterality-conflict"
    TILTED = "tilted"
    MOSAIC = "mosaic"
    DERIVED = "derived"
    TOO_FEW_SLICES = "too-few-slices"
    COLOUR = "colour"
    IMPLAUSIBLE_INTENSITY = "implausible-intensity"
    PHOTOMETRIC_CONFLICT = "photometric-conflict"
    TOO_LARGE = "too-large"
    DIGEST_CHANGED = "digest-changed"
    FILE_MISSING = "file-missing"
    # records
    NOT_A_RECORD = "not-a-record"
    MISSING_PATIENT = "missing-patient"
    UNREADABLE_ROW = "unreadable-row"
    WITHDRAWN = "withdrawn"
    AMBIGUOUS_ENCODING = "ambiguous-encoding"
    UNKNOWN_UNIT = "unknown-unit"
    MIXED_UNITS = "mixed-units"
    IMPLAUSIBLE_VALUE = "implausible-value"
    FORGOTTEN = "forgotten"
    NO_SPEECH = "no-speech"
    # linking
    NO_SCAN = "no-scan"
    NO_RECORD = "no-record"
    AMBIGUOUS_IDENTITY = "ambiguous-identity"
    IDENTITY_CONFLICT = "identity-conflict"
    AFTER_CUT_OFF = "after-cut-off"
    UNDATED = "undated"
    OWN_REPORT = "own-report"
    CONTRADICTORY_LABELS = "contradictory-labels"
    # release
    BURNED_IN_TEXT = "burned-in-text"
    IDENTIFIER_LEFT = "identifier-left"
    # attempts
    PREDICTION_FAILED = "prediction-failed"


class Remark(StrEnum):
    """What is noted on a scan, a case or a diagnosis and carried along."""

    NONSTANDARD_UID = "nonstandard-uid"
    UNDATED = "undated"
    UNDATED_TEXT = "undated-text"
    LATE_INPUT = "late-input"
    COPIES_DROPPED = "copies-dropped"
    LOCALIZER_SET_ASIDE = "localizer-set-aside"
    CAPTURE_SET_ASIDE = "capture-set-aside"
    TILT_CORRECTED = "tilt-corrected"
    RESAMPLED_IRREGULAR = "resampled-irregular"
    BURNED_IN_TEXT_SUSPECTED = "burned-in-text-suspected"
    CHANNEL_MISSING = "channel-missing"
    MONOCHROME1_INVERTED = "monochrome1-inverted"
    LOSSY = "lossy"
    SEVERAL_SCANS = "several-scans"
    ID_MAPPED = "id-mapped"
    ENCODING_CHOSEN = "encoding-chosen"
    MOJIBAKE_SUSPECTED = "mojibake-suspected"
    DELIMITER_CHOSEN = "delimiter-chosen"
    NULLS_BLANKED = "nulls-blanked"
    UNIT_ASSUMED = "unit-assumed"
    BOUND_TAKEN = "bound-taken"
    CODE_UNKNOWN = "code-unknown"
    OWN_FINDING = "own-finding"
    NO_NOTE = "no-note"
    NO_OBSERVATION = "no-observation"
    SCAN_MISSING = "scan-missing"
    NOTE_TRUNCATED = "note-truncated"
    TRANSCRIBED = "transcribed"
    UNCERTAIN_DICTATION = "uncertain-dictation"
    OUTSIDE_TRAINING_DISTRIBUTION = "outside-training-distribution"
    UNCALIBRATED = "uncalibrated"
    INCOHERENT_SCORES = "incoherent-scores"
    CONTRADICTORY_SCORES = "contradictory-scores"


MEANING: dict[Reason | Remark, str] = {
    Reason.NOT_DICOM: "The file is neither DICOM nor NIfTI, whatever its name says.",
    Reason.TRUNCATED: "A file ends before its own length fields say it does.",
    Reason.NO_PIXEL_DATA: "A DICOM image object without pixels.",
    Reason.NOT_AN_IMAGE: "A DICOM object that is no image: SR, SEG, RTSTRUCT, raw data, PDF.",
    Reason.UNSUPPORTED_TRANSFER_SYNTAX: "The pixels are stored in a transfer syntax that scanote does not read.",
    Reason.UNSUPPORTED_OBJECT: "A kind of image object that this version does not read yet.",
    Reason.DECODE_FAILED: "The decoder refused the pixels, or the sound, or pixels do not fill the stated shape.",
    Reason.DECODER_DIED: "The process that decoded pixels or sound died, or took more memory or time than it may.",
    Reason.MISSING_GEOMETRY: "Position, orientation, spacing or shape is absent from a slice.",
    Reason.IMPLAUSIBLE_GEOMETRY: "Zero, negative, non-finite or absurd spacing, or axes that are not orthonormal.",
    Reason.MISSING_SLICES: "A gap of a whole number of slices in an otherwise even series.",
    Reason.DUPLICATE_SLICES: "Two different slices claim the same position.",
    Reason.DUPLICATE_UID: "Different files claim one SOPInstanceUID.",
    Reason.IRREGULAR_SPACING: "The distances between slices are uneven.",
    Reason.MIXED_ORIENTATION: "Slices of one series lie in different planes.",
    Reason.MIXED_SHAPE: "Slices of one series differ in rows, columns, pixel spacing or bit depth.",
    Reason.MIXED_PATIENTS: "Slices of one series name different patients (id, name, birth date or sex).",
    Reason.PLACEHOLDER_IDENTITY: 'Different patients stand behind one stand-in id, such as "W/I".',
    Reason.MIXED_STUDIES: "Slices of one series belong to different studies.",
    Reason.MIXED_FRAMES_OF_REFERENCE: "Slices of one series use different coordinate systems.",
    Reason.MIXED_INTENSITY_SCALE: "Slices of one series differ in rescale slope, intercept or photometry.",
    Reason.SEVERAL_STACKS: "Several stacks of slices, and no echo, b-value, time or acquisition that tells them apart.",
    Reason.LATERALITY_CONFLICT: "What the headers say of the side of the body contradicts itself.",
    Reason.TILTED: "Slices are shifted against each other in their plane, in a way that cannot be corrected.",
    Reason.MOSAIC: "A Siemens mosaic: many slices tiled into one image.",
    Reason.DERIVED: "A projection, reformat or screen capture, not an original acquisition.",
    Reason.TOO_FEW_SLICES: "Fewer slices than a volume needs.",
    Reason.COLOUR: "The pixels are coloured.",
    Reason.IMPLAUSIBLE_INTENSITY: "A CT whose values are not Hounsfield units (no rescale, or rescaled twice).",
    Reason.PHOTOMETRIC_CONFLICT: "The photometric interpretation contradicts the modality or the pixels.",
    Reason.TOO_LARGE: "Shape times bits, or the length of a recording, is beyond the limit; nothing was used.",
    Reason.DIGEST_CHANGED: "A stored file is no longer, byte for byte, what was ingested.",
    Reason.FILE_MISSING: "A file that was ingested is no longer where it was.",
    Reason.NOT_A_RECORD: "The file is no FHIR R4 bundle, table or text that scanote reads.",
    Reason.MISSING_PATIENT: "A record without a patient it belongs to.",
    Reason.UNREADABLE_ROW: "A row of a table with a value that cannot be read (date, number, code).",
    Reason.WITHDRAWN: "The source marks the record as entered in error, cancelled or superseded.",
    Reason.AMBIGUOUS_ENCODING: "Text that is not UTF-8, and in more than one other encoding reads as words.",
    Reason.UNKNOWN_UNIT: "A value without a unit, or in one that cannot be converted to the unit of its code.",
    Reason.MIXED_UNITS: "Values of one code, which scanote does not know, come in different units.",
    Reason.IMPLAUSIBLE_VALUE: "A value that no living body has, in the unit that is stated.",
    Reason.FORGOTTEN: "Of a patient, or a study, that was forgotten: it does not come back unless that is lifted.",
    Reason.NO_SPEECH: "A recording that is silent, shorter than a word, or holds no speech that was understood.",
    Reason.NO_SCAN: "No accepted scan: a record's patient has none, or no scan of a study passes what is required.",
    Reason.NO_RECORD: "A study whose patient has no note and no observation; it is diagnosed from the scan alone.",
    Reason.AMBIGUOUS_IDENTITY: "The id map, or the records, offer several candidates for one patient.",
    Reason.IDENTITY_CONFLICT: "Sex, birth date or age of the record, or the text of a note, contradict the scan.",
    Reason.AFTER_CUT_OFF: "Dated after the cut-off of the case: never an input.",
    Reason.UNDATED: "Undated text or values; the settings do not allow them.",
    Reason.OWN_REPORT: "The report of the study itself: a label source, never an input.",
    Reason.CONTRADICTORY_LABELS: "Two labels of one finding contradict each other; the finding counts as unknown.",
    Reason.BURNED_IN_TEXT: "Not released: the header tells of text, or of a face, that is part of the picture.",
    Reason.IDENTIFIER_LEFT: "Not released: an identifying value of the source was found in what had been written.",
    Reason.PREDICTION_FAILED: "The case failed while it was predicted; a retry is worth it.",
    Remark.NONSTANDARD_UID: "A UID that is not made of digits and dots.",
    Remark.UNDATED: "The scan carries no acquisition or study time, so the case has no cut-off.",
    Remark.UNDATED_TEXT: "Undated text or values, or those of an undated scan, were used: the settings allow it.",
    Remark.LATE_INPUT: "Text or values dated after the cut-off were used: an offset in the settings allows it.",
    Remark.COPIES_DROPPED: "Byte-identical copies of slices were dropped.",
    Remark.LOCALIZER_SET_ASIDE: "A localizer among the slices was set aside.",
    Remark.CAPTURE_SET_ASIDE: "A screen capture or another derived picture among the slices was set aside.",
    Remark.TILT_CORRECTED: "The gantry was tilted; the slices were resampled onto a grid at right angles.",
    Remark.RESAMPLED_IRREGULAR: "Uneven distances between slices were resampled to even ones; the settings allow it.",
    Remark.BURNED_IN_TEXT_SUSPECTED: "The header, or the pixels, tell of text that is part of the picture.",
    Remark.CHANNEL_MISSING: "A sequence that the settings declare as a channel is absent.",
    Remark.MONOCHROME1_INVERTED: "MONOCHROME1 pixels were inverted.",
    Remark.LOSSY: "The pixels were compressed with loss before they came here.",
    Remark.SEVERAL_SCANS: "The study holds several accepted scans; the best by the rules in the settings was taken.",
    Remark.ID_MAPPED: "Scan and record were joined through the id map.",
    Remark.ENCODING_CHOSEN: "A file is not UTF-8; it was read in the encoding that is named beside it.",
    Remark.MOJIBAKE_SUSPECTED: 'Text looks like UTF-8 that was read as Latin-1 before it came here ("Ã¤").',
    Remark.DELIMITER_CHOSEN: "The cells of a CSV file are not parted by commas but by the sign named beside it.",
    Remark.NULLS_BLANKED: "Null characters within a text became blanks.",
    Remark.UNIT_ASSUMED: "Values without a unit were taken in the one that the settings name.",
    Remark.BOUND_TAKEN: 'Of values such as "<0.5" the bound was taken; the settings allow it.',
    Remark.CODE_UNKNOWN: "Observations with local codes that neither scanote nor the settings know kept them.",
    Remark.OWN_FINDING: "A labelled finding that findings.yaml does not know: it has no codes, synonyms or rules.",
    Remark.NO_NOTE: "No note before the cut-off: the model saw its learned absence token.",
    Remark.NO_OBSERVATION: "No observation before the cut-off: the model saw its learned absence token.",
    Remark.SCAN_MISSING: "No scan: the model saw its learned absence token.",
    Remark.NOTE_TRUNCATED: "The text was longer than the model reads; what was left out is counted in the history.",
    Remark.TRANSCRIBED: "A note is the transcript of a recording, made by a speech model.",
    Remark.UNCERTAIN_DICTATION: "A transcript has sentences that are marked uncertain; no input, unless kept.",
    Remark.OUTSIDE_TRAINING_DISTRIBUTION: "The scan is unlike what the model was trained on.",
    Remark.UNCALIBRATED: "The probabilities were not calibrated.",
    Remark.INCOHERENT_SCORES: "A finding stood likelier than what it entails; the scores were made coherent.",
    Remark.CONTRADICTORY_SCORES: "Two findings that exclude each other are both likely; the scores stand as they are.",
}
