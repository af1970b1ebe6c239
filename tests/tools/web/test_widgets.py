"""The widgets' places on the site's pages, the scripts that mount them, and the state in a page's address."""

import json
import re

import pytest
from pages import FRAME
from web import explorers, widgets

from deeplab_lessons.classroom.widgets import ReceptiveFieldExplorer, SlidingKernel
from deeplab_lessons.classroom.widgets.prediction import PredictionForm

STACK = ["input_size", "layers", "preset", "unit"]


def stored(widget):
    """What a notebook stores of a widget; its JavaScript may be older than the package's."""
    return widget.get_state() | {"_esm": "throw new Error('stored')", "_css": "* { display: none }"}


def page_of(folder, *mounts):
    """A page with widgets, as the site's pages load them."""
    widgets.write_modules(folder)
    body = "".join(mounts)
    path = folder / "page.html"
    path.write_text(
        f'<!doctype html><html lang="en"><title>Page</title><body data-theme="light"><h1 id="top">Page</h1>{body}'
        '<script src="widgets.js"></script></body></html>'
    )
    return path


def test_a_mount_holds_the_public_state_and_no_script_of_the_notebook():
    html = widgets.mount(stored(SlidingKernel(position=3)), "a < b")
    state = json.loads(re.search(r'<script type="application/json">(.*?)</script>', html)[1])
    assert state["position"] == 3 and "_words" in state and not {"_esm", "_css", "layout"} & set(state)
    assert 'data-module="sliding"' in html and "data-share" not in html and "a &lt; b" in html


def test_a_state_cannot_end_the_script_that_holds_it():
    html = widgets.mount(stored(PredictionForm("</script><b>", "number", 3)), "")
    assert html.count("</script>") == 1 and "<b>" not in html


def test_only_the_courses_widgets_can_be_mounted():
    with pytest.raises(ValueError, match=r"widgets\.\*, got elsewhere\.Slider"):
        widgets.mount({"_anywidget_id": "elsewhere.Slider"}, "")


def test_every_folder_becomes_a_classic_script(tmp_path):
    widgets.write_modules(tmp_path)
    assert {path.stem for path in (tmp_path / "w").glob("*.js")} == set(widgets.folders())
    for path in tmp_path.rglob("*.js"):
        assert not re.search(r"^(import|export)\b", path.read_text(), re.M), path.name


def test_every_explorer_says_which_states_it_accepts():
    """An address may ask for anything: `export default { render, accepts };` in the widget's index.js."""
    without = [
        folder
        for folder in widgets.folders()
        if folder not in explorers.WITHOUT_PAGE
        and not re.search(r"export default \{ render, accepts \}", widgets.class_of(folder)._esm)
    ]
    assert without == []


def test_an_address_carries_what_python_can_set():
    explorer = ReceptiveFieldExplorer()
    assert explorers.shared("explorer", explorer.get_state()) == STACK
    assert "caption" not in explorers.shared("crf", dict.fromkeys(widgets.class_of("crf").class_traits(), 1))


# ---------------------------------------------------------------- in a browser; `show` refuses the network


@pytest.mark.browser
def test_widgets_are_alive_and_follow_the_theme(show, tmp_path):
    forms = [
        PredictionForm("How many?", "number", 3),
        PredictionForm("Which?", "choice", "a", ["a", "b"]),
        PredictionForm("In which order?", "order", ["b", "a"], ["a", "b"]),
    ]
    page = show(page_of(tmp_path, *(widgets.mount(stored(w), "") for w in [SlidingKernel(), *forms])))
    page.locator(".dl-mount[data-ready]").nth(3).wait_for()
    heard = "() => { window.heard = []; document.addEventListener('keydown', (e) => heard.push(e.key)); }"
    page.evaluate(heard)
    strip = page.locator("canvas")
    strip.press("ArrowRight")
    page.evaluate(FRAME)
    assert page.locator(".dl-number-position").input_value() == "1"
    strip.press("/")
    assert page.evaluate("heard") == [], "a site's own shortcuts hear no key that is meant for a widget"
    assert page.locator(".dl-share").count() == 0

    page.locator("input[inputmode]").fill("3")
    page.locator("input[inputmode]").press("Enter")
    page.get_by_label("b", exact=True).press("Space")
    for button in page.get_by_role("button", name="Commit").all():
        if button.get_attribute("aria-disabled") != "true":
            button.click()
    said = [text.split(".")[0] for text in page.locator(".dl-predict [role=status]").all_inner_texts()]
    assert [text[0] for text in said] == ["✓", "✗", "✗"]

    root = page.locator(".dl-widget")
    for theme, looks in (("dark", "dark"), ("auto", "light"), ("light", "light")):
        page.evaluate("(theme) => (document.body.dataset.theme = theme)", theme)
        page.locator(f".dl-widget[data-theme={looks}]").wait_for()
    assert root.evaluate("(node) => getComputedStyle(node).backgroundColor") == "rgb(255, 255, 255)"

    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert strip.is_hidden() and page.locator(".dl-widget img").evaluate("(still) => still.src.length") > 2000
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert strip.is_visible() and page.locator(".dl-widget img").count() == 0


@pytest.mark.browser
def test_the_address_holds_the_state(show, tmp_path):
    page = show(page_of(tmp_path, widgets.mount(stored(ReceptiveFieldExplorer()), "", share=STACK)))
    said, field = page.locator(".dl-share [role=status]"), page.locator("[data-fact=field]")
    address = "() => decodeURIComponent(location.hash)"

    def becomes(text):
        page.wait_for_function(f"(text) => ({address})() === text", arg=text)

    def asked(text):
        page.evaluate("(text) => new Promise((done) => { onhashchange = done; location.hash = text; })", text)
        page.evaluate(FRAME)
        return field.inner_text(), said.inner_text()

    page.locator(".dl-mount[data-ready]").wait_for()
    own = field.inner_text()
    assert (page.evaluate(address), said.inner_text()) == ("", "")
    page.locator("canvas.dl-output").press("ArrowRight")
    becomes("#unit=10,11")
    page.get_by_label("Stack", exact=True).select_option("vgg16")
    becomes("#preset=vgg16&unit=4,4")
    page.locator(".dl-add").click()
    page.wait_for_function("location.hash.endsWith('fc6:k7;layer+20:k3psame&preset=own&unit=4,4')")
    page.get_by_role("button", name="Copy the link").click()
    page.wait_for_function("document.querySelector('.dl-share [role=status]').textContent.startsWith('Cop')")
    wanted, link = field.inner_text(), page.url
    page.goto("about:blank")
    page.goto(link)
    page.locator(".dl-mount[data-ready]").wait_for()
    page.evaluate(FRAME)
    assert (field.inner_text(), said.inner_text()) == (wanted, "") and page.url == link

    short = "layers=a:k3;b:k3d2;c:k2s2p0-1c&preset=own&unit=1,2&input_size=17"
    assert asked(short) == ("8 × 8 px", "")
    page.evaluate("location.hash = 'top'")
    assert asked(short.replace("1,2", "1,3"))[0] == "8 × 8 px", "an anchor of the page asks for nothing"
    asked("input_size=1025&preset=own&unit=0,0&layers=" + ";".join(["a:k1025psame"] * 60))
    assert page.locator("[data-fact=most]").inner_text() == "> 10³⁰⁸", "and not an error"
    for broken in (
        "unit=99,1",
        "unit=1",
        "unit=1,two",
        "unit=1,2&unit=3,4",
        "unit=0.5,1",
        "layers=a:k0",
        "layers=a:k3s2psame&preset=own",
        "layers=a:k3d999999999psame&preset=own&unit=0,0",
        "layers=<img src=x onerror=alert(1)>:k3",
        "layers=a:k3",
        "preset=constructor",
        "preset=none",
        "input_size=1e9",
        "_photo=x",
        "unit=" + "1," * 2000,
    ):
        shown, sentence = asked(broken)
        assert shown == own and sentence.startswith("The address asks for a state that cannot be"), broken
    assert page.locator(".dl-widget img").count() == 0


@pytest.mark.browser
def test_without_javascript_or_without_its_script_a_widget_says_so(browser, tmp_path):
    path = page_of(tmp_path, widgets.mount(stored(SlidingKernel()), "SlidingKernel(…)"))
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(path.as_uri())
    assert "where JavaScript is switched on" in page.locator(".dl-mount").inner_text()
    context.close()
    (tmp_path / "w" / "sliding.js").unlink()
    context = browser.new_context()
    page = context.new_page()
    page.goto(path.as_uri())
    page.get_by_text("This part could not be started here.").wait_for()
    context.close()
