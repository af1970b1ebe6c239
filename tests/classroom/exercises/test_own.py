"""The package's own function is told from an answer, however it is handed in."""

import functools

import pytest
from answers import learners

from deeplab_lessons import metrics
from deeplab_lessons.classroom.exercises.own import hands_in
from deeplab_lessons.metrics import mean_iou as theirs


def mean_iou(confusion):
    return metrics.mean_iou(confusion)


def imported_inside(confusion):
    from deeplab_lessons.metrics.scores import mean_iou

    return mean_iou(confusion)


def whole_path(confusion):
    import deeplab_lessons

    return deeplab_lessons.metrics.scores.mean_iou(confusion)


def in_a_list(confusion):
    return sum([theirs(each) for each in [confusion]])


def in_another_function(confusion):
    def inner():
        return theirs(confusion)

    return inner()


@functools.wraps(metrics.mean_iou)
def wrapped(confusion):
    return 1


@pytest.mark.parametrize(
    "attempt",
    [
        metrics.mean_iou,
        functools.partial(metrics.mean_iou),
        mean_iou,
        imported_inside,
        whole_path,
        in_a_list,
        in_another_function,
        wrapped,
        lambda confusion: theirs(confusion),
    ],
)
def test_the_package_handed_in(attempt):
    assert hands_in(attempt, metrics.mean_iou)


def recursion(confusion):
    return recursion(confusion[1:])


def another_of_the_package(confusion):
    return metrics.iou_per_class(confusion).nanmean()


class Callable:
    def __call__(self, confusion):
        return 1


@pytest.mark.parametrize(
    "attempt", [learners(metrics.mean_iou), recursion, another_of_the_package, Callable(), max, "text", None]
)
def test_an_answer_of_ones_own(attempt):
    assert not hands_in(attempt, metrics.mean_iou)


def test_a_function_that_is_not_the_packages_belongs_to_whoever_hands_it_in():
    assert not hands_in(recursion, recursion)


def test_a_wrapper_without_end_is_no_error():
    def endless(confusion): ...

    endless.__wrapped__ = endless
    assert not hands_in(endless, metrics.mean_iou)


def test_variables_that_cannot_be_compared_are_no_hindrance():
    scope = {"metrics": metrics, "iou": __import__("numpy").zeros(3)}
    exec("def answer(confusion):\n    return metrics.label_maps, iou, metrics.mean_iou(confusion)", scope)
    assert hands_in(scope["answer"], metrics.mean_iou)
