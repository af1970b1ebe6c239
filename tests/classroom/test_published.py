"""Ten published rows as they are built and trained, beside the released solver files, networks and train scripts."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from deeplab_lessons import crf, training
from deeplab_lessons.classroom.experiments import experiment
from deeplab_lessons.training.schedules import SCHEDULES

STEP = [1, 0.1, 0.01]  # shares of the first learning rate from iterations 0, 2000 and 4000 on: gamma 0.1
POLY = [1, 0.5**0.9, 0.1**0.9]  # at the beginning, half way and with a tenth to go: power 0.9
# Times the learning rate, and weight decay, by kind of parameter.
CAFFE = {"kernel": (1, 5e-4), "classifier": (10, 5e-4), "classifier's bias": (20, 0)}
VGG = {**CAFFE, "bias": (2, 0)}


def tensorflow(decay):
    return {"kernel": (1, decay), "norm": (1, 0), "classifier": (1, decay), "classifier's bias": (2, 0)}


#: The released numbers. CRF: w1, σα, σβ, w2, σγ. v1, v2: solver.prototxt and train.prototxt (the LargeFOV released with
#: v2's code), run_densecrf.sh. v3, v3+: train.py, train_utils.py, feature_extractor.py, xception.py.
LARGE_FOV = {
    "lr": 0.001, "policy": STEP, "iterations": 6000, "batch_size": 30, "momentum": 0.9, "groups": VGG, "crop": 321,
    "dilations": [12], "channels": 1024, "crf": (4, 49, 5, 3, 3),
}  # fmt: skip
ON_VGG = {
    "lr": 0.001, "policy": POLY, "iterations": 20000, "batch_size": 10, "momentum": 0.9, "groups": VGG, "crop": 321,
    "channels": 1024, "crf": (4, 65, 3, 2, 2),
}  # fmt: skip
V3 = {
    "lr": 0.007, "policy": POLY, "iterations": 30000, "momentum": 0.9, "groups": tensorflow(1e-4), "crop": 513,
    "dilations": [6, 12, 18], "scale": (0.5, 2.0), "norm decay": {0.9997}, "epsilon": {1e-5},
}  # fmt: skip
RELEASED = {
    "v1_largefov": LARGE_FOV,
    "v1_msc_largefov": {**LARGE_FOV, "crf": (5, 50, 3, 3, 3)},
    "v2_vgg_largefov": {**ON_VGG, "dilations": [12]},
    "v2_vgg_aspp_s": {**ON_VGG, "dilations": [2, 4, 8, 12]},
    "v2_vgg_aspp_l": {**ON_VGG, "dilations": [6, 12, 18, 24]},
    "v2_resnet101_msc_aspp": {
        "lr": 0.00025, "policy": POLY, "iterations": 20000, "batch_size": 10, "momentum": 0.9, "groups": CAFFE,
        "crop": 321, "dilations": [6, 12, 18, 24], "crf": (4, 67, 3, 3, 1),
    },
    "v3_resnet101": V3,
    "v3_stage2": {**V3, "lr": 0.0001, "dilations": [12, 24, 36]},
    "v3plus_resnet101": {**V3, "early map": "layer1.1.bn3"},
    "v3plus_xception": {
        **V3, "groups": {**tensorflow(4e-5), "depthwise": (1, 0)}, "epsilon": {1e-3}, "early map": "entry2.inner",
    },
}  # fmt: skip
#: Where a row has another number than the release, and whose it is.
OURS = {
    ("v1_largefov", "batch_size"): (20, "v1, section 5, and its first release; v2, table 2: 30"),
    ("v1_msc_largefov", "batch_size"): (20, "as LargeFOV"),
    ("v3_stage2", "lr"): (0.001, "v3, section 4.1"),
}


def classifiers(model):
    """Layers that are drawn anew for a data set."""
    if hasattr(model, "decoder"):
        return [model.decoder.classifier]
    if hasattr(model, "classifier"):
        return [model.classifier]
    return getattr(model.head, "classifiers", None) or [model.head.fc8]


def groups(model, optimiser, lr):
    """Times the learning rate, and weight decay, by kind of parameter; MSc's side branches are left out."""
    told = {
        id(p): (round(g["lr"] / lr, 6), g["weight_decay"])
        for g in optimiser.param_groups
        for p in g["params"]
    }
    found, last = {}, [id(layer) for layer in classifiers(model)]
    for where, part in model.named_modules():
        for name, p in part.named_parameters(recurse=False):
            kind = "norm" if isinstance(part, nn.BatchNorm2d) else "bias" if name == "bias" else "kernel"
            if id(part) in last:
                kind = "classifier's bias" if name == "bias" else "classifier"
            elif kind == "kernel" and part.groups > 1:
                kind = "depthwise"
            if not where.startswith("side."):
                assert found.setdefault(kind, told[id(p)]) == told[id(p)], (where, name)
    return found


def early_map(network):
    """The part whose result the decoder takes, seen on a small copy with numbers."""
    results, taken = {}, []
    for name, part in network.backbone.named_modules():
        part.register_forward_hook(lambda _, __, y, name=name: results.update({name: y.clone()}))
    network.decoder.register_forward_pre_hook(lambda _, given: taken.append(given[1]))
    network.eval()(torch.randn(1, 3, 33, 33))
    return [name for name, y in results.items() if y.shape == taken[0].shape and torch.equal(y, taken[0])][-1]


@pytest.mark.slow
@pytest.mark.parametrize("name", RELEASED)
def test_a_row_is_what_was_released(name):
    which = experiment(name, "full")
    with torch.device("meta"):
        whole = which.model()
    model = getattr(whole, "model", whole)  # inside MSC
    settings = {key: which.settings[key] for key in ("lr", "weight_decay", "released_groups")}
    optimiser, schedule = training.optimiser_for(whole, **settings), SCHEDULES[which.schedule]
    at = (
        (0, 2000, 4000)
        if which.schedule == "step"
        else (0, which.iterations // 2, which.iterations * 9 // 10)
    )
    norms = [part for part in model.backbone.modules() if isinstance(part, nn.BatchNorm2d)]
    head = getattr(model, "aspp", None) or model.head
    dilated = [part for part in head.modules() if isinstance(part, nn.Conv2d) and part.kernel_size == (3, 3)]
    found = {
        "lr": which.lr,
        "policy": [schedule(i, which.iterations) for i in at],
        "iterations": which.iterations,
        "batch_size": which.batch_size,
        "momentum": optimiser.defaults["momentum"],
        "groups": groups(model, optimiser, which.lr),
        "crop": which.crop,
        "scale": which.scale,
        "dilations": [part.dilation[0] for part in dilated],
        "channels": dilated[0].out_channels,
        "norm decay": {round(1 - part.momentum, 6) for part in norms},
        "epsilon": {part.eps for part in norms},
    }
    if which.crf:
        setting = crf.preset(which.crf)
        found["crf"] = (setting.w1, setting.sigma_alpha, setting.sigma_beta, setting.w2, setting.sigma_gamma)
    if hasattr(model, "decoder"):
        few = {"middle_blocks": 1} if which.network["backbone"] == "xception" else {"blocks": (3, 1, 1, 3)}
        found["early map"] = early_map(
            replace(which, network={**which.network, **few, "width": 1 / 16}).model()
        )
    for key, released in RELEASED[name].items():
        ours, _ = OURS.get((name, key), (released, ""))
        assert found[key] == (pytest.approx(ours) if isinstance(ours, (list, float)) else ours), key
        assert ours != released or (name, key) not in OURS, "nothing differs there any more"
