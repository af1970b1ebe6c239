"""The tracer against the papers' networks: fields, jumps, parameters, multiply-adds, and how the table prints."""

import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional as F

from deeplab_lessons.arithmetic import receptive_fields
from deeplab_lessons.classroom import stacks
from deeplab_lessons.receptive_field import Box, trace


class SamePool(nn.Module):
    """2x2 max pooling at stride 1 that keeps the map's size, with the missing cells added at the end."""

    def __init__(self, dilation=1):
        super().__init__()
        self.dilation = dilation

    def forward(self, x):
        d = self.dilation
        return F.max_pool2d(F.pad(x, (0, d) * 2), 2, 1, 0, d)


def vgg_body(pool, pool4, pool5, rate5=2):
    """VGG16's thirteen convolutions with the given pools; a list of (name, module)."""
    layers, width = [], 3
    blocks = [(64, 2, pool()), (128, 2, pool()), (256, 3, pool()), (512, 3, pool4), (512, 3, pool5)]
    for block, (channels, convs, last) in enumerate(blocks, 1):
        rate = rate5 if block == 5 else 1
        for i in range(1, convs + 1):
            layers += [
                (f"conv{block}_{i}", nn.Conv2d(width, channels, 3, 1, rate, rate)),
                (f"relu{block}_{i}", nn.ReLU(True)),
            ]
            width = channels
        layers.append((f"pool{block}", last))
    return layers


def deeplab_v1(kernel_size, rate, channels=4096, pool5=2, classes=21):
    layers = vgg_body(lambda: nn.MaxPool2d(2, 2), SamePool(), SamePool(pool5))
    layers += [("fc6", nn.Conv2d(512, channels, kernel_size, dilation=rate)), ("relu6", nn.ReLU(True))]
    layers += [
        ("fc7", nn.Conv2d(channels, channels, 1)),
        ("relu7", nn.ReLU(True)),
        ("fc8", nn.Conv2d(channels, classes, 1)),
    ]
    return named(layers)


def named(layers):
    model = nn.Sequential()
    for name, module in layers:
        model.add_module(name, module)
    return model


def three_pools(*tail):
    """VGG16 as released with DeepLab: 3x3 pools with padding 1, pool4 and pool5 at stride 1."""
    pools = [nn.MaxPool2d(3, 1, 1), nn.MaxPool2d(3, 1, 1)]
    return named([*vgg_body(lambda: nn.MaxPool2d(3, 2, 1), *pools), *tail])


def resnet(name="resnet101", **options):
    with torch.device("meta"):
        return getattr(torchvision.models, name)(**options)


def caffe_resnet101(output_stride=32):
    """The stride of a stage in its first 1x1, as in the Caffe models; dilated stages where the stride is dropped."""
    model = resnet()
    for stage, stride in ((model.layer2, 8), (model.layer3, 16), (model.layer4, 32)):
        first, dropped = stage[0], stride > output_stride
        first.conv1.stride = (1, 1) if dropped else (2, 2)
        first.downsample[0].stride = first.conv1.stride
        first.conv2.stride = (1, 1)
        if dropped:
            rate = stride // output_stride
            for block in stage:
                block.conv2.dilation = block.conv2.padding = (rate, rate)
    return model


class Parallel(nn.Module):
    """A stem, then branches side by side, summed or concatenated."""

    def __init__(self, stem, branches, join):
        super().__init__()
        self.stem, self.branches, self.join = stem, nn.ModuleDict(branches), join

    def forward(self, x):
        x = self.stem(x)
        return self.join([branch(x) for branch in self.branches.values()])


def concat(maps):
    return torch.cat(maps, 1)


# the first DeepLab ------------------------------------------------------------
V1_TABLE = [  # layer, kernel, stride, dilation, map, channels, field
    ("conv1_1", 3, 1, 1, 224, 64, 3), ("conv1_2", 3, 1, 1, 224, 64, 5), ("pool1", 2, 2, 1, 112, 64, 6),
    ("conv2_1", 3, 1, 1, 112, 128, 10), ("conv2_2", 3, 1, 1, 112, 128, 14), ("pool2", 2, 2, 1, 56, 128, 16),
    ("conv3_1", 3, 1, 1, 56, 256, 24), ("conv3_2", 3, 1, 1, 56, 256, 32), ("conv3_3", 3, 1, 1, 56, 256, 40),
    ("pool3", 2, 2, 1, 28, 256, 44),
    ("conv4_1", 3, 1, 1, 28, 512, 60), ("conv4_2", 3, 1, 1, 28, 512, 76), ("conv4_3", 3, 1, 1, 28, 512, 92),
    ("pool4", 2, 1, 1, 28, 512, 100),
    ("conv5_1", 3, 1, 2, 28, 512, 132), ("conv5_2", 3, 1, 2, 28, 512, 164), ("conv5_3", 3, 1, 2, 28, 512, 196),
    ("pool5", 2, 1, 2, 28, 512, 212),
    ("fc6", 7, 1, 4, 4, 4096, 404), ("fc7", 1, 1, 1, 4, 4096, 404), ("fc8", 1, 1, 1, 4, 21, 404),
]  # fmt: skip


@pytest.fixture(scope="module")
def v1():
    with torch.device("meta"):
        return trace(deeplab_v1(7, 4), 224)


def test_v1_line_by_line(v1):
    rows = [row for row in v1 if "pad" not in row.kind]
    found = [
        (r.name, r.kernel_size[0], r.stride[0], r.dilation[0], r.map_size[0], r.channels, r.size)
        for r in rows
    ]
    # SamePool pads in a row of its own, "pool4.pad", and pools in "pool4"
    assert found == V1_TABLE
    assert v1["fc6"].jump == 8
    assert v1.parameters == 134_346_581


def test_v1_agrees_with_the_stack_of_arithmetic(v1):
    fields = {field.name: field for field in receptive_fields(stacks.deeplab_v1(), 224)[1:]}
    for name, field in fields.items():
        axis = v1[name].field.y
        assert (axis.size, axis.jump, axis.start) == (field.size, field.jump, field.start), name
        assert v1[name].map_size == (field.out, field.out)


@pytest.mark.parametrize(
    "kernel_size, rate, channels, parameters, dilated, plain",
    [(7, 4, 4096, 134_346_581, 404, 396), (4, 4, 4096, 65_140_565, 308, 300), (4, 8, 4096, 65_140_565, 404, 396),
     (3, 12, 1024, 20_505_429, 404, 396)],
)  # fmt: skip
def test_v1_variants(kernel_size, rate, channels, parameters, dilated, plain):
    with torch.device("meta"):
        table = trace(deeplab_v1(kernel_size, rate, channels), 321)
        undilated = trace(deeplab_v1(kernel_size, rate, channels, pool5=1), 321)
    assert (table["fc6"].size, table["fc6"].jump, table.parameters) == (dilated, 8, parameters)
    assert undilated["fc6"].size == plain


def test_large_fov_as_released():
    with torch.device("meta"):
        fc6 = nn.Conv2d(512, 1024, 3, padding=12, dilation=12)
        table = trace(three_pools(("fc6", fc6)), 321)
        averaged = trace(three_pools(("pool5a", nn.AvgPool2d(3, 1, 1)), ("fc6", fc6)), 321)
    assert table["fc6"].size == 419
    assert averaged["fc6"].size == 435
    assert [table[f"pool{i}"].map_size[0] for i in (1, 2, 3, 5)] == [161, 81, 41, 41]


def test_vgg16_reaches_404_at_fc6():
    with torch.device("meta"):
        model = torchvision.models.vgg16()
    table = trace(model, 224)
    fc6 = table["classifier.0"]
    assert (fc6.size, fc6.jump, fc6.kind, fc6.map_size) == (404, 32, "linear over 7×7 map", (1, 1))
    assert table["avgpool"].size == 212  # 7x7 to 7x7: nothing to average
    assert table.parameters == sum(p.numel() for p in model.parameters()) == 138_357_544
    assert table.multiply_adds == 15_470_264_320
    by_hand = [field.size for field in receptive_fields(stacks.vgg16())[1:]]
    assert [row.size for row in table if row.kernel_size][: len(by_hand)] == by_hand
    wider = trace(model, 256)  # 8x8 cells averaged to 7x7 units: two cells a unit, at a jump of 8/7 cells
    assert wider["avgpool"].size == 212 + 32
    assert float(wider["avgpool"].jump) == pytest.approx(32 * 8 / 7)


# residual networks ------------------------------------------------------------
@pytest.mark.slow
def test_resnet101_of_torchvision():
    model = resnet()
    table = trace(model, 513)
    assert (table["layer4.2.conv3"].size, table["layer4.2.conv3"].jump) == (971, 32)
    assert (table["layer4.2.add"].size, table["layer4"].size, table["layer4"].start) == (971, 971, 0.0)
    sizes = [path.size[0] for path in table["layer4"].paths]
    assert (sizes[0], sizes[-1]) == (11, 971) and sizes == sorted(set(sizes))
    assert table.parameters == sum(p.numel() for p in model.parameters())
    assert table["avgpool"].field.is_global and table["fc"].field.is_global
    assert trace(model, 224).multiply_adds == 7_801_405_440


@pytest.mark.slow
@pytest.mark.parametrize("replaced", [(False, False, True), (False, True, True)])
def test_dilated_resnets_keep_the_field(replaced):
    for name, size in (("resnet50", 427), ("resnet101", 971)):
        row = trace(resnet(name, replace_stride_with_dilation=replaced), 257)["layer4"]
        assert (row.size, row.jump) == (size, 32 // 2 ** sum(replaced))


@pytest.mark.slow
@pytest.mark.parametrize("output_stride", [32, 16, 8])
def test_caffe_resnet101(output_stride):
    row = trace(caffe_resnet101(output_stride), 321)["layer4"]
    assert (row.size, row.jump) == (1027, output_stride)


@pytest.mark.slow
@pytest.mark.parametrize("join", [sum, lambda maps: maps[0] + maps[1] + maps[2] + maps[3], concat,
                                  lambda maps: torch.stack(maps).sum(0)])  # fmt: skip
def test_aspp_of_v2_on_resnet101(join):
    body = caffe_resnet101(8)
    body = nn.Sequential(*list(body.children())[:-2])
    with torch.device("meta"):
        heads = {f"rate{r}": nn.Conv2d(2048, 21, 3, padding=r, dilation=r) for r in (6, 12, 18, 24)}
    branches = trace(Parallel(body, heads, join), 321)["output"].branches
    assert {name.rsplit(".", 1)[-1]: field.size for name, field in branches.items()} == {
        "rate6": (1123, 1123), "rate12": (1219, 1219), "rate18": (1315, 1315), "rate24": (1411, 1411),
    }  # fmt: skip


def test_aspp_of_v2_on_vgg():
    def head(rate):
        return nn.Sequential(
            nn.Conv2d(512, 64, 3, padding=rate, dilation=rate),
            nn.ReLU(),
            nn.Conv2d(64, 64, 1),
            nn.Conv2d(64, 21, 1),
        )

    with torch.device("meta"):
        heads = {f"rate{rate}": head(rate) for rate in (6, 12, 18, 24)}
        table = trace(Parallel(three_pools(), heads, sum), 321)
    assert [path.size[0] for path in table["output"].paths] == [323, 419, 515, 611]
    assert list(table["output"].branches) == [
        "branches.rate6",
        "branches.rate12",
        "branches.rate18",
        "branches.rate24",
    ]
    assert table["output"].size == 611


@pytest.mark.slow
@pytest.mark.parametrize("name, base", [("deeplabv3_resnet50", 427), ("deeplabv3_resnet101", 971)])
def test_deeplabv3_of_torchvision(name, base):
    with torch.device("meta"):
        model = getattr(torchvision.models.segmentation, name)(
            weights=None, weights_backbone=None, aux_loss=True
        )
    table = trace(model, 513)
    branches = table["classifier.0.cat"].branches
    sizes = ["global" if f.is_global else f.size[0] for f in branches.values()]
    assert sizes == [base, base + 192, base + 384, base + 576, "global"]
    assert list(branches) == [f"classifier.0.convs.{i}" for i in range(5)]
    assert table["classifier.0.convs.4.interpolate"].kind == "upsample bilinear"
    assert table["classifier.0.convs.4.0"].kind == "global average pool"
    assert table["classifier.0.cat"].cells()["field"] == "global"
    assert list(table.outputs) == ["out", "aux"]
    assert table.outputs["aux"].size == table["aux_classifier.4"].size + 8
    assert table["out"].map_size == (513, 513)


# what other tools get wrong ------------------------------------------------------------
def test_dilated_chain():
    model = nn.Sequential(nn.Conv2d(1, 1, 3, dilation=2), nn.Conv2d(1, 1, 3, dilation=4))
    row = trace(model, 33, in_channels=1)["1"]
    assert (row.size, row.jump, row.start, row.map_size) == (13, 1, 6.0, (21, 21))


@pytest.mark.parametrize("join", [concat, sum])
def test_branches_are_parallel_not_in_series(join):
    stem = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.MaxPool2d(2))
    heads = {f"rate{r}": nn.Conv2d(4, 4, 3, padding=r, dilation=r) for r in (1, 6, 12)}
    row = trace(Parallel(stem, heads, join), 64)["output"]
    assert [path.size for path in row.paths] == [(8, 8), (28, 28), (52, 52)]
    assert {path.y.start for path in row.paths} == {0.5}
    assert row.size == 52


def test_a_branch_covers_all_its_paths():
    class Skip(nn.Module):
        def __init__(self):
            super().__init__()
            self.five, self.one = nn.Conv2d(3, 3, 5, padding=2), nn.Conv2d(3, 3, 1)

        def forward(self, x):
            x = self.five(x) + x if self.swapped else x + self.five(x)
            return torch.cat([x, self.one(x)], 1)

    for Skip.swapped in (False, True):
        branches = trace(Skip(), 16)["cat"].branches
        assert {name: field.size for name, field in branches.items()} == {"add": (5, 5), "one": (5, 5)}


def test_image_pooling_is_global():
    class Pooled(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3, padding=1)

        def forward(self, x):
            x = self.conv(x)
            pooled = F.adaptive_avg_pool2d(x, 1)
            return torch.cat(
                [x, F.interpolate(pooled, x.shape[-2:], mode="bilinear", align_corners=False)], 1
            )

    table = trace(Pooled(), (20, 30))
    row = table["cat"]
    assert (
        row.field.is_global and not row.branches["conv"].is_global and row.branches["interpolate"].is_global
    )
    assert (row.jump, row.branches["conv"].size) == (1, (3, 3))
    assert table.box("cat", (0, 0)) == Box(0, 0, 19, 29)
    assert table.box("conv", (0, 0)) == Box(0, 0, 1, 1)


def test_asymmetric_kernels_and_strides():
    table = trace(
        nn.Sequential(nn.Conv2d(3, 4, (3, 7), (1, 2), (1, 3)), nn.Conv2d(4, 4, (1, 3), dilation=(1, 2))),
        (40, 60),
    )
    row = table["1"]
    assert (row.size, row.jump, row.map_size) == ((3, 15), (1, 2), (40, 26))
    cells = row.cells()
    assert (cells["field"], cells["jump"], cells["kernel"], cells["start"]) == ("3×15", "1×2", "1×3", "0×4")


# numbers of the table ------------------------------------------------------------
def test_parameters_and_multiply_adds():
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 8, 3, groups=8),
        nn.ConvTranspose2d(8, 4, 2, 2), nn.PReLU(4), nn.Flatten(), nn.Linear(4 * 12 * 12, 5),
    )  # fmt: skip
    table = trace(model, 8)
    assert [row.kind for row in table] == [
        "conv",
        "depthwise conv",
        "transposed conv",
        "linear over 12×12 map",
    ]
    assert [row.multiply_adds for row in table] == [8 * 27 * 64, 8 * 9 * 36, 8 * 4 * 4 * 36, 4 * 144 * 5]
    assert table.parameters == sum(p.numel() for p in model.parameters())
    assert table["1"].parameters == 16 and table["5"].parameters == 4 and table["1"].pointwise
    assert sum(row.parameters for row in table.rows) == table.parameters


def test_a_module_used_twice_has_two_rows_and_one_count():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 3, padding=1)

        def forward(self, x):
            return self.conv(self.conv(x))

    table = trace(Twice(), 16)
    assert [(r.name, r.size, r.parameters) for r in table] == [("conv", 3, 84), ("conv (call 2)", 5, 0)]
    assert table.parameters == 84


def test_unused_parameters_are_told():
    class Spare(nn.Sequential):
        def __init__(self):
            super().__init__(nn.Conv2d(3, 4, 1))
            self.spare = nn.Linear(2, 3)

        def forward(self, x):
            return self[0](x)

    table = trace(Spare(), 8)
    assert (table.parameters, table.unused_parameters) == (16, 9)
    assert "9 parameters of the model took no part" in repr(table)


def test_functional_weights_and_normalised_weights_are_counted():
    class Functional(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(4, 3, 3, 3))
            self.scale = nn.Parameter(torch.ones(4, 1, 1))

        def forward(self, x):
            weight = self.weight - self.weight.mean((1, 2, 3), keepdim=True)
            return F.relu(F.conv2d(x, weight)) * self.scale

    table = trace(Functional(), 8)
    assert table.parameters == 4 * 27 + 4 and table.unused_parameters == 0
    assert table["conv"].parameters == 108


# what no graph tracer follows ------------------------------------------------------------
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


class Broken(nn.Conv2d):
    def forward(self, x):
        return x / (1 // 0)


def test_an_error_of_the_model_says_where():
    with pytest.raises(ZeroDivisionError) as caught:
        trace(Broken(3, 3, 3), 8)
    assert any("while tracing" in note for note in caught.value.__notes__)
