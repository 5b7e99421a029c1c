"""In what two experiments differ, as a person would say it: where an entry is another one, that alone; else field by
field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gui_lab.core.experiment import SECTIONS, Experiment


@dataclass(frozen=True)
class Difference:
    """`path` is that of a field ("optimizer.lr"), of a section whose entry is another one ("optimizer"), or of a list
    ("transforms"); `before` and `after` are plain values or names, None for a list."""

    path: str
    before: Any
    after: Any


def differences(before: Experiment, after: Experiment) -> list[Difference]:
    """In the order of the file."""
    one, other = before.document(full=True), after.document(full=True)
    found: list[Difference] = []
    for section in SECTIONS:
        if one[section] != other[section]:
            found += _within(section, one[section], other[section])
    return found


def _within(section: str, before: Any, after: Any) -> list[Difference]:
    if isinstance(before, list):
        return [Difference(section, None, None)]
    if before.get("name") != after.get("name"):
        return [Difference(section, before["name"], after["name"])]
    fields = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return [Difference(f"{section}.{name}", before.get(name), after.get(name)) for name in fields]
