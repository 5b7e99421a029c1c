"""A person's own network answers as the run's does, and leaves the run alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gui_lab.core import experiment
from gui_lab.core.concepts import NOTHING, Own, Weights
from gui_lab.core.images import opened
from gui_lab.core.learner import Learner
from gui_lab.core.own_network import own_network
from gui_lab.errors import InvalidExperiment


@pytest.fixture(scope="module")
def own() -> Own:
    chosen = experiment.default()
    return Own(chosen, opened(chosen.dataset))


def test_it_answers_as_the_network_of_the_run_whose_weights_it_has(own: Own) -> None:
    assert own.experiment is not None
    assert own.images is not None
    with torch.random.fork_rng():
        learner = Learner(own.experiment, own.images)
    state = {name: value.detach().cpu().clone() for name, value in learner.model.state_dict().items()}
    indices = own.images.validation[:5]
    found = own_network(Own(own.experiment, own.images, Weights(1, 2, state)))
    assert found is not None
    assert found.trained
    pictures, _ = learner.batch(indices, epoch=1, training=False)
    with torch.no_grad():
        assert torch.allclose(found.outputs(indices), learner.model.eval()(pictures), atol=1e-6)


def test_before_a_run_it_has_fresh_weights_and_draws_them_by_itself(own: Own) -> None:
    before = torch.get_rng_state()
    found, again = own_network(own), own_network(own)
    assert found is not None
    assert again is not None
    assert not found.trained
    assert not found.network.training
    assert torch.equal(found.outputs(np.array([3])), again.outputs(np.array([3])))
    assert torch.equal(before, torch.get_rng_state())


def test_without_pictures_there_is_none() -> None:
    assert own_network(NOTHING) is None


def test_what_cannot_reach_the_network_is_said(own: Own) -> None:
    assert own.experiment is not None
    with pytest.raises(InvalidExperiment):
        own_network(Own(own.experiment.edited("transforms", ()), own.images))
