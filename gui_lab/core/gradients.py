"""What torch's autograd makes of expressions, term by term: values, local Jacobians, and the way back through them.

The expressions are computed by torch itself in float64 and its own graph is kept, so a name such as `AddBackward0` is
torch's. The Jacobian of an operation is found by differentiating that operation alone, and gradients are then put
together here as products of these matrices; that they are what `backward` says, and what finite differences say, is
for the page to claim and for a reader to see.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gui_lab.core.expressions import (
    MOST_ELEMENTS,
    Apply,
    At,
    Expression,
    Name,
    Number,
    Row,
    Statement,
    in_words,
    literal,
    over,
    values_of,
    wrong,
)

Floats = npt.NDArray[np.float64]
Operand = str | float | Tensor
"""The key of a term, or a constant."""
_MOST_TERMS = 48
_MOST_PATHS = 4
_LONGEST_WORDS = 14  # of an operand that has no name
_NUDGE = 1e-5
_INFIX: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "**": operator.pow,
    "@": operator.matmul,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Term:
    """A value that was given, or what an operation made.

    Attributes:
        key: its own in the record: its name where it has one.
        words: how it came about: "x + 2"; its name where it was given.
        function: of the operation; empty where it was given.
        operands: of the operation, in order.
        tensor: float64, as torch's graph holds it.
        at: where it is written.
    """

    key: str
    words: str
    function: str
    operands: tuple[Operand, ...]
    tensor: Tensor
    at: At

    @property
    def grad_fn(self) -> str:
        """Torch's name of what differentiates it; empty where nothing does."""
        return type(self.tensor.grad_fn).__name__ if self.tensor.grad_fn is not None else ""

    @property
    def numbers(self) -> Floats:
        """Flat, in torch's order."""
        return self.tensor.detach().flatten().numpy().copy()


@dataclass(frozen=True)
class Link:
    """The term `start` is the operand `place` of the term `end`. `live` where a gradient comes back along it."""

    start: str
    end: str
    place: int
    live: bool


@dataclass(frozen=True, eq=False)
class Record:
    """Expressions as torch recorded them.

    Attributes:
        terms: by key, each after those it is made of.
        named: the key of each name, in the order in which they are written.
        given: the names of the values, which are leaves.
    """

    terms: Mapping[str, Term]
    named: Mapping[str, str]
    given: tuple[str, ...]

    @functools.cached_property
    def links(self) -> tuple[Link, ...]:
        return tuple(
            Link(operand, term.key, place, term.tensor.requires_grad and self.terms[operand].tensor.requires_grad)
            for term in self.terms.values()
            for place, operand in enumerate(term.operands)
            if isinstance(operand, str)
        )

    @functools.cached_property
    def jacobians(self) -> Mapping[Link, Floats]:
        """Of each live link d end / d start, (elements of end, elements of start), by torch."""
        found: dict[Link, Floats] = {}
        for term in self.terms.values():
            links = [link for link in self.links if link.end == term.key]
            if any(link.live for link in links):
                found |= {link: matrix for link, matrix in zip(links, self._locally(term), strict=True) if link.live}
        return found

    def _locally(self, term: Term) -> list[Floats]:
        """The Jacobians of one operation alone, in the order of its operands that are terms."""
        inputs = [
            self.terms[one].tensor.detach().requires_grad_() if isinstance(one, str) else one for one in term.operands
        ]
        leaves = [one for one, operand in zip(inputs, term.operands, strict=True) if isinstance(operand, str)]
        tensors = [one for one in leaves if isinstance(one, Tensor)]
        outputs = applied(term.function, inputs).flatten()
        rows = [torch.autograd.grad(one, tensors, retain_graph=True) for one in outputs]
        return [np.stack([row[place].flatten().numpy() for row in rows]) for place in range(len(tensors))]

    def parts(self, of: str) -> tuple[Term, ...]:
        """The operations that a gradient of the term `of` comes back through, from the first to the last."""
        reached = {of}
        for link in reversed(self.links):
            if link.live and link.end in reached:
                reached.add(link.start)
        return tuple(term for term in self.terms.values() if term.key in reached and term.grad_fn and term.function)

    def sweep(self, of: str, v: Sequence[float]) -> Sweep:
        """The way back from `of` with `v` coming in: a product of a row and a matrix along each live link."""
        upstream: dict[str, Floats] = {of: np.array(v, np.float64)}
        along: dict[Link, Floats] = {}
        for term in reversed(self.parts(of)):
            for link in self.links:
                if link.end == term.key and link.live:
                    with np.errstate(all="ignore"):  # what is no number stays none
                        along[link] = upstream[term.key] @ self.jacobians[link]
                    before = upstream.get(link.start)
                    upstream[link.start] = along[link] if before is None else before + along[link]
        return Sweep(upstream, along)

    def paths(self, of: str, by: str) -> list[list[Link]]:
        """The ways back from `of` to `by`, each from its end to its start; none where there are more than a few."""
        made_of_it = {by}
        for link in self.links:
            if link.live and link.start in made_of_it:
                made_of_it.add(link.end)

        def ways(key: str) -> Iterator[list[Link]]:
            if key == by:
                yield []
                return
            for link in self.links:
                if link.end == key and link.live and link.start in made_of_it:
                    for rest in ways(link.start):
                        yield [link, *rest]

        found = []
        for way in ways(of):
            found.append(way)
            if len(found) > _MOST_PATHS:
                return []
        return found

    def replayed(self, changed: Mapping[str, Tensor], *, grad: bool = False) -> dict[str, Tensor]:
        """All terms with some of the given values changed; what was detached stays as it was. With `grad` torch
        records it, for values that ask for it."""
        found: dict[str, Tensor] = {}
        with torch.set_grad_enabled(grad):
            for term in self.terms.values():
                if not term.function or term.function == "detach":
                    found[term.key] = changed.get(term.key, term.tensor.detach())
                else:
                    found[term.key] = applied(
                        term.function, [found[one] if isinstance(one, str) else one for one in term.operands]
                    )
        return found


@dataclass(frozen=True, eq=False)
class Sweep:
    """What comes back: to each term, float64 (its elements,), and along each link."""

    upstream: Mapping[str, Floats]
    along: Mapping[Link, Floats]


# -------------------------------------------------------------------- forward


def applied(function: str, operands: Sequence[Tensor | float]) -> Tensor:
    """An operation of the grammar, by torch."""
    first = operands[0]
    if all(isinstance(one, float) for one in operands):
        first = torch.tensor(first, dtype=torch.float64)
    if function in _INFIX:
        return _INFIX[function](first, operands[1])  # type: ignore[arg-type]  # a number is as good as a tensor
    assert isinstance(first, Tensor)
    if function == "neg":
        return -first
    if function == "softmax":
        return torch.softmax(first, -1)
    made: Tensor = getattr(torch, function)(first) if function != "detach" else first.detach()
    return made


@functools.lru_cache(maxsize=16)
def recorded(
    values: str,
    expressions: str,
    requires_grad: frozenset[str] | None = None,
    detached: str = "",
    no_grad: bool = False,
) -> Record:
    """What torch records of these texts; kept for the next time, so nobody may call `backward` on it.

    Args:
        requires_grad: the values that get a gradient; None for all of them.
        detached: the name whose term is cut off from what it was made of; empty for none.
        no_grad: nothing is recorded, as under `torch.no_grad()`.

    Raises:
        LabError: the texts are wrong, or shapes do not fit together; with the place and a remedy.
    """
    return anew(values, expressions, requires_grad, detached, no_grad)


def anew(values: str, expressions: str, requires_grad: frozenset[str] | None, detached: str, no_grad: bool) -> Record:
    """The same, computed anew: its graph belongs to the caller, who may go back through it."""
    given = values_of(values)
    told = over(given, expressions)
    recorder = _Recorder(detached)
    for statement in given:
        assert isinstance(statement.expression, (Number, Row))
        recorder.give(statement, requires_grad is None or statement.name in requires_grad)
    with torch.set_grad_enabled(not no_grad):
        for statement in told:
            recorder.tell(statement)
    return Record(recorder.terms, recorder.named, tuple(statement.name for statement in given))


def _tensor(expression: Number | Row) -> Tensor:
    numbers = [expression.value] if isinstance(expression, Number) else list(expression.flat())
    shape = () if isinstance(expression, Number) else expression.shape
    return torch.tensor(numbers, dtype=torch.float64).reshape(shape)


class _Recorder:
    """Computes statements one after the other."""

    def __init__(self, detached: str) -> None:
        self.terms: dict[str, Term] = {}
        self.named: dict[str, str] = {}
        self._detached = detached

    def give(self, statement: Statement, requires_grad: bool) -> None:
        assert isinstance(statement.expression, (Number, Row))
        tensor = _tensor(statement.expression).requires_grad_(requires_grad)
        self._keep(Term(statement.name, statement.name, "", (), tensor, statement.at))
        self.named[statement.name] = statement.name

    def tell(self, statement: Statement) -> None:
        expression = statement.expression
        if statement.name == self._detached:
            expression = Apply("detach", (expression,), statement.at)
        if isinstance(expression, (Number, Row)):
            self._keep(Term(statement.name, literal(expression), "", (), _tensor(expression), statement.at))
            self.named[statement.name] = statement.name
        elif isinstance(expression, Name):
            self.named[statement.name] = self.named[expression.name]
        else:
            self.named[statement.name] = self._apply(expression, statement.name)

    def _keep(self, term: Term) -> None:
        if len(self.terms) >= _MOST_TERMS:
            wrong(term.at, f"These are more than {_MOST_TERMS} operations.", "Leave some out.")
        self.terms[term.key] = term

    def _operand(self, expression: Expression) -> Operand:
        if isinstance(expression, Number):
            return expression.value
        if isinstance(expression, Row):
            return _tensor(expression)
        return self.named[expression.name] if isinstance(expression, Name) else self._apply(expression, "")

    def _apply(self, expression: Apply, name: str) -> str:
        operands = tuple(self._operand(argument) for argument in expression.arguments)
        tensors = [self.terms[one].tensor if isinstance(one, str) else one for one in operands]
        tensor = _tried(expression, tensors)
        key = name or f"_{len(self.terms)}"
        words = in_words(expression.function, [self._word(one, inside=len(operands) > 1) for one in operands])
        self._keep(Term(key, words, expression.function, operands, tensor, expression.at))
        return key

    def _word(self, operand: Operand, *, inside: bool) -> str | float:
        """What is written for it; `inside` where it stands beside an operator."""
        if isinstance(operand, str) and operand.startswith("_"):
            made = self.terms[operand]
            words = f"({made.words})" if inside and made.function in (*_INFIX, "neg") else made.words
            return words if len(words) <= _LONGEST_WORDS else "·"
        if isinstance(operand, str):
            return operand
        return operand if isinstance(operand, float) else "( )"


def _tried(expression: Apply, operands: Sequence[Tensor | float]) -> Tensor:
    """
    Raises:
        LabError: the shapes do not fit together.
    """
    try:
        made = applied(expression.function, operands)
    except (RuntimeError, IndexError, TypeError):
        shapes = [shape_words(one) for one in operands if isinstance(one, Tensor)] or ["numbers"]
        sentence = f"{expression.function} cannot be applied to {' and '.join(shapes)}."
        remedy = "Before and after @ stand vectors or matrices: columns of the first = rows of the second."
        wrong(expression.at, sentence, remedy if expression.function == "@" else "Give both the same shape.")
    if made.numel() > MOST_ELEMENTS:
        wrong(expression.at, f"This has {made.numel()} elements.", f"Stay at {MOST_ELEMENTS} or below.")
    return made


def element_names(name: str, tensor: Tensor) -> list[str]:
    """y_0, y_1 of a tensor's elements, flat; a scalar has no index. Without a name the indices alone."""
    if tensor.dim() == 0:
        return [name]
    return [f"{name}_{place}" if name else str(place) for place in range(tensor.numel())]


def shape_words(tensor: Tensor) -> str:
    """shape (2, 3); scalar."""
    return f"shape {tuple(tensor.shape)}" if tensor.dim() else "a scalar"


# -------------------------------------------------------------------- backward, by torch


Grads = Mapping[str, tuple[float, ...] | None]


@dataclass(frozen=True)
class Called:
    """What `backward` left.

    Attributes:
        grads: of each given value its flat gradient after each call that worked, None where it has none.
        left: the same after all of it.
        error: torch's own words where a call failed, as "RuntimeError: ..."; empty where none did.
    """

    grads: tuple[Grads, ...]
    left: Grads
    error: str = ""


def called(
    record: Record, of: str, v: Sequence[float], *, retain_graph: bool = False, twice: bool = False, zero: bool = False
) -> Called:
    """Call `backward` on the term `of`, once or twice. The record must be of `anew`: its graph is used up.

    Args:
        v: one number for each element of the term.
        retain_graph: what the first call is told.
        zero: gradients are set to zero between both.
    """
    target = record.terms[of].tensor
    coming = torch.tensor(list(v), dtype=torch.float64).reshape(target.shape)
    plain = target.dim() == 0 and v[0] == 1
    found: list[Grads] = []
    for turn in range(1 + twice):
        if turn and zero:
            for name in record.given:
                if (grad := record.terms[name].tensor.grad) is not None:
                    grad.zero_()
        try:
            # the same as target.backward(coming), at which torch first imports a second's worth of sympy
            weighted = target if plain else (target * coming).sum()
            weighted.backward(retain_graph=retain_graph)  # type: ignore[no-untyped-call]  # torch's
        except RuntimeError as error:
            return Called(tuple(found), _grads(record), f"RuntimeError: {error}")
        found.append(_grads(record))
    return Called(tuple(found), found[-1])


def _grads(record: Record) -> Grads:
    given = {name: record.terms[name].tensor for name in record.given}
    return {name: None if one.grad is None else tuple(one.grad.flatten().tolist()) for name, one in given.items()}


# -------------------------------------------------------------------- the check


@dataclass(frozen=True)
class Slope:
    """What finite differences say of one element: the slope to the left, to the right, and from both sides."""

    left: float
    right: float
    middle: float

    @property
    def known(self) -> bool:
        """Whether the function is defined on both sides."""
        return bool(np.isfinite([self.left, self.right, self.middle]).all())

    @property
    def kink(self) -> bool:
        """There is no derivative here, as of relu at 0."""
        return abs(self.left - self.right) > 1e-3 * max(1.0, abs(self.left) + abs(self.right))


def slopes(record: Record, of: str, v: Sequence[float], by: str) -> list[Slope]:
    """How v · of answers to a nudge of each element of the given value `by`, in float64."""
    weights = torch.tensor(list(v), dtype=torch.float64)
    base = record.terms[by].tensor.detach()

    def value(place: int, step: float) -> float:
        nudged = base.clone()
        nudged.view(-1)[place] += step
        return float(record.replayed({by: nudged})[of].flatten() @ weights)

    here, found = float(record.terms[of].tensor.detach().flatten() @ weights), []
    for place in range(base.numel()):
        step = _NUDGE * max(1.0, abs(float(base.flatten()[place])) ** 0.5)
        low, high = value(place, -step), value(place, step)
        found.append(Slope((here - low) / step, (high - here) / step, (high - low) / (2 * step)))
    return found
