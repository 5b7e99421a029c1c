"""What the network makes of pinned pictures while it trains: scores, softmax step by step, losses.

A probe is one forward pass of a few pictures in evaluation mode, about a millisecond. It draws no random number,
changes no weight or buffer and leaves the network in the mode it found it in, so that a run that is watched gives the
same weights as one that is not. What does not change from probe to probe, the pictures as the network gets them, is
made once for each set of pins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from gui_lab.core.learner import Learner
from gui_lab.core.looks import NO_LABEL, Probed
from gui_lab.core.machine import out_of_memory_told
from gui_lab.core.own_picture import OwnPicture
from gui_lab.core.softmax import Floats, Steps


@dataclass(frozen=True, eq=False)
class _Pinned:
    """Pictures ready for the network: on its device, and as an array."""

    indices: tuple[int, ...]
    own: tuple[OwnPicture, ...]
    pictures: Tensor
    shown: Floats
    labels: Tensor


class Prober:
    """Looks at pinned pictures through the network of one learner. For the thread that trains alone."""

    def __init__(self, learner: Learner) -> None:
        self._learner = learner
        self._kind = learner.chain.output(learner.images.kind)
        self._iterations = learner.experiment.training.iterations(len(learner.images.train))
        self._pinned: _Pinned | None = None

    @torch.inference_mode()
    def look(self, indices: tuple[int, ...], epoch: int, iteration: int, own: Sequence[OwnPicture] = ()) -> Probed:
        """Ask the network that is validated (`Learner.evaluated`), random transforms off.

        Args:
            indices: of pictures in the data set.
            epoch, iteration: trained last; 0 before the first.
            own: pictures of a person's own; those that are not of the data set's kind are left out.

        Raises:
            DataError: a picture cannot be read.
            OutOfMemory: there is no memory for them.
        """
        learner = self._learner
        with out_of_memory_told("the pinned pictures"):
            pinned = self._ready(indices, tuple(own))
            outputs = self._outputs(pinned.pictures)
            known = len(pinned.indices)
            losses = learner.losses(outputs[:known], pinned.labels)
            probabilities = learner.probabilities(outputs)
        scores, labels = outputs.cpu(), pinned.labels.cpu()
        unlabelled = len(pinned.own)
        return Probed(
            epoch=epoch,
            iteration=iteration,
            trained=max(epoch - 1, 0) * self._iterations + iteration,
            indices=(*pinned.indices, *(picture.index for picture in pinned.own)),
            labels=np.append(labels.numpy(), np.full(unlabelled, NO_LABEL)),
            pictures=pinned.shown,
            low=self._kind.low,
            high=self._kind.high,
            ends_in=learner.experiment.model.ends_in,
            outputs=scores.numpy(),
            probabilities=probabilities.float().cpu().numpy(),
            steps=_steps(scores),
            cross_entropy=_filled(nn.CrossEntropyLoss(reduction="none")(scores[:known], labels), unlabelled),
            nll=_filled(nn.NLLLoss(reduction="none")(nn.LogSoftmax(dim=1)(scores[:known]), labels), unlabelled),
            losses=_filled(losses.float().cpu(), unlabelled),
            loss=learner.experiment.loss.name_of(),
        )

    def _ready(self, indices: tuple[int, ...], own: tuple[OwnPicture, ...]) -> _Pinned:
        before, learner = self._pinned, self._learner
        own = tuple(picture for picture in own if picture.fits(learner.images.kind))
        if before is not None and (before.indices, before.own) == (indices, own):
            return before
        pictures = torch.zeros((0, *self._kind.shape), device=learner.device)
        labels = torch.zeros(0, dtype=torch.int64, device=learner.device)
        if indices:
            pictures, labels = learner.batch(np.array(indices, np.int64), epoch=1, training=False)
        if own:
            pictures = torch.cat([pictures, self._transformed(own)])
        self._pinned = _Pinned(indices, own, pictures, pictures.float().cpu().numpy(), labels)
        return self._pinned

    def _transformed(self, own: tuple[OwnPicture, ...]) -> Tensor:
        """Pictures that have no index, through the chain as for validation: nothing is drawn."""
        raw = [torch.from_numpy(picture.picture).to(self._learner.device) for picture in own]
        nobody = np.zeros(len(own), np.int64)
        return self._learner.chain.run(raw, nobody, seed=0, epoch=1, training=False)

    def _outputs(self, pictures: Tensor) -> Tensor:
        """What leaves the network, float32 (P, classes)."""
        network = self._learner.evaluated
        if not len(pictures):
            return torch.zeros((0, self._learner.classes), device=pictures.device)
        was_training = network.training
        network.eval()
        try:
            return self._learner.outputs(pictures, network)
        finally:
            network.train(was_training)


def _steps(scores: Tensor) -> Steps:
    """Softmax of float32 (P, classes), taken by torch."""
    minus_max = scores - scores.amax(1, keepdim=True)
    exps = minus_max.exp()
    taken = (scores, minus_max, exps, exps.sum(1), scores.softmax(1))
    return Steps(*(values.numpy() for values in taken))


def _filled(losses: Tensor, unlabelled: int) -> Floats:
    """Losses of the pictures that have a label, then NaN for the others."""
    return np.append(losses.numpy(), np.full(unlabelled, np.nan, np.float32))
