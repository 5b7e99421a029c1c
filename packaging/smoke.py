"""Tries what was installed, not the source: `python packaging/smoke.py [--like SOURCE] COMMAND`.

    python packaging/smoke.py gui-lab                        the installed program on this machine
    python packaging/smoke.py --deb dist/gui-lab_*.deb       in a clean Debian root, as an ordinary user (needs root)

Only Python's own library is used, so that it runs anywhere. Every step prints what it saw; the first that fails ends
it. In the clean root the package is installed by apt with the dependencies it declares and no others; the network is
taken away before the program starts.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

FAMILIES = ("datasets", "transforms", "models", "losses", "optimizers", "schedulers", "training", "concepts")
USER = "learner"
PLACES = ("dataset", "transforms", "model", "training", "train")
SUITE = "bookworm"


class Failure(Exception):
    """A step saw what must not be."""


class Here:
    """Runs the program on this machine, with a home of its own."""

    def __init__(self, command: list[str], home: Path) -> None:
        self.command, self.home = command, home

    def run(self, *words: str, seconds: float = 300, **environment: str) -> subprocess.CompletedProcess[str]:
        kept = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
        env = {**kept, "GUI_LAB_HOME": str(self.home), "QT_QPA_PLATFORM": "offscreen", **environment}
        return subprocess.run(
            [*self.command, *words], env=env, capture_output=True, text=True, timeout=seconds, check=False
        )

    def path(self, name: str) -> Path:
        """Where a file of the program's home lies for us."""
        return self.home / name


class Inside:
    """Runs the program in another root, as an ordinary user without a network."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def run(self, *words: str, seconds: float = 300, **environment: str) -> subprocess.CompletedProcess[str]:
        settings = {"HOME": f"/home/{USER}", "GUI_LAB_HOME": f"/home/{USER}/lab", "PATH": "/usr/bin:/bin",
                    "LANG": "C.UTF-8", "QT_QPA_PLATFORM": "offscreen", **environment}  # fmt: skip
        command = ["unshare", "--net", "chroot", f"--userspec={USER}:{USER}", str(self.root), "/usr/bin/env", "-i",
                   *(f"{key}={value}" for key, value in settings.items()), "gui-lab", *words]  # fmt: skip
        return subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)

    def path(self, name: str) -> Path:
        return self.root / "home" / USER / "lab" / name


def say(what: str) -> None:
    print(f"smoke: {what}", flush=True)


def done(ended: subprocess.CompletedProcess[str], what: str) -> str:
    if ended.returncode != 0:
        raise Failure(f"{what} ended with {ended.returncode}:\n{ended.stdout[-3000:]}\n{ended.stderr[-3000:]}")
    return ended.stdout


def smoke(place: Here | Inside, like: list[str], place_home: str) -> None:
    """All steps, offscreen. The catalogue must be that of the command `like`, where one is given."""
    report = json.loads(done(place.run("doctor", "--json"), "doctor"))
    say(f"doctor: {report['versions']['torch']}, {report['self_test']['training']['what']}")
    if not report["works"]:
        raise Failure(f"doctor: {report['self_test']}")
    for family in FAMILIES:
        found = json.loads(done(place.run("list", family, "--json"), f"list {family}"))
        wanted = done(quiet(*like, "list", family, "--json"), f"{like[0]} list") if like else ""
        if wanted and _timeless(found) != _timeless(json.loads(wanted)):
            raise Failure(f"list {family} differs from that of {' '.join(like)}")
    say(f"list: {len(FAMILIES)} families{' as in the source tree' if like else ''}")
    shots = f"{place_home}/shots"
    began = time.monotonic()
    told = done(place.run("demo", "--offscreen", "--screenshots", shots, seconds=600), "demo")
    say(f"demo: {told.splitlines()[-1]} ({time.monotonic() - began:.0f} s)")
    missing = [name for name in PLACES if not shot(place, f"shots/{name}.png")]
    if missing:
        raise Failure(f"no picture of {', '.join(missing)}")
    document(place, place_home)
    say(f"first paint after {first_paint(place) * 1000:.0f} ms")


def _timeless(found: object) -> object:
    """Without defaults that are folders of the person's home."""
    if isinstance(found, list):
        return [_timeless(one) for one in found]
    if isinstance(found, dict):
        return {key: _timeless(one) for key, one in found.items() if not (key == "default" and str(one)[:1] in "~/")}
    return found


def shot(place: Here | Inside, name: str) -> bool:
    file = place.path(name)
    return file.is_file() and file.stat().st_size > 10_000 and file.read_bytes()[:4] == b"\x89PNG"


def document(place: Here | Inside, home: str) -> None:
    """An experiment is made, trained without a window, and opened in one by argument."""
    file = f"{home}/first.lab"
    done(place.run("new", file, "--set", "training.epochs=2"), "new")
    trained = done(place.run("train", file, "--json", "--runs", f"{home}/runs"), "train")
    last = json.loads(trained.splitlines()[-1])
    if last["event"] != "run_ended" or last["reason"] != "finished":
        raise Failure(f"train ended with {last}")
    say(f"train: weights {last['weights_sha256'][:12]}")
    if not window_lives(place, file):
        raise Failure("the window did not stay open with a file")
    say("a file opens the window by argument")


def window_lives(place: Here | Inside, *words: str, seconds: float = 6) -> bool:
    """Whether the window is still there after a while; it is then taken away."""
    try:
        ended = place.run(*words, seconds=seconds)
    except subprocess.TimeoutExpired:
        return True
    print(ended.stdout[-2000:], ended.stderr[-2000:], sep="\n")
    return False


def first_paint(place: Here | Inside) -> float:
    """Seconds from the start of the process to the first painted window, the median of five, told by the program."""
    found = sorted(float(done(place.run("--tell-start"), "first paint")) for _ in range(5))
    return found[2]


# -------------------------------------------------------------------- a clean root


@contextlib.contextmanager
def mounted(root: Path) -> Iterator[None]:
    """What every running system has: /proc, /dev and shared memory."""
    mounts = (("-t", "proc", "proc", root / "proc"), ("--rbind", "/dev", root / "dev"))
    for words in mounts:
        subprocess.run(["mount", *map(str, words)], check=True)
    subprocess.run(["mount", "--make-rslave", str(root / "dev")], check=True)
    try:
        yield
    finally:
        for name in ("dev", "proc"):
            subprocess.run(["umount", "--recursive", "--lazy", str(root / name)], check=True)


def clean_root(deb: Path, root: Path) -> Inside:
    """A minimal Debian with the package installed by apt, and an ordinary user."""
    if os.geteuid() != 0:
        raise Failure("a clean root needs root")
    say(f"a clean {SUITE} in {root}")
    done(quiet("debootstrap", "--variant=minbase", SUITE, str(root), *mirror()), "debootstrap")
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    for name in ("sources.list", "sources.list.d", "apt.conf.d", "auth.conf.d", "trusted.gpg.d", "keyrings"):
        copy_settings(Path("/etc/apt") / name, root / "etc/apt" / name)
    shutil.copy(deb, root / "tmp" / "gui-lab.deb")
    for words in (("apt-get", "update", "-qq"),
                  ("apt-get", "install", "-y", "-qq", "--no-install-recommends", "/tmp/gui-lab.deb"),
                  ("useradd", "--create-home", USER)):  # fmt: skip
        done(quiet("chroot", str(root), "/usr/bin/env", "DEBIAN_FRONTEND=noninteractive", *words), words[0])
    say("installed by apt with its declared dependencies")
    return Inside(root)


def mirror() -> list[str]:
    """Where this machine gets Debian from, by its own settings; empty leaves it to debootstrap."""
    lists = [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")]
    for file in (one for one in lists if one.is_file()):
        for line in file.read_text().splitlines():
            for word in line.partition("#")[0].split():
                if "://" in word and word.rstrip("/").endswith("/debian"):
                    return [word]
    return []


def copy_settings(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    elif source.is_file():
        shutil.copy(source, target)


def quiet(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, check=False)


def under_xvfb(inside: Inside) -> None:
    """The same demo on a real X server outside of the root, reached through its socket."""
    number = ":97"
    server = subprocess.Popen(
        ["Xvfb", number, "-screen", "0", "1440x900x24", "-nolisten", "tcp", "-ac"], stderr=subprocess.DEVNULL
    )
    sockets = inside.root / "tmp/.X11-unix"
    sockets.mkdir(exist_ok=True)
    try:
        wait_for(Path(f"/tmp/.X11-unix/X{number[1:]}"))
        subprocess.run(["mount", "--bind", "/tmp/.X11-unix", str(sockets)], check=True)
        try:
            told = done(
                inside.run("demo", "--seconds", "5", seconds=600, QT_QPA_PLATFORM="xcb", DISPLAY=number), "demo (xcb)"
            )
            say(f"demo under Xvfb: {told.splitlines()[-1]}")
        finally:
            subprocess.run(["umount", str(sockets)], check=True)
    finally:
        server.terminate()
        server.wait()


def wait_for(path: Path, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not path.exists():
        if time.monotonic() > end:
            raise Failure(f"{path} did not appear")
        time.sleep(0.1)


def removed(inside: Inside) -> None:
    """The package goes and leaves nothing of its own; what the person made stays."""
    done(quiet("chroot", str(inside.root), "apt-get", "remove", "-y", "-qq", "gui-lab"), "apt-get remove")
    left = [
        path for path in ("opt/gui-lab", "usr/bin/gui-lab", "usr/share/doc/gui-lab") if (inside.root / path).exists()
    ]
    if left:
        raise Failure(f"left behind: {left}")
    if not inside.path("runs").is_dir():
        raise Failure("removing the program took the person's runs away")
    say("removed; the person's runs are still there")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("command", nargs="*", help="the installed program, such as gui-lab")
    parser.add_argument("--deb", type=Path, help="install this package in a clean Debian root and try it there")
    parser.add_argument("--like", default="", help='a command whose catalogue must be the same: "uv run gui-lab"')
    wanted = parser.parse_args()
    like = shlex.split(wanted.like)
    with tempfile.TemporaryDirectory(prefix="gui-lab-smoke-") as folder:
        try:
            if wanted.deb is None:
                home = Path(folder) / "home"
                smoke(Here(wanted.command, home), like, str(home))
            else:
                inside = clean_root(wanted.deb.resolve(), Path(folder) / "root")
                with mounted(inside.root):
                    smoke(inside, like, f"/home/{USER}/lab")
                    under_xvfb(inside)
                    removed(inside)
        except Failure as failure:
            say(f"FAILED: {failure}")
            return 1
    say("all is well")
    return 0


if __name__ == "__main__":
    sys.exit(main())
