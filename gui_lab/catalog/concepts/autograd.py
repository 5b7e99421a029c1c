"""Autograd and the Jacobian: expressions that a person types, the graph that torch records of them, and the way back
through it as a product of matrices."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field, model_validator

from gui_lab.core.concepts import CONCEPTS, Concept, Own, Preset, Scene
from gui_lab.core.expressions import Number, Row, Statement, as_tensor, literal, over, values_of
from gui_lab.errors import LabError
from gui_lab.schema import FieldError, knob

if TYPE_CHECKING:
    from gui_lab.core.gradients import Called, Record

Element = Annotated[float, Field(ge=-1000, le=1000)]
_NOTES = {"values": "x = (1, 2)", "expressions": "y = x + 2; z = 2*y**2; L = mean(z)"}


@CONCEPTS.add
class Autograd(Concept):
    """A graph of operations, and a vector that comes back through their Jacobians."""

    number: ClassVar[int] = 1
    title: ClassVar[str] = "Autograd and the Jacobian"
    line: ClassVar[str] = "How torch finds a gradient: a vector times one small matrix after the other"
    icon: ClassVar[str] = "tree-structure"
    story: ClassVar[str] = (
        "Each box is an operation that torch carried out. A value moves along each arrow: the blue number above it. "
        "Torch notes what it did as grad_fn, the last line in a box.\n\n"
        "Each operation has a small matrix, its Jacobian: row i, column j says how much output i answers when input j "
        "moves a little.\n\n"
        "Backward, a row of numbers v comes in on the right. Each box multiplies it with its Jacobian: the orange "
        "number below the arrow. Where two arrows leave one box, what comes back along them is added.\n\n"
        "Type expressions of your own, click a box to begin there, and try the switches: each does what it does in "
        "PyTorch."
    )
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("x + 2, squared, averaged", _NOTES),
        Preset("A vector result, with a v of your own", {**_NOTES, "of": "z", "v": (1.0, 0.5)}),
        Preset("A branch: gradients add", {"values": "x = 3", "expressions": "a = x**2; b = 4*x; L = a + b"}),
        Preset(
            "Softmax with cross-entropy",
            {
                "values": "s = (2, 1, 0.1); t = (1, 0, 0)",
                "expressions": "p = softmax(s); L = -sum(t*log(p))",
                "requires_grad": "s",
            },
        ),
        Preset(
            "Matrix product with relu",
            {
                "values": "W = ((1, -1), (0.5, 2)); x = (1, 3)",
                "expressions": "a = W @ x; h = relu(a); L = sum(h)",
                "wrt": "W",
            },
        ),
        Preset("Backward twice, gradients pile up", {**_NOTES, "backward_twice": True, "retain_graph": True}),
        Preset("Backward twice, the graph is gone", {**_NOTES, "backward_twice": True}),
        Preset(
            "A part that is detached",
            {"values": "x = 3", "expressions": "a = x**2; b = 4*x; L = a + b", "detach": "b"},
        ),
    )

    values: str = knob(
        _NOTES["values"], "Names and their values: numbers, rows or matrices; ; between them.", max_length=400
    )
    expressions: str = knob(
        _NOTES["expressions"],
        "What is computed: + - * / ** @, exp, log, sin, cos, tanh, relu, sigmoid, softmax, sum, mean, max, min, abs, "
        "sqrt, detach.",
        max_length=600,
    )
    of: str = knob(
        "", "The name whose gradient is taken; empty for the last one. A click on a box sets it.", max_length=20
    )
    v: tuple[Element, ...] = knob(
        (1.0,), "The row that comes in at the end; one number stands for all elements.", min_length=1, max_length=36
    )
    wrt: str = knob(
        "", "The value that the gradient is taken by; empty for the first. A click on it sets it.", max_length=20
    )
    requires_grad: str = knob(
        "all", "Values with requires_grad=True: all, none, or their names with commas between.", max_length=100
    )
    detach: str = knob("", "A name that is cut off from what it was made of by detach().", max_length=20)
    no_grad: bool = knob(False, "Compute under torch.no_grad(): nothing is recorded.")
    backward_twice: bool = knob(False, "Call backward() a second time on the same graph.")
    retain_graph: bool = knob(False, "Tell the first backward() to keep the graph.")
    zero_grad: bool = knob(False, "Set the gradients to zero before the second backward().")

    @model_validator(mode="after")
    def _readable(self) -> Autograd:
        given = _read("values", lambda: values_of(self.values))
        told = _read("expressions", lambda: over(given, self.expressions))
        names = [statement.name for statement in (*given, *told)]
        for field, known in (("of", names), ("wrt", names[: len(given)]), ("detach", names[len(given) :])):
            if getattr(self, field) and getattr(self, field) not in known:
                raise FieldError(field, f"Nothing has this name. Choose {', '.join(known)}, or leave it empty.")
        known = names[: len(given)]
        if any(name not in known for name in self.needing(known)):
            raise FieldError("requires_grad", f"Must be all, none, or names of {', '.join(known)}.")
        return self

    def needing(self, given: list[str]) -> list[str]:
        """The names of the values that get a gradient."""
        words = [word for word in re.split(r"[,;\s]+", self.requires_grad) if word]
        return given if words == ["all"] else [] if words in (["none"], []) else words

    def recorded(self, *, anew: bool = False) -> Record:
        """What torch records of the texts; of one's own with `anew`, for calling `backward` on it.

        Raises:
            LabError: shapes do not fit together.
        """
        from gui_lab.core import gradients

        given = [statement.name for statement in values_of(self.values)]
        make = gradients.anew if anew else gradients.recorded
        return make(self.values, self.expressions, frozenset(self.needing(given)), self.detach, self.no_grad)

    def _started(self, *, anew: bool = False) -> tuple[Record, str, tuple[float, ...]]:
        """The record, the name that is differentiated, and the row that comes in there."""
        record = self.recorded(anew=anew)
        name = self.of or list(record.named)[-1]
        return record, name, _as_many(self.v, record.terms[record.named[name]].tensor.numel())

    def _called(self) -> Called:
        from gui_lab.core.gradients import called

        record, name, v = self._started(anew=True)
        how = {"retain_graph": self.retain_graph, "twice": self.backward_twice, "zero": self.zero_grad}
        return called(record, record.named[name], v, **how)

    def scene(self, step: int, own: Own) -> Scene:
        from gui_lab.core.gradient_story import Story

        record, name, v = self._started()
        return Story(record, name, v, self.wrt, self._called(), zeroed=self.zero_grad).scene(step)

    def code(self, step: int, own: Own) -> str:
        given, called = values_of(self.values), self._called()
        calls = list(self._calls(called))
        if called.error:
            calls = ["try:", *(f"    {call}" for call in calls), "except RuntimeError as raised:", "    print(raised)"]
        lines = [*self._forward(given), "", *calls, "", *self._read_out(called)]
        return "\n".join(["import torch", "", *lines, ""])

    def _forward(self, given: tuple[Statement, ...]) -> Iterator[str]:
        needing = self.needing([statement.name for statement in given])
        for statement in given:
            assert isinstance(statement.expression, (Number, Row))
            grad = ", requires_grad=True" if statement.name in needing else ""
            yield f"{statement.name} = torch.tensor({literal(statement.expression)}, dtype=torch.float64{grad})"
        if self.no_grad:
            yield "with torch.no_grad():"
        for statement in over(given, self.expressions):
            cut = ".detach()" if statement.name == self.detach else ""
            words = as_tensor(statement.expression, 100 if cut else 0)
            yield f"{'    ' if self.no_grad else ''}{statement.name} = {words}{cut}"

    def _calls(self, called: Called) -> Iterator[str]:
        record, name, v = self._started()
        shape = tuple(record.terms[record.named[name]].tensor.shape)
        row = f"torch.tensor({list(v) if shape else v[0]}, dtype=torch.float64)"
        row += f".reshape{shape}" if len(shape) > 1 else ""
        row = "" if not shape and v[0] == 1 else row
        keep = "retain_graph=True" if self.retain_graph else ""
        call = f"{name}.backward({', '.join(part for part in (row, keep) if part)})"
        yield call
        if self.backward_twice:
            if self.zero_grad and called.grads:
                yield from (f"{one}.grad.zero_()" for one, grad in called.grads[0].items() if grad is not None)
            yield call

    def _read_out(self, called: Called) -> Iterator[str]:
        """Elements of gradients and of the result, by the names of the facts."""
        from gui_lab.core.gradients import element_names

        record, result, _ = self._started()
        for name, grad in called.grads[-1].items() if called.grads else ():
            names = element_names(f"grad_{name}", record.terms[name].tensor)
            if grad is None:
                yield f"grad_{name} = str({name}.grad)"
            elif len(names) == 1:
                yield f"{names[0]} = {name}.grad.item()"
            else:
                yield f"{', '.join(names)} = {name}.grad.flatten().tolist()"
        if record.terms[record.named[result]].tensor.dim():
            yield f"{result}_0 = {result}.flatten()[0].item()"


def _read(field: str, read: Callable[[], tuple[Statement, ...]]) -> tuple[Statement, ...]:
    try:
        return read()
    except LabError as error:
        raise FieldError(field, str(error)) from None


def _as_many(v: tuple[float, ...], count: int) -> tuple[float, ...]:
    """
    Raises:
        LabError: v is neither one number nor one for each element.
    """
    if len(v) not in (1, count):
        raise LabError(
            f"v has {len(v)} numbers, but what is differentiated has {count}.",
            f"Give v {count} number{'s' * (count != 1)}, or one that stands for all.",
        )
    return v if len(v) == count else v * count
