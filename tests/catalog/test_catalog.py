"""What every entry of the catalogue promises: declared once, it is form, file, flag and documentation, and it holds.

An entry that is added in a new file is tried here without another line being written.
"""

from __future__ import annotations

import inspect
import random
import types
import typing
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from annotated_types import Ge, Gt, Le, Lt
from torchvision.transforms import v2

from gui_lab.core.chain import Chain
from gui_lab.core.experiment import Experiment, from_document, from_toml
from gui_lab.core.images import DATASETS, Dataset
from gui_lab.core.learning import LOSSES, MODELS, OPTIMIZERS, SCHEDULERS, Model, Optimizer, Training
from gui_lab.core.pipeline import TRANSFORMS, Illegal, Kind, Transform
from gui_lab.errors import InvalidExperiment
from gui_lab.schema import Knob, Spec, knobs, parse


def named(entry: type[Spec]) -> str:
    return entry.name_of()


OF_TORCHVISION = [entry for entry in TRANSFORMS if entry.name_of() not in ("Lambda", "Own")]
"""A person's own code has its contract in test_own: it does nothing before it is trusted."""
TRANSFORM = pytest.mark.parametrize("entry", OF_TORCHVISION, ids=named)
OPTIMIZER = pytest.mark.parametrize("entry", list(OPTIMIZERS), ids=named)
MODEL = pytest.mark.parametrize("entry", list(MODELS), ids=named)
FAMILIES: list[type[Spec]] = [*TRANSFORMS, *MODELS, *LOSSES, *OPTIMIZERS, *SCHEDULERS, *DATASETS]
ENTRY = pytest.mark.parametrize("entry", FAMILIES, ids=named)
DECLARED = pytest.mark.parametrize("entry", [*FAMILIES, Training], ids=named)

IMAGES = [Kind.image(1, 28, 28), Kind.image(3, 20, 31), Kind.image(3, 40, 24), Kind.image(1, 5, 5)]


def made(entry: type[Spec]) -> Any:
    """An instance as a person first gets it."""
    if issubclass(entry, Transform):
        return entry.suggested(None)
    required = {knob.name: "pictures" for knob in knobs(entry) if knob.required}
    return parse(entry, required)


def experiment_with(part: Any) -> Experiment:
    family = next(base.__name__ for base in type(part).__mro__ if Spec in base.__bases__)
    return Experiment(
        dataset=part if family == "Dataset" else DATASETS.make("Digits"),
        transforms=(part,) if family == "Transform" else (),
        model=part if family == "Model" else MODELS.make("MLP"),
        loss=part if family == "Loss" else LOSSES.make("CrossEntropyLoss"),
        optimizer=part if family == "Optimizer" else OPTIMIZERS.make("SGD"),
        schedulers=(part,) if family == "Scheduler" else (),
        training=Training(),
    )


def varied(entry: type[Spec]) -> Iterator[Any]:
    """Instances with one field after the other off its default."""
    start = made(entry)
    for knob in knobs(entry):
        for value in other_values(knob, getattr(start, knob.name)):
            try:
                yield start.changed(**{knob.name: value})
            except InvalidExperiment:
                assert value is not start  # one that does not fit beside the other fields; their own tests say why


def other_values(knob: Knob, value: Any) -> list[Any]:
    match knob.kind:
        case "bool":
            return [not value]
        case "choice":
            return list(typing.get_args(knob.choices) or knob.choices)
        case "int":
            return [knob.low + (1 if knob.low_open else 0), knob.high - (1 if knob.high_open else 0)]
        case "float":
            return [(2 * knob.low + knob.high) / 3, (knob.low + 2 * knob.high) / 3, knob.high * 0.1 + 1e-7 / 3]
        case "ints":
            return [knob.low, (knob.low, knob.high), (knob.high,), [knob.high] * 4]
        case "floats":
            part = (2 * knob.low + knob.high) / 3
            return [part, (knob.low, part), (part,), (part, part, part)]
        case "specs":
            around = TRANSFORMS.make("RandomApply", transforms=value)
            return [value[:1], value + value, (around,), (*value, around, *value), ()]
        case _:
            return ["elsewhere/pictures"]


def numbers(annotation: Any, constraints: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """For each number that an annotation admits, the constraints on it."""
    origin: Any = typing.get_origin(annotation)
    if origin is typing.Annotated:
        inner, *own = typing.get_args(annotation)
        nested = [one for each in own for one in (getattr(each, "metadata", None) or [each])]
        yield from numbers(inner, (*constraints, *nested))
    elif origin in (typing.Union, types.UnionType, tuple):
        for member in typing.get_args(annotation):
            yield from numbers(member, constraints if origin is not tuple else ())
    elif annotation in (int, float):
        yield constraints


# declarations


@DECLARED
def test_an_entry_says_what_it_is_in_one_sentence(entry: type[Spec]) -> None:
    assert vars(entry)["__doc__"], "it has no sentence of its own"
    assert entry.summary().endswith("."), entry.summary()
    assert 10 < len(entry.summary()) <= 120


@ENTRY
def test_an_entry_has_a_place_in_its_list(entry: type[Spec]) -> None:
    registry = next(r for r in (TRANSFORMS, MODELS, LOSSES, OPTIMIZERS, SCHEDULERS, DATASETS) if entry.name_of() in r)
    assert registry.get(entry.name_of()) is entry
    assert entry.name_of().isidentifier()


@DECLARED
def test_every_field_says_what_it_does(entry: type[Spec]) -> None:
    for knob in knobs(entry):
        assert len(knob.help) > 10, knob.name
        assert knob.help.endswith((".", "?")), knob.name
        assert len(knob.help) <= 120, knob.name


@DECLARED
def test_every_number_has_bounds(entry: type[Spec]) -> None:
    for name, field in entry.model_fields.items():
        for constraints in numbers(field.annotation, tuple(field.metadata)):
            assert any(isinstance(one, (Ge, Gt)) for one in constraints), f"{name} has no lower bound"
            assert any(isinstance(one, (Le, Lt)) for one in constraints), f"{name} has no upper bound"


@DECLARED
def test_a_form_gets_the_bounds_of_every_number(entry: type[Spec]) -> None:
    for knob in knobs(entry):
        if knob.kind in ("int", "float", "ints", "floats"):
            assert knob.low is not None, knob.name
            assert knob.high is not None, knob.name
            assert knob.low < knob.high, knob.name
        if knob.kind == "choice":
            assert len(knob.choices) + knob.optional > 1 or not knob.listed, knob.name


@DECLARED
def test_a_number_out_of_its_bounds_is_refused_at_its_field(entry: type[Spec]) -> None:
    start = made(entry)
    for knob in knobs(entry):
        if knob.kind not in ("int", "float", "ints", "floats"):
            continue
        for beyond in (knob.low - 1, knob.high + 1 + abs(knob.high) * 1e-6, float("nan"), float("inf")):
            with pytest.raises(InvalidExperiment) as caught:
                start.changed(**{knob.name: beyond})
            assert [problem.path for problem in caught.value.problems] == [knob.name]
        for far in (-(10**11), 10**11):
            with pytest.raises(InvalidExperiment):
                start.changed(**{knob.name: (far, far)})


@DECLARED
def test_a_field_that_may_be_empty_is_empty_at_first(entry: type[Spec]) -> None:
    """A TOML file has no way to say "nothing" but to leave the field out."""
    for knob in knobs(entry):
        if knob.optional:
            assert knob.default is None, knob.name
            assert not knob.required, knob.name


@DECLARED
def test_defaults_are_valid(entry: type[Spec]) -> None:
    start = made(entry)
    assert start.changed() == start
    assert parse(entry, dict(start)) == start
    assert hash(start) == hash(start.changed())


@TRANSFORM
def test_a_suggestion_is_valid_whatever_arrives(entry: type[Transform]) -> None:
    kinds = [*IMAGES, Kind.image(3, None, None), Kind.image(1, 1, 1), Kind.image(3, 9000, 7000), Kind.image(4, 8, 8)]
    for kind in (None, *kinds):
        suggested = entry.suggested(kind)
        assert isinstance(suggested, entry)
        assert parse(entry, dict(suggested)) == suggested


@TRANSFORM
@pytest.mark.parametrize("kind", IMAGES, ids=str)
def test_a_suggestion_fits_what_arrives(entry: type[Transform], kind: Kind) -> None:
    suggested, tensor = entry.suggested(kind), TRANSFORMS.make("ToTensor").output(kind)
    outputs = []
    for arriving in (kind, tensor):
        try:
            outputs.append(suggested.output(arriving))
        except Illegal as illegal:
            assert illegal.repairs  # noqa: PT017 - on one of the two it must fit
    assert outputs


# files


@ENTRY
def test_saving_and_loading_are_inverse(entry: type[Spec]) -> None:
    tried = 0
    for part in (made(entry), *varied(entry)):
        experiment = experiment_with(part)
        assert from_toml(experiment.to_toml()) == experiment
        assert from_toml(experiment.to_toml(full=True)) == experiment
        assert from_document(experiment.document()) == experiment
        tried += 1
    assert tried > len(knobs(entry)) * 0.8


@pytest.mark.parametrize("values", [{"epochs": 1}, {"seed": 2**31}, {"device": "cpu", "batch_size": 65_536}])
def test_training_is_saved_and_loaded(values: dict[str, Any]) -> None:
    experiment = experiment_with(MODELS.make("MLP")).edited("training", Training(**values))
    assert from_toml(experiment.to_toml()) == experiment
    assert from_toml(experiment.to_toml(full=True)).training == Training(**values)


# torch's and torchvision's own words


@TRANSFORM
def test_a_transform_has_the_arguments_and_defaults_of_torchvisions(entry: type[Transform]) -> None:
    if entry.name_of() == "ToTensor":  # its arguments would be those of ToImage and ToDtype(float32, scale=True)
        assert set(entry.model_fields) == {"enabled"}
        return
    signature = inspect.signature(getattr(v2, entry.name_of()).__init__).parameters
    own = [knob for knob in knobs(entry) if knob.name != "enabled"]
    known = {"num_classes", "labels_getter"} if entry.mixes else set()  # from the data set
    assert [knob.name for knob in own] == [name for name in signature if name not in {"self", *known}]
    for knob in own:
        default = signature[knob.name].default
        if default is not inspect.Parameter.empty:
            assert knob.default == getattr(default, "value", default), knob.name


HOW_NOT_WHAT = {"params", "foreach", "capturable", "differentiable", "fused"}
"""Arguments of torch that say how a step is computed."""
LEFT_OUT = {"Adam": {"decoupled_weight_decay"}, "AdamW": {"decoupled_weight_decay"}, "LBFGS": {"maximize"}}
"""The first is what tells Adam and AdamW apart, the last is newer than the oldest torch that the lab runs with."""


@OPTIMIZER
def test_an_optimizer_has_the_arguments_and_defaults_of_torchs(entry: type[Optimizer]) -> None:
    signature = inspect.signature(getattr(torch.optim, entry.name_of()).__init__).parameters
    left_out = LEFT_OUT.get(entry.name_of(), set())
    assert set(entry.model_fields) == set(signature) - {"self"} - HOW_NOT_WHAT - left_out
    for knob in knobs(entry):
        assert knob.default == signature[knob.name].default, knob.name


@OPTIMIZER
def test_an_optimizer_is_torchs_with_the_chosen_values(entry: type[Optimizer]) -> None:
    for chosen in (entry(), *varied(entry)):
        weight = torch.nn.Parameter(torch.ones(3))
        built = chosen.build([weight])
        if entry.name_of() != "Muon":  # two optimisers in one: test_optimizers
            assert type(built) is getattr(torch.optim, entry.name_of())
        for name, value in dict(chosen).items():
            assert built.defaults[name] == value or value is None
        assert built.param_groups[0]["params"][0] is weight


@OPTIMIZER
def test_an_optimizer_walks_downhill(entry: type[Optimizer]) -> None:
    weight = torch.nn.Parameter(torch.tensor([3.0, -2.0]))
    built = entry().build([weight])

    def height() -> torch.Tensor:
        built.zero_grad()
        squared = weight.square().sum()
        squared.backward()
        return squared.detach()

    heights = [built.step(height).item() for _ in range(20)]
    assert heights == sorted(heights, reverse=True)
    assert heights[-1] < heights[0]


def test_nesterov_needs_momentum_as_torch_says_too() -> None:
    for values in ({"nesterov": True}, {"nesterov": True, "momentum": 0.9, "dampening": 0.1}):
        with pytest.raises(InvalidExperiment) as caught:
            OPTIMIZERS.make("SGD", **values)
        assert [problem.path for problem in caught.value.problems] == ["nesterov"]
        with pytest.raises(ValueError, match="Nesterov"):
            torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], **values)


# transforms


def pictures(kind: Kind, count: int = 12) -> torch.Tensor:
    drawn = np.random.default_rng(count).integers(0, 256, (count, *kind.shape), dtype=np.uint8)
    ready = torch.from_numpy(drawn)
    return ready if kind.dtype == "uint8" else ready / 255


def fitting(entry: type[Transform]) -> Iterator[tuple[Transform, Kind]]:
    """Settings of a transform with kinds that they accept."""
    for image in IMAGES:
        for kind in (image, TRANSFORMS.make("ToTensor").output(image)):
            for transform in (entry.suggested(kind), *small(entry)):
                try:
                    transform.output(kind)
                except Illegal:
                    continue
                yield transform, kind


def small(entry: type[Transform]) -> Iterator[Transform]:
    """Its variations, but for those that make pictures of thousands of pixels."""
    for transform in varied(entry):
        sizes = [getattr(transform, name, None) or 0 for name in ("size", "padding", "max_size")]
        if np.max([np.max(size) for size in sizes]) < 100:
            yield transform


@TRANSFORM
def test_what_leaves_is_what_was_declared(entry: type[Transform]) -> None:
    tried = 0
    for transform, kind in fitting(entry):
        declared, arriving = transform.output(kind), pictures(kind)
        before = arriving.clone()
        leaving = transform.apply(arriving, draws(transform, kind, 12))
        assert len(leaving) == 12
        for picture in leaving:
            assert str(picture.dtype) == f"torch.{declared.dtype}"
            channels, height, width = picture.shape
            assert channels == declared.channels
            if declared.size is None:
                assert height >= declared.least[0]
                assert width >= declared.least[1]
            else:
                assert (height, width) == declared.size
            if getattr(transform, "interpolation", "") not in ("bicubic", "lanczos"):  # they overshoot in torch too
                assert declared.low - 1e-4 <= float(picture.min())
                assert float(picture.max()) <= declared.high + 1e-4
        assert torch.equal(arriving, before)
        tried += 1
    assert tried >= 4


def draws(transform: Transform, kind: Kind, count: int, epoch: int = 1) -> dict[str, Any]:
    from gui_lab.core.dice import Dice

    return transform.draw(Dice(7, epoch, np.arange(count), 5), kind.shape)


@TRANSFORM
def test_the_same_seed_draws_the_same(entry: type[Transform]) -> None:
    for transform, kind in fitting(entry):
        first, again = draws(transform, kind, 30), draws(transform, kind, 30)
        other = draws(transform, kind, 30, epoch=2)
        assert bool(first) == entry.random
        for name, values in first.items():
            assert len(values) == 30
            assert np.array_equal(values, again[name])
        still = [name for name, values in first.items() if np.array_equal(values, other[name])]
        assert all(len(np.unique(first[name], axis=0)) <= 1 for name in still)  # where there is nothing to choose


@TRANSFORM
def test_the_global_generators_are_not_touched(entry: type[Transform]) -> None:
    before = (torch.get_rng_state(), np.random.get_state()[1].tobytes(), random.getstate())
    for transform, kind in fitting(entry):
        transform.apply(pictures(kind), draws(transform, kind, 12))
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.random.get_state()[1].tobytes() == before[1]
    assert random.getstate() == before[2]


@TRANSFORM
def test_what_is_random_keeps_channels_and_type(entry: type[Transform]) -> None:
    """Validation pictures do without it, and must fit the same network."""
    for transform, kind in fitting(entry):
        leaving = transform.output(kind)
        if entry.random:
            assert (leaving.channels, leaving.dtype) == (kind.channels, kind.dtype)
        else:
            assert transform.draw(None, kind.shape) == {}  # type: ignore[arg-type]


@TRANSFORM
def test_a_transform_can_be_switched_off_in_a_file(entry: type[Transform]) -> None:
    off = entry.suggested(None).changed(enabled=False)
    assert off.table()["enabled"] is False
    assert "enabled" not in entry.suggested(None).table()
    assert Chain([off]).steps() == []


# models


@MODEL
def test_a_model_is_drawn_from_torchs_generator_alone(entry: type[Model]) -> None:
    def built(seed: int) -> list[torch.Tensor]:
        torch.manual_seed(seed)
        return list(entry().build((1, 28, 28), 10).parameters())

    with torch.random.fork_rng():
        pairs = list(zip(built(1), built(1), strict=True))
        assert all(torch.equal(one, two) for one, two in pairs)
        assert any(not torch.equal(one, two) for one, two in zip(built(1), built(2), strict=True))


@pytest.mark.parametrize("entry", list(DATASETS), ids=named)
def test_a_data_set_says_whose_it_is(entry: type[Dataset]) -> None:
    assert {"validation", "split_seed"} <= set(entry.model_fields)
    if entry.downloads:
        assert entry.credit
