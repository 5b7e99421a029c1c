"""The script that one writes after the PyTorch tutorials, in our own words; what the lab's speed is compared with.

torchvision's data set, Compose, a DataLoader that shuffles, a loop over its batches with `loss.item()` in each, and
after every epoch a pass over the test pictures. The data set is the class that the tutorials take for pictures of this
form: MNIST's or CIFAR-10's own for the published files, ImageFolder for a folder of pictures, where decoding them again
in each epoch is a part of what such a script costs. Nothing of the lab is used and no setting of torch is touched, so
that it is neither helped nor hurt. Making the data sets is not timed, as opening pictures is not timed on the other
side.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

from gui_lab.testing.bench.children import Answer, serve
from gui_lab.testing.bench.processors import Others

_WARMING = 5  # batches


class CIFAR10(datasets.CIFAR10):  # type: ignore[misc]  # torchvision is untyped
    """torchvision's own over files that are not the published ones: their sums are not looked at."""

    train_list: ClassVar[Any] = [["train", None]]
    test_list: ClassVar[Any] = [["test", None]]
    meta: ClassVar[Any] = {"filename": "batches.meta", "key": "label_names", "md5": None}


def published(root: Path, part: str, transform: Any) -> Any:
    """The pictures below a folder: of a `part`, "train" or "test"."""
    if (root / part).is_dir():
        return datasets.ImageFolder(root / part, transform, allow_empty=True)  # of few pictures none may be of a class
    of_files = datasets.MNIST if (root / "MNIST").is_dir() else CIFAR10
    return of_files(root, train=part == "train", transform=transform)


class LeNet(nn.Module):
    """For colour pictures of 32x32 pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.pool = nn.MaxPool2d(2, 2)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.pool(torch.relu(self.conv1(x)))
        x = self.pool(torch.relu(self.conv2(x)))
        x = torch.flatten(x, 1)
        x = torch.relu(self.fc1(x))
        x = torch.relu(self.fc2(x))
        scores: torch.Tensor = self.fc3(x)
        return scores


class TwoConv(nn.Module):
    """For grey pictures of 28x28 pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3)
        self.conv2 = nn.Conv2d(32, 64, 3)
        self.dropout1 = nn.Dropout(0.25)
        self.dropout2 = nn.Dropout(0.5)
        self.fc1 = nn.Linear(64 * 12 * 12, 128)
        self.fc2 = nn.Linear(128, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.conv2(torch.relu(self.conv1(x))))
        x = self.dropout1(torch.max_pool2d(x, 2))
        x = torch.flatten(x, 1)
        scores: torch.Tensor = self.fc2(self.dropout2(torch.relu(self.fc1(x))))
        return scores


def network(name: str) -> nn.Module:
    """Of the same layers as the lab's network of this name."""
    if name == "SoftmaxRegression":
        return nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    if name == "MLP":
        return nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
    return LeNet() if name == "LeNet5" else TwoConv()


def train(batches: DataLoader[Any], model: nn.Module, loss_of: nn.Module, optimizer: Any, device: str) -> float:
    """An epoch; the mean loss."""
    model.train()
    running_loss = 0.0
    for pictures, labels in batches:
        pictures, labels = pictures.to(device), labels.to(device)
        optimizer.zero_grad()
        loss = loss_of(model(pictures), labels)
        loss.backward()
        optimizer.step()
        running_loss += loss.item()
    return running_loss / len(batches)


def test(batches: DataLoader[Any], model: nn.Module, loss_of: nn.Module, device: str) -> float:
    """The part of the test pictures that is right."""
    model.eval()
    test_loss, right, total = 0.0, 0.0, 0
    with torch.no_grad():
        for pictures, labels in batches:
            pictures, labels = pictures.to(device), labels.to(device)
            scores = model(pictures)
            test_loss += loss_of(scores, labels).item()
            right += (scores.argmax(1) == labels).type(torch.float).sum().item()
            total += len(labels)
    return right / total


class Script:
    """One recipe: everything up to the first epoch, and then epoch after epoch."""

    def __init__(self, recipe: Mapping[str, Any], root: Path) -> None:
        steps = [getattr(transforms, name)(**values) for name, values in recipe["steps"]]
        chain = transforms.Compose(steps)
        plain = transforms.Compose(steps[-2:])
        torch.manual_seed(recipe["seed"])
        accelerator = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
        self.device = accelerator.type if accelerator else "cpu"
        training, measured = published(root, "train", chain), published(root, "test", plain)
        self.reads = type(training).__name__
        self.training = DataLoader(training, batch_size=recipe["batch"], shuffle=True)
        self.measured = DataLoader(measured, batch_size=recipe["batch"])
        self.loss = nn.CrossEntropyLoss()
        self.model = network(recipe["model"]).to(self.device)
        self.optimizer = getattr(torch.optim, recipe["optimizer"])(self.model.parameters(), **recipe["settings"])

    def warm(self) -> None:
        """The first batches of a process take longer than all others; nothing is learned."""
        for _, (pictures, _) in zip(range(_WARMING), self.training, strict=False):
            self.model(pictures.to(self.device)).sum().backward()
        self.model.zero_grad()

    def epochs(self, count: int) -> Answer:
        accuracy, others, began = 0.0, Others(), time.perf_counter()
        for _ in range(count):
            train(self.training, self.model, self.loss, self.optimizer, self.device)
            accuracy = test(self.measured, self.model, self.loss, self.device)
        seconds = time.perf_counter() - began
        return {
            "epoch_seconds": seconds / count,
            "accuracy": accuracy,
            "reads": self.reads,
            "others": others.part(),
            "device": self.device,
            "threads": torch.get_num_threads(),
        }


class Scripts:
    """Does what is asked for: so many epochs of a recipe."""

    def __init__(self) -> None:
        self._warmed: set[str] = set()

    def perform(self, question: Mapping[str, Any]) -> Answer:
        script = Script(question["recipe"], Path(question["folder"]) / "torchvision")
        if question["folder"] not in self._warmed:
            self._warmed.add(question["folder"])
            script.warm()
        return script.epochs(question["epochs"])


def main() -> None:
    serve(Scripts().perform)


if __name__ == "__main__":
    main()
