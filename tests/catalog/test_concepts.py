"""What every concept promises: its numbers are torch's, its code runs and says the same, and it disturbs nobody."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from gui_lab import catalog
from gui_lab.core import experiment
from gui_lab.core.concepts import CONCEPTS, NOTHING, Concept, Own, Scene
from gui_lab.core.exhibits import Claims, Exhibit
from gui_lab.core.images import opened
from gui_lab.schema import knobs

catalog.load()
NAMES = CONCEPTS.names()


@pytest.fixture(scope="module")
def own() -> Own:
    """A person who has just opened the lab."""
    chosen = experiment.default()
    return Own(chosen, opened(chosen.dataset))


def starts(name: str) -> Iterator[Concept]:
    """A concept as it opens, and from each of its presets."""
    entry = CONCEPTS.get(name)
    yield entry()
    for preset in entry.presets:
        yield entry(**preset.values)
    if entry.mine:
        yield entry(**entry.mine)


def scenes(concept: Concept, own: Own) -> Iterator[Scene]:
    """Its first, a middle and its last one."""
    first = concept.scene(0, own)
    yield first
    for step in sorted({first.steps // 2, first.steps - 1} - {0}):
        yield concept.scene(step, own)


def exhibits(scene: Scene) -> Iterator[Exhibit]:
    for row in scene.rows:
        yield from row


@pytest.mark.parametrize("name", NAMES)
def test_each_start_shows_something_and_claims_what_is_so(name: str, own: Own) -> None:
    for concept in starts(name):
        for scene in scenes(concept, own):
            assert not scene.missing
            assert scene.rows
            assert 0 <= scene.step < scene.steps
            assert scene.says
            for exhibit in exhibits(scene):
                claims = exhibit.claims if isinstance(exhibit, Claims) else ()
                assert not [claim for claim in claims if not claim.holds]


@pytest.mark.parametrize("name", NAMES)
def test_without_pictures_it_shows_something_or_says_what_is_missing(name: str) -> None:
    scene = CONCEPTS.make(name).scene(0, NOTHING)
    assert scene.rows or scene.missing


@pytest.mark.parametrize("name", NAMES)
def test_a_step_beyond_the_last_is_the_last(name: str, own: Own) -> None:
    concept = CONCEPTS.make(name)
    steps = concept.scene(0, own).steps
    assert concept.scene(steps + 100, own).step == steps - 1


@pytest.mark.parametrize("name", NAMES)
def test_its_code_runs_and_comes_to_the_same_numbers(name: str, own: Own) -> None:
    for concept in starts(name):
        last = concept.scene(10**9, own)
        written = concept.code(last.step, own)
        names: dict[str, object] = {"__name__": "code"}
        with torch.random.fork_rng():
            exec(compile(written, f"<code of {name}>", "exec"), names)
        shared = [fact for fact in last.facts if fact in names]
        assert shared, f"none of {sorted(last.facts)} is computed by the code"
        for fact in shared:
            same(names[fact], last.facts[fact], fact)


def same(found: object, told: object, fact: str) -> None:
    if isinstance(told, (bool, str)):
        assert found == told, fact
        return
    assert isinstance(told, (int, float))
    number = float(found.detach() if isinstance(found, torch.Tensor) else found)  # type: ignore[arg-type]
    assert number == pytest.approx(float(told), rel=1e-4, abs=1e-5, nan_ok=True), fact


@pytest.mark.parametrize("name", NAMES)
def test_it_never_draws_from_the_generator_of_the_run(name: str, own: Own) -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    for _ in scenes(CONCEPTS.make(name), own):
        pass
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("name", NAMES)
def test_the_same_values_show_the_same(name: str, own: Own) -> None:
    first, again = (CONCEPTS.make(name).scene(1, own) for _ in range(2))
    assert first.says == again.says
    assert dict(first.facts) == pytest.approx(dict(again.facts), nan_ok=True)


@pytest.mark.parametrize("name", NAMES)
def test_its_facts_are_plain_and_its_knobs_are_explained(name: str, own: Own) -> None:
    concept = CONCEPTS.make(name)
    for fact, value in concept.scene(0, own).facts.items():
        assert fact.isidentifier()
        assert isinstance(value, (bool, int, float, str))
        assert not isinstance(value, np.generic)
    for knob in knobs(type(concept)):
        assert knob.help.endswith(".")
        assert knob.kind not in ("int", "float") or (knob.low is not None and knob.high is not None)
        assert not isinstance(knob.default, float) or math.isfinite(knob.default)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_told_in_words(name: str) -> None:
    entry = CONCEPTS.get(name)
    assert entry.title
    assert entry.line
    assert len(entry.story.split()) > 30
    assert "\n" not in entry.line
