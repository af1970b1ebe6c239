"""What the library says, in the words of the command line: options instead of arguments."""

import argparse
import re
from collections.abc import Iterator
from contextlib import contextmanager

from deeplab_lessons.cli_options import COMMANDS, EXPERIMENTS, UsageError, name_of

#: What the library says to somebody who writes Python, and what the command line says instead.
_PHRASES = {
    "resume=False": "--new",
    "the folder as the first argument": "the folder with --root",
    "Build that model yourself, then model.load_state_dict(load_checkpoint(path)['model']); or train with "
    "about={'model': {...}}": "Pass one that deeplab-lessons train wrote",
}


@contextmanager
def as_usage(options: argparse.Namespace, *errors: type[Exception]) -> Iterator[None]:
    """Within this block, raise such errors as UsageError: what was typed does not fit."""
    try:
        yield
    except errors as error:
        raise UsageError(in_options(str(error), options)) from None


def in_options(message: str, options: argparse.Namespace) -> str:
    """Say a message of the library in the words of a command, on one line: `lr=1` as --lr 1, `amp=True` as --amp."""
    flags = {name_of(flag): flag for flag, *_ in COMMANDS[options.command][1]}
    typed = str([value for name, value in vars(options).items() if name not in ("which", "given")])

    def option(found: re.Match) -> str:
        name, value = found.groups()
        part_of_a_name = found[0] in typed or name in EXPERIMENTS
        if part_of_a_name or not (value or "_" in name):
            return found[0]
        flag = flags.get(name, name.replace("_", " "))
        plain = {None: flag, "True": flag, "False": f"no {flag}", "None": f"no {flag}"}
        return plain.get(value, f"{flag} {_typed(value) if flag in flags.values() else value}")

    message = message.strip("\n").partition("\n")[0].rstrip()
    for name, flag in flags.items():
        message = re.sub(rf"(?<=[:;] ){name} was ", f"{flag} was ", message)
        message = re.sub(rf"\b{name}= ", f"{flag} ", message)
    for python, shell in _PHRASES.items():
        message = message.replace(python, shell)
    value = r"\{.*?\}|\[\[.*?\]\]|\[.*?\]|\(.*?\)|'[^']*'|[^\s,;)]*[^\s,;:.)]"
    said = re.sub(rf"(?<![\w./\\'-])([a-z_]+)(?:=({value}))?(?![\w(/]|\.\w)", option, message)
    return re.sub(r"(--[a-z-]+ \S+) \(\1\)", r"\1", said)  # suggestions that are made in both languages


def _typed(value: str | None) -> str:
    """A value of Python as it is typed: {0: 0, 255: 1} as 0:0,255:1, [[0, 0, 0], [9, 0, 0]] as 0,0,0:9,0,0."""
    short = re.sub(r"\],\s*\[", ":", str(value))
    return re.sub(r"""[][{}()'"]|(?<=[:,])\s+""", "", short) if short[0] in "{[('" else short
