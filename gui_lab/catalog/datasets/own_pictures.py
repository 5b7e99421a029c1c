"""A person's own pictures, which is where a lab of one's own begins: a folder, a name for each class, nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np

from gui_lab.core.images import DATASETS, Dataset, Opening
from gui_lab.errors import DataError
from gui_lab.schema import knob


@DATASETS.add
class ImageFolder(Dataset):
    """Your own pictures: a folder with one folder of pictures for each class.

    The layout of torchvision's `ImageFolder`, `root/class/picture`, or the same below `train`, `val` and `test`; a part
    that has no folder is split off the training pictures. Pictures come as RGB. Those of one size that fit into memory
    are read once; others stay on disk. What cannot be read is left out and listed.
    """

    group: ClassVar[str] = "Own pictures"
    licence: ClassVar[str] = "your own"

    root: Path = knob(help="The folder that holds a folder of pictures for each class.")

    def open(self, download: bool = False) -> Opening:
        from gui_lab.core import folder

        listing = yield from folder.listed(self.root.expanduser())
        labels, parts = np.array(listing.labels, np.int64), np.array(listing.parts)
        if not len(labels):
            raise DataError(f"There are no pictures in {folder.shown(str(self.root))}.", folder.LAYOUT)
        pictures, kept, unreadable = yield from folder.gathered(listing.paths, listing.names)
        labels, parts = labels[kept], parts[kept]
        validation = np.flatnonzero(parts == "validation") if "validation" in listing.given else None
        if validation is not None and not len(validation):
            raise DataError(
                f"The validation folder in {folder.shown(str(self.root))} has no pictures that can be used.",
                "Add some, or remove it: then a part of the training pictures is held back instead.",
            )
        return self.with_split(
            pictures,
            labels,
            listing.classes,
            test=np.flatnonzero(parts == "test"),
            validation=validation,
            skipped=(*listing.skipped, *((listing.names[i], unreadable[i]) for i in sorted(unreadable))),
            names=tuple(listing.names[i] for i in kept),
        )
