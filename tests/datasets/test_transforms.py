"""Pictures and labels changed together."""

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader
from torchvision import tv_tensors

from deeplab_lessons.classroom.built_in import Embedded
from deeplab_lessons.datasets import transforms


def striped():
    """A pair whose label is its picture's grey, with neighbouring labels 3, 100 and 251, and void."""
    labels = np.array([3, 100, 251, 255], np.uint8)[(np.arange(40)[:, None] // 10 + np.arange(60) // 12) % 4]
    image = torch.from_numpy(np.repeat(labels[None], 3, axis=0))
    return tv_tensors.Image(image), tv_tensors.Mask(torch.from_numpy(labels))


@pytest.mark.parametrize("seed", range(12))
def test_labels_are_never_interpolated_and_stay_on_their_pixels(seed):
    torch.manual_seed(seed)
    image, mask = transforms.train(48)(*striped())
    assert image.shape == (3, 48, 48) and mask.shape == (48, 48) and mask.dtype == torch.int64
    assert set(mask.unique().tolist()) <= {3, 100, 251, 255}
    grey = transforms.denormalise(image)[..., 0].astype(int)
    inside = mask.numpy() != 255
    assert np.median(np.abs(grey - mask.numpy())[inside]) < 20, "picture and labels moved differently"


def test_pictures_are_interpolated():
    image, mask = transforms.RandomScale((1.4, 1.4))(*striped())
    assert image.shape[1:] == mask.shape == (56, 84)
    assert len(image.unique()) > 10 and len(mask.unique()) == 4


@pytest.mark.parametrize("factor", [0.63, 0.8, 1.3, 1.47])
def test_labels_are_not_shifted_against_their_picture(factor):
    shifts = []
    for edge in range(20, 40):
        labels = torch.zeros(97, 97, dtype=torch.uint8)
        labels[edge : edge + 31, edge + 5 : edge + 23] = 200
        pair = tv_tensors.Image(labels.repeat(3, 1, 1)), tv_tensors.Mask(labels)
        image, mask = transforms.RandomScale((factor, factor))(*pair)
        places = torch.arange(len(mask))
        centres = [(x.float().sum(0) * places).sum() / x.sum() for x in (image[0], mask)]
        shifts.append(float(centres[0] - centres[1]))
    assert abs(np.mean(shifts)) < 0.15, "in pixels; torch's older nearest neighbour gives 0.5"


def test_scales_are_drawn_evenly_between_the_limits():
    torch.manual_seed(0)
    scale, pair = transforms.RandomScale((0.5, 1.5)), striped()
    drawn = np.array([scale(*pair)[1].shape[1] / 60 for _ in range(300)])
    assert 0.5 <= drawn.min() < 0.55 and 1.45 < drawn.max() <= 1.5 and abs(drawn.mean() - 1) < 0.06


@pytest.mark.parametrize("seed", range(5))
def test_what_a_crop_lacks_is_mean_colour_and_void(seed):
    torch.manual_seed(seed)
    pair = (
        tv_tensors.Image(torch.full((3, 40, 60), 200).byte()),
        tv_tensors.Mask(torch.full((40, 60), 7).byte()),
    )
    image, mask = transforms.train(80, scale=None)(*pair)
    assert (mask == 7).sum() == 40 * 60, "nothing is lost"
    assert (mask[mask != 7] == 255).all() and image[:, mask == 255].abs().max() < 0.01
    assert (transforms.denormalise(image)[mask == 7] == 200).all()


def test_half_of_the_samples_are_mirrored():
    pair = (
        tv_tensors.Image(torch.arange(8.0).repeat(3, 8, 1).byte()),
        tv_tensors.Mask(torch.arange(8).repeat(8, 1)),
    )
    torch.manual_seed(0)
    change = transforms.train(8, scale=None)
    firsts = [int(change(*pair)[1][0, 0]) for _ in range(200)]
    assert set(firsts) == {0, 7} and 70 < firsts.count(7) < 130
    assert {int(transforms.train(8, None, flip=0)(*pair)[1][0, 0]) for _ in range(20)} == {0}


def test_evaluation_changes_nothing_but_the_numbers():
    pair = striped()
    (image, mask), (again, _) = transforms.evaluate()(*pair), transforms.evaluate()(*pair)
    assert torch.equal(image, again) and torch.equal(mask, pair[1].long())
    expected = (pair[0] / 255 - torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)) / torch.tensor(
        [0.229, 0.224, 0.225]
    ).view(3, 1, 1)
    assert torch.allclose(image, expected, atol=1e-6)


class Seeded(torch.utils.data.Dataset):
    """Seeds torch before each sample, as the training loop does."""

    def __init__(self, data):
        self.data = data

    def __len__(self):
        return len(self.data)

    def __getitem__(self, index):
        torch.manual_seed(index)
        return self.data[index]


def test_a_sample_depends_on_torchs_seed_alone_and_not_on_the_workers():
    data = Embedded("train", 6, size=32, transforms=transforms.train(24))
    np.random.seed(5)
    alone = list(DataLoader(Seeded(data), batch_size=2))
    np.random.seed(6)
    shared = list(DataLoader(Seeded(data), batch_size=2, num_workers=2))
    for (images, masks), (others, labels) in zip(alone, shared, strict=True):
        assert torch.equal(images, others) and torch.equal(masks, labels)
    torch.manual_seed(3), data[0]
    torch.manual_seed(3)
    assert torch.equal(data[3][0], alone[1][0][1]), "what came before does not matter"


@pytest.mark.parametrize("scale", [(0, 1), (1.5, 0.5), (-1, 1)])
def test_impossible_scales_are_refused(scale):
    with pytest.raises(ValueError, match="0 < smallest <= largest"):
        transforms.train(32, scale)
