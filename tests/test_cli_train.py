"""Files of your own, from the command line: looked at, trained on, measured, drawn on."""

import signal

import numpy as np
import pytest
import torch
from command_lines import SMALL, said, the_only_line
from label_files import save_labels, save_picture
from PIL import Image
from torchvision.models import mobilenet_v2

import deeplab_lessons.classroom.experiments  # noqa: F401 - by its import they have names
from deeplab_lessons import backbones, cli, cli_train, datasets, models, training
from deeplab_lessons.classroom import built_in
from deeplab_lessons.cli_options import COMMANDS

TINY = ["--width", "0.1", "--iterations", "2", "--batch-size", "2", "--crop", "32", "--device", "cpu"]
OWN = ["--data", "folder", "--images", "images", "--labels", "labels", "--classes", "background,cup"]


def fill(folder, count=6, cup=1):
    """Photographs with a bright square, and their masks: 0, and `cup` on the square."""
    draw = np.random.default_rng(0)
    for n in range(count):
        labels = np.zeros((48, 64), np.uint8)
        labels[8:32, 8 + 4 * n : 32 + 4 * n] = 1
        picture = np.repeat(80 + 120 * labels[..., None], 3, axis=2) + draw.integers(0, 50, (48, 64, 3))
        save_picture(folder / "images" / f"IMG_{n:04}.jpg", picture.astype(np.uint8))
        save_labels(folder / "labels" / f"IMG_{n:04}.png", cup * labels)


@pytest.fixture
def album(tmp_path, monkeypatch):
    """A folder to work in, with photographs and masks in it, and no weights anywhere."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(backbones, "at_hand", lambda backbone: None)
    fill(tmp_path)
    return tmp_path


def test_three_commands_lead_from_a_folder_to_an_overlay(album, capsys):
    assert cli.main(["check", *OWN, "--sheet", "sheet.png"]) == 0
    out, err = said(capsys)
    assert "6 pairs" in out and "1 cup" in out and "sheet.png" in out and not err
    assert Image.open("sheet.png").mode == "RGB"
    assert cli.main(["train", *OWN, "--checkpoint", "mine.pt", *TINY]) == 0
    out, err = said(capsys)
    assert "v3 on mobilenet_v2" in out and "2 iterations" in out and "on this machine" in out
    assert (
        "deeplab-lessons evaluate mine" in out
        and "deeplab-lessons segment PHOTO.jpg --checkpoint mine" in out
    )
    assert cli.main(["evaluate", "mine.pt", "--device", "cpu"]) == 0
    assert "mIoU" in said(capsys)[0]
    assert cli.main(["segment", "images/IMG_0003.jpg", "--checkpoint", "mine.pt", "--device", "cpu"]) == 0
    assert "images/IMG_0003-segmented.png" in said(capsys)[0]


@pytest.mark.parametrize(
    ("version", "backbone", "stride"),
    [("v1", "vgg16", None), ("v2", "resnet50", None), ("v3plus", "mobilenet_v2", 8)],
)
def test_every_version_can_be_trained(version, backbone, stride, album):
    use = [
        "--version",
        version,
        "--backbone",
        backbone,
        *(["--output-stride", str(stride)] if stride else []),
    ]
    assert cli.main(["train", *OWN, "--checkpoint", "mine.pt", *TINY, *use]) == 0
    arguments = training.load_checkpoint("mine.pt")["about"]["model"]
    assert (arguments["version"], arguments["backbone"]) == (version, backbone)
    assert stride in (None, arguments["output_stride"])


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ("--class-weights 1,2,3", 2, "--class-weights must be 2 numbers, one for each class, got 3"),
        (
            "--class-weights 0,0",
            2,
            "for each class with commas between them: none below 0, not all 0, got '0,0'",
        ),
        (
            "--checkpoint images/IMG_0000.jpg/mine.pt",
            2,
            "--checkpoint cannot be written in this folder: choose another",
        ),
        (
            "--version v1 --backbone resnet50",
            1,
            "unknown backbone 'resnet50': choose from vgg16, mobilenet_v2",
        ),
        ("--start images/IMG_0000.jpg", 1, "IMG_0000.jpg is a picture"),
        ("--labels nowhere", 1, "Expected the folder nowhere; there is no such folder"),
    ],
)
def test_what_cannot_be_trained_gets_one_line(options, code, words, album, capsys):
    assert cli.main(["train", *OWN, "--checkpoint", "mine.pt", *TINY, *options.split()]) == code
    assert words in the_only_line(capsys) and not list(album.glob("*.pt"))


def test_what_is_given_comes_before_the_recipe(album):
    use = ["--lr", "0.5", "--loss", "area", "--longest-side", "40", "--class-weights", "1,3"]
    assert cli.main(["train", *OWN, "--checkpoint", "mine.pt", *TINY, *use]) == 0
    content = training.load_checkpoint("mine.pt")
    assert content["settings"]["lr"] == 0.5 and content["settings"]["loss"] == "area"
    assert content["settings"]["class_weights"] == [1, 3] and content["about"]["longest_side"] == 40
    assert not content["settings"]["freeze_batch_norm"], "random weights need batch norm that learns"


def test_weights_that_are_there_are_used_and_others_asked_for(album, monkeypatch, capsys):
    use = ["train", *OWN, "--iterations", "1", "--batch-size", "2", "--crop", "32", "--device", "cpu"]
    torch.save(mobilenet_v2().state_dict(), "net.pt")
    monkeypatch.setattr(backbones, "at_hand", lambda backbone: album / "net.pt")
    assert cli.main([*use, "--checkpoint", "mine.pt"]) == 0
    out, err = said(capsys)
    assert f"from {album / 'net.pt'}" in out and not err
    monkeypatch.setattr(backbones, "at_hand", lambda backbone: None)
    assert cli.main([*use, "--checkpoint", "mine.pt"]) == 0, "a training that has begun needs them no more"
    assert cli.main([*use, "--checkpoint", "other.pt"]) == 0
    out, err = said(capsys)
    assert "from random weights" in out and "pass --weights imagenet" in err[0]


def test_faults_of_files_stop_before_anything_is_written(album, capsys):
    fill(album, cup=255)
    for command in (["check"], ["train", "--checkpoint", "mine.pt", *TINY]):
        assert cli.main([command[0], *OWN, *command[1:]]) == 1
        assert "--ids 0:0,255:1" in "".join(map(str, said(capsys)))
    assert not list(album.glob("*.pt"))
    assert cli.main(["check", *OWN, "--ids", "0:0,255:1"]) == 0


def test_a_doubt_is_said_once_and_stops_nothing(album, capsys):
    more = [*OWN[:-1], "background,cup,spoon"]
    assert cli.main(["check", *more]) == 0
    assert "DOUBT: class 2 spoon never occurs" in said(capsys)[0]
    assert cli.main(["train", *more, "--checkpoint", "mine.pt", *TINY]) == 0
    assert "never occurs" in the_only_line(capsys)


def test_a_sheet_replaces_no_file_but_a_sheet(album, capsys):
    (album / "sheet.png").write_bytes(b"mine")
    for more, words in ([], "pass --overwrite"), (["--overwrite"], "not an overlay that was written here"):
        assert cli.main(["check", *OWN, "--sheet", "sheet.png", *more]) == 2
        assert words in the_only_line(capsys)
    (album / "sheet.png").unlink()
    for more in [], ["--overwrite"]:
        assert cli.main(["check", *OWN, "--sheet", "sheet.png", *more]) == 0


def test_a_network_is_measured_elsewhere_but_not_by_mistake_where_it_was_trained(album, capsys):
    assert cli.main(["train", *OWN, "--checkpoint", "mine.pt", *TINY, "--split", "all"]) == 0
    assert "evaluate mine" not in said(capsys)[0], "there is nothing left to measure it on"
    assert cli.main(["evaluate", "mine.pt", "--device", "cpu"]) == 2
    assert "was trained on all pairs of images: pass --images and --labels of others" in the_only_line(capsys)
    assert cli.main(["evaluate", "mine.pt", "--images", "images", "--device", "cpu"]) == 2
    assert "needs both --images and --labels" in the_only_line(capsys)
    for more in ["--split", "all"], ["--images", "images", "--labels", "labels"]:
        assert cli.main(["evaluate", "mine.pt", *more, "--device", "cpu"]) == 0


def test_pictures_that_came_later_are_noticed(album, capsys):
    assert cli.main(["train", *OWN, "--checkpoint", "mine.pt", *TINY]) == 0
    fill(album, count=12)
    said(capsys)
    assert cli.main(["evaluate", "mine.pt", "--device", "cpu"]) == 0
    assert "some of them may have been trained on" in the_only_line(capsys)


def test_a_network_that_was_trained_in_python_is_measured_and_drawn_with(album, capsys):
    folder = {"images": "images", "labels": "labels", "classes": ("background", "cup")}
    train, val = (datasets.Folder(**folder, split=split, longest_side=40) for split in ("train", "val"))
    train.transforms = datasets.transforms.train(32)
    model = models.deeplab("v3", 2, backbone="mobilenet_v2", width=0.1)
    settings = {"iterations": 1, "batch_size": 2, "lr": 0.01, "progress": False, "device": "cpu"}
    training.train(model, train, val, checkpoint="mine.pt", **settings)
    assert cli.main(["evaluate", "mine.pt", "--device", "cpu"]) == 0
    assert "  cup" in said(capsys)[0]
    use = ["--checkpoint", "mine.pt", "--device", "cpu"]
    assert cli.main(["segment", "images", "--output", "out", "--format", "labels", *use]) == 0
    drawn = datasets.Folder("images", "out", ("background", "cup"), ending="-labels")
    assert len(drawn) == 6 and drawn.labels(0).shape == (48, 64)
    assert "a side above 40 pixels" in the_only_line(capsys)


# A training that is continued


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp("run") / "scenes.pt"
    assert cli.main(["train", "--checkpoint", str(path), "--iterations", "3", *SMALL]) == 0
    return path


#: Every option of `train` that must be the same again when a training is continued, another value, and what is said.
COMPARED = {
    "experiment": ("v1_7x7", "experiment was None, now v1_7x7"),
    "data": ("camvid", "data was embedded, now camvid"),
    "count": ("5", "count was 4, now 5"),
    "scene-size": ("48", "--scene-size was 32, now 48"),
    "split": ("test", "split was train, now test"),
    "crop": ("24", "--crop was 32, now 24"),
    "random-scale": ("0.5 2", "--random-scale was 1.5, now 2.0"),
    "backbone": ("mobilenet_v2", "backbone was vgg16, now mobilenet_v2"),
    "head": ("CRF", "head was CRF-LargeFOV, now CRF"),
    "width": ("0.03", "width was 0.02, now 0.03"),
    "no-batch-norm": ("", "--no-batch-norm was False, now True"),
    "weights": ("WEIGHTS", "weights was None, now sha256"),
    "start": ("COPY", "start was None, now sha256"),
    "freeze-batch-norm": ("", "--freeze-batch-norm was False, now True"),
    "iterations": ("5", "iterations was 3, now 5"),
    "batch-size": ("3", "--batch-size was 2, now 3"),
    "lr": ("0.01", "lr was 0.02, now 0.01"),
    "schedule": ("step", "schedule was poly, now step"),
    "loss": ("area", "loss was subsample, now area"),
    "seed": ("1", "seed was 0, now 1"),
    "weight-decay": ("0.001", "--weight-decay was 0.0005, now 0.001"),
    "released-groups": ("", "--released-groups was False, now True"),
    "clip": ("1", "clip was None, now 1.0"),
    "amp": ("", "--amp is for CUDA, and the device is cpu"),
    "channels-last": ("", "--channels-last was False, now True"),
}
#: The same of files of your own, with the recipe.
OF_A_FOLDER = {
    "classes": ("ground,cup", "--classes was background, now ground"),
    "ids": ("0:0,1:1", "--ids was None"),
    "others": ("255", "--others was None, now 255"),
    "palette": ("0,0,0:1,1,1", "--palette was None"),
    "ending": ("", "--ending was None"),
    "val-share": ("0.5", "--val-share was 0.2, now 0.5"),
    "longest-side": ("32", "--longest-side was 512, now 32"),
    "version": ("v3plus", "version was v3, now v3plus"),
    "output-stride": ("8", "--output-stride was None, now 8"),
    "class-weights": ("1,2", "--class-weights was None"),
}
#: Those that may change, and why.
MAY_CHANGE = {
    "scale": "what it sets is compared",
    "root": "a folder may be moved; the names of its files, its classes and its first labels are compared",
    "images": "as root",
    "labels": "as root",
    "names": "as root",
    "checkpoint": "a file that was moved holds the same training",
    "new": "asks for another beginning",
    "save-every": "only says how often the state is kept",
    "device": "a training may move to another machine, with its own rounding",
    "compiled": "the same computation, rounded as the machine does it",
}


def test_every_option_of_train_is_compared_or_may_change():
    options = [flag.removeprefix("--") for flag, *_ in COMMANDS["train"][1]]
    assert sorted([*COMPARED, *OF_A_FOLDER, *MAY_CHANGE]) == sorted(options)


@pytest.mark.parametrize("name", COMPARED)
def test_another_option_is_refused_when_a_training_is_continued(
    name, checkpoint, tmp_path, capsys, monkeypatch
):
    value, words = COMPARED[name]
    kept, weights = checkpoint.read_bytes(), tmp_path / "weights.pt"
    torch.save(backbones.vgg16(0.02, batch_norm=True).state_dict(), weights)
    if name in ("data", "experiment", "backbone", "head", "width", "no-batch-norm"):
        monkeypatch.setattr(
            training.Recipe, "model", lambda *_, **__: models.deeplab_v1(6, width=0.02, batch_norm=True)
        )
        scenes = built_in.Embedded(count=4, size=32)
        monkeypatch.setattr(cli_train, "named", lambda *_: scenes)
    copy = tmp_path / "copy.pt"
    copy.write_bytes(kept)
    given = value.replace("WEIGHTS", str(weights)).replace("COPY", str(copy)).split()
    use = ["train", "--checkpoint", str(checkpoint), "--iterations", "3", *SMALL]
    if name == "experiment":
        use = [word for word in use if word not in ("--width", "0.02")]
    if name == "data":
        at = use.index("--scene-size")
        del use[at : at + 2]
    assert cli.main([*use, f"--{name}", *given]) != 0
    said = capsys.readouterr().err
    assert words in said and "Traceback" not in said and checkpoint.read_bytes() == kept


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with photographs, masks and a network that was trained on them."""
    folder = tmp_path_factory.mktemp("own")
    fill(folder)
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        assert cli.main(["train", *OWN, "--checkpoint", "mine.pt", *TINY]) == 0
    return folder


@pytest.mark.parametrize("name", OF_A_FOLDER)
def test_another_option_of_a_folder_is_refused_too(name, trained, monkeypatch, capsys):
    monkeypatch.chdir(trained)
    before = (trained / "mine.pt").read_bytes()
    value, words = OF_A_FOLDER[name]
    assert cli.main(["train", *OWN, "--checkpoint", "mine.pt", *TINY, f"--{name}={value}"]) == 1
    assert words in the_only_line(capsys) and (trained / "mine.pt").read_bytes() == before


def test_a_folder_may_be_moved(trained, capsys):
    moved = [str(trained / word) if word in ("images", "labels") else word for word in OWN]
    assert cli.main(["train", *moved, "--checkpoint", str(trained / "mine.pt"), *TINY]) == 0
    assert "2 iterations" in said(capsys)[0]


def test_resuming_on_other_data_is_refused_also_where_only_the_folder_tells(tmp_path, capsys):
    """The example of the report: stopped with --crop 32, continued with --crop 24, another size, another split."""
    path = tmp_path / "run.pt"
    use = ["train", "--checkpoint", str(path), "--iterations", "2", *SMALL]
    assert cli.main(use) == 0
    changed = ["--crop", "24", "--scene-size", "48", "--split", "test"]
    assert cli.main([*use, *changed]) != 0
    said = capsys.readouterr().err
    assert (
        "--crop was 32, now 24" in said
        and "--scene-size was 32, now 48" in said
        and "split was train, now test" in said
    )
    assert cli.main([*use, *changed, "--new"]) == 0


def test_a_training_that_is_stopped_says_so_by_its_exit_code(tmp_path, monkeypatch, capsys):
    path = tmp_path / "run.pt"
    use = ["train", "--checkpoint", str(path), "--iterations", "3", *SMALL]
    step = training.loop._Run.step

    def stopped(*arguments):
        signal.raise_signal(signal.SIGTERM)
        step(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(training.loop._Run, "step", stopped)
        assert cli.main(use) == 130
    said = capsys.readouterr().out
    assert (
        "Stopped after iteration 1 of 3" in said
        and len(training.load_checkpoint(path)["history"]["loss"]) == 1
    )
    assert cli.main(use) == 0


def test_a_start_that_was_given_may_be_left_out_later_and_no_other_may_come(checkpoint, tmp_path, capsys):
    path = tmp_path / "second.pt"
    use = ["train", "--checkpoint", str(path), "--iterations", "1", *SMALL]
    start = tmp_path / "start.pt"
    start.write_bytes(checkpoint.read_bytes())
    assert cli.main([*use, "--start", str(start)]) == 0
    assert cli.main(use) == 0
    start = start.rename(tmp_path / "renamed.pt")
    assert cli.main([*use, "--start", str(start)]) == 0
    start.write_bytes(path.read_bytes())
    assert cli.main([*use, "--start", str(start)]) != 0
    assert "start was sha256 " in capsys.readouterr().err


def test_a_training_of_the_edition_before_is_continued(tmp_path, capsys):
    """It noted classes and colours next to its settings, and knew fewer options."""
    path = tmp_path / "old.pt"
    use = ["train", "--checkpoint", str(path), *SMALL, "--iterations", "2"]
    assert cli.main(use) == 0
    content = training.load_checkpoint(path)
    new = {
        "images",
        "labels",
        "classes",
        "ids",
        "others",
        "palette",
        "ending",
        "names",
        "version",
        "output_stride",
    }
    kept = {name: value for name, value in content["about"]["settings"].items() if name not in new}
    content["about"] |= {"data": "embedded", "settings": kept}
    training.save_checkpoint({name: part for name, part in content.items() if name != "format"}, path)
    said(capsys)
    assert cli.main(use) == 0, said(capsys)


def test_the_best_state_of_an_earlier_training_is_not_recommended_after_one_without_validation(album, capsys):
    use = ["train", *OWN, "--checkpoint", "mine.pt", *TINY]
    assert cli.main(use) == 0 and (album / "mine-best.pt").exists()
    said(capsys)
    assert cli.main([*use, "--new", "--split", "all"]) == 0
    assert not (album / "mine-best.pt").exists() and "--checkpoint mine.pt" in said(capsys)[0]


def test_a_start_from_the_state_that_would_be_replaced_is_refused(album, capsys):
    assert cli.main(["train", *OWN, "--checkpoint", "mine.pt", *TINY]) == 0
    said(capsys)
    before = (album / "mine-best.pt").read_bytes()
    use = ["train", *OWN, *TINY, "--checkpoint", "mine.pt", "--start", "mine-best.pt", "--new"]
    assert cli.main(use) == 2 and "pass another --checkpoint" in the_only_line(capsys)
    assert (album / "mine-best.pt").read_bytes() == before


def test_a_network_with_batch_norm_is_started_from_with_batch_norm(album, capsys):
    use = ["train", *OWN, *TINY, "--version", "v1", "--backbone", "vgg16", "--width", "0.02"]
    assert cli.main([*use, "--checkpoint", "one.pt"]) == 0
    assert cli.main([*use, "--checkpoint", "two.pt", "--start", "one.pt"]) == 0
    assert training.load_checkpoint("two.pt")["about"]["model"]["batch_norm"] is True


def test_a_part_of_the_scenes_is_no_doubt_when_it_is_measured(tmp_path, capsys):
    path = str(tmp_path / "scenes.pt")
    assert cli.main(["train", "--checkpoint", path, *SMALL, "--iterations", "1"]) == 0
    said(capsys)
    assert cli.main(["evaluate", path, "--count", "2", "--device", "cpu"]) == 0
    assert cli.main(["evaluate", path, "--device", "cpu"]) == 0
    assert not said(capsys)[1]


def test_only_folders_are_reduced(tmp_path, capsys):
    path = tmp_path / "v3.pt"
    use = [
        "train",
        "--version",
        "v3",
        *SMALL,
        "--width",
        "0.1",
        "--iterations",
        "1",
        "--checkpoint",
        str(path),
    ]
    assert cli.main(use) == 0
    assert "shown with at most" not in said(capsys)[0]
