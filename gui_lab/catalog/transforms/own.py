"""Transforms that a person wrote: a lambda in the experiment, or a class in a Python file.

Neither runs before a person has read it and said yes (`core.trust`). Until then the chain is illegal at that place, and
what stands before it can be seen. After it the kind that leaves is found by trying it on an empty picture of the kind
that arrives.
"""

from __future__ import annotations

import ast
import functools
import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import create_model

from gui_lab.core import own_code
from gui_lab.core.dice import Dice
from gui_lab.core.own_code import Argument, Signature
from gui_lab.core.pipeline import TRANSFORMS, UNBOUNDED, Drawn, Illegal, Kind, Transform, each
from gui_lab.core.trust import Code, is_trusted
from gui_lab.errors import OwnCodeError
from gui_lab.schema import knob


class _Coded(Transform):
    """What both have in common."""

    group: ClassVar[str] = "Own"

    def _code(self) -> Code:
        raise NotImplementedError(f"{self.name_of()} does not say what it is made of")

    def _acting(self, code: Code) -> Callable[..., Any]:
        raise NotImplementedError(f"{self.name_of()} does not say what it is made of")

    def code(self) -> Code | None:
        try:
            return self._code()
        except OwnCodeError:
            return None

    def output(self, kind: Kind) -> Kind:
        try:
            code = self._code()
            if not is_trusted(code):
                raise Illegal(f"{self.title} runs code that you have not trusted: read it, then decide.", code=code)
            if "torch" not in sys.modules:  # the window checks again once it is there
                return kind
            left = _tried(self, code, kind)
            if isinstance(left, OwnCodeError):
                raise left
            return left
        except OwnCodeError as error:
            raise Illegal(str(error)) from error

    def _ready(self) -> Callable[[Any, Mapping[str, Any]], Any]:
        """The trusted code as a function of a picture and its numbers."""
        import torch

        code = self._code()
        acting = self._acting(code)

        def act(picture: Any, drawn: Mapping[str, Any]) -> Any:
            more = [torch.Generator().manual_seed(drawn["seed"])] if self.random else []
            return own_code.called(acting, self.title, code, picture, *more)

        return act

    def one(self, picture: Any, drawn: Mapping[str, Any]) -> Any:
        return self._ready()(picture, drawn)

    def apply(self, pictures: Any, drawn: Drawn) -> Any:
        """One by one: a person's code is written for a picture and not for a batch."""
        return each(pictures, drawn, self._ready())


@functools.lru_cache(maxsize=256)
def _tried(transform: _Coded, code: Code, kind: Kind) -> Kind | OwnCodeError:
    """The kind that leaves, or why none does: it fails, does not end, or gives no picture. Remembered in any case."""
    try:
        return _leaving(transform, kind)
    except OwnCodeError as error:
        return error


def _leaving(transform: _Coded, kind: Kind) -> Kind:
    """Found by trying a ramp of all values; pictures of many sizes are tried at their least. What leaves the range of
    values that arrived may have any.

    Raises:
        OwnCodeError: it fails, does not end, or gives no picture.
    """
    import torch
    from torchvision.transforms.v2 import functional

    height, width = kind.size or kind.least
    shape = (kind.channels, height, width)
    picture = torch.linspace(kind.low, kind.high, math.prod(shape)).view(shape).to(getattr(torch, kind.dtype))
    arriving = functional.to_pil_image(picture) if kind.pil else picture
    left = own_code.within(own_code.SECONDS, transform.title, lambda: transform.one(arriving, {"seed": 0}))
    if not isinstance(left, torch.Tensor):
        size = functional.get_size(left)
        return replace(kind, channels=functional.get_num_channels(left)).sized(*size)
    dtype: Literal["uint8", "float32"] = "uint8" if left.dtype == torch.uint8 else "float32"
    low, high = (0.0, 255.0) if dtype == "uint8" else (min(kind.low, 0.0), max(kind.high, 1.0))
    if dtype == "float32" and bool(((left < low) | (left > high)).any()):
        low, high = -UNBOUNDED, UNBOUNDED
    tried = replace(kind, dtype=dtype, channels=left.shape[0], low=low, high=high, pil=False)
    same = tuple(left.shape[1:]) == (height, width)
    return tried if same and kind.size is None else tried.sized(*left.shape[1:])


@TRANSFORMS.add
class Lambda(_Coded):
    """Applies a lambda of your own to each picture, once you have trusted it."""

    group: ClassVar[str] = "Generic"

    lambd: str = knob(
        "lambda picture: picture",
        "A Python lambda of one picture, (C, H, W); torch and torchvision's functional F may be used.",
        max_length=2000,
    )

    def _code(self) -> Code:
        try:
            tree = ast.parse(self.lambd.strip(), mode="eval")
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise OwnCodeError(
                "This is not a Python lambda.", "Write it as: lambda picture: picture.flip(-1)"
            ) from error
        if not isinstance(tree.body, ast.Lambda) or len(tree.body.args.args) != 1:
            raise OwnCodeError("This is not a lambda of one picture.", "Write it as: lambda picture: picture.flip(-1)")
        return Code("Lambda", self.lambd.strip())

    def _acting(self, code: Code) -> Callable[..., Any]:
        return own_code.function(code)


@TRANSFORMS.add
class Own(_Coded):
    """Applies a transform class from a Python file of yours, once you have trusted it.

    A variant of this class is made for each class of each file, with the arguments of its `__init__` as fields.
    """

    signature: ClassVar[Signature | None] = None

    file: Path = knob(Path("own_transform.py"), "The Python file with the class.", listed=False)
    transform: str = knob("", "The class in it.", max_length=200, listed=False)

    @classmethod
    def name_of(cls) -> str:
        return "Own"

    @classmethod
    def summary(cls) -> str:
        return cls.signature.summary if cls.signature else super().summary()

    @classmethod
    def variant(cls, values: Mapping[str, Any]) -> type[Self]:
        """The class whose fields are those of the person's class; this one where that cannot be read."""
        try:
            found = own_code.signatures(own_code.read(Path(str(values.get("file", "")))))
        except (OwnCodeError, ValueError):
            return cls
        named = [one for one in found if one.name == values.get("transform")]
        return _variant(named[0]) if named else cls  # type: ignore[return-value]  # a subclass of Own

    @property
    def title(self) -> str:
        return self.transform or "Own"

    def _code(self) -> Code:
        code = own_code.read(self.file)
        known = own_code.signatures(code)
        if self.transform not in [one.name for one in known]:
            names = ", ".join(one.name for one in known)
            remedy = f"It has {names}." if names else "Write a class with __call__(self, picture)."
            raise OwnCodeError(f"{code.title} has no transform class named {self.transform or '(nothing)'}.", remedy)
        return code

    def _acting(self, code: Code) -> Callable[..., Any]:
        wanted = self.signature.arguments if self.signature else ()
        return own_code.instance(code, self.transform, {one.name: getattr(self, one.name) for one in wanted})

    def draw(self, dice: Dice, shape: tuple[int, int, int]) -> Drawn:
        return {"seed": dice.seeds()} if self.random else {}


@functools.lru_cache(maxsize=256)
def _variant(signature: Signature) -> type[Own]:
    fields: Any = {argument.name: _field(argument) for argument in signature.arguments}
    made = create_model(signature.name, __base__=Own, __module__=__name__, **fields)
    made.signature = signature
    made.random = signature.random
    return made


def _field(argument: Argument) -> tuple[Any, Any]:
    kind: Any = argument.kind or (int | float | tuple[int | float, ...])
    given = {} if argument.default is own_code.MISSING else {"default": argument.default}
    return kind, knob(**given, help="An argument of your class.")
