"""A class hands in: every notebook gets its rows, whatever is in it, and none reaches the grading process."""

import builtins
import csv
import os
import random
import re
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from handed_in import RIGHT, answered, hand_in, notebook

from deeplab_lessons import arithmetic
from deeplab_lessons.classroom.exercises import lesson02
from deeplab_lessons.classroom.grading import grader, processes

FOUR = list(RIGHT)
SECONDS = 4.0  # for one exercise
STAYS = f"600.{os.getpid()}"  # what a process that stays is called by


def with_answer(code: str, name: str = "output_size", before: str = "") -> list[str]:
    """The lesson with `code` as the answer to one exercise and a right one to another; `before` is the first cell."""
    checked = (name, "output_size" if name == "same_padding" else "same_padding")
    wanted = tuple(f"ex.{each}.check" for each in checked)
    cells = answered(**RIGHT | {name: code})
    return [before, *(cell for cell in cells if ".check(" not in cell or cell.startswith(wanted))]


def body(code: str) -> str:
    """An `output_size` of these lines."""
    lines = "\n    ".join(code.splitlines())
    return f"def output_size(input_size, kernel_size, stride=1, padding=0, dilation=1):\n    {lines}"


RIGHT_BODY = RIGHT["output_size"].partition("\n")[2].strip()
WRONG = body("return input_size")

PATCHES_THE_PACKAGE = """
import builtins
import torch
from deeplab_lessons import arithmetic
from deeplab_lessons.classroom.exercises import compare, lesson02, run

arithmetic.output_size = lambda *a, **k: 7
lesson02.output_size.reference = lambda *a: 7
compare.difference = lambda *a: None
run.Run._problem = lambda *a: None
torch.equal = lambda *a: True
builtins.abs = lambda x: 0
"""
PATCHES_ITS_CHECK = f"""{WRONG}

ex.output_size.check = lambda f: "Correct"
type(ex.output_size).check = print
ex.same_padding = None
"""
EVIL = f"""
class Evil:
    def act(self, *a):
        import os
        os.environ["REACHED"] = "1"
        raise SystemExit

    __reduce__ = __reduce_ex__ = __eq__ = __repr__ = __len__ = __float__ = __index__ = act


{body("return Evil()")}
"""
LEAVES_PROCESSES = f"""
import os, subprocess
subprocess.Popen(["sleep", "{STAYS}"])
if not os.fork():
    os.execvp("sleep", ["sleep", "{STAYS}"])
return 7
"""
MAGIC = f"""%%time
%matplotlib inline
!ls
here = !pwd
output_size?
{RIGHT["output_size"]}
"""
IN_OTHER_CELLS = [
    *answered(),
    "covered = lambda k, d: (k - 1) * d + 1",
    "one = 1",
    "raise RuntimeError('a training')",
    "def effective_kernel_size(k, d=one):\n    return covered(k, d)",
    *[code for name, code in RIGHT.items() if name != "effective_kernel_size"],
    *[f"ex.{name}.check({name})" for name in FOUR],
]
CHANGED_LIST = """
half = [1]
half.append(2)
def same_padding(kernel_size, dilation=1):
    return (kernel_size - 1) * dilation // half[-1]
"""
UNICODE = body(
    "länge = effective_kernel_size(kernel_size, dilation)\n"
    + RIGHT_BODY.replace("// stride + 1", "// stride + größe")
)
ASLEEP = f"import time\nslow = time.sleep(900)\n\n\n{body('return slow')}"
IN_A_LOOP = """
for one, mine in ((ex.output_size, output_size), (ex.same_padding, same_padding)):
    one.check(mine)
"""
CALLS_OURS = body("return arithmetic.output_size(input_size, kernel_size, stride, padding, dilation)")
OURS_BY_ANOTHER_NAME = """
from deeplab_lessons.arithmetic import output_size as mine
def output_size(*given):
    return mine(*given)
"""
WITHOUT_CHECKS = [cell for cell in answered(**RIGHT) if ".check(" not in cell]
OTHERWISE = ["from deeplab_lessons.classroom.exercises.lesson02 import output_size as task", *RIGHT.values()]
STRIDES = """
def output_stride(strides):
    pixels = 1
    for stride in strides:
        pixels *= stride
    return pixels
"""

#: Notebooks by file name, each with what is expected of an exercise ("" for all four): state, and words of the note.
ONE, PAIR = "output_size", "same_padding"
CLASS = {
    "right.ipynb": (answered(**RIGHT), "", "correct", ""),
    "as it came.ipynb": (answered(), "", "not attempted", ""),
    "half done.ipynb": (answered(same_padding=RIGHT[PAIR]), ONE, "not attempted", ""),
    "wrong.ipynb": (with_answer("def same_padding(k, d=1):\n    return k // 2", PAIR), PAIR, "wrong", "Dilation"),
    "float.ipynb": (with_answer(RIGHT[ONE].replace("+ 1", "+ 1.0")), ONE, "correct", ""),
    "a key.ipynb": (with_answer(body("return {}[input_size]")), ONE, "error", "KeyError"),
    "arity.ipynb": (with_answer("def output_size(n):\n    return n"), ONE, "error", "output_size(n)"),
    "broken.ipynb": (b'{"cells": [{"cell_type": "code", "sou', None, "not graded", "not JSON"),
    "empty.ipynb": (b"", None, "not graded", "not JSON"),
    "photo.ipynb": (bytes(range(256)) * 9, None, "not graded", "not JSON"),
    "list.ipynb": (b"[1, 2]", None, "not graded", "no cells"),
    "odd.ipynb": (b'{"cells": [1, {"cell_type": "code", "source": 5}]}', None, "not graded", "no exercises"),
    "no lesson.ipynb": (["print(1)"], None, "not graded", "imports no exercises"),
    "syntax.ipynb": (with_answer("def output_size(n:\n    return 1"), ONE, "error", "SyntaxError in line 1"),
    "endless.ipynb": (with_answer(body("while True:\n    try: pass\n    except: pass")), ONE, "error", "within 4 s"),
    "asleep.ipynb": (with_answer(ASLEEP), ONE, "error", "within 4 s"),
    "recursion.ipynb": (with_answer(body("return output_size(1, 1)")), ONE, "error", "calls itself"),
    "memory.ipynb": (with_answer(body("return [0] * 10**10")), ONE, "error", "MemoryError"),
    "exit.ipynb": (with_answer(body("import sys; sys.exit(3)")), ONE, "error", "quit"),
    "gone.ipynb": (with_answer(body("import os; os._exit(0)")), ONE, "error", "its process ended"),
    "killed.ipynb": (with_answer(body("import os; os.kill(os.getpid(), 9)")), ONE, "error", "its process ended"),
    "kills.ipynb": (with_answer(body(f"import os; os.kill(os.getppid(), 9)\n{RIGHT_BODY}")), ONE, "correct", ""),
    "prints.ipynb": (with_answer(body(f"print('x' * 10**6)\n{RIGHT_BODY}")), ONE, "correct", ""),
    "writes.ipynb": (with_answer(body(f"open('written.txt', 'w').write('x')\n{RIGHT_BODY}")), ONE, "correct", ""),
    "patches the package.ipynb": (with_answer(body("return 7"), before=PATCHES_THE_PACKAGE), ONE, "wrong", "expected"),
    "patches its check.ipynb": (with_answer(PATCHES_ITS_CHECK), ONE, "wrong", "expected"),
    "huge.ipynb": (with_answer(body("return torch.zeros(10**7)")), ONE, "error", "40,000,000 bytes"),
    "many.ipynb": (with_answer(body("return list(range(10**6))")), ONE, "error", "too many parts"),
    "deep.ipynb": (with_answer(body("deep = []\ndeep.append(deep)\nreturn deep")), ONE, "error", "parts"),
    "evil.ipynb": (with_answer(EVIL), ONE, "wrong", "<Evil>"),
    "in other cells.ipynb": (IN_OTHER_CELLS, "", "correct", ""),
    "changed list.ipynb": (with_answer(CHANGED_LIST, PAIR), PAIR, "correct", ""),
    "Zoë Müller 学.ipynb": (with_answer(f"größe = 1\n\n\n{UNICODE}"), ONE, "correct", ""),
    "group a/anna.ipynb": (answered(**RIGHT), "", "correct", ""),
    "group b/anna.ipynb": (answered(), "", "not attempted", ""),
    "=1+1.ipynb": (with_answer(RIGHT[ONE]), ONE, "correct", ""),
    "leaves processes.ipynb": (with_answer(body(LEAVES_PROCESSES)), ONE, "wrong", ""),
    "import.ipynb": (with_answer(f"import nowhere\n{body('return nowhere')}"), ONE, "error", "No module named"),
    "import not needed.ipynb": (with_answer(f"import nowhere\n{RIGHT[ONE]}"), ONE, "correct", ""),
    "magic.ipynb": (with_answer(MAGIC, before="%%bash\nfor x in 1; do ls; done"), ONE, "correct", ""),
    "ours.ipynb": (with_answer("output_size = arithmetic.output_size"), ONE, "package's own", ""),
    "ours by call.ipynb": (with_answer(CALLS_OURS), ONE, "package's own", ""),
    "ours by another name.ipynb": (with_answer(OURS_BY_ANOTHER_NAME), ONE, "package's own", ""),
    "our reference.ipynb": (with_answer("output_size = ex.output_size.reference"), ONE, "package's own", ""),
    "changes its input.ipynb": (
        with_answer(RIGHT["dilate_kernel"].replace("    return", "    weight.zero_()\n    return"), "dilate_kernel"),
        "dilate_kernel", "wrong", "changed its input",
    ),
    "twice.ipynb": ([*with_answer(RIGHT[ONE]), WRONG, "ex.output_size.check(output_size)"], ONE, "wrong", ""),
    "twice the other way.ipynb": ([WRONG, *with_answer(RIGHT[ONE])], ONE, "correct", ""),
    "without a check.ipynb": (WITHOUT_CHECKS, "", "not attempted", "not handed in"),
    "in a loop.ipynb": ([*WITHOUT_CHECKS, IN_A_LOOP], PAIR, "correct", ""),
    "imported otherwise.ipynb": ([*OTHERWISE, "task.check(output_size)"], ONE, "correct", ""),
    "no function.ipynb": (with_answer("output_size = 5"), ONE, "error", "the function itself"),
    "another lesson.ipynb": (answered("lesson01", output_stride=STRIDES), "output_stride", "correct", ""),
}  # fmt: skip


if not processes.CAN_FORK:
    del CLASS["kills.ipynb"]  # the parent would be this process


def state_of_this_process(folder):
    threads = torch.get_num_threads()
    # torch notes the folder of its compiler when a part of it is loaded for the first time
    environment = {name: value for name, value in os.environ.items() if name != "TORCHINDUCTOR_CACHE_DIR"}
    return {
        "folder": os.getcwd(), "environment": environment, "paths": list(sys.path),
        "limit": sys.getrecursionlimit(),
        "builtins": dict(vars(builtins)), "random": random.getstate(), "numpy": np.random.get_state()[1].tolist(),
        "torch": (torch.get_rng_state().tolist(), torch.get_default_dtype(), threads, torch.equal),
        "main": sys.modules["__main__"], "package": dict(vars(arithmetic)), "exercises": dict(vars(lesson02)),
        "check": type(lesson02.output_size).check, "output": sys.stdout, "files": sorted(folder.rglob("*")),
    }  # fmt: skip


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """Rows of all notebooks by learner and exercise, what was said, and the table's text."""
    folder = tmp_path_factory.mktemp("class")
    output = tmp_path_factory.mktemp("grades") / "grades.csv"
    paths = [hand_in(folder, name, sources) for name, (sources, *_) in CLASS.items()]
    said, before = [], state_of_this_process(folder)
    seconds = SECONDS * len(lesson02_exercises())
    rows = grader.grade([*paths, folder / "missing.ipynb", folder], output, 1, seconds, 3, said.append)
    after = state_of_this_process(folder)
    assert after == before, [key for key in before if after[key] != before[key]]
    return folder, rows, said, output


def lesson02_exercises():
    return [name for name, each in vars(lesson02).items() if hasattr(each, "hint")]


def rows_of(graded, name):
    folder, rows, *_ = graded
    learner = str(folder / name) if name.startswith("group") else Path(name).stem
    return {row.exercise: row for row in rows if row.learner == learner}


@pytest.mark.slow
@pytest.mark.parametrize("name", CLASS)
def test_a_handed_in_notebook(name, graded):
    _, exercise, state, words = CLASS[name]
    rows = rows_of(graded, name)
    asked = [""] if exercise is None else [exercise] if exercise else FOUR
    for each in asked:
        assert rows[each].state == state and words in rows[each].note, rows[each]
    if exercise is None:
        assert len(rows) == 1
    elif name != "another lesson.ipynb":
        assert list(rows) == lesson02_exercises()


BAD = [name for name, (cells, exercise, *_) in CLASS.items() if exercise == ONE and cells[0] == ""]


@pytest.mark.slow
@pytest.mark.parametrize("name", BAD)
def test_one_bad_answer_leaves_another_as_it_is(name, graded):
    row = rows_of(graded, name)["same_padding"]
    assert row.state == "correct", row


@pytest.mark.slow
def test_what_is_no_notebook_has_one_row_that_says_so(graded):
    folder, rows, *_ = graded
    notes = {row.learner: row.note for row in rows if row.state == "not graded"}
    assert "No such file" in notes["missing"] and "folder" in notes[folder.name]


@pytest.mark.slow
def test_nothing_stays_behind(graded):
    folder, *_ = graded
    assert "REACHED" not in os.environ
    assert not list(folder.rglob("written*")) and not Path("written.txt").exists()
    running = []
    for _ in range(20):
        running = [each for each in Path("/proc").glob("[0-9]*/cmdline") if STAYS.encode() in _read(each)]
        if not running:
            break
        time.sleep(0.1)
    assert not running


def _read(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""


@pytest.mark.slow
def test_the_table_is_the_rows_one_line_each_and_no_formulas(graded):
    _, rows, said, output = graded
    assert output.read_bytes().startswith(b"\xef\xbb\xbflearner"), "spreadsheets know UTF-8 by its mark"
    text = output.read_text(encoding="utf-8-sig")
    table = list(csv.DictReader(text.splitlines()))
    assert len(table) == len(rows) == len(text.splitlines()) - 1
    assert [row["state"] for row in table] == [row.state for row in rows]
    assert not any(cell[:1] in "=+-@" for row in table for cell in row.values() if cell)
    assert any(row["learner"] == "'=1+1" for row in table)
    assert len(said) == len(CLASS) + 2 and any(re.match("right: .* correct", line) for line in said)


@pytest.mark.slow
def test_wrong_answers_are_shown_at_their_first_case(graded):
    row = rows_of(graded, "twice.ipynb")["output_size"]
    assert (
        "input_size = " in row.case and re.search(r"expected: \d+; got: \d+$", row.note) and row.seconds >= 0
    )


@pytest.mark.slow
def test_another_seed_has_other_cases_and_the_solutions_still_pass(tmp_path):
    first, other = (lesson02.dilate_kernel.arguments(seed) for seed in ("", "2"))
    assert any(
        not torch.equal(a[0], b[0]) for a, b in zip(first, other, strict=True) if a[0].shape == b[0].shape
    )
    learnt = ("def dilate_kernel(weight, dilation):\n"
              "    for args in cases:\n        if args[0].shape == weight.shape and (args[0] == weight).all() and "
              "args[1] == dilation:\n            return right(*args)\n")  # fmt: skip
    by_heart = "cases = ex.dilate_kernel.arguments()\n\n\n" + RIGHT["dilate_kernel"].replace(
        "dilate_kernel", "right"
    )
    path = hand_in(tmp_path, "by heart.ipynb", answered(**RIGHT | {"dilate_kernel": f"{by_heart}\n{learnt}"}))
    states = [
        {row.exercise: row.state for row in grader.grade([path], tmp_path / "grades.csv", seed, say=str)}
        for seed in (0, 2)
    ]
    assert states[0]["dilate_kernel"] == "correct" and states[1]["dilate_kernel"] == "wrong"
    assert states[1]["output_size"] == "correct"


@pytest.mark.slow
def test_where_no_process_can_fork_each_job_is_a_program_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "CAN_FORK", False)
    path = hand_in(tmp_path, "gone.ipynb", with_answer(body("import os; os._exit(0)")))
    rows = {row.exercise: row for row in grader.grade([path], tmp_path / "grades.csv", seconds=60, say=str)}
    assert rows[ONE].state == "error" and "its process ended" in rows[ONE].note
    assert rows[PAIR].state == "correct"


def test_after_ctrl_c_the_table_holds_what_was_done(tmp_path):
    paths = [hand_in(tmp_path, name, b"") for name in ("a.ipynb", "b.ipynb", "c.ipynb")]

    def stop(line):
        if line.startswith("b"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        grader.grade(paths, tmp_path / "grades.csv", say=stop)
    assert (tmp_path / "grades.csv").read_text().count("not graded") == 2


@pytest.mark.slow
def test_a_notebook_that_changes_the_package_stops_the_run(tmp_path, monkeypatch):
    package = tmp_path / "package"
    package.mkdir()
    monkeypatch.setattr(grader, "_PACKAGE", package)
    change = body(f"open({str(package / 'a.py')!r}, 'w').write('x')\nreturn 1")
    paths = [hand_in(tmp_path, "a.ipynb", b""), hand_in(tmp_path, "b.ipynb", with_answer(change))]
    with pytest.raises(RuntimeError, match=r"b\.ipynb was graded: install"):
        grader.grade(paths, tmp_path / "grades.csv", say=str)
    assert "a,,,,not graded" in (tmp_path / "grades.csv").read_text()


def test_a_notebook_of_several_lines_says_what_it_got(tmp_path):
    said = []
    path = tmp_path / "a.ipynb"
    path.write_text(notebook(["import math", "def broken("]))
    grader.grade([path], tmp_path / "grades.csv", say=said.append)
    assert said == [
        "a: 1 not graded (this notebook imports no exercises of the course; cells that are not valid Python: 1)"
    ]
