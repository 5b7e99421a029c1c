"""Whether a window can be opened on this machine, told in one sentence before Qt is asked.

Qt itself aborts the whole process where there is no display or where a library of its X11 part is missing, with a page
of text and a core dump. So the plugin that Qt would load is loaded here first, by the system's own loader, and what
that says is turned into the name of the Debian package that is wanted. The same files are mapped a moment later by Qt,
so the look costs nothing. Only Linux needs it: elsewhere these libraries are part of the system or of PySide6.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from gui_lab.errors import DisplayError

_COMMON = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libX11.so.6": "libx11-6",
}
_OF_PLATFORM = {
    "xcb": {
        "libX11-xcb.so.1": "libx11-xcb1",
        "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
        "libxcb.so.1": "libxcb1",
        "libxcb-cursor.so.0": "libxcb-cursor0",
        "libxcb-icccm.so.4": "libxcb-icccm4",
        "libxcb-image.so.0": "libxcb-image0",
        "libxcb-keysyms.so.1": "libxcb-keysyms1",
        "libxcb-randr.so.0": "libxcb-randr0",
        "libxcb-render.so.0": "libxcb-render0",
        "libxcb-render-util.so.0": "libxcb-render-util0",
        "libxcb-shape.so.0": "libxcb-shape0",
        "libxcb-shm.so.0": "libxcb-shm0",
        "libxcb-sync.so.1": "libxcb-sync1",
        "libxcb-util.so.1": "libxcb-util1",
        "libxcb-xfixes.so.0": "libxcb-xfixes0",
        "libxcb-xkb.so.1": "libxcb-xkb1",
    },
    "wayland": {
        "libwayland-client.so.0": "libwayland-client0",
        "libwayland-cursor.so.0": "libwayland-cursor0",
        "libwayland-egl.so.1": "libwayland-egl1",
    },
}
_PACKAGES = {"libOpenGL.so.0": "libopengl0"} | _COMMON | _OF_PLATFORM["xcb"] | _OF_PLATFORM["wayland"]
_MISSING = re.compile(r"(lib[\w.+-]+\.so[.\d]*): cannot open shared object file")


def check(platform: str = "") -> None:
    """See whether Qt can open a window; one platform that works is enough.

    Args:
        platform: Qt's platform where one is asked for by name ("offscreen", "xcb"); else the environment decides.

    Raises:
        DisplayError: there is no display, it does not answer, or a system library is missing.
    """
    if sys.platform != "linux":
        return
    folder = _plugins()
    faults = []
    for name in _platforms(platform):
        fault = _fault(folder, name)
        if fault is None:
            return
        faults.append(fault)
    raise faults[-1]


@contextlib.contextmanager
def missing_libraries_told() -> Iterator[None]:
    """Around an import of PySide6: a missing system library becomes a DisplayError, any other failure stays one.

    Raises:
        DisplayError: the import failed because a system library is missing.
    """
    try:
        yield
    except ImportError as error:
        found = _MISSING.search(str(error))
        if found is None:
            raise
        raise _wanting([found[1]]) from error


def _platforms(asked: str) -> list[str]:
    """Qt's platforms in the order in which Qt tries them."""
    names = [name.partition(":")[0] for name in (asked or os.environ.get("QT_QPA_PLATFORM", "")).split(";") if name]
    if not names:
        names = ["wayland"] if os.environ.get("WAYLAND_DISPLAY") else []
        names += ["xcb"] if os.environ.get("DISPLAY") else []
    names = [name for name in names if name != "xcb" or os.environ.get("DISPLAY")]
    if not names:
        raise DisplayError(
            "There is no display to open a window on.",
            "Try `gui-lab demo --offscreen` to see the lab drive itself, or `gui-lab train` without a window.",
        )
    return names


def _plugins() -> Path | None:
    """The folder of PySide6's platform plugins; None where Qt was told to look elsewhere or has it elsewhere."""
    spec = importlib.util.find_spec("PySide6")
    if spec is None or not spec.submodule_search_locations:
        raise DisplayError("The window needs PySide6, which is not installed.", "Install GUI Lab again, or PySide6.")
    if os.environ.get("QT_PLUGIN_PATH") or os.environ.get("QT_QPA_PLATFORM_PLUGIN_PATH"):
        return None
    folder = Path(spec.submodule_search_locations[0]) / "Qt" / "plugins" / "platforms"
    return folder if folder.is_dir() else None


def _fault(folder: Path | None, platform: str) -> DisplayError | None:
    """Why Qt could not start on a platform, or None."""
    if folder is not None:
        plugin = _plugin(folder, platform)
        if plugin is None:
            return DisplayError(f"Qt has no platform named {platform!r}.", "Known: offscreen, wayland, xcb.")
        try:
            ctypes.CDLL(str(plugin))
        except OSError as error:
            return _unloadable(platform, error)
    if platform == "xcb" and not _answers():
        shown = os.environ.get("DISPLAY", "")
        return DisplayError(
            f"The display {shown!r} does not answer.",
            "Check DISPLAY and that you may use it, or try `gui-lab demo --offscreen`.",
        )
    return None


def _plugin(folder: Path, platform: str) -> Path | None:
    exact = folder / f"libq{platform}.so"
    if exact.is_file():
        return exact
    return next(iter(sorted(folder.glob(f"libq{platform}-*.so"))), None)  # as "wayland" was, before Qt 6.10


def _unloadable(platform: str, error: OSError) -> DisplayError:
    """The loader names one library at a time; a person would rather hear of all of them at once."""
    found = _MISSING.search(str(error))
    if found is None:
        return DisplayError(f"Qt cannot be loaded here: {error}.", "This system may be too old for it.")
    needed = _COMMON | _OF_PLATFORM.get(platform, {})
    return _wanting([found[1], *(name for name in needed if name != found[1] and not _loads(name))])


def _wanting(libraries: list[str]) -> DisplayError:
    packages = list(dict.fromkeys(_PACKAGES[name] for name in libraries if name in _PACKAGES))
    noun, pronoun = ("library", "it") if len(libraries) == 1 else ("libraries", "them")
    sentence = f"Qt needs the system {noun} {', '.join(libraries)}."
    if not packages:
        return DisplayError(sentence, f"Install the package of your system that contains {pronoun}.")
    return DisplayError(sentence, f"Install {pronoun} with: sudo apt-get install {' '.join(packages)}")


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _answers() -> bool:
    """Whether the X server that DISPLAY names lets us in."""
    xcb = ctypes.CDLL("libxcb.so.1")
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(None, None))
    refused = bool(xcb.xcb_connection_has_error(connection))
    xcb.xcb_disconnect(connection)
    return not refused
