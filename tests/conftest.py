"""What several tests share: Chromium, a JupyterLab, and where they are allowed to be missing."""

import os
import shutil

import pytest


@pytest.fixture(scope="session")
def chromium():
    """Path of a Chromium; without one the browser tests are skipped, except in CI, where they fail."""
    for name in ("chromium", "chromium-browser", "google-chrome", "chrome"):
        if path := shutil.which(name):
            return path
    if os.environ.get("CI"):
        pytest.fail("CI needs a Chromium for the browser tests; .ci/run installs one")
    pytest.skip("no Chromium found: the browser tests need one (apt-get install chromium)")


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
