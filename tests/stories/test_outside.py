"""A teacher scripts the lab in a folder of their own, with nothing but the plug-in that the installation brings."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).resolve().parents[2] / "README.md"

FAILING = """

def test_that_finds_something_else(lab):
    assert lab.transforms.names() == ["RandomRotation"]


def test_that_wants_what_nobody_can_do(lab):
    lab.hands.click("run.stop")
"""


def test_the_readmes_test_passes_and_tests_that_fail_leave_evidence(tmp_path):
    scripts = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    (example,) = [script for script in scripts if "def test_" in script]
    (tmp_path / "test_lesson.py").write_text(example + FAILING)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--basetemp", str(tmp_path / "left")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=110, check=False)
    assert "2 failed, 1 passed" in done.stdout, done.stdout + done.stderr
    assert "run.stop is disabled" in done.stdout
    folders = sorted((tmp_path / "left").glob("*0/evidence"))
    assert [folder.parent.name[:14] for folder in folders] == ["test_that_find", "test_that_want"]
    for folder in folders:
        assert str(folder) in done.stdout
        assert (folder / "window.png").stat().st_size > 20_000
        assert json.loads((folder / "widgets.json").read_text())[0]["name"] == "window"
