"""What of a person's own work a concept may look at, gathered from the session and the run."""

from __future__ import annotations

from gui_lab.core.concepts import Own
from gui_lab.core.experiment import Experiment
from gui_lab.qt.running import RunControl
from gui_lab.qt.session import Session


def own_work(session: Session, control: RunControl) -> Own:
    """As it is now. Weights of a run count only for the network that is chosen now, and its place only as long as the
    same batches are chosen as those that it trains on."""
    last, chosen, trained = control.history.last, session.experiment, control.experiment
    followed = trained is not None and control.running and _batches(trained) == _batches(chosen)
    place = (last.epoch, last.iteration) if last is not None and followed else None
    if trained is None or _network(trained) != _network(chosen):
        return Own(chosen, session.images, place=place)
    return Own(chosen, session.images, control.weights, tuple(control.snapshots), place)


def _network(experiment: Experiment) -> tuple[object, ...]:
    """What decides which weights a network has room for."""
    return experiment.model, experiment.transforms, experiment.dataset


def _batches(experiment: Experiment) -> tuple[object, ...]:
    """What decides which pictures are in which batch."""
    training = experiment.training
    return experiment.dataset, training.batch_size, training.seed, training.balanced
