"""How long from a knob to the repainted film strip of the Transforms page.

    uv run python tests/benchmarks/preview.py [--edits 50] [--size 1280x800]

A real session and page on the Qt platform in force (offscreen where there is no display), five transforms in each
chain. A knob is turned by `session.edit`; the clock stops when the strip has painted the new values. Printed are
medians of milliseconds: `first`, when the row one looks at is there (where all of them take longer than a few
milliseconds the others follow), `all`, when all visible rows are, and `cpu`, those for which this process had a
processor; then how much of the processors other programs took: where that is much, only `cpu` says something. A slider
is also dragged faster than a chain can follow: printed is how many previews were computed, and whether the last one
shows the last value.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

if not os.environ.get("DISPLAY"):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, QObject

from gui_lab import catalog
from gui_lab.core.experiment import default
from gui_lab.core.images import ImageSet, InMemory, opened
from gui_lab.core.pipeline import TRANSFORMS, Transform
from gui_lab.testing.bench.processors import Others

_GOALS = {32: 16.0, 224: 16.0, 1500: 50.0}
_WAIT = 10.0


def chains(side: int) -> dict[str, tuple[list[Transform], str, tuple[float, float]]]:
    """Chains by name: the transforms, the path of the knob that is turned, and its range."""
    make = TRANSFORMS.make
    normalize = make("Normalize", mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
    flip, tensor = make("RandomHorizontalFlip"), make("ToTensor")
    if side == 1500:
        front = [make("Resize", size=256), make("CenterCrop", size=224), flip, tensor, normalize]
        whole = [make("RandomCrop", size=(960, 1440)), make("RandomRotation", degrees=9), flip, tensor, normalize]
        return {
            "Resize (first)": (front, "transforms.0.size", (200, 400)),
            "CenterCrop (second)": (front, "transforms.1.size", (128, 224)),
            "Normalize (last)": (front, "transforms.4.mean", (0.1, 0.9)),
            "all at full size: Rotation": (whole, "transforms.1.degrees", (5, 25)),
            "all at full size: Normalize": (whole, "transforms.4.mean", (0.1, 0.9)),
        }
    moving = [make("RandomCrop", size=side, padding=4), make("RandomRotation", degrees=9), flip, tensor, normalize]
    found = {
        "crop, rotation, flip: padding": (moving, "transforms.0.padding", (1, 12)),
        "crop, rotation, flip: degrees": (moving, "transforms.1.degrees", (5, 25)),
        "crop, rotation, flip: mean": (moving, "transforms.4.mean", (0.1, 0.9)),
    }
    names = {entry.name_of() for entry in TRANSFORMS}
    if {"ColorJitter", "RandomResizedCrop"} <= names:
        jitter = make("ColorJitter", brightness=0.2, contrast=0.2, saturation=0.2)
        colours = [make("RandomResizedCrop", size=side), flip, jitter, tensor, normalize]
        found["resized crop, jitter: brightness"] = (colours, "transforms.2.brightness", (0.1, 0.9))
    if {"RandomAffine", "GaussianBlur"} <= names:
        warped = [make("RandomAffine", degrees=9), make("GaussianBlur", kernel_size=3), flip, tensor, normalize]
        found["affine, blur: degrees"] = (warped, "transforms.0.degrees", (5, 25))
    return found


def pictures(side: int, folder: Path) -> ImageSet:
    """Smooth colours, as photographs are; those of 1500x1000 as jpg files that are decoded when they are taken."""
    rng = np.random.default_rng(0)
    if side != 1500:
        coarse = rng.integers(0, 256, (48, 3, 8, 8), dtype=np.uint8)
        pixels = np.kron(coarse, np.ones((1, 1, -(-side // 8), -(-side // 8)), np.uint8))[:, :, :side, :side]
        return _set(InMemory(np.ascontiguousarray(pixels)))
    from PIL import Image

    for number in range(8):
        coarse = rng.integers(0, 256, (10, 15, 3), dtype=np.uint8)
        size = (1500, 1000) if number else (1480, 1000)  # of two sizes, so that they stay files
        place = folder / ("ab"[number % 2])
        place.mkdir(exist_ok=True)
        Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(place / f"{number}.jpg", quality=90)
    from gui_lab.core.images import DATASETS

    return opened(DATASETS.make("ImageFolder", root=folder, validation=0.25))


def _set(pictures: InMemory) -> ImageSet:
    cut = len(pictures) * 2 // 3
    labels, none = np.arange(len(pictures)) % 3, np.array([], np.int64)
    return ImageSet(pictures, labels, ("a", "b", "c"), np.arange(cut), np.arange(cut, len(pictures)), none)


class Clock(QObject):
    """Tells when the strip has painted other columns than before."""

    def __init__(self, page: Any) -> None:
        super().__init__()
        self.page, self.canvas = page, page.studio.preview.strip.canvas
        self.seen = self.canvas.columns
        self.painted = False
        self.canvas.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint and self.canvas.columns is not self.seen:
            self.seen, self.painted = self.canvas.columns, True
        return False

    def after(self, session: Any, path: str, value: Any) -> tuple[float, float, float]:
        """Seconds from the edit to the first painted row, to all of them, and those with a processor."""
        self.painted, started, busy = False, time.perf_counter(), time.process_time()
        session.edit(path, value)
        wait_for(lambda: self.painted)
        first = time.perf_counter() - started
        wait_for(lambda: not self.page.busy and self.canvas.columns is self.seen)
        return first, time.perf_counter() - started, time.process_time() - busy


def wait_for(done: Any) -> None:
    """Turn the event loop, asleep between events."""
    until = time.perf_counter() + _WAIT
    flags = QEventLoop.ProcessEventsFlag
    while not done():
        if time.perf_counter() > until:
            raise SystemExit("the strip was not painted in time")
        QCoreApplication.processEvents(flags.AllEvents | flags.WaitForMoreEvents)


def settle(page: Any, seconds: float = 0.05) -> None:
    until = time.perf_counter() + seconds
    while page.busy or time.perf_counter() < until:
        QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 10)


def made(images: ImageSet, transforms: Sequence[Transform], size: tuple[int, int]) -> tuple[Any, Any]:
    from gui_lab.qt.pages.transforms import TransformsPage
    from gui_lab.qt.session import Session

    experiment = default().edited("transforms", tuple(transforms))
    session = Session(experiment)
    session.images, session._opened = images, experiment.dataset
    session._check()
    page = TransformsPage(session)
    page.resize(size[0] - 72, size[1] - 100)
    page.show()
    session.set_ready()
    settle(page, 0.3)
    return session, page


def measured(session: Any, page: Any, path: str, low: float, high: float, edits: int) -> list[tuple[float, ...]]:
    clock, found = Clock(page), []
    whole = isinstance(low, int) and high - low > 2
    for number in range(edits + 3):
        part = (number * 0.618) % 1  # values that do not repeat, in no order
        value: Any = low + (high - low) * part
        value = round(value) + 0 if whole and path.rpartition(".")[2] in ("size", "padding") else value
        value = (value,) * 3 if path.endswith("mean") else value
        settle(page)
        before = session.experiment
        if before.edited(path, value) == before:
            continue
        found.append(clock.after(session, path, value))
    return [tuple(1000 * seconds for seconds in times) for times in found[3:]]


def dragged(session: Any, page: Any) -> str:
    """Turn a knob 100 times without a pause, and count what was computed."""
    studio, computed = page.studio, []
    see = studio._desk.see
    studio._desk.see = lambda request: (computed.append(request), see(request))[1]
    for number in range(100):
        session.edit("transforms.1.degrees", 5 + number / 10)
        QCoreApplication.processEvents()
    settle(page)
    last = computed[-1].chain.transforms[1].degrees == session.experiment.transforms[1].degrees
    studio._desk.see = see
    return f"100 knobs: {len(computed)} previews computed, the last shows the last value: {'yes' if last else 'NO'}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--edits", type=int, default=50)
    parser.add_argument("--size", default="1280x800")
    chosen = parser.parse_args()
    size = tuple(int(side) for side in chosen.size.split("x"))
    catalog.load()
    import torch
    import torchvision.transforms.v2  # noqa: F401 - as in the running lab

    from gui_lab.qt.app import application

    app = application()
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads; milliseconds from knob to painted strip")
    print(f"{'pictures':10}{'chain and knob':36}{'rows':>5}{'first':>8}{'all':>8}{'cpu':>8}{'goal':>7}  others")
    with tempfile.TemporaryDirectory() as folder:
        for side, goal in _GOALS.items():
            images = pictures(side, Path(folder))
            for name, (transforms, path, (low, high)) in chains(side).items():
                session, page = made(images, transforms, (size[0], size[1]))
                others = Others()
                found = measured(session, page, path, low, high, chosen.edits)
                first, whole, own = (statistics.median(column) for column in zip(*found, strict=True))
                rows = page.studio.preview.strip.rows
                what = f"{side}x{1000 if side == 1500 else side}"
                print(f"{what:10}{name:36}{rows:5}{first:8.1f}{whole:8.1f}{own:8.1f}{goal:7.0f}", end="")
                print(f"  {others.part():6.0%}{'' if whole <= goal else '  over'}", flush=True)
                if side == 224 and path.endswith("degrees") and "crop" in name:
                    print(" " * 10 + dragged(session, page), flush=True)
                page.close_down()
                session.close()
                page.deleteLater()
    app.processEvents()


if __name__ == "__main__":
    main()
