"""The bundle's recipe: what is refused, what is filled in, and the import of a torchvision that does not match."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"
HOOK = PACKAGING / "hooks" / "torchvision_operators.py"


@pytest.fixture(scope="module")
def build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build", PACKAGING / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(code: str, *path: Path) -> str:
    first = f"import sys; sys.path[:0] = {[str(one) for one in path]!r}\n"
    ended = subprocess.run([sys.executable, "-c", first + code], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_the_hook_imports_nothing_until_torchvision_is_wanted():
    said = run(f"exec(open({str(HOOK)!r}).read()); print('torch' in sys.modules)")
    assert said == "False\n"


def test_a_torchvision_without_its_operators_can_refer_to_them(tmp_path):
    package = tmp_path / "torchvision"
    package.mkdir()
    (package / "__init__.py").write_text("import torch\nnms = torch.ops.torchvision.nms.default\n")
    refers = "import torchvision; print(torchvision.nms)"
    fails = f"try:\n  {refers}\nexcept AttributeError as error:\n  print(error)\n"
    without, with_it = run(f"{fails}exec(open({str(HOOK)!r}).read())\n{refers}", tmp_path).splitlines()
    assert "no attribute 'nms'" in without
    assert with_it == "torchvision.nms.default"


def test_a_torchvision_that_matches_keeps_its_own_operators():
    boxes = "torch.tensor([[0.0, 0, 1, 1], [0, 0, 1, 1]]), torch.tensor([0.9, 0.8]), 0.5"
    said = run(
        f"exec(open({str(HOOK)!r}).read())\nimport torchvision, torch\nprint(torchvision.ops.nms({boxes}).tolist())"
    )
    assert said == "[0]\n"


def test_the_version_is_told_in_one_place(build):
    project = tomllib.loads((PACKAGING.parent / "pyproject.toml").read_text())["project"]
    assert project["version"] == build.VERSION


def test_every_template_is_filled_in(build):
    linux = PACKAGING / "linux"
    values = {"VERSION": "1.2", "DATE": "2026-01-01", "ARCH": "amd64", "SIZE_KB": 9, "GLIBC": "2.36"}
    values["MAINTAINER"] = build.MAINTAINER
    for template in linux.glob("*.in"):
        assert "1.2" in build.filled_in(template, **values)
    with pytest.raises(AssertionError, match="not filled in"):
        build.filled_in(linux / "control.in", VERSION="1.2")


def test_a_bundle_over_its_budget_is_refused(build, tmp_path, capsys, monkeypatch):
    (tmp_path / "_internal" / "torch").mkdir(parents=True)
    (tmp_path / "_internal" / "torch" / "big.so").write_bytes(bytes(3 << 20))
    build.weigh(tmp_path, cuda=False)
    assert "3.0 MB  torch" in capsys.readouterr().out
    monkeypatch.setattr(build, "UNPACKED_MB", 2)
    with pytest.raises(SystemExit, match="larger than 2 MB"):
        build.weigh(tmp_path, cuda=False)
    build.weigh(tmp_path, cuda=True)


@pytest.mark.parametrize("name", ["nvidia-cublas-cu12", "nvidia_nccl", "triton", "cuda-bindings"])
def test_cuda_libraries_are_known_by_name(build, name):
    assert build.CUDA.match(name)


def test_others_are_no_cuda_libraries(build):
    assert not any(build.CUDA.match(name) for name in ("torch==2.13.0", "torchvision", "numpy", "nvidium"))
