"""The bugs every beginner writes once, each as a line that was written and the line that was meant.

A bug is told twice, as twins that train and as code that a person can run; the two are compared in a test. What each
does to the curves was measured on the bundled digits, and the settings of a bug are those with which it is seen within
151 iterations: a leak, for one, shows only where there are few pictures to learn from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

from gui_lab.core.twins import Moment, Samples, Twin, race, right_answers, samples

if TYPE_CHECKING:
    from torch import Tensor, nn, optim

Name = Literal[
    "no zero_grad",
    "no eval() at validation",
    "shuffled labels",
    "softmax before the loss",
    "argmax over wrong axis",
    "Normalize twice",
    "augmenting validation",
    "train/test leak",
    "learning rate x100",
    "sorted data, no shuffle",
    "frozen layer",
    "integer-divided pixels",
]
NAMES: tuple[Name, ...] = get_args(Name)

MOMENTS, EVERY = 31, 5
"""After the first iteration, then after five more each: 151 in all."""
_HELD = 350  # a multiple of ten: a batch of ten scores of ten classes is square, which is what hides a wrong axis
_FEW = 160
_SIDE = 4

Slot = Literal["data", "freeze", "optimizer", "order", "zero", "loss", "mode", "count"]
Pair = tuple[Twin, Twin]

_MEANT: dict[Slot, str] = {
    "data": "",
    "freeze": "",
    "optimizer": "optimizer = torch.optim.SGD(model.parameters(), lr={lr}, momentum=0.9)",
    "order": "order = torch.randperm(len(labels), generator=generator)",
    "zero": "optimizer.zero_grad()",
    "loss": "loss = F.cross_entropy(model(x), y)",
    "mode": "model.eval()",
    "count": "right += (model(x).argmax(1) == y).sum().item()",
}


@dataclass(frozen=True)
class Bug:
    """
    Attributes:
        name: in plain words.
        look: what kind of trace it leaves; two bugs of one look are hard to tell apart by curves.
        slot: the place in the training code where the line stands.
        written, meant: the line as it is and as it should be.
        seen: what the curves show, in a sentence.
        notice: how one finds it, and why it is so.
        pair: makes the healthy twin and the one with the bug.
        before: code that prepares the data for both.
        lr, batch_size: of both.
        measured: pictures at once while measuring.
        layers: of both networks, as code.
    """

    name: Name
    look: str
    slot: Slot
    written: str
    meant: str
    seen: str
    notice: str
    pair: Callable[[Bug], Pair]
    before: str = ""
    lr: float = 0.05
    batch_size: int = 32
    measured: int = _HELD
    layers: str = "nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)"

    def race(self, seed: int) -> Iterator[tuple[Moment, ...]]:
        """Moments of the healthy network and of the one with the bug.

        Args:
            seed: of the first weights and of the order of the pictures.
        """
        iterations = 1 + (MOMENTS - 1) * EVERY
        return race(self.pair(self), seed=seed, batch_size=self.batch_size, iterations=iterations, every=EVERY)

    def code(self, iterations: int, seed: int, tell: bool) -> str:
        """Training code with both lines, or only with the one that was meant where the bug is not to be told."""
        lines = {slot: text.format(lr=self.lr) for slot, text in _MEANT.items()}
        lines[self.slot] = f"if wrong:\n    {self.written}\nelse:\n    {self.meant}" if tell else self.meant
        blank = {"iterations": iterations, "seed": seed, "every": EVERY, "batch": self.batch_size, "held": _HELD}
        text = _CODE.format(**blank, measured=self.measured, layers=self.layers, wrong="wrong" if tell else "")
        for slot, line in [("before", self.before), *lines.items()]:
            text = _filled(text, slot, line)
        return text + (_BOTH if tell else _HEALTHY)


def _filled(text: str, slot: str, lines: str) -> str:
    """The line `[slot]` of a text as these lines, as far in as it; without it where there are none."""
    done = []
    for line in text.splitlines(keepends=True):
        if line.strip() == f"[{slot}]":
            indent = line[: len(line) - len(line.lstrip())]
            done += [f"{indent}{one}\n" for one in lines.splitlines()]
        else:
            done.append(line)
    return "".join(done)


_CODE = """import torch
from torch import nn
from torch.nn import functional as F

from gui_lab.core.concepts import fresh  # a network with torch's own first weights, from a seed
from gui_lab.core.twins import samples  # the bundled digits; put your own pictures and labels here

data, iterations = samples(None), {iterations}


def train({wrong}):
    pictures, labels = data.pictures, data.labels  # float32 (N, 1, 8, 8) in 0..1, int64 (N,)
    held, held_labels = data.held[:{held}], data.held_labels[:{held}]
    [before]
    [data]
    model = fresh(lambda: nn.Sequential({layers}), seed={seed})
    [freeze]
    [optimizer]
    generator = torch.Generator().manual_seed({seed})
    losses = []
    model.train()
    while len(losses) < iterations:
        [order]
        for batch in order.split({batch})[: iterations - len(losses)]:
            x, y = pictures[batch], labels[batch]
            [zero]
            [loss]
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    [mode]
    right = 0
    with torch.no_grad():
        for x, y in zip(held.split({measured}), held_labels.split({measured})):
            [count]
    last = losses[-{every}:]
    return sum(last) / len(last), right / len(held_labels)


"""
_HEALTHY = "healthy_loss, healthy_accuracy = train()\n"
_BOTH = """healthy_loss, healthy_accuracy = train(wrong=False)
buggy_loss, buggy_accuracy = train(wrong=True)
"""


# ---------------------------------------------------------------- what the twins are made of


def _data() -> Samples:
    found = samples(None)
    return replace(found, held=found.held[:_HELD], held_labels=found.held_labels[:_HELD])


def _network() -> nn.Module:
    from torch import nn

    return nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))


def _normed_network() -> nn.Module:
    from torch import nn

    return nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 10))


def _frozen_network() -> nn.Module:
    network = _network()
    network.get_submodule("1").requires_grad_(False)
    return network


def _sgd(lr: float) -> Callable[[nn.Module], optim.Optimizer]:
    import torch

    return lambda network: torch.optim.SGD(network.parameters(), lr=lr, momentum=0.9)


def _healthy(bug: Bug) -> Twin:
    return Twin(_data(), _network, _sgd(bug.lr), measured=bug.measured)


def _with_data(bug: Bug, right: Callable[[Samples], Samples], wrong: Callable[[Samples], Samples]) -> Pair:
    healthy = _healthy(bug)
    return replace(healthy, samples=right(healthy.samples)), replace(healthy, samples=wrong(healthy.samples))


def _no_zero_grad(bug: Bug) -> Pair:
    healthy = _healthy(bug)
    return healthy, replace(healthy, zero_grad=False)


def _no_eval(bug: Bug) -> Pair:
    healthy = replace(_healthy(bug), build=_normed_network)
    return healthy, replace(healthy, evaluates=False)


def _shuffled_labels(bug: Bug) -> Pair:
    import torch

    def shuffled(data: Samples, pictures: bool) -> Samples:
        order = torch.randperm(len(data.labels), generator=torch.Generator().manual_seed(1))
        return replace(data, labels=data.labels[order], pictures=data.pictures[order] if pictures else data.pictures)

    return _with_data(bug, lambda data: shuffled(data, True), lambda data: shuffled(data, False))


def _second_softmax(bug: Bug) -> Pair:
    from torch.nn import functional

    healthy = _healthy(bug)
    return healthy, replace(healthy, loss=lambda scores, labels: functional.cross_entropy(scores.softmax(1), labels))


def _wrong_axis(bug: Bug) -> Pair:
    healthy = _healthy(bug)
    return healthy, replace(healthy, count=lambda scores, labels: right_answers(scores.T, labels))


def _twice_normalized(bug: Bug) -> Pair:
    def normalized(data: Samples) -> Samples:
        return replace(data, pictures=(data.pictures - 0.5) / 0.5, held=(data.held - 0.5) / 0.5)

    return _with_data(bug, normalized, lambda data: normalized(normalized(data)))


def erased(pictures: Tensor, seed: int) -> Tensor:
    """A square of 4 x 4 pixels of each picture set to 0, at a place of its own: v2.RandomErasing in small.

    Args:
        pictures: (N, C, H, W); not changed.
        seed: of the places.
    """
    import torch

    height, width = pictures.shape[2:]
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randint(0, height - _SIDE + 1, (len(pictures), 1, 1, 1), generator=generator)
    columns = torch.randint(0, width - _SIDE + 1, (len(pictures), 1, 1, 1), generator=generator)
    down, along = torch.arange(height)[:, None], torch.arange(width)
    inside = (down >= rows) & (down < rows + _SIDE) & (along >= columns) & (along < columns + _SIDE)
    return pictures.masked_fill(inside, 0.0)


def _augmented(bug: Bug) -> Pair:
    def right(data: Samples) -> Samples:
        return replace(data, pictures=erased(data.pictures, 1))

    return _with_data(bug, right, lambda data: replace(right(data), held=erased(data.held, 2)))


def _leaking(bug: Bug) -> Pair:
    import torch

    def few(data: Samples) -> Samples:
        return replace(data, pictures=data.pictures[:_FEW], labels=data.labels[:_FEW])

    def leaking(data: Samples) -> Samples:
        data = few(data)
        pictures, labels = torch.cat([data.pictures, data.held]), torch.cat([data.labels, data.held_labels])
        return replace(data, pictures=pictures, labels=labels)

    return _with_data(bug, few, leaking)


def _too_fast(bug: Bug) -> Pair:
    healthy = _healthy(bug)
    return healthy, replace(healthy, optimizer=_sgd(100 * bug.lr))


def _sorted(bug: Bug) -> Pair:
    healthy = _healthy(bug)
    data = healthy.samples
    order = data.labels.argsort(stable=True)
    healthy = replace(healthy, samples=replace(data, pictures=data.pictures[order], labels=data.labels[order]))
    return healthy, replace(healthy, shuffle=False)


def _frozen(bug: Bug) -> Pair:
    healthy = _healthy(bug)
    return healthy, replace(healthy, build=_frozen_network)


def _divided(bug: Bug) -> Pair:
    def divided(data: Samples, whole: bool) -> Samples:
        pixels = [(255 * one).round() for one in (data.pictures, data.held)]
        pictures, held = (one // 255 if whole else one / 255 for one in pixels)
        return replace(data, pictures=pictures, held=held)

    return _with_data(bug, lambda data: divided(data, False), lambda data: divided(data, True))


# ---------------------------------------------------------------- the gallery

_ALL = (
    Bug(
        "no zero_grad", "explodes", "zero",
        "pass  # no optimizer.zero_grad()", "optimizer.zero_grad()",
        "The loss falls at first, then climbs out of sight: each step goes along the sum of all gradients so far.",
        "backward() adds to .grad. Print the size of the gradients: it grows from step to step.",
        _no_zero_grad,
    ),
    Bug(
        "no eval() at validation", "worse than it is", "mode",
        "pass  # no model.eval()", "model.eval()",
        "The training loss is the same to the last digit; only the accuracy is lower and restless.",
        "BatchNorm goes on using the mean of the few pictures it is measured with. Measure twice with other batch"
        " sizes: a network in evaluation mode answers the same.",
        _no_eval, measured=5,
        layers="nn.Flatten(), nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 10)",
    ),
    Bug(
        "shuffled labels", "learns nothing", "data",
        "labels = labels[order]  # and the pictures stay", "pictures, labels = pictures[order], labels[order]",
        "The loss stays at ln(10) = 2.30, which is guessing among ten classes, and so does the accuracy.",
        "Show a few pictures with their labels, as the very last thing before the loss: they do not belong together.",
        _shuffled_labels,
        "order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(1))",
    ),
    Bug(
        "softmax before the loss", "creeps", "loss",
        "loss = F.cross_entropy(model(x).softmax(1), y)", "loss = F.cross_entropy(model(x), y)",
        "It learns, far too slowly, and the loss cannot pass the dashed floor at 1.4612.",
        "cross_entropy has a softmax inside. Two of them leave small gradients and a loss of at least ln(e + 9) - 1.",
        _second_softmax,
    ),
    Bug(
        "argmax over wrong axis", "guesses", "count",
        "right += (model(x).argmax(0) == y).sum().item()", "right += (model(x).argmax(1) == y).sum().item()",
        "The loss falls as it should, and yet the accuracy never leaves that of guessing.",
        "A low loss and an accuracy of 10 % cannot both be true: look at how right answers are counted. With ten"
        " pictures of ten classes torch cannot see that the axis is wrong.",
        _wrong_axis, measured=10,
    ),
    Bug(
        "Normalize twice", "restless", "data",
        "pictures, held = normalize(normalize(pictures)), normalize(normalize(held))",
        "pictures, held = normalize(pictures), normalize(held)",
        "The loss jumps and stays high: values from -3 to 1 make steps three times as long as they were meant.",
        "Print the mean and the range of a batch as the network gets it: about 0, and -1 to 1.",
        _twice_normalized, "normalize = lambda x: (x - 0.5) / 0.5  # v2.Normalize([0.5], [0.5])", lr=0.1,
    ),
    Bug(
        "augmenting validation", "worse than it is", "data",
        "pictures, held = erased(pictures, 1), erased(held, 2)", "pictures = erased(pictures, 1)",
        "The training loss is the same to the last digit; only the accuracy is lower, by what the erasing hides.",
        "Random transforms belong to training alone. Show the pictures that are validated: they have holes.",
        _augmented, "from gui_lab.core.bugs import erased  # v2.RandomErasing: a square of 4 x 4 pixels", lr=0.1,
    ),
    Bug(
        "train/test leak", "too good", "data",
        f"pictures, labels = torch.cat([pictures[:{_FEW}], held]), torch.cat([labels[:{_FEW}], held_labels])",
        f"pictures, labels = pictures[:{_FEW}], labels[:{_FEW}]",
        "The accuracy is too good: it comes near 100 %, although there are few pictures to learn from.",
        "What is measured was learned by heart. Count the pictures that are in both parts: it has to be none.",
        _leaking, lr=0.1,
    ),
    Bug(
        "learning rate x100", "explodes", "optimizer",
        "optimizer = torch.optim.SGD(model.parameters(), lr=5.0, momentum=0.9)",
        "optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)",
        "The loss jumps up at once and comes down to that of guessing at best: the first steps wreck the network.",
        "Bad from the very first iterations, not later. Try a tenth of the learning rate, and a tenth again.",
        _too_fast,
    ),
    Bug(
        "sorted data, no shuffle", "waves", "order",
        "order = torch.arange(len(labels))  # sorted by class",
        "order = torch.randperm(len(labels), generator=generator)",
        "The loss goes in waves: low while one class lasts, high when the next begins; the accuracy stays at guessing.",
        "Print the labels of a batch: they are all the same. It learns the class in hand and forgets those before.",
        _sorted,
        "order = labels.argsort(stable=True)\npictures, labels = pictures[order], labels[order]  # as folders come",
        lr=0.02, batch_size=8,
    ),
    Bug(
        "frozen layer", "creeps", "freeze",
        "model[1].requires_grad_(False)", "model[1].requires_grad_(True)",
        "It learns, but slowly and not as far: the first layer keeps its random weights.",
        "List the parameters that do not require a gradient, or those that an epoch has left as they were.",
        _frozen,
    ),
    Bug(
        "integer-divided pixels", "creeps", "data",
        "pictures, held = pictures // 255, held // 255", "pictures, held = pictures / 255, held / 255",
        "It learns for a while and stays far below: only pixels that were quite white are left of the pictures.",
        "Look at the values the network gets: all are 0 or 1, where there should be every grey between.",
        _divided, "pictures, held = (255 * pictures).round(), (255 * held).round()  # pixels as a file has them",
    ),
)  # fmt: skip

BUGS: dict[Name, Bug] = {bug.name: bug for bug in _ALL}
