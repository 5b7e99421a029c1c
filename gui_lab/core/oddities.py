"""What is legal but odd in a chain: nothing here keeps anybody from training; each sentence says why one might stop.

Only what can be proved from the chain is said, so that a warning is worth reading: kinds and ranges are followed as the
check of errors follows them, and what a picture means comes from its data set. The transforms in question are known by
torchvision's names. Where one click can mend it, the whole mended chain is the repair.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, get_args

from gui_lab.core import policies
from gui_lab.core.canvas import levels, size_words
from gui_lab.core.chain import Chain
from gui_lab.core.images import Dataset
from gui_lab.core.pipeline import TRANSFORMS, Kind, Transform
from gui_lab.schema import Problem, Repair

Transforms = tuple[Transform, ...]
_FLIPS = {"RandomHorizontalFlip", "RandomVerticalFlip"}
_CONVERSIONS = {"ToDtype", "ToImage", "ToTensor"}
_KEEP_PLACES = _FLIPS | _CONVERSIONS | {"Grayscale", "Normalize"}
_KEEP_COLOURS = _FLIPS | _CONVERSIONS | {"CenterCrop", "Pad", "RandomCrop", "RandomRotation", "Resize"}


@dataclass(frozen=True)
class _Step:
    """A transform that acts, with what arrives at it and what leaves."""

    place: int
    transform: Transform
    arriving: Kind
    leaving: Kind

    @property
    def name(self) -> str:
        return self.transform.name_of()


def oddities(chain: Chain, kind: Kind, dataset: Dataset | None = None) -> list[Problem]:
    """All warnings about a legal chain, from its front to its end; paths start with `transforms`.

    Args:
        chain: one in which `checking` found no error.
        kind: of the pictures in the data set.
        dataset: says which pictures mean something else once mirrored or turned; without it none do.
    """
    steps = [
        _Step(place, chain.transforms[place], before, after)
        for (_, before), (place, after) in pairwise(chain.kinds(kind))
    ]
    found = [*_without_effect(chain, steps), *_scales(chain, steps), *_fills(chain, steps)]
    found += [*_cut_away(chain, steps), *_greyed_again(chain, steps), *_mixed_too_early(chain, steps)]
    if dataset is not None:
        found += _changed_meanings(chain, dataset)
    return sorted(found, key=lambda problem: int(problem.path.split(".")[1]))


def _odd(place: int, sentence: str, *repairs: tuple[str, Transforms], field: str = "") -> Problem:
    path = f"transforms.{place}.{field}" if field else f"transforms.{place}"
    return Problem(path, sentence, tuple(Repair(label, "transforms", whole) for label, whole in repairs), "warning")


def _with(chain: Chain, *changes: tuple[int, Transforms]) -> Transforms:
    """The chain's transforms with others in the places of some."""
    instead = dict(changes)
    return tuple(one for place, old in enumerate(chain.transforms) for one in instead.get(place, (old,)))


# ---------------------------------------------------------------- values


def _without_effect(chain: Chain, steps: Sequence[_Step]) -> Iterator[Problem]:
    for step in steps:
        if step.name in ("ToTensor", "ToDtype") and step.leaving == step.arriving:
            what = "a float tensor" if step.arriving.dtype == "float32" else "a uint8 image"
            sentence = f"{step.name} does nothing here: {what} arrives already."
            yield _odd(step.place, sentence, ("Leave it out", _with(chain, (step.place, ()))))
        given: Any = step.transform
        if step.name == "LinearTransformation" and given.transformation_matrix is None and given.mean_vector is None:
            sentence = "LinearTransformation does nothing yet: it has no matrix and no mean. Measure from data."
            yield _odd(step.place, sentence, ("Leave it out", _with(chain, (step.place, ()))))


def _scales(chain: Chain, steps: Sequence[_Step]) -> Iterator[Problem]:
    """Values on the scale 0..255 where 0..1 is meant, the other way round, and what is normalised twice."""
    raw: _Step | None = None
    normalised: _Step | None = None
    for step in steps:
        if step.leaving.dtype == "uint8":
            raw = normalised = None
        elif step.name == "ToDtype" and step.arriving.dtype == "uint8" and step.leaving.high > 1:
            raw = step
        elif step.name == "Normalize" and normalised is not None:
            yield _twice(chain, normalised, step)
        elif step.name == "Normalize":
            yield from _on_another_scale(chain, step, raw)
            raw, normalised = None, step
        elif step.name == "LinearTransformation" and step.leaving != step.arriving:
            raw = None
    if raw is not None:
        sentence = "Values from 0 to 255 reach the network; it learns best from small ones around 0."
        yield _odd(raw.place, sentence, _scaled(chain, raw), field="scale")


def _twice(chain: Chain, first: _Step, second: _Step) -> Problem:
    return _odd(
        second.place,
        "The pictures are normalised twice: this mean and std meet values that are normalised already.",
        ("Leave this one out", _with(chain, (second.place, ()))),
        ("Leave the first one out", _with(chain, (first.place, ()))),
    )


def _on_another_scale(chain: Chain, step: _Step, raw: _Step | None) -> Iterator[Problem]:
    transform: Any = step.transform
    largest = max(*transform.mean, *transform.std)
    if raw is not None and largest <= 1:
        sentence = "This mean and std are meant for values from 0 to 1, but 0 to 255 arrive."
        yield _odd(step.place, sentence, _scaled(chain, raw))
    if raw is None and step.arriving.low >= 0 and step.arriving.high <= 1 and max(transform.mean) > 1:
        small = {name: tuple(round(value / 255, 6) for value in getattr(transform, name)) for name in ("mean", "std")}
        sentence = "This mean is meant for values from 0 to 255, but 0 to 1 arrive."
        repair = ("Divide mean and std by 255", _with(chain, (step.place, (transform.changed(**small),))))
        yield _odd(step.place, sentence, repair, field="mean")


def _scaled(chain: Chain, raw: _Step) -> tuple[str, Transforms]:
    return "Scale to 0..1 in ToDtype", _with(chain, (raw.place, (raw.transform.changed(scale=True),)))


def _fills(chain: Chain, steps: Sequence[_Step]) -> Iterator[Problem]:
    """A fill on the scale 0..255 among values up to 1, where it comes into view."""
    for step in steps:
        fill = getattr(step.transform, "fill", None)
        white = max(step.arriving.high, 1)
        if fill is None or step.arriving.dtype != "float32" or step.leaving.high <= white:
            continue
        sentence = f"Its fill is {max(levels(fill)):g}, far above the values that arrive (up to {white:.3g})."
        small = tuple(level / 255 for level in fill) if isinstance(fill, tuple) else fill / 255
        repair = ("Divide it by 255", _with(chain, (step.place, (step.transform.changed(fill=small),))))
        yield _odd(step.place, sentence, *([repair] if max(levels(small)) <= white else []), field="fill")


# ---------------------------------------------------------------- work that is undone


def _cut_away(chain: Chain, steps: Sequence[_Step]) -> Iterator[Problem]:
    """Pixels that are made and then thrown away."""
    for number, step in enumerate(steps):
        after = steps[number + 1 :]
        if step.name == "Resize" and (crop := _crop_after_enlarging(step, after)) is not None:
            yield _enlarged(chain, step, crop)
        if step.name == "Pad" and after and after[0].name == "CenterCrop" and _cuts_border(step, after[0]):
            sentence = "CenterCrop cuts away all of the border that this adds."
            yield _odd(step.place, sentence, ("Leave it out", _with(chain, (step.place, ()))))


def _crop_after_enlarging(resize: _Step, after: Sequence[_Step]) -> _Step | None:
    """The crop that leaves no more than there was before the picture was enlarged."""
    small, large = resize.arriving.size, resize.leaving.size
    if small is None or large is None or small == large or large[0] < small[0] or large[1] < small[1]:
        return None
    crop = next((step for step in after if step.name not in _KEEP_PLACES), None)
    if crop is None or crop.name not in ("CenterCrop", "RandomCrop") or crop.leaving.size is None:
        return None
    return crop if crop.leaving.size[0] <= small[0] and crop.leaving.size[1] <= small[1] else None


def _enlarged(chain: Chain, resize: _Step, crop: _Step) -> Problem:
    small, large, cut = resize.arriving.size, resize.leaving.size, crop.leaving.size
    assert small
    assert large
    assert cut
    sentence = (
        f"Pictures of {size_words(small)} are enlarged to {size_words(large)} and then cut to {size_words(cut)}: "
        "pixels are made up and thrown away."
    )
    border = (large[0] - small[0]) // 2
    if crop.name == "RandomCrop" and cut == small and border and not getattr(crop.transform, "padding", None):
        padded = crop.transform.changed(padding=border)
        repair = (f"Pad by {border} instead", _with(chain, (resize.place, ()), (crop.place, (padded,))))
    else:
        repair = ("Leave Resize out", _with(chain, (resize.place, ())))
    return _odd(resize.place, sentence, repair)


def _cuts_border(pad: _Step, crop: _Step) -> bool:
    """As torchvision's `center_crop` places its piece."""
    small, large, cut = pad.arriving.size, pad.leaving.size, crop.leaving.size
    if small is None or large is None or cut is None:
        return False
    padding: Any = getattr(pad.transform, "padding")  # noqa: B009 - a field of Pad, which core cannot import
    left, top = (padding, padding) if isinstance(padding, int) else padding[:2] if len(padding) > 1 else padding * 2
    starts = [round((whole - piece) / 2.0) for whole, piece in zip(large, cut, strict=True)]
    return all(
        before <= start and start + piece <= before + inner
        for before, start, piece, inner in zip((top, left), starts, cut, small, strict=True)
    )


def _greyed_again(chain: Chain, steps: Sequence[_Step]) -> Iterator[Problem]:
    for number, step in enumerate(steps):
        after = next((later for later in steps[number + 1 :] if later.name not in _KEEP_COLOURS), None)
        if step.name == "RandomGrayscale" and after is not None and after.name == "Grayscale":
            sentence = "It has no effect: Grayscale takes the colour of all pictures later on."
            yield _odd(step.place, sentence, ("Leave it out", _with(chain, (step.place, ()))))


def _mixed_too_early(chain: Chain, steps: Sequence[_Step]) -> Iterator[Problem]:
    for number, step in enumerate(steps):
        if step.transform.mixes and not all(later.transform.mixes for later in steps[number + 1 :]):
            others = "what follows acts on mixtures instead of pictures"
            moved = (*_with(chain, (step.place, ())), step.transform)
            yield _odd(
                step.place,
                f"{step.name} mixes a batch and belongs at the end: {others}.",
                ("Move it to the end", moved),
            )


# ---------------------------------------------------------------- what a picture means


Put = Callable[[Transforms], Transforms]
"""From what shall stand in a transform's place to the whole chain with it there."""


def _changed_meanings(chain: Chain, dataset: Dataset) -> Iterator[Problem]:
    """Augmentation after which the label may be wrong: a 6 on its head is a 9."""
    name = dataset.name_of()
    for path, transform, put in _everywhere(chain.transforms, "transforms", lambda whole: whole):
        flip, limit = transform.name_of(), dataset.upright
        acts = getattr(transform, "p", 1) != 0
        if flip == "RandomHorizontalFlip" and acts and dataset.handed:
            sentence = f"The pictures of {name} have a left and a right: mirrored, they may mean something else."
            yield _meaning(path, sentence, "Leave it out", put, ())
        elif flip == "RandomVerticalFlip" and acts and (dataset.handed or limit is not None):
            sentence = f"The pictures of {name} have a top and a bottom: upside down, they may mean something else."
            yield _meaning(path, sentence, "Leave it out", put, ())
        elif limit is not None and (turn := farthest_turn(transform)) > limit:
            sentence = f"It turns pictures by up to {turn:g} degrees; those of {name} keep their meaning to {limit:g}."
            label, instead = _turned_less(transform, limit)
            yield _meaning(path, sentence, label, put, (instead,))


def _everywhere(transforms: Transforms, path: str, put_all: Put) -> Iterator[tuple[str, Transform, Put]]:
    """All transforms that act, those too that others hold; what holds nothing any more goes with its last one."""
    for place, transform in enumerate(transforms):
        if not transform.enabled:
            continue

        def put(instead: Transforms, place: int = place) -> Transforms:
            return put_all((*transforms[:place], *instead, *transforms[place + 1 :]))

        yield f"{path}.{place}", transform, put
        for field in transform.holds:

            def put_held(held: Transforms, holder: Transform = transform, field: str = field, put: Put = put) -> Any:
                return put(_holding(holder, field, held))

            yield from _everywhere(getattr(transform, field), f"{path}.{place}.{field}", put_held)


def _holding(holder: Transform, field: str, held: Transforms) -> Transforms:
    """The same around others, at most one fewer, whose weight goes with it; nothing where nothing would act."""
    before, weights = getattr(holder, field), getattr(holder, "p", None)
    if not isinstance(weights, tuple) or len(held) == len(before):
        return (holder.changed(**{field: held}),) if held else ()
    gone = next((place for place, one in enumerate(held) if one is not before[place]), len(held))
    kept = (*weights[:gone], *weights[gone + 1 :])
    return (holder.changed(**{field: held, "p": kept}),) if any(kept) else ()


def _meaning(path: str, sentence: str, label: str, put: Put, instead: Transforms) -> Problem:
    return Problem(path, sentence, (Repair(label, "transforms", put(instead)),), "warning")


def farthest_turn(transform: Transform) -> float:
    """How many degrees from upright it can turn a picture, 0..180."""
    name = transform.name_of()
    if name in get_args(policies.SpaceName):
        rotate = policies.space(name, 1, 1)["Rotate"]  # type: ignore[arg-type]  # asked the line before
        return rotate.last if rotate else 0.0
    if name not in ("RandomRotation", "RandomAffine"):
        return 0.0
    degrees: Any = getattr(transform, "degrees", 0.0)
    low, high = degrees if isinstance(degrees, tuple) else (-degrees, degrees)
    if any(low <= head <= high for head in (-180, 180)):
        return 180.0
    return float(max(abs((end + 180) % 360 - 180) for end in (low, high)))


def _turned_less(transform: Transform, limit: float) -> tuple[str, Transform]:
    degrees: Any = getattr(transform, "degrees", None)
    if degrees is None:
        return "Use RandAugment instead", TRANSFORMS.make("RandAugment")
    less: Any = limit
    if isinstance(degrees, tuple):
        low, high = max(degrees[0], -limit), min(degrees[1], limit)
        less = (low, high) if low < high else (-limit, limit)
    return f"Turn by {limit:g} degrees at most", transform.changed(degrees=less)
