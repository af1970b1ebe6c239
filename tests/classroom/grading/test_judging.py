"""Answers that travel as data get the verdict that the check gives to the function itself."""

import json

import pytest
import torch
from answers import all_exercises, learners
from torch.nn import functional as F

from deeplab_lessons.classroom.exercises import lesson02, lesson05
from deeplab_lessons.classroom.exercises.framework import Function
from deeplab_lessons.classroom.exercises.surroundings import defaults, random_numbers
from deeplab_lessons.classroom.grading import answering, judging

FUNCTIONS = [
    pytest.param(exercise, id=f"{lesson}-{name}")
    for lesson, name, exercise in all_exercises()
    if isinstance(exercise, Function)
]


def judged(exercise, answer):
    """State, case and note of a function whose answers went through text."""
    messages = ['{"own": false}']
    with defaults(), random_numbers():
        answering._call(
            exercise, answer, exercise.arguments(), lambda **said: messages.append(json.dumps(said))
        )
    return judging._judged(exercise, [json.loads(message) for message in messages], "")


@pytest.mark.slow
@pytest.mark.parametrize("exercise", FUNCTIONS)
def test_a_right_and_a_listed_wrong_answer_get_the_verdict_of_the_check(exercise):
    assert judged(exercise, learners(exercise.reference)) == ("correct", "", "")
    for known in exercise.misconceptions[:1]:
        verdict = exercise.check(known.answer)
        state, case, note = judged(exercise, known.answer)
        assert state == verdict.state and known.message in note, known.answer.__name__
        assert dict(verdict.rows)["inputs"] == case


def a_new_leaf(logits, labels):
    return torch.tensor(F.cross_entropy(logits, labels, ignore_index=255).item(), requires_grad=True)


def tied_to_the_logits(logits, labels):
    return F.cross_entropy(logits, labels, ignore_index=255).item() + 0 * logits.sum()


def overwritten(logits, labels):
    q = logits.softmax(1)
    loss = F.cross_entropy(logits, labels, ignore_index=255) + 0 * q.sum()
    q.mul_(2)
    return loss


@pytest.mark.parametrize("answer", [a_new_leaf, tied_to_the_logits, overwritten])
def test_a_gradient_is_judged_as_in_the_check(answer):
    verdict = lesson05.cross_entropy.check(answer)
    state, _, note = judged(lesson05.cross_entropy, answer)
    assert state == verdict.state == "wrong" and "gradient" in note and verdict.sentences[0] in note


@pytest.mark.parametrize("sent", [{"eval": "1"}, 5, None, [], {"list": [3]}, {"list": ["a", None]}])
def test_whatever_comes_as_a_gradient_is_no_right_one(sent):
    labels = torch.tensor([[[1]]])
    case = torch.zeros(1, 2, 1, 1, requires_grad=True), labels
    right = lesson05.cross_entropy.reference(*case)
    replay = judging._Replay(lesson05.cross_entropy, [], [case])
    replay._now = {"gradients": sent}
    assert "gradient" in replay._problem(case, case, right, right)


@pytest.mark.parametrize(
    ("messages", "state", "note"),
    [
        ([], "error", "no answer came"),
        ([{"ended": "its process ended"}], "error", "its process ended"),
        ([{"own": False}, {"ended": "no answer within 2 seconds"}], "error", "no answer within 2 seconds"),
        ([{"absent": ""}], "not attempted", "its check was never reached"),
        ([{"absent": "cell 3 raised NameError"}], "error", "cell 3 raised NameError"),
        ([{"value": {"eval": "1"}}], "error", "its answer cannot be read"),
        ([{"value": 5}], "error", "the function itself"),
        ([{"value": {"dots": None}}], "not attempted", ""),
        ([{"own": False}, {"answer": {"eval": "1"}}], "error", "no answer in this form"),
        ([{"own": False}, {"raised": 5}], "error", ""),
        ([{"own": False}, {"raised": ["a\0b", "x"]}], "error", ""),
        ([{"own": False}, {"raised": ["SystemExit", ""]}], "error", "quit"),
        ([{"own": False}, {"raised": ["KeyboardInterrupt", ""]}], "error", ""),
        ([{"own": False}, {}], "error", ""),
    ],
)
def test_whatever_comes_is_a_state(messages, state, note):
    exercise = FUNCTIONS[0].values[0]
    found, _, said = judging._judged(exercise, messages, "")
    assert found == state and note in said


def test_a_note_separates_its_parts_and_names_no_exception_of_ours():
    late = [{"own": False}, {"ended": "no answer within 2 seconds"}]
    assert judging._judged(FUNCTIONS[0].values[0], late, "")[2] == "no answer within 2 seconds"
    holes = {"list": [{"layer": [11, 1, 10, 2, False, ""]}]}
    _, _, note = judging._judged(lesson02.window_of_21, [{"value": holes, "trouble": "cell 3 raised"}], "")
    assert note.count("; ") == 2 and note.startswith("cell 3 raised; no hole in it: ")
