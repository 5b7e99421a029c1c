"""`gui-lab new` and `gui-lab check`, and the `--set path=value` that every verb with a file takes.

A setting goes through `Experiment.edited`, the way in which the window changes a field, so it is checked by the same
declarations and answered with the same sentences. Nothing in a file is ever run, and nothing is downloaded here.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from gui_lab import catalog
from gui_lab.cli.terminal import opened, problem_lines, say
from gui_lab.core import experiment as experiments
from gui_lab.core import trust
from gui_lab.core.experiment import Experiment
from gui_lab.core.trust import Code
from gui_lab.errors import DataError, InvalidExperiment, LabError, UnreadableDocument
from gui_lab.schema import Problem, Repair, Spec

File = Annotated[Path, typer.Argument(metavar="FILE.lab", help="An experiment, as the window and `new` save it.")]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="PATH=VALUE",
        help="Change a field: training.epochs=3, model.name=LeNet5, transforms.1.mean=[0.5]. May be given many times; "
        "`gui-lab list` names the fields.",
    ),
]

TrustCode = Annotated[
    bool,
    typer.Option("--trust-code", help="Run the code that comes with the experiment. Read it first: it is not caged."),
]
_NOUNS = {"error": "problem", "warning": "warning"}


@dataclass(frozen=True)
class Setting:
    """One `--set`: the value for a path, as plain data."""

    path: str
    value: Any

    @property
    def parent(self) -> str:
        return self.path.rpartition(".")[0]

    @property
    def field(self) -> str:
        return self.path.rpartition(".")[2]


def new(
    file: Annotated[Path, typer.Argument(metavar="FILE.lab", help="The file to write.")],
    settings: Settings = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Write a new experiment to a file.

    It is the one that the lab opens with, changed by --set.
    """
    if file.suffix != ".lab":
        raise typer.BadParameter(f"{str(file)!r} does not end in .lab.", param_hint="'FILE.lab'")
    catalog.load()
    made = changed(experiments.default(), settings)
    if file.exists() and not force:
        raise UnreadableDocument(f"{file} is already there.", "Choose another name, or replace it with --force.")
    made.save(file)
    say(f"Wrote {file}.")


def check(
    file: File,
    settings: Settings = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the problems as JSON.")] = False,
    trust_code: TrustCode = False,
) -> None:
    """Check an experiment without training it.

    Everything that would keep it from training is listed, with what would mend it, and what is legal but odd as a
    warning. Nothing is downloaded.
    """
    found = _problems(file, settings, trust_code)
    wrong = [problem for problem in found if problem.severity == "error"]
    if as_json:
        say(json.dumps({"file": str(file), "problems": [_record(problem) for problem in found]}, indent=2))
    elif found:
        say(f"{file} has {_counted(found)}:")
        for problem in found:
            say("\n".join(problem_lines(problem)))
    else:
        say("No problems.")
    if wrong:
        raise typer.Exit(2)


def read(file: Path, settings: Sequence[str] | None, trust_code: bool = False) -> Experiment:
    """The experiment of a file with `--set` applied.

    Args:
        file: a `*.lab` file.
        settings: `path=value` each.
        trust_code: the code that comes with it is trusted until the process ends.

    Raises:
        InvalidExperiment: with all problems at once.
        UnreadableDocument: the file cannot be read.
    """
    catalog.load()
    return completed(experiments.load(file), settings, trust_code)


def completed(experiment: Experiment, settings: Sequence[str] | None, trust_code: bool) -> Experiment:
    """The same with `--set` applied, and its code trusted where that was said; as for `read`."""
    experiment = changed(experiment, settings)
    for code in experiment.code():
        if trust_code:
            trust.trust_for_this_process(code)
        if trust.is_trusted(code):
            import torch  # noqa: F401 - what it gives is found by trying, which does not wait for torch
    return experiment


def changed(experiment: Experiment, settings: Sequence[str] | None) -> Experiment:
    """An experiment with each `path=value` applied in order.

    A setting that does not fit alone is tried once more together with the later ones of the same table: a crop needs
    its size in the same moment in which it becomes a crop.

    Raises:
        InvalidExperiment: with the problems of all settings at once.
    """
    waiting = [_setting(text) for text in settings or ()]
    problems: list[Problem] = []
    while waiting:
        setting = waiting.pop(0)
        try:
            experiment = experiment.edited(setting.path, setting.value)
        except InvalidExperiment as invalid:
            later = [other for other in waiting if other.parent == setting.parent]
            table = _table(experiment, setting.parent)
            if not later or table is None:
                problems.extend(invalid.problems)
                continue
            waiting = [other for other in waiting if other.parent != setting.parent]
            try:
                experiment = experiment.edited(setting.parent, _merged(table, [setting, *later]))
            except InvalidExperiment as together:
                problems.extend(together.problems)
    if problems:
        raise InvalidExperiment(problems)
    return experiment


def _table(experiment: Experiment, path: str) -> dict[str, Any] | None:
    """The table at a path; None where there is none that stands for one thing with fields."""
    place: Any = experiment.document(full=True)
    for key in path.split("."):
        try:
            place = place[int(key)] if isinstance(place, list) else place[key]
        except (KeyError, IndexError, ValueError, TypeError):
            return None
    return place if isinstance(place, dict) else None


def _merged(table: dict[str, Any], settings: Sequence[Setting]) -> dict[str, Any]:
    """What several settings leave of a table; another name starts from its own defaults."""
    for setting in settings:
        if setting.field == "name" and setting.value != table.get("name"):
            table = {}
        table = {**table, setting.field: setting.value}
    return table


def _setting(text: str) -> Setting:
    path, equals, value = text.partition("=")
    if not equals or not path.strip():
        raise typer.BadParameter(f"{text!r} is not of the form path=value.", param_hint="'--set'")
    return _from_here(Setting(path.strip(), _value(value)))


def _value(text: str) -> Any:
    """What TOML reads, and what it cannot read as text; a date is text too, for no field holds one."""
    try:
        read = tomllib.loads(f"value = {text}")
    except (tomllib.TOMLDecodeError, RecursionError):
        return text
    value = read["value"]
    return value if len(read) == 1 and isinstance(value, (bool, int, float, str, list, dict)) else text


def _from_here(setting: Setting) -> Setting:
    """A folder given on the command line is meant from the current one, unlike a folder in a file."""
    match setting:
        case Setting("dataset.root", str(root)):
            return Setting(setting.path, _absolute(root))
        case Setting("dataset", {"root": str(root)}):
            return Setting(setting.path, {**setting.value, "root": _absolute(root)})
    return setting


def _absolute(root: str) -> str:
    return os.path.abspath(os.path.expanduser(root))


def _problems(file: Path, settings: Sequence[str] | None, trust_code: bool) -> list[Problem]:
    try:
        experiment = read(file, settings, trust_code)
    except InvalidExperiment as invalid:
        return list(invalid.problems)
    except UnreadableDocument as error:
        return [_told("", error)]
    try:
        images = opened(experiment.dataset)
    except DataError as error:
        return [_told("dataset", error)]
    return experiment.problems(images)


def _counted(found: Sequence[Problem]) -> str:
    """ "1 problem and 2 warnings"; what there is none of is left out."""
    counts = {noun: sum(one.severity == severity for one in found) for severity, noun in _NOUNS.items()}
    return " and ".join(f"{count} {noun}{'s' * (count > 1)}" for noun, count in counts.items() if count)


def _told(path: str, error: LabError) -> Problem:
    """An error as a problem; its remedy is advice, a repair that sets nothing."""
    return Problem(path, error.sentence, (Repair(error.remedy, "", None),) if error.remedy else ())


def _record(problem: Problem) -> dict[str, Any]:
    return {
        "path": problem.path,
        "sentence": problem.sentence,
        "severity": problem.severity,
        "remedies": [repair.label for repair in problem.repairs],
        "repairs": [
            {"label": repair.label, "path": repair.path, "value": _plain(repair.value)}
            for repair in problem.repairs
            if repair.path and not isinstance(repair.value, Code)
        ],
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Spec):
        return value.table()
    return [_plain(member) for member in value] if isinstance(value, (tuple, list)) else value
