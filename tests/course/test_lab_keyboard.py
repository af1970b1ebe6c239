"""Every control of every widget by keyboard alone, in a real JupyterLab: keys do what they mean, and touch no cell.

JupyterLab takes bare keys as commands for cells: in an unguarded widget an arrow leaves it, `b` inserts a cell, and `x`
cuts the cell with the widget in it.
"""

from pathlib import Path

import labs
import pytest
from pages import FRAME

from deeplab_lessons.classroom import widgets

pytestmark = pytest.mark.browser

LETTERS, DIGITS = "abcxvzmyrloddhfiiq", "0013"
ARROWS = ["ArrowDown", "ArrowUp", "ArrowLeft", "ArrowRight"]
MOVES = [*ARROWS, "j", "k", "Home", "End", "PageDown", "PageUp", "Escape"]

BEGIN = """
import importlib
import numpy as np, torch
from deeplab_lessons import crf, datasets
from deeplab_lessons.classroom import built_in, widgets
from deeplab_lessons.grid import PIXELS

def named(module, name, *arguments, **options):
    return getattr(importlib.import_module(f"{widgets.__name__}.{module}"), name)(*arguments, **options)

class Brightness(torch.nn.Module):
    grid = PIXELS
    def forward(self, x):
        return torch.cat([-x[:, :1], x[:, :1]], 1)

picture, labels = built_in.scene(3, size=32)
scores = torch.randn(2, 32, 32)
setting = crf.Parameters(w1=4, sigma_alpha=8, sigma_beta=10, w2=2, sigma_gamma=1, iterations=4)
print("ready")
"""
WIDGETS = {
    "explorer": '"ReceptiveFieldExplorer"',
    "sliding": '"SlidingKernel"',
    "edits": '"EditsExplorer", input_size=500',
    "aspp": '"ASPPExplorer"',
    "crf": '"CRFExplorer", picture, scores',
    "mean_field": '"KernelExplorer"',
    "valid_taps": '"ValidTapsExplorer"',
    "phases": '"PhasesStepper"',
    "stride": '"StrideExplorer"',
    "training": '"TrainingExplorer", picture, labels % 2, {0: scores, 50: -scores, 100: 2 * scores}, PIXELS',
    "unrolled": '"UnrolledExplorer", picture, scores, labels % 2, setting',
    "schedules": '"SchedulesExplorer"',
    "separable": '"SeparableExplorer"',
    "lattice": '"LatticeExplorer"',
    "prediction": '"PredictionForm", "How many cells?", "number", 3',
    "own_photo": '"OwnPhoto", Brightness(), ("dark", "bright"), datasets.voc_colours()',
}

# What the tests ask of the page: the controls of the last widget, and what a key may not change.
SCRIPT = """() => {
  const FOCUSED = 'input, select, button, canvas[tabindex]';
  const seen = (node) => node.checkVisibility() && !node.disabled && node.tabIndex >= 0;
  window.widgetBox = () => [...document.querySelectorAll('.jp-OutputArea-output')].at(-1);
  window.controls = () => [...widgetBox().querySelectorAll(FOCUSED)].filter(seen);
  const kindOf = (node) => node.tagName === 'INPUT' ? node.type : node.tagName.toLowerCase();
  const valueOf = (node) => node.tagName === 'CANVAS' ? node.getAttribute('aria-label')
    : node.type === 'checkbox' ? node.checked : node.value;
  window.describe = (node) => ({
    kind: kindOf(node),
    name: node.getAttribute('aria-label') || node.labels?.[0]?.innerText || node.innerText || node.className,
    value: valueOf(node),
    atMost: node.value !== '' && Number(node.value) >= Number(node.max || Infinity),
  });
  window.rank = (node) => ['canvas', 'range', 'number', 'text', 'select', 'checkbox', 'button']
    .indexOf(kindOf(node));
  window.clicks = 0;
  document.addEventListener('click', () => window.clicks++, true);
  window.hold = (place) => { window.held = place < 0 ? document.activeElement : kept[place]; held.focus(); };
  window.cells = () => {
    const all = [...document.querySelectorAll('.jp-Notebook .jp-Cell')];
    return all.map((cell) => [cell.classList[2], cell.classList.contains('jp-mod-active'),
      cell.querySelector('.cm-content')?.innerText.slice(0, 40), cell.querySelector('.jp-InputPrompt')?.innerText]);
  };
  window.now = () => ({ cells: JSON.stringify(cells()), focused: document.activeElement === held,
    alike: document.activeElement.className === held.className || !held.isConnected, ...describe(held) });
}"""


@pytest.fixture(scope="module")
def page(tmp_path_factory, browser):
    """One notebook in one JupyterLab for all widgets."""
    with labs.started(tmp_path_factory.mktemp("jupyter")) as server, labs.opened(browser, server[0]) as page:
        labs.open_lesson(page, server, "00_start_here")
        labs.run_code(page, BEGIN)
        page.get_by_text("ready", exact=True).wait_for(timeout=120_000)
        page.on("filechooser", lambda chooser: None)
        page.evaluate(SCRIPT)
        yield page


def show(page, folder):
    """Show a widget in a new cell; how many controls the Tab key is to reach."""
    labs.run_code(page, f"named({folder!r}, {WIDGETS[folder]})")
    page.wait_for_function(
        "() => !document.querySelector('.jp-Notebook').innerText.includes('[*]:')", timeout=60_000
    )
    page.wait_for_function(
        "() => widgetBox().closest('.jp-Cell').matches(':nth-last-child(-n+2)') && controls().length"
    )
    page.evaluate(FRAME)
    return page.evaluate("() => (window.kept = controls()).length")


def inside(page):
    return page.evaluate("widgetBox().contains(document.activeElement)")


def press(page, key, wait=0):
    page.keyboard.press(key)
    if wait:
        page.wait_for_timeout(wait)
    return page.evaluate("now()")


def test_no_widget_is_missing_here():
    folder = Path(widgets.__file__).parent
    there = {
        path.stem for path in folder.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()
    }
    assert there - {"__init__", "shared"} == set(WIDGETS)


@pytest.mark.parametrize("folder", WIDGETS)
def test_every_control_by_keyboard(page, folder):
    count = show(page, folder)
    assert count >= 2
    faults = tab_through(page, count)
    places = page.evaluate("() => kept.map((_, i) => i).sort((a, b) => rank(kept[a]) - rank(kept[b]))")
    for does in (key_does_its_work, letters_stay):
        for place in places:
            if page.evaluate("(place) => kept[place].checkVisibility()", place):
                page.evaluate("hold", place)
                faults += does(page)
    assert not faults, "\n" + "\n".join(faults)


def tab_through(page, count):
    """From the first control to the last one, in their order on the page, and out again."""
    page.evaluate("hold", 0)
    reached = []
    for _ in range(count + 1):
        reached.append(page.evaluate("() => kept.indexOf(document.activeElement)"))
        page.keyboard.press("Tab")
    return [] if reached == [*range(count), -1] else [f"Tab reached {reached} of {count} controls"]


def letters_stay(page):
    """Keys that mean nothing to a control, or only move in it: cells and focus stay."""
    before = page.evaluate("now()")
    more = {"canvas": [*DIGITS, "Enter", " "], "range": [*DIGITS, "Enter"]}
    more |= {"checkbox": [*DIGITS, "Enter"], "button": DIGITS, "select": DIGITS, "number": ["Enter"]}
    for key in [*LETTERS, *MOVES, *more.get(before["kind"], [])]:
        page.keyboard.press(key)
    after = page.evaluate("now()")
    kept = after["cells"] == before["cells"] and after["focused"]
    return [] if kept else [f"{before['kind']} {before['name']!r}: letters or moves reached JupyterLab"]


def key_does_its_work(page):
    before = page.evaluate("now()")
    kind, name = before["kind"], f"{before['kind']} {before['name']!r}"
    if kind == "button":
        return press_button(page, before, name)
    keys = {
        "range": ["ArrowLeft" if before["atMost"] else "ArrowRight"],
        "number": ["ArrowDown" if before["atMost"] else "ArrowUp"],
        "checkbox": [" "],
        "select": ["ArrowDown", "ArrowUp"],
        "text": ["End", "1"],
    }.get(kind, ["ArrowRight", "ArrowLeft"])
    for key in keys:
        after = press(page, key, wait=60)
        if after["cells"] != before["cells"] or not after["focused"]:
            return [f"{name}: {key!r} lost the focus or reached JupyterLab"]
        if after["value"] != before["value"]:
            page.keyboard.press("Escape")
            return []
    return [f"{name}: {' and '.join(keys)} changed nothing, it is {before['value']!r}"]


def press_button(page, before, name):
    """Enter and the space bar both press it, and the focus stays on it, or on its like after a row has gone.

    The button for a photograph clicks the browser's own control, which opens the list of files.
    """
    for key in ("Enter", " "):
        clicks = page.evaluate("window.clicks")
        after = press(page, key, wait=60)
        if page.evaluate("window.clicks") != clicks + (2 if "photograph" in name else 1):
            return [f"{name}: {key!r} did not press it"]
        if after["cells"] != before["cells"] or not (after["alike"] and inside(page)):
            return [f"{name}: {key!r} lost the focus or reached JupyterLab"]
        page.evaluate("hold", -1)
    return []


@pytest.mark.parametrize("control", [".dl-slide-dilation", ".dl-number-dilation", "canvas.dl-tap-map"])
def test_shift_enter_and_the_palette_work_from_a_widget(page, control):
    show(page, "valid_taps")
    cell = page.locator(".jp-CodeCell", has=page.locator(control)).last
    page.locator(f".jp-OutputArea-output {control}").last.focus()
    page.keyboard.press("Control+Shift+c")
    palette = page.locator(".jp-ModalCommandPalette")
    palette.wait_for(timeout=5000)
    page.keyboard.press("Escape")
    palette.wait_for(state="hidden")
    prompt = cell.locator(".jp-InputPrompt")
    before = prompt.inner_text()
    page.locator(f".jp-OutputArea-output {control}").last.focus()
    page.keyboard.press("Shift+Enter")
    page.wait_for_function(
        "([node, before]) => /\\d/.test(node.innerText) && node.innerText !== before",
        arg=[prompt.element_handle(), before],
    )
