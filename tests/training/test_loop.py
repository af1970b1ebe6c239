"""The loop: what it learns, and that nothing else than the seed and the settings changes it."""

import textwrap

import numpy as np
import pytest
import torch
from small_training import GRID, bright_squares, run, same_weights, tiny
from torch import nn

from deeplab_lessons import models, training


def test_compiled_the_model_learns_the_same(monkeypatch):
    """The step goes through what torch.compile gives back; what is kept is the model itself."""
    asked = []

    def stand_in(called):
        asked.append(called)
        return lambda images: called(images)

    monkeypatch.setattr(torch, "compile", stand_in)
    plain, compiled = tiny(), tiny()
    losses = run(plain).loss, run(compiled, compiled=True).loss
    assert asked == [compiled] and losses[0] == losses[1]
    assert same_weights(plain, compiled)


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["subsample", "area", "upsampled"])
def test_it_learns(loss):
    data, model = bright_squares(), tiny()
    before = training.evaluate(model, data).mean_iou
    history = run(model, data, validation=data, iterations=60, lr=0.02, loss=loss, validate_every=20)
    assert list(history.mean_iou) == [20, 40, 60]
    assert (
        history.mean_iou[60] > max(0.7, before)
        and history.mean_iou[60] == training.evaluate(model, data).mean_iou
    )
    assert np.mean(history.loss[-10:]) < 0.5 * np.mean(history.loss[:5])


def test_rates_follow_the_schedule_and_the_groups():
    for schedule, share in (("poly", training.poly), ("step", training.step)):
        history = run(tiny(), iterations=9, schedule=schedule)
        assert history.lr == pytest.approx([0.01 * share(i, 9) for i in range(9)])
    optimiser = training.optimiser_for(tiny(), 0.01)
    assert [group["lr"] for group in optimiser.param_groups] == [0.01, 0.1]
    assert {group["momentum"] for group in optimiser.param_groups} == {0.9}
    assert {group["weight_decay"] for group in optimiser.param_groups} == {5e-4}


def told(optimiser):
    """Learning rate and weight decay of each parameter, by its id."""
    return {id(p): (g["lr"], g["weight_decay"]) for g in optimiser.param_groups for p in g["params"]}


def test_groups_of_the_caffe_releases():
    """Every bias at twice the rate of its weights, and without decay; v2 on VGG16 states its classifiers' itself."""
    for model in (
        models.deeplab_v1(21, width=0.0625, multi_scale=True),
        models.deeplab_v2(21, "vgg16", "S", width=0.0625),
    ):
        found = told(training.optimiser_for(model, 0.01, released_groups=True))
        new = model.head.classifiers if isinstance(model, models.DeepLabV2) else [model.head.fc8, model.side]
        fast = {id(p) for part in new for p in part.parameters()}
        assert len(found) == len(list(model.parameters()))
        for name, p in model.named_parameters():
            rate = 0.1 if id(p) in fast else 0.01
            wanted = (2 * rate, 0.0) if name.endswith("bias") else (rate, 5e-4)
            assert found[id(p)] == pytest.approx(wanted), name


def test_groups_of_the_tensorflow_release():
    """4e-5 for kernels; none for batch norm, depthwise kernels and the classifier's bias, which alone is faster."""
    model = models.deeplab_v3plus(21, "xception", width=0.0625, middle_blocks=1)
    optimiser = training.optimiser_for(model, 0.007, 4e-5, released_groups=True)
    found = told(optimiser)
    assert optimiser.param_groups[0]["lr"] == 0.007 and len(found) == len(list(model.parameters()))
    for name, p in model.named_parameters():
        spared = p.ndim == 1 or name.endswith("depthwise.weight")
        rate = 0.014 if name == "decoder.classifier.bias" else 0.007
        assert found[id(p)] == pytest.approx((rate, 0.0 if spared else 4e-5)), name
    assert len([name for name, _ in model.named_parameters() if name.endswith("depthwise.weight")]) > 10


def test_a_network_without_groups_of_its_own_is_divided_too():
    """And a convolution in groups that is not depthwise decays."""
    net = nn.Sequential(nn.Conv2d(4, 8, 3, groups=2), nn.BatchNorm2d(8), nn.Flatten(), nn.Linear(8, 2))
    found = told(training.optimiser_for(net, 0.1, 0.5, released_groups=True))
    assert [found[id(p)] for p in net.parameters()] == [
        (0.1, 0.5), (0.2, 0.0), (0.1, 0.0), (0.1, 0.0), (0.1, 0.5), (0.2, 0.0),
    ]  # fmt: skip


def test_what_decays_is_part_of_a_training(tmp_path):
    """It changes the weights, and a training continues with its own only; one of before had 5e-4 for everything."""
    plain, same, decayed, spared = (tiny() for _ in range(4))
    run(plain, iterations=3, checkpoint=tmp_path / "plain.pt")
    run(same, iterations=3, weight_decay=5e-4)
    run(decayed, iterations=3, weight_decay=0.5)
    run(spared, iterations=3, weight_decay=0.5, released_groups=True)
    assert (
        same_weights(plain, same) and not same_weights(plain, decayed) and not same_weights(decayed, spared)
    )
    content = training.load_checkpoint(tmp_path / "plain.pt")
    for name in ("weight_decay", "released_groups"):
        del content["settings"][name]
    training.save_checkpoint(content, tmp_path / "before.pt")
    assert run(tiny(), iterations=3, checkpoint=tmp_path / "before.pt").finished
    with pytest.raises(training.CheckpointError, match="weight_decay"):
        run(tiny(), iterations=3, checkpoint=tmp_path / "before.pt", weight_decay=1e-4)
    with pytest.raises(training.CheckpointError, match="released_groups"):
        run(tiny(), iterations=3, checkpoint=tmp_path / "before.pt", released_groups=True)


def test_one_iteration_is_one_step_of_plain_torch():
    """The loop against seven lines that everybody knows."""
    data, model, plain = bright_squares(4), tiny(), tiny()
    for layer in (model.body[3], plain.body[3]):
        layer.p = 0.0
    run(model, data, iterations=1)
    images, labels = (torch.stack(part) for part in zip(*data, strict=True))
    sgd = torch.optim.SGD(plain.parameter_groups(0.01), momentum=0.9, weight_decay=5e-4)
    training.subsample_loss(plain(images), labels, GRID).backward()
    sgd.step()
    for one, other in zip(model.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(one, other)


def test_clipping_shortens_the_step():
    def distance(**options):
        before, after = tiny(), tiny()
        run(after, iterations=1, **options)
        return sum((a - b).norm() for a, b in zip(after.parameters(), before.parameters(), strict=True))

    assert distance(clip=1e-3) < 0.2 * distance()


def test_the_same_seed_gives_the_same_run_and_another_seed_another():
    one, two, other = tiny(), tiny(), tiny()
    assert run(one) == run(two) and same_weights(one, two)
    assert run(other, seed=4).loss != run(tiny(), seed=3).loss


def test_the_callers_random_numbers_are_left_alone():
    torch.manual_seed(5), np.random.seed(5)
    expected = torch.rand(2), np.random.rand(2)
    torch.manual_seed(5), np.random.seed(5)
    model = nn.Conv2d(3, 2, 8, 8)
    torch.manual_seed(5), np.random.seed(5)
    run(model, iterations=2, grid=GRID)
    assert torch.equal(torch.rand(2), expected[0]) and (np.random.rand(2) == expected[1]).all()


@pytest.mark.slow
def test_worker_processes_change_nothing():
    one, two = tiny(), tiny()
    assert run(one, iterations=5).loss == run(two, iterations=5, workers=2).loss


def test_channels_last_changes_next_to_nothing():
    one, two = tiny(), tiny()
    one.body[3].p = two.body[3].p = 0.0  # dropout draws in the order of memory
    run(one, iterations=5)
    run(two, iterations=5, channels_last=True)
    for a, b in zip(one.parameters(), two.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4)


def test_watching_and_the_training_mode():
    seen = []
    model = tiny()
    run(
        model,
        bright_squares(),
        validation=bright_squares(2),
        watch=lambda done, net: seen.append(done),
        validate_every=5,
    )
    assert seen == [5, 10, 12] and model.training


@pytest.mark.skipif(not torch.cuda.is_available(), reason="half precision needs CUDA")
@pytest.mark.parametrize("amp", [True, "bf16", "fp16"])
def test_half_precision_learns_too(amp):
    data, model = bright_squares(), tiny()
    history = run(model, data, iterations=60, lr=0.02, amp=amp, device="cuda", workers=0, validation=data)
    assert list(history.mean_iou.values())[-1] > 0.7


def test_the_loop_is_short_enough_to_be_read():
    import inspect

    body = textwrap.dedent(inspect.getsource(training.train)).split('"""')[2]
    assert len(body.strip().splitlines()) <= 60


def test_a_second_stage_leaves_batch_norm_alone():
    model, before = tiny(), tiny().state_dict()
    run(model, iterations=3, freeze_batch_norm=True)
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]) == name.startswith("body.1."), name


def test_without_batch_norm_there_is_none_to_freeze():
    model = torch.nn.Conv2d(3, 2, 8, 8)
    model.grid = GRID
    with pytest.raises(ValueError, match=r"no batch norm to freeze: pass freeze_batch_norm=False"):
        run(model, freeze_batch_norm=True)
