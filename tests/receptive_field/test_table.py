"""How a traced model's table prints, and its way back from a unit to the pixels it sees."""

import pandas as pd
import pytest
import torch
import torchvision
from networks import Exchange
from torch import nn

from deeplab_lessons.receptive_field import Box, graph, trace


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
    frame = pd.DataFrame([row.cells() for row in table])
    assert list(frame.columns) == ["name", "kind", "kernel", "stride", "dilation", "padding", "channels", "map size",
                                   "jump", "field", "start", "parameters", "multiply_adds"]  # fmt: skip
    assert frame["field"].tolist() == [3, 4] and frame["field"].dtype.kind == "i"
    assert frame["start"].tolist() == [0.0, 0.5] and frame["map size"].tolist() == ["8×8", "4×4"]
    assert len(table.rows) == 3


def test_long_tables_are_cut_in_print_only():
    with torch.device("meta"):
        model = torchvision.models.resnet101()
    table = trace(model, 65)
    assert "more rows" in repr(table) and len(repr(table).splitlines()) < 70
    assert len(list(table)) == len(table) > 100


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


@pytest.mark.parametrize("size", [48, 45])
def test_of_many_paths_remain_the_smallest_the_largest_and_the_union(size, monkeypatch):
    monkeypatch.setattr(graph, "MOST_PATHS", 10**9)
    exact = trace(Exchange(3, 2), size)
    monkeypatch.setattr(graph, "MOST_PATHS", 9)
    table = trace(Exchange(3, 2), size)
    many = [row for row in table.rows if row.path_count > len(row.paths)]
    assert many and max(len(row.paths) for row in exact.rows) > 20
    for row, other in zip(table.rows, exact.rows, strict=True):
        assert (row.name, row.field, row.local) == (other.name, other.field, other.local)
        assert row.paths[0].size == other.paths[0].size and row.paths[-1].size == other.paths[-1].size, row
        assert len(row.node.paths) <= 10 and (row in many or row.paths == other.paths)
        assert (row.size, row.jump, row.start) == (other.size, other.jump, other.start)
    assert (table.mask(unit=5) == exact.mask(unit=5)).all()


def test_a_row_of_many_paths_prints_their_number_and_the_ends(monkeypatch):
    monkeypatch.setattr(graph, "MOST_PATHS", 9)
    row = next(row for row in trace(Exchange(3, 2), 48) if row.path_count > 9 and not row.node.kind)
    low, high = row.paths[0].size[0], row.paths[-1].size[0]
    assert len(row.paths) == 2 and row.size == high
    line = next(
        line for line in repr(trace(Exchange(3, 2), 48)).splitlines() if line.startswith(row.name + " ")
    )
    assert f" ~{row.path_count}: {low}–{high}" in line
    assert f"field {high}" in repr(row)


def test_a_global_branch_beside_many_paths_stays_apart(monkeypatch):
    class Pooled(nn.Module):
        def __init__(self):
            super().__init__()
            self.body, self.pool = Exchange(3, 2), nn.AdaptiveAvgPool2d(1)

        def forward(self, x):
            x = self.body(x)
            return torch.cat([x, self.pool(x).expand_as(x)], 1)

    monkeypatch.setattr(graph, "MOST_PATHS", 9)
    row = trace(Pooled(), 48)["cat"]
    assert row.field.is_global and not row.local.is_global and row.paths[-1].is_global
    assert row.jump == 1 and len(row.paths) == 3 and row.path_count > 9


@pytest.mark.slow
def test_a_network_that_exchanges_maps_many_times_has_no_more_paths_than_it_may():
    table = trace(Exchange(4, 5), 64)
    assert max(len(row.node.paths) for row in table.rows) <= graph.MOST_PATHS + 1
    assert table["output"].path_count > graph.MOST_PATHS and len(table["output"].paths) == 2
