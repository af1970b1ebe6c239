"""The program of answering and judging processes: `python -m deeplab_lessons.classroom.grading.helper`.

Where a process can fork, one server loads torch once and makes every job a fork of itself: `helper serve`, with a
socket as its standard input. Elsewhere each job is a program of its own: `helper once`, the job on standard input.
"""

import contextlib
import gc
import importlib
import json
import os
import signal
import socket
import struct
import sys

import torch

from deeplab_lessons.classroom.grading import answering, judging
from deeplab_lessons.classroom.grading.lessons import EXERCISES

TASKS = {"answer": answering.answer, "judge": judging.judge}
LARGEST_FILE = 50_000_000  # bytes of a file that a notebook may write


def main() -> None:
    """Serve jobs, or do one."""
    if sys.argv[1:] == ["serve"]:
        serve(socket.socket(fileno=os.dup(0)))
    else:
        perform(json.loads(sys.stdin.buffer.read()), os.dup(1))


def serve(control: socket.socket) -> None:
    """Take jobs, each with the pipe for its messages, and answer with the number of the process that does it."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    gc.freeze()  # or the collector of each fork would copy all that it shares with this process
    while True:
        header, pipes, *_ = socket.recv_fds(control, 8, 1)
        if len(header) < 8:
            return
        job = json.loads(_exactly(control, struct.unpack("!Q", header)[0]))
        importlib.import_module(f"{EXERCISES}.{job['lesson']}")  # once, for the jobs that follow
        number = os.fork()
        if not number:
            control.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setsid()
            perform(job, pipes[0])
        os.close(pipes[0])
        control.sendall(struct.pack("!Q", number))


def perform(job: dict, pipe: int) -> None:
    """Do a job under its limits, its messages as lines of JSON in `pipe`; never returns."""
    channel = os.fdopen(pipe, "w", encoding="ascii")

    def say(**message: object) -> None:
        channel.write(json.dumps(message) + "\n")
        channel.flush()

    with contextlib.suppress(BaseException):
        _confine(job["folder"], job["seconds"], job["memory"])
        TASKS[job["task"]](job, say)
    os._exit(0)


def _confine(folder: str, seconds: int, memory: int) -> None:
    """Work in an empty folder, silently, on one core, with that much time and memory."""
    os.chdir(folder)
    home = {name: folder for name in ("HOME", "USERPROFILE", "TMPDIR", "TEMP", "MPLCONFIGDIR", "IPYTHONDIR")}
    os.environ.update(home, MPLBACKEND="Agg", DEEPLAB_LESSONS_DEVICE="cpu", DEEPLAB_LESSONS_PROGRESS="off")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nowhere, stream)
    sys.dont_write_bytecode = True
    sys.path[:] = [entry for entry in sys.path if entry]
    torch.set_num_threads(1)
    with contextlib.suppress(ImportError):
        import resource

        limits = {"CPU": seconds, "DATA": memory, "FSIZE": LARGEST_FILE, "CORE": 0}
        for name, most in limits.items():
            kind = getattr(resource, f"RLIMIT_{name}")
            _, hard = resource.getrlimit(kind)
            most = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(kind, (most, most))


def _exactly(control: socket.socket, count: int) -> bytes:
    parts = []
    while count:
        parts.append(control.recv(min(count, 1 << 20)))
        if not parts[-1]:
            raise EOFError
        count -= len(parts[-1])
    return b"".join(parts)


if __name__ == "__main__":
    main()
