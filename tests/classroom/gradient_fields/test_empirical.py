"""The traced field against the one measured from gradients, unit by unit and pixel by pixel.

Compared are whole masks, so holes and every corner count, not only the box's sides.
"""

import random

import pytest
import torch
import torchvision
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.func import functional_call
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from deeplab_lessons.classroom.gradient_fields import empirical_field
from deeplab_lessons.classroom.gradient_fields.empirical import Positive, unit_gradient
from deeplab_lessons.receptive_field import Box, UntraceableError, bounding_box, trace

STEADY = settings(derandomize=True, deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))


def measured(model, size, names, in_channels=3):
    """The image and the outputs of the named modules (a list per name), with gradients that cannot die."""
    image = torch.ones(1, 1, *size, dtype=torch.float64, requires_grad=True)
    outputs, hooks = {}, []
    for name, module in model.named_modules():
        if name in names:
            hooks.append(
                module.register_forward_hook(lambda m, a, out, name=name: outputs.update({name: out}))
            )
    weights = {
        n: torch.ones((), dtype=torch.float64).expand(t.shape)
        for n, t in [*model.named_parameters(), *model.named_buffers()]
        if t.is_floating_point()
    }
    model.eval()
    with Positive():
        functional_call(model, weights, (image.expand(1, in_channels, *size),))
    for hook in hooks:
        hook.remove()
    return image, outputs


def assert_same(model, size, names, places, in_channels=3):
    """Trace and gradients agree on the units at `places` (fractions of the map) of every named layer."""
    table = trace(model, size, in_channels)
    image, outputs = measured(model, size, names, in_channels)
    assert set(outputs) == set(names)
    for name in names:
        rows, columns = table[name].map_size
        for y, x in {(round(v * (rows - 1)), round(h * (columns - 1))) for v, h in places}:
            found = unit_gradient(outputs[name], image, (y, x), name, again=True) != 0
            expected = table.mask(name, (y, x))
            assert bounding_box(found) == bounding_box(expected) == table.box(name, (y, x)), (name, y, x)
            assert (found == expected).all(), f"{name}, unit {(y, x)}: same box, other holes"


def windows(model):
    """Names of all convolutions and pools."""
    kinds = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d)
    return [name for name, module in model.named_modules() if isinstance(module, kinds)]


CORNERS = ((0, 0), (0, 1), (1, 0), (1, 1), (0.5, 0.4))
DIAGONAL = ((0, 0), (1, 1), (0.5, 0.4))


def on_meta(build, *args, **options):
    with torch.device("meta"):
        return build(*args, **options)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(224, 224), (97, 130)])
def test_every_layer_of_vgg16(size):
    model = on_meta(torchvision.models.vgg16)
    assert_same(model, size, windows(model), CORNERS)


RESNETS = [
    (name, replaced)
    for name in ("resnet50", "resnet101")
    for replaced in ((False, False, False), (False, False, True), (False, True, True))
]


@pytest.mark.slow
@pytest.mark.parametrize("name, replaced", RESNETS)
def test_every_layer_of_resnets(name, replaced):
    model = on_meta(getattr(torchvision.models, name), replace_stride_with_dilation=replaced)
    assert_same(model, (113, 90), windows(model), DIAGONAL)


@pytest.mark.slow
def test_the_widest_box_of_resnet101_whole():
    model = on_meta(torchvision.models.resnet101, replace_stride_with_dilation=(False, True, True))
    table = trace(model, 1001)
    box = bounding_box(empirical_field(model, 1001, "layer4", (62, 62)))
    assert box == table.box("layer4", (62, 62)) == table.box("layer4", (62, 62), clip=False)
    assert (box.height, box.width) == (971, 971)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["deeplabv3_resnet50", "deeplabv3_resnet101"])
def test_branches_of_deeplabv3(name):
    model = on_meta(getattr(torchvision.models.segmentation, name), weights=None, weights_backbone=None)
    names = [n for n in windows(model) if n.startswith("classifier")]
    assert_same(model, (161, 130), names, DIAGONAL)


@pytest.mark.slow
def test_a_deeplabv3_branch_whole():
    model = on_meta(torchvision.models.segmentation.deeplabv3_resnet50, weights=None, weights_backbone=None)
    found = bounding_box(empirical_field(model, 641, "classifier.0.convs.1", 40))
    assert found == Box(11, 11, 629, 629)  # 619 pixels around 320
    assert empirical_field(model, 161, "classifier.0.convs.4", 0).all()


FAMILIES = {
    "squeezenet1_1": "features.12", "mobilenet_v2": "features.18", "shufflenet_v2_x0_5": "stage3",
    "googlenet": "inception4a", "densenet121": "features.denseblock3.denselayer9", "mnasnet0_5": "layers.12",
    "convnext_tiny": "features.5.1", "efficientnet_b0": "features.1.0.block.0", "resnext50_32x4d": "layer3",
}  # fmt: skip


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name == "densenet121")) for name in FAMILIES]
)
def test_other_families(name):
    with torch.device("meta"):
        options = {"init_weights": False} if name == "googlenet" else {}
        model = getattr(torchvision.models, name)(**options)
    layer, size = FAMILIES[name], (135, 119)
    table = trace(model, size)
    rows, columns = table[layer].map_size
    for unit in ((0, 0), (rows - 1, columns - 1), (rows // 2, columns // 3)):
        assert (empirical_field(model, size, layer, unit) == table.mask(layer, unit)).all(), unit


# random stacks ------------------------------------------------------------
pairs = lambda low, high: st.tuples(st.integers(low, high), st.integers(low, high))  # noqa: E731


@st.composite
def layers(draw, channels=2):
    """One layer that keeps the number of channels."""
    kernel, stride, dilation = draw(pairs(1, 4)), draw(pairs(1, 3)), draw(pairs(1, 3))
    kind = draw(
        st.sampled_from(["conv", "conv", "max", "avg", "up", "bilinear", "transposed", "pad", "adaptive"])
    )
    half = tuple(k // 2 for k in kernel)
    if kind == "conv":
        padding = draw(pairs(0, 4))
        return nn.Conv2d(
            channels, channels, kernel, stride, padding, dilation, groups=draw(st.sampled_from([1, channels]))
        )
    if kind == "max":
        return nn.MaxPool2d(kernel, stride, half, dilation, ceil_mode=draw(st.booleans()))
    if kind == "avg":
        return nn.AvgPool2d(kernel, stride, half, draw(st.booleans()), count_include_pad=draw(st.booleans()))
    if kind == "up":
        return nn.Upsample(scale_factor=draw(st.integers(2, 3)))
    if kind == "bilinear":
        size = draw(pairs(2, 40))
        return nn.Upsample(size, mode="bilinear", align_corners=draw(st.booleans()))
    if kind == "transposed":
        kernel = tuple(max(k, s) for k, s in zip(kernel, stride, strict=True))
        return nn.ConvTranspose2d(channels, channels, kernel, stride, draw(pairs(0, 1)))
    if kind == "pad":
        sides = tuple(draw(st.lists(st.integers(-2, 3), min_size=4, max_size=4)))
        return (
            nn.ZeroPad2d(sides)
            if min(sides) < 0
            else draw(st.sampled_from([nn.ZeroPad2d, nn.ReplicationPad2d]))(sides)
        )
    return nn.AdaptiveAvgPool2d(draw(pairs(1, 5)))


def runs(model, size, in_channels):
    """Whether torch itself accepts the model on this size; maps of over 150 cells per side are left out."""
    try:
        for module in model:
            shape = module(torch.empty(1, in_channels, *size, device="meta")).shape
            size = shape[-2:]
            if not 0 < min(size) <= max(size) <= 150:
                return False
    except RuntimeError:
        return False
    return True


@pytest.mark.slow
@STEADY
@given(st.lists(layers(), min_size=1, max_size=6), pairs(6, 40), st.integers(0, 10**6))
def test_random_stacks(modules, size, seed):
    model = nn.Sequential(*modules)
    if not runs(model.to("meta"), size, 2):
        return
    table, chance = trace(model, size, in_channels=2), random.Random(seed)
    last = table["output"]
    places = [(0, 0), tuple(n - 1 for n in last.map_size), tuple(chance.randrange(n) for n in last.map_size)]
    for unit in places:
        found = empirical_field(model, size, unit=unit, in_channels=2)
        assert (found == table.mask(unit=unit)).all(), (model, size, unit)
        if not any(isinstance(module, nn.ReplicationPad2d) for module in modules):
            assert inside(table.box(unit=unit), table.box(unit=unit, clip=False)), (model, size, unit)


@settings(STEADY, max_examples=6)
@given(st.lists(layers(), min_size=1, max_size=6), pairs(6, 40), st.integers(0, 10**6))
def test_a_few_random_stacks(modules, size, seed):
    test_random_stacks.hypothesis.inner_test(modules, size, seed)


def inside(box, window):
    """Whether all pixels seen lie in the theoretical window (a mirrored edge may see pixels beside it)."""
    return box is None or (
        box[0] >= window[0] and box[1] >= window[1] and box[2] <= window[2] and box[3] <= window[3]
    )


class Branchy(nn.Module):
    """Random branches that meet in sums, products and concatenations, then a last layer."""

    def __init__(self, seed):
        super().__init__()
        chance = random.Random(seed)
        self.stem = nn.Conv2d(
            3, 4, chance.choice([1, 3, (3, 5)]), chance.choice([1, 2]), chance.choice([0, 1])
        )
        self.branches = nn.ModuleList()
        for _ in range(chance.randint(2, 4)):
            kernel, rate = chance.choice([1, 3, (1, 5), (5, 3)]), chance.randint(1, 4)
            layers = [
                nn.Conv2d(4, 4, kernel, dilation=rate, padding="same"),
                nn.BatchNorm2d(4),
                nn.ReLU(inplace=True),
            ]
            if chance.random() < 0.3:
                layers.insert(0, nn.MaxPool2d(3, 1, 1))
            if chance.random() < 0.2:
                layers = [nn.AdaptiveAvgPool2d(1), nn.Conv2d(4, 4, 1), nn.Sigmoid()]
            self.branches.append(nn.Sequential(*layers))
        self.joins = [chance.choice(["add", "add_", "mul", "max", "cat", "stack"]) for _ in self.branches]
        self.last = nn.LazyConv2d(2, 3, chance.choice([1, 2]), 2, dilation=2)

    def forward(self, x):
        x = self.stem(x)
        y = x
        for branch, join in zip(self.branches, self.joins, strict=True):
            z = branch(x)
            if join == "add":
                y = y + z
            elif join == "add_":
                y = y + 0
                y += z
            elif join == "mul":
                y = y * z
            elif join == "max":
                y = torch.maximum(y, z)
            elif join == "cat":
                y = torch.cat([y, z.expand_as(x)], 1)[:, -4:] + y[:, :4]
            else:
                y = torch.stack([y, z.expand_as(y)]).sum(0)
        return self.last(y)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
def test_random_branches(seed):
    model, size = Branchy(seed), (23 + seed % 5, 31)
    with torch.no_grad():
        model(torch.zeros(1, 3, *size))  # settles the lazy layer
    table = trace(model, size)
    rows, columns = table["last"].map_size
    for unit in ((0, 0), (rows - 1, columns - 1), (rows // 2, columns // 3)):
        assert (empirical_field(model, size, unit=unit) == table.mask(unit=unit)).all(), unit


def test_a_dead_or_cancelling_gradient_is_not_a_hole():
    model = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 1, 1), nn.Conv2d(1, 1, 3))
    with torch.no_grad():
        for weight in model.parameters():
            weight.fill_(-1)  # ReLU then passes nothing
    assert empirical_field(model, 9, unit=3, in_channels=1).sum() == 49
    image = torch.ones(1, 1, 9, 9, requires_grad=True)
    model(image)[..., 3, 3].sum().backward()
    assert not image.grad.any()


def test_gridding_shows():
    model = nn.Sequential(*(nn.Conv2d(1, 1, 3, dilation=2) for _ in range(3)))
    mask = empirical_field(model, 13, unit=0, in_channels=1)
    assert mask.sum() == 49 and bounding_box(mask) == Box(0, 0, 12, 12)
    assert (mask == trace(model, 13, 1).mask(unit=0)).all()


def test_no_picture_of_padding():
    model = nn.Sequential(nn.Conv2d(1, 1, 1, padding=3))
    assert bounding_box(empirical_field(model, 4, unit=0, in_channels=1)) is None
    assert trace(model, 4, 1).box("0", 0) is None


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["bilinear", "bicubic", "nearest", "nearest-exact"])
@pytest.mark.parametrize("sizes", [(7, 13), (5, 20), (13, 6), (8, 8)])
@pytest.mark.parametrize("align", [False, True])
def test_resizing(mode, sizes, align):
    options = {"align_corners": align} if mode in ("bilinear", "bicubic") else {}
    model = nn.Sequential(
        nn.Conv2d(1, 1, 3, 2, 1),
        nn.Upsample((sizes[1], sizes[1]), mode=mode, **options),
        nn.Conv2d(1, 1, 3, padding=1),
    )
    table = trace(model, 2 * sizes[0], 1)
    whole = []
    for unit in range(sizes[1]):
        found = empirical_field(model, 2 * sizes[0], unit=unit, in_channels=1)
        assert (found == table.mask(unit=unit)).all()
        box, window = bounding_box(found), table.box(unit=unit, clip=False)
        assert inside(box, window)
        if window.top >= 0 and window.bottom < 2 * sizes[0]:
            assert box == window, "a window that lies in the picture is seen from edge to edge"
            whole.append(box.height)
    assert max(whole, default=0) <= table["output"].size
    if mode == "bilinear" and sizes[1] > sizes[0] > 6:
        assert max(whole) == table["output"].size, "the field is that of the widest unit"


class Last(nn.Module):
    """A convolution of one channel, then a function."""

    def __init__(self, kernel, function):
        super().__init__()
        self.conv, self.function = nn.Conv2d(1, 1, kernel), function

    def forward(self, x):
        return self.function(self.conv(x))


PIXELS = {  # kernel, function, pixels that the first unit sees
    "max pooling with indices": (7, nn.MaxPool2d(2, return_indices=True), 64),
    "the indices themselves": (7, lambda x: F.max_pool2d(x, 2, return_indices=True)[1], 64),
    "largest of all, with indices": (1, lambda x: F.adaptive_max_pool2d(x, 1, return_indices=True), 144),
    "resized without aliasing": (1, lambda x: F.interpolate(x, (1, 1), mode="bilinear", antialias=True), 144),
    "rounded": (3, torch.round, 9),
    "rounded in place": (3, lambda x: x.floor_(), 9),
    "compared": (3, lambda x: (x > 0).float(), 9),
    "norm over rows": (3, lambda x: F.normalize(x, dim=2), 36),
    "branches under one norm": (1, lambda x: F.normalize(torch.cat([x, F.avg_pool2d(x, 3, 1, 1)], 1))[:, :1], 4),
    "limit from a map": (1, lambda x: x.clamp(min=F.avg_pool2d(x, 3, 1, 1)), 4),
    "divided with a sign": (1, lambda x: F.avg_pool2d(x, 3, 2, 1, divisor_override=-9) + x[..., ::2, ::2], 4),
    "instance norm with stored statistics": (3, nn.InstanceNorm2d(1, track_running_stats=True), 9),
    "without gradients": (3, torch.no_grad()(lambda x: F.relu(x)), 9),
    "data": (3, lambda x: x.data, 9),
}  # fmt: skip


@pytest.mark.parametrize("name", PIXELS)
def test_influence_passes_operators_and_keywords_as_they_are(name):
    kernel, function, pixels = PIXELS[name]
    assert empirical_field(Last(kernel, function), 12, unit=0, in_channels=1).sum() == pixels


@pytest.mark.parametrize("mode", ["nearest", "bilinear", "bicubic"])
def test_a_factor_computed_again_is_that_of_the_sizes(mode):
    def fields(**how):
        model = Last(1, lambda x: F.interpolate(x, mode=mode, **how))
        return [empirical_field(model, 10, unit=unit, in_channels=1).tolist() for unit in range(17)]

    again, by_size = fields(scale_factor=1.75, recompute_scale_factor=True), fields(size=(17, 17))
    assert again == by_size != fields(scale_factor=1.75)


UNKNOWN = {
    "round trip": (lambda x: torch.fft.ifft2(torch.fft.fft2(x)).real, "fft_fft2 cannot be followed: there is no rule"),
    "unpooling": (lambda x: F.max_unpool2d(*F.max_pool2d(x, 2, return_indices=True), 2), "max_unpool2d"),
    "out=": (lambda x: torch.add(x, x, out=torch.zeros_like(x)), r"add cannot be followed.*\(out=\)"),
    "a value": (lambda x: x * x.mean().item(), "item cannot be followed: it needs the values"),
    "a question": (lambda x: x if x.sum() > 0 else -x, "__bool__ cannot be followed: it needs the values"),
    "an index from values": (lambda x: x[x > 0], "__getitem__ cannot be followed"),
    "a scripted function": (torch.jit.script(torch.nn.functional.relu), "relu cannot.*torch.jit.script"),
    "weights from the image": (lambda x: F.conv2d(x, x[..., :3, :3]), "conv2d cannot be followed"),
    "its own gradient": (lambda x: Halved.apply(x), "Halved cannot be followed: a torch.autograd.Function"),
    "run twice": (lambda x: checkpoint(F.relu, x, use_reentrant=False), "torch.utils.checkpoint"),
    "a part written": (lambda x: zeroed(x), "__setitem__ cannot be followed"),
    "no channels": (lambda x: F.max_pool2d(x[0], 2), r"only \[N, C, H, W\] is"),
}  # fmt: skip


class Halved(torch.autograd.Function):
    """A function whose gradient is not that of its numbers."""

    @staticmethod
    def forward(ctx, x):
        return x / 2

    @staticmethod
    def backward(ctx, gradient):
        return gradient * 0


def zeroed(x):
    x[..., 0] = 0
    return x


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_is_not_known_is_refused_by_name(name):
    function, message = UNKNOWN[name]
    with pytest.raises(UntraceableError, match=message):
        empirical_field(Last(1, function), 12, in_channels=1)


def test_values_of_weights_are_the_models_own_and_refused_where_there_are_none():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.factor = nn.Parameter(torch.tensor(0.5))

        def forward(self, x):
            return F.interpolate(x, scale_factor=float(self.factor))

    assert empirical_field(Scaled(), 12, unit=5)[10, 10]
    with pytest.raises(UntraceableError, match="meta"):
        empirical_field(Scaled().to("meta"), 12)


def test_functional_names_are_measured_at_modules_only():
    with pytest.raises(KeyError, match="no module called"):
        empirical_field(nn.Sequential(nn.Conv2d(3, 3, 3)), 9, "1")
    with pytest.raises(IndexError, match="rows 0 to 6"):
        empirical_field(nn.Sequential(nn.Conv2d(3, 3, 3)), 9, "0", 7)
    with pytest.raises(UntraceableError, match=r"add_ cannot be followed: what it changed is used again"):
        empirical_field(AddInPlace(), 9)


class AddInPlace(nn.Module):
    """Throws the result of `add_` away and goes on with the tensor it changed."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x):
        y = self.conv(x)
        y.add_(F.avg_pool2d(y, 3, 1, 1))
        return self.conv(y)


def test_adding_in_place_is_traced():
    assert trace(AddInPlace(), 9)["output"].size == 7
