"""Pictures and label maps in two folders: which belong together, and what is said where nothing does."""

import pytest

from deeplab_lessons.datasets.finding import find_pairs


@pytest.fixture
def found(tmp_path):
    """Make empty files in images/ and labels/, and return the pairs that are found and the names left out."""

    def find(pictures, maps, **options):
        for folder, names in (("images", pictures), ("labels", maps)):
            (tmp_path / folder).mkdir(exist_ok=True)
            for name in names:
                (tmp_path / folder / name).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / folder / name).touch()
        pairs, left_out = find_pairs(tmp_path / "images", tmp_path / "labels", **options)
        inside = [
            (p.relative_to(tmp_path / "images").as_posix(), m.relative_to(tmp_path / "labels").as_posix())
            for p, m in pairs
        ]
        return inside, [path.name for path in left_out]

    return find


@pytest.mark.parametrize(
    ("pictures", "maps"),
    [
        (["a.jpg", "b.JPG"], ["a.png", "b.PNG"]),
        (["a.jp2", "b.tga"], ["a.npy", "b.pgm"]),
        (["town/a.jpg", "town/b.jpg"], ["town/a.png", "town/b.png"]),
        (["a.jpg", "b.jpg"], ["first/a.png", "second/b.png"]),
        (["x/a.jpg", "y/a.jpg"], ["x/a_mask.png", "y/a_mask.png"]),
        (["a.jpg", "b.jpg"], ["a_gt.png", "b_gt.png"]),
        (["1.jpg", "10.jpg"], ["1_manual1.gif", "10_manual1.gif"]),
        (["img_1.jpg", "img_10.jpg"], ["img_1.seg.png", "img_10.seg.png"]),
        (["a_sat.jpg", "b_sat.jpg"], ["a_mask.png", "b_mask.png"]),
        (
            ["ulm/u_1_leftImg8bit.png", "ulm/u_2_leftImg8bit.png"],
            ["ulm/u_1_gtFine.png", "ulm/u_2_gtFine.png"],
        ),
        (["a.jpg", "b.jpg"], ["a.json", "b.json"]),
        (["my photo.v2.jpg", "second photo.v2.jpg"], ["my photo.v2.png", "second photo.v2.png"]),
        (["a_1.jpg", "b_1.jpg"], ["a_1.png", "b_1.png"]),
    ],
)
def test_names_that_people_give_are_paired(found, pictures, maps):
    assert found(pictures, maps) == (list(zip(pictures, maps, strict=True)), [])


def test_several_endings_are_named_and_one_can_be_chosen(found):
    pictures = ["u_1.png", "u_2.png"]
    maps = [f"{stem}_{kind}.png" for stem in ("u_1", "u_2") for kind in ("color", "labelIds")]
    with pytest.raises(
        ValueError, match=r"continue in several ways, '_color' \(2\), '_labelIds' \(2\): pass ending="
    ):
        found(pictures, maps)
    assert found(pictures, maps, ending="_labelIds")[0] == [("u_1.png", maps[1]), ("u_2.png", maps[3])]
    both = [f"images/{name} labels/{name.replace('.', '_color.')}" for name in pictures]
    assert found(pictures, maps, names=both)[0] == [("u_1.png", maps[0]), ("u_2.png", maps[2])]


def test_a_name_of_its_own_wins_over_one_with_an_ending(found):
    with pytest.raises(FileNotFoundError, match=r"images lacks 1 of 2 files: \['a_preview'\]"):
        found(["a.jpg"], ["a.png", "a_preview.png"])
    assert found(["a.jpg"], [], names=["a"])[0] == [("a.jpg", "a.png")]


def test_pictures_without_a_label_map_are_left_out_and_named(found):
    assert found(["a.jpg", "b.jpg", "c.jpg"], ["b.png"]) == ([("b.jpg", "b.png")], ["a.jpg", "c.jpg"])


def test_hidden_files_and_folders_are_skipped(found):
    assert found(["a.jpg", "._a.jpg", ".trash/b.jpg"], ["a.png", "._a.png", ".ipynb_checkpoints/a.png"])[
        0
    ] == [("a.jpg", "a.png")]


@pytest.mark.parametrize(
    ("pictures", "maps", "words"),
    [
        ([], ["a.png"], r"images holds no file .*it is empty"),
        (["a.heic", "b.heic", "notes"], ["a.png"], r"images holds no file .*2 \.heic, 1 without ending"),
        (["a.jpg"], ["a.nii", "a.dcm"], r"labels holds no file .*1 \.dcm, 1 \.nii"),
        (["a.jpg", "b.jpg"], ["x1.png", "y2.png"], r"images lacks 2 of 2 files: \['x1', 'y2'\]"),
        (["a.jpg", "b.jpg"], ["a_mask.png", "c_mask.png"], r"images lacks 1 of 2 files: \['c_mask'\]"),
    ],
)
def test_a_folder_without_pairs_says_what_is_there(found, pictures, maps, words):
    with pytest.raises(FileNotFoundError, match=words):
        found(pictures, maps)


@pytest.mark.parametrize(
    "line", ["a.jpg b.png", "a,b", "images/a.jpg\tlabels/b.png", "/else/images/a.jpg; /else/labels/b.png"]
)
def test_a_line_can_name_both_files(found, line):
    assert found(["a.jpg", "c.jpg"], ["b.png", "c.png"], names=["c", line])[0] == [
        ("c.jpg", "c.png"),
        ("a.jpg", "b.png"),
    ]


def test_a_name_that_several_folders_have_needs_its_folder(found):
    pictures, maps = ["x/a.jpg", "y/a.jpg"], ["x/a.png", "y/a.png"]
    assert found(pictures, maps, names=["y/a.jpg"])[0] == [("y/a.jpg", "y/a.png")]
    with pytest.raises(FileNotFoundError, match=r"labels lacks 1 of 1 files: \['a'\]"):
        found(pictures, maps, names=["a"])
