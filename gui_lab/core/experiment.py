"""The complete recipe of a run as one frozen value, and its file.

A `*.lab` file is TOML that a person can read and write: one table per choice, each addressed by `name` with its fields
beside it, and `version = 1`. Reading collects every problem at once, each with the path of its field, and never runs
anything. A relative path (the `root` of a data set, the `file` of an own transform) is meant from the file's own
folder, so that a folder with all of them can be moved.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tomlkit

from gui_lab.core import arrays, checking
from gui_lab.core.chain import Chain
from gui_lab.core.documents import parsed, text_of, version_problems
from gui_lab.core.files import write_atomically
from gui_lab.core.images import DATASETS, Dataset, ImageSet
from gui_lab.core.learning import LOSSES, MODELS, OPTIMIZERS, SCHEDULERS, Loss, Model, Optimizer, Scheduler, Training
from gui_lab.core.pairing import learning_problems
from gui_lab.core.pipeline import TRANSFORMS, Kind, Transform, every
from gui_lab.core.trust import Code
from gui_lab.errors import InvalidExperiment, UnreadableDocument
from gui_lab.schema import Problem, Registry, Repair, Spec, SpecType, knobs, parse

VERSION = 1
SECTIONS = ("dataset", "transforms", "model", "loss", "optimizer", "schedulers", "training")
_CHOICES: dict[str, Registry[Any]] = {"dataset": DATASETS, "model": MODELS, "loss": LOSSES, "optimizer": OPTIMIZERS}
_LISTS: dict[str, Registry[Any]] = {"transforms": TRANSFORMS, "schedulers": SCHEDULERS}
_ALWAYS = {"loss": {"name": "CrossEntropyLoss"}}
"""What files that do not name it mean."""


@dataclass(frozen=True)
class Experiment:
    """Everything that decides a run. Parts are compared by value."""

    dataset: Dataset
    transforms: tuple[Transform, ...]
    model: Model
    loss: Loss
    optimizer: Optimizer
    schedulers: tuple[Scheduler, ...]
    training: Training

    @property
    def chain(self) -> Chain:
        return Chain(self.transforms)

    def code(self) -> list[Code]:
        """The code that came with it, all of which has to be trusted before it can train; nothing is run."""
        return [code for transform in every(self.transforms) if (code := transform.code()) is not None]

    def edited(self, path: str, value: Any) -> Experiment:
        """A copy with the value at a path replaced.

        Args:
            path: "training.epochs", "transforms.1.degrees", "model" (a spec or a name), "transforms" (specs). Paths of
                lists are those of `transforms` and `schedulers`.
            value: plain data, a spec, or specs; `dataset.name` and the like start from the new entry's defaults.

        Raises:
            InvalidExperiment: there is no such place, or the value does not fit it.
        """
        document = self.document(full=True)
        _put(document, path, value)
        edited = from_document(document)
        same = {name: getattr(self, name) for name in SECTIONS if getattr(self, name) == getattr(edited, name)}
        return replace(edited, **same)

    def document(self, *, full: bool = False) -> dict[str, Any]:
        """As plain data; fields at their default are left out unless `full`."""
        training = self.training.table(full=full)
        del training["name"]
        return {
            "version": VERSION,
            **{name: getattr(self, name).table(full=full) for name in _CHOICES},
            **{name: [one.table(full=full) for one in getattr(self, name)] for name in _LISTS},
            "training": training,
        }

    def to_toml(self, *, full: bool = False) -> str:
        """As the text of a `*.lab` file."""
        document = self.document(full=full)
        for name in _LISTS:
            if not document[name]:
                del document[name]
        return tomlkit.dumps({key: document[key] for key in ("version", *SECTIONS) if key in document})

    def save(self, path: Path) -> None:
        """Write a `*.lab` file, whole or not at all; paths are written relative where they lie below its folder.

        Raises:
            UnreadableDocument: the file cannot be written.
        """
        saved = _with_paths(self, lambda root: _relative(root, path.absolute().parent))
        try:
            write_atomically(path, saved.to_toml().encode())
        except OSError as error:
            raise UnreadableDocument(
                f"{path.name} could not be saved: {error.strerror or error}.", "Choose another folder."
            ) from error
        except UnicodeEncodeError as error:
            raise UnreadableDocument(
                f"{path.name} could not be saved: the name of the pictures' folder is not text.", "Rename the folder."
            ) from error

    def carried(self, folder: Path) -> Experiment:
        """The same, as a file in a folder names it: with the arrays that its transforms read copied there, and all
        other paths from the root on.

        Raises:
            DataError: one of them is not there.
            OSError: one cannot be copied.
        """
        rooted = _with_paths(self, lambda path: path if arrays.measured(path) else path.absolute())
        return replace(rooted, transforms=tuple(_carried(transform, folder) for transform in rooted.transforms))

    def problems(self, images: ImageSet | None = None) -> list[Problem]:
        """All that is wrong with it, as far as can be told without training.

        Args:
            images: its opened data set; without it only what does not depend on pictures is checked.
        """
        if images is None:
            return []
        found = checking.problems(self.chain, images.kind, self.dataset)
        if not any(problem.severity == "error" for problem in found):
            found += self._model_problems(images.kind)
        found += learning_problems(
            self.model, self.loss, self.optimizer, self.schedulers, self.training, self.chain,
            classes=len(images.classes), samples=len(images.train),
        )  # fmt: skip
        batch, samples = self.training.batch_size, len(images.train)
        if batch > samples:
            fits = min(64, 2 ** max(samples.bit_length() - 1, 0))
            repair = Repair(f"Use {fits}", "training.batch_size", fits)
            sentence = f"A batch of {batch:,} is larger than the {samples:,} training pictures."
            found.append(Problem("training.batch_size", sentence, (repair,)))
        return found

    def _model_problems(self, source: Kind) -> list[Problem]:
        least = self.model.smallest_side()
        _, height, width = self.chain.output(source).shape
        if min(height, width) >= least:
            return []
        larger = max(height, least), max(width, least)
        sentence = f"{self.model.name_of()} needs pictures of at least {least}x{least}, but {height}x{width} reach it."
        repair = Repair(f"Insert Resize to {larger[0]}x{larger[1]}", "transforms", self._enlarged(source, larger))
        return [Problem("model", sentence, (repair,))]

    def _enlarged(self, source: Kind, size: tuple[int, int]) -> tuple[Transform, ...]:
        """The transforms with a Resize before ToTensor, or at the end where a later one would undo it."""
        resize = TRANSFORMS.make("Resize", size=size)
        names = [transform.name_of() for transform in self.transforms]
        place = names.index("ToTensor") if "ToTensor" in names else len(names)
        early = (*self.transforms[:place], resize, *self.transforms[place:])
        chain = Chain(early)
        stays = all(chain.kinds(source, training)[-1][1].size == size for training in (True, False))
        return early if stays else (*self.transforms, resize)


def default() -> Experiment:
    """What the lab opens with: real digits, the shortest honest chain, and a network that learns them in seconds."""
    return Experiment(
        dataset=DATASETS.make("Digits"),
        transforms=(TRANSFORMS.make("ToTensor"), TRANSFORMS.make("Normalize", mean=(0.305,), std=(0.376,))),
        model=MODELS.make("MNISTNet"),
        loss=LOSSES.make("CrossEntropyLoss"),
        optimizer=OPTIMIZERS.make("Adam"),
        schedulers=(),
        training=Training(epochs=20),
    )


def from_document(document: Mapping[str, Any]) -> Experiment:
    """
    Raises:
        InvalidExperiment: with all problems at once, each with its path.
        UnreadableDocument: the version is not one that this program reads.
    """
    problems = version_problems(document, "experiment", VERSION)
    for key in document:
        if key not in (*SECTIONS, "version"):
            problems.append(Problem(str(key), f"There is no such part. An experiment has {', '.join(SECTIONS)}."))
    parts: dict[str, Any] = {}
    for name, registry in _CHOICES.items():
        table = document.get(name, _ALWAYS.get(name, {}))
        parts[name] = _gathered(problems, lambda r=registry, n=name, t=table: r.parse(t, n))
    parts["training"] = _gathered(problems, lambda: _training(document.get("training", {})))
    for name, family in _LISTS.items():
        parts[name] = family.parse_all(document.get(name, []), name, problems)
    if problems:
        raise InvalidExperiment(problems)
    return Experiment(**parts)


def from_toml(text: str, folder: Path | None = None) -> Experiment:
    """
    Args:
        text: of a `*.lab` file.
        folder: what relative paths are meant from; the working folder where left out.

    Raises:
        InvalidExperiment: with all problems at once.
        UnreadableDocument: it is not TOML, or its version is not one that this program reads.
    """
    document = parsed(text)
    if folder is None:
        return from_document(document)
    tables = document.get("transforms", [])
    for table in tables if isinstance(tables, list) else ():
        _resolve(table, TRANSFORMS, folder)
    return _with_paths(from_document(document), lambda path: _resolved(path, folder))


def _resolve(table: Any, registry: Registry[Any], folder: Path) -> None:
    """Relative paths of a document's table, before it is read: the fields of an own transform stand in its file."""
    if not isinstance(table, dict) or table.get("name") not in registry:
        return
    entry = registry.get(table["name"])
    for knob in knobs(entry):
        given = table.get(knob.name)
        if knob.kind == "path" and isinstance(given, str) and not given.startswith("~"):
            table[knob.name] = str(_resolved(Path(given), folder))
    for field, inner in entry.holds.items():
        for held in table[field] if isinstance(table.get(field), list) else ():
            _resolve(held, inner, folder)


def load(path: Path) -> Experiment:
    """Read a `*.lab` file; relative paths are meant from its folder.

    Raises:
        InvalidExperiment: with all problems at once.
        UnreadableDocument: it cannot be read, is too large, or is not an experiment.
    """
    return from_toml(text_of(path), path.absolute().parent)


def _training(table: Any) -> Training:
    if not isinstance(table, Mapping):
        raise InvalidExperiment([Problem("training", "Must be a table: [training].")])
    try:
        return parse(Training, table)
    except InvalidExperiment as invalid:
        raise InvalidExperiment([problem.under("training") for problem in invalid.problems]) from None


def _gathered(problems: list[Problem], read: Any) -> Any:
    try:
        return read()
    except InvalidExperiment as invalid:
        problems.extend(invalid.problems)
        return None


def _plain(value: Any) -> Any:
    if isinstance(value, Training):
        return value.model_dump(mode="json")
    if isinstance(value, Spec):
        return value.table(full=True)
    if isinstance(value, Path):
        return str(value)
    return [_plain(member) for member in value] if isinstance(value, (tuple, list)) else value


def _put(document: dict[str, Any], path: str, value: Any) -> None:
    keys = path.split(".")
    place: Any = document
    for key in keys[:-1]:
        place = _at(place, key, path)
    last, plain = keys[-1], _plain(value)
    if len(keys) == 1 and last in _CHOICES and isinstance(plain, str):
        plain = {"name": plain}
    if isinstance(place, list):
        _at(place, last, path)
        place[int(last)] = plain
    elif not isinstance(place, dict) or (len(keys) == 1 and last not in SECTIONS):
        raise InvalidExperiment([Problem(path, "There is no such place in an experiment.")])
    elif last == "name" and plain != place.get("name"):
        place.clear()
        place["name"] = plain
    elif plain is None:
        place.pop(last, None)
    else:
        place[last] = plain


def _at(place: Any, key: str, path: str) -> Any:
    if isinstance(place, dict) and key in place:
        return place[key]
    if isinstance(place, list) and key.isdecimal() and int(key) < len(place):
        return place[int(key)]
    raise InvalidExperiment([Problem(path, "There is no such place in an experiment.")])


def _with_paths(experiment: Experiment, change: Callable[[Path], Path]) -> Experiment:
    """The same experiment with the places of its files and folders changed."""
    transforms = tuple(_moved(transform, change) for transform in experiment.transforms)
    return replace(experiment, dataset=_moved(experiment.dataset, change), transforms=transforms)


def _moved(spec: SpecType, change: Callable[[Path], Path]) -> SpecType:
    values: dict[str, Any] = {field: tuple(_moved(one, change) for one in getattr(spec, field)) for field in spec.holds}
    for knob in knobs(type(spec)):
        path = getattr(spec, knob.name)
        if isinstance(path, Path) and not str(path).startswith("~"):  # a home folder is the same from everywhere
            values[knob.name] = change(path)
    return spec.model_copy(update=values) if values else spec


def _carried(transform: Transform, folder: Path) -> Transform:
    held = {field: tuple(_carried(one, folder) for one in getattr(transform, field)) for field in transform.holds}
    files = {knob.name: getattr(transform, knob.name) for knob in knobs(type(transform)) if knob.files == arrays.FILES}
    copies = {name: arrays.copied(file, folder) for name, file in files.items() if file is not None}
    return transform.model_copy(update={**held, **copies}) if held or copies else transform


def _resolved(path: Path, folder: Path) -> Path:
    """What a file in this folder means by a path; what the lab has measured is in its own store where no copy lies
    here."""
    found = Path(os.path.normpath(folder / path))
    return path if arrays.measured(path) and not found.exists() else found


def _relative(root: Path, folder: Path) -> Path:
    """As a file in this folder names it: relative where it lies below, so that both can be moved together."""
    if arrays.measured(root):
        return root
    root = root.absolute()
    return root.relative_to(folder) if root.is_relative_to(folder) else root
