"""The built site in Firefox, once: it is drawn, moves by keyboard, and asks the network for nothing."""

import json

import firefox
import pytest
from pages import SHOWN, UNSET

pytestmark = [pytest.mark.browser, pytest.mark.slow]
READY = """new Promise((done) => { const look = () =>
  document.querySelector(".dl-mount:not([data-ready])") ? setTimeout(look, 50) : done(true); look(); })"""
DRAWN = "new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(true), 60)))"


@pytest.fixture(scope="module")
def page(firefox_path, tmp_path_factory):
    """A page in Firefox."""
    with firefox.opened(firefox_path, tmp_path_factory.mktemp("firefox")) as page:
        yield page


def paths(site):
    """The first page, lesson 02, and every explorer."""
    return [
        site / "index.html",
        site / "lessons/02_dilated_convolution.html",
        *sorted(site.glob("explorers/*.html")),
    ]


def test_pages_are_whole_and_explorers_move_by_keyboard(page, site):
    page.resize(1300, 900)
    wrong = {}
    for path in paths(site):
        page.goto(path.as_uri())
        page.evaluate(READY)
        found = json.loads(page.evaluate(f"JSON.stringify(({UNSET})())"))
        if path.parent.name == "explorers":
            box = "document.querySelector('[data-share]')"
            page.evaluate(
                f"void {box}.shadowRoot.querySelector(`canvas[tabindex='0'], input[type=range]`).focus()"
            )
            before = page.evaluate(f"({SHOWN})({box})")
            ways = []
            for key in (firefox.ARROW_RIGHT, firefox.ARROW_LEFT, firefox.ENTER):
                page.press(key)
                page.evaluate(DRAWN)
                ways.append(page.evaluate(f"({SHOWN})({box})") != before)
            found += [] if any(ways) else ["no key moves it"]
        wrong |= {path.name: found} if found else {}
    assert wrong == {} and page.faults == []
