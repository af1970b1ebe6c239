"""Schedules, losses on the coarse map, the loop: what it learns, how it stops, and that resuming changes nothing."""

import io
import json
import math
import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import nn
from torch.nn import functional as F

from deeplab_lessons import inference, training
from deeplab_lessons.metrics import label_maps
from deeplab_lessons.training import CheckpointError, NotFinite, recipes

VOID = 255
few = settings(max_examples=40, deadline=None)


class Tiny(nn.Module):
    """Stride 8, two classes, with the parts that carry state: batch norm and dropout."""

    output_stride = 8

    def __init__(self, classes=2):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 8, 3, 4, 1), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(0.3))
        self.fc8 = nn.Conv2d(8, classes, 3, 2, 1)

    def forward(self, x):
        return self.fc8(self.body(x))

    def parameter_groups(self, lr):
        new = {"params": list(self.fc8.parameters()), "lr": 10 * lr}
        return [{"params": list(self.body.parameters()), "lr": lr}, new]


def tiny(seed=0, **options):
    torch.manual_seed(seed)
    return Tiny(**options)


def bright_squares(count=12, size=32):
    """Pairs (image, mask) to learn: the class of a pixel is whether it is bright; a void rim."""
    pairs, generator = [], torch.Generator().manual_seed(1)
    for _ in range(count):
        mask = torch.zeros(size, size, dtype=torch.int64)
        top, left = torch.randint(0, size // 2, (2,), generator=generator).tolist()
        mask[top : top + size // 2, left : left + size // 2] = 1
        image = mask.float().expand(3, -1, -1) + 0.3 * torch.randn(3, size, size, generator=generator)
        mask[0] = VOID
        pairs.append((image, mask))
    return pairs


def run(model, data=None, **options):
    given = {"iterations": 12, "batch_size": 4, "lr": 0.01, "seed": 3, "device": "cpu", "progress": False}
    return training.train(model, data or bright_squares(), **{**given, **options})


def same_weights(one, other):
    pairs = zip(one.state_dict().items(), other.state_dict().items(), strict=True)
    return all(a == b and torch.equal(x, y) for (a, x), (b, y) in pairs)


# ---------------------------------------------------------------- schedules


def test_step_is_the_papers():
    """v1: 6000 iterations, times 0.1 every 2000."""
    rates = [1e-3 * training.step(i, 6000) for i in (0, 1999, 2000, 3999, 4000, 5999)]
    assert rates == pytest.approx([1e-3, 1e-3, 1e-4, 1e-4, 1e-5, 1e-5])


def test_poly_starts_at_one_and_falls_to_almost_nothing():
    assert training.poly(0, 100) == 1
    assert training.poly(50, 100) == pytest.approx(0.5**0.9)
    assert 0 < training.poly(99, 100) < 0.02
    shares = [training.poly(i, 100) for i in range(100)]
    assert shares == sorted(shares, reverse=True)


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


# ---------------------------------------------------------------- where the cells lie


@pytest.mark.parametrize(("size", "cells", "first"), [(96, 12, 3.5), (321, 41, 0), (224, 28, 3.5)])
def test_cells_lie_where_the_papers_networks_have_them(size, cells, first):
    centres = inference.cell_centres(size, cells)
    assert centres[0] == first and centres[-1] == size - 1 - first
    assert set(centres.diff().tolist()) == {8.0}


def test_cells_agree_with_the_arithmetic_of_the_released_pools():
    """Three 3 x 3 pools of stride 2, padding 1: 321 pixels, 41 cells, the first centred on pixel 0."""
    from deeplab_lessons.arithmetic import Layer, receptive_fields

    field = receptive_fields([Layer(3, 2, 1)] * 3, 321)[-1]
    assert inference.cell_centres(321, field.out, field.jump)[0] == field.start


@pytest.mark.parametrize(("size", "cells", "aligned"), [(64, 8, False), (65, 9, True)])
def test_enlarging_is_torchs_bilinear_in_both_conventions(size, cells, aligned):
    logits = torch.randn(2, 3, cells, cells)
    wanted = F.interpolate(logits, (size, size), mode="bilinear", align_corners=aligned)
    torch.testing.assert_close(inference.upsample(logits, (size, size)), wanted)


@few
@given(st.integers(8, 90), st.integers(1, 12))
def test_enlarging_a_constant_changes_nothing(size, cells):
    weights = inference.bilinear_weights(size, cells)
    torch.testing.assert_close(weights.sum(1), torch.ones(size))
    assert weights.min() >= 0


def test_the_score_at_a_cells_centre_is_the_cells_own():
    logits = torch.randn(1, 2, 41, 41)
    large = inference.upsample(logits, (321, 321))
    torch.testing.assert_close(large[..., ::8, ::8], logits)


# ---------------------------------------------------------------- losses


def test_subsampled_labels_are_those_of_the_label_maps_module():
    labels = np.random.default_rng(0).integers(0, 5, (48, 64)).astype(np.int64)
    small = training.subsample_labels(torch.tensor(labels)[None], (6, 8))[0]
    assert small.tolist() == label_maps.subsample(labels, 8).tolist()


def test_odd_sizes_take_every_eighth_pixel():
    labels = torch.arange(321 * 321).view(1, 321, 321)
    assert torch.equal(training.subsample_labels(labels, (41, 41)), labels[:, ::8, ::8])


def test_a_start_of_its_own_moves_the_samples():
    labels = torch.arange(64).expand(1, 64, 64)
    assert training.subsample_labels(labels, (8, 8), start=7.5)[0, 0].tolist() == [
        8,
        16,
        24,
        32,
        40,
        48,
        56,
        63,
    ]


def by_hand(logits, labels):
    """Mean cross-entropy over cells that are not void, with loops and logarithms."""
    costs = []
    for n, row, column in np.ndindex(*labels.shape):
        label = int(labels[n, row, column])
        if label != VOID:
            scores = [math.exp(v) for v in logits[n, :, row, column].tolist()]
            costs.append(-math.log(scores[label] / sum(scores)))
    return sum(costs) / len(costs)


def random_batch(seed=0, size=32, cells=4, classes=3, void=0.3):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, classes, (2, size, size), generator=generator)
    labels[torch.rand(labels.shape, generator=generator) < void] = VOID
    return torch.randn(2, classes, cells, cells, generator=generator), labels


@pytest.mark.parametrize("seed", range(3))
def test_subsample_loss_by_hand(seed):
    logits, labels = random_batch(seed)
    expected = by_hand(logits, labels[:, 4::8, 4::8])
    assert training.subsample_loss(logits, labels).item() == pytest.approx(expected, rel=1e-5)


def test_area_shares_are_those_of_the_label_maps_module():
    _, labels = random_batch(5, size=40)
    shares = training.cell_shares(labels, (5, 5), 3)
    for picture, wanted in zip(shares, labels.numpy().astype(np.uint8), strict=True):
        np.testing.assert_allclose(picture, label_maps.class_shares(wanted, 8, 3), atol=1e-6)


def test_area_shares_on_odd_sizes_belong_to_the_nearest_centre():
    labels = torch.zeros(1, 17, 17, dtype=torch.int64)
    labels[0, :, 4:12] = 1  # the eight columns nearest to the centre of the middle cell, column 8
    shares = training.cell_shares(labels, (3, 3), 2)
    assert shares[0, 1].tolist() == [[0, 1, 0]] * 3


def test_area_loss_is_the_mean_over_each_cells_pixels():
    """Cross-entropy is linear in the labels: the loss of a cell is the mean of its pixels' losses."""
    logits, labels = random_batch(7)
    every_pixel = F.cross_entropy(
        logits.repeat_interleave(8, 2).repeat_interleave(8, 3), labels, ignore_index=VOID, reduction="none"
    )
    judged = (labels != VOID).float()
    cells = F.avg_pool2d(every_pixel[:, None], 8) / F.avg_pool2d(judged[:, None], 8)
    assert training.area_loss(logits, labels).item() == pytest.approx(cells.mean().item(), rel=1e-5)


def test_upsampled_loss_is_cross_entropy_of_the_enlarged_scores():
    logits, labels = random_batch(9)
    large = F.interpolate(logits, (32, 32), mode="bilinear")
    expected = F.cross_entropy(large, labels, ignore_index=VOID)
    assert training.upsampled_loss(logits, labels).item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize("loss", [training.subsample_loss, training.area_loss, training.upsampled_loss])
def test_where_nobody_judged_nothing_is_learned(loss):
    logits = torch.randn(1, 3, 4, 4, requires_grad=True)
    cost = loss(logits, torch.full((1, 32, 32), VOID))
    cost.backward()
    assert cost == 0 and not logits.grad.any()


@pytest.mark.parametrize("loss", [training.subsample_loss, training.area_loss, training.upsampled_loss])
def test_all_three_losses_agree_on_a_picture_of_one_class(loss):
    labels = torch.ones(1, 32, 32, dtype=torch.int64)
    logits = torch.tensor([0.3, 1.2]).view(1, 2, 1, 1).expand(1, 2, 4, 4)
    assert loss(logits, labels).item() == pytest.approx(math.log(1 + math.exp(-0.9)), rel=1e-5)


def test_a_step_on_the_sum_is_a_step_on_the_mean_at_another_rate():
    """Sum, lr / n, weight decay n l: the same weights as mean, lr, weight decay l."""
    images, labels = (torch.stack(part) for part in zip(*bright_squares(4), strict=True))
    judged = (training.subsample_labels(labels, (4, 4)) != VOID).sum().item()
    models = tiny(), tiny()
    for model, lr, decay, factor in zip(
        models, (0.1, 0.1 / judged), (5e-4, 5e-4 * judged), (1, judged), strict=True
    ):
        sgd = torch.optim.SGD(model.parameters(), lr, momentum=0.9, weight_decay=decay)
        for _ in range(3):
            torch.manual_seed(0)
            sgd.zero_grad()
            (factor * training.subsample_loss(model(images), labels)).backward()
            sgd.step()
    for one, other in zip(models[0].parameters(), models[1].parameters(), strict=True):
        torch.testing.assert_close(one, other)


# ---------------------------------------------------------------- the loop


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


def test_one_iteration_is_one_step_of_plain_torch():
    """The loop against seven lines that everybody knows."""
    data, model, plain = bright_squares(4), tiny(), tiny()
    for layer in (model.body[3], plain.body[3]):
        layer.p = 0.0
    run(model, data, iterations=1)
    images, labels = (torch.stack(part) for part in zip(*data, strict=True))
    sgd = torch.optim.SGD(plain.parameter_groups(0.01), momentum=0.9, weight_decay=5e-4)
    training.subsample_loss(plain(images), labels).backward()
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
    run(model, iterations=2)
    assert torch.equal(torch.rand(2), expected[0]) and (np.random.rand(2) == expected[1]).all()


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


def test_plain_text_is_said_outside_a_notebook(capsys):
    history = run(tiny(), validation=bright_squares(2), progress=True, validate_every=6)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and lines[0].startswith("iteration 6/12: loss ") and "mIoU" in lines[0]
    assert repr(history).startswith("<History: 12 iterations, loss ")


def test_a_curve_is_drawn():
    from deeplab_lessons.training.report import curves

    png = curves(run(tiny(), validation=bright_squares(2)))
    assert png.startswith(b"\x89PNG") and len(png) > 5000
    with Image.open(io.BytesIO(png)) as both, Image.open(io.BytesIO(curves(run(tiny())))) as loss:
        assert both.width == 2 * loss.width, "without validation there is no empty panel"


def test_the_smooth_loss_is_unbiased():
    history = training.History(loss=[2.0] * 30)
    assert history.smooth() == pytest.approx([2.0] * 30)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="half precision needs CUDA")
@pytest.mark.parametrize("amp", [True, "bf16", "fp16"])
def test_half_precision_learns_too(amp):
    data, model = bright_squares(), tiny()
    history = run(model, data, iterations=60, lr=0.02, amp=amp, device="cuda", workers=0, validation=data)
    assert list(history.mean_iou.values())[-1] > 0.7


@few
@given(st.integers(0, 99), st.integers(1, 9), st.integers(1, 30))
def test_every_sample_comes_once_before_any_comes_again(seed, batch_size, count):
    iterations = -(-3 * count // batch_size)
    order = [i for k in range(iterations) for i in training.data_order(seed, k, batch_size, count)]
    for epoch in range(3):
        assert sorted(order[epoch * count : (epoch + 1) * count]) == list(range(count))


def test_epochs_and_seeds_have_orders_of_their_own():
    first, second = training.data_order(0, 0, 50, 50), training.data_order(0, 1, 50, 50)
    assert first != second and first != training.data_order(1, 0, 50, 50)


def test_random_changes_of_any_generator_depend_on_the_iteration_alone():
    import random

    class Noisy(list):
        def __getitem__(self, index):
            image, mask = super().__getitem__(index)
            return image + torch.randn(()) + np.random.randn() + random.random(), mask

    batches = training.Batches(Noisy(bright_squares(4)), 2, seed=0)
    later = batches[7][0]
    batches[3]
    assert torch.equal(batches[7][0], later) and not torch.equal(batches[8][0], later)


# ---------------------------------------------------------------- what is refused, and how it says so


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"loss": "mean"}, "no loss named 'mean'; there are: subsample, area, upsampled"),
        ({"schedule": "cosine"}, "no schedule named 'cosine'; there are: step, poly"),
        ({"iterations": 0}, "iterations must be above 0, got 0"),
        ({"lr": -1}, "lr must be above 0, got -1"),
        ({"batch_size": 0}, "batch_size must be above 0"),
        ({"clip": 0}, "clip is None or a norm above 0"),
        ({"amp": "half"}, "amp is False, True"),
    ],
)
def test_wrong_settings_are_explained(options, words):
    with pytest.raises(ValueError, match=words):
        run(tiny(), **options)


IMAGE, MASK = torch.zeros(3, 16, 16), torch.zeros(16, 16, dtype=torch.int64)


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ([(np.zeros((16, 16, 3), np.uint8), MASK)], r"normalised float tensor \[3, H, W\], got torch.uint8"),
        ([(IMAGE, MASK[:8])], r"label map of \[8, 16\]"),
        ([(IMAGE, MASK.float())], "whole numbers, got torch.float32. Was it interpolated"),
        ([(IMAGE, MASK), (IMAGE[:, :8], MASK[:8])], r"differ in size: \(8, 16\) and \(16, 16\)"),
        ([(IMAGE, MASK + 6)], r"labels \[6\] in the data, but the model has 2 classes"),
        ([], "the data set is empty"),
    ],
)
def test_wrong_data_is_explained(pairs, words):
    with pytest.raises(ValueError, match=words):
        training.train(tiny(), pairs, iterations=2, batch_size=4, lr=0.1, device="cpu", progress=False)


def test_a_loss_that_is_no_number_stops_and_spares_the_checkpoint(tmp_path):
    path, data = tmp_path / "run.pt", bright_squares()
    broken = [*data[:-1], (data[-1][0] * math.nan, data[-1][1])]  # each epoch meets it once: 3 iterations
    with pytest.raises(NotFinite, match=r"iteration \d: the loss is nan at learning rate") as error:
        run(tiny(), broken, checkpoint=path, save_every=1)
    assert str(path) in str(error.value) and "clip=10" in str(error.value)
    kept = training.load_checkpoint(path)
    assert all(value.isfinite().all() for value in kept["model"].values())
    assert len(kept["history"]["loss"]) == len([v for v in kept["history"]["loss"] if math.isfinite(v)])


def test_weights_that_are_no_numbers_are_not_saved(tmp_path):
    path = tmp_path / "run.pt"

    def ruin(done, model):
        if done == 4:
            model.fc8.bias.data.fill_(math.inf)

    with pytest.raises(NotFinite, match=r"the weights fc8\.bias hold NaN or infinity"):
        run(tiny(), checkpoint=path, save_every=2, validate_every=4, watch=ruin)
    assert len(training.load_checkpoint(path)["history"]["loss"]) == 2


# ---------------------------------------------------------------- checkpoints


def test_stopped_and_resumed_is_the_same_as_not_stopped(tmp_path):
    whole, parts, path = tiny(), tiny(), tmp_path / "run.pt"
    history = run(whole, validation=bright_squares(3), validate_every=4)

    class Stop(Exception):
        pass

    def stop(done, model):
        raise Stop

    with pytest.raises(Stop):
        run(parts, validation=bright_squares(3), validate_every=8, watch=stop, checkpoint=path, save_every=3)
    fresh = tiny(seed=99)
    resumed = run(fresh, validation=bright_squares(3), validate_every=4, checkpoint=path, save_every=3)
    assert same_weights(whole, fresh) and resumed.loss == history.loss and resumed.lr == history.lr
    again = tiny(seed=98)
    assert run(again, checkpoint=path).loss == history.loss and same_weights(whole, again), (
        "nothing left to do"
    )


KILLED_TEN_TIMES = """
import hashlib, json, os, random, signal, sys, time
import torch
sys.path.insert(0, sys.argv[1])
from test_loop import bright_squares, run, tiny

torch.set_num_threads(1)
path = sys.argv[2]

def learn(checkpoint, say):
    model = tiny()
    run(model, iterations=200, checkpoint=checkpoint, save_every=1, validate_every=1, watch=lambda *_: say(b"."))
    weights = b"".join(value.numpy().tobytes() for value in model.state_dict().values())
    say(b"=" + hashlib.sha256(weights).hexdigest().encode())

def in_a_child(checkpoint):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        learn(checkpoint, lambda words: os.write(writer, words))
        os._exit(0)
    os.close(writer)
    return child, os.fdopen(reader, "rb", buffering=0)

draw, kills, stages = random.Random(), 0, []
while kills < 10:
    child, said = in_a_child(path)
    for _ in range(draw.randint(1, 15)):
        said.read(1)
    time.sleep(draw.uniform(0, 0.02))
    os.kill(child, signal.SIGKILL)
    kills += os.waitpid(child, 0)[1] == signal.SIGKILL
    stages.append(len(torch.load(path, weights_only=True)["history"]["loss"]))

answers = []
for checkpoint in (path, None):
    child, said = in_a_child(checkpoint)
    answers.append(b"".join(iter(lambda: said.read(1000), b"")).decode().partition("=")[2])
    os.waitpid(child, 0)
print(json.dumps({"kills": kills, "stages": stages, "resumed": answers[0], "whole": answers[1]}))
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills processes that it forks")
def test_killed_ten_times_it_ends_with_the_same_weights(tmp_path):
    """SIGKILL at ten random moments of a process that saves after every iteration; then it ends undisturbed."""
    program = [sys.executable, "-c", KILLED_TEN_TIMES, os.path.dirname(__file__), str(tmp_path / "run.pt")]
    done = subprocess.run(program, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["kills"] == 10 and found["resumed"] == found["whole"] and len(found["whole"]) == 64
    assert found["stages"] == sorted(found["stages"]) and 0 < found["stages"][-1] < 200, found["stages"]


INTERRUPTED = """
import sys, os, signal
sys.path.insert(0, sys.argv[1])
from test_loop import bright_squares, run, tiny

def interrupt(done, model):
    if done == 6:
        os.kill(os.getpid(), signal.SIGINT)

options = {"validate_every": 3, "watch": interrupt, "progress": True, "save_every": 100}
history = run(tiny(), checkpoint=sys.argv[2], **options)
print(len(history.loss), history.finished)
"""


def test_ctrl_c_ends_the_iteration_keeps_the_state_and_says_so(tmp_path):
    path = tmp_path / "run.pt"
    program = [sys.executable, "-c", INTERRUPTED, os.path.dirname(__file__), str(path)]
    done = subprocess.run(program, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "6 False"
    assert f"Stopped after iteration 6 of 12: {path} holds it" in done.stdout
    resumed, whole = tiny(), tiny()
    run(resumed, checkpoint=path)
    run(whole)
    assert same_weights(resumed, whole)


def test_ctrl_c_twice_interrupts_at_once():
    from deeplab_lessons.training.guards import stop_politely

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), stop_politely() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop == [True]
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not a checkpoint of this course, or it is damaged"),
        (b"PK\x03\x04 half of a file", "not a checkpoint of this course, or it is damaged"),
        (b"GIF89a", "not a checkpoint of this course, or it is damaged"),
    ],
)
def test_broken_files_are_named(tmp_path, content, words):
    path = tmp_path / "run.pt"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=words) as error:
        run(tiny(), checkpoint=path)
    assert str(path) in str(error.value) and path.read_bytes() == content


def test_a_checkpoint_cut_off_anywhere_is_refused(tmp_path):
    path = tmp_path / "run.pt"
    run(tiny(), checkpoint=path)
    content = path.read_bytes()
    for share in (0.1, 0.5, 0.9, 0.999):
        path.write_bytes(content[: int(share * len(content))])
        with pytest.raises(CheckpointError, match="damaged"):
            training.load_checkpoint(path)


class Harmful:
    def __reduce__(self):
        return print, ("this code was executed",)


def test_foreign_files_are_refused_and_nothing_in_them_runs(tmp_path, capsys):
    path = tmp_path / "run.pt"
    torch.save(Harmful(), path)
    with pytest.raises(CheckpointError, match="cannot be read as tensors"):
        training.load_checkpoint(path)
    assert capsys.readouterr().out == ""
    torch.save(tiny().state_dict(), path)
    with pytest.raises(CheckpointError, match=r"not a checkpoint of this course \(it holds: body"):
        training.load_checkpoint(path)
    with pytest.raises(CheckpointError, match="there is no checkpoint"):
        training.load_checkpoint(tmp_path / "missing.pt")


def test_another_model_or_other_settings_are_refused(tmp_path):
    path = tmp_path / "run.pt"
    run(tiny(), checkpoint=path)
    with pytest.raises(
        CheckpointError, match=r"holds another model: 2 parts do not fit, .*fc8.weight \[2, 8"
    ):
        run(tiny(classes=3), checkpoint=path)
    with pytest.raises(CheckpointError, match=r"lr was 0.01, now 0.02.*resume=False"):
        run(tiny(), checkpoint=path, lr=0.02)
    history = run(tiny(), checkpoint=path, lr=0.02, resume=False)
    assert len(history.loss) == 12


def test_a_full_disk_is_explained_and_the_old_file_stays(tmp_path, monkeypatch):
    path = tmp_path / "run.pt"
    training.save_checkpoint({"number": 1}, path)

    def full(content, file):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(CheckpointError, match="No space left on device"):
        training.save_checkpoint({"number": 2}, path)
    monkeypatch.undo()
    assert training.load_checkpoint(path)["number"] == 1
    assert [file.name for file in tmp_path.iterdir()] == ["run.pt"]


def test_a_folder_that_cannot_be_written_is_found_before_training(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    seen = []
    with pytest.raises(CheckpointError, match="could not write"):
        run(
            tiny(), checkpoint=tmp_path / "file" / "run.pt", watch=lambda *_: seen.append(1), validate_every=1
        )
    assert not seen


def test_about_travels_with_the_checkpoint(tmp_path):
    run(tiny(), checkpoint=tmp_path / "run.pt", about={"classes": ["dark", "bright"]})
    assert training.load_checkpoint(tmp_path / "run.pt")["about"] == {"classes": ["dark", "bright"]}


def test_the_loop_is_short_enough_to_be_read():
    import inspect

    body = textwrap.dedent(inspect.getsource(training.train)).split('"""')[2]
    assert len(body.strip().splitlines()) <= 60


def test_the_class_network_is_trained_once_and_kept(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DEEPLAB_LESSONS_CACHE", str(tmp_path))
    monkeypatch.setitem(recipes.CLASS_RECIPE, "iterations", 2)
    data = recipes.class_data
    monkeypatch.setattr(recipes, "class_data", lambda: data(8, 2))
    network = recipes.trained()
    assert recipes.kept_as().parent == tmp_path and recipes.kept_as().is_file()
    assert "2/2" in capsys.readouterr().err
    monkeypatch.setattr(training.loop._Run, "step", lambda *_: pytest.fail("trained again"))
    again = recipes.trained()
    assert capsys.readouterr() == ("", "") and not again.training
    image = torch.randn(1, 3, 64, 64)
    assert torch.equal(network(image), again(image))
    assert recipes.kept_as(seed=1) != recipes.kept_as() != recipes.kept_as("7x7")
