"""The house: one environment told in two files, two halves, floors that hold, a tree that speaks of the course only."""

import ast
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import environment
import pytest
import torch
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from rattler import MatchSpec

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PACKAGE = ROOT / "deeplab_lessons"
TOP_LEVEL = {
    *("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "CITATION.cff", "LICENSE"),
    *("pyproject.toml", "setup.py", "environment.yml", "constraints.txt", "Makefile"),
    *("lessons", "notebooks", "deeplab_lessons", "data", "tests", "benchmarks", "tools"),
}
# Each floor imports only from those before it.
FLOORS = [
    {"checks"},
    {"arithmetic", "files", "overlays", "parallel", "runtime"},
    {"grid", "layers", "metrics", "receptive_field"},
    {"crf", "datasets"},
    {"backbones", "heads"},
    {"models"},
    {"inference"},
    {"training"},
    {"cli_values"},
    {"cli_options"},
    {"cli_words"},
    {"cli_train"},
    {"cli"},
]
CLASSROOM_FLOORS = [
    {"built_in", "course", "own_set", "papers_sets", "published", "redrawing"},
    {"experiments"},
    {"atrous", "copyist", "gradient_fields", "line_filter", "machine", "mobile_deeplab", "networks"}
    | {"objects", "pictures", "progress", "readable_lattice", "reference_crf", "stacks", "tiny_crf"},
    {"drawing"},
    {"exercises", "ledger", "live_curve", "measure", "widgets"},
    {"grading", "predictions"},
    {"commands"},
]
LIBRARY_LINES = 9_720
# Tests that are named after what they hold true instead of after a module.
NAMED_FREELY = {
    "datasets/test_faulty_folders.py",
    "datasets/test_own_files.py",
    "training/test_agreement.py",
    "models/test_deeplab.py",
    "classroom/exercises/test_lessons.py",
    "classroom/exercises/test_solutions.py",
    "classroom/ledger/test_table.py",
    "classroom/predictions/test_lessons.py",
    "classroom/widgets/test_every_widget.py",
    "tools/web/test_site_in_browser.py",
    "tools/web/test_site_in_firefox.py",
}


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
    assert pip == ["--constraint constraints.txt", "--editable .[lab]"], (
        "the list of packages stands in pyproject.toml only"
    )


def test_constraints_pin_every_direct_dependency_within_its_range():
    pins = {}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            pin = Requirement(line)
            pins[canonicalize_name(pin.name)] = next(iter(pin.specifier)).version
    for requirement in requirements("lab", "test"):
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), requirement


def requirements(*extras):
    """What the project names: its dependencies and, of each extra, what is not the project itself."""
    texts = PROJECT["dependencies"] + [
        text for extra in extras for text in PROJECT["optional-dependencies"][extra]
    ]
    return [r for r in map(Requirement, texts) if r.name != PROJECT["name"]]


def test_the_gpu_machine_gets_all_but_jupyterlab():
    listed = {*environment.BORROWED.values(), *environment.GPU_PACKAGES}
    assert listed == {r.name for r in requirements("lab")} - {"jupyterlab"} | {"nbval", "pytest"}


def test_the_pythons_that_ci_tests_are_those_that_need_no_warning():
    workflow = yaml.safe_load((ROOT / ".github/workflows/tests.yml").read_text())
    tested = workflow["jobs"]["cpu"]["strategy"]["matrix"]["python"]
    (oldest, first), (newest, last) = environment.OLDEST, environment.NEWEST
    assert oldest == newest and tested == [f"{oldest}.{minor}" for minor in range(first, last + 1)]
    assert PROJECT["requires-python"] == f">={tested[0]}"


@cache
def syntax(path):
    return ast.parse(path.read_text())


def imports_of(path):
    """Dotted names of what a file imports from the package, also inside its functions: crf.refine, grid.Grid."""
    for node in ast.walk(syntax(path)):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            package, _, module = node.module.partition(".")
            if package == "deeplab_lessons":
                yield from [f"{module}.{alias.name}".strip(".") for alias in node.names]
        elif isinstance(node, ast.Import):
            yield from [a.name.partition(".")[2] for a in node.names if a.name.startswith("deeplab_lessons.")]


def library():
    """The library's modules; its `__init__` imports nothing."""
    return [
        path for path in sorted(PACKAGE.rglob("*.py")) if "classroom" not in path.relative_to(PACKAGE).parts
    ]


def rooms(paths, folder):
    """Name of the module or package directly under `folder` that each file belongs to."""
    for path in paths:
        name = path.relative_to(folder).parts[0].removesuffix(".py")
        if name != "__init__":
            yield pytest.param(name, path, id=str(path.relative_to(PACKAGE)))


def floor_of(name, floors):
    (floor,) = (number for number, names in enumerate(floors) if name in names)
    return floor


@pytest.mark.parametrize(("name", "path"), list(rooms(library(), PACKAGE)))
def test_imports_only_go_down(name, path):
    for imported in {dotted.split(".")[0] for dotted in imports_of(path)} - {name, "__version__"}:
        assert imported != "classroom", f"{name} imports the classroom, which the library knows nothing of"
        assert floor_of(imported, FLOORS) < floor_of(name, FLOORS), f"{name} imports {imported}, not under it"


CLASSROOM = PACKAGE / "classroom"


@pytest.mark.parametrize(("name", "path"), list(rooms(sorted(CLASSROOM.rglob("*.py")), CLASSROOM)))
def test_imports_of_the_classroom_only_go_down(name, path):
    for dotted in imports_of(path):
        half, _, imported = dotted.partition(".")
        if half == "classroom" and (imported := imported.split(".")[0]) != name:
            own = floor_of(name, CLASSROOM_FLOORS)
            assert floor_of(imported, CLASSROOM_FLOORS) < own, f"{name} imports {imported}, not under it"


def test_the_library_speaks_of_no_classroom():
    """No import in a string either: what is loaded by name, or written into a message."""
    for path in library():
        assert "deeplab_lessons.classroom" not in path.read_text(), path


def test_the_library_keeps_its_budget():
    """A library small enough to be read: what comes in makes something else shorter."""
    lines = sum(len(path.read_text().splitlines()) for path in library())
    assert lines <= LIBRARY_LINES, (
        f"{lines} lines of Python in the library half, {LIBRARY_LINES} are its budget"
    )


def words_of_code(path):
    """Every name that a file's code uses; of a lesson, of its cells."""
    if path.suffix == ".md":
        cells = re.findall(r"^```\{code-cell\}.*?^```", path.read_text(), re.M | re.S)
        return set(re.findall(r"\w+", "\n".join(cells)))
    words = set()
    for node in ast.walk(syntax(path)):
        if isinstance(node, ast.Name):
            words.add(node.id)
        elif isinstance(node, ast.Attribute):
            words.add(node.attr)
        elif isinstance(node, ast.ImportFrom):
            words |= {alias.name for alias in node.names}
    return words


def defined_in(path):
    """Public names that a module defines at its top."""
    names = set()
    for node in syntax(path).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {
                name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)
            }
    return {name for name in names if not name.startswith("_")}


def test_every_module_of_the_library_is_used():
    """By a lesson, a long run, the classroom or another module: to be handed on by an `__init__` is no use."""
    users = [path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py"]
    used = {path: words_of_code(path) | set(imports_of(path)) for path in users}
    for path in [*(ROOT / "lessons").glob("*.md"), *(ROOT / "lessons/results").glob("*.py")]:
        used[path] = words_of_code(path)
    for module in library():
        if module.name not in ("__init__.py", "cli.py", "coco.py"):  # COCO's files are for readers to bring
            names = defined_in(module) | {".".join(module.relative_to(PACKAGE).with_suffix("").parts)}
            assert any(names & words for user, words in used.items() if user != module), (
                f"nothing uses {module.relative_to(ROOT)}"
            )


def test_the_top_level_is_the_pages():
    names = {path.relative_to(ROOT).parts[0] for path in tracked_files()}
    assert {name for name in names if not name.startswith(".")} == TOP_LEVEL


def test_the_floors_name_every_module_and_no_other():
    for folder, floors in ((PACKAGE, [*FLOORS, {"classroom"}]), (CLASSROOM, CLASSROOM_FLOORS)):
        there = [
            path for path in folder.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()
        ]
        assert set().union(*floors) == {path.stem for path in there} - {"__init__"}


def test_tests_mirror_the_package():
    """tests/crf/test_mean_field.py tests deeplab_lessons/crf/mean_field.py, tests/tools/ledger tools/ledger."""
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        inside = path.relative_to(ROOT / "tests")
        if inside.parts[0] != "course" and str(inside) not in NAMED_FREELY:
            home = ROOT if inside.parts[0] == "tools" else PACKAGE
            module = home / inside.parent / path.stem.removeprefix("test_")
            there = module.is_dir() or any(module.with_suffix(kind).is_file() for kind in (".py", ".js"))
            assert there, f"tests/{inside} mirrors no module"
    assert all((ROOT / "tests" / name).is_file() for name in NAMED_FREELY)


def test_test_files_import_no_test_file():
    """What tests share is in a module of its own, directly under tests/."""
    for path in (ROOT / "tests").rglob("*.py"):
        for node in ast.walk(syntax(path)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert not re.search(r"(^|\.)test_", name), f"{path.relative_to(ROOT)} imports {name}"


def test_arithmetic_and_the_package_import_without_torch():
    code = "import sys, deeplab_lessons, deeplab_lessons.classroom.stacks; sys.exit('torch' in sys.modules)"
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


def messages_of(path):
    """The text of every string in a Python file that is no docstring, f-strings with their gaps left out."""
    bodies = [node for node in ast.walk(syntax(path)) if isinstance(getattr(node, "body", None), list)]
    documentation = {id(each.value) for node in bodies for each in node.body if isinstance(each, ast.Expr)}
    for node in ast.walk(syntax(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.value


def test_no_message_advises_to_delete_a_file():
    """It may be the only copy of somebody's work: move it away, or pass another path."""
    verbs = r"(^|[.;:] |, |or |and )(please )?([Dd]elete|[Ee]rase|[Rr]emove|rm)"
    advice = re.compile(verbs + r" (it|the|this|that|them|all|\{|-)")
    for path in [*library(), *(ROOT / "tools").rglob("*.py"), *CLASSROOM.glob("*.py")]:
        assert not any(advice.search(text) for text in messages_of(path)), path


def test_the_readme_names_the_commands_and_every_lesson():
    text = (ROOT / "README.md").read_text()
    assert text.index("make lab") < text.index("make test") < 1500, "both commands stand at the top"
    for lesson in (ROOT / "lessons").glob("*.md"):
        assert f"notebooks/{lesson.stem}.ipynb" in text, f"{lesson.stem} is missing from the README's table"
        (minutes,) = re.findall(r"\*\*Time\W+(?:about )?(\d+) minutes", lesson.read_text(encoding="utf-8"))
        assert re.search(rf"{lesson.stem}\.ipynb\) \| {minutes} min", text), f"the minutes of {lesson.stem}"


def test_the_readme_says_the_same_without_make():
    text = (ROOT / "README.md").read_text()
    for scripts in (".venv/bin/", ".venv\\Scripts\\"):
        install = f'{scripts}python -m pip install -c constraints.txt -e ".[lab]"'
        assert f"{install}\n{scripts}deeplab-lessons lab\n" in text


def test_pages_name_the_wheel_of_this_version():
    """It is the one that `make dist` builds."""
    for name in ("README.md", "lessons/instructors/hubs.md"):
        versions = re.findall(r"deeplab_lessons-(.+?)-py3-none-any\.whl", (ROOT / name).read_text())
        assert versions and set(versions) == {PROJECT["version"]}, name


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
