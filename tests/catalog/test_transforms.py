"""Grey, tensors and normalising are torchvision's to the bit, and no transform is left without tests of its own.

The geometric transforms, conversions, colours and all others are tried in files of their own beside this one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F  # noqa: N812 - as torchvision's own documentation names it

from gui_lab.core.pipeline import TRANSFORMS

SIZES = [(28, 28), (20, 31), (33, 16), (7, 9)]


def pictures(count: int, channels: int, size: tuple[int, int], dtype: torch.dtype) -> torch.Tensor:
    drawn = np.random.default_rng([count, channels, *size]).integers(0, 256, (count, channels, *size), dtype=np.uint8)
    ready = torch.from_numpy(drawn)
    return ready if dtype == torch.uint8 else ready / 255


def test_every_transform_has_tests_of_its_own() -> None:
    """Beside the contract, which knows no names."""
    files = [file for file in Path(__file__).parent.glob("test_*.py") if file.name != "test_catalog.py"]
    words = "\n".join(file.read_text(encoding="utf-8") for file in files)
    assert [name for name in TRANSFORMS.names() if f'"{name}"' not in words] == []


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32], ids=["uint8", "float32"])
@pytest.mark.parametrize("channels", [1, 3])
def test_grey_and_tensors_are_torchvisions_to_the_bit(channels: int, dtype: torch.dtype) -> None:
    as_tensor = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])
    expected: dict[str, Any] = {
        "Grayscale": (lambda picture, values: F.rgb_to_grayscale(picture, *values.values())),
        "ToTensor": (lambda picture, _: as_tensor(picture).as_subclass(torch.Tensor)),
    }
    cases: list[tuple[str, dict[str, Any]]] = [
        ("Grayscale", {}), ("Grayscale", {"num_output_channels": 3}), ("ToTensor", {}),
    ]  # fmt: skip
    for name, values in cases:
        for size in SIZES:
            for count in (1, 8):
                arriving = pictures(count, channels, size, dtype)
                leaving = TRANSFORMS.make(name, **values).apply(arriving, {})
                assert len(leaving) == count
                for one, picture in zip(leaving, arriving, strict=True):
                    theirs = expected[name](picture, values)
                    assert one.dtype == theirs.dtype
                    assert torch.equal(one, theirs)


@pytest.mark.parametrize(
    ("mean", "std"),
    [((0.1307,), (0.3081,)), ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)), ((-3.0,), (100.0,)), ((0.5,), (1e-6,))],
)
@pytest.mark.parametrize("count", [1, 8])
def test_normalizing_is_torchvisions_to_the_bit(mean: Any, std: Any, count: int) -> None:
    arriving = pictures(count, 3, (20, 31), torch.float32)
    leaving = TRANSFORMS.make("Normalize", mean=mean, std=std).apply(arriving, {})
    assert torch.equal(leaving, torch.stack([F.normalize(picture, list(mean), list(std)) for picture in arriving]))


def test_normalizing_in_place_gives_the_same_and_leaves_its_input() -> None:
    arriving = pictures(4, 1, (8, 8), torch.float32)
    before = arriving.clone()
    leaving = TRANSFORMS.make("Normalize", inplace=True).apply(arriving, {})
    assert torch.equal(leaving, TRANSFORMS.make("Normalize").apply(arriving, {}))
    assert torch.equal(arriving, before)
