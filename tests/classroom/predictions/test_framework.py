"""A prediction as it is declared: the computed answer, what counts as right, its form, and what is remembered."""

import numpy as np
import pytest
import torch

from deeplab_lessons import arithmetic
from deeplab_lessons.classroom import progress
from deeplab_lessons.classroom.predictions.framework import Answer, choice, number, order

THREE = ("wide", "narrow", "equal")


@number("How many cells does a row of 7 keep after 3 taps of dilation 2?", unit="cells", slips={5: "Window."})
def cells_of_seven():
    return arithmetic.output_size(7, 3, dilation=2)


@number("What fraction is left?", tolerance=0.01)
def fraction():
    return Answer(np.float64(2) / 3, shows=("0.667", "0.333"))


@choice("Which is larger?", THREE, slips={"equal": "Look again."})
def larger():
    return Answer(max(THREE[:2], key=len), shows="narrow")


@order("Sort by length.", THREE)
def by_length():
    return tuple(sorted(THREE, key=lambda word: (len(word), word)))


def test_the_answer_is_computed_once_and_is_python_s_own():
    assert (cells_of_seven.answer.value, cells_of_seven.answer.shows) == (3, ("3",))
    assert type(fraction.answer.value) is float and fraction.answer.shows == ("0.667", "0.333")
    assert larger.answer == Answer("narrow", ("narrow",)) and by_length.answer.shows == ()
    assert by_length.answer.value == ("wide", "equal", "narrow")
    assert cells_of_seven.answer is cells_of_seven.answer


def test_it_knows_its_name_and_lesson():
    assert (cells_of_seven.name, cells_of_seven.lesson) == ("cells_of_seven", "test_framework")


def test_what_is_right():
    assert cells_of_seven.is_right(3.0) and not cells_of_seven.is_right(3.01)
    assert fraction.is_right(0.67) and not fraction.is_right(0.68)
    assert larger.is_right("narrow") and not larger.is_right("wide")
    assert by_length.is_right(["wide", "equal", "narrow"]) and not by_length.is_right(list(THREE))


def test_its_form_holds_all_that_a_page_without_kernel_needs():
    state = cells_of_seven.form.get_state()
    assert (state["answer"], state["unit"], state["slips"]) == (3, "cells", [[5, "Window."]])
    assert by_length.form.answer == ["wide", "equal", "narrow"] and fraction.form.tolerance == 0.01
    assert cells_of_seven._repr_mimebundle_()[0]["text/plain"] == repr(cells_of_seven)
    assert repr(larger) == "Predict. Which is larger?\n- wide\n- narrow\n- equal"
    assert "application/vnd.jupyter.widget-view+json" in larger._repr_mimebundle_()[0]


def test_an_answer_that_the_form_cannot_give_is_an_error():
    for declare in (number("How many?"), choice("Which?", THREE), order("Sort.", THREE)):
        with pytest.raises(ValueError, match="the answer must be one that the form can give"):
            declare(lambda: "nothing").form  # noqa: B018


def test_a_commitment_is_remembered_and_comes_back(monkeypatch):
    heard, stored = [], {"fraction": 0.5, "larger": "gone"}
    monkeypatch.setattr(progress, "prediction_committed", lambda *given: heard.append(given))
    monkeypatch.setattr(progress, "committed", lambda lesson, name: stored.get(name))
    fresh = order("Sort.", THREE)(lambda: THREE)
    fresh.form.committed = list(THREE[::-1])
    assert heard == [(fresh.lesson, "<lambda>", list(THREE[::-1]), False)]
    assert number("What?")(fraction.compute).form.committed == 0.5
    assert choice("Which?", THREE)(larger.compute).form.committed is None, "the options have changed since"
    assert len(heard) == 1, "what comes back is no news"


def test_a_prediction_takes_none_of_the_lesson_s_random_numbers():
    @number("How many?")
    def drawn():
        return float(torch.rand(()))

    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    assert torch.rand(()) == expected[0] and drawn.answer.value > 0 and torch.rand(()) == expected[1]
