"""The design system, in one place: space, type, colour roles, icons, and the style sheet made of them.

Fusion draws the widgets, so that all platforms look alike; palette and sheet come from the roles below. The scheme
follows the system or the person's choice, and whoever paints by hand (plots, picture grids) asks `THEME.colours` and
repaints on `THEME.changed`.
"""

from __future__ import annotations

import functools
import sys
from dataclasses import asdict, dataclass
from string import Template
from typing import Literal

from PySide6.QtCore import QObject, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QGuiApplication, QIcon, QPainter, QPaintEvent, QPalette, QPixmap
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QSizePolicy, QWidget

from gui_lab import resources

Scheme = Literal["system", "light", "dark"]

# Space, in device-independent pixels.
XS, S, M, L, XL = 4, 8, 12, 16, 24
CORNER = 6
RAIL_WIDTH = 72
ICON = 18

# Type, in pixels.
CAPTION, BASE, SECTION, TITLE = 11, 13, 15, 20


@dataclass(frozen=True)
class Colours:
    """Colour roles. No state is told by colour alone: a word, a shape or a dash stands beside it."""

    window: str
    surface: str
    raised: str
    hover: str
    line: str
    text: str
    quiet: str
    accent: str
    on_accent: str
    training: str
    validation: str
    best: str
    error: str
    error_surface: str
    warning: str


LIGHT = Colours(
    window="#f6f7f9", surface="#ffffff", raised="#eef0f4", hover="#e6e9ef", line="#d9dde4", text="#1c2230",
    quiet="#5d6678", accent="#2f5fd0", on_accent="#ffffff", training="#2f6fd6", validation="#c8620a",
    best="#1d8348", error="#c0282d", error_surface="#fdeeee", warning="#8a6100",
)  # fmt: skip
DARK = Colours(
    window="#15181e", surface="#1c2028", raised="#262b35", hover="#2e3440", line="#343b48", text="#e6e9ef",
    quiet="#9aa4b5", accent="#6f9bff", on_accent="#0d1220", training="#6aa5ff", validation="#f59b4a",
    best="#5cc98a", error="#ff7b7f", error_surface="#3a2226", warning="#e0b24a",
)  # fmt: skip


# Classes, on all pages: Paul Tol's muted set with a darker grey; its dark tones are lighter on a dark ground.
_CLASSES = (
    "#332288", "#88ccee", "#44aa99", "#117733", "#999933", "#ddcc77", "#cc6677", "#882255", "#aa4499", "#808893",
)  # fmt: skip
_CLASSES_ON_DARK = {"#332288": "#7266d0", "#117733": "#2f9e5b", "#882255": "#a63a72"}


class Theme(QObject):
    """The scheme in force. `changed` is emitted after palette and sheet are in place."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.scheme: Scheme = "system"
        self.colours = LIGHT
        self.icons = True

    @property
    def dark(self) -> bool:
        return self.colours is DARK

    def install(self, app: QApplication) -> None:
        """Set style, font, palette and sheet, and follow the system from now on."""
        app.setStyle("Fusion")
        font = QFont(app.font())
        font.setPixelSize(BASE)
        app.setFont(font)
        _numbers_font.cache_clear()
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._system_changed)
        self.choose(self.scheme)

    def hold_icons(self) -> None:
        """Until `show_icons`, buttons stay without: loading the icon set takes half as long as all the first paint."""
        self.icons = "qtawesome" in sys.modules

    def show_icons(self) -> None:
        if not self.icons:
            self.icons = True
            self.changed.emit()

    def choose(self, scheme: Scheme) -> None:
        """Light, dark, or as the system says."""
        self.scheme = scheme
        wanted = {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark}.get(scheme, Qt.ColorScheme.Unknown)
        QGuiApplication.styleHints().setColorScheme(wanted)
        dark = scheme == "dark" or (scheme == "system" and self._system_is_dark())
        self._apply(DARK if dark else LIGHT)

    def _system_is_dark(self) -> bool:
        return QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark

    def _system_changed(self) -> None:
        if self.scheme == "system":
            self._apply(DARK if self._system_is_dark() else LIGHT)

    def _apply(self, colours: Colours) -> None:
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        if colours is self.colours and app.styleSheet():
            return
        self.colours = colours
        app.setPalette(_palette(colours))
        app.setStyleSheet(_sheet(colours))
        self.changed.emit()


THEME = Theme()


def icon(name: str, colour: str = "") -> QIcon:
    """An icon of the Phosphor set ("play", "pause", "arrow-u-up-left"), tinted for the scheme in force."""
    return _icon(name, colour or THEME.colours.text, THEME.colours.line) if THEME.icons else QIcon()


@functools.lru_cache(maxsize=512)
def _icon(name: str, tint: str, disabled: str) -> QIcon:
    import qtawesome

    made: QIcon = qtawesome.icon(f"ph.{name}", color=tint, color_disabled=disabled, color_active=tint)
    return made


def sign(name: str, role: str, side: int, ratio: float) -> QPixmap:
    """An icon as a picture to paint with: square, `side` device-independent pixels, in the colour of a role."""
    return _sign(name, getattr(THEME.colours, role), side, ratio) if THEME.icons else QPixmap()


@functools.lru_cache(maxsize=128)
def _sign(name: str, tint: str, side: int, ratio: float) -> QPixmap:
    """Kept, for drawing an icon takes longer than a picture."""
    return icon(name, tint).pixmap(QSize(side, side), ratio)


def with_icon(button: QAbstractButton, name: str, role: str = "text") -> None:
    """Give a button an icon that keeps to the scheme; `role` is a name of `Colours`. Calling again replaces it."""
    button.setProperty("icon_name", name)
    button.setProperty("icon_role", role)
    button.setIconSize(QSize(ICON, ICON))
    _tint(button)
    if not button.property("icon_follows"):
        button.setProperty("icon_follows", True)
        _Tinted(button)


class _Tinted(QObject):
    """Re-tints its parent's icon when the scheme changes; goes with the button."""

    def __init__(self, button: QAbstractButton) -> None:
        super().__init__(button)
        THEME.changed.connect(self.tint)

    def tint(self) -> None:
        button = self.parent()
        assert isinstance(button, QAbstractButton)
        _tint(button)


def _tint(button: QAbstractButton) -> None:
    button.setIcon(icon(button.property("icon_name"), getattr(THEME.colours, button.property("icon_role"))))


def label(text: str = "", role: str = "body", *, wrap: bool = False, name: str = "") -> QLabel:
    """A label in one of the type roles: "title", "section", "body", "quiet", "caption", "number", "error"."""
    made = QLabel(text)
    made.setProperty("role", role)
    made.setWordWrap(wrap)
    made.setTextFormat(Qt.TextFormat.PlainText)
    if name:
        made.setObjectName(name)
    return made


class Elided(QLabel):
    """A line that ends in an ellipsis where there is no room; the whole of it is its tool tip. It takes the room it is
    given, so other words are painted and nothing is laid out anew for them, as Qt's own label does."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._words = ""
        self.setObjectName(name)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def setText(self, text: str) -> None:
        if text != self._words:
            self._words = text
            self.setToolTip(text)
            self.setAccessibleName(text)
            self.update()

    def text(self) -> str:
        return self._words

    def sizeHint(self) -> QSize:
        return QSize(0, self.fontMetrics().height())

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        words = self.fontMetrics().elidedText(self._words, Qt.TextElideMode.ElideRight, self.width())
        with QPainter(self) as painter:
            painter.setPen(self.palette().color(self.foregroundRole()))
            painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), words)


def set_role(widget: QWidget, role: str) -> None:
    """Change a widget's role of the sheet ("error", "primary", ...) and restyle it."""
    if widget.property("role") != role:
        widget.setProperty("role", role)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def colour(role: str, alpha: int = 255) -> QColor:
    """A colour role of the scheme in force, for painting by hand. Shared by all who ask: it is not to be changed."""
    return _read(getattr(THEME.colours, role), alpha)


@functools.lru_cache(maxsize=256)
def _read(tone: str, alpha: int) -> QColor:
    """Kept, for to read a colour, and to copy it, takes longer than to paint with it."""
    made = QColor(tone)
    made.setAlpha(alpha)
    return made


def class_colour(label: int) -> QColor:
    """The colour of a class by its label; after ten they come again, lighter, then darker."""
    return QColor(_class_colour(label % (3 * len(_CLASSES)), THEME.dark))


@functools.lru_cache(maxsize=64)
def _class_colour(label: int, dark: bool) -> QColor:
    tone = _CLASSES[label % len(_CLASSES)]
    made = QColor(_CLASSES_ON_DARK.get(tone, tone) if dark else tone)
    turn = label // len(_CLASSES)
    return made if turn == 0 else made.lighter(135) if turn == 1 else made.darker(135)


def numbers_font(pixels: int = BASE) -> QFont:
    """The system font with figures of one width, so that readouts do not dance."""
    return QFont(_numbers_font(pixels))


@functools.lru_cache(maxsize=32)
def _numbers_font(pixels: int) -> QFont:
    font = QFont(QApplication.font())
    font.setPixelSize(pixels)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def _palette(colours: Colours) -> QPalette:
    palette = QPalette()
    roles = {
        QPalette.ColorRole.Window: colours.window, QPalette.ColorRole.Base: colours.surface,
        QPalette.ColorRole.AlternateBase: colours.raised, QPalette.ColorRole.Button: colours.raised,
        QPalette.ColorRole.WindowText: colours.text, QPalette.ColorRole.Text: colours.text,
        QPalette.ColorRole.ButtonText: colours.text, QPalette.ColorRole.BrightText: colours.error,
        QPalette.ColorRole.Highlight: colours.accent, QPalette.ColorRole.HighlightedText: colours.on_accent,
        QPalette.ColorRole.ToolTipBase: colours.raised, QPalette.ColorRole.ToolTipText: colours.text,
        QPalette.ColorRole.PlaceholderText: colours.quiet, QPalette.ColorRole.Link: colours.accent,
        QPalette.ColorRole.Mid: colours.line, QPalette.ColorRole.Dark: colours.line,
        QPalette.ColorRole.Light: colours.raised, QPalette.ColorRole.Midlight: colours.raised,
        QPalette.ColorRole.Shadow: colours.line, QPalette.ColorRole.Accent: colours.accent,
    }  # fmt: skip
    for role, value in roles.items():
        palette.setColor(role, QColor(value))
    for role in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText):
        faint = QColor(colours.quiet)
        faint.setAlpha(130)
        palette.setColor(QPalette.ColorGroup.Disabled, role, faint)
    return palette


def _sheet(colours: Colours) -> str:
    """The style sheet of `resources/lab.qss` with the roles and sizes of this module filled in."""
    sizes = {"xs": XS, "s": S, "m": M, "l": L, "xl": XL, "corner": CORNER}
    type_sizes = {"caption": CAPTION, "base": BASE, "section": SECTION, "title": TITLE}
    signs = {way: resources.path(f"chevron-{way}.svg").as_posix() for way in ("up", "down")}
    check = resources.path(f"check-{'dark' if colours is DARK else 'light'}.svg").as_posix()
    template = Template(resources.path("lab.qss").read_text(encoding="utf-8"))
    return template.substitute(asdict(colours), **sizes, **type_sizes, **signs, check=check)
