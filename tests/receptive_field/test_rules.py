"""What the rules must follow, and what they must refuse with the module's and the operator's name."""

import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional as F

from deeplab_lessons.classroom.gradient_fields import empirical_field
from deeplab_lessons.receptive_field import UntraceableError, trace


class Then(nn.Module):
    """A 3x3 convolution, then a function of the model and the map."""

    def __init__(self, function, *modules):
        super().__init__()
        self.conv, self.function, self.parts = nn.Conv2d(3, 4, 3, padding=1), function, nn.ModuleList(modules)

    def forward(self, x):
        return self.function(self, self.conv(x))


def tokens(x):
    return x.flatten(2).transpose(1, 2)


def write_a_part(x):
    x[:, :2] += F.avg_pool2d(x, 3, 1, 1)[:, :2]
    return x


def write_shifted(x):
    y = torch.zeros_like(x)
    y[:, :, 1:] = x[:, :, :-1]
    return F.conv2d(y, torch.ones(4, 4, 3, 3))


def zero_an_edge(x):
    x[:, :, 0] = 0
    return x


def read_after_writing_its_base(x):
    part = x[:, :2]
    x += F.avg_pool2d(x, 3, 1, 1)
    return part


REFUSED = {
    "roll": (lambda m, x: x.roll(1, -1), "roll.*neighbours"),
    "fft": (lambda m, x: torch.fft.fft2(x).real, "fft.*Fourier"),
    "flip": (lambda m, x: x.flip(-1), "flip.*mirrors"),
    "flip of channels and columns": (lambda m, x: x.flip((1, -1)), "flip.*mirrors"),
    "roll of all": (lambda m, x: x.roll(1), "roll.*neighbours"),
    "norm with weights of the input": (lambda m, x: F.group_norm(x, 2, x.mean((0, 2, 3))), "group_norm.*more than one"),
    "bias from the input": (lambda m, x: F.conv2d(x, torch.ones(4, 4, 3, 3), x.mean((0, 2, 3))), "weights depend"),
    "halves of a map": (lambda m, x: F.glu(x), "glu.*one half"),
    "if": (lambda m, x: x * 2 if x.sum() > 0 else x, "without values"),
    "item": (lambda m, x: x * x.mean().item(), "without values"),
    "numpy": (lambda m, x: torch.tensor(x.numpy()), "values of a tensor"),
    "circular pad": (lambda m, x: F.pad(x, (1, 1, 1, 1), mode="circular"), "writes another map into a part"),
    "attention": (lambda m, x: F.scaled_dot_product_attention(*[tokens(x)] * 3), "as in attention"),
    "map times map": (lambda m, x: x @ x, "multiplies maps"),
    "einsum": (lambda m, x: torch.einsum("nchw,nchv->nhwv", x, x), "multiplies maps"),
    "grid sample": (lambda m, x: F.grid_sample(x, torch.zeros(1, 4, 4, 2), align_corners=False), "grid_sampler.*grid"),
    "unfold": (lambda m, x: F.unfold(x, 3), "im2col.*patches"),
    "windows": (lambda m, x: x.view(1, 4, 4, 4, 4, 4), "cuts the 16 rows"),
    "transposed map": (lambda m, x: F.conv2d(x.transpose(2, 3), torch.ones(4, 4, 3, 3)), "should hold the rows"),
    "adds its transpose": (lambda m, x: x + x.transpose(2, 3), "lie in different places"),
    "side by side": (lambda m, x: torch.cat([x, x], 3), "side by side"),
    "repeated": (lambda m, x: x.repeat(1, 1, 2, 1), "copies of a map"),
    "mask": (lambda m, x: x[x > 0], "depends on values"),
    "by number": (lambda m, x: x[:, :, torch.arange(3)], "by number"),
    "unpool": (lambda m, x: F.max_unpool2d(*F.max_pool2d(x, 2, return_indices=True), 2), "max_unpool2d.*values"),
    "writes a part": (lambda m, x: write_a_part(x), "in place"),
    "writes shifted": (lambda m, x: write_shifted(x), "in place"),
    "reads a stale part": (lambda m, x: read_after_writing_its_base(x), "written in place"),
    "zeroes an edge": (lambda m, x: zero_an_edge(x), "in place"),
    "running sum": (lambda m, x: x.cumsum(2), "one after the other"),
    "as_strided": (lambda m, x: x.as_strided((1, 1, 4, 4), (1, 1, 4, 4)), "order of its own"),
    "svd": (lambda m, x: torch.linalg.svd(x)[0], "svd.*no rule"),
    "3-D": (lambda m, x: F.conv3d(x[:, :, None], torch.ones(4, 4, 1, 3, 3)), "2-D"),
    "weights from the input": (lambda m, x: F.conv2d(x, x[:, :, :3, :3].expand(4, 4, 3, 3)), "weights depend"),
    "no input": (lambda m, x: torch.zeros(1, 3, 4, 4), "depends on the input"),
    "gappy transposed": (lambda m, x: F.conv_transpose2d(x, torch.ones(4, 4, 1, 1), stride=2), "see nothing at all"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused_by_name(name):
    function, message = REFUSED[name]
    with pytest.raises(UntraceableError, match=message):
        trace(Then(function), 16)


@pytest.mark.parametrize(
    "module, message",
    [
        (nn.MultiheadAttention(4, 2, batch_first=True), r"module 'parts.0' \(MultiheadAttention\): bmm"),
        (nn.TransformerEncoderLayer(4, 2, 8, batch_first=True), r"module 'parts.0.*attention"),
        (nn.LSTM(4, 4, batch_first=True), r"module 'parts.0' \(LSTM\)"),
    ],
)
def test_the_module_is_named(module, message):
    def run(model, x):
        parts = (tokens(x),) * (3 if isinstance(module, nn.MultiheadAttention) else 1)
        return model.parts[0](*parts)

    with pytest.raises(UntraceableError, match=message):
        trace(Then(run, module), 8)


@pytest.mark.parametrize("name", ["vit_b_16", "swin_t", "maxvit_t"])
def test_transformers_are_refused(name):
    with torch.device("meta"):
        model = getattr(torchvision.models, name)()
    with pytest.raises(UntraceableError, match="rows"):
        trace(model, 224)


# followed, and right ------------------------------------------------------------
GLOBAL = {
    "group norm": lambda m, x: F.group_norm(x, 2),
    "instance norm": lambda m, x: F.instance_norm(x),
    "layer norm over the map": lambda m, x: F.layer_norm(x, x.shape[1:]),
    "batch norm without stored statistics": lambda m, x: F.batch_norm(x, None, None, training=True),
    "squeeze and excitation": lambda m, x: x * torch.sigmoid(x.mean((2, 3), keepdim=True)),
    "softmax over the map": lambda m, x: x.flatten(2).softmax(-1).view_as(x),
    "standardised by hand": lambda m, x: (x - x.mean((2, 3), keepdim=True)) / x.std((2, 3), keepdim=True),
    "global maximum": lambda m, x: F.adaptive_max_pool2d(x, 1).expand_as(x),
}


@pytest.mark.parametrize("name", GLOBAL)
def test_operators_that_make_a_field_global(name):
    table = trace(Then(GLOBAL[name]), (10, 12))
    assert table["output"].field.is_global and table["output"].map_size == (10, 12)
    assert table.mask(unit=(0, 0)).all()


def test_a_mean_over_rows_is_global_along_one_axis():
    row = trace(Then(lambda m, x: x + x.mean(2, keepdim=True)), (10, 12))["output"]
    assert (row.field.y.whole, row.field.x.whole, row.field.x.size) == (True, False, 3)
    assert row.cells()["field"] == "global×3"


LOCAL = {  # function, size of the field, start
    "softmax over channels": (lambda m, x: x.softmax(1), 3, 0),
    "channels last": (lambda m, x: F.layer_norm(x.permute(0, 2, 3, 1), (4,)).permute(0, 3, 1, 2), 3, 0),
    "tokens and back": (
        lambda m, x: F.linear(tokens(x), torch.ones(8, 4)).transpose(1, 2).view(1, 8, 16, 16),
        3,
        0,
    ),
    "channel shuffle": (lambda m, x: x.view(1, 2, 2, 16, 16).transpose(1, 2).reshape(1, 4, 16, 16), 3, 0),
    "channels flipped": (lambda m, x: x.flip(1), 3, 0),
    "channels flipped, counted from the end": (lambda m, x: x.flip((0, -3)), 3, 0),
    "channels rolled": (lambda m, x: torch.roll(x, 1, 1), 3, 0),
    "several dimensions rolled": (lambda m, x: x.roll((1, 2), (-3, 0)), 3, 0),
    "flipped before a split": (lambda m, x: torch.cat([x, F.avg_pool2d(x, 3, 1, 1)], 1).flip(1)[:, :4], 5, 0),
    "softmax before a split": (
        lambda m, x: torch.cat([x, F.avg_pool2d(x, 3, 1, 1)], 1).softmax(1)[:, :4],
        5,
        0,
    ),
    "power pooling": (lambda m, x: F.lp_pool2d(x, 2, 2), 4, 0.5),
    "reflected edge": (lambda m, x: F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), 3, 1), 5, 0),
    "crop": (lambda m, x: x[..., 2:-1, 2:-1], 3, 2),
    "negative padding": (lambda m, x: F.pad(x, (-2, -1, -2, 0)), 3, 2),
    "every other cell": (lambda m, x: x[..., ::2, ::2], 3, 0),
    "subsample and convolve": (lambda m, x: F.avg_pool2d(x[..., 1::2, 1::2], 3, 1), 7, 3),
    "copied whole": (lambda m, x: copied(x), 3, 0),
    "einsum over channels": (lambda m, x: torch.einsum("nchw,dc->ndhw", x, torch.ones(5, 4)), 3, 0),
    "nearest x2": (lambda m, x: F.interpolate(x, scale_factor=2), 3, 0),
    "pixel shuffle": (lambda m, x: F.pixel_shuffle(x, 2), 3, 0),
    "pixel unshuffle": (lambda m, x: F.pixel_unshuffle(x, 2), 4, 0.5),
    "interleaved": (lambda m, x: F.avg_pool2d(x.repeat_interleave(2, 2).repeat_interleave(2, 3), 2), 3, 0),
    "transposed": (lambda m, x: F.conv_transpose2d(x, torch.ones(4, 4, 4, 4), stride=2, padding=1), 4, -0.5),
    "chosen by a mask": (lambda m, x: torch.where(x > 0, x, F.avg_pool2d(x, 3, 1, 1)), 5, 0),
    "one branch of a concatenation": (lambda m, x: torch.cat([x, F.avg_pool2d(x, 3, 1, 1)], 1)[:, :4], 3, 0),
    "shuffled before a split": (
        lambda m, x: shuffled(torch.cat([x, F.avg_pool2d(x, 3, 1, 1)], 1))[:, :4],
        5,
        0,
    ),
    "both branches, split": (lambda m, x: sum(torch.cat([x, F.avg_pool2d(x, 3, 1, 1)], 1).split(4, 1)), 5, 0),
    "ReLU in place on a part": (lambda m, x: relu_on_a_part(x), 5, 0),
    "local response norm": (lambda m, x: F.local_response_norm(x, 3), 3, 0),
    "normalised over channels": (lambda m, x: F.normalize(x), 3, 0),
    "group norm of a single cell": (lambda m, x: F.group_norm(F.avg_pool2d(x, 16), 2), 18, 7.5),
}


def relu_on_a_part(x):
    part = x[:, :3]
    F.relu(x[:, :2], inplace=True)
    return F.avg_pool2d(part, 3, 1, 1)


def shuffled(x):
    return x.view(1, 2, 4, 16, 16).transpose(1, 2).reshape(1, 8, 16, 16)


def copied(x):
    y = torch.zeros_like(x)
    y[:] = x
    return y


@pytest.mark.parametrize("name", LOCAL)
def test_operators_that_keep_a_field_local(name):
    function, size, start = LOCAL[name]
    row = trace(Then(function), 16)["output"]
    assert (row.size, row.start, row.field.is_global) == (size, start, False)


FOLLOWED = GLOBAL | {name: function for name, (function, _, _) in LOCAL.items()}
OTHER_DTYPE = {"einsum over channels", "transposed"}  # their weights are no parameters, so they stay float32


@pytest.mark.parametrize("name", sorted(FOLLOWED.keys() - OTHER_DTYPE))
def test_rules_agree_with_gradients(name):
    model = Then(FOLLOWED[name])
    assert (empirical_field(model, 16) == trace(model, 16).mask()).all()
