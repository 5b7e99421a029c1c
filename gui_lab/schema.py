"""How a thing declares its knobs, once: the form, the file, the flag and the documentation all come from it.

A `Spec` is a frozen pydantic model whose fields are made with `knob`. `knobs(cls)` reads the declaration back in plain
terms, a `Registry` holds the classes a person can choose among, and a `Problem` says what is wrong at which path and
how one click repairs it. Neither torch nor Qt is needed here, so the window can paint its forms before torch is there.
"""

from __future__ import annotations

import difflib
import functools
import inspect
import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticUndefined

from gui_lab.errors import InvalidExperiment, UnknownName


@dataclass(frozen=True)
class Repair:
    """One click that mends a problem: set the value at `path` of the experiment to `value`."""

    label: str
    path: str
    value: Any


@dataclass(frozen=True)
class Problem:
    """What is wrong (or odd, where `severity` is "warning") at `path`, in one sentence, with its repairs."""

    path: str
    sentence: str
    repairs: tuple[Repair, ...] = ()
    severity: Literal["error", "warning"] = "error"

    def under(self, prefix: str) -> Problem:
        """The same problem with its path put below `prefix`."""
        path = f"{prefix}.{self.path}" if self.path else prefix
        return Problem(path, self.sentence, self.repairs, self.severity)


class FieldError(ValueError):
    """Raised by a spec's own validator: what is wrong with one field beside the others."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


class Spec(BaseModel):
    """A thing with knobs. Subclasses declare fields with `knob`; instances are values: frozen and comparable.

    The class's name is its name everywhere: in the list, in the file (`name = "..."`) and on the command line.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, ser_json_inf_nan="constants")

    group: ClassVar[str] = ""
    """Under which heading a list shows it."""
    holds: ClassVar[Mapping[str, Registry[Any]]] = {}
    """The fields that hold other specs, as tuples, and the registry of each: RandomApply holds `transforms`."""

    @classmethod
    def name_of(cls) -> str:
        return cls.__name__

    @classmethod
    def summary(cls) -> str:
        """The first sentence of its docstring."""
        return (inspect.getdoc(cls) or "").partition("\n")[0]

    @classmethod
    def variant(cls, values: Mapping[str, Any]) -> type[typing.Self]:
        """The class that a document's fields are read by: this one, but for a family whose fields are found out."""
        return cls

    def changed(self, **values: Any) -> typing.Self:
        """A validated copy with other values.

        Raises:
            InvalidExperiment: a value is out of its bounds or of the wrong type; paths are field names.
        """
        return parse(type(self), {**dict(self), **values})

    def table(self, *, full: bool = False) -> dict[str, Any]:
        """As plain data for a document: `name` first, then the fields (only those off their default unless full)."""
        data = self.model_dump(mode="json", exclude=set(self.holds))
        data |= {field: [held.table(full=full) for held in getattr(self, field)] for field in self.holds}
        keep = {
            knob.name for knob in knobs(type(self)) if full or knob.required or getattr(self, knob.name) != knob.default
        }
        fields = {key: value for key, value in data.items() if key in keep and value is not None}
        return {"name": self.name_of(), **fields}


SpecType = TypeVar("SpecType", bound=Spec)

NESTED_AT_MOST = 3
"""How many specs that hold others may stand around one that holds none."""


def depth(spec: Spec) -> int:
    """How many specs that hold others stand inside each other here: 0 for one that holds none."""
    held = [depth(one) for field in spec.holds for one in getattr(spec, field)]
    return 1 + max(held, default=0) if spec.holds else 0


def too_deep(noun: str) -> str:
    return f"{noun.capitalize()}s can stand inside each other {NESTED_AT_MOST} deep at most."


def knob(
    default: Any = PydanticUndefined,
    help: str = "",  # noqa: A002 - the word every command line uses for it
    *,
    unit: str = "",
    felt: bool = False,
    listed: bool = True,
    step: float | None = None,
    files: str = "",
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
    min_length: int | None = None,
    max_length: int | None = None,
    default_factory: Callable[[], Any] | None = None,
) -> Any:
    """Declare a field.

    Args:
        default: its value when none is given; left out, the field is required.
        help: one line in plain words, shown under the editor and by `--help`.
        unit: shown inside the editor ("degrees", "px").
        felt: True for what one feels rather than knows (an angle, a probability): the form adds a slider.
        listed: False for a field that has a place of its own and not in the generated form.
        step: of the spin box; None lets the form choose one.
        files: of a path, the pattern of the files that it may name ("*.npy"); empty where it names a folder.
        ge, gt, le, lt: numeric bounds; for a tuple they hold for each element.
        min_length, max_length: number of elements of a tuple, or of characters of a string.
        default_factory: computes the default when it depends on the machine.
    """
    extra: dict[str, Any] = {"unit": unit, "felt": felt, "listed": listed, "step": step, "files": files}
    bounds = {"ge": ge, "gt": gt, "le": le, "lt": lt, "min_length": min_length, "max_length": max_length}
    given: dict[str, Any] = {key: value for key, value in bounds.items() if value is not None}
    if default_factory is not None:
        return Field(default_factory=default_factory, description=help, json_schema_extra=extra, **given)
    return Field(default, description=help, json_schema_extra=extra, **given)


@dataclass(frozen=True)
class Knob:
    """A field's declaration in plain terms, for forms and flags.

    `kind` is one of "int", "float", "bool", "choice", "floats", "ints", "text", "path", "specs"; `optional` says that
    None is a value; `choices` are those of a choice, or the words that may stand for numbers; `low` and `high` are
    inclusive bounds or None; `files` is the pattern of the files that a path may name, empty where it names a folder.
    """

    name: str
    kind: Literal["int", "float", "bool", "choice", "floats", "ints", "text", "path", "specs"]
    default: Any
    required: bool
    optional: bool
    help: str
    unit: str
    felt: bool
    listed: bool
    step: float | None
    low: float | None
    high: float | None
    low_open: bool
    high_open: bool
    choices: tuple[str, ...] = ()
    files: str = ""


def knobs(spec: type[Spec]) -> tuple[Knob, ...]:
    """The fields of a spec in the order of their declaration, those that the whole family shares last."""
    if any(field.default_factory is not None for field in spec.model_fields.values()):
        return _read_knobs(spec)  # such a default is the machine's and may be another one tomorrow
    return _known_knobs(spec)


@functools.cache
def _known_knobs(spec: type[Spec]) -> tuple[Knob, ...]:
    return _read_knobs(spec)


def _read_knobs(spec: type[Spec]) -> tuple[Knob, ...]:
    fields = spec.model_fields
    families = [base for base in spec.__mro__[1:] if issubclass(base, Spec) and Spec in base.__bases__]
    shared = {name for family in families for name in family.model_fields}
    ordered = sorted(fields, key=lambda name: name in shared)
    return tuple(_knob(name, fields[name]) for name in ordered)


def _knob(name: str, field: Any) -> Knob:
    extra = field.json_schema_extra or {}
    optional, inner = _without_none(field.annotation)
    bounds = _bounds(field.metadata)
    for member in inner if isinstance(inner, tuple) else (inner,):
        bounds = _bounds_within(member) | bounds
    return Knob(
        name=name,
        kind=_kind(inner),
        default=None if field.is_required() else field.get_default(call_default_factory=True),
        required=field.is_required(),
        optional=optional,
        help=field.description or "",
        unit=extra.get("unit", ""),
        felt=extra.get("felt", False),
        listed=extra.get("listed", True),
        step=extra.get("step"),
        low=bounds.get("ge", bounds.get("gt")),
        high=bounds.get("le", bounds.get("lt")),
        low_open="gt" in bounds,
        high_open="lt" in bounds,
        choices=_words(inner),
        files=extra.get("files", ""),
    )


def _words(annotation: Any) -> tuple[str, ...]:
    """Those of a Literal, alone or beside numbers."""
    members: Any = annotation if isinstance(annotation, tuple) else (annotation,)
    origins: list[Any] = [typing.get_origin(member) for member in members]
    literals = [member for member, origin in zip(members, origins, strict=True) if origin is Literal]
    return tuple(word for member in literals for word in typing.get_args(member))


def _bounds(metadata: Any) -> dict[str, Any]:
    found = {}
    for constraint in metadata:
        for one in getattr(constraint, "metadata", None) or (constraint,):  # a nested Field carries a list
            for key in ("ge", "gt", "le", "lt"):
                if getattr(one, key, None) is not None:
                    found[key] = getattr(one, key)
    return found


def _bounds_within(annotation: Any) -> dict[str, Any]:
    """Bounds of the numbers in an annotation such as Annotated[int, ...] or tuple[Annotated[float, ...], ...]."""
    origin: Any = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _bounds(annotation.__metadata__)
    return _bounds_within(typing.get_args(annotation)[0]) if origin is tuple else {}


def _without_none(annotation: Any) -> tuple[bool, Any]:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        members = [member for member in typing.get_args(annotation) if member is not type(None)]
        return len(members) < len(typing.get_args(annotation)), members[0] if len(members) == 1 else tuple(members)
    return False, annotation


def _kind(annotation: Any) -> Any:
    members = [_bare(member) for member in (annotation if isinstance(annotation, tuple) else (annotation,))]
    for member in members:  # a number or several of it (`size: int | tuple[int, int]`) is edited as several
        if typing.get_origin(member) is tuple:
            inner = _bare(typing.get_args(member)[0])
            if isinstance(inner, type) and issubclass(inner, Spec):
                return "specs"
            return "ints" if _bare(typing.get_args(member)[0]) is int else "floats"
    if typing.get_origin(members[0]) is Literal:
        return "choice"
    plain = {bool: "bool", int: "int", float: "float", str: "text", Path: "path"}
    return plain[members[0]]


def _bare(annotation: Any) -> Any:
    """An annotation without its bounds."""
    origin: Any = typing.get_origin(annotation)
    return _bare(typing.get_args(annotation)[0]) if origin is typing.Annotated else annotation


def parse(spec: type[SpecType], values: Mapping[str, Any]) -> SpecType:
    """Validate plain values into a spec.

    Raises:
        InvalidExperiment: with one problem for each field that is wrong; paths are field names.
    """
    try:
        return spec.model_validate(dict(values))
    except ValidationError as error:
        raise InvalidExperiment(_problems(spec, error), spec.name_of()) from None


def _problems(spec: type[Spec], error: ValidationError) -> list[Problem]:
    found: dict[str, Any] = {}
    for detail in error.errors(include_url=False):
        location = detail["loc"]
        path = str(location[0]) if location else getattr(detail.get("ctx", {}).get("error"), "field", "")
        # of `int | tuple[int, int]` the branch of the kind that was given says what is wrong with it
        if path not in found or (_of_another_kind(found[path]) and not _of_another_kind(detail)):
            found[path] = detail
    return [Problem(path, _sentence(spec, path, detail)) for path, detail in found.items()]


def _of_another_kind(detail: Any) -> bool:
    return bool(detail["type"].endswith("_type"))


def _sentence(spec: type[Spec], path: str, detail: Any) -> str:
    kind, given = detail["type"], detail.get("input")
    if kind == "extra_forbidden":
        own = [knob.name for knob in knobs(spec)]
        near = difflib.get_close_matches(path, own, 1)
        hint = f"Did you mean {near[0]}?" if near else f"It has {', '.join(own) or 'no fields'}."
        return f"{spec.name_of()} has no field of this name. {hint}"
    if kind == "missing":
        return f"{spec.name_of()} needs a value here." if len(detail["loc"]) == 1 else f"{shown(given)} is too short."
    if kind == "value_error":
        return str(detail["ctx"]["error"])
    message = re.sub(r"^(Input|Value|Tuple) should ", "Must ", detail["msg"]).replace("a valid tuple", "a list")
    return f"{re.sub(r' after validation, not [0-9]+$', '', message)}, not {shown(given)}."


def shown(value: Any) -> str:
    """A value of a document as an error may show it: short, whatever it is."""
    try:
        text = repr(value)
    except (RecursionError, ValueError):  # nested too deeply; an integer of thousands of digits
        return "this"
    return text if len(text) <= 60 else f"{text[:57]}..."


class Registry(Generic[SpecType]):
    """The entries of one family, in the order in which they were added. Use as a class decorator: `@MODELS.add`."""

    def __init__(self, noun: str) -> None:
        self.noun = noun
        self._entries: dict[str, type[SpecType]] = {}

    def add(self, entry: type[SpecType]) -> type[SpecType]:
        if entry.name_of() in self._entries:
            raise ValueError(f"two {self.noun}s are named {entry.name_of()}")
        self._entries[entry.name_of()] = entry
        return entry

    def remove(self, name: str) -> None:
        """Forget an entry (own classes that were unloaded, and tests)."""
        del self._entries[name]

    def names(self) -> tuple[str, ...]:
        return tuple(self._entries)

    def __iter__(self) -> Iterator[type[SpecType]]:
        return iter(tuple(self._entries.values()))

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def get(self, name: str) -> type[SpecType]:
        """
        Raises:
            UnknownName: there is no such entry; the remedy names the nearest ones.
        """
        try:
            return self._entries[name]
        except (KeyError, TypeError):
            near = difflib.get_close_matches(shown(name).strip("'"), self._entries, 3, 0.5) or list(self._entries)
            raise UnknownName(f"There is no {self.noun} named {shown(name)}.", f"Known: {', '.join(near)}.") from None

    def make(self, name: str, **values: Any) -> SpecType:
        """A validated entry by name."""
        return parse(self.get(name), values)

    def parse(self, table: Any, path: str, level: int = 0) -> SpecType:
        """An entry from a document's table: `name` beside its fields. `level` tables are around it.

        Raises:
            InvalidExperiment: all that is wrong with the table, with paths below `path`.
        """
        if not isinstance(table, Mapping):
            raise InvalidExperiment([Problem(path, f"A {self.noun} is a table with a name, not {shown(table)}.")])
        values = dict(table)
        name = values.pop("name", None)
        if name is None:
            known = ", ".join(self.names())
            raise InvalidExperiment([Problem(f"{path}.name", f"Which {self.noun}? Known: {known}.")])
        try:
            entry = self.get(name)
        except UnknownName as unknown:
            raise InvalidExperiment([Problem(f"{path}.name", str(unknown))]) from None
        held = {field: registry for field, registry in entry.holds.items() if field in values}
        problems: list[Problem] = []
        broken: set[str] = set()
        for field, registry in held.items():
            inside: list[Problem] = []
            values[field] = registry.parse_all(values[field], f"{path}.{field}", inside, level + 1)
            problems += inside
            if inside:
                broken.add(field)
        try:
            made = parse(entry.variant(values), values)
        except InvalidExperiment as invalid:
            problems = [problem.under(path) for problem in invalid.problems if problem.path not in broken] + problems
        if problems:
            raise InvalidExperiment(problems)
        return made

    def parse_all(self, tables: Any, path: str, problems: list[Problem], level: int = 0) -> tuple[SpecType, ...]:
        """Entries from a document's list of tables; what is wrong with any of them is added to `problems`."""
        if level > NESTED_AT_MOST:
            problems.append(Problem(path, too_deep(self.noun)))
            return ()
        if not isinstance(tables, (list, tuple)):
            problems.append(Problem(path, f"Must be a list of tables, each a {self.noun} with a name."))
            return ()
        found = []
        for place, table in enumerate(tables):
            try:
                found.append(self.parse(table, f"{path}.{place}", level))
            except InvalidExperiment as invalid:
                problems.extend(invalid.problems)
        return tuple(found)
