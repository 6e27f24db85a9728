"""Files of HL7 v2 as messages: framed or bare, in batches, with any line ends, each in its own character set."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from pipelines.sources.encodings import MARKS, Decoded, decode
from pipelines.sources.hl7_text import Separators, character_set

LARGEST_MESSAGE = 64 * 2**20  # bytes
MOST_FIELDS = 2_000_000  # separators of one message: each becomes an object
_LINE_ENDS = re.compile(rb"[\r\n\x0b\x1c]+")
_BATCH = (b"FHS", b"BHS", b"BTS", b"FTS")


@dataclass(frozen=True)
class Segment:
    """One segment: its name, and its fields as they stand, by their numbers (``fields[3]`` is PID-3)."""

    name: str
    fields: tuple[str, ...] = field(repr=False)

    def raw(self, number: int) -> str:
        """A field as it stands; blank where the segment ends before it, or says that it is empty (``""``)."""
        text = self.fields[number] if number < len(self.fields) else ""
        return "" if text == '""' else text


@dataclass(frozen=True)
class Message:
    """One message: its number in the file, its signs, its character set, and its segments in their order."""

    number: int
    separators: Separators
    encoding: str
    told: str
    segments: tuple[Segment, ...] = field(repr=False)


@dataclass(frozen=True)
class Unread:
    """A message that cannot be read: its number (0: the file as a whole), and why."""

    number: int
    problem: RefusedError


def messages_in(data: bytes, *, encoding: str | None = None) -> Iterator[Message | Unread]:
    """Every message of a file, and what cannot be read as one.

    Messages may stand in MLLP frames or in batches (FHS, BHS), end their segments by CR, LF or both, and hold line
    ends within a text: a line that begins with no segment name goes on with the one before. MSH-18 names the character
    set; without it, text is UTF-8, or in ``encoding``, or in what `pipelines.sources.encodings` finds beyond doubt.
    """
    is_unicode = False
    for mark, name in MARKS:
        if data.startswith(mark):
            try:
                data, is_unicode = data[len(mark) :].decode(name).encode(), True
            except UnicodeDecodeError:
                problem = RefusedError(Reason.AMBIGUOUS_ENCODING, f"marked as {name}, which it is not")
                yield Unread(0, problem)
                return
            break
    number, stated = 0, 0
    stray = False
    for lines in _split(data):
        if lines[0].startswith(_BATCH):
            stated += _count(lines[0])
        elif lines[0].startswith(b"MSH"):
            number += 1
            try:
                yield _message(number, lines, "utf-8" if is_unicode else encoding, is_unicode)
            except RefusedError as error:
                yield Unread(number, error)
        else:
            stray = True
    if not number:
        yield Unread(0, RefusedError(Reason.NOT_A_RECORD, "no HL7 v2 message: none begins with MSH"))
    elif stray:
        yield Unread(0, RefusedError(Reason.NOT_A_RECORD, "segments before the first MSH; is the file cut?"))
    if number and stated > number:
        detail = f"the batch says that it holds {stated} messages, {number} are here; export it again"
        yield Unread(0, RefusedError(Reason.TRUNCATED, detail))


def _split(data: bytes) -> Iterator[list[bytes]]:
    """Lines by message: each begins with MSH; headers and trailers of batches stand alone."""
    held: list[bytes] = []
    for line in _LINE_ENDS.split(data):
        start = line.lstrip(b" \t")
        if (start.startswith(b"MSH") and len(start) > 8) or start.startswith(_BATCH):
            if held:
                yield held
            held = [start]
        elif line.strip():
            held.append(line)
    if held:
        yield held


def _count(line: bytes) -> int:
    """How many messages a batch trailer states."""
    parts = line.split(line[3:4]) if line.startswith(b"BTS") and len(line) > 4 else []
    text = parts[1].strip() if len(parts) > 1 else b""
    return int(text) if text.isdigit() and len(text) < 10 else 0


def _message(number: int, lines: list[bytes], encoding: str | None, is_unicode: bool) -> Message:
    if sum(map(len, lines)) > LARGEST_MESSAGE:
        raise RefusedError(Reason.TOO_LARGE, f"a message of more than {LARGEST_MESSAGE // 2**20} MiB")
    sign = lines[0][3:4]
    signs = lines[0][4:9].split(sign)[0].decode("latin-1") if sign else ""
    if sign.isalnum() or sign.isspace() or not 1 <= len(signs) <= 5:
        raise RefusedError(Reason.NOT_A_RECORD, "MSH-1 and MSH-2 do not name the separators")
    separators = Separators(sign.decode("latin-1"), *(signs + "^~\\&"[len(signs) :])[:4])
    starts = re.compile(rb"[A-Z][A-Z0-9]{2}(?:" + re.escape(sign) + rb"|$)")
    joined: list[bytes] = []
    for line in lines:
        if starts.match(line) or not joined:
            joined.append(line)
        else:
            joined[-1] += b"\n" + line
    if sum(segment.count(sign) + segment.count(b"^") for segment in joined) > MOST_FIELDS:
        raise RefusedError(Reason.TOO_LARGE, f"a message of more than {MOST_FIELDS} fields")
    told = _decode(b"\r".join(joined), lines[0].split(sign), separators, encoding, is_unicode)
    return Message(number, separators, told.encoding, told.told, _segments(told.text, separators))


def _decode(
    data: bytes, header: list[bytes], separators: Separators, encoding: str | None, is_unicode: bool
) -> Decoded:
    if is_unicode:
        return Decoded(data.decode("utf-8"), "utf-8", "marked")
    stated = header[17].decode("latin-1").split(separators.repetition)[0] if len(header) > 17 else ""
    stated = stated.split(separators.component)[0].strip()
    name = character_set(stated)
    if stated and not name:
        raise RefusedError(Reason.AMBIGUOUS_ENCODING, "MSH-18 names a character set that scanote does not know")
    if not name or (name == "ascii" and not data.isascii()):
        return decode(data, encoding=encoding)
    try:
        return Decoded(data.decode(name), name, "marked")
    except UnicodeDecodeError:
        if name == "cp1252":
            return Decoded(data.decode("latin-1"), "latin-1", "marked")
        raise RefusedError(Reason.AMBIGUOUS_ENCODING, f"MSH-18 says {name}, which the message is not") from None


def _segments(text: str, separators: Separators) -> tuple[Segment, ...]:
    """The segments and their fields as they stand; what is within a field is taken apart where it is needed.

    Text may hold separators that its sender forgot to escape: taken apart here, it would lose what follows them.
    """
    found = []
    for line in text.split("\r"):
        name, *fields = line.split(separators.field)
        # MSH-1 is the separator itself.
        first = [name, separators.field] if name == "MSH" else [name]
        found.append(Segment(name, (*first, *fields)))
    return tuple(found)
