"""How the notebooks are judged: whatever keeps one from being run to its end is a failure, and the cell is named."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.slow

LIMIT = 4  # seconds for a cell
SLEEP = "import time\ntime.sleep(60)"
CELLS = {
    "fine": "import sys\nprint('busy', file=sys.stderr)",
    "sleeps": SLEEP,
    # As a training of the course does: stop at an interrupt, and go on with what is there.
    "catches": "import time\ntry:\n    time.sleep(60)\nexcept KeyboardInterrupt:\n    pass",
    "may_raise": f"# NBVAL_RAISES_EXCEPTION\n{SLEEP}",
    "dies": "import os\nos._exit(1)",
}


def write(path, *sources):
    outputs = {"print(1)": [new_output("stream", text="1\n")]}
    cells = [
        new_code_cell(source, execution_count=place + 1, outputs=outputs.get(source, []))
        for place, source in enumerate(sources)
    ]
    nbformat.write(new_notebook(cells=cells), path)


def judge(folder, *more, **environment):
    """Run nbval on the notebooks in `folder` by the course's rules: the exit status, and what is said."""
    shutil.copy(ROOT / "notebooks" / "conftest.py", folder)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-ra",
        "-v",
        "--color=no",
        "--nbval",
        "--nbval-current-env",
        *more,
    ]
    command += [f"--nbval-cell-timeout={LIMIT}", "-p", "no:cacheprovider", f"--rootdir={folder}", str(folder)]
    done = subprocess.run(command, cwd=folder, env=os.environ | environment, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """All of CELLS, each between cells that print 1 and pass, in one run: what became of every notebook's cells."""
    folder = tmp_path_factory.mktemp("notebooks")
    for name, cell in CELLS.items():
        write(folder / f"{name}.ipynb", "print(1)", cell, "print(1)", "print(1)")
    status, said = judge(folder)
    assert status == 1, said
    found = re.findall(r"(\w+)::ipynb::Cell \d (PASSED|FAILED|SKIPPED|ERROR|XFAIL|XPASS)\b", said)
    return {name: [outcome for other, outcome in found if other == name] for name in CELLS}, said


@pytest.mark.parametrize("name", ["sleeps", "catches", "may_raise"])
def test_a_cell_that_runs_into_its_time_limit_fails_and_the_rest_is_not_run(judged, name):
    outcomes, said = judged
    assert outcomes[name] == ["PASSED", "FAILED", "SKIPPED", "SKIPPED"], said
    assert f"{name}.ipynb::Cell 1 __" in said, "the cell is named"
    assert (
        f"Timeout of {LIMIT} seconds exceeded" in said
        and "not run: a cell above ran into its time limit" in said
    )


def test_a_kernel_that_dies_fails_its_cell_at_once_and_all_after_it(judged):
    outcomes, said = judged
    assert outcomes["dies"] == ["PASSED", "FAILED", "FAILED", "FAILED"], said
    assert "the kernel died in this cell" in said


def test_a_notebook_that_nothing_keeps_passes_in_the_same_run(judged):
    outcomes, said = judged
    assert outcomes["fine"] == ["PASSED"] * 4, said


def test_a_kernel_that_cannot_start_fails_every_cell(tmp_path):
    write(tmp_path / "fine.ipynb", "print(1)", "print(1)")
    (tmp_path / "ipykernel_launcher.py").write_text("raise SystemExit('no kernel today')")
    status, said = judge(tmp_path, "--nbval-kernel-startup-timeout=60", PYTHONPATH=str(tmp_path))
    assert status == 1 and "2 errors" in said and "passed" not in said, said


def test_a_notebook_without_code_is_refused_and_one_that_cannot_be_read(tmp_path):
    write(tmp_path / "empty.ipynb")
    (tmp_path / "torn.ipynb").write_text('{"cells": [')
    status, said = judge(tmp_path)
    assert status == 2 and "empty.ipynb has no code cell" in said and "ERROR torn.ipynb" in said, said
