"""A chain as text to copy and paste: as the TOML of an experiment's file, or as Python; reading finds out which it is.

Neither is ever run. Both name what they cannot read, the one by the path of a field, the other by the line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import tomlkit

from gui_lab.core.documents import parsed
from gui_lab.core.experiment import SECTIONS, VERSION
from gui_lab.core.pipeline import TRANSFORMS, Transform
from gui_lab.errors import InvalidExperiment, UnreadableDocument
from gui_lab.export.python_reader import LONGEST, from_python
from gui_lab.schema import Problem, shown

_TABLES = re.compile(
    r"^[ \t]*(\[\[[ \t]*transforms[ \t]*[.\]]"  # [[transforms]], [[transforms.transforms]]
    r"|\[(dataset|model|optimizer|training)\][ \t]*$"
    r"|version[ \t]*=[ \t]*\d+[ \t]*$"
    r"|transforms[ \t]*=[ \t]*\[\s*\{)",
    re.MULTILINE,
)


def to_toml(transforms: Sequence[Transform]) -> str:
    """The `[[transforms]]` tables of an experiment's file, those that are switched off too; empty for no transforms."""
    tables = [transform.table() for transform in transforms]
    return tomlkit.dumps({"transforms": tables}) if tables else ""


def from_toml(text: str) -> tuple[Transform, ...]:
    """The transforms of such tables, or of the text of a whole experiment, whose other parts are not looked at.

    Raises:
        InvalidExperiment: with all that is wrong with the transforms, each with its path.
        UnreadableDocument: it is not TOML, has no transforms, or was written by a newer GUI Lab.
    """
    _check_length(text)
    document = parsed(text)
    version = document.get("version", VERSION)
    if not isinstance(version, int) or version > VERSION:
        raise UnreadableDocument(
            f"This was written by a newer GUI Lab (version {shown(version)}; this one reads {VERSION}).",
            "Update GUI Lab to read it.",
        )
    if not document.keys() & {"transforms", *SECTIONS}:
        raise UnreadableDocument(
            "There are no transforms in this text.", "Paste tables that start with [[transforms]]."
        )
    problems = [
        Problem(key, "There is no such part of an experiment.") for key in document if key not in ("version", *SECTIONS)
    ]
    read = TRANSFORMS.parse_all(document.get("transforms", []), "transforms", problems)
    if problems:
        raise InvalidExperiment(problems, "This text")
    return read


def from_text(text: str) -> tuple[Transform, ...]:
    """The chain in a pasted text, be it TOML or Python.

    Raises:
        InvalidExperiment: a transform is wrong.
        UnreadableDocument: it is neither; the sentence names the line.
    """
    _check_length(text)
    return from_toml(text) if _TABLES.search(text) else from_python(text)


def _check_length(text: str) -> None:
    if len(text) > LONGEST:
        raise UnreadableDocument(
            f"This text is longer than {LONGEST:,} characters.", "Paste a list of transforms alone."
        )
