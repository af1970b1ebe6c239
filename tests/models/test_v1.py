"""DeepLab v1: its five edits, what each keeps, the paper's numbers, and where weights come from."""

import copy
import math
from types import SimpleNamespace

import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from deeplab_lessons import backbones, datasets, inference, models, runtime, stacks
from deeplab_lessons.arithmetic import receptive_fields
from deeplab_lessons.backbones import weights as weights_module
from deeplab_lessons.heads import LargeFOV
from deeplab_lessons.receptive_field import trace


def counted(model):
    return sum(p.numel() for p in model.parameters())


def small_vgg(width=0.0625, seed=0, dtype=torch.float64, **kwargs):
    """A narrow VGG16 with biases that are not zero, so that zero padding shows at every layer."""
    torch.manual_seed(seed)
    vgg = backbones.vgg16(width, **kwargs).eval().to(dtype)
    for module in vgg.modules():
        if getattr(module, "bias", None) is not None:
            nn.init.normal_(module.bias, std=0.1)
    return vgg


def picture(height, width=None, seed=1, dtype=torch.float64):
    return torch.randn(
        1, 3, height, width or height, generator=torch.Generator().manual_seed(seed), dtype=dtype
    )


@pytest.fixture
def meta():
    with torch.device("meta"):
        yield


# ---------------------------------------------------------------- the paper's table


@pytest.mark.parametrize(
    ("name", "parameters", "field", "field_undilated_pool5"),
    [
        ("CRF-7x7", 134_346_581, 404, 396),
        ("CRF", 65_140_565, 308, 300),
        ("CRF-4x4", 65_140_565, 404, 396),
        ("CRF-LargeFOV", 20_505_429, 404, 396),
    ],
)
def test_the_rows_of_the_papers_table(meta, name, parameters, field, field_undilated_pool5):
    row = models.V1_TABLE[name]
    model = models.deeplab_v1(21, **row)
    assert counted(model) == parameters
    traced = trace(model, 320)["head.fc6"]
    assert (traced.size, traced.jump, traced.map_size) == (field, 8, (40, 40))
    undilated = trace(models.deeplab_v1(21, **row, dilate_pool5=False), 320)
    assert undilated["head.fc6"].size == field_undilated_pool5
    assert receptive_fields(stacks.deeplab_v1(row["kernel_size"], row["rate"]))[-1].size == field


def test_the_released_pools_give_largefov_a_field_of_419(meta):
    rows = trace(models.deeplab_v1(pool_size=3), 321)
    assert rows["head.fc6"].size == 419
    assert [rows[f"backbone.pool{i}"].map_size[0] for i in range(1, 6)] == [161, 81, 41, 41, 41]
    assert rows.parameters == 20_505_429, "pools have no parameters"
    conv5, pool5 = rows["backbone.conv5_3"], rows["backbone.pool5"]
    assert (conv5.dilation, pool5.dilation) == ((2, 2), (1, 1)), "as in the released files"


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


def test_side_branches_add_640_channels_and_their_weights(meta):
    model = models.deeplab_v1(multi_scale=True)
    branches = sum((c * 9 * 128 + 128) + (128 * 128 + 128) for c in (3, 64, 128, 256, 512))
    assert counted(model) == 20_505_429 + branches + 640 * 21
    assert model.head.fc8.in_channels == 1024 + 640
    for size in ((224, 224), (225, 321), (231, 250)):
        assert model(torch.empty(2, 3, *size)).shape == (2, 21, size[0] // 8, size[1] // 8)


def test_side_branches_are_used():
    torch.manual_seed(0)
    model = models.deeplab_v1(width=0.0625, multi_scale=True).eval()
    x = picture(64, dtype=torch.float32)
    before = model(x)
    for branch in model.side.branches:
        nn.init.zeros_(branch[2].weight)
    assert not torch.allclose(model(x), before)
    without = model.head(model.backbone(x), torch.zeros(1, 5 * 8, 8, 8))
    assert torch.allclose(model(x), without)


# ---------------------------------------------------------------- weights carried over


def test_width_one_has_torchvisions_structure_and_keys(meta):
    for ours, theirs in (
        (backbones.vgg16(), torchvision.models.vgg16()),
        (backbones.vgg16(batch_norm=True), torchvision.models.vgg16_bn()),
    ):
        shapes = {k: v.shape for k, v in ours.state_dict().items()}
        assert shapes == {k: v.shape for k, v in theirs.state_dict().items()}
        assert [type(m) for m in ours.modules()] == [type(m) for m in theirs.modules()]


@pytest.mark.parametrize("batch_norm", [False, True])
def test_torchvisions_own_weights_give_torchvisions_own_scores(batch_norm):
    ours = small_vgg(batch_norm=batch_norm)
    with torch.device("meta"):
        theirs = torchvision.models.VGG(nn.Identity(), init_weights=False)
    theirs.features, theirs.classifier = copy.deepcopy(ours.features), copy.deepcopy(ours.classifier)
    loaded = backbones.vgg16(0.0625, weights=theirs.state_dict(), batch_norm=batch_norm).eval()
    x = picture(224)
    assert torch.equal(loaded(x), theirs.eval()(x))


def test_the_fully_convolutional_net_gives_the_classifiers_own_1000_scores():
    vgg, x = small_vgg(), picture(224)
    scores = backbones.fully_convolutional(vgg)(x)
    assert scores.shape == (1, 1000, 1, 1)
    assert torch.allclose(scores.flatten(1), vgg(x), rtol=1e-12, atol=1e-14)


def test_fc6_becomes_a_kernel_in_the_maps_own_order():
    linear = nn.Linear(2 * 49, 3)
    conv = backbones.linear_to_conv(linear, 7)
    assert conv.weight.shape == (3, 2, 7, 7)
    assert conv.weight[2, 1, 4, 6] == linear.weight[2, 1 * 49 + 4 * 7 + 6]
    with pytest.raises(ValueError, match="cannot be split into 6×6"):
        backbones.linear_to_conv(linear, 6)


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


def test_deeplab_v1_is_the_chain_of_edits():
    vgg, x = small_vgg(), picture(120, 96).float()
    net = backbones.fully_convolutional(vgg.float(), padding="same")
    net = backbones.large_fov(backbones.dilate(backbones.keep_resolution(net)), channels=64)
    model = models.deeplab_v1(5, width=0.0625, weights=vgg.state_dict()).eval()
    net.fc8.weight, net.fc8.bias = model.head.fc8.weight, model.head.fc8.bias
    net.fc8.out_channels = 5
    assert torch.allclose(model(x), net(x), rtol=1e-4, atol=1e-6)
    assert all(p.requires_grad for p in model.parameters())


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


# ---------------------------------------------------------------- equivalence


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


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("size", [224, 256, 263, 320])
def test_with_same_pools_it_is_so_where_stride_32_divides_the_map(padding, size):
    """floor(size / 8) is a multiple of 4: the whole map agrees, padded border and all."""
    strided, dilated = pair(small_vgg(), padding, "same")
    with torch.inference_mode():
        expected, found = strided(picture(size)), dilated(picture(size))[..., ::4, ::4]
    assert found.shape == expected.shape
    assert torch.allclose(found, expected, rtol=1e-9, atol=1e-12)


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


@pytest.mark.parametrize(("output_stride", "step"), [(16, 2), (8, 4)])
@pytest.mark.parametrize("size", [(96, 129), (100, 97)])
def test_the_dilated_mobilenet_holds_the_strided_one(output_stride, step, size):
    torch.manual_seed(0)
    strided = backbones.mobilenet_v2(32).eval().double()
    state = {f"features.{key}": value for key, value in strided.state_dict().items()}
    dilated = backbones.mobilenet_v2(output_stride, weights=state).eval().double()
    with torch.inference_mode():
        x = picture(*size)
        expected, found = strided(x), dilated(x)
    assert found.shape[2:] == tuple(math.ceil(side / output_stride) for side in size)
    assert torch.allclose(found[..., ::step, ::step], expected, rtol=1e-6, atol=1e-9)


# ---------------------------------------------------------------- the model


def test_class_size_networks_are_the_same_classes():
    torch.manual_seed(0)
    model = models.deeplab_v1(9, width=0.125, batch_norm=True)
    assert model.head.fc6.out_channels == 128 and model.backbone.conv5_3.out_channels == 64
    assert isinstance(model.backbone.bn1_1, nn.BatchNorm2d) and isinstance(model.head.bn7, nn.BatchNorm2d)
    assert model(torch.zeros(2, 3, 65, 128)).shape == (2, 9, 8, 16)
    assert (model.output_stride, trace(model, 128)["head.fc8"].field.y.jump) == (8, 8)


def test_the_random_start_keeps_the_signal_and_favours_no_class():
    torch.manual_seed(0)
    model = models.deeplab_v1(21, width=0.25).eval()
    x = torch.randn(2, 3, 128, 128)
    with torch.no_grad():
        deep = model.backbone(x)
        shares = model(x).softmax(1)
    assert 0.1 < deep.std() / x.std() < 10, "thirteen layers neither blow the signal up nor put it out"
    assert (shares - 1 / 21).abs().max() < 0.05
    torch.manual_seed(0)
    again = models.deeplab_v1(21, width=0.25)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters(), strict=True))


def test_parameter_groups_hold_every_parameter_once_at_its_rate():
    model = models.deeplab_v1(21, width=0.0625, multi_scale=True)
    groups = model.parameter_groups(1e-3)
    assert sorted(group["lr"] for group in groups) == pytest.approx([1e-3, 1e-2])
    listed = [id(p) for group in groups for p in group["params"]]
    assert sorted(listed) == sorted(id(p) for p in model.parameters())
    fast = {id(p) for group in groups if group["lr"] > 5e-3 for p in group["params"]}
    assert fast == {id(p) for part in (model.head.fc8, model.side) for p in part.parameters()}

    released = {
        (round(g["lr"], 6), g.get("weight_decay")): {p.ndim for p in g["params"]}
        for g in model.parameter_groups(1e-3, released_biases=True)
    }
    assert released == {(0.001, None): {4}, (0.002, 0.0): {1}, (0.01, None): {4}, (0.02, 0.0): {1}}


def test_parameter_groups_on_mobilenet_and_with_frozen_parts():
    model = models.deeplab_v1(11, backbone="mobilenet_v2", channels=64, output_stride=16, batch_norm=True)
    model.backbone.requires_grad_(False)
    (group,) = model.parameter_groups(0.1)
    assert group["lr"] == pytest.approx(1.0)
    assert {id(p) for p in group["params"]} == {id(p) for p in model.head.parameters()}
    assert model(torch.zeros(1, 3, 64, 80)).shape == (1, 11, 4, 5)


def test_gradients_reach_every_parameter():
    torch.manual_seed(0)
    for options in ({}, {"multi_scale": True}, {"pool_size": 3, "batch_norm": True}):
        model = models.deeplab_v1(4, width=0.0625, dropout=0.0, **options)
        model(torch.randn(2, 3, 64, 64)).square().mean().backward()
        silent = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().any()]
        assert not silent


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"backbone": "resnet"}, "vgg16"),
        ({"pool_size": 4}, "pool_size"),
        ({"kernel_size": 5}, "even distances"),
        ({"kernel_size": 3, "rate": 0}, "dilation"),
        ({"channels": 5000}, "4096 channels to choose from"),
        ({"width": 0}, "width"),
        ({"output_stride": 16}, "output stride 8"),
        ({"backbone": "mobilenet_v2", "output_stride": 4}, "8, 16 or 32"),
        ({"backbone": "mobilenet_v2", "multi_scale": True}, "VGG16"),
    ],
)
def test_impossible_models_say_what_is_possible(meta, options, message):
    with pytest.raises(ValueError, match=message):
        models.deeplab_v1(**options)


def test_pictures_of_another_shape_are_named():
    model = models.deeplab_v1(3, width=0.0625)
    for x in (torch.zeros(3, 64, 64), torch.zeros(1, 4, 64, 64), torch.zeros(1, 3, 7, 64)):
        with pytest.raises(ValueError, match=r"expected pictures \[N, 3, H, W\]"):
            model(x)
    with pytest.raises(ValueError, match="has no equal padding"):
        LargeFOV(kernel_size=4, rate=1)


# ---------------------------------------------------------------- where weights come from


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """torch's cache in an empty folder."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    return tmp_path / "cache" / "hub" / "checkpoints"


def served(tmp_path, content, checksum=None):
    """An entry as in torchvision's list, its file on this disk."""
    import hashlib

    checksum = checksum or hashlib.sha256(content).hexdigest()[:8]
    path = tmp_path / f"net-{checksum}.pth"
    path.write_bytes(content)
    return SimpleNamespace(url=path.as_uri())


def test_imagenet_weights_are_fetched_once_and_kept(hub, tmp_path, capfd):
    torch.save({"a": torch.ones(2, dtype=torch.float16)}, tmp_path / "made.pth")
    entry = served(tmp_path, (tmp_path / "made.pth").read_bytes())
    loaded = backbones.load_weights("imagenet", entry)
    assert loaded["a"].dtype == torch.float32 and loaded["a"].tolist() == [1, 1]
    assert "100%" in capfd.readouterr().err, "a progress bar"
    kept = backbones.weights_file(entry)
    assert kept.parent == hub and kept.is_file()
    (tmp_path / kept.name).unlink()
    assert backbones.load_weights("imagenet", entry)["a"].tolist() == [1, 1], (
        "from the cache, without the source"
    )


def test_offline_the_message_names_file_place_and_ways_out(hub, monkeypatch):
    def no_network(*args, **kwargs):
        raise OSError("no route to host")

    monkeypatch.setattr(torch.hub, "download_url_to_file", no_network)
    with pytest.raises(RuntimeError) as caught:
        backbones.vgg16(weights="imagenet")
    text = str(caught.value)
    for part in ("vgg16-397923af.pth", str(hub), "https://", "no route to host", "weights=None"):
        assert part in text


def test_a_download_with_the_wrong_checksum_leaves_no_file(hub, tmp_path):
    entry = served(tmp_path, b"half of a file", checksum="00000000")
    with pytest.raises(RuntimeError, match="invalid hash value"):
        backbones.load_weights("imagenet", entry)
    assert list(hub.iterdir()) == []


def test_a_broken_file_is_named(tmp_path):
    path = tmp_path / "cut.pth"
    torch.save({"a": torch.ones(1000)}, path)
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(RuntimeError, match=r"cut\.pth is 700 bytes .* Delete it"):
        backbones.load_weights(path, None)
    with pytest.raises(FileNotFoundError, match="there is no weights file"):
        backbones.load_weights(str(tmp_path / "nowhere.pth"), None)
    with pytest.raises(TypeError, match="got int"):
        backbones.load_weights(3, None)


def test_half_precision_files_and_missing_classifiers(tmp_path):
    whole = torchvision.models.mobilenet_v2(num_classes=7)
    half = {k: v.half() if v.ndim > 1 else v for k, v in whole.state_dict().items()}
    torch.save({k: v for k, v in half.items() if not k.startswith("classifier")}, tmp_path / "half.pt")
    net = backbones.mobilenet_v2(16, weights=tmp_path / "half.pt")
    assert net[0][0].weight.dtype == torch.float32
    assert torch.equal(net[17].conv[2].weight, half["features.17.conv.2.weight"].float())


def test_weights_of_another_network_are_refused():
    state = small_vgg(0.0625, dtype=torch.float32).state_dict()
    with pytest.raises(
        ValueError, match=r"features.0.weight is \[4, 3, 3, 3\], the network needs \[8, 3, 3, 3\]"
    ):
        backbones.vgg16(0.125, weights=state)
    with pytest.raises(ValueError, match="unexpected features"):
        backbones.vgg16(0.0625, weights={**state, "features.99.weight": torch.ones(1)})
    state.pop("features.0.weight")
    with pytest.raises(ValueError, match=r"missing features\.0\.weight"):
        backbones.vgg16(0.0625, weights=state)


def test_nothing_is_fetched_unless_asked_for(monkeypatch):
    monkeypatch.setattr(weights_module, "_download", lambda *_: pytest.fail("a download was started"))
    backbones.vgg16(0.0625)
    backbones.mobilenet_v2()
    models.deeplab_v1(width=0.0625)


# ---------------------------------------------------------------- measured


def test_describe_and_milliseconds():
    net = backbones.dilate(
        backbones.keep_resolution(backbones.fully_convolutional(small_vgg(dtype=torch.float32)))
    )
    row = models.describe(net, 320)
    assert (row["output stride"], row["map"], row["field (px)"]) == (8, "16×16", 404)
    assert row["parameters (10⁶)"] == round(counted(net) / 1e6, 2)
    assert models.milliseconds(net, 224, repeats=1) > 0
    assert models.milliseconds(net, 224, repeats=1, training=True) > 0
    assert all(p.grad is None for p in net.parameters()), "nothing is left behind"


# ---------------------------------------------------------------- a small DeepLab v3 that comes trained


def test_the_mobile_deeplab_v3_fills_small_pictures_up_to_its_own_square():
    model = models.mobile_deeplab_v3()
    with torch.inference_mode():
        small, large = model(torch.zeros(1, 3, 300, 417)), model(torch.zeros(1, 3, 33, 600))
    assert small.shape == (1, 21, 33, 33) and large.shape == (1, 21, 33, 39)
    filled = torch.zeros(1, 3, 513, 513)
    filled[..., :60, :70] = 1
    with torch.inference_mode():
        assert torch.equal(model(torch.ones(1, 3, 60, 70)), model(filled))


def test_the_mobile_deeplab_v3_takes_no_other_weights():
    with pytest.raises(ValueError, match="unexpected"):
        models.mobile_deeplab_v3(torchvision.models.mobilenet_v2().state_dict())


@pytest.mark.slow
def test_the_mobile_deeplab_v3_segments_real_pictures():
    weights = runtime.data_dir() / "weights" / "deeplabv3_mobilenet_v2_tf-voc-fp16.pt"
    if not weights.is_file():
        pytest.skip(f"no {weights.name} under {runtime.data_dir()}")
    dataset = datasets.VOC(split="val")
    few = torch.utils.data.Subset(dataset, range(12))
    scores = inference.evaluate(models.mobile_deeplab_v3(weights), few)
    assert scores.pixel_accuracy > 0.88
