"""What several tests share: Chromium, a JupyterLab, and where they are allowed to be missing."""

import os
import shutil

import pages
import pytest

os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # before any test imports torch, as `make` does


#: The files that take longest, each some minutes.
LONG = ("test_lab.py", "test_site_in_browser.py", "test_lessons.py", "test_lab_keyboard.py")


def pytest_collection_modifyitems(items):
    """The files that take longest come first: workers share files out in this order, and none waits at the end."""
    items.sort(key=lambda item: LONG.index(item.path.name) if item.path.name in LONG else len(LONG))


@pytest.fixture
def ax():
    """Axes of a figure that is never shown."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots()
    yield axes
    pyplot.close(figure)


def installed(browser, *programs):
    """Path of the first program found; without any the browser tests are skipped, except in CI, where they fail."""
    for name in programs:
        if path := shutil.which(name):
            return path
    if os.environ.get("CI"):
        pytest.fail(f"CI needs a {browser} for the browser tests; .ci/run installs one")
    pytest.skip(f"no {browser} found: the browser tests need one (apt-get install {programs[0]})")


@pytest.fixture(scope="session")
def chromium():
    """Path of a Chromium."""
    return installed("Chromium", "chromium", "chromium-browser", "google-chrome", "chrome")


@pytest.fixture(scope="session")
def firefox_path():
    """Path of a Firefox."""
    return installed("Firefox", "firefox-esr", "firefox")


@pytest.fixture(scope="session")
def browser(chromium):
    """A headless Chromium that asks the network for nothing."""
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
    flags += ["--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, headless=True, args=flags)
        yield browser
        browser.close()


@pytest.fixture
def show(browser, tmp_path):
    """Open a widget's page (or any file) with every request to the outside refused, and none expected."""
    contexts, faults = [], []

    def open_page(what, **context):
        path = what if hasattr(what, "suffix") else what.save_html(tmp_path / f"page{len(contexts)}.html")
        contexts.append(browser.new_context(**{"viewport": {"width": 1100, "height": 1000}} | context))
        page = contexts[-1].new_page()
        page.route("**/*", lambda route: pages.refuse(route, faults))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
        page.add_init_script(pages.COUNT_DRAWINGS)
        page.goto(path.as_uri())
        if what is not path:
            page.locator(".dl-widget canvas, .dl-predict fieldset, .dl-photo-panels").first.wait_for()
            page.evaluate(pages.FRAME)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []
