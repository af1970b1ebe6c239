"""The finished network of the lessons: how it fills small images up, and that it sees what is there."""

import pytest
import torch
import torchvision

from deeplab_lessons import datasets, inference, runtime
from deeplab_lessons.classroom.mobile_deeplab import mobile_deeplab_v3


@pytest.mark.slow
def test_the_mobile_deeplab_v3_fills_small_pictures_up_to_its_own_square():
    model = mobile_deeplab_v3()
    with torch.inference_mode():
        small, large = model(torch.zeros(1, 3, 300, 417)), model(torch.zeros(1, 3, 33, 600))
    assert small.shape == (1, 21, 20, 27) and large.shape == (1, 21, 3, 39)
    filled = torch.zeros(1, 3, 513, 513)
    filled[..., :60, :70] = 1
    with torch.inference_mode():
        assert model(filled).shape == (1, 21, 33, 33)
        assert torch.equal(model(torch.ones(1, 3, 60, 70)), model(filled)[..., :5, :6])


def test_the_mobile_deeplab_v3_takes_no_other_weights():
    with pytest.raises(ValueError, match="unexpected"):
        mobile_deeplab_v3(torchvision.models.mobilenet_v2().state_dict())


@pytest.mark.slow
def test_the_mobile_deeplab_v3_segments_real_pictures():
    weights = runtime.data_dir() / "weights" / "deeplabv3_mobilenet_v2_tf-voc-fp16.pt"
    if not weights.is_file():
        pytest.skip(f"no {weights.name} under {runtime.data_dir()}")
    dataset = datasets.VOC(split="val")
    few = torch.utils.data.Subset(dataset, range(12))
    scores = inference.evaluate(mobile_deeplab_v3(weights), few)
    assert scores.pixel_accuracy > 0.88
