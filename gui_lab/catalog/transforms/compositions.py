"""Transforms around other transforms: applied or not, one of several, all of them in any order.

Each picture goes a way of its own through what is held. The ways are drawn before anything is done, as rows of places;
then, step by step, all pictures of a batch whose next place and size are the same go through that transform together.
Numbers for what is held are drawn by dice of their own, so that a transform put beside it does not change them, and for
every picture, so that they do not depend on which way it goes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, InstanceOf, model_validator

from gui_lab.core.dice import Dice, Indices, salt_of
from gui_lab.core.pipeline import TRANSFORMS, Drawn, Illegal, Kind, TooLate, Transform
from gui_lab.errors import InvalidExperiment
from gui_lab.schema import NESTED_AT_MOST, FieldError, depth, knob, too_deep

if TYPE_CHECKING:
    from torch import Tensor

Shape = tuple[int, int, int]
_NOTHING = -1


class _Composition(Transform):
    """What the three have in common."""

    group: ClassVar[str] = "Generic"
    random: ClassVar[bool] = True
    holds: ClassVar[Mapping[str, Any]] = {"transforms": TRANSFORMS}
    in_turn: ClassVar[bool] = False
    """True where one held transform gets what the one before it gives."""

    transforms: tuple[InstanceOf[Transform], ...] = knob(
        help="The transforms inside, 1 to 16; they act on training pictures only.",
        listed=False,
        min_length=1,
        max_length=16,
    )

    @model_validator(mode="after")
    def _not_too_deep(self) -> Self:
        if depth(self) > NESTED_AT_MOST:
            raise FieldError("transforms", too_deep("transform"))
        return self

    @property
    def acting(self) -> list[int]:
        """The places of those that are switched on."""
        return [place for place, held in enumerate(self.transforms) if held.enabled]

    def ways(self, drawn: Drawn) -> Indices:
        """For each picture the places that it goes through, int64 (B, steps); -1 for nothing."""
        raise NotImplementedError(f"{self.name_of()} does not say which way a picture goes")

    # ---------------------------------------------------------------- what can stand inside

    def leaving(self, place: int, arriving: Kind, source: Kind) -> Kind:
        """The kind that leaves the transform at a place, in a composition that `source` arrives at.

        Raises:
            Illegal: it cannot stand there; the path of its field and its repairs are those of the composition.
        """
        held, name = self.transforms[place], self.name_of()
        if held.mixes:
            raise self._misplaced(place, f"{held.title} mixes whole batches and cannot stand inside {name}.")
        if held.to_pil is not None:
            raise self._converting(place)
        try:
            left = held.output(arriving)
        except Illegal as illegal:
            raise self._lifted(place, illegal, source) from None
        if (left.dtype, left.pil) != (arriving.dtype, arriving.pil):
            raise self._converting(place)
        if left.channels != arriving.channels:
            sentence = f"Inside {name} the number of channels must stay: {arriving.channels} arrive, "
            raise self._misplaced(place, f"{sentence}{held.title} gives {left.channels}.", self._kept(place, arriving))
        return left

    def _converting(self, place: int) -> Illegal:
        held, name = self.transforms[place], self.name_of()
        sentence = f"{held.title} turns pictures into another type; inside {name} validation pictures would not get it."
        return self._misplaced(place, sentence, [(f"Move it before {name}", (held, *self._with(place, ())))])

    def _kept(self, place: int, arriving: Kind) -> list[tuple[str, tuple[Transform, ...]]]:
        held = self.transforms[place]
        if "num_output_channels" not in type(held).model_fields or arriving.channels not in (1, 3):
            return []
        same = held.changed(num_output_channels=arriving.channels)
        return [(f"Keep {arriving.channels} channels", self._with(place, (same,)))]

    def _misplaced(
        self, place: int, sentence: str, repairs: Iterable[tuple[str, tuple[Transform, ...]]] = ()
    ) -> Illegal:
        return Illegal(sentence, f"transforms.{place}", [*repairs, self._taken_out(place)])

    def _taken_out(self, place: int) -> tuple[str, tuple[Transform, ...]]:
        return f"Take {self.transforms[place].title} out", self._with(place, ())

    def _lifted(self, place: int, illegal: Illegal, source: Kind) -> Illegal:
        """What is wrong with a held transform, as a problem of the composition; only repairs that mend it there."""
        field = f"transforms.{place}" + (f".{illegal.field}" if illegal.field else "")
        repairs = []
        for label, instead in illegal.repairs:
            try:
                whole = self._with(place, instead)
            except InvalidExperiment:  # too many or too deep
                continue
            count = len(_inside(instead))
            if (self.in_turn or count <= 1) and _mends(whole, source, place + count):
                repairs.append((label, whole))
        if not (repairs or illegal.code or isinstance(illegal, TooLate)):
            repairs.append(self._taken_out(place))
        return type(illegal)(illegal.sentence, field, repairs, illegal.code)

    def _with(self, place: int, instead: Sequence[Transform]) -> tuple[Transform, ...]:
        """What stands in the composition's place with others in a held one's place: conversions come before it."""
        outside = tuple(one for one in instead if one.to_pil is not None)
        inside = _inside(instead)
        held = (*self.transforms[:place], *inside, *self.transforms[place + 1 :])
        return (*outside, self._holding(held, place, len(inside))) if held else outside

    def _holding(self, held: tuple[Transform, ...], place: int, count: int) -> Transform:
        """The same composition around others, `count` of which stand where one stood."""
        return self.changed(transforms=held)

    # ---------------------------------------------------------------- numbers

    def _drawn_for(self, place: int, dice: Dice, shape: Shape) -> Drawn:
        held = self.transforms[place]
        before = Counter(one.name_of() for one in self.transforms[:place])
        return held.draw(dice.fork(salt_of(held.name_of(), before[held.name_of()])), shape)

    def _drawn_side_by_side(self, dice: Dice, shape: Shape) -> Drawn:
        """For transforms that all get pictures of one shape."""
        return {
            f"{place}.{name}": values
            for place in self.acting
            for name, values in self._drawn_for(place, dice, shape).items()
        }

    def told(self, drawn: Mapping[str, Any]) -> str:
        (way,) = self.ways({name: np.array([value]) for name, value in drawn.items() if "." not in name})
        steps = []
        for place in way:
            if place != _NOTHING:
                held, numbers = self.transforms[place], _of(place, drawn)
                words = held.told(numbers) or ", ".join(_said(*number) for number in numbers.items())
                steps.append(f"{held.title} ({words})" if words else held.title)
        return ", ".join(steps) or "nothing"

    # ---------------------------------------------------------------- pictures

    def one(self, picture: Any, drawn: Mapping[str, Any]) -> Any:
        (way,) = self.ways({name: np.array([value]) for name, value in drawn.items() if "." not in name})
        for place in way:
            if place != _NOTHING:
                picture = self.transforms[place].one(picture, _of(place, drawn))
        return picture

    def apply(self, pictures: Tensor, drawn: Drawn) -> Tensor | list[Tensor]:
        groups = [(np.arange(len(pictures)), pictures)]
        for step in self.ways(drawn).T:
            groups = _by_shape(part for group in groups for part in self._step(step, *group, drawn))
        return _in_order(groups)

    def _step(
        self, step: Indices, numbers: Indices, pictures: Tensor, drawn: Drawn
    ) -> Iterator[tuple[Indices, Tensor | list[Tensor]]]:
        """Pictures of one shape a step further, those that go to the same place together; `numbers` are theirs in the
        batch."""
        import torch

        for place in np.unique(step[numbers]):
            mine = np.flatnonzero(step[numbers] == place)
            together: Tensor | list[Tensor] = pictures
            if len(mine) < len(numbers):
                together = pictures[torch.from_numpy(mine).to(pictures.device)]
            if place != _NOTHING:
                own = {name: values[numbers[mine]] for name, values in _of(place, drawn).items()}
                together = self.transforms[place].apply(together, own)
            yield numbers[mine], together


def _inside(instead: Sequence[Transform]) -> tuple[Transform, ...]:
    return tuple(one for one in instead if one.to_pil is None)


def _mends(whole: Sequence[Transform], kind: Kind, behind: int) -> bool:
    """Whether a composition, and what a repair puts before it, is legal but for what it holds from a place on."""
    try:
        for transform in whole:
            kind = transform.output(kind)
    except Illegal as illegal:
        held, _, place = illegal.field.partition(".")
        return held == "transforms" and int(place.partition(".")[0]) >= behind
    return True


def _of(place: int, drawn: Mapping[str, Any]) -> dict[str, Any]:
    """What was drawn for the transform at a place."""
    prefix = f"{place}."
    return {name.removeprefix(prefix): value for name, value in drawn.items() if name.startswith(prefix)}


def _said(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return name if value else f"not {name}"
    numbers = value if isinstance(value, list) else [value]
    return " ".join([name, *(f"{number:.3g}" for number in numbers)])


def _either(kinds: Sequence[Kind]) -> Kind:
    """Of pictures each of which is of one of these kinds, which differ in size and range alone."""
    one_size = len({kind.size for kind in kinds}) == 1
    return replace(
        kinds[0],
        height=kinds[0].height if one_size else None,
        width=kinds[0].width if one_size else None,
        least=(min(kind.least[0] for kind in kinds), min(kind.least[1] for kind in kinds)),
        low=min(kind.low for kind in kinds),
        high=max(kind.high for kind in kinds),
    )


def _by_shape(parts: Iterable[tuple[Indices, Tensor | list[Tensor]]]) -> list[tuple[Indices, Tensor]]:
    """Groups of one shape each, with the numbers of their pictures in the batch."""
    import torch

    alike: dict[tuple[int, ...], list[tuple[Indices, Tensor]]] = {}
    for numbers, pictures in parts:
        if isinstance(pictures, list):
            for number, picture in zip(numbers, pictures, strict=True):
                alike.setdefault(tuple(picture.shape), []).append((np.array([number]), picture[None]))
        else:
            alike.setdefault(tuple(pictures.shape[1:]), []).append((numbers, pictures))
    return [
        some[0] if len(some) == 1 else (np.concatenate([n for n, _ in some]), torch.cat([p for _, p in some]))
        for some in alike.values()
    ]


def _in_order(groups: Sequence[tuple[Indices, Tensor]]) -> Tensor | list[Tensor]:
    import torch

    if len(groups) == 1:
        ((numbers, pictures),) = groups
        if np.array_equal(numbers, np.arange(len(numbers))):
            return pictures
        return pictures[torch.from_numpy(np.argsort(numbers)).to(pictures.device)]
    placed = {int(number): picture for numbers, some in groups for number, picture in zip(numbers, some, strict=True)}
    return [placed[number] for number in range(len(placed))]


@TRANSFORMS.add
class RandomApply(_Composition):
    """Applies the transforms inside, one after the other, with a given probability; else none of them."""

    in_turn: ClassVar[bool] = True
    decider: ClassVar[str] = "applied"

    p: float = knob(0.5, "Probability that a picture gets them.", ge=0, le=1, felt=True)

    @classmethod
    def suggested(cls, kind: Kind | None) -> Transform:
        return cls(transforms=(TRANSFORMS.get("RandomRotation").suggested(kind),))

    def output(self, kind: Kind) -> Kind:
        left = kind
        for place in self.acting:
            left = self.leaving(place, left, kind)
        return _either([*([kind] if self.p < 1 else []), *([left] if self.p > 0 else [])])

    def draw(self, dice: Dice, shape: Shape) -> Drawn:
        drawn: Drawn = {"applied": dice.chance(self.p)}
        shapes = np.array([shape] * len(dice))
        for place in self.acting:
            own = self._drawn_by_shape(place, dice, shapes)
            drawn |= {f"{place}.{name}": values for name, values in own.items()}
            if any(self.transforms[later].random for later in self.acting if later > place):
                shapes = _shapes_after(self.transforms[place], shapes, own)
        return drawn

    def _drawn_by_shape(self, place: int, dice: Dice, shapes: npt.NDArray[Any]) -> Drawn:
        """Each picture's numbers come from its own dice, so those for pictures of another shape can be left out."""
        drawn: Drawn = {}
        for shape, mine in _alike(shapes):
            for name, values in self._drawn_for(place, dice, shape).items():
                drawn.setdefault(name, values.copy())[mine] = values[mine]
        return drawn

    def ways(self, drawn: Drawn) -> Indices:
        return np.where(drawn["applied"][:, None], np.array([self.acting], np.int64), _NOTHING)


def _alike(shapes: npt.NDArray[Any]) -> Iterator[tuple[Shape, Indices]]:
    """Each shape that occurs, with the places at which it does."""
    for shape in dict.fromkeys(map(tuple, shapes.tolist())):
        yield shape, np.flatnonzero((shapes == shape).all(1))


def _shapes_after(held: Transform, shapes: npt.NDArray[Any], drawn: Drawn) -> npt.NDArray[Any]:
    """(B, 3). Where sizes come out as the numbers have it, empty pictures go through it to tell them."""
    import torch

    after = shapes.copy()
    for shape, mine in _alike(shapes):
        arriving, left = _taken(held, shape)
        if left.size is not None:
            after[mine] = left.shape
            continue
        empty = torch.zeros((len(mine), *shape), dtype=getattr(torch, arriving.dtype))
        gone = held.apply(empty, {name: values[mine] for name, values in drawn.items()})
        after[mine] = [tuple(picture.shape) for picture in gone]
    return after


def _taken(held: Transform, shape: Shape) -> tuple[Kind, Kind]:
    """The kind of this shape that it accepts, and what leaves then: an image, else a tensor."""
    image = Kind.image(*shape)
    try:
        return image, held.output(image)
    except Illegal:
        tensor = replace(image, dtype="float32", high=1.0)
        return tensor, held.output(tensor)


Weight = Annotated[float, Field(ge=0, le=1000)]


@TRANSFORMS.add
class RandomChoice(_Composition):
    """Applies one of the transforms inside, drawn by its weight."""

    p: tuple[Weight, ...] | None = knob(
        None, "One weight for each, in their order; only their ratios count. Empty: all the same.", max_length=16
    )

    @classmethod
    def suggested(cls, kind: Kind | None) -> Transform:
        return cls(transforms=_two(kind))

    def _weights(self) -> npt.NDArray[np.float64]:
        given = self.p or (1.0,) * len(self.transforms)
        return np.array([weight * held.enabled for weight, held in zip(given, self.transforms, strict=True)])

    def output(self, kind: Kind) -> Kind:
        self._check_weights()
        lefts = {place: self.leaving(place, kind, kind) for place in self.acting}
        weights = self._weights()
        return _either([left for place, left in lefts.items() if weights[place] > 0] or [kind])

    def _check_weights(self) -> None:
        """torchvision divides them by their sum, too."""
        same = ("Give all the same weight", (self.changed(p=None),))
        wanted = len(self.transforms)
        if self.p is not None and len(self.p) != wanted:
            fitting = (self.p + (max(self.p, default=0) or 1.0,) * wanted)[:wanted]
            plural = "s" if wanted > 1 else ""
            raise Illegal(
                f"p has {len(self.p)} weight{'' if len(self.p) == 1 else 's'} for {wanted} transform{plural}.",
                "p",
                [(f"Use {wanted} weight{plural}", (self.changed(p=fitting),)), same],
            )
        if self.acting and not self._weights().any():
            raise Illegal("No transform can be chosen: all weights are 0.", "p", [same])

    def _holding(self, held: tuple[Transform, ...], place: int, count: int) -> Transform:
        p = self.p
        if p is not None and len(p) == len(self.transforms):
            p = (*p[:place], *p[place : place + 1] * count, *p[place + 1 :])
        return self.changed(transforms=held, p=p)

    def draw(self, dice: Dice, shape: Shape) -> Drawn:
        chosen = np.full(len(dice), _NOTHING, np.int64)
        if self.acting:
            upto = np.cumsum(self._weights())
            chosen[:] = np.searchsorted(upto, dice.uniform() * upto[-1], side="right")
        return {"chosen": chosen} | self._drawn_side_by_side(dice, shape)

    def ways(self, drawn: Drawn) -> Indices:
        chosen: Indices = drawn["chosen"][:, None]
        return chosen


@TRANSFORMS.add
class RandomOrder(_Composition):
    """Applies all transforms inside, for each picture in an order of its own."""

    @classmethod
    def suggested(cls, kind: Kind | None) -> Transform:
        return cls(transforms=_two(kind))

    def output(self, kind: Kind) -> Kind:
        """The range of values is that of any order, and may be wider than what occurs."""
        arriving = kind
        for _ in self.acting:
            left = _either([self._keeping_size(place, arriving, kind) for place in self.acting])
            if left == arriving:
                break
            arriving = left
        return arriving

    def _keeping_size(self, place: int, arriving: Kind, source: Kind) -> Kind:
        left, (height, width) = self.leaving(place, arriving, source), arriving.least
        tried = [arriving] if arriving.size else [arriving.sized(height, width), arriving.sized(2 * height, 3 * width)]
        if any(self.leaving(place, kind, source).size != kind.size for kind in tried):
            sentence = f"Inside RandomOrder the size must stay, whatever comes first: {self.transforms[place].title} "
            raise self._misplaced(place, f"{sentence}changes it.")
        return left

    def draw(self, dice: Dice, shape: Shape) -> Drawn:
        acting = self.acting
        keys = np.array([dice.uniform() for _ in acting]).reshape(len(acting), len(dice)).T
        order = np.array(acting, np.int64)[np.argsort(keys, axis=1, kind="stable")]
        return {"order": order} | self._drawn_side_by_side(dice, shape)

    def ways(self, drawn: Drawn) -> Indices:
        order: Indices = drawn["order"]
        return order


def _two(kind: Kind | None) -> tuple[Transform, ...]:
    """Two that fit all pictures and keep their size."""
    return (TRANSFORMS.get("RandomRotation").suggested(kind), TRANSFORMS.make("RandomHorizontalFlip"))
