"""A FHIR server at the other end: how it is asked, asked again, and that nothing of ours goes anywhere else."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from data_schemas.errors import InputError, ServerError, WorkspaceError
from pipelines.sources.fhir_json import parse_fhir

if TYPE_CHECKING:
    import httpx

JSON_TYPES = ("application/fhir+json", "application/json", "application/json+fhir")
ACCEPT = "application/fhir+json, application/json;q=0.9"
MAX_ANSWER_BYTES = 64 * 2**20
TIMEOUT_S = (10.0, 60.0)
CREDENTIALS = "SCANOTE_FHIR_TOKEN, or SCANOTE_FHIR_USER and SCANOTE_FHIR_PASSWORD"
_RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
_LONGEST_WAIT_S = 60.0
# A server that asks for more patience than this is left alone until the next run.
_LONGEST_PAUSE_S = 300.0


class StatusError(ServerError):
    """A server answers, and not with what it was asked for: this one thing is missing, others may be had."""

    def __init__(self, message: str, status: int = 0) -> None:
        self.status = status
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server sent: its media type, and the bytes; of work that it does meanwhile, where to ask, and when."""

    media: str
    content: bytes = field(repr=False)
    version: str = ""
    status: int = 200
    location: str = ""
    pause: float | None = None


@dataclass(slots=True)
class FhirConnection:
    """A FHIR server and how patiently it is asked; a context manager that closes its client.

    ``attempts`` and ``wait_s`` tell how often a request is made and how long the first pause is; each further one is
    twice as long, unless the server says how long (Retry-After). ``url`` holds no credentials, so it may be shown.
    """

    url: str
    client: httpx.Client = field(repr=False)
    attempts: int = 5
    wait_s: float = 1.0
    sleep: Callable[[float], None] | None = field(default=None, repr=False)

    def __enter__(self) -> FhirConnection:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def address(self, link: str, *, of: str = "") -> str:
        """A link of this server's answers as an absolute address.

        Raises
        ------
        ServerError
            It leads to another scheme, host or port: nothing of ours is sent there.
        """
        found = urljoin(of or f"{self.url}/", link)
        if _origin(found) != _origin(self.url):
            raise ServerError(
                f"{self.url}: links to a page on another server; name the base address that it uses itself in its links"
            )
        return found

    def json(self, address: str) -> dict[str, Any]:
        """The resource at an address.

        Raises
        ------
        StatusError
            The server answers with an error, or with something that is no FHIR JSON.
        ServerError
            It does not answer, redirects, speaks another version, or asks for other credentials.
        """
        found: dict[str, Any] = self._ask(address, _resource)
        return found

    def raw(self, address: str, *, headers: Mapping[str, str] | None = None) -> Answer:
        """Whatever stands at an address; raises as `json` does."""
        answer: Answer = self._ask(address, lambda answer: answer, headers=headers)
        return answer

    def download(self, address: str, into: IO[bytes], *, media: str, at_most: int) -> None:
        """Write a file of any size into a stream, from its beginning at each attempt; raises as `json` does.

        Raises
        ------
        WorkspaceError
            The stream cannot be written.
        """

        def keep(pieces: Iterator[bytes]) -> bytes:
            with _writing():
                into.seek(0)
                into.truncate()
            for piece in pieces:
                with _writing():
                    into.write(piece)
                if into.tell() > at_most:
                    raise ServerError(f"{self.url}: a file of more than {at_most} bytes; ask for fewer kinds at once")
            with _writing():
                into.flush()
            return b""

        self._ask(address, lambda answer: answer, headers={"Accept": media}, keep=keep)

    def forget(self, address: str) -> None:
        """Tell the server that what it made for us is not needed any more (DELETE); what it answers does not matter.

        Raises
        ------
        ServerError
            The address is another server's, or nobody answers.
        """
        import httpx

        try:
            self.client.delete(self.address(address))
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise ServerError(f"{self.url}: does not answer ({type(error).__name__})") from None

    def wait(self, seconds: float) -> None:
        """Leave the server alone for a while."""
        (self.sleep or time.sleep)(seconds)

    def _ask(
        self,
        address: str,
        read: Callable[[Answer], Any],
        *,
        headers: Mapping[str, str] | None = None,
        keep: Callable[[Iterator[bytes]], bytes] | None = None,
    ) -> Any:
        import httpx

        problem: ServerError = ServerError(f"{self.url}: was not asked")
        pause: float | None = None
        for attempt in range(self.attempts):
            if attempt:
                wait = min(self.wait_s * 2 ** (attempt - 1), _LONGEST_WAIT_S)
                (self.sleep or time.sleep)(max(wait, pause or 0.0))
            pause = None
            try:
                return read(self._get(address, headers or {}, keep or self._whole))
            except _BusyError as busy:
                problem, pause = StatusError(f"{self.url}: {busy}", busy.status), busy.pause
                if pause is not None and pause > _LONGEST_PAUSE_S:
                    raise ServerError(f"{self.url}: asks to be left alone for {pause:.0f} s; retry then") from None
            except _UnreadableError as wrong:
                problem = StatusError(f"{self.url}: answers {wrong}")
                if not wrong.may_be_cut:
                    break
            except ServerError:
                raise
            except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
                tries = f"{type(error).__name__}, {attempt + 1} attempts"
                problem = ServerError(f"{self.url}: does not answer ({tries}); is it running?")
        raise problem

    def _get(self, address: str, headers: Mapping[str, str], keep: Callable[[Iterator[bytes]], bytes]) -> Answer:
        if _origin(address) != _origin(self.url):  # the last gate: credentials are part of every request
            raise ServerError(f"{self.url}: another server is never asked in its place")
        with self.client.stream("GET", address, headers={"Accept": ACCEPT, **headers}) as response:
            status = response.status_code
            if status in (401, 403):
                raise ServerError(f"{self.url}: refuses access (status {status}); set {CREDENTIALS}")
            if 300 <= status < 400:
                raise ServerError(f"{self.url}: redirects to another address; name that one")
            if status in _RETRIED:
                raise _BusyError(status, _retry_after(response.headers.get("Retry-After", "")))
            if status >= 400:
                raise StatusError(f"{self.url}: answers with status {status}; look into the server's log", status)
            content = keep(response.iter_bytes())
            media, _, rest = response.headers.get("Content-Type", "").partition(";")
            version = rest.lower().partition("fhirversion=")[2].partition(";")[0].strip(" \"'")
            return Answer(
                media.strip().lower(),
                content,
                version,
                status,
                response.headers.get("Content-Location", ""),
                _retry_after(response.headers.get("Retry-After", "")),
            )

    def _whole(self, pieces: Iterator[bytes]) -> bytes:
        content = bytearray()
        for piece in pieces:
            content += piece
            if len(content) > MAX_ANSWER_BYTES:
                raise ServerError(
                    f"{self.url}: an answer of more than {MAX_ANSWER_BYTES} bytes; ask for less at once "
                    "(sources.fhir.page)"
                )
        return bytes(content)


@contextmanager
def _writing() -> Iterator[None]:
    """A full disk is not a server that does not answer."""
    try:
        yield
    except OSError as error:
        raise WorkspaceError(
            f"what the server sends cannot be kept for a while ({error.strerror}): make room, or set TMPDIR"
        ) from None


def connect_fhir(
    url: str,
    *,
    environment: Mapping[str, str] | None = None,
    attempts: int = 5,
    wait_s: float = 1.0,
    sleep: Callable[[float], None] | None = None,
) -> FhirConnection:
    """Make ready to ask a FHIR server by its base URL; nothing is sent yet.

    Credentials come from the environment only: SCANOTE_FHIR_TOKEN (a bearer token), or SCANOTE_FHIR_USER and
    SCANOTE_FHIR_PASSWORD. Redirects are not followed, and links to other servers are refused, so that the credentials
    reach no one else. SSL_CERT_FILE names the certificates of a private authority.

    Raises
    ------
    InputError
        The URL is none, or holds credentials; or the credentials hold characters that no header can.
    """
    import httpx

    found = os.environ if environment is None else environment
    headers, auth = {}, None
    token = found.get("SCANOTE_FHIR_TOKEN", "").strip()
    if token:
        if not token.isascii() or not token.isprintable():
            raise InputError("SCANOTE_FHIR_TOKEN holds characters that no token has; set it again")
        headers["Authorization"] = f"Bearer {token}"
    elif user := found.get("SCANOTE_FHIR_USER"):
        auth = httpx.BasicAuth(user, found.get("SCANOTE_FHIR_PASSWORD", ""))
    timeout = httpx.Timeout(TIMEOUT_S[1], connect=TIMEOUT_S[0])
    client = httpx.Client(auth=auth, headers=headers, timeout=timeout, follow_redirects=False)
    return FhirConnection(check_fhir_url(url), client, attempts, wait_s, sleep)


def check_fhir_url(url: str) -> str:
    """The base URL of a FHIR server without a slash at its end.

    Raises
    ------
    InputError
        It is no http or https URL, or holds credentials, a query or a fragment.
    """
    try:
        parts = urlsplit(url)
        plain = not (parts.query or parts.fragment or parts.username or parts.password or "@" in parts.netloc)
        if parts.scheme in {"http", "https"} and parts.hostname and plain and parts.port != 0 and url.isprintable():
            return url.rstrip("/")
    except ValueError:
        pass
    raise InputError(
        "the FHIR URL must be like https://ehr.example/fhir, without user, password and query; credentials belong into "
        + CREDENTIALS
    )


class _BusyError(Exception):
    def __init__(self, status: int, pause: float | None) -> None:
        self.status, self.pause = status, pause
        super().__init__(f"answers with status {status}; look into the server's log")


class _UnreadableError(Exception):
    def __init__(self, what: str, *, may_be_cut: bool = False) -> None:
        self.may_be_cut = may_be_cut
        super().__init__(what)


def _resource(answer: Answer) -> dict[str, Any]:
    if answer.version and not answer.version.startswith("4."):
        raise ServerError(f"the FHIR server speaks version {answer.version[:8]}; scanote reads R4 (4.0)")
    if answer.media not in JSON_TYPES:
        raise _UnreadableError("with something else than FHIR JSON; check the base URL of the FHIR server")
    try:
        content = parse_fhir(answer.content)
    except ValueError as error:
        raise _UnreadableError(f"with {error}; check the base URL of the FHIR server", may_be_cut=True) from None
    if not isinstance(content, dict) or not isinstance(content.get("resourceType"), str):
        raise _UnreadableError("with JSON that is no FHIR resource; check the base URL of the FHIR server")
    return content


def _retry_after(text: str) -> float | None:
    """Seconds to wait by a Retry-After header (RFC 9110: a number of seconds, or a date), or None."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _origin(url: str) -> tuple[str, str, int]:
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
        return parts.scheme, (parts.hostname or "").lower(), port
    except ValueError:
        return "", "", 0
