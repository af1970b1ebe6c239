"""What is typed, turned into values, or refused with what was wanted."""

import argparse

import pytest

from deeplab_lessons import cli_values

RIGHT = [
    (cli_values.CLASSES, "background,traffic light", ["background", "traffic light"]),
    (cli_values.CLASSES, "background, cup", ["background", "cup"]),
    (cli_values.CLASSES, "FILE", ["sky", "tree trunk"]),
    (cli_values.IDS, "0:0,255:1", {0: 0, 255: 1}),
    (cli_values.PALETTE, "0,0,0:255,0,9", [(0, 0, 0), (255, 0, 9)]),
    (cli_values.PALETTE, "COLOURS", [(64, 128, 64), (192, 0, 128)]),
    (cli_values.CLASS_WEIGHTS, "median-frequency", "median-frequency"),
    (cli_values.CLASS_WEIGHTS, "1,2.5", [1.0, 2.5]),
]
WRONG = [
    (cli_values.CLASSES, ("background", "background,", ",", "", "nowhere.txt")),
    (cli_values.IDS, ("0", "0:", "0:a", "0:0,0:1", "0:0;1:1", "0=0")),
    (cli_values.PALETTE, ("0,0:1,1", "0,0,256", "red", "0,0,0;1,1,1", "nowhere.txt", "", "0,0,0,0")),
    (cli_values.CLASS_WEIGHTS, ("median", "1,", "1;2", "", "0,0", "-1,1", "nan,1", "inf,1")),
    (cli_values.DEVICE, ("gpu", "meta", "")),
]


@pytest.mark.parametrize(("option", "text", "value"), RIGHT, ids=[each[1] for each in RIGHT])
def test_what_is_typed_becomes_a_value(option, text, value, tmp_path):
    files = {"FILE": "\ufeffsky\r\ntree trunk\r\n\r\n", "COLOURS": "64 128 64\tAnimal\n192 0 128  Archway\n"}
    if text in files:
        path = tmp_path / "list.txt"
        path.write_bytes(files[text].encode())
        text = str(path)
    assert option["type"](text) == value


@pytest.mark.parametrize(("option", "text"), [(option, text) for option, texts in WRONG for text in texts])
def test_anything_else_is_refused_with_what_was_wanted(option, text):
    with pytest.raises(argparse.ArgumentTypeError, match=r"^must be .*, got "):
        option["type"](text)


def test_what_is_wrong_in_a_list_is_said(tmp_path):
    (tmp_path / "list.txt").write_text("cup\nspoon\ncup\n")
    with pytest.raises(argparse.ArgumentTypeError, match=r"line 3: 'cup' is in .*line 1 already"):
        cli_values.CLASSES["type"](str(tmp_path / "list.txt"))
