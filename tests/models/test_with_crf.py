"""A network with a CRF behind it: shapes, modes, what learns and what does not, and the training loop's view."""

import pytest
import torch
from torch import nn

from deeplab_lessons import crf, inference, training
from deeplab_lessons.datasets import transforms
from deeplab_lessons.grid import PIXELS, Grid
from deeplab_lessons.models.with_crf import CRFNetwork, pictures_of

SETTING = crf.Parameters(w1=2, sigma_alpha=6, sigma_beta=20, w2=1, sigma_gamma=1)


class Tiny(nn.Module):
    """Three classes at output stride 8, with batch norm."""

    grid = Grid(8, None)

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(nn.Conv2d(3, 4, 8, 8), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 3, 1))

    def forward(self, images):
        return self.layers(images)


def layer():
    return crf.DenseCRF(SETTING, 3, trainable=("weights", "compatibility"))


def samples(count=6):
    numbers = torch.Generator().manual_seed(1)
    pictures = torch.randint(0, 256, (count, 16, 24, 3), generator=numbers, dtype=torch.uint8).numpy()
    return [
        (transforms.normalise(picture), torch.tensor(picture[..., 0] // 86).long()) for picture in pictures
    ]


def test_pictures_come_back_as_they_were():
    image, _ = samples(1)[0]
    picture = pictures_of(image[None])
    assert picture.dtype == torch.uint8 and picture.shape == (1, 3, 16, 24)
    assert torch.allclose(transforms.normalise(picture[0].permute(1, 2, 0).numpy()), image)


def test_it_is_the_network_then_the_crf():
    network, image = Tiny().eval(), samples(1)[0][0]
    model = CRFNetwork(network, crf.DenseCRF(SETTING)).eval()
    with torch.no_grad():
        expected = crf.refine(inference.scores(network, image).clone(), pictures_of(image[None])[0], SETTING)
        found = model(image[None])
    assert found.shape == (1, 3, 16, 24)
    assert torch.allclose(found.softmax(1)[0], expected, atol=1e-5)


def test_updates_differ_between_training_and_use():
    model = CRFNetwork(Tiny(), layer(), iterations=(2, 7))
    assert model.crf.setting.iterations == 2
    assert model.eval().crf.setting.iterations == 7
    assert model.train().crf.setting.iterations == 2


@pytest.mark.parametrize("frozen", [True, False])
def test_what_learns(frozen):
    model = CRFNetwork(Tiny(), layer(), frozen=frozen, rate=3)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    training.train(
        model, samples(), loss="upsampled", iterations=3, batch_size=2, lr=0.1, progress=False, device="cpu"
    )
    moved = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert {"crf.log_weights", "crf.compatibility"} <= moved
    assert any(name.startswith("network") for name in moved) != frozen


def test_groups_give_the_crf_a_rate_of_its_own():
    groups = CRFNetwork(Tiny(), layer(), rate=3).parameter_groups(0.1)
    assert groups[-1]["lr"] == pytest.approx(0.3) and groups[-1]["weight_decay"] == 0
    assert len(CRFNetwork(Tiny(), layer(), frozen=True).parameter_groups(0.1)) == 1


def test_a_class_that_the_crf_rules_out_has_a_finite_loss():
    model = CRFNetwork(Tiny(), crf.DenseCRF(crf.Parameters(5000, 6, 20, 1, 1), 3, trainable="weights"))
    image, labels = samples(1)[0]
    loss = training.upsampled_loss(model(image[None]), labels[None], PIXELS)
    loss.backward()
    assert loss.isfinite() and model.crf.log_weights.grad.isfinite().all()
