"""The loop: it computes what torch computes, and nothing that happens between two batches can change it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from itertools import islice
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from gui_lab.core import machine
from gui_lab.core.dice import seed_of
from gui_lab.core.events import BatchTrained, EpochEnded, Measuring
from gui_lab.core.events import Tested as Examined
from gui_lab.core.experiment import Experiment
from gui_lab.core.images import ImageSet, InMemory
from gui_lab.core.learner import Learner
from gui_lab.core.learning import MODELS, OPTIMIZERS
from gui_lab.core.pipeline import TRANSFORMS
from gui_lab.core.probing import Prober
from gui_lab.core.training import Stopwatch, measure, train, weights_sha256
from gui_lab.errors import InvalidExperiment, LossNotFinite, OutOfMemory, TrainingError

Made = Callable[..., Experiment]


def trained(experiment: Experiment, images: ImageSet) -> str:
    learner = Learner(experiment, images)
    for _ in train(learner):
        pass
    return weights_sha256(learner.model)


def finite(model: nn.Module) -> bool:
    return all(bool(value.isfinite().all()) for value in model.state_dict().values())


# the same weights


def test_the_same_seed_gives_the_same_weights(made: Made, images: ImageSet) -> None:
    assert trained(made(seed=3), images) == trained(made(seed=3), images)


def test_another_seed_gives_other_weights(made: Made, images: ImageSet) -> None:
    assert trained(made(seed=3), images) != trained(made(seed=4), images)


def test_the_first_weights_come_from_the_seed_alone(made: Made, images: ImageSet) -> None:
    torch.rand(5)
    first = weights_sha256(Learner(made(seed=3), images).model)
    torch.rand(7)
    assert weights_sha256(Learner(made(seed=3, epochs=5, batch_size=8), images).model) == first
    assert weights_sha256(Learner(made(seed=4), images).model) != first


def test_nothing_that_happens_between_two_batches_changes_the_weights(made: Made, images: ImageSet) -> None:
    undisturbed = trained(made(), images)
    learner = Learner(made(), images)
    for turn, event in enumerate(train(learner)):
        torch.rand(turn + 1)
        np.random.default_rng().random()
        learner.model.eval()
        if isinstance(event, BatchTrained):
            Prober(learner).look((1, 100, 5), event.epoch, event.iteration)
            learner.chain.trace([torch.from_numpy(images.picture(3))], np.array([3]), seed=1, epoch=event.epoch)
        measure(learner, images.test)
    assert weights_sha256(learner.model) == undisturbed


def test_two_runs_taking_turns_do_not_change_each_other(made: Made, images: ImageSet) -> None:
    alone = [trained(made(seed=seed), images) for seed in (1, 2)]
    learners = [Learner(made(seed=seed), images) for seed in (1, 2)]
    for _ in zip(train(learners[0]), train(learners[1]), strict=True):
        pass
    assert [weights_sha256(learner.model) for learner in learners] == alone


def test_closing_stops_and_keeps_the_weights(made: Made, images: ImageSet) -> None:
    learner = Learner(made(), images)
    events = train(learner)
    for _ in islice(events, 2):
        pass
    stopped = weights_sha256(learner.model)
    events.close()
    assert weights_sha256(learner.model) == stopped
    assert finite(learner.model)
    other = Learner(made(), images)
    for _ in islice(train(other), 2):
        pass
    assert weights_sha256(other.model) == stopped


def test_a_digest_tells_every_weight_buffer_name_and_dtype() -> None:
    def small(value: float = 1.0, dtype: torch.dtype = torch.float32, bias: bool = True) -> nn.Module:
        layer = nn.Linear(2, 2, bias=bias, dtype=dtype)
        for parameter in layer.parameters():
            nn.init.constant_(parameter, value)
        return layer

    norm = nn.Sequential(nn.BatchNorm1d(2))
    digests = {weights_sha256(model) for model in (small(), small(2.0), small(bias=False), norm)}
    digests.add(weights_sha256(small(dtype=torch.float64)))
    norm(torch.ones(3, 2))  # changes buffers only
    digests.add(weights_sha256(norm))
    assert len(digests) == 6
    assert weights_sha256(small()) in digests


# the numbers


def test_a_run_says_its_batches_epochs_and_test_in_order(made: Made, images: ImageSet) -> None:
    events = list(train(Learner(made(), images)))
    kinds = [type(event) for event in events]
    epoch = [BatchTrained, BatchTrained, BatchTrained, Measuring, EpochEnded]
    assert kinds == [*epoch, *epoch, Measuring, Examined]
    parts = [(event.part, event.epoch, event.done, event.total) for event in events if isinstance(event, Measuring)]
    assert parts == [("validation", 1, 20, 20), ("validation", 2, 20, 20), ("test", 2, 20, 20)]
    batches = [event for event in events if isinstance(event, BatchTrained)]
    assert [(event.epoch, event.iteration, event.samples) for event in batches] == [
        (1, 1, 32), (1, 2, 32), (1, 3, 16), (2, 1, 32), (2, 2, 32), (2, 3, 16),
    ]  # fmt: skip
    seconds = [event.seconds for event in events if not isinstance(event, Examined)]
    assert seconds == sorted(seconds)
    assert seconds[0] > 0


def test_every_number_is_that_of_a_plain_torch_loop(made: Made, images: ImageSet) -> None:
    learner = Learner(made(), images)
    said = [numbers(event) for event in train(learner) if not isinstance(event, Measuring)]
    plain, model = plainly_trained(made(), images)
    assert len(said) == len(plain) == 9
    for ours, theirs in zip(said, plain, strict=True):
        assert ours == pytest.approx(theirs, rel=1e-12, abs=0)
    assert [ours[2] for ours in said[:3]] == [theirs[2] for theirs in plain[:3]]  # cross-entropy to the bit
    assert weights_sha256(learner.model) == weights_sha256(model)


def numbers(event: Any) -> tuple[float, ...]:
    """What an event says, without the time it took and what the plain loop does not tell."""
    left_out = ("seconds", "lr", "gradient_norm", "remeasured_loss")
    return tuple(getattr(event, name) for name in event.__slots__ if name not in left_out)


def plainly_trained(experiment: Experiment, images: ImageSet) -> tuple[list[tuple[float, ...]], nn.Module]:
    """The same run written down as one would by hand; pictures and order are the experiment's, the rest is torch's."""
    learner, said, best = Learner(experiment, images), [], -1.0
    torch.manual_seed(seed_of(1, 0))
    model = experiment.model.build((1, 12, 12), 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for epoch in (1, 2):
        losses, right = [], 0
        for iteration, indices in enumerate(np.split(learner.order(epoch), [32, 64]), 1):
            pictures, labels = learner.batch(indices, epoch, training=True)
            torch.manual_seed(seed_of(1, epoch, iteration))
            model.train()
            optimizer.zero_grad()
            scores = model(pictures)
            loss = nn.CrossEntropyLoss()(scores, labels)
            loss.backward()
            optimizer.step()
            correct = int((scores.argmax(1) == labels).sum())
            losses += [loss.item()] * len(indices)
            right += correct
            said.append((epoch, iteration, loss.item(), correct, len(indices)))
        validated = plainly_measured(model, learner, images.validation)
        said.append((epoch, float(np.mean(losses)), right / 80, *validated, validated[1] > best))
        best = max(best, validated[1])
    said.append((*plainly_measured(model, learner, images.test), 20))
    return said, model


def plainly_measured(model: nn.Module, learner: Learner, indices: Any) -> tuple[float, float]:
    model.eval()
    pictures, labels = learner.batch(indices, 1, training=False)
    with torch.no_grad():
        scores = model(pictures)
    return cross_entropy(scores, labels).item(), (scores.argmax(1) == labels).double().mean().item()


def test_measuring_in_several_batches_is_the_mean_over_all_pictures(
    made: Made, images: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner = Learner(made(), images)
    whole = measure(learner, images.train)
    monkeypatch.setattr("gui_lab.core.training._EVALUATION_BATCH", 7)
    parts = measure(learner, images.train)
    assert parts.mean_loss == pytest.approx(whole.mean_loss, rel=1e-6)
    assert (parts.accuracy, parts.samples) == (whole.accuracy, 80)
    assert whole.mean_loss == plainly_measured(learner.model, learner, images.train)[0]


def test_every_picture_is_seen_once_in_each_epoch_in_an_order_of_its_own(made: Made, images: ImageSet) -> None:
    learner = Learner(made(), images)
    orders = [learner.order(epoch) for epoch in (1, 2, 3)]
    for order in orders:
        assert np.array_equal(np.sort(order), images.train)
    assert len({order.tobytes() for order in orders}) == 3


def test_a_network_learns_the_corners(made: Made, images: ImageSet) -> None:
    *_, epoch, _, tested = train(Learner(made(epochs=12, batch_size=8), images))
    assert isinstance(epoch, EpochEnded)
    assert epoch.validation_accuracy > 0.9
    assert tested.accuracy > 0.9


def test_the_best_epoch_is_the_first_of_the_highest_accuracy(made: Made, images: ImageSet) -> None:
    epochs = [event for event in train(Learner(made(epochs=6), images)) if isinstance(event, EpochEnded)]
    heights = [event.validation_accuracy for event in epochs]
    assert [event.best for event in epochs] == [
        all(height > earlier for earlier in heights[:place]) for place, height in enumerate(heights)
    ]


def test_without_test_pictures_nothing_is_tested(made: Made, images: ImageSet) -> None:
    untested = ImageSet(
        images.pictures, images.labels, images.classes, images.train, images.validation, images.test[:0]
    )
    assert not any(isinstance(event, Examined) for event in train(Learner(made(), untested)))


def test_a_batch_of_all_pictures_is_one_iteration(made: Made, images: ImageSet) -> None:
    events = list(train(Learner(made(batch_size=80, epochs=1), images)))
    assert [event.samples for event in events if isinstance(event, BatchTrained)] == [80]


def test_a_stopwatch_leaves_pauses_out(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter([10.0, 11.5, 100.0, 100.25])
    monkeypatch.setattr("time.perf_counter", lambda: next(ticks))
    watch = Stopwatch()
    for _ in range(2):
        with watch:
            pass
    assert watch.seconds == 1.75


# what cannot run


def test_a_batch_larger_than_the_data_is_refused_before_the_start(made: Made, images: ImageSet) -> None:
    with pytest.raises(InvalidExperiment) as caught:
        Learner(made(batch_size=81), images)
    assert [problem.path for problem in caught.value.problems] == ["training.batch_size"]


def test_all_problems_are_said_before_the_start(made: Made, images: ImageSet) -> None:
    with pytest.raises(InvalidExperiment) as caught:
        Learner(made(batch_size=81).edited("transforms", ()), images)
    assert [problem.path for problem in caught.value.problems] == ["transforms", "training.batch_size"]


def test_a_device_that_is_not_there_is_refused(made: Made, images: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "devices", lambda: ("cpu",))
    with pytest.raises(TrainingError, match="no cuda device") as caught:
        Learner(made(device="cuda"), images)
    assert "auto" in caught.value.remedy


@pytest.mark.parametrize("model", ["SoftmaxRegression", "MLP", "LeNet5", "MNISTNet"])
def test_a_loss_that_is_not_finite_ends_the_run_before_the_step(model: str, made: Made, images: ImageSet) -> None:
    experiment = made(epochs=400).edited("model", MODELS.make(model))
    learner = Learner(experiment.edited("optimizer", OPTIMIZERS.make("SGD", lr=1e9)), images)
    if model == "SoftmaxRegression":  # one layer stays finite at any rate: the pictures are at fault then
        nn.init.constant_(next(learner.model.parameters()), 3e38)
    before, events = "", train(learner)

    def go_on() -> None:
        nonlocal before
        while True:
            before = weights_sha256(learner.model)
            next(events)

    with pytest.raises(LossNotFinite, match=r"epoch \d+, iteration \d+") as caught:
        go_on()
    assert "learning rate" in caught.value.remedy
    assert weights_sha256(learner.model) == before
    assert finite(learner.model)


def out_of_memory(*_: Any) -> Any:
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


def no_memory(*_: Any) -> Any:
    raise MemoryError


def allocator(*_: Any) -> Any:
    raise RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory: 80 bytes")


def windows_allocator(*_: Any) -> Any:
    raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 80 bytes.")


@pytest.mark.parametrize("fail", [out_of_memory, no_memory, allocator, windows_allocator])
@pytest.mark.parametrize("where", ["forward", "step"])
def test_no_memory_is_told_with_what_to_do_and_keeps_the_weights(
    where: str, fail: Any, made: Made, images: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner = Learner(made(), images)
    events = train(learner)
    next(events)
    before = weights_sha256(learner.model)
    if where == "forward":
        monkeypatch.setattr(learner.model, "forward", fail)
    else:
        monkeypatch.setattr(learner.optimizer, "step", fail)
    with pytest.raises(OutOfMemory, match="batch of 32") as caught:
        next(events)
    assert "smaller batch" in caught.value.remedy
    assert weights_sha256(learner.model) == before


def test_no_memory_while_measuring_is_told_too(made: Made, images: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    learner = Learner(made(batch_size=80), images)
    events = train(learner)
    next(events)
    monkeypatch.setattr(learner.model, "forward", no_memory)
    with pytest.raises(OutOfMemory, match="measuring"):
        next(events)


def test_a_network_too_large_for_the_machine_is_told(
    made: Made, images: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(made().model), "build", allocator)
    with pytest.raises(OutOfMemory, match="the network"):
        Learner(made(), images)


def test_any_other_error_of_torch_is_not_taken_for_memory(
    made: Made, images: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner = Learner(made(), images)

    def broken(*_: Any) -> Any:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(learner.model, "forward", broken)
    with pytest.raises(RuntimeError, match="mat1"):
        next(train(learner))


def test_pictures_of_several_sizes_are_trained_on(made: Made) -> None:
    class Ragged:
        kind = InMemory(np.zeros((1, 1, 9, 9), np.uint8)).kind.image(1, None, None, least=(9, 9))

        def __len__(self) -> int:
            return 16

        def take(self, indices: Any) -> list[Any]:
            return [np.full((1, 9 + index % 3, 9 + index % 2), index, np.uint8) for index in indices]

    every = np.arange(16)
    images = ImageSet(Ragged(), every % 2, ("a", "b"), every[:12], every[12:], every[:0])
    whole = [TRANSFORMS.make("Resize", size=(9, 9)), TRANSFORMS.make("ToTensor")]
    learner = Learner(made(batch_size=6).edited("transforms", whole), images)
    assert [type(event) for event in train(learner)] == [BatchTrained, BatchTrained, Measuring, EpochEnded] * 2


# the machine


def test_auto_is_the_fastest_device_and_cpu_is_always_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine.devices()[-1] == "cpu"
    monkeypatch.setattr(machine, "devices", lambda: ("cuda", "cpu"))
    assert machine.resolve("auto") == "cuda"
    assert machine.resolve("cpu") == "cpu"


@pytest.mark.parametrize(("given", "meant"), [("3", 3), ("", None), ("0", None), ("many", None)])
def test_threads_are_those_asked_for_else_as_many_as_there_is_work_for(
    given: str, meant: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 2, 3, 4, 5}, raising=False)
    monkeypatch.setattr("psutil.cpu_count", lambda logical: 4)
    monkeypatch.setenv("OMP_NUM_THREADS", given)
    monkeypatch.setattr("sys.platform", "linux")
    for spins, expected in (("5000", [1, 1, 2, 4]), ("0", [1, 1, 1, 4])):  # where they sleep it takes more to wake them
        monkeypatch.setenv("GOMP_SPINCOUNT", spins)
        found = [machine.threads(million * 10**6) for million in (1, 22, 42, 1000)]
        assert found == ([meant] * 4 if meant else expected)


@pytest.mark.parametrize(
    ("given", "spins"), [({}, "5000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "none")]
)
def test_waiting_threads_spin_shortly_unless_a_person_says_otherwise(given: dict[str, str], spins: str) -> None:
    own = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
    environment = {name: value for name, value in os.environ.items() if name not in own} | given
    told = "import os, gui_lab; print(os.environ['OMP_WAIT_POLICY'], os.environ.get('GOMP_SPINCOUNT', 'none'))"
    child = subprocess.run([sys.executable, "-c", told], env=environment, capture_output=True, text=True, check=True)
    assert child.stdout.split() == [given.get("OMP_WAIT_POLICY", "PASSIVE"), spins]


def test_a_run_computes_with_the_threads_it_records(
    made: Made, images: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = torch.get_num_threads()
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    learner = Learner(made(), images)
    assert torch.get_num_threads() == machine.environment("cpu", learner.threads)["threads"] == 1
    torch.set_num_threads(before)
