"""A model is left as it was: weights, buffers, modes, hooks, attributes, gradients, random numbers."""

import copy

import pytest
import torch
import torchvision
from torch import nn

from deeplab_lessons.receptive_field import UntraceableError, effective_field, empirical_field, trace


class Rolled(nn.Module):
    def forward(self, x):
        return x.roll(1, -1)


class Shared(nn.Module):
    """One convolution under two names, its weight in another one too, and a forward that writes attributes."""

    def __init__(self, fails=False):
        super().__init__()
        self.conv, self.tied = nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 3, 3, padding=1)
        self.again, self.tied.weight = self.conv, self.conv.weight
        self.norm, self.fails, self.calls = nn.BatchNorm2d(3), fails, 0

    def forward(self, x):
        self.calls += 1
        self.last = x
        x = self.norm(self.tied(self.again(self.conv(x))))
        return 1 // 0 if self.fails else x


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("tool", [trace, empirical_field, effective_field])
def test_shared_modules_and_tensors_are_left_alone(tool, fails):
    model = Shared(fails)
    before, attributes = snapshot(model), dict(vars(model))
    if fails:
        with pytest.raises(ZeroDivisionError):
            tool(model, 9)
    else:
        tool(model, 9)
    assert_untouched(model, before)
    assert vars(model) == attributes
    assert model.conv is model.again and model.tied.weight is model.conv.weight
    assert all(isinstance(p, nn.Parameter) for p in (model.conv.weight, model.tied.weight))


def test_shared_modules_and_tensors_are_counted_once_and_followed_each_time():
    table = trace(Shared(), 16)
    assert table["output"].size == 7 and (empirical_field(Shared(), 16) == table.mask()).all()
    assert table.parameters == sum(p.numel() for p in Shared().parameters())


def snapshot(model):
    tensors = {
        name: (t.data_ptr(), t._version, t.clone()) for name, t in model.state_dict(keep_vars=True).items()
    }
    hooks = [
        len(torch.nn.modules.module._global_forward_hooks),
        len(torch.nn.modules.module._global_forward_pre_hooks),
    ]
    hooks += [(len(m._forward_hooks), len(m._forward_pre_hooks)) for m in model.modules()]
    return tensors, hooks, [m.training for m in model.modules()]


def assert_untouched(model, before):
    after = snapshot(model)
    assert after[1:] == before[1:]
    for name, (pointer, version, value) in before[0].items():
        assert after[0][name][:2] == (pointer, version) and torch.equal(after[0][name][2], value), name


@pytest.mark.parametrize("fails", [False, True])
def test_the_model_is_left_alone(fails):
    model = torchvision.models.resnet18()
    model.train()
    model.layer1.eval()
    if fails:
        model.layer4[1].bn2 = Rolled()
    before = snapshot(model)
    if fails:
        with pytest.raises(UntraceableError, match=r"module 'layer4.1.bn2' \(Rolled\): roll"):
            trace(model, 64)
    else:
        trace(model, 64)
    assert_untouched(model, before)
    assert model.training and not model.layer1.training and model.layer4.training


def test_gradients_and_random_numbers_are_left_alone():
    model = nn.Sequential(nn.Conv2d(3, 3, 3), nn.Dropout(0.5))
    state = torch.random.get_rng_state()
    trace(model, 8)
    assert torch.equal(torch.random.get_rng_state(), state) and torch.is_grad_enabled()
    assert all(p.grad is None for p in model.parameters())


def test_train_and_eval_give_one_table():
    model = torchvision.models.resnet18()
    assert repr(trace(model.train(), 64)) == repr(trace(model.eval(), 64))


@pytest.mark.slow
def test_weights_on_the_meta_device_give_the_same_table():
    model = torchvision.models.resnet18()
    assert (
        repr(trace(copy.deepcopy(model).to("meta"), 64))
        == repr(trace(model, 64))
        == repr(trace(model.half(), 64))
    )
