"""Own pictures: the order and the pixels of torchvision, whatever the files are; what cannot be used is named."""

import os
import struct
import threading
import zlib
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from PIL import Image

from gui_lab.core import folder
from gui_lab.core.decoding import LARGEST_FILE, UnreadableError, measured, read
from gui_lab.core.folder import Listing, OnDisk, gathered, listed, shown
from gui_lab.core.images import InMemory, Pictures, Progress
from gui_lab.errors import DataError

Result = TypeVar("Result")
FORMATS = {"jpg": "JPEG", "png": "PNG", "ppm": "PPM", "bmp": "BMP", "tif": "TIFF", "webp": "WEBP"}


def picture(seed: int = 0, width: int = 12, height: int = 10) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8))


def save(path: Path, image: Image.Image | None = None, **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    (image or picture(len(path.name))).save(path, **options)  # type: ignore[arg-type]  # as given
    return path


def two_classes(root: Path, each: int = 3) -> Path:
    for label, name in enumerate(("cat", "dog")):
        for number in range(each):
            save(root / name / f"{number}.png", picture(10 * label + number))
    return root


def run(steps: Generator[Progress, None, Result]) -> Result:
    while True:
        try:
            assert isinstance(next(steps), Progress)
        except StopIteration as end:
            result: Result = end.value
            return result


def gather(root: Path) -> tuple[Pictures, list[str], dict[str, str]]:
    """Pictures, their names, and what was left out with its reason."""
    listing = run(listed(root))
    pictures, kept, reasons = run(gathered(listing.paths, listing.names))
    left_out = dict(listing.skipped) | {listing.names[i]: reason for i, reason in reasons.items()}
    return pictures, [listing.names[i] for i in kept], left_out


def as_torchvision_reads(path: Path) -> np.ndarray:
    from torchvision.datasets.folder import pil_loader

    return np.asarray(pil_loader(str(path))).transpose(2, 0, 1)


# The layout


def test_files_come_in_torchvisions_order_with_its_labels(tmp_path: Path) -> None:
    from torchvision.datasets import ImageFolder

    names = ("b/2.png", "b/10.png", "b/deep/er/1.JPG", "b/deep-/0.png", "A/x.webp", "a/y.tif", "a/Z.bmp", "a/.z.png")
    for name in names:
        save(tmp_path / name)
    listing = run(listed(tmp_path))
    reference = ImageFolder(tmp_path)
    assert list(zip(listing.paths, listing.labels, strict=True)) == reference.samples
    assert list(listing.classes) == reference.classes
    assert listing.names[0] == "A/x.webp"
    assert listing.given == frozenset()


@pytest.mark.parametrize("validation", ["val", "valid", "validation", "Val"])
def test_parts_are_known_by_their_folders(tmp_path: Path, validation: str) -> None:
    for part in ("train", validation, "test"):
        two_classes(tmp_path / part, 1)
    listing = run(listed(tmp_path))
    assert listing.classes == ("cat", "dog")
    assert listing.given == {"train", "validation", "test"}
    parts = dict(zip(listing.names, listing.parts, strict=True))
    assert parts["train/cat/0.png"] == "train"
    assert parts[f"{validation}/dog/0.png"] == "validation"
    assert parts["test/dog/0.png"] == "test"


def test_what_stands_beside_the_parts_is_left_out_and_named(tmp_path: Path) -> None:
    for part in ("train", "test", "notes"):
        two_classes(tmp_path / part, 1)
    save(tmp_path / "test" / "bird" / "0.png")
    listing = run(listed(tmp_path))
    assert {name for name, _ in listing.skipped} == {"notes", "test/bird"}
    assert not [name for name in listing.names if "bird" in name or "notes" in name]


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    for name in ("bus", "car", "train"):
        save(tmp_path / name / "1.png")
    assert run(listed(tmp_path)).classes == ("bus", "car", "train")


def test_parts_without_training_pictures_are_refused(tmp_path: Path) -> None:
    two_classes(tmp_path / "test")
    two_classes(tmp_path / "val")
    with pytest.raises(DataError, match="no folder named train"):
        run(listed(tmp_path))


@pytest.mark.parametrize("missing", ["nowhere", "file"])
def test_what_is_no_folder_is_told(tmp_path: Path, missing: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DataError, match="no folder that can be read"):
        run(listed(tmp_path / missing))


def test_a_folder_without_classes_is_told_with_the_layout(tmp_path: Path) -> None:
    save(tmp_path / "1.png")
    with pytest.raises(DataError) as told:
        run(listed(tmp_path))
    assert told.value.remedy == "Put each class in a folder of its own: root/cat/1.jpg, root/dog/2.jpg."


def test_a_folder_around_the_folder_is_told(tmp_path: Path) -> None:
    two_classes(tmp_path / "pets")
    with pytest.raises(DataError, match="Choose the folder pets itself"):
        run(listed(tmp_path))


def test_what_is_no_picture_is_left_out_and_counted(tmp_path: Path) -> None:
    two_classes(tmp_path)
    save(tmp_path / "loose.png")
    for name in ("cat/a.gif", "cat/b.gif", "dog/deep/readme.txt", ".git/x.png", "cat/.DS_Store", "cat/Thumbs.db"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    skipped = dict(run(listed(tmp_path)).skipped)
    assert set(skipped) == {"*", ".git", "cat/*.gif", "dog/*.txt"}
    assert "2 files" in skipped["cat/*.gif"]


def test_links_are_followed_and_their_loops_end(tmp_path: Path) -> None:
    root = two_classes(tmp_path / "root", 2)
    save(tmp_path / "more" / "9.png")
    (root / "cat" / "more").symlink_to(tmp_path / "more")
    (tmp_path / "more" / "back").symlink_to(root / "cat")
    (root / "cat" / "all").symlink_to(root)
    (root / "cat" / "itself.png").symlink_to(root / "cat" / "itself.png")
    (root / "cat" / "itself").symlink_to(root / "cat" / "itself")
    (root / "dog" / "gone.png").symlink_to(tmp_path / "gone.png")
    _, names, left_out = gather(root)
    assert names == ["cat/0.png", "cat/1.png", "cat/more/9.png", "dog/0.png", "dog/1.png"]
    assert left_out["dog/gone.png"] == "it is not there any more"
    assert "cat/itself.png" in left_out


@pytest.mark.parametrize(
    "name",
    ["line\nend", "\u202egnp.exe", "katze 🐈 é", "a'\"<b>&", b"\xff\xfe".decode(errors="surrogateescape"), "x" * 240],
)
def test_odd_names_survive_and_are_shown_escaped(tmp_path: Path, name: str) -> None:
    root = two_classes(tmp_path / "root")
    save(root / name / f"{name[:200]}.png")
    _, names, left_out = gather(root)
    listing = run(listed(root))
    assert len(names) == 7
    assert left_out == {}
    for text in (*names, *listing.classes):
        assert text.isprintable()
        text.encode()
    assert shown(name) in listing.classes


# One picture


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr"])
@pytest.mark.parametrize("ending", ["png", "jpg", "tif", "webp"])
def test_every_kind_of_picture_has_torchvisions_pixels(tmp_path: Path, mode: str, ending: str) -> None:
    image = picture(3).convert(mode)
    try:
        path = save(tmp_path / f"picture.{ending}", image)
    except (OSError, KeyError):
        image = picture(3)  # this format has no such mode
        path = save(tmp_path / f"picture.{ending}", image)
    assert np.array_equal(read(str(path)), as_torchvision_reads(path))
    assert measured(str(path)) == (10, 12)


def test_pictures_with_transparency_keep_their_colours(tmp_path: Path) -> None:
    palette = picture().quantize(16)
    path = save(tmp_path / "palette.png", palette, transparency=bytes(range(16)))
    with Image.open(path) as saved:
        assert saved.info["transparency"] == bytes(range(16))
    assert np.array_equal(read(str(path)), np.asarray(palette.convert("RGB")).transpose(2, 0, 1))


def test_sixteen_bits_become_eight(tmp_path: Path) -> None:
    wide = np.array([[0, 255, 256, 32_768, 65_535]], np.uint16)
    for name in ("deep.png", "deep.tif"):
        path = save(tmp_path / name, Image.fromarray(wide))
        assert read(str(path))[:, 0].tolist() == [[0, 0, 1, 128, 255]] * 3


def test_of_an_animation_the_first_frame_is_taken(tmp_path: Path) -> None:
    frames = [picture(number) for number in range(3)]
    for name in ("frames.png", "frames.tif"):
        path = save(tmp_path / name, frames[0], save_all=True, append_images=frames[1:])
        assert np.array_equal(read(str(path)), np.asarray(frames[0]).transpose(2, 0, 1))


def test_a_turn_by_exif_is_left_as_torchvision_leaves_it(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = save(tmp_path / "turned.jpg", picture(), exif=exif)
    assert read(str(path)).shape == (3, 10, 12)
    assert np.array_equal(read(str(path)), as_torchvision_reads(path))


def test_the_content_decides_and_not_the_ending(tmp_path: Path) -> None:
    picture().save(tmp_path / "really.jpg", format="PNG")
    assert np.array_equal(read(str(tmp_path / "really.jpg")), np.asarray(picture()).transpose(2, 0, 1))


def huge_png(width: int, height: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [8_001, 9_500, 50_000])
def test_a_picture_that_would_fill_the_memory_is_refused_before_it_is_decoded(tmp_path: Path, side: int) -> None:
    (tmp_path / "bomb.png").write_bytes(huge_png(side, side))
    for look in (read, measured):
        with pytest.raises(UnreadableError, match="million pixels"):
            look(str(tmp_path / "bomb.png"))


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "large.png").open("wb") as file:
        file.truncate(LARGEST_FILE + 1)
    with pytest.raises(UnreadableError, match="larger"):
        read(str(tmp_path / "large.png"))


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(UnreadableError, match="plain file"):
        read(str(tmp_path / "pipe.png"))


def test_numbers_of_unknown_range_are_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "float.tif", Image.fromarray(np.ones((4, 4), np.float32)))
    with pytest.raises(UnreadableError, match="floating"):
        read(str(path))


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "empty"), (b"GIF89a\x01\x00\x01\x00", "its content is none of"), (b"hello", "its content is none of")],
)
def test_what_is_no_picture_says_why(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "1.jpg").write_bytes(content)
    with pytest.raises(UnreadableError, match=reason):
        read(str(tmp_path / "1.jpg"))


@pytest.mark.parametrize("ending", FORMATS)
def test_a_cut_file_is_never_taken_for_a_whole_one(tmp_path: Path, ending: str) -> None:
    whole = save(tmp_path / f"whole.{ending}", picture(1, 40, 40)).read_bytes()
    path = tmp_path / f"cut.{ending}"
    for tenth in range(1, 10):
        path.write_bytes(whole[: len(whole) * tenth // 10])
        for look in (read, measured):
            with pytest.raises(UnreadableError):
                look(str(path))


@pytest.mark.filterwarnings("ignore")  # Pillow grumbles about damaged metadata, and goes on
@pytest.mark.parametrize("ending", FORMATS)
def test_damage_anywhere_gives_a_picture_or_a_reason_and_nothing_else(tmp_path: Path, ending: str) -> None:
    whole = save(tmp_path / f"whole.{ending}", picture(1, 30, 30)).read_bytes()
    path = tmp_path / f"damaged.{ending}"
    random = np.random.default_rng(5)
    outcomes: list[str | int] = []
    for _ in range(60):
        damaged = bytearray(whole)
        for place in random.integers(0, min(len(whole), 400), 3):
            damaged[place] = random.integers(256)
        path.write_bytes(damaged)
        try:
            outcomes.append(read(str(path)).ndim)
        except UnreadableError as unreadable:
            outcomes.append(str(unreadable))
    assert len(outcomes) == 60
    assert all(outcomes)


# Many pictures


def test_pictures_of_one_size_come_into_memory(tmp_path: Path) -> None:
    pictures, names, _ = gather(two_classes(tmp_path))
    assert isinstance(pictures, InMemory)
    assert pictures.kind.shape == (3, 10, 12)
    for index, name in enumerate(names):
        assert np.array_equal(pictures.pixels[index], read(str(tmp_path / name)))


def test_large_pictures_are_read_by_several_threads_into_their_places(tmp_path: Path) -> None:
    for number in range(8):
        save(tmp_path / "ab"[number % 2] / f"{number}.png", picture(number, 120, 100))
    pictures, names, _ = gather(tmp_path)
    for index, name in enumerate(names):
        assert np.array_equal(pictures.take(np.array([index]))[0], read(str(tmp_path / name)))


def test_what_cannot_be_read_is_left_out_and_the_others_keep_their_labels(tmp_path: Path) -> None:
    two_classes(tmp_path, 4)
    (tmp_path / "cat" / "1.png").write_bytes(b"")
    (tmp_path / "dog" / "2.png").write_bytes((tmp_path / "dog" / "3.png").read_bytes()[:100])
    (tmp_path / "cat" / "0.png").write_bytes(b"text")
    pictures, names, left_out = gather(tmp_path)
    assert set(left_out) == {"cat/0.png", "cat/1.png", "dog/2.png"}
    assert names == ["cat/2.png", "cat/3.png", "dog/0.png", "dog/1.png", "dog/3.png"]
    for index, name in enumerate(names):
        assert np.array_equal(pictures.take(np.array([index]))[0], read(str(tmp_path / name)))


def test_pictures_of_several_sizes_stay_on_disk(tmp_path: Path) -> None:
    two_classes(tmp_path)
    save(tmp_path / "cat" / "small.jpg", picture(1, 30, 7))
    save(tmp_path / "dog" / "cut.jpg", picture(1, 30, 7)).write_bytes(b"\xff\xd8\xff")
    pictures, names, left_out = gather(tmp_path)
    assert isinstance(pictures, OnDisk)
    assert pictures.kind.size is None
    assert pictures.kind.least == (7, 12)
    assert set(left_out) == {"dog/cut.jpg"}
    taken = pictures.take(np.arange(len(names)))
    assert isinstance(taken, list)
    for name, one in zip(names, taken, strict=True):
        assert np.array_equal(one, read(str(tmp_path / name)))


def test_pictures_that_do_not_fit_into_memory_stay_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "budget", lambda: 1000)
    pictures, names, _ = gather(two_classes(tmp_path))
    assert isinstance(pictures, OnDisk)
    assert pictures.kind.shape == (3, 10, 12)
    taken = pictures.take(np.array([5, 0, 5]))
    assert isinstance(taken, np.ndarray)
    assert np.array_equal(taken, np.stack([read(str(tmp_path / names[index])) for index in (5, 0, 5)]))


def test_nothing_readable_is_told(tmp_path: Path) -> None:
    two_classes(tmp_path)
    for path in tmp_path.rglob("*.png"):
        path.write_bytes(b"")
    with pytest.raises(DataError, match="None of the 6 pictures can be read"):
        gather(tmp_path)


def test_leaving_in_the_middle_ends_the_threads(tmp_path: Path) -> None:
    for number in range(600):
        save(tmp_path / "ab"[number % 2] / f"{number}.png")
    listing: Listing = run(listed(tmp_path))
    reading = gathered(listing.paths, listing.names)
    next(reading)
    reading.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("pictures")]


def test_memory_for_decoded_pictures_is_bounded_and_keeps_the_latest(tmp_path: Path) -> None:
    names = [f"{number}.png" for number in range(10)]
    paths = [str(save(tmp_path / name, picture(number))) for number, name in enumerate(names)]
    one = 3 * 10 * 12
    pictures = OnDisk(paths, names, np.array([[10, 12]] * 10), 4 * one)
    for index in (0, 1, 2, 3, 0, 4):
        pictures.take(np.array([index]))
        assert pictures.kept_bytes <= 4 * one
    for path in paths:
        os.remove(path)
    for index in (0, 2, 3, 4):
        pictures.take(np.array([index]))
    with pytest.raises(DataError) as lost:
        pictures.take(np.array([1]))
    assert lost.value.sentence == "1.png cannot be used any more: it is not there any more."
    assert lost.value.remedy


def test_a_picture_that_was_replaced_by_another_size_is_told(tmp_path: Path) -> None:
    path = save(tmp_path / "1.png")
    pictures = OnDisk([str(path)], ["1.png"], np.array([[10, 12]]), 0)
    save(path, picture(0, 5, 5))
    with pytest.raises(DataError, match="another size"):
        pictures.take(np.array([0]))


def test_many_threads_may_take_at_once(tmp_path: Path) -> None:
    names = [f"{number}.png" for number in range(20)]
    paths = [str(save(tmp_path / name, picture(number))) for number, name in enumerate(names)]
    pictures = OnDisk(paths, names, np.array([[10, 12]] * 20), 5 * 360)
    expected = np.stack([read(path) for path in paths])

    def take(seed: int) -> bool:
        indices = np.random.default_rng(seed).integers(0, 20, 12)
        return np.array_equal(np.asarray(pictures.take(indices)), expected[indices])

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(take, range(40)))
    assert pictures.kept_bytes <= 5 * 360
