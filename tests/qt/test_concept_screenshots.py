"""A picture of each concept at two sizes: every exhibit is painted, inside the stage, in both schemes.

The pictures are kept beside the test's other files, so that a person can look at them too (`--basetemp`).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect, QSize
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from gui_lab.core.concepts import CONCEPTS
from gui_lab.core.experiment import default
from gui_lab.qt.pages.concepts import ConceptsPage
from gui_lab.qt.running import RunControl
from gui_lab.qt.session import Session
from gui_lab.qt.theme import THEME

SIZES = {"1280x800": QSize(1208, 690), "1920x1080": QSize(1848, 970)}
_LEAST = 12  # colours: text alone, with its smooth edges, has more


@pytest.fixture(scope="module")
def session(qapp):
    made = Session(default())
    made.open_images()
    made.set_ready()
    yield made
    made.close()


@pytest.fixture
def page(qtbot, session, tmp_path):
    THEME.install(QApplication.instance())
    qtbot.waitUntil(lambda: session.images is not None, timeout=20_000)
    control = RunControl(session, tmp_path / "runs")
    made = ConceptsPage(session, control)
    qtbot.addWidget(made)
    with qtbot.waitExposed(made):
        made.show()
    yield made
    made.close_down()
    control.close()
    THEME.choose("system")


def settle(qtbot, page) -> None:
    qtbot.waitUntil(lambda: page.reader.settled, timeout=30_000)
    QApplication.processEvents()


def colours(picture: QImage, part: QRect) -> int:
    """How many different ones there are in a part of a picture."""
    cut = picture.copy(part).convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(cut.constBits(), np.uint32).reshape(cut.height(), cut.bytesPerLine() // 4)
    return len(np.unique(pixels[:, : cut.width()]))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", CONCEPTS.names())
def test_every_exhibit_is_painted(page, qtbot, tmp_path: Path, name: str, size: str) -> None:
    page.resize(SIZES[size])
    page.open(name)
    settle(qtbot, page)
    page.reader.go(page.reader.scene.steps - 1)
    settle(qtbot, page)
    pictures = {}
    for scheme in ("light", "dark"):
        THEME.choose(scheme)
        QApplication.processEvents()
        pictures[scheme] = page.grab().toImage()
        assert pictures[scheme].save(str(tmp_path / f"{name}-{size}-{scheme}.png"))
        stage = page.reader.stage
        for view in (view for row in stage.views for view in row):
            part = QRect(view.mapTo(page, QPoint(0, 0)), view.size())
            assert part.width() > 100
            assert colours(pictures[scheme], part) >= _LEAST, f"{view.objectName()} is empty ({scheme})"
    assert pictures["light"] != pictures["dark"]
