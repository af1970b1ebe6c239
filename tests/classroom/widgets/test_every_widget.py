"""What holds for every widget with JavaScript: words, size, themes, widths, keys, fingers, ears, views, no network."""

import importlib
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from pages import FAINT_ON_CANVAS, FRAME, SMALL_TARGETS, Finger, barriers, picture, play_kernel, too_wide

from deeplab_lessons.classroom import built_in, widgets
from deeplab_lessons.classroom.widgets.shared.page import scripts
from deeplab_lessons.datasets import voc_colours
from deeplab_lessons.grid import PIXELS, Grid

FOLDER = Path(widgets.__file__).parent


@dataclass(frozen=True)
class Widget:
    """A widget's folder, class, narrowest width, largest page, and a canvas that shows the theme."""

    folder: str
    name: str
    narrowest: int
    most_bytes: int
    themed: str | None
    arguments: tuple = ()

    def make(self):
        return getattr(importlib.import_module(f"{widgets.__name__}.{self.folder}"), self.name)(
            *self.arguments
        )

    @property
    def script(self):
        return FOLDER / self.folder / "index.js"


SCENE = built_in.scene(3, size=32)
SCORES = torch.randn(len(built_in.CLASSES), 32, 32, generator=torch.Generator().manual_seed(0))
CELLS = SCORES[:, ::8, ::8]
WIDGETS = [
    Widget("explorer", "ReceptiveFieldExplorer", 390, 110_000, "side"),
    Widget("sliding", "SlidingKernel", 360, 60_000, "strip"),
    Widget("edits", "EditsExplorer", 390, 90_000, "profile"),
    Widget("aspp", "ASPPExplorer", 360, 120_000, "taps"),
    Widget("crf", "CRFExplorer", 360, 250_000, None),
    Widget("mean_field", "KernelExplorer", 360, 90_000, "appearance"),
    Widget("valid_taps", "ValidTapsExplorer", 360, 80_000, "tap-chart"),
    Widget("phases", "PhasesStepper", 360, 60_000, "phase-cells"),
    Widget("stride", "StrideExplorer", 360, 70_000, None),
    Widget(
        "training", "TrainingExplorer", 360, 45_000, None, (*SCENE, {0: -CELLS, 50: CELLS}, Grid(8, None))
    ),
    Widget("unrolled", "UnrolledExplorer", 360, 55_000, None, (SCENE[0], SCORES, SCENE[1], "v2_vgg")),
    Widget("schedules", "SchedulesExplorer", 360, 30_000, "falling"),
    Widget("separable", "SeparableExplorer", 360, 32_000, "ratio"),
    Widget("lattice", "LatticeExplorer", 360, 34_000, "plane"),
]


class Brightness(torch.nn.Module):
    """A network that needs no training."""

    grid = PIXELS

    def forward(self, x):
        return torch.cat([-x[:, :1], x[:, :1]], 1)


# These draw on no canvas: test_prediction.py and test_own_photo.py open them in a browser.
PREDICTION = Widget("prediction", "PredictionForm", 390, 12_000, None, ("How many?", "number", 3))
GREY = {"grey": np.full((30, 40, 3), 99, np.uint8)}
OWN_PHOTO = Widget(
    "own_photo", "OwnPhoto", 360, 40_000, None, (Brightness(), ("dark", "bright"), voc_colours(), GREY)
)
WITHOUT_CANVAS = (PREDICTION, OWN_PHOTO)
BOXES = (
    ".dl-widget, .dl-bar, .dl-sliders, .dl-facts, .dl-pictures, .dl-pictures > div, .dl-planes, .dl-edits, "
    ".dl-aspp-picture, .dl-aspp-branches, .dl-crf-pictures, .dl-strip-box, .dl-formulas, .dl-panels, .dl-slider"
)
# What arrow keys move, the arrow that moves it from where it is, and what it says of itself.
MOVED = "canvas[tabindex='0'], input[type='range']:visible"
ARROW = "(node) => node.max && node.value === node.max ? 'ArrowLeft' : 'ArrowRight'"
SAYS = "(node) => node.value ?? node.getAttribute('aria-label')"
# On a page of their own, what some of their controls ask is answered late or never.
ASK_PYTHON = {"crf", "unrolled"}
LOWEST = """() => {
  const widget = document.querySelector(".dl-widget");
  const seen = [...widget.querySelectorAll("input, select, button, canvas, .dl-facts, .dl-said, .dl-formulas")];
  return Math.max(...seen.map((node) => node.getBoundingClientRect().bottom)) - widget.getBoundingClientRect().top;
}"""
# What is said aloud from now on: of changes, and why one is impossible.
LISTEN = """() => {
  window.heard = [];
  window.refused = [];
  for (const node of document.querySelectorAll(".dl-live, [role=alert], [role=status]")) {
    const said = () => (node.matches(".dl-live") ? heard : refused).push(node.textContent);
    new MutationObserver(said).observe(node, { childList: true, characterData: true });
  }
}"""
CONTROLS = ".dl-widget :is(input, select, canvas[tabindex='0']):visible:enabled"
KINDS = "(all) => all.map((node) => `${node.type ?? node.localName} ${node.className}`)"
KEYS = {
    "number": (["ArrowUp"] * 3, ["ArrowDown"] * 3),
    "checkbox": ([" "],),
    "select-one": (["ArrowDown"], ["ArrowUp"]),
    "text": (["End", "1", "Enter"],),
}
every_widget = pytest.mark.parametrize("widget", WIDGETS, ids=lambda widget: widget.folder)
every_script = pytest.mark.parametrize(
    "widget", [*WIDGETS, *WITHOUT_CANVAS], ids=lambda widget: widget.folder
)


def test_no_widget_is_missing_here():
    assert {path.parent.name for path in FOLDER.glob("*/index.js")} == {
        widget.folder for widget in [*WIDGETS, *WITHOUT_CANVAS]
    }


@every_widget
def test_its_text_is_the_same_in_every_run(widget):
    shown = widget.make()
    assert shown._repr_mimebundle_()[0]["text/plain"] == repr(shown) == repr(widget.make())
    assert repr(shown).startswith(f"{widget.name}(") and " at 0x" not in repr(shown)


@every_script
def test_its_page_is_small(widget, tmp_path):
    assert widget.make().save_html(tmp_path / "page.html").stat().st_size < widget.most_bytes


@every_script
def test_every_word_the_scripts_ask_for_is_there_and_none_is_left_over(widget):
    words, source = set(widget.make()._words), "\n".join(path.read_text() for path in scripts(widget.script))
    asked = re.findall(r'\bwords\.(\w+)|\bsay\(words, "(\w+)"|new Impossible\("(\w+)"', source)
    asked = {name for group in asked for name in group if name}
    assert asked <= words
    families = re.findall(r"\b(?:words\[|Impossible\(|say\(words, )`(\w*)\$\{[^}]*\}(\w*)`", source)
    assert all(start + end for start, end in families)
    family = {w for w in words if any(w.startswith(start) and w.endswith(end) for start, end in families)}
    quoted = {w for w in words if f'"{w}"' in source or re.search(rf"\b{w}:", source)}
    assert words - asked - family - quoted == set()


@every_script
def test_no_two_of_its_scripts_declare_the_same_name(widget):
    """They are joined into one scope, where the second of two functions would silently take the first one's place."""
    declared = re.compile(r"^(?:export )?(?:async )?(?:function|const|let|class) (\w+)", re.MULTILINE)
    names = [name for path in scripts(widget.script) for name in declared.findall(path.read_text())]
    assert sorted(names) == sorted(set(names)) and "render" in names


def test_no_widget_asks_the_network():
    files = [path for path in FOLDER.rglob("*") if path.suffix in {".js", ".css"}]
    assert len(files) >= 25
    for path in files:
        found = re.search(r"https?://|@import|fetch\(|XMLHttpRequest|WebSocket", path.read_text())
        assert not found, f"{path.name}: {found.group()}"


# ---------------------------------------------------------------- in a browser; `show` refuses the network


@pytest.mark.browser
@every_widget
def test_any_width_and_both_themes(show, widget):
    page = show(widget.make(), color_scheme="light")
    root = page.locator(".dl-widget")
    grounds, pictures = [], []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function(f"document.querySelector('.dl-widget').dataset.theme === '{scheme}'")
        for width in (widget.narrowest, 800, 1100):
            page.set_viewport_size({"width": width, "height": 1000})
            page.evaluate(FRAME)
            assert too_wide(page, BOXES) == [], (scheme, width)
            assert page.evaluate(SMALL_TARGETS) == [], width
            if width != 800:
                assert barriers(page, "main") == [], (scheme, width)
            assert page.locator(".dl-widget canvas:visible").count() == page.locator("canvas").count()
        assert page.evaluate(FAINT_ON_CANVAS) == [], scheme
        assert page.evaluate(LOWEST) <= 900, "controls, facts and pictures are seen together"
        grounds.append(root.evaluate("(node) => getComputedStyle(node).backgroundColor"))
        pictures.append(picture(page, widget.themed) if widget.themed else scheme)
    assert len(set(grounds)) == len(set(pictures)) == 2
    # a host theme, as JupyterLab sets it, comes before the system's scheme
    page.evaluate("""() => {
      document.body.style.setProperty("--jp-layout-color1", "#ffffff");
      document.body.style.setProperty("--jp-ui-font-color1", "#000000");
    }""")
    page.wait_for_function("document.querySelector('.dl-widget').dataset.theme === 'light'")
    assert root.evaluate("(node) => getComputedStyle(node).color") == "rgb(0, 0, 0)"


@pytest.mark.browser
@every_widget
def test_keys_and_fingers_move_it_and_everything_has_a_name(show, widget):
    page = show(widget.make(), has_touch=True)
    assert page.get_by_role("group", name=widget.make()._words["title"], exact=True).is_visible()
    nameless = page.locator(".dl-widget, .dl-widget :is(input, select, button, canvas, table)").evaluate_all(
        """(all) => all.filter((node) => !(node.getAttribute("aria-label") || node.labels?.[0]?.innerText.trim()
          || (node.tagName === "BUTTON" && node.innerText.trim()))).map((node) => node.outerHTML)"""
    )
    assert nameless == []
    moved = page.locator(MOVED).all()
    assert moved
    for control in moved:
        control.focus()
        before = control.evaluate(SAYS)
        page.keyboard.press(control.evaluate(ARROW))
        page.evaluate(FRAME)
        assert control.evaluate(SAYS) != before
        assert control.evaluate("(node) => getComputedStyle(node).outlineStyle") == "solid", (
            "the focus is seen"
        )
    followed = page.locator("canvas.dl-followed").all()
    for canvas in followed:
        canvas.scroll_into_view_if_needed()
        finger_moves(page, Finger(page, canvas))
    page.set_viewport_size({"width": 1100, "height": 300})
    for canvas in followed[:1]:
        canvas.evaluate("(node) => window.scrollBy(0, node.getBoundingClientRect().top - 150)")
        before = page.evaluate("window.scrollY")
        Finger(page, canvas).scroll(100)
        page.wait_for_function("(before) => window.scrollY > before", arg=before)


def finger_moves(page, finger):
    """A tap chooses; a finger that moves sideways looks, and chooses where it is lifted."""

    def said():
        page.evaluate(FRAME)
        return page.locator(".dl-widget canvas").evaluate_all(
            "(all) => all.map((node) => node.getAttribute('aria-label'))"
        )

    seen = [said()]
    for act in (
        lambda: finger.tap(0.25, 0.3),
        lambda: finger.tap(0.7, 0.6),
        lambda: finger.down(0.7, 0.6, 0.4, 0.6),
    ):
        act()
        seen.append(said())
        assert seen[-1] != seen[-2]
    finger.up()
    assert said() == seen[-1]


def press(page, keys):
    """Press keys as a hand does, and wait until what they change is said."""
    for key in keys:
        page.keyboard.press(key)
        page.clock.run_for(60)
    page.clock.run_for(1000)


@pytest.mark.browser
@pytest.mark.parametrize(
    "widget", [one for one in WIDGETS if one.folder not in ASK_PYTHON], ids=lambda widget: widget.folder
)
def test_what_a_key_changes_is_said_once(show, widget):
    """One control of each kind: a key on it, three times in a row, and one sentence for the ear when it rests."""
    page = show(widget.make())
    page.clock.install(time=0)
    page.clock.pause_at(1000)
    page.evaluate(LISTEN)
    kinds = {}
    for i, kind in enumerate(page.locator(CONTROLS).evaluate_all(KINDS)):
        kinds.setdefault(kind, i)
    assert len(kinds) >= 2
    for kind, i in kinds.items():
        page.locator(CONTROLS).nth(i).focus()
        ways = KEYS.get(kind.split()[0], (["ArrowRight"] * 3, ["ArrowLeft"] * 3))
        for keys, back in zip(ways, ways[::-1], strict=True):
            page.evaluate("window.heard = []; window.refused = [];")
            press(page, keys)
            heard, refused = page.evaluate("[heard, refused]")
            if heard or refused:
                press(page, back)  # or one control's end would be another one's beginning
                break
        assert (len(heard) == 1 and heard[0]) or (not heard and refused), (kind, heard, refused)
    page.clock.resume()
    assert barriers(page, "main") == [], "with what has changed"


@pytest.mark.browser
@every_widget
def test_bare_keys_stay_in_it(show, widget):
    """A notebook's application hears the others: its shortcuts, and Shift+Enter, which runs the cell."""
    page = show(widget.make())
    page.evaluate(
        "() => { window.heard = []; document.addEventListener('keydown', (e) => heard.push(e.key)); }"
    )
    page.locator(MOVED).first.focus()
    for key in ("b", "x", "ArrowDown", "Enter", "Escape", "Shift+Enter", "Control+b", "Alt+x"):
        page.keyboard.press(key)
    assert page.evaluate("heard") == ["Enter", "Control", "b", "Alt", "x"]


@pytest.mark.browser
@every_widget
def test_closed_views_listen_no_more(show, widget):
    shown = widget.make()
    page = show(shown)
    play_kernel(page, shown, views=2)
    assert page.evaluate("[listening().every((count) => count === 2), model.sent.length]") == [True, 0]
    page.evaluate("ends[0]()")
    assert set(page.evaluate("listening()")) == {1}
    page.evaluate("ends[1]()")
    assert set(page.evaluate("listening()")) == {0} and page.locator(".dl-widget").count() == 0
