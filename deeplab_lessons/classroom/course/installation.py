"""What of the course's requirements is installed here, without loading any of it, and what to do about the rest."""

import importlib
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata

DISTRIBUTION = "deeplab-lessons"
INSTALL = f'"{sys.executable}" -m pip install "{DISTRIBUTION}[lab]"'
#: Large packages with parts of the system's: a version that is installed may still be one that cannot be loaded.
LOADED = ("torch", "torchvision")
_REQUIREMENT = re.compile(r"([\w.-]+?) *>=([\d.]+)(?:; extra == [\"']lab[\"'])?")


@dataclass(frozen=True)
class Need:
    """One requirement: its name, the least version, the version that is here (None if there is none)."""

    name: str
    least: str
    here: str | None

    @property
    def fault(self) -> str:
        """Return "missing", "too old", or nothing for one that is met."""
        if self.here is None:
            return "missing"
        return "too old" if _numbers(self.here) < _numbers(self.least) else ""


def needs() -> list[Need]:
    """Return Python and what the library and the extra `lab` require, from the metadata of the installed package."""
    about = metadata.metadata(DISTRIBUTION)
    python = about["Requires-Python"].removeprefix(">=")
    found = [Need("Python", python, ".".join(map(str, sys.version_info[:3])))]
    for text in about.get_all("Requires-Dist") or []:
        if requirement := _REQUIREMENT.fullmatch(text):
            name, least = requirement.groups()
            found.append(Need(name, least, _version(name)))
    return found


def faults() -> list[str]:
    """Return a line for each requirement that is not met."""
    return [f"{need.name} {need.fault}" for need in needs() if need.fault]


def not_loaded() -> Iterator[str]:
    """Load the packages that may be installed and yet not work; yield a line for each that does not."""
    for name in LOADED:
        if _version(name):
            try:
                importlib.import_module(name)
            except (
                Exception
            ) as error:  # of any kind: parts of the system that are missing, or of another version
                reason = str(error).strip().partition("\n")[0]
                yield f"{name} is installed and cannot be loaded: {reason or type(error).__name__}"


def table() -> str:
    """Return what is here and what is needed, a line for each requirement."""
    rows = [(need.name, need.here or "–", f"{need.least} or newer", need.fault) for need in needs()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _numbers(version: str) -> tuple[int, ...]:
    """The leading numbers of a version, without zeros at the end: 2.11.0+cpu is as old as 2.11."""
    numbers = [int(part) for part in re.match(r"\d+(\.\d+)*", version)[0].split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)
