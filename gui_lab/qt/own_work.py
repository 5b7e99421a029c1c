"""What of a person's own work a concept may look at, gathered from the session and the run."""

from __future__ import annotations

from gui_lab.core.concepts import Own
from gui_lab.core.experiment import Experiment
from gui_lab.qt.running import RunControl, State
from gui_lab.qt.session import Session


def own_work(session: Session, control: RunControl) -> Own:
    """As it is now. Weights of a run count only for the network that is chosen now."""
    last = control.history.last
    place = (last.epoch, last.iteration) if last is not None and control.state == State.TRAINING else None
    if control.experiment is None or not _alike(control.experiment, session.experiment):
        return Own(session.experiment, session.images, place=place)
    return Own(session.experiment, session.images, control.weights, tuple(control.snapshots), place)


def _alike(one: Experiment, other: Experiment) -> bool:
    """Whether both have the same network for the same kind of pictures."""
    parts = ((each.model, each.transforms, each.dataset) for each in (one, other))
    return len(set(map(repr, parts))) == 1
