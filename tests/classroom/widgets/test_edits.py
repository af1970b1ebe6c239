"""The edits explorer: its numbers are those of the real networks, in Python and in a browser."""

import itertools

import pytest
import torch
from pages import FRAME, facts, picture

from deeplab_lessons import backbones
from deeplab_lessons.classroom.widgets.edits import FC6, EditsExplorer, base_stack, edited, patches
from deeplab_lessons.receptive_field import trace

SWITCHES = ("keep_resolution", "dilate", "dilate_pool5", "new_classes", "pad_fc6")


def operated(keep_resolution, dilate, dilate_pool5, new_classes, pad_fc6, fc6):
    """The same edits on a real network, of shapes alone."""
    kernel_size, rate, channels = FC6[fc6]
    with torch.device("meta"):
        net = backbones.fully_convolutional(backbones.vgg16(), "same" if pad_fc6 else "valid")
        net = backbones.keep_resolution(net) if keep_resolution else net
        net = backbones.dilate(net, pool5=False) if dilate else net
        net.pool5.dilation = 2 if dilate_pool5 else 1
        net = backbones.large_fov(net, kernel_size, rate if dilate else rate // 4, channels)
        return backbones.new_classifier(net) if new_classes else net


def numbers(explorer):
    work = explorer.parameters, explorer.multiply_adds
    return (explorer.output_stride, explorer.map_size, explorer.field, *work)


@pytest.mark.slow
@pytest.mark.parametrize("fc6", FC6)
def test_every_combination_says_what_the_real_network_says(fc6):
    compared = 0
    for on in itertools.product((False, True), repeat=5):
        switches = dict(zip(SWITCHES, on, strict=True))
        if fc6.startswith("4x4") and switches["pad_fc6"] and not switches["dilate"]:
            continue  # a span of 4 or 7 cells: the widget pads 4 taps unevenly, torch's Conv2d can't
        try:
            explorer = EditsExplorer(320, fc6=fc6, **switches)
        except ValueError:
            with pytest.raises(ValueError, match=r"[Kk]ernel"):
                trace(operated(**switches, fc6=fc6), 320)
            continue
        except Exception as error:
            pytest.fail(f"{switches}: {error}")
        table = trace(operated(**switches, fc6=fc6), 320)
        row = table["fc8"]
        real = row.jump, row.map_size[0], row.size, table.parameters, table.multiply_adds
        assert numbers(explorer) == real, switches
        compared += 1
    assert compared >= 14


def test_start_and_end_are_vgg16_and_largefov():
    explorer = EditsExplorer()
    assert numbers(explorer)[:4] == (32, 4, 404, 138_357_544)
    assert repr(explorer) == "EditsExplorer(fc6='7x7'; 320 px)"
    for name in SWITCHES:
        setattr(explorer, name, True)
    explorer.fc6 = "3x3"
    assert numbers(explorer)[:4] == (8, 40, 404, 20_505_429)


def test_impossible_edits_are_refused_and_nothing_changes():
    explorer = EditsExplorer()
    with pytest.raises(ValueError, match=r"fc6.*covers 25 cells"):
        explorer.dilate = True
    assert explorer.dilate is False and explorer.output_stride == 32
    for wrong, message in (({"input_size": 100}, "224 to 640"), ({"fc6": "5x5"}, "one of '7x7'")):
        with pytest.raises(ValueError, match=message):
            EditsExplorer(**wrong)
    with pytest.raises(TypeError, match="unknown edit 'holes': choose from keep_resolution, "):
        EditsExplorer(holes=True)


def test_the_unit_stays_on_a_map_that_shrinks():
    explorer = EditsExplorer(keep_resolution=True, unit=[33, 0])
    with pytest.raises(IndexError):
        explorer.unit = [34, 0]
    explorer.keep_resolution = False
    assert explorer.unit == [3, 0]


def test_patches_leave_the_base_alone():
    stack = base_stack()
    switches = dict.fromkeys(SWITCHES, True) | {"fc6": "3x3"}
    assert edited(stack, patches(), switches) != stack
    assert stack == base_stack()
    assert {patch.layer for patch in patches()} <= {layer["name"] for layer in stack}


# ---------------------------------------------------------------- in a browser


def expected(explorer):
    return {
        "stride": f"{explorer.output_stride} px",
        "map": f"{explorer.map_size} × {explorer.map_size}",
        "field": f"{explorer.field} × {explorer.field} px",
        "parameters": f"{explorer.parameters:,}",
        "work": f"{explorer.multiply_adds / 1e9:.2f} × 10⁹",
    }


@pytest.mark.browser
def test_ticking_the_edits_says_what_python_says(show):
    explorer = EditsExplorer()
    shown = show(explorer)
    assert facts(shown) == expected(explorer)
    pictures = set()
    for name in SWITCHES:
        shown.locator(f".dl-tick-{name}").focus()
        shown.keyboard.press("Space")
        setattr(explorer, name, True)
        assert facts(shown) == expected(explorer), name
        pictures.add(picture(shown, "profile"))
    assert len(pictures) >= 3, "the drawing follows"
    for choice in FC6:
        shown.locator(".dl-fc6").select_option(choice)
        explorer.fc6 = choice
        assert facts(shown) == expected(explorer), choice
    changed = (
        shown.locator(".dl-edit-table tr", has_text="conv5_1").locator(".dl-changed").all_text_contents()
    )
    assert changed == ["2", "40", "8", "3.77"], "dilation, map, jump, multiply-adds"
    shown.locator(".dl-none").click()
    assert facts(shown) == expected(EditsExplorer())


@pytest.mark.browser
def test_an_impossible_edit_is_explained_and_taken_back(show):
    shown = show(EditsExplorer())
    shown.locator(".dl-tick-dilate").click()
    shown.evaluate(FRAME)
    assert "fc6: the kernel covers 25 cells" in shown.locator(".dl-status").text_content()
    assert not shown.locator(".dl-tick-dilate").is_checked()
    assert facts(shown) == expected(EditsExplorer())
    shown.locator(".dl-tick-keep_resolution").click()
    shown.evaluate(FRAME)
    assert shown.locator(".dl-status").text_content() == ""


@pytest.mark.browser
def test_arrow_keys_and_clicks_choose_units(show):
    shown = show(EditsExplorer(keep_resolution=True, dilate=True, dilate_pool5=True))
    shown.locator("canvas.dl-output").focus()
    before = shown.locator("canvas.dl-output").get_attribute("aria-label")
    assert "row 7, column 7" in before
    shown.keyboard.press("ArrowRight")
    shown.evaluate(FRAME)
    assert "row 7, column 8" in shown.locator("canvas.dl-output").get_attribute("aria-label")
    box = shown.locator("canvas.dl-output").bounding_box()
    shown.mouse.click(box["x"] + 2, box["y"] + box["height"] - 2)
    shown.evaluate(FRAME)
    assert "row 15, column 0" in shown.locator("canvas.dl-output").get_attribute("aria-label")
