"""Gradient descent on two weights: optimisers race down a surface that one can see whole.

All four are torch's own and step on float32 tensors with gradients by autograd. They race together whatever is switched
on: one backward pass serves all, a switch only shows or hides. Slopes worked out by hand check each step of SGD.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from gui_lab.core.concepts import CONCEPTS, Concept, Own, Preset, Scene, Value, film
from gui_lab.core.exhibits import Claim, Claims, Column, Exhibit, Line, Plot, Spot, Surface, Table
from gui_lab.schema import knob

if TYPE_CHECKING:
    from torch import Tensor

_STEPS = 100
_X, _Y = (-2.0, 2.0), (-1.0, 3.0)
_GRID = 161
_THIN = "\u2009"
_ARRIVED = 0.001
"""Part of the loss that is left where one is said to have arrived."""
_PATIENCE = 50
"""Steps after which a learning rate that has not brought one there is called too small."""
_LATELY = 12
"""Steps of which one that jumps about takes half or more back towards where it came from."""

Kind = Literal["bowl", "narrow valley", "saddle", "Rosenbrock", "line through points"]
_POINTS = ((-1.5, 0.4), (-1.0, 0.3), (-0.3, 1.1), (0.4, 0.9), (1.1, 1.7), (1.8, 1.8))
"""What the line is to go through: x and y."""


@dataclass(frozen=True)
class _Land:
    """A loss of two weights.

    Attributes:
        loss: numbers, or float tensors of any one shape, to as many losses.
        code: the same as an expression of w1 and w2.
        slope: its two derivatives at a place, worked out by hand.
        lows: where it is lowest.
        words: what is to be seen on it.
        close: how near a slope by hand comes to one in float32, where differences of near numbers lose digits.
    """

    loss: Callable[[Any, Any], Any]
    code: str
    slope: Callable[[float, float], tuple[float, float]]
    lows: tuple[tuple[float, float], ...]
    words: str
    close: float = 1e-5


def _line_loss(w1: Any, w2: Any) -> Any:
    import torch

    w1, w2 = torch.as_tensor(w1)[..., None], torch.as_tensor(w2)[..., None]
    x, y = torch.tensor(_POINTS, dtype=w1.dtype).T
    return ((w1 * x + w2 - y) ** 2).mean(-1)


def _line_slope(w1: float, w2: float) -> tuple[float, float]:
    errors = [(x, w1 * x + w2 - y) for x, y in _POINTS]
    return 2 * sum(x * error for x, error in errors) / len(errors), 2 * sum(error for _, error in errors) / len(errors)


def _best_line() -> tuple[float, float]:
    """By the normal equations."""
    x, y = np.array(_POINTS).T
    slope, offset = np.polyfit(x, y, 1)
    return float(slope), float(offset)


_LANDS: dict[Kind, _Land] = {
    "bowl": _Land(
        lambda w1, w2: (w1 - 0.5) ** 2 + (w2 - 1) ** 2,
        "(w1 - 0.5) ** 2 + (w2 - 1) ** 2",
        lambda w1, w2: (2 * (w1 - 0.5), 2 * (w2 - 1)),
        ((0.5, 1.0),),
        "Every slope of a round bowl points to its middle.",
    ),
    "narrow valley": _Land(
        lambda w1, w2: 0.1 * (w1 - 0.5) ** 2 + 10 * (w2 - 1) ** 2,
        "0.1 * (w1 - 0.5) ** 2 + 10 * (w2 - 1) ** 2",
        lambda w1, w2: (0.2 * (w1 - 0.5), 20 * (w2 - 1)),
        ((0.5, 1.0),),
        "The walls are a hundred times as steep as the floor: a step that suits one is wrong for the other.",
    ),
    "saddle": _Land(
        lambda w1, w2: w1**2 / 2 + ((w2 - 1) ** 2 - 2) ** 2 / 8,
        "w1 ** 2 / 2 + ((w2 - 1) ** 2 - 2) ** 2 / 8",
        lambda w1, w2: (w1, (w2 - 1) * ((w2 - 1) ** 2 - 2) / 2),
        ((0.0, 1 - math.sqrt(2)), (0.0, 1 + math.sqrt(2))),
        "In the middle the slope is 0 and yet it is no minimum: down along w1, up along w2.",
    ),
    "Rosenbrock": _Land(
        lambda w1, w2: (1 - w1) ** 2 + 100 * (w2 - w1**2) ** 2,
        "(1 - w1) ** 2 + 100 * (w2 - w1 ** 2) ** 2",
        lambda w1, w2: (-2 * (1 - w1) - 400 * w1 * (w2 - w1**2), 200 * (w2 - w1**2)),
        ((1.0, 1.0),),
        "The way into the bent valley is short, the way along its flat floor is long.",
        2e-3,
    ),
    "line through points": _Land(
        _line_loss,
        "((w1 * x + w2 - y) ** 2).mean()",
        _line_slope,
        (_best_line(),),
        "Each place on the surface is a line y = w1 x + w2, and its height how far that misses the points.",
    ),
}

_ROLES = {"SGD": "training", "momentum": "validation", "RMSprop": "best", "Adam": "error"}
_MAKERS = {
    "SGD": "torch.optim.SGD(w, lr={lr})",
    "momentum": "torch.optim.SGD(w, lr={lr}, momentum=0.9)",
    "RMSprop": "torch.optim.RMSprop(w, lr={lr})",
    "Adam": "torch.optim.Adam(w, lr={lr})",
}


@dataclass(frozen=True)
class _Place:
    """Where all four are: float (4,) each, in the order of `_ROLES`, and the slopes there."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    loss: tuple[float, ...]
    slope_x: tuple[float, ...]
    slope_y: tuple[float, ...]


def _race(kind: Kind, lr: float, start: tuple[float, float]) -> Iterator[_Place]:
    """Where the four are before the first step and after each; they share no weight, so one sum has all gradients."""
    import torch

    from gui_lab.core.uncompiled import leave_the_compiler_out

    leave_the_compiler_out()
    weights = [torch.tensor(start, requires_grad=True) for _ in _ROLES]
    sgd, rmsprop, adam = torch.optim.SGD, torch.optim.RMSprop, torch.optim.Adam
    first, second, third, fourth = ([one] for one in weights)
    optimizers = sgd(first, lr=lr), sgd(second, lr=lr, momentum=0.9), rmsprop(third, lr=lr), adam(fourth, lr=lr)
    while True:
        places: Tensor = torch.stack(weights, dim=1)
        loss: Tensor = _LANDS[kind].loss(*places)
        slopes = torch.autograd.grad(loss.sum(), weights)
        rows = (*places.detach(), loss.detach(), *torch.stack(slopes, dim=1))
        yield _Place(*(tuple(row.tolist()) for row in rows))
        for one, slope, optimizer in zip(weights, slopes, optimizers, strict=True):
            one.grad = slope
            optimizer.step()


@functools.cache
def _surface(kind: Kind) -> Surface:
    import torch

    y, x = torch.meshgrid(torch.linspace(*_Y, _GRID), torch.linspace(*_X, _GRID), indexing="ij")
    heights: npt.NDArray[np.float32] = _LANDS[kind].loss(x, y).numpy()
    return Surface(heights, _X, _Y, "loss")


@CONCEPTS.add
class GradientDescent(Concept):
    """Optimisers race from one start down the loss surface of two weights."""

    number: ClassVar[int] = 9
    title: ClassVar[str] = "Gradient descent"
    line: ClassVar[str] = "How a step, a learning rate and an optimiser find the way down"
    icon: ClassVar[str] = "trend-down"
    story: ClassVar[str] = (
        "Each place on the map is a pair of weights. Its shade is the loss there, dark where it is low; thin lines join"
        " places of equal loss.\n\n"
        "The gradient points straight uphill. SGD steps the other way: w becomes w - lr x gradient. Click on the map to"
        " start elsewhere, pull lr, and play.\n\n"
        "Momentum keeps some of the last step, so zigzags cancel and the way along a valley adds up. RMSprop and Adam"
        " divide each weight's step by the size of its recent gradients, so steep and flat directions get equal steps."
    )
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("SGD: too small", {"lr": 0.001, "momentum": False, "RMSprop": False, "Adam": False}),
        Preset("SGD: right", {"lr": 0.085, "momentum": False, "RMSprop": False, "Adam": False}),
        Preset("SGD: diverging", {"lr": 0.102, "momentum": False, "RMSprop": False, "Adam": False}),
        Preset("Round bowl", {"surface": "bowl", "lr": 0.1}),
        Preset("Almost stuck on a saddle", {"surface": "saddle", "lr": 0.1, "start_x": -1.5, "start_y": 1.001}),
        Preset("Rosenbrock's bent valley", {"surface": "Rosenbrock", "lr": 0.0005, "start_x": -1.2}),
        Preset("A line through points", {"surface": "line through points", "lr": 0.1}),
    )
    seconds: ClassVar[float] = 0.12

    surface: Kind = knob("narrow valley", "The loss of two weights that is to be made small.")
    lr: float = knob(0.085, "Learning rate: how far along the gradient a step goes.", ge=1e-4, le=10, felt=True)
    SGD: bool = knob(True, "Against the gradient, nothing else.")
    momentum: bool = knob(True, "SGD that keeps 0.9 of the step before.")
    RMSprop: bool = knob(True, "Divides by the size of recent gradients.")
    Adam: bool = knob(True, "Momentum, divided by the size of recent gradients.")
    start_x: float = knob(-1.5, "Where w1 starts.", ge=-2, le=2, listed=False)
    start_y: float = knob(2.4, "Where w2 starts.", ge=-1, le=3, listed=False)

    # ---------------------------------------------------------------- the race

    def _racing(self) -> list[tuple[int, str, str]]:
        """Number, name and colour role of each."""
        named = enumerate(_ROLES.items())
        return [(number, name, role) for number, (name, role) in named if getattr(self, name)]

    def _places(self, step: int) -> list[_Place]:
        start = (self.start_x, self.start_y)
        key = ("GradientDescent", self.surface, self.lr, start)
        return film(key, lambda: _race(self.surface, self.lr, start)).upto(step)

    def scene(self, step: int, own: Own) -> Scene:
        step = min(step, _STEPS)
        places = self._places(step)
        standings = [self._standing(name, places) for _, name, _ in self._racing()]
        land, losses, table, claims = self._map(places), self._losses(places), _table(standings), self._claims(places)
        rows: tuple[tuple[Exhibit, ...], ...] = (land, losses), (table, *claims)
        if self.surface == "line through points":
            rows = (land, self._points(places)), (replace(losses, weight=1), table), claims
        facts = self._facts(step, places, standings)
        return Scene(tuple(row for row in rows if row), step, _STEPS + 1, self._says(step, standings), facts)

    def _facts(self, step: int, places: Sequence[_Place], standings: Sequence[_Standing]) -> dict[str, Value]:
        facts: dict[str, Value] = {"step": step}
        facts |= {f"loss_{one.name}": one.loss for one in standings}
        if self.SGD:
            facts |= {"x_SGD": places[-1].x[0], "y_SGD": places[-1].y[0]}
        return facts | {"diverged": any(one.diverged for one in standings)}

    def _least(self) -> float:
        """The smallest loss there is."""
        return float(_LANDS[self.surface].loss(*_LANDS[self.surface].lows[0]))

    def _standing(self, name: str, places: Sequence[_Place]) -> _Standing:
        number = list(_ROLES).index(name)
        path = np.array([(place.x[number], place.y[number]) for place in places])
        return _Standing(name, path, [place.loss[number] for place in places], self._least())

    def _says(self, step: int, standings: Sequence[_Standing]) -> str:
        if not standings:
            return "Nobody races. Switch an optimiser on."
        if step == 0:
            return f"{_LANDS[self.surface].words} Play, and all go down from the start; a click on the map moves it."
        first, *others = standings
        told = [first.sentence(self.lr)]
        settled = [one for one in standings if not one.diverged]
        if others and settled:
            lead = min(settled, key=lambda one: one.loss)
            told.append(f"Smallest loss: {lead.name}, {_short(lead.loss)}.")
        lost = [one.name for one in others if one.diverged]
        if lost:
            told.append(f"Diverging too: {', '.join(lost)}." if first.diverged else f"Diverging: {', '.join(lost)}.")
        return " ".join(told)

    # ---------------------------------------------------------------- exhibits

    def _map(self, places: Sequence[_Place]) -> Plot:
        lines, now = [], []
        for number, name, role in self._racing():
            x, y = (np.array([getattr(place, axis)[number] for place in places]) for axis in "xy")
            lines.append(Line(name, x, y, role, points=True))
            now.append(Spot(float(x[-1]), float(y[-1]), name, role))
        lows = [Spot(x, y, "minimum", "quiet") for x, y in _LANDS[self.surface].lows]
        start = Spot(self.start_x, self.start_y, "start")
        return Plot(
            title="The loss surface",
            weight=3,
            lines=tuple(lines),
            spots=(start, *lows, *(now if len(places) > 1 else ())),
            surface=_surface(self.surface),
            x_name="w1",
            y_name="w2",
            place=("start_x", "start_y"),
        )

    def _losses(self, places: Sequence[_Place]) -> Plot:
        steps = np.arange(len(places), dtype=np.float64)
        lines = [
            Line(name, steps, np.array([place.loss[number] for place in places]), role)
            for number, name, role in self._racing()
        ]
        least, first = self._least(), places[0].loss[0]
        return Plot(
            title="Loss of each",
            weight=2,
            lines=tuple(lines),
            x_name="steps",
            y_name="loss",
            x_range=(0.0, float(_STEPS)),
            y_range=(max(0.9 * least, 1e-6), 1e3 * max(first, 10 * least, 1e-3)),
            log_y=True,
        )

    def _points(self, places: Sequence[_Place]) -> Plot:
        """What the weights mean: a line through points for each optimiser."""
        ends = np.array(_X)
        x, y = np.insert(np.array(_POINTS), range(1, len(_POINTS)), np.nan, axis=0).T  # each point for itself
        lines = [Line("points", x, y, "quiet", points=True)]
        for number, name, role in self._racing():
            lines.append(Line(name, ends, places[-1].x[number] * ends + places[-1].y[number], role))
        return Plot(
            title="y = w1 x + w2",
            weight=2,
            lines=tuple(lines),
            x_name="x",
            y_name="y",
            x_range=_X,
            y_range=(-2.0, 4.0),
        )

    def _claims(self, places: Sequence[_Place]) -> tuple[Claims, ...]:
        """SGD by hand: its last step from the place before; at the start the slopes there."""
        now, land = places[-1], _LANDS[self.surface]
        if not self.SGD or self._standing("SGD", places).diverged:
            return ()
        if len(places) == 1:
            slope = land.slope(now.x[0], now.y[0])
            claims = (
                Claim("slope along w1", slope[0], now.slope_x[0], land.close),
                Claim("slope along w2", slope[1], now.slope_y[0], land.close),
            )
        else:
            x, y = places[-2].x[0], places[-2].y[0]
            slope, close = land.slope(x, y), land.close * max(self.lr, 1.0)
            claims = (
                Claim("w1 - lr x slope", x - self.lr * slope[0], now.x[0], close),
                Claim("w2 - lr x slope", y - self.lr * slope[1], now.y[0], close),
            )
        return (Claims(title="SGD by hand", claims=claims),)

    # ---------------------------------------------------------------- code

    def code(self, step: int, own: Own) -> str:
        points = ""
        if self.surface == "line through points":
            x, y = zip(*_POINTS, strict=True)
            points = f"x = torch.tensor({list(x)})\ny = torch.tensor({list(y)})\n"
        runs = []
        for _, name, _ in self._racing():
            names = f"loss_{name}, x_{name}, y_{name}"
            runs.append(f"{names} = race(lambda w: {_MAKERS[name].format(lr=self.lr)})")
        return f"""import torch

{points}step = {step}


def loss_of(w1, w2):
    return {_LANDS[self.surface].code}


def race(make):
    w = torch.tensor([{self.start_x}, {self.start_y}], requires_grad=True)
    optimizer = make([w])
    for _ in range(step):
        optimizer.zero_grad()
        loss_of(*w).backward()
        optimizer.step()
    return loss_of(*w).item(), *w.tolist()


{chr(10).join(runs)}
"""


@dataclass(frozen=True, eq=False)
class _Standing:
    """How an optimiser has fared.

    Attributes:
        path: where it was at the start and after each step, float64 (n, 2).
        losses: there.
        least: the smallest loss there is.
    """

    name: str
    path: npt.NDArray[np.float64]
    losses: list[float]
    least: float

    @property
    def loss(self) -> float:
        return self.losses[-1]

    def _left(self, loss: float) -> float:
        """Part of the loss at the start that is left."""
        return (loss - self.least) / max(self.losses[0] - self.least, 1e-6)

    @property
    def diverged(self) -> bool:
        """Whether it is higher than where it began by half, or lost."""
        return not self._left(self.loss) <= 1.5

    @property
    def _turns(self) -> int:
        """How many of the last steps went back towards where the step before came from."""
        moves = np.diff(self.path[-_LATELY - 2 :], axis=0)
        return int(np.count_nonzero((moves[1:] * moves[:-1]).sum(axis=1) < 0))

    @property
    def part(self) -> str:
        """What is left, in words."""
        left = 100 * self._left(self.loss)
        return "grows" if self.diverged else f"{left:.2g}{_THIN}%" if left >= 0.01 else f"< 0.01{_THIN}%"

    @property
    def verdict(self) -> str:
        """What the learning rate is for it, as far as one can tell by now."""
        if self.diverged:
            return "diverging"
        if self._left(self.loss) <= _ARRIVED:
            return "right"
        if self._turns >= _LATELY / 2:
            return "jumps about"
        return "too small" if len(self.losses) > _PATIENCE else "on the way"

    def sentence(self, lr: float) -> str:
        """The same with its reason."""
        steps = len(self.losses) - 1
        after = f"After {steps} steps" if steps > 1 else "After 1 step"
        there = next((step for step, loss in enumerate(self.losses) if self._left(loss) <= _ARRIVED), None)
        return {
            "diverging": f"{self.name} diverges: with lr = {lr:g} each step lands higher than the one before.",
            "right": f"{self.name} got down in {there} steps: lr = {lr:g} is right.",
            "jumps about": f"{self.name} jumps about, {self.part} of the loss left: lr = {lr:g} is too large.",
            "too small": f"{after}, {self.name} still has {self.part} of the loss: lr = {lr:g} is too small.",
            "on the way": f"{after}, {self.name} has {self.part} of the loss left.",
        }[self.verdict]


def _table(standings: Sequence[_Standing]) -> Table:
    columns = (Column("optimiser", "text"), Column("loss"), Column("loss left"), Column("learning rate", "text"))
    rows = tuple((one.name, _short(one.loss), one.part, one.verdict) for one in standings)
    return Table(title="How each fares", columns=columns, rows=rows)


def _short(value: float) -> str:
    if not math.isfinite(value):
        return "lost"
    if value == 0 or 1e-3 <= abs(value) < 1e4:
        return f"{value:.4f}"
    mantissa, _, power = f"{value:.1e}".partition("e")
    return f"{mantissa}e{int(power)}"
