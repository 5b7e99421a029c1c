"""What is told of a picture that was not computed is what it would be, to the bit."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gui_lab.core.chain import Chain
from gui_lab.core.pipeline import TRANSFORMS, Transform
from gui_lab.core.stages import Later, Stage

make = TRANSFORMS.make
ENTRIES = [entry for entry in TRANSFORMS if entry.suggested(None).overwrites()]
NORMALIZE = make("Normalize", mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))


def picture(*shape: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).integers(3, 251, shape, dtype=np.uint8))


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name_of())
@pytest.mark.parametrize("shape", [(3, 17, 23), (1, 1, 1), (3, 64, 31)])
def test_some_values_and_the_ends_are_those_of_all_values(entry: type[Transform], shape: tuple[int, int, int]) -> None:
    arriving = picture(*shape) if entry.name_of() == "ToTensor" else picture(*shape) / 255
    transform = NORMALIZE if entry.name_of() == "Normalize" and shape[0] == 3 else entry.suggested(None)
    whole = transform.apply(arriving[None], {})[0]
    for step in (1, 2, 7):
        later = Later(0, Stage(-1, "source", arriving, {}), transform)
        assert later.shape == shape
        assert torch.equal(later.every(step), whole[:, ::step, ::step])
        assert later.ends == (float(whole.min()), float(whole.max()))
    assert torch.equal(later.picture, whole)


def test_a_trace_of_large_pictures_computes_what_training_gets_when_it_is_asked_for() -> None:
    chain = Chain((make("RandomHorizontalFlip"), make("ToTensor"), NORMALIZE, make("RandomErasing", p=1.0)))
    pictures, indices = picture(2, 3, 600, 500), np.array([4, 9])
    rows = chain.trace(list(pictures), indices, seed=1, epoch=2)
    assert all(isinstance(stage, Later) for row in rows for stage in row[2:4])
    seen = chain.run(pictures, indices, seed=1, epoch=2, training=True)
    assert torch.equal(torch.stack([row[-1].picture for row in rows]), seen)
    for row in rows:
        assert row[-1].ends == (float(row[-1].picture.min()), float(row[-1].picture.max()))
        assert row[3].name == "Normalize"


def test_small_pictures_are_there_at_once() -> None:
    rows = Chain((make("ToTensor"),)).trace([picture(3, 32, 32)], np.array([1]), seed=1, epoch=1)
    assert not isinstance(rows[0][1], Later)


def test_what_is_no_number_has_no_ends() -> None:
    stage = Stage(0, "own", torch.tensor([[[1.0, float("nan")]]]), {})
    assert np.isnan(stage.ends).all()
