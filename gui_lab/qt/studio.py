"""The right of the Transforms page: real pictures on their way through the chain.

The strip shows what training will see, for it asks the chain itself with the run's seed and an epoch. It is computed in
the background, only the newest request matters, and the old pictures stay until the new ones are there: a slider can be
dragged without a pause and without flicker. Locks, the transform that is left out while a key is held, and the chain
that is kept for comparison are ways of looking: none of them is part of the experiment.
"""

from __future__ import annotations

import random
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QHideEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from gui_lab.core.chain import Chain
from gui_lab.core.front import places
from gui_lab.core.images import ImageSet
from gui_lab.core.pipeline import Transform
from gui_lab.errors import LabError
from gui_lab.qt.pins import followed
from gui_lab.qt.session import Session
from gui_lab.qt.sights import Desk, Request, Seen, merged
from gui_lab.qt.theme import THEME
from gui_lab.qt.threads import Failed, Latest
from gui_lab.qt.views.chain_words import network_words
from gui_lab.qt.views.frames import Column
from gui_lab.qt.views.preview import LAST_EPOCH, Preview
from gui_lab.qt.views.seen_words import picture_words, seen_words
from gui_lab.qt.views.traces import View, picked

_LOADING = "PyTorch is loading"
_PLAY_MS = 333
_SLOW_MS = 300
_AT_ONCE = 0.014  # seconds that all rows may take; beyond, the row one looks at comes first
_HOLD = Qt.Key.Key_B


class Studio(QWidget):
    """The preview, and who has it computed."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self._choice = 0
        self._chosen = -1
        self._stale = True
        self._held = False
        self._pins: dict[int, int] = {}
        self._kept: tuple[Transform, ...] | None = None
        self._before = session.experiment.transforms
        self._inspected: tuple[int, int] = (-1, 0)
        self._columns: list[Column] = []
        self._computed = False
        self._indices: list[int] = []
        self._desk = Desk()
        self._tracer = Latest(self)
        self._tracer.arrived.connect(self._arrived)
        self._tracer.failed.connect(self._tracing_failed)
        self._outliner = Latest(self)  # beside the tracer, which torchvision may keep waiting for seconds
        self._outliner.arrived.connect(self._outline_arrived)
        self._outliner.failed.connect(self._tracing_failed)
        self._slow = QTimer(self, interval=_SLOW_MS, singleShot=True)
        self._slow.timeout.connect(self._show_stale)
        self._player = QTimer(self, interval=_PLAY_MS)
        self._player.timeout.connect(self._play_on)
        self.preview = Preview("transforms")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.preview)
        self._connect()
        self._show_problems()
        self._show_experiment()

    def _connect(self) -> None:
        session, preview, strip = self.session, self.preview, self.preview.strip
        session.experiment_changed.connect(self._show_experiment)
        session.problems_changed.connect(self._show_problems)
        session.images_changed.connect(self._show_experiment)
        session.ready_changed.connect(self._show_experiment)
        preview.looked.connect(self.ask)
        preview.sight_changed.connect(self.ask)
        preview.shuffled.connect(self._shuffle)
        preview.rerolled.connect(self._reroll)
        preview.played.connect(self._play)
        preview.held.connect(self._hold)
        preview.compared.connect(self._compare)
        preview.went_back.connect(self._back_to_kept)
        preview.inspector.went.connect(self._inspect_another)
        preview.nine.moved.connect(self.ask)
        preview.nine.chosen.connect(self._choose_variant)
        strip.resized.connect(self.ask)
        strip.opened.connect(self._inspect)
        strip.pinned.connect(self._pin)
        strip.pin_wanted.connect(self._pin_picture)
        preview.inspector.pin_wanted.connect(lambda: self._pin_picture(self._inspected[1]))
        session.pins_changed.connect(self._show_pinned)
        strip.repair_chosen.connect(session.repair)
        preview.oddities.repair_chosen.connect(session.repair)
        THEME.changed.connect(self.ask)
        for widget in (strip, preview.inspector.panes, preview.nine.grid):
            self.listen_to(widget)

    @property
    def busy(self) -> bool:
        """True while pictures are computed."""
        return self._tracer.busy or self._outliner.busy

    def close_down(self) -> None:
        self._player.stop()
        self._slow.stop()
        self._outliner.close()
        self._tracer.close()

    def select(self, position: int) -> None:
        """Mark the column of a transform; negative for none."""
        self.preview.strip.select(position if position >= 0 else -2)
        if position != self._chosen:
            self._chosen = position
            self.preview.without.setEnabled(position >= 0)
            if self._held or self.preview.sight == "variants":
                self.ask()

    def listen_to(self, widget: QWidget) -> None:
        """While B is held there, the chosen transform is left out."""
        widget.installEventFilter(self)

    # ---------------------------------------------------------------- what the session says

    def _show_experiment(self) -> None:
        transforms = self.session.experiment.transforms
        if transforms is not self._before:
            self._pins = followed(self._before, transforms, self._pins)
            self._before = transforms
            self.preview.strip.show_pins(self._pins)
        self.ask()

    def _show_problems(self) -> None:
        found = [p for p in self.session.problems if p.path == "transforms" or p.path.startswith("transforms.")]
        self.preview.oddities.show_problems([p for p in found if p.severity == "warning"][:1])
        found = [p for p in found if p.severity == "error"]
        title = ""
        if found:
            place = found[0].path.split(".")[1:2]
            title = (
                f"{int(place[0]) + 1}  {self.session.experiment.transforms[int(place[0])].name_of()}"
                if place and int(place[0]) < len(self.session.experiment.transforms)
                else "The network"
            )
        self.preview.strip.show_problems(title, found)
        self._show_network()

    def _show_network(self) -> None:
        images = self.session.images
        if images is None:
            self.preview.show_network("")
        elif any(p.severity == "error" and p.path.startswith("transforms") for p in self.session.problems):
            self.preview.show_network("Nothing yet: what is marked red has to be mended first.")
        else:
            chain = self.session.experiment.chain
            trained, validated = (chain.kinds(images.kind, training)[-1][1] for training in (True, False))
            kept, _ = places(chain, images)
            self.preview.show_network(network_words(trained, validated, kept.words() if kept else ""))

    # ---------------------------------------------------------------- the strip

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._stale:
            self.ask()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._play(False)
        self._hold(False)

    def ask(self) -> None:
        """Have the strip computed for what is looked at now, once it is seen."""
        self._stale = not self.isVisible()
        images, error = self.session.images, self.session.data_error
        if self._stale:
            return
        if images is None:
            self._outliner.forget()
            self._tracer.forget()
            self._show_absence(error)
            return
        self._indices = picked(images, self._choice, self.preview.strip.rows)
        self._show_pinned()
        request = self._request(images)
        epochs = self.session.experiment.training.epochs
        self.preview.seen.setText(seen_words(request.view, request.chain.transforms, epochs))
        self._slow.start()
        if not self._computed:
            self._outliner.ask(partial(self._desk.outline, request))
        if not self.session.ready:
            return
        alone = request.nine is None and len(self._indices) > 1 and not request.chain.mixes
        long = alone and self._desk.seconds > _AT_ONCE
        row = min(self.preview.strip.cell[1], len(self._indices) - 1)
        self._tracer.ask(partial(self._desk.see, replace(request, first=row) if long else request))

    def _request(self, images: ImageSet) -> Request:
        experiment, preview = self.session.experiment, self.preview
        shows_kept = self._kept is not None and preview.which.key == "a"
        view = View(
            seed=experiment.training.seed,
            epoch=preview.epoch.value(),
            training=preview.training,
            as_pictures=preview.as_pictures,
            dark=THEME.dark,
            pinned={} if shows_kept else dict(self._pins),
            side=preview.nine.grid.side if preview.sight == "variants" else preview.strip.side,
            without=self._chosen if self._held and not shows_kept and self._chosen >= 0 else None,
        )
        chain = Chain(self._kept) if shows_kept and self._kept is not None else experiment.chain
        other = Chain(self._kept) if self._kept is not None and not shows_kept else None
        row = min(preview.strip.cell[1], len(self._indices) - 1)
        position = self._chosen if preview.nine.where.key == "chosen" else -1
        nine = (self._indices[row], position) if preview.sight == "variants" else None
        return Request(chain, images, tuple(self._indices), view, other, nine)

    def _show_absence(self, error: LabError | None) -> None:
        self._show_network()
        if error is not None:
            self.preview.show_notice("folder-notch-open", error.sentence, error.remedy)
        else:
            doing = self.session.progress.doing if self.session.progress else "The pictures are being opened"
            self.preview.show_notice("image", doing, "The preview begins once the pictures are there.")

    def _outline_arrived(self, seen: Seen) -> None:
        if not self._computed:
            self._columns = seen.columns
            self.preview.show_columns(self._columns, _LOADING)
            self._show_network()

    def _arrived(self, seen: Seen) -> None:
        self._computed = True
        first = seen.request.first
        if first is not None:  # the others follow, unless a newer request comes meanwhile
            self._tracer.ask(partial(self._desk.see, replace(seen.request, first=None)))
            columns = merged(self._columns, seen.columns, first)
            if not columns:
                return
            self._columns = columns
        elif seen.variants:
            self.preview.nine.show_variants(seen.title, seen.variants)
        else:
            self._columns = seen.columns
        if first is None:
            self._slow.stop()
            self.preview.strip.show_stale(False)
        self.preview.show_columns(self._columns, "")
        self._show_network()
        if self.preview.sight == "inspector":
            self._show_inspected()

    def _show_stale(self) -> None:
        self.preview.strip.show_stale(self._tracer.busy)

    def _tracing_failed(self, failed: Failed) -> None:
        self._slow.stop()
        self.preview.strip.show_stale(False)
        if not isinstance(failed.error, LabError):
            raise failed.error
        self.preview.show_notice("warning", failed.error.sentence, failed.error.remedy)

    def _shuffle(self) -> None:
        self._choice += 1
        self.ask()

    # ---------------------------------------------------------------- pinned pictures

    def _pin_picture(self, row: int) -> None:
        """Pin the picture of a row beside the curves of training, or unpin it."""
        if 0 <= row < len(self._indices):
            index = self._indices[row]
            self.session.pin(index, index not in self.session.pins)

    def _show_pinned(self) -> None:
        rows = [row for row, index in enumerate(self._indices) if index in self.session.pins]
        self.preview.strip.show_pinned(rows)
        self.preview.inspector.show_pinned(self._inspected[1] in rows)

    # ---------------------------------------------------------------- dice

    def _pin(self, position: int) -> None:
        """Lock the dice of a transform at the epoch that is seen, or let them go."""
        if position in self._pins:
            del self._pins[position]
        else:
            self._pins[position] = self.preview.epoch.value()
        self.preview.strip.show_pins(self._pins)
        self.ask()

    def _reroll(self) -> None:
        now = self.preview.epoch.value()
        self.preview.epoch.setValue(random.choice([epoch for epoch in range(1, LAST_EPOCH + 1) if epoch != now]))

    def _play(self, on: bool) -> None:
        self.preview.show_playing(on)
        if on:
            self._player.start()
        else:
            self._player.stop()

    def _play_on(self) -> None:
        """The next epoch of the run, the first one after the last."""
        now, last = self.preview.epoch.value(), max(self.session.experiment.training.epochs, 2)
        self.preview.epoch.setValue(now + 1 if now != last and now < LAST_EPOCH else 1)

    def _choose_variant(self, epoch: int) -> None:
        self.preview.show_sight("strip")
        self.preview.epoch.setValue(epoch)

    # ---------------------------------------------------------------- A and B

    def _hold(self, on: bool) -> None:
        if on != self._held:
            self._held = on
            self.ask()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """B in any of the widgets that are listened to."""
        kind = event.type()
        if kind == QEvent.Type.FocusOut:
            self._hold(False)
        elif isinstance(event, QKeyEvent) and event.key() == _HOLD and not event.modifiers():
            if not event.isAutoRepeat() and kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
                self._hold(kind == QEvent.Type.KeyPress and self._chosen >= 0)
            return kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease)
        return super().eventFilter(watched, event)

    def _compare(self, on: bool) -> None:
        """Keep the chain as it is as A, or end the comparison."""
        self._kept = self.session.experiment.transforms if on else None
        names = ", ".join(transform.name_of() for transform in self._kept or ()) or "an empty chain"
        self.preview.show_comparison(f"A: {names}" if self._kept is not None else "")
        self.ask()

    def _back_to_kept(self) -> None:
        kept = self._kept
        self._compare(False)
        if kept is not None:
            self.session.edit("transforms", kept)

    # ---------------------------------------------------------------- the inspector

    def _inspect(self, place: int, row: int) -> None:
        self._inspected = (self._columns[place].position, row)
        self._show_inspected()
        self.preview.show_sight("inspector")

    def _inspect_another(self, across: int, down: int) -> None:
        place = next((i for i, one in enumerate(self._columns) if one.position == self._inspected[0]), 0)
        self.preview.strip.go(place + across, self._inspected[1] + down)
        place, row = self.preview.strip.cell
        self._inspect(place, row)

    def _show_inspected(self) -> None:
        """The cell, or the last one before it where the chain ends earlier now."""
        position, row = self._inspected
        filled = [column for column in self._columns if column.frames]
        places = [i for i, one in enumerate(filled) if one.position <= position or one.position == position]
        if not filled or not places:
            self.preview.show_sight("strip")
            return
        exact = [i for i, one in enumerate(filled) if one.position == position]
        place = (exact or places)[-1]
        row = min(row, len(filled[place].frames) - 1)
        images = self.session.images
        assert images is not None
        index = self._indices[min(row, len(self._indices) - 1)]
        name = images.names[index] if len(images.names) else ""
        words = picture_words(index, images.classes[images.labels[index]], name)
        self._inspected = (position, row)
        self.preview.inspector.show_cell(filled, place, row, words)
        self._show_pinned()
