"""The papers' other sets in the layout of their makers, and by name in every command."""

import functools
import hashlib
import shutil
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from label_files import LABELS, save_labels, save_picture, save_voc
from torchvision import datasets as sets
from torchvision.datasets.voc import DATASET_YEAR_DICT

from deeplab_lessons.classroom import commands
from deeplab_lessons.classroom.papers_sets import SBD, Cityscapes, PascalContext, PersonPart, download_voc
from deeplab_lessons.datasets import VOC


def sbd(root, train, val):
    from scipy.io import savemat

    for name in (*train, *val):
        save_picture(root / "img" / f"{name}.jpg")
        (root / "cls").mkdir(exist_ok=True)
        record = np.zeros((1, 1), dtype=[("Segmentation", object)])
        record[0, 0]["Segmentation"] = np.full((6, 8), 7, np.uint8)
        savemat(root / "cls" / f"{name}.mat", {"GTcls": record})
    (root / "train.txt").write_text("\n".join(train) + "\n")
    (root / "val.txt").write_text("\n".join(val) + "\n")
    return root


def test_trainaug_is_vocs_train_and_what_sbd_adds_but_nothing_of_val(tmp_path):
    save_voc(tmp_path / "voc"), sbd(tmp_path / "sbd", train=("a", "c", "v"), val=("d", "b"))
    data = SBD(tmp_path / "sbd", "trainaug", voc=tmp_path / "voc")
    assert [image.stem for image, _ in data.files] == ["a", "b", "c", "d"]
    assert np.array_equal(data.pair(0)[1], LABELS), "VOC's own labels are preferred"
    assert (data.pair(2)[1] == 7).all()
    assert len(SBD(tmp_path / "sbd", "train")) == 3


def test_an_sbd_file_cut_off_is_named(tmp_path):
    data = SBD(sbd(tmp_path, ("a",), ("b",)), "train")
    path = tmp_path / "cls" / "a.mat"
    path.write_bytes(path.read_bytes()[:150])
    with pytest.raises(ValueError, match=r"a\.mat is cut off or damaged"):
        data[0]
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"no .*a\.mat, though"):
        data[0]


def test_cityscapes_keeps_the_19_scored_classes(tmp_path):
    save_picture(tmp_path / "leftImg8bit" / "val" / "ulm" / "ulm_1_leftImg8bit.png")
    numbers = np.array([[7, 26, 3, 33, 15, 0, 11, 8]] * 6, np.uint8)
    save_labels(tmp_path / "gtFine" / "val" / "ulm" / "ulm_1_gtFine_labelIds.png", numbers)
    data = Cityscapes(tmp_path, "val")
    assert data.pair(0)[1][0].tolist() == [0, 13, 255, 18, 255, 255, 2, 1]
    assert len(data.classes) == 19 and data.classes[13] == "car"
    save_labels(tmp_path / "gtFine" / "val" / "ulm" / "ulm_1_gtFine_labelIds.png", numbers + 20)
    with pytest.raises(ValueError, match=r"\[35, 46, 53\].* knows 0-33"):
        data[0]


@pytest.mark.parametrize(("make", "count"), [(PersonPart, 7), (PascalContext, 60)])
def test_person_part_and_context_are_two_folders_and_a_list(tmp_path, make, count):
    save_picture(tmp_path / "images" / "one.jpg"), save_labels(tmp_path / "labels" / "one.png")
    (tmp_path / "val.txt").write_text("one\n")
    data = make(tmp_path, "val")
    assert len(data) == 1 and len(data.classes) == len(set(data.classes)) == count
    assert np.array_equal(data.pair(0)[1], LABELS)


def streets(root):
    """A Cityscapes of one picture, as train and as val."""
    for split in ("train", "val"):
        for town in (root / "leftImg8bit" / split / "ulm", root / "gtFine" / split / "ulm"):
            town.mkdir(parents=True)
        picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
        save_picture(root / "leftImg8bit" / split / "ulm" / "ulm_1_leftImg8bit.png", picture)
        numbers = np.repeat(np.array([7, 8, 11, 23], np.uint8), 8)[:, None].repeat(32, 1)
        save_labels(root / "gtFine" / split / "ulm" / "ulm_1_gtFine_labelIds.png", numbers)
    return root


@pytest.fixture
def archive(tmp_path, monkeypatch):
    """A VOC of two pictures as an archive at an address, instead of the makers' 2 GB."""
    save_voc(tmp_path / "made")
    packed = Path(shutil.make_archive(tmp_path / "served" / "kit", "tar", tmp_path / "made"))
    handler = functools.partial(SimpleHTTPRequestHandler, directory=packed.parent)
    monkeypatch.setattr(SimpleHTTPRequestHandler, "log_message", lambda *words: None)
    monkeypatch.setenv("DEEPLAB_LESSONS_DATA", str(tmp_path / "data"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        source = {
            "url": f"http://127.0.0.1:{server.server_port}/kit.tar",
            "filename": "kit.tar",
            "md5": hashlib.md5(packed.read_bytes()).hexdigest(),
        }
        monkeypatch.setitem(DATASET_YEAR_DICT, "2012", DATASET_YEAR_DICT["2012"] | source)
        yield packed
        server.shutdown()


def fetched():
    download_voc()
    return VOC(split="train")


def test_download_fetches_torchvisions_archive_once_and_unpacks_it(archive, tmp_path):
    assert len(fetched()) == 2
    archive.unlink()
    assert len(fetched()) == 2
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["VOCdevkit", "kit.tar"]


def test_an_archive_that_someone_put_there_is_unpacked(archive, tmp_path):
    (tmp_path / "data").mkdir()
    archive.rename(tmp_path / "data" / "kit.tar")
    assert len(fetched()) == 2


@pytest.mark.parametrize("fault", ["no file", "another file"])
def test_a_download_that_fails_says_what_to_do_and_leaves_no_half_set(archive, tmp_path, fault, monkeypatch):
    whole = archive.read_bytes()
    archive.unlink()
    if fault == "another file":
        archive.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(
        OSError, match=r"kit\.tar could not be fetched into .*data .*put the file there yourself"
    ):
        fetched()
    assert {path.name for path in (tmp_path / "data").iterdir()} <= {"kit.tar"}


def test_sbd_fetches_what_it_is_made_of(archive, tmp_path, monkeypatch):
    made = sbd(tmp_path / "made-sbd" / "benchmark_RELEASE" / "dataset", train=("a", "c"), val=("d",))
    (made / "inst").mkdir()
    source = sets.SBDataset
    packed = Path(shutil.make_archive(archive.with_name("sbd"), "tar", tmp_path / "made-sbd"))
    monkeypatch.setattr(source, "url", DATASET_YEAR_DICT["2012"]["url"].replace("kit.tar", "sbd.tar"))
    monkeypatch.setattr(source, "md5", hashlib.md5(packed.read_bytes()).hexdigest())
    monkeypatch.setattr(source, "filename", "sbd.tar")
    assert [image.stem for image, _ in SBD(download=True).files] == ["a", "b", "c", "d"]
    packed.unlink(), archive.unlink()
    assert len(SBD(download=True)) == 4, "nothing is fetched twice"


@pytest.mark.slow
def test_a_checkpoint_that_names_one_of_them_is_trained_measured_and_continued(tmp_path, capsys):
    root, checkpoint = streets(tmp_path / "streets"), str(tmp_path / "streets.pt")
    files = ["--data", "cityscapes", "--root", str(root)]
    train = [
        "train",
        *files,
        "--checkpoint",
        checkpoint,
        "--crop",
        "32",
        "--batch-size",
        "1",
        "--width",
        "0.02",
    ]
    assert commands.main([*train, "--iterations", "1", "--device", "cpu"]) == 0
    assert commands.main([*train, "--iterations", "1", "--device", "cpu"]) == 0, "the same command reads it"
    assert commands.main(["evaluate", checkpoint, "--root", str(root), "--device", "cpu"]) == 0
    assert "vegetation" in capsys.readouterr().out
    assert commands.main(["check", *files]) == 0
