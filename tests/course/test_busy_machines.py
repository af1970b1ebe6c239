"""GOMP_SPINCOUNT is set before torch is loaded, whichever way the course is started: torch reads it only then."""

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from deeplab_lessons.classroom.course import jupyterlab

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = (ROOT / "benchmarks", ROOT / "lessons" / "results", ROOT / "tools")
SCRIPTS = [
    path for folder in FOLDERS for path in sorted(folder.glob("*.py")) if "import torch" in path.read_text()
]
LESSONS = sorted((ROOT / "lessons").glob("[0-9][0-9]_*.md"))
#: Stands in for torch: says what torch would read, and ends the process.
TORCH = "import os; print(os.environ.get('GOMP_SPINCOUNT'), flush=True); os._exit(0)"
RUN = "import runpy, sys; sys.path.insert(0, sys.argv[2]); runpy.run_path(sys.argv[1])"


def first_cell(lesson):
    return re.search(r"```\{code-cell\}[^\n]*\n(.*?)```", lesson.read_text(encoding="utf-8"), re.DOTALL)[1]


DOORS = {
    "the package": ["-c", "import deeplab_lessons, torch"],
    "the command line": ["-m", "deeplab_lessons.cli", "--help"],
    "the installed command": ["-c", "from deeplab_lessons.cli import main"],
    **{path.stem: ["-c", first_cell(path)] for path in LESSONS},
    **{str(path.relative_to(ROOT)): ["-c", RUN, str(path), str(path.parent)] for path in SCRIPTS},
}


@pytest.fixture
def read_by_torch(tmp_path):
    """What torch reads when a command of Python's loads it; `own` is what the user has set."""
    (tmp_path / "torch.py").write_text(TORCH)

    def read(words, own=None):
        environment = {name: value for name, value in os.environ.items() if name != "GOMP_SPINCOUNT"}
        environment |= {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
        environment |= {} if own is None else {"GOMP_SPINCOUNT": own}
        done = subprocess.run([sys.executable, *words], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return read


@pytest.mark.parametrize("door", DOORS)
def test_torch_finds_the_variable_set(read_by_torch, door):
    assert read_by_torch(DOORS[door]) == "1000"


@pytest.mark.parametrize("own", ["7", "infinity"])
@pytest.mark.parametrize("door", ["the package", "the command line", "02_dilated_convolution"])
def test_the_users_own_value_is_kept(read_by_torch, door, own):
    assert read_by_torch(DOORS[door], own) == own


def test_torch_alone_finds_nothing(read_by_torch):
    assert read_by_torch(["-c", "import torch, deeplab_lessons"]) == "None"


def test_make_and_jupyterlab_set_it_for_notebooks_of_the_readers_own(monkeypatch):
    assert "\nexport GOMP_SPINCOUNT ?= 1000\n" in (ROOT / "Makefile").read_text()
    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)
    assert jupyterlab.lab_environment()["GOMP_SPINCOUNT"] == "1000"


def test_the_tests_themselves_have_it():
    assert os.environ["GOMP_SPINCOUNT"]


@pytest.mark.slow
def test_gnu_openmp_reads_what_the_package_sets():
    """Where torch brings that library, which prints its settings."""
    shown = {}
    for line in ("import torch", "import deeplab_lessons, torch"):
        environment = os.environ | {"OMP_DISPLAY_ENV": "VERBOSE", "PYTHONPATH": str(ROOT)}
        environment.pop("GOMP_SPINCOUNT", None)
        done = subprocess.run([sys.executable, "-c", line], env=environment, capture_output=True, text=True)
        shown[line] = re.findall(r"GOMP_SPINCOUNT = '(\d+)'", done.stdout + done.stderr)
    if not shown["import torch"]:
        pytest.skip("this torch does not use GNU OpenMP")
    assert shown["import torch"] != ["1000"] == shown["import deeplab_lessons, torch"]


def test_the_benchmark_divides_by_the_quiet_training_of_the_same_round():
    row = runpy.run_path(str(ROOT / "benchmarks" / "busy.py"))["row"]
    rates = {(0, "default"): [10, 20, 16], (2, "default"): [1, 1, 1.6], (2, "course"): [5, 8, 4]}
    assert row(rates, 2) == "| 2 | 1 | 5 | 0.10 (0.05 … 0.10) | 0.40 (0.25 … 0.50) |"
