"""Make or refresh the course's environment. Runs on a bare Python, before anything is installed.

`environment.py lab|test` installs into a virtual environment and stamps it, so that the next start is quick.
`environment.py gpu` borrows torch from the Python it runs on and adds only what the notebooks still need.
`environment.py wheels|wheels-gpu` downloads wheels, for machines without network.
"""

import argparse
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NEEDS_GB = 8
OLDEST, NEWEST = (3, 11), (3, 14)  # the Pythons that CI tests
WINDOWS = os.name == "nt"
# What test-gpu installs, and what it borrows from the GPU machine's Python: name to import, name to install.
GPU_PACKAGES = ["anywidget", "ipykernel", "ipywidgets", "nbval", "pytest"]
BORROWED = {
    "filelock": "filelock",
    "matplotlib": "matplotlib",
    "numpy": "numpy",
    "pandas": "pandas",
    "PIL": "pillow",
    "scipy": "scipy",
    "skimage": "scikit-image",
    "torch": "torch",
    "torchmetrics": "torchmetrics",
    "torchvision": "torchvision",
    "tqdm": "tqdm",
}
GPU_PYTHON, GPU_PLATFORMS = (
    "3.12",
    [f"manylinux_2_{n}_x86_64" for n in (28, 27, 24, 17)] + ["manylinux2014_x86_64"],
)
# `make site` sets formulas with KaTeX. This wheel carries all of its files; the Django that it wants is left out.
KATEX = "djangocms-katex"


def say(text):
    print(text, flush=True)


def stop(text):
    sys.exit("\n" + text)


def check_python():
    this, (oldest, newest) = sys.version_info[:2], ("{}.{}".format(*pair) for pair in (OLDEST, NEWEST))
    if this < OLDEST:
        stop(
            f"The course needs Python {oldest} or newer; {sys.executable} is {sys.version.split()[0]}.\n"
            f"Install one and name it: make lab PYTHON=python{newest}"
        )
    if this > NEWEST:
        say(
            "Python {}.{} is newer than the newest that was tested, {}. If a package cannot be installed, name an\n"
            "older one: make lab PYTHON=python{}".format(*this, newest, newest)
        )


def in_venv(venv, what):
    """Where an environment keeps its `scripts` or its `purelib` (packages); folders differ between systems."""
    return Path(sysconfig.get_path(what, "nt_venv" if WINDOWS else "posix_venv", {"base": str(venv)}))


def python_of(venv):
    return in_venv(venv, "scripts") / ("python.exe" if WINDOWS else "python")


def fingerprint(options):
    """What the environment is made from; where any of it changes, the course is installed again."""
    files = [
        ROOT / "pyproject.toml",
        Path(__file__),
        *([Path(options.constraints)] if options.constraints else []),
    ]
    text = b"".join(path.read_bytes() for path in files) + f"{sys.version} {ROOT}".encode()
    return hashlib.sha256(text).hexdigest()


def make_venv(venv, *flags):
    say(f"[1/3] Making a virtual environment in {venv} (a few seconds)")
    free = shutil.disk_usage(ROOT).free / 1e9
    if free < NEEDS_GB:
        say(f"      Only {free:.1f} GB are free here; torch and JupyterLab need about {NEEDS_GB} GB.")
    done = subprocess.run([sys.executable, "-m", "venv", *flags, venv], capture_output=True, text=True)
    if done.returncode:
        stop(
            (done.stdout + done.stderr).strip() + "\n\nPython could not make a virtual environment.\n"
            "On Debian or Ubuntu its venv module is a package of its own: apt-get install python3-venv"
        )


def pip(venv, *words, quiet=False):
    """Run the environment's pip; return whether it succeeded."""
    command = [str(python_of(venv)), "-m", "pip", "--disable-pip-version-check", *words]
    if quiet or not sys.stdout.isatty():
        command.append("--quiet")
    return subprocess.run(command, cwd=ROOT).returncode == 0


def sources(options):
    words = ["--constraint", options.constraints] if options.constraints else []
    if options.wheels:
        if not Path(options.wheels).is_dir():
            stop(f"WHEELS names the folder {options.wheels!r}, which is not there. `make wheels` fills one.")
        words += ["--no-index", "--no-build-isolation", "--find-links", options.wheels]
    return words


def install(what, options):
    """Install the course into the environment, unless its stamp says that it is up to date."""
    venv, made_from = Path(options.venv), fingerprint(options)
    stamp = venv / ".ready"
    enough = {f"{name} {made_from}" for name in (("lab", "test") if what == "lab" else ("test",))}
    if stamp.is_file() and stamp.read_text() in enough:
        return
    started, words = time.monotonic(), sources(options)
    make_venv(venv)
    say("[2/3] Installing torch, JupyterLab and the rest (2 minutes on a fast line, about 6 GB; once only)")
    if options.wheels and not pip(venv, "install", "--upgrade", "setuptools", "wheel", *words, quiet=True):
        stop(f"{options.wheels} holds no setuptools. Fill it again with `make wheels`.")
    if not pip(venv, "install", *words, "--editable", f".[{what}]"):
        stop(
            "The installation did not finish; what went wrong is shown above. Nothing is half-used: run it again.\n"
            "- No network? This step needs it once. Or run `make wheels` where there is one, copy the folder\n"
            "  wheels/ here, and run: make lab WHEELS=wheels\n"
            "- No version to be had for your machine? Try without the tested pins: make lab CONSTRAINTS="
        )
    install_crf_reference(venv, words)
    if what == "test":
        install_katex(venv, words)
    stamp.write_text(f"{what} {made_from}")
    say(f"      Ready after {time.monotonic() - started:.0f} s.")


def install_crf_reference(venv, words):
    """pydensecrf, the C++ reference of the CRF lessons: wanted, never needed."""
    say("[3/3] Building pydensecrf, the reference of the CRF lessons (about a minute, needs a C++ compiler)")
    without = "Everything else works; the CRF lessons then show their own results without this comparison."
    if sys.version_info >= (3, 13):
        say(f"      Left out: it does not build on Python 3.13 or newer. {without}")
    elif not any(shutil.which(name) for name in (os.environ.get("CXX", "c++"), "g++", "clang++")):
        say(
            f"      Left out: no C++ compiler found. {without}\n"
            "      To add it: apt-get install g++ (Debian, Ubuntu) or xcode-select --install (macOS), then\n"
            f"      {python_of(venv)} -m pip install 'pydensecrf2>=1.1'"
        )
    elif not pip(venv, "install", *words, "--editable", ".[crf]", quiet=True):
        say(f"      It did not build; what went wrong is shown above. {without}")


def install_katex(venv, words):
    """KaTeX for `make site`, as files in the environment's share/katex: `tools/web/formulas.py` finds it there."""
    folder = Path(venv) / "share" / "katex"
    if not pip(venv, "install", *words, "--no-deps", "--upgrade", "--target", str(folder), KATEX, quiet=True):
        say("      KaTeX could not be installed; what went wrong is shown above. Only `make site` needs it.")


def borrow(options):
    """An environment that sees this Python's packages and adds what else the notebooks need."""
    missing = [name for name in BORROWED if importlib.util.find_spec(name) is None]
    if "torch" in missing:
        stop(
            f"{sys.executable} has no torch. `make test-gpu` tests the torch that your GPU machine has installed:\n"
            "name its Python, for example: make test-gpu PYTHON=/opt/torch/bin/python3"
        )
    venv = Path(options.venv)
    make_venv(venv)
    here = [path for path in sys.path if path.endswith("-packages")]
    site = in_venv(venv, "purelib")
    (site / "borrowed.pth").write_text("\n".join(here) + "\n")
    wanted = GPU_PACKAGES + [BORROWED[name] for name in missing]
    say(f"[2/3] Installing {', '.join(wanted)}" + (f" from {options.wheels}" if options.wheels else ""))
    options.constraints = ""
    if not pip(venv, "install", *sources(options), *wanted):
        stop(
            "These packages could not be installed. Without network, fill a folder where there is one with\n"
            "`make wheels-gpu`, bring it along as wheels-gpu/, and run `make test-gpu` again."
        )
    (site / "course.pth").write_text(f"{ROOT}\n")
    say("[3/3] Nothing to compile.")


def download(what, options):
    """Fill wheels/ (everything, for this Python) or wheels-gpu/ (what a machine with torch still needs)."""
    words = [sys.executable, "-m", "pip", "download", "--dest", what]
    if what == "wheels":
        words += ["--constraint", options.constraints] if options.constraints else []
        commands = [[*words, "setuptools>=77", "wheel", ".[test]"], [*words, "--no-deps", KATEX]]
    else:
        platforms = [word for name in GPU_PLATFORMS for word in ("--platform", name)]
        commands = [
            [*words, "--only-binary=:all:", "--python-version", GPU_PYTHON, *platforms, *GPU_PACKAGES]
        ]
    if any(subprocess.run(command, cwd=ROOT).returncode for command in commands):
        stop("The download did not finish; what went wrong is shown above. Run it again to continue.")
    say(f"Wheels are in {what}/.")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["lab", "test", "gpu", "wheels", "wheels-gpu"])
    parser.add_argument("--venv", default=".venv")
    parser.add_argument("--constraints", default="")
    parser.add_argument("--wheels", default="")
    options = parser.parse_args()
    check_python()
    os.chdir(ROOT)
    if options.what in ("lab", "test"):
        install(options.what, options)
    elif options.what == "gpu":
        borrow(options)
    else:
        download(options.what, options)


if __name__ == "__main__":
    main()
