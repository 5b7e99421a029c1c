"""The stage shares its height among exhibits before it scrolls."""

from __future__ import annotations

import numpy as np
from PySide6.QtWidgets import QApplication

from gui_lab.core.concepts import Scene
from gui_lab.core.exhibits import Column, Line, Plot, Table
from gui_lab.qt.exhibits.stage import Stage


def test_exhibits_share_the_height_before_anything_scrolls(qtbot):
    stage = Stage()
    qtbot.addWidget(stage)
    plot = Plot(title="loss", lines=(Line("a", np.arange(3.0), np.arange(3.0)),))
    stage.resize(630, 460)
    stage.show_scene(Scene(((plot,), (plot,))))
    with qtbot.waitExposed(stage):
        stage.show()
    assert stage.views[0][0].body.sizeHint().height() * 2 > 460, "they would like more than there is"
    qtbot.waitUntil(lambda: stage.widget().height() <= stage.viewport().height())
    stage.resize(630, 200)
    QApplication.sendPostedEvents()
    qtbot.waitUntil(lambda: stage.widget().height() > stage.viewport().height())


def test_none_gets_less_than_it_needs_where_another_would_like_more(qtbot):
    stage = Stage()
    qtbot.addWidget(stage)
    plot = Plot(title="loss", lines=(Line("a", np.arange(3.0), np.arange(3.0)),))
    table = Table(columns=(Column("p"),), rows=((0.5,),) * 12)
    stage.resize(630, 300)
    stage.show_scene(Scene(((table,), (plot,), (plot,))))
    with qtbot.waitExposed(stage):
        stage.show()
    for (view,) in stage.views:
        qtbot.waitUntil(lambda view=view: view.height() >= view.minimumSizeHint().height())
