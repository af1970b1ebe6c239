"""The five edits of DeepLab v1: what each keeps, and that the dilated network holds the strided one."""

import copy

import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import picture, small_vgg
from torch import nn

from deeplab_lessons import backbones
from deeplab_lessons.receptive_field import trace


@pytest.fixture
def meta():
    with torch.device("meta"):
        yield


def test_edit_by_edit_field_and_stride(meta):
    """The lesson's table at full width: jump, field, map and parameters after each edit."""
    net = backbones.fully_convolutional(backbones.vgg16())
    seen = [net]
    for edit in (backbones.keep_resolution, backbones.dilate, backbones.new_classifier, backbones.large_fov):
        seen.append(edit(seen[-1]))
    rows = [trace(net, 320) for net in seen]
    found = [(r["fc6"].jump, r["fc6"].size, r["fc6"].map_size[0], r.parameters) for r in rows]
    assert found == [
        (32, 404, 4, 138_357_544),
        (8, 204, 34, 138_357_544),
        (8, 404, 16, 138_357_544),
        (8, 404, 16, 134_346_581),
        (8, 404, 16, 20_505_429),
    ]
    strided, dilated = rows[0]["fc6"].field.y, rows[2]["fc6"].field.y
    assert strided.box(1) == dilated.box(4), "the same unit, at every fourth place"


def test_the_fully_convolutional_net_gives_the_classifiers_own_1000_scores():
    vgg, x = small_vgg(), picture(224)
    scores = backbones.fully_convolutional(vgg)(x)
    assert scores.shape == (1, 1000, 1, 1)
    assert torch.allclose(scores.flatten(1), vgg(x), rtol=1e-12, atol=1e-14)


def test_fc6_becomes_a_kernel_in_the_maps_own_order():
    linear = nn.Linear(2 * 49, 3)
    kernel = backbones.as_kernel(linear.weight, 7)
    assert kernel.shape == (3, 2, 7, 7)
    assert kernel[2, 1, 4, 6] == linear.weight[2, 1 * 49 + 4 * 7 + 6]
    with pytest.raises(ValueError, match="cannot be split into 6×6"):
        backbones.as_kernel(linear.weight, 6)


def test_decimation_keeps_evenly_spaced_taps():
    weight = torch.arange(49.0).view(1, 1, 7, 7)
    for kernel_size, kept in ((7, range(7)), (4, (0, 2, 4, 6)), (3, (0, 3, 6)), (2, (0, 6))):
        grid = torch.tensor([[7.0 * row + column for column in kept] for row in kept])
        assert torch.equal(backbones.decimate(weight, kernel_size)[0, 0], grid)
    for impossible in (1, 5, 6, 8):
        with pytest.raises(ValueError, match=r"\[2, 3, 4, 7\]"):
            backbones.decimate(weight, impossible)


@pytest.mark.parametrize(("kernel_size", "rate"), [(3, 12), (4, 8), (7, 4)])
def test_a_decimated_fc6_reads_the_same_cells_with_the_same_weights(kernel_size, rate):
    """With the taps that fall away set to zero, the 7x7 net at rate 4 gives the smaller net's numbers."""
    net = backbones.dilate(backbones.keep_resolution(backbones.fully_convolutional(small_vgg())))
    small = backbones.large_fov(net, kernel_size, rate, channels=net.fc6.out_channels)
    step = 6 // (kernel_size - 1)
    mask = torch.zeros(7, 7, dtype=torch.float64)
    mask[::step, ::step] = 1
    with torch.no_grad():
        net.fc6.weight.mul_(mask)
    x = picture(256)
    assert torch.allclose(small(x), net(x), rtol=1e-9, atol=1e-12)


def test_the_channel_subset_is_random_the_same_for_a_seed_and_consistent():
    net = backbones.fully_convolutional(small_vgg(), padding="same")
    first, again, other = (backbones.large_fov(net, channels=64, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(first.fc7.weight, again.fc7.weight)
    assert not torch.equal(first.fc7.weight, other.fc7.weight)
    rows = [(net.fc6.weight[..., ::3, ::3] == w).flatten(1).all(1).nonzero().item() for w in first.fc6.weight]
    assert rows == sorted(set(rows)) and rows != list(range(64)), "64 different filters, not the first 64"
    fc7 = first.fc7.weight[:, :, 0, 0]
    candidates = net.fc7.weight[:, rows, 0, 0]
    kept7 = [(candidates == w).all(1).nonzero().item() for w in fc7]
    assert torch.equal(first.fc8.weight, net.fc8.weight[:, kept7]), "fc8 reads the channels that stayed"
    assert torch.equal(first.fc6.bias, net.fc6.bias[rows]) and torch.equal(
        first.fc7.bias, net.fc7.bias[kept7]
    )
    with pytest.raises(ValueError, match="256 channels to choose from"):
        backbones.large_fov(net, channels=257)


def test_an_edit_leaves_the_network_given_untouched():
    vgg = small_vgg()
    net = backbones.fully_convolutional(vgg, padding="same")
    edits = (
        backbones.keep_resolution,
        backbones.released_pools,
        backbones.dilate,
        backbones.new_classifier,
        lambda n: backbones.large_fov(n, channels=8),
    )
    for edit in edits:
        text, state = repr(net), copy.deepcopy(net.state_dict())
        edited = edit(net)
        for p in edited.parameters():
            nn.init.zeros_(p)
        assert repr(net) == text and all(torch.equal(v, state[k]) for k, v in net.state_dict().items())


def test_edits_ask_for_the_right_network():
    with pytest.raises(TypeError, match="fully_convolutional returns, got VGG"):
        backbones.dilate(small_vgg())
    with pytest.raises(TypeError, match="VGG16"):
        backbones.fully_convolutional(nn.Sequential())
    with torch.device("meta"), pytest.raises(TypeError, match="VGG16"):
        backbones.fully_convolutional(torchvision.models.VGG(nn.Sequential(), init_weights=False))


def pair(vgg, padding, pools, ceil_mode=False):
    strided = backbones.fully_convolutional(vgg, padding)
    dilated = backbones.dilate(backbones.keep_resolution(strided, pools))
    for block in (4, 5):
        getattr(strided, f"pool{block}").ceil_mode = ceil_mode
    return strided, dilated


def agreeing(strided_map, dilated_map):
    """Side of the square, from the first cell on, in which the dilated map at every 4th place is the strided map."""
    side = strided_map.shape[-1]
    read = dilated_map[..., ::4, ::4][..., :side, :side]
    same = torch.isclose(read, strided_map, rtol=1e-9, atol=1e-12).all(1)[0]
    return max(n for n in range(side + 1) if same[:n, :n].all())


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(
    width=st.sampled_from([1 / 32, 1 / 16, 0.05, 1 / 8]),
    seed=st.integers(0, 1000),
    size=st.tuples(st.integers(224, 300), st.integers(224, 300)),
    padding=st.sampled_from(["valid", "same"]),
)
def test_with_valid_pools_every_fourth_place_is_the_strided_map_at_any_size(width, seed, size, padding):
    strided, dilated = pair(small_vgg(width, seed), padding, "valid")
    with torch.inference_mode():
        x = picture(*size, seed=seed)
        expected, found = strided(x), dilated(x)[..., ::4, ::4]
    assert found.shape == expected.shape, "no cell too many, none missing"
    assert torch.allclose(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("size", [224, 256, 263, 320])
def test_with_same_pools_it_is_so_where_stride_32_divides_the_map(padding, size):
    """floor(size / 8) is a multiple of 4: the whole map agrees, padded border and all."""
    strided, dilated = pair(small_vgg(), padding, "same")
    with torch.inference_mode():
        expected, found = strided(picture(size)), dilated(picture(size))[..., ::4, ::4]
    assert found.shape == expected.shape
    assert torch.allclose(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("padding", "rest", "different"),
    [("valid", 1, 2), ("valid", 2, 0), ("valid", 3, 1), ("same", 1, 5), ("same", 2, 3), ("same", 3, 4)],
)
def test_elsewhere_same_pools_differ_in_a_few_last_cells_only(padding, rest, different):
    """torch's strided pools round down and drop a cell that a same pool keeps: that reaches `different` cells."""
    size = 8 * (36 + rest)
    strided, dilated = pair(small_vgg(), padding, "same")
    with torch.inference_mode():
        expected, found = strided(picture(size)), dilated(picture(size))
    assert agreeing(expected, found) == expected.shape[-1] - different


@pytest.mark.slow
@pytest.mark.parametrize("size", [230, 248, 257, 272, 299])
def test_with_pools_that_round_up_same_pools_are_exact_at_any_size(size):
    """Caffe's pools round up: their last window hangs over the end, as that of a same pool does."""
    strided, dilated = pair(small_vgg(), "same", "same", ceil_mode=True)
    with torch.inference_mode():
        expected, found = strided(picture(size)), dilated(picture(size))[..., ::4, ::4]
    assert found.shape == expected.shape
    assert torch.allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_the_equivalence_needs_the_dilated_pool5():
    strided = backbones.fully_convolutional(small_vgg())
    dilated = backbones.dilate(backbones.keep_resolution(strided), pool5=False)
    assert agreeing(strided(picture(256)), dilated(picture(256))) == 0


def test_equivalence_in_float32_and_with_batch_norm():
    for batch_norm in (False, True):
        vgg = small_vgg(1 / 8, dtype=torch.float32, batch_norm=batch_norm)
        strided, dilated = pair(vgg, "valid", "same")
        with torch.inference_mode():
            expected = strided(picture(288, dtype=torch.float32))
            found = dilated(picture(288, dtype=torch.float32))[..., ::4, ::4]
        assert torch.allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_a_same_pool_never_invents_a_value():
    x = -1 - torch.rand(1, 1, 5, 6)
    for dilation in (1, 2):
        pool = backbones.SameMaxPool2d(2, stride=1, dilation=dilation)
        assert pool(x).shape == x.shape
        assert torch.equal(pool(x)[..., -1, -1], x[..., -1, -1]), "in the corner only one cell is real"
        assert pool(x).max() < -1
