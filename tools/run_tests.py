"""Run the notebooks against their stored outputs, then the tests. Options are pytest's, and choose in both.

The notebooks come first because they train the lessons' networks: JupyterLab's tests then find them.

run_tests.py                              everything
run_tests.py -k crf                       tests and notebooks with that in their names
run_tests.py tests/crf -x                 what is under these paths, and nothing else
run_tests.py notebooks/02_dilated_convolution.ipynb
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TESTS = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]
NOTEBOOKS = [
    "-n",
    "2",
    "--nbval",
    "--nbval-current-env",
    "--nbval-cell-timeout=900",
    "-p",
    "no:cacheprovider",
]
ONE_PROCESS_EACH = ["--dist", "loadfile"]  # the cells of a notebook share a kernel, and run in order
FROM_LAST_RUN = {
    "--lf",
    "--last-failed",
    "--ff",
    "--failed-first",
    "--nf",
    "--new-first",
    "--sw",
    "--stepwise",
}
CHOOSING = (
    "-k",
    "-m",
    "--deselect",
    "--ignore",
    *FROM_LAST_RUN,
)  # options that may leave nothing of one part
NO_TESTS_RAN = 5  # pytest's exit status


def split(words):
    """Paths in tests/, paths in notebooks/, and the words that are options."""
    paths = {"tests": [], "notebooks": []}
    options = []
    for word in words:
        folder = Path(word.partition("::")[0]).parts[:1]
        paths.get(folder[0] if folder else "", options).append(word)
    return paths["tests"], paths["notebooks"], options


def commands(words):
    """What to run: for the notebooks, and for the tests, a command or None."""
    tests, notebooks, options = split(words)
    pytest = [sys.executable, "-m", "pytest"]
    return (
        [*pytest, *(notebooks or ["notebooks"]), *NOTEBOOKS, *options, *ONE_PROCESS_EACH]
        if notebooks or not (tests or FROM_LAST_RUN & set(options))
        else None,
        [*pytest, *(tests or ["tests"]), *TESTS, *options] if tests or not notebooks else None,
    )


def main(words):
    """Run both parts; return pytest's exit status. A part without any test fails, if no option chose among them."""
    status, forgiven = NO_TESTS_RAN, NO_TESTS_RAN if any(word.startswith(CHOOSING) for word in words) else 0
    for command in commands(words):
        if command:
            done = subprocess.run(command, cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"}).returncode
            if done not in (0, forgiven):
                return done
            status = min(status, done)
    if status == NO_TESTS_RAN:
        print(f"No test and no notebook is chosen by: {' '.join(words)}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
