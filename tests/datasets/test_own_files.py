"""Kinds of files that people who segment have: each is read rightly, or refused with its fault."""

import numpy as np
import pytest
from label_files import save_picture
from PIL import Image
from small_training import run, tiny

from deeplab_lessons import datasets, inference

GREY = np.full((16, 16, 3), 90, np.uint8)
HALF = np.zeros((16, 16), np.uint8)
HALF[:, 8:] = 1


def folder_of(root, label, picture=GREY, label_name="a.png", picture_name="a.png", exif=None, **options):
    classes = options.pop("classes", ("ground", "thing"))
    for part, what, name in (("images", picture, picture_name), ("labels", label, label_name)):
        (root / part / name).parent.mkdir(parents=True, exist_ok=True)
        image = what if isinstance(what, Image.Image) else Image.fromarray(what)
        image.save(root / part / name, **({"exif": exif} if exif and part == "images" else {}))
    return datasets.Folder(root / "images", root / "labels", classes, **options)


def test_masks_of_0_and_255_are_not_trained_in_silence(tmp_path):
    with pytest.raises(ValueError, match=r"void \(255\).* Try ids=\{0: 0, 255: 1\}"):
        run(tiny(), folder_of(tmp_path, HALF * 255), iterations=1, batch_size=1)


def test_one_map_of_0_and_255_is_fine_beside_others(tmp_path, recwarn):
    folder_of(tmp_path, HALF * 255)
    run(
        tiny(),
        folder_of(tmp_path, HALF, label_name="b.png", picture_name="b.png"),
        iterations=1,
        batch_size=1,
    )
    assert not recwarn.list


def test_a_mask_of_0_and_255_in_colour_is_read_with_ids(tmp_path):
    data = folder_of(tmp_path, np.repeat((HALF * 255)[..., None], 3, 2), ids={0: 0, 255: 1})
    assert (data.pair(0)[1] == HALF).all()


def test_training_sees_the_upright_picture(tmp_path):
    exif, picture = Image.Exif(), np.zeros((16, 16, 3), np.uint8)
    exif[0x0112], picture[:, :8] = 3, 255
    data = folder_of(tmp_path, HALF, Image.fromarray(picture), picture_name="a.jpg", exif=exif)
    assert np.array_equal(data.pair(0)[0], datasets.as_picture(data.files[0][0]))


def test_training_and_predict_agree_on_alpha(tmp_path):
    clear = Image.fromarray(np.dstack([GREY, np.full((16, 16), 10, np.uint8)]))
    data = folder_of(tmp_path, HALF, clear)
    assert np.array_equal(data.pair(0)[0], datasets.as_picture(data.files[0][0]))


def test_a_picture_of_16_bits_is_not_clipped(tmp_path):
    picture = (np.arange(256, dtype=np.uint16) * 257).reshape(16, 16)
    assert len(np.unique(folder_of(tmp_path, HALF, picture).pair(0)[0])) > 200


def test_colours_without_a_palette_are_not_guessed(tmp_path):
    colours = np.array([(128, 128, 128), (128, 0, 0)], np.uint8)[HALF]  # CamVid's sky and building
    with pytest.raises(ValueError, match="palette"):
        folder_of(tmp_path, colours, classes=datasets.CamVid.classes).pair(0)


@pytest.mark.parametrize("name", ["a.gif", "a.tif", "town/a.png", "a_mask.png", "a_gt.png", "a_manual1.png"])
def test_label_maps_of_many_names_are_found(tmp_path, name):
    assert len(folder_of(tmp_path, HALF, label_name=name)) == 1


def test_a_stack_of_slices_is_refused(tmp_path):
    page = Image.fromarray(HALF)
    page.save(tmp_path / "s.tif", save_all=True, append_images=[page])
    with pytest.raises(ValueError, match="holds 2 images"):
        datasets.reading.read_label_map(tmp_path / "s.tif")


def test_ids_outside_the_classes_are_refused(tmp_path):
    with pytest.raises(ValueError, match="got 1: 300"):
        folder_of(tmp_path, HALF, ids={0: 0, 1: 300})


def test_grey_in_three_channels_and_grey_with_alpha_are_numbers(tmp_path):
    assert np.array_equal(folder_of(tmp_path, np.repeat(HALF[..., None], 3, 2)).pair(0)[1], HALF)
    alpha = Image.fromarray(np.dstack([HALF, np.full_like(HALF, 255)]))
    assert alpha.mode == "LA" and np.array_equal(folder_of(tmp_path, alpha).pair(0)[1], HALF)


def test_a_short_palette_draws_void(tmp_path):
    palette = np.array([[0, 0, 0], [255, 0, 0]], np.uint8)
    data = folder_of(tmp_path, HALF * 255, palette=palette, ids={0: 0, 255: 255})
    assert inference.overlay(*data.pair(0), data.palette).shape == (16, 16, 3)


def test_classes_in_one_string_are_refused(tmp_path):
    save_picture(tmp_path / "images" / "a.png")
    with pytest.raises(ValueError, match=r"pass \['thing'\]"):
        folder_of(tmp_path, HALF, classes="thing")
