"""`gui-lab trace`: one picture after each transform of the chain, as exact arrays and as pictures to look at.

What it writes is what training gets: the draws come from (seed, epoch, index) alone, through the functions that
training calls. A test can so be written about a transform without a window and without training.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import numpy.typing as npt
import typer

from gui_lab.cli.documents import File, Settings, TrustCode, read
from gui_lab.cli.terminal import count, opened, say
from gui_lab.core.experiment import Experiment
from gui_lab.core.images import ImageSet
from gui_lab.errors import InvalidExperiment, StoreError

if TYPE_CHECKING:
    from gui_lab.core.pipeline import Kind
    from gui_lab.core.stages import Stage


def trace(
    file: File,
    index: Annotated[int, typer.Option("--index", metavar="I", help="The picture's number in its data set, from 0.")],
    epoch: Annotated[int, typer.Option("--epoch", metavar="E", min=1, help="The epoch it is drawn for, from 1.")],
    save: Annotated[Path, typer.Option("--save", metavar="DIR", help="The folder to write into.")],
    validation: Annotated[
        bool, typer.Option("--validation", help="As for validation: random transforms do not act.")
    ] = False,
    settings: Settings = None,
    trust_code: TrustCode = False,
) -> None:
    """Write one picture after each transform.

    What is written is exactly what training gets in that epoch: an array (.npy) and a picture to look at (.png) of each
    stage, and trace.json with the numbers that were drawn.
    """
    experiment = read(file, settings, trust_code)
    images = opened(experiment.dataset)
    _check_index(images, index)
    stages = _traced(experiment, images, index, epoch, not validation)
    kinds = dict(experiment.chain.kinds(images.kind, not validation))
    record = {
        "seed": experiment.training.seed,
        "epoch": epoch,
        "index": index,
        "label": int(images.labels[index]),
        "class": images.classes[images.labels[index]],
        "part": images.part_of(index),
        "validation": validation,
    }
    try:
        written = _written(stages, kinds, save, record)
    except OSError as error:
        sentence = f"{save} could not be written: {error.strerror or error}."
        raise StoreError(sentence, "Choose another folder.") from error
    for row in written:
        say(_line(row))
    say(f"Wrote {len(written)} stages and trace.json to {save}.")
    if len(stages) <= len(experiment.chain.steps(not validation)):
        raise InvalidExperiment(experiment.problems(images))


def _check_index(images: ImageSet, index: int) -> None:
    total = len(images.pictures)
    if not 0 <= index < total:
        numbers = f"the data set has {count(total)}, numbered from 0 to {count(total - 1)}"
        raise typer.BadParameter(f"There is no picture {index}: {numbers}.", param_hint="'--index'")


def _traced(experiment: Experiment, images: ImageSet, index: int, epoch: int, training: bool) -> list[Stage]:
    import torch

    picture = torch.from_numpy(images.picture(index))
    (stages,) = experiment.chain.trace(
        [picture], np.array([index]), seed=experiment.training.seed, epoch=epoch, training=training
    )
    return stages


def _written(stages: list[Stage], kinds: dict[int, Kind], folder: Path, record: dict[str, Any]) -> list[dict[str, Any]]:
    """Write the stages and their record; returns a row for each stage."""
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    for stage in stages:
        values = stage.picture.numpy()
        name = f"{stage.position + 1:02}-{stage.name}"
        declared = kinds[stage.position]
        shown, how = viewable(values, on_unit_scale=declared.low >= 0 and declared.high <= 1)
        np.save(folder / f"{name}.npy", values, allow_pickle=False)
        Image.fromarray(shown).save(folder / f"{name}.png")
        kind = {
            "dtype": str(values.dtype),
            "shape": list(values.shape),
            "min": values.min().item(),
            "max": values.max().item(),
            "mean": float(values.mean(dtype=np.float64)),
        }
        rows.append(
            {
                "position": stage.position,
                "name": stage.name,
                "kind": kind,
                "drawn": dict(stage.drawn),
                "npy": f"{name}.npy",
                "png": f"{name}.png",
                "view": how,
            }
        )
    (folder / "trace.json").write_text(json.dumps({**record, "stages": rows}, indent=2) + "\n", encoding="utf-8")
    return rows


def viewable(values: npt.NDArray[Any], on_unit_scale: bool) -> tuple[npt.NDArray[np.uint8], str]:
    """A picture (C, H, W) as uint8 (H, W) or (H, W, 3) to look at, and in words what was done to its values.

    Channels other than one or three stand side by side in grey.

    Args:
        values: uint8 or float32.
        on_unit_scale: float values are meant on the scale 0..1; otherwise they are stretched to what can be seen.
    """
    low, high = float(values.min()), float(values.max())
    if values.dtype == np.uint8:
        pixels, how = values, "as it is"
    elif on_unit_scale and low >= 0 and high <= 1:
        pixels, how = np.rint(values * 255).astype(np.uint8), "0..1 scaled by 255"
    else:
        stretched = (values - low) / max(high - low, 1e-12)
        pixels, how = np.rint(stretched * 255).astype(np.uint8), f"{low:.6g}..{high:.6g} stretched to 0..255"
    if len(pixels) == 3:
        return np.ascontiguousarray(pixels.transpose(1, 2, 0)), how
    return np.ascontiguousarray(np.concatenate(list(pixels), axis=1)), how


def _line(row: dict[str, Any]) -> str:
    kind = row["kind"]
    shape = "x".join(str(side) for side in kind["shape"])
    drawn = ", ".join(f"{name} {_short(value)}" for name, value in row["drawn"].items())
    return (
        f"{row['position'] + 1:02}  {row['name']:<22}  {kind['dtype']:<7}  {shape:>11}  "
        f"{_short(kind['min']):>8} .. {_short(kind['max']):<8}  {drawn}"
    ).rstrip()


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
