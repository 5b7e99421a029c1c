"""Everything a person can choose: one file = one family, found by walking the folders.

An entry is a class with fields, a docstring and one or two functions, added to its registry by a decorator; forms,
files, flags, lists and contract tests follow from it. Entries never import each other, and importing them imports
neither torch nor torchvision: functions that compute import them when they are called.
"""

from __future__ import annotations

import importlib
import pkgutil


def load() -> None:
    """Import every module below this package, so that the registries are filled. Calling it again costs nothing."""
    for module in pkgutil.walk_packages(__path__, f"{__name__}."):
        importlib.import_module(module.name)
