"""The whole package on a device that refuses the CPU's tensors: what would stop on a GPU stops here."""

import copy

import numpy as np
import pytest
import torch
from networks import picture, small_vgg
from pretend_device import ELSEWHERE, Elsewhere, pretend_device
from small_training import bright_squares, run, same_weights, tiny

from deeplab_lessons import crf, grid, inference, metrics, models, training
from deeplab_lessons.backbones import dilation, initialise, surgery
from deeplab_lessons.backbones.encoders import low_level_features
from deeplab_lessons.classroom import atrous, readable_lattice, tiny_crf
from deeplab_lessons.classroom.gradient_fields import effective_field, empirical_field
from deeplab_lessons.crf import filters
from deeplab_lessons.datasets import transforms
from deeplab_lessons.models.with_crf import CRFNetwork
from deeplab_lessons.receptive_field import trace
from deeplab_lessons.training.losses import LOSSES

NETWORKS = {
    "v1": {"width": 1 / 16},
    "v1, multi-scale": {"width": 1 / 16, "multi_scale": True},
    "v1, mobile": {"width": 1 / 4, "backbone": "mobilenet_v2"},
    "v2": {"width": 1 / 16, "backbone": "vgg16"},
    "v2, residual": {"width": 1 / 16, "backbone": "resnet50"},
    "v3": {"width": 1 / 16, "backbone": "resnet18"},
    "v3plus": {"width": 1 / 16, "backbone": "resnet18"},
    "v3plus, xception": {"width": 1 / 16, "backbone": "xception"},
}
SIDE, CLASSES = 65, 3
SETTING = crf.Parameters(w1=2, sigma_alpha=6, sigma_beta=20, w2=1, sigma_gamma=1, iterations=2)


@pytest.fixture(autouse=True)
def device():
    with pretend_device():
        yield


def network(name):
    torch.manual_seed(0)
    return models.deeplab(name.partition(",")[0], CLASSES, **NETWORKS[name])


def images(count=2, side=SIDE):
    return torch.cat([picture(side, seed=number, dtype=torch.float32) for number in range(count)])


def agree(found, expected, **tolerance):
    assert found.device == ELSEWHERE
    assert torch.allclose(found.cpu(), expected, **{"atol": 1e-5} | tolerance)


# ---------------------------------------------------------------- that it can fail


@pytest.mark.parametrize(
    "planted",
    [
        lambda x: x + torch.arange(3),
        lambda x: torch.arange(3.0) * x,
        lambda x: torch.cat([x, torch.zeros(1)]),
        lambda x: torch.stack([x, torch.zeros(3)]),
        lambda x: x.numpy(),
        lambda x: x.detach().requires_grad_().numpy(force=True),
        lambda x: np.asarray(x),
        lambda x: np.sqrt(x),
        lambda x: np.stack([x, x]),
        lambda x: torch.from_numpy(x),
        lambda x: torch.rand(3, device=x.device, generator=torch.Generator()),
        lambda x: torch.zeros_like(x).normal_(generator=torch.Generator()),
        lambda x: torch.ones(3)[x > 0],
        lambda x: torch.ones(3).add_(x),
        lambda x: torch.zeros(()).add_(x[0]),
        lambda x: x.index_add(0, torch.tensor([0]), x[:1]),
        lambda x: x.gather(0, torch.tensor([0])),
        lambda x: x[None] @ torch.ones(3, 1),
        lambda x: torch.nn.functional.linear(x, torch.ones(2, 3)),
        lambda x: torch.nn.Conv1d(1, 1, 1)(x[None, None]),
        lambda x: x.where(torch.ones(3, dtype=torch.bool), 0),
        lambda x: x.put_(torch.tensor([1]), torch.ones(1)),
        lambda x: x.index_put((torch.tensor([1]),), torch.ones(1)),
        lambda x: torch.equal(x, torch.ones(3)),
        lambda x: torch.searchsorted(x, torch.ones(1)),
    ],
)
def test_a_fault_is_caught(planted):
    with pytest.raises((RuntimeError, TypeError)):
        planted(torch.tensor([0.5, 1.5, 2.5], device=ELSEWHERE))


class FromTheCPU(torch.nn.Module):
    """A network with a fault that no CPU shows: a constant that does not move with it."""

    grid = grid.Grid(8, None)

    def __init__(self):
        super().__init__()
        self.inside, self.shift = tiny(), torch.ones(2, 1, 1)

    def forward(self, x):
        return self.inside(x) + self.shift


@pytest.mark.slow
def test_a_network_with_a_fault_is_caught_in_training_and_in_use():
    assert run(FromTheCPU(), iterations=1).finished
    with pytest.raises(RuntimeError, match="expected all tensors to be on the same device"):
        run(FromTheCPU(), iterations=1, device=ELSEWHERE)
    with pytest.raises(RuntimeError, match="expected all tensors to be on the same device"):
        inference.predict(FromTheCPU().to(ELSEWHERE), bright_squares(1)[0][0])


# ---------------------------------------------------------------- what CUDA allows


def test_what_cuda_allows_is_allowed():
    x = torch.tensor([0.5, 1.5, 2.5], device=ELSEWHERE)
    assert (x + torch.tensor(1.0)).tolist() == [1.5, 2.5, 3.5] and x.sum().item() == 4.5
    assert x[torch.tensor([2, 0])].tolist() == [2.5, 0.5] and x[
        torch.tensor([True, False, False])
    ].tolist() == [0.5]
    x[torch.tensor([0])] = torch.tensor(7.0)
    x[1:] = torch.tensor([8.0, 9.0])
    assert x.tolist() == [7, 8, 9] and x.cpu().numpy().tolist() == [7, 8, 9]
    assert torch.tensor(2.0).mul(x).device == x.to("cpu").to(ELSEWHERE).device == ELSEWHERE
    y = x.clone().requires_grad_()
    (y * y).sum().backward()
    assert isinstance(y.grad, Elsewhere) and y.grad.tolist() == [14, 16, 18]


# ---------------------------------------------------------------- the package


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_networks_forward_and_backward(name):
    here, there = network(name), network(name).to(ELSEWHERE)
    for mode in (False, True):
        for net in (here.train(mode), there.train(mode)):
            for part in net.modules():
                if isinstance(part, torch.nn.Dropout | torch.nn.Dropout2d):
                    part.p = 0.0
        expected, found = here(images()), there(images().to(ELSEWHERE))
        agree(found, expected, rtol=1e-3, atol=1e-4)
    found.square().mean().backward()
    expected.square().mean().backward()
    for ours, theirs in zip(there.parameters(), here.parameters(), strict=True):
        agree(ours.grad, theirs.grad, rtol=1e-2, atol=1e-4)


@pytest.mark.slow
def test_a_network_at_many_sizes_and_what_reads_its_early_maps():
    net = models.MultiScale(network("v2")).to(ELSEWHERE)
    for loss in LOSSES.values():
        labels = torch.randint(CLASSES, (2, SIDE, SIDE)).to(ELSEWHERE)
        sum(loss(logits, labels, where) for logits, where in net.train()(images().to(ELSEWHERE))).backward()
    assert net.eval()(images().to(ELSEWHERE)).device == ELSEWHERE
    backbone = network("v3plus").to(ELSEWHERE).eval().backbone
    assert {each.device for each in low_level_features(backbone, images().to(ELSEWHERE))} == {ELSEWHERE}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("where", [grid.Grid(8, None), grid.Grid(8, 0.0)])
def test_losses_and_their_gradients(loss, where):
    torch.manual_seed(0)
    logits, labels = torch.randn(2, CLASSES, 9, 9), torch.randint(CLASSES, (2, SIDE, SIDE))
    labels[:, :9, :9] = 255
    here, there = logits.clone().requires_grad_(), logits.to(ELSEWHERE).requires_grad_()
    expected, found = LOSSES[loss](here, labels, where), LOSSES[loss](there, labels.to(ELSEWHERE), where)
    agree(found, expected)
    expected.backward()
    found.backward()
    agree(there.grad, here.grad)


@pytest.mark.slow
@pytest.mark.parametrize(
    "options", [{}, {"loss": "area"}, {"loss": "upsampled", "clip": 1.0, "schedule": "step"}]
)
def test_a_training_with_validation_checkpoint_and_resuming(tmp_path, options):
    data, path = bright_squares(), tmp_path / "training.pt"
    nets = [tiny().to(place) for place in ("cpu", ELSEWHERE)]
    watched = []
    histories = [
        run(
            net, data, validation=data[:2], device=net.fc8.weight.device, checkpoint=f"{path}-{place}", iterations=4,
            save_every=2, validate_every=2, watch=lambda done, model: watched.append(done), **options,
        )
        for place, net in enumerate(nets)
    ]  # fmt: skip
    assert histories[1].loss == pytest.approx(histories[0].loss, rel=1e-4) and watched == [2, 4, 2, 4]
    assert histories[1].mean_iou == pytest.approx(histories[0].mean_iou, abs=0.02)
    again = tiny()
    run(again, data, validation=data[:2], device="cpu", checkpoint=f"{path}-1", iterations=4, **options)
    assert same_weights(again, copy.deepcopy(nets[1]).to("cpu"))
    resumed = tiny().to(ELSEWHERE)
    run(resumed, data, device=ELSEWHERE, checkpoint=f"{path}-1", iterations=4, **options)
    assert same_weights(resumed.to("cpu"), again)
    broken_off = tmp_path / "stopped.pt"
    run(
        tiny(),
        data,
        device=ELSEWHERE,
        checkpoint=broken_off,
        iterations=4,
        watch=stop_at(2),
        validate_every=2,
        **options,
    )
    finished = tiny()
    run(finished, data, device=ELSEWHERE, checkpoint=broken_off, iterations=4, **options)
    assert same_weights(finished.to("cpu"), again)


def stop_at(iteration):
    import signal

    return lambda done, model: signal.raise_signal(signal.SIGINT) if done == iteration else None


@pytest.mark.slow
def test_a_checkpoint_of_a_deeplab_is_read_and_used_elsewhere(tmp_path):
    about = {"model": {"version": "v1", "num_classes": 2, "width": 1 / 16, "batch_norm": True}}
    net = models.deeplab(**about["model"]).to(ELSEWHERE)
    kept = {"checkpoint": tmp_path / "net.pt", "about": about, "freeze_batch_norm": True}
    run(net, bright_squares(size=48), device=ELSEWHERE, iterations=2, **kept)
    loaded, _ = training.load_model(tmp_path / "net.pt")
    image = bright_squares(1, 48)[0][0]
    agree(
        inference.scores(loaded.to(ELSEWHERE), image), inference.scores(copy.deepcopy(net).to("cpu"), image)
    )


@pytest.mark.slow
def test_evaluating_predicting_and_many_views():
    data, net = bright_squares(3), tiny().eval()
    there = copy.deepcopy(net).to(ELSEWHERE)
    for wrap in (lambda net: net, lambda net: inference.ManyViews(net, (0.75, 1.0), flip=True)):
        expected = inference.evaluate(wrap(net), data, trimap=(1, 3))
        found = inference.evaluate(wrap(there), data, trimap=(1, 3))
        assert torch.equal(found.confusion, expected.confusion) and repr(found) == repr(expected)
        assert (inference.predict(wrap(there), data[0][0]) == inference.predict(wrap(net), data[0][0])).all()
    elsewhere = [(image.to(ELSEWHERE), mask) for image, mask in data]
    assert torch.equal(
        inference.evaluate(there, elsewhere).confusion, inference.evaluate(net, data).confusion
    )


def test_counting_what_is_right():
    torch.manual_seed(0)
    drawn, true = torch.randint(CLASSES, (2, 20, 20)), torch.randint(CLASSES, (2, 20, 20))
    expected = metrics.confusion_matrix(drawn, true, CLASSES)
    found = metrics.confusion_matrix(drawn.to(ELSEWHERE), true.to(ELSEWHERE), CLASSES)
    assert torch.equal(found.cpu(), expected)
    confusion = expected.to(ELSEWHERE)
    assert metrics.mean_iou(confusion) == pytest.approx(metrics.mean_iou(expected))
    assert metrics.pixel_accuracy(confusion) == pytest.approx(metrics.pixel_accuracy(expected))
    agree(metrics.iou_per_class(confusion), metrics.iou_per_class(expected))


@pytest.mark.slow
@pytest.mark.parametrize("kind", [crf.DenseCRF, tiny_crf.ExactCRF])
@pytest.mark.parametrize("normalisation", filters.NORMALISATIONS)
def test_the_crf_and_its_gradients(kind, normalisation):
    torch.manual_seed(0)
    scores, image = torch.randn(CLASSES, 12, 14), torch.randint(256, (3, 12, 14), dtype=torch.uint8)
    results = {}
    for place in (torch.device("cpu"), ELSEWHERE):
        layer = kind(SETTING, CLASSES, normalisation, ("weights", "compatibility")).to(place)
        logits = scores.clone().to(place).requires_grad_()
        grey = image.float().to(place).requires_grad_()
        marginals = layer(logits, grey)
        marginals[0].log().sum().backward()
        with torch.no_grad():
            quick = layer(scores.to(place)[None], image.to(place)[None])
        given = [logits.grad, grey.grad, *(parameter.grad for parameter in layer.parameters())]
        results[place.type] = [marginals.detach(), quick, *given]
    for found, expected in zip(results[ELSEWHERE.type], results["cpu"], strict=True):
        agree(found, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_refining_with_presets_and_probabilities():
    torch.manual_seed(0)
    scores, image = torch.randn(CLASSES, 20, 24), torch.randint(256, (3, 20, 24), dtype=torch.uint8)
    for name in crf.PRESETS:
        for kind, given in (("logits", scores), ("probabilities", scores.softmax(0))):
            found = crf.refine(given.to(ELSEWHERE), image.to(ELSEWHERE), name, kind)
            agree(found, crf.refine(given, image, name, kind), atol=1e-4)


def test_the_lattice():
    torch.manual_seed(0)
    features = 3 * torch.rand(2, 50)
    lattices = [readable_lattice.Lattice(features.to(place)) for place in ("cpu", ELSEWHERE)]
    values = torch.rand(4, 50)
    agree(lattices[1].positions, lattices[0].positions)
    agree(lattices[1].filter(values.to(ELSEWHERE)), lattices[0].filter(values))


@pytest.mark.slow
@pytest.mark.parametrize("frozen", [False, True])
def test_a_network_with_a_crf_in_training_and_in_use(frozen):
    data = bright_squares(2, 16)
    nets = [
        CRFNetwork(tiny(), crf.DenseCRF(SETTING, 2, trainable=("weights", "compatibility")), frozen)
        for _ in "ab"
    ]
    losses = [
        run(net, data, iterations=1, batch_size=2, loss="upsampled", device=place).loss
        for net, place in zip(nets, ("cpu", ELSEWHERE), strict=True)
    ]
    assert losses[1] == pytest.approx(losses[0], rel=1e-3)
    assert (
        inference.evaluate(nets[1].eval(), data).confusion.sum()
        == inference.evaluate(nets[0].eval(), data).confusion.sum()
    )


@pytest.mark.slow
def test_fields_of_a_network_that_lives_elsewhere():
    here, there = network("v3").eval(), network("v3").to(ELSEWHERE).eval()
    before = {name: value.clone() for name, value in there.state_dict().items()}
    assert repr(trace(there, SIDE)) == repr(trace(here, SIDE))
    assert (empirical_field(there, SIDE) == empirical_field(here, SIDE)).all()
    fields = [effective_field(net, SIDE, samples=1).heat for net in (there, here)]
    assert np.allclose(*fields, atol=1e-6)
    assert all(
        isinstance(value, Elsewhere) and torch.equal(value, before[name])
        for name, value in there.state_dict().items()
    )


def test_layers_grid_and_dilation():
    torch.manual_seed(0)
    x, weight = torch.randn(1, 2, 12, 12), torch.randn(3, 2, 3, 3)
    agree(atrous.dilate_kernel(weight.to(ELSEWHERE), 2), atrous.dilate_kernel(weight, 2))
    agree(
        atrous.convolve_by_phases(x.to(ELSEWHERE), weight.to(ELSEWHERE), dilation=2),
        atrous.convolve_by_phases(x, weight, dilation=2),
    )
    for where in (grid.Grid(4, None), grid.Grid(4, 0.0)):
        size = (45, 45) if where.start == 0 else (48, 48)
        for by_torch in {False, where.start == 0}:
            agree(
                grid.upsample(x.to(ELSEWHERE), size, where, by_torch), grid.upsample(x, size, where, by_torch)
            )
    conv = torch.nn.Conv2d(2, 2, 3, padding=1).to(ELSEWHERE)
    dilation.set_dilation(conv, 2)
    assert conv(x.to(ELSEWHERE)).shape == x.shape
    assert (
        transforms.denormalise(x[0, :1].expand(3, -1, -1).to(ELSEWHERE))
        == transforms.denormalise(x[0, :1].expand(3, -1, -1))
    ).all()


@pytest.mark.slow
def test_a_vgg_is_cut_into_deeplab_where_it_is():
    def cut(vgg):
        net = surgery.dilate(surgery.keep_resolution(surgery.fully_convolutional(vgg, "same")))
        return surgery.new_classifier(surgery.large_fov(net, kernel_size=3, channels=32), CLASSES).eval()

    here, there = small_vgg(dtype=torch.float32), small_vgg(dtype=torch.float32).to(ELSEWHERE)
    torch.manual_seed(0)
    expected = cut(here)
    torch.manual_seed(0)
    found = cut(there)
    assert {parameter.device for parameter in found.parameters()} == {ELSEWHERE}
    agree(found(images().to(ELSEWHERE)), expected(images()), rtol=1e-3, atol=1e-4)
    for initialised in (initialise.init_kaiming, lambda net: initialise.init_classifier(net[-1])):
        initialised(found)
