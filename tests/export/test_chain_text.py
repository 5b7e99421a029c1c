"""A chain as text: what is written runs by itself and means the same, and what is pasted is read and never run."""

from __future__ import annotations

import inspect
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.transforms import v2

from gui_lab import paths
from gui_lab.core import arrays
from gui_lab.core.chain import Chain
from gui_lab.core.experiment import default
from gui_lab.core.pipeline import TRANSFORMS, Kind, Transform
from gui_lab.errors import InvalidExperiment, LabError, UnreadableDocument
from gui_lab.export.chain_text import from_text, from_toml, to_toml
from gui_lab.export.python_chain import NEEDED, to_python
from gui_lab.export.python_reader import LONGEST, from_python
from gui_lab.schema import knobs

Transforms = tuple[Transform, ...]
PLAIN = [entry for entry in TRANSFORMS if entry.name_of() not in ("Own", "LinearTransformation")]
WITHOUT_DRAWS = [entry for entry in PLAIN if not entry.random and entry.name_of() != "Lambda"]
named = pytest.mark.parametrize("entry", PLAIN, ids=lambda entry: entry.name_of())


def make(name: str, **values: Any) -> Transform:
    return TRANSFORMS.make(name, **values)


def varied(entry: type[Transform]) -> Iterator[Transform]:
    """As it is suggested, and with one field after the other off its default."""
    start = entry.suggested(Kind.image(3, 32, 32))
    yield start
    for knob in knobs(entry):
        values: list[Any] = []
        match knob.kind:
            case "bool" if knob.name != "enabled":
                values = [not getattr(start, knob.name)]
            case "choice":
                values = list(knob.choices)
            case "int" | "float":
                values = [knob.low, knob.high, (2 * knob.low + knob.high) / 3]
            case "ints" | "floats":
                values = [knob.low, (knob.low, knob.high), (knob.low, knob.high) * 2, (knob.high,), (knob.low,) * 3]
        for value in values:
            try:
                yield start.changed(**{knob.name: value})
            except InvalidExperiment:
                continue


def executed(text: str) -> dict[str, Any]:
    """What a person gets who runs it."""
    space: dict[str, Any] = {}
    exec(compile(text, "pasted", "exec"), space)
    return space


# ---------------------------------------------------------------- out


def test_a_chain_is_what_one_would_have_typed() -> None:
    chain = (
        make("RandomCrop", size=32, padding=4),
        make("RandomRotation", degrees=15, interpolation="bilinear", enabled=False),
        make("RandomApply", transforms=(make("RandomRotation", degrees=(-5, 7.5)), make("Grayscale")), p=0.25),
        make("Resize", size=(28, 30), interpolation="nearest-exact"),
        make("AutoAugment", policy="svhn"),
        make("ToTensor"),
        make("Normalize", mean=(0.5,), std=(0.25,)),
        make("ToDtype", dtype="uint8"),
    )
    assert to_python(chain) == (
        "import torch\n"
        "from torchvision.transforms import v2\n"
        "\n"
        "transform = v2.Compose([\n"
        "    v2.RandomCrop(32, padding=4),\n"
        "    # off: v2.RandomRotation(15, interpolation=v2.InterpolationMode.BILINEAR),\n"
        "    v2.RandomApply([\n"
        "        v2.RandomRotation((-5, 7.5)),\n"
        "        v2.Grayscale(),\n"
        "    ], p=0.25),\n"
        "    v2.Resize((28, 30), interpolation=v2.InterpolationMode.NEAREST_EXACT),\n"
        "    v2.AutoAugment(policy=v2.AutoAugmentPolicy.SVHN),\n"
        "    v2.ToImage(),\n"
        "    v2.ToDtype(torch.float32, scale=True),\n"
        "    v2.Normalize(mean=(0.5,), std=(0.25,)),\n"
        "    v2.ToDtype(torch.uint8),\n"
        "])\n"
    )


def test_torch_is_imported_where_it_is_named() -> None:
    assert "import torch\n" not in to_python([make("CenterCrop", size=8)])
    assert "import torch\n" in to_python([make("Lambda", lambd="lambda x: torch.flip(x, [-1])")])


@pytest.mark.parametrize("chain", [(), (make("ToTensor", enabled=False),)])
def test_a_chain_that_does_nothing_still_runs(chain: Transforms) -> None:
    picture = torch.arange(12, dtype=torch.uint8).view(1, 3, 4)
    text = to_python(chain)
    assert torch.equal(executed(text)["transform"](picture), picture)
    assert from_python(text) == ()


def test_what_mixes_batches_stands_apart() -> None:
    chain = (make("ToTensor"), make("MixUp", alpha=0.2), make("CutMix"))
    text = to_python(chain)
    space = executed(text)
    labels = torch.nn.functional.one_hot(torch.arange(4), 4).float()
    pictures, mixed = space["on_batch"](space["transform"](torch.zeros(4, 3, 8, 8, dtype=torch.uint8)), labels)
    assert pictures.dtype == torch.float32
    assert mixed.sum(1).tolist() == pytest.approx([1] * 4)
    assert from_python(text) == chain


def test_what_a_script_cannot_have_is_said_in_it() -> None:
    chain = (
        TRANSFORMS.parse({"name": "Own", "file": "mine.py", "transform": "Mine"}, ""),
        make("LinearTransformation"),
        make("Lambda", lambd="print('no lambda')"),
        make("RandomChoice", transforms=(make("ToTensor", enabled=False),)),
        make("CenterCrop", size=3),
    )
    text = to_python(chain)
    assert "    # left out: 'Mine' of the file 'mine.py'\n" in text
    assert "    # left out: LinearTransformation, which has no numbers yet\n" in text
    assert "    # left out: Lambda, whose code is no lambda\n" in text
    assert "    # left out: RandomChoice, in which nothing acts\n" in text
    assert from_python(text) == (make("CenterCrop", size=3),)
    executed(text)


def test_names_in_a_document_cannot_leave_their_comment() -> None:
    own = {"name": "Own", "file": "a\nraise SystemExit\n.py", "transform": "X\nraise SystemExit"}
    text = to_python([TRANSFORMS.parse(own, ""), make("CenterCrop", size=3)])
    assert all(line.startswith("    #") for line in text.splitlines() if "raise" in line)
    executed(text)


@pytest.mark.parametrize(
    "code",
    ["lambda x: x), raise_(", "lambda x: x # so\n", "(lambda x:\n x)", "lambda x: 'a\u202eb'", "1", "lambda x: x,"],
)
def test_the_text_of_a_lambda_is_written_as_one_lambda_or_not_at_all(code: str) -> None:
    text = to_python([make("Lambda", lambd=code)])
    executed(text)
    read = from_python(text)
    assert [one.name_of() for one in read] in ([], ["Lambda"])
    assert "\u202e" not in text


def test_weights_of_what_is_off_are_left_out() -> None:
    inside = (make("Grayscale"), make("ToTensor", enabled=False), make("CenterCrop", size=3))
    text = to_python([make("RandomChoice", transforms=inside, p=(1, 2, 3))])
    assert from_python(text) == (make("RandomChoice", transforms=(inside[0], inside[2]), p=(1, 3)),)
    executed(text)


def test_measured_numbers_are_loaded_from_where_they_lie() -> None:
    numbers = np.random.default_rng(0).normal(size=(12, 12)).astype(np.float32)
    matrix, mean = arrays.keep("whitening", numbers), arrays.keep("mean", numbers[0])
    picture = torch.rand(3, 2, 2)
    for values in ({"transformation_matrix": matrix, "mean_vector": mean}, {"transformation_matrix": matrix},
                   {"mean_vector": mean}):  # fmt: skip
        transform = make("LinearTransformation", **values)
        text = to_python([transform])
        theirs = executed(text)["transform"](picture)
        torch.testing.assert_close(theirs, transform.one(picture, {}))
        assert str(paths.measured()) in text
        assert from_python(text) == (transform,)


def test_a_file_that_is_gone_is_written_by_its_name() -> None:
    transform = make("LinearTransformation", mean_vector=Path("elsewhere") / "gone.npy")
    assert from_python(to_python([transform])) == (transform,)


PICTURE = torch.from_numpy(np.random.default_rng(1).integers(0, 256, (3, 32, 32), dtype=np.uint8))


def both_places(transform: Transform) -> Iterator[Chain]:
    """On an image and on a tensor, where it takes them; sizes that one can look at."""
    kind = Kind.image(3, 32, 32)
    for chain in (Chain([transform, make("ToTensor")]), Chain([make("ToTensor"), transform])):
        kinds = chain.kinds(kind)
        if len(kinds) == 3 and 1 < max(kinds[-1][1].least) < 300:
            yield chain


@pytest.mark.parametrize("entry", WITHOUT_DRAWS, ids=lambda entry: entry.name_of())
def test_what_is_written_does_to_a_picture_what_the_chain_does(entry: type[Transform]) -> None:
    tried = 0
    for transform in varied(entry):
        for chain in both_places(transform):
            ours = chain.trace([PICTURE], np.array([0]), seed=1, epoch=1)[0][-1].picture
            theirs = executed(to_python(chain.transforms))["transform"](PICTURE)
            assert ours.dtype == theirs.dtype if isinstance(theirs, torch.Tensor) else entry.name_of() == "ToPILImage"
            if isinstance(theirs, torch.Tensor):
                assert torch.equal(theirs.as_subclass(torch.Tensor), ours), to_python(chain.transforms)
            tried += 1
    assert tried


def test_a_whole_chain_gives_the_same_picture_with_and_without_the_lab() -> None:
    chain = Chain([
        make("Resize", size=24), make("Pad", padding=(1, 2)), make("CenterCrop", size=(20, 22)), make("Grayscale"),
        make("ToPILImage"), make("ToTensor"), make("Normalize", mean=(0.3,), std=(0.2,)),
    ])  # fmt: skip
    ours = chain.trace([PICTURE], np.array([0]), seed=1, epoch=1)[0][-1].picture
    theirs = executed(to_python(chain.transforms))["transform"](PICTURE)
    assert torch.equal(theirs.as_subclass(torch.Tensor), ours)


@named
def test_what_is_written_is_taken_by_torchvision(entry: type[Transform]) -> None:
    """Every argument, by the class of that name itself, where the lab finds nothing wrong with it."""
    taken = 0
    for transform in varied(entry):
        if entry.name_of() != "Lambda" and not list(both_places(transform)):
            continue
        executed(to_python([transform]))
        taken += 1
    assert taken


@named
def test_the_order_of_arguments_is_torchvisions(entry: type[Transform]) -> None:
    name = entry.name_of()
    if name == "ToTensor":
        return
    theirs = [one for one in inspect.signature(getattr(v2, name).__init__).parameters.values() if one.name != "self"]
    theirs = [one for one in theirs if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]
    own = [knob for knob in knobs(entry) if knob.name != "enabled"]
    shared = [one.name for one in theirs if one.name in {knob.name for knob in own}]
    assert [knob.name for knob in own] == shared
    by_place = [one.name for one in theirs if one.kind != one.KEYWORD_ONLY]
    assert entry.mixes or [knob.name for knob in own] == by_place[: len(own)]
    wanted = {one.name for one in theirs if one.default is one.empty}
    assert wanted == {knob.name for knob in own if knob.required} | set(NEEDED.get(name, ())) | ({"lambd"} & wanted)


# ---------------------------------------------------------------- there and back


@named
def test_writing_and_reading_are_inverse(entry: type[Transform]) -> None:
    tried = 0
    for transform in varied(entry):
        for chain in ((transform,), (make("CenterCrop", size=9), transform, make("ToTensor"))):
            merged = to_python(chain).count("v2.ToImage()") if entry.name_of() == "ToImage" else 0
            if not merged:
                assert from_python(to_python(chain)) == _batches_last(chain)
            assert from_toml(to_toml(chain)) == chain
            assert from_text(to_python(chain)) == from_python(to_python(chain))
            assert from_text(to_toml(chain)) == chain
        tried += 1
    assert tried


def _batches_last(chain: Transforms) -> Transforms:
    scaled = make("ToDtype", dtype="float32", scale=True)
    assert scaled != make("ToTensor")
    return tuple(sorted(chain, key=lambda transform: transform.mixes))


def test_what_stands_inside_comes_back() -> None:
    inner = make("RandomOrder", transforms=(make("Grayscale", num_output_channels=3), make("Pad", padding=1)))
    chain = (make("RandomApply", transforms=(inner, make("Pad", padding=(1, 2))), p=0.1), make("ToTensor"))
    assert from_python(to_python(chain)) == chain
    assert from_toml(to_toml(chain)) == chain


def test_the_pair_that_replaced_to_tensor_is_to_tensor() -> None:
    pair = (make("ToImage"), make("ToDtype", dtype="float32", scale=True))
    assert from_python(to_python(pair)) == (make("ToTensor"),)
    apart = (make("ToImage"), make("Grayscale"), make("ToDtype", dtype="float32", scale=True))
    assert from_python(to_python(apart)) == apart
    assert from_python("[v2.ToImage(), v2.ToDtype(torch.float32)]") == (pair[0], make("ToDtype", dtype="float32"))


def test_what_is_off_stays_in_toml_and_is_a_comment_in_python() -> None:
    chain = (make("CenterCrop", size=3, enabled=False), make("ToTensor"))
    assert from_toml(to_toml(chain)) == chain
    assert from_python(to_python(chain)) == chain[1:]


# ---------------------------------------------------------------- in: what people paste

CROP, FLIP, TENSOR = make("RandomCrop", size=32, padding=4), make("RandomHorizontalFlip"), make("ToTensor")
PAD = make("Pad", padding=1)
NORMAL = make("Normalize", mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))
PASTED: dict[str, tuple[str, Transforms]] = {
    "a call": ("RandomCrop(32, 4)", (CROP,)),
    "a call of v2": ("v2.RandomCrop(32, padding=4)", (CROP,)),
    "transforms.": ("transforms.RandomCrop(size=32, padding=4)", (CROP,)),
    "T.": ("T.RandomCrop([32], 4)", (CROP,)),
    "in full": ("torchvision.transforms.v2.RandomCrop(32, 4)", (CROP,)),
    "a name of its own": ("import torchvision.transforms as tr\ntr.RandomCrop(32, 4)", (CROP,)),
    "another name": ("from torchvision.transforms.v2 import RandomCrop as RC\nRC(32, 4)", (CROP,)),
    "a list": ("[v2.RandomCrop(32, 4), v2.RandomHorizontalFlip()]", (CROP, FLIP)),
    "an empty list in Compose": ("transforms.Compose([])", ()),
    "Compose by name": ("t = v2.Compose(transforms=[RandomCrop(32, 4), ToTensor()])", (CROP, TENSOR)),
    "Sequential": ("torch.nn.Sequential(v2.RandomCrop(32, 4), T.ToTensor())", (CROP, TENSOR)),
    "Compose in Compose": ("v2.Compose([v2.RandomCrop(32, 4), v2.Compose([v2.ToTensor()])])", (CROP, TENSOR)),
    "calls on lines": ("v2.RandomCrop(32, 4)\nv2.ToTensor()", (CROP, TENSOR)),
    "lines out of a list": ("        v2.RandomCrop(32, 4),\n        v2.ToTensor(),\n", (CROP, TENSOR)),
    "lines from the middle": ("v2.RandomCrop(32, 4),\n        v2.ToTensor(),\n", (CROP, TENSOR)),
    "an argument of a call": ("transform=v2.Compose([v2.ToTensor()]),", (TENSOR,)),
    "Windows lines": ("[\r\n  v2.RandomCrop(32, 4),\r\n  v2.ToTensor(),\r\n]\r\n", (CROP, TENSOR)),
    "numbers with names": (
        'mean = (0.5, 0.5, 0.5)\nstd: list = [0.25] * 3\n"""why"""\nx = Compose([Normalize(mean, std)])', (NORMAL,),
    ),
    "two numbers at once": ("mean, std = 3 * [1 / 2], (0.25, 0.25, 0.25)\nv2.Normalize(mean=mean, std=std)", (NORMAL,)),
    "arithmetic": ("v2.RandomCrop(16 * 3 - 32 // 2, padding=-(-4))", (CROP,)),
    "a transform with a name": ("n = Normalize([.5] * 3, [.25] * 3)\nc = Compose([ToTensor(), n])", (TENSOR, NORMAL)),
    "lists put together": ("base = []\na = base + [ToTensor()]\nv = Compose(a + [T.Pad(1)])", (TENSOR, PAD)),
    "types and modes": (
        "[v2.ToDtype(torch.float), v2.Resize((8, 9), transforms.InterpolationMode.NEAREST_EXACT)]",
        (make("ToDtype", dtype="float32"), make("Resize", size=(8, 9), interpolation="nearest-exact")),
    ),
    "a mode imported": (
        "from torchvision.transforms import InterpolationMode\nv2.Resize(8, interpolation=InterpolationMode.NEAREST)",
        (make("Resize", size=8, interpolation="nearest"),),
    ),
    "a policy": ("v2.AutoAugment(v2.AutoAugmentPolicy.CIFAR10)", (make("AutoAugment", policy="cifar10"),)),
    "an older name": ("T.ConvertImageDtype(torch.float32)", (make("ToDtype", dtype="float32", scale=True),)),
    "around others": (
        "T.RandomApply(torch.nn.ModuleList([T.Grayscale(3), T.Pad(1)]), p=.3)",
        (make("RandomApply", transforms=(make("Grayscale", num_output_channels=3), make("Pad", padding=1)), p=0.3),),
    ),
    "a chain inside RandomApply": (
        "v2.RandomApply([v2.Compose([v2.Pad(1), v2.Pad(2)])])",
        (make("RandomApply", transforms=(make("Pad", padding=1), make("Pad", padding=2))),),
    ),
    "on batches": (
        "t = v2.ToTensor()\nm = v2.MixUp(num_classes=10, alpha=.2)", (TENSOR, make("MixUp", alpha=0.2)),
    ),
    "a lambda, as text": ("v2.Lambda(lambda x:  x * 2)", (make("Lambda", lambd="lambda x:  x * 2"),)),
    "a lambda on a later line": (
        "[\n  v2.Pad(1),\n  v2.Lambda(lambda x:x),\n  v2.Pad(1)]", (PAD, make("Lambda", lambd="lambda x:x"), PAD),
    ),
    "a lambda in lines out of a list": (
        "v2.Pad(1),\n    v2.Lambda(lambda x:x),\n", (PAD, make("Lambda", lambd="lambda x:x")),
    ),
    "a lambda on two lines": ("v2.Lambda(lambda x: (x +\n 1))", (make("Lambda", lambd="lambda x: x + 1"),)),
    "a lambda behind an accent": ("a = 'é'; t = [v2.Lambda(lambda é: é)]", (make("Lambda", lambd="lambda é: é"),)),
}  # fmt: skip


@pytest.mark.parametrize("case", PASTED)
def test_what_people_paste_is_understood(case: str) -> None:
    text, chain = PASTED[case]
    assert from_python(text) == chain
    assert from_text(text) == chain


def test_a_pasted_lambda_has_not_run(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    (read,) = from_python(f"v2.Lambda(lambda x: open({str(canary)!r}, 'w').close())")
    assert read.code() is not None
    assert not canary.exists()


REFUSED: dict[str, tuple[str, str]] = {
    "nothing": ("", "There are no transforms"),
    "a comment": ("# nothing", "There are no transforms"),
    "numbers alone": ("mean = (0.5,)", "There are no transforms"),
    "a number alone": ("mean = 1\nmean", "Line 2: this is no transform"),
    "no Python": ("v2.Compose([\n  v2.ToTensor(\n]", "Line 3 is not Python"),
    "a closing bracket": ("v2.ToTensor()\n])", "Line 2 is not Python"),
    "an unknown transform": ("[\n v2.ToTensor(),\n v2.TenCrop(3)]", "Line 3: the lab has no transform named 'TenCrop'"),
    "an own class": ("Own('x.py', 'X')", "no transform named 'Own'"),
    "another module's": ("from mine import RandomCrop\nRandomCrop(3)", "Line 2: RandomCrop is not torchvision's"),
    "another module's attribute": ("import mine\nmine.RandomCrop(3)", "mine is not torchvision's"),
    "an unknown root": ("self.v2.RandomCrop(3)", "self is not known"),
    "a method of a call": ("v2.Compose([]).append(v2.ToTensor())", "only names of torchvision"),
    "an import of the system": ("__import__('os').system('ls')", "only names of torchvision"),
    "an attribute chain": ("v2.Resize((1).__class__.__mro__)", "only names of torchvision"),
    "a name nobody gave": ("v2.Resize(side)", "Line 1: 'side' is not known"),
    "a class that is not called": ("[v2.ToTensor]", "ToTensor is not called: ToTensor(...)"),
    "a lambda somewhere": ("v2.Resize((lambda: 3)())", "only names of torchvision"),
    "a lambda as a transform": ("[v2.ToTensor(),\n lambda x: x]", "Line 2: a lambda is code, and pasted code is"),
    "a function in Lambda": ("v2.Lambda(print)", "Lambda takes a lambda"),
    "a lambda with types": ("v2.Lambda(lambda x: x, str)", "takes 1 argument without a name"),
    "a comprehension": ("v2.Compose([v2.Pad(i) for i in range(9)])", "a comprehension is code"),
    "a formatted string": ("v2.RandomCrop(f'{3}')", "a formatted string is code"),
    "a star": ("v2.Compose([*steps])", "a star before a value"),
    "two stars": ("v2.Resize(**values)", "two stars before a value"),
    "a power": ("v2.Resize(9**9**9)", "only + - * / //"),
    "a shift": ("v2.Resize(1 << 99)", "only + - * / //"),
    "a remainder": ("v2.Resize('%s' % 3)", "only + - * / //"),
    "a large product": ("v2.Resize(999999999999 * 999999999999)", "this number is too large"),
    "a large number": ("v2.Resize(1e999)", "this number is too large"),
    "a division by zero": ("v2.Resize(1 / 0)", "this divides by zero"),
    "a long list": ("v2.Normalize([0.5] * 10000000)", "only + - * / //"),
    "a list made long": ("v2.Normalize([0.5] * 200 + [0.5] * 200)", "more than 256 members"),
    "text repeated": ("v2.RandomErasing(value='random' * 9)", "only + - * / //"),
    "minus a list": ("v2.Resize(-(3, 4))", "a number is needed here"),
    "a mixture": ("[v2.ToTensor(), 3]", "transforms and other things"),
    "a sum of both": ("[v2.ToTensor()] + [3]", "can be added to transforms only"),
    "two chains": ("a = v2.ToTensor()\nb = v2.Pad(3)", "more than one chain in this text: a, b"),
    "a chain and a list": ("a = v2.ToTensor()\n[v2.Pad(3)]", "a, a list without a name"),
    "too many arguments": ("v2.RandomHorizontalFlip(0.5, 1)", "takes 1 argument without a name"),
    "arguments for none": ("v2.ToTensor(3)", "takes no arguments without a name"),
    "an argument by place for a mixing one": ("v2.MixUp(0.5)", "takes no arguments without a name"),
    "an argument twice": ("v2.Resize(3, size=4)", "is given size twice"),
    "an unknown argument": ("v2.Resize(3, sise=4)", "Resize has no argument sise. It has size, interpolation"),
    "the lab's own argument": ("v2.Resize(3, enabled=False)", "has no argument enabled"),
    "two lists in Compose": ("v2.Compose([], [])", "Compose takes one list"),
    "a number in Compose": ("v2.Compose([3])", "Compose takes transforms"),
    "a number inside": ("v2.RandomApply(3)", "transforms takes transforms"),
    "a transform as a number": ("v2.Resize(v2.Pad(3))", "size takes no transforms"),
    "a chain inside RandomChoice": ("v2.RandomChoice([v2.Compose([v2.Pad(1), v2.Pad(2)])])", "a chain cannot be one"),
    "an array of numbers": ("v2.LinearTransformation(torch.ones(3), None)", "of arrays only"),
    "a loop": ("for i in (1, 2):\n  v2.Pad(i)", "Line 1: this is not understood"),
    "a function": ("import torch\ndef f():\n  pass", "Line 2: a function is code"),
    "a class": ("class A:\n  pass", "a class is code"),
    "an append": ("steps = []\nsteps.append(v2.ToTensor())", "Line 2: steps is not known"),
    "an item given a value": ("a = [v2.Pad(3)]\na[0] = v2.Pad(4)", "only a name can be given a value"),
    "names for too few": ("a, b = (1,)", "only a name can be given a value"),
    "a dictionary": ("v2.ToDtype({'a': torch.float32})", "this is not understood"),
    "bytes": ("v2.Resize(b'3')", "this is not understood"),
    "an index": ("v2.Resize([3, 4][0])", "this is not understood"),
    "lines from the middle, wrong": ("v2.Pad(3),\n        v2.Nothing(),\n", "Line 2: the lab has no transform"),
    "surrogates": ("v2.Pad('\ud800')", "not a text of Python"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_understood_is_named_with_its_line(case: str) -> None:
    text, words = REFUSED[case]
    with pytest.raises(UnreadableDocument) as caught:
        from_python(text)
    assert words in str(caught.value)
    assert caught.value.remedy


def test_a_wrong_argument_is_told_with_its_line_and_name() -> None:
    with pytest.raises(InvalidExperiment) as caught:
        from_python("[\n v2.RandomCrop(0, padding='x'),\n]")
    assert str(caught.value).startswith("Line 2: RandomCrop has 2 problems")
    assert [problem.path for problem in caught.value.problems] == ["size", "padding"]
    with pytest.raises(InvalidExperiment, match="Line 1: Resize has a problem: size: Resize needs a value here"):
        from_python("v2.Resize()")


SIXTY = "a0 = (1,)\n" + "".join(f"a{i + 1} = (a{i}, a{i})\n" for i in range(60)) + "v2.Resize(a60)"
CHAINS = "a0 = [v2.ToTensor()]\n" + "".join(f"a{i + 1} = a{i} + a{i}\n" for i in range(60)) + "v2.Compose(a60)"
HOSTILE = {
    "long": "#" * (LONGEST + 1),
    "sums": "v2.Pad(" + "1+" * 40_000 + "1)",
    "signs": "v2.Pad(" + "-" * 90_000 + "1)",
    "signs below the parser's limit": "v2.Pad(" + "-" * 800 + "1)",
    "attributes": "v2" + ".v2" * 30_000 + "()",
    "attributes below the parser's limit": "v2" + ".v2" * 300 + "()",
    "calls": "v2.Pad" + "()" * 40_000,
    "brackets": "[" * 50_000 + "]" * 50_000,
    "brackets below the parser's limit": "[" * 150 + "]" * 150,
    "comparisons": "1<" * 45_000 + "1",
    "digits": "v2.Pad(" + "9" * 90_000 + ")",
    "powers": "v2.Pad(9**9**9**9**9)",
    "many numbers": "v2.Pad((" + "1," * 45_000 + "))",
    "many calls": "v2.Pad(1)," * 9_000,
    "doubling numbers": SIXTY,
    "doubling chains": CHAINS,
    "many conditions": "1 if 1 else " * 8_000 + "1",
    "deep lambdas": "v2.Lambda(" + "lambda x: " * 9_000 + "1)",
    "lambdas below the parser's limit": "v2.Lambda(" + "lambda x: " * 150 + "1)",
    "compositions": "v2.RandomApply([" * 40 + "v2.Pad(1)" + "])" * 40,
    "a zero byte": "v2.Pad(1)\0",
    "an odd escape": "v2.RandomErasing(value='\\d')",
    "indented": "\n".join(" " * place + "v2.Pad(1)," for place in range(300)),
    "blank": " \n" * 49_000,
}


HARMLESS = {"indented": 300, "lambdas below the parser's limit": 1}
"""Texts that only look bad, and how many transforms they are."""


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_texts_end_quickly_and_safely(case: str) -> None:
    start = time.perf_counter()
    if case in HARMLESS:
        assert len(from_text(HOSTILE[case])) == HARMLESS[case]
    else:
        with pytest.raises(LabError) as caught:
            from_text(HOSTILE[case])
        assert len(str(caught.value)) < 600
    assert time.perf_counter() - start < 5


@settings(derandomize=True, deadline=None)
@given(st.text(alphabet=st.sampled_from(list("v2.Pad()[],=1e*+-'\"\\\n #:lambdx{}")), max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read = from_text(text)
    except LabError:
        return
    assert all(isinstance(one, Transform) for one in read)


# ---------------------------------------------------------------- TOML


def test_toml_is_the_tables_of_an_experiment() -> None:
    text = to_toml((CROP, TENSOR))
    assert text.startswith('[[transforms]]\nname = "RandomCrop"\nsize = 32\n')
    assert from_toml(text) == (CROP, TENSOR)
    assert to_toml(()) == ""


def test_of_a_whole_experiment_its_transforms_are_taken() -> None:
    whole = default().to_toml()
    assert from_text(whole) == default().transforms
    assert from_text(whole.replace('name = "MNISTNet"', 'name = "Nothing"')) == default().transforms
    assert from_text('version = 1\n[dataset]\nname = "Digits"\n') == ()


def test_toml_written_in_one_line_is_toml() -> None:
    assert from_text('transforms = [{name = "ToTensor"}]') == (TENSOR,)


def test_what_is_wrong_in_toml_is_told_with_its_path() -> None:
    wrong = (
        '[[transforms]]\nname = "RandomCrop"\nsize = 0\n[[transforms]]\nname = "Nothing"\n'
        '[[transforms]]\nname = "RandomApply"\n[[transforms.transforms]]\nname = "Pad"\npadding = -1\n'
    )
    with pytest.raises(InvalidExperiment) as caught:
        from_text(wrong)
    paths_of = [problem.path for problem in caught.value.problems]
    assert paths_of == ["transforms.0.size", "transforms.1.name", "transforms.2.transforms.0.padding"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[transforms]]\nname = ", "not a readable experiment"),
        ("version = 99\n[[transforms]]\nname = 'ToTensor'\n", "newer GUI Lab (version 99"),
        ("version = 1\n", "There are no transforms"),
        ("[[transforms]]\nname = '" + "x" * 6000 + "'", "line 2 is too long"),
    ],
)
def test_what_is_no_chain_in_toml_is_refused(text: str, words: str) -> None:
    with pytest.raises(UnreadableDocument) as caught:
        from_text(text)
    assert words in caught.value.sentence
    assert caught.value.remedy


def test_another_part_beside_the_transforms_is_told() -> None:
    with pytest.raises(InvalidExperiment) as caught:
        from_toml("[[transforms]]\nname = 'ToTensor'\n[extra]\n")
    assert [problem.path for problem in caught.value.problems] == ["extra"]
