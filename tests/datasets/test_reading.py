"""Every file that enters: pictures and label maps of any kind, and files with faults."""

import numpy as np
import pytest
from label_files import GREY, LABELS, open_folder, save_labels, save_picture
from PIL import Image
from torch.utils.data import DataLoader

from deeplab_lessons import datasets
from deeplab_lessons.datasets import (
    indices_to_colours,
    voc_colours,
)
from deeplab_lessons.datasets.reading import read_label_map


@pytest.mark.parametrize("kind", ["grey", "palette", "colours", "16 bits"])
def test_label_maps_of_every_kind_say_the_same(folder, kind):
    path = folder / "labels" / "one.png"
    if kind == "palette":
        save_labels(path, palette=voc_colours())
        assert Image.open(path).mode == "P"
    elif kind == "colours":
        save_labels(path, indices_to_colours(LABELS, voc_colours()))
    elif kind == "16 bits":
        save_labels(path, LABELS.astype(np.uint16))
    picture, labels = open_folder(folder).pair(0)
    assert np.array_equal(labels, LABELS) and labels.dtype == np.uint8 and picture.shape == (6, 8, 3)


def test_grey_and_palette_pictures_become_colours(folder):
    (folder / "images" / "one.jpg").unlink()
    save_picture(folder / "images" / "one.png", np.full((6, 8), 77, np.uint8))
    assert (open_folder(folder).pair(0)[0] == 77).all()


def test_unknown_class_numbers_are_named_with_their_file(folder):
    save_labels(folder / "labels" / "one.png", np.where(LABELS == 2, 37, LABELS))
    with pytest.raises(ValueError, match=r"one\.png holds the class numbers \[37\].* knows 0-2, 255"):
        open_folder(folder)[0]


def test_a_palette_map_saved_as_grey_is_recognised(folder):
    path = save_labels(folder / "labels" / "one.png", palette=voc_colours())
    Image.open(path).convert("L").save(path)
    with pytest.raises(ValueError, match=r'\[38, 75, 220\].*convert\("L"\)'):
        open_folder(folder)[0]


def test_unknown_colours_are_named_with_their_file(folder):
    colours = indices_to_colours(LABELS, voc_colours())
    colours[0, 0] = 9
    save_labels(folder / "labels" / "one.png", colours)
    with pytest.raises(ValueError, match=r"one\.png: colours \(9, 9, 9\)"):
        open_folder(folder)[0]


def test_numbers_can_mean_other_classes(folder):
    labels = open_folder(folder, ids={0: 1, 1: 0, 2: 255, 255: 2}).pair(0)[1]
    assert labels[0, :4].tolist() == [1, 0, 255, 2]


@pytest.mark.parametrize("name", ["images/one.jpg", "labels/one.png"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_file_cut_off_is_named(folder, name, share):
    path = folder / name
    noise = np.random.default_rng(0).integers(0, 3, (60, 80), np.uint8)
    if path.suffix == ".jpg":
        save_picture(path, np.repeat(100 * noise[..., None], 3, axis=2))
    else:
        save_labels(path, noise)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match=rf"{path.name} cannot be read as a picture .*cut off"):
        open_folder(folder)[0]


def test_an_empty_file_and_a_web_page_are_no_pictures(folder):
    for content in (b"", b"<!doctype html><title>Sign in</title>"):
        (folder / "images" / "one.jpg").write_bytes(content)
        with pytest.raises(ValueError, match=r"one\.jpg cannot be read as a picture .*web page"):
            open_folder(folder)[0]


def test_a_fault_in_a_worker_process_still_names_the_file(folder):
    save_labels(folder / "labels" / "one.png", LABELS + 7)
    with pytest.raises(ValueError, match=r"one\.png holds the class numbers"):
        list(DataLoader(open_folder(folder), num_workers=1))


def test_a_coloured_label_picture_is_refused(tmp_path):
    Image.fromarray(np.zeros((2, 2, 3), np.uint8)).save(tmp_path / "colours.png")
    with pytest.raises(ValueError, match=r"RGB colours.*class index"):
        read_label_map(tmp_path / "colours.png")


def replace_picture(folder, picture, name, **options):
    """Write another picture in place of the folder's only one; return its path."""
    (folder / "images" / "one.jpg").unlink()
    picture.save(folder / "images" / name, **options)
    return folder / "images" / name


def test_a_grey_photograph_of_16_bits_comes_in_right(folder):
    grey = np.linspace(0, 65535, 48).round().astype(np.uint16).reshape(6, 8)
    path = replace_picture(folder, Image.fromarray(grey), "one.png")
    picture = open_folder(folder).pair(0)[0]
    assert np.array_equal(picture, np.repeat((grey >> 8).astype(np.uint8)[..., None], 3, 2))
    assert np.array_equal(picture, datasets.as_picture(path))


def test_training_and_predicting_read_the_same_upright_picture(folder):
    exif = Image.Exif()
    exif[0x0112] = 3  # held upside down
    picture = np.zeros((6, 8, 3), np.uint8)
    picture[:, :4] = 255
    path = replace_picture(folder, Image.fromarray(picture), "one.png", exif=exif)
    read = open_folder(folder).pair(0)[0]
    assert np.array_equal(read, picture[::-1, ::-1]) and np.array_equal(read, datasets.as_picture(path))


def test_transparent_places_become_white(folder):
    alpha = np.full((6, 8), 255, np.uint8)
    alpha[0] = 0
    path = replace_picture(folder, Image.fromarray(np.dstack([GREY, alpha])), "one.png")
    read = open_folder(folder).pair(0)[0]
    assert (read[0] == 255).all() and (read[1:] == 90).all()
    assert np.array_equal(read, datasets.as_picture(path))


def test_a_picture_held_sideways_needs_labels_that_are_upright(folder):
    exif = Image.Exif()
    exif[0x0112] = 6
    replace_picture(folder, Image.fromarray(GREY), "one.jpg", exif=exif)
    with pytest.raises(ValueError, match=r"one\.png is 8 x 6 .*one\.jpg is 6 x 8"):
        open_folder(folder).pair(0)
    save_labels(folder / "labels" / "one.png", LABELS.T.copy())
    assert open_folder(folder).pair(0)[0].shape == (8, 6, 3)
