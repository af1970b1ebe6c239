"""The options: their ranges, and what they need of each other."""

import pytest

from deeplab_lessons import cli
from deeplab_lessons.classroom.experiments import EXPERIMENTS
from deeplab_lessons.cli_options import COMMANDS, UsageError, name_of, set_by

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
    "scene_size": (161, ["96"], 96),
    "crop": ([513], ["96"], [96]),
    "random_scale": ([0.5, 2.0], ["0.5", "1.5"], [0.5, 1.5]),
    "iterations": (30000, ["1000"], 1000),
    "batch_size": (16, ["8"], 8),
    "lr": (0.001, ["0.02"], 0.02),
    "weight_decay": (1e-4, ["5e-4"], 5e-4),
    "released_groups": (True, None, False),
    "schedule": ("poly", ["poly"], "poly"),
    "loss": ("upsampled", ["subsample"], "subsample"),
    "freeze_batch_norm": (True, None, False),
    "channels_last": (True, None, False),
}


@pytest.mark.parametrize("name", SET)
def test_what_is_given_counts_also_where_it_is_the_default(name):
    scale = "class" if name == "scene_size" else "full"  # the real set's pictures have a size of their own
    chosen = [*TRAIN, "--experiment", "v3_stage2", "--scale", scale]
    by_experiment, words, given = SET[name]
    assert getattr(cli.parse(chosen), name) == by_experiment
    flag = name.replace("_", "-")
    option = [f"--no-{flag}"] if words is None else [f"--{flag}", *words]
    for arguments in ([*chosen, *option], [*TRAIN, *option, *chosen[3:]]):
        options = cli.parse(arguments)
        assert getattr(options, name) == given
        others = {key: value for key, value in vars(options).items() if key not in (name, "given")}
        assert others == {
            key: value for key, value in vars(cli.parse(chosen)).items() if key not in (name, "given")
        }
    assert getattr(cli.parse([*TRAIN, *option]), name) == given


def test_every_option_that_an_experiment_sets_is_tested():
    assert set(set_by(EXPERIMENTS["v3_stage2"])) == set(SET)


@pytest.mark.parametrize(
    "option", [["--backbone", "vgg16"], ["--head", "CRF"], ["--width", "0.125"], ["--no-batch-norm"]]
)
def test_an_experiment_says_which_network_it_is(option):
    with pytest.raises(UsageError, match=f"{option[0]} and --experiment do not go together"):
        cli.parse([*TRAIN, "--experiment", "v1_7x7", *option])


def test_help_shows_the_defaults(capsys):
    with pytest.raises(SystemExit):
        cli.main(["train", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "(default: 0.02)" in said and "(default: poly)" in said and "SUPPRESS" not in said
    assert "(default: 0.5 1.5)" in said and "(else DEEPLAB_LESSONS_SEED, or 0)" in said


def test_the_older_word_for_an_experiment_is_understood():
    assert cli.parse([*TRAIN, "--configuration", "v1_7x7"]).experiment == "v1_7x7"


#: What is refused before anything is begun, and what is said.
REFUSED = [
    ("", "the following arguments are required: command"),
    ("trian", "invalid choice: 'trian'"),
    ("train", "the following arguments are required: --checkpoint"),
    ("TRAIN --rate 1", "unrecognized arguments: --rate 1"),
    ("TRAIN --root camvid", "--root is for a real data set: choose one with --data"),
    ("TRAIN --root voc --experiment v1_7x7", "--root is for a real data set"),
    ("TRAIN --data camvid --scene-size 96", "--scene-size is for the built-in scenes only"),
    ("TRAIN --data camvid --scene-size 32", "--scene-size is for the built-in scenes only"),
    ("TRAIN --scale full", "--scale is the size of an --experiment: choose one"),
    ("TRAIN --count 0", "--count: must be a whole number from 1 to 1000000, got '0'"),
    ("TRAIN --count -3", "--count: must be a whole number"),
    ("TRAIN --count 1.5", "--count: must be a whole number"),
    ("TRAIN --crop 32 48 64", "--crop must be a side, or height and width"),
    ("TRAIN --crop 8", "--crop: must be a whole number from 16"),
    ("TRAIN --scene-size 8", "--scene-size: must be a whole number from 16"),
    ("TRAIN --save-every 0", "--save-every: must be a whole number from 1"),
    ("TRAIN --iterations 0", "--iterations: must be a whole number from 1"),
    ("TRAIN --iterations 1e3", "--iterations: must be a whole number"),
    ("TRAIN --batch-size -2", "--batch-size: must be a whole number from 1"),
    ("TRAIN --width nan", "--width: must be a number from 0.001 to 8, got 'nan'"),
    ("TRAIN --width 0", "--width: must be a number"),
    ("TRAIN --lr inf", "--lr: must be a number from 1e-12 to 1000000, got 'inf'"),
    ("TRAIN --lr 0", "--lr: must be a number"),
    ("TRAIN --clip -1", "--clip: must be a number"),
    ("TRAIN --random-scale 2 1", "--random-scale must be the smaller number and then the larger one"),
    ("TRAIN --random-scale 0 1", "--random-scale: must be a number from 0.1"),
    ("TRAIN --seed -1", "--seed: must be a whole number from 0 to 4294967295, got '-1'"),
    ("TRAIN --seed 4294967296", "--seed: must be a whole number"),
    ("TRAIN --start a.pt", "--start and --checkpoint must be two files"),
    ("TRAIN --start ./a.pt", "--start and --checkpoint must be two files"),
    ("TRAIN --weights a.pt", "--weights and --checkpoint must be two files"),
    ("TRAIN --start b.pt --weights imagenet", "--start and --weights do not go together"),
    ("TRAIN --weights imagenet --width 0.5", "--width must be 1 with --weights imagenet"),
    ("TRAIN --no-batch-norm --backbone mobilenet_v2", "--no-batch-norm is for --backbone vgg16"),
    (
        "TRAIN --freeze-batch-norm --no-batch-norm",
        "--freeze-batch-norm and --no-batch-norm do not go together",
    ),
    ("train --checkpoint .", "--checkpoint must be a file, and this is a folder"),
    ("TRAIN --device xpu", "--device: must be auto or a device of this machine, got 'xpu'"),
    ("TRAIN --device junk", "--device: must be auto or a device"),
    ("TRAIN --device meta", "--device: must be auto or a device"),
    ("TRAIN --device cuda:99", "--device: must be auto or a device"),
    ("evaluate a.pt --trimap", "--trimap: expected at least one argument"),
    ("evaluate a.pt --trimap 0", "--trimap: must be a whole number from 1"),
    ("evaluate a.pt --trimap 3 -1", "--trimap: must be a whole number from 1"),
    ("evaluate a.pt --scales 0", "--scales: must be a number from 0.1"),
    ("evaluate a.pt --scales 1 nan", "--scales: must be a number"),
    ("evaluate a.pt --crf v3", "--crf: invalid choice: 'v3'"),
    ("evaluate a.pt --data embedded --root x", "--root is for a real data set"),
    (
        "evaluate a.pt --data sbd --root x",
        "--root is the folder to train on: name the set to measure on with --data (for sbd: voc)",
    ),
    ("evaluate a.pt --data voc --scene-size 96", "--scene-size is for the built-in scenes only"),
    ("segment x.jpg --checkpoint a.pt --opacity 2", "--opacity: must be a number from 0 to 1, got '2'"),
    ("segment x.jpg --checkpoint a.pt --output a.pt", "--output and --checkpoint must be two files"),
]


@pytest.mark.parametrize(("text", "words"), REFUSED)
def test_what_does_not_fit_is_one_line_and_exit_code_2(text, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main([each for word in text.split() for each in (TRAIN if word == "TRAIN" else [word])]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and lines[0].startswith("deeplab-lessons: ") and words in lines[0]
    assert not list(tmp_path.iterdir())


def test_every_number_has_a_range_and_every_range_holds():
    for command, (_, options) in COMMANDS.items():
        for flag, default, _, told, *_ in options:
            known = (
                told.get("choices") or told.get("action") or name_of(flag) in ("split", "weights", "ending")
            )
            assert known or "type" in told, f"{command} {flag} takes anything"
            if default is not None and "type" in told:
                each = default if isinstance(default, list) else [default]
                assert [told["type"](str(value)) for value in each] == each


def test_the_seed_is_the_option_then_the_variable_then_0(monkeypatch):
    monkeypatch.delenv("DEEPLAB_LESSONS_SEED", raising=False)
    assert cli.parse(TRAIN).seed == 0
    monkeypatch.setenv("DEEPLAB_LESSONS_SEED", "7")
    assert cli.parse(TRAIN).seed == 7 and cli.parse([*TRAIN, "--seed", "0"]).seed == 0


def test_weights_come_with_a_network_of_their_width():
    assert cli.parse([*TRAIN, "--weights", "imagenet"]).width == 1
    assert cli.parse([*TRAIN, "--weights", "narrow.pt", "--width", "0.5"]).width == 0.5


def test_home_folders_are_found_where_the_shell_does_not_look(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert cli.parse(["train", "--checkpoint=~/a.pt"]).checkpoint == tmp_path / "a.pt"
