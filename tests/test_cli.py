"""The command line: train, stop, go on, measure, draw; and what it says when something is wrong."""

import signal
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from deeplab_lessons import backbones, cli, datasets, models, training
from deeplab_lessons.training.experiments import EXPERIMENTS

SMALL = ["--count", "4", "--scene-size", "32", "--crop", "32", "--width", "0.02", "--batch-size", "2"]
SMALL += ["--device", "cpu"]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp("run") / "scenes.pt"
    assert cli.main(["train", "--checkpoint", str(path), "--iterations", "3", *SMALL]) == 0
    return path


def test_training_says_how_it_went_and_keeps_everything(checkpoint, capsys):
    content = training.load_checkpoint(checkpoint)
    assert len(content["history"]["loss"]) == 3 and 3 in content["history"]["mean_iou"]
    assert content["about"]["classes"] == list(datasets.CLASSES) and len(content["about"]["palette"]) == 256
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
    assert all(name in said for name in datasets.CLASSES)


def test_segment_writes_overlays(checkpoint, tmp_path, capsys):
    picture = datasets.photograph("chelsea")[:40, :56]
    for name in ("cat.png", "same.jpg"):
        Image.fromarray(picture).save(tmp_path / name)
    use = ["--checkpoint", str(checkpoint), "--device", "cpu"]
    assert cli.main(["segment", str(tmp_path / "cat.png"), *use]) == 0
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
    picture = datasets.photograph("coffee")[:24, :32]
    Image.fromarray(picture).save(tmp_path / "cup.png")
    output = tmp_path / "clear.png"
    options = ["--checkpoint", str(checkpoint), "--opacity", "0", "--output", str(output), "--device", "cpu"]
    assert cli.main(["segment", str(tmp_path / "cup.png"), *options]) == 0
    assert (np.array(Image.open(output)) == picture).all()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["evaluate", "missing.pt"], "there is no checkpoint missing.pt"),
        (["segment", "missing.jpg", "--checkpoint", "CHECKPOINT"], "there is no picture missing.jpg"),
        (["segment", "CHECKPOINT", "--checkpoint", "CHECKPOINT"], "cannot be read as a picture"),
        (["segment", "a.jpg", "b.jpg", "--output", "c.png", "--checkpoint", "CHECKPOINT"], "name a folder"),
        (["evaluate", "CHECKPOINT", "--data", "camvid", "--root", "nowhere"], "Expected the folder nowhere"),
        (["evaluate", "CHECKPOINT", "--split", "exam", "--device", "cpu"], "unknown split 'exam'"),
        (["train", "--checkpoint", "CHECKPOINT", "--iterations", "5", *SMALL], "iterations was 3, now 5"),
        (["train", "--checkpoint", "new.pt", "--lr", "0", *SMALL], "lr must be above 0"),
        (["train", "--checkpoint", "new.pt", "--weights", "missing.pt", *SMALL], "missing.pt"),
        (
            ["train", "--checkpoint", "new.pt", "--experiment", "v1_7x7", "--width", "0.5"],
            "--width and --experiment don't go together",
        ),
        (
            [
                "train",
                "--checkpoint",
                "new.pt",
                "--experiment",
                "v1_7x7",
                "--scale",
                "full",
                "--root",
                "nowhere",
            ],
            "Expected the folder nowhere",
        ),
    ],
)
def test_mistakes_get_one_line(checkpoint, arguments, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = [str(checkpoint) if word == "CHECKPOINT" else word for word in arguments]
    assert cli.main(arguments) == 1
    said = capsys.readouterr().err
    assert "deeplab-lessons: " in said and words in said and "Traceback" not in said
    assert not (tmp_path / "new.pt").exists()


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
    assert cli.main(["train", *stage]) == 1
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
    assert cli.main([command]) == 0
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


TRAIN = ["train", "--checkpoint", "a.pt"]


def test_defaults_of_the_commands_can_be_parsed():
    options = cli.parse(TRAIN)
    assert options.loss == "subsample" and options.head == "CRF-LargeFOV" and options.width == 0.125
    assert options.which is None and options.experiment is None and options.data == "embedded"
    assert (
        cli.parse(["evaluate", "a.pt"]).scales == [1.0] and cli.parse(["evaluate", "a.pt"]).device == "auto"
    )


#: Every option that an experiment sets: what `v3_stage2` sets it to, and the default that may be given.
SET = {
    "data": ("voc", ["embedded"], "embedded"),
    "split": ("trainval", ["train"], "train"),
    "count": (None, ["7"], 7),
    "scene_size": (513, ["96"], 96),
    "crop": ([513], ["96"], [96]),
    "random_scale": ([0.5, 2.0], ["0.5", "1.5"], [0.5, 1.5]),
    "iterations": (30000, ["1000"], 1000),
    "batch_size": (16, ["8"], 8),
    "lr": (0.001, ["0.02"], 0.02),
    "schedule": ("poly", ["poly"], "poly"),
    "loss": ("upsampled", ["subsample"], "subsample"),
    "freeze_batch_norm": (True, None, False),
    "channels_last": (True, None, False),
}


@pytest.mark.parametrize("name", SET)
def test_what_is_given_counts_also_where_it_is_the_default(name):
    chosen = [*TRAIN, "--experiment", "v3_stage2", "--scale", "full"]
    by_experiment, words, given = SET[name]
    assert getattr(cli.parse(chosen), name) == by_experiment
    flag = name.replace("_", "-")
    option = [f"--no-{flag}"] if words is None else [f"--{flag}", *words]
    for arguments in ([*chosen, *option], [*TRAIN, *option, *chosen[3:]]):
        options = cli.parse(arguments)
        assert getattr(options, name) == given
        others = {key: value for key, value in vars(options).items() if key != name}
        assert others == {key: value for key, value in vars(cli.parse(chosen)).items() if key != name}
    assert getattr(cli.parse([*TRAIN, *option]), name) == given


def test_every_option_that_an_experiment_sets_is_tested():
    assert set(cli._set_by(EXPERIMENTS["v3_stage2"])) == set(SET)


@pytest.mark.parametrize(
    "option", [["--backbone", "vgg16"], ["--head", "CRF"], ["--width", "0.125"], ["--no-batch-norm"]]
)
def test_an_experiment_says_which_network_it_is(option):
    with pytest.raises(ValueError, match=f"{option[0]} and --experiment don't go together"):
        cli.parse([*TRAIN, "--experiment", "v1_7x7", *option])


def test_help_shows_the_defaults(capsys):
    with pytest.raises(SystemExit):
        cli.main(["train", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "(default: 0.02)" in said and "(default: poly)" in said and "SUPPRESS" not in said


def test_the_older_word_for_an_experiment_is_understood():
    assert cli.parse([*TRAIN, "--configuration", "v1_7x7"]).experiment == "v1_7x7"


#: Every option of `train` that must be the same again when a training is continued, another value, and what is said.
COMPARED = {
    "experiment": ("v1_7x7", "experiment was None, now v1_7x7"),
    "data": ("camvid", "data was embedded, now camvid"),
    "count": ("5", "count was 4, now 5"),
    "scene-size": ("48", "scene_size was 32, now 48"),
    "split": ("test", "split was train, now test"),
    "crop": ("24", "crop was 32, now 24"),
    "random-scale": ("0.5 2", "random_scale was 1.5, now 2.0"),
    "backbone": ("mobilenet_v2", "backbone was vgg16, now mobilenet_v2"),
    "head": ("CRF", "head was CRF-LargeFOV, now CRF"),
    "width": ("0.03", "width was 0.02, now 0.03"),
    "no-batch-norm": ("", "no_batch_norm was False, now True"),
    "weights": ("WEIGHTS", "weights was None, now sha256"),
    "start": ("CHECKPOINT", "start was None, now sha256"),
    "freeze-batch-norm": ("", "freeze_batch_norm was False, now True"),
    "iterations": ("5", "iterations was 3, now 5"),
    "batch-size": ("3", "batch_size was 2, now 3"),
    "lr": ("0.01", "lr was 0.02, now 0.01"),
    "schedule": ("step", "schedule was poly, now step"),
    "loss": ("area", "loss was subsample, now area"),
    "seed": ("1", "seed was 0, now 1"),
    "clip": ("1", "clip was None, now 1.0"),
    "amp": ("", "amp was False, now True"),
    "channels-last": ("", "channels_last was False, now True"),
}
#: Those that may change, and why.
MAY_CHANGE = {
    "scale": "what it sets is compared",
    "root": "a folder may be moved; the names of its files, its classes and its first labels are compared",
    "checkpoint": "a file that was moved holds the same training",
    "new": "asks for another beginning",
    "save-every": "only says how often the state is kept",
    "device": "a training may move to another machine, with its own rounding",
    "compiled": "the same computation, rounded as the machine does it",
}


def test_every_option_of_train_is_compared_or_may_change():
    options = [flag.removeprefix("--") for flag, *_ in cli._COMMANDS["train"][1]]
    assert sorted([*COMPARED, *MAY_CHANGE]) == sorted(options)


@pytest.mark.parametrize("name", COMPARED)
def test_another_option_is_refused_when_a_training_is_continued(
    name, checkpoint, tmp_path, capsys, monkeypatch
):
    value, words = COMPARED[name]
    kept, weights = checkpoint.read_bytes(), tmp_path / "weights.pt"
    torch.save(backbones.vgg16(0.02, batch_norm=True).state_dict(), weights)
    if name in ("data", "experiment", "backbone", "head", "width", "no-batch-norm"):
        monkeypatch.setattr(cli, "deeplab", lambda **_: models.deeplab_v1(6, width=0.02, batch_norm=True))
        monkeypatch.setattr(
            cli.Experiment, "model", lambda *_: models.deeplab_v1(6, width=0.02, batch_norm=True)
        )
        scenes = datasets.Embedded(count=4, size=32)
        monkeypatch.setattr(cli, "named", lambda *_: scenes)
    given = value.replace("WEIGHTS", str(weights)).replace("CHECKPOINT", str(checkpoint)).split()
    use = ["train", "--checkpoint", str(checkpoint), "--iterations", "3", *SMALL]
    if name == "experiment":
        use = [word for word in use if word not in ("--width", "0.02")]
    assert cli.main([*use, f"--{name}", *given]) != 0
    said = capsys.readouterr().err
    assert words in said and "Traceback" not in said and checkpoint.read_bytes() == kept


def test_resuming_on_other_data_is_refused_also_where_only_the_folder_tells(tmp_path, capsys):
    """The example of the report: stopped with --crop 32, continued with --crop 24, another size, another split."""
    path = tmp_path / "run.pt"
    use = ["train", "--checkpoint", str(path), "--iterations", "2", *SMALL]
    assert cli.main(use) == 0
    changed = ["--crop", "24", "--scene-size", "48", "--split", "test"]
    assert cli.main([*use, *changed]) != 0
    said = capsys.readouterr().err
    assert (
        "crop was 32, now 24" in said
        and "scene_size was 32, now 48" in said
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
    assert cli.main([*use, "--start", str(path)]) != 0
    assert "start was sha256 " in capsys.readouterr().err


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
