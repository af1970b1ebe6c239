"""The course in JupyterLab: this machine only, with a token, on the start page, its own notebooks trusted."""

import hashlib
import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from deeplab_lessons.classroom.course import ROOT

BUILT = ROOT / "tools" / "built_outputs.json"  # lesson -> digest of what `make notebooks` stored for it
EXTENSIONS = Path(__file__).parents[1] / "lab_extensions"  # images get their alternative text
SETTINGS = Path(__file__).with_name("settings")  # what JupyterLab begins with: no news, no look for updates
START = "lab/tree/notebooks/00_start_here.ipynb"


def lab_command(folder: Path, *more: str) -> list[str]:
    """Return the command line that opens a folder; `more` are options of the caller, which come last and win."""
    words = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--ip=127.0.0.1",
        f"--ServerApp.root_dir={folder.resolve()}",
        f"--LabApp.default_url=/{START}",
        f"--LabApp.app_settings_dir={SETTINGS}",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
        f"--LabApp.extra_labextensions_path={EXTENSIONS}",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        words.append("--allow-root")
    return [*words, *more]


def lab_environment() -> dict[str, str]:
    """Return variables that make this environment's kernel the one that "Python 3" means, and spare a busy machine.

    GOMP_SPINCOUNT: how long a thread of PyTorch's waits at full speed. The default makes trainings crawl as soon
    as another process computes.
    """
    return {"GOMP_SPINCOUNT": "1000"} | os.environ | {"JUPYTER_PREFER_ENV_PATH": "1"}


def digest(notebook: dict) -> str:
    """Return the SHA-256 of what a trusted notebook may run when it is opened: outputs and the state of widgets."""
    outputs = [cell["outputs"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    stored = json.dumps([outputs, notebook["metadata"].get("widgets")], sort_keys=True)
    return hashlib.sha256(stored.encode()).hexdigest()


def trust_notebooks(folder: Path) -> None:
    """Sign the notebooks whose outputs the course has built: their widgets are alive before the first cell is run.

    Any other may hold scripts of somebody else's; JupyterLab signs the reader's own when it saves what it ran.
    """
    from nbformat import read
    from nbformat.sign import NotebookNotary

    built = set(json.loads(BUILT.read_text(encoding="utf-8")).values())
    try:
        notary = NotebookNotary()
        notary.secret  # noqa: B018  # written when it is first read
    except OSError as error:  # a home that is not there or belongs to somebody else, as in some containers
        print(
            f"{error.filename} cannot be written, so the lessons are not marked as trusted, and JupyterLab may not "
            "start: set JUPYTER_DATA_DIR to a folder that you can write to"
        )
        return
    for path in sorted(folder.glob("*.ipynb")):
        try:
            notebook = read(path, as_version=4)
            if digest(notebook) in built:
                notary.sign(notebook)
        except Exception as error:  # JupyterLab refuses it in its own words, and opens the others
            print(f"{path.name} is not a notebook that can be read: {error}")


def open_lab(folder: Path, *more: str) -> int:
    """Open a folder in JupyterLab, and return its exit code when it ends; where the system can, become JupyterLab."""
    print("Opening the course in JupyterLab. If no browser window comes, open the address printed below.")
    print("Ctrl-C here ends it; your notebooks are saved by JupyterLab as you work.", flush=True)
    command = lab_command(folder, *more)
    if os.name != "nt":
        os.execve(command[0], command, lab_environment())
    process = subprocess.Popen(command, env=lab_environment())  # exec would leave the terminal at once there
    while True:
        with suppress(KeyboardInterrupt):  # JupyterLab hears it too, and ends its kernels first
            return process.wait()
