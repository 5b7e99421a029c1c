"""The networks of a first course: softmax regression, a multi-layer perceptron, LeNet-5 and the two-conv network of
the PyTorch MNIST example. Each ends in raw scores: nn.CrossEntropyLoss contains the softmax."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from gui_lab.core.learning import MODELS, Model
from gui_lab.schema import knob

if TYPE_CHECKING:
    from torch import nn

Activation = Literal["ReLU", "Tanh", "Sigmoid", "GELU"]
Shape = tuple[int, int, int]


@MODELS.add
class SoftmaxRegression(Model):
    """One linear layer from pixels to scores: the simplest classifier that learns."""

    group: ClassVar[str] = "Linear"

    def build(self, shape: Shape, classes: int) -> nn.Module:
        from torch import nn

        return nn.Sequential(nn.Flatten(), nn.Linear(math.prod(shape), classes))


@MODELS.add
class MLP(Model):
    """A multi-layer perceptron: every pixel to every unit, hidden layers in between."""

    group: ClassVar[str] = "Fully connected"

    hidden: tuple[Annotated[int, Field(ge=1, le=16_384)], ...] = knob(
        (128,), "Units of each hidden layer; several numbers make several layers.", unit="units", max_length=16
    )
    activation: Activation = knob("ReLU", "The non-linearity after each hidden layer.")
    dropout: float = knob(
        0.0, "Part of the hidden units switched off at random in each training step.", ge=0, le=0.95, felt=True
    )

    def build(self, shape: Shape, classes: int) -> nn.Module:
        from torch import nn

        layers: list[nn.Module] = [nn.Flatten()]
        arriving = math.prod(shape)
        for units in self.hidden:
            layers += [nn.Linear(arriving, units), getattr(nn, self.activation)()]
            if self.dropout:
                layers.append(nn.Dropout(self.dropout))
            arriving = units
        return nn.Sequential(*layers, nn.Linear(arriving, classes))


@MODELS.add
class LeNet5(Model):
    """Two convolutions with pooling, then three linear layers (LeCun et al., 1998)."""

    group: ClassVar[str] = "Convolutional"
    source: ClassVar[str] = (
        "LeCun, Bottou, Bengio and Haffner: Gradient-based learning applied to document recognition, 1998"
    )

    activation: Activation = knob("ReLU", "The non-linearity; Tanh is the historical one.")
    pooling: Literal["MaxPool2d", "AvgPool2d"] = knob(
        "MaxPool2d", "How 2x2 pixels become one; AvgPool2d is historical."
    )
    padding: int = knob(
        2,
        "Border of zeros before the first convolution; 2 brings 28x28 pictures to LeNet's 32x32.",
        unit="px",
        ge=0,
        le=16,
    )

    def smallest_side(self) -> int:
        return 16 - 2 * self.padding if self.padding < 8 else 1

    def build(self, shape: Shape, classes: int) -> nn.Module:
        from torch import nn

        channels, height, width = shape
        activation, pool = getattr(nn, self.activation), getattr(nn, self.pooling)
        left = [((side + 2 * self.padding - 4) // 2 - 4) // 2 for side in (height, width)]
        return nn.Sequential(
            nn.Conv2d(channels, 6, 5, padding=self.padding), activation(), pool(2),
            nn.Conv2d(6, 16, 5), activation(), pool(2),
            nn.Flatten(),
            nn.Linear(16 * left[0] * left[1], 120), activation(),
            nn.Linear(120, 84), activation(),
            nn.Linear(84, classes),
        )  # fmt: skip


@MODELS.add
class MNISTNet(Model):
    """Two convolutions, one pooling, dropout and two linear layers: the network of the PyTorch MNIST example."""

    group: ClassVar[str] = "Convolutional"
    source: ClassVar[str] = "The MNIST example of the PyTorch project (its log_softmax is part of the loss here)"

    channels: tuple[Annotated[int, Field(ge=1, le=1024)], Annotated[int, Field(ge=1, le=1024)]] = knob(
        (32, 64), "Filters of the first and of the second convolution.", unit="filters"
    )
    hidden: int = knob(128, "Units of the hidden linear layer.", unit="units", ge=1, le=16_384)
    dropout: tuple[Annotated[float, Field(ge=0, le=0.95)], Annotated[float, Field(ge=0, le=0.95)]] = knob(
        (0.25, 0.5), "Part switched off at random after the pooling and after the hidden layer."
    )

    def smallest_side(self) -> int:
        return 6

    def build(self, shape: Shape, classes: int) -> nn.Module:
        from torch import nn

        first, second = self.channels
        left = [(side - 4) // 2 for side in shape[1:]]
        return nn.Sequential(
            nn.Conv2d(shape[0], first, 3), nn.ReLU(),
            nn.Conv2d(first, second, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(self.dropout[0]),
            nn.Flatten(),
            nn.Linear(second * left[0] * left[1], self.hidden), nn.ReLU(), nn.Dropout(self.dropout[1]),
            nn.Linear(self.hidden, classes),
        )  # fmt: skip
