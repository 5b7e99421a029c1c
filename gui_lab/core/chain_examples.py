"""The transforms of a first course in their groups, each as a short chain that one can see through.

The transforms are the catalogue's own, with the values that it suggests for the pictures at hand. Three cannot be shown
like that, since in the lab they run code or read files of a person: their examples are written here, and do what
torchvision's classes of the same name do.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from gui_lab.core.chain import Chain
from gui_lab.core.images import ImageSet
from gui_lab.core.pipeline import TRANSFORMS, Illegal, Kind, Transform
from gui_lab.core.stages import Stage
from gui_lab.errors import LabError
from gui_lab.schema import knob, knobs

if TYPE_CHECKING:
    from torch import Tensor

Values = npt.NDArray[np.float32]
Group = Literal["On pictures", "On tensors", "Conversion", "Generic", "Own classes"]
Name = Literal[
    "CenterCrop", "Grayscale", "Pad", "RandomAffine", "RandomCrop", "RandomHorizontalFlip", "RandomRotation", "Resize",
    "Normalize", "RandomErasing", "LinearTransformation",
    "ToTensor", "ToPILImage", "ToDtype",
    "Lambda", "RandomApply", "RandomChoice",
    "Rescale",
]  # fmt: skip

GROUPS: Mapping[str, tuple[str, ...]] = {
    "On pictures": get_args(Name)[:8],
    "On tensors": get_args(Name)[8:11],
    "Conversion": get_args(Name)[11:14],
    "Generic": get_args(Name)[14:17],
    "Own classes": get_args(Name)[17:],
}
ACTS_ON: Mapping[str, str] = {
    "On pictures": "PIL pictures, and images as tensors",
    "On tensors": "float tensors only",
    "Conversion": "from one kind to the other",
    "Generic": "anything: they hold transforms or a function",
    "Own classes": "what you write: a class with __call__",
}
_SEED = 1
_LARGEST_MATRIX = 3072
_MOST, _MOST_ONE_BY_ONE, _MOST_VALUES, _LEAST = 2000, 100, 600_000, 6  # pictures, and values of them in all
_AT_ONCE = {"Normalize", "LinearTransformation"}
"""Of the groups on pictures, on tensors and generic: what takes a whole batch in one go."""


def group_of(name: str) -> str:
    return next(group for group, names in GROUPS.items() if name in names)


# -------------------------------------------------------------------- the three


class Negative(Transform):
    """Calls a function: here one that turns black into white."""

    @classmethod
    def name_of(cls) -> str:
        return "Lambda"

    def one(self, picture: Any, drawn: Mapping[str, Any]) -> Any:
        from torchvision.transforms import v2

        return v2.Lambda(v2.functional.invert)(picture)


class Rescale(Transform):
    """A class of one's own: scales the shorter side of a picture to a size."""

    size: int = knob(256, "Length of the shorter side.", unit="px", ge=1, le=4096)

    def output(self, kind: Kind) -> Kind:
        return TRANSFORMS.make("Resize", size=self.size).output(kind)

    def one(self, picture: Any, drawn: Mapping[str, Any]) -> Any:
        from torchvision.transforms.v2 import functional

        return functional.resize(picture, [self.size])


class Differences(Transform):
    """Multiplies all values of a picture by one matrix: here each value less the one after it, so that edges remain."""

    @classmethod
    def name_of(cls) -> str:
        return "LinearTransformation"

    def output(self, kind: Kind) -> Kind:
        values = int(np.prod(kind.shape)) if kind.size else 0
        if not 0 < values <= _LARGEST_MATRIX:
            raise Illegal(
                f"The matrix would have {values:,} x {values:,} numbers." if values else "The pictures differ in size."
            )
        span = kind.high - kind.low
        return Kind(kind.dtype, *kind.shape, kind.least, min(kind.low, -span), max(kind.high, span))

    def one(self, picture: Any, drawn: Mapping[str, Any]) -> Any:
        import torch
        from torchvision.transforms import v2

        values = picture.shape[-3:].numel()
        matrix = torch.eye(values) - torch.eye(values).roll(1, 0).tril(-1)
        return v2.LinearTransformation(matrix, torch.zeros(values))(picture)


# -------------------------------------------------------------------- chains


def example(name: str, kind: Kind, mean: float, std: float) -> tuple[Transform, ...]:
    """A short chain in which this transform stands, for pictures of this kind. The first turns them into PIL pictures.

    Args:
        name: one of `Name`.
        kind: of the pictures in the data set.
        mean, std: of Normalize, for all channels.
    """
    make = TRANSFORMS.make
    normalize = make("Normalize", mean=(mean,), std=(std,))
    start, tensors = make("ToPILImage"), make("ToTensor")
    match name:
        case "Normalize":
            rest: tuple[Transform, ...] = (tensors, normalize)
        case "ToTensor":
            rest = (tensors,)
        case "ToPILImage":
            rest = (tensors, make("ToPILImage"))
        case "ToDtype":
            rest = (make("PILToTensor"), make("ToDtype", dtype="float32", scale=True))
        case "Rescale":
            side = min(kind.least)
            rest = (Rescale(size=max(side * 8 // 7, 2)), make("RandomCrop", size=side), tensors, normalize)
        case "RandomErasing":
            rest = (tensors, make("RandomErasing", p=1.0))
        case "LinearTransformation":
            rest = (tensors, Differences())
        case _:
            rest = (_chosen(name, kind), tensors, normalize)
    return (start, *rest)


def _chosen(name: str, kind: Kind) -> Transform:
    """With values strong enough to be seen at a glance."""
    make = TRANSFORMS.make
    turned = make("RandomRotation", degrees=60)
    match name:
        case "Lambda":
            return Negative()
        case "RandomRotation":
            return turned
        case "RandomAffine":
            return make("RandomAffine", degrees=45, translate=(0.2, 0.2), scale=(0.7, 1.3))
        case "RandomApply":
            return make("RandomApply", transforms=(turned,))
        case "RandomChoice":
            return make("RandomChoice", transforms=(turned, make("RandomHorizontalFlip", p=1.0)))
        case _:
            return TRANSFORMS.get(name).suggested(kind)


def arguments(transform: Transform) -> tuple[str, ...]:
    """As one types them: `size=7`, `padding=1`. Those at torchvision's default are left out."""
    own = [one for one in knobs(type(transform)) if one.name != "enabled" and one.name not in transform.holds]
    held = [f"[{', '.join(written(one) for one in getattr(transform, field))}]" for field in transform.holds]
    given = [(one, getattr(transform, one.name)) for one in own]
    told = [f"{one.name}={_value(value)}" for one, value in given if one.required or value != one.default]
    if transform.name_of() == "Normalize":
        told = [f"{field}={_value(getattr(transform, field))}" for field in ("mean", "std")]
    if transform.name_of() == "Lambda":
        told = ["functional.invert"]
    if transform.name_of() == "LinearTransformation":
        told = ["matrix", "mean"]
    return (*held, *told)


def written(transform: Transform) -> str:
    """`RandomCrop(size=8, padding=1)`"""
    return f"{transform.name_of()}({', '.join(arguments(transform))})"


def _value(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(_value(one) for one in value)}]"
    return repr(round(value, 6)).removesuffix(".0") if isinstance(value, float) else repr(value)


@dataclass(frozen=True, eq=False)
class Leaving:
    """What leaves the first transforms of a chain.

    Attributes:
        stage: the picture that is followed, with what was drawn for it.
        kind: of all pictures there.
        values: of some training pictures there, float32 (n,), and how many `pictures` they are of.
    """

    stage: Stage
    kind: Kind
    values: Values
    pictures: int

    @functools.cached_property
    def mean(self) -> float:
        return float(self.values.mean(dtype=np.float64))

    @functools.cached_property
    def std(self) -> float:
        """The deviation of all values, not of a sample: what Normalize is to divide by."""
        return float(self.values.std(dtype=np.float64))

    @functools.cached_property
    def ends(self) -> tuple[float, float]:
        """The smallest and the largest value that occur."""
        return float(self.values.min()), float(self.values.max())


@functools.lru_cache(maxsize=4)
def followed(transforms: tuple[Transform, ...], images: ImageSet, index: int, epoch: int) -> tuple[Leaving, ...]:
    """A training picture, and the values of many, after each transform of an example.

    Args:
        index: of the picture in the data set.
        epoch: whose numbers are drawn.

    Raises:
        LabError: a transform cannot be applied to these pictures.
        DataError: a picture cannot be read.
    """
    import torch

    kind, kinds = images.kind, []
    for transform in transforms:
        try:
            kind = transform.output(kind)
        except Illegal as illegal:
            sentence = f"{transform.name_of()} cannot be shown on these pictures: {illegal.sentence}"
            raise LabError(sentence, "Choose another transform, or another data set.") from illegal
        kinds.append(kind)
    chain = Chain(transforms)
    (stages,) = chain.trace([torch.from_numpy(images.picture(index))], np.array([index]), seed=_SEED, epoch=epoch)
    count = _sampled(images, transforms)
    places = range(1, len(transforms) + 1)
    if images.kind.size:
        values = [_pictures(transforms[:place], images, count, epoch) for place in places]
    else:
        taken = [torch.from_numpy(picture) for picture in images.pictures.take(images.train[:count])]
        rows = chain.trace(taken, images.train[:count], seed=_SEED, epoch=epoch)
        values = [torch.cat([row[place].picture.flatten() for row in rows]) for place in places]
    leaving = zip(stages[1:], kinds, values, strict=True)
    return tuple(Leaving(stage, kind, left.float().flatten().numpy(), count) for stage, kind, left in leaving)


@functools.lru_cache(maxsize=8)
def _pictures(transforms: tuple[Transform, ...], images: ImageSet, count: int, epoch: int) -> Tensor:
    """The first training pictures after these transforms, (count, C, H, W). Kept for what comes before a box, so that
    its knobs can be pulled."""
    import torch

    if not transforms:
        return torch.from_numpy(np.asarray(images.pictures.take(images.train[:count])))
    before = _pictures(transforms[:-1], images, count, epoch)
    last = slice(len(transforms) - 1, None)
    return Chain(transforms).run(before, images.train[:count], seed=_SEED, epoch=epoch, training=True, steps=last)


def _sampled(images: ImageSet, transforms: tuple[Transform, ...]) -> int:
    """How many training pictures take no time."""
    least = images.kind.channels * images.kind.least[0] * images.kind.least[1]
    at_once = all(one.to_pil is not None or one.name_of() in _AT_ONCE | {"ToDtype"} for one in transforms)
    most = min(_MOST if at_once else _MOST_ONE_BY_ONE, max(_MOST_VALUES // max(least, 1), _LEAST))
    return min(most, len(images.train))
