"""Reading a document of the lab as plain data: size, encoding and syntax are checked before anything looks inside."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gui_lab.errors import UnreadableDocument
from gui_lab.schema import Problem, shown

_LARGEST_FILE = 100_000  # bytes; a recipe is a page of text, a lesson a few
_LONGEST_LINE = 5_000  # characters; the parser needs minutes for one key of many thousand parts


def text_of(path: Path) -> str:
    """The text of a `*.lab` file.

    Raises:
        UnreadableDocument: it cannot be read, is too large, or is not text.
    """
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise UnreadableDocument(f"{path.name} is too large for an experiment.", "Choose another file.")
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableDocument(f"{path.name} is not a text file.", "Choose a *.lab file.") from error
    except OSError as error:
        raise UnreadableDocument(f"{path} cannot be read: {error.strerror or error}.", "Check the name.") from error


def version_problems(document: Mapping[str, Any], what: str, known: int) -> list[Problem]:
    """What is wrong with the version of a document.

    Args:
        what: it is: "experiment", "lesson".
        known: the version that this program reads.

    Raises:
        UnreadableDocument: a newer program wrote it.
    """
    version = document.get("version")
    if isinstance(version, int) and version > known:
        raise UnreadableDocument(
            f"This {what} was written by a newer GUI Lab (version {shown(version)}; this one reads {known}).",
            "Update GUI Lab to open it; the file was not touched.",
        )
    if version != known or isinstance(version, bool):
        return [Problem("version", f"Must be {known}, not {shown(version)}.")]
    return []


def parsed(text: str) -> dict[str, Any]:
    """The plain data of a text, whatever it is about.

    Raises:
        UnreadableDocument: it is not TOML, or would take the parser too long.
    """
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > _LONGEST_LINE:
            raise UnreadableDocument(f"This is not an experiment: line {number} is too long.", "Choose another file.")
    try:
        return tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError, and Python's own for an integer of thousands of digits
        raise UnreadableDocument(f"This is not a readable experiment: {error}.", "Correct the line named.") from error
    except RecursionError as error:
        sentence = "This is not an experiment: it is nested too deeply."
        raise UnreadableDocument(sentence, "Choose another file.") from error
