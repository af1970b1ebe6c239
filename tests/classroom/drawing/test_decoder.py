"""Drawings of lesson 12: what they show is read from the network, and follows it."""

import pytest
import torch

from deeplab_lessons import models
from deeplab_lessons.classroom.drawing.decoder import (
    block_layers,
    decoder_maps,
    draw_decoder,
    draw_xception_block,
    layers_legend,
)
from deeplab_lessons.receptive_field import trace


def network(backbone="resnet101", **options):
    with torch.device("meta"):
        return models.deeplab_v3plus(21, backbone, **options)


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_the_papers_maps():
    maps = decoder_maps(network(), 513)
    assert maps == {
        "picture": (513, 3), "early map": (129, 256), "last map": (33, 2048), "pyramid": (33, 256),
        "reduced": (129, 48), "both": (129, 304), "refined 1": (129, 256), "refined 2": (129, 256),
        "logits": (129, 21),
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({"backbone": "resnet50", "width": 1 / 4, "blocks": (1, 1, 1, 3), "low_level_channels": 16}, 161),
        ({"backbone": "xception", "width": 1 / 8, "middle_blocks": 1, "output_stride": 8}, 128),
        ({"backbone": "resnet18", "decoder_convolutions": 3}, 97),
    ],
)
def test_maps_are_those_of_a_run(options, size):
    model = network(**options)
    maps, shapes = decoder_maps(model, size), {}
    parts = {"pyramid": model.aspp, "reduced": model.decoder.reduce, "logits": model.decoder.classifier}
    parts |= {f"refined {number}": unit for number, unit in enumerate(model.decoder.refine, start=1)}
    for name, part in parts.items():
        part.register_forward_hook(lambda part, given, made, name=name: shapes.update({name: made.shape}))
    model.eval()(torch.zeros(1, 3, size, size, device="meta"))
    assert {name: (shape[2], shape[1]) for name, shape in shapes.items()} == {
        name: maps[name] for name in parts
    }


def test_the_drawing_names_every_map_and_what_the_decoder_does(ax):
    model = network("resnet18", separable=True, decoder_convolutions=3)
    draw_decoder(ax, model, 513, "v3+")
    words = texts(ax)
    for side, channels in decoder_maps(model, 513).values():
        assert f"{side}×{side}\n{channels}" in words
    assert words.count("3×3\nseparable") == 3 and "3×3" not in words
    assert "enlarged\n4 times" in words and "then enlarged\n4 times" in words
    assert ax.get_title() == "v3+"


def test_another_stride_is_another_drawing(ax):
    draw_decoder(ax, network("resnet18", output_stride=8), 513)
    assert "65×65\n256" in texts(ax) and "enlarged\n2 times" in texts(ax)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["entry1", "entry2", "middle1", "exit1", "exit2"])
@pytest.mark.parametrize("output_stride", [8, 16, 32])
def test_the_layers_of_a_block_are_those_of_the_tracer(name, output_stride):
    net = network("xception", output_stride=output_stride, middle_blocks=1).backbone
    block = net.get_submodule(name)
    found = [(kind, words) for kind, words in block_layers(block) if words]
    rows = [row for row in trace(net, 129) if row.name.startswith(f"{name}.") and row.kernel_size]
    rows = [row for row in rows if "shortcut" not in row.name]
    assert len(found) == len(rows) == 6
    for (kind, words), row in zip(found, rows, strict=True):
        if kind == "pointwise":
            assert words == f"1×1 to {row.channels}"
        else:
            assert ("stride" in words) == (row.stride[0] > 1) and ("dilation" in words) == (
                row.dilation[0] > 1
            )
            assert row.dilation[0] == 1 or words.endswith(f"dilation {row.dilation[0]}")


def test_a_relu_between_that_is_left_out_is_not_drawn():
    blocks = [
        network("xception", middle_blocks=1, relu_between=each).backbone.middle1 for each in (True, False)
    ]
    assert [[kind for kind, _ in block_layers(block)].count("ReLU") for block in blocks] == [6, 3]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("entry2", "shortcut: 1×1 to 256, stride 2"),
        ("exit1", "shortcut: 1×1 to 1024"),
        ("middle1", "shortcut: the block's input itself"),
        ("exit2", None),
    ],
)
def test_shortcuts(ax, name, words):
    draw_xception_block(ax, network("xception", middle_blocks=1).backbone.get_submodule(name), name)
    written = [text for text in texts(ax) if text.startswith("shortcut")]
    assert written == ([words] if words else [])


def test_the_legend_names_the_four_kinds(ax):
    layers_legend(ax.figure)
    (legend,) = ax.figure.legends
    assert [text.get_text() for text in legend.texts] == ["depthwise", "pointwise", "batch norm", "ReLU"]
