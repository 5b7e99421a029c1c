"""Where a person's things live on this machine; one environment variable moves them all (tests, classrooms)."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import PlatformDirs

_DIRS = PlatformDirs("gui-lab", appauthor=False)


def home() -> Path | None:
    """The folder named by GUI_LAB_HOME, under which everything is kept; None where it is not set."""
    given = os.environ.get("GUI_LAB_HOME")
    return Path(given).expanduser() if given else None


def config() -> Path:
    """Window state and preferences."""
    own = home()
    return own / "config" if own else Path(_DIRS.user_config_dir)


def runs() -> Path:
    """One folder a run."""
    own = home()
    return own / "runs" if own else Path(_DIRS.user_data_dir) / "runs"


def datasets() -> Path:
    """Pictures that were downloaded, in torchvision's layout."""
    own = home()
    return own / "datasets" if own else Path(_DIRS.user_data_dir) / "datasets"


def measured() -> Path:
    """What was measured from pictures and is too large for an experiment's file."""
    own = home()
    return own / "measured" if own else Path(_DIRS.user_data_dir) / "measured"


def logs() -> Path:
    own = home()
    return own / "logs" if own else Path(_DIRS.user_log_dir)
