"""What the network gets now: the pictures of the batch that was trained last, as they reached it, and what it makes of
them.

Nothing of it is kept by the loop, which would cost each iteration. The batch is drawn once more instead: which pictures
it holds and what their random transforms do is a function of seed, epoch and index alone, so these are the very same
values. The network judges them as it is now, after its step, in evaluation mode: what it said before the step, with
dropout on, is gone. Weights, buffers, mode and torch's generator stay as they are.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from gui_lab.core.learner import Learner
from gui_lab.core.looks import BatchView
from gui_lab.core.machine import out_of_memory_told
from gui_lab.core.softmax import Floats

MOST = 64
"""Pictures of a batch that are looked at: the first ones."""
_LARGEST_BYTES = 64_000_000


class BatchViewer:
    """Looks at the batches of one learner. For the thread that trains alone, between two iterations."""

    def __init__(self, learner: Learner) -> None:
        self._learner = learner
        self._kind = learner.chain.output(learner.images.kind)
        self._ends: tuple[Floats | None] | None = None

    @torch.no_grad()
    def look(self, epoch: int, iteration: int) -> BatchView:
        """The batch of this iteration, drawn once more.

        Args:
            epoch, iteration: counted from 1.

        Raises:
            DataError: a picture cannot be read.
            OutOfMemory: there is no memory for the batch.
        """
        learner, size = self._learner, self._learner.experiment.training.batch_size
        batch = learner.order(epoch)[(iteration - 1) * size : iteration * size]
        drawn = batch if learner.chain.mixes else batch[: self._most]  # who meets whom is told by the whole batch
        with out_of_memory_told("a look at the batch"):
            pictures, labels = (values[: self._most] for values in learner.batch(drawn, epoch, training=True))
            outputs = self._outputs(pictures)
            losses, loss = learner.losses(outputs, labels), learner.loss(outputs, labels).item()
        mixed = labels.is_floating_point()
        return BatchView(
            epoch=epoch,
            iteration=iteration,
            size=len(batch),
            indices=drawn[: self._most],
            pictures=_array(pictures),
            low=self._kind.low,
            high=self._kind.high,
            ends=self._black_and_white(),
            labels=(labels.argmax(1) if mixed else labels).cpu().numpy(),
            shares=_array(labels) if mixed else None,
            probabilities=_array(learner.probabilities(outputs)),
            losses=_array(losses),
            loss=loss,
        )

    @property
    def _most(self) -> int:
        """Fewer where pictures are large: they are all handed to the window."""
        return max(min(MOST, _LARGEST_BYTES // (4 * int(np.prod(self._kind.shape)))), 1)

    def _outputs(self, pictures: Tensor) -> Tensor:
        model = self._learner.model
        was_training = model.training
        model.eval()
        try:
            return self._learner.outputs(pictures)
        finally:
            model.train(was_training)

    def _black_and_white(self) -> Floats | None:
        """What becomes of a black and a white picture, random transforms off; asked once. Own code is not asked: it
        need not bear a picture of one colour."""
        learner = self._learner
        if self._ends is None and learner.experiment.code():
            self._ends = (None,)
        if self._ends is None:
            first = learner.images.picture(int(learner.images.train[0]))
            both = torch.from_numpy(np.stack([np.zeros_like(first), np.full_like(first, 255)])).to(learner.device)
            nobody = np.zeros(2, np.int64)
            ends = _array(learner.chain.run(both, nobody, seed=0, epoch=1, training=False))
            corner = ends[:, :, :1, :1]
            even = bool((ends == corner).all()) and bool((corner[0] != corner[1]).all())
            self._ends = (corner if even else None,)
        return self._ends[0]


def _array(values: Tensor) -> Floats:
    taken: Floats = values.float().cpu().numpy()
    return taken
