"""A person's own network, ready to be asked: with the weights of the run that goes on or was the last, or with fresh
ones where there is none.

Concepts ask it beside that run, so it is a copy on the CPU, in evaluation mode, and nothing here draws from torch's
global generator.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gui_lab.core.concepts import Own, fresh
from gui_lab.core.dice import Indices
from gui_lab.core.experiment import Experiment
from gui_lab.core.images import ImageSet
from gui_lab.errors import InvalidExperiment

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, eq=False)
class OwnNetwork:
    """
    Attributes:
        network: on the CPU, float32, in evaluation mode.
        trained: whether the weights are those of a run; else they are as they are before the first step.
        shape: of a picture as the network gets it, (C, H, W).
    """

    network: nn.Module
    trained: bool
    shape: tuple[int, int, int]
    experiment: Experiment
    images: ImageSet

    def pictures(self, indices: Indices) -> Tensor:
        """Pictures of the data set as the network gets them, random transforms off: float32 (B, C, H, W)."""
        import torch

        taken = self.images.pictures.take(indices)
        raw = torch.from_numpy(taken) if isinstance(taken, np.ndarray) else [torch.from_numpy(one) for one in taken]
        return self.experiment.chain.run(raw, indices, seed=0, epoch=1, training=False)

    def outputs(self, indices: Indices) -> Tensor:
        """What leaves the network: float32 (B, classes)."""
        import torch

        with torch.no_grad():
            found: Tensor = self.network(self.pictures(indices))
        return found


def own_network(own: Own) -> OwnNetwork | None:
    """The network of the experiment that is edited now; None while its pictures are not open.

    Raises:
        InvalidExperiment: pictures of this kind cannot reach it.
    """
    experiment, images = own.experiment, own.images
    if experiment is None or images is None:
        return None
    wrong = [one for one in experiment.problems(images) if one.severity == "error"]
    wrong = [one for one in wrong if one.path.partition(".")[0] in ("transforms", "model")]
    if wrong:
        raise InvalidExperiment(wrong)
    shape = experiment.chain.output(images.kind).shape
    network = fresh(lambda: experiment.model.network(shape, len(images.classes)), experiment.training.seed)
    if own.weights is not None:
        network.load_state_dict(dict(own.weights.state))
    return OwnNetwork(network.eval(), own.weights is not None, shape, experiment, images)
