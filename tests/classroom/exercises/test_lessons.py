"""Every exercise of every lesson: accepts its solution, rejects every listed mistake in its own words."""

import ast
import builtins
import contextlib
import copy
import dataclasses
import functools
import importlib
import inspect
import itertools
import math
import pkgutil
import re
import runpy
import textwrap
from pathlib import Path

import pytest
import torch
from answers import learners, listed
from pasted import handed_out, paste
from verdicts import said

from deeplab_lessons.classroom import exercises
from deeplab_lessons.classroom.exercises.base import Exercise
from deeplab_lessons.classroom.exercises.compare import difference
from deeplab_lessons.classroom.exercises.framework import Function

LESSONS = Path(__file__).parents[3] / "lessons"

MODULES = [m.name for m in pkgutil.iter_modules(exercises.__path__) if m.name.startswith("lesson")]


@functools.cache
def load(module):
    found = vars(importlib.import_module(f"deeplab_lessons.classroom.exercises.{module}"))
    return {name: value for name, value in found.items() if isinstance(value, Exercise)}


# whole numbers and small tensors: a sweep of these lessons takes seconds
QUICK = [f"lesson{number:02}" for number in range(1, 5)]


def sweep(parts, kind=Function):
    """A parameter for each exercise of a `kind` and each of its `parts(exercise)`; slow but for the quick lessons."""
    return [
        pytest.param(
            exercise, *part, id="-".join([m, name, *label]), marks=[] if m in QUICK else pytest.mark.slow
        )
        for m in MODULES
        for name, exercise in load(m).items()
        if isinstance(exercise, kind)
        for label, *part in parts(exercise)
    ]


def named_mistakes(exercise):
    return [((mistake.answer.__name__,), mistake) for mistake in exercise.misconceptions]


every_exercise = pytest.mark.parametrize("exercise", sweep(lambda exercise: [((),)], Exercise))
every_function = pytest.mark.parametrize("exercise", sweep(lambda exercise: [((),)]))


def test_every_module_has_exercises():
    assert "lesson02" in MODULES
    for module in MODULES:
        assert len(load(module)) >= 3, module


@pytest.mark.slow
@pytest.mark.parametrize("module", MODULES)
def test_the_solutions_are_accepted_and_shown(module):
    for exercise in load(module).values():
        if not isinstance(exercise, Function):
            continue
        verdict = exercise.check(learners(exercise.reference))
        assert verdict.state == "correct", said(verdict)
        assert "def " in exercise.solution().code and exercise.solution().code in repr(exercise.solution())
        assert repr(exercise) and exercise.name in repr(exercise)


@pytest.mark.slow
@every_function
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


@every_function
def test_no_constant_is_accepted(exercise):
    expected = [exercise.reference(*copy.deepcopy(args)) for args in exercise.arguments()]
    answers = [*expected[:40], 0, 1, True, "", [], math.nan]
    for answer in answers:
        assert any(exercise.problem(answer, each) is not None for each in expected)
    for answer in answers[::20]:
        assert exercise.check(lambda *args, answer=answer: answer).state == "wrong"


@every_function
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


def before_the_check(module, name):
    """Code of a lesson up to the cell that checks the exercise, and the text that poses it, from its heading on."""
    text = next(LESSONS.glob(f"{module.removeprefix('lesson')}_*.md")).read_text(encoding="utf-8")
    text = text[: text.index(f"ex.{name}.check(")]
    cells = re.findall(r"```\{code-cell\}[^\n]*\n(.*?)```", text, re.DOTALL)
    code = "\n".join(line for cell in cells for line in cell.splitlines() if not line.startswith((":", "%")))
    posed = re.split(r"^(?:#+ |\*\*\d)", text, flags=re.MULTILINE)[-1]
    return code, re.sub(r"```.*?(```|$)", "", posed, flags=re.DOTALL)


def bound_by(code):
    """Names that lines of a cell bind: imports, definitions, assignments; not what is inside a function."""
    names, todo = set(), list(ast.parse(code).body)
    for node in todo:  # grows while we walk over it
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
            continue
        if isinstance(node, ast.alias):
            names.add((node.asname or node.name).partition(".")[0])
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        todo += ast.iter_child_nodes(node)
    return names


def imported_by(code):
    """What the imports among lines of code bind, as name and object."""
    found = {}
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            exec(ast.unparse(node), found)
    return found


def syntax_of(snippet):
    """A piece of code in a text as a tree; `for …` needs a body, `.sum()` something before it. None for a bare `+=`."""
    for text in (snippet, f"{snippet}: pass", f"_{snippet}", f"_({snippet})"):
        with contextlib.suppress(SyntaxError):
            return ast.parse(text.replace("…", "..."))
    return None


SPOKEN = {
    "layer",
    "tensor",
    "head",
    "_",
}  # a layer and a tensor, as in speech; `head.fc8` is the name of a layer


def parameters(exercise):
    """Names of what an exercise's function takes."""
    return inspect.signature(exercise.reference).parameters if isinstance(exercise, Function) else ()


def unknown_names(exercise, module, texts, code, prose):
    """Names in the texts of an exercise that its notebook has not yet: what is called, and what has a dot after it.

    A name alone may be an argument or an attribute. It counts where the exercise's own module knows it: there the
    writer imported what the learner has not. Of an imported module what stands after the dot must be in it.
    """
    trees = [tree for text in texts for each in re.findall(r"`([^`]+)`", text) if (tree := syntax_of(each))]
    bare = " ".join(re.sub(r"`[^`]+`", "", text) for text in texts)
    trees += [ast.parse(each) for each in re.findall(r"\b[a-z]\w*(?:\.[a-z]\w+)+(?=[(.,;:]?\s|\()", bare)]
    given = [each for text in [*texts, prose] for each in re.findall(r"`((?:from|import) [^`]+)`", text)]
    imported = imported_by("\n".join([code, *given]))
    known = {*bound_by(code), *imported, *dir(builtins), *parameters(exercise)}
    known |= {name for tree in trees for name in bound_by(ast.unparse(tree))} | SPOKEN
    writers = vars(importlib.import_module(f"deeplab_lessons.classroom.exercises.{module}"))
    for node in (node for tree in trees for node in ast.walk(tree)):
        told = node.func if isinstance(node, ast.Call) else getattr(node, "value", None)
        if isinstance(told, ast.Name) and isinstance(node, ast.Call | ast.Attribute) and told.id not in known:
            yield told.id
        elif isinstance(node, ast.Name) and node.id in writers.keys() - known:
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(told, ast.Name):
            module_itself = imported.get(told.id)
            if inspect.ismodule(module_itself) and not hasattr(module_itself, node.attr):
                yield f"{told.id}.{node.attr}"


def named_exercises():
    return [pytest.param(m, name, each, id=f"{m}-{name}") for m in MODULES for name, each in load(m).items()]


@pytest.mark.parametrize(("module", "name", "exercise"), named_exercises())
def test_texts_name_only_what_the_notebook_has_before_the_exercise(module, name, exercise):
    code, prose = before_the_check(module, name)
    texts = [*exercise.hints, *(mistake.message for mistake in getattr(exercise, "misconceptions", ()))]
    texts += getattr(exercise, "why", {}).values()
    assert set(unknown_names(exercise, module, [*texts, prose], code, prose)) == set()


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("`receptive_fields(layers)[-1]` holds `first`.", ["receptive_fields"]),
        ("Use `receptive_fields`.", ["receptive_fields"]),
        ("Carry on: `field = extend(field, layer)`.", ["extend"]),
        ("`arithmetic.receptive_field(layers)` has it.", ["arithmetic.receptive_field"]),
        ("`np.sum(sizes)` adds up.", ["np"]),
        ("math.prod(strides) multiplies.", ["math"]),
        ("`zip(sizes, sizes)`, `effective_kernel_size(3, 2)`", ["effective_kernel_size"]),
        ("`arithmetic.receptive_fields(layers)[-1].size`", []),
        ("After `import math`, `math.prod(strides)` multiplies.", []),
        ("`fields = [each.size for each in layers]`, then `fields.pop()`, `.copy()` and `max(fields)`.", []),
    ],
)
def test_a_name_that_the_notebook_lacks_is_found(text, unknown):
    code = "from deeplab_lessons import arithmetic"
    assert set(unknown_names(load("lesson03")["receptive_field_size"], "lesson03", [text], code, "")) == set(
        unknown
    )


def test_a_name_that_the_notebook_gets_later_is_not_there_yet():
    code, _ = before_the_check("lesson03", "field_of_15")
    later, _ = before_the_check("lesson03", "path_counts")
    assert "receptive_field_size" in bound_by(later) - bound_by(code)


@every_function
def test_no_argument_is_accepted_as_the_answer(exercise):
    for place in range(len(exercise.arguments()[0])):
        assert exercise.check(lambda *args, place=place: args[place]).state == "wrong"


@every_exercise
def test_hints_come_one_by_one(exercise):
    assert exercise.hints
    fresh = dataclasses.replace(exercise)
    shown = [fresh.hint() for _ in range(len(exercise.hints) + 1)]
    assert [card.sentences[0] for card in shown] == [*exercise.hints, exercise.hints[-1]]
    assert "last hint" in said(shown[-1])


@every_exercise
def test_unattempted_is_a_state(exercise):
    for verdict in (exercise.check(), exercise.check(...)):
        assert verdict.state == "not attempted" and verdict.sentences


@every_function
def test_an_unattempted_function_may_be_handed_in(exercise):
    def stub(*args): ...  # your code here

    assert exercise.check(stub).state == "not attempted"
    assert "return" in said(exercise.check(stub)) and "replace `...`" in said(exercise.check(stub))


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
@every_function
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
        (lambda *args: "text", "wrong", ["got text (str)"]),
        (lambda *args: Odd(), "wrong", ["Odd"]),
        (lambda *args: print("my answer"), "not attempted", ["my answer", "return hands it"]),
        (lambda: 3, "error", ["The check calls", "<lambda>()"]),
        (lambda a, b, c, d, e, f, g, h, i: 3, "error", ["The check calls"]),
        (3, "error", ["got 3", "without parentheses"]),
        (None, "error", ["got None", "without parentheses"]),
    ],
)
def test_everything_else_is_answered_kindly(exercise, attempt, state, words, capsys):
    verdict = exercise.check(attempt)
    assert verdict.state == state, said(verdict)
    missing = [word for word in words if word not in said(verdict)]
    assert not missing, said(verdict)
    assert "Traceback" not in said(verdict) and "framework.py" not in said(verdict)
    assert capsys.readouterr().out == ""


# ---------------------------------------------------------------- repairs, designs, orders


def of_kind(kind):
    found = [(m, name, each) for m in MODULES for name, each in load(m).items() if each.kind == kind]
    return pytest.mark.parametrize(
        ("module", "name", "exercise"), [pytest.param(*each, id="-".join(each[:2])) for each in found]
    )


def body(function):
    """What a function takes and does, whatever it is called and marked with."""
    return ast.dump(function.args), [ast.dump(statement) for statement in function.body]


def function_in(code):
    return ast.parse(textwrap.dedent(code)).body[0]


@of_kind("repair")
def test_a_lesson_hands_out_the_fault_that_is_declared(module, name, exercise):
    fault, found = function_in(inspect.getsource(exercise.fault.answer)), handed_out(module, name)
    assert body(found) == body(fault) != body(function_in(exercise.solution().code))
    verdict = exercise.check(paste(module, name, ast.unparse(found)))
    assert verdict.state == "wrong" and exercise.fault.message in verdict.sentences, said(verdict)


def missed(verdict):
    return {wanted for wanted, _, met in verdict.rows if met != "met"}


@of_kind("design")
def test_every_property_of_a_design_is_missed_by_a_listed_wrong_one(module, name, exercise):
    assert exercise.check(exercise.example()).state == "correct"
    answers = runpy.run_path(str(Path(__file__).with_name(f"test_{module}.py")))
    wrong = [answer() for key, answer in (each.values for each in listed(answers, "Wrong")) if key == name]
    found = [missed(exercise.check(each)) for each in wrong]
    assert set().union(*found) == {each.text for each in exercise.properties}


@of_kind("order")
def test_an_order_gives_the_right_result_exactly_where_every_step_has_what_it_needs(module, name, exercise):
    expected = outcome(exercise, exercise.functions)
    for steps in itertools.permutations(exercise.functions):
        right = difference(outcome(exercise, steps), expected) is None
        assert right == (exercise.broken(steps) is None), [step.__name__ for step in steps]


def outcome(exercise, steps):
    """What the steps give in this order; None where one of them cannot be taken."""
    state = exercise.start()
    try:
        for step in steps:
            step(state)
        return exercise.result(state)
    except Exception:
        return None
