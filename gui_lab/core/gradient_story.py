"""The story of one gradient, step by step: forward through a record, the Jacobian of each operation, back through them,
all of it as one product, and what `backward` left where torch keeps it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from gui_lab.core.concepts import Scene, Value
from gui_lab.core.exhibits import Claim, Claims, Edit, Equation, Exhibit, Matrix
from gui_lab.core.figures import vector
from gui_lab.core.gradient_graph import Look, graph, short_of, title_of, value_words
from gui_lab.core.gradients import Called, Floats, Link, Record, Term, element_names, slopes

_MOST_CLAIMS = 4
_WITHIN = 1e-4


@dataclass(frozen=True)
class _Shown:
    look: Look
    terms: tuple[Matrix | str, ...]
    says: str
    facts: dict[str, Value] = field(default_factory=dict)
    claims: tuple[Claim, ...] = ()


class Story:
    """
    Attributes:
        plan: the steps, each a kind ("given", "forward", "local", "back", "product", "call") with a key or a number.
    """

    def __init__(
        self, record: Record, name: str, v: Sequence[float], wrt: str, called: Called, *, zeroed: bool = False
    ) -> None:
        """
        Args:
            name: what is differentiated.
            v: one number for each of its elements.
            wrt: the value that the gradient is taken by; empty for the first that has one.
            called: what `backward` left.
            zeroed: gradients were set to zero between two calls.
        """
        self.record, self.name, self.v, self.called, self.zeroed = record, name, tuple(v), called, zeroed
        self.target = record.named[name]
        self.sweep = record.sweep(self.target, v)
        self.parts = record.parts(self.target)
        reached = [one for one in record.given if one in self.sweep.upstream and self._needs(one)]
        self.wrt = wrt or next(iter(reached), record.given[0])
        operations = [term for term in record.terms.values() if term.function]
        self.plan: list[tuple[str, str]] = [("given", "")]
        self.plan += [("forward", term.key) for term in operations]
        self.plan += [("local", term.key) for term in self.parts]
        self.plan += [("back", term.key) for term in reversed(self.parts)]
        self.plan += [("product", "")] if self.wrt in reached else []
        self.plan += [("call", str(turn)) for turn in range(len(called.grads) + bool(called.error))]

    def _needs(self, key: str) -> bool:
        return self.record.terms[key].tensor.requires_grad

    def scene(self, step: int) -> Scene:
        step = min(max(step, 0), len(self.plan) - 1)
        kind, key = self.plan[step]
        shown: _Shown = getattr(self, f"_{kind}")(key)
        drawn = graph(
            self.record, self.target, shown.look, self._all(), title=f"From {self.record.given[0]} to {self.name}",
            edits=self._edits(),
        )  # fmt: skip
        rows: list[tuple[Exhibit, ...]] = [(drawn,), (Equation(terms=shown.terms),)]
        if shown.claims:
            title = "Checked against torch"
            rows.append((Claims(title=title, claims=shown.claims),))
        facts = {**self._values(shown.look.reached), **shown.facts}
        return Scene(tuple(rows), step, len(self.plan), shown.says, facts)

    def _edits(self) -> dict[str, Edit]:
        given: dict[str, Edit] = {key: {"wrt": key} for key in self.record.given}
        return given | {key: {"of": name} for name, key in self.record.named.items() if key not in given}

    # ---------------------------------------------------------------- what is on screen

    def _all(self) -> Look:
        return Look(backward=self._labels(self.parts), notes=self._notes(self.sweep.upstream))

    def _labels(self, parts: Sequence[Term]) -> dict[Link, str]:
        keys = {term.key for term in parts}
        return {link: vector(row.tolist(), 3) for link, row in self.sweep.along.items() if link.end in keys}

    def _notes(self, upstream: object) -> dict[str, str]:
        """The gradient of each value that is among these."""
        assert hasattr(upstream, "__contains__")
        return {
            key: f"grad {vector(self.sweep.upstream[key].tolist())}"
            for key in self.record.given
            if key in upstream and self._needs(key) and key in self.sweep.upstream
        }

    def _values(self, reached: frozenset[str]) -> dict[str, Value]:
        found: dict[str, Value] = {}
        for name, key in self.record.named.items():
            if key in reached:
                term = self.record.terms[key]
                found |= zip(element_names(name, term.tensor), term.numbers.tolist(), strict=True)
        return found

    def _known(self) -> frozenset[str]:
        return frozenset(self.record.terms)

    # ---------------------------------------------------------------- forward

    def _leaves(self) -> set[str]:
        return {term.key for term in self.record.terms.values() if not term.function}

    def _given(self, _: str) -> _Shown:
        given = [self.record.terms[name] for name in self.record.given]
        terms = [part for term in given for part in (f"{term.key} =", _row(term.numbers, term, titled=False))]
        needing = [term.key for term in given if term.tensor.requires_grad]
        says = "No value has requires_grad=True: torch notes nothing, and there is no way back."
        if needing:
            asks = "has" if len(needing) == 1 else "have"
            says = f"{_listed(needing)} {asks} requires_grad=True: torch notes what is done from here on."
        return _Shown(Look(frozenset(self._leaves()), frozenset(self.record.given)), tuple(terms), says)

    def _forward(self, key: str) -> _Shown:
        term = self.record.terms[key]
        keys = list(self.record.terms)
        reached = self._leaves() | set(keys[: keys.index(key) + 1])
        links = frozenset(link for link in self.record.links if link.end == key)
        noted = f"Torch notes {term.grad_fn} for the way back." if term.grad_fn else self._why_not(term)
        says = f"{title_of(term)} comes to {value_words(term)}. {noted}"
        return _Shown(Look(frozenset(reached), frozenset({key}), links), tuple(self._operation(term)), says)

    def _why_not(self, term: Term) -> str:
        inputs = [self.record.terms[one].tensor.requires_grad for one in term.operands if isinstance(one, str)]
        if term.function == "detach":
            return "detach() cuts it off: for the way back it is a plain number."
        if any(inputs):
            return "Under no_grad() torch notes nothing, so there is no way back."
        return "Nothing in it asks for a gradient, so torch notes nothing."

    def _operation(self, term: Term) -> Iterator[Matrix | str]:
        """The operation with its numbers filled in."""
        operands: list[Matrix | str] = []
        for one in term.operands:
            if isinstance(one, str):
                operands.append(_row(self.record.terms[one].numbers, self.record.terms[one]))
            else:
                operands.append(vector([one] if isinstance(one, float) else one.flatten().tolist()))
        made = _row(term.numbers, term, now=True)
        if len(operands) == 2:
            yield from (operands[0], term.function, operands[1], "=", made)
        else:
            yield from ("−" if term.function == "neg" else term.function, operands[0], "=", made)

    # ---------------------------------------------------------------- backward

    def _links(self, key: str) -> list[Link]:
        return [link for link in self.record.links if link.end == key and link.live]

    def _jacobian(self, link: Link, *, now: bool = False) -> Matrix:
        start, end = self.record.terms[link.start], self.record.terms[link.end]
        return Matrix(
            self.record.jacobians[link],
            f"d{short_of(end)}/d{short_of(start)}",
            tuple(element_names("" if end.key.startswith("_") else end.key, end.tensor)),
            tuple(element_names("" if start.key.startswith("_") else start.key, start.tensor)),
            state="now" if now else "plain",
        )

    def _local(self, key: str) -> _Shown:
        term, links = self.record.terms[key], self._links(key)
        terms: list[Matrix | str] = []
        for link in links:
            terms += [*(["and"] if terms else []), self._jacobian(link, now=True)]
        place = [one.key for one in self.parts].index(key)
        sizes = {
            link: "×".join(str(side) for side in self.record.jacobians[link].shape)
            for one in self.parts[: place + 1]
            for link in self._links(one.key)
        }
        says = (
            f"The Jacobian of {term.words}: row i, column j says how much output i answers when input j moves a little."
        )
        if len(links) > 1:
            says = f"{term.words} has {len(links)} inputs, and so {len(links)} Jacobians: one for each arrow."
        return _Shown(Look(self._known(), frozenset({key}), frozenset(links), sizes), tuple(terms), says)

    def _back(self, key: str) -> _Shown:
        term, links = self.record.terms[key], self._links(key)
        order = [one.key for one in reversed(self.parts)]
        done = self.parts[len(self.parts) - 1 - order.index(key) :]
        before: dict[str, Floats] = {}
        for one in reversed(done[1:]):
            for link in self._links(one.key):
                before[link.start] = before.get(link.start, 0) + self.sweep.along[link]
        coming = self.sweep.upstream[key]
        terms: list[Matrix | str] = []
        added = ""
        for link in links:
            terms += [*(["and"] if terms else []), Matrix(coming[None], "v" if key == self.target else "comes in")]
            terms += ["@", self._jacobian(link)]
            result = self.sweep.along[link]
            if link.start in before:
                terms += ["+", Matrix(before[link.start][None], "from the other arrow")]
                result = before[link.start] + result
                added = f" At {short_of(self.record.terms[link.start])} two arrows meet: what comes back is added."
            before[link.start] = result
            start = short_of(self.record.terms[link.start])
            terms += ["=", Matrix(result[None], f"d{self.name}/d{start}", state="now")]
        waiting = {link.start for one in self.parts if one not in done for link in self._links(one.key)}
        notes = self._notes(set(before) - waiting)
        says = (
            f"{vector(coming.tolist())} comes back to {title_of(term)}. Times its Jacobian, it goes on as the orange "
            f"number{'s' * (len(links) > 1)} below the arrow{'s' * (len(links) > 1)}.{added}"
        )
        look = Look(self._known(), frozenset({key}), frozenset(links), self._labels(done), notes)
        return _Shown(look, tuple(terms), says)

    def _product(self, _: str) -> _Shown:
        terms: list[Matrix | str] = []
        paths = self.record.paths(self.target, self.wrt)
        row = Matrix(np.array(self.v)[None], "v")
        for path in paths:
            terms += [*(["+"] if terms else []), row]
            for link in path:
                terms += ["@", self._jacobian(link)]
        result = self.sweep.upstream[self.wrt]
        name = f"d{self.name}/d{self.wrt}"
        terms += [*(["="] if terms else [f"{name} ="]), Matrix(result[None], name, state="now")]
        words = "v times the Jacobians, from the last to the first" if len(paths) < 2 else "One product for each way"
        says = f"All at once: {words}, is {name} = {vector(result.tolist())}."
        if len(paths) > 1:
            says = f"All at once: a product for each way from {self.name} to {self.wrt}, and their sum is {name}."
        facts = dict(zip(self._grad_names(self.wrt), result.tolist(), strict=True))
        look = Look(self._known(), frozenset(), frozenset(), self._labels(self.parts), self._notes(self.sweep.upstream))
        torchs = self.called.grads[0][self.wrt] or ()
        claims = [*self._products(result.tolist(), torchs), *self._finite(self.wrt, torchs)]
        return _Shown(look, tuple(terms), says, facts, tuple(claims))

    def _products(self, ours: Sequence[float], torchs: Sequence[float]) -> Iterator[Claim]:
        names = element_names(self.wrt, self.record.terms[self.wrt].tensor)
        for name, one, other in list(zip(names, ours, torchs, strict=True))[: _MOST_CLAIMS // 2]:
            yield Claim(f"d{self.name}/d{name} by the product, and {self.wrt}.grad", one, other, _WITHIN)

    def _grad_names(self, name: str) -> list[str]:
        return element_names(f"grad_{name}", self.record.terms[name].tensor)

    # ---------------------------------------------------------------- what torch left

    def _call(self, turn: str) -> _Shown:
        """After the first or the second call of `backward`."""
        number = int(turn)
        grads, failed = self.called.grads[: number + 1], number >= len(self.called.grads)
        left = grads[-1] if grads else dict.fromkeys(self.record.given)
        terms: list[Matrix | str] = []
        facts: dict[str, Value] = {"backward_calls": len(grads)}
        for name, grad in left.items():
            term = self.record.terms[name]
            terms += [f"{name}.grad =", "None" if grad is None else _row(np.array(grad), term, now=True, titled=False)]
            facts |= {f"grad_{name}": "None"} if grad is None else dict(zip(self._grad_names(name), grad, strict=True))
        if failed:
            facts["error"] = self.called.error
        says = self._call_words(number, failed)
        notes = {name: f"grad {vector(grad)}" for name, grad in left.items() if grad is not None}
        look = Look(self._known(), frozenset(), frozenset(), self._labels(self.parts), notes)
        times = 1 if self.zeroed else number + 1
        checked = [] if failed else [self._finite(name, grad, times) for name, grad in left.items() if grad]
        claims = [claim for some in checked for claim in some]
        return _Shown(look, tuple(terms), says, facts, tuple(claims[: 2 * _MOST_CLAIMS]))

    def _call_words(self, number: int, failed: bool) -> str:
        call = f"{self.name}.backward()"
        if failed:
            again = " a second time" if number else ""
            return f"{call}{again} fails. Torch says: {self.called.error.partition('. ')[0].rstrip('.')}."
        if number == 0:
            return f"{call} computes the same and leaves it in .grad of each value that asked for it."
        if self.zeroed:
            return "Set to zero first, .grad holds the gradient of the second call alone."
        return f"{call} a second time adds to what was there: without zero_grad() the gradients pile up."

    def _finite(self, name: str, grad: Sequence[float], times: int = 1) -> Iterator[Claim]:
        found = slopes(self.record, self.target, self.v, name)
        names = element_names(name, self.record.terms[name].tensor)
        count = f"{times} × " if times > 1 else ""
        for element, slope, torchs in list(zip(names, found, grad, strict=True))[:_MOST_CLAIMS]:
            words = f"{count}d{self.name}/d{element} by finite differences, and {name}.grad"
            ours = times * slope.middle
            if slope.kink:  # torch may take any slope between both sides
                low, high = sorted((times * slope.left, times * slope.right))
                ours, words = min(max(torchs, low), high), f"{words}: a kink, between both slopes"
            yield Claim(words, ours, torchs, _WITHIN)


def _row(numbers: Floats, term: Term, *, now: bool = False, titled: bool = True) -> Matrix:
    """A value as it is shaped; a vector as one row."""
    shape = tuple(term.tensor.shape)
    values = numbers.reshape(shape if len(shape) == 2 else (1, -1))
    title = term.key if titled and not term.key.startswith("_") else ""
    return Matrix(values, title, state="now" if now else "plain")


def _listed(names: Sequence[str]) -> str:
    return " and ".join(names) if len(names) < 3 else f"{', '.join(names[:-1])} and {names[-1]}"
