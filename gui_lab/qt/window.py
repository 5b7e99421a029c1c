"""The frame: rail, header, banner, pages, run bar. It has no state of its own and makes no decisions.

It is built in two steps, so that it is painted before anything heavy is imported: first the empty frame, then
`furnish` gives it a session, a run and the page that is shown (the others follow: `page_stack.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QMargins, QSize, Qt, QUrl, Signal
from PySide6.QtGui import (
    QAction,
    QCloseEvent,
    QDesktopServices,
    QDragEnterEvent,
    QDropEvent,
    QKeySequence,
    QPaintEvent,
)
from PySide6.QtWidgets import (
    QButtonGroup,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QMainWindow,
    QSizePolicy,
    QStyle,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gui_lab import paths
from gui_lab.qt.banner import Banner
from gui_lab.qt.code_reader import CodeReader
from gui_lab.qt.menu import FileMenu, last_session
from gui_lab.qt.page_stack import PageStack
from gui_lab.qt.questions import Questions
from gui_lab.qt.settings import Settings
from gui_lab.qt.theme import ICON, RAIL_WIDTH, THEME, XS, L, M, S, Scheme, label, with_icon

if TYPE_CHECKING:
    from gui_lab.qt.pages.page import Page
    from gui_lab.qt.runbar import RunBar
    from gui_lab.qt.running import RunControl
    from gui_lab.qt.session import Session

PLACES = (
    ("Dataset", "image"),
    ("Transforms", "magic-wand"),
    ("Model", "stack"),
    ("Train", "chart-line"),
    ("Concepts", "lightbulb"),
)
"""The rail, in the order of the work: word and icon."""

_FILTER = "Experiments and lessons (*.lab);;All files (*)"


class Window(QMainWindow):
    """
    `painted` is emitted once, after the first paint. `closed` is True once it has let itself be closed.
    """

    painted = Signal()

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings = settings
        self.session: Session | None = None
        self.control: RunControl | None = None
        self._was_painted = False
        self.closed = False
        self._quitting = self._closed_down = False
        self.setObjectName("window")
        self.setWindowTitle("GUI Lab[*]")
        self.setMinimumSize(QSize(1000, 640))
        self.resize(1280, 800)
        self.setAcceptDrops(True)
        self.banner = Banner()
        self.reader = CodeReader(self)
        self.questions = Questions(self)
        self.questions.stop_and_quit.connect(self._leave_the_run)
        self.questions.quit_unsaved.connect(self.stop_and_quit)
        self.questions.save_and_quit.connect(lambda: self._guarded(self._save_and_quit))
        self.stack = PageStack()
        self._bottom = QVBoxLayout()
        self._make_actions()
        self._arrange()
        geometry = settings.geometry()
        if geometry is not None:
            self.restoreGeometry(geometry)

    def fit_screen(self) -> None:
        """Fill a screen on which this window, whose place nobody has chosen yet, would be cut off below its title."""
        title = self.style().pixelMetric(QStyle.PixelMetric.PM_TitleBarHeight, None, self)
        needed, room = self.size().grownBy(QMargins(0, title, 0, 0)), self.screen().availableSize()
        if self.settings.geometry() is None and needed.boundedTo(room) != needed:
            self.setWindowState(Qt.WindowState.WindowMaximized)

    # ---------------------------------------------------------------- the frame

    def _arrange(self) -> None:
        right = QVBoxLayout()
        right.setSpacing(0)
        right.addWidget(self._header())
        right.addWidget(self.banner)
        right.addWidget(self.stack, 1)
        upper = QHBoxLayout()
        upper.setSpacing(0)
        upper.addWidget(self._rail())
        upper.addLayout(right, 1)
        self._bottom.setSpacing(0)
        self._bottom.setContentsMargins(0, 0, 0, 0)
        self._bottom.addLayout(upper, 1)
        whole = QWidget()
        whole.setLayout(self._bottom)
        self.setCentralWidget(whole)

    def _rail(self) -> QFrame:
        rail = QFrame()
        rail.setProperty("role", "rail")
        rail.setFixedWidth(RAIL_WIDTH)
        column = QVBoxLayout(rail)
        column.setContentsMargins(0, S, 1, S)
        column.setSpacing(XS)
        self.places = QButtonGroup(self)
        for number, (name, icon) in enumerate(PLACES):
            button = QToolButton()
            button.setObjectName(f"rail.{name.lower()}")
            button.setAccessibleName(name)
            button.setText(name)
            button.setToolTip(f"{name} (Ctrl+{number + 1})")
            button.setShortcut(QKeySequence(f"Ctrl+{number + 1}"))
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
            button.setCheckable(True)
            button.setProperty("role", "place")
            button.setFixedWidth(RAIL_WIDTH - 1)
            with_icon(button, icon)
            button.setIconSize(QSize(ICON + 4, ICON + 4))
            button.clicked.connect(partial(self.go, name))
            self.places.addButton(button, number)
            column.addWidget(button)
        self.places.button(0).setChecked(True)
        column.addStretch(1)
        return rail

    def _header(self) -> QFrame:
        header = QFrame()
        header.setProperty("role", "header")
        header.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.title = label(PLACES[0][0], "title", name="header.title")
        self.line = label("", "quiet", name="header.line")
        row = QHBoxLayout(header)
        row.setContentsMargins(L, S, M, S)
        row.setSpacing(M)
        row.addWidget(self.title)
        row.addWidget(self.line, 1)
        file = self._tool("header.file", "File", "folder-open")
        file.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        file.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu = FileMenu(file, self.actions_by_name, self.settings)
        self.menu.open_wanted.connect(self.open_file)
        self.menu.scheme_wanted.connect(self.choose_scheme)
        file.setMenu(self.menu)
        self.undo_button = self._tool_of("undo", "arrow-u-up-left")
        self.redo_button = self._tool_of("redo", "arrow-u-up-right")
        for widget in (file, self.undo_button, self.redo_button):
            row.addWidget(widget)
        return header

    def _tool(self, name: str, text: str, icon: str) -> QToolButton:
        button = QToolButton()
        button.setObjectName(name)
        button.setAccessibleName(text)
        button.setText(text)
        button.setToolTip(text)
        button.setProperty("role", "plain")
        with_icon(button, icon)
        return button

    def _tool_of(self, name: str, icon: str) -> QToolButton:
        action = self.actions_by_name[name]
        button = self._tool(f"header.{name}", action.text(), icon)
        button.setToolTip(f"{action.text()} ({action.shortcut().toString()})")
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        button.setEnabled(action.isEnabled())
        button.clicked.connect(action.trigger)
        action.enabledChanged.connect(button.setEnabled)
        return button

    # ---------------------------------------------------------------- actions

    def _make_actions(self) -> None:
        keys = QKeySequence.StandardKey
        table: tuple[tuple[str, str, QKeySequence.StandardKey | str, Callable[[], object]], ...] = (
            ("new", "New experiment", keys.New, lambda: self._session().start_anew()),
            ("open", "Open…", keys.Open, self._ask_open),
            ("save", "Save", keys.Save, self._save),
            ("save_as", "Save as…", keys.SaveAs, self._ask_save),
            ("undo", "Undo", keys.Undo, lambda: self._session().undo()),
            ("redo", "Redo", keys.Redo, lambda: self._session().redo()),
            ("runs", "Show the folder of runs", "", self._show_runs),
            ("quit", "Quit", keys.Quit, self.close),
        )
        self.actions_by_name: dict[str, QAction] = {}
        for name, text, key, work in table:
            action = QAction(text, self)
            action.setObjectName(f"action.{name}")
            action.setShortcut(QKeySequence(key))
            action.setStatusTip(text)
            action.triggered.connect(lambda _checked=False, work=work: self._guarded(work))
            self.addAction(action)
            self.actions_by_name[name] = action
        for action in self.actions_by_name.values():
            action.setEnabled(action.objectName() == "action.quit")

    def _guarded(self, work: Callable[[], object]) -> None:
        """Do it; an expected error becomes a banner."""
        from gui_lab.errors import LabError

        try:
            work()
        except LabError as error:
            self.banner.show_error(error)

    def _session(self) -> Session:
        assert self.session is not None
        return self.session

    def choose_scheme(self, scheme: Scheme) -> None:
        THEME.choose(scheme)
        self.settings.keep_scheme(scheme)

    # ---------------------------------------------------------------- furnishing

    def furnish(
        self, session: Session, control: RunControl, makers: Mapping[str, Callable[[], Page]], runbar: RunBar
    ) -> None:
        """Fill the frame: from here on it answers to the session.

        Args:
            makers: how the page of each place is made.
        """
        self.session, self.control = session, control
        self.stack.furnish(makers, lambda: control.running)
        runbar.steer(control)
        self._bottom.addWidget(runbar)
        for name, action in self.actions_by_name.items():
            action.setEnabled(name not in ("undo", "redo"))
        session.experiment_changed.connect(self._show_edits)
        session.file_changed.connect(self._show_edits)
        session.erred.connect(self.banner.show_error)
        self.banner.repair_chosen.connect(session.repair)
        session.code_shown.connect(self.reader.show_code)
        session.ready_changed.connect(self.stack.rest.start)
        self.reader.trusted.connect(session.trust)
        control.failed.connect(self._show_failure)
        control.state_changed.connect(self._run_changed)
        runbar.training_wanted.connect(partial(self.go, "Train"))
        self._show_edits()
        chosen = self.places.checkedId()
        self.go(PLACES[chosen][0] if chosen else self.settings.place() or PLACES[0][0])
        self.stack.setFocus()

    def page(self, place: str) -> Page:
        """The page of a place."""
        return self.stack.page(place)

    def go(self, name: str) -> None:
        """Show a place."""
        names = [place for place, _ in PLACES]
        number = names.index(name) if name in names else 0
        self.places.button(number).setChecked(True)
        for button in self.places.buttons():  # Tab comes to the place that is shown, arrow keys go on to the others
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus if button.isChecked() else Qt.FocusPolicy.NoFocus)
        self.title.setText(names[number])
        self.line.setText(self.stack.show_page(names[number]))

    def _show_edits(self) -> None:
        session = self._session()
        self.actions_by_name["undo"].setEnabled(session.can_undo)
        self.actions_by_name["redo"].setEnabled(session.can_redo)
        self.setWindowTitle(f"{session.file.name}[*] – GUI Lab" if session.file else "GUI Lab[*]")
        self.setWindowModified(session.modified and session.file is not None)

    def _show_failure(self, failed: object) -> None:
        from gui_lab.errors import LabError
        from gui_lab.qt.running import as_lab_error
        from gui_lab.qt.threads import Failed

        assert isinstance(failed, Failed)
        report = "" if isinstance(failed.error, LabError) else failed.trace
        self.banner.show_error(as_lab_error(failed), report)

    # ---------------------------------------------------------------- files

    def open_file(self, path: Path) -> None:
        """Open an experiment or a lesson; what cannot be read becomes a banner and nothing changes."""
        self._guarded(lambda: self._open(path))

    def _open(self, path: Path) -> None:
        from gui_lab.core import lessons

        if lessons.is_lesson(path):
            self.go("Concepts")
            self.page("Concepts").begin(lessons.load(path))  # type: ignore[attr-defined]  # the Concepts page's own
        else:
            self._session().open_file(path)
        self.banner.hide()
        if path != last_session():
            self.settings.add_recent(path)

    def _save(self) -> None:
        file = self._session().file
        if file is None:
            self._ask_save()
        else:
            self._save_to(file)

    def _save_to(self, path: Path) -> None:
        self._session().save_file(path if path.suffix else path.with_suffix(".lab"))
        self.settings.add_recent(path if path.suffix else path.with_suffix(".lab"))

    def _ask_open(self) -> None:
        dialog = self._file_dialog("Open an experiment or a lesson", QFileDialog.AcceptMode.AcceptOpen)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda name: self.open_file(Path(name)))
        dialog.open()

    def _ask_save(self) -> None:
        dialog = self._file_dialog("Save the experiment", QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("lab")
        dialog.fileSelected.connect(lambda name: self._guarded(lambda: self._save_to(Path(name))))
        dialog.open()

    def _file_dialog(self, title: str, mode: QFileDialog.AcceptMode) -> QFileDialog:
        file = self._session().file
        folder = str(file.parent if file else Path.home())
        dialog = QFileDialog(self, title, folder, _FILTER)
        dialog.setObjectName("file_dialog")
        dialog.setAcceptMode(mode)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        return dialog

    def _show_runs(self) -> None:
        paths.runs().mkdir(parents=True, exist_ok=True)
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(paths.runs())))

    # ---------------------------------------------------------------- Qt's calls

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._was_painted:
            self._was_painted = True
            self.painted.emit()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self._dropped(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        path = self._dropped(event)
        if path is None:
            return
        if path.is_dir():
            self.go("Dataset")
            self.page("Dataset").take_folder(path)  # type: ignore[attr-defined]  # the Dataset page's own
        else:
            self.open_file(path)

    def _dropped(self, event: QDropEvent) -> Path | None:
        urls = event.mimeData().urls()
        path = Path(urls[0].toLocalFile()) if len(urls) == 1 and urls[0].isLocalFile() else None
        wanted = path is not None and self.session is not None and (path.is_dir() or path.suffix == ".lab")
        return path if wanted else None

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.control is not None and self.control.running and not self._quitting:
            event.ignore()
            self.questions.about_the_run()
            return
        if self._asks_about_edits():
            event.ignore()
            return
        self.settings.keep_geometry(self.saveGeometry())
        self.settings.keep_place(PLACES[self.places.checkedId()][0])
        self._close_down()
        self.closed = True
        event.accept()

    def _asks_about_edits(self) -> bool:
        session = self.session
        if session is None or session.file is None or not session.modified or self._quitting:
            return False
        self.questions.about_edits(session.file.name)
        return True

    def _leave_the_run(self) -> None:
        """The run may end; where the file has changes, they are asked about before it does."""
        if not self._asks_about_edits():
            self.stop_and_quit()

    def _save_and_quit(self) -> None:
        self._save()
        self.stop_and_quit()

    def stop_and_quit(self) -> None:
        """End the run if there is one, keep its weights, and close without further questions."""
        self._quitting = True
        if self.control is not None and self.control.running:
            self.control.stop()
        else:
            self.close()

    def _run_changed(self) -> None:
        assert self.control is not None
        if self._quitting and not self.control.running:
            self.close()

    def _close_down(self) -> None:
        if self.session is None or self.control is None or self._closed_down:
            return
        self._closed_down = True
        self.reader.close()
        self._guarded(self._keep_session)
        self.control.close()
        self.stack.close_down()
        self.session.close()

    def _keep_session(self) -> None:
        paths.config().mkdir(parents=True, exist_ok=True)
        self._session().experiment.save(last_session())
