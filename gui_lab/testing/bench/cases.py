"""What is trained to be measured, and what is promised of it: one declaration for the lab and for the tutorial script.

The recipes are those of a first course. Optimisers and learning rates are the tutorials': plain SGD for the networks
without convolutions, SGD with momentum for LeNet, Adam for the two-conv network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from gui_lab.core.experiment import Experiment

BATCH, SEED = 64, 1
_ENDLESS = 10_000
_CIFAR = {"mean": (0.4914, 0.4822, 0.4465), "std": (0.247, 0.2435, 0.2616)}

Steps = tuple[tuple[str, Mapping[str, Any]], ...]
_DIGITS: Steps = (("ToTensor", {}), ("Normalize", {"mean": (0.1307,), "std": (0.3081,)}))
_PLAIN: Steps = (("ToTensor", {}), ("Normalize", _CIFAR))
_STUDIO: Steps = (
    ("RandomCrop", {"size": 32, "padding": 4}),
    ("RandomGrayscale", {"p": 0.1}),
    ("RandomRotation", {"degrees": 15}),
    ("RandomHorizontalFlip", {"p": 0.5}),
    *_PLAIN,
)

Family = Literal["mnist", "cifar10"]


@dataclass(frozen=True)
class Case:
    """One recipe.

    Attributes:
        name: what it is called on the command line; `title` in the table.
        family: of the pictures.
        model, layers: the lab's name of the network and its knobs; the tutorial script has its own of the same layers.
        steps: the chain, with torchvision's names and arguments.
        optimizer, settings: torch.optim's name and arguments.
        speedup: how many times as many epochs per second as the tutorial script are promised.
        compute: the promised part of the speed of the bare computation.
        quick: training pictures where there is little time.
        epochs: to train on each side, so that what was learned can be compared; 0 for as many as the time allows.
        precision: of the lab.
    """

    name: str
    title: str
    family: Family
    model: str
    steps: Steps
    optimizer: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    layers: Mapping[str, Any] = field(default_factory=dict)
    speedup: float = 1.0
    compute: float = 0.90
    quick: int = 6_400
    epochs: int = 0
    precision: str = "float32"

    def experiment(self, folder: Path, epochs: int = 0) -> Experiment:
        """As an experiment of the lab on the pictures in a folder; of so many epochs, or without an end."""
        from gui_lab import catalog
        from gui_lab.core.experiment import default
        from gui_lab.core.images import DATASETS
        from gui_lab.core.learning import MODELS, OPTIMIZERS
        from gui_lab.core.pipeline import TRANSFORMS

        catalog.load()
        settings: dict[str, Any] = {
            "dataset": DATASETS.make("BenchPictures", root=folder),
            "transforms": tuple(TRANSFORMS.make(name, **values) for name, values in self.steps),
            "model": MODELS.make(self.model, **self.layers),
            "optimizer": OPTIMIZERS.make(self.optimizer, **self.settings),
            "training.epochs": epochs or _ENDLESS,
            "training.batch_size": BATCH,
            "training.seed": SEED,
            "training.precision": self.precision,
        }
        return reduce(lambda made, path: made.edited(path, settings[path]), settings, default())

    def recipe(self) -> dict[str, Any]:
        """The same as plain data, for the tutorial script."""
        return {
            "model": self.model,
            "steps": self.steps,
            "optimizer": self.optimizer,
            "settings": self.settings,
            "batch": BATCH,
            "seed": SEED,
        }


_MOMENTUM = {"lr": 0.01, "momentum": 0.9}
CASES = (
    Case(
        "softmax", "Softmax regression, MNIST", "mnist", "SoftmaxRegression", _DIGITS, "SGD", {"lr": 0.01},
        speedup=10, compute=0.70, quick=12_800,
    ),
    Case(
        "mlp", "MLP 784-128-10, MNIST", "mnist", "MLP", _DIGITS, "SGD", {"lr": 0.01},
        speedup=6, compute=0.70, quick=12_800,
    ),
    Case("lenet", "LeNet, CIFAR-10", "cifar10", "LeNet5", _PLAIN, "SGD", _MOMENTUM, {"padding": 0}, speedup=5),
    Case(
        "studio", "LeNet, CIFAR-10, six transforms", "cifar10", "LeNet5", _STUDIO, "SGD", _MOMENTUM, {"padding": 0},
        speedup=8,
    ),
    Case(
        "twoconv", "Two-conv network, MNIST, precision auto", "mnist", "MNISTNet", _DIGITS, "Adam", {"lr": 0.001},
        speedup=1.6, quick=3_200, epochs=2, precision="auto",
    ),
)  # fmt: skip
"""In the order of the table."""
