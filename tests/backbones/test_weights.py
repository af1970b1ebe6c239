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
    (kept,) = hub.iterdir()
    assert entry.url.endswith(kept.name)
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
    with pytest.raises(
        RuntimeError, match=r"cut\.pth is damaged, cut off or of another kind: bring a whole copy"
    ):
        weights_module.load_weights(path, None)
    with pytest.raises(FileNotFoundError, match=r"nowhere\.pth is not a file: pass the path of one"):
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


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "model."])
def test_wrapped_weights_fill_every_kind_of_backbone(prefix):
    for build in (lambda **more: backbones.resnet(18, width=1 / 16, **more), lambda **more: small(**more)):
        whole = build().state_dict()
        loaded = build(weights={prefix + key: value for key, value in whole.items()}).state_dict()
        assert all(torch.equal(loaded[key], value) for key, value in whole.items())


def small(**more):
    return backbones.vgg16(0.0625, **more)


def test_more_or_fewer_keys_are_counted_and_named():
    state = dict(small().state_dict())
    fewer = {key: value for key, value in state.items() if not key.startswith("features.0")}
    with pytest.raises(ValueError, match=r"2 parts do not fit, for example missing features\.0\.weight"):
        small(weights=fewer)
    more = state | {"head.weight": torch.ones(1), "head.bias": torch.ones(1), "aux.weight": torch.ones(1)}
    with pytest.raises(ValueError, match=r"3 parts do not fit, for example unexpected head\.weight"):
        small(weights=more)


def test_ruined_weights_are_refused():
    state = {key: value * torch.nan for key, value in small().state_dict().items()}
    with pytest.raises(ValueError, match=r"weights are ruined: features\.0\.weight holds NaN or infinity"):
        small(weights=state)


def test_training_a_network_leaves_the_weights_that_were_given_alone():
    donor = small().requires_grad_(False)
    network, before = small(weights=donor.state_dict()), donor.features[0].weight.clone()
    with torch.no_grad():
        network.features[0].weight.add_(1)
    assert torch.equal(donor.features[0].weight, before)


def test_weights_at_hand_are_those_in_the_data_folder_then_those_in_torchs_cache(hub, tmp_path, monkeypatch):
    monkeypatch.setenv("DEEPLAB_LESSONS_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(weights_module, "_download", lambda entry: pytest.fail("nothing is fetched"))
    assert backbones.at_hand("mobilenet_v2") is None
    hub.mkdir(parents=True)
    (hub / "mobilenet_v3_large-5c1a4163.pth").touch()
    assert backbones.at_hand("mobilenet_v2") is None
    (hub / "mobilenet_v2-7ebf99e0.pth").touch()
    assert backbones.at_hand("mobilenet_v2") == hub / "mobilenet_v2-7ebf99e0.pth"
    ours = tmp_path / "data" / "weights" / "mobilenet_v2-imagenet-fp16.pt"
    ours.parent.mkdir(parents=True)
    (ours.parent / "mobilenet_v2_tf-imagenet-fp16.pt").touch()
    ours.touch()
    assert backbones.at_hand("mobilenet_v2") == ours
