"""What the tests in a browser share: waiting for a frame, counting drawings, a kernel to play, barriers, no network."""

import base64
import io

import numpy as np
from axe_playwright_python.sync_playwright import Axe
from PIL import Image

FRAME = """() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() =>
    setTimeout(() => requestAnimationFrame(done), 40))))"""  # the drawing of a busy machine may miss a frame
COUNT_DRAWINGS = """
window.drawings = 0;
const reset = CanvasRenderingContext2D.prototype.reset;
CanvasRenderingContext2D.prototype.reset = function () { window.drawings++; reset.apply(this); };
"""

# A widget whose Python the test plays by hand: `hosts` are its views, `ends` close them, `model.sent` is what came.
# `reply()` answers the CRF explorer's last question.
PLAY_KERNEL = """async ({ esm, css, state, views }) => {
  const handlers = new Map();
  window.model = {
    sent: [],
    widget_manager: {},
    get: (name) => state[name],
    set(name, value) {
      if (JSON.stringify(state[name]) === JSON.stringify(value)) return;
      state[name] = value;
      handlers.get(`change:${name}`)?.forEach((handler) => handler());
    },
    on: (name, handler) => handlers.set(name, (handlers.get(name) ?? new Set()).add(handler)),
    off: (name, handler) => handlers.get(name)?.delete(handler),
    save_changes: () => model.sent.push(structuredClone(state._request ?? null)),
  };
  window.listening = () => [...handlers.values()].map((all) => all.size);
  window.reply = async () => {
    const { number, reduced, numbers } = model.sent.at(-1);
    for (const [name, value] of Object.entries(numbers)) model.set(name, value);
    model.set("_answer", { ...state._answer, number, reduced });
    await new Promise((done) => setTimeout(done, 60));
  };
  const style = document.createElement("style");
  style.textContent = css;
  document.head.append(style);
  window.hosts = Array.from({ length: views }, () => document.createElement("div"));
  const widget = (await import(URL.createObjectURL(new Blob([esm], { type: "text/javascript" })))).default;
  window.ends = hosts.map((el) => widget.render({ model, el })); // before they are on the page, as in JupyterLab
  document.body.replaceChildren(...hosts);
}"""


# What no style sheet of a widget may take from a reader: each function returns what is wrong.
SMALL_TARGETS = """() => [...document.querySelectorAll(".dl-widget, .dl-predict")].flatMap((widget) =>
  [...widget.querySelectorAll("input, select, button")].filter((node) => {
    const { width, height } = (node.closest("label") ?? node).getBoundingClientRect();
    return node.checkVisibility() && (width < 24 || height < 24);
  }).map((node) => `${node.className} ${node.type}`))"""
FAINT_ON_CANVAS = r"""() => {
  const style = getComputedStyle(document.querySelector(".dl-probe"));
  const light = (colour) => {
    const [red, green, blue] = colour.match(/[\d.]+/g).map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const { color: ink, backgroundColor: paper, borderTopColor: faint, borderBottomColor: touched,
    borderLeftColor: unit, outlineColor: onTouched } = style;
  const pairs = { ink: [ink, paper], faint: [faint, paper], touched: [touched, paper], unit: [unit, paper],
    "on touched": [onTouched, touched], "on unit": [onTouched, unit] };
  return Object.entries(pairs).filter(([, pair]) => {
    const [dark, bright] = pair.map(light).sort((a, b) => a - b);
    return (bright + 0.05) / (dark + 0.05) < 4.5;
  }).map(([name]) => name);
}"""

# Text on the page that looks like TeX: formulas are set when the site is built.
UNSET = r"""() => {
  const texts = document.createTreeWalker(document.querySelector("article"), NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) {
    const { parentElement: at, data } = texts.currentNode;
    if (at.closest("pre, code, script, annotation, noscript, .katex-mathml")) continue;
    if (/\\[a-z]+\{|\$\$|\\(frac|sum|sigma|mathbf|left|cdot)\b/.test(data)) found.push(data.trim().slice(0, 60));
  }
  return [...found, ...[...document.querySelectorAll(".katex-error")].map((node) => node.textContent)];
}"""
# All that a widget shows: its texts, the state of its controls, its pictures.
SHOWN = """(box) => JSON.stringify([box.shadowRoot.textContent,
  ...[...box.shadowRoot.querySelectorAll("input, select, canvas, [aria-pressed]")].map((node) =>
    [node.value, node.checked, node.ariaPressed, node.ariaLabel, node.toDataURL?.()])])"""


class Finger:
    """A finger on a canvas; places are fractions of its width and height. It does what a mouse does."""

    def __init__(self, page, canvas):
        self._touch = page.context.new_cdp_session(page)
        self._box = canvas.bounding_box()

    def _send(self, kind, *places):
        points = [
            {"x": self._box["x"] + x * self._box["width"], "y": self._box["y"] + y * self._box["height"]}
            for x, y in places
        ]
        self._touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def tap(self, x, y):
        self._send("touchStart", (x, y))
        self.up()

    def down(self, x, y, to_x, to_y):
        """Put it down at one place and move it to another, where it stays."""
        self._send("touchStart", (x, y))
        for step in (0.25, 0.5, 0.75, 1):
            self._send("touchMove", (x + step * (to_x - x), y + step * (to_y - y)))

    def scroll(self, pixels):
        """Move it up from near the canvas's upper edge, as somebody who wants to read on."""
        self.down(0.5, 0.02, 0.5, 0.02 - pixels / self._box["height"])
        self.up()

    def up(self):
        self._send("touchEnd")


def barriers(page, selector):
    """What axe-core finds wrong in what `selector` finds: rules, and the elements that break them."""
    rules = {name: {"enabled": True} for name in ("label-content-name-mismatch", "target-size")}
    found = Axe().run(page, context=selector, options={"rules": rules}).response["violations"]
    return [(fault["id"], [node["html"] for node in fault["nodes"]]) for fault in found]


def refuse(route, refused):
    """Let files of the page itself through; note every other address in `refused`."""
    url = route.request.url
    if url.startswith(("file:", "data:", "blob:", "about:")):
        route.continue_()
    else:
        refused.append(url)
        route.abort()


def play_kernel(page, widget, views=1):
    """Put views of the widget on the page in place of what is there; the test answers them as Python would."""
    state = {name: value for name, value in widget.get_state().items() if name != "layout"}
    page.evaluate(PLAY_KERNEL, {"esm": widget._esm, "css": widget._css, "state": state, "views": views})
    page.evaluate(FRAME)


def too_wide(page, selector):
    """Class names of the boxes, among those that `selector` finds, whose content is wider than they are."""
    return page.locator(selector).evaluate_all(
        "(boxes) => boxes.filter((b) => b.scrollWidth > b.clientWidth + 1).map((b) => b.className)"
    )


def facts(page):
    """What the readout says, by name, without the thin spaces in large numbers."""
    page.evaluate(FRAME)
    shown = page.locator("[data-fact]").evaluate_all(
        "(all) => all.map((n) => [n.dataset.fact, n.textContent])"
    )
    return {name: text.replace("\u202f", "") for name, text in shown}


def picture(page, name):
    """What is drawn on the canvas `dl-NAME` now, to be compared."""
    page.evaluate(FRAME)
    return page.locator(f"canvas.dl-{name}").evaluate("(canvas) => canvas.toDataURL()")


def pixels(page, name):
    """What is drawn on the canvas `dl-NAME` now, uint8 [H, W, 3]."""
    _, _, drawn = picture(page, name).partition(",")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(drawn))).convert("RGB"))


def colour_at(page, name, x, y):
    """Red, green and blue of the canvas `dl-NAME` at a point of the page."""
    return page.locator(f"canvas.dl-{name}").evaluate(
        """(canvas, [x, y]) => {
          const box = canvas.getBoundingClientRect(), sharp = canvas.width / box.width;
          return [...canvas.getContext("2d").getImageData((x - box.left) * sharp, (y - box.top) * sharp, 1, 1).data];
        }""",
        [x, y],
    )[:3]


def rgb(colour):
    """#0072b2 as [0, 114, 178]."""
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
