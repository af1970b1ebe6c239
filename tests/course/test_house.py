"""The house: one environment told in two files, floors that hold, a tree that speaks of the course alone."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import torch
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from rattler import MatchSpec

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
FLOORS = [
    {"arithmetic", "parallel", "runtime", "separable"},
    {
        "stacks",
        "atrous",
        "cells",
        "receptive_field",
        "crf",
        "datasets",
        "label_maps",
        "metrics",
        "backbones",
        "heads",
    },
    {"plotting", "models"},
    {
        "diagrams",
        "drawings",
        "drawings_cascade",
        "drawings_decoder",
        "drawings_lattice",
        "drawings_resnet",
        "drawings_scales",
        "inference",
    },
    {"training", "end_to_end"},
    {"widgets", "exercises", "cli", "ledger"},
]


def tracked_files():
    listing = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listing.splitlines()]


def test_environment_yml_agrees_with_pyproject():
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert conda["channels"] == ["conda-forge"]
    specs = {
        str(MatchSpec(entry).name.normalized): entry
        for entry in conda["dependencies"]
        if isinstance(entry, str)
    }
    assert {"python", "pip", "cxx-compiler"} == set(specs)
    assert specs["python"].removeprefix("python ") == PROJECT["requires-python"]
    (pip,) = (entry["pip"] for entry in conda["dependencies"] if isinstance(entry, dict))
    assert pip == ["--constraint constraints.txt", "--editable ."], (
        "the list of packages stands in pyproject.toml only"
    )


def test_constraints_pin_every_direct_dependency_within_its_range():
    pins = {}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            pin = Requirement(line)
            pins[canonicalize_name(pin.name)] = next(iter(pin.specifier)).version
    wanted = [
        Requirement(text) for text in PROJECT["dependencies"] + PROJECT["optional-dependencies"]["test"]
    ]
    for requirement in wanted:
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), requirement


def imports_of(path):
    """Names of the package's modules that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "deeplab_lessons":
            parts = node.module.split(".")
            yield from [parts[1]] if len(parts) > 1 else [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            yield from [a.name.split(".")[1] for a in node.names if a.name.startswith("deeplab_lessons.")]
        assert not (isinstance(node, ast.ImportFrom) and node.level), f"{path}: relative import"


def modules():
    package = ROOT / "deeplab_lessons"
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package).parts[0].removesuffix(".py")
        if name != "__init__":
            yield name, path


def floor_of(name):
    (floor,) = (number for number, names in enumerate(FLOORS) if name in names)
    return floor


@pytest.mark.parametrize(
    ("name", "path"), [pytest.param(*pair, id=str(pair[1].relative_to(ROOT))) for pair in modules()]
)
def test_imports_only_go_down(name, path):
    for imported in set(imports_of(path)) - {name, "__version__"}:
        assert floor_of(imported) < floor_of(name), f"{name} imports {imported}, which is not under it"


def test_arithmetic_and_the_package_import_without_torch():
    code = "import sys, deeplab_lessons, deeplab_lessons.stacks; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_the_tree_speaks_of_the_course_alone():
    """No machine paths, no registry hosts, in sources or stored outputs."""
    parts = ["/" + "work/", "/" + "root/", "/" + "tmp/", "/" + "home/", "ipykernel_" + "[0-9]"]
    parts += ["pypi" + r"\.org", "python" + "hosted", "npm" + "js", "deb" + r"\.debian"]
    unwanted = re.compile("|".join(parts))
    for path in tracked_files():
        if path.is_file() and path.suffix not in {".png", ".jpg"}:
            found = unwanted.search(path.read_text(errors="ignore"))
            assert not found, f"{path.relative_to(ROOT)} names {found.group()!r}"


def test_the_readme_names_the_commands_and_every_lesson():
    text = (ROOT / "README.md").read_text()
    assert text.index("make lab") < text.index("make test") < 1500, "both commands stand at the top"
    for lesson in (ROOT / "lessons").glob("*.md"):
        assert f"notebooks/{lesson.stem}.ipynb" in text, f"{lesson.stem} is missing from the README's table"


def test_every_folder_is_explained():
    text = (ROOT / "README.md").read_text()
    for folder in {path.relative_to(ROOT).parts[0] for path in tracked_files() if path.parent != ROOT}:
        if not folder.startswith("."):
            assert f"`{folder}/`" in text, f"the README does not say what {folder}/ is for"


def test_the_readmes_refinement_runs_as_it_stands():
    (code,) = [
        block
        for block in re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
        if "refine" in block
    ]
    given = {"scores": torch.randn(3, 20, 30), "picture": torch.zeros(3, 20, 30, dtype=torch.uint8)}
    exec(code, given)
    assert given["probabilities"].shape == (3, 20, 30)
