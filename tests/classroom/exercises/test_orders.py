"""Orders: every order in which each step finds what it needs is right, and a broken one is told a reason."""

import itertools
import sys

import pytest
from verdicts import said

from deeplab_lessons.classroom.exercises.orders import order


@order
class Omelette:
    """Eggs and a hot pan, then both together."""

    hints = ("What must be hot?",)
    needs = {"beat": ("crack",), "pour": ("beat", "heat")}  # noqa: RUF012
    why = {  # noqa: RUF012
        ("beat", "crack"): "A whole egg cannot be beaten.",
        ("pour", "beat"): "What is poured is an omelette only if it was beaten.",
        ("pour", "heat"): "In a cold pan the eggs stick.",
    }

    def start():
        return {"eggs": "whole", "pan": "cold"}

    def result(state):
        return state["eggs"]

    def crack(state):
        """Crack the eggs."""
        state["eggs"] = "open"

    def beat(state):
        """Beat the eggs."""
        state["eggs"] = {"open": "beaten"}[state["eggs"]]

    def heat(state):
        """Heat the pan."""
        state["pan"] = "hot"

    def pour(state):
        """Pour the eggs into the pan."""
        state["eggs"] = f"{state['eggs']} in a {state['pan']} pan"


omelette_ = vars(sys.modules[__name__])["omelette"]
letter = {step.__name__: label for label, step in omelette_.letters.items()}


def letters_of(*names):
    return "".join(letter[name] for name in names)


RIGHT = letters_of("crack", "beat", "heat", "pour")


@pytest.mark.parametrize(
    "answer",
    [RIGHT, RIGHT.lower(), " ".join(RIGHT), ", ".join(RIGHT), " -> ".join(RIGHT), list(RIGHT), tuple(RIGHT)],
)
def test_letters_come_in_many_forms(answer):
    assert omelette_.check(answer).state == "correct"


def test_exactly_the_orders_with_all_that_is_needed_are_right():
    right = {
        letters
        for letters in map("".join, itertools.permutations(letter.values()))
        if omelette_.check(letters).state == "correct"
    }
    assert right == {
        letters_of("crack", "beat", "heat", "pour"),
        letters_of("crack", "heat", "beat", "pour"),
        letters_of("heat", "crack", "beat", "pour"),
    }


def test_a_broken_order_is_told_one_reason():
    verdict = omelette_.check(letters_of("crack", "beat", "pour", "heat"))
    assert verdict.state == "wrong" and len(verdict.rows) == 4
    early = f"Step {letter['pour']} comes before step {letter['heat']}. In a cold pan the eggs stick."
    assert verdict.sentences == (early,)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "Expected the letters of the steps as text"),
        (3, ", got 3"),
        ([1, 2, 3, 4], ", got [1, 2, 3, 4]"),
        (print, "Expected the letters"),
        (RIGHT[:3], f"These steps are missing: {RIGHT[3]}."),
        (RIGHT + RIGHT[0], f"These letters come more than once: {RIGHT[0]}."),
        (RIGHT + "X1", "These are not letters of steps: 1, X."),
        ("crack", "These are not letters of steps"),
    ],
)
def test_what_is_no_order_is_told_what_is_expected(answer, words):
    verdict = omelette_.check(answer)
    assert verdict.state == "error" and words in said(verdict)


def test_dots_and_an_empty_text_are_no_attempt():
    for answer in (..., "", " "):
        assert omelette_.check(answer).state == "not attempted"


def test_the_steps_stand_under_letters_that_give_nothing_away():
    card = omelette_.steps()
    assert [label for label, _ in card.rows] == ["A", "B", "C", "D"]
    assert dict(card.rows)[letter["pour"]] == "Pour the eggs into the pan."
    assert '"ABCD" (which is not the answer)' in said(card)
    assert omelette_.check("ABCD").state == "wrong"


def test_the_solution_is_the_letters():
    assert omelette_.solution().code == repr(RIGHT)
    assert [label for label, _ in omelette_.solution().rows] == list(RIGHT)
    assert omelette_.kind == "order" and omelette_.lesson == "test_orders"


def test_a_state_and_a_result_need_not_be_declared():
    held = {key: value for key, value in vars(Omelette).items() if key not in ("start", "result")}
    order(type("SecondBreakfast", (), held))
    made = vars(sys.modules[__name__]).pop("second_breakfast")
    assert made.start() == {} and made.result({"eggs": 1}) == {"eggs": 1}


def step(name, text="Do it."):
    def do(state):
        state[name] = True

    do.__name__, do.__doc__ = name, text
    return do


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"c": None, "d": None, "e": None}, "four to six steps, got 2"),
        ({"f": step("f"), "g": step("g")}, "four to six steps, got 7"),
        ({"a": step("a", "")}, "a docstring for each step"),
        ({"needs": {}, "why": {}}, "needs that name its steps"),
        ({"needs": {"b": ("z",)}, "why": {("b", "z"): ""}}, "needs that name its steps"),
        ({"why": {}}, "for every pair in `needs`"),
        ({"why": {("b", "a"): "", ("c", "a"): ""}}, "for no other"),
        ({"needs": {"a": ("b",)}, "why": {("a", "b"): ""}}, "must declare b before a"),
    ],
)
def test_a_declaration_that_contradicts_itself_is_refused(changed, words):
    held = {"hints": ("A hint.",), "needs": {"b": ("a",)}, "why": {("b", "a"): "So."}, "__module__": __name__}
    held |= {name: step(name) for name in "abcde"} | changed
    with pytest.raises(TypeError) as refused:
        order(type("SomeThing", (), {key: value for key, value in held.items() if value is not None}))
    assert words in str(refused.value)
