"""Every lesson's predictions: enough of them, computed, well asked, and answered by the next cell of the notebook."""

import ast
import importlib
import re
import time
from functools import cache
from pathlib import Path

import nbformat
import pytest

import notebooks as builder
from deeplab_lessons.classroom import predictions
from deeplab_lessons.classroom.predictions.framework import Prediction

FOLDER = Path(predictions.__file__).parent
MODULES = sorted(path.stem for path in FOLDER.glob("lesson*.py"))
LEAST = {"lesson00": 1}  # the start page only shows what a prediction is
WORDS = 25


@cache
def declared(module):
    names = vars(importlib.import_module(f"{predictions.__name__}.{module}"))
    return {name: value for name, value in names.items() if isinstance(value, Prediction)}


def functions(module):
    """The function under each prediction, as source."""
    tree = ast.parse((FOLDER / f"{module}.py").read_text(encoding="utf-8"))
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


every_module = pytest.mark.parametrize("module", MODULES)


def predictions_of(modules):
    return [
        pytest.param(module, name, id=f"{module}-{name}") for module in modules for name in declared(module)
    ]


every_prediction = pytest.mark.parametrize(("module", "name"), predictions_of(MODULES))


@every_module
def test_a_lesson_asks_often_enough(module):
    assert len(declared(module)) >= LEAST.get(module, 4)


@every_prediction
def test_it_is_well_asked(module, name):
    prediction = declared(module)[name]
    assert prediction.name == name and prediction.lesson == module
    assert prediction.question.endswith(("?", ".") if prediction.kind == "order" else "?")
    for text in (prediction.question, *prediction.slips.values()):
        assert len(text.split()) <= WORDS, text
        assert not text[0].islower() and text[-1] in ".?", text
    assert len(prediction.options) != 1 and len(set(prediction.options)) == len(prediction.options)


@every_prediction
def test_its_answer_is_computed_in_no_time(module, name):
    prediction = declared(module)[name]
    started = time.process_time()
    answer = prediction.answer
    assert time.process_time() - started < 3
    assert prediction.form.answer is not None and prediction.is_right(answer.value)
    assert type(prediction)(**vars_of(prediction)).answer == answer, "the same on every run"
    assert answer.shows and all(answer.shows)


def vars_of(prediction):
    names = ("question", "compute", "kind", "options", "unit", "tolerance", "slips")
    return {name: getattr(prediction, name) for name in names}


@every_prediction
def test_no_slip_is_right_or_mistaken_for_another(module, name):
    prediction = declared(module)[name]
    slips = list(prediction.slips)
    assert not any(prediction.is_right(slip) for slip in slips)
    for i, slip in enumerate(slips):
        assert prediction.form.can_give(list(slip) if isinstance(slip, tuple) else slip), slip
        for other in slips[:i]:
            assert prediction.kind != "number" or abs(slip - other) > prediction.tolerance
    if prediction.kind == "order":
        assert prediction.answer.value != prediction.options, "the form begins with another order"


@every_prediction
def test_no_slip_is_overwritten_by_an_equal_one(module, name):
    """`0 + 3 + 6` and `1 + 3 + 5` are one key: of two such sentences only the last would be left."""
    (mark,) = functions(module)[name].decorator_list
    (written,) = (keyword.value.keys for keyword in mark.keywords if keyword.arg == "slips")
    assert len(written) == len(declared(module)[name].slips)


@every_prediction
def test_its_answer_is_no_literal(module, name):
    """The function calls something of the course, and returns what follows from it."""
    function = functions(module)[name]
    assert any(isinstance(node, ast.Call) and not is_answer(node) for node in ast.walk(function))
    for node in ast.walk(function):
        if isinstance(node, ast.Return):
            value = node.value.args[0] if is_answer(node.value) else node.value
            assert not isinstance(value, ast.Constant), ast.unparse(node)


def is_answer(node):
    return isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Answer"


def notebook_of(module):
    (lesson,) = builder.LESSONS.glob(f"{module.removeprefix('lesson')}_*.md")
    return lesson, nbformat.read(builder.notebook_of(lesson), as_version=4)


@every_module
def test_each_is_a_cell_of_its_own_and_no_cell_asks_for_another(module):
    lesson, _ = notebook_of(module)
    asked = [cell.source for cell in builder.read_lesson(lesson).cells if cell.source.startswith("predict.")]
    assert sorted(asked) == sorted(f"predict.{name}" for name in declared(module))


@every_module
def test_the_stored_notebook_holds_nobody_s_answers(module):
    _, notebook = notebook_of(module)
    models = notebook.metadata["widgets"]["application/vnd.jupyter.widget-state+json"]["state"].values()
    committed = [model["state"]["committed"] for model in models if "committed" in model["state"]]
    assert committed == [None] * len(declared(module)), "build it again with DEEPLAB_LESSONS_PROGRESS=off"


@every_prediction
def test_the_next_cell_of_the_notebook_shows_the_answer(module, name):
    _, notebook = notebook_of(module)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    places = [i for i, cell in enumerate(code) if cell.source == f"predict.{name}"]
    assert len(places) == 1, "the notebook is older than its lesson: build it again"
    shown = "\n".join(text_of(output) for output in code[places[0] + 1].outputs)
    for text in declared(module)[name].answer.shows:
        assert holds(shown, text), f"{text!r} is not in the next cell's output:\n{shown}"


def text_of(output):
    """What a stream, a value or a table shows in words."""
    data = output.get("data", {})
    html = re.sub(r"<[^>]*>", " ", data.get("text/html", ""))
    return "\n".join([output.get("text", ""), data.get("text/plain", ""), html])


def holds(shown, text):
    """Whether a text is there, and not as a part of a longer word or number; thousands may have commas."""
    shown, text = (re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", each) for each in (shown, text))
    before = r"(?<![\w.])" if text[0].isalnum() else ""
    after = r"(?!\w|\.\d)" if text[-1].isalnum() else ""
    return re.search(before + re.escape(text) + after, shown) is not None


@pytest.mark.parametrize(
    ("shown", "text", "there"),
    [
        ("3 outputs", "3", True),
        ("13, 30, 0.3, 3.5", "3", False),
        ("so 3. Then", "3", True),
        ("16,384 cells", "16384", True),
        ("1, 2, 3", "123", False),
        ("the map size", "map", True),
        ("maps", "map", False),
        ("-0.5", "-0.5", True),
    ],
)
def test_what_a_cell_shows(shown, text, there):
    assert holds(shown, text) == there
