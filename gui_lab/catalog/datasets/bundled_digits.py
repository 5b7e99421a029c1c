"""Real pictures that are there at once: no network, no waiting, and a network learns them within seconds on any
machine. They are what the lab opens with."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from gui_lab import resources
from gui_lab.core.images import DATASETS, Dataset, InMemory, Opening, Progress


@DATASETS.add
class Digits(Dataset):
    """Handwritten digits, 1,797 grey pictures of 8x8 pixels in 10 classes.

    The test part of "Optical Recognition of Handwritten Digits" (43 people, 1998), the same pictures as scikit-learn's
    `load_digits`; values 0..16 are stretched to 0..255.
    """

    group: ClassVar[str] = "Bundled"
    licence: ClassVar[str] = "CC BY 4.0"
    credit: ClassVar[str] = "E. Alpaydin and C. Kaynak, UCI Machine Learning Repository, 1998"
    handed: ClassVar[bool] = True
    upright: ClassVar[float | None] = 30

    def open(self, download: bool = False) -> Opening:
        yield Progress("Reading Digits", 0, 1, "files")
        with np.load(resources.path("digits.npz"), allow_pickle=False) as file:
            pixels, labels = file["pictures"], file["labels"].astype(np.int64)
        return self.with_split(InMemory(pixels[:, None]), labels, [str(digit) for digit in range(10)])
