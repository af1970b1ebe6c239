"""The command line: train, stop, go on, measure, draw; and what it says when something is wrong."""

import random
import re
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from command_lines import SMALL, said, the_only_line, typed
from label_files import save_labels, save_picture
from PIL import Image
from torchvision.models import mobilenet_v2

from deeplab_lessons import cli, training
from deeplab_lessons.classroom import built_in, commands
from deeplab_lessons.classroom.experiments import EXPERIMENTS
from deeplab_lessons.cli_options import COMMANDS


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp("run") / "scenes.pt"
    assert cli.main(["train", "--checkpoint", str(path), "--iterations", "3", *SMALL]) == 0
    return path


def test_training_says_how_it_went_and_keeps_everything(checkpoint, capsys):
    content = training.load_checkpoint(checkpoint)
    assert len(content["history"]["loss"]) == 3 and 3 in content["history"]["mean_iou"]
    assert content["about"]["classes"] == list(built_in.CLASSES) and len(content["about"]["palette"]) == 256
    assert cli.main(["train", "--checkpoint", str(checkpoint), "--iterations", "3", *SMALL]) == 0
    assert "3 iterations" in capsys.readouterr().out, (
        "the same command again goes on where it stopped: at the end"
    )


def test_evaluate_prints_every_class_and_band(checkpoint, capsys):
    options = [
        "--count",
        "2",
        "--scene-size",
        "32",
        "--split",
        "test",
        "--trimap",
        "1",
        "3",
        "--device",
        "cpu",
    ]
    assert cli.main(["evaluate", str(checkpoint), *options]) == 0
    said = capsys.readouterr().out
    assert said.startswith("mIoU ") and "within  3 px" in said
    assert all(name in said for name in built_in.CLASSES)


def test_segment_writes_overlays(checkpoint, tmp_path, capsys):
    picture = built_in.photograph("chelsea")[:40, :56]
    for name in ("cat.png", "same.jpg"):
        Image.fromarray(picture).save(tmp_path / name)
    use = ["--checkpoint", str(checkpoint), "--device", "cpu"]
    assert cli.main(["segment", str(tmp_path / "cat.png"), *use, "--no-legend"]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "cat-segmented.png")
    with Image.open(tmp_path / "cat-segmented.png") as drawn:
        assert drawn.size == (56, 40) and drawn.mode == "RGB"
    both = [str(tmp_path / "cat.png"), str(tmp_path / "same.jpg"), "--output", str(tmp_path / "out")]
    assert cli.main(["segment", *both, *use]) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "cat-segmented.png",
        "same-segmented.png",
    ]


def test_without_colours_the_photograph_comes_back(checkpoint, tmp_path):
    picture = built_in.photograph("coffee")[:24, :32]
    Image.fromarray(picture).save(tmp_path / "cup.png")
    output = tmp_path / "clear.png"
    options = ["--checkpoint", str(checkpoint), "--opacity", "0", "--output", str(output), "--device", "cpu"]
    assert cli.main(["segment", str(tmp_path / "cup.png"), *options]) == 0
    assert (np.array(Image.open(output)) == picture).all()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("evaluate missing.pt", "there is no checkpoint missing.pt"),
        ("segment missing.jpg --checkpoint CHECKPOINT", "there is no picture missing.jpg"),
        ("segment CHECKPOINT --checkpoint CHECKPOINT", "cannot be read as a picture"),
        ("evaluate CHECKPOINT --data camvid --root nowhere", "Expected the folder nowhere"),
        ("evaluate CHECKPOINT --data camvid --root nowhere", "pass the folder with --root"),
        (
            "evaluate CHECKPOINT --data voc --root nowhere",
            "there is no such folder. Unpack",
        ),
        ("train --checkpoint CHECKPOINT --iterations 5 SMALL", "iterations was 3, now 5"),
        ("train --checkpoint CHECKPOINT SMALL --iterations 3 --batch-size 1", "--batch-size was 2, now 1"),
        ("train --checkpoint CHECKPOINT --iterations 5 SMALL", "to begin afresh, pass --new or another path"),
        ("train --checkpoint new.pt --weights missing.pt SMALL", "missing.pt"),
        ("train --checkpoint new.pt --lr 1e5 --iterations 9 SMALL", "or --clip 10"),
        (
            "train --checkpoint new.pt --experiment v1_7x7 --scale full --root nowhere",
            "Expected the folder nowhere",
        ),
    ],
)
def test_failures_get_one_line(checkpoint, arguments, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(typed(arguments, CHECKPOINT=checkpoint)) == 1
    assert words in the_only_line(capsys)


@pytest.mark.slow
def test_an_experiment_sets_what_is_not_given(tmp_path, capsys):
    path = tmp_path / "twin.pt"
    options = ["--experiment", "v2_vgg_aspp_s", "--checkpoint", str(path), "--device", "cpu"]
    options += ["--count", "3", "--iterations", "2", "--scene-size", "48", "--crop", "48"]
    assert cli.main(["train", *options]) == 0
    content = training.load_checkpoint(path)
    assert content["about"]["experiment"] == "v2_vgg_aspp_s"
    assert content["about"]["model"]["rates"] == (1, 2, 4, 6)
    settings = {name: content["settings"][name] for name in ("batch_size", "lr", "schedule", "iterations")}
    assert settings == {"batch_size": 4, "lr": 0.02, "schedule": "poly", "iterations": 2}
    use = [str(path), "--count", "2", "--scene-size", "48", "--device", "cpu"]
    assert cli.main(["evaluate", *use, "--scales", "0.75", "1", "--flip", "--crf", "v2_vgg"]) == 0
    assert "mIoU " in capsys.readouterr().out


@pytest.mark.slow
def test_a_second_stage_goes_on_with_the_first(tmp_path, capsys):
    small = ["--count", "4", "--iterations", "1", "--device", "cpu"]
    stage = ["--experiment", "v3_stage2", "--checkpoint", str(tmp_path / "second.pt"), *small]
    assert cli.main(["train", *stage]) == 2
    said = capsys.readouterr().err
    assert "v3_stage2 continues what v3_resnet101 has trained: pass its checkpoint, --start FILE" in said
    start = tmp_path / "first.pt"
    first = ["--experiment", "v3_resnet101", "--checkpoint", str(start), *small]
    assert cli.main(["train", *first]) == 0
    assert cli.main(["train", *stage, "--start", str(start)]) == 0
    before, after = (training.load_checkpoint(tmp_path / name) for name in ("first.pt", "second.pt"))
    norm, conv = "backbone.bn1.running_mean", "backbone.conv1.weight"
    assert (before["model"][norm] == after["model"][norm]).all(), "batch norm is left alone"
    assert (before["model"][conv] != after["model"][conv]).any(), "everything else goes on"
    assert after["about"]["model"]["output_stride"] == 8 and after["settings"]["freeze_batch_norm"]
    assert cli.main(["train", *stage]) == 0, "a training that has begun needs no start"


def test_evaluate_takes_the_size_of_the_scenes_from_the_checkpoint(checkpoint, capsys):
    use = ["evaluate", str(checkpoint), "--count", "2", "--device", "cpu"]
    said = []
    for more in ([], ["--scene-size", "32"], ["--scene-size", "64"]):
        assert cli.main([*use, *more]) == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1] != said[2]


def test_a_scale_that_is_none_gets_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("DEEPLAB_LESSONS_SCALE", "huge")
    options = ["--experiment", "v1_7x7", "--checkpoint", str(tmp_path / "new.pt")]
    assert cli.main(["train", *options]) == 1
    assert "unknown DEEPLAB_LESSONS_SCALE 'huge': choose from class, full" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["experiments", "configurations"])
def test_experiments_are_listed(command, capsys):
    assert commands.main([command]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + len(EXPERIMENTS) and lines[0].split()[0] == "name"
    (line,) = [line for line in lines if line.startswith("v2_resnet101_msc_aspp ")]
    assert "v2, table 4, rows 6 and 7: + ASPP" in line and line.split()[-2:] == ["76.35", "77.69"]


@pytest.mark.slow
def test_help_names_every_command():
    done = subprocess.run(
        [sys.executable, "-m", "deeplab_lessons.cli", "--help"], capture_output=True, text=True
    )
    assert done.returncode == 0
    assert all(word in done.stdout for word in ("train", "evaluate", "segment", "examples:"))


# Nothing is written over that is not the command's own


@pytest.fixture
def album(tmp_path, monkeypatch):
    """A folder to work in, with the same photograph as a.png and a.jpg in it, and b/a.jpg under it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "b").mkdir()
    for name in ("a.png", "a.jpg", "b/a.jpg"):
        Image.fromarray(built_in.photograph("chelsea")[:24, :32]).save(name)
    return tmp_path


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            "a.jpg b/a.jpg --output out",
            "the overlay of b/a.jpg would replace the overlay of a.jpg",
        ),
        ("a.jpg a.png", "the overlay of a.png would replace the overlay of a.jpg"),
        ("a.jpg ./a.jpg", "would replace the overlay of a.jpg"),
        ("a.png --output a.png", "the overlay of a.png would replace the picture a.png"),
        ("a.png --output ./b/../a.png", "would replace the picture a.png"),
        ("a.png --output A.PNG", "would replace the picture a.png"),
        ("a.png --output link.png", "would replace the picture a.png"),
        ("link.png --output a.png", "would replace the picture link.png"),
        ("old.png old-segmented.png", "the overlay of old.png would replace the picture old-segmented.png"),
        ("a.png b/a.jpg --output all.png", "all.png is neither a folder nor, for one picture, a PNG"),
        ("a.png --output all.jpg", "all.jpg is neither a folder nor, for one picture, a PNG"),
        ("a.png --output a.jpg/all.png", "cannot be written in"),
        ("out.v2", "out.v2 holds no picture (it is empty): pass another folder"),
        ("a.jpg b --output out", "the overlay of b/a.jpg would replace the overlay of a.jpg"),
    ],
)
def test_names_that_would_lose_a_picture_are_refused_first(arguments, words, album, capsys, monkeypatch):
    monkeypatch.setattr(training, "load_model", lambda path: pytest.fail("the names are checked first"))
    (album / "link.png").symlink_to("a.png")
    (album / "out.v2").mkdir()
    before = contents(album)
    for more in ([], ["--overwrite"]):
        assert cli.main(["segment", *arguments.split(), "--checkpoint", "net.pt", *more]) == 2
        assert words in the_only_line(capsys)
    assert contents(album) == before and not (album / "out").exists()


def test_an_older_file_is_replaced_only_when_told(checkpoint, album, capsys):
    (album / "a-segmented.png").write_bytes(b"mine")
    use = ["segment", "a.png", "--checkpoint", str(checkpoint), "--device", "cpu", "--no-legend"]
    assert cli.main(use) == 2
    assert "a-segmented.png is there already: pass --overwrite or another output" in the_only_line(capsys)
    assert cli.main([*use, "--overwrite"]) == 2
    assert "a-segmented.png is not an overlay that was written here: pass another" in the_only_line(capsys)
    assert (album / "a-segmented.png").read_bytes() == b"mine"
    (album / "a-segmented.png").unlink()
    for more, code in ([], 0), ([], 2), (["--overwrite"], 0):
        assert cli.main([*use, *more]) == code
    assert Image.open(album / "a-segmented.png").size == (32, 24)


def test_a_second_name_of_a_photograph_is_not_replaced(checkpoint, album):
    before = (album / "a.png").read_bytes()
    (album / "twin.png").hardlink_to(album / "a.png")
    use = ["segment", "a.png", "--output", "twin.png", "--overwrite", "--checkpoint", str(checkpoint)]
    assert cli.main([*use, "--device", "cpu"]) == 2
    assert (album / "a.png").read_bytes() == before == (album / "twin.png").read_bytes()


def test_a_picture_too_small_is_named(checkpoint, album, capsys):
    Image.new("RGB", (4, 4)).save(album / "dot.png")
    use = ["segment", "dot.png", "--checkpoint", str(checkpoint), "--device", "cpu"]
    assert cli.main(use) == 1
    assert "dot.png: " in the_only_line(capsys)


def test_an_empty_split_is_no_split(tmp_path, capsys):
    assert cli.main(["train", "--split", "", "--checkpoint", str(tmp_path / "net.pt")]) == 2
    assert "split" in the_only_line(capsys)


def test_a_bad_picture_does_not_stop_the_others(checkpoint, album, capsys):
    (album / "cut.jpg").write_bytes((album / "a.jpg").read_bytes()[:200])
    (album / "out.v2").mkdir()
    pictures = ["missing.jpg", "a.png", "cut.jpg", "*.tif"]
    use = ["--output", "out.v2", "--checkpoint", str(checkpoint), "--device", "cpu"]
    assert cli.main(["segment", *pictures, *use]) == 1
    said = capsys.readouterr()
    assert [path.name for path in (album / "out.v2").iterdir()] == ["a-segmented.png"]
    assert said.out.splitlines() == ["out.v2/a-segmented.png"]
    starts = [
        "there is no picture missing.jpg",
        "cut.jpg cannot be",
        "there is no picture *.tif",
    ]
    for line, start in zip(said.err.splitlines(), starts, strict=True):
        assert line.startswith(f"deeplab-lessons: {start}")


def test_a_folder_that_cannot_be_written_is_found_first(album, capsys, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert cli.main(["segment", "a.png", "--output", "out", "--checkpoint", "net.pt"]) == 2
    assert "out/a-segmented.png cannot be written in" in the_only_line(capsys)


def test_beginning_afresh_replaces_a_checkpoint_and_no_other_file(checkpoint, album, capsys):
    before = (album / "a.jpg").read_bytes()
    assert cli.main(["train", "--new", "--checkpoint", "a.jpg", "--iterations", "1", *SMALL]) == 1
    assert re.search("a.jpg is .* checkpoint", the_only_line(capsys))
    assert (album / "a.jpg").read_bytes() == before
    (album / "net.pt").write_bytes(checkpoint.read_bytes())
    assert cli.main(["train", "--new", "--checkpoint", "net.pt", "--iterations", "1", *SMALL]) == 0
    assert len(training.load_checkpoint(album / "net.pt")["history"]["loss"]) == 1


# What depends on the checkpoint or the machine


def test_options_that_the_checkpoints_data_do_not_take_are_refused(checkpoint, album, capsys):
    assert cli.main(["evaluate", str(checkpoint), "--root", "b", "--device", "cpu"]) == 2
    assert "--root is for a real data set" in the_only_line(capsys)
    content = training.load_checkpoint(checkpoint)
    content["about"]["data"] = "camvid"
    training.save_checkpoint(content, album / "street.pt")
    assert cli.main(["evaluate", "street.pt", "--scene-size", "32", "--device", "cpu"]) == 2
    assert "--scene-size is for the built-in scenes only" in the_only_line(capsys)


def test_a_split_that_the_set_has_not_is_refused_with_those_it_has(checkpoint, capsys):
    assert cli.main(["evaluate", str(checkpoint), "--split", "exam", "--device", "cpu"]) == 2
    assert "unknown split 'exam': choose from train, val, test" in the_only_line(capsys)


def test_a_network_is_measured_on_its_own_classes_only(checkpoint, album, capsys):
    content = training.load_checkpoint(checkpoint)
    content["about"]["classes"] = [f"class {label}" for label in range(6)]
    training.save_checkpoint(content, album / "other.pt")
    assert cli.main(["evaluate", "other.pt", "--count", "1", "--device", "cpu"]) == 2
    assert "other.pt knows other classes than embedded" in the_only_line(capsys)
    del content["about"]["data"]
    training.save_checkpoint(content, album / "other.pt")
    assert cli.main(["evaluate", "other.pt", "--count", "1", "--device", "cpu"]) == 2
    assert "other.pt does not say what it was trained on: pass --data" in the_only_line(capsys)


def test_weights_of_the_full_width_fit_without_another_option(album):
    torch.save(mobilenet_v2().state_dict(), album / "mobilenet.pt")
    small = ["--count", "2", "--scene-size", "32", "--crop", "32", "--batch-size", "2", "--device", "cpu"]
    use = ["--backbone", "mobilenet_v2", "--weights", "mobilenet.pt", "--iterations", "1"]
    assert cli.main(["train", "--checkpoint", "net.pt", *use, *small]) == 0


def test_a_checkpoint_that_names_no_network_is_sent_back(album, capsys):
    training.save_checkpoint({"about": {}}, album / "hollow.pt")
    assert cli.main(["evaluate", "hollow.pt", "--device", "cpu"]) == 1
    assert the_only_line(capsys).endswith("it holds. Pass one that deeplab-lessons train wrote.")


def test_half_precision_is_refused_where_it_does_nothing(album, capsys):
    assert cli.main(["train", "--amp", "--checkpoint", "net.pt", *SMALL]) == 2
    assert "--amp is for CUDA, and the device is cpu: leave it out" in the_only_line(capsys)


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_nothing_is_measured_on_the_pictures_that_were_trained_on(split, album):
    use = ["train", "--split", split, "--checkpoint", "net.pt", "--iterations", "1", *SMALL]
    assert cli.main(use) == 0
    measured = training.load_checkpoint(album / "net.pt")["history"]["mean_iou"]
    assert bool(measured) == (split != "val")


def test_a_training_that_was_stopped_says_so_by_its_exit_code(album, monkeypatch):
    stopped = training.History(finished=False)
    monkeypatch.setattr(training, "train", lambda *given, **more: stopped)
    assert cli.main(["train", "--checkpoint", "net.pt", *SMALL]) == 130


def test_warnings_are_said_in_the_commands_words(checkpoint, capsys, monkeypatch):
    def warning(*given, **more):
        warnings.warn("some labels are void: pass ids={0: 0} or batch_size=1", stacklevel=2)
        return "scores"

    monkeypatch.setattr(training, "evaluate", warning)
    assert cli.main(["evaluate", str(checkpoint), "--count", "1", "--device", "cpu"]) == 0
    assert the_only_line(capsys) == "deeplab-lessons: some labels are void: pass --ids 0:0 or batch size 1"


def test_what_only_the_system_says_names_the_file(checkpoint, capsys, monkeypatch):
    def refuse(*given):
        raise PermissionError(13, "Permission denied", "locked.png")

    monkeypatch.setattr(training, "load_model", refuse)
    assert cli.main(["evaluate", str(checkpoint)]) == 1
    assert the_only_line(capsys) == "deeplab-lessons: locked.png: Permission denied"


@pytest.mark.slow
def test_a_reader_that_stops_reading_is_no_error():
    command = f"{sys.executable} -m deeplab_lessons.classroom.commands experiments"
    done = subprocess.run(
        ["bash", "-c", f"{command} | true; echo ${{PIPESTATUS[0]}}; {command} >&-; echo $?"],
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["141", "0"] and done.stderr == ""


#: Values to draw from, good and bad, of the options that are no number or flag.
PATHS = [
    "net.pt",
    "new.pt",
    "a.png",
    "a.jpg",
    "b",
    "nowhere/x.pt",
    "a.png/x.pt",
    "notes.txt",
    "",
    "~none/x",
]
NUMBERS = ["1", "0.5", "0.1", "0", "-1", "nan", "inf", "x", "1e400"]
LISTS = [
    "0:0,1:1",
    "0:0,255:9",
    "0,0,0:9,9,9",
    "sky,cup",
    "sky,cup,cup",
    "a,b,c",
    "1,2",
    "median-frequency",
    ",",
]


def anything(draw, command):
    """Some options of a command with values that may or may not fit."""
    table = COMMANDS[command][1]
    for flag, _, _, told, *_ in draw.sample(table, draw.randint(0, min(4, len(table)))):
        if flag.startswith("--"):
            values = [*told.get("choices", ())] or draw.choice([NUMBERS, NUMBERS, PATHS, LISTS])
            count = 0 if "action" in told else draw.choice([1, 1, 1, 2, 3, 0])
            yield [flag, *(draw.choice(values) for _ in range(count))]


SCENES = ["--count", "2", "--scene-size", "32", "--crop", "32"]
OWN = ["--data", "folder", "--images", "photos", "--labels", "masks", "--classes", "sky,cup"]


def a_command_line(draw):
    """A command with what it needs, nearly always, and some options more."""
    command = draw.choice(["check", "train", "train", "train", "evaluate", "segment"])
    words = {
        "check": draw.choice([OWN, OWN, ["--data", "embedded", "--count", "2", "--scene-size", "32"]]),
        "train": [
            "--checkpoint",
            draw.choice(["new.pt"] * 8 + PATHS),
            "--iterations",
            "1",
            "--batch-size",
            "2",
        ],
        "evaluate": [draw.choice(["net.pt"] * 4 + PATHS), "--count", "1"],
        "segment": [
            *draw.choices(PATHS, k=draw.randint(1, 3)),
            "--checkpoint",
            draw.choice(["net.pt", *PATHS]),
        ],
    }[command]
    if command == "train":
        own = draw.random() < 0.5
        words += [*(OWN if own else SCENES), "--crop", "32", "--width", "0.1" if own else "0.02"]
    device = [] if command == "check" else ["--device", "cpu"]
    return [command, *words, *device, *(word for each in anything(draw, command) for word in each)]


@pytest.mark.slow
def test_no_command_line_ends_in_a_traceback_or_loses_a_file(checkpoint, album, capsys, monkeypatch):
    monkeypatch.setattr(training, "time_needed", lambda *given, **more: 60.0)
    draw, codes = random.Random(3), []
    (album / "net.pt").write_bytes(checkpoint.read_bytes())
    (album / "notes.txt").write_text("notes")
    for number in range(4):
        save_picture(album / "photos" / f"{number}.png", np.full((40, 48, 3), 60 * number, np.uint8))
        save_labels(
            album / "masks" / f"{number}.png", np.repeat(np.eye(2, dtype=np.uint8), (20, 20), 0).repeat(24, 1)
        )
    kept = {name: content for name, content in contents(album).items() if name.suffix != ".pt"}
    for _ in range(400):
        arguments = a_command_line(draw)
        if {"imagenet", "--compiled", "--experiment"} & set(arguments):
            continue  # nothing is fetched here, or takes minutes
        codes.append(cli.main(arguments))
        _, lines = said(capsys)
        assert all(line.startswith("deeplab-lessons: ") for line in lines), (arguments, lines)
        assert lines or codes[-1] in (0, 1), arguments
        assert kept.items() <= contents(album).items(), arguments
        for name in ("new.pt", "new-best.pt"):
            (album / name).unlink(missing_ok=True)
    assert {0, 1, 2} == set(codes) and codes.count(0) > 20


def test_no_file_of_the_users_is_to_be_deleted(tmp_path, capsys):
    path = tmp_path / "photo.jpg"
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(path)
    for command in (["evaluate", str(path)], ["train", "--checkpoint", str(path), *SMALL],
                    ["train", "--checkpoint", str(tmp_path / "new.pt"), "--weights", str(path), *SMALL],
                    ["train", "--checkpoint", str(tmp_path / "new.pt"), "--start", str(path), *SMALL],
                    ["segment", str(path), "--checkpoint", str(path)]):  # fmt: skip
        assert cli.main(command) != 0
        said = capsys.readouterr().err
        assert "photo.jpg is a picture" in said and "elete" not in said and len(said.splitlines()) == 1


def test_an_error_without_words_has_its_name(monkeypatch, capsys):
    def full(path):
        raise MemoryError

    monkeypatch.setattr(training, "load_model", full)
    assert cli.main(["evaluate", "net.pt"]) == 1
    assert the_only_line(capsys) == "deeplab-lessons: MemoryError"
