"""Solutions: each runs where it is pasted, is one function, and no small change to it is accepted."""

import ast
import copy
import functools
import inspect

import numpy as np
import pytest
import torch
from answers import all_exercises, exercise_of, learners
from mutants import mutants, survivors
from pasted import paste
from verdicts import said

from deeplab_lessons.classroom.exercises.base import Exercise
from deeplab_lessons.classroom.exercises.framework import Function

# changes that change nothing: the same answers on every input that the text allows
EQUIVALENT = {
    "class_iou": {
        "labelled = labels != 255 -> labelled = labels < 255": "no label is above 255",
        "true = (labels == label) & labelled -> true = labels == label": "a class is not void",
    },
    "iou_of_set": {
        "labelled = truth != 255 -> labelled = truth < 255": "no label is above 255",
        "true = (truth == label) & labelled -> true = truth == label": "a class is not void",
    },
    "vote": {
        "labelled = cell[cell != 255] -> labelled = cell[cell < 255]": "no label is above 255",
        "if labelled.size == 0: -> if labelled.size <= 0:": "no size is below 0",
    },
    "same_padding": {
        "return (kernel_size - 1) * dilation // 2 -> return (kernel_size - 1) * dilation / 2": "whole anyway",
    },
    "receptive_field_size": {"size, jump = (1, 1) -> jump, size = (1, 1)": "both are 1"},
    "rate_that_keeps_field": {
        "return cells // (kernel_size - 1) -> return cells / (kernel_size - 1)": "whole anyway",
    },
    "energy": {
        "differ = x[:, None] != x[None, :] -> differ = x[:, None] != x": "x is a row anyway",
        "pairs = sum(((weight * kernel * differ).sum() for weight, kernel in kernels)) / 2 -> "
        "pairs = sum(((weight * kernel * differ).sum() for kernel, weight in kernels)) / 2": "the names exchanged",
        "return (alone + pairs).item() -> return alone + pairs": "a tensor without axes",
    },
    "splat": {"grid = np.zeros(size + 1) -> grid = np.zeros(size + 2)": "cut to `size` in the end"},
    "trimap": {
        "return (distance <= width) & (labels != 255) -> return (distance <= width) & (labels < 255)": (
            "no label is above 255"
        ),
    },
    "blur_along": {
        "step = np.ones(len(vertex), int) -> step = np.ones(len(vertex))": "1.0 equals 1, as a key too",
        "before, after = (tuple(vertex - step), tuple(vertex + step)) -> "
        "after, before = (tuple(vertex - step), tuple(vertex + step))": "both count the same",
        "before, after = (tuple(vertex - step), tuple(vertex + step)) -> "
        "before, after = (tuple(vertex + step), tuple(vertex - step))": "both count the same",
    },
    "decimate": {"taps = weight.shape[-1] -> taps = weight.shape[-2]": "kernels are square"},
    "coarse_labels": {
        "return small[:, 0].long() -> return small[:, -1].long()": "there is one channel",
        "return small[:, 0].long() -> return small[:, 0]": "whole numbers with a point",
    },
    "fine_tune": {
        "losses.append(loss.item()) -> losses.append(loss)": "tensors without axes",
    },
    "mean_iou": {
        "return (right / union).nanmean().item() -> return (right / union).nanmean()": "a tensor without axes",
    },
    "cross_entropy": {
        "labelled = labels != 255 -> labelled = labels < 255": "no label is above 255",
        "logs = F.log_softmax(logits, dim=1) -> logs = F.log_softmax(logits)": "torch guesses dim 1, and warns",
        "index = labels.masked_fill(~labelled, 0) -> index = labels.masked_fill(~labelled, 1)": "dropped later",
        "costs = -logs.gather(1, index[:, None])[:, 0] -> costs = -logs.gather(1, index[:, None])[:, -1]": (
            "there is one"
        ),
    },
    "gradient_through_steps": {
        "unary = unary.clone().requires_grad_() -> unary = unary.requires_grad_()": "the check passes a copy",
    },
    "frozen_block": {
        "y = F.batch_norm(y, mean, variance, factor, shift, training=False) -> "
        "y = F.batch_norm(y, mean, variance, factor, shift)": "False is the default",
    },
    "resnet_field": {
        "size += 2 * jump * (step if stride_in == '1x1' else 1) -> "
        "size += 2 * jump * (step if stride_in <= '1x1' else 1)": "3x3 is not below 1x1",
    },
    "block_rates": {
        "rate = max(1, undilated // output_stride) -> rate = max(undilated // output_stride, 1)": "max has no order",
        "rate = max(1, undilated // output_stride) -> rate = max(1, undilated / output_stride)": "powers of 2",
    },
    "valid_shares": {"positions[taps] += 1 -> positions[taps] -= 1": "squared later"},
    "image_pooling": {
        "mean = x.mean((2, 3), keepdim=True) -> mean = x.mean((3, 2), keepdim=True)": "the mean of both axes",
    },
    "dense_kernel": {
        "scaled = scale[:, None, None] * depthwise[:, 0] -> scaled = scale[:, None, None] * depthwise[:, -1]": (
            "there is one"
        ),
    },
    "joined_gradient": {
        "weighted = [count * gradient for gradient, count in zip(gradients, counts, strict=True)] -> "
        f"weighted = [count * gradient for {changed}]": why
        for changed, why in {
            "gradient, count in zip(gradients, counts, strict=False)": "as many of both",
            "gradient, count in zip(gradients, counts)": "as many of both",
            "gradient, count in zip(counts, gradients, strict=True)": "a product in any order",
            "count, gradient in zip(gradients, counts, strict=True)": "a product in any order",
        }.items()
    },
    "nearest_separable": {
        "shapes = kernel.flatten(2).transpose(0, 1) -> shapes = kernel.flatten(2).transpose(1, 0)": "the same",
        "return best.transpose(0, 1).reshape(kernel.shape) -> return best.transpose(1, 0).reshape(kernel.shape)": (
            "the same"
        ),
        "left, sizes, right = torch.linalg.svd(shapes, full_matrices=False) -> "
        "left, sizes, right = torch.linalg.svd(shapes, full_matrices=True)": "further columns are not used",
        "left, sizes, right = torch.linalg.svd(shapes, full_matrices=False) -> "
        "left, sizes, right = torch.linalg.svd(shapes)": "further columns are not used",
    },
}


def exercises(kind=Function):
    found = all_exercises(kind)
    return [pytest.param(module, name, exercise, id=f"{module}-{name}") for module, name, exercise in found]


@pytest.mark.slow
@pytest.mark.parametrize(("module", "name", "exercise"), exercises(kind=Exercise))
def test_a_solution_is_accepted_where_it_is_pasted(module, name, exercise):
    pasted = paste(module, name, exercise.solution().code)
    verdict = exercise.check(pasted)
    assert verdict.state == "correct", said(verdict)


@pytest.mark.parametrize(("module", "name", "exercise"), exercises())
def test_a_solution_is_one_short_function(module, name, exercise):
    code = exercise.solution().code
    (function,) = ast.parse(code).body
    assert function.name == name and len(code.splitlines()) <= 15
    named = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
    assert not [each for each in named if each.startswith("_") and each != "_"]
    assert "This is one way to" in said(exercise.solution())


@pytest.mark.parametrize(("module", "name", "exercise"), exercises())
def test_the_package_agrees_with_the_solution(module, name, exercise):
    if exercise.package is not None:
        assert exercise.package.__name__ == name
        for args in exercise.arguments():
            named = dict(zip(inspect.signature(exercise.reference).parameters, args, strict=False))
            assert exercise.problem(exercise.package(**named), exercise.reference(*args)) is None


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("module", "name", "exercise"), exercises())
def test_no_small_change_to_a_solution_is_accepted(module, name, exercise):
    changes = mutants(exercise.solution().code)
    left = survivors(exercise, functools.partial(paste, module, name), changes)
    assert set(left) == set(EQUIVALENT.get(name, {}))


def test_a_loop_that_a_change_could_make_endless_is_refused():
    with pytest.raises(ValueError, match="must have no while loop"):
        mutants("def f(n):\n    while n > 0:\n        n -= 1\n    return n")


def test_changes_reach_operators_numbers_arguments_and_branches():
    found = mutants(
        "def f(x, k=2):\n    if x < k:\n        return abs(x) + 1\n    return g(x, k, axis=0)[1:]"
    )
    after = {what.partition(" -> ")[2] for what in found}
    assert after >= {"if x <= k:", "return abs(x) - 1", "return x + 1", "def f(x, k=3):", "if False:"}
    assert after >= {"return g(k, x, axis=0)[1:]", "return g(x, k)[1:]", "return g(x, k, axis=0)[:]"}
    assert found["if x < k: -> if x <= k:"].count("<=") == 1


# ---------------------------------------------------------------- the package's own function


@pytest.mark.parametrize(("module", "name", "exercise"), exercises())
def test_the_package_handed_in_is_told_from_an_answer(module, name, exercise):
    own = exercise.package or exercise.reference
    named = list(inspect.signature(exercise.reference).parameters)
    wrapper = paste(module, name, f"def {name}(*args):\n    return own(**dict(zip({named}, args)))")
    wrapper.__globals__["own"] = own
    for attempt in (exercise.reference, wrapper):
        verdict = exercise.check(attempt)
        assert verdict.state == "not attempted" and "package's own function" in said(verdict)
    assert exercise.check(learners(exercise.reference)).state == "correct"


# ---------------------------------------------------------------- what a wrong answer is told


# more numbers than usual: two branches have 18 weights; three pixels, of which two are not neighbours, in two classes
MANY = {"summed_aspp": 30, "energy": 19}


def numbers_in(value):
    """The numbers of an argument, one by one; a layer or a parameter counts as one, a filter as its kernel."""
    if isinstance(value, str):
        return []
    if isinstance(value, torch.nn.Module):
        return [1 for _ in value.parameters()]
    value = getattr(value, "kernel", value)
    if hasattr(value, "reshape"):
        return value.reshape(-1).tolist()
    if isinstance(value, dict):
        value = list(value.items())
    if isinstance(value, list | tuple):
        return [number for item in value for number in numbers_in(item)]
    return [1 if isinstance(value, str) else getattr(value, "kernel_size", value)]


@pytest.mark.parametrize(("module", "name", "exercise"), exercises())
def test_a_listed_mistake_is_shown_on_a_few_plain_numbers(module, name, exercise):
    for mistake in exercise.misconceptions:
        wrong = (
            args
            for args in exercise.arguments()
            if exercise.problem(mistake.answer(*copy.deepcopy(args)), exercise.reference(*args)) is not None
        )
        shown = numbers_in(next(wrong))
        plain = all(4 * number == int(4 * number) for number in shown)  # whole, halves, quarters
        assert len(shown) <= MANY.get(name, 18) and plain, mistake.answer.__name__


def test_a_wrong_answer_without_a_known_cause_is_told_where_to_begin():
    exercise = exercise_of("lesson02", "same_padding")
    first_step = "If you are stuck, hint() has a first step."
    assert first_step in exercise.check(lambda k, d=1: 17).sentences
    assert first_step not in exercise.check(lambda k, d=1: k // 2).sentences
    assert first_step not in exercise.check(lambda k, d=1: np.array([(k - 1) * d // 2])).sentences


def crashes(prediction, labels, label):
    return 1 // 0


def test_a_comparison_without_parentheses_is_explained():
    exercise = exercise_of("lesson01", "class_iou")
    for attempt in (
        lambda p, t, c: (p == c & t == c).sum(),
        lambda p, t, c: (p == c and t == c).sum(),
        lambda p, t, c: (torch.tensor(p) == c and torch.tensor(t) == c).sum(),
    ):
        assert "Perhaps parentheses are missing" in said(exercise.check(attempt))
    assert exercise.check(crashes).sentences == ("Your function stopped with an error.",)
