"""What only a graphics card can tell: its bits, its memory, its precision. The other tests are about the processor,
where weights are equal to the bit, and leave a card alone; these are skipped unless they are asked for:

    GUI_LAB_TEST_CUDA=1 uv run pytest -n 0 tests/core/test_cuda.py
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from gui_lab.core import batches, budget, machine
from gui_lab.core.batch_view import BatchViewer
from gui_lab.core.batches import Batches
from gui_lab.core.branches import Branch
from gui_lab.core.concepts import Own, Weights
from gui_lab.core.events import BatchTrained, EpochEnded, RunEnded, RunStarted
from gui_lab.core.experiment import Experiment
from gui_lab.core.finder import find
from gui_lab.core.images import ImageSet
from gui_lab.core.learner import Learner
from gui_lab.core.learning import OPTIMIZERS
from gui_lab.core.own_network import own_network
from gui_lab.core.probing import Prober
from gui_lab.core.runs import Run
from gui_lab.errors import LossNotFinite, OutOfMemory

pytestmark = pytest.mark.skipif(
    "GUI_LAB_TEST_CUDA" not in os.environ or not torch.cuda.is_available(),
    reason="needs a graphics card with CUDA, and GUI_LAB_TEST_CUDA=1",
)
Made = Callable[..., Experiment]


def finished(run: Run) -> RunEnded:
    *_, last = run.events()
    assert isinstance(last, RunEnded)
    return last


def test_auto_is_the_card_and_the_record_names_it(made: Made, images: ImageSet, tmp_path: Path) -> None:
    run = Run(made(device="auto", epochs=25), images, tmp_path)
    events = list(run.events())
    (started,) = [event for event in events if isinstance(event, RunStarted)]
    assert started.device == "cuda"
    record = json.loads((run.folder / "environment.json").read_text())
    assert record["device_name"] == torch.cuda.get_device_name()
    assert record["cuda"] == torch.version.cuda
    assert max(event.validation_accuracy for event in events if isinstance(event, EpochEnded)) > 0.9
    weights = load_file(run.folder / "last.safetensors")
    assert all(tensor.device.type == "cpu" and tensor.isfinite().all() for tensor in weights.values())
    assert machine.memory_in_use("cuda") > 0


def test_with_deterministic_algorithms_the_same_seed_gives_the_same_bits(
    made: Made, images: ImageSet, tmp_path: Path
) -> None:
    chosen = made(device="cuda", deterministic=True)
    ended = [finished(Run(chosen, images, tmp_path / name)) for name in ("one", "other")]
    assert ended[0].weights_sha256 == ended[1].weights_sha256
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "auto"])
def test_it_learns_in_each_precision_and_says_why(made: Made, images: ImageSet, tmp_path: Path, precision: str) -> None:
    run = Run(made(device="cuda", precision=precision, epochs=25), images, tmp_path)
    events = list(run.events())
    (started,) = [event for event in events if isinstance(event, RunStarted)]
    assert started.precision == precision or (precision == "auto" and started.why)
    assert max(event.validation_accuracy for event in events if isinstance(event, EpochEnded)) > 0.9


@pytest.mark.parametrize("name", OPTIMIZERS.names())
def test_every_optimiser_takes_its_steps(made: Made, images: ImageSet, tmp_path: Path, name: str) -> None:
    chosen = made(device="cuda", epochs=1).edited("optimizer", name)
    assert finished(Run(chosen, images, tmp_path)).iteration == 3


def test_batches_are_made_ahead_and_come_to_the_bit(
    made: Made, images: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "WORTH_SECONDS", -1.0)
    learner, alone = Learner(made(device="cuda", batch_size=8), images), Learner(made(device="cuda"), images)
    assert batches.ahead(learner)
    order = learner.order(1)
    with closing(Batches(learner, 1)) as ready:
        for number in range(len(ready)):
            pictures, labels = ready.take(number)
            expected, truth = alone.batch(order[8 * number : 8 * number + 8], 1, training=True)
            assert pictures.device.type == labels.device.type == "cuda"
            assert torch.equal(pictures, expected)
            assert torch.equal(labels, truth)


def test_what_is_looked_at_comes_back_to_the_window(made: Made, images: ImageSet, tmp_path: Path) -> None:
    run = Run(made(device="cuda", epochs=400), images, tmp_path)
    with closing(run.events()) as events:
        next(event for event in events if isinstance(event, BatchTrained))
        probed = Prober(run.learner).look((0, 1, 2), 1, 1)
        np.testing.assert_allclose(probed.probabilities.sum(1), 1, atol=1e-5)
        viewed = BatchViewer(run.learner).look(1, 1)
        assert np.isfinite(viewed.losses).all()
    state = {name: value.detach().cpu() for name, value in run.learner.model.state_dict().items()}
    mine = own_network(Own(run.learner.experiment, images, Weights(1, 1, state)))
    assert mine is not None
    indices = images.validation[:5]
    pictures, _ = run.learner.batch(indices, epoch=1, training=False)
    with torch.inference_mode():
        torch.testing.assert_close(
            mine.outputs(indices), run.learner.model.eval()(pictures).cpu(), atol=1e-4, rtol=1e-3
        )


def test_trial_and_finder_run_on_the_card(made: Made, images: ImageSet) -> None:
    found = ended(budget.trial(made(device="cuda"), images, seconds=0.5))
    assert found.seconds_per_epoch > 0
    assert found.device == "cuda"
    assert len(list(find(Learner(made(device="cuda"), images), steps=20))) > 5


def ended(trying: Generator[budget.Trying, None, budget.Trial]) -> budget.Trial:
    while True:
        try:
            next(trying)
        except StopIteration as end:
            return end.value


def test_a_loss_that_is_not_a_number_is_told_with_its_layer(made: Made, images: ImageSet, tmp_path: Path) -> None:
    chosen = made(device="cuda", epochs=50).edited("optimizer", OPTIMIZERS.make("SGD", lr=1e9))
    with pytest.raises(LossNotFinite, match=r"first that is not finite|all layers before it"):
        list(Run(chosen, images, tmp_path).events())


@pytest.fixture
def little_memory() -> Iterator[None]:
    """Of the card's memory, a few hundred megabytes."""
    torch.cuda.empty_cache()
    whole = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction((200 << 20) / whole)
    yield
    torch.cuda.set_per_process_memory_fraction(1.0)
    torch.cuda.empty_cache()


@pytest.mark.usefixtures("little_memory")
def test_a_card_without_memory_offers_smaller_batches_and_these_fit(
    made: Made, images: ImageSet, tmp_path: Path
) -> None:
    wide = made(device="cuda", batch_size=80, epochs=1).edited("model.channels", (900, 900))
    with pytest.raises(OutOfMemory, match="a batch of 80") as caught:
        list(Run(wide, images, tmp_path / "large").events())
    assert {repair.path for repair in caught.value.repairs} == {"training.batch_size", "training"}
    small = wide.edited("training.batch_size", 2).edited("model.channels", (60, 60))
    assert finished(Run(small, images, tmp_path / "small")).reason == "finished"


@pytest.mark.parametrize("name", OPTIMIZERS.names())
def test_a_branch_with_the_same_settings_ends_with_the_same_bits(
    made: Made, images: ImageSet, tmp_path: Path, name: str
) -> None:
    slower = {"lr": 0.01} if name == "LBFGS" else {}  # as torch has it, it diverges here
    chosen = made(device="cuda", deterministic=True, epochs=4).edited("optimizer", OPTIMIZERS.make(name, **slower))
    whole = Run(chosen, images, tmp_path / "whole")
    ended = finished(whole)
    branch = Run(chosen, images, tmp_path / "branch", branch=Branch(whole.folder, 2))
    assert finished(branch).weights_sha256 == ended.weights_sha256


@pytest.mark.parametrize(("first", "then"), [("cuda", "cpu"), ("cpu", "cuda")])
def test_a_branch_goes_on_on_another_device(
    made: Made, images: ImageSet, tmp_path: Path, first: str, then: str
) -> None:
    chosen = made(device=first, epochs=20, ema_decay=0.5).edited("optimizer", OPTIMIZERS.make("Adam", lr=0.01))
    whole = Run(chosen, images, tmp_path / "whole")
    finished(whole)
    longer = chosen.edited("training.device", then).edited("training.epochs", 25)
    branch = Run(longer, images, tmp_path / "branch", branch=Branch(whole.folder))
    accuracies = [event.validation_accuracy for event in branch.events() if isinstance(event, EpochEnded)]
    assert len(accuracies) == 25
    assert accuracies[-1] > 0.9
