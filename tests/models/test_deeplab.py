"""Every version through one door."""

import pytest
import torch

from deeplab_lessons.models import (
    VERSIONS,
    DeepLabV1,
    DeepLabV2,
    DeepLabV3,
    DeepLabV3Plus,
    deeplab,
)


@pytest.mark.parametrize(
    ("version", "options", "kind"),
    [
        ("v1", {"width": 1 / 16}, DeepLabV1),
        ("v2", {"width": 1 / 16, "backbone": "resnet50", "output_stride": 8}, DeepLabV2),
        ("v3", {"width": 1 / 16, "backbone": "resnet18", "output_stride": 32}, DeepLabV3),
        ("v3plus", {"width": 1 / 16, "backbone": "resnet18", "output_stride": 8}, DeepLabV3Plus),
    ],
)
def test_every_version_through_one_door(version, options, kind):
    model = deeplab(version, num_classes=4, **options).eval()
    assert type(model) is kind
    cells = 64 // model.grid.stride
    assert model(torch.zeros(1, 3, 64, 64)).shape == (1, 4, cells, cells)


@pytest.mark.parametrize(
    ("version", "options", "words"),
    [
        ("v4", {}, "v1, v2, v3, v3plus"),
        ("v1", {"cascade": 5}, r"v1 has no option cascade \(cascade belongs to v3\); it has .*kernel_size"),
        ("v2", {"output_stride": 16}, "DeepLab v2 has output stride 8"),
        ("v3", {"depth": 50}, "v3 has no option depth; it has num_classes, backbone"),
    ],
)
def test_the_door_names_what_exists(version, options, words):
    with pytest.raises(ValueError, match=words):
        deeplab(version, **options)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_network_remembers_its_arguments(version):
    with torch.device("meta"):
        options = {"v1": {"width": 0.125}, "v2": {"rates": "S", "multi_scale": True}}.get(
            version, {"output_stride": 8}
        )
        one = deeplab(version, 5, weights=None, **options)
        other = deeplab(**one.arguments)
    assert one.arguments == other.arguments and "weights" not in one.arguments and str(one) == str(other)
    assert one.arguments.items() >= {"version": version, "num_classes": 5, **options}.items()
