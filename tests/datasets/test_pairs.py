"""What is the same for every data set: pairs, and what is kept of them."""

import numpy as np
import pytest
import torch
from label_files import save_labels, save_picture
from torchvision import tv_tensors

from deeplab_lessons.datasets import Embedded, Folder, scenes, transforms


def test_one_pair_is_what_a_network_takes():
    data = Embedded("train", 3, size=64)
    image, mask = data[2]
    assert image.dtype == torch.float32 and image.shape == (3, 64, 64) and image.min() < 0 < image.max()
    assert isinstance(mask, tv_tensors.Mask) and mask.dtype == torch.int64 and mask.shape == (64, 64)
    picture, labels = data.pair(2)
    assert np.array_equal(labels, mask.numpy()) and np.abs(transforms.denormalise(image) - picture).max() == 0
    assert len(data) == 3 and len(data.classes) == 6
    assert torch.equal(transforms.normalise(picture), image)


def test_pairs_are_counted_as_lists_count_them():
    data = Embedded("val", 3, size=32)
    assert np.array_equal(data.pair(-1)[1], data.pair(2)[1])
    assert len(list(data)) == 3
    with pytest.raises(IndexError, match="there is no pair 3: this set has 3"):
        data[3]


def test_a_kept_scene_is_made_once(monkeypatch):
    made = []
    real = scenes.scene
    monkeypatch.setattr(scenes, "scene", lambda *key: made.append(key) or real(*key))
    data = Embedded("train", 2, size=32)
    data[0], data[1], data[0], data[-1]
    assert len(made) == 2


def test_a_transform_that_writes_does_not_spoil_what_is_kept():
    data = Embedded("train", 1, size=32, transforms=lambda image, mask: (image.zero_(), mask.zero_()))
    before = data.pair(0)[0].copy()
    data[0]
    assert np.array_equal(data.pair(0)[0], before) and before.any()


def test_larger_pictures_are_reduced_with_their_labels_and_read_once(tmp_path):
    columns = np.arange(80) // 20  # four stripes
    labels = np.repeat(columns[None].astype(np.uint8), 40, 0)
    save_picture(tmp_path / "images" / "one.png", np.repeat(60 * labels[..., None], 3, 2))
    save_labels(tmp_path / "labels" / "one.png", labels)
    dataset = Folder(tmp_path / "images", tmp_path / "labels", list("abcd"), longest_side=20)
    picture, small = dataset.pair(0)
    assert picture.shape == (10, 20, 3) and (small == np.arange(20) // 5).all()
    assert (picture == 60 * small[..., None]).all(), "pixels of one stripe are averaged with their like"
    assert dataset.labels(0).shape == (40, 80), "as they are in the file"
    (tmp_path / "images" / "one.png").unlink()
    assert dataset[0][0].shape == (3, 10, 20), "read once"
