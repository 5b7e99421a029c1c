"""A chain as Python that runs without the lab: what one would have typed into a script.

Arguments are left out where they are torchvision's defaults. What is switched off, and what cannot stand in a script (a
class in a file of one's own), is a comment, so that nothing disappears unsaid. Transforms that mix batches stand apart:
torchvision gives them a whole batch with its labels. Every value is a number, a choice or a string written by `repr`;
a lambda is written only where it is one.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gui_lab.core import arrays
from gui_lab.core.pipeline import Transform
from gui_lab.errors import DataError
from gui_lab.schema import Knob, knobs

NEEDED = {"Normalize": ("mean", "std")}
"""Arguments that torchvision wants although they have a default here."""
_TO_TENSOR = ("v2.ToImage()", "v2.ToDtype(torch.float32, scale=True)")
_FROM_DATA = ("num_classes", "labels_getter")


def to_python(transforms: Sequence[Transform]) -> str:
    """A snippet that imports what it needs and ends in `transform = v2.Compose([...])`; never raises.

    It is meant for uint8 image tensors, as the lab has them, or for PIL pictures, on which PIL's kernels act.
    """
    single = [transform for transform in transforms if not transform.mixes]
    lines = _assigned("transform", single)
    mixing = [transform for transform in transforms if transform.mixes]
    if mixing:
        lines += ["", "# for a whole batch and its labels, one-hot as floats", *_assigned("on_batch", mixing)]
    body = "\n".join(lines) + "\n"
    imports = ["from torchvision.transforms import v2"]
    if any("functional" in line or "F." in line for line in lines if "v2.Lambda(" in line):
        imports.append("from torchvision.transforms.v2 import functional, functional as F")
    for module in ("torch", "numpy"):
        if f"{module}." in body:
            imports.insert(0, f"import {module}")
    return "\n".join(imports) + "\n\n" + body


def _assigned(name: str, transforms: Sequence[Transform]) -> list[str]:
    if not any(_acts(transform) for transform in transforms):
        return [*_listed(transforms, ""), f"{name} = v2.Identity()"]
    return [f"{name} = v2.Compose([", *_listed(transforms, "    "), "])"]


def _listed(transforms: Sequence[Transform], indent: str) -> list[str]:
    return [f"{indent}{line}" for transform in transforms for line in _lines(transform)]


def _lines(transform: Transform) -> list[str]:
    """One member of a list, or what is said instead of it."""
    unwritable = _why_not(transform)
    if unwritable:
        return [f"# left out: {unwritable}"]
    if not transform.enabled:
        return [f"# off: {line}" for line in _lines(transform.changed(enabled=True))]
    if transform.name_of() == "ToTensor":
        return [f"{line}," for line in _TO_TENSOR]
    if transform.name_of() == "Lambda":
        return [f"v2.Lambda({_lambda(transform)}),"]
    if transform.name_of() == "LinearTransformation":
        return [f"v2.LinearTransformation({_matrix(transform)}, {_mean(transform)}),"]
    if transform.holds:
        return _around_others(transform)
    return [f"v2.{transform.name_of()}({', '.join(_arguments(transform))}),"]


def _why_not(transform: Transform) -> str:
    match transform.name_of():
        case "Lambda" if not _lambda(transform):
            return "Lambda, whose code is no lambda"
        case "Own":
            return f"{transform.title!r} of the file {str(getattr(transform, 'file', ''))!r}"
        case "LinearTransformation" if not (
            _file(transform, "transformation_matrix") or _file(transform, "mean_vector")
        ):
            return "LinearTransformation, which has no numbers yet"
    if transform.holds and not any(_acts(held) for field in transform.holds for held in getattr(transform, field)):
        return f"{transform.name_of()}, in which nothing acts"
    return ""


def _acts(transform: Transform) -> bool:
    return transform.enabled and not _why_not(transform)


def _around_others(transform: Transform) -> list[str]:
    (field,) = transform.holds
    held: tuple[Transform, ...] = getattr(transform, field)
    weights = getattr(transform, "p", None)
    if isinstance(weights, tuple) and len(weights) == len(held):  # one for each that is written
        acting = tuple(weight for weight, one in zip(weights, held, strict=True) if _acts(one))
        transform = transform.model_copy(update={"p": acting})
    more = [argument for argument in _arguments(transform) if argument]
    end = f"], {', '.join(more)})," if more else "]),"
    return [f"v2.{transform.name_of()}([", *_members(held, in_turn=_in_turn(transform)), end]


def _members(held: Sequence[Transform], in_turn: bool) -> list[str]:
    lines = []
    for one in held:
        if one.name_of() == "ToTensor" and one.enabled and not in_turn:
            lines.append(f"    v2.Compose([{', '.join(_TO_TENSOR)}]),")
        else:
            lines += [f"    {line}" for line in _lines(one)]
    return lines


def _in_turn(transform: Transform) -> bool:
    return bool(getattr(transform, "in_turn", False))


def _arguments(transform: Transform) -> list[str]:
    """Those off their default, the first one without its name where it has to be given."""
    name = transform.name_of()
    own = [knob for knob in knobs(type(transform)) if knob.name != "enabled" and knob.name not in transform.holds]
    written = []
    for place, knob in enumerate(own):
        value = getattr(transform, knob.name)
        if knob.name in _FROM_DATA or (value == knob.default and not knob.required and knob.name not in _needed(name)):
            continue
        bare = place == 0 and knob.required
        written.append(_value(knob, value) if bare else f"{knob.name}={_value(knob, value)}")
    return written


def _needed(name: str) -> tuple[str, ...]:
    return NEEDED.get(name, ())


def _value(knob: Knob, value: Any) -> str:
    if knob.name == "interpolation":
        return f"v2.InterpolationMode.{value.upper().replace('-', '_')}"
    if knob.name == "policy":
        return f"v2.AutoAugmentPolicy.{value.upper()}"
    if knob.name == "dtype":
        return f"torch.{value}"
    return _plain(value)


def _plain(value: Any) -> str:
    """By `repr`, whole floats as integers."""
    if isinstance(value, tuple):
        inside = ", ".join(_plain(member) for member in value)
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return repr(value)


def _lambda(transform: Transform) -> str:
    """Its text on one line; empty where it is no lambda."""
    text = str(getattr(transform, "lambd", "")).strip()
    try:
        expression = ast.parse(text, mode="eval").body
        if not isinstance(expression, ast.Lambda):
            return ""
        segment = ast.get_source_segment(text, expression) or "\n"
        return segment if segment.isprintable() else ast.unparse(expression)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""


def _file(transform: Transform, field: str) -> str:
    """Where the numbers of a field lie, in full where the lab has measured them; empty for none."""
    name: Path | None = getattr(transform, field, None)
    if name is None:
        return ""
    try:
        return str(arrays.find(name).path)
    except DataError:
        return str(name)


def _matrix(transform: Transform) -> str:
    matrix, mean = _file(transform, "transformation_matrix"), _file(transform, "mean_vector")
    return _loaded(matrix) if matrix else f"torch.eye(len(numpy.load({mean!r})))"


def _mean(transform: Transform) -> str:
    matrix, mean = _file(transform, "transformation_matrix"), _file(transform, "mean_vector")
    return _loaded(mean) if mean else f"torch.zeros(len(numpy.load({matrix!r})))"


def _loaded(path: str) -> str:
    return f"torch.from_numpy(numpy.load({path!r})).float()"
