"""Defaults for a person's own images: every version on every backbone can be built and trained with them."""

import pytest
import torch
from small_training import run

from deeplab_lessons import datasets
from deeplab_lessons.backbones.encoders import OPTIONS
from deeplab_lessons.datasets import transforms
from deeplab_lessons.training import recipe
from deeplab_lessons.training.experiments import EXPERIMENTS

HAS = [
    *(("v1", name) for name in ("vgg16", "mobilenet_v2")),
    *(("v2", name) for name in ("vgg16", "resnet50", "resnet101", "mobilenet_v2")),
    *((version, name) for version in ("v3", "v3plus") for name in OPTIONS),
]


@pytest.mark.parametrize(("version", "backbone"), HAS)
@pytest.mark.parametrize("pretrained", [True, False])
def test_every_version_on_every_backbone_is_built(version, backbone, pretrained):
    found = recipe(version, backbone, 12, pretrained, num_classes=3)
    with torch.device("meta"):
        model = found.model()
        logits = model.eval()(torch.empty(1, 3, found.crop, found.crop))
    assert logits.shape[1] == 3
    norms = [norm for norm in model.modules() if isinstance(norm, torch.nn.BatchNorm2d)]
    assert pretrained or norms, "without it a network learns little from random weights"
    assert norms or not found.freeze_batch_norm, "there is batch norm to be at rest"


@pytest.mark.parametrize("version", ["v1", "v2", "v3", "v3plus"])
def test_on_mobilenet_it_is_the_network_that_was_measured_on_camvid(version):
    found, measured = recipe(version), EXPERIMENTS[f"camvid_{version}"]
    assert found.network == measured.network
    assert (found.loss, found.schedule) == (measured.loss, measured.schedule)


@pytest.mark.parametrize(("version", "name"), [("v1", "rate"), ("v2", "rates"), ("v3", "rates")])
def test_dilations_reach_as_many_pixels_at_every_output_stride(version, name):
    reach = []
    for stride in (8, 16):
        taps = recipe(version, output_stride=stride).network[name]
        reach.append([stride * tap for tap in (taps if isinstance(taps, tuple) else (taps,))])
    assert reach[0] == reach[1]
    assert (
        recipe("v2", "resnet50").network["output_stride"]
        == 8
        == recipe("v1", "vgg16").network["output_stride"]
    )


def test_more_images_are_trained_on_for_longer_within_bounds():
    counts = [recipe(pairs=count) for count in (1, 12, 200, 400, 10_000)]
    crops = [each.iterations * each.batch_size for each in counts]
    assert crops == sorted(crops) and crops[0] == crops[1] < crops[3] and crops[3] == crops[4]


def test_an_unknown_version_is_refused_with_the_choices():
    with pytest.raises(ValueError, match="unknown version 'v4': choose from v1, v2, v3, v3plus"):
        recipe("v4")


def test_it_trains():
    found = recipe(pretrained=False, num_classes=6)
    scenes = datasets.Embedded("train", 4, 64, transforms.train(64, found.scale))
    history = run(found.model(0), scenes, **found.settings | {"iterations": 2, "batch_size": 2})
    assert history.finished
