"""What a person types on the autograd page: named tensors, and expressions over them.

The grammar is small and our own, nobody's text is ever run as Python. It reads as PyTorch does: `W = ((1, 2), (3, 4))`,
`y = relu(W @ x) + 2`, statements parted by `;` or new lines. What is written is bounded in length, depth and number, so
no text can hold up the lab, and each error says where it is and what to do. No torch: a form checks its text with this.

    statements   statement ((";" | newline) statement)*
    statement    NAME "=" expression
    expression   with the operators + - | * / @ | unary - | ** as in Python
    atom         NUMBER | NAME | FUNCTION "(" expression ")" | "(" expression ")" | row
    row          "(1, 2)" or "[1, 2]", of numbers or of rows
"""

from __future__ import annotations

import difflib
import keyword
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple, NoReturn

from gui_lab.core.figures import figure
from gui_lab.errors import LabError

FUNCTIONS = (
    "exp", "log", "sin", "cos", "tanh", "relu", "sigmoid", "softmax", "sum", "mean", "max", "min", "abs", "sqrt",
    "detach",
)  # fmt: skip
MOST_ELEMENTS = 36
"""Of one tensor."""
_LONGEST_TEXT, _MOST_STATEMENTS, _DEEPEST, _LONGEST_NAME = 600, 16, 16, 16
_LARGEST = 1e6
_BINDING = {"+": 10, "-": 10, "*": 20, "/": 20, "@": 20, "**": 40}
_UNARY = 30
_TOKEN = re.compile(
    r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)|(?P<name>[A-Za-z][A-Za-z_0-9]*)"
    r"|(?P<sign>\*\*|[-+*/@()\[\],=])|(?P<end>[;\n])|(?P<space>[ \t\r]+)"
)


class At(NamedTuple):
    """A place in a text, from 1."""

    line: int
    column: int


@dataclass(frozen=True)
class Number:
    value: float
    at: At


@dataclass(frozen=True)
class Name:
    name: str
    at: At


@dataclass(frozen=True)
class Row:
    """Numbers or rows of them, all of one length."""

    items: tuple[Number | Row, ...]
    at: At

    @property
    def shape(self) -> tuple[int, ...]:
        first = self.items[0]
        return (len(self.items), *(first.shape if isinstance(first, Row) else ()))

    def flat(self) -> Iterator[float]:
        for item in self.items:
            if isinstance(item, Row):
                yield from item.flat()
            else:
                yield item.value


@dataclass(frozen=True)
class Apply:
    """An operator or a function of one or two arguments; "neg" is the minus before one."""

    function: str
    arguments: tuple[Expression, ...]
    at: At


Expression = Number | Name | Row | Apply


@dataclass(frozen=True)
class Statement:
    name: str
    expression: Expression
    at: At


def wrong(at: At, sentence: str, remedy: str) -> NoReturn:
    """
    Raises:
        LabError: always; the sentence is put behind its place.
    """
    raise LabError(f"Line {at.line}, column {at.column}: {sentence}", remedy)


def parsed(text: str) -> tuple[Statement, ...]:
    """The statements of a text; only their grammar is looked at.

    Raises:
        LabError: what is wrong first, with its place and a remedy.
    """
    if len(text) > _LONGEST_TEXT:
        raise LabError(f"The text has {len(text):,} characters.", f"Shorten it to {_LONGEST_TEXT}.")
    return _Parser(text).statements()


def values_of(text: str) -> tuple[Statement, ...]:
    """Statements that give names numbers and rows, and nothing else.

    Raises:
        LabError: with its place and a remedy.
    """
    given, known = parsed(text), set[str]()
    for statement in given:
        if isinstance(statement.expression, (Name, Apply)):
            wrong(statement.at, "A value is a number or a row of numbers.", f"Write {statement.name} = (1, 2).")
        _new_name(statement, known)
    return given


def over(given: tuple[Statement, ...], text: str) -> tuple[Statement, ...]:
    """Statements over values that are given.

    Raises:
        LabError: with its place and a remedy, also for a name that has no value or has one already.
    """
    told, known = parsed(text), {statement.name for statement in given}
    for statement in told:
        for name in _names(statement.expression):
            if name.name not in known:
                near = difflib.get_close_matches(name.name, (*known, *FUNCTIONS), 1) or sorted(known)
                wrong(name.at, f"{name.name} has no value.", f"Known here: {', '.join(near)}.")
        _new_name(statement, known)
    return told


def _new_name(statement: Statement, known: set[str]) -> None:
    if statement.name in known:
        wrong(statement.at, f"{statement.name} has a value already.", "Give this one another name.")
    known.add(statement.name)


def _names(expression: Expression) -> Iterator[Name]:
    if isinstance(expression, Name):
        yield expression
    elif isinstance(expression, Apply):
        for argument in expression.arguments:
            yield from _names(argument)


# -------------------------------------------------------------------- reading


@dataclass(frozen=True)
class _Token:
    kind: Literal["number", "name", "sign", "end", "last"]
    text: str
    at: At

    def __str__(self) -> str:
        return {"last": "the end", "end": "the end of the line"}.get(self.kind, self.text)


def _tokens(text: str) -> Iterator[_Token]:
    place, line, start = 0, 1, 0
    while place < len(text):
        at = At(line, place - start + 1)
        found = _TOKEN.match(text, place)
        if found is None:
            wrong(at, f"{text[place]!r} has no meaning here.", "Signs are + - * / ** @ ( ) [ ] , = and ;.")
        kind = found.lastgroup
        if kind in ("number", "name", "sign", "end"):
            yield _Token(kind, found.group(), at)  # type: ignore[arg-type]  # the four that are there
        place = found.end()
        if found.group() == "\n":
            line, start = line + 1, place
    yield _Token("last", "", At(line, place - start + 1))


class _Parser:
    """By precedence of operators (Pratt)."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._place = 0
        self._depth = 0

    @property
    def _next(self) -> _Token:
        return self._tokens[self._place]

    def _take(self) -> _Token:
        token = self._next
        self._place += token.kind != "last"
        return token

    def _expect(self, sign: str, why: str) -> _Token:
        if self._next.text != sign:
            wrong(self._next.at, f"{sign} is missing before {self._next}.", why)
        return self._take()

    def statements(self) -> tuple[Statement, ...]:
        found: list[Statement] = []
        while self._next.kind != "last":
            if self._next.kind == "end":
                self._take()
                continue
            found.append(self._statement())
            if len(found) > _MOST_STATEMENTS:
                wrong(found[-1].at, f"There are more than {_MOST_STATEMENTS} statements.", "Leave some out.")
            if self._next.kind not in ("end", "last"):
                wrong(self._next.at, f"{self._next} is not expected here.", "Put ; or an operator before it.")
        if not found:
            wrong(At(1, 1), "Nothing is written here.", "Write a name, = and what it is: y = x + 2.")
        return tuple(found)

    def _statement(self) -> Statement:
        name = self._take()
        if name.kind != "name":
            wrong(name.at, f"A statement begins with a name, not with {name}.", "Write y = x + 2.")
        if name.text in FUNCTIONS:
            wrong(name.at, f"{name.text} is a function.", "Take another name.")
        reserved = keyword.iskeyword(name.text) or name.text in ("torch", "error") or name.text.startswith("grad_")
        if reserved or len(name.text) > _LONGEST_NAME:
            wrong(name.at, f"{name.text[:_LONGEST_NAME]} cannot be a name here.", "Take a short one, such as y.")
        self._expect("=", f"Write {name.text} = and what it is.")
        return Statement(name.text, self._expression(0), name.at)

    def _expression(self, binding: int) -> Expression:
        self._depth += 1
        if self._depth > _DEEPEST:
            wrong(self._next.at, "This is nested too deeply.", "Give a part of it a name of its own.")
        left = self._prefix()
        while self._next.kind == "sign" and _BINDING.get(self._next.text, -1) > binding:
            sign = self._take()
            own = _BINDING[sign.text]
            right = self._expression(own - 1 if sign.text == "**" else own)  # ** is right-associative
            left = Apply(sign.text, (left, right), sign.at)
        self._depth -= 1
        return left

    def _prefix(self) -> Expression:
        token = self._take()
        if token.kind == "number":
            return self._number(token)
        if token.kind == "name":
            return self._name(token)
        if token.text in ("-", "+"):
            inner = self._expression(_UNARY)
            if token.text == "+":
                return inner
            return Number(-inner.value, token.at) if isinstance(inner, Number) else Apply("neg", (inner,), token.at)
        if token.text in ("(", "["):
            return self._brackets(token)
        wrong(token.at, f"A number or a name is missing before {token}.", "Write one there, such as x or 2.")

    def _number(self, token: _Token) -> Number:
        value = float(token.text)
        if value > _LARGEST:
            wrong(token.at, f"{token.text[:20]} is too large.", f"Stay below {_LARGEST:,.0f}.")
        return Number(value, token.at)

    def _name(self, token: _Token) -> Expression:
        if self._next.text != "(":
            if token.text in FUNCTIONS:
                wrong(token.at, f"{token.text} needs something in brackets.", f"Write {token.text}(x).")
            return Name(token.text, token.at)
        if token.text not in FUNCTIONS:
            near = difflib.get_close_matches(token.text, FUNCTIONS, 2) or FUNCTIONS
            wrong(token.at, f"There is no function {token.text[:20]}.", f"Known: {', '.join(near)}.")
        self._take()
        inner = self._expression(0)
        if self._next.text == ",":
            wrong(self._next.at, f"{token.text} takes one argument.", "Leave out the comma and what follows it.")
        self._expect(")", f"Close the bracket of {token.text}.")
        return Apply(token.text, (inner,), token.at)

    def _brackets(self, opened: _Token) -> Expression:
        """A row of numbers, or what stands in brackets."""
        close = ")" if opened.text == "(" else "]"
        first = self._expression(0)
        if close == ")" and self._next.text != ",":
            self._expect(")", "Close the bracket.")
            return first
        items = [first]
        while self._next.text == ",":
            self._take()
            if self._next.text != close:
                items.append(self._expression(0))
        self._expect(close, "Close the bracket.")
        return _row(opened.at, items)


def _row(at: At, items: Iterable[Expression]) -> Row:
    kept: list[Number | Row] = []
    for item in items:
        if not isinstance(item, (Number, Row)):
            wrong(item.at, "A row holds numbers only.", "Give the row a name among the values and use that.")
        kept.append(item)
    row = Row(tuple(kept), at)
    shapes = {item.shape if isinstance(item, Row) else () for item in kept}
    if len(shapes) > 1:
        wrong(at, "The rows are of different lengths.", "Give each as many numbers.")
    if len(row.shape) > 2:
        wrong(at, "A tensor has two dimensions here at most.", "Leave out one pair of brackets.")
    if sum(1 for _ in row.flat()) > MOST_ELEMENTS:
        wrong(at, f"A tensor has at most {MOST_ELEMENTS} elements here.", "Leave some out.")
    return row


# -------------------------------------------------------------------- writing


def literal(expression: Number | Row) -> str:
    """As Python writes it: 2.0, [1.0, 2.0]."""
    if isinstance(expression, Number):
        return repr(expression.value)
    return f"[{', '.join(literal(item) for item in expression.items)}]"


def in_torch(expression: Expression, binding: int = 0) -> str:
    """The expression in PyTorch; `binding` is that of the operator around it."""
    if isinstance(expression, Name):
        return expression.name
    if isinstance(expression, Number):
        short = (
            f"{expression.value:g}" if float(f"{expression.value:g}") == expression.value else repr(expression.value)
        )
        return f"({short})" if expression.value < 0 and binding else short
    if isinstance(expression, Row):
        return f"torch.tensor({literal(expression)}, dtype=torch.float64)"
    function, arguments = expression.function, expression.arguments
    if function in _BINDING:
        own = _BINDING[function]
        left, right = (own, own - 1) if function == "**" else (own - 1, own)
        first = as_tensor(arguments[0], left) if _plain(expression) else in_torch(arguments[0], left)
        words = f"{first} {function} {in_torch(arguments[1], right)}"
        return f"({words})" if own <= binding else words
    if function == "neg":
        words = f"-{in_torch(arguments[0], _UNARY)}"
        return f"({words})" if binding >= _UNARY else words
    if function == "detach":
        return f"{as_tensor(arguments[0], 100)}.detach()"
    inside = as_tensor(arguments[0])
    return f"torch.softmax({inside}, dim=-1)" if function == "softmax" else f"torch.{function}({inside})"


def as_tensor(expression: Expression, binding: int = 0) -> str:
    """The same, where a tensor is needed: a number becomes one."""
    if isinstance(expression, Number):
        return f"torch.tensor({in_torch(expression)}, dtype=torch.float64)"
    return in_torch(expression, binding)


def _plain(expression: Expression) -> bool:
    """Whether it is made of numbers alone, which Python would reckon without torch."""
    if isinstance(expression, Apply):
        return expression.function in (*_BINDING, "neg") and all(map(_plain, expression.arguments))
    return isinstance(expression, Number)


def in_words(function: str, operands: Iterable[str | float]) -> str:
    """An operation with its operands: "x + 2", "mean(z)"."""
    words = [figure(one) if isinstance(one, float) else one for one in operands]
    if function in _BINDING:
        return f"{words[0]} {function} {words[1]}"
    return f"−{words[0]}" if function == "neg" else f"{function}({words[0]})"
