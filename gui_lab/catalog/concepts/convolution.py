"""Convolution and max pooling, pixel by pixel: a kernel of one's own, or any layer of the network that is trained.

The story is one list of steps for both, since a typed kernel is a convolution like any other. What is computed stands
in `core/microscope`, what is shown of it in `core/microscope_steps`.
"""

from __future__ import annotations

import functools
import math
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from gui_lab.core import experiment, microscope_steps
from gui_lab.core.concepts import CONCEPTS, Concept, Own, Preset, Scene, Value, Weights, fresh
from gui_lab.core.experiment import Experiment
from gui_lab.core.images import ImageSet, opened
from gui_lab.core.microscope import Sliding, View, view_of_kernel, views_of_network
from gui_lab.core.microscope_pictures import Look
from gui_lab.core.microscope_steps import Rows
from gui_lab.errors import LabError
from gui_lab.schema import FieldError, knob

if TYPE_CHECKING:
    from torch import Tensor

Kernel = Literal["edge", "vertical edge", "horizontal edge", "blur", "sharpen", "emboss", "identity", "typed"]
_OWN, _NETWORK = "a kernel of yours", "my network"
_LARGEST = 64  # pixels of a picture under a kernel of one's own; larger ones are brought to it
_STEPS: tuple[Callable[[Look], tuple[Rows, str]], ...] = (
    microscope_steps.picture_step,
    microscope_steps.slide_step,
    microscope_steps.multiply_step,
    microscope_steps.sum_step,
    microscope_steps.map_step,
    microscope_steps.activation_step,
    microscope_steps.pool_step,
    microscope_steps.sizes_step,
    microscope_steps.filters_step,
)


@CONCEPTS.add
class Convolution(Concept):
    """A small window of numbers slides over a picture, and pooling keeps the strongest of what it found."""

    number: ClassVar[int] = 3
    title: ClassVar[str] = "Convolution and max pooling"
    line: ClassVar[str] = "A microscope on each pixel: patch x kernel, the sum, the map, the winner of a pool"
    icon: ClassVar[str] = "grid-four"
    story: ClassVar[str] = """A convolution looks at a picture through a small window. In the window stands a kernel: \
a few numbers. Each pixel under it is multiplied by the number above it, and the sum is one pixel of a new picture, \
the map. Then the window moves on.

The same kernel is used at each place. So a kernel that answers to an edge finds it anywhere, and a layer needs few \
numbers. A network has many kernels, called filters, and learns their numbers itself.

ReLU makes 0 of what is below zero. Max pooling keeps of each small window only the largest pixel, framed in orange. \
The map shrinks: the next layer has less to multiply, and a small shift of the picture changes little.

Click or drag on a picture to move the window. Take another kernel, stride or padding, and see what becomes of the \
sizes in the last step."""
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("Find edges", {}),
        Preset("Blur, then shrink", {"kernel": "blur", "padding": 1, "pool": "average"}),
        Preset("Stride 2 with padding", {"stride": 2, "padding": 1, "pool": "none"}),
        Preset("A kernel with holes", {"kernel": "vertical edge", "dilation": 2, "padding": 2}),
        Preset("Type your own", {"kernel": "typed", "typed": (0, 1, 0, 1, -4, 1, 0, 1, 0)}),
    )
    looks_at: ClassVar[frozenset[Literal["pictures", "network", "place"]]] = frozenset({"pictures", "network"})
    mine: ClassVar[Mapping[str, Any]] = {"source": _NETWORK}
    seconds: ClassVar[float] = 2.5

    source: Literal["a kernel of yours", "my network"] = knob(
        _OWN, "Whose numbers slide over the picture: a kernel chosen here, or a filter of the network you train."
    )
    index: int = knob(0, "Which picture of the data set.", ge=0, le=10**9)
    kernel: Kernel = knob("edge", "The numbers of a kernel of yours.")
    kernel_size: int = knob(3, "Rows and columns of the kernel, unless it is typed.", unit="px", felt=True, step=2,
                            ge=3, le=7)  # fmt: skip
    typed: tuple[Annotated[float, Field(ge=-100, le=100)], ...] = knob(
        (0, -1, 0, -1, 4, -1, 0, -1, 0),
        "The numbers of a typed kernel, row by row: 9 for 3 x 3, 25 for 5 x 5.",
        min_length=4,
        max_length=49,
    )
    bias: float = knob(0.0, "Added to each sum of a kernel of yours.", felt=True, step=0.1, ge=-5, le=5)
    stride: int = knob(1, "Pixels by which a kernel of yours moves on.", unit="px", felt=True, ge=1, le=4)
    padding: int = knob(0, "Border of zeros around the picture, for a kernel of yours.", unit="px", felt=True,
                        ge=0, le=4)  # fmt: skip
    dilation: int = knob(1, "Distance of the pixels under a kernel of yours; 1 leaves no holes.", unit="px",
                         felt=True, ge=1, le=4)  # fmt: skip
    pool: Literal["none", "max", "average"] = knob("max", "What each window of the map of your kernel becomes.")
    pool_size: int = knob(2, "Rows and columns of the pooling window; it moves on by as many.", unit="px", felt=True,
                          ge=2, le=4)  # fmt: skip
    layer: int = knob(1, "Which convolution of your network, counted from 1.", ge=1, le=1000)
    channel: int = knob(0, "Which filter of that convolution, and its map.", ge=0, le=100_000)
    epoch: int = knob(0, "After which epoch of the run your network is looked at; 0 for now.", ge=0, le=10**6)
    part: int = knob(0, "Which of the arriving channels is written out.", listed=False, ge=0, le=100_000)
    row: int | None = knob(None, "Row of the pixel in hand; the middle where left out.", listed=False, ge=0, le=100_000)
    column: int | None = knob(None, "Column of the pixel in hand; a quarter of all where left out.", listed=False,
                              ge=0, le=100_000)  # fmt: skip

    @model_validator(mode="after")
    def _is_square(self) -> Convolution:
        if math.isqrt(len(self.typed)) ** 2 != len(self.typed):
            raise FieldError("typed", f"A square kernel has 4, 9, 16 or 25 numbers, not {len(self.typed)}.")
        return self

    def scene(self, step: int, own: Own) -> Scene:
        missing = self._missing(own)
        if missing:
            return Scene((), missing=missing[0], says=missing[1])
        look = self._look(own)
        steps = len(_STEPS) - look.typed
        step = min(max(step, 0), steps - 1)
        rows, says = _STEPS[step](look)
        return Scene(rows, step, steps, says, _facts(look))

    def code(self, step: int, own: Own) -> str:
        return _code(self._look(own))

    # ---------------------------------------------------------------- what is looked at

    def _missing(self, own: Own) -> tuple[str, str] | None:
        if self.source == _OWN:
            return None
        if own.experiment is None or own.images is None:
            return "The pictures are not there yet", "As soon as a data set is open, your network is shown here."
        wrong = [
            one
            for one in own.experiment.problems(own.images)
            if one.severity == "error" and one.path.partition(".")[0] in ("transforms", "model")
        ]
        if wrong:
            return "Your network cannot be built yet", wrong[0].sentence
        return None

    def _look(self, own: Own) -> Look:
        return self._look_at_kernel(own) if self.source == _OWN else self._look_at_network(own)

    def _look_at_kernel(self, own: Own) -> Look:
        source, name = self._picture(own)
        picture = _grey(source)
        kernel = _kernel(self.kernel, self.kernel_size, self.typed)
        sliding = Sliding(
            (len(kernel),) * 2, (self.stride,) * 2, (self.padding,) * 2, (self.dilation,) * 2
        )  # fmt: skip
        size = (picture.shape[1], picture.shape[2])
        if not all(sliding.leaves(size)):
            raise LabError(
                f"The kernel reaches over {sliding.extent[0]} pixels, but the picture has only {min(size)}.",
                "Take a smaller kernel, less dilation or more padding.",
            )
        view = view_of_kernel(picture, kernel, self.bias, sliding, self.pool, self.pool_size)
        return self._placed(view, 0, source=source, reaching=picture, name=name, typed=True)

    def _look_at_network(self, own: Own) -> Look:
        chosen, images = own.experiment, own.images
        assert chosen is not None
        assert images is not None
        source, name = self._picture(own)
        weights, words = self._weights(own)
        index = min(self.index, len(images.pictures) - 1)
        reaching, views = _seen.views(chosen, images, index, weights)
        if not views:
            raise LabError("This network has no convolution.", "Choose LeNet5 or MNISTNet on the Model page.")
        layer = min(self.layer, len(views))
        view = views[layer - 1]
        key = f"{view.name}.weight"
        return self._placed(
            view, min(self.channel, len(view.weight) - 1), source=source, reaching=reaching, name=name, typed=False,
            weights=words, layer=layer, layers=len(views), epoch=self.epoch,
            kept=tuple((one.epoch, one.state[key]) for one in own.snapshots),
            newest=own.weights.state[key] if own.weights is not None else None,
        )  # fmt: skip

    def _placed(self, view: View, channel: int, **more: Any) -> Look:
        """At the pixel and the part in hand, as far as there are so many. Without one it is not quite in the middle,
        which is empty in many a picture."""
        height, width = view.size
        row = min(height // 2 if self.row is None else self.row, height - 1)
        column = min(width // 4 if self.column is None else self.column, width - 1)
        parts = view.channels_of(channel)
        return Look(view, channel, row, column, min(max(self.part, parts.start), parts.stop - 1), **more)

    def _weights(self, own: Own) -> tuple[Weights | None, str]:
        """Of the epoch that is asked for, and whose they are, in words."""
        kept = next((one for one in own.snapshots if one.epoch == self.epoch), None)
        if self.epoch and kept is not None:
            return kept, f"The weights are those after epoch {self.epoch}."
        lost = f"Epoch {self.epoch} was not kept. " if self.epoch else ""
        if own.weights is None:
            return None, f"{lost}Nothing is trained yet: its weights are fresh."
        return own.weights, f"{lost}The weights are those of the run, epoch {own.weights.epoch}."

    def _picture(self, own: Own) -> tuple[Any, str]:
        """uint8 (C, H, W) and its name; of the bundled digits where no pictures are open."""
        images = own.images or _digits()
        index = min(self.index, len(images.pictures) - 1)
        kind = images.classes[int(images.labels[index])]
        return images.picture(index), f"Picture {index:,} of the data set, class {kind}"


class _Seen:
    """What was seen of a network last. A person who goes through the steps or moves the window sees the same again,
    and a forward pass for each would hold a slider up."""

    def __init__(self) -> None:
        self._of: tuple[Experiment, ImageSet, int, Weights | None] | None = None
        self._views: tuple[Tensor, list[View]] | None = None
        self._lock = threading.Lock()

    def views(
        self, chosen: Experiment, images: ImageSet, index: int, weights: Weights | None
    ) -> tuple[Tensor, list[View]]:
        """What of a picture reaches the network, and its convolutions; with fresh weights where there are none."""
        with self._lock:
            of = self._of
            same = of is not None and of[0] is chosen and of[1] is images and of[2] == index and of[3] is weights
            if not same or self._views is None:
                self._views = _passed(chosen, images, index, weights)
                self._of = (chosen, images, index, weights)
            return self._views


_seen = _Seen()


def _passed(chosen: Experiment, images: ImageSet, index: int, weights: Weights | None) -> tuple[Tensor, list[View]]:
    import torch

    source = torch.from_numpy(images.picture(index))[None]
    reaching = chosen.chain.run(source, np.array([index]), seed=0, epoch=1, training=False)[0].float()
    shape = (reaching.shape[0], reaching.shape[1], reaching.shape[2])
    network = fresh(lambda: chosen.model.network(shape, len(images.classes)), chosen.training.seed).eval()
    if weights is not None:
        network.load_state_dict(weights.state)
    return reaching, views_of_network(network, reaching)


@functools.cache
def _digits() -> ImageSet:
    return opened(experiment.default().dataset)


def _grey(picture: Any) -> Tensor:
    """float32 (1, H, W) in 0..1: the mean of the channels, at most `_LARGEST` pixels a side."""
    import torch
    from torch.nn.functional import interpolate

    grey = torch.from_numpy(picture).float().mean(0, keepdim=True) / 255
    longest = max(grey.shape[1:])
    if longest > _LARGEST:
        size = [max(round(side * _LARGEST / longest), 1) for side in grey.shape[1:]]
        grey = interpolate(grey[None], size=size, mode="area")[0]
    return grey


def _kernel(name: str, size: int, typed: tuple[float, ...]) -> Tensor:
    """float32 (size, size)."""
    import torch

    if name == "typed":
        side = math.isqrt(len(typed))
        return torch.tensor(typed, dtype=torch.float32).reshape(side, side)
    middle = size // 2
    away = torch.arange(size, dtype=torch.float32) - (size - 1) / 2
    smooth = torch.tensor([math.comb(size - 1, place) for place in range(size)], dtype=torch.float32)
    only = torch.zeros(size, size)
    only[middle, middle] = 1
    cross = torch.zeros(size, size)
    cross[middle], cross[:, middle] = 1, 1
    return {
        "identity": only,
        "blur": torch.full((size, size), 1 / size**2),
        "edge": only * size**2 - 1,
        "sharpen": only * (cross.sum() + 1) - cross,
        "emboss": away[:, None] + away[None] + only,
        "vertical edge": smooth[:, None] * away[None],
        "horizontal edge": away[:, None] * smooth[None],
    }[name]


def _facts(look: Look) -> dict[str, Value]:
    view, sliding = look.view, look.view.sliding
    products = view.products(look.channel, look.row, look.column)
    facts: dict[str, Value] = {
        "H": view.arriving.shape[1],
        "W": view.arriving.shape[2],
        "F": sliding.size[1],
        "P": sliding.padding[1],
        "S": sliding.stride[1],
        "D": sliding.dilation[1],
        "output_size": view.size[1],
        "output_height": view.size[0],
        "multiplications": view.multiplications,
        "filters": len(view.maps),
        "row": look.row,
        "column": look.column,
        "part_sum": float(products[look.inside].sum()),
        "bias": float(view.bias[look.channel]),
        "pixel": look.pixel,
        "active_pixel": float(view.active[look.channel, look.row, look.column]),
        "negatives": int((view.maps[look.channel] < 0).sum()),
        "pooled_size": view.size[1] if view.pool is None else view.pool.leaving.shape[2],
    }
    if view.pool is not None:
        row, column = look.pool_pixel
        facts["pooled_pixel"] = float(view.pool.leaving[look.channel, row, column])
        facts["window_size"] = view.pool.sliding.size[1]
    if view.next_cost is not None:
        after = view.size if view.pool is None else (view.pool.leaving.shape[1], view.pool.leaving.shape[2])
        facts["next_without_pooling"] = view.next_cost(view.size)
        facts["next_with_pooling"] = view.next_cost(after)
    if view.before is not None:
        facts["receptive_field"] = microscope_steps.reach_of(view.before)[-1]
    if not look.typed:
        facts |= {"layer": look.layer, "layers": look.layers, "channel": look.channel, "part": look.part}
        facts["trained"] = look.newest is not None
    return facts


def _code(look: Look) -> str:
    """Of the pixel in hand, and of all sizes; the numbers under the kernel are written out for one channel."""
    view, sliding = look.view, look.view.sliding
    height, width = view.arriving.shape[1:]
    patch = view.patch(look.channel, look.row, look.column)[look.inside]
    whole = view.weight.shape[1] == 1
    where = f"row {look.row}, column {look.column} of the map" + ("" if whole else f", in channel {look.part}")
    lines = [
        "import torch", "from torch import nn", "",
        f"# what lies under the kernel for {where}",
        f"patch = torch.tensor({_written(patch)})",
        f"kernel = torch.tensor({_written(view.weight[look.channel, look.inside])})",
        f"bias = {float(view.bias[look.channel]):.7g}",
        "part_sum = (patch * kernel).sum()",
        *(["pixel = part_sum + bias"] if whole else []),
        "",
        f"conv = nn.Conv2d({len(view.arriving)}, {len(view.maps)}, {_arguments(sliding, view.groups)})",
        f"leaving = conv(torch.zeros(1, {len(view.arriving)}, {height}, {width}))",
        "output_height, output_size = leaving.shape[2:]",
        "multiplications = conv.weight.numel() * output_height * output_size",
    ]  # fmt: skip
    if view.pool is not None:
        name = "MaxPool2d" if view.pool.kind == "max" else "AvgPool2d"
        lines += [f"pool = nn.{name}({_arguments(view.pool.sliding)})", "pooled_size = pool(leaving).shape[3]"]
    return "\n".join(lines) + "\n"


def _arguments(sliding: Sliding, groups: int = 1) -> str:
    """As torch's layers take them, without those that are at their default."""
    given = {"stride": sliding.stride, "padding": sliding.padding, "dilation": sliding.dilation}
    usual = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1)}
    words = [f"{name}={_short(pair)}" for name, pair in given.items() if pair != usual[name] or name == "stride"]
    return ", ".join([_short(sliding.size), *words, *([f"groups={groups}"] if groups > 1 else [])])


def _short(pair: tuple[int, int]) -> str:
    return str(pair[0]) if pair[0] == pair[1] else str(pair)


def _written(values: Tensor) -> str:
    """As Python's lists, a row in a line, with what float32 holds."""
    rows = (", ".join(f"{value:.7g}" for value in row) for row in values.tolist())
    return "[\n" + "".join(f"    [{row}],\n" for row in rows) + "]"
