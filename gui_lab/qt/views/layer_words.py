"""A network's layers in words: what each does, from its class and the arguments that torch prints for it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gui_lab.qt.words import THIN, count

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Row:
    """A layer: its class, what it does in words, the shape that leaves it, how many numbers it learns."""

    kind: str
    detail: str
    output: Shape
    parameters: int


def size_of(shape: Shape) -> str:
    """6x24x24"""
    return "x".join(str(side) for side in shape)


def megabytes(parameters: int) -> str:
    """Of so many float32 numbers, to three significant digits."""
    size = 4 * parameters / 1e6
    digits = max(2 - math.floor(math.log10(size)), 0) if size else 0
    return f"{size:,.{min(digits, 6)}f}{THIN}MB"


def total(rows: Sequence[Row]) -> str:
    parameters = sum(row.parameters for row in rows)
    return f"{count(parameters)} parameters, {megabytes(parameters)} as float32"


_ARGUMENT = re.compile(r"\s*(?:(\w+)=)?(\([^)]*\)|[^,]+)")


def in_words(kind: str, detail: str) -> str:
    """What a layer does; torch's own print of it where there are no words here for its class or its arguments."""
    words = _WORDS.get(kind)
    try:
        return words(_arguments(detail)) if words is not None else detail
    except (KeyError, ValueError):  # another torch prints it otherwise
        return detail


def _arguments(detail: str) -> dict[str, str]:
    """torch's printed arguments by name, those without one by their place: "0", "1"."""
    found: dict[str, str] = {}
    for match in _ARGUMENT.finditer(detail):
        value = match[2].strip()
        if value:
            found[match[1] or str(len(found))] = value
    return found


def _by(value: str) -> str:
    """ "(5, 5)" and "5" are 5x5."""
    sides = re.findall(r"\d+", value)
    return "x".join(sides if len(sides) > 1 else sides * 2)


def _unless(value: str, usual: int, word: str) -> str:
    """ " , padding 2" where a value is not the usual one."""
    sides = set(re.findall(r"\d+", value))
    if sides in ({str(usual)}, set()):
        return ""
    return f", {word} {sides.pop() if len(sides) == 1 else _by(value)}"


def _convolution(given: dict[str, str]) -> str:
    groups = _unless(given.get("groups", "1"), 1, "groups")
    padding = _unless(given.get("padding", "0"), 0, "padding")
    stride = _unless(given.get("stride", "1"), 1, "stride")
    return f"{count(int(given['1']))} filters {_by(given['kernel_size'])}{stride}{padding}{groups}"


def _pooling(how: str) -> Callable[[dict[str, str]], str]:
    def words(given: dict[str, str]) -> str:
        stride = "" if given.get("stride") == given["kernel_size"] else _unless(given.get("stride", "1"), 1, "stride")
        return f"{how} of {_by(given['kernel_size'])}{stride}"

    return words


def _adaptive(how: str) -> Callable[[dict[str, str]], str]:
    return lambda given: f"{how} of areas, {_by(given['output_size'])} of them"


def _linear(given: dict[str, str]) -> str:
    return f"{count(int(given['out_features']))} units, each from {count(int(given['in_features']))}"


def _normalisation(given: dict[str, str]) -> str:
    return f"{count(int(given['0']))} channels to mean 0, deviation 1"


def _part(value: str) -> str:
    return f"{100 * float(value):g}{THIN}%"


def _always(words: str) -> Callable[[dict[str, str]], str]:
    return lambda given: words


_WORDS: dict[str, Callable[[dict[str, str]], str]] = {
    "Conv2d": _convolution,
    "Linear": _linear,
    "MaxPool2d": _pooling("largest"),
    "AvgPool2d": _pooling("mean"),
    "AdaptiveAvgPool2d": _adaptive("mean"),
    "AdaptiveMaxPool2d": _adaptive("largest"),
    "BatchNorm2d": _normalisation,
    "Dropout": lambda given: f"{_part(given['p'])} switched off at random while training",
    "Dropout2d": lambda given: f"{_part(given['p'])} of the maps switched off at random while training",
    "Flatten": _always("maps become one vector"),
    "ReLU": _always("negative values become 0"),
    "Tanh": _always("values between -1 and 1"),
    "Sigmoid": _always("values between 0 and 1"),
    "GELU": _always("negative values fade to 0"),
    "Identity": _always("leaves everything as it is"),
}
