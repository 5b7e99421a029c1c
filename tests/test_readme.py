"""The README's recipes for a transform and a concept are executed as they stand, and the README names what is there."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from gui_lab.core.chain import Chain
from gui_lab.core.concepts import CONCEPTS, NOTHING
from gui_lab.core.experiment import default
from gui_lab.core.pipeline import TRANSFORMS

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def recipe():
    """The class that the README adds in one file; forgotten again afterwards."""
    (code,) = [block for block in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL) if "TRANSFORMS.add" in block]
    scope: dict[str, object] = {"__name__": "recipe"}
    exec(compile(code, "README.md", "exec"), scope)  # the recipe is our own text
    yield scope["RandomBrightness"]
    TRANSFORMS.remove("RandomBrightness")


def test_the_recipe_is_in_the_list_and_in_the_file_format(recipe):
    assert "RandomBrightness" in TRANSFORMS.names()
    experiment = default().edited("transforms.0", recipe(brightness=0.5))
    assert 'name = "RandomBrightness"\nbrightness = 0.5' in experiment.to_toml()


def test_the_recipe_draws_per_picture_and_runs_in_a_chain(recipe):
    chain = Chain([recipe(brightness=0.5)])
    pictures = torch.full((4, 1, 3, 3), 100, dtype=torch.uint8)
    once = chain.run(pictures, np.arange(4), seed=1, epoch=1, training=True)
    again = chain.run(pictures, np.arange(4), seed=1, epoch=1, training=True)
    assert torch.equal(once, again)
    assert len(once[:, 0, 0, 0].unique()) > 1
    assert once.dtype == torch.uint8
    assert torch.equal(chain.run(pictures, np.arange(4), seed=1, epoch=1, training=False), pictures)


@pytest.fixture
def concept():
    """The concept that the README adds in one file; forgotten again afterwards."""
    (code,) = [block for block in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL) if "CONCEPTS.add" in block]
    scope: dict[str, object] = {"__name__": "recipe"}
    exec(compile(code, "README.md", "exec"), scope)
    yield scope["Relu"]
    CONCEPTS.remove("Relu")


def test_the_concept_of_the_recipe_shows_what_its_code_computes(concept):
    scene = concept(x=2.5).scene(0, NOTHING)
    assert scene.facts == {"y": 2.5}
    assert scene.rows[1][0].claims[0].holds
    computed: dict[str, object] = {}
    exec(concept(x=-2.5).code(0, NOTHING), computed)
    assert float(computed["y"]) == concept(x=-2.5).scene(0, NOTHING).facts["y"] == 0


@pytest.mark.parametrize("room", re.findall(r"`(gui_lab/[a-z_/.]+)`", TEXT))
def test_every_room_that_the_readme_names_is_there(room):
    assert (ROOT / room).exists()


def test_the_picture_of_the_readme_is_there():
    (name,) = re.findall(r"!\[.*?\]\((.*?)\)", TEXT)
    assert (ROOT / name).stat().st_size > 20_000
