"""A chain in words: its rows in the list, what the network gets from it, and over how much was measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gui_lab.core import nesting
from gui_lab.core.images import ImageSet
from gui_lab.core.nesting import Place
from gui_lab.core.pipeline import Kind, Transform
from gui_lab.qt import words
from gui_lab.qt.views.frames import kind_words, number, range_words
from gui_lab.qt.views.transform_list import Row
from gui_lab.schema import Knob, Problem, knobs

if TYPE_CHECKING:
    from gui_lab.core.probes import Measured, Whitened


def measured_words(measured: Measured | Whitened, images: ImageSet) -> str:
    if measured.total == len(images.train):
        return f"Measured over all {words.count(measured.total)} training pictures."
    return f"Measured over {words.count(measured.total)} of {words.count(len(images.train))} training pictures."


def row_of(transforms: Sequence[Transform], place: Place, problems: Sequence[Problem]) -> Row:
    transform, path = nesting.at(transforms, place), nesting.path(transforms, place)
    own = [problem for problem in problems if problem.path == path or problem.path.startswith(f"{path}.")]
    first = {
        severity: next((p.sentence for p in own if p.severity == severity), "") for severity in ("error", "warning")
    }
    return Row(
        number=".".join(str(position + 1) for position in place),
        name=transform.title,
        values=values_of(transform),
        random=transform.random,
        enabled=transform.enabled,
        problem=first["error"],
        warning=first["warning"],
        depth=len(place) - 1,
    )


def values_of(transform: Transform) -> str:
    """The values that make it what it is: those one must give, feels, or has changed; else its first."""
    listed = [knob for knob in knobs(type(transform)) if knob.listed and knob.kind != "specs"]
    telling = [knob for knob in listed if knob.required or knob.felt or getattr(transform, knob.name) != knob.default]
    given = [knob for knob in telling or listed[:1] if getattr(transform, knob.name) is not None]
    return ", ".join(_value(knob, getattr(transform, knob.name)) for knob in given[:3])


def _value(knob: Knob, value: Any) -> str:
    if isinstance(value, bool):
        return knob.name if value else f"no {knob.name}"
    if isinstance(value, tuple):
        shown = ", ".join(number(member) for member in value)
        return f"{knob.name} ({shown})" if len(value) > 1 else f"{knob.name} {shown}"
    return f"{knob.name} {number(value) if isinstance(value, (int, float)) else value}"


def network_words(trained: Kind, validated: Kind, kept: str) -> str:
    """What training and validation pictures are in the end, and what of the way there is computed only once."""

    def said(kind: Kind) -> str:
        return f"{kind_words(kind)}, {'range ' if kind.bounded else ''}{range_words(kind)}"

    ends = f"{said(trained)} in training; {said(validated)} in validation"
    if said(trained) == said(validated):
        ends = f"{said(trained)}, in training and validation"
    return f"{ends}. In memory: {kept}." if kept else ends
