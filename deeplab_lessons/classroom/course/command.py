"""`deeplab-lessons lab`: the lessons in a folder of the learner's, opened in JupyterLab."""

import argparse
import io
import sys
from collections.abc import Sequence
from pathlib import Path

from deeplab_lessons import runtime
from deeplab_lessons.classroom.course import RECORD, ROOT, installation

ABOUT = "copy the lessons into a folder of yours and open them in JupyterLab"
FOLDER = "deeplab-course"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str):
        _refuse(f"{message.removeprefix('argument ')} (see {self.prog} --help)")
        raise SystemExit(2)


def _port(text: str) -> int:
    if text.isdecimal() and int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError(f"must be a whole number from 0 to 65535, got {text!r}")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        "deeplab-lessons lab",
        description="Copy the lessons into a folder of yours, if they are not there yet, and open them in JupyterLab. "
        "Lessons in which you have written stay as they are; a newer edition is put next to them.",
    )
    parser.add_argument("folder", nargs="?", type=Path, metavar="FOLDER",
                        help=f"folder for the lessons (default: {FOLDER}, or the working folder if it has them; "
                        "in a checkout its own notebooks)")  # fmt: skip
    parser.add_argument("--check", action="store_true", help="only say what is installed and what is missing")
    parser.add_argument("--copy-only", action="store_true", help="do not open JupyterLab")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    parser.add_argument("--ip", help="address at which JupyterLab listens (default: this machine only)")
    parser.add_argument("--port", type=_port, help="port of JupyterLab (default: 8888, or the next free one)")
    return parser


def main(arguments: Sequence[str]) -> int:
    """Run `deeplab-lessons lab`; return its exit code: 1 if something is missing or fails, 2 for wrong options."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names may hold what the terminal cannot show
    try:
        options = _parser().parse_args(arguments)
        if options.check:
            return check()
        if faults := installation.faults():
            return _refuse(f"{', '.join(faults)}: run {installation.INSTALL}")
        return _open(options)
    except SystemExit as stop:  # of argparse, after --help or a wrong option
        return int(stop.code or 0)
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130


def _open(options: argparse.Namespace) -> int:
    # they need what `check` may find missing
    from deeplab_lessons.classroom.course import delivery, jupyterlab

    folder = folder_of(options.folder)
    try:
        if folder.resolve() != ROOT.resolve():
            print(delivery.deliver(folder).in_words(folder), end="")
    except ValueError as error:
        return _refuse(str(error))
    except OSError as error:
        ours = error.strerror is None  # and not the system's
        why = str(error) if ours else f"{error.filename or folder} cannot be written: {error.strerror}"
        return _refuse(f"{why}. Choose another folder: deeplab-lessons lab FOLDER")
    jupyterlab.trust_notebooks(folder / "notebooks")
    if options.copy_only:
        return 0
    more = ["--no-browser"] * options.no_browser
    more += [f"--ip={options.ip}"] if options.ip is not None else []
    more += [f"--port={options.port}"] if options.port is not None else []
    return jupyterlab.open_lab(folder, *more)


def folder_of(given: Path | None) -> Path:
    """Return the folder to open: the one that was given, else a checkout's own, the working folder, or a new one."""
    if given is not None:
        return given.expanduser()
    if root := runtime.checkout():
        return root
    return Path() if Path(RECORD).is_file() else Path(FOLDER)


def check() -> int:
    """Print what is installed, and what to do where something is missing; return 1 if something is."""
    print(installation.table())
    wrong = [*installation.faults(), *installation.not_loaded()]
    if not wrong:
        print(f"Everything is here. The course has its files in {ROOT}")
        return 0
    print("\n".join(["", *wrong, "", f"To install what is missing or too old: {installation.INSTALL}"]))
    return 1


def _refuse(message: str) -> int:
    print(f"deeplab-lessons: {message}", file=sys.stderr)
    return 1
