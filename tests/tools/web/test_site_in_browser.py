"""The built site in Chromium, opened from its folder: no request outside, no error, all widgets alive, accessible."""

from contextlib import contextmanager

import pages
import pytest
from axe_playwright_python.sync_playwright import Axe

from notebooks import lesson_sources

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# Style sheets need not be fetched again.
AXE = {
    "resultTypes": ["violations"],
    "preload": False,
    "rules": {"label-content-name-mismatch": {"enabled": True}},
}
# Coloured code is thousands of elements, the same on every page, that make axe slow.
PLAIN = """() => document.querySelectorAll("pre").forEach((node) => (node.textContent = node.textContent))"""
LOOKS = ({"viewport": (1300, 900), "scheme": "light"}, {"viewport": (390, 800), "scheme": "dark"})


@contextmanager
def opened(browser, site):
    """A page, and what went wrong on it."""
    context = browser.new_context()
    page, faults = context.new_page(), []
    page.route("**/*", lambda route: pages.refuse(route, faults))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
    yield page, faults
    context.close()


def go(page, path):
    """Open a page of the site, with all its widgets alive."""
    page.goto(path.as_uri())
    page.wait_for_function("() => !document.querySelector('.dl-mount:not([data-ready])')")


def violations(page, context=None):
    """{(widget's folder or "", rule): the element in which axe found it}."""
    found = {}
    for rule in Axe().run(page, context, AXE).response["violations"]:
        for node in rule["nodes"]:
            host = page.locator(
                node["target"][0] if isinstance(node["target"][0], str) else node["target"][0][0]
            )
            folder = host.first.evaluate("(node) => node.closest('.dl-mount')?.dataset.module ?? ''")
            found.setdefault((folder, rule["id"]), node["html"][:160])
    return found


def moved(page, box, act):
    """Whether what a widget shows is different after `act()`."""
    before = box.evaluate(pages.SHOWN)
    act()
    page.evaluate(pages.FRAME)
    return box.evaluate(pages.SHOWN) != before


def still_by(page, box):
    """Which of keyboard and mouse does not move a widget."""
    box.scroll_into_view_if_needed()
    control = box.locator("canvas[tabindex='0'], input[type=range]").first
    size = control.bounding_box()
    clicks = [{"x": size["width"] * place, "y": size["height"] * place} for place in (0.35, 0.6)]
    ways = {"keyboard": [lambda: control.press("ArrowRight"), lambda: control.press("ArrowLeft")]}
    ways["mouse"] = [lambda: control.click(position=clicks[0]), lambda: control.click(position=clicks[1])]
    return [way for way, acts in ways.items() if not any(moved(page, box, act) for act in acts)]


def predict(page, box):
    """Answer a prediction by keyboard; what it says then."""
    field = box.locator("input").first
    if field.count():
        field.press("1" if field.get_attribute("type") == "text" else "Space")
        field.press("Enter")
    else:
        box.get_by_role("button", name="Commit").press("Enter")
    return box.locator("[role=status]").inner_text()


def faults_of(page, path):
    """{what was looked at: what is wrong} on one page, in both looks."""
    found = {}
    for look in LOOKS:
        width, height = look["viewport"]
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=look["scheme"])
        if look is LOOKS[0]:
            go(page, path)
            found["formulas"] = page.evaluate(pages.UNSET)
            page.evaluate(PLAIN)
        page.evaluate(pages.FRAME)
        found["width", width] = page.evaluate(f"document.scrollingElement.scrollWidth > {width}")
        found["axe", width] = violations(page)
    for box in page.locator(".dl-mount:not([data-module=prediction], [data-module=own_photo])").all():
        found[box.get_attribute("data-module")] = still_by(page, box)
    for box in page.locator(".dl-mount[data-module=own_photo]").all():
        shown = box.locator("select").input_value()
        other = box.locator("option").evaluate_all("(all) => all.map((node) => node.value)")
        box.locator("select").select_option(next(name for name in other if name and name != shown))
        found["own_photo"] = "Python" not in " ".join(
            box.locator("[role=status], [role=alert]").all_inner_texts()
        )
    questions = page.locator(".dl-mount[data-module=prediction]")
    if questions.count():
        found["prediction"] = "Computed answer" not in predict(page, questions.first)
    return {what: wrong for what, wrong in found.items() if wrong}


def check(browser, site, paths):
    with opened(browser, site) as (page, errors):
        found = {path.stem: faults_of(page, path) for path in paths}
        assert {name: wrong for name, wrong in found.items() if wrong} == {} and errors == []


@pytest.mark.parametrize("half", [0, 1])
def test_every_lesson(browser, site, half):
    check(browser, site, [site / f"lessons/{lesson.stem}.html" for lesson in lesson_sources()[half::2]])


def test_every_other_page(browser, site):
    paths = [
        path for path in sorted(site.rglob("*.html")) if path.parent.name not in ("lessons", "explorers")
    ]
    assert {"index", "search", "ledger", "instructors", "changes"} <= {path.stem for path in paths}
    check(browser, site, paths)


def test_every_explorer_and_its_address(browser, site):
    paths = sorted((site / "explorers").glob("*.html"))
    check(browser, site, paths)
    with opened(browser, site) as (page, errors):
        for path in paths:
            go(page, path)
            box, said = page.locator("[data-share]"), page.locator(".dl-share [role=status]")
            before = box.evaluate(pages.SHOWN)
            assert said.inner_text() == "", path.stem
            page.evaluate(
                "new Promise((done) => { onhashchange = done; location.hash = 'no_such_trait=1'; })"
            )
            page.evaluate(pages.FRAME)
            assert "cannot be" in said.inner_text() and box.evaluate(pages.SHOWN) == before, path.stem
        assert errors == []


UNSEEN = """() => {
  let node = document.activeElement;
  while (node.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
  const { left, right, top, bottom } = node.getBoundingClientRect();
  const inside = right > 0 && left < innerWidth && bottom > 0 && top < innerHeight;
  return inside && getComputedStyle(node).outlineStyle !== "none" ? null : node.outerHTML.slice(0, 120);
}"""


@pytest.mark.parametrize("width", [1300, 390])
def test_by_keyboard_the_focus_is_always_seen(browser, site, width):
    with opened(browser, site) as (page, errors):
        page.set_viewport_size({"width": width, "height": 800})
        go(page, site / "explorers/sliding-kernel.html")
        page.add_style_tag(content="* { transition: none !important; scroll-behavior: auto !important; }")
        unseen = []
        for _ in range(60):
            page.keyboard.press("Tab")
            page.evaluate(pages.FRAME)
            unseen.append(page.evaluate(UNSEEN))
            if page.evaluate("!!document.activeElement.shadowRoot?.activeElement?.matches('canvas')"):
                break
        else:
            pytest.fail("the explorer's picture is not reached")
        assert [each for each in unseen if each] == [] and errors == []


def test_on_paper_nothing_is_cut_or_missing(browser, site):
    with opened(browser, site) as (page, errors):
        go(page, site / "lessons/07_a_crf_fast_enough.html")
        page.wait_for_function("[...document.images].every((image) => image.complete && image.naturalWidth)")
        page.emulate_media(media="print")
        page.set_viewport_size({"width": 690, "height": 1000})  # A4 within the margins
        wide = """(all) => all.filter((box) => box.scrollWidth > box.clientWidth).map((box) => box.textContent)"""
        assert page.locator("article :is(pre, .dl-formula, .dl-page)").evaluate_all(wide) == []
        go(page, site / "explorers/crf.html")
        for name in ("Skip to content", "Copy the link to this state"):
            assert not page.get_by_text(name).is_visible(), name
        assert errors == []


def test_code_can_be_read(browser, site):
    with opened(browser, site) as (page, _):
        for look in LOOKS:
            page.emulate_media(color_scheme=look["scheme"])
            go(page, site / "lessons/00_start_here.html")
            assert violations(page, {"include": [["pre"]]}) == {}, look


def test_the_search_finds_gridding_in_lesson_02_first(browser, site):
    with opened(browser, site) as (page, errors):
        page.goto((site / "search.html").as_uri())
        page.locator(".dl-search input").press_sequentially("gridding")
        first = page.locator(".dl-results a").first
        first.wait_for()
        assert "lessons/02_" in first.get_attribute("href")
        first.press("Enter")
        page.wait_for_url("**/lessons/02_*")
        assert errors == []
