"""The course in one wheel: what it holds, and that it works in an environment that has never seen the repository."""

import os
import re
import shutil
import socket
import subprocess
import sys
import tomllib
import urllib.request
import venv
import zipfile
from pathlib import Path

import pytest
from labs import wait_for
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LAB = [Requirement(text).name for text in PROJECT["optional-dependencies"]["lab"]]
COURSE = "deeplab_lessons/classroom/course"
OURS = Path(pytest.__file__).parents[1]  # the packages of the environment in which tests run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built as `make dist` does, from a copy, so that nothing is left in the checkout."""
    home = tmp_path_factory.mktemp("wheel")
    for name in ("deeplab_lessons", "notebooks", "lessons", "tools"):
        shutil.copytree(ROOT / name, home / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, home)
    words = ["wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", "dist", "."]
    subprocess.run([sys.executable, "-m", "pip", *words], cwd=home, check=True)
    (path,) = (home / "dist").iterdir()
    return path


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    """Make an environment with the wheel and our packages but some, and return how to run its programs in a folder.

    The checkout is not among them: what an editable installation puts into a .pth is read only in the environment's own
    folder.
    """

    def make(*absent):
        home = tmp_path_factory.mktemp("environment")
        venv.create(home / "venv", symlinks=os.name != "nt")
        programs = home / "venv" / ("Scripts" if os.name == "nt" else "bin")
        words = ["install", "--quiet", "--no-deps", "--no-compile", "--disable-pip-version-check"]
        subprocess.run(
            [sys.executable, "-m", "pip", "--python", programs / "python", *words, wheel], check=True
        )
        packages = home / "packages"
        packages.mkdir()
        for path in OURS.iterdir():
            if not path.name.startswith((*absent, "deeplab_lessons", "__editable__")):
                (packages / path.name).symlink_to(path)
        (site,) = (home / "venv").rglob("site-packages")
        (site / "borrowed.pth").write_text(f"{packages}\n")
        lab = Path(sys.prefix) / "share" / "jupyter" / "lab"
        given = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        given |= {"JUPYTERLAB_DIR": str(lab), "JUPYTER_TOKEN": "token", "OMP_NUM_THREADS": "1"}
        given |= {name: str(home / name) for name in ("JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "IPYTHONDIR")}

        def start(folder, program, *arguments, **more):
            return subprocess.Popen(
                [programs / program, *arguments], cwd=folder, env=given, text=True, **more
            )

        return start

    return make


@pytest.fixture(scope="module")
def complete(environment):
    return environment()


def run(start, folder, *words):
    """Exit code, and what was said."""
    with start(folder, *words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        said = process.communicate()[0]
    return process.returncode, said


def test_it_holds_the_course_and_is_below_15_mb(wheel):
    assert wheel.stat().st_size < 15 * 2**20
    names = set(zipfile.ZipFile(wheel).namelist())
    for pattern in ("notebooks/*.ipynb", "lessons/images/*", "lessons/results/*.json"):
        inside = {f"{COURSE}/{path.relative_to(ROOT).as_posix()}" for path in ROOT.glob(pattern)}
        assert inside and inside <= names
    assert {f"{COURSE}/tools/built_outputs.json", f"{COURSE}/settings/overrides.json"} < names
    package = {path.relative_to(ROOT).as_posix() for path in (ROOT / "deeplab_lessons").rglob("*.py")}
    assert {name for name in names if name.endswith(".py")} == package


RUN = """
import nbformat, sys
from nbclient import NotebookClient
from nbformat.sign import NotebookNotary

path = "notebooks/02_dilated_convolution.ipynb"
notebook = nbformat.read(path, as_version=4)
print("trusted:", NotebookNotary().check_signature(notebook))
notebook.cells.append(nbformat.v4.new_code_cell(sys.argv[1]))
NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": "notebooks"}}).execute()
print("".join(output.text for output in notebook.cells[-1].outputs if output.name == "stdout"))
"""


LAST_CELL = """
import deeplab_lessons
from deeplab_lessons.classroom.course import stored_results
from deeplab_lessons.classroom.predictions import lesson11

print("runs from", deeplab_lessons.__file__)
print("stored:", *stored_results("lesson09"), lesson11.lied_to.answer.value)
"""


def test_lesson_02_runs_without_the_repository(complete, tmp_path):
    """Copied by `deeplab-lessons lab`, run in the learner's folder with the wheel's package and its stored results."""
    code, said = run(complete, tmp_path, "deeplab-lessons", "lab", "--copy-only")
    assert (code, said) == (0, "Copied 15 lessons to deeplab-course\n")
    code, said = run(complete, tmp_path / "deeplab-course", "python", "-c", RUN, LAST_CELL)
    assert code == 0 and "trusted: True" in said, said
    (line,) = (line for line in said.splitlines() if line.startswith("runs from "))
    assert "site-packages" in line and str(ROOT) not in line
    assert re.search(r"^stored: .*\bruns\b.* to about \d+%$", said, re.M), said


def test_jupyterlab_opens_a_folder_with_spaces_and_other_letters(complete, tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = ("lab", "Mein Kurs, März", "--no-browser", "--port", str(port))
    with (tmp_path / "log").open("w") as log:
        process = complete(tmp_path, "deeplab-lessons", *words, stdout=log, stderr=subprocess.STDOUT)
    try:
        lesson = f"http://127.0.0.1:{port}/api/contents/notebooks/00_start_here.ipynb?content=0&token=token"
        wait_for(lesson, process, tmp_path / "log", seconds=300)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/?token=token") as reply:
            assert reply.url.partition("?")[0].endswith("/lab/tree/notebooks/00_start_here.ipynb")
    finally:
        process.terminate()
        process.wait(20)


REFINE = """
import torch
from deeplab_lessons.classroom import commands
from deeplab_lessons.crf import refine

print(refine(torch.randn(3, 20, 30), torch.zeros(3, 20, 30, dtype=torch.uint8)).shape)
commands.main(["--help"])
"""


def test_without_lab_the_library_works_and_says_how_to_get_the_lessons(environment, tmp_path):
    alone = environment(*LAB)
    code, said = run(alone, tmp_path, "python", "-c", REFINE)
    assert code == 0 and "torch.Size([3, 20, 30])" in said and "\n    lab " in said, said
    code, said = run(alone, tmp_path, "deeplab-lessons", "lab")
    assert code == 1 and all(f"{name} missing" in said for name in LAB) and not list(tmp_path.iterdir())
    assert 'pip install "deeplab-lessons[lab]"' in said
