"""The course in a real JupyterLab, in a real browser: opens, runs, moves, and asks nobody on the network."""

import re
from pathlib import Path

import labs
import nbformat
import numpy as np
import pytest
from labs import ERRORS, open_lesson, picture, run_code, run_core, write_settings
from PIL import Image
from playwright.sync_api import expect

ROOT = Path(__file__).resolve().parents[2]

VIEW = "application/vnd.jupyter.widget-view+json"
LATE = """
const soon = window.setTimeout;
window.setTimeout = (act, wait, ...rest) => soon(act, wait === 100 ? 4000 : wait, ...rest);
"""
CHAINS = """(all) => all.filter((node) => {
  const { content, display } = getComputedStyle(node, "::before");
  return content !== "none" && display !== "none";
}).map((node) => node.className)"""

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with labs.started(tmp_path_factory.mktemp("jupyter")) as running:
        yield running


@pytest.fixture
def page(server, browser):
    with labs.opened(browser, server[0]) as page:
        yield page


def test_make_lab_opens_the_start_page(server, page):
    url, token, _ = server
    page.goto(f"{url}/lab?token={token}&reset")
    page.goto(f"{url}/?token={token}")
    page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=60_000)
    assert "00_start_here" in page.url
    assert page.locator(".Toastify__toast").count() == 0, "no news popup"
    assert page.locator(".jp-Dialog").count() == 0


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb")))
def test_lesson_runs_in_the_browser(server, page, name):
    open_lesson(page, server, name)
    stored_widgets_are_alive(page, name)
    run_core(page)
    assert page.locator(ERRORS).count() == 0
    silent = page.locator(".jp-RenderedImage img:not([alt])")
    assert silent.count() == 0, "an image without words"
    picture(page, name)


def stored_widgets_are_alive(page, name):
    """Before any cell is run: each is drawn, shows no broken chain, and keeps the keys that would be commands."""
    notebook = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
    models = notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"]
    outputs = [output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", [])]
    views = [models[data[VIEW]["model_id"]] for data in outputs if VIEW in data]
    shown = page.locator(".dl-widget, .dl-predict")
    ours = sum(model["model_module"] == "anywidget" for model in views)  # the others are progress bars
    expect(shown).to_have_count(ours, timeout=30_000)
    chains = page.locator(".jupyter-widgets-disconnected").evaluate_all(CHAINS)
    assert chains == []
    cells = page.locator(".jp-Notebook .jp-Cell").count()
    for widget in shown.all():
        control = widget.locator("canvas[tabindex='0'], button, input[type=range], select").first
        control.focus()
        before = control.get_attribute("aria-label")
        for key in ("x", "b", "j", "ArrowRight"):
            page.keyboard.press(key)
        assert control.evaluate("(node) => node === document.activeElement")
        if before and control.evaluate("(node) => node.matches('canvas')"):
            expect(control).not_to_have_attribute("aria-label", before)
    assert page.locator(".jp-Notebook .jp-Cell").count() == cells


def test_stored_widgets_come_where_the_kernel_was_late(server, page):
    """ipywidgets waits two seconds for a model in steps of 100 ms, and never looks again if it then comes too late."""
    open_lesson(page, server, "02_dilated_convolution")
    page.add_init_script(LATE)
    page.reload()
    expect(page.get_by_text("model not found").first).to_be_visible(timeout=60_000)
    stored_widgets_are_alive(page, "02_dilated_convolution")
    expect(page.get_by_text("model not found")).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_explorer_of_fields(server, page, theme):
    """By keyboard: a stack, a unit, a dilation; the numbers follow, and Python knows."""
    write_settings(server[2], {"apputils-extension/themes": {"theme": f"JupyterLab {theme.title()}"}})
    open_lesson(page, server, "00_start_here")
    run_code(
        page,
        "from deeplab_lessons.classroom.widgets import ReceptiveFieldExplorer\n"
        "explorer = ReceptiveFieldExplorer('plain')\nexplorer",
    )
    explorer = page.locator(".dl-explorer")
    explorer.wait_for(timeout=120_000)
    explorer.scroll_into_view_if_needed()
    explorer.locator(".dl-preset").select_option("gridding-2-2-2")
    fact = {name: explorer.locator(f"[data-fact={name}]") for name in ("field", "holes", "jump")}
    expect(fact["field"]).to_contain_text("13 × 13")
    expect(fact["holes"]).not_to_have_text("0")
    explorer.get_by_label("dilation of conv1", exact=True).fill("1")
    expect(fact["field"]).to_contain_text("11 × 11")
    expect(fact["holes"]).to_have_text("0")
    column = int(explorer.locator(".dl-unit-column").input_value())
    explorer.locator("canvas.dl-output").focus()
    page.keyboard.press("ArrowRight")
    expect(explorer.locator(".dl-unit-column")).to_have_value(str(column + 1))
    tops = {round(one.bounding_box()["y"]) for one in fact.values()}
    assert len(tops) == 1, "the facts stand in one row"
    assert explorer.get_attribute("data-theme") == theme
    picture(page, f"explorer-{theme}")
    run_code(page, "print('column', explorer.unit[1], 'field', explorer.receptive_field['size'])")
    expect(page.get_by_text(f"column {column + 1} field 11", exact=True)).to_be_visible(timeout=30_000)


def test_the_crf_explorer_asks_python_and_python_knows(server, page):
    """Drag a slider: small pictures follow; let go: the whole one, by the numbers of the last place."""
    open_lesson(page, server, "00_start_here")
    run_code(
        page,
        "from deeplab_lessons.classroom.widgets.crf import CRFExplorer\nexplorer = CRFExplorer()\nexplorer",
    )
    widget = page.locator(".dl-crf-explorer")
    widget.wait_for(timeout=120_000)
    widget.scroll_into_view_if_needed()
    fact = {name: widget.locator(f"[data-fact={name}]") for name in ("size", "changed")}
    expect(fact["size"]).to_contain_text("512 × 512", timeout=60_000)
    before = fact["changed"].text_content()
    box = widget.locator(".dl-slide-w1").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 2, middle, steps=5)
    expect(fact["size"]).to_contain_text("256 × 256", timeout=60_000)
    page.mouse.up()
    expect(fact["size"]).to_contain_text("512 × 512", timeout=60_000)
    expect(fact["changed"]).not_to_have_text(before)
    weight = widget.locator(".dl-number-w1").input_value()
    assert float(weight) < 10
    picture(page, "crf-explorer")
    run_code(page, "print('weight', explorer.w1)")
    expect(page.get_by_text(f"weight {weight}", exact=True)).to_be_visible(timeout=30_000)


OWN_PHOTO = """
import torch
from deeplab_lessons import datasets
from deeplab_lessons.classroom.widgets.own_photo import OwnPhoto
from deeplab_lessons.grid import PIXELS

class Brightness(torch.nn.Module):
    grid = PIXELS
    def forward(self, x):
        return torch.cat([-x[:, :1], x[:, :1]], 1)

own = OwnPhoto(Brightness(), ("dark", "bright"), datasets.voc_colours())
own
"""


@pytest.fixture
def upload(server, page, tmp_path):
    """The widget in a cell, and a function that chooses a file from the reader's disk by its button."""
    open_lesson(page, server, "00_start_here")
    run_code(page, OWN_PHOTO)
    button = page.get_by_role("button", name=re.compile("Your photograph"))
    button.wait_for(timeout=120_000)

    def choose(name, content):
        if isinstance(content, np.ndarray):
            Image.fromarray(content).save(tmp_path / name)
        else:
            (tmp_path / name).write_text(content)
        with page.expect_file_chooser() as chooser:
            button.click()
        chooser.value.set_files(tmp_path / name)
        return (tmp_path / name).stat().st_size

    return choose


def dark(height, width, share):
    """A picture whose left part, that share of the width, is bright."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, : round(share * width)] = 255
    return pixels


def test_an_uploaded_photograph_reaches_python(page, upload):
    """A file that is no picture is told so, and nothing is lost."""
    upload("mine.png", dark(40, 64, 0.25))
    expect(page.get_by_role("listitem").get_by_text("dark 75.0%", exact=False)).to_be_visible(timeout=60_000)
    upload("notes.png", "no picture")
    told = page.get_by_role("alert").filter(has_text="cannot be read as a picture")
    expect(told).to_be_visible(timeout=60_000)
    picture(page, "own-photo")
    run_code(page, "print('shape', *own.picture.shape)")
    expect(page.get_by_text("shape 40 64 3", exact=True)).to_be_visible(timeout=30_000)


def test_a_photograph_above_10_mb_is_uploaded_and_others_after_it(page, upload):
    """JupyterLab's server ends the connection at a message of 10 MB; what comes after such a one is lost as well."""
    noise = np.random.default_rng(0).integers(0, 256, (2200, 2000, 3), np.uint8)
    assert upload("noise.png", noise) > 12e6
    expect(page.get_by_role("combobox", name="picture")).to_have_value("", timeout=120_000)
    run_code(page, "print('shape', *own.picture.shape)")
    expect(page.get_by_text("shape 512 465 3", exact=True)).to_be_visible(timeout=30_000)
    upload("mine.png", dark(40, 64, 0.5))
    expect(page.get_by_role("listitem").get_by_text("dark 50.0%", exact=False)).to_be_visible(timeout=60_000)


def test_a_photograph_that_cannot_be_sent_is_told_so(page, upload):
    """One beyond the limit, and one that a busy Python has not taken yet, which comes when it is free."""
    run_code(page, "own._limits = {'piece': 100, 'most': 2**20}\nprint('limited')")
    expect(page.get_by_text("limited", exact=True)).to_be_visible(timeout=30_000)
    upload("large.png", np.random.default_rng(0).integers(0, 256, (1000, 500, 3), np.uint8))
    expect(page.get_by_role("alert").filter(has_text="large.png has 1.4 MB; at most 1 MB")).to_be_visible()
    run_code(page, "import time; time.sleep(8)")
    upload("mine.png", dark(40, 64, 0.5))
    waiting = page.get_by_role("status").filter(has_text="Python has not answered yet")
    expect(waiting).to_be_visible(timeout=8000)
    expect(page.get_by_role("alert").filter(has_text="at most")).to_have_count(0)
    expect(page.get_by_role("listitem").get_by_text("dark 50.0%", exact=False)).to_be_visible(timeout=60_000)
    expect(waiting).to_have_count(0)
