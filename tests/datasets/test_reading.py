"""Every file that enters: pictures and label maps of any kind, and files with faults."""

import io
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from label_files import GREY, LABELS, open_folder, save_labels, save_picture
from PIL import Image
from torch.utils.data import DataLoader

from deeplab_lessons import datasets
from deeplab_lessons.datasets import as_picture, transforms, voc_colours
from deeplab_lessons.datasets.reading import read_label_map


@pytest.mark.parametrize("kind", ["grey", "palette", "colours", "16 bits", "array"])
def test_label_maps_of_every_kind_say_the_same(folder, kind):
    path = folder / "labels" / "one.png"
    if kind == "palette":
        save_labels(path, palette=voc_colours())
        assert Image.open(path).mode == "P"
    elif kind == "colours":
        save_labels(path, voc_colours()[LABELS])
    elif kind == "16 bits":
        save_labels(path, LABELS.astype(np.uint16))
    elif kind == "array":
        path.unlink()
        np.save(path.with_suffix(".npy"), LABELS.astype(np.int64))
    picture, labels = open_folder(folder, palette=voc_colours()).pair(0)
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
    colours = voc_colours()[LABELS]
    colours[0, 0] = 9
    save_labels(folder / "labels" / "one.png", colours)
    with pytest.raises(ValueError, match=r"one\.png: colours \(9, 9, 9\)"):
        open_folder(folder, palette=voc_colours())[0]


def test_colours_that_nothing_explains_are_refused_with_their_fractions(folder):
    colours = np.array([[(128, 128, 128), (128, 0, 0), (128, 0, 0), (0, 0, 9)] * 2] * 6, np.uint8)
    save_labels(folder / "labels" / "one.png", colours)
    words = r"one\.png: it holds colours, \(128, 0, 0\) 50 %, .*\(128, 128, 128\) 25 %.*pass palette="
    with pytest.raises(ValueError, match=words):
        open_folder(folder)[0]


def test_a_short_palette_reads_its_colours_and_draws_void(folder):
    save_labels(folder / "labels" / "one.png", np.array([[(0, 0, 0), (255, 0, 0)] * 4] * 6, np.uint8))
    data = open_folder(folder, palette=[(0, 0, 0), (255, 0, 0)], ids={0: 0, 1: 255})
    assert data.pair(0)[1][0, :2].tolist() == [0, 255] and data.palette.shape == (256, 3)
    save_labels(folder / "labels" / "one.png", np.full((6, 8, 3), (255, 255, 254), np.uint8))
    with pytest.raises(ValueError, match=r"\(255, 255, 254\).*not in the palette of 2 colours"):
        data[0]


@pytest.mark.parametrize(
    "palette", [np.zeros((2, 4)), [(0.5, 0, 0)], [(0, 0, 256)], [(-1, 0, 0)], [], [1, 2, 3]]
)
def test_a_palette_that_is_none_is_refused(folder, palette):
    with pytest.raises(ValueError, match="palette must"):
        open_folder(folder, palette=palette)


@pytest.mark.parametrize("others", [2, 255])
def test_all_other_numbers_can_be_one_class(folder, others):
    save_labels(folder / "labels" / "one.png", np.array([[0, 7, 300, 65535] * 2] * 6, np.uint16))
    labels = open_folder(folder, ids={0: 0, 7: 1}, others=others).pair(0)[1]
    assert labels[0, :4].tolist() == [0, 1, others, others]
    with pytest.raises(ValueError, match="others must be 0-2 or 255"):
        open_folder(folder, others=3)


@pytest.mark.parametrize("shape", [(6, 8), (6, 8, 4), (8,)])
def test_an_array_that_is_no_picture_or_label_map_is_refused(folder, shape):
    (folder / "images" / "one.jpg").unlink(), (folder / "labels" / "one.png").unlink()
    np.save(folder / "images" / "one.npy", np.zeros(shape, np.uint8))
    np.save(folder / "labels" / "one.npy", np.zeros((6, 8), np.float32))
    with pytest.raises(ValueError, match=r"a picture must be uint8 \[H, W, 3\]"):
        open_folder(folder)[0]
    with pytest.raises(ValueError, match=r"one\.npy must hold whole numbers \[H, W\], got float32 \[6, 8\]"):
        open_folder(folder).labels(0)
    (folder / "labels" / "one.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(ValueError, match=r"one\.npy cannot be read as an array of numbers"):
        open_folder(folder).labels(0)


@pytest.mark.parametrize(("layout", "shape"), [("contig", (6, 8, 9)), ("separate", (9, 6, 8))])
def test_a_picture_of_nine_bands_is_named_for_what_it_is(tmp_path, layout, shape):
    import tifffile

    bands = np.zeros(shape, np.uint16)
    tifffile.imwrite(tmp_path / "field.tif", bands, photometric="minisblack", planarconfig=layout)
    with pytest.raises(ValueError, match=r"field\.tif has 9 bands: save the three"):
        as_picture(tmp_path / "field.tif")


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
    Image.fromarray(np.array([[[0, 0, 0], [9, 0, 0]]], np.uint8)).save(tmp_path / "colours.png")
    with pytest.raises(
        ValueError,
        match=r"colours\.png: it holds colours, .*\(9, 0, 0\) 50 %, and nothing says what they mean",
    ):
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


def test_what_a_network_is_trained_on_is_what_predict_reads(folder):
    exif = Image.Exif()
    exif[0x0112] = 3
    noise = np.random.default_rng(0).integers(0, 256, (6, 8, 4), np.uint8)
    path = replace_picture(folder, Image.fromarray(noise), "one.png", exif=exif)
    image, _ = open_folder(folder)[0]
    assert (image == transforms.normalise(as_picture(path))).all()
    assert (as_picture(path) != as_picture(Image.fromarray(noise))).any()


GREYS = np.arange(256, dtype=np.uint8).reshape(16, 16)
COLOURS = np.zeros((16, 16, 3), np.uint8)
COLOURS[:8], COLOURS[8:, :6] = (200, 100, 50), (10, 20, 30)
THREE_GREYS = np.repeat(GREYS[..., None], 3, axis=2)


def white_where_clear(alpha):
    """COLOURS on white paper, as strong as `alpha`, 0 to 255."""
    return np.round(255 + (COLOURS.astype(float) - 255) * (alpha / 255))


def picture_in(mode):
    """COLOURS as a PIL image in one of its modes, and what a reader should make of it."""
    image = Image.fromarray(COLOURS)
    if mode == "LAB":
        from PIL import ImageCms

        profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        return ImageCms.profileToProfile(image, *profiles, outputMode="LAB"), COLOURS
    if mode == "RGBA":
        return Image.fromarray(np.dstack([COLOURS, GREYS])), white_where_clear(GREYS[..., None])
    if mode == "PA":
        return image.convert("RGBA").convert("PA"), COLOURS
    if mode == "P":
        return image.quantize(8), COLOURS
    return image.convert(mode), COLOURS


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "PA", "CMYK", "YCbCr", "LAB"])
def test_colours_of_every_mode_come_in_right(tmp_path, mode):
    image, expected = picture_in(mode)
    image.save(tmp_path / "one.tif")
    assert Image.open(tmp_path / "one.tif").mode == mode
    for source in (tmp_path / "one.tif", (tmp_path / "one.tif").read_bytes(), image):
        assert np.abs(as_picture(source) - np.array(expected, int)).max() <= 2


@pytest.mark.parametrize("kind", ["<u2", ">u2", "<i4", "LA", "1"])
def test_greys_of_every_depth_come_in_right(tmp_path, kind):
    expected = GREYS
    if kind == "1":
        expected = np.where(GREYS > 99, 255, 0)
        image = Image.fromarray(GREYS > 99)
    elif kind == "LA":
        image = Image.fromarray(np.dstack([GREYS, np.full_like(GREYS, 255)]))
    else:
        image = Image.fromarray((GREYS.astype(int) * 257).astype(kind))
    image.save(tmp_path / "one.tif")
    for source in (tmp_path / "one.tif", (tmp_path / "one.tif").read_bytes(), image):
        assert np.array_equal(as_picture(source), np.repeat(expected[..., None], 3, axis=2))


@pytest.mark.parametrize(("mode", "clear"), [("L", 90), ("I;16", 90 * 257), ("P", 90)])
def test_a_grey_or_colour_that_stands_for_transparent_becomes_white(tmp_path, mode, clear):
    image = Image.fromarray(GREYS.astype(np.uint16) * 257 if mode == "I;16" else GREYS)
    if mode == "P":
        image.putpalette(np.repeat(np.arange(256, dtype=np.uint8), 3).tobytes())
    image.save(tmp_path / "one.png", transparency=clear)
    assert Image.open(tmp_path / "one.png").mode == mode
    assert np.array_equal(as_picture(tmp_path / "one.png"), np.where(THREE_GREYS == 90, 255, THREE_GREYS))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (GREYS.astype(np.float32) / 255, "decimal numbers from 0 to 1"),
        (GREYS.astype(np.float32), "decimal numbers from 0 to 255"),
        (np.where(GREYS > 9, np.nan, 0).astype(np.float32), "decimal numbers"),
        (GREYS.astype(np.uint16) * 16, "whole numbers from 0 to 4080"),
        (GREYS.astype(np.uint16), "whole numbers from 0 to 255"),
        (GREYS.astype(np.int32) - 100, "whole numbers from -100 to 155"),
        (GREYS.astype(np.int32) * 1000, "whole numbers from 0 to 255000"),
    ],
)
def test_numbers_of_which_nothing_says_what_white_is_are_refused(folder, values, said):
    path = replace_picture(folder, Image.fromarray(values), "one.tif")
    words = rf"{said}.*which is white: save it with 8 bits.*uint8 \[H, W, 3\]"
    with pytest.raises(ValueError, match=rf"one\.tif holds {words}"):
        open_folder(folder).pair(0)
    with pytest.raises(ValueError, match=rf"the file holds {words}"):
        as_picture(path.read_bytes())


def test_black_of_16_bits_is_black():
    assert (as_picture(Image.fromarray(np.zeros((4, 4), np.uint16))) == 0).all()


@pytest.mark.parametrize("kind", ["tiff", "gif", "png", "webp"])
def test_several_images_in_one_file_are_refused_as_picture_and_as_labels(tmp_path, kind):
    first, second = Image.fromarray(COLOURS), Image.fromarray(COLOURS[::-1].copy())
    first.save(tmp_path / "two", kind, save_all=True, append_images=[second])
    for read in (as_picture, read_label_map, lambda path: as_picture(path.read_bytes())):
        with pytest.raises(ValueError, match="holds 2 images: save the one you mean"):
            read(tmp_path / "two")


def test_a_phones_photograph_with_a_second_image_is_its_first(tmp_path):
    first, second = Image.fromarray(COLOURS), Image.fromarray(COLOURS[::-1].copy())
    first.save(tmp_path / "one.mpo", save_all=True, append_images=[second], quality=95, subsampling=0)
    assert np.abs(as_picture(tmp_path / "one.mpo") - COLOURS.astype(int)).mean() < 3


TURNS = {2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE", 6: "ROTATE_90"}
TURNS |= {7: "TRANSVERSE", 8: "ROTATE_270"}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        ("jpeg", "RGB"),
        ("png", "RGB"),
        ("webp", "RGB"),
        ("tiff", "RGB"),
        ("tiff", "RGBA"),
        ("tiff", "L"),
        ("tiff", "P"),
    ],
)
def test_a_picture_is_upright_however_the_camera_was_held(tmp_path, kind, mode, orientation):
    """Of TIFF, Pillow itself turns pictures; those that it maps into memory it once turned wrongly."""
    upright = Image.fromarray(COLOURS[:, :12].copy())
    upright = upright.quantize(8) if mode == "P" else upright.convert(mode)
    held = upright.transpose(Image.Transpose[TURNS[orientation]]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    held.save(tmp_path / "held", kind, exif=exif)
    expected = np.array(upright.convert("RGB")).astype(int)
    for source in (tmp_path / "held", (tmp_path / "held").read_bytes()):
        found = as_picture(source)
        assert found.shape == expected.shape and np.abs(found - expected).mean() < 12


@pytest.mark.parametrize("orientation", range(1, 9))
def test_labels_held_like_their_picture_are_turned_like_it(tmp_path, orientation):
    held = Image.fromarray(LABELS)
    held = held.transpose(Image.Transpose[TURNS[orientation]]) if orientation > 1 else held
    exif = Image.Exif()
    exif[0x0112] = orientation
    for kind in ("png", "tiff"):
        held.save(tmp_path / "held", kind, exif=exif)
        assert np.array_equal(read_label_map(tmp_path / "held"), LABELS)


def stored(kind, image=None, **options):
    file = io.BytesIO()
    (image or Image.fromarray(COLOURS)).save(file, kind, **options)
    return file.getvalue()


FILES = [stored(kind) for kind in ("png", "jpeg", "gif", "tiff", "webp", "bmp", "ppm", "tga", "jpeg2000")]
FILES += [stored("tiff", compression=name) for name in ("tiff_lzw", "jpeg")]
FILES += [stored(kind, save_all=True, append_images=[Image.fromarray(COLOURS)]) for kind in ("tiff", "mpo")]
FILES += [stored("gif", save_all=True, append_images=[Image.fromarray(COLOURS[::-1].copy())])]


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::PIL.Image.DecompressionBombWarning")
@settings(max_examples=300, deadline=None)
@given(st.sampled_from(FILES), st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=20))
def test_a_damaged_file_is_a_picture_or_a_value_error(content, changes):
    damaged = bytearray(content)
    for place, value in changes:
        damaged[place % len(damaged)] = value
    try:
        with mock.patch.object(Image, "MAX_IMAGE_PIXELS", 10_000):
            picture = as_picture(bytes(damaged))
    except ValueError as error:
        assert "the file" in str(error)
    else:
        assert picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[2] == 3


@pytest.mark.parametrize(
    "what", [[[[1, 2, 3]]], 5, None, np.zeros((4, 4, 3), np.uint16), np.zeros((4, 4), np.uint8)]
)
def test_what_is_neither_file_nor_picture_is_refused_by_both_doors(what):
    for door in (as_picture, transforms.normalise):
        with pytest.raises(ValueError, match=r"a picture must be uint8 \[H, W, 3\], got"):
            door(what)


def test_decimal_colours_are_not_normalised_as_if_they_were_bytes():
    with pytest.raises(ValueError, match=r"uint8 \[H, W, 3\], got float64"):
        transforms.normalise(COLOURS / 1.0)


@pytest.mark.parametrize("kind", ["LA", "PA", "RGB", "RGBA", "<u2", ">u2", "<i4", "1"])
def test_class_indices_are_read_from_every_lossless_kind(tmp_path, kind):
    labels = np.minimum(LABELS, 1) if kind == "1" else LABELS
    alpha = np.full_like(LABELS, 200)
    if kind == "PA":
        image = Image.fromarray(np.dstack([LABELS, alpha]))
        image = Image.frombytes("PA", image.size, image.tobytes())
        image.putpalette(voc_colours().tobytes())
    elif kind in ("RGB", "RGBA"):
        image = Image.fromarray(np.dstack([LABELS] * 3 + [alpha] * (kind == "RGBA")))
    elif kind == "LA":
        image = Image.fromarray(np.dstack([LABELS, alpha]))
    else:
        image = Image.fromarray(labels == 1 if kind == "1" else labels.astype(kind))
    image.save(tmp_path / "labels.tif")
    assert Image.open(tmp_path / "labels.tif").mode == image.mode
    assert np.array_equal(read_label_map(tmp_path / "labels.tif", voc_colours()), labels)
    assert np.array_equal(read_label_map(tmp_path / "labels.tif"), labels)


def test_grey_that_the_palette_knows_is_a_colour(tmp_path):
    car = np.full((4, 4, 3), 128, np.uint8)
    Image.fromarray(car).save(tmp_path / "car.png")
    assert (read_label_map(tmp_path / "car.png", voc_colours()) == datasets.VOC_CLASSES.index("car")).all()
    assert (read_label_map(tmp_path / "car.png") == 128).all()


@pytest.mark.parametrize(
    ("name", "image", "said"),
    [
        (
            "a.jpg",
            Image.fromarray(LABELS),
            "is JPEG, whose compression can change.*as PNG.*picture of the pair",
        ),
        ("a.webp", Image.fromarray(COLOURS), "is WEBP, whose compression"),
        ("a.jp2", Image.fromarray(LABELS), "is JPEG2000, whose compression"),
        ("a.tif", Image.fromarray(LABELS.astype(np.float32)), "got mode F"),
        ("a.tif", Image.fromarray(COLOURS).convert("CMYK"), "got mode CMYK"),
        ("a.tif", Image.fromarray(COLOURS).convert("YCbCr"), "got mode YCbCr"),
        ("a.png", Image.fromarray(np.dstack([0 * LABELS, LABELS])), "by transparency only"),
        ("a.png", Image.fromarray(np.dstack([0 * COLOURS, COLOURS[..., 0]])), "by transparency only"),
    ],
)
def test_what_cannot_be_a_label_map_is_refused(tmp_path, name, image, said):
    image.save(tmp_path / name)
    with pytest.raises(ValueError, match=rf"a\.\w+:? .*{said}"):
        read_label_map(tmp_path / name, voc_colours())


@pytest.mark.parametrize("palette", [None, voc_colours()])
def test_numbers_of_a_gif_are_read_by_its_colours_because_writers_renumber_them(tmp_path, palette):
    save_labels(tmp_path / "labels.gif", np.where(LABELS == 1, 2, LABELS), palette)
    assert set(np.unique(np.array(Image.open(tmp_path / "labels.gif")))) == {0, 1, 2}, (
        "2 became 1, 255 became 2"
    )
    found = read_label_map(tmp_path / "labels.gif", voc_colours())
    assert np.array_equal(found, np.where(LABELS == 1, 2, LABELS))


def test_a_label_map_of_tiff_with_jpeg_inside_is_refused(tmp_path):
    Image.fromarray(LABELS).save(tmp_path / "a.tif", compression="jpeg")
    with pytest.raises(ValueError, match="is TIFF, whose compression can change"):
        read_label_map(tmp_path / "a.tif")


def test_pictures_given_as_label_maps_are_told_so(folder):
    with pytest.raises(ValueError, match=r"one\.jpg is JPEG.*Or is it the picture of the pair"):
        datasets.Folder(folder / "labels", folder / "images", ("ground", "a", "b")).pair(0)
