"""A picture from a file becomes like those of the data set, and what was done to it is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gui_lab.core.images import ImageSet, InMemory
from gui_lab.core.own_picture import own_picture
from gui_lab.core.pipeline import Kind
from gui_lab.errors import DataError

EVERY = np.arange(4)


class Various:
    """Colour pictures of several sizes, none smaller than 20 x 30 (height x width)."""

    kind = Kind.image(3, None, None, least=(20, 30))

    def __len__(self) -> int:
        return 4

    def take(self, indices: np.ndarray) -> list[np.ndarray]:
        return [np.zeros((3, 20 + index, 30), np.uint8) for index in indices]


def image_set(channels: int = 1, height: int = 8, width: int = 8) -> ImageSet:
    pixels = np.zeros((4, channels, height, width), np.uint8)
    return ImageSet(InMemory(pixels), EVERY % 2, ("a", "b"), EVERY[:2], EVERY[2:], EVERY[:0])


def saved(folder: Path, pixels: np.ndarray, name: str = "mine.png") -> Path:
    Image.fromarray(pixels).save(folder / name)
    return folder / name


def test_a_grey_file_of_the_right_size_is_taken_as_it_is(tmp_path: Path) -> None:
    pixels = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4
    own = own_picture(saved(tmp_path, pixels), image_set())
    assert np.array_equal(own.picture, pixels[None])
    assert own.picture.dtype == np.uint8
    assert (own.name, own.note) == ("mine.png", "")
    assert own.fits(image_set().kind)
    assert not own.fits(image_set(3).kind)
    assert not own.fits(image_set(1, 9, 8).kind)


def test_colours_become_grey_where_the_data_set_is_and_that_is_said(tmp_path: Path) -> None:
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[..., 1] = 200
    own = own_picture(saved(tmp_path, pixels), image_set())
    assert own.picture.shape == (1, 8, 8)
    assert abs(int(own.picture[0, 0, 0]) - 0.587 * 200) < 1
    assert own.note == "Made grey, as the pictures of the data set are."
    larger = own_picture(tmp_path / "mine.png", image_set(1, 16, 8)).note
    assert larger.startswith("Made grey, cut in the middle and scaled from 8 x 8 to 8 x 16, as")
    kept = own_picture(tmp_path / "mine.png", image_set(3))
    assert np.array_equal(kept.picture, pixels.transpose(2, 0, 1))
    assert kept.note == ""


def test_another_size_is_scaled_with_its_proportions_kept_and_cut_in_the_middle(tmp_path: Path) -> None:
    pixels = np.zeros((16, 48), np.uint8)
    pixels[:, 16:32] = 255  # the middle square
    own = own_picture(saved(tmp_path, pixels), image_set())
    assert own.picture.shape == (1, 8, 8)
    assert own.picture[0, :, 1:-1].min() == 255
    assert own.note == "Cut in the middle and scaled from 48 x 16 to 8 x 8, as the pictures of the data set are."
    smaller = own_picture(saved(tmp_path, pixels[:4, 16:20], "small.png"), image_set())
    assert smaller.note == "Scaled from 4 x 4 to 8 x 8, as the pictures of the data set are."
    longer = own_picture(saved(tmp_path, pixels[:8, :10], "longer.png"), image_set())
    assert longer.note == "Cut in the middle from 10 x 8 to 8 x 8, as the pictures of the data set are."
    assert np.array_equal(longer.picture[0], pixels[:8, 1:9])
    wide = own_picture(tmp_path / "mine.png", image_set(3, 8, 24))
    assert wide.picture.shape == (3, 8, 24)
    assert wide.note == "Scaled from 48 x 16 to 24 x 8, as the pictures of the data set are."


def test_where_sizes_differ_it_keeps_its_own_unless_it_is_smaller_than_all_others(tmp_path: Path) -> None:
    images = ImageSet(Various(), EVERY % 2, ("a", "b"), EVERY[:2], EVERY[2:], EVERY[:0])
    large = own_picture(saved(tmp_path, np.zeros((50, 70, 3), np.uint8)), images)
    assert large.picture.shape == (3, 50, 70)
    assert large.note == ""
    small = own_picture(saved(tmp_path, np.zeros((10, 20), np.uint8), "small.png"), images)
    assert small.picture.shape == (3, 20, 40)
    assert small.note.startswith("Scaled from 20 x 10 to 40 x 20")
    assert large.fits(images.kind)
    assert small.fits(images.kind)


def test_each_has_a_number_of_its_own_that_no_picture_of_a_data_set_has(tmp_path: Path) -> None:
    path = saved(tmp_path, np.zeros((8, 8), np.uint8))
    first, second = own_picture(path, image_set()), own_picture(path, image_set())
    assert first.index < 0
    assert second.index < 0
    assert first.index != second.index


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "the file is empty"), (b"no picture at all", "its content is none of"), (None, "it is not there any more")],
)
def test_a_file_that_is_no_picture_is_refused_with_a_remedy(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "line\nbreak.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=reason) as refused:
        own_picture(path, image_set())
    assert refused.value.sentence.startswith(r"line\nbreak.png cannot be pinned: ")
    assert "JPEG, PNG" in refused.value.remedy


def test_a_thin_strip_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="strip of 300 x 2 pixels"):
        own_picture(saved(tmp_path, np.zeros((2, 300), np.uint8)), image_set())


def test_pictures_with_other_channels_than_a_file_has_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="2 channels") as refused:
        own_picture(saved(tmp_path, np.zeros((8, 8), np.uint8)), image_set(2))
    assert refused.value.remedy
