"""A model is left as it was: weights, buffers, modes, hooks, attributes, gradients, random numbers."""

import copy
import random
from collections import OrderedDict, deque
from dataclasses import dataclass
from types import SimpleNamespace
from typing import NamedTuple

import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import parametrizations, parametrize

from deeplab_lessons.classroom.gradient_fields import effective_field, empirical_field
from deeplab_lessons.receptive_field import UntraceableError, evaluation, trace

TOOLS = [trace, empirical_field, effective_field]


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
@pytest.mark.parametrize("tool", TOOLS)
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


# random networks whose parts share modules, weights and containers ------------------------------------------------
class Keeper(nn.Module):
    """Calls another module, and writes wherever a forward can write."""

    def __init__(self, inner, how, shared):
        super().__init__()
        self.inner = self.alias = inner
        self.unregistered, self.how, self.shared = [nn.BatchNorm2d(3), inner], how, shared
        self.memory, self.state, self.recent = torch.zeros(3), (torch.zeros(1), [torch.zeros(1)]), deque()
        self.notes, self.by_name = SimpleNamespace(last=None, maps=[]), {"maps": {}}
        self.register_buffer("count", torch.zeros(()), persistent=False)

    def forward(self, x):
        x = self.inner(x)
        if self.how["writes"]:
            self.write(x)
        if self.how["end"] is not None:
            self.how["end"](x)
        return x

    def write(self, x):
        self.last = self.notes.last = self.by_name["x"] = x
        for kept in (self.shared, self.recent, self.notes.maps, self.state[1]):
            kept.append(x)
        self.unregistered[0](x)
        self.memory.add_(1)
        self.memory[1:].mul_(3)
        self.count += 1
        self.extra, self.inner = nn.ReLU(), nn.Sequential(self.inner)
        self.register_forward_hook(lambda *given: None)
        self.register_buffer("seen", x)
        vars(self)["_modules"].pop("alias", None)
        for parameter in self.parameters() if self.how["weights"] else ():
            parameter.requires_grad_(False).add_(1)
            parameter.grad = None
            self.state[0].add_(1)
        self.state = (x, self.state[1])
        self.train()


def aliased(seed):
    """A random network with three channels throughout, and the switch that makes its forward write or fail."""
    chance = random.Random(seed)
    torch.manual_seed(seed)
    made, how, shared = [], {"writes": False, "weights": False, "end": None}, []

    def convolution():
        conv = nn.Conv2d(3, 3, 3, padding=1)
        others = [m for m in made if isinstance(m, nn.Conv2d) and not hasattr(m, "parametrizations")]
        if others and chance.random() < 0.5:
            conv.bias = chance.choice(others).bias
        return conv

    def norm():
        norm = nn.BatchNorm2d(3)
        others = [m for m in made if isinstance(m, nn.BatchNorm2d)]
        if others:
            norm.running_mean = others[0].running_mean
        return norm

    def layer(depth):
        if made and chance.random() < 0.3:
            return chance.choice(made)
        kinds = [convolution, norm, lambda: parametrizations.weight_norm(convolution()),
                 lambda: parametrizations.spectral_norm(convolution()), lambda: Keeper(layer(depth + 1), how, shared),
                 lambda: nn.Sequential(*(layer(depth + 1) for _ in range(2)))]  # fmt: skip
        module = chance.choice(kinds[: 4 if depth > 2 else 6])()
        made.append(module)
        return module

    model = nn.Sequential(layer(0), Keeper(layer(0), how, shared), layer(0))
    for parameter in model.parameters():
        parameter.requires_grad_(chance.random() < 0.7)
        parameter.grad = torch.rand_like(parameter) if chance.random() < 0.3 else None
    return model, how, chance


def everything(root):
    """All that a network keeps, by identity; tensors also by their bits, and whether anything wrote into them."""
    found, held, waiting = [], {}, [root]
    while waiting:
        value = waiting.pop(0)
        if id(value) in held:
            continue
        held[id(value)] = value
        if isinstance(value, torch.Tensor):
            bits = value.detach().numpy().tobytes()
            found.append((id(value), type(value), value._version, value.requires_grad, id(value.grad), bits))
            waiting.append(value.grad)
        elif isinstance(value, (nn.Module, SimpleNamespace, dict)):
            inside = value if isinstance(value, dict) else vars(value)
            found.append((id(value), type(value), [(key, id(part)) for key, part in inside.items()]))
            waiting += inside.values()
        elif isinstance(value, (list, tuple, deque, set)):
            found.append((id(value), type(value), [id(part) for part in value]))
            waiting += value
    return found, held  # `held` keeps every object alive, so that no number is used twice


def interrupt(x):
    raise KeyboardInterrupt


ENDINGS = {
    "runs": (None, ()),
    "is refused": (lambda x: x * x.mean().item(), UntraceableError),
    "raises": (lambda x: x / (1 // 0), ZeroDivisionError),
    "is interrupted": (interrupt, KeyboardInterrupt),
}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("tool", TOOLS)
@settings(derandomize=True, deadline=None, max_examples=12)
@given(seed=st.integers(0, 10**6))
def test_everything_that_a_random_network_keeps_is_as_before(tool, ending, seed):
    end, error = ENDINGS[ending]
    model, how, chance = aliased(seed)
    image = torch.rand(1, 3, 7, 7)
    expected = model.eval()(image)
    for module in model.modules():
        module.training = chance.random() < 0.5
    how.update(writes=True, end=end, weights=tool is not effective_field)  # its gradients need the weights
    before, _alive = everything(model)
    if not error or (error is UntraceableError and tool is effective_field):
        tool(model, 7)
    else:
        with pytest.raises(error):
            tool(model, 7)
    assert everything(model)[0] == before
    how.update(writes=False, end=None)
    assert torch.equal(model.eval()(image), expected)


@pytest.mark.parametrize("tool", TOOLS)
def test_a_second_interrupt_while_the_model_is_put_back_changes_nothing(tool, monkeypatch):
    model = nn.Sequential(*[nn.Conv2d(3, 3, 3)] * 2)
    before, _alive = everything(model)
    calls, identities = iter(range(10**6)), evaluation._identities

    def interrupted(holder):
        if next(calls) == 5:
            raise KeyboardInterrupt
        return identities(holder)

    monkeypatch.setattr(evaluation, "_identities", interrupted)
    with pytest.raises(KeyboardInterrupt):
        tool(model, 9)
    assert everything(model)[0] == before


@pytest.mark.parametrize("tool", TOOLS)
def test_a_module_under_two_names_keeps_its_weights(tool):
    conv = nn.Conv2d(1, 1, 3)
    model = nn.Sequential(conv, nn.ReLU(), conv)
    image, weight = torch.rand(1, 1, 9, 9), conv.weight
    expected = model(image)
    tool(model, 9, in_channels=1)
    assert conv.weight is weight and isinstance(weight, nn.Parameter) and weight.device.type == "cpu"
    assert torch.equal(model(image), expected)


@pytest.mark.parametrize("tool", TOOLS)
def test_weights_that_torch_caches_stay_as_they_were(tool):
    model = nn.Sequential(parametrizations.weight_norm(nn.Conv2d(3, 3, 3)))
    image = torch.rand(1, 3, 9, 9)
    with parametrize.cached():
        expected = model(image)
        tool(model, 9)
        assert torch.equal(model(image), expected)


def test_what_a_forward_writes_into_a_tensor_of_its_own_is_followed():
    class Remembers(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.memory = nn.Conv2d(3, 3, 3, padding=1), torch.zeros(1, 3, 9, 9)

        def forward(self, x):
            self.memory.copy_(self.conv(x))
            return x + self.memory

    model = Remembers()
    assert trace(model, 9)["output"].size == 3
    assert (empirical_field(model, 9) == trace(model, 9).mask()).all()
    assert not model.memory.any() and not model.memory.requires_grad


def test_a_second_name_of_a_module_can_be_asked_for():
    model = nn.Sequential(nn.Conv2d(3, 3, 3), nn.Conv2d(3, 3, 3))
    model.backbone, model.layer = nn.Identity(), model[1]
    model.forward = lambda x: model[1](model[0](x))
    assert trace(model, 16)["layer"].size == trace(model, 16)["1"].size == 5
    assert (empirical_field(model, 16, "layer") == empirical_field(model, 16, "1")).all()


@pytest.mark.slow
@pytest.mark.parametrize("tool", TOOLS)
def test_compiled_modules_run_without_their_compiled_code(tool):
    def backend(graph, inputs):
        raise AssertionError("compiled")

    model = nn.Sequential(nn.Conv2d(3, 3, 3), nn.ReLU())
    inside = nn.Sequential(nn.Conv2d(3, 3, 3), nn.ReLU())
    inside.compile(backend=backend)
    for compiled in (torch.compile(model, backend=backend), inside):
        tool(compiled, 9)
    with pytest.raises(Exception, match="compiled"):
        inside(torch.zeros(1, 3, 9, 9))


# wrappers, other inputs and outputs -------------------------------------------------------------------------------
def tripled(x):
    return 3 * x


def small():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())


REFUSED = {
    "DataParallel": (lambda: nn.DataParallel(small()), r"model \(DataParallel\).*pass model\.module"),
    "scripted": (lambda: torch.jit.script(small()), "torch.jit: pass the module that was scripted or traced"),
    "traced by torch": (lambda: torch.jit.trace(small(), torch.zeros(1, 3, 9, 9)), "was scripted or traced"),
    "scripted part": (lambda: nn.Sequential(torch.jit.script(small())), "module '0' .*torch.jit"),
    "wrapped part": (lambda: nn.Sequential(nn.DataParallel(small())), "module '0' .DataParallel"),
    "a class": (lambda: nn.ReLU, "got type: call it to make a model"),
    "a function": (lambda: torchvision.models.resnet18, "got function: call it"),
    "a jit function": (lambda: torch.jit.script(tripled), "pass the module it was made from"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("tool", TOOLS)
def test_what_wraps_a_model_is_refused_with_what_to_pass(tool, name):
    build, message = REFUSED[name]
    with pytest.raises(TypeError, match=message):
        tool(build(), 9)


@pytest.mark.slow
@pytest.mark.parametrize("tool", TOOLS)
def test_exported_modules_are_refused_with_what_to_pass(tool):
    exported = torch.export.export(small().eval(), (torch.zeros(1, 3, 9, 9),))
    with pytest.raises(TypeError, match="ExportedProgram: pass the module it was made from"):
        tool(exported, 9)
    with pytest.raises(TypeError, match="pass the module that was exported"):
        tool(exported.module(), 9)


@pytest.mark.parametrize("tool", TOOLS)
def test_a_lazy_module_has_to_run_once(tool):
    model = nn.Sequential(nn.LazyConv2d(2, 3))
    with pytest.raises(
        ValueError, match=r"module '0' \(LazyConv2d\).*model\(torch.zeros\(1, 3, height, width\)\)"
    ):
        tool(model, 9)
    model(torch.zeros(1, 3, 9, 9))
    tool(model, 9)


class Late(nn.Module):
    """Two images and a time step; the second image passes a larger kernel."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(3, 4, 5, padding=2)

    def forward(self, image, other, step=1, *, scale=2.0):
        other.mul_(scale)
        return self.first(image) * step + self.second(other)


@pytest.mark.parametrize("tool", TOOLS)
def test_a_model_of_several_inputs(tool):
    other = torch.ones(1, 3, 9, 9, requires_grad=True)
    with torch.no_grad():
        found = tool(Late(), 9, other_inputs=(other, torch.tensor(3)))
    assert torch.equal(other, torch.ones(1, 3, 9, 9)) and other.grad is None
    if tool is effective_field:
        assert (found.heat > 0).sum() == 9
    else:
        assert (found if tool is empirical_field else found.mask()).sum() == 9
    with pytest.raises(
        TypeError, match=r"Late cannot be called with the image and 0 other_inputs.*'other'.*pass what"
    ):
        tool(Late(), 9)
    with pytest.raises(TypeError, match=r"other_inputs must be a tuple, got Tensor: pass \(value,\)"):
        tool(Late(), 9, other_inputs=other)


@dataclass
class Result:
    loss: object
    logits: torch.Tensor
    features: dict


class Named(NamedTuple):
    features: dict
    logits: torch.Tensor


@dataclass
class ModelOutput(OrderedDict):
    """As in transformers: a dict and a dataclass in one."""

    loss: object = None
    logits: object = None
    low: object = None

    def __post_init__(self):
        self.update((name, value) for name, value in vars(self).items() if value is not None)


@pytest.mark.parametrize(
    "kind, names",
    [
        (lambda x, y: Result(None, x, {"low": y}), ["logits", "features.low"]),
        (lambda x, y: Named({"low": y}, x), ["0.low", "1"]),
        (lambda x, y: ModelOutput(logits=x, low=[y]), ["logits", "low.0"]),
        (lambda x, y: [None, torch.zeros(1), (x,)], ["2.0"]),
    ],
)
def test_outputs_of_several_tensors(kind, names):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.pool = nn.Conv2d(3, 4, 3, padding=1), nn.MaxPool2d(5, 1, 2)

        def forward(self, x):
            return kind(self.conv(x), self.pool(x))

    model = Net()
    table = trace(model, 9)
    assert list(table.outputs) == names
    assert (empirical_field(model, 9) == table.mask()).all()
    assert effective_field(model, 9).heat.shape == (9, 9)


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("output", [None, "a text", SimpleNamespace(x=1), torch.zeros(1, 3, 9, 9)])
def test_an_output_without_the_image_is_refused(tool, output):
    model = nn.Sequential(nn.Conv2d(3, 3, 3))
    model.forward = lambda x: output
    with pytest.raises(UntraceableError, match="holds no tensor that depends on the input"):
        tool(model, 9)
