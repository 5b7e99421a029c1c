"""`gui-lab doctor`: it says what is there, and that a part does not work where it does not."""

from __future__ import annotations

import json

import pytest

from gui_lab import resources
from gui_lab.cli import run


def report(capsys: pytest.CaptureFixture[str]) -> dict:
    return json.loads(capsys.readouterr().out)


def test_all_parts_work_here_and_are_named(capsys):
    assert run(["doctor", "--json"]) == 0
    found = report(capsys)
    assert found["works"] is True
    assert set(found["self_test"]) == {"resources", "catalogue", "transforms", "training", "writing", "qt"}
    assert found["versions"]["torch"].startswith("2.")
    assert "cpu" in found["machine"]["devices"]
    assert all(place["writable"] for place in found["paths"].values())


def test_it_reads_well(capsys):
    assert run(["doctor"]) == 0
    said = capsys.readouterr().out
    assert "  training    ok    loss fell from" in said
    assert said.endswith("Everything works.\n")


def test_a_part_that_does_not_work_is_told_and_the_others_go_on(monkeypatch, capsys):
    def missing(name):
        raise FileNotFoundError(f"the resource {name} is missing")

    monkeypatch.setattr(resources, "path", missing)
    assert run(["doctor", "--json"]) == 1
    found = report(capsys)
    assert found["works"] is False
    assert found["self_test"]["resources"] == {
        "works": False,
        "what": "FileNotFoundError: the resource digits.npz is missing",
    }
    assert found["self_test"]["writing"]["works"] is True


def test_a_display_that_is_missing_is_said(monkeypatch, capsys):
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    run(["doctor", "--json"])
    assert "no display" in report(capsys)["display"]["window"]
