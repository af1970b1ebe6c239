"""Files of your own, from the command line: looked at, trained on, measured, drawn on."""

import re

import numpy as np
import pytest
from label_files import save_labels, save_picture
from PIL import Image

from deeplab_lessons import backbones, cli

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


def said(capsys):
    """What stands on stdout, and on stderr without the bars of progress."""
    out, err = capsys.readouterr()
    return out, [line for line in re.split("[\r\n]+", err) if "%|" not in line and line.strip()]


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
