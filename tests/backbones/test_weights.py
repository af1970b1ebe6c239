"""A network's numbers: from a dict, a file or torchvision's cache, or random; what does not fit is refused."""

from types import SimpleNamespace

import pytest
import torch
from networks import small_vgg

from deeplab_lessons import backbones, models
from deeplab_lessons.backbones import weights as weights_module


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
    loaded = weights_module.load_weights("imagenet", entry)
    assert loaded["a"].dtype == torch.float32 and loaded["a"].tolist() == [1, 1]
    assert "100%" in capfd.readouterr().err, "a progress bar"
    kept = weights_module.weights_file(entry)
    assert kept.parent == hub and kept.is_file()
    (tmp_path / kept.name).unlink()
    assert weights_module.load_weights("imagenet", entry)["a"].tolist() == [1, 1], (
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
        weights_module.load_weights("imagenet", entry)
    assert list(hub.iterdir()) == []


def test_a_broken_file_is_named(tmp_path):
    path = tmp_path / "cut.pth"
    torch.save({"a": torch.ones(1000)}, path)
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(RuntimeError, match=r"cut\.pth is 700 bytes .* Delete it"):
        weights_module.load_weights(path, None)
    with pytest.raises(FileNotFoundError, match="there is no weights file"):
        weights_module.load_weights(str(tmp_path / "nowhere.pth"), None)
    with pytest.raises(TypeError, match="got int"):
        weights_module.load_weights(3, None)


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


def test_old_files_without_batch_norms_counter_are_taken():
    whole = backbones.resnet(18, width=1 / 16).state_dict()
    old = {key: value for key, value in whole.items() if not key.endswith("num_batches_tracked")}
    loaded = backbones.resnet(18, weights=old, width=1 / 16).state_dict()
    assert len(old) < len(whole) and all(torch.equal(loaded[key], value) for key, value in whole.items())


SMALL = {"width": 1 / 16}
#: What is built with seed 3: the sum of its weights' sizes, and the next random number.
BUILT = {
    "vgg16": (lambda: backbones.vgg16(**SMALL), 22349.135487, 0.7263863),
    "resnet50, cascade": (lambda: backbones.resnet(50, cascade=5, **SMALL), 19867.523948, 0.7336221),
    "mobilenet_v2": (lambda: backbones.mobilenet_v2(), 138445.881702, 0.5589266),
    "xception": (lambda: backbones.xception(middle_blocks=1, **SMALL), 11910.599250, 0.2314284),
    "v1": (lambda: models.deeplab_v1(multi_scale=True, **SMALL), 6638.978384, 0.1580048),
    "v2 on vgg16": (lambda: models.deeplab_v2(4, "vgg16", **SMALL), 11486.874593, 0.2111703),
    "v2 on resnet50": (lambda: models.deeplab_v2(4, "resnet50", **SMALL), 12278.164848, 0.9630225),
    "v3 on mobilenet_v2": (
        lambda: models.deeplab_v3(4, "mobilenet_v2", refine=True, width=1 / 4),
        36244.747287,
        0.1730320,
    ),
    "v3+ on resnet50": (lambda: models.deeplab_v3plus(4, "resnet50", **SMALL), 16802.756225, 0.9929090),
}


@pytest.mark.parametrize("name", BUILT)
def test_a_seed_gives_the_network_that_it_always_gave(name):
    build, size, following = BUILT[name]
    torch.manual_seed(3)
    net = build()
    assert torch.rand(1).item() == pytest.approx(following, abs=1e-6)
    assert sum(p.double().abs().sum().item() for p in net.parameters()) == pytest.approx(size, rel=1e-6)


def test_on_the_meta_device_weights_are_checked_and_nothing_is_filled():
    torch.manual_seed(0)
    weights = backbones.resnet(50, **SMALL).state_dict()
    with torch.device("meta"):
        net = models.deeplab_v2(4, "resnet50", weights=weights, **SMALL)
        with pytest.raises(ValueError, match=r"missing conv1\.weight"):
            backbones.resnet(50, weights={}, **SMALL)
    assert {tensor.device.type for tensor in net.state_dict().values()} == {"meta"}
