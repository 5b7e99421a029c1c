"""Builds what people install: `uv run python packaging/build.py deb|tar|folder|wheel`.

A bundle is frozen from an environment of its own, `build/venv`, made by pip from the wheel of this tree, so that it
holds what a person would install and nothing of a developer's. CUDA libraries (5 GB) are refused unless they are asked
for: pip must find a CPU build of torch there. What comes out is measured by package and held to a budget.
"""

from __future__ import annotations

import argparse
import datetime
import email.utils
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import tomllib
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGING, BUILD, DIST = ROOT / "packaging", ROOT / "build", ROOT / "dist"
FOLDER = DIST / "gui-lab"
ID = "org.gui_lab.GuiLab"
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
TORCH = ("torch==2.13.0", "torchvision==0.28.0")
"""The pair that bundles are built with."""
MAINTAINER = "The GUI Lab developers <gui-lab@localhost.localdomain>"
UNPACKED_MB, DEB_MB = 900, 300
ICON_SIDES = (16, 22, 24, 32, 48, 64, 128, 256, 512)
CUDA = re.compile(r"^(nvidia[-_]|triton|cuda[-_])", re.IGNORECASE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=("deb", "tar", "folder", "wheel"))
    parser.add_argument("--cuda", action="store_true", help="allow CUDA libraries in the bundle")
    parser.add_argument("--level", type=int, default=10, help="of zstd, 1 (fast) to 19 (small)")
    wanted = parser.parse_args()
    began = time.monotonic()
    if wanted.what == "wheel":
        made = wheel()
    else:
        frozen(wanted.cuda)
        weigh(FOLDER, wanted.cuda)
        makers = {"deb": lambda: deb(wanted.level, wanted.cuda), "tar": lambda: tar(wanted.level)}
        made = makers.get(wanted.what, lambda: FOLDER)()
    print(f"{made.relative_to(ROOT)}  {size_mb(made):,.0f} MB  in {time.monotonic() - began:.0f} s")


def run(*words: str | Path, **settings: object) -> None:
    print("+", *words, flush=True)
    subprocess.run([str(word) for word in words], check=True, cwd=ROOT, **settings)  # type: ignore[call-overload]  # any settings


# -------------------------------------------------------------------- environment and freezing


def wheel() -> Path:
    """The wheel and the sdist, in `dist/`."""
    for old in (*DIST.glob("gui_lab-*.whl"), *DIST.glob("gui_lab-*.tar.gz")):
        old.unlink()
    run("uv", "build", "--out-dir", DIST)
    return next(DIST.glob("gui_lab-*.whl"))


def environment(cuda: bool) -> Path:
    """A fresh environment with the lab, torch and PyInstaller; returns its Python.

    Raises:
        SystemExit: pip brought CUDA libraries and they were not asked for.
    """
    python = BUILD / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    run(sys.executable, "-m", "venv", "--clear", BUILD / "venv")
    run(python, "-m", "pip", "install", "--quiet", *TORCH, "pyinstaller>=6.22")
    run(python, "-m", "pip", "install", "--quiet", wheel())
    listed = subprocess.run(
        [python, "-m", "pip", "list", "--format=freeze"], capture_output=True, text=True, check=True
    )
    heavy = [line for line in listed.stdout.splitlines() if CUDA.match(line)]
    if heavy and not cuda:
        raise SystemExit(
            f"pip brought CUDA libraries ({', '.join(heavy[:3])}, ...): the bundle would be seven times as large. "
            f"Let pip find a CPU build of {TORCH[0]} (PIP_INDEX_URL or PIP_EXTRA_INDEX_URL), or say --cuda."
        )
    return python


def frozen(cuda: bool) -> None:
    """`dist/gui-lab`: the folder with the program and all it needs."""
    python = environment(cuda)
    icons()
    shutil.rmtree(FOLDER, ignore_errors=True)
    run(python, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN", "--distpath", DIST, "--workpath",
        BUILD / "pyinstaller", PACKAGING / "gui-lab.spec")  # fmt: skip


def weigh(folder: Path, cuda: bool) -> None:
    """Print the size by package, the largest first.

    Raises:
        SystemExit: it is larger than the budget.
    """
    sizes: Counter[str] = Counter()
    for file in folder.rglob("*"):
        if file.is_file() and not file.is_symlink():
            sizes[file.relative_to(folder / "_internal").parts[0] if "_internal" in file.parts else file.name] += (
                file.stat().st_size
            )
    total = sum(sizes.values()) / 2**20
    for name, count in sizes.most_common(12):
        print(f"  {count / 2**20:7.1f} MB  {name}")
    print(f"  {total:7.1f} MB  in all, of {UNPACKED_MB}")
    if total > UNPACKED_MB and not cuda:
        raise SystemExit(f"The bundle is larger than {UNPACKED_MB} MB: see what has come in.")


def icons() -> None:
    """`build/icons/16.png` and so on, and those of Windows and macOS, from the drawing."""
    script = (
        "import sys; from PySide6.QtGui import QIcon, QGuiApplication; from pathlib import Path\n"
        "app = QGuiApplication([]); drawing, folder, *sides = sys.argv[1:]\n"
        "for side in map(int, sides):\n"
        "    picture = QIcon(drawing).pixmap(side, side).toImage()\n"
        "    picture = picture.scaled(side, side)\n"
        "    assert picture.save(f'{folder}/{side}.png'), side\n"
    )
    folder = BUILD / "icons"
    folder.mkdir(parents=True, exist_ok=True)
    python = BUILD / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    run(python, "-c", script, PACKAGING / "gui-lab.svg", folder, *map(str, ICON_SIDES),
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"})  # fmt: skip
    if sys.platform in ("win32", "darwin"):
        kind = "ico" if sys.platform == "win32" else "icns"
        convert = "import sys; from PIL import Image; Image.open(sys.argv[1]).save(sys.argv[2])"
        run(python, "-c", convert, folder / "512.png", BUILD / f"gui-lab.{kind}")


# -------------------------------------------------------------------- Linux


def filled_in(template: Path, **values: object) -> str:
    """A template with `@NAME@` replaced."""
    text = template.read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    assert "@" not in re.sub(r"<[^<>@\s]+@[^<>\s]+>", "", text), f"something in {template.name} was not filled in"
    return text


def lay_out(root: Path) -> None:
    """What is installed, below `root`: the program in /opt, a command in /usr/bin, and the desktop's files."""
    linux, share = PACKAGING / "linux", root / "usr" / "share"
    shutil.copytree(FOLDER, root / "opt" / "gui-lab", symlinks=True)
    put(root / "usr/bin/gui-lab", '#!/bin/sh\nexec /opt/gui-lab/gui-lab "$@"\n', 0o755)
    put(share / "applications" / f"{ID}.desktop", (linux / f"{ID}.desktop").read_text())
    put(share / "mime/packages/gui-lab.xml", (linux / "gui-lab-mime.xml").read_text())
    date = datetime.datetime.fromtimestamp(_epoch(), datetime.UTC).date()
    values = {"VERSION": VERSION, "DATE": date}
    put(share / "metainfo" / f"{ID}.metainfo.xml", filled_in(linux / f"{ID}.metainfo.xml.in", **values))
    for name, text in (("man/man1/gui-lab.1.gz", filled_in(linux / "gui-lab.1.in", **values)),
                       ("doc/gui-lab/changelog.gz", changelog())):  # fmt: skip
        put(share / name, "")
        with (share / name).open("wb") as file:
            subprocess.run(["gzip", "-9n"], input=text.encode(), stdout=file, check=True)
    put(share / "doc/gui-lab/copyright", copyright_text())
    put(share / "lintian/overrides/gui-lab", (linux / "lintian-overrides").read_text())
    for side in ICON_SIDES:
        icon = share / f"icons/hicolor/{side}x{side}/apps/{ID}.png"
        icon.parent.mkdir(parents=True)
        shutil.copy(BUILD / "icons" / f"{side}.png", icon)
    drawing = share / f"icons/hicolor/scalable/apps/{ID}.svg"
    drawing.parent.mkdir(parents=True)
    shutil.copy(PACKAGING / "gui-lab.svg", drawing)
    for path in root.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or (path.stat().st_mode & 0o100 and not _library(path)) else 0o644)


def _library(path: Path) -> bool:
    return ".so" in path.suffixes


def _epoch() -> float:
    """The moment of the last commit, so that the same tree gives the same package; now, outside of a checkout."""
    shown = subprocess.run(["git", "log", "-1", "--format=%ct"], capture_output=True, text=True, cwd=ROOT, check=False)
    return float(shown.stdout.strip() or time.time())


def put(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


def changelog() -> str:
    when = email.utils.formatdate(_epoch())
    return f"gui-lab ({VERSION}) stable; urgency=medium\n\n  * This version.\n\n -- {MAINTAINER}  {when}\n"


def copyright_text() -> str:
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    indented = "\n".join(f" {line}" if line.strip() else " ." for line in licence.splitlines())
    return (
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"
        "Upstream-Name: GUI Lab\n\nFiles: *\nCopyright: The GUI Lab developers\nLicense: BSD-3-Clause\n"
        f"{indented}\n\nComment: The bundle in /opt/gui-lab carries Python, PyTorch, torchvision, Qt (LGPL-3) and\n"
        " other libraries; the licence of each lies beside it, below /opt/gui-lab/_internal.\n"
    )


def deb(level: int, cuda: bool) -> Path:
    """`dist/gui-lab_VERSION_ARCH.deb`."""
    architecture = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True).stdout
    target = DIST / f"gui-lab_{VERSION}_{architecture.strip()}.deb"
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        root = Path(folder) / "root"
        lay_out(root)
        size = sum(file.lstat().st_size for file in root.rglob("*") if not file.is_dir()) // 1024
        control = filled_in(
            PACKAGING / "linux" / "control.in",
            VERSION=VERSION,
            ARCH=architecture.strip(),
            SIZE_KB=size,
            GLIBC=glibc(),
            MAINTAINER=MAINTAINER,
        )
        put(root / "DEBIAN/control", control)
        for script in ("postinst", "postrm"):
            put(root / "DEBIAN" / script, (PACKAGING / "linux" / script).read_text(), 0o755)
        root.chmod(0o755)
        sums = subprocess.run("find . -type f ! -path './DEBIAN/*' -printf '%P\\0' | sort -z | xargs -0 md5sum",
                              shell=True, cwd=root, capture_output=True, text=True, check=True)  # fmt: skip
        put(root / "DEBIAN/md5sums", sums.stdout)
        run(
            "dpkg-deb",
            "--root-owner-group",
            "--no-uniform-compression",
            "-Zzstd",
            f"-z{level}",
            "--build",
            root,
            target,
        )
    if size_mb(target) > DEB_MB and not cuda:
        raise SystemExit(f"The package is larger than {DEB_MB} MB.")
    return target


def glibc() -> str:
    """The newest glibc that anything in the bundle asks for: the machine it was built on sets the floor."""
    found = {(2, 28)}
    for file in FOLDER.rglob("*"):
        if file.is_file() and not file.is_symlink() and (".so" in file.suffixes or file.name == "gui-lab"):
            for major, minor in re.findall(rb"GLIBC_(\d+)\.(\d+)", file.read_bytes()):
                found.add((int(major), int(minor)))
    return ".".join(map(str, max(found)))


def tar(level: int) -> Path:
    """`dist/gui-lab-VERSION-SYSTEM-ARCH.tar.zst`: unpack anywhere and start gui-lab/gui-lab."""
    target = DIST / f"gui-lab-{VERSION}-{platform.system().lower()}-{platform.machine()}.tar.zst"
    with target.open("wb") as file:
        packer = subprocess.Popen(["zstd", f"-{level}", "-T0", "-q"], stdin=subprocess.PIPE, stdout=file)
        assert packer.stdin is not None
        with tarfile.open(fileobj=packer.stdin, mode="w|") as archive:
            archive.add(FOLDER, "gui-lab")
        packer.stdin.close()
        if packer.wait() != 0:
            raise SystemExit("zstd failed.")
    return target


def size_mb(path: Path) -> float:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.lstat().st_size for file in files) / 2**20


if __name__ == "__main__":
    main()
