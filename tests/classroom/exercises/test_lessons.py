"""Every exercise of every lesson: accepts its solution, rejects every listed mistake in its own words."""

import ast
import builtins
import copy
import functools
import importlib
import math
import pkgutil
import re
from pathlib import Path

import pytest
import torch
from answers import learners
from verdicts import said

from deeplab_lessons.classroom import exercises
from deeplab_lessons.classroom.exercises.framework import Exercise

LESSONS = Path(__file__).parents[3] / "lessons"

MODULES = [m.name for m in pkgutil.iter_modules(exercises.__path__) if m.name.startswith("lesson")]


@functools.cache
def load(module):
    found = vars(importlib.import_module(f"deeplab_lessons.classroom.exercises.{module}"))
    return {name: value for name, value in found.items() if isinstance(value, Exercise)}


# whole numbers and small tensors: a sweep of these lessons takes seconds
QUICK = [f"lesson{number:02}" for number in range(1, 5)]


def sweep(parts):
    """A parameter for each exercise and each of its `parts(exercise)`; slow but for the quick lessons."""
    return [
        pytest.param(
            exercise, *part, id="-".join([m, name, *label]), marks=[] if m in QUICK else pytest.mark.slow
        )
        for m in MODULES
        for name, exercise in load(m).items()
        for label, *part in parts(exercise)
    ]


def named_mistakes(exercise):
    return [((mistake.answer.__name__,), mistake) for mistake in exercise.misconceptions]


every_exercise = pytest.mark.parametrize("exercise", sweep(lambda exercise: [((),)]))


def test_every_module_has_exercises():
    assert "lesson02" in MODULES
    for module in MODULES:
        assert len(load(module)) >= 3, module


@pytest.mark.slow
@pytest.mark.parametrize("module", MODULES)
def test_the_solutions_are_accepted_and_shown(module):
    for exercise in load(module).values():
        verdict = exercise.check(learners(exercise.reference))
        assert verdict.state == "correct", said(verdict)
        assert "def " in exercise.solution().code and exercise.solution().code in repr(exercise.solution())
        assert repr(exercise) and exercise.name in repr(exercise)


@pytest.mark.slow
@every_exercise
def test_checks_say_the_same_on_every_run(exercise):
    wrong = exercise.misconceptions[0].answer
    assert repr(exercise.check(wrong)) == repr(exercise.check(wrong))
    assert exercise.check(wrong)._repr_html_() == exercise.check(wrong)._repr_html_()


@pytest.mark.slow
@pytest.mark.parametrize(("exercise", "mistake"), sweep(named_mistakes))
def test_every_listed_mistake_is_told_what_it_overlooks(exercise, mistake):
    verdict = exercise.check(mistake.answer)
    assert verdict.state == "wrong", said(verdict)
    assert mistake.message in verdict.sentences, said(verdict)
    assert [label for label, _ in verdict.rows] == ["inputs", "expected", "got"]


@every_exercise
def test_no_constant_is_accepted(exercise):
    expected = [exercise.reference(*copy.deepcopy(args)) for args in exercise.arguments()]
    answers = [*expected[:40], 0, 1, True, "", [], math.nan]
    for answer in answers:
        assert any(exercise.problem(answer, each) is not None for each in expected)
    for answer in answers[::20]:
        assert exercise.check(lambda *args, answer=answer: answer).state == "wrong"


@every_exercise
def test_inference_mode_changes_no_verdict(exercise):
    with torch.inference_mode():
        assert exercise.check(learners(exercise.reference)).state == "correct"


@pytest.mark.slow
@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_a_gradient_is_checked_also_where_gradients_are_switched_off(mode):
    exercise = load("lesson08")["gradient_through_steps"]
    mistake = exercise.misconceptions[0]
    with mode():
        assert exercise.check(learners(exercise.reference)).state == "correct"
        assert mistake.message in exercise.check(mistake.answer).sentences
        assert not torch.is_grad_enabled()


def names_of(module):
    """What a learner's notebook binds: its cells' names, and imports that its text gives."""
    text = next(LESSONS.glob(f"{module.removeprefix('lesson')}_*.md")).read_text(encoding="utf-8")
    names = {name for line in re.findall(r"\bimport ([\w, ]+)", text) for name in re.split(r"\W+", line)}
    for cell in re.findall(r"```\{code-cell\}[^\n]*\n(.*?)```", text, re.DOTALL):
        code = "\n".join(line for line in cell.splitlines() if not line.startswith((":", "%")))
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.alias):
                names.add((node.asname or node.name).partition(".")[0])
            elif isinstance(node, ast.FunctionDef | ast.ClassDef):
                names.add(node.name)
            elif isinstance(node, ast.arg):
                names.add(node.arg)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.add(node.id)
    return names


@pytest.mark.parametrize("module", MODULES)
def test_hints_call_only_what_the_notebook_has(module):
    known = names_of(module) | set(dir(builtins)) | {"layer", "tensor"}  # a layer and a tensor, as in speech
    for exercise in load(module).values():
        text = " ".join(exercise.hints)
        own = set(re.findall(r"`import (\w+)`", text))
        called = re.findall(r"(?<![\w.])([A-Za-z_]\w*)(?:\.\w+)*\(", " ".join(re.findall(r"`([^`]+)`", text)))
        assert set(called) <= known | own, exercise.name


@every_exercise
def test_no_argument_is_accepted_as_the_answer(exercise):
    for place in range(len(exercise.arguments()[0])):
        assert exercise.check(lambda *args, place=place: args[place]).state == "wrong"


@every_exercise
def test_hints_come_one_by_one(exercise):
    assert exercise.hints and exercise.misconceptions
    fresh = Exercise(exercise.reference, exercise.cases, exercise.hints, name=exercise.name)
    shown = [fresh.hint() for _ in range(len(exercise.hints) + 1)]
    assert [card.sentences[0] for card in shown] == [*exercise.hints, exercise.hints[-1]]
    assert "last hint" in said(shown[-1])


@every_exercise
def test_unattempted_is_a_state(exercise):
    def stub(*args): ...  # your code here

    for verdict in (exercise.check(), exercise.check(...), exercise.check(stub)):
        assert verdict.state == "not attempted"
    assert "return" in said(exercise.check(stub)) and "dots" in said(exercise.check(stub))


# ---------------------------------------------------------------- what else a learner may write


def crashes(*args):
    nothing = {}
    return nothing["key"]


def calls_itself(*args):
    return calls_itself(*args)


def quits(*args):
    raise SystemExit


def is_interrupted(*args):
    raise KeyboardInterrupt


def yields(*args):
    yield 1


async def is_async(*args):
    return 1


class Odd:
    def __repr__(self):
        raise RuntimeError

    def __eq__(self, other):
        raise RuntimeError

    __hash__ = None


@pytest.mark.slow
@every_exercise
@pytest.mark.parametrize(
    ("attempt", "state", "words"),
    [
        (crashes, "error", ["KeyError", "'key'", 'return nothing["key"]', "inputs"]),
        (calls_itself, "error", ["calls itself without end", "return calls_itself(*args)"]),
        (quits, "error", ["quit"]),
        (is_interrupted, "error", ["You stopped the check"]),
        (yields, "wrong", ["generator", "Use return"]),
        (is_async, "wrong", ["coroutine"]),
        (lambda *args: print, "wrong", ["parentheses"]),
        (lambda *args: "text", "wrong", ["text (str) came"]),
        (lambda *args: Odd(), "wrong", ["Odd"]),
        (lambda *args: print("my answer"), "not attempted", ["my answer", "return hands it"]),
        (lambda: 3, "error", ["The check calls", "<lambda>()"]),
        (lambda a, b, c, d, e, f, g, h, i: 3, "error", ["The check calls"]),
        (3, "error", ["3 came", "without parentheses"]),
        (None, "error", ["None came", "without parentheses"]),
    ],
)
def test_everything_else_is_answered_kindly(exercise, attempt, state, words, capsys):
    verdict = exercise.check(attempt)
    assert verdict.state == state, said(verdict)
    missing = [word for word in words if word not in said(verdict)]
    assert not missing, said(verdict)
    assert "Traceback" not in said(verdict) and "framework.py" not in said(verdict)
    assert capsys.readouterr().out == ""
