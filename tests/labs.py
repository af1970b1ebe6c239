"""A JupyterLab for the tests: started as `make lab` does, opened in Chromium, asking nobody on the network."""

import contextlib
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path
from unittest import mock

from deeplab_lessons.classroom.course import ROOT, jupyterlab

ERRORS = (
    '.jp-RenderedText[data-mime-type="application/vnd.jupyter.error"], '
    '.jp-RenderedText[data-mime-type="application/vnd.jupyter.stderr"]'
)
SETTINGS = {
    "docmanager-extension/plugin": {"autosave": False},
    "notebook-extension/tracker": {"windowingMode": "none"},
}


def write_settings(folder, settings):
    for plugin, values in settings.items():
        path = folder / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))


@contextlib.contextmanager
def started(home):
    """A JupyterLab as `make lab` starts it, with private settings: its address, token and settings folder."""
    write_settings(home / "settings", SETTINGS)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)
    command = jupyterlab.lab_command(
        ROOT,
        "--no-browser",
        f"--port={port}",
        "--ServerApp.port_retries=0",
        f"--IdentityProvider.token={token}",
        f"--LabApp.user_settings_dir={home / 'settings'}",
        f"--LabApp.workspaces_dir={home / 'workspaces'}",
    )
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    private = {name: str(home / name) for name in names}
    with mock.patch.dict(os.environ, private):
        jupyterlab.trust_notebooks(ROOT / "notebooks")
    log = home / "lab.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            command,
            env=jupyterlab.lab_environment() | private,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{url}/api?token={token}", process, log)
        yield url, token, home / "settings"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


def wait_for(address, process, log, seconds=90):
    end = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(address, timeout=2)
            return
        except OSError:
            assert process.poll() is None and time.monotonic() < end, log.read_text()
            time.sleep(0.2)


@contextlib.contextmanager
def opened(browser, url):
    """A page that records whatever it wants from elsewhere; there must be nothing."""
    context = browser.new_context(viewport={"width": 1300, "height": 1100})
    page, elsewhere = context.new_page(), []

    def refuse(route):
        elsewhere.append(route.request.url)
        route.abort()

    page.route(lambda address: not address.startswith((url, "data:", "blob:", "ws:")), refuse)
    yield page
    context.close()
    assert elsewhere == []


def end_kernels(url, token):
    """JupyterLab keeps a notebook's kernel when its page closes; the next test wants a fresh one."""
    header = {"Authorization": f"token {token}"}
    with urllib.request.urlopen(urllib.request.Request(f"{url}/api/sessions", headers=header)) as reply:
        sessions = json.load(reply)
    for session in sessions:
        address = f"{url}/api/sessions/{session['id']}"
        urllib.request.urlopen(urllib.request.Request(address, headers=header, method="DELETE")).close()


def open_lesson(page, server, name):
    url, token, _ = server
    end_kernels(url, token)
    page.goto(f"{url}/lab/tree/notebooks/{name}.ipynb?token={token}&reset")
    page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=60_000)
    page.get_by_role("button", name=re.compile(r"Python 3 \(ipykernel\) \| Idle")).wait_for(timeout=90_000)


def run_core(page):
    """Run a lesson's core path, all that is above *Go deeper*: each cell of a fresh kernel gets its number in turn.

    nbval runs the whole lesson; here it is JupyterLab that is tried.
    """
    deeper = page.locator(".jp-MarkdownCell", has=page.locator("h2", has_text=re.compile("^Go deeper")))
    command = "Run All Cells"
    if deeper.count():
        deeper.click()
        command = "Run All Above Selected Cell"
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name=command, exact=True).click()
    prompts = """() => {
      const cells = [...document.querySelectorAll('.jp-Notebook .jp-Cell')];
      const deeper = cells.findIndex((cell) => cell.querySelector('h2')?.innerText.startsWith('Go deeper'));
      return cells.slice(0, deeper < 0 ? cells.length : deeper)
        .filter((cell) => cell.matches('.jp-CodeCell') && cell.querySelector('.cm-content').innerText.trim())
        .map((cell) => cell.querySelector('.jp-InputPrompt').innerText);
    }"""
    page.wait_for_function(f"() => ({prompts})().includes('[*]:')", timeout=30_000)
    page.wait_for_function(
        f"() => ({prompts})().every((text, i) => text === `[${{i + 1}}]:`)", timeout=900_000
    )


def run_code(page, code):
    """Run one more cell at the notebook's end."""
    page.locator(".jp-Cell").last.click()
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    page.keyboard.press("Enter")
    page.keyboard.insert_text(code)
    page.keyboard.press("Shift+Enter")


def picture(page, name):
    """Keep a screenshot where DEEPLAB_LESSONS_SCREENSHOTS names a folder."""
    if folder := os.environ.get("DEEPLAB_LESSONS_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png")
