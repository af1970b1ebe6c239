"""Start processes that do a job apart from this one, listen to them for a limited time, and kill what is left."""

import contextlib
import json
import os
import queue
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from typing import NamedTuple

START = 120  # seconds in which torch and the exercises are loaded
LONGEST_LINE = 8_000_000
MOST = 100_000_000  # characters from one process
# macOS has both functions, but its frameworks do not survive a fork
CAN_FORK = hasattr(os, "fork") and hasattr(socket, "send_fds") and sys.platform != "darwin"


class Item(NamedTuple):
    """What a process sent about one exercise, and why it ended early ("" if it did not), perhaps before it began."""

    messages: list[dict]
    seconds: float
    ended: str
    begun: bool


class Helpers:
    """Where processes for jobs come from. Use it in a `with` block, at whose end none is left.

    `memory` is the bytes that a process may have.
    """

    def __init__(self, memory: int):
        self.memory = memory
        self._server: subprocess.Popen | None = None
        self._control: socket.socket | None = None

    def __enter__(self) -> "Helpers":
        return self

    def __exit__(self, *error: object) -> None:
        self._stop()

    def do(self, job: dict, seconds: float) -> dict[str, Item]:
        """Do a job, each item in at most `seconds`. Where a process ends early, another does what is left."""
        items, found = job["items"], {}
        while left := {name: what for name, what in items.items() if name not in found}:
            with tempfile.TemporaryDirectory(prefix="grading-", ignore_cleanup_errors=True) as folder:
                limits = {"folder": folder, "memory": self.memory, "seconds": int(seconds * len(left)) + 5}
                with self._started(job | limits | {"items": left}) as lines:
                    found |= _listened(lines, list(left), seconds)
        return found

    @contextlib.contextmanager
    def _started(self, job: dict) -> Iterator["_Lines"]:
        reader, writer = os.pipe()
        number = None
        try:
            number = (self._forked if CAN_FORK else self._started_alone)(json.dumps(job).encode(), writer)
            os.close(writer)
            writer = None
            yield _Lines(reader)
        finally:
            if writer is not None:
                os.close(writer)
            if number is not None:
                _end(number)

    def _started_alone(self, job: bytes, writer: int) -> int:
        process = _program("once", stdin=subprocess.PIPE, stdout=writer)
        process.stdin.write(job)
        process.stdin.close()
        return process.pid

    def _forked(self, job: bytes, writer: int) -> int:
        """Number of a fork of the server; one that a notebook has ended is started again."""
        for _ in range(2):
            with contextlib.suppress(OSError, struct.error):
                self._serve()
                socket.send_fds(self._control, [struct.pack("!Q", len(job))], [writer])
                self._control.sendall(job)
                return struct.unpack("!Q", self._control.recv(8, socket.MSG_WAITALL))[0]
            self._stop()
        raise RuntimeError("the process for handed-in notebooks cannot be started")

    def _serve(self) -> None:
        if self._server is None or self._server.poll() is not None:
            self._stop()
            self._control, theirs = socket.socketpair()
            self._control.settimeout(START)
            self._server = _program("serve", stdin=theirs, stdout=subprocess.DEVNULL)
            theirs.close()

    def _stop(self) -> None:
        if self._control is not None:
            self._control.close()
        if self._server is not None:
            self._server.kill()
            self._server.wait()
        self._server = self._control = None


def _program(mode: str, **streams) -> subprocess.Popen:
    """`helper.py` in a session of its own. Sets have the same order in each session, or cases might differ."""
    command = [sys.executable, "-m", f"{__package__}.helper", mode]
    surroundings = os.environ | {"PYTHONHASHSEED": "0"}
    return subprocess.Popen(
        command, env=surroundings, stderr=subprocess.DEVNULL, start_new_session=True, **streams
    )


class _Lines:
    """Messages from a pipe, read by a thread so that nobody waits for one longer than allowed."""

    def __init__(self, reader: int):
        self._queue: queue.Queue = queue.Queue()
        self._reader, self.too_many = reader, False
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        left = MOST
        with os.fdopen(self._reader, "rb") as file, contextlib.suppress(OSError):
            while left > 0 and (line := file.readline(LONGEST_LINE)).endswith(b"\n"):
                left -= len(line)
                self._queue.put(line)
        self.too_many = left <= 0
        self._queue.put(None)

    def next(self, until: float) -> dict | None:
        """The next message; None at the end. Raises queue.Empty at the time `until`, ValueError for no message."""
        line = self._queue.get(timeout=max(0.0, until - time.monotonic()))
        message = {} if line is None else json.loads(line)
        if not isinstance(message, dict):
            raise ValueError(f"expected a message, got {type(message).__name__}")
        return None if line is None else message


def _listened(lines: _Lines, names: list[str], seconds: float) -> dict[str, Item]:
    """What a process sends about the items with these names, in order, up to the first that it does not end."""
    found: dict[str, Item] = {}
    begun, messages, until, ready = time.monotonic(), [], time.monotonic() + START, False
    while len(found) < len(names):
        name, ended = names[len(found)], ""
        try:
            message = lines.next(until)
            if message is None:
                ended = "its process ended" if ready else "its process could not start"
                ended = "its answers are too large" if lines.too_many else ended
        except queue.Empty:
            ended = (
                f"no answer within {seconds:.3g} seconds" if ready else "its process took too long to start"
            )
        except ValueError:
            ended = "its messages cannot be read"
        now = time.monotonic()
        if ended or "end" in message:
            found[name] = Item(messages, now - begun, ended, ready)
            if ended:
                return found
        elif ready:
            messages.append(message)
            continue
        ready, begun, messages, until = True, now, [], now + seconds
    return found


def _end(number: int) -> None:
    """Kill a process and those that it has started, unless they have left its group."""
    for end in (getattr(os, "killpg", None), os.kill):
        with contextlib.suppress(OSError):
            if end:
                end(number, getattr(signal, "SIGKILL", signal.SIGTERM))
    if not CAN_FORK:
        with contextlib.suppress(OSError):
            os.waitpid(number, 0)
