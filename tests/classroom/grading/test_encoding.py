"""Answers as text and back: every answer of the course survives, and no text makes anything but data."""

import collections
import functools
import json
import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from answers import all_exercises

from deeplab_lessons.arithmetic import Layer
from deeplab_lessons.classroom.exercises.compare import difference
from deeplab_lessons.classroom.exercises.designs import Design
from deeplab_lessons.classroom.exercises.framework import Function
from deeplab_lessons.classroom.grading.encoding import BITS, MOST_PARTS, Other, TooLarge, decode, encode


def there_and_back(value):
    return decode(json.loads(json.dumps(encode(value))))


@pytest.mark.slow
@pytest.mark.parametrize(("lesson", "name", "exercise"), list(all_exercises()))
def test_every_right_answer_of_the_course_survives(lesson, name, exercise):
    if isinstance(exercise, Function):
        for args in exercise.arguments("1"):
            expected = exercise.reference(*args)
            assert exercise.problem(there_and_back(expected), expected) is None
    elif isinstance(exercise, Design):
        assert exercise.check(there_and_back(exercise.example())).state == "correct"


PAIR = collections.namedtuple("PAIR", "a b")


@pytest.mark.parametrize(
    "value",
    [
        None, True, 3, -(10**40), 0.1, math.inf, "größe\n", "", 2 + 1j, Fraction(1, 3), range(3, 9, 2), ..., [], (),
        [1, [2.5, "a"]], (1, (2,)), {"a": [1], 2: (3,)}, {1, 2}, Layer(3, 2, (1, 0), 2, True, "a"), [Layer(3)],
        PAIR(1, 2), np.float32(0.5), np.int64(3), np.bool_(True), np.str_("a"), collections.Counter("aa"),
    ],
)  # fmt: skip
def test_data_come_back_as_they_were(value):
    back = there_and_back(value)
    assert back == value and (type(back) is type(value) or isinstance(value, (tuple, dict, str)))


@pytest.mark.parametrize(
    "dtype", [np.uint8, np.int64, np.float16, np.float32, np.float64, bool, np.complex128, ">f4"]
)
def test_arrays_come_back_with_shape_and_dtype(dtype):
    for shape in ((), (0,), (2, 3), (1, 0, 2)):
        array = np.arange(math.prod(shape)).reshape(shape).astype(dtype)
        for value in (array, array.T):
            back = there_and_back(value)
            assert back.dtype == value.dtype and back.shape == value.shape and (back == value).all()
    assert np.isnan(there_and_back(np.array([math.nan, 1.0]))[0])


@pytest.mark.parametrize(
    "dtype", [torch.uint8, torch.int64, torch.float16, torch.bfloat16, torch.float64, torch.bool]
)
def test_tensors_come_back_with_shape_dtype_and_gradient(dtype):
    for shape in ((), (0,), (2, 3), (1, 0, 2)):
        tensor = torch.arange(math.prod(shape)).reshape(shape).to(dtype)
        for value in (
            tensor,
            tensor.T if tensor.dim() == 2 else tensor,
            tensor[..., :1][..., ::2] if shape else tensor,
        ):
            back = there_and_back(value)
            assert back.dtype == dtype and torch.equal(back, value) and not back.requires_grad
    assert there_and_back(torch.ones(2, requires_grad=True) * 3).requires_grad
    assert torch.equal(there_and_back(torch.arange(6)[::6]), torch.zeros(1, dtype=torch.int64))
    assert torch.equal(there_and_back(torch.ones(1).expand(2, 3)), torch.ones(2, 3))
    assert torch.equal(there_and_back(torch.tensor([1 + 2j]).conj()), torch.tensor([1 - 2j]))


@pytest.mark.parametrize(
    "value", [print, (n for n in ()), object(), torch.nn.Linear(1, 1), type, np.array([object()])]
)
def test_what_is_no_data_is_only_named(value):
    back = there_and_back(value)
    assert isinstance(back, Other) and difference(back, 3)


def nested(depth):
    return functools.reduce(lambda inside, _: [inside], range(depth), 1)


@pytest.mark.parametrize(
    "value",
    [
        *(
            np.zeros(10**7),
            torch.zeros(10**7),
            "a" * 10**6,
            [0] * (MOST_PARTS + 1),
            nested(40),
            1 << BITS + 1,
        ),
        *([[0] * 1000] * 1000, ["a" * 10**5] * 10**3, [torch.zeros(10**5)] * 100),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_answer_that_is_too_large_is_refused(value):
    with pytest.raises(TooLarge):
        encode(value)


@pytest.mark.parametrize(
    "text",
    [
        "[1]", "{}", '{"a": 1}', '{"list": 3}', '{"list": [[1]]}', '{"list": [], "tuple": []}', '{"layer": [0]}',
        '{"array": ["|O", [1], "AAAA"]}', '{"array": ["<f4", [2], "AAAA"]}', '{"array": ["<f4", [-1], "AAAA"]}',
        '{"array": ["(2,)f4", [1], "AAAAAAAAAAA="]}', '{"tensor": ["torch.float32", [99999999, 9999999], "", false]}',
        '{"tensor": ["os.system", [1], "AA==", false]}', '{"tensor": ["torch.int64", [0], "", true]}',
        '{"fraction": [1, 0]}',
        '{"set": [{"list": []}]}', '{"dict": [1]}', '{"range": [1, 2, 0]}', '{"number": ["<f4", [2], "AAAAAAAAAAA="]}',
        '{"eval": "1"}', '{"__reduce__": ["os.system", "ls"]}', '{"complex": ["a", 1]}', '{"number": ["x", [], ""]}',
    ],
)  # fmt: skip
def test_text_that_encode_does_not_write_is_refused(text):
    with pytest.raises(ValueError, match="no answer in this form"):
        decode(json.loads(text))
