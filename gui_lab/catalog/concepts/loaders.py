"""Data sets and loaders: what an epoch, a batch and an iteration are, on the person's own pictures in their real order.

The order is the one that a run of this seed takes, from the same function, so that while a run goes on the batch shown
is the batch that it trains on. How many batches there are is checked against a real DataLoader.
"""

from __future__ import annotations

import functools
import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from gui_lab.core import twins
from gui_lab.core.concepts import CONCEPTS, Concept, Look, Own, Preset, Scene, Value, film
from gui_lab.core.dice import Indices, shuffled
from gui_lab.core.exhibits import Claim, Claims, Conveyor, Exhibit, Fact, Facts, Line, Mark, Plot, Question
from gui_lab.core.images import DATASETS, ImageSet, opened
from gui_lab.core.learning import Training
from gui_lab.core.loading import Batches, by_class, epoch_order
from gui_lab.schema import knob

if TYPE_CHECKING:
    from torch import nn

_MOST = 100_000
_COUNTED = 20_000  # pictures that a DataLoader puts into batches within some milliseconds
_TWIN_BATCH = 256  # at most, so that a twin takes seconds
_TWIN_ITERATIONS, _TWIN_EVERY = 240, 2
_TWIN_RATE = 0.3

_SHAPING = {"samples", "shuffle", "drop_last", "sorted_by_class", "epoch"}
_OVERRULED = {"twin": _SHAPING | {"follow"}, "follow": _SHAPING | {"batch_size", "seed", "twin"}}
"""The knobs that do nothing while a switch is on."""


@functools.cache
def _bundled() -> ImageSet:
    return opened(DATASETS.make("Digits"))


@dataclass(frozen=True)
class _Loading:
    """What is in force: the page's own values, or those of the run that is followed."""

    batches: Batches
    samples: int
    size: int
    seed: int
    epoch: int
    shuffle: bool
    drop_last: bool
    whose: str
    names: tuple[str, ...]

    @property
    def iterations(self) -> int:
        return self.samples // self.size if self.drop_last else -(-self.samples // self.size)

    @property
    def last(self) -> int:
        """Pictures in the last batch that is used."""
        return min(self.samples - (self.iterations - 1) * self.size, self.size) if self.iterations else 0

    @property
    def left_out(self) -> int:
        return self.samples % self.size if self.drop_last else 0


@CONCEPTS.add
class Loaders(Concept):
    """How a data set reaches the network: epochs, batches and iterations."""

    number: ClassVar[int] = 4
    title: ClassVar[str] = "Data sets and loaders"
    line: ClassVar[str] = "Epoch, batch size and iterations, seen on the real order of your pictures"
    icon: ClassVar[str] = "stack"
    story: ClassVar[str] = (
        "An epoch is one forward and one backward pass over all training pictures. They are not shown to the network "
        "all at once: the loader puts them in an order and cuts it into batches. The batch size says how many pictures "
        "are in one.\n\n"
        "One forward and backward pass of one batch is an iteration: then the weights change once. So an epoch has "
        "ceil(N / B) iterations; the formula is filled in above the conveyor.\n\n"
        "On the conveyor each tile is a picture with its number in the data set; the edge has the colour of its class. "
        "The blue box is the batch in use. The last box may have empty places: N rarely comes out even. With drop_last "
        "it is thrown away.\n\n"
        "The bar below a box shows its mix of classes. Take shuffle away and sort by class, and each box has one "
        "colour. The switch twin shows what that does to a network."
    )
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("Your training pictures", {}),
        Preset("60,000 pictures in batches of 128", {"samples": 60_000, "batch_size": 128}),
        Preset("Short last batch, dropped", {"samples": 100, "batch_size": 16, "drop_last": True}),
        Preset("Sorted, without shuffle", {"shuffle": False, "sorted_by_class": True}),
        Preset("Sorted against shuffled, trained", {"shuffle": False, "sorted_by_class": True, "twin": True}),
    )
    looks_at: ClassVar[frozenset[Look]] = frozenset({"pictures", "place"})
    mine: ClassVar[dict[str, Any]] = {"follow": True, "twin": False}
    seconds: ClassVar[float] = 0.6

    samples: int = knob(
        0, "Pictures in an epoch; 0 takes all training pictures, more than there are can only be counted.", ge=0,
        le=_MOST,
    )  # fmt: skip
    batch_size: int = knob(64, "Pictures in one forward and backward pass.", unit="pictures", ge=1, le=65_536)
    shuffle: bool = knob(True, "Take the pictures in another order in each epoch.")
    drop_last: bool = knob(False, "Throw the last batch away where it is a short one.")
    sorted_by_class: bool = knob(False, "The pictures lie sorted by class, as a folder for each class gives them.")
    seed: int = knob(1, "Decides the order, together with the epoch.", ge=0, le=2**31)
    epoch: int = knob(1, "Which epoch's order is shown.", ge=1, le=10_000)
    follow: bool = knob(False, "Use your own training's seed and batch size; its batch in use lights up while it runs.")
    twin: bool = knob(False, "Train two small networks: one on sorted pictures without shuffle, one with.")
    answer: int | None = knob(None, "Your answer to the question.", listed=False, ge=-(10**12), le=10**15)

    def changed(self, **values: Any) -> Self:
        """An answer belongs to its question: with other numbers it is another one. And whoever turns a knob wants to
        see it act: what would overrule it is switched off."""
        also: dict[str, Any] = {"answer": None}
        also |= {"follow": False} if values.keys() & _OVERRULED["follow"] else {}
        also |= {"twin": False} if values.keys() & _OVERRULED["twin"] else {}
        return super().changed(**(also | values))

    def scene(self, step: int, own: Own) -> Scene:
        if self.twin:
            return self._twin_scene(step, own)
        loading, place = self._loading(own), own.place if self.follow else None
        if place is not None:
            step = place[1] - 1
        steps = max(loading.iterations, 1)
        step = min(max(step, 0), steps - 1)
        current = step if loading.iterations else -1
        loading.batches.read(step)
        classes = loading.batches.classes(current) if current >= 0 else 0
        rows: tuple[tuple[Exhibit, ...], ...] = (
            (_facts(loading), self._question(loading)),
            (_conveyor(loading, current),),
            (_claims(loading),),
        )
        facts: dict[str, Value] = {
            "samples": loading.samples,
            "batch_size": loading.size,
            "iterations": loading.iterations,
            "last_batch": loading.last,
            "left_out": loading.left_out,
            "batch": current + 1,
            "classes_in_batch": classes,
            "shuffle": loading.shuffle,
            "answered": self.answer is not None,
            "right": self.answer == self._asked(loading)[1],
        }
        says = self._says(loading, current, classes, running=place is not None)
        if self.follow and place is None:
            says += " Press Train, and the batch in use lights up here."
        return Scene(rows, step, steps, says, facts)

    def _loading(self, own: Own) -> _Loading:
        """The order and its batches: of this page, or as the own training has them."""
        images, training = own.images or _bundled(), own.experiment.training if own.experiment else Training()
        whose = own.experiment.dataset.name_of() if own.experiment and own.images else "Digits"
        if self.follow:
            epoch = own.place[0] if own.place else self.epoch
            order = epoch_order(
                images.train, images.labels, seed=training.seed, epoch=epoch, balanced=training.balanced
            )
            batches = Batches(order, training.batch_size, images.labels, images.pictures)
            size, seed = training.batch_size, training.seed
            return _Loading(batches, len(order), size, seed, epoch, True, False, whose, images.classes)
        samples = self.samples or len(images.train)
        if samples > len(images.train):
            order = np.arange(samples)
            order = order[shuffled(samples, self.seed, self.epoch)] if self.shuffle else order
            batches, whose = Batches(order, self.batch_size), ""
        else:
            batches = Batches(self._order(images, samples), self.batch_size, images.labels, images.pictures)
        return _Loading(
            batches, samples, self.batch_size, self.seed, self.epoch, self.shuffle, self.drop_last, whose,
            images.classes,
        )  # fmt: skip

    def _order(self, images: ImageSet, samples: int) -> Indices:
        part = images.train
        if samples < len(part):  # some of each class, so that sorting has something to show
            part = np.sort(part[shuffled(len(part), samples)[:samples]])
        if self.sorted_by_class:
            part = by_class(part, images.labels)
        return epoch_order(part, images.labels, seed=self.seed, epoch=self.epoch) if self.shuffle else part

    # ---------------------------------------------------------------- in words

    def _says(self, loading: _Loading, current: int, classes: int, *, running: bool) -> str:
        if current < 0:
            return (
                f"There is no iteration: not one batch of {loading.size:,} is full, and with drop_last a short one is "
                "thrown away."
            )
        size = len(loading.batches[current])
        mixed = f" of {classes} class{'' if classes == 1 else 'es'}" if classes else ""
        where = f"Iteration {current + 1:,} of {loading.iterations:,} in epoch {loading.epoch:,}"
        sees = f"{where}: the network {'is training on' if running else 'sees'} {_pictures(size)}{mixed}"
        if current + 1 < loading.iterations:
            left = loading.samples - (current + 1) * loading.size - loading.left_out
            return f"{sees}, then its weights change once. {_pictures(left)} still to come."
        if loading.left_out:
            return f"{sees}. Then the epoch is over, with {_pictures(loading.left_out)} left out of it."
        return f"{sees}. Then all {loading.samples:,} pictures have been used once: that is one epoch."

    def _asked(self, loading: _Loading) -> tuple[int, int]:
        """Another batch size than the one whose answer is on screen, and how many iterations it makes."""
        size = 100 if loading.size != 100 else 128
        iterations = loading.samples // size if loading.drop_last else -(-loading.samples // size)
        return size, iterations

    def _question(self, loading: _Loading) -> Question:
        size, iterations = self._asked(loading)
        whole, left = divmod(loading.samples, size)
        made = f"{loading.samples:,} pictures make {whole:,} whole batches of {size:,}"
        rest = f" and {left:,} are left, which are dropped" if loading.drop_last else f" and a last one of {left:,}"
        remark = f"{made}{rest if left else ''}: {iterations:,} iterations."
        if self.answer is not None and self.answer != iterations:
            halves = (
                " A batch that is not full is dropped." if loading.drop_last else " A last, short batch counts too."
            )
            remark = f"{loading.samples:,} / {size:,} = {loading.samples / size:.6g}.{halves if left else ''}"
        dropped = ", the short one dropped" if loading.drop_last else ""
        return Question(
            title="And you",
            text=f"How many iterations has an epoch of {loading.samples:,} pictures in batches of {size:,}{dropped}?",
            sets="answer",
            answer=self.answer,
            verdict="" if self.answer is None else "right" if self.answer == iterations else "wrong",
            remark="" if self.answer is None else remark,
            weight=2,
        )

    def code(self, step: int, own: Own) -> str:
        loading = self._loading(own)
        return f"""import torch
from torch.utils.data import DataLoader, TensorDataset

samples, batch_size = {loading.samples}, {loading.size}
dataset = TensorDataset(torch.arange(samples))  # your pictures and labels in its place
loader = DataLoader(
    dataset, batch_size, shuffle={loading.shuffle}, drop_last={loading.drop_last},
    generator=torch.Generator().manual_seed({loading.seed}),
)
iterations = len(loader)  # of one epoch
last_batch = min(samples - (iterations - 1) * batch_size, batch_size) if iterations else 0

# an epoch
# for pictures, labels in loader:  # an iteration
#     optimizer.zero_grad()
#     loss = criterion(model(pictures), labels)
#     loss.backward()
#     optimizer.step()
"""

    # ---------------------------------------------------------------- sorted against shuffled

    def _twin_scene(self, step: int, own: Own) -> Scene:
        images = own.images if own.images is not None and twins.small_enough(own.images) else _bundled()
        size = min(self.batch_size, _TWIN_BATCH)
        key = ("Loaders", images, size, self.seed)
        moments = film(key, lambda: _raced(images, size, self.seed))
        steps = 1 + -(-(_TWIN_ITERATIONS - 1) // _TWIN_EVERY)
        step = min(max(step, 0), steps - 1)
        told = moments.upto(step)
        now = told[-1]
        batches = Batches(by_class(_twin_part(images), images.labels), size, images.labels, images.pictures)
        current = (now[0].iteration - 1) % len(batches)
        batches.read(current)
        conveyor = Conveyor(
            title="What the network without shuffle gets: one class after the other",
            batches=batches, current=current, size=size, names=images.classes,
        )  # fmt: skip
        marks = tuple(
            Mark(float(at), "an epoch" if at == len(batches) else "", axis="x")
            for at in range(len(batches), now[0].iteration, len(batches))
        )
        rows = ((_losses(told, marks), _accuracies(told, marks)), (conveyor,))
        facts: dict[str, Value] = {
            "samples": len(batches.order), "batch_size": size, "iterations": len(batches),
            "last_batch": len(batches[-1]), "batch": current + 1, "classes_in_batch": batches.classes(current),
            "iteration": now[0].iteration, "sorted_loss": now[0].loss, "shuffled_loss": now[1].loss,
            "sorted_accuracy": now[0].accuracy, "shuffled_accuracy": now[1].accuracy,
        }  # fmt: skip
        return Scene(rows, step, steps, _twin_says(now), facts)


def _pictures(count: int) -> str:
    return f"{count:,} picture{'' if count == 1 else 's'}"


def _facts(loading: _Loading) -> Facts:
    samples, size, iterations = f"{loading.samples:,}", f"{loading.size:,}", f"{loading.iterations:,}"
    rounded = "floor" if loading.drop_last else "ceil"
    whose = f"training pictures of {loading.whose}" if loading.whose else "pictures, counted only"
    facts = [
        Fact("samples", samples, "N", whose),
        Fact("batch size", size, "B", "pictures in one pass"),
        Fact("iterations per epoch", iterations, f"{rounded}(N / B)", f"{rounded}({samples} / {size})", state="now"),
    ]
    if loading.left_out:
        facts.append(Fact("dropped", f"{loading.left_out:,}", "N mod B", f"{samples} mod {size}"))
    return Facts(title=f"One epoch, number {loading.epoch:,}", facts=tuple(facts), weight=3)


def _conveyor(loading: _Loading, current: int) -> Conveyor:
    return Conveyor(
        title="The conveyor",
        batches=loading.batches,
        current=current,
        size=loading.size,
        dropped=loading.drop_last,
        names=loading.names,
    )


def _claims(loading: _Loading) -> Claims:
    told = _told(loading.samples, loading.size, loading.shuffle, loading.drop_last, loading.seed)
    rounded, name = (math.floor, "floor(N / B)") if loading.drop_last else (math.ceil, "ceil(N / B)")
    claims = [Claim(f"{name} is len(DataLoader(...))", float(rounded(loading.samples / loading.size)), told[0])]
    if len(told) > 1:
        claims.append(Claim("Pictures in the last batch that it gives", float(loading.last), told[1]))
    return Claims(claims=tuple(claims))


@functools.lru_cache(maxsize=32)
def _told(samples: int, size: int, shuffle: bool, drop_last: bool, seed: int) -> tuple[float, ...]:
    """What a DataLoader of torch says: how many batches it has and, where it gets through them in no time, how long
    the last one is. Its generator is its own."""
    import torch
    from torch.utils.data import DataLoader

    own = torch.Generator().manual_seed(seed)
    loader: Any = DataLoader(range(samples), size, shuffle=shuffle, drop_last=drop_last, generator=own)  # type: ignore[arg-type]  # all it asks of a data set is a length and places
    if not len(loader) or samples > _COUNTED:
        return (float(len(loader)),)
    return float(len(loader)), float(deque((len(batch) for batch in loader.batch_sampler), maxlen=1)[0])


# -------------------------------------------------------------------- the twins


def _twin_part(images: ImageSet) -> Indices:
    """The training pictures, as many as two networks get through in seconds."""
    part = images.train
    return part if len(part) <= 1500 else np.sort(part[shuffled(len(part), 1500)[:1500]])


def _raced(images: ImageSet, size: int, seed: int) -> Iterator[tuple[twins.Moment, ...]]:
    """Two networks from the same weights on the same pictures: sorted by class without shuffle, and shuffled."""
    import torch

    def ready(part: Indices) -> torch.Tensor:
        return torch.from_numpy(np.asarray(images.pictures.take(part))).float() / 255

    part, held = by_class(_twin_part(images), images.labels), images.validation[:400]
    labels = torch.from_numpy(images.labels)
    samples = twins.Samples(ready(part), labels[part], ready(held), labels[held], images.classes)
    inputs, classes = samples.pictures[0].numel(), len(images.classes)

    def build() -> nn.Module:
        from torch import nn

        return nn.Sequential(nn.Flatten(), nn.Linear(inputs, 32), nn.ReLU(), nn.Linear(32, classes))

    def optimizer(network: nn.Module) -> torch.optim.Optimizer:
        return torch.optim.SGD(network.parameters(), lr=_TWIN_RATE)

    learning = twins.Twin(samples, build, optimizer)
    pair = (replace(learning, shuffle=False), learning)
    yield from twins.race(pair, seed=seed, batch_size=size, iterations=_TWIN_ITERATIONS, every=_TWIN_EVERY)


def _epoch_ends(iterations: int, done: int) -> tuple[Mark, ...]:
    """The first one is named, which is enough to read the others."""
    ends = range(iterations, done, iterations)
    return tuple(Mark(float(end), "an epoch" if end == iterations else "", axis="x") for end in ends)


def _twin_says(now: tuple[twins.Moment, ...]) -> str:
    unshuffled, shuffled_one = now
    return (
        f"Iteration {unshuffled.iteration}: without shuffle {unshuffled.accuracy:.0%} of the pictures held back are "
        f"answered right, with shuffle {shuffled_one.accuracy:.0%}. The one without learns the class in hand and "
        "forgets the others; same weights at the start, same pictures, same batch size."
    )


def _losses(told: list[tuple[twins.Moment, ...]], marks: tuple[Mark, ...]) -> Plot:
    return Plot(
        title="Training loss", lines=_lines(told, "loss"), marks=marks, x_name="iteration", y_name="loss",
        x_range=(0.0, float(_TWIN_ITERATIONS)),
    )  # fmt: skip


def _accuracies(told: list[tuple[twins.Moment, ...]], marks: tuple[Mark, ...]) -> Plot:
    return Plot(
        title="Accuracy on pictures held back", lines=_lines(told, "accuracy"), marks=marks, x_name="iteration",
        y_name="accuracy", x_range=(0.0, float(_TWIN_ITERATIONS)), y_range=(0.0, 1.0),
    )  # fmt: skip


def _lines(told: list[tuple[twins.Moment, ...]], name: str) -> tuple[Line, ...]:
    at = np.array([moments[0].iteration for moments in told], np.float64)
    values = [np.array([getattr(moments[twin], name) for moments in told], np.float64) for twin in (0, 1)]
    return (
        Line("sorted, no shuffle", at, values[0], "error", dashed=True),
        Line("shuffled", at, values[1], "training"),
    )
