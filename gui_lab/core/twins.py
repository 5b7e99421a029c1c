"""Networks trained side by side that differ in one thing only, so that what one sees comes from that thing.

Each twin begins with the same weights and takes the same batches, drawn by a generator of its own. What sets it apart
is given by its fields: its pictures and labels, its loss, its optimiser, and what it does or forgets in each step.
`race` is a generator of moments: a concept keeps them in a `Film` and shows as many as its step says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gui_lab.core.concepts import fresh
from gui_lab.core.dice import Indices, shuffled
from gui_lab.core.images import DATASETS, ImageSet, InMemory, opened

if TYPE_CHECKING:
    from torch import Tensor, nn, optim

_TRAIN, _HELD = 1500, 400  # pictures: an iteration of two small networks takes about a millisecond
_SIDE, _CLASSES = 32, 12


@dataclass(frozen=True, eq=False)
class Samples:
    """Pictures to learn from and pictures held back to measure with.

    Attributes:
        pictures, held: float32 (N, C, H, W) on the CPU; from `samples` they are pixels / 255, in 0..1.
        labels, held_labels: int64 (N,).
        classes: their names.
        own: they are the person's own, and not the bundled digits.
    """

    pictures: Tensor
    labels: Tensor
    held: Tensor
    held_labels: Tensor
    classes: tuple[str, ...]
    own: bool = False


def small_enough(images: ImageSet | None) -> bool:
    """Whether these are pictures that two networks learn within seconds: in memory, of one size up to 32 pixels, of up
    to 12 classes."""
    if images is None or not isinstance(images.pictures, InMemory) or len(images.classes) > _CLASSES:
        return False
    height, width = images.pictures.pixels.shape[2:]
    return bool(max(height, width) <= _SIDE)


def samples(images: ImageSet | None) -> Samples:
    """A person's own pictures where they are small enough, else the bundled digits: of the training part up to 1,500,
    of the validation part up to 400, always the same ones."""
    import torch

    own = small_enough(images)
    chosen = images if own and images is not None else opened(DATASETS.make("Digits"))
    train, held = _some(chosen.train, _TRAIN), _some(chosen.validation, _HELD)
    pictures, held_pictures = (torch.from_numpy(chosen.pictures.take(part)).float() / 255 for part in (train, held))
    labels, held_labels = (torch.from_numpy(chosen.labels[part]) for part in (train, held))
    return Samples(pictures, labels, held_pictures, held_labels, chosen.classes, own)


def _some(part: Indices, most: int) -> Indices:
    return part if len(part) <= most else part[shuffled(len(part), most)[:most]]


def right_answers(scores: Tensor, labels: Tensor) -> Tensor:
    """How many pictures of a batch have the largest score at their class: int64 ()."""
    return (scores.argmax(1) == labels).sum()


def cross_entropy(scores: Tensor, labels: Tensor) -> Tensor:
    from torch.nn import functional

    return functional.cross_entropy(scores, labels)


@dataclass(frozen=True, eq=False)
class Twin:
    """How one network learns. The defaults are how it is done right.

    Attributes:
        samples: what it learns from, and is measured with.
        build: makes the network, from (B, C, H, W) to scores (B, classes); `fresh` fills in its first weights. No
            Dropout, which draws from the global generator. A layer that is not to learn has requires_grad False.
        optimizer: makes the optimiser of the network.
        loss: of a batch, from scores and labels.
        shuffle: whether each epoch takes the pictures in a new order.
        zero_grad: whether gradients begin at zero in each step.
        evaluates: whether the network is in evaluation mode while it is measured.
        measured: pictures at once while it is measured; 0 for all.
        count: right answers of a batch while it is measured, from scores and labels.
    """

    samples: Samples
    build: Callable[[], nn.Module]
    optimizer: Callable[[nn.Module], optim.Optimizer]
    loss: Callable[[Tensor, Tensor], Tensor] = cross_entropy
    shuffle: bool = True
    zero_grad: bool = True
    evaluates: bool = True
    measured: int = 0
    count: Callable[[Tensor, Tensor], Tensor] = right_answers


@dataclass(frozen=True)
class Moment:
    """Where a twin is.

    Attributes:
        iteration: how many it has done.
        loss: its training loss, the mean over the iterations since the moment before.
        gradient: length of the gradient that the optimiser got, over all weights; the mean over these iterations.
        held_loss: its loss on the pictures held back, the mean over batches as they are measured.
        accuracy: part of the pictures held back that are answered right, 0..1.
    """

    iteration: int
    loss: float
    gradient: float
    held_loss: float
    accuracy: float


def race(
    twins: Sequence[Twin], *, seed: int, batch_size: int, iterations: int, every: int
) -> Iterator[tuple[Moment, ...]]:
    """Train twins together. Yields a moment of each after the first iteration, then after `every` more, to the last.

    Args:
        seed: of the first weights, and of the order of the pictures.
        batch_size: the last batch of an epoch is shorter where it does not come out even.
        iterations: to train in all.
    """
    runs = [_Run(twin, seed, batch_size) for twin in twins]
    done = 0
    while done < iterations:
        count = min(1 if done == 0 else every, iterations - done)
        done += count
        yield tuple(run.advance(count, done) for run in runs)


class _Run:
    """A twin, its network, and its place in the pictures."""

    def __init__(self, twin: Twin, seed: int, batch_size: int) -> None:
        from gui_lab.core.uncompiled import leave_the_compiler_out

        leave_the_compiler_out()
        self.twin = twin
        self.network = fresh(twin.build, seed)
        self.optimizer = twin.optimizer(self.network)
        self._batches = _batches(len(twin.samples.labels), batch_size, twin.shuffle, seed)

    def advance(self, iterations: int, done: int) -> Moment:
        steps = [self._step(next(self._batches)) for _ in range(iterations)]
        held_loss, accuracy = self._measure()
        losses, gradients = zip(*steps, strict=True)
        return Moment(done, sum(losses) / iterations, sum(gradients) / iterations, held_loss, accuracy)

    def _step(self, batch: Tensor) -> tuple[float, float]:
        import torch

        twin = self.twin
        self.network.train()
        if twin.zero_grad:
            self.optimizer.zero_grad()
        loss = twin.loss(self.network(twin.samples.pictures[batch]), twin.samples.labels[batch])
        loss.backward()  # type: ignore[no-untyped-call]  # torch's
        gradients = [one.grad.norm() for one in self.network.parameters() if one.grad is not None]
        self.optimizer.step()
        return float(loss.detach()), float(torch.stack(gradients).norm())

    def _measure(self) -> tuple[float, float]:
        import torch

        twin, held = self.twin, self.twin.samples
        self.network.train(not twin.evaluates)
        size = twin.measured or len(held.held_labels)
        losses, right = [], 0
        with torch.no_grad():
            for pictures, labels in zip(torch.split(held.held, size), torch.split(held.held_labels, size), strict=True):
                scores = self.network(pictures)
                losses.append(float(twin.loss(scores, labels)))
                right += int(twin.count(scores, labels))
        return sum(losses) / len(losses), right / len(held.held_labels)


def _batches(count: int, batch_size: int, shuffle: bool, seed: int) -> Iterator[Tensor]:
    """Indices of one batch after the other, epoch after epoch without end, int64."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    while True:
        order = torch.randperm(count, generator=generator) if shuffle else torch.arange(count)
        yield from torch.split(order, batch_size)
