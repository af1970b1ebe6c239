"""What of a notebook must run for an exercise, and how files that are none are refused."""

import json

import pytest
from handed_in import answered, hand_in, notebook

from deeplab_lessons.classroom.grading import notebooks

IMPORT = "from deeplab_lessons.classroom.exercises import lesson02 as ex"
CHECK = "ex.same_padding.check(same_padding)"


def needed(tmp_path, *cells, name="same_padding"):
    """The code that a check needs, statement by statement, without the import of exercises and the check itself."""
    path = hand_in(tmp_path, "a.ipynb", [IMPORT, *cells])
    found = notebooks.read(path).needed(name)
    return [each.code for each in found if each.code not in (IMPORT, CHECK)]


DEFINITION = "def same_padding(k, d=1):\n    return half(k) * d"


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["x = 1", "def same_padding(k):\n    return k"], ["def same_padding(k):\n    return k"]),
        (["half = max", DEFINITION, "half = min"], [DEFINITION, "half = min"]),
        (["half = 1\nhalf = max\nother = half", DEFINITION], ["half = max", DEFINITION]),
        (["import math, os\nhalf = math.floor", DEFINITION], ["import math", "half = math.floor", DEFINITION]),
        (["n = 1", "n = n + 1", "half = n.real", DEFINITION], ["n = 1", "n = n + 1", "half = n.real", DEFINITION]),
        (["half = 1", "if half:\n    half = max", DEFINITION], ["half = 1", "if half:\n    half = max", DEFINITION]),
        (["half = [1]", "half.append(2)", "half[0] = 3", "print(half)", DEFINITION],
         ["half = [1]", "half.append(2)", "half[0] = 3", DEFINITION]),
        (["import torch as half", "half.manual_seed(0)", DEFINITION], ["import torch as half", DEFINITION]),
        (["for half in (1, 2):\n    pass", DEFINITION], ["for half in (1, 2):\n    pass", DEFINITION]),
        (["k = 5\nd = train()", "def same_padding(k, d=1):\n    half = k\n    return [k for k in (half, d)]"],
         ["def same_padding(k, d=1):\n    half = k\n    return [k for k in (half, d)]"]),
        (["one = 1", "def same_padding(k, d=one):\n    return k"],
         ["one = 1", "def same_padding(k, d=one):\n    return k"]),
        (["class half:\n    pass", DEFINITION], ["class half:\n    pass", DEFINITION]),
        (["from math import *", DEFINITION], ["from math import *", DEFINITION]),
        (["if (half := 3):\n    pass", DEFINITION], ["if (half := 3):\n    pass", DEFINITION]),
        (["def start():\n    global half\n    half = 1", "start()", DEFINITION],
         ["def start():\n    global half\n    half = 1", DEFINITION]),
        (["sizes = [1]\nhalf = [n for n in sizes][0]", DEFINITION],
         ["sizes = [1]", "half = [n for n in sizes][0]", DEFINITION]),
    ],
)  # fmt: skip
def test_what_a_check_needs(tmp_path, cells, expected):
    assert needed(tmp_path, *cells, CHECK) == expected


def test_a_helper_below_the_check_counts_where_none_is_above(tmp_path):
    assert needed(tmp_path, DEFINITION, CHECK, "half = max") == [DEFINITION, "half = max"]


def test_of_several_checks_the_last_one_counts_with_what_stands_before_it(tmp_path):
    first, second = "def same_padding(k):\n    return 1", "def same_padding(k):\n    return 2"
    assert needed(tmp_path, first, CHECK, second, f"x = 1\n{CHECK}") == [second, "x = 1"]
    assert needed(tmp_path, first, f"{CHECK}\nx = 1", second) == [first]


def test_no_cell_checks_it(tmp_path):
    path = hand_in(
        tmp_path,
        "a.ipynb",
        [IMPORT, "# " + CHECK, "ex.same_padding.hint()", "print('ex.same_padding.check')"],
    )
    assert notebooks.read(path).needed("same_padding") is None


@pytest.mark.parametrize(
    ("line", "lessons"),
    [
        (IMPORT, ["lesson02"]),
        ("import deeplab_lessons.classroom.exercises.lesson03 as ex", ["lesson03"]),
        ("from deeplab_lessons.classroom.exercises.lesson01 import vote", ["lesson01"]),
        ("from deeplab_lessons.classroom.exercises import lesson02, lesson01", ["lesson01", "lesson02"]),
        ("if 1:\n    from deeplab_lessons.classroom.exercises import lesson02", ["lesson02"]),
        ("from deeplab_lessons import arithmetic", []),
    ],
)
def test_the_lesson_is_that_of_its_import(tmp_path, line, lessons):
    assert notebooks.read(hand_in(tmp_path, "a.ipynb", [line])).lessons == lessons


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("%matplotlib inline\nx = 1", "pass\nx = 1"),
        ("%%time\nx = 1", "x = 1"),
        ("%%bash\nls -l", ""),
        ("%%\nx", ""),
        ("if 1:\n    !ls\n    y = 2", "if 1:\n    pass\n    y = 2"),
        ("files = !ls\nlen?", "pass\npass"),
        ("text = '''\n%d\n'''", "text = '\\n%d\\n'"),
        ("x = 7 % 4", "x = 7 % 4"),
    ],
)
def test_lines_of_ipython_do_nothing(tmp_path, cell, code):
    found = notebooks.read(hand_in(tmp_path, "a.ipynb", [cell]))
    assert "\n".join(each.code for each in found.statements) == code and not found.broken


def test_a_broken_cell_names_its_exercise(tmp_path):
    found = notebooks.read(hand_in(tmp_path, "a.ipynb", [IMPORT, "def same_padding(k:\n    pass"]))
    assert "cell 3: SyntaxError in line 1: " in found.fault("same_padding") and found.fault("padding") == ""


def test_source_may_be_a_list_of_lines_and_begin_with_a_mark(tmp_path):
    content = json.loads(notebook(answered()))
    for cell in content["cells"]:
        cell["source"] = "".join(cell["source"]).splitlines(keepends=True)
    path = tmp_path / "a.ipynb"
    path.write_text("\ufeff" + json.dumps(content), encoding="utf-8")
    assert notebooks.read(path).needed("same_padding")


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"cells": 3}', '{"worksheets": []}', "[" * 100_000])
def test_other_files_are_refused(tmp_path, text):
    path = tmp_path / "a.ipynb"
    path.write_text(text)
    with pytest.raises(notebooks.Unreadable, match="this file is not a notebook"):
        notebooks.read(path)


def test_a_file_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(notebooks, "LARGEST", 10)
    with pytest.raises(notebooks.Unreadable, match="more than 10 bytes"):
        notebooks.read(hand_in(tmp_path, "a.ipynb", []))


@pytest.mark.parametrize(
    ("code", "ours"),
    [
        (
            "from deeplab_lessons import arithmetic\ndef same_padding(k):\n    return arithmetic.same_padding(k)",
            True,
        ),
        (
            "from deeplab_lessons.arithmetic import same_padding as p\ndef same_padding(k):\n    return p(k)",
            True,
        ),
        ("import deeplab_lessons.arithmetic as a\nsame_padding = a.same_padding", True),
        ("same_padding = ex.same_padding.reference", True),
        ("same_padding = ex.window_of_21.example()", True),
        ("same_padding = ex.SamePadding.same_padding", True),
        (
            "from deeplab_lessons.arithmetic import Layer, same_padding\ndef same_padding(k):\n    return Layer(k)",
            False,
        ),
        (
            "from deeplab_lessons import arithmetic\ndef same_padding(k):\n    return arithmetic.output_size(k)",
            False,
        ),
        ("def same_padding(k):\n    return k.same_padding", False),
    ],
)
def test_whether_the_answer_is_the_packages(tmp_path, code, ours):
    found = notebooks.read(hand_in(tmp_path, "a.ipynb", [IMPORT, code, CHECK]))
    assert notebooks.hands_in_ours(found.needed("same_padding"), {"same_padding"}) == ours
