"""The contract of a person's own transform finds what would spoil a run."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from gui_lab import resources
from gui_lab.core import trust
from gui_lab.core.own_contract import kept
from gui_lab.core.pipeline import TRANSFORMS, Transform

PICTURES = torch.arange(4 * 3 * 64, dtype=torch.int64).remainder(251).to(torch.uint8).view(4, 3, 8, 8)


def own(file: Path, name: str) -> Transform:
    transform = TRANSFORMS.parse({"name": "Own", "file": str(file), "transform": name}, "transforms.0")
    code = transform.code()
    assert code is not None
    trust.trust_for_this_process(code)
    return transform


@pytest.mark.parametrize("name", ["Vignette", "RandomShade"])
@pytest.mark.parametrize("pictures", [PICTURES, PICTURES / 255])
def test_the_example_keeps_it(tmp_path: Path, name: str, pictures: torch.Tensor) -> None:
    file = tmp_path / "own_transform.py"
    file.write_text(resources.path("own_transform.py").read_text(encoding="utf-8"))
    points = list(kept(own(file, name), pictures))
    assert len(points) == 5
    assert [point.fault for point in points] == [""] * 5


@pytest.mark.parametrize(
    ("body", "broken", "words"),
    [
        ("return picture[0]", 1, "gave uint8 of 2 dimensions"),
        ("return picture[:, : 4 + int(picture[0, 0, 0]) % 4]", 1, "different sizes"),
        ("return picture + torch.randint(0, 9, picture.shape, dtype=picture.dtype)", 3, "torch's own generator"),
        ("self.n = getattr(self, 'n', 0) + 1; return picture + self.n", 5, "beside others"),
        ("return picture / 0.0", 2, "not finite"),
    ],
)
def test_what_would_spoil_a_run_is_found(tmp_path: Path, body: str, broken: int, words: str) -> None:
    file = tmp_path / "bad.py"
    lines = ["import torch", "class Bad:", "    def __call__(self, picture):", f"        {body}"]
    file.write_text("\n".join(lines))
    points = list(kept(own(file, "Bad"), PICTURES))
    assert len(points) == broken
    assert words in points[-1].fault
    assert [point.fault for point in points[:-1]] == [""] * (broken - 1)
