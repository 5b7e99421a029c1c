"""Transforms: the groups of a first course, what a chain does to a picture box by box, and why one normalises.

The pictures before and after a box are those of the lab's own chain, drawn for the person's own picture. The values are
counted over many training pictures, for it is them that a mean and a deviation are of.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from gui_lab.core.chain_examples import (
    ACTS_ON,
    GROUPS,
    Group,
    Leaving,
    Name,
    arguments,
    example,
    followed,
    group_of,
    written,
)
from gui_lab.core.concepts import CONCEPTS, Concept, Look, Own, Preset, Scene, Value
from gui_lab.core.exhibits import (
    Claim,
    Claims,
    Column,
    Edge,
    Exhibit,
    Graph,
    Line,
    Mark,
    Node,
    Picture,
    Pictures,
    Plot,
    State,
    Table,
)
from gui_lab.core.images import DATASETS, ImageSet, opened
from gui_lab.core.pipeline import TRANSFORMS, Kind, Transform
from gui_lab.schema import knob

if TYPE_CHECKING:
    from torch import Tensor

_BINS = 48
_NORMAL = (-3.0, 4.0)  # of the axis on which normalised values are seen to move
_WRITTEN_OUT = 100  # values: a picture of so many stands in the code itself
_BESIDE_THE_CHAIN = 2  # steps before the first box: the groups, and PIL picture against tensor
_PAIR_HEIGHT = 150  # pixels that a picture before or after a box takes
_NEAR = 0.02  # of mean 0 and std 1
_TWO_KINDS = (
    "The same picture twice. As a PIL picture it is ordered height, width, channels, in whole numbers from 0 to 255; "
    "ToTensor puts channels first and divides by 255."
)
_OWN_CLASS = """class Rescale:
    \"\"\"Scale the shorter side of a picture to a size.\"\"\"

    def __init__(self, size):
        self.size = size

    def __call__(self, picture):
        return functional.resize(picture, [self.size])
"""
_MATRIX = """values = {values}  # of one picture
matrix = torch.eye(values) - torch.eye(values).roll(1, 0).tril(-1)  # each value less the one after it
mean = torch.zeros(values)
"""


Rows = tuple[tuple[Exhibit, ...], ...]


@functools.cache
def _bundled() -> ImageSet:
    return opened(DATASETS.make("Digits"))


@CONCEPTS.add
class TransformBasics(Concept):
    """What happens to a picture on its way to the network."""

    number: ClassVar[int] = 5
    title: ClassVar[str] = "Transforms"
    line: ClassVar[str] = "Pictures, tensors, conversions, and why values are normalised"
    icon: ClassVar[str] = "magic-wand"
    leads_to: ClassVar[str] = "Transforms"
    story: ClassVar[str] = (
        "A picture is transformed before the network gets it. Compose puts transforms into a chain: what leaves one "
        "box arrives at the next. Go through the boxes with the arrow keys.\n\n"
        "Some act on pictures, some on tensors only; a conversion leads from one kind to the other, and the table says "
        "what kind there is before and after. A PIL picture is ordered height, width, channels, with whole numbers "
        "from 0 to 255. ToTensor puts channels first and makes them floats from 0 to 1.\n\n"
        "Normalize subtracts a mean and divides by a standard deviation. Look at its two histograms and move the "
        "sliders: with the mean and std of the data, the values lie around 0 with a deviation of 1. Weights and "
        "gradients of a network are made for numbers of that size.\n\n"
        "Random transforms draw other numbers in each epoch."
    )
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("Why Normalize", {"family": "On tensors", "transform": "Normalize"}),
        Preset("A picture is turned", {"family": "On pictures", "transform": "RandomRotation"}),
        Preset("From tensor back to PIL", {"family": "Conversion", "transform": "ToPILImage"}),
        Preset("A class of your own", {"family": "Own classes", "transform": "Rescale"}),
    )
    looks_at: ClassVar[frozenset[Look]] = frozenset({"pictures"})
    seconds: ClassVar[float] = 2.0

    family: Group = knob("On pictures", "What the transform acts on.")
    transform: Name = knob("RandomRotation", "The transform that stands in the chain.")
    mean: float = knob(0.5, "What Normalize subtracts.", ge=-1, le=2, felt=True, step=0.01)
    std: float = knob(0.5, "What Normalize divides by.", ge=0.05, le=2, felt=True, step=0.01)
    index: int = knob(0, "Which of your training pictures is followed.", ge=0, le=1_000_000)
    epoch: int = knob(1, "Random transforms draw other numbers in each epoch.", ge=1, le=10_000)

    def changed(self, **values: Any) -> Self:
        """Group and transform go together: whichever is chosen takes the other along."""
        name, group = values.get("transform"), values.get("family")
        if name in {one for names in GROUPS.values() for one in names}:
            values["family"] = group_of(name)
        elif name is None and isinstance(group, str) and group in GROUPS and group != self.family:
            values["transform"] = GROUPS[group][0]
        return super().changed(**values)

    def scene(self, step: int, own: Own) -> Scene:
        images = own.images or _bundled()
        chain = self._chain(images)
        steps = _BESIDE_THE_CHAIN + len(chain) - 1
        step = min(max(step, 0), steps - 1)
        index = int(images.train[self.index % len(images.train)])
        leaving = followed(chain, images, index, self.epoch)
        graph = _graph(chain, leaving, step)
        if step == 0:
            rows, says = self._overview(chain, leaving)
            return Scene(((graph,), *rows), step, steps, says, self._facts(leaving[-1]))
        if step == 1:
            pair = followed((chain[0], TRANSFORMS.make("ToTensor")), images, index, self.epoch)
            rows = ((_two_kinds(pair),), (_compared(pair),), (_claims(pair),))
            return Scene(((graph,), *rows), step, steps, _TWO_KINDS, self._facts(pair[1]))
        before, after = leaving[step - 2], leaving[step - 1]
        normalizes = chain[step - 1].name_of() == "Normalize"
        rows = (
            (
                _pair(before, after),
                self._choices(before) if normalizes else _kinds(before, after),
            ),
            (_histogram("Values before", before, chain), _histogram("Values after", after, chain)),
        )
        return Scene(((graph,), *rows), step, steps, self._says(chain[step - 1], after), self._facts(after))

    def _overview(self, chain: tuple[Transform, ...], leaving: tuple[Leaving, ...]) -> tuple[Rows, str]:
        says = (
            f"Compose makes a chain of transforms. {self.transform} stands in this one; it belongs to the group "
            f"{self.family}. A click takes another group or transform; step on to go through the boxes."
        )
        return ((self._groups(), self._members()), (_strip(chain, leaving),)), says

    def _chain(self, images: ImageSet) -> tuple[Transform, ...]:
        return example(self.transform, images.kind, self.mean, self.std)

    def _facts(self, leaving: Leaving) -> dict[str, Value]:
        """Of what leaves: of the picture its type and shape, of many pictures their values."""
        return {
            "family": self.family,
            "transform": self.transform,
            "dtype": leaving.kind.dtype,
            "shape": _shape(leaving),
            "minimum": leaving.ends[0],
            "maximum": leaving.ends[1],
            "mean": leaving.mean,
            "std": leaving.std,
        }

    def _says(self, transform: Transform, after: Leaving) -> str:
        name, drawn = transform.name_of(), after.stage.drawn
        if name == "Normalize":
            mean, std = after.mean, after.std
            found = abs(mean) < _NEAR and abs(std - 1) < _NEAR
            hint = "" if found else " Move the sliders, or take the measured ones by a click."
            return (
                f"Each value less {self.mean:.4g}, divided by {self.std:.4g}: what leaves has mean {_told(mean)} and "
                f"std {_told(std)}.{hint} The Transforms page does it with one click: Measure from data."
            )
        told = transform.told(drawn) if drawn else ""
        rolled = f" Drawn for this picture in epoch {self.epoch}: {told or _numbers(drawn)}." if drawn else ""
        where = "a class from a file of yours joins the chain" if name == "Rescale" else f"Add, then {name}"
        return f"{transform.summary()}{rolled} On the Transforms page: {where}."

    # ---------------------------------------------------------------- tables

    def _groups(self) -> Table:
        groups = tuple(GROUPS)
        return Table(
            title="Four groups, and your own classes",
            columns=(Column("group", "text"), Column("acts on", "text")),
            rows=tuple((group, ACTS_ON[group]) for group in groups),
            marked=(groups.index(self.family),),
            edits=tuple({"family": group} for group in groups),
        )

    def _members(self) -> Table:
        names = GROUPS[self.family]
        return Table(
            title=self.family,
            columns=(Column("transform", "text"),),
            rows=tuple((name,) for name in names),
            marked=(names.index(self.transform),),
            edits=tuple({"transform": name} for name in names),
            weight=1,
        )

    def _choices(self, before: Leaving) -> Table:
        mean, std = round(before.mean, 4), round(max(before.std, 0.05), 4)
        rows = ((f"measured from {before.pictures:,} pictures", mean, std), ("0..1 to -1..1", 0.5, 0.5))
        in_force = [place for place, row in enumerate(rows) if (self.mean, self.std) == row[1:]]
        return Table(
            title="Take mean and std",
            columns=(Column("from", "text"), Column("mean"), Column("std")),
            rows=rows,
            marked=tuple(in_force),
            edits=tuple({"mean": row[1], "std": row[2]} for row in rows),
            caption="With the measured ones, values lie around 0 with a deviation of 1.",
            weight=4,
        )

    # ---------------------------------------------------------------- code

    def code(self, step: int, own: Own) -> str:
        images = own.images or _bundled()
        chain = self._chain(images)
        acting = chain[1:] if step == 0 else (TRANSFORMS.make("ToTensor"),) if step == 1 else chain[1:step]
        index = int(images.train[self.index % len(images.train)])
        lines = [line for transform in acting for line in _python(transform)]
        parts = [_source(images.picture(index))]
        if any(transform.name_of() == "Rescale" for transform in acting):
            parts.append(_OWN_CLASS)
        if any(transform.name_of() == "LinearTransformation" for transform in acting):
            parts.append(_MATRIX.format(values=int(np.prod(images.kind.shape))))
        parts.append("chain = v2.Compose([\n" + "".join(f"    {line},\n" for line in lines) + "])\n")
        parts.append(
            "left = chain(picture)\n"
            "values = left if isinstance(left, torch.Tensor) else numpy.asarray(left)\n"
            'dtype, shape = str(values.dtype).removeprefix("torch."), str(tuple(values.shape))\n'
        )
        imports = "import numpy\nimport torch\nfrom torchvision.transforms import v2\n"
        return imports + "from torchvision.transforms.v2 import functional\n\n" + "\n".join(parts)


def _python(transform: Transform) -> list[str]:
    """A transform as torchvision names it; ToTensor as it is written today."""
    if transform.name_of() == "ToTensor":
        return ["v2.ToImage()", "v2.ToDtype(torch.float32, scale=True)"]
    named = re.sub(r"\b([A-Z]\w+)\(", r"v2.\1(", written(transform)).replace("v2.Rescale", "Rescale")
    return [re.sub(r"dtype='(\w+)'", r"dtype=torch.\1", named)]


def _source(picture: np.ndarray[Any, Any]) -> str:
    if picture.size <= _WRITTEN_OUT:
        return f"picture = functional.to_pil_image(torch.tensor({picture.tolist()}, dtype=torch.uint8))\n"
    shape = tuple(picture.shape)
    return (
        "generator = torch.Generator().manual_seed(0)\n"
        f"pixels = torch.randint(0, 256, {shape}, dtype=torch.uint8, generator=generator)\n"
        "picture = functional.to_pil_image(pixels)  # your picture in its place\n"
    )


# -------------------------------------------------------------------- in words


def _told(value: float) -> str:
    """Three decimals, and no minus before a zero."""
    return f"{round(value, 3) + 0.0:.3f}"


def _numbers(drawn: Mapping[str, Any]) -> str:
    """Those that are not 0."""
    shown = {name: f"{value:.3g}" if isinstance(value, float) else value for name, value in drawn.items() if value}
    return ", ".join(f"{name} {value}" for name, value in shown.items())


def _shape(leaving: Leaving) -> str:
    """As numpy or torch would say it: (8, 8) of a grey PIL picture, (1, 8, 8) of a tensor."""
    channels, height, width = leaving.stage.picture.shape
    if leaving.kind.pil:
        return str((height, width) if channels == 1 else (height, width, channels))
    return str((channels, height, width))


def _what(kind: Kind) -> str:
    return "PIL picture" if kind.pil else "image" if kind.dtype == "uint8" else "tensor"


def _order(leaving: Leaving) -> str:
    if not leaving.kind.pil:
        return "channels, height, width"
    return "height, width" if len(leaving.stage.picture) == 1 else "height, width, channels"


# -------------------------------------------------------------------- exhibits


def _graph(chain: tuple[Transform, ...], leaving: tuple[Leaving, ...], step: int) -> Graph:
    """The chain as boxes; `step` counts from 2 for the first box after the picture."""
    now = step - 1  # place in the chain
    states: list[State] = [
        "plain" if step < 2 else "done" if place < now else "now" if place == now else "waiting"
        for place in range(len(chain))
    ]
    nodes = [Node("0", "picture", (_shape(leaving[0]),), kind="leaf", state="plain" if step < 2 else "done")]
    edges = []
    for place, transform in enumerate(chain[1:], 1):
        nodes.append(Node(str(place), transform.name_of(), arguments(transform), state=states[place]))
        edges.append(Edge(str(place - 1), str(place), _what(leaving[place - 1].kind), state=states[place]))
    last: State = "plain" if step < 2 else "done" if now == len(chain) - 1 else "waiting"
    nodes.append(Node("end", "network", (_shape(leaving[-1]),), kind="result", state=last))
    edges.append(Edge(str(len(chain) - 1), "end", _what(leaving[-1].kind), state=last))
    inside = ", ".join(transform.name_of() for transform in chain[1:])
    return Graph(title=f"Compose([{inside}])", nodes=tuple(nodes), edges=tuple(edges), tall=False)


def _picture(leaving: Leaving, title: str, *, numbers: bool = True) -> Picture:
    """As it can be seen: signed values by signed colours, of a colour picture stretched to 0..1."""
    kind, picture = leaving.kind, leaving.stage.picture
    values = picture[0].numpy() if len(picture) != 3 else picture.numpy()
    if len(picture) == 3 and kind.dtype == "float32":
        low, high = min(kind.low, 0.0), max(kind.high, 1.0)
        values = ((picture - low) / (high - low)).numpy()
    if kind.low < 0 and len(picture) != 3:
        return Picture(values, title, "diverging", numbers=numbers)
    most = 255.0 if kind.dtype == "uint8" else 1.0
    return Picture(values, title, low=0.0, high=most, numbers=numbers)


def _pair(before: Leaving, after: Leaving) -> Pictures:
    pictures = (_picture(before, "before", numbers=False), _picture(after, "after", numbers=False))
    cell = max(_PAIR_HEIGHT // max(picture.values.shape[-2] for picture in pictures), 1)
    return Pictures(pictures=pictures, signs=("→",), weight=3, tall=False, cell=cell)


def _strip(chain: tuple[Transform, ...], leaving: tuple[Leaving, ...]) -> Pictures:
    names = ("picture", *(transform.name_of() for transform in chain[1:]))
    pictures = tuple(_picture(one, name, numbers=False) for one, name in zip(leaving, names, strict=True))
    return Pictures(title="After each box", pictures=pictures, signs=("→",) * (len(pictures) - 1))


def _kinds(before: Leaving, after: Leaving) -> Table:
    columns = tuple(Column(title, "text") for title in ("", "before", "after"))
    return Table(
        title="What it is",
        columns=columns,
        rows=_rows(before, after),
        weight=4,
        caption=f"Values of {after.pictures:,} training pictures.",
    )


def _rows(before: Leaving, after: Leaving) -> tuple[tuple[str, ...], ...]:
    both = (before, after)
    return (
        ("kind", *(f"{_what(one.kind)}, {one.kind.dtype}" for one in both)),
        ("shape", *(_shape(one) for one in both)),
        ("range", *(f"{one.ends[0]:.4g} to {one.ends[1]:.4g}" for one in both)),
        ("mean", *(_told(one.mean) for one in both)),
        ("std", *(_told(one.std) for one in both)),
    )


def _two_kinds(pair: tuple[Leaving, ...]) -> Pictures:
    return Pictures(pictures=(_picture(pair[0], "PIL picture"), _picture(pair[1], "tensor")), signs=("→",))


def _compared(pair: tuple[Leaving, ...]) -> Table:
    picture, tensor = pair
    kind, shape, values, *_ = _rows(picture, tensor)
    order = ("order", *(_order(one) for one in pair))
    columns = tuple(Column(title, "text") for title in ("", "PIL picture", "tensor"))
    return Table(title="PIL picture against tensor", columns=columns, rows=(kind, order, shape, values), weight=3)


def _claims(pair: tuple[Leaving, ...]) -> Claims:
    """What the table says of ToTensor, against torchvision's own functions."""
    from torchvision.transforms.v2 import functional

    picture: Tensor = pair[0].stage.picture
    made = functional.pil_to_tensor(functional.to_pil_image(picture)).float() / 255
    values: Tensor = pair[1].stage.picture
    brightest = float(picture.max()) / 255
    return Claims(
        claims=(
            Claim("brightest value / 255", brightest, float(made.max())),
            Claim("mean of this tensor", float(values.mean()), float(made.mean())),
        ),
    )


def _histogram(title: str, leaving: Leaving, chain: tuple[Transform, ...]) -> Plot:
    """How often each value occurs, with its mean and the deviation to both sides."""
    import torch

    low, high = _range(leaving, chain)
    counts = torch.histc(torch.from_numpy(leaving.values), _BINS, low, high).numpy() / len(leaving.values)
    width = (high - low) / _BINS
    centres = low + width * (np.arange(_BINS) + 0.5)
    mean, std = leaving.mean, leaving.std
    role = "training" if leaving.kind.low < 0 else "quiet"
    line = Line("values", centres, counts.astype(np.float64), role, bars=True)
    sides = tuple(Mark(mean + sign * std, axis="x") for sign in (-1, 1))
    marks = (Mark(mean, f"mean {_told(mean)}", axis="x", role="accent"), *sides)
    return Plot(
        title=title,
        lines=(line,),
        marks=marks,
        x_name="value",
        y_name="part",
        x_range=(low, high),
        caption=f"Dashed: the mean, and one std ({_told(std)}) to both sides.",
    )


def _range(leaving: Leaving, chain: tuple[Transform, ...]) -> tuple[float, float]:
    """The same for all values that can be compared, so that one sees them move."""
    if leaving.kind.dtype == "uint8":
        return 0.0, 255.0
    low, high = _NORMAL if any(one.name_of() == "Normalize" for one in chain) else (-0.25, 1.25)
    least, most = leaving.ends
    return min(low, float(np.floor(least))) if least < low else low, max(
        high, float(np.ceil(most))
    ) if most > high else high
