"""Small networks of single numbers, told in three steps: forward to the loss, the local gradient of each arrow, and
backward by the chain rule; and then the weights go downhill, update after update.

Every number is torch's: values and local gradients are those of `core/gradients.py`, and an update does what
torch.optim.SGD does, without one: making the first of them takes torch seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gui_lab.core.concepts import Scene, Value, film
from gui_lab.core.exhibits import Claim, Claims, Exhibit, Fact, Facts, Graph, Line, Plot, Spot, State
from gui_lab.core.figures import figure
from gui_lab.core.gradient_graph import Look, graph
from gui_lab.core.gradients import Floats, Link, Record, recorded, slopes

if TYPE_CHECKING:
    from torch import Tensor

_POINTS = 161
_WITHIN = 1e-4
_FARTHEST = 1e6  # a weight that runs away stays a number that can be written


@dataclass(frozen=True)
class Formula:
    """How a quantity comes about, and the same with names in braces to be filled in."""

    words: str
    filled: str


@dataclass(frozen=True)
class Net:
    """
    Attributes:
        expressions: over x, y and the weights.
        forward: of each name.
        local: of each arrow, by its start and its end.
    """

    weights: tuple[str, ...]
    expressions: str
    forward: Mapping[str, Formula]
    local: Mapping[tuple[str, str], Formula]


@dataclass(frozen=True)
class At:
    """Where the weights are after some updates."""

    weights: Mapping[str, float]
    loss: float
    slopes: Mapping[str, float]


NETS: Mapping[str, Net] = {
    "one weight": Net(
        ("w",),
        "y_hat = w*x; s = y_hat - y; loss = s**2",
        {
            "y_hat": Formula("w · x", "{w} · {x}"),
            "s": Formula("y_hat − y", "{y_hat} − {y}"),
            "loss": Formula("s²", "({s})²"),
        },
        {
            ("s", "loss"): Formula("2 · s", "2 · {s}"),
            ("y_hat", "s"): Formula("1", ""),
            ("w", "y_hat"): Formula("x", ""),
        },
    ),
    "two layers": Net(
        ("w1", "w2"),
        "a = w1*x; h = sigmoid(a); y_hat = w2*h; s = y_hat - y; loss = s**2",
        {
            "a": Formula("w1 · x", "{w1} · {x}"),
            "h": Formula("sigmoid(a)", "sigmoid({a})"),
            "y_hat": Formula("w2 · h", "{w2} · {h}"),
            "s": Formula("y_hat − y", "{y_hat} − {y}"),
            "loss": Formula("s²", "({s})²"),
        },
        {
            ("s", "loss"): Formula("2 · s", "2 · {s}"),
            ("y_hat", "s"): Formula("1", ""),
            ("w2", "y_hat"): Formula("h", ""),
            ("h", "y_hat"): Formula("w2", ""),
            ("a", "h"): Formula("h · (1 − h)", "{h} · (1 − {h})"),
            ("w1", "a"): Formula("x", ""),
        },
    ),
}


def values_text(values: Mapping[str, float]) -> str:
    """x = 1.0; y = 2.0"""
    return "; ".join(f"{name} = {value!r}" for name, value in values.items())


def descent(net: Net, start: Mapping[str, float], lr: float) -> Callable[[], Iterator[At]]:
    """The weights before the first update, after it, and so on for ever.

    Args:
        start: values of x, y and the weights.
    """

    def begin() -> Iterator[At]:
        import torch

        record = recorded(values_text(start), net.expressions, frozenset(net.weights))
        weights = {name: record.terms[name].tensor.detach().clone().requires_grad_() for name in net.weights}
        while True:
            loss = record.replayed(weights, grad=True)["loss"]
            grads = dict(zip(weights, torch.autograd.grad(loss, list(weights.values())), strict=True))
            yield At(_plain(weights), float(loss.detach()), _plain(grads))
            with torch.no_grad():
                for name, weight in weights.items():
                    weight.add_(grads[name], alpha=-lr).clamp_(-_FARTHEST, _FARTHEST)

    return begin


def _plain(tensors: Mapping[str, Tensor]) -> dict[str, float]:
    return {name: float(tensor.detach()) for name, tensor in tensors.items()}


class ChainRule:
    """The story of one of the networks with its numbers."""

    def __init__(self, name: str, values: Mapping[str, float], lr: float, updates: int) -> None:
        """
        Args:
            values: of x, y and the weights.
            updates: how many of them follow the way back.
        """
        self.net, self.start, self.lr, self.updates = NETS[name], dict(values), lr, updates
        self.film = film(("chain rule", name, tuple(self.start.items()), lr), descent(self.net, self.start, lr))
        self.operations = tuple(self.net.forward)
        self.told = 1 + 3 * len(self.operations)
        """Steps until all has been told once."""
        self.steps = self.told + updates

    def record(self, done: int) -> Record:
        """After so many updates."""
        weights = self.film.upto(done)[done].weights
        return recorded(values_text({**self.start, **weights}), self.net.expressions, frozenset(self.net.weights))

    def scene(self, step: int) -> Scene:
        step = min(max(step, 0), self.steps - 1)
        done = max(step - self.told + 1, 0)
        count = len(self.operations)
        forward = min(step, count)
        local = min(max(step - count, 0), count)
        back = min(max(step - 2 * count, 0), count)
        view = _View(self, self.record(done), forward, local, back, done)
        below: tuple[Exhibit, ...] = (view.plot(), view.update()) if done else view.three_steps()
        return Scene(((view.graph(),), below, (view.checks(),)), step, self.steps, view.says(), view.facts())


class _View:
    """A step: so many operations have been told forward, locally and backward, and so many updates are done."""

    def __init__(self, story: ChainRule, record: Record, forward: int, local: int, back: int, done: int) -> None:
        self.story, self.record, self.net = story, record, story.net
        self.forward, self.local, self.back, self.done = forward, local, back, done
        self.sweep = record.sweep("loss", (1.0,))
        order = story.operations
        self.reached = order[:forward]
        backwards = tuple(reversed(order))
        self.slopes_of = backwards[:local]
        self.back_to = backwards[:back]
        in_hand = backwards[:back] or backwards[:local] or order[:forward]
        self.now = in_hand[-1] if in_hand else ""
        self.live = [link for link in record.links if link.live]
        self.live.sort(key=lambda link: (backwards.index(link.end), link.start in self.net.weights))

    # ---------------------------------------------------------------- numbers

    def value(self, name: str) -> float:
        return float(self.record.terms[name].numbers[0])

    def slope(self, link: Link) -> float:
        return float(self.record.jacobians[link][0, 0])

    def came(self, name: str) -> float:
        """d loss / d name."""
        return float(self.sweep.upstream[name][0])

    def _fill(self, words: str) -> str:
        return words.format_map({name: figure(self.value(name)) for name in self.record.named})

    def facts(self) -> dict[str, Value]:
        known = [*self.record.given, *self.reached]
        found: dict[str, Value] = {name: self.value(name) for name in known}
        for link in self.live:
            if link.end in self.slopes_of and link.end != "loss":
                found[f"d{link.end}_d{link.start}"] = self.slope(link)
            if link.end in self.back_to or (link.end == "loss" and self.local):
                found[f"dloss_d{link.start}"] = self.came(link.start)
        return {**found, "lr": self.story.lr, "updates": self.done}

    # ---------------------------------------------------------------- exhibits

    def graph(self) -> Graph:
        updating = self.done > 0
        backward = {link: self._product(link) for link in self.live if link.end in self.back_to}
        backward |= {
            link: f"local {figure(self.slope(link))}"
            for link in self.live
            if link.end in self.slopes_of and link not in backward
        }
        hand = frozenset() if updating or not self.now else frozenset({self.now})
        look = Look(
            frozenset({*self.record.given, *self.reached}),
            frozenset(self.net.weights) if updating else hand or frozenset(self.record.given),
            frozenset(link for link in self.record.links if link.end in hand and (link.live or not self.local)),
            backward,
        )
        whole = Look(backward={link: self._product(link) for link in self.live})
        made = graph(self.record, "loss", look, whole, title="The computational graph", detailed=False)
        return replace(made, caption="Below an arrow: its local gradient × what came back = what goes on.")

    def _product(self, link: Link) -> str:
        numbers = self.slope(link), self.came(link.end), float(self.sweep.along[link][0])
        local, came, result = (figure(number, 3) for number in numbers)
        return f"{local} × {came}\n= {result}"

    def three_steps(self) -> tuple[Facts, Facts, Facts]:
        forward = [
            self._fact(name, formula, self.value(name), name in self.reached, name == self.now and not self.local)
            for name, formula in self.net.forward.items()
        ]
        local, back = [], []
        for link in self.live:
            name = f"d{link.end}/d{link.start}"
            here = link.end == self.now and not self.done
            known, formula = link.end in self.slopes_of, self.net.local[link.start, link.end]
            local.append(self._fact(name, formula, self.slope(link), known, here and not self.back))
            product = Formula("the first on the way back", "")
            if link.end != "loss":
                filled = f"{figure(self.slope(link))} · {figure(self.came(link.end))}"
                product = Formula(f"{name} · dloss/d{link.end}", filled)
            known, here = link.end in self.back_to, here and self.back > 0
            back.append(self._fact(f"dloss/d{link.start}", product, self.came(link.start), known, here))
        return (
            Facts(title="1  Forward pass: the loss", facts=tuple(forward)),
            Facts(title="2  Local gradients", facts=tuple(local)),
            Facts(title="3  Backward pass: the chain rule", facts=tuple(back)),
        )

    def _fact(self, name: str, formula: Formula, value: float, known: bool, now: bool) -> Fact:
        state: State = "now" if now else "done" if known else "waiting"
        if not known:
            return Fact(name, "", formula.words, state=state)
        return Fact(name, figure(value), formula.words, self._fill(formula.filled), state)

    def update(self) -> Facts:
        before = self.story.film.upto(self.done)[max(self.done - 1, 0)]
        state: State = "now" if self.done else "waiting"
        facts = [Fact("learning rate", figure(self.story.lr)), Fact("updates", f"{self.done} of {self.story.updates}")]
        for name in self.net.weights:
            filled = f"{figure(before.weights[name])} − {figure(self.story.lr)} · ({figure(before.slopes[name])})"
            value = figure(self.value(name)) if self.done else ""
            facts.append(Fact(name, value, f"{name} − lr · dloss/d{name}", filled if self.done else "", state))
        loss = Fact("loss now", figure(self.value("loss")) if self.forward == len(self.story.operations) else "")
        return Facts(title="Then: update, again and again", facts=(*facts, loss), weight=2)

    def checks(self) -> Claims:
        """Once the way back is told: its end against finite differences."""
        if self.back < len(self.story.operations):
            return Claims(claims=())
        claims = []
        for name in self.net.weights:
            (found,) = slopes(self.record, "loss", (1.0,), name)
            claims.append(Claim(f"dloss/d{name} by finite differences", found.middle, self.came(name), _WITHIN))
        return Claims(claims=tuple(claims))

    # ---------------------------------------------------------------- downhill

    def plot(self) -> Plot:
        past = self.story.film.upto(self.done)
        return self._valley(past) if len(self.net.weights) == 1 else self._falling(past)

    def _valley(self, past: list[At]) -> Plot:
        """loss(w), which is a parabola, and the point on it."""
        x, y, start = (self.story.start[name] for name in ("x", "y", "w"))
        lowest = y / x if abs(x) > 0.05 else start
        far = max(abs(start - lowest) * 1.25, 1.0)
        ws = np.linspace(lowest - far, lowest + far, _POINTS)
        losses = self._losses(ws)
        visited = np.array([at.weights["w"] for at in past]), np.array([at.loss for at in past])
        now = past[-1]
        top = max(float(losses.max()), 1e-3)
        return Plot(
            title="loss as a function of w",
            lines=(
                Line("loss(w)", ws, losses, "quiet"),
                Line("updates", *visited, "accent", points=True, arrows=True),
            ),
            spots=(Spot(now.weights["w"], now.loss, f"w = {figure(now.weights['w'])}"),),
            x_name="w",
            y_name="loss",
            x_range=(float(ws[0]), float(ws[-1])),
            y_range=(-0.04 * top, top),
            weight=3,
        )

    def _losses(self, ws: Floats) -> Floats:
        """At each of these weights, by torch and all at once."""
        import torch

        return self.record.replayed({"w": torch.tensor(ws, dtype=torch.float64)})["loss"].numpy()

    def _falling(self, past: list[At]) -> Plot:
        losses = np.array([at.loss for at in past])
        first = max(past[0].loss, 1e-6)
        return Plot(
            title="loss after each update",
            lines=(Line("loss", np.arange(len(past), dtype=float), losses, "training", points=True),),
            spots=(Spot(float(len(past) - 1), past[-1].loss, f"loss {figure(past[-1].loss)}"),),
            x_name="updates",
            y_name="loss",
            x_range=(0.0, float(max(self.story.updates, 1))),
            y_range=(0.0, 1.1 * max(first, float(losses.max()))),
            weight=3,
        )

    # ---------------------------------------------------------------- words

    def says(self) -> str:
        if self.done:
            now, before = self.value("loss"), self.story.film.upto(self.done)[self.done - 1].loss
            way = "falls" if now < before else "rises: the learning rate is too large" if now > before else "stays"
            return f"Update {self.done}: each weight moves against its gradient. The loss {way}, now {figure(now)}."
        if self.back:
            ends = [link for link in self.live if link.end == self.now]
            names = " and ".join(f"dloss/d{link.start} = {figure(self.came(link.start))}" for link in ends)
            return f"Backward through {self.now}: local gradient times what came back gives {names}."
        if self.local:
            ends = [link for link in self.live if link.end == self.now]
            names = " and ".join(f"d{link.end}/d{link.start} = {figure(self.slope(link))}" for link in ends)
            return f"Local gradients: {self.now} alone answers its input with {names}."
        if self.forward:
            formula = self.net.forward[self.now]
            value = figure(self.value(self.now))
            return f"Forward: {self.now} = {formula.words} = {self._fill(formula.filled)} = {value}."
        return "The input x, the true value y, and the weights. Nothing is computed yet."
