"""Designs: any data with the wanted properties is right, and what it lacks is said."""

import sys

import pytest
import torch
from verdicts import said

from deeplab_lessons.arithmetic import Layer, receptive_fields
from deeplab_lessons.classroom.exercises.designs import design, list_of, wanted


@design
class SmallStack:
    """A field of 7 pixels, from at most two layers."""

    hints = ("How much does a layer add?",)
    takes = list_of(Layer)

    def small_stack():
        return [
            Layer(3),
            Layer(3, dilation=2),
        ]

    @wanted("a field of 7 pixels")
    def field(layers):
        size = receptive_fields(layers)[-1].size
        return size == 7, f"{size} pixels"

    @wanted("at most two layers")
    def few(layers):
        return torch.tensor(len(layers)) <= 2, f"{len(layers)} layers"

    @wanted("a map of 3 cells or more for 9 pixels")
    def map_size(layers):
        cells = receptive_fields(layers, 9)[-1].out
        return cells >= 3, f"{cells} cells"


stack = vars(sys.modules[__name__])["small_stack"]


@pytest.mark.parametrize(
    "layers", [SmallStack.small_stack(), [Layer(7)], (Layer(5, dilation=1), Layer(3)), [Layer(4, dilation=2)]]
)
def test_any_design_with_the_properties_is_right(layers):
    verdict = stack.check(layers)
    assert verdict.state == "correct" and "Any design that has them all is right" in said(verdict)
    assert {row[2] for row in verdict.rows} == {"met"}


def test_a_missing_property_is_shown_with_what_there_is():
    verdict = stack.check([Layer(3)] * 4)
    assert verdict.state == "wrong" and "3 of 3 properties are missing" in said(verdict)
    assert verdict.rows == (
        ("a field of 7 pixels", "9 pixels", "not met"),
        ("at most two layers", "4 layers", "not met"),
        ("a map of 3 cells or more for 9 pixels", "1 cell", "not met"),
    )
    verdict = stack.check([Layer(3)])
    assert verdict.state == "wrong" and "One property is missing" in said(verdict)
    assert [row[2] for row in verdict.rows] == ["not met", "met", "met"]


def test_a_calculator_that_refuses_a_design_says_why():
    verdict = stack.check([Layer(11)])
    assert verdict.state == "wrong"
    assert (
        verdict.rows[2][1].startswith("cannot be computed: ValueError: ") and verdict.rows[2][2] == "not met"
    )


@pytest.mark.parametrize(
    "answer", [None, [], 3, "Layer(3)", [3, 3], [Layer(3), None], Layer(3), print, torch.nn.ReLU()]
)
def test_what_is_no_design_is_told_what_is_expected(answer):
    verdict = stack.check(answer)
    assert verdict.state == "error" and "Expected a list of one or more Layers" in said(verdict)


def test_a_design_that_cannot_even_be_read_is_an_error():
    @design
    class Odd:
        hints = ("A hint.",)
        takes = lambda value: None if value["rates"] else "no"  # noqa: E731

        def odd():
            return {"rates": 1}

        @wanted("one")
        def one(value):
            return value["rates"] == 1, str(value["rates"])

    odd = vars(sys.modules[__name__]).pop("odd")
    assert odd.check({"rates": 1}).state == "correct" and odd.check({"rates": 2}).state == "wrong"
    verdict = odd.check({})
    assert verdict.state == "error" and "KeyError: 'rates'" in said(verdict)


@pytest.mark.parametrize(
    ("kind", "right", "wrong", "words"),
    [
        (int, [1, 2], [1.0], "whole numbers, got [1.0]."),
        (int, (3,), [True], "whole numbers, got [True]."),
        (float, [0.5], [1], "floats, got [1]."),
        (Layer, [Layer(3)], [], "Layers, got []."),
    ],
)
def test_a_list_of_one_type(kind, right, wrong, words):
    assert list_of(kind)(right) is None
    assert list_of(kind)(wrong) == f"Expected a list of one or more {words}"


def test_the_solution_is_an_expression():
    assert eval(stack.solution().code) == SmallStack.small_stack()
    assert stack.solution().code == "[\n    Layer(3),\n    Layer(3, dilation=2),\n]"
    assert stack.kind == "design" and stack.lesson == "test_designs"


def test_the_table_is_a_table_in_a_notebook_and_in_a_terminal():
    verdict = stack.check([Layer(3)])
    lines = repr(verdict).splitlines()
    assert lines[1].split() == ["wanted", "yours", "result"]
    assert lines[2] == "  a field of 7 pixels                    3 pixels  not met"
    html = verdict._repr_html_()
    assert (
        html.count("<th ") == 3
        and html.count("<tr>") == 4
        and "not met</td>" in html
        and "<code>" not in html
    )


@pytest.mark.parametrize("missing", ["hints", "takes", "some_thing", "one"])
def test_a_declaration_that_says_too_little_is_refused(missing):
    held = {
        "hints": ("A hint.",),
        "takes": list_of(int),
        "some_thing": lambda: [1],
        "one": wanted("one")(lambda value: (value == [1], "")),
        "__module__": __name__,
    }
    del held[missing]
    with pytest.raises(TypeError, match="SomeThing must hold hints, takes, some_thing and functions marked"):
        design(type("SomeThing", (), held))
