"""The chain: an ordered list of transforms as one function of a batch, and of some pictures step by step.

A chain draws and applies; `checking` tells beforehand what is wrong with it. What `trace` shows of a picture is what
`run` does to it in any batch: both take the same draws and the same kernels. `run` applies what it can as one
(`fusing`), which changes the time it takes and no bit of the result.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gui_lab.core import fusing
from gui_lab.core.dice import Dice, Indices, salt_of
from gui_lab.core.fusing import Stretch
from gui_lab.core.pipeline import Drawn, Illegal, Kind, Transform, plain
from gui_lab.core.stages import Later, Stage

if TYPE_CHECKING:
    from torch import Tensor


_ALL = slice(None)
_LARGE = 512 * 512  # pixels of a picture that is not computed before somebody asks for it, where that can be


@dataclass
class _Group:
    """Pictures of one size on their way through the chain; `places` are their places in the batch."""

    places: Indices
    pictures: Tensor


class Chain:
    """An ordered list of transforms as one function of a batch (torchvision's `Compose`).

    Attributes:
        transforms: the list, those that are switched off included.
        fuses: whether `run` fuses what it can; the result is the same to the bit.
    """

    def __init__(self, transforms: Sequence[Transform], *, fuses: bool = True) -> None:
        self.transforms = tuple(transforms)
        self.fuses = fuses
        acting = [(position, transform) for position, transform in enumerate(self.transforms) if transform.enabled]
        self._steps = {True: acting, False: [step for step in acting if not step[1].random]}
        self._stretches: dict[tuple[bool, int, int, int, int, int], Stretch | None] = {}
        seen: Counter[str] = Counter()
        self._salts: list[int] = []
        for transform in self.transforms:
            self._salts.append(salt_of(transform.name_of(), seen[transform.name_of()]))
            seen[transform.name_of()] += 1

    def steps(self, training: bool = True) -> list[tuple[int, Transform]]:
        """The transforms that act, with their positions."""
        return self._steps[training]

    def kinds(self, kind: Kind, training: bool = True) -> list[tuple[int, Kind]]:
        """The kind after each transform that acts, as (position, kind), the source first as position -1; ends before
        the first illegal one."""
        found = [(-1, kind)]
        for position, transform in self.steps(training):
            try:
                found.append((position, transform.output(found[-1][1])))
            except Illegal:
                break
        return found

    def output(self, kind: Kind) -> Kind:
        """The kind that the network gets while training (up to the first illegal transform)."""
        return self.kinds(kind)[-1][1]

    def run(
        self,
        pictures: Tensor | Sequence[Tensor],
        indices: Indices,
        *,
        seed: int,
        epoch: int,
        training: bool,
        steps: slice = _ALL,
    ) -> Tensor:
        """Transform a batch for the network.

        Args:
            pictures: uint8 (B, C, H, W), or B tensors (C, H, W) of different sizes.
            indices: int64 (B,), the pictures' indices in their data set: what their draws come from.
            seed: the run's seed.
            epoch: counted from 1.
            training: False switches the random transforms off.
            steps: which of `self.steps(training)` to apply; what comes before them was done to `pictures` already.

        Returns:
            (B, C', H', W'), float32 after ToTensor.

        Raises:
            ValueError: the pictures leave the chain in different sizes.
        """
        acting = self.steps(training)
        place, end, _ = steps.indices(len(acting))
        groups, pil = _grouped(pictures), _pil(acting[:place])
        while place < end:
            stretch = None if pil or len(groups) != 1 else self._stretch(training, place, end, groups[0].pictures)
            if stretch is not None:
                groups = [self._stretched(stretch, groups[0], indices, seed, epoch)]
                place += len(stretch)
                continue
            position, transform = acting[place]
            if transform.mixes:  # who meets whom is told by places in the batch
                groups = _grouped(_in_order(groups))
            after: list[tuple[Indices, Tensor | list[Tensor]]] = []
            for group in groups:
                drawn = self._draw(position, indices[group.places], seed, epoch, group.pictures)
                after.append((group.places, _acted(transform, group.pictures, drawn, pil)))
            groups = _regrouped(after)
            pil = pil if transform.to_pil is None else transform.to_pil
            place += 1
        return _in_order(groups)

    def _stretch(self, training: bool, place: int, end: int, pictures: Tensor) -> Stretch | None:
        """The first of `steps(training)[place:end]`, as far as they are applied to these pictures as one."""
        if pictures.is_floating_point() or not len(pictures):
            return None
        channels, height, width = pictures.shape[1:]
        key = (training, place, end, channels, height, width)
        if key not in self._stretches:
            acting = self.steps(training)[place:end] if self.fuses else []
            found = fusing.stretch(acting, (channels, height, width))
            self._stretches[key] = found
        return self._stretches[key]

    def _stretched(self, stretch: Stretch, group: _Group, indices: Indices, seed: int, epoch: int) -> _Group:
        rolling = [step for step in stretch.steps if step.transform.random]
        salts = [self._salts[step.position] for step in rolling]
        dice = iter(Dice.together(seed, epoch, indices[group.places], salts))
        drawn = [step.transform.draw(next(dice), step.shape) if step.transform.random else {} for step in stretch.steps]
        return _Group(group.places, stretch.apply(group.pictures, drawn))

    @property
    def mixes(self) -> bool:
        """True where labels are mixed: the loss then takes probabilities."""
        return any(transform.mixes for _, transform in self.steps())

    def labels(self, labels: Tensor, classes: int, indices: Indices, kind: Kind, *, seed: int, epoch: int) -> Tensor:
        """What becomes of a training batch's labels.

        Args:
            labels: int64 (B,).
            classes: how many there are.
            indices: of the pictures, as for `run`.
            kind: of the pictures in the data set.
            seed, epoch: as for `run`.

        Returns:
            The labels themselves, or float32 (B, classes), rows sum to 1, where pictures are mixed.
        """
        if not self.mixes:
            return labels
        import torch

        mixed = torch.nn.functional.one_hot(labels, classes).to(torch.float32)
        arriving = kind
        for position, transform in self.steps():
            if transform.mixes:
                drawn = transform.draw(self._dice(position, indices, seed, epoch), arriving.shape)
                mixed = transform.mix_labels(mixed, drawn, arriving.shape)
            arriving = transform.output(arriving)
        return mixed

    def trace(
        self,
        pictures: Sequence[Tensor],
        indices: Indices,
        *,
        seed: int,
        epoch: int,
        training: bool = True,
        pinned: Mapping[int, int] | None = None,
        known: Sequence[Sequence[Stage]] = (),
    ) -> list[list[Stage]]:
        """Some pictures after each transform, with what was drawn for them: what `run` does to them in any batch. What
        mixes pictures mixes these with each other.

        Stops before the first transform that is illegal for any of them, so that a chain under edit can always be
        shown.

        Args:
            pictures: uint8 (C, H, W) each, of any sizes.
            indices: int64 (B,), their indices in their data set.
            seed, epoch, training: as for `run`.
            pinned: the epoch whose numbers are drawn at a position, for those where it is another one.
            known: of each picture the first stages, where an earlier trace has told them, equally many; they are taken
                as they are and only what follows is computed.

        Returns:
            For each picture its stages, the picture as it came first.
        """
        rows = [[Stage(-1, "source", picture, {})] for picture in pictures]
        kinds = [Kind.image(*picture.shape) for picture in pictures]
        for place, (position, transform) in enumerate(self.steps(training), 1):
            epoch_here = (pinned or {}).get(position, epoch)
            try:
                arriving = [kind.sized(*row[-1].shape[1:]) for kind, row in zip(kinds, rows, strict=True)]
                leaving = [transform.output(kind) for kind in arriving]
            except Illegal:
                break
            if transform.mixes and len({kind.size for kind in arriving}) > 1:
                break
            kinds = leaving
            if known and place < len(known[0]):
                for earlier, told in zip(rows, known, strict=True):
                    earlier.append(told[place])
                continue
            for part in [np.arange(len(rows))] if transform.mixes else _alike(arriving):
                if transform.overwrites() and arriving[part[0]].least[0] * arriving[part[0]].least[1] >= _LARGE:
                    for row in part:
                        rows[row].append(Later(position, rows[row][-1], transform))
                    continue
                batch = _stacked([rows[row][-1].picture for row in part])
                drawn = self._draw(position, indices[part], seed, epoch_here, batch)
                after = _acted(transform, batch, drawn, arriving[int(part[0])].pil)
                for row, picture, numbers in zip(part, after, _numbers(drawn, len(part)), strict=True):
                    rows[row].append(Stage(position, transform.name_of(), picture, numbers))
        return rows

    def _dice(self, position: int, indices: Indices, seed: int, epoch: int) -> Dice:
        """Those of each picture; those of the batch, told by its first picture, where pictures are mixed."""
        whose = indices[:1] if self.transforms[position].mixes else indices
        return Dice(seed, epoch, whose, self._salts[position])

    def _draw(self, position: int, indices: Indices, seed: int, epoch: int, pictures: Tensor) -> Drawn:
        transform = self.transforms[position]
        if not transform.random:
            return {}
        channels, height, width = pictures.shape[1:]
        return transform.draw(self._dice(position, indices, seed, epoch), (channels, height, width))


def _acted(transform: Transform, pictures: Tensor, drawn: Drawn, pil: bool) -> Tensor | list[Tensor]:
    """A batch after a transform, by the kernels for what it is; a conversion knows itself what it takes."""
    return (transform.apply_pil if pil and transform.to_pil is None else transform.apply)(pictures, drawn)


def _pil(steps: Sequence[tuple[int, Transform]]) -> bool:
    """Whether pictures are PIL pictures after these."""
    turns = [transform.to_pil for _, transform in steps if transform.to_pil is not None]
    return bool(turns and turns[-1])


def _in_order(groups: Sequence[_Group]) -> Tensor:
    """The batch as it came in."""
    import torch

    if len(groups) != 1:
        raise ValueError("the pictures of a batch leave the chain in different sizes")
    only = groups[0]
    if np.array_equal(only.places, np.arange(len(only.places))):
        return only.pictures
    return only.pictures[torch.from_numpy(np.argsort(only.places, kind="stable"))]


def _alike(kinds: Sequence[Kind]) -> list[Indices]:
    """The places of what can be done in one go: pictures of one kind, as many as lie in the cache together."""
    by_kind: dict[Kind, list[int]] = {}
    for place, kind in enumerate(kinds):
        by_kind.setdefault(kind, []).append(place)
    parts = []
    for kind, places in by_kind.items():
        count = max(fusing.CHUNK // (kind.least[0] * kind.least[1]), 1)
        parts += [np.array(places[start : start + count]) for start in range(0, len(places), count)]
    return parts


def _stacked(pictures: Sequence[Tensor]) -> Tensor:
    import torch

    return torch.stack(list(pictures)) if len(pictures) > 1 else pictures[0][None]


def _numbers(drawn: Drawn, count: int) -> list[dict[str, Any]]:
    """What was drawn for each of a batch; what was drawn once for all of it belongs to each."""
    return [plain(drawn, place if len(next(iter(drawn.values()), ())) == count else 0) for place in range(count)]


def _grouped(pictures: Tensor | Sequence[Tensor]) -> list[_Group]:
    if not isinstance(pictures, (list, tuple)):
        return [_Group(np.arange(len(pictures)), pictures)]  # type: ignore[arg-type]  # a tensor, by exclusion
    return _regrouped([(np.arange(len(pictures)), list(pictures))])


def _regrouped(parts: Sequence[tuple[Indices, Tensor | list[Tensor]]]) -> list[_Group]:
    """Bring together what has the same shape, so that as few and as large batches as possible go on."""
    import torch

    if len(parts) == 1 and not isinstance(parts[0][1], list):
        return [_Group(parts[0][0], parts[0][1])]
    by_shape: dict[tuple[int, ...], list[tuple[Indices, Tensor]]] = {}
    for places, pictures in parts:
        if isinstance(pictures, list):
            for place, picture in zip(places, pictures, strict=True):
                by_shape.setdefault(tuple(picture.shape), []).append((np.array([place]), picture[None]))
        else:
            by_shape.setdefault(tuple(pictures.shape[1:]), []).append((places, pictures))
    return [
        _Group(np.concatenate([places for places, _ in same]), torch.cat([pictures for _, pictures in same]))
        for same in by_shape.values()
    ]
