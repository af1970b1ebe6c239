"""What is installed, read from metadata: of the real package, and of made-up ones."""

from email.message import Message
from importlib import metadata

import pytest

from deeplab_lessons.classroom.course import installation
from deeplab_lessons.classroom.course.installation import Need


@pytest.fixture
def installed(monkeypatch):
    """Stand-ins for the metadata: what the course requires, and the versions that are here."""

    def set_up(*requires, **versions):
        about = Message()
        about["Requires-Python"] = ">=3.11"
        for text in requires:
            about["Requires-Dist"] = text

        def version(name):
            if name not in versions:
                raise metadata.PackageNotFoundError(name)
            return versions[name]

        monkeypatch.setattr(metadata, "metadata", lambda _: about)
        monkeypatch.setattr(metadata, "version", version)

    return set_up


def test_every_requirement_of_the_library_and_of_lab_is_looked_at():
    texts = metadata.metadata("deeplab-lessons").get_all("Requires-Dist")
    wanted = [text for text in texts if "extra" not in text or "lab" in text.partition("extra ==")[2]]
    names = [need.name for need in installation.needs()]
    assert names[0] == "Python" and {"torch", "jupyterlab", "anywidget"} < set(names)
    assert len(names) == 1 + len(wanted) and not installation.faults()


def test_what_is_missing_or_too_old_is_named(installed):
    quoted = "anywidget>=0.9.13; extra == 'lab'"
    installed(
        "torch>=2.11", 'jupyterlab>=4.4; extra == "lab"', quoted, 'ruff>=1; extra == "test"',
        torch="2.9.1+cpu", jupyterlab="4.10.0",
    )  # fmt: skip
    assert installation.faults() == ["torch too old", "anywidget missing"]
    lines = installation.table().splitlines()
    assert lines[1].split() == ["torch", "2.9.1+cpu", "2.11", "or", "newer", "too", "old"]
    assert lines[2].split() == ["jupyterlab", "4.10.0", "4.4", "or", "newer"]
    assert lines[3].split() == ["anywidget", "–", "0.9.13", "or", "newer", "missing"]
    assert len(lines) == 4


@pytest.mark.parametrize(
    ("here", "fault"),
    [("2.11", ""), ("2.11.0", ""), ("2.11.0a0+git1", ""), ("3", ""), ("2.9", "too old"), ("2", "too old")],
)
def test_versions_are_compared_as_numbers(here, fault):
    assert Need("torch", "2.11.0", here).fault == fault


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError("[WinError 126] Error loading c10.dll\nor one of its parts"), "Error loading c10.dll"),
        (ImportError(), "ImportError"),
    ],
)
def test_a_package_that_cannot_be_loaded_is_named_with_its_reason(installed, monkeypatch, error, reason):
    installed(torch="2.11")

    def broken(name):
        raise error

    monkeypatch.setattr(installation.importlib, "import_module", broken)
    (line,) = installation.not_loaded()
    assert line.startswith("torch is installed and cannot be loaded: ") and line.endswith(reason)
