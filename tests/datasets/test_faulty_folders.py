"""Folders with one fault each: `check` names the file and the cure before anything is trained; right ones pass."""

import json

import numpy as np
import pytest
from label_files import save_picture
from PIL import Image

from deeplab_lessons.datasets import Folder, check, voc_colours

SIDE = 16
HALF = np.zeros((SIDE, SIDE), np.uint8)
HALF[:, 8:] = 1
NAMES = ("one", "two", "three")
CLASSES = ("background", "thing")


def photo(seed):
    """Some picture that is like no other, uint8 [SIDE, SIDE, 3]."""
    return np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)


def save(path, content, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = content if isinstance(content, Image.Image) else Image.fromarray(content)
    image.save(path, **options)


def pictures(root, names=NAMES, ending=".jpg", **options):
    for seed, name in enumerate(names):
        save(root / "images" / f"{name}{ending}", photo(seed), **options)


def maps(root, content=HALF, names=NAMES, ending=".png", **options):
    for name in names:
        save(root / "labels" / f"{name}{ending}", content, **options)


def shapes(root, *shapes, names=NAMES, size=(SIDE, SIDE), folder="labels"):
    """Label maps as labelme writes them; a shape is (word, points) or (word, points, kind)."""
    content = {"imageWidth": size[0], "imageHeight": size[1]}
    content["shapes"] = [
        {"label": w, "points": p, "shape_type": kind[0] if kind else "polygon"} for w, p, *kind in shapes
    ]
    for name in names:
        (root / folder).mkdir(parents=True, exist_ok=True)
        (root / folder / f"{name}.json").write_text(json.dumps(content))


BOX = [[2, 2], [9, 2], [9, 9]]


def good(root):
    pictures(root), maps(root)
    return {}


def looked_at(root, classes=CLASSES, images="images", labels="labels", **options):
    """The report of a folder; what cannot be opened at all is an error of its own."""
    try:
        return check(Folder(root / images, root / labels, classes, **options))
    except (ValueError, OSError) as error:
        return error


def colours(labels=HALF, palette=((0, 0, 0), (200, 30, 40))):
    return np.array(palette, np.uint8)[labels]


def of(content, **more):
    """Three right pictures with label maps of one content."""

    def build(root):
        pictures(root), maps(root, content, **{k: more.pop(k) for k in ("ending",) if k in more})
        return more

    return build


def one_of_three(content, folder="labels", name="two.png"):
    """A right folder, one file of which is `content`: an array, or bytes."""

    def build(root):
        good(root)
        path = root / folder / name
        path.write_bytes(content) if isinstance(content, bytes) else save(path, content)
        return {}

    return build


def with_list(content, **more):
    def build(root):
        good(root)
        (root / "list.txt").write_bytes(content)
        return {"names": root / "list.txt", **more}

    return build


def smooth_mask():
    ramp = HALF.astype(float) * 255
    ramp[:, 7:9] = np.linspace(20, 230, 32).reshape(16, 2)
    return ramp.astype(np.uint8)


def smooth_colours():
    big = Image.fromarray(colours()).resize((64, 64), Image.Resampling.BICUBIC)
    return np.array(big.resize((SIDE, SIDE), Image.Resampling.BICUBIC))


def swapped(ending):
    def build(root):
        pictures(root, ending=ending), maps(root)
        return {"images": "labels", "labels": "images"}

    return build


def same_folder(root):
    pictures(root)
    for name in NAMES:
        save(root / "images" / f"{name}_mask.png", HALF)
    return {"labels": "images"}


def no_agreement(root):
    pictures(root), maps(root, names=("x1", "y2", "z3"))
    return {}


def one_map_more(root):
    good(root), maps(root, names=("four",))
    return {}


def several_endings(root):
    pictures(root), maps(root, names=[f"{n}_{kind}" for n in NAMES for kind in ("color", "ids")])
    return {}


def two_of_one_stem(root):
    good(root), pictures(root, names=("two",), ending=".png")
    return {}


def nothing(root):
    good(root)
    for path in (root / "images").iterdir():
        path.unlink()
    return {}


def hidden_only(root):
    nothing(root)
    (root / "images" / "._one.jpg").write_bytes(b"what macOS notes")
    return {}


def heic_only(root):
    nothing(root)
    (root / "images" / "one.heic").write_bytes(b"\0\0\0\x18ftypheic")
    return {}


def heic_too(root):
    good(root)
    (root / "images" / "four.HEIC").write_bytes(b"\0\0\0\x18ftypheic")
    return {}


def pages(root):
    good(root), (root / "labels" / "two.png").unlink()
    page = Image.fromarray(HALF)
    page.save(root / "labels" / "two.tif", save_all=True, append_images=[page])
    return {}


def nine_bands(root):
    good(root), (root / "images" / "two.jpg").unlink()
    save(root / "images" / "two.tif", photo(1))
    content = (root / "images" / "two.tif").read_bytes()
    tag = b"\x15\x01\x03\x00\x01\x00\x00\x00"  # samples per pixel
    assert tag in content
    (root / "images" / "two.tif").write_bytes(content.replace(tag + b"\x03", tag + b"\x09"))
    return {}


def turned(root):
    """The camera was held upright, and the mask was drawn on the picture as it is stored."""
    exif = Image.Exif()
    exif[0x0112] = 6
    for seed, name in enumerate(NAMES):
        save(root / "images" / f"{name}.jpg", photo(seed)[:12], exif=exif)
    maps(root, HALF[:12])
    return {}


def float_array(root):
    good(root)
    for name in NAMES:
        (root / "labels" / f"{name}.png").unlink()
        np.save(root / "labels" / f"{name}.npy", HALF.astype(np.float32))
    return {}


def alpha_only(root):
    pictures(root), maps(root, np.dstack([np.zeros_like(HALF)] * 3 + [HALF * 255]))
    return {}


def grey_of_colours(root):
    pictures(root), maps(root, Image.fromarray(colours()).convert("L"))
    return {}


def polygons(*drawn, **options):
    def build(root):
        pictures(root), shapes(root, *drawn, **options)
        return {}

    return build


def not_of_labelme(root):
    pictures(root), shapes(root, ("thing", BOX))
    (root / "labels" / "two.json").write_text("[]")
    return {}


def white_border(root):
    labels = np.minimum(HALF + np.eye(SIDE, dtype=np.uint8) * 2, 2)
    pictures(root), maps(root, colours(labels, ((0, 0, 0), (200, 30, 40), (255, 255, 255))))
    return {}


def one_photo(root):
    pictures(root, ["one"]), maps(root, names=["one"])
    return {}


def one_photo_split(root):
    one_photo(root)
    return {"split": "train"}


def twice(root):
    good(root), save_picture(root / "images" / "four.png", photo(9)), maps(root, names=("four", "five"))
    save_picture(root / "images" / "five.png", photo(9))
    return {}


def one_clip(root):
    """Thirty frames of one clip, flat in one folder: neighbours would be on both sides."""
    names = [f"frame_{number:04}" for number in range(30)]
    maps(root, names=names)
    still = np.repeat(np.repeat(photo(1)[:4, :4], 4, 0), 4, 1).astype(int)
    for number, name in enumerate(names):
        noise = np.random.default_rng(number).integers(0, 6, still.shape)
        save(root / "images" / f"{name}.png", np.clip(still + noise, 0, 255).astype(np.uint8))
    return {}


def coco_file(root):
    good(root), (root / "coco.json").write_text("{}")
    return {"labels": "coco.json"}


def indexed(*palettes, **more):
    """Right pictures with palette files: of each the colours, and the numbers."""

    def build(root):
        pictures(root)
        for name, (drawn, numbers) in zip(NAMES, palettes, strict=True):
            image = Image.fromarray(numbers)
            image.putpalette(np.array(drawn, np.uint8).tobytes())
            save(root / "labels" / f"{name}.png", image)
        return more

    return build


RED, GREEN, BLACK = (200, 30, 40), (0, 90, 0), (0, 0, 0)
EXCHANGED = ((BLACK, RED), HALF), ((BLACK, RED), HALF), ((RED, BLACK), 1 - HALF)


def coco_among_labels(root):
    pictures(root), (root / "labels").mkdir()
    (root / "labels" / "instances.json").write_text('{"images": [], "annotations": [], "categories": []}')
    return {}


def coco_called_like_a_picture(root):
    pictures(root), shapes(root, ("thing", BOX))
    (root / "labels" / "two.json").write_text('{"images": [], "annotations": [], "categories": []}')
    return {}


def other_kind(ending):
    def build(root):
        pictures(root), (root / "labels").mkdir()
        for name in NAMES:
            (root / "labels" / f"{name}{ending}").write_text("0 .1 .1 .5 .5")
        return {}

    return build


def prefixes(root):
    pictures(root, ["img_1", "img_2"]), maps(root, names=["mask_1", "mask_2"])
    return {}


def linked(root):
    pictures(root / "elsewhere"), maps(root, names=[f"town/{name}" for name in NAMES])
    (root / "images").mkdir()
    (root / "images" / "town").symlink_to(root / "elsewhere" / "images", target_is_directory=True)
    (root / "elsewhere" / "images" / "back").symlink_to(root / "images", target_is_directory=True)
    return {}


def none_ends(root):
    return {**good(root), "ending": "_ids"}


def some_of_255(root):
    pictures(root), maps(root), maps(root, HALF * 255, names=NAMES[:2])
    return {}


def no_labels_folder(root):
    pictures(root)
    return {}


JPEG = "ff"
ERRORS = [
    ("masks of 0 and 255", of(HALF * 255), ["class 1 thing", "50 %", "ids={0: 0, 255: 1}", "--ids 0:0,255:1"]),
    (
        "masks of 0 and 255 in RGB",
        of(np.repeat((HALF * 255)[..., None], 3, 2)),
        ["class 1 thing", "ids={0: 0, 255: 1}"],
    ),
    ("masks of 0 and 128", of(HALF * 128), ["one.png", "[128]", "2 more", "ids={0: 0, 128: 1}"]),
    ("masks for one class", of(HALF * 255, classes=("cup",)), ["two classes", "['background', 'cup'], ids={0: 0,"]),
    (
        "colours without palette",
        of(colours()),
        ["one.png", "(200, 30, 40) 50 %", "palette=[[0, 0, 0], [200, 30, 40]]", "--palette 0,0,0:200,30,40"],
    ),
    (
        "a palette without its first colour",
        of(colours(), palette=[(200, 30, 40), (9, 9, 9)]),
        ["one.png", "(0, 0, 0) are not in the palette", "palette=[[0, 0, 0], [200, 30, 40]]"],
    ),
    (
        "colours with a white border",
        white_border,
        ["[255, 255, 255]]", "ids={0: 0, 1: 1, 2: 255} (--ids 0:0,1:1,2:255) if the last is void"],
    ),
    ("numbers from 1", of(HALF + 1), ["one.png", "[2]", "ids={1: 0, 2: 1}"]),
    ("JPEG masks", of(HALF * 255, ending=".jpg"), ["one.jpg", "save label maps as PNG"]),
    ("smoothed masks", of(smooth_mask()), ["one.png", "smoothed edges", "nearest neighbour", "np.where"]),
    ("mixed colours", of(smooth_colours()), ["one.png", "nearest neighbour", "cover", "mixtures"]),
    ("a mask of another size", one_of_three(HALF[:, :12]), ["two.png is 12 x 16", "two.jpg is 16 x 16"]),
    ("a mask turned", turned, ["one.png is 16 x 12", "is 12 x 16", "EXIF", "2 more like it"]),
    ("images and labels exchanged", swapped(".jpg"), ["one.jpg is JPEG", "picture of the pair"]),
    ("images and labels exchanged, PNG", swapped(".png"), ["one.png", "exchanging images and labels"]),
    ("one folder for both", same_folder, ["must be two folders", "move the label maps"]),
    ("an empty folder", nothing, ["images holds no file", "it is empty"]),
    ("hidden files only", hidden_only, ["images holds no file", "it is empty"]),
    ("HEIC only", heic_only, ["images holds no file", "1 .heic", "export them as JPEG"]),
    ("no folder", no_labels_folder, ["labels", "there is no such folder", "Pass the folder of your label maps"]),
    ("COCO's JSON", coco_file, ["labels must be a folder", "coco.json", "datasets.Coco", "help shows"]),
    ("COCO's JSON among labels", coco_among_labels, ["lacks 1 of 1 files", "'instances'", "is for datasets.Coco"]),
    ("COCO's JSON of one picture", coco_called_like_a_picture, ["two.json is", "looks like COCO's", "datasets.Coco"]),
    ("boxes", other_kind(".txt"), ["3 .txt", "label maps as PNG", "datumaro"]),
    ("an ending that no name has", none_ends, ["no name in", "ends in '_ids', but 'one', 'three', 'two'"]),
    ("names with prefixes", prefixes, ["'mask_1', 'mask_2'", "It has 'img_1', 'img_2'", "'cup_mask'", "list of pairs"]),
    (
        "palettes in another order",
        indexed(*EXCHANGED),
        ["three.png draws the number 0 in the colour (200, 30, 40)", "one.png in (0, 0, 0)", "--palette 0,0,0:200"],
    ),
    (
        "palettes of the used colours only",
        indexed(((BLACK, RED), HALF), ((BLACK, RED), HALF), ((BLACK, GREEN), HALF)),
        ["number 1", "(200, 30, 40)", "(0, 90, 0)", "pass palette= if the colours are the classes, or ids= if"],
    ),
    ("names that do not agree", no_agreement, ["images lacks 3 of 3 files", "'x1'"]),
    ("a map without a picture", one_map_more, ["images lacks 1 of 4 files", "'four'"]),
    ("several endings", several_endings, ["'_color' (3), '_ids' (3)", "pass ending="]),
    ("two files of one stem", two_of_one_stem, ["two.jpg and two.png", "keep one elsewhere"]),
    ("a web page", one_of_three(b"<!DOCTYPE html>", "images", "two.jpg"), ["two.jpg", "web page", "download it again"]),
    ("an empty file", one_of_three(b"", "labels"), ["two.png", "empty", "copy or download it again"]),
    ("several pages", pages, ["two.tif holds 2 images", "save the one you mean"]),
    ("nine bands", nine_bands, ["two.tif has 9 bands", "red, green and blue"]),
    ("ids of 16 bits", of(HALF.astype(np.uint16) * 700), ["one.png", "[700]", "ids={0: 0, 700: 1}"]),
    (
        "instances",
        of(HALF.astype(np.uint16) * (1000 + np.arange(SIDE, dtype=np.uint16)[:, None] // 4)),
        ["one.png", "[1000, 1001, 1002, 1003]", "ids={0: 0} (--ids 0:0), others=1"],
    ),
    ("one class too few", of(HALF, classes=("background",)), ["one.png", "[1]", "one more name in classes"]),
    (
        "one class too few of three",
        of(np.minimum(HALF + np.eye(SIDE, dtype=np.uint8), 2)),
        ["[2]", "ids={0: 0, 1: 1, 2: 255} (--ids 0:0,1:1,2:255) if 2 means void", "if 0 means void"],
    ),
    ("numbers beyond ids", of(HALF * 7, ids={0: 0, 1: 1}), ["one.png", "[7]", "ids={0: 0, 7: 1}"]),
    ("everything void", of(HALF * 0 + 255), ["any class", "100 %", "pass ids"]),
    ("a class listed twice", of(HALF, classes=("a", "a")), ["'a' more than once", "name each class once"]),
    ("classes as a string", of(HALF, classes="thing"), ["list of names", "pass ['thing']"]),
    ("a misspelt word", polygons(("thnig", BOX)), ["one.json", "thnig", "thing", "2 more like it"]),
    ("polygons of another size", polygons(("thing", BOX), size=(9, 9)), ["one.json is 9 x 9", "one.jpg is 16 x 16"]),
    ("a line", polygons(("thing", BOX[:2], "line")), ["one.json has a line", "draw a polygon"]),
    ("no labelme", not_of_labelme, ["two.json is not a file of labelme"]),
    ("a float array", float_array, ["one.npy", "whole numbers", "float32"]),
    ("alpha only", alpha_only, ["one.png", "transparency only", "save class indices or colours"]),
    ("colours saved as grey", grey_of_colours, ["one.png", 'convert("L")']),
    ("one photo to split", one_photo_split, ["1 image cannot be split", "add more"]),
    ("a fraction that is none", of(HALF, split="val", val_share=20), ["val_share", "got 20", "pass 0.2"]),
    ("a list with strange names", with_list(b"one\nfour\n"), ["lacks 1 of 2", "'four'", "list.txt, line 2"]),
    ("an empty list", with_list(b"\n"), ["list.txt is empty", "one name on each line"]),
    ("a list in latin-1", with_list(b"one\nzw\xf6lf\n"), ["list.txt, line 2", "save the list as UTF-8"]),
    ("a palette of fractions", of(colours(), palette=[(0, 0, 0), (0.5, 0.1, 0.2)]), ["multiply fractions by 255"]),
    ("no such class in ids", of(HALF, ids={0: 0, 1: 2}), ["ids must map", "got 1: 2"]),
]  # fmt: skip

DOUBTS = [
    ("a class that never occurs", of(HALF, classes=(*CLASSES, "spoon")), ["class 2 spoon never", "add images"]),
    ("some masks of 0 and 255", some_of_255, ["2 of 3 label maps hold only 0 and 255 (void)", "with its number"]),
    ("background only", of(HALF * 0), ["class 1 thing never occurs", "leave it out"]),
    ("HEIC too", heic_too, ["1 .heic", "export photos in HEIC"]),
    ("one picture twice", twice, ["four.png", "five.png", "same image: keep one"]),
    ("frames of one clip", one_clip, ["frame_00", "looks like", "subfolder"]),
    ("one photo", one_photo, ["1 image cannot be split", "add more"]),
]  # fmt: skip


def cases(table):
    return pytest.mark.parametrize(
        ("build", "words"), [pytest.param(build, words, id=name) for name, build, words in table]
    )


@cases(ERRORS)
def test_a_fault_that_stops_names_file_and_cure(tmp_path, build, words):
    report = looked_at(tmp_path, **build(tmp_path))
    said = str(report)
    assert isinstance(report, Exception) or report.errors, said
    for each in words:
        assert each in said, said
    assert said.count("\n") < 40


@cases(DOUBTS)
def test_a_doubt_names_file_and_cure(tmp_path, build, words):
    report = looked_at(tmp_path, **build(tmp_path))
    assert not report.errors and len(report.doubts) == 1, report
    for each in words:
        assert each in report.doubts[0]


def test_the_tables_are_long_enough():
    assert len(ERRORS) + len(DOUBTS) >= 60


def test_a_picture_cut_off_is_named_where_pixels_are_read(tmp_path):
    good(tmp_path)
    path = tmp_path / "images" / "two.jpg"
    path.write_bytes(path.read_bytes()[:-40])
    data = Folder(tmp_path / "images", tmp_path / "labels", CLASSES)
    (error,) = check(data).errors
    assert "two.jpg" in error and "cut off" in error
    assert not check(data, pictures=False).errors


def colour_map(root):
    pictures(root), maps(root, colours())
    return {"palette": [(0, 0, 0), (200, 30, 40)]}


def palette_map(root):
    image = Image.fromarray(HALF)
    image.putpalette(voc_colours().tobytes())
    pictures(root), maps(root, image)
    return {}


def cities(root):
    for town in ("ulm", "bonn"):
        (
            pictures(root, [f"{town}/{name}" for name in NAMES]),
            maps(root, names=[f"{town}/{n}_gt" for n in NAMES]),
        )
    for seed, path in enumerate(sorted((root / "images").rglob("*.jpg"))):
        save(path, photo(seed))
    return {}


def upright(root):
    exif = Image.Exif()
    exif[0x0112] = 6
    for seed, name in enumerate(NAMES):
        save(root / "images" / f"{name}.jpg", photo(seed)[:12], exif=exif)
    maps(root, HALF[:, :12])
    return {}


def beside(root):
    pictures(root), shapes(root, ("thing", BOX), folder="images")
    return {"labels": "images"}


def arrays(root):
    pictures(root), maps(root)
    for name in NAMES:
        (root / "labels" / f"{name}.png").unlink()
        np.save(root / "labels" / f"{name}.npy", HALF.astype(np.int64))
    return {}


def void_border(root):
    labels = HALF.copy()
    labels[0] = 255
    pictures(root), maps(root, labels)
    return {}


def phone(root):
    names = [f"IMG_{number}" for number in (1201, 1202, 1207, 1310, 1311)]
    pictures(root, names), maps(root, names=names)
    return {}


RIGHT = [
    ("numbers", good),
    ("0 and 255 with ids", of(HALF * 255, ids={0: 0, 255: 1})),
    ("0 and 255 in RGB with ids", of(np.repeat((HALF * 255)[..., None], 3, 2), ids={0: 0, 255: 1})),
    ("colours with a palette", colour_map),
    ("a palette file", palette_map),
    ("16 bits with ids", of(HALF.astype(np.uint16) * 700, ids={0: 0, 700: 1})),
    ("instances with others", of(HALF * 9, ids={0: 0}, others=1)),
    ("cities", cities),
    ("upright", upright),
    ("polygons", polygons(("thing", BOX))),
    ("polygons beside the photographs", beside),
    ("arrays", arrays),
    ("a void border", void_border),
    ("a list in UTF-16 with CRLF", with_list("one\r\nthree\r\n".encode("utf-16"))),
    ("photographs of a phone", phone),
    ("palettes in another order, and their colours", indexed(*EXCHANGED, palette=[BLACK, RED])),
    ("palettes in another order, and their numbers", indexed(*EXCHANGED, ids={0: 0, 1: 1})),
    ("a linked folder", linked),
    ("one bit", of(HALF.astype(bool))),
    ("TIFF", of(HALF, ending=".tif")),
    ("one map of background only", one_of_three(HALF * 0)),
    ("one map of 0 and 255", one_of_three(HALF * 255)),
]


@pytest.mark.parametrize("build", [pytest.param(build, id=name) for name, build in RIGHT])
def test_a_right_folder_gives_neither_error_nor_doubt(tmp_path, build):
    report = looked_at(tmp_path, **build(tmp_path))
    assert report.errors == report.doubts == report.suggestions == (), report
    assert "Nothing to object to." in str(report)
