"""Print docs/conformance.md from the code itself: python docs/make_conformance.py > docs/conformance.md."""

from pydicom.uid import UID

from pipelines.scans import decode, elements, enhanced, inflate, look, objects, pool, stack
from pipelines.scans.check import MAX_VOXELS
from pipelines.scans.picture_pages import MAX_PAGES
from pipelines.scans.pool_child import SPACE_BYTES, SPACE_BYTES_PER_PIXEL
from pipelines.sources import dicomdir
from pipelines.sources.archive import ARCHIVE_NAMES, LIMITS
from pipelines.sources.cstore import MAX_INSTANCE_BYTES
from pipelines.synthetic.faults.unnoticed import UNNOTICED

MIB = 2**20
LIMIT_ROWS = [
    ("pixels of a frame", f"{decode.MAX_PIXELS:,}"),
    ("voxels of a volume", f"{MAX_VOXELS:,}"),
    ("frames of a file", f"{enhanced.MAX_FRAMES:,}"),
    ("bytes of a file", f"{look.MAX_FILE_BYTES // MIB:,} MiB"),
    ("elements of a header", f"{elements.MAX_ELEMENTS:,}"),
    ("depth of sequences", f"{elements.MAX_DEPTH}"),
    ("fragments of the pixels", f"{elements.MAX_FRAGMENTS:,}"),
    ("deflated file", f"{inflate.MAX_DEFLATED_BYTES // MIB:,} MiB"),
    ("what it inflates to", f"its own shape and {inflate.SLACK_BYTES:,} bytes, {inflate.MAX_RATIO} times its size"),
    ("processor time of a compressed frame", f"{pool.SECONDS:g} s"),
    (
        "memory of a decoder",
        f"{SPACE_BYTES // MIB} MiB and {SPACE_BYTES_PER_PIXEL} bytes a pixel",
    ),
    ("slices of a volume, at least", f"{stack.MIN_SLICES}"),
    ("pixel spacing", f"{stack.PIXEL_RANGE_MM[0]:g} to {stack.PIXEL_RANGE_MM[1]:g} mm"),
    ("slice spacing", f"{stack.SLICE_RANGE_MM[0]:g} to {stack.SLICE_RANGE_MM[1]:g} mm"),
    ("positions from the origin", f"{stack.MAX_POSITION_MM:,.0f} mm"),
    ("gantry tilt that is corrected", f"{stack.TILT_DEGREES:g}° to {stack.MAX_TILT_DEGREES:g}°"),
    ("pages of a TIFF", f"{MAX_PAGES:,}"),
    ("members of an archive", f"{LIMITS.members:,}"),
    ("what an archive unpacks to", f"{LIMITS.total_bytes // MIB:,} MiB, {LIMITS.ratio} times its size"),
    ("DICOMDIR", f"{dicomdir.MAX_BYTES // MIB} MiB"),
    ("instance received by C-STORE", f"{MAX_INSTANCE_BYTES // MIB:,} MiB"),
]
SPECIAL = {"1.2.840.10008.1.2.4.50": "8 bits, remark `lossy`", "1.2.840.10008.1.2.4.51": "8 or 12 bits, remark `lossy`"}

print("""# Conformance

What is read, what is refused and why, and what no reader can notice. Made by `docs/make_conformance.py` from the
code; the codes of the reasons and remarks are explained in [reasons](reasons.md), and [faults](faults.md) shows each
planted and read, beside other readers.

## Objects

| SOP class | UID | modality |
| --- | --- | --- |""")
for uid, modality in objects.SLICE_OBJECTS.items():
    print(f"| {UID(uid).name} | {uid} | {modality} |")
print("""
One grey sample a pixel, of 8 or 16 bits allocated; MONOCHROME2, or MONOCHROME1 where the modality's numbers are no
quantities (then inverted, with a remark). Everything else is refused: reports, segmentations, structure sets, raw data,
documents (`not-an-image`), secondary captures and projections (`derived`, or set aside where enough slices remain),
colour (`colour`), mosaics (`mosaic`), other image objects (`unsupported-object`).

Of an enhanced multi-frame file each frame is a slice. What the functional groups say of a frame stands above what they
say of all; windows and real-world value maps are not applied.

## Transfer syntaxes

| transfer syntax | UID | |
| --- | --- | --- |""")
for uid in sorted(decode.SUPPORTED, key=lambda uid: [int(part) for part in uid.split(".")]):
    print(f"| {UID(uid).name} | {uid} | {SPECIAL.get(uid, '')} |")
print(f"""
All others are refused (`unsupported-transfer-syntax`); so are 8-bit pixels in big-endian files, whose order no header
tells. Compressed pixels are decoded in a child process; what it may take stands below, and its death is a reason
(`decoder-died`).

## Files

* DICOM with or without preamble, extension and file meta information. The preamble is never interpreted.
* NIfTI (`.nii`, `.nii.gz`): one 3D volume with an affine into the scanner's space. It names no patient, so no
  record is joined with it unless a table of scans (`scanote-scans.csv`, [small cohorts](small-cohorts.md)) says whose
  it is.
* PNG and TIFF, grey, 8 or 16 bits, with a `scanote-stack.yaml` beside them, or a row of the table of scans, that states
  spacing, place and patient.
* Archives ({", ".join(f"`{name}`" for name in ARCHIVE_NAMES)}):
  used whole or not at all. Links in them are passed over, and no name in them decides where anything is written. A
  DICOMDIR is compared with the files that are there; none of its paths is ever opened.
* Symbolic links are followed only to files of the tree that was named.

## Limits

| what | bound |
| --- | --- |""")
for of, most in LIMIT_ROWS:
    print(f"| {of} | {most} |")
print("""
Beyond them: `too-large`, `too-few-slices` or `implausible-geometry`. They are looked at before anything is decoded.

## A volume is right

* Slices are ordered by their positions along the normal; never by file name, InstanceNumber or SliceLocation. Gaps may
  differ by 1 % of the median, or by the rounding of their decimals.
* The affine maps voxel (column, row, slice) to RAS+ millimetres.
* Slope and intercept are applied once. A CT must be in Hounsfield units.
* One patient (id, issuer, name, birth date and sex; a blank against a value is a difference), one study, one frame of
  reference, one orientation, one shape, one intensity scale. Padding, the character set, the case of a name and empty
  components at its end are no difference; case and leading zeros of an id are.
* A series of several complete stacks is split by stack id, echo, b-value, kind of image, time position, acquisition,
  kernel or trigger time. Each part must be a right volume, or the series is refused.
* A tilted gantry is corrected by shear resampling (`tilt-corrected`). Uneven gaps are resampled only where the settings
  allow it (`resampled-irregular`). Everything else is copied, never interpolated.
* Each file's SHA-256 is taken at ingest, and proven before every use.

## What no reader can notice

The files are whole and agree with each other; only somebody who knows better could tell. Each of these is planted in
the tests, which expect a volume without a word:
""")
for fault in UNNOTICED.values():
    print(f"* {fault.what}")
print("""
The same holds for compressed pixels that were changed before ingest and still decode, for anything changed in the
header of a single-file object (enhanced multi-frame, NIfTI) that leaves it in agreement with itself, and for another
slope of one slice of a PET, which has its own by the standard. After ingest a single changed bit is found.""")
