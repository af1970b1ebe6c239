"""`arithmetic` against torch: the same sizes, fields and paths on thousands of random layers and stacks."""

import contextlib
import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from deeplab_lessons.arithmetic import (
    Field,
    Layer,
    effective_kernel_size,
    extend,
    output_size,
    receptive_fields,
    same_padding,
)
from deeplab_lessons.classroom import stacks

# Random cases that every full run tries, by subject; test_thousands_of_cases sums them up.
CASES = {
    "convolutions": 4000,
    "pools": 3000,
    "pairs": 1500,
    "same": 1000,
    "fields": 1500,
    "boxes": 1500,
    "paths": 1500,
}
kernels, strides, rates = st.integers(1, 7), st.integers(1, 5), st.integers(1, 6)


def cases(subject):
    many = settings(max_examples=CASES[subject], deadline=None, derandomize=True, database=None)
    return lambda test: pytest.mark.slow(many(test))


def test_thousands_of_cases():
    assert sum(CASES.values()) == 14_000


# ---------------------------------------------------------------- sizes


@cases("convolutions")
@given(st.integers(1, 90), kernels, strides, st.integers(0, 12), rates)
def test_convolution_sizes_are_torchs(cells, k, s, p, d):
    conv = torch.nn.Conv2d(1, 1, (k, 1), (s, 1), (p, 0), (d, 1), device="meta")
    x = torch.empty(1, 1, cells, 1, device="meta")
    try:
        ours = output_size(cells, k, s, p, d)
    except ValueError as error:
        assert "below 1" in str(error)
        with contextlib.suppress(
            RuntimeError
        ):  # torch 2.11 gives an empty map on meta tensors, others refuse
            assert conv(x).shape[2] < 1
    else:
        assert conv(x).shape[2] == ours


@st.composite
def pools(draw):
    k = draw(kernels)
    return draw(st.integers(1, 60)), k, draw(strides), draw(st.integers(0, k // 2)), draw(rates)


@cases("pools")
@given(pools(), st.booleans())
def test_pool_sizes_are_torchs(pool, ceil_mode):
    cells, k, s, p, d = pool
    x = torch.empty(1, 1, cells, 1, device="meta")
    layer = torch.nn.MaxPool2d((k, 1), (s, 1), (p, 0), (d, 1), ceil_mode=ceil_mode)
    try:
        ours = output_size(cells, k, s, p, d, ceil_mode)
    except ValueError:
        with pytest.raises(RuntimeError):
            layer(x)
    else:
        assert layer(x).shape[2] == ours


def test_ceil_mode_drops_a_window_that_starts_beyond_the_input():
    assert output_size(5, 2, 2, ceil_mode=True) == 3 and output_size(5, 2, 2) == 2
    # Rounding up alone would say 3: the third window would start in the padding after the input.
    assert output_size(3, 2, 2, 1, ceil_mode=True) == 2
    assert torch.nn.MaxPool1d(2, 2, 1, ceil_mode=True)(torch.zeros(1, 1, 3)).shape[2] == 2


def test_caffes_pools_round_up():
    """3x3 pools with padding 1 and stride 2, as in the released nets: at 321 both roundings agree, at 224 not."""
    for input_size, down, up in ((321, [161, 81, 41], [161, 81, 41]), (224, [112, 56, 28], [113, 57, 29])):
        for ceil_mode, expected in ((False, down), (True, up)):
            sizes = [input_size]
            for _ in range(3):
                sizes.append(output_size(sizes[-1], 3, 2, 1, ceil_mode=ceil_mode))
            assert sizes[1:] == expected


@cases("pairs")
@given(st.integers(1, 40), kernels, strides, st.integers(0, 9), st.integers(0, 9), rates)
def test_padding_pairs_are_f_pad(cells, k, s, before, after, d):
    x = F.pad(torch.empty(1, 1, cells, device="meta"), (before, after))
    if x.shape[2] < effective_kernel_size(k, d):
        with pytest.raises(ValueError, match="only"):
            output_size(cells, k, s, (before, after), d)
        return
    ours = output_size(cells, k, s, (before, after), d)
    assert ours == F.conv1d(x, torch.empty(1, 1, k, device="meta"), stride=s, dilation=d).shape[2]
    assert Layer(k, s, (before, after), d).taps(0).start == -before


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@cases("same")
@given(st.integers(1, 30), kernels, rates)
def test_same_padding_is_torchs(cells, k, d):
    """Sizes stay; an odd missing cell goes after, as the place of a single 1 in the answer shows."""
    weight = torch.zeros(1, 1, k)
    weight[..., 0] = 1  # the answer is the input moved by the padding before it
    x = torch.arange(1.0, cells + 1).view(1, 1, -1)
    out = F.conv1d(x, weight, padding="same", dilation=d)
    layer = Layer(k, padding="same", dilation=d)
    assert layer.output_size(cells) == cells == out.shape[2]
    assert out[0, 0, 0] == (1 if layer.sides[0] == 0 else 0)
    first = [u for u in range(cells) if out[0, 0, u] == 1]
    assert first == ([layer.sides[0]] if layer.sides[0] < cells else [])
    if (k - 1) * d % 2 == 0:
        assert same_padding(k, d) == layer.sides[0] == layer.sides[1] == (k - 1) * d // 2
    else:
        with pytest.raises(ValueError, match="before and"):
            same_padding(k, d)


# ---------------------------------------------------------------- receptive fields


@st.composite
def stacks_of_layers(draw):
    """One to five layers whose kernels fit, and an input size."""
    layers = []
    for _ in range(draw(st.integers(1, 5))):
        k, d, s = draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(st.integers(1, 3))
        whole = draw(st.integers(0, 4))
        pair = (draw(st.integers(0, 3)), draw(st.integers(0, 3)))
        padding = draw(st.sampled_from([0, whole, pair, "same" if s == 1 else 0]))
        layers.append(Layer(k, s, padding, d))
    cells = draw(st.integers(1, 40))
    while not _fits(layers, cells):
        cells += 7
    return layers, cells


def _fits(layers, cells):
    try:
        receptive_fields(layers, cells)
    except ValueError:
        return False
    return True


def forward(layers, x):
    """The stack as real 1-D convolutions whose weights are all 1. `x`: float64 `[1, 1, cells]`."""
    for layer in layers:
        ones = torch.ones(1, 1, layer.kernel_size, dtype=x.dtype)
        x = F.conv1d(F.pad(x, layer.sides), ones, stride=layer.stride, dilation=layer.dilation)
    return x


def gradient(layers, cells, units):
    """d(sum of `units`) / d(input): with weights of 1, the number of paths from each input cell."""
    x = torch.zeros(1, 1, cells, dtype=torch.float64, requires_grad=True)
    out = forward(layers, x)
    (paths,) = torch.autograd.grad(out[0, 0, units].sum(), x)
    return out.shape[2], [int(count) for count in paths[0, 0]]


@cases("paths")
@given(stacks_of_layers(), st.data())
def test_back_projection_and_paths_are_gradients(stack, data):
    layers, cells = stack
    out = receptive_fields(layers, cells)[-1].out
    unit = data.draw(st.integers(0, out - 1))
    size, paths = gradient(layers, cells, slice(unit, unit + 1))
    assert size == out
    assert stacks.path_counts(layers, unit, input_size=cells) == paths
    seen = [i for i, count in enumerate(paths) if count]
    expected = (seen[0], seen[-1]) if seen else None
    assert stacks.back_project(layers, unit, input_size=cells) == expected


@cases("fields")
@given(stacks_of_layers())
def test_size_jump_and_first_are_gradients(stack):
    """Far from the borders: on a wide input without padding, every unit's box is exactly what it sees."""
    layers, _ = stack
    bare = [Layer(layer.kernel_size, layer.stride, 0, layer.dilation) for layer in layers]
    field = receptive_fields(layers)[-1]
    wide = field.size + 3 * field.jump
    out, paths = gradient(bare, wide, slice(1, 2))
    seen = [i for i, count in enumerate(paths) if count]
    assert out == 4
    assert (seen[0], seen[-1]) == (field.jump, field.jump + field.size - 1)
    # Padding moves every box to the left, and by nothing else than `first`.
    moved = receptive_fields(bare)[-1]
    assert (field.size, field.jump, moved.first) == (moved.size, moved.jump, 0)
    before, shift = 1, 0
    for layer in layers:
        shift, before = shift + layer.sides[0] * before, before * layer.stride
    assert field.first == -shift
    assert field.start == (field.size - 1) / 2 - shift
    assert field.box(2) == (field.first + 2 * field.jump, field.first + 2 * field.jump + field.size - 1)


@cases("boxes")
@given(stacks_of_layers(), st.data())
def test_boxes_hold_what_units_see(stack, data):
    """With padding and borders, a unit sees nothing outside its box."""
    layers, cells = stack
    field = receptive_fields(layers, cells)[-1]
    unit = data.draw(st.integers(0, field.out - 1))
    low, high = field.box(unit)
    seen = stacks.back_project(layers, unit, input_size=cells)
    if seen is not None:
        assert max(low, 0) <= seen[0] <= seen[1] <= min(high, cells - 1)


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(stacks_of_layers(), st.data())
def test_a_few_stacks_in_every_respect(stack, data):
    test_back_projection_and_paths_are_gradients.hypothesis.inner_test(stack, data)
    test_size_jump_and_first_are_gradients.hypothesis.inner_test(stack)
    test_boxes_hold_what_units_see.hypothesis.inner_test(stack, data)


def test_extend_uses_the_jump_before_the_layer():
    field = extend(Field(size=6, jump=2, first=0, out=10), Layer(3, stride=2, dilation=4, padding=1))
    assert field == Field(size=6 + 2 * 4 * 2, jump=4, first=-2, out=2, name="")


def test_a_dilated_chain_that_tools_get_wrong():
    """paper-facts of the course: 3 taps at dilation 2, then 3 taps at dilation 4, see 13 cells."""
    assert receptive_fields(stacks.dilated(2, 4))[-1].size == 13


# ---------------------------------------------------------------- DeepLab v1, line by line

DEEPLAB_V1 = """
conv1_1 3 224  conv1_2 5 224    pool1 6 112
conv2_1 10 112 conv2_2 14 112   pool2 16 56
conv3_1 24 56  conv3_2 32 56    conv3_3 40 56   pool3 44 28
conv4_1 60 28  conv4_2 76 28    conv4_3 92 28   pool4 100 28
conv5_1 132 28 conv5_2 164 28   conv5_3 196 28  pool5 212 28
fc6 404 4
"""


def test_deeplab_v1_line_by_line():
    words = DEEPLAB_V1.split()
    table = [(words[i], int(words[i + 1]), int(words[i + 2])) for i in range(0, len(words), 3)]
    fields = receptive_fields(stacks.deeplab_v1(), 224)[1:]
    assert [(field.name, field.size, field.out) for field in fields] == table
    assert fields[-1].jump == 8


def test_vgg16_reaches_404_at_jump_32():
    field = receptive_fields(stacks.vgg16(), 224)[-1]
    assert (field.size, field.jump, field.out) == (404, 32, 1)


@pytest.mark.parametrize(
    ("kernel_size", "rate", "with_pool5", "without"),
    [(7, 4, 404, 396), (4, 4, 308, 300), (4, 8, 404, 396), (3, 12, 404, 396)],
)
def test_the_four_rows_of_v1s_table(kernel_size, rate, with_pool5, without):
    for dilated, size in ((True, with_pool5), (False, without)):
        field = receptive_fields(stacks.deeplab_v1(kernel_size, rate, dilated_pool5=dilated))[-1]
        assert (field.size, field.jump) == (size, 8)


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: effective_kernel_size(3, 0), ValueError, ["dilation", "at least 1", "got 0", "not 0"]),
        (lambda: effective_kernel_size(0), ValueError, ["kernel_size", "at least 1", "one tap"]),
        (lambda: effective_kernel_size(3, -2), ValueError, ["dilation", "got -2"]),
        (lambda: effective_kernel_size((3, 3)), TypeError, ["kernel_size", "(3, 3)", "one axis"]),
        (lambda: effective_kernel_size(3.0), TypeError, ["whole number", "3.0", "float"]),
        (lambda: effective_kernel_size("3"), TypeError, ["whole number", "'3'", "str"]),
        (lambda: effective_kernel_size(3, True), TypeError, ["dilation", "True", "bool"]),
        (lambda: effective_kernel_size(None), TypeError, ["None"]),
        (lambda: output_size(10, 3, stride=0), ValueError, ["stride", "never move on"]),
        (lambda: output_size(10, 3, padding=-1), ValueError, ["padding", "at least 0", "crop"]),
        (lambda: output_size(10, 3, padding=(1, -1)), ValueError, ["padding", "got -1"]),
        (lambda: output_size(10, 3, padding=(1, 1, 1)), ValueError, ["before, after", "(1, 1, 1)"]),
        (lambda: output_size(10, 3, padding="valid"), ValueError, ['"same"', "'valid'"]),
        (lambda: output_size(10, 3, padding=1.0), TypeError, ["padding", "1.0"]),
        (lambda: output_size(10, 3, stride=2, padding="same"), ValueError, ["stride 2", "as a number"]),
        (lambda: output_size(0, 3), ValueError, ["input_size", "at least one cell"]),
        (lambda: output_size(4, 3, dilation=2), ValueError, ["covers 5", "only 4", "below 1"]),
        (lambda: same_padding(2), ValueError, ["2 cells", "0 before and 1 after"]),
        (lambda: Layer(3, dilation=0, name="conv5_1"), ValueError, ["layer 'conv5_1'", "not 0"]),
        (lambda: Layer(3, padding=(1, 2, 3), name="conv5_1"), ValueError, ["layer 'conv5_1'"]),
        (lambda: receptive_fields(stacks.vgg16(), 100), ValueError, ["layer 'fc6'", "below 1"]),
        (lambda: receptive_fields([Layer(3), Layer(9)], 10), ValueError, ["layer 'layer 2'", "only 8"]),
        (lambda: receptive_fields([Layer(3), 3]), TypeError, ["layer 2", "Layer", "3 (int)"]),
        (lambda: stacks.back_project([Layer(3)], 8, input_size=10), IndexError, ["unit 8", "0 to 7"]),
        (lambda: stacks.path_counts([Layer(3)], -1, input_size=10), IndexError, ["unit -1", "0 to 7"]),
    ],
)
def test_errors_say_what_was_given_and_expected(call, kind, words):
    with pytest.raises(kind) as caught:
        call()
    missing = [word for word in words if word not in str(caught.value)]
    assert not missing, str(caught.value)


def test_imports_without_torch():
    code = "import sys; from deeplab_lessons import arithmetic; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
