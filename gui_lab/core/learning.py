"""What a network is and how it learns, as choices: the families `Model`, `Loss`, `Optimizer` and `Scheduler`, and the
training settings.

Only specs stand here, so that forms and files need no torch; `build` imports it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from gui_lab.schema import Problem, Registry, Spec, knob

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from torch import Tensor, nn, optim

    Floats = npt.NDArray[np.float64]

Ending = Literal["scores", "LogSoftmax", "Softmax"]
"""What leaves a network: raw scores, or what nn.LogSoftmax or nn.Softmax makes of them."""


class Model(Spec):
    """A network. `build` adapts it to the pictures that reach it and to the number of classes."""

    source: ClassVar[str] = ""
    """The paper or example it is taken from."""

    ends_in: Ending = knob(
        "scores", "The last layer: raw scores for nn.CrossEntropyLoss, log-probabilities for nn.NLLLoss."
    )

    def smallest_side(self) -> int:
        """The smallest picture side, in pixels, that its layers leave anything of."""
        return 1

    def build(self, shape: tuple[int, int, int], classes: int) -> nn.Module:
        """A network from (B, *shape) float32 to raw scores (B, classes) float32; `network` adds what it `ends_in`.

        Its weights are drawn from torch's default generator, which the caller seeds.
        """
        raise NotImplementedError(f"{self.name_of()} does not say how it is built")

    def network(self, shape: tuple[int, int, int], classes: int) -> nn.Module:
        """The whole network, with the layer it ends in."""
        from torch import nn

        built = self.build(shape, classes)
        if self.ends_in == "scores":
            return built
        last = nn.LogSoftmax(dim=1) if self.ends_in == "LogSoftmax" else nn.Softmax(dim=1)
        return nn.Sequential(*built, last) if type(built) is nn.Sequential else nn.Sequential(built, last)

    def probabilities(self, outputs: Tensor) -> Tensor:
        """Of what leaves the network, (B, classes), the probabilities of the classes: rows sum to 1."""
        if self.ends_in == "Softmax":
            return outputs
        return outputs.exp() if self.ends_in == "LogSoftmax" else outputs.softmax(1)


class Loss(Spec):
    """A loss of torch.nn, with torch's own argument names and defaults."""

    def build(self, counts: Sequence[int], reduction: Literal["mean", "none"]) -> Callable[[Tensor, Tensor], Tensor]:
        """The loss from what leaves the network, (B, classes) float32, and the classes: int64 (B,), or float32
        (B, classes) where pictures are mixed. It is that of the batch, float32 (), as torch's `reduction="mean"` has it
        (to the bit), or of each picture, float32 (B,), for "none". A torch module, which can be moved to a device.

        Args:
            counts: training pictures of each class, for weights that balance them.
        """
        raise NotImplementedError(f"{self.name_of()} does not say how it is built")

    def problems(self, model: Model, mixed: bool, classes: int) -> list[Problem]:
        """What does not fit between this loss, what the network ends in, and so many classes, whose labels may be
        `mixed`."""
        return []


class Optimizer(Spec):
    """An optimiser of torch.optim, with torch's own argument names and defaults."""

    closure: ClassVar[bool] = False
    """Its step computes the loss anew as often as it likes: `step(closure)`."""
    fuses: ClassVar[bool] = False
    """On a processor its step is one pass over the weights (`fused`), which rounds differently in the last bits."""
    follows_lr: ClassVar[bool] = True
    """False where the learning rate is the length of the first step only."""

    lr: float
    """The learning rate; each one declares its own default."""

    def build(self, parameters: Iterable[nn.Parameter]) -> optim.Optimizer:
        from torch import optim

        kind: Any = getattr(optim, self.name_of())
        given = list(parameters)
        fits = all(one.device.type == "cpu" and one.is_floating_point() for one in given)
        fused = {"fused": True} if self.fuses and fits else {}
        built: optim.Optimizer = kind(given, **dict(self), **fused)
        return built

    def problems(self, training: Training, samples: int) -> list[Problem]:
        """What does not fit between this optimiser and settings, with so many training pictures."""
        return []


class Scheduler(Spec):
    """A learning rate schedule of torch.optim.lr_scheduler, with torch's own argument names and defaults. Lengths that
    torch wants to be told are fitted to the run where they are None.

    It says in closed form what torch computes from step to step, so that a curve of ten million steps is drawn at once
    and without torch, and a run whose length is changed goes on in the middle.
    """

    absolute: ClassVar[bool] = False
    """It sets the learning rate itself instead of multiplying the one there is."""

    every: Literal["epoch", "iteration"] = knob("epoch", "When it takes a step: after each epoch or each iteration.")

    def factors(self, steps: Floats, total: int, lr: float) -> Floats:
        """What the learning rate is multiplied with after so many steps of torch's scheduler, float64 (n,).

        Args:
            steps: whole numbers from 0, float64 (n,).
            total: steps of the whole run.
            lr: the optimiser's learning rate, for arguments that are learning rates themselves.
        """
        raise NotImplementedError(f"{self.name_of()} does not say what it multiplies with")

    def momenta(self, steps: Floats, total: int) -> Floats | None:
        """The momentum after so many steps, float64 (n,); None where it is left alone."""
        return None

    def follower(self, lr: float) -> Callable[[float], float] | None:
        """Of one that follows the validation loss: what is told it after each epoch, in order, and answers with the
        factor from then on. None for one whose `factors` are known before the run."""
        return None

    def problems(self, path: str, optimizer: Optimizer, training: Training, total: int) -> list[Problem]:
        """What does not fit between this schedule, which stands at `path`, and a run of `total` steps of it."""
        return []


MODELS: Registry[Model] = Registry("model")
LOSSES: Registry[Loss] = Registry("loss")
OPTIMIZERS: Registry[Optimizer] = Registry("optimizer")
SCHEDULERS: Registry[Scheduler] = Registry("scheduler")


class Training(Spec):
    """How long, in which steps, from which seed and on which device to train."""

    epochs: int = knob(10, "How many times the network sees all training pictures.", ge=1, le=10_000)
    batch_size: int = knob(64, "Pictures in one forward and backward pass.", unit="pictures", ge=1, le=65_536)
    seed: int = knob(1, "Decides the first weights, the order of the pictures and all random draws.", ge=0, le=2**31)
    device: Literal["auto", "cpu", "cuda", "mps", "xpu"] = knob(
        "auto", "Where the network computes; auto takes the fastest there is and records it."
    )
    patience: int = knob(
        0, "Stop after so many epochs in a row without a better validation accuracy; 0 never does.", unit="epochs",
        ge=0, le=1000,
    )  # fmt: skip
    precision: Literal["float32", "bfloat16", "auto"] = knob(
        "float32", "Numbers of the arithmetic inside; auto measures both for a moment and takes the faster."
    )
    max_norm: float = knob(
        0.0, "Gradients longer than this are shortened to it (torch.nn.utils.clip_grad_norm_); 0 leaves them.", ge=0,
        le=1e6,
    )  # fmt: skip
    accumulate: int = knob(
        1, "Batches whose gradients are added up for one step of the optimiser.", unit="batches", ge=1, le=1024
    )
    ema_decay: float = knob(
        0.0, "Memory of the average of the weights that is validated and kept as the best; 0 uses the weights.", ge=0,
        lt=1,
    )  # fmt: skip
    balanced: bool = knob(False, "Draw each class equally often instead of each picture once per epoch.")
    remeasure: bool = knob(
        False, "Measure the training loss again in evaluation mode after each epoch, so that both curves compare."
    )
    deterministic: bool = knob(False, "Use only algorithms that give the same bits every time, where torch has them.")

    def iterations(self, samples: int) -> int:
        """Iterations per epoch: ceil(samples / batch size)."""
        return -(-samples // self.batch_size)
