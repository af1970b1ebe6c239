"""How a traced model's table prints, and its way back from a unit to the pixels it sees."""

import sys

import pytest
import torch
import torchvision
from torch import nn

from deeplab_lessons.receptive_field import Box, trace


def test_text_html_and_dataframe():
    table = trace(nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)), 8)
    text = repr(table)
    lines = text.splitlines()
    assert lines[0].split() == [
        "name",
        "kind",
        "kernel",
        "stride",
        "dilation",
        "padding",
        "channels",
        "map",
        "size",
        "jump",
        "field",
        "start",
        "parameters",
        "multiply-adds",
    ]
    assert lines[2].split() == ["2", "max", "pool", "2", "2", "1", "0", "4", "4×4", "2", "4", "0.5"]
    assert "112 parameters, 6,912 multiply-adds" in text and "1 pointwise" in text
    html = table._repr_html_()
    assert html.count("<tr>") == 3 and "color" not in html and "#" not in html and "background" not in html
    frame = table.to_dataframe()
    assert list(frame.columns) == ["name", "kind", "kernel", "stride", "dilation", "padding", "channels", "map size",
                                   "jump", "field", "start", "parameters", "multiply_adds"]  # fmt: skip
    assert frame["field"].tolist() == [3, 4] and frame["field"].dtype.kind == "i"
    assert frame["start"].tolist() == [0.0, 0.5] and frame["map size"].tolist() == ["8×8", "4×4"]
    assert len(table.to_dataframe(pointwise=True)) == 3


def test_only_the_dataframe_needs_pandas(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    table = trace(nn.Sequential(nn.Conv2d(3, 4, 3)), 8)
    assert "conv" in repr(table)
    with pytest.raises(ImportError, match=r"needs pandas: pip install 'deeplab-lessons\[lab\]'"):
        table.to_dataframe()


def test_long_tables_are_cut_in_print_only():
    with torch.device("meta"):
        model = torchvision.models.resnet101()
    table = trace(model, 65)
    assert "more rows" in repr(table) and len(repr(table).splitlines()) < 70
    assert len(table.to_dataframe()) == len(table) > 100


def test_boxes_of_units():
    table = trace(nn.Sequential(nn.Conv2d(3, 4, 5, 2, 2)), 16)
    assert table.box("0", 0) == Box(0, 0, 2, 2)
    assert table.box("0", 0, clip=False) == Box(-2, -2, 2, 2)
    assert table.box("0", (3, 7)) == Box(4, 12, 8, 15)
    assert table.box("0", (3, 3)).height == 5
    with pytest.raises(IndexError, match="rows 0 to 7"):
        table.box("0", 8)
    with pytest.raises(KeyError, match="no layer called 'conv'"):
        table["conv"]


def test_lists_of_close_names():
    with torch.device("meta"):
        model = torchvision.models.vgg11()
    with pytest.raises(KeyError, match=r"did you mean 'features.0'"):
        trace(model, 32)["feature.0"]
