"""What does not fit between model, loss, optimiser, schedules and settings, before anything runs.

Losses and schedules know what they need themselves; here stands what concerns several of them. An error is what torch
would refuse or what would compute something else than it says; a warning is what is hardly meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from gui_lab.core.chain import Chain
from gui_lab.core.learning import OPTIMIZERS, Loss, Model, Optimizer, Scheduler, Training
from gui_lab.schema import Problem, Repair, knobs

_VANISHED = 1e-6
"""Part of a learning rate with which nothing is learned in any run of bearable length."""
_LOOKED_AT = 1000


def learning_problems(
    model: Model,
    loss: Loss,
    optimizer: Optimizer,
    schedulers: Sequence[Scheduler],
    training: Training,
    chain: Chain,
    *,
    classes: int,
    samples: int,
) -> list[Problem]:
    """All of them at once, each with the path of its field and its repairs; those that are only odd are warnings.

    Args:
        classes: of the data set.
        samples: training pictures.
    """
    return [
        *loss.problems(model, chain.mixes, classes),
        *optimizer.problems(training, samples),
        *_optimizer_problems(optimizer, schedulers, training),
        *_order_problems(schedulers),
        *_scheduler_problems(optimizer, schedulers, training, training.iterations(samples)),
        *_training_problems(loss, training, training.iterations(samples)),
    ]


def _optimizer_problems(optimizer: Optimizer, schedulers: Sequence[Scheduler], training: Training) -> Iterator[Problem]:
    name = optimizer.name_of()
    if optimizer.closure:
        use_adam = Repair("Use Adam", "optimizer", OPTIMIZERS.make("Adam"))
        again = f"{name} computes loss and gradient of a batch again and again within one step"
        if training.accumulate > 1:
            path = "training.accumulate"
            one = Repair("Step after every batch", path, 1)
            yield Problem(path, f"{again}, so that no batches can be added up before it.", (one, use_adam))
        if training.max_norm:
            path = "training.max_norm"
            leave = Repair("Leave gradients as they are", path, 0.0)
            yield Problem(path, f"{again}, so that its gradients cannot be shortened.", (leave, use_adam))
        if training.precision != "float32":
            path = "training.precision"
            full = Repair("Use float32", path, "float32")
            yield Problem(path, f"{again} and compares them, which needs float32.", (full, use_adam))
    if not optimizer.follows_lr and schedulers:
        sentence = f"{name} finds the length of its steps itself: schedules of the learning rate change nothing."
        yield Problem("schedulers", sentence, (Repair("Take them out", "schedulers", ()),), "warning")
    if getattr(optimizer, "maximize", False):
        path = "optimizer.maximize"
        yield Problem(path, f"{name} climbs: the loss will grow.", (Repair("Descend", path, False),), "warning")


def _order_problems(schedulers: Sequence[Scheduler]) -> Iterator[Problem]:
    """One that sets the learning rate stands first, and one at most follows the validation loss."""
    setting = [place for place, one in enumerate(schedulers) if one.absolute]
    for place in setting:
        one, path = schedulers[place], f"schedulers.{place}"
        others = _without(schedulers, place)
        if place != setting[0]:
            sentence = f"Both {schedulers[setting[0]].name_of()} and {one.name_of()} set the learning rate."
            yield Problem(path, sentence, (Repair("Take it out", "schedulers", others),))
        elif place:
            sentence = f"{one.name_of()} sets the learning rate itself, so that it stands first or alone."
            first = Repair("Put it first", "schedulers", (one, *others))
            yield Problem(path, sentence, (first, Repair("Use it alone", "schedulers", (one,))))
    following = [place for place, one in enumerate(schedulers) if one.follower(1.0) is not None]
    for place in following[1:]:
        sentence = "There are two that follow the validation loss: both would lower the learning rate at once."
        take_out = Repair("Take it out", "schedulers", _without(schedulers, place))
        yield Problem(f"schedulers.{place}", sentence, (take_out,))


def _scheduler_problems(
    optimizer: Optimizer, schedulers: Sequence[Scheduler], training: Training, iterations: int
) -> Iterator[Problem]:
    for place, one in enumerate(schedulers):
        path, total = f"schedulers.{place}", training.epochs * (1 if one.every == "epoch" else iterations)
        yield from one.problems(path, optimizer, training, total)
        wrong = _effect(one, optimizer, total)
        if wrong:
            kept = [
                Repair(label, path, other)
                for label, other in _others(one)
                if not _effect(other, optimizer, training.epochs * (1 if other.every == "epoch" else iterations))
            ]
            take_out = Repair("Take it out", "schedulers", _without(schedulers, place))
            yield Problem(path, wrong, (*kept, take_out), "warning")


def _effect(one: Scheduler, optimizer: Optimizer, total: int) -> str:
    """What is odd about what it does in the whole run, in a sentence; empty where nothing is."""
    steps = np.unique(np.linspace(0, total - 1, min(total, _LOOKED_AT)).round())
    factors = one.factors(steps, total, optimizer.lr)
    moves = one.follower(optimizer.lr) is not None or one.momenta(steps, total) is not None
    if not moves and np.allclose(factors, 1, rtol=1e-9):
        return f"It changes nothing in a run of {total:,} steps."
    later = factors[steps >= total // 2]
    if len(steps) > 2 and later.max() < _VANISHED:
        return f"Less than a millionth of the learning rate is left for the second half of the run ({total:,} steps)."
    return ""


def _others(one: Scheduler) -> Iterator[tuple[str, Scheduler]]:
    """The same fitted to the run, and stepping less often."""
    lengths = {knob.name: None for knob in knobs(type(one)) if knob.optional and knob.kind in ("int", "ints")}
    fitted = one.changed(**lengths)
    if fitted != one:
        yield "Fit it to the run", fitted
    if one.every == "iteration":
        yield "Step after each epoch", one.changed(every="epoch")


def _without(schedulers: Sequence[Scheduler], place: int) -> tuple[Scheduler, ...]:
    return (*schedulers[:place], *schedulers[place + 1 :])


def _training_problems(loss: Loss, training: Training, iterations: int) -> Iterator[Problem]:
    patience, decay = training.patience, training.ema_decay
    if patience and patience >= training.epochs - 1:
        path = "training.patience"
        sentence = f"A run of {training.epochs:,} epochs is over before {patience:,} without improvement can stop it."
        fitting = max(training.epochs // 4, 1)
        shorter = (Repair(f"Use {fitting}", path, fitting),) if fitting < training.epochs - 1 else ()
        yield Problem(path, sentence, (*shorter, Repair("Never stop early", path, 0)), "warning")
    if training.accumulate > iterations:
        path = "training.accumulate"
        batches = "one batch" if iterations == 1 else f"{iterations:,} batches"
        sentence = f"An epoch has only {batches}; a step of the optimiser never waits for those of the next."
        yield Problem(path, sentence, (Repair(f"Use {iterations}", path, iterations),), "warning")
    steps = training.epochs * -(-iterations // training.accumulate)
    if decay:
        yield from _average_problems(decay, steps)
    if training.balanced and dict(loss).get("weight") == "balanced":
        path = "training.balanced"
        sentence = "Classes are balanced twice: they are drawn equally often, and weighted by how rare they are."
        repairs = (Repair("Draw each picture once", path, False), Repair("Weigh all alike", "loss.weight", None))
        yield Problem(path, sentence, repairs, "warning")


def _average_problems(decay: float, steps: int) -> Iterator[Problem]:
    """The average of weights remembers about 1 / (1 - decay) steps."""
    path, remembered = "training.ema_decay", 1 / (1 - decay)
    if remembered < 2:
        sentence = f"With a memory of {decay:g} the average is hardly more than the last weights."
    elif remembered > steps / 2:
        sentence = f"The average remembers about {remembered:,.0f} steps, but the run has {steps:,}: it lags behind."
    else:
        return
    fitting = round(min(1 - 10 / steps, 0.999), 6)
    fits = (Repair(f"Use {fitting:g}", path, fitting),) if steps >= 20 else ()
    yield Problem(path, sentence, (*fits, Repair("Keep no average", path, 0.0)), "warning")
