"""The receptive field explorer: its numbers and refusals in Python, its gestures and words in a browser."""

import json

import numpy as np
import pytest
from pages import FRAME, facts, picture, play_kernel, too_wide
from playwright.sync_api import expect

from deeplab_lessons import arithmetic
from deeplab_lessons.arithmetic import Layer
from deeplab_lessons.classroom.widgets import ReceptiveFieldExplorer
from deeplab_lessons.classroom.widgets.explorer import to_layers


def test_explorer_starts_in_the_middle_and_prints_stably():
    explorer = ReceptiveFieldExplorer()
    assert repr(explorer) == "ReceptiveFieldExplorer(3 layers, unit [10, 10])"
    expected = {"size": 7, "jump": 1, "start": 0.0, "out": 21, "box": ((7, 13), (7, 13))}
    assert explorer.receptive_field == expected


@pytest.mark.parametrize("preset", ReceptiveFieldExplorer.presets())
def test_every_preset_is_a_whole_working_stack(preset):
    explorer = ReceptiveFieldExplorer()
    explorer.preset = preset
    assert explorer.preset == preset
    same = ReceptiveFieldExplorer(preset)
    assert (same.layers, same.input_size, same.unit) == (explorer.layers, explorer.input_size, explorer.unit)
    last = arithmetic.receptive_fields(to_layers(explorer.layers), explorer.input_size)[-1]
    assert explorer.receptive_field["size"] == last.size
    assert explorer.unit == [(last.out - 1) // 2] * 2


def test_known_fields_of_the_presets():
    sizes = {
        name: ReceptiveFieldExplorer(name).receptive_field["size"]
        for name in ReceptiveFieldExplorer.presets()
    }
    assert sizes["vgg16"] == sizes["deeplab-v1"] == sizes["deeplab-v1-largefov"] == 404
    # 212 before fc6 at jump 8, and 2 * rate * 8 more
    assert [sizes[f"aspp-{rate}"] for rate in (6, 12, 18, 24)] == [308, 404, 500, 596]
    assert (sizes["plain"], sizes["dilated-1-2-4"], sizes["gridding-2-2-2"]) == (7, 15, 13)


def test_layers_may_be_layers_or_dicts_and_come_back_as_dicts():
    explorer = ReceptiveFieldExplorer(
        [Layer(3, padding=(1, 2)), {"kernel_size": 2, "stride": 2, "name": "pool"}]
    )
    assert explorer.layers == [
        {"name": "layer 1", "kernel_size": 3, "stride": 1, "padding": [1, 2], "dilation": 1},
        {"name": "pool", "kernel_size": 2, "stride": 2, "padding": 0, "dilation": 1},
    ]
    assert (explorer.preset, explorer.input_size) == ("own", 64)
    explorer.layers = explorer.layers[:1]
    assert explorer.receptive_field["out"] == 65
    ceil = ReceptiveFieldExplorer([Layer(3, 2, ceil_mode=True)], input_size=12)
    assert ceil.receptive_field["out"] == 6


def test_changing_the_stack_keeps_the_unit_on_the_map_and_the_preset_true():
    explorer = ReceptiveFieldExplorer("plain", unit=(20, 3))
    assert explorer.preset == "plain"
    explorer.layers = [Layer(3, 2)]
    assert (explorer.unit, explorer.preset) == ([9, 3], "own")
    explorer.input_size = 9
    assert explorer.unit == [3, 3]
    explorer.unit = np.array([1, 2])
    assert explorer.unit == [1, 2] and all(type(place) is int for place in explorer.unit)


@pytest.mark.parametrize(
    ("trait", "value", "error", "message"),
    [
        ("layers", [{"kernel_size": 3, "dilation": 0}], ValueError, "has dilation 1 .* not 0"),
        ("layers", [Layer(9), Layer(19, name="wide")], ValueError, "layer 'wide': the kernel covers 19"),
        ("layers", [{"kernel_size": 3, "dilaton": 2}], ValueError, "unknown 'dilaton'; a layer may have"),
        ("layers", [{"stride": 2}], ValueError, "no 'kernel_size'"),
        ("layers", [3], TypeError, "layer 1 must be an arithmetic.Layer or a dict"),
        ("layers", "vgg16", TypeError, "set explorer.preset = 'vgg16'"),
        ("layers", Layer(3), TypeError, "got a single layer"),
        ("layers", [{"kernel_size": 3, "stride": 2, "padding": "same"}], ValueError, "keeps the size at"),
        ("unit", [0, 21], IndexError, "unit column must be from 0 to 20, the columns of the output, got 21"),
        ("unit", 4, TypeError, r"unit must be \[row, column\]"),
        ("unit", [1, 2, 3], TypeError, r"unit must be \[row, column\]"),
        ("input_size", 0, ValueError, "input_size must be at least 1"),
        ("input_size", 4000, ValueError, "input_size must be at most 1025"),
        ("input_size", 21.5, TypeError, "must be a whole number"),
        ("preset", "vgg19", ValueError, "unknown preset 'vgg19': choose from plain"),
    ],
)
def test_impossible_values_are_refused_in_words_and_change_nothing(trait, value, error, message):
    explorer = ReceptiveFieldExplorer()
    before = (explorer.layers, explorer.unit, explorer.input_size, explorer.preset)
    with pytest.raises(error, match=message):
        setattr(explorer, trait, value)
    assert (explorer.layers, explorer.unit, explorer.input_size, explorer.preset) == before


def test_gridding_shows_in_the_path_counts():
    holes = ReceptiveFieldExplorer("gridding-2-2-2").path_counts[0][4:17]
    assert holes == [1, 0, 3, 0, 6, 0, 7, 0, 6, 0, 3, 0, 1]


def test_photograph_by_name_or_array():
    assert ReceptiveFieldExplorer(photograph="coffee")._photo != ReceptiveFieldExplorer()._photo
    grey = np.full((40, 60, 3), 128, np.uint8)
    assert ReceptiveFieldExplorer(photograph=grey)._photo.startswith("data:image/jpeg;base64,")
    with pytest.raises(ValueError, match=r"uint8 .* got float64"):
        ReceptiveFieldExplorer(photograph=grey / 255)
    with pytest.raises(ValueError, match=r"photograph must be uint8 \[H, W, 3\], got uint8 \[40, 60\]"):
        ReceptiveFieldExplorer(photograph=grey[..., 0])


def test_what_the_browser_sends_in_one_message_is_taken_whole():
    explorer = ReceptiveFieldExplorer("plain", unit=[20, 20])
    plain = ReceptiveFieldExplorer([Layer(3, 2)], input_size=9)
    explorer.set_state({"layers": plain.layers, "input_size": 9, "unit": [3, 3], "preset": "own"})
    assert (explorer.input_size, explorer.unit, explorer.preset) == (9, [3, 3], "own")
    vgg = explorer._presets["vgg16"]
    explorer.set_state({"layers": vgg["layers"], "input_size": 513, "unit": [4, 4], "preset": "vgg16"})
    assert (explorer.preset, explorer.receptive_field["size"], explorer.unit) == ("vgg16", 404, [4, 4])


def test_the_state_is_small():
    state = ReceptiveFieldExplorer().get_state()
    assert (
        len(json.dumps({name: value for name, value in state.items() if name not in ("_esm", "_css")}))
        < 40_000
    )


# ---------------------------------------------------------------- in a browser


def unit(page) -> list[int]:
    page.evaluate(FRAME)
    return [int(page.locator(f".dl-unit-{axis}").input_value()) for axis in ("row", "column")]


def expected_facts(explorer) -> dict[str, str]:
    field, (down, across) = explorer.receptive_field, explorer.path_counts
    within = [max(0, min(b, explorer.input_size - 1) - max(a, 0) + 1) for a, b in field["box"]]
    touched = sum(paths > 0 for paths in down) * sum(paths > 0 for paths in across)
    return {
        "field": f"{field['size']} × {field['size']} px",
        "jump": f"{field['jump']} px",
        "start": f"{field['start']:g}".replace("-", "−"),
        "map": f"{field['out']} × {field['out']}",
        "touched": str(touched),
        "holes": str(within[0] * within[1] - touched),
    }


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 500, 1100])
def test_each_preset_says_what_python_says(show, width):
    page = show(ReceptiveFieldExplorer(), viewport={"width": width, "height": 1000})
    seen = set()
    for name in ReceptiveFieldExplorer.presets():
        page.get_by_label("Stack", exact=True).select_option(name)
        explorer = ReceptiveFieldExplorer(name)
        assert facts(page).items() >= expected_facts(explorer).items(), name
        assert unit(page) == explorer.unit
        seen.add(picture(page, "side") + picture(page, "input"))
        assert too_wide(page, ".dl-pictures, .dl-planes, .dl-editor, .dl-bar, .dl-facts") == [], name
        if width == 1100:
            assert page.locator(".dl-widget").bounding_box()["height"] <= 900, name
    assert len(seen) == len(ReceptiveFieldExplorer.presets())


@pytest.mark.browser
def test_arrow_keys_move_the_unit_its_words_and_its_picture(show):
    page = show(ReceptiveFieldExplorer("gridding-2-2-2"))
    before = picture(page, "side"), picture(page, "input"), picture(page, "output")
    output = page.locator("canvas.dl-output")
    output.focus()
    page.keyboard.press("ArrowRight")
    assert output.evaluate("(node) => getComputedStyle(node).outlineStyle") == "solid"  # the focus is seen
    for key in ("ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    assert unit(page) == [11, 12]
    after = picture(page, "side"), picture(page, "input"), picture(page, "output")
    assert all(old != new for old, new in zip(before, after, strict=True))
    assert output.get_attribute("aria-label").startswith("Output map of 21 by 21 units; row 11, column 12")
    assert "reaches input pixels 6 to 18" in page.locator("canvas.dl-side").get_attribute("aria-label")
    expect(page.locator(".dl-live")).to_contain_text("Unit row 11, column 12: field 13 by 13")
    page.keyboard.press("Home")
    page.keyboard.press("Shift+ArrowUp")
    assert unit(page) == [1, 0]
    expected = expected_facts(ReceptiveFieldExplorer("gridding-2-2-2", unit=[1, 0]))
    assert facts(page).items() >= expected.items()


@pytest.mark.browser
def test_hover_shows_click_holds_second_click_lets_go(show):
    page = show(ReceptiveFieldExplorer("plain"))
    box = page.locator("canvas.dl-output").bounding_box()
    at = lambda row, column: (  # noqa: E731
        box["x"] + (column + 0.5) * box["width"] / 21,
        box["y"] + (row + 0.5) * box["height"] / 21,
    )
    page.mouse.move(*at(3, 5))
    assert unit(page) == [3, 5]
    page.wait_for_timeout(600)
    assert page.locator(".dl-live").text_content() == "", "a hover is not read aloud"
    page.mouse.move(5, 5)
    assert unit(page) == [10, 10]
    page.mouse.click(*at(2, 18))
    hold = page.get_by_role("button", name="hold")
    assert (unit(page), hold.get_attribute("aria-pressed")) == ([2, 18], "true")
    page.mouse.move(*at(9, 9))
    assert unit(page) == [2, 18]
    page.mouse.click(*at(2, 18))
    page.mouse.move(*at(9, 9))
    assert (unit(page), hold.get_attribute("aria-pressed")) == ([9, 9], "false")


@pytest.mark.browser
def test_the_photograph_and_the_side_view_pick_units_too(show):
    page = show(ReceptiveFieldExplorer("plain"))
    page.locator("canvas.dl-input").click()  # the middle of the photograph
    assert unit(page) == [10, 10]
    side = page.locator("canvas.dl-side").bounding_box()
    page.mouse.click(side["x"] + side["width"] - 20, side["y"] + 20)
    assert unit(page) == [10, 20]


@pytest.mark.browser
def test_touch_moves_the_unit(show):
    page = show(ReceptiveFieldExplorer("plain"), has_touch=True, device_scale_factor=2)
    box = page.locator("canvas.dl-output").bounding_box()
    page.touchscreen.tap(box["x"] + 2, box["y"] + box["height"] - 2)
    assert unit(page) == [20, 0]
    wide, css = page.locator("canvas.dl-output").evaluate("(c) => [c.width, c.clientWidth]")
    assert wide == 2 * css  # sharp on a screen with two dots a pixel


@pytest.mark.browser
def test_editing_a_layer_changes_the_numbers_and_the_picture(show):
    page = show(ReceptiveFieldExplorer("plain"))
    before = picture(page, "side")
    page.get_by_label("dilation of conv2").fill("3")
    page.evaluate(FRAME)
    page.get_by_label("padding of conv2", exact=True).fill("3")
    page.get_by_label("padding of conv2", exact=True).press("Enter")
    page.locator("[data-fact=map]").get_by_text("21 × 21").wait_for()  # busy machines draw a frame later
    assert facts(page)["field"] == "11 × 11 px" and facts(page)["map"] == "21 × 21"
    assert picture(page, "side") != before
    assert page.get_by_label("Stack", exact=True).input_value() == "own"
    line = page.locator("tr.dl-layer").nth(1)
    shown = [line.locator(f".dl-{name}").last.text_content() for name in ("map", "jump", "field")]
    assert shown == ["21", "1", "9"]
    page.get_by_role("button", name="Restore").click()
    assert facts(page)["field"] == "7 × 7 px"
    assert picture(page, "side") == before


@pytest.mark.browser
def test_adding_moving_and_removing_layers_by_keyboard(show):
    page = show(ReceptiveFieldExplorer("dilated-1-2-4"))
    names = lambda: page.locator("tr.dl-layer th").all_text_contents()  # noqa: E731
    page.get_by_role("button", name="Move conv3 towards the input").press("Enter")
    page.evaluate(FRAME)
    assert names() == ["conv1", "conv3", "conv2"]
    focused = "() => document.activeElement.getAttribute('aria-label')"
    assert page.evaluate(focused) == "Move conv3 towards the input"
    page.keyboard.press("Enter")
    page.evaluate(FRAME)
    assert names() == ["conv3", "conv1", "conv2"]
    for _ in range(2):  # at the end of its way the button keeps the focus, and does nothing more
        assert page.evaluate(focused) == "Move conv3 towards the input"
        page.keyboard.press("Enter")
        page.evaluate(FRAME)
    assert names() == ["conv3", "conv1", "conv2"]
    page.get_by_role("button", name="Add a layer").press("Enter")
    assert facts(page)["field"] == "17 × 17 px"
    assert names()[-1] == "layer 4"
    page.get_by_role("button", name="Remove conv3").press("Enter")
    assert facts(page)["field"] == "9 × 9 px"
    assert page.evaluate(focused) == "Remove conv1"


@pytest.mark.browser
def test_an_impossible_stack_is_explained_and_the_last_picture_stays(show):
    page = show(ReceptiveFieldExplorer("plain"))
    before, status = picture(page, "side"), page.locator(".dl-status")
    for label, value, words in [
        ("dilation of conv2", "0", "Conv2: a convolution without holes has dilation 1"),
        ("kernel of conv2", "90", "Conv2: the kernel covers 90 cells, but there are only 23"),
        ("padding of conv2", "-1", "padding adds cells"),
        ("padding of conv2", "half", 'padding is a number, a pair "before, after", or "same"'),
        ("stride of conv2", "1.5", "stride must be a whole number"),
    ]:
        field = page.get_by_label(label, exact=True)
        kept = field.input_value()
        field.fill(value)
        field.blur()
        page.evaluate(FRAME)
        assert words.lower() in status.text_content().lower()
        assert field.get_attribute("aria-invalid") == "true"
        assert picture(page, "side") == before
        field.fill(kept)
        field.blur()
        page.evaluate(FRAME)
        assert status.text_content() == ""
    page.get_by_label("Input size in pixels").fill("5000")
    page.evaluate(FRAME)
    assert "at most 1025 pixels" in status.text_content()


@pytest.mark.browser
def test_same_padding_button_and_pairs(show):
    page = show(ReceptiveFieldExplorer("plain"))
    padding = page.get_by_label("padding of conv1", exact=True)
    padding.fill("0, 3")
    padding.press("Enter")
    assert facts(page)["map"] == "22 × 22"
    page.get_by_role("button", name="same: the padding of conv1 keeps the size").click()
    assert facts(page)["map"] == "21 × 21"
    assert padding.input_value() == "same"


@pytest.mark.browser
def test_many_gestures_in_a_frame_are_one_drawing(show):
    page = show(ReceptiveFieldExplorer("vgg16"))
    drawings = page.evaluate("""async () => {
      const canvas = document.querySelector("canvas.dl-output");
      const box = canvas.getBoundingClientRect();
      window.drawings = 0;
      for (let i = 1; i < 20; i++) {
        const at = { clientX: box.x + (box.width * i) / 20, clientY: box.y + 5, bubbles: true };
        canvas.dispatchEvent(new PointerEvent("pointermove", at));
      }
      await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
      return window.drawings;
    }""")
    assert drawings == 3  # one for each of the three canvases


@pytest.mark.browser
def test_layers_that_python_adds_or_takes_leave_the_focus_where_it_is(show):
    explorer = ReceptiveFieldExplorer("plain")
    page = show(explorer)
    play_kernel(page, explorer)
    field = page.get_by_label("dilation of conv1", exact=True)
    field.focus()
    for count in (2, 3):
        layers = [*explorer.layers, *explorer.layers][:count]
        page.evaluate("(layers) => model.set('layers', layers)", layers)
        page.evaluate(FRAME)
        assert page.locator("tr.dl-layer").count() == count
        assert field.evaluate("(node) => node === document.activeElement")


@pytest.mark.browser
def test_python_sets_views_follow_without_echo(show):
    explorer = ReceptiveFieldExplorer("plain")
    page = show(explorer)
    play_kernel(page, explorer, views=2)
    rows = lambda: page.evaluate("hosts.map((el) => el.querySelector('.dl-unit-row')?.value)")  # noqa: E731
    page.evaluate("model.set('unit', [3, 4])")
    page.evaluate(FRAME)
    assert rows() == ["3", "3"] and page.evaluate("model.sent.length") == 0
    page.locator("canvas.dl-output").first.press("ArrowDown")
    page.evaluate(FRAME)
    assert rows() == ["4", "4"] and page.evaluate("[model.sent.length, model.get('unit')]") == [1, [4, 4]]
    page.evaluate("ends[0]()")
    page.evaluate("model.set('unit', [0, 0])")
    page.evaluate(FRAME)
    assert rows() == [None, "0"] and page.evaluate("model.sent.length") == 1
