"""What is seen of a run while it goes on, as data: what it makes of pinned pictures, and the batch that it gets.

No torch: the window knows these kinds before it is loaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gui_lab.core.softmax import Floats, Steps

if TYPE_CHECKING:
    from gui_lab.core.dice import Indices
    from gui_lab.core.learning import Ending

NO_LABEL = -1
"""The label of a picture that has none."""


@dataclass(frozen=True, eq=False)
class Probed:
    """Pinned pictures at one moment, those of the data set first, then those of a person's own.

    Attributes:
        epoch, iteration: after which the network was asked; 0 before the first.
        trained: iterations since the run began.
        indices: (P,) of the pictures in the data set, negative those of a person's own.
        labels: int64 (P,), `NO_LABEL` where there is none.
        pictures: float32 (P, C, H, W), as the network gets them; the same array from probe to probe.
        low, high: the range of values that they can have.
        ends_in: what leaves the network.
        outputs: float32 (P, classes), what leaves it, in evaluation mode.
        probabilities: float32 (P, classes), of the classes; rows sum to 1.
        steps: softmax of the outputs, as torch takes it. Of a network that ends in Softmax it is a second softmax.
        cross_entropy: float32 (P,), nn.CrossEntropyLoss of outputs and label; NaN without a label, as the next two.
        nll: float32 (P,), nn.NLLLoss of nn.LogSoftmax of the outputs and the label.
        losses: float32 (P,), the run's own loss; `loss` is its name.
    """

    epoch: int
    iteration: int
    trained: int
    indices: tuple[int, ...]
    labels: npt.NDArray[np.int64]
    pictures: Floats
    low: float
    high: float
    ends_in: Ending
    outputs: Floats
    probabilities: Floats
    steps: Steps
    cross_entropy: Floats
    nll: Floats
    losses: Floats
    loss: str


@dataclass(frozen=True, eq=False)
class BatchView:
    """The first N pictures of a batch.

    Attributes:
        epoch, iteration: of the batch, counted from 1.
        size: pictures in the whole batch.
        indices: int64 (N,), of the pictures in the data set.
        pictures: float32 (N, C, H, W), as the network got them, random transforms on.
        low, high: the range of values that they can have.
        ends: float32 (2, C, 1, 1), what black and white have become, where each pixel has the same; else None.
        labels: int64 (N,), true classes; of mixed pictures the one with the larger part.
        shares: float32 (N, classes), the parts of the classes where pictures are mixed; else None.
        probabilities: float32 (N, classes), rows sum to 1, as the network judges them now.
        losses: float32 (N,), the run's loss of each.
        loss: that of these pictures together.
    """

    epoch: int
    iteration: int
    size: int
    indices: Indices
    pictures: Floats
    low: float
    high: float
    ends: Floats | None
    labels: npt.NDArray[np.int64]
    shares: Floats | None
    probabilities: Floats
    losses: Floats
    loss: float

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        """Of which pictures the most probable class is the true one, bool (N,)."""
        return np.asarray(self.probabilities.argmax(1) == self.labels)

    @property
    def of_true_class(self) -> Floats:
        """The probability of each picture's true class, float32 (N,)."""
        return np.asarray(self.probabilities[np.arange(len(self.labels)), self.labels])
