"""What flows back from an answer to its inputs is compared with what should."""

import pytest
import torch

from deeplab_lessons.classroom.exercises.gradients import carries_gradient, gradient_problem, gradients


def leaf(*values):
    return torch.tensor(values, requires_grad=True)


def test_only_a_tensor_that_asks_for_it_carries_a_gradient():
    assert carries_gradient(leaf(1.0)) and not carries_gradient(torch.ones(1)) and not carries_gradient(3)


def test_a_gradient_comes_for_each_input_that_takes_one_in_order():
    a, b, plain = leaf(1.0, 2.0), leaf(3.0), torch.ones(2)
    flow = gradients(a * b * plain, (plain, a, "text", b))
    assert [each.shape for each in flow] == [a.shape, b.shape]
    assert gradients((a * 1).sum(), (a, b))[1] is None
    assert gradients(a.detach(), (a,)) == [] and gradients(3, (a,)) == []


def test_numbers_that_change_places_have_another_gradient():
    a, b = leaf(1.0, 1.0), leaf(1.0, 1.0)
    assert "is not" in gradient_problem(gradients(a.flip(0), (a,)), gradients(b * 1, (b,)))


@pytest.mark.parametrize(
    ("got", "words"),
    [
        ([torch.tensor([2.0])], None),
        ([torch.tensor([2.1])], "the gradient that flows back to the inputs is not"),
        ([torch.tensor([torch.nan])], "the gradient that flows back to the inputs is not"),
        ([None], "no gradient can flow back"),
        ([], "no gradient can flow back"),
        ("RuntimeError: changed in place", "cannot compute their gradient. It raises RuntimeError: changed"),
    ],
)
def test_what_is_wrong_with_a_gradient_is_said(got, words):
    problem = gradient_problem(got, [torch.tensor([2.0])])
    assert problem is None if words is None else words in problem


def test_an_input_that_the_solution_does_not_use_may_have_any_gradient():
    assert gradient_problem([torch.ones(1)], [None]) is None


def test_a_step_in_place_is_told_in_pytorchs_words():
    a = leaf(1.0)
    q = a.exp()
    answer = q.sum()
    q.mul_(2)
    assert gradients(answer * q.sum(), (a,)).startswith("RuntimeError: one of the variables needed")
