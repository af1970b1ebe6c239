"""Firefox for a few tests: driven by WebDriver BiDi, which Firefox speaks by itself, without a driver to install.

Source: the W3C's WebDriver BiDi, https://w3c.github.io/webdriver-bidi/.
"""

import contextlib
import json
import re
import signal
import subprocess

import websocket

LISTENING = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
#: Firefox asks for updates, lists and certificates by itself; none of it is the page's.
QUIET = """
user_pref("app.update.enabled", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("services.settings.server", "data:,");
"""


class Page:
    """One tab. `faults` are the errors of its scripts and console, and what it asked of the network."""

    def __init__(self, socket):
        self._socket, self._sent, self.faults = socket, 0, []
        self._ask("session.new", capabilities={})
        self._tab = self._ask("browsingContext.create", type="tab")["context"]
        self._ask("browsingContext.activate", context=self._tab)  # or keys go to another tab
        self._ask("session.subscribe", events=["log.entryAdded", "network.beforeRequestSent"])

    def _ask(self, method, **params):
        self._sent += 1
        self._socket.send(json.dumps({"id": self._sent, "method": method, "params": params}))
        while True:
            told = json.loads(self._socket.recv())
            if told.get("id") == self._sent:
                assert told["type"] == "success", (method, told["message"])
                return told["result"]
            self._note(told)

    def _note(self, told):
        params = told.get("params", {})
        if told.get("method") == "log.entryAdded" and params["level"] == "error":
            self.faults.append(params["text"])
        elif told.get("method") == "network.beforeRequestSent" and params["context"]:
            url = params["request"]["url"]
            self.faults += [] if url.startswith(("file:", "data:", "blob:")) else [url]

    def resize(self, width, height):
        self._ask(
            "browsingContext.setViewport", context=self._tab, viewport={"width": width, "height": height}
        )

    def goto(self, url):
        self._ask("browsingContext.navigate", context=self._tab, url=url, wait="complete")

    def evaluate(self, expression):
        """What an expression, or the promise that it is, comes to: texts, numbers, true, false and null only."""
        found = self._ask(
            "script.evaluate", expression=expression, target={"context": self._tab}, awaitPromise=True
        )
        assert found["type"] == "success", found["exceptionDetails"]["text"]
        return found["result"].get("value")

    def press(self, *keys):
        """Press keys one after the other; `ARROW_RIGHT` and the like are WebDriver's signs for them."""
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        source = {"type": "key", "id": "keyboard", "actions": actions}
        self._ask("input.performActions", context=self._tab, actions=[source])

    def screenshot(self):
        """The window as PNG, in base64."""
        return self._ask("browsingContext.captureScreenshot", context=self._tab)["data"]


ARROW_LEFT, ARROW_RIGHT, ENTER = "\ue012", "\ue014", "\ue007"


@contextlib.contextmanager
def opened(path, home):
    """A page in a Firefox of its own, with a fresh profile in the folder `home`."""
    (home / "user.js").write_text(QUIET)
    command = [path, "--headless", "--no-remote", "--profile", str(home), "--remote-debugging-port=0"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        address = next(filter(None, map(LISTENING.search, process.stderr)))[1]
        with contextlib.closing(
            websocket.create_connection(f"{address}/session", timeout=120, suppress_origin=True)
        ) as socket:
            yield Page(socket)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
