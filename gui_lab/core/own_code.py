"""A person's own transform classes: what they ask for is read from their text, and trusted ones are called.

A signature is read with `ast`, so a form can be shown and a document checked without running a line. A class is a
transform where it can be called with a picture (`__call__`, or `forward` as torch's modules have it). A second
parameter named `generator` makes it random: it gets a `torch.Generator` seeded for this picture and this epoch, so that
its draws repeat like all others and torch's own generator stays the run's.
"""

from __future__ import annotations

import ast
import functools
import inspect
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gui_lab.core.trust import Code, is_trusted
from gui_lab.errors import OwnCodeError

SECONDS = 3.0
"""How long a call may take while a chain is checked."""
_LARGEST_FILE = 200_000  # bytes
_PLAIN = {"int": int, "float": float, "bool": bool, "str": str}
MISSING: Any = inspect.Parameter.empty


@dataclass(frozen=True)
class Argument:
    """A parameter of a class: `kind` is a type, or None where nothing says what it takes (numbers then)."""

    name: str
    kind: type | None
    default: Any = MISSING


@dataclass(frozen=True)
class Signature:
    """A transform class as its text declares it.

    Attributes:
        name: of the class.
        summary: the first line of its docstring.
        arguments: of its `__init__`, without self.
        random: it takes a generator beside the picture.
    """

    name: str
    summary: str
    arguments: tuple[Argument, ...]
    random: bool


def read(path: Path) -> Code:
    """The text of a Python file.

    Raises:
        OwnCodeError: it cannot be read, is too large, or is not text.
    """
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise OwnCodeError(f"{path.name} is too large for a transform.", "Choose another file.")
        return Code(path.name, path.read_text(encoding="utf-8"), path.absolute())
    except UnicodeDecodeError as error:
        raise OwnCodeError(f"{path.name} is not a text file.", "Choose a Python file.") from error
    except OSError as error:
        sentence = f"{path.name or 'The file'} cannot be read: {error.strerror or error}."
        raise OwnCodeError(sentence, "Choose the file again.") from error


@functools.lru_cache(maxsize=64)
def signatures(code: Code) -> tuple[Signature, ...]:
    """The transform classes of a file, in its order; nothing of it is run.

    Raises:
        OwnCodeError: it is not Python, or a class asks for what a form cannot give.
    """
    try:
        tree = ast.parse(code.text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        where = f", line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        raise OwnCodeError(f"{code.title} is not Python{where}.", "Correct the file.") from error
    return tuple(_signature(node) for node in tree.body if isinstance(node, ast.ClassDef) and _call(node) is not None)


def _call(node: ast.ClassDef) -> ast.FunctionDef | None:
    return _method(node, "__call__") or _method(node, "forward")


def _method(node: ast.ClassDef, name: str) -> ast.FunctionDef | None:
    return next((one for one in node.body if isinstance(one, ast.FunctionDef) and one.name == name), None)


def _signature(node: ast.ClassDef) -> Signature:
    call, init = _call(node), _method(node, "__init__")
    assert call is not None
    names = [argument.arg for argument in (*call.args.args, *call.args.kwonlyargs)]
    summary = (ast.get_docstring(node) or "A transform of your own.").partition("\n")[0]
    return Signature(node.name, summary, _arguments(node.name, init) if init else (), "generator" in names)


def _arguments(owner: str, init: ast.FunctionDef) -> tuple[Argument, ...]:
    given = init.args
    positional = [*given.posonlyargs, *given.args][1:]
    defaults: list[ast.expr | None] = [None] * (len(positional) - len(given.defaults)) + list(given.defaults)
    pairs = [*zip(positional, defaults[-len(positional) :], strict=True)] if positional else []
    pairs += [*zip(given.kwonlyargs, given.kw_defaults, strict=True)]
    return tuple(_argument(owner, argument, default) for argument, default in pairs)


def _argument(owner: str, argument: ast.arg, default: ast.expr | None) -> Argument:
    value = MISSING
    if default is not None:
        try:
            value = ast.literal_eval(default)
        except ValueError:
            raise OwnCodeError(
                f"The default of {owner}'s {argument.arg} is not a plain value.",
                "Write a number, a text, True, False or a tuple of numbers.",
            ) from None
    if argument.annotation is None:
        plain = type(value) if type(value) in _PLAIN.values() else None
        return Argument(argument.arg, plain, value)
    written = ast.unparse(argument.annotation)
    if written in _PLAIN:
        return Argument(argument.arg, _PLAIN[written], value)
    if written.startswith(("tuple[", "int | tuple[", "float | tuple[", "list[")):
        return Argument(argument.arg, None, value)
    raise OwnCodeError(
        f"{owner}'s {argument.arg} is annotated as {written}, which a form cannot give.",
        "Use int, float, bool, str or a tuple of numbers.",
    )


@functools.lru_cache(maxsize=64)
def _namespace(code: Code) -> dict[str, Any]:
    """What the file defines once it is run; only trusted code comes here."""
    space: dict[str, Any] = {"__name__": f"gui_lab_own_{code.digest[:12]}", "__file__": str(code.path or "")}
    exec(compile(code.text, str(code.path or code.title), "exec"), space)
    return space


def instance(code: Code, name: str, arguments: Mapping[str, Any]) -> Callable[..., Any]:
    """A trusted class of a file, made with these arguments.

    Raises:
        OwnCodeError: it is not trusted, has no such class, or fails.
    """
    _check_trust(code)
    with _failures_told(name, code):
        made = _namespace(code)[name](**arguments)
        acting: Callable[..., Any] = made if callable(made) else made.forward
        return acting


def function(code: Code) -> Callable[..., Any]:
    """What a trusted text such as "lambda picture: picture.flip(-1)" stands for.

    Raises:
        OwnCodeError: it is not trusted, or fails.
    """
    _check_trust(code)
    with _failures_told(code.title, code):
        return _evaluated(code)


@functools.lru_cache(maxsize=64)
def _evaluated(code: Code) -> Callable[..., Any]:
    import torch
    from torchvision.transforms.v2 import functional

    space = {"torch": torch, "functional": functional, "F": functional}
    acting: Callable[..., Any] = eval(compile(code.text, code.title, "eval"), space)  # noqa: S307 - trusted by a person
    return acting


def _check_trust(code: Code) -> None:
    if not is_trusted(code):
        raise OwnCodeError(f"{code.title} is not trusted on this machine.", "Read the code, then decide.")


class _failures_told:  # noqa: N801 - a context manager reads as a verb
    """Turns whatever a person's code raises into an `OwnCodeError` that names the line."""

    def __init__(self, name: str, code: Code) -> None:
        self._name, self._code = name, code

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, Exception) and not isinstance(error, OwnCodeError):
            own = str(self._code.path or self._code.title)
            lines = [frame.lineno for frame in traceback.extract_tb(trace) if frame.filename == own]
            where = f" (line {lines[-1]})" if lines and self._code.path else ""
            what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            raise OwnCodeError(f"{self._name} failed{where}: {what}.", "Correct the code.") from error


def called(acting: Callable[..., Any], name: str, code: Code, picture: Any, *more: Any) -> Any:
    """What comes out for one picture: a tensor (C, H, W), uint8 or float32, or a PIL picture as one came in.

    Raises:
        OwnCodeError: it fails, or gives something else.
    """
    import torch

    arriving = picture.clone() if isinstance(picture, torch.Tensor) else picture.copy()
    with _failures_told(name, code):
        given = acting(arriving, *more)
    if not isinstance(picture, torch.Tensor) and isinstance(given, type(arriving)):
        return given
    if isinstance(given, torch.Tensor) and given.dim() == 3 and given.dtype in (torch.uint8, torch.float32):
        return given.detach().as_subclass(torch.Tensor)
    what = (
        f"{str(given.dtype).removeprefix('torch.')} of {given.dim()} dimensions"
        if isinstance(given, torch.Tensor)
        else type(given).__name__
    )
    raise OwnCodeError(f"{name} gave {what} for a picture.", "It must give a tensor (C, H, W), uint8 or float32.")


def within(seconds: float, name: str, work: Callable[[], Any]) -> Any:
    """Do work on a thread of its own, and give up on it after a while: code that never ends must not hold the window.

    Raises:
        OwnCodeError: it has not ended by then.
    """
    ended: list[Any] = []

    def doing() -> None:
        try:
            ended.append((work(), None))
        except Exception as error:  # noqa: BLE001 - handed to the caller
            ended.append((None, error))

    worker = threading.Thread(target=doing, name=f"checking {name}", daemon=True)
    worker.start()
    worker.join(seconds)
    if not ended:
        raise OwnCodeError(f"{name} has not ended after {seconds:.0f} seconds on one picture.", "Correct the code.")
    value, error = ended[0]
    if error is not None:
        raise error
    return value
