"""The double softmax: a healthy network beside one that ends in a softmax, under a loss that contains one already.

Both begin with the same weights and get the same batches, so all that differs on screen comes from that one layer. The
loss of the second cannot pass ln(e + C - 1) - 1: what nn.CrossEntropyLoss makes of probabilities that are 1 at the
label and 0 elsewhere, taken for scores.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from gui_lab.core import twins
from gui_lab.core.concepts import CONCEPTS, Concept, Look, Own, Preset, Scene, film
from gui_lab.core.exhibits import Claim, Claims, Column, Exhibit, Line, Mark, Plot, Table
from gui_lab.core.images import ImageSet
from gui_lab.core.twins import Moment, Twin
from gui_lab.schema import knob

if TYPE_CHECKING:
    from torch import nn, optim

_HIDDEN = 32
_STEPS, _EVERY = 81, 5
_ITERATIONS = 1 + (_STEPS - 1) * _EVERY
_NAMES = ("healthy: raw scores", "a softmax before the loss")
_ROLES = ("training", "error")
_MINUS = "\u2212"


@dataclass(frozen=True)
class _Instant:
    """Both twins at one moment, and how many classes there are."""

    healthy: Moment
    doubled: Moment
    classes: int


def floor(classes: int) -> float:
    """The least loss that a second softmax leaves: of scores that are 1 at the label and 0 elsewhere."""
    return math.log(math.e + classes - 1) - 1


@CONCEPTS.add
class DoubleSoftmax(Concept):
    """What a softmax before nn.CrossEntropyLoss does to learning."""

    number: ClassVar[int] = 7
    title: ClassVar[str] = "The double softmax"
    line: ClassVar[str] = "One softmax too many, and a floor under the loss"
    icon: ClassVar[str] = "intersect"
    story: ClassVar[str] = (
        "nn.CrossEntropyLoss contains the softmax. A network that ends in nn.Softmax has therefore two of them, and "
        "PyTorch does not complain. Press Play and watch two networks learn: the same first weights, the same batches, "
        "the same learning rate. Only the last layer differs.\n\n"
        "The red one learns too, but slowly. Probabilities lie between 0 and 1, so the second softmax gets scores that "
        "are never far apart. Its gradient is shorter from the start, as the plot below shows, and its loss cannot go "
        "below the dashed line, however right its answers are.\n\n"
        "So when a loss of ten classes stays above 1.46, look at the last layer first. Leave the softmax out, and take "
        "it only to show probabilities."
    )
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("A small learning rate", {"lr": 0.1}),
        Preset("A large learning rate", {"lr": 1.5}),
        Preset("Other weights and batches", {"seed": 7}),
    )
    looks_at: ClassVar[frozenset[Look]] = frozenset({"pictures"})
    seconds: ClassVar[float] = 0.12

    lr: float = knob(0.5, "Learning rate of both, for torch.optim.SGD.", ge=0.01, le=3, step=0.05, felt=True)
    batch_size: int = knob(64, "Pictures in one forward and backward pass.", unit="pictures", ge=8, le=512)
    seed: int = knob(1, "Decides the first weights and the order of the pictures, for both alike.", ge=0, le=9999)

    def scene(self, step: int, own: Own) -> Scene:
        step = min(step, _STEPS - 1)
        images = own.images if twins.small_enough(own.images) else None
        key: Hashable = ("DoubleSoftmax", self.lr, self.batch_size, self.seed, images)
        instants = film(key, lambda: self._trained(images)).upto(step)
        now = instants[-1]
        least = floor(now.classes)
        losses, gradients, accuracies = _plots(instants, least)
        rows: tuple[tuple[Exhibit, ...], ...] = (
            (losses,),
            (gradients, accuracies),
            (_table(now),),
            (Claims(claims=tuple(_claims(now.classes))),),
        )
        return Scene(
            rows,
            step,
            _STEPS,
            _says(step, now, least, own=images is not None),
            {
                "iteration": now.healthy.iteration,
                "classes": now.classes,
                "floor": least,
                "healthy_loss": now.healthy.loss,
                "doubled_loss": now.doubled.loss,
                "healthy_gradient": now.healthy.gradient,
                "doubled_gradient": now.doubled.gradient,
                "healthy_accuracy": now.healthy.accuracy,
                "doubled_accuracy": now.doubled.accuracy,
            },
        )

    def _trained(self, images: ImageSet | None) -> Iterator[_Instant]:
        from torch import nn, optim

        data = twins.samples(images)
        pixels, classes = math.prod(data.pictures.shape[1:]), len(data.classes)

        def build() -> nn.Module:
            return nn.Sequential(nn.Flatten(), nn.Linear(pixels, _HIDDEN), nn.ReLU(), nn.Linear(_HIDDEN, classes))

        def build_doubled() -> nn.Module:
            return nn.Sequential(build(), nn.Softmax(dim=1))

        def descend(network: nn.Module) -> optim.Optimizer:
            return optim.SGD(network.parameters(), lr=self.lr)

        healthy = Twin(data, build, descend)
        pair = (healthy, replace(healthy, build=build_doubled))
        race = twins.race(pair, seed=self.seed, batch_size=self.batch_size, iterations=_ITERATIONS, every=_EVERY)
        for one, other in race:
            yield _Instant(one, other, classes)

    def code(self, step: int, own: Own) -> str:
        iterations = 1 + step * _EVERY
        lines = "None  # the bundled digits"
        if twins.small_enough(own.images) and own.experiment is not None:
            lines = f"opened(DATASETS.parse({own.experiment.dataset.table()!r}, ''))"
        return f"""import math
import torch
from torch import nn
from gui_lab import catalog  # for the pictures alone
from gui_lab.core.images import DATASETS, opened
from gui_lab.core.twins import samples

catalog.load()
images = {lines}
data = samples(images)
classes = len(data.classes)

def trained(*last):
    torch.manual_seed({self.seed})
    network = nn.Sequential(
        nn.Flatten(), nn.Linear(data.pictures[0].numel(), {_HIDDEN}), nn.ReLU(), nn.Linear({_HIDDEN}, classes), *last
    )
    optimizer = torch.optim.SGD(network.parameters(), lr={self.lr})
    generator = torch.Generator().manual_seed({self.seed})
    losses, gradients = [], []
    while len(losses) < {iterations}:
        order = torch.randperm(len(data.labels), generator=generator)
        for batch in order.split({self.batch_size})[:{iterations} - len(losses)]:
            loss = nn.CrossEntropyLoss()(network(data.pictures[batch]), data.labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            gradients.append(torch.cat([one.grad.flatten() for one in network.parameters()]).norm().item())
    with torch.no_grad():
        accuracy = (network(data.held).argmax(1) == data.held_labels).float().mean().item()
    count = {min(_EVERY, iterations)}  # the mean of the last ones
    return sum(losses[-count:]) / count, sum(gradients[-count:]) / count, accuracy

healthy_loss, healthy_gradient, healthy_accuracy = trained()
doubled_loss, doubled_gradient, doubled_accuracy = trained(nn.Softmax(dim=1))  # one too many
floor = math.log(math.e + classes - 1) - 1
"""


def _plots(instants: list[_Instant], least: float) -> tuple[Plot, Plot, Plot]:
    """Loss, gradient and accuracy of both, over the iterations so far."""
    over = np.array([one.healthy.iteration for one in instants], np.float64)
    pairs = [(one.healthy, one.doubled) for one in instants]
    both = list(zip(_NAMES, _ROLES, strict=True))
    whole = (0.0, float(_ITERATIONS))

    def lines(quantity: str) -> tuple[Line, ...]:
        return tuple(
            Line(name, over, np.array([getattr(pair[which], quantity) for pair in pairs]), role, dashed=which == 1)
            for which, (name, role) in enumerate(both)
        )

    chance = math.log(instants[-1].classes)
    losses = Plot(
        title="Training loss",
        lines=lines("loss"),
        marks=(Mark(least, f"floor {least:.4f}", role="error"),),
        x_name="iterations",
        x_range=whole,
        y_range=(0.0, 1.15 * chance),
        weight=2,
    )
    gradients = Plot(
        title="Length of the gradient",
        lines=lines("gradient"),
        x_name="iterations",
        x_range=whole,
        log_y=True,
    )
    accuracies = Plot(
        title="Accuracy on pictures held back",
        lines=lines("accuracy"),
        x_name="iterations",
        x_range=whole,
        y_range=(0.0, 1.0),
    )
    return losses, gradients, accuracies


def _table(now: _Instant) -> Table:
    columns = (
        Column("network", "text"),
        Column("loss"),
        Column("gradient"),
        Column("accuracy", "bar", digits=3, high=1.0),
    )
    rows = [
        (name, one.loss, one.gradient, one.accuracy)
        for name, one in zip(_NAMES, (now.healthy, now.doubled), strict=True)
    ]
    return Table(columns=columns, rows=tuple(rows))


def _claims(classes: int) -> list[Claim]:
    """The floor, and how much shorter the gradient begins, against torch."""
    import torch
    from torch.nn import functional

    label = torch.tensor([0])
    certain = functional.one_hot(label, classes).float()
    lengths = []
    for doubled in (False, True):
        scores = torch.zeros(1, classes, requires_grad=True)
        loss = functional.cross_entropy(scores.softmax(1) if doubled else scores, label)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it unannotated
        assert scores.grad is not None
        lengths.append(float(scores.grad.norm()))
    words = f"ln(e + {classes} {_MINUS} 1) {_MINUS} 1 is nn.CrossEntropyLoss of the best probabilities, 1 and 0"
    return [
        Claim(words, floor(classes), float(functional.cross_entropy(certain, label))),
        Claim(f"Equal scores: the gradient is 1/{classes} as long behind a second softmax", 1 / classes,
              lengths[1] / lengths[0]),
    ]  # fmt: skip


def _says(step: int, now: _Instant, least: float, *, own: bool) -> str:
    healthy, doubled = now.healthy, now.doubled
    whose = "your pictures" if own else "the bundled digits"
    if step == 0:
        return (
            f"Two networks on {whose}, with the same weights and the same first batch. Both guess: their losses are "
            f"near ln {now.classes} = {math.log(now.classes):.4f}. The gradient of the one with two softmaxes is "
            f"{_times(healthy.gradient, doubled.gradient)} shorter already."
        )
    where = (
        f"After {healthy.iteration:,} iterations the healthy one is at {healthy.loss:.4f}, the other at "
        f"{doubled.loss:.4f}, with {healthy.accuracy:.0%} and {doubled.accuracy:.0%} right."
    )
    if step < _STEPS - 1:
        return f"{where} The floor is {least:.4f}."
    return (
        f"{where} However long it trains, its loss stays above {least:.4f}: with probabilities for scores, being sure "
        "and right is not seen as such."
    )


def _times(longer: float, shorter: float) -> str:
    return f"{longer / shorter:.1f} times" if shorter > 0 else "infinitely"
