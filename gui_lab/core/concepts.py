"""A concept: an idea of the course as a function from knobs to numbers and pictures.

`scene(step, own)` says all that is on screen at a step of the story; torch computes each number, and nothing is drawn
here, so every page is tested without a window. A story that goes on (a twin run, a race) is the same function: what it
computes on the way is kept by a `Film`, so that step 200 shown again is at once.

Concepts run beside a training run and must not disturb it: none draws from torch's global generator. `fresh` makes
networks with torch's own initial weights from a generator of one's own.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar

from gui_lab.core.exhibits import Exhibit
from gui_lab.schema import Registry, Spec

if TYPE_CHECKING:
    from torch import Tensor, nn

    from gui_lab.core.experiment import Experiment
    from gui_lab.core.images import ImageSet

Value = float | int | bool | str


@dataclass(frozen=True, eq=False)
class Weights:
    """A copy of a network's weights and buffers at a moment of a run, on the CPU; `of_epoch` where an epoch had just
    ended."""

    epoch: int
    iteration: int
    state: Mapping[str, Tensor]
    of_epoch: bool = False


@dataclass(frozen=True, eq=False)
class Own:
    """What of a person's own work a concept may look at.

    Attributes:
        experiment, images: what is edited now, and its opened pictures; None while they are opened.
        weights: of the run that goes on or was the last; None before there is one, or where its network is not the one
            of the experiment any more.
        snapshots: one for each epoch of that run, the oldest first; as many as were kept.
        place: epoch and iteration of the run that goes on, from 1; None where none does.
    """

    experiment: Experiment | None = None
    images: ImageSet | None = None
    weights: Weights | None = None
    snapshots: tuple[Weights, ...] = ()
    place: tuple[int, int] | None = None


NOTHING = Own()


@dataclass(frozen=True)
class Scene:
    """All that is on screen at one step.

    Attributes:
        rows: exhibits side by side, rows below each other.
        steps: of the whole story, 1 for one without steps; `step` is the one shown, from 0.
        says: one or two sentences: what is to be seen in this step.
        facts: the quantities on screen by name, as plain values: what lessons ask for and tests compare with torch.
        missing: what must be there first, in a sentence, where the concept cannot be shown (no pictures, no run).
    """

    rows: tuple[tuple[Exhibit, ...], ...]
    step: int = 0
    steps: int = 1
    says: str = ""
    facts: Mapping[str, Value] = field(default_factory=dict)
    missing: str = ""


@dataclass(frozen=True)
class Preset:
    """Values to start from, by a name."""

    name: str
    values: Mapping[str, Any]


Look = Literal["pictures", "network", "place"]


class Concept(Spec):
    """An idea to play with. A subclass adds fields (the knobs), these facts, and `scene`.

    A field that is set by clicking on an exhibit, and not in the form, is declared `listed=False`.
    """

    number: ClassVar[int]
    """Its place in the course, from 1."""
    title: ClassVar[str]
    """On the page and in the list."""
    line: ClassVar[str]
    """What one learns here, one line."""
    icon: ClassVar[str]
    """Of the Phosphor set."""
    story: ClassVar[str]
    """Plain words beside the exhibits, in paragraphs; they speak of what is on screen."""
    presets: ClassVar[tuple[Preset, ...]] = ()
    looks_at: ClassVar[frozenset[Look]] = frozenset()
    """What of a person's own work it is shown anew for when that changes."""
    mine: ClassVar[Mapping[str, Any]] = {}
    """The fields that *Try it on my network* sets; empty where that makes no sense."""
    leads_to: ClassVar[str] = ""
    """The place of the lab where one goes on with it: "Transforms"; empty for none."""
    seconds: ClassVar[float] = 0.9
    """From step to step when it plays."""
    steps_at_once: ClassVar[int] = 1
    """By how many steps it goes on when it plays."""

    def scene(self, step: int, own: Own) -> Scene:
        """What is on screen at a step, counted from 0; a step beyond the last shows the last.

        Args:
            own: the person's own experiment, pictures and weights, as far as there are any.

        Raises:
            LabError: with a sentence and a remedy, where the values cannot be shown.
        """
        raise NotImplementedError(f"{self.name_of()} does not say what it shows")

    def code(self, step: int, own: Own) -> str:
        """The few lines of PyTorch that compute the same, with the values in force; they run as they stand, and names
        that are facts of the scene too have the same values."""
        raise NotImplementedError(f"{self.name_of()} has no code")


CONCEPTS: Registry[Concept] = Registry("concept")

T = TypeVar("T")

_FILMS_KEPT = 24


class Film(Generic[T]):
    """A computation that goes on step by step; what it gave is kept, so that any step can be shown again."""

    def __init__(self, begin: Callable[[], Iterator[T]]) -> None:
        self._frames: list[T] = []
        self._rest = begin()
        self._lock = threading.Lock()

    def upto(self, step: int) -> list[T]:
        """The frames 0..step, computed as far as they are not yet; fewer where it ended before."""
        with self._lock:
            while len(self._frames) <= step:
                try:
                    self._frames.append(next(self._rest))
                except StopIteration:
                    break
            return self._frames[: step + 1]


_films: OrderedDict[Hashable, Film[Any]] = OrderedDict()
_films_lock = threading.Lock()


def film(key: Hashable, begin: Callable[[], Iterator[T]]) -> Film[T]:
    """The film of this key (the fields that decide it), begun where there is none; the last few are kept."""
    with _films_lock:
        found = _films.get(key)
        if found is None:
            found = _films[key] = Film(begin)
        _films.move_to_end(key)
        while len(_films) > _FILMS_KEPT:
            _films.popitem(last=False)
        return found


def fresh(build: Callable[[], nn.Module], seed: int) -> nn.Module:
    """A network with initial weights as torch's own layers draw them, but from a generator of its own: the global one
    belongs to the run that may go on meanwhile.

    Linear and convolutions: weights and biases uniform in +-1/sqrt(fan in), which is what kaiming_uniform_ with
    a = sqrt(5) comes to; normalisation layers: ones and zeros. Float32 on the CPU.

    Args:
        build: makes the network; called on the meta device, where nothing is drawn.
        seed: of the generator.

    Raises:
        TypeError: a layer with parameters of another kind.
    """
    import torch
    from torch import nn

    generator = torch.Generator().manual_seed(seed)
    with torch.device("meta"):
        network = build()
    for module in network.modules():
        _make_room(module)
        own = list(module.named_parameters(recurse=False))
        if isinstance(module, (nn.Linear, nn.Conv1d, nn.Conv2d)):
            bound = (module.weight[0].numel()) ** -0.5
            for _, parameter in own:
                nn.init.uniform_(parameter, -bound, bound, generator=generator)
        elif isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d, nn.LayerNorm, nn.GroupNorm)):
            module.reset_parameters()  # ones and zeros, running statistics too; nothing is drawn
        elif own:
            raise TypeError(f"{type(module).__name__} has parameters whose initial values are not known here")
    return network


def _make_room(module: nn.Module) -> None:
    """Put memory on the CPU under a module's own parameters and buffers. (`to_empty` does, but loads half of torch's
    compiler first, most of a second.)"""
    import torch
    from torch import nn

    for name, parameter in list(module.named_parameters(recurse=False)):
        empty = torch.empty(parameter.shape, dtype=parameter.dtype)
        setattr(module, name, nn.Parameter(empty, requires_grad=parameter.requires_grad))
    for name, buffer in list(module.named_buffers(recurse=False)):
        setattr(module, name, torch.zeros(buffer.shape, dtype=buffer.dtype))
