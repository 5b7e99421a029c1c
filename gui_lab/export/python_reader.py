"""Pasted Python as a chain, read and never run.

The text is parsed into a syntax tree, and of the tree only what a list of transforms needs is understood: imports,
numbers with names, arithmetic of numbers, and calls of torchvision's transforms. Everything else is named with its
line. Length, depth, the size of numbers and the number of parts are bounded, so that a hostile text ends as quickly as
a wrong one. A lambda inside `Lambda` is kept as text, which runs only once a person has trusted it.
"""

from __future__ import annotations

import ast
import operator
import textwrap
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gui_lab import paths
from gui_lab.core.pipeline import TRANSFORMS, Transform
from gui_lab.errors import InvalidExperiment, UnknownName, UnreadableDocument
from gui_lab.schema import Knob, knobs, shown

LONGEST = 100_000  # characters
_DEEPEST = 20
_MOST_PARTS = 20_000  # of the syntax tree
_MOST_NUMBERS = 256  # in one value
_MOST_TRANSFORMS = 1_000
_LARGEST = 1e12
_REMEDY = "Paste the list of transforms alone, or v2.Compose([...]) with the numbers it uses."
_ROOTS = {"T", "nn", "np", "numpy", "tf", "torch", "torchvision", "transforms", "tv", "v2"}
_PACKAGES = {"numpy", "torch", "torchvision"}
_OPERATIONS: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
}
_WORDS: Mapping[type[ast.AST], str] = {
    ast.Lambda: "a lambda is code, and pasted code is not run; only v2.Lambda may hold one",
    ast.JoinedStr: "a formatted string is code, and pasted code is not run",
    ast.ListComp: "a comprehension is code, and pasted code is not run",
    ast.SetComp: "a comprehension is code, and pasted code is not run",
    ast.DictComp: "a comprehension is code, and pasted code is not run",
    ast.GeneratorExp: "a comprehension is code, and pasted code is not run",
    ast.Starred: "a star before a value is not understood: write the values out",
    ast.FunctionDef: "a function is code, and pasted code is not run",
    ast.ClassDef: "a class is code, and pasted code is not run: a class in a file of its own can be added as Own",
}
_ANOTHER_NAME: Mapping[str, str] = {"ConvertImageDtype": "ToDtype"}
_DTYPES: Mapping[str, str] = {"float": "float32"}


@dataclass(frozen=True)
class _Steps:
    """Transforms in their order; each part is one member of a list, which may be several transforms in turn."""

    parts: tuple[tuple[Transform, ...], ...]

    @property
    def flat(self) -> tuple[Transform, ...]:
        return tuple(transform for part in self.parts for transform in part)


def from_python(text: str) -> tuple[Transform, ...]:
    """The chain in a pasted text: a Compose or Sequential, a list, calls one after the other, or one call.

    The pair ToImage and ToDtype(torch.float32, scale=True) comes back as ToTensor.

    Raises:
        UnreadableDocument: naming the line and what is not understood.
        InvalidExperiment: an argument of a transform is wrong; paths are argument names.
    """
    if len(text) > LONGEST:
        raise UnreadableDocument(f"This text is longer than {LONGEST:,} characters.", _REMEDY)
    text = textwrap.dedent(text).replace("\r\n", "\n").replace("\r", "\n")
    tree, first = _parsed(text)
    return _with_to_tensor(_Reader(text.split("\n"), first).chain(tree))


def _parsed(text: str) -> tuple[ast.Module, int]:
    """The tree, and the number that it gives to the text's first line: lines out of a list are put into one."""
    try:
        return _tree(text), 1
    except IndentationError as error:
        try:
            return _tree(f"[\n{text}\n]"), 2
        except SyntaxError:
            raise _no_python(error) from error
    except SyntaxError as error:
        raise _no_python(error) from error


def _tree(text: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the pasted text, such as an odd escape in a string
            return ast.parse(text)
    except (RecursionError, MemoryError) as error:
        raise UnreadableDocument("This text is nested too deeply.", _REMEDY) from error
    except ValueError as error:
        raise UnreadableDocument("This is not a text of Python.", _REMEDY) from error


def _no_python(error: SyntaxError) -> UnreadableDocument:
    where = f"Line {error.lineno}" if error.lineno else "This"
    return UnreadableDocument(f"{where} is not Python: {error.msg}.", _REMEDY)


def _with_to_tensor(steps: Sequence[Transform]) -> tuple[Transform, ...]:
    found: list[Transform] = []
    scaled = TRANSFORMS.make("ToDtype", dtype="float32", scale=True)
    for transform in steps:
        if transform == scaled and found and found[-1].name_of() == "ToImage":
            found[-1] = TRANSFORMS.make("ToTensor")
        else:
            found.append(transform)
    return tuple(found)


class _Reader:
    """One text: what its names stand for so far, and how much of it has been read."""

    def __init__(self, lines: Sequence[str], first: int) -> None:
        self._lines = lines
        self._first = first
        self._values: dict[str, Any] = {}
        self._modules: dict[str, str] = {}
        self._used: set[str] = set()
        self._parts = 0

    def chain(self, tree: ast.Module) -> tuple[Transform, ...]:
        loose: list[tuple[Transform, ...]] = []
        for statement in tree.body:
            match statement:
                case ast.Import() | ast.ImportFrom():
                    self._import(statement)
                case ast.Expr(value=ast.Constant(value=str())):
                    pass
                case ast.Expr(value=value):
                    steps = self._value(value)
                    if not isinstance(steps, _Steps):
                        raise self._refused(value, "this is no transform")
                    loose.append(steps.flat)
                case (
                    ast.Assign(targets=[target], value=value) | ast.AnnAssign(target=target, value=ast.expr() as value)
                ):
                    self._assign(target, value)
                case _:
                    raise self._refused(statement, _words(statement))
        return self._one_of(loose)

    def _import(self, statement: ast.Import | ast.ImportFrom) -> None:
        module = f"{statement.module}." if isinstance(statement, ast.ImportFrom) else ""
        for alias in statement.names:
            known = alias.asname or (alias.name if module else alias.name.partition(".")[0])
            whole = f"{module}{alias.name}" if module or alias.asname else known
            self._modules[known] = whole

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        given = self._value(value)
        if isinstance(target, ast.Name):
            self._values[target.id] = given
            self._used.discard(target.id)
            return
        names = target.elts if isinstance(target, (ast.Tuple, ast.List)) else []
        wanted = [name.id for name in names if isinstance(name, ast.Name)]
        if not wanted or len(wanted) != len(names) or not isinstance(given, tuple) or len(given) != len(wanted):
            raise self._refused(target, "only a name can be given a value here")
        self._values.update(zip(wanted, given, strict=True))

    def _one_of(self, loose: Sequence[tuple[Transform, ...]]) -> tuple[Transform, ...]:
        """The chain that nothing else is made of; what mixes batches stands apart in a script and comes last here."""
        found = {
            name: steps.flat
            for name, steps in self._values.items()
            if isinstance(steps, _Steps) and name not in self._used
        }
        if loose:
            found[""] = tuple(transform for steps in loose for transform in steps)
        if not found:
            raise UnreadableDocument("There are no transforms in this text.", _REMEDY)
        batches = {name: steps for name, steps in found.items() if steps and all(one.mixes for one in steps)}
        chains = {name: steps for name, steps in found.items() if name not in batches}
        if len(chains) > 1:
            names = ", ".join(name or "a list without a name" for name in chains)
            raise UnreadableDocument(f"There is more than one chain in this text: {names}.", "Paste one of them.")
        whole = [steps for part in (chains, batches) for steps in part.values()]
        return tuple(transform for steps in whole for transform in steps)

    # ---------------------------------------------------------------- values

    def _value(self, node: ast.expr, depth: int = 0) -> Any:
        """Plain data (tuples for lists), or `_Steps`."""
        self._parts += 1
        if depth > _DEEPEST or self._parts > _MOST_PARTS:
            what = "this is nested too deeply" if depth > _DEEPEST else "this text has too many parts"
            raise self._refused(node, what)
        match node:
            case ast.Constant(value=bool() | int() | float() | str() | None as value):
                return self._bounded(node, value)
            case ast.Tuple(elts=members) | ast.List(elts=members):
                return self._several(node, [self._value(member, depth + 1) for member in members])
            case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=operand):
                number = self._number(operand, depth + 1)
                return -number if isinstance(sign, ast.USub) else number
            case ast.BinOp():
                return self._computed(node, depth + 1)
            case ast.Name(id=name) if name in self._values:
                self._used.add(name)
                return self._values[name]
            case ast.Name() | ast.Attribute():
                return self._named(node)
            case ast.Call():
                return self._called(node, depth + 1)
        raise self._refused(node, _words(node))

    def _several(self, node: ast.expr, members: Sequence[Any]) -> Any:
        steps = [member for member in members if isinstance(member, _Steps)]
        if not steps:
            return self._bounded(node, tuple(members))
        if len(steps) < len(members):
            raise self._refused(node, "this list has transforms and other things in it")
        return self._steps(node, tuple(member.flat for member in steps))

    def _steps(self, node: ast.expr, parts: tuple[tuple[Transform, ...], ...]) -> _Steps:
        if sum(len(part) for part in parts) > _MOST_TRANSFORMS:
            raise self._refused(node, f"these are more than {_MOST_TRANSFORMS:,} transforms")
        return _Steps(parts)

    def _number(self, node: ast.expr, depth: int) -> int | float:
        value = self._value(node, depth)
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise self._refused(node, "a number is needed here")
        return value

    def _computed(self, node: ast.BinOp, depth: int) -> Any:
        operation = _OPERATIONS.get(type(node.op))
        if operation is None:
            raise self._refused(node, "of arithmetic only + - * / // of numbers is understood")
        left, right = self._value(node.left, depth), self._value(node.right, depth)
        if isinstance(node.op, ast.Add) and (isinstance(left, _Steps) or isinstance(right, _Steps)):
            return self._joined(node, left, right)
        if isinstance(right, tuple) and isinstance(node.op, ast.Mult):
            left, right = right, left
        numbers = all(isinstance(side, (int, float)) and not isinstance(side, bool) for side in (left, right))
        repeats = isinstance(node.op, ast.Mult) and isinstance(left, tuple) and type(right) is int
        joins = isinstance(node.op, ast.Add) and isinstance(left, tuple) and isinstance(right, tuple)
        if not (numbers or joins or (repeats and right <= _MOST_NUMBERS)):
            raise self._refused(node, "of arithmetic only + - * / // of numbers is understood")
        try:
            return self._bounded(node, operation(left, right))
        except ZeroDivisionError as error:
            raise self._refused(node, "this divides by zero") from error

    def _joined(self, node: ast.BinOp, *sides: Any) -> _Steps:
        """Two lists of transforms, of which one may be empty."""
        if not all(side == () or isinstance(side, _Steps) for side in sides):
            raise self._refused(node, "transforms can be added to transforms only")
        return self._steps(node, tuple(part for side in sides if side for part in side.parts))

    def _bounded(self, node: ast.expr, value: Any) -> Any:
        if isinstance(value, (int, float)) and not abs(value) <= _LARGEST:
            raise self._refused(node, "this number is too large")
        if isinstance(value, tuple) and sum(1 for _ in _leaves(value)) > _MOST_NUMBERS:
            raise self._refused(node, f"this list has more than {_MOST_NUMBERS} members")
        return value

    def _named(self, node: ast.expr) -> Any:
        """A member of torch or torchvision: `torch.float32`, `InterpolationMode.BILINEAR`."""
        words = self._dotted(node)
        if len(words) > 1 and words[-2] == "InterpolationMode":
            return words[-1].lower().replace("_", "-")
        if len(words) > 1 and words[-2] == "AutoAugmentPolicy":
            return words[-1].lower()
        if len(words) == 2 and words[0] == "torch":
            return _DTYPES.get(words[1], words[1])
        name = words[-1]
        known = name in TRANSFORMS or name in ("Compose", "Sequential")
        raise self._refused(
            node, f"{name} is not called: {name}(...)" if known else f"{shown('.'.join(words))} is not known"
        )

    def _dotted(self, node: ast.expr) -> list[str]:
        """The words of `torchvision.transforms.v2.Resize`, with the text's own short names written out."""
        words: list[str] = []
        while isinstance(node, ast.Attribute) and len(words) < _DEEPEST:
            words.insert(0, node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            raise self._refused(node, "only names of torchvision are understood here")
        if node.id in self._modules:
            words = [*self._modules[node.id].split("."), *words]
            if words[0] not in _PACKAGES:
                raise self._refused(node, f"{node.id} is not torchvision's")
            return words
        if words and node.id not in _ROOTS | {"InterpolationMode", "AutoAugmentPolicy"}:
            raise self._refused(node, f"{node.id} is not known")
        return [node.id, *words]

    # ---------------------------------------------------------------- calls

    def _called(self, node: ast.Call, depth: int) -> Any:
        name = self._dotted(node.func)[-1]
        if name == "Identity" and not node.args and not node.keywords:
            return _Steps(())
        if name in ("Compose", "ModuleList", "Sequential"):
            return self._chained(node, name, depth)
        entry_name = _ANOTHER_NAME.get(name, name)
        try:
            entry = TRANSFORMS.get(entry_name if entry_name != "Own" else "")
        except UnknownName as error:
            sentence = f"{self._line(node)}: the lab has no transform named {shown(name)}."
            raise UnreadableDocument(sentence, error.remedy) from error
        values = self._arguments(node, entry, depth)
        if name == "ConvertImageDtype":
            values = {"dtype": "float32", "scale": True, **values}
        try:
            return _Steps(((TRANSFORMS.make(entry_name, **values),),))
        except InvalidExperiment as invalid:
            raise InvalidExperiment(invalid.problems, f"{self._line(node)}: {name}") from None

    def _chained(self, node: ast.Call, name: str, depth: int) -> _Steps:
        members = [keyword.value for keyword in node.keywords if keyword.arg == "transforms"]
        given = [*node.args, *members]
        if len(members) < len(node.keywords) or (name != "Sequential" and len(given) != 1):
            raise self._refused(node, f"{name} takes one list of transforms")
        held = [self._value(each, depth) for each in given]
        if held == [()]:
            return _Steps(())
        if not all(isinstance(each, _Steps) for each in held):
            raise self._refused(node, f"{name} takes transforms")
        parts = tuple(part for each in held for part in (each.parts if name != "Sequential" else (each.flat,)))
        if name == "ModuleList":
            return self._steps(node, parts)
        return self._steps(node, (tuple(transform for part in parts for transform in part),))

    def _arguments(self, node: ast.Call, entry: type[Transform], depth: int) -> dict[str, Any]:
        own = {knob.name: knob for knob in knobs(entry) if knob.name != "enabled"}
        name = entry.name_of()
        by_place = [] if entry.mixes else list(own)
        if len(node.args) > len(by_place):
            count = {0: "no arguments", 1: "1 argument"}.get(len(by_place), f"{len(by_place)} arguments")
            raise self._refused(node, f"{name} takes {count} without a name")
        given = dict(zip(by_place, node.args, strict=False))
        for keyword in node.keywords:
            if keyword.arg is None:
                raise self._refused(node, "two stars before a value are not understood: write the arguments out")
            if keyword.arg in given:
                raise self._refused(node, f"{name} is given {keyword.arg} twice")
            if not (entry.mixes and keyword.arg in ("num_classes", "labels_getter")):  # known from the data set
                given[keyword.arg] = keyword.value
        unknown = next((argument for argument in given if argument not in own), None)
        if unknown is not None:
            raise self._refused(node, f"{name} has no argument {unknown}. It has {', '.join(own) or 'none'}")
        return {argument: self._argument(entry, own[argument], value, depth) for argument, value in given.items()}

    def _argument(self, entry: type[Transform], knob: Knob, node: ast.expr, depth: int) -> Any:
        if knob.kind == "path":
            return self._array(node, depth)
        if entry.name_of() == "Lambda":
            return self._lambda(node)
        value = self._value(node, depth)
        if (knob.kind == "specs") != isinstance(value, _Steps):
            raise self._refused(node, f"{knob.name} takes {'transforms' if knob.kind == 'specs' else 'no transforms'}")
        if isinstance(value, _Steps):
            return self._held(entry, node, value)
        single = knob.name == "size" and isinstance(value, tuple) and len(value) == 1  # as torchvision takes it
        return value[0] if single else value

    def _held(self, entry: type[Transform], node: ast.expr, steps: _Steps) -> tuple[Transform, ...]:
        """What stands inside another transform; only in turn can several be one member."""
        if getattr(entry, "in_turn", False):
            return _with_to_tensor(steps.flat)
        parts = [_with_to_tensor(part) for part in steps.parts]
        if any(len(part) != 1 for part in parts):
            raise self._refused(node, f"inside {entry.name_of()} a chain cannot be one of the members")
        return tuple(part[0] for part in parts)

    def _lambda(self, node: ast.expr) -> str:
        if not isinstance(node, ast.Lambda):
            raise self._refused(node, "Lambda takes a lambda")
        if node.lineno == node.end_lineno:  # as it was typed, for that is what a person trusts
            return self._lines[node.lineno - self._first].encode()[node.col_offset : node.end_col_offset].decode()
        try:
            return ast.unparse(node)
        except RecursionError as error:
            raise self._refused(node, "this is nested too deeply") from error

    def _array(self, node: ast.expr, depth: int) -> Path | None:
        """The file of an array; None for what stands for no numbers: zeros, the identity."""
        match node:
            case ast.Constant(value=None):
                return None
            case ast.Call(func=ast.Attribute(value=ast.Call() as inner, attr="float"), args=[]) if depth < _DEEPEST:
                return self._array(inner, depth + 1)
            case ast.Call(args=[argument]):
                called = self._dotted(node.func)[-1]
                if called in ("eye", "zeros"):
                    return None
                if called == "from_numpy" and depth < _DEEPEST:
                    return self._array(argument, depth + 1)
                if called == "load" and isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    return _by_name(Path(argument.value))
        raise self._refused(node, "of arrays only torch.from_numpy(numpy.load('file.npy')) is understood")

    # ---------------------------------------------------------------- what is not understood

    def _line(self, node: ast.AST) -> str:
        return f"Line {max(getattr(node, 'lineno', 1) - self._first, 0) + 1}"

    def _refused(self, node: ast.AST, sentence: str) -> UnreadableDocument:
        return UnreadableDocument(f"{self._line(node)}: {sentence}.", _REMEDY)


def _words(node: ast.AST) -> str:
    return _WORDS.get(type(node), "this is not understood")


def _leaves(value: tuple[Any, ...]) -> Iterator[Any]:
    for member in value:
        yield member
        if isinstance(member, tuple):
            yield from _leaves(member)


def _by_name(path: Path) -> Path:
    """An array that the lab has measured is known by its name alone."""
    return Path(path.name) if path.parent == paths.measured() else path
