"""The widgets in a real browser, on their own pages: gestures, pictures, words, themes, no network."""

import json

import nbformat
import pytest
from pages import FRAME

from deeplab_lessons.classroom.widgets import ReceptiveFieldExplorer, SlidingKernel
from deeplab_lessons.classroom.widgets.export import export_html, put_frames

pytestmark = pytest.mark.browser


def facts(page) -> dict[str, str]:
    """What the readout says, without the thin spaces in large numbers."""
    page.evaluate(FRAME)
    found = page.locator("[data-fact]").evaluate_all(
        "(all) => all.map((n) => [n.dataset.fact, n.textContent])"
    )
    return {name: text.replace("\u202f", "") for name, text in found}


def picture(page, name="side") -> str:
    page.evaluate(FRAME)
    return page.locator(f"canvas.dl-{name}").evaluate("(canvas) => canvas.toDataURL()")


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


@pytest.mark.parametrize("width", [500, 1100])
def test_each_preset_says_what_python_says(show, width):
    page = show(ReceptiveFieldExplorer(), viewport={"width": width, "height": 1000})
    seen = set()
    for name in ReceptiveFieldExplorer.presets():
        page.get_by_label("Stack", exact=True).select_option(name)
        explorer = ReceptiveFieldExplorer(name)
        assert facts(page).items() >= expected_facts(explorer).items(), name
        assert unit(page) == explorer.unit
        seen.add(picture(page) + picture(page, "input"))
        overflow = page.locator(".dl-pictures, .dl-planes, .dl-editor, .dl-bar, .dl-facts").evaluate_all(
            "(boxes) => boxes.filter((b) => b.scrollWidth > b.clientWidth).map((b) => b.className)"
        )
        assert overflow == [], name
    assert len(seen) == len(ReceptiveFieldExplorer.presets())


def test_arrow_keys_move_the_unit_its_words_and_its_picture(show):
    page = show(ReceptiveFieldExplorer("gridding-2-2-2"))
    before = picture(page), picture(page, "input"), picture(page, "output")
    output = page.locator("canvas.dl-output")
    output.focus()
    page.keyboard.press("ArrowRight")
    assert output.evaluate("(node) => getComputedStyle(node).outlineStyle") == "solid"  # the focus is seen
    for key in ("ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    assert unit(page) == [11, 12]
    after = picture(page), picture(page, "input"), picture(page, "output")
    assert all(old != new for old, new in zip(before, after, strict=True))
    assert output.get_attribute("aria-label").startswith("Output map of 21 by 21 units; row 11, column 12")
    assert "reaches input pixels 6 to 18" in page.locator("canvas.dl-side").get_attribute("aria-label")
    assert "Unit row 11, column 12: field 13 by 13" in page.locator(".dl-live").text_content()
    page.keyboard.press("Home")
    page.keyboard.press("Shift+ArrowUp")
    assert unit(page) == [1, 0]
    expected = expected_facts(ReceptiveFieldExplorer("gridding-2-2-2", unit=[1, 0]))
    assert facts(page).items() >= expected.items()


def test_hover_shows_click_holds_second_click_lets_go(show):
    page = show(ReceptiveFieldExplorer("plain"))
    box = page.locator("canvas.dl-output").bounding_box()
    at = lambda row, column: (  # noqa: E731
        box["x"] + (column + 0.5) * box["width"] / 21,
        box["y"] + (row + 0.5) * box["height"] / 21,
    )
    page.mouse.move(*at(3, 5))
    assert unit(page) == [3, 5]
    assert "row 10, column 10" in page.locator(".dl-live").text_content()  # a hover is not read aloud
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


def test_the_photograph_and_the_side_view_pick_units_too(show):
    page = show(ReceptiveFieldExplorer("plain"))
    page.locator("canvas.dl-input").click()  # the middle of the photograph
    assert unit(page) == [10, 10]
    side = page.locator("canvas.dl-side").bounding_box()
    page.mouse.click(side["x"] + side["width"] - 20, side["y"] + 20)
    assert unit(page) == [10, 20]


def test_touch_moves_the_unit(show):
    page = show(ReceptiveFieldExplorer("plain"), has_touch=True, device_scale_factor=2)
    box = page.locator("canvas.dl-output").bounding_box()
    page.touchscreen.tap(box["x"] + 2, box["y"] + box["height"] - 2)
    assert unit(page) == [20, 0]
    wide, css = page.locator("canvas.dl-output").evaluate("(c) => [c.width, c.clientWidth]")
    assert wide == 2 * css  # sharp on a screen with two dots a pixel


def test_editing_a_layer_changes_the_numbers_and_the_picture(show):
    page = show(ReceptiveFieldExplorer("plain"))
    before = picture(page)
    page.get_by_label("dilation of conv2").fill("3")
    page.evaluate(FRAME)
    page.get_by_label("padding of conv2", exact=True).fill("3")
    page.get_by_label("padding of conv2", exact=True).press("Enter")
    page.locator("[data-fact=map]").get_by_text("21 × 21").wait_for()  # busy machines draw a frame later
    assert facts(page)["field"] == "11 × 11 px" and facts(page)["map"] == "21 × 21"
    assert picture(page) != before
    assert page.get_by_label("Stack", exact=True).input_value() == "own"
    line = page.locator("tr.dl-layer").nth(1)
    assert [line.locator(f".dl-{name}").last.text_content() for name in ("map", "jump", "field")] == [
        "21",
        "1",
        "9",
    ]
    page.get_by_role("button", name="Restore").click()
    assert facts(page)["field"] == "7 × 7 px"
    assert picture(page) == before


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
    page.get_by_role("button", name="Add a layer").press("Enter")
    assert facts(page)["field"] == "17 × 17 px"
    assert names()[-1] == "layer 4"
    page.get_by_role("button", name="Remove conv3").press("Enter")
    assert facts(page)["field"] == "9 × 9 px"
    assert page.evaluate(focused) == "Remove conv1"


def test_an_impossible_stack_is_explained_and_the_last_picture_stays(show):
    page = show(ReceptiveFieldExplorer("plain"))
    before, status = picture(page), page.locator(".dl-status")
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
        assert picture(page) == before
        field.fill(kept)
        field.blur()
        page.evaluate(FRAME)
        assert status.text_content() == ""
    page.get_by_label("Input size in pixels").fill("5000")
    page.evaluate(FRAME)
    assert "at most 1025 pixels" in status.text_content()


def test_same_padding_button_and_pairs(show):
    page = show(ReceptiveFieldExplorer("plain"))
    padding = page.get_by_label("padding of conv1", exact=True)
    padding.fill("0, 3")
    padding.press("Enter")
    assert facts(page)["map"] == "22 × 22"
    page.get_by_role("button", name="padding of conv1: keep the size").click()
    assert facts(page)["map"] == "21 × 21"
    assert padding.input_value() == "same"


def test_dark_and_light_redraw(show):
    page = show(ReceptiveFieldExplorer("plain"), color_scheme="light")
    light, root = picture(page), page.locator(".dl-widget")
    assert root.get_attribute("data-theme") == "light"
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("document.querySelector('.dl-widget').dataset.theme === 'dark'")
    assert picture(page) != light
    # a host theme, as JupyterLab sets it, comes before the system's scheme
    page.evaluate("""() => {
      document.body.style.setProperty("--jp-layout-color1", "#ffffff");
      document.body.style.setProperty("--jp-ui-font-color1", "#000000");
    }""")
    page.wait_for_function("document.querySelector('.dl-widget').dataset.theme === 'light'")
    assert root.evaluate("(node) => getComputedStyle(node).color") == "rgb(0, 0, 0)"


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


TWO_VIEWS = """async ({ esm, state }) => {
  const handlers = new Map();
  const model = {
    saved: 0,
    get: (name) => state[name],
    set(name, value) {
      if (JSON.stringify(state[name]) === JSON.stringify(value)) return;
      state[name] = value;
      handlers.get(`change:${name}`)?.forEach((handler) => handler());
    },
    on: (name, handler) => handlers.set(name, (handlers.get(name) ?? new Set()).add(handler)),
    off: (name, handler) => handlers.get(name)?.delete(handler),
    save_changes: () => model.saved++,
  };
  const widget = (await import(URL.createObjectURL(new Blob([esm], { type: "text/javascript" })))).default;
  const hosts = [document.createElement("div"), document.createElement("div")];
  const ends = hosts.map((el) => widget.render({ model, el })); // before they are on the page, as in JupyterLab
  document.body.replaceChildren(...hosts);
  const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const look = () => hosts.map((el) => el.querySelector(".dl-unit-row")?.value);
  await frame();
  model.set("unit", [3, 4]);
  await frame();
  const fromPython = { saved: model.saved, look: look() };
  hosts[0].querySelector("canvas.dl-output").dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowDown" }));
  await frame();
  const fromFirst = { saved: model.saved, look: look(), unit: model.get("unit") };
  ends[0]();
  model.set("unit", [0, 0]);
  await frame();
  const left = [...handlers.values()].map((all) => all.size);
  const after = look();
  ends[1]();
  const none = [...handlers.values()].map((all) => all.size);
  return { fromPython, fromFirst, after, left, none, saved: model.saved };
}"""


def test_python_sets_views_follow_without_echo_and_cleanup_removes_all(show):
    explorer = ReceptiveFieldExplorer("plain")
    page = show(explorer)
    state = {name: value for name, value in explorer.get_state().items() if name != "layout"}
    seen = page.evaluate(TWO_VIEWS, {"esm": explorer._esm, "state": state})
    assert seen["fromPython"] == {"saved": 0, "look": ["3", "3"]}
    assert seen["fromFirst"] == {"saved": 1, "look": ["4", "4"], "unit": [4, 4]}
    assert seen["after"] == [None, "0"]
    assert set(seen["left"]) == {1} and set(seen["none"]) == {0} and seen["saved"] == 1


def test_sliding_kernel_by_number_key_and_pointer(show):
    page = show(SlidingKernel())
    size, strip = page.locator(".dl-output-size b"), page.locator("canvas.dl-strip")
    assert size.text_content() == "10"
    for label, value, out in [
        ("dilation", "3", "6"),
        ("padding", "2", "10"),
        ("stride", "4", "3"),
        ("kernel", "5", "1"),
    ]:
        page.get_by_label(label, exact=True).fill(value)
        page.evaluate(FRAME)
        assert size.text_content() == out
    numbers = {"dilation": 3, "padding": 2, "stride": 4, "kernel_size": 5}
    assert SlidingKernel(**numbers).output_size == 1
    page.get_by_label("kernel, slider").fill("3")
    strip.focus()
    page.keyboard.press("ArrowRight")
    page.evaluate(FRAME)
    assert page.get_by_label("position", exact=True).input_value() == "1"
    assert "Output cell 1 of 3 reads the cells 2, 5, 8" in strip.get_attribute("aria-label")
    box = strip.bounding_box()
    page.mouse.click(box["x"] + box["width"] - 30, box["y"] + 20)
    page.evaluate(FRAME)
    assert page.get_by_label("position", exact=True).input_value() == "2"
    before = picture(page, "strip")
    page.get_by_label("dilation", exact=True).fill("0")
    page.evaluate(FRAME)
    assert "has dilation 1 (its taps are neighbours), not 0" in page.locator(".dl-status").text_content()
    assert picture(page, "strip") == before


@pytest.fixture(scope="module")
def stored_notebook(tmp_path_factory):
    """A small notebook with both widgets, executed, as a lesson is stored."""
    from nbclient import NotebookClient

    cell = nbformat.v4.new_code_cell
    cells = [
        nbformat.v4.new_markdown_cell("# Alive\n\n$k' = k$"),
        cell(
            "from deeplab_lessons.classroom.widgets import ReceptiveFieldExplorer, SlidingKernel\n"
            "explorer = ReceptiveFieldExplorer('gridding-2-2-2')\nexplorer"
        ),
        cell("explorer.unit = [2, 3]"),
        cell("SlidingKernel(stride=2)"),
        cell("import ipywidgets\nipywidgets.IntSlider()"),
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, kernel_name="python3", timeout=120).execute()
    path = tmp_path_factory.mktemp("exported") / "lesson.ipynb"
    nbformat.write(notebook, path)
    return path


def test_an_exported_notebook_is_alive_without_kernel_and_network(show, stored_notebook):
    page = show(export_html(stored_notebook, stored_notebook.with_suffix(".html")))
    frames = page.locator("iframe.dl-frame")
    assert frames.count() == 2
    first = page.frame_locator("iframe.dl-frame >> nth=0")
    row, column = first.locator(".dl-unit-row"), first.locator(".dl-unit-column")
    first.locator("[data-fact=field]").get_by_text("13 × 13 px").wait_for()
    assert (row.input_value(), column.input_value()) == ("2", "3")  # the state that the notebook stored
    first.locator("canvas.dl-output").press("ArrowDown")
    page.evaluate(FRAME)
    assert row.input_value() == "3"
    first.get_by_label("dilation of conv3").fill("1")
    first.locator("[data-fact=field]").get_by_text("11 × 11 px").wait_for()
    heights = frames.evaluate_all(
        "(all) => all.map((f) => [f.clientHeight, f.contentDocument.body.scrollHeight])"
    )
    assert all(abs(shown - needed) < 40 for shown, needed in heights)  # no scroll bars inside


def test_a_notebook_without_stored_state_is_not_exported_silently(stored_notebook, tmp_path):
    notebook = nbformat.read(stored_notebook, as_version=4)
    del notebook.metadata["widgets"]
    nbformat.write(notebook, tmp_path / "bare.ipynb")
    with pytest.raises(ValueError, match=r"bare.ipynb shows widgets whose state is not stored"):
        export_html(tmp_path / "bare.ipynb", tmp_path / "bare.html")


def test_stored_outputs_have_a_stable_text(stored_notebook):
    notebook = nbformat.read(stored_notebook, as_version=4)
    texts = [
        o["data"]["text/plain"] for cell in notebook.cells for o in cell.get("outputs", []) if "data" in o
    ]
    assert texts[0] == "ReceptiveFieldExplorer(3 layers, unit [10, 10])"
    assert texts[1].startswith("SlidingKernel(input_size=12, kernel_size=3, stride=2")
    assert put_frames(notebook) == 2
    assert "widget-view" not in json.dumps(notebook)
