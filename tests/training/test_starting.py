"""Beginning from a trained network: what is kept, what is drawn, and that both are said."""

import pytest
import torch
from torch import nn
from torchvision.models import mobilenet_v2, resnet18, vgg16
from torchvision.models.segmentation import deeplabv3_mobilenet_v3_large, deeplabv3_resnet50

from deeplab_lessons import datasets, models, training
from deeplab_lessons.training import CheckpointError, start_from

ABC = ("background", "cup", "spoon")
MOBILE = {"backbone": "mobilenet_v2", "width": 0.125}
SMALL = {"v1": {"rate": 2}, "v2": {"rates": (2, 4)}, "v3": {"rates": (2, 4)}, "v3plus": {"rates": (2, 4)}}


def network(version="v3", classes=3, seed=0, **options):
    torch.manual_seed(seed)
    model = models.deeplab(version, classes, **{**MOBILE, **SMALL[version], **options})
    for norm in model.modules():
        if isinstance(norm, nn.BatchNorm2d):
            nn.init.normal_(norm.running_mean)
    return model


def kept(model, path, classes=ABC):
    about = {"model": model.arguments, **({"classes": list(classes)} if classes else {})}
    training.save_checkpoint({"model": model.state_dict(), "about": about}, path)
    return path


@pytest.fixture
def trained(tmp_path):
    """A v3 with three classes, seed 1, and its file."""
    model = network(seed=1)
    return model, kept(model, tmp_path / "other.pt")


def same(one, other, *parts):
    """Whether these parts of two networks have the same weights."""
    mine, theirs = one.state_dict(), other.state_dict()
    keys = [key for key in mine if key.startswith(parts)]
    assert keys
    return all(key in theirs and torch.equal(mine[key], theirs[key]) for key in keys)


def test_the_same_network_is_kept_whole(trained):
    other, path = trained
    model = network()
    said = start_from(model, path, ABC)
    assert same(model, other, "") and (said.kept, said.drawn, said.kept_classes) == (1, (), ABC)
    assert str(said) == f"from {path} 100 % of the weights are kept; classes kept: background, cup, spoon"


def test_the_same_classes_in_another_order_keep_their_rows(trained):
    other, path = trained
    model = network()
    start_from(model, path, ("spoon", "background", "cup"))
    for part in ("weight", "bias"):
        assert torch.equal(getattr(model.classifier, part), getattr(other.classifier, part)[[2, 0, 1]])


def test_one_class_more_is_drawn_and_the_others_are_kept(trained):
    other, path = trained
    model, fresh = network(classes=4), network(classes=4)
    said = start_from(model, path, ("background", "fork", "cup", "spoon"))
    assert torch.equal(model.classifier.weight[[0, 2, 3]], other.classifier.weight)
    assert torch.equal(model.classifier.weight[1], fresh.classifier.weight[1])
    assert said.kept_classes == ("background", "cup", "spoon") and said.drawn_classes == ("fork",)
    assert str(said).endswith("classes kept: background, cup, spoon; classes drawn: fork") and not said.drawn


def test_of_other_classes_nothing_is_kept_but_of_the_rest_all(trained):
    other, path = trained
    model, fresh = network(classes=2), network(classes=2)
    said = start_from(model, path, ("road", "tree"))
    assert same(model, other, "backbone.", "aspp.") and same(model, fresh, "classifier.")
    assert said.drawn == ("classifier",) and said.drawn_classes == ("road", "tree") and not said.kept_classes


def test_v3plus_keeps_backbone_and_pyramid_and_draws_the_decoder(trained):
    other, path = trained
    model, fresh = network("v3plus"), network("v3plus")
    said = start_from(model, path, ABC)
    assert same(model, other, "backbone.", "aspp.") and same(model, fresh, "decoder.")
    assert said.drawn == ("decoder",) and said.drawn_classes == ABC and 0.5 < said.kept < 1


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_from_another_version_the_backbone_is_kept(tmp_path, version):
    other, model, fresh = network(version, seed=1), network(), network()
    said = start_from(model, kept(other, tmp_path / "other.pt"), ABC)
    assert same(model, other, "backbone.") and same(model, fresh, "aspp.", "classifier.")
    assert said.drawn == ("aspp", "classifier")


def test_a_network_at_several_scales_keeps_what_one_scale_learned(tmp_path):
    one, several = network("v2", seed=1), network("v2", multi_scale=True)
    start_from(several, kept(one, tmp_path / "one.pt"), ABC)
    assert same(several.model, one, "")
    back = network("v2")
    start_from(back, kept(several, tmp_path / "several.pt"), ABC)
    assert same(back, one, "")


@pytest.mark.parametrize("before", ["", "module."])
def test_weights_alone_are_kept_as_far_as_they_fit(trained, tmp_path, before):
    """What `torch.save(model.state_dict(), …)` wrote, also of a network inside DataParallel."""
    torch.save(
        {f"{before}{name}": value for name, value in trained[0].state_dict().items()}, tmp_path / "bare.pt"
    )
    model = network()
    started = start_from(model, tmp_path / "bare.pt", ABC)
    assert same(model, trained[0], "backbone", "aspp", "classifier") and started.kept == 1
    with pytest.raises(CheckpointError, match="less than half of its weights fits"):
        start_from(network(width=0.25), tmp_path / "bare.pt", ABC)


def test_a_layer_of_a_part_is_named(tmp_path):
    other, model = network("v1", seed=1), network("v1", kernel_size=5)
    said = start_from(model, kept(other, tmp_path / "other.pt"), ABC)
    assert said.drawn == ("head.fc6",) and said.kept_classes == ABC


def test_old_checkpoints_that_leave_out_defaults_and_classes(tmp_path):
    other, model = network(seed=1), network()
    about = {"model": {"version": "v3", "num_classes": 3, **MOBILE, **SMALL["v3"]}}
    training.save_checkpoint({"model": other.state_dict(), "about": about}, tmp_path / "old.pt")
    assert start_from(model, tmp_path / "old.pt", ABC).kept == 1 and same(model, other, "")
    said = start_from(network(classes=2), tmp_path / "old.pt", ABC[:2])
    assert said.drawn == ("classifier",) and not said.kept_classes


def test_another_backbone_is_refused_and_both_are_named(trained):
    model, fresh = (network("v3", backbone="resnet18", width=0.25) for _ in range(2))
    with pytest.raises(
        CheckpointError,
        match=r"other\.pt holds another backbone .*: backbone mobilenet_v2 there, resnet18 here; width",
    ):
        start_from(model, trained[1], ABC)
    assert same(model, fresh, "")


def test_another_width_is_refused_and_nothing_is_changed(trained):
    model, fresh = network(width=0.25), network(width=0.25)
    with pytest.raises(
        CheckpointError, match=r"another backbone than .*: width 0\.125 there, 0\.25 here\. Start"
    ):
        start_from(model, trained[1], ABC)
    assert same(model, fresh, "")


def test_a_network_of_ones_own_is_refused(trained):
    with pytest.raises(
        ValueError, match=r"does not state its arguments: pass a network that models\.deeplab"
    ):
        start_from(nn.Conv2d(3, 3, 1), trained[1], ABC)


def test_ruined_weights_are_refused(tmp_path):
    other, model, fresh = network(seed=1), network(), network()
    nn.init.constant_(other.classifier.bias, float("nan"))
    with pytest.raises(CheckpointError, match=r"ruined: classifier\.bias holds NaN"):
        start_from(model, kept(other, tmp_path / "other.pt"), ABC)
    assert same(model, fresh, "")


@pytest.mark.parametrize("build", [mobilenet_v2, resnet18, vgg16])
def test_a_classifier_for_imagenet_is_for_weights(tmp_path, build):
    with torch.device("meta"):
        keys = build().state_dict()
    torch.save(dict.fromkeys(keys, torch.zeros(1)), tmp_path / "imagenet.pt")
    with pytest.raises(
        CheckpointError, match=r"imagenet\.pt holds a classifier for ImageNet: pass it as weights="
    ):
        start_from(network(), tmp_path / "imagenet.pt", ABC)


def test_other_files_are_named(tmp_path):
    torch.save({"a": torch.zeros(1)}, tmp_path / "other.pt")
    with pytest.raises(CheckpointError, match=r"neither a network of this course nor .* \(it holds: a\)"):
        start_from(network(), tmp_path / "other.pt", ABC)
    training.save_checkpoint({"model": {"a": torch.zeros(1)}}, tmp_path / "other.pt")
    with pytest.raises(CheckpointError, match="does not say which model it holds"):
        start_from(network(), tmp_path / "other.pt", ABC)
    with pytest.raises(CheckpointError, match="there is no checkpoint"):
        start_from(network(), tmp_path / "absent.pt", ABC)


@pytest.fixture(scope="module")
def theirs():
    """torchvision's DeepLabV3 on ResNet-50, with the auxiliary classifier, random; only what is small is real."""
    torch.manual_seed(0)
    return deeplabv3_resnet50(weights=None, weights_backbone=None, aux_loss=True).eval().state_dict()


@pytest.mark.slow
def test_torchvisions_network_keeps_all_but_the_classifier(theirs, tmp_path):
    torch.save(theirs, tmp_path / "theirs.pt")
    model = models.deeplab("v3", 3, backbone="resnet50", output_stride=8)
    said = start_from(model, tmp_path / "theirs.pt", ABC)
    assert torch.equal(model.backbone.layer4[2].conv3.weight, theirs["backbone.layer4.2.conv3.weight"])
    assert torch.equal(model.aspp.project[0].weight, theirs["classifier.0.project.0.weight"])
    assert said.drawn == ("classifier",)
    whole = models.deeplab("v3", 2, backbone="resnet50", output_stride=8, refine=True, multi_grid=None)
    said = start_from(whole, theirs, ("dog", "unicorn"))
    assert said.drawn == () and said.kept_classes == ("dog",)
    row = theirs["classifier.4.weight"][datasets.VOC_CLASSES.index("dog")]
    assert torch.equal(whole.classifier[1].weight[0], row)


def test_torchvisions_mobile_network_is_refused_by_name(tmp_path):
    with torch.device("meta"):
        keys = deeplabv3_mobilenet_v3_large(weights=None, weights_backbone=None).state_dict()
    torch.save(dict.fromkeys(keys, torch.zeros(1)), tmp_path / "theirs.pt")
    with pytest.raises(CheckpointError, match=r"DeepLabV3 on MobileNetV3, .*: pass deeplabv3_resnet50"):
        start_from(network(), tmp_path / "theirs.pt", ABC)
