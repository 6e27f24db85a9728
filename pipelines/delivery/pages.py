"""The folder of pages: which file belongs to which study, and which files have had their time."""

from __future__ import annotations

import re
from collections.abc import Set
from pathlib import Path

from data_schemas.errors import WorkspaceError

WORKLIST = "index.html"
NAME_LENGTH = 16
_KEY = re.compile(rf"[0-9a-f]{{{NAME_LENGTH},128}}")
_PAGE = re.compile(rf"[0-9a-f]{{{NAME_LENGTH}}}\.html")


def page_name(study_key: str) -> str:
    """File name of a study's page: the first 16 characters of its key.

    Raises
    ------
    ValueError
        The key is no digest in lower-case hex, as every key of a workspace is.
    """
    if not _KEY.fullmatch(study_key):
        raise ValueError("a study key is a digest in lower-case hex")
    return f"{study_key[:NAME_LENGTH]}.html"


def retire(folder: Path, keep: Set[str]) -> int:
    """Remove the case pages of studies that are not in ``keep`` (study keys), and return how many there were.

    Only files that are named as case pages are touched; a folder that does not exist holds none.

    Raises
    ------
    WorkspaceError
        A page cannot be removed.
    """
    kept = {page_name(key) for key in keep}
    pages = (path for path in folder.glob("*.html") if _PAGE.fullmatch(path.name))
    outdated = sorted(path for path in pages if path.name not in kept)
    for path in outdated:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise WorkspaceError(f"{path}: cannot be removed ({error.strerror}); mend that and retry") from None
    return len(outdated)
