"""The rooms and their doors: every import is walked, also those inside functions and for type checkers only."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "gui_lab"
FILES = sorted(PACKAGE.rglob("*.py"))
ROOMS = ("errors", "schema", "core", "catalog", "export", "cli", "qt")
"""From the ground up: a room may import those before it."""
FOR_ALL = {"", "paths", "resources"}
ENTRANCES = {"__main__", "display"}
"""What starts the program: they may import any room, and none may import them but the command line and the window."""
EXCEPTIONS = {
    ("gui_lab.errors", "gui_lab.schema"),  # for type checkers only
    ("gui_lab.cli.doctor", "gui_lab.qt.selftest"),  # the verb `doctor` tries Qt too
    ("gui_lab.cli.opening", "gui_lab.qt.app"),  # the verb `open` opens the window
    ("gui_lab.cli.window", "gui_lab.testing.demo"),  # the verb `demo` starts the robot, when it is asked for
    ("gui_lab.cli.bench", "gui_lab.testing.bench.bench"),  # as does the verb `bench`
    ("gui_lab.cli.bench", "gui_lab.testing.bench.cases"),
    ("gui_lab.cli.bench", "gui_lab.testing.bench.figures"),
}
OWN_CODE = "gui_lab.core.own_code"
WINDOWS = {"PySide6", "qtawesome", "shiboken6"}
LONGEST_FUNCTION = 60
LONGEST_FILE = 450


@dataclass(frozen=True)
class Import:
    """`gui_lab.core.dice` imported in `file`, on `line`."""

    file: Path
    line: int
    module: str

    @property
    def inside(self) -> str:
        return room_of(dotted(self.file))

    @property
    def room(self) -> str:
        return room_of(self.module)

    def __str__(self) -> str:
        return f"{self.file.relative_to(PACKAGE.parent)}:{self.line} imports {self.module}"


def dotted(file: Path) -> str:
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str:
    """The second part of its name: "core" of gui_lab.core.dice, "" of gui_lab itself."""
    return f"{module}.".split(".")[1]


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"), str(file))


def imports(file: Path) -> Iterator[Import]:
    """All modules that a file names in an import, wherever it stands; of `from a import b` both a and a.b, where the
    latter is a module of ours."""
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(file, node.lineno, alias.name)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: a relative import hides the room it leads to"
            modules = [f"{node.module}.{alias.name}" for alias in node.names]
            ours = [module for module in modules if is_module(module)]
            if len(ours) < len(modules):
                yield Import(file, node.lineno, str(node.module))
            for module in ours:
                yield Import(file, node.lineno, module)


def is_module(module: str) -> bool:
    place = PACKAGE.parent.joinpath(*module.split("."))
    return place.is_dir() or place.with_suffix(".py").is_file()


@cache
def every() -> tuple[Import, ...]:
    return tuple(found for file in FILES for found in imports(file))


@cache
def ours() -> tuple[Import, ...]:
    return tuple(found for found in every() if found.module.split(".")[0] == "gui_lab")


def told(wrong: list[Import]) -> str:
    return "\n".join(map(str, wrong))


def test_there_is_something_to_walk() -> None:
    assert len(FILES) > 20
    assert {found.inside for found in ours()} >= {"core", "catalog", "schema", "errors"}


def test_imports_run_one_way() -> None:
    """errors <- schema <- core <- catalog <- export <- cli, and qt above all of them."""
    wrong = [
        found
        for found in ours()
        if found.inside in ROOMS and found.room not in FOR_ALL and found.room not in ENTRANCES
        if (dotted(found.file), found.module) not in EXCEPTIONS
        if found.room not in ROOMS[: ROOMS.index(found.inside) + 1]
    ]
    assert not wrong, told(wrong)


def test_errors_name_a_problem_for_type_checkers_only() -> None:
    (guarded,) = [node for node in tree(PACKAGE / "errors.py").body if isinstance(node, ast.If)]
    assert ast.unparse(guarded.test) == "TYPE_CHECKING"
    found = [found for found in ours() if found.inside == "errors"]
    assert [(one.module, one.line) for one in found] == [("gui_lab.schema", guarded.body[0].lineno)]


def test_the_command_line_starts_a_window_only_when_it_is_asked_for() -> None:
    tops = {(file, node.lineno) for file in FILES for node in tree(file).body}
    wrong = [one for one in ours() if one.inside in {"cli", *ENTRANCES} and one.room in {"qt", "testing"}]
    assert not [one for one in wrong if (one.file, one.line) in tops], told(wrong)


def test_no_room_below_the_command_line_knows_how_the_program_starts() -> None:
    above = {"cli", "qt", "testing", *ENTRANCES}
    wrong = [found for found in ours() if found.room in ENTRANCES and found.inside not in above]
    assert not wrong, told(wrong)


def test_what_all_may_import_imports_no_room() -> None:
    wrong = [found for found in ours() if found.inside in FOR_ALL and found.room not in FOR_ALL]
    assert not wrong, told(wrong)


def test_the_catalogue_is_filled_by_walking_it_and_never_by_core() -> None:
    wrong = [found for found in ours() if found.inside in {"schema", "core"} and found.room == "catalog"]
    assert not wrong, told(wrong)


@pytest.mark.parametrize("folder", ["catalog", "qt/pages"])
def test_entries_and_pages_never_import_each_other(folder: str) -> None:
    """They may share a page or entry that none of them is: the module named after the folder itself."""
    inside = f"gui_lab.{folder.replace('/', '.')}."
    shared = {"gui_lab.qt.pages.page"}
    wrong = [
        found
        for found in ours()
        if dotted(found.file).startswith(inside) and found.file.name != "__init__.py"
        if found.module.startswith(inside) and found.module not in shared
    ]
    assert not wrong, told(wrong)


def test_windows_are_named_in_one_room_only() -> None:
    wrong = [
        found for found in every() if found.module.split(".")[0] in WINDOWS and found.inside not in {"qt", "testing"}
    ]
    assert not wrong, told(wrong)


def test_torch_is_named_at_the_top_of_few_modules_of_core() -> None:
    """Forms, lists and files need no torch; it is loaded by what computes."""
    computing = (
        "batch_view", "batches", "blame", "checkpoints", "gradients", "learner", "ledger", "machine", "pooling",
        "precision", "probes", "probing", "runs", "training", "uncompiled",
    )  # fmt: skip
    allowed = {f"gui_lab.core.{name}" for name in computing}
    wrong = []
    for file in FILES:
        if room_of(dotted(file)) not in {"schema", "core", "catalog"} or dotted(file) in allowed:
            continue
        for node in tree(file).body:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [str(node.module)]
                wrong += [f"{file}:{node.lineno}" for name in names if name.split(".")[0] in {"torch", "torchvision"}]
    assert not wrong


IMPORTED = """
import importlib, pkgutil, sys

def loaded():
    return {name for name in ("torch", "torchvision", "PySide6", "qtawesome") if name in sys.modules}

import gui_lab.schema, gui_lab.errors, gui_lab.paths, gui_lab.resources
print(sorted(loaded()))
import gui_lab.core.experiment, gui_lab.core.history, gui_lab.catalog
gui_lab.catalog.load()
print(sorted(loaded()))
import gui_lab.core
for module in pkgutil.walk_packages(gui_lab.core.__path__, "gui_lab.core."):
    importlib.import_module(module.name)
print(sorted(loaded() - {"torch", "torchvision"}))
"""


def test_forms_need_no_torch_and_core_needs_no_window() -> None:
    """What is really loaded, by a Python of its own: schema, then the whole catalogue, then all of core."""
    ended = subprocess.run([sys.executable, "-c", IMPORTED], capture_output=True, text=True, timeout=100, check=False)
    assert ended.stdout.splitlines() == ["[]", "[]", "[]"], ended.stderr


# the style that a machine can see


def test_a_file_is_short_and_opens_with_why() -> None:
    lengths = {dotted(file): file.read_text(encoding="utf-8").count("\n") for file in FILES}
    assert not {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE}
    assert not [dotted(file) for file in FILES if not ast.get_docstring(tree(file))], "no paragraph at their heads"


def test_functions_are_short() -> None:
    long = [
        f"{dotted(file)}.{node.name}: {length(node)} lines"
        for file in FILES
        for node in ast.walk(tree(file))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and length(node) > LONGEST_FUNCTION
    ]
    assert not long


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    assert function.end_lineno is not None
    return function.end_lineno - function.lineno + 1


def calls(file: Path) -> Iterator[tuple[ast.Call, str]]:
    """Each call with what is called, as text."""
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Call):
            yield node, ast.unparse(node.func)


def test_nobodys_text_is_run() -> None:
    """But for a person's own code, in the one module that asks for trust first."""
    wrong = [
        f"{file}:{call.lineno} {name}"
        for file in FILES
        for call, name in calls(file)
        if dotted(file) != OWN_CODE
        if name in {"eval", "exec", "builtins.eval", "builtins.exec", "os.system", "pickle.load", "pickle.loads"}
    ]
    assert not wrong


def test_no_dialog_blocks() -> None:
    """A dialog is opened, not executed: no window waits in a loop of its own. (The robot, outside of them, does.)"""
    wrong = [
        f"{file}:{call.lineno} {name}"
        for file in FILES
        for call, name in calls(file)
        if room_of(dotted(file)) != "testing" and dotted(file) != OWN_CODE
        if name.split(".")[-1] in {"exec", "exec_", "processEvents"} and not is_application(name)
    ]
    assert not wrong


def is_application(name: str) -> bool:
    return name.rpartition(".")[0].split(".")[-1].lower() in {"app", "application", "qapplication", "qguiapplication"}


def test_weights_are_never_loaded_as_code() -> None:
    wrong = [
        f"{file}:{call.lineno}"
        for file in FILES
        for call, name in calls(file)
        if name in {"torch.load", "torch.hub.load", "torch.export.load"}
        if not any(word.arg == "weights_only" and ast.unparse(word.value) == "True" for word in call.keywords)
    ]
    assert not wrong


def test_no_error_is_caught_without_a_name() -> None:
    wrong = [
        f"{file}:{node.lineno}"
        for file in FILES
        for node in ast.walk(tree(file))
        if isinstance(node, ast.ExceptHandler) and node.type is None
    ]
    assert not wrong


def test_there_is_no_drawer_for_what_has_no_place() -> None:
    drawers = {"utils", "util", "helpers", "helper", "managers", "common", "misc"}
    assert not [file for file in FILES if drawers & set(dotted(file).split("."))]
