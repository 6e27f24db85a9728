"""A DICOMweb server at the other end: how it is asked, asked again, and how its answers reach the disk."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlsplit

from data_schemas.errors import InputError, ServerError, WorkspaceError
from pipelines.sources.multipart import MultipartError, boundary_of, multipart_pieces
from pipelines.workspace.files import sync_path

if TYPE_CHECKING:
    import requests
    from dicomweb_client.api import DICOMwebClient

T = TypeVar("T")
TIMEOUT_S = (10.0, 60.0)
MAX_ANSWER_BYTES = 64 * 2**20
MAX_INSTANCE_BYTES = 4 * 2**30
CHUNK = 2**18
_RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
_LONGEST_WAIT_S = 60.0
_ACCEPT = 'multipart/related; type="application/dicom"; transfer-syntax=*'
_PART = "arriving.part"


class StatusError(ServerError):
    """A server answers, and not with what it was asked for: this one thing is missing, others may be had."""


@dataclass(slots=True)
class Answer:
    """A folder that instances are written into, each under the name that ``named`` gives its SOPInstanceUID."""

    folder: Path
    named: Callable[[str], str]

    def names(self) -> set[str]:
        """The instances that are there, complete."""
        return {path.name for path in self.folder.iterdir() if path.name != _PART}

    def drop(self, names: set[str]) -> None:
        """Remove instances that are not needed."""
        for name in names:
            (self.folder / name).unlink(missing_ok=True)
        (self.folder / _PART).unlink(missing_ok=True)

    def take(self, pieces: Iterator[tuple[int, bytes]]) -> None:
        """Write the parts of an answer to the disk, one file at a time.

        Raises
        ------
        MultipartError
            A part is no DICOM file, or larger than any may be.
        """
        part = self.folder / _PART
        number, size = -1, 0
        out = None
        try:
            for index, piece in pieces:
                if index != number:
                    if out:
                        out.close()
                        self._settle(part)
                    number, size = index, 0
                    out = part.open("wb")
                assert out is not None  # noqa: S101
                size += len(piece)
                if size > MAX_INSTANCE_BYTES:
                    raise MultipartError(f"an instance of more than {MAX_INSTANCE_BYTES} bytes")
                out.write(piece)
            if out:
                out.close()
                self._settle(part)
        except OSError as error:
            if error.errno is None:  # a lost connection is an OSError too
                raise
            raise WorkspaceError(f"{self.folder}: cannot be written ({error.strerror}); mend that and retry") from None
        finally:
            if out:
                out.close()

    def _settle(self, part: Path) -> None:
        uid = _instance_uid(part)
        if not uid:
            raise MultipartError("an instance that is no DICOM file")
        part.chmod(0o600)
        sync_path(part)
        part.replace(self.folder / self.named(uid))


@dataclass(slots=True)
class Connection:
    """A DICOMweb service and how patiently it is asked; a context manager that closes its session.

    ``attempts`` and ``wait_s`` tell how often a request is made and how long the first pause is; each further one is
    twice as long. ``url`` holds no credentials, so it may be shown.
    """

    url: str
    session: requests.Session = field(repr=False)
    attempts: int = 5
    wait_s: float = 1.0

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    @property
    def client(self) -> DICOMwebClient:
        """The client for queries; it retries nothing by itself."""
        from dicomweb_client.api import DICOMwebClient

        client = DICOMwebClient(self.url, session=self.session, permissive_uid=True, timeout=TIMEOUT_S)
        client.set_http_retry_params(retry=False)
        return client

    def ask(self, work: Callable[[], T]) -> T:
        """The result of a request that is made again where that may help.

        Raises
        ------
        StatusError
            The server answers with an error, or with something that cannot be read.
        ServerError
            It does not answer, redirects, or asks for other credentials.
        """
        import requests

        problem: ServerError = ServerError(f"{self.url}: was not asked")
        for attempt in range(self.attempts):
            wait = self.wait_s * 2 ** (attempt - 1) if attempt else 0.0
            time.sleep(min(wait, _LONGEST_WAIT_S))
            try:
                return work()
            except requests.HTTPError as error:
                status = error.response.status_code if error.response is not None else 0
                if status in {401, 403}:
                    raise ServerError(
                        f"{self.url}: refuses access (status {status}); set SCANOTE_DICOMWEB_TOKEN, or "
                        "SCANOTE_DICOMWEB_USER and SCANOTE_DICOMWEB_PASSWORD"
                    ) from None
                problem = StatusError(f"{self.url}: answers with status {status}; look into the server's log")
                if status not in _RETRIED:
                    break
            except requests.TooManyRedirects:
                raise ServerError(f"{self.url}: redirects to another address; name that one") from None
            except (
                requests.JSONDecodeError,
                requests.exceptions.ContentDecodingError,
                MultipartError,
                RecursionError,
            ) as error:
                told = str(error) if isinstance(error, MultipartError) else "with something else than DICOM JSON"
                problem = StatusError(f"{self.url}: answers {told}; check the URL of the DICOMweb service")
            except (requests.RequestException, OSError) as error:
                if isinstance(error, ServerError):  # it is a ConnectionError, and so an OSError
                    raise
                problem = ServerError(
                    f"{self.url}: does not answer ({type(error).__name__}, {attempt + 1} attempts); is it running?"
                )
        raise problem

    def retrieve(self, answer: Answer, study: str, series: str, instance: str = "") -> None:
        """Fetch a series, or one instance of it, into an `Answer`; raises as `ask` does."""
        path = f"/studies/{quote(study, safe='')}/series/{quote(series, safe='')}"
        path += f"/instances/{quote(instance, safe='')}" if instance else ""
        address = self.url + path

        def work() -> None:
            with self.session.get(address, headers={"Accept": _ACCEPT}, stream=True, timeout=TIMEOUT_S) as response:
                response.raise_for_status()
                kind = response.headers.get("Content-Type", "")
                boundary = boundary_of(kind)
                chunks = response.iter_content(CHUNK)
                if boundary:
                    answer.take(multipart_pieces(chunks, boundary))
                elif kind.partition(";")[0].strip().lower() == "application/dicom":
                    answer.take((0, chunk) for chunk in chunks)
                else:
                    raise MultipartError("with something else than DICOM files")

        self.ask(work)


def connect(
    url: str, *, environment: Mapping[str, str] | None = None, attempts: int = 5, wait_s: float = 1.0
) -> Connection:
    """Make ready to ask a DICOMweb service; nothing is sent yet.

    Credentials come from the environment only: SCANOTE_DICOMWEB_TOKEN (a bearer token), or SCANOTE_DICOMWEB_USER and
    SCANOTE_DICOMWEB_PASSWORD. Redirects are not followed, so that they reach no other host.

    Raises
    ------
    InputError
        The URL is none, or holds credentials.
    """
    import requests

    found = os.environ if environment is None else environment
    session = requests.Session()
    session.max_redirects = 0
    session.hooks["response"].append(_bounded)
    if token := found.get("SCANOTE_DICOMWEB_TOKEN"):
        session.auth = _bearer(token)
    elif user := found.get("SCANOTE_DICOMWEB_USER"):
        pair = (user, found.get("SCANOTE_DICOMWEB_PASSWORD", ""))
        # requests encodes as Latin-1; RFC 7617 and every server's users mean UTF-8.
        user, password = (text.encode().decode("latin-1") for text in pair)
        session.auth = (user, password)
    return Connection(check_url(url), session, attempts, wait_s)


def check_url(url: str) -> str:
    """The URL of a DICOMweb service without a slash at its end.

    Raises
    ------
    InputError
        It is no http or https URL, or holds credentials, a query or a fragment.
    """
    with suppress(ValueError):
        parts = urlsplit(url)
        plain = not (parts.query or parts.fragment or parts.username or parts.password or "@" in parts.netloc)
        if parts.scheme in {"http", "https"} and parts.hostname and plain and parts.port != 0:
            return url.rstrip("/")
    raise InputError(
        "the DICOMweb URL must be like https://pacs.example/dicom-web, without user, password and query; credentials "
        "belong into SCANOTE_DICOMWEB_TOKEN, or SCANOTE_DICOMWEB_USER and SCANOTE_DICOMWEB_PASSWORD"
    )


def _bearer(token: str) -> Callable[[Any], Any]:
    def sign(request: Any) -> Any:
        request.headers["Authorization"] = f"Bearer {token}"
        return request

    return sign


def _bounded(response: Any, **options: Any) -> None:
    """Read an answer that is not streamed within a bound; requests would read any length."""
    if options.get("stream"):
        return
    content = bytearray()
    for piece in response.iter_content(CHUNK):
        content += piece
        if len(content) > MAX_ANSWER_BYTES:
            response.close()
            raise ServerError(
                f"an answer of the DICOMweb server is beyond {MAX_ANSWER_BYTES} bytes; ask for fewer days"
            )
    response._content = bytes(content)


def _instance_uid(path: Path) -> str:
    """The SOPInstanceUID of a file's own header (group 2), or "" where it is no DICOM file."""
    import warnings

    from pydicom.filereader import read_file_meta_info

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return str(read_file_meta_info(path).get("MediaStorageSOPInstanceUID", "") or "")
    except Exception:  # whatever pydicom raises over a stranger's bytes
        return ""
