"""What the tracer must survive, must leave alone, and must refuse with the module's and the operator's name."""

import copy

import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional as F

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


def test_control_flow_that_no_graph_tracer_follows():
    class Wild(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(4, 4, 3, padding=1)

        def forward(self, x):
            x = F.pad(x, (0, 0, 0, 0, 0, 1))
            for _ in range(x.shape[-1] // 10):
                x = self.conv(x)
            noise = torch.zeros(1, 4, 1, 1, device=x.device) + torch.arange(4.0).view(1, 4, 1, 1)
            return {"maps": [x + noise, (x, None)], "name": "a text"}

    table = trace(Wild(), 40)
    assert [row.name for row in table if row.kind == "conv"] == [
        "conv",
        "conv (call 2)",
        "conv (call 3)",
        "conv (call 4)",
    ]
    assert list(table.outputs) == ["maps.0", "maps.1.0"] and table["maps.0"].size == 9


def test_tensors_kept_outside_the_parameters():
    class Blur(nn.Module):
        def __init__(self):
            super().__init__()
            self.kernel = torch.ones(3, 1, 5, 5) / 25  # a plain attribute, on the CPU

        def forward(self, x):
            return F.conv2d(x, self.kernel, groups=3, stride=2)

    table = trace(Blur(), 20)
    assert [(r.name, r.kind, r.size, r.parameters) for r in table] == [("conv", "depthwise conv", 5, 0)]


# left as it was ------------------------------------------------------------
def snapshot(model):
    tensors = {
        name: (t.data_ptr(), t._version, t.clone()) for name, t in model.state_dict(keep_vars=True).items()
    }
    hooks = [
        len(torch.nn.modules.module._global_forward_hooks),
        len(torch.nn.modules.module._global_forward_pre_hooks),
    ]
    hooks += [(len(m._forward_hooks), len(m._forward_pre_hooks)) for m in model.modules()]
    return tensors, hooks, [m.training for m in model.modules()]


def assert_untouched(model, before):
    after = snapshot(model)
    assert after[1:] == before[1:]
    for name, (pointer, version, value) in before[0].items():
        assert after[0][name][:2] == (pointer, version) and torch.equal(after[0][name][2], value), name


@pytest.mark.parametrize("fails", [False, True])
def test_the_model_is_left_alone(fails):
    model = torchvision.models.resnet18()
    model.train()
    model.layer1.eval()
    if fails:
        model.layer4[1].bn2 = Then(lambda m, x: x.roll(1, -1))
        model.layer4[1].bn2.conv = nn.Identity()
    before = snapshot(model)
    if fails:
        with pytest.raises(UntraceableError, match=r"module 'layer4.1.bn2' \(Then\): roll"):
            trace(model, 64)
    else:
        trace(model, 64)
    assert_untouched(model, before)
    assert model.training and not model.layer1.training and model.layer4.training


def test_gradients_and_random_numbers_are_left_alone():
    model = nn.Sequential(nn.Conv2d(3, 3, 3), nn.Dropout(0.5))
    state = torch.random.get_rng_state()
    trace(model, 8)
    assert torch.equal(torch.random.get_rng_state(), state) and torch.is_grad_enabled()
    assert all(p.grad is None for p in model.parameters())


def test_train_and_eval_give_one_table():
    model = torchvision.models.resnet18()
    assert repr(trace(model.train(), 64)) == repr(trace(model.eval(), 64))


def test_weights_on_the_meta_device_give_the_same_table():
    model = torchvision.models.resnet18()
    assert (
        repr(trace(copy.deepcopy(model).to("meta"), 64))
        == repr(trace(model, 64))
        == repr(trace(model.half(), 64))
    )


# what a learner may do wrong ------------------------------------------------------------
def test_wrong_arguments():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.MaxPool2d(2))
    with pytest.raises(TypeError, match=r"must be a torch.nn.Module, got function: call it"):
        trace(torchvision.models.resnet18, 64)
    with pytest.raises(TypeError, match="got list"):
        trace([model], 64)
    for size in (0, -3, (8,), (8, 8, 8), 8.0, "8", None):
        with pytest.raises(ValueError, match="input_size must be"):
            trace(model, size)
    with pytest.raises(ValueError, match="in_channels must be"):
        trace(model, 8, 0)
    with pytest.raises(
        ValueError, match=r"module '0' \(Conv2d\) expects 3 channels, but 1 arrive.*in_channels=3"
    ):
        trace(model, 8, in_channels=1)


def test_an_input_too_small_names_the_layer():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.MaxPool2d(2), nn.Conv2d(4, 4, 3, dilation=2))
    with pytest.raises(ValueError, match=r"layer '2': the kernel covers 5 cells.*only 3"):
        trace(model, 8)


def test_a_crop_that_leaves_nothing():
    with pytest.raises(ValueError, match=r"module '0' \(ZeroPad2d\) leaves no units: a map of 4×0"):
        trace(nn.Sequential(nn.ZeroPad2d((-2, -2, 0, 0))), 4)


def test_an_error_of_the_model_says_where():
    with pytest.raises(ZeroDivisionError) as caught:
        trace(Then(lambda m, x: x / (1 // 0)), 8)
    assert any("while tracing" in note for note in caught.value.__notes__)


def test_lists_of_close_names():
    with pytest.raises(KeyError, match=r"did you mean 'features.0'"):
        trace(torchvision.models.vgg11(), 32)["feature.0"]
