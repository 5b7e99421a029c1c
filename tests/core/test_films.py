"""What concepts stand on: films that remember, networks that draw from nobody's generator, and claims that can fail."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gui_lab.core.concepts import Film, film, fresh
from gui_lab.core.exhibits import Claim


def test_a_film_computes_each_frame_once_and_shows_any_again():
    computed = []

    def frames():
        for number in range(5):
            computed.append(number)
            yield number * number

    reel = Film(frames)
    assert reel.upto(2) == [0, 1, 4]
    assert reel.upto(1) == [0, 1]
    assert computed == [0, 1, 2]
    assert reel.upto(99) == [0, 1, 4, 9, 16]


def test_films_of_one_key_are_one_and_old_ones_are_forgotten():
    first = film("key", lambda: iter([1]))
    assert film("key", lambda: iter([2])) is first
    for number in range(40):
        film(number, lambda: iter([0]))
    assert film("key", lambda: iter([2])).upto(0) == [2]


def network() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 10))


def test_fresh_weights_are_those_of_the_seed_and_the_runs_generator_is_untouched():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    one, same, other = (fresh(network, seed) for seed in (1, 1, 2))
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), same.parameters(), strict=True))
    assert not torch.equal(one[0].weight, other[0].weight)


def test_fresh_weights_are_spread_as_torch_spreads_them():
    mine = fresh(lambda: nn.Linear(400, 300), 1)
    with torch.random.fork_rng():
        torchs = nn.Linear(400, 300)
    for own, given in ((mine.weight, torchs.weight), (mine.bias, torchs.bias)):
        assert own.abs().max().item() <= 400**-0.5
        assert own.std().item() == pytest.approx(given.std().item(), rel=0.1)
        assert own.mean().item() == pytest.approx(0.0, abs=0.01)


def test_normalisation_layers_begin_with_ones_and_zeros():
    layer = fresh(lambda: nn.BatchNorm2d(3), 1)
    assert layer.weight.tolist() == [1, 1, 1]
    assert layer.running_mean.tolist() == [0, 0, 0]
    assert layer.running_var.tolist() == [1, 1, 1]


def test_a_layer_whose_weights_are_not_known_is_refused():
    with pytest.raises(TypeError, match="Embedding"):
        fresh(lambda: nn.Embedding(3, 4), 1)


@pytest.mark.parametrize(
    ("ours", "torchs", "holds"),
    [
        (1.0, 1.000001, True),
        (1.0, 1.001, False),
        (1e6, 1e6 + 1, True),
        (float("nan"), float("nan"), True),
        (float("nan"), 1.0, False),
        (float("inf"), float("inf"), True),
        (float("inf"), 3.0, False),
    ],
)
def test_a_claim_holds_only_where_the_numbers_agree(ours, torchs, holds):
    assert Claim("x", ours, torchs).holds is holds
