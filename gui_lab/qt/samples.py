"""What can be added to a chain, each with a picture of what it does to a picture as it arrives there.

The pictures are made by the transforms themselves, with the values they would be added with, in the background; the
list is there at once and they come into it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from gui_lab.core.chain import Chain
from gui_lab.core.images import ImageSet
from gui_lab.core.nesting import Transforms
from gui_lab.core.pipeline import TRANSFORMS, Kind, Transform
from gui_lab.errors import InvalidExperiment, LabError
from gui_lab.qt.session import Session
from gui_lab.qt.theme import THEME
from gui_lab.qt.threads import Failed, Latest
from gui_lab.qt.views.catalogue import Entry
from gui_lab.qt.views.frames import image_of
from gui_lab.qt.views.traces import picked

_EPOCH = 1
_LOOKED_AT = 6  # pictures, of which the two with the most contrast are shown
_GROUPS = ("On pictures", "On tensors", "Conversion", "On batches", "Generic", "Own")


class Samples(QObject):
    """
    `arrived` carries pictures by the names of their transforms.
    """

    arrived = Signal(object)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._maker = Latest(self)
        self._maker.arrived.connect(self.arrived)
        self._maker.failed.connect(self._failed)

    def close_down(self) -> None:
        self._maker.close()

    def entries(self) -> list[Entry]:
        """All that can be added, family by family, each in the order of its names."""
        ordered = sorted(TRANSFORMS, key=lambda one: (_GROUPS.index(one.group), one.name_of()))
        return [Entry(one.name_of(), one.summary(), one.group, "random" if one.random else "") for one in ordered]

    def ask(self, position: int) -> None:
        """Have the pictures made for a position of the chain."""
        session = self._session
        if session.images is not None and session.ready:
            before = session.experiment.transforms[:position]
            self._maker.ask(partial(_made, before, session.images, session.experiment.training.seed, THEME.dark))

    def _failed(self, failed: Failed) -> None:
        if not isinstance(failed.error, LabError):  # a picture that cannot be read is told where it is looked at
            raise failed.error


def _made(before: Transforms, images: ImageSet, seed: int, dark: bool) -> dict[str, QImage]:
    """Images by name, of those that can be applied there or after ToTensor."""
    return dict(_samples(before, images, seed, dark))


def _samples(before: Transforms, images: ImageSet, seed: int, dark: bool) -> Iterator[tuple[str, QImage]]:
    import torch

    found = {index: images.picture(index) for index in picked(images, 0, _LOOKED_AT)}
    best = sorted(found, key=lambda index: -float(found[index].std()))[:2]  # what is dark all over tells nothing
    indices, pictures = np.array(best), [torch.from_numpy(found[index]) for index in best]
    for entry in TRANSFORMS:
        for way in ((), (TRANSFORMS.make("ToTensor"),)):
            arriving = Chain((*before, *way)).output(images.kind)
            chain = Chain((*before, *way, _telling(entry, arriving)))
            with torch.inference_mode():
                rows = chain.trace(pictures, indices, seed=seed, epoch=_EPOCH)
            last = rows[0][-1]
            if last.position == len(chain.transforms) - 1:
                leaving = chain.output(images.kind)
                yield entry.name_of(), image_of(last.picture.numpy(), leaving.low, leaving.high, dark=dark)
                break


def _telling(entry: type[Transform], arriving: Kind) -> Transform:
    """It as it would be added, but for sure: a flip that happens tells more than one that does not."""
    made = entry.suggested(arriving)
    if not isinstance(getattr(made, "p", None), float):
        return made
    try:
        return made.changed(p=1.0)
    except InvalidExperiment:
        return made
