"""Begin from a trained network: what fits is kept, classes are found by their names, the rest stays as it was drawn."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from deeplab_lessons.backbones import stored
from deeplab_lessons.datasets import VOC_CLASSES
from deeplab_lessons.grid import unwrapped
from deeplab_lessons.models import MultiScale, deeplab
from deeplab_lessons.models.v3 import our_name
from deeplab_lessons.training.checkpoints import CheckpointError, load_checkpoint, read
from deeplab_lessons.training.notes import differences

_OF_BACKBONES = ("backbone", "width", "blocks", "cascade", "middle_blocks", "batch_norm")
_IMAGENET = {"fc.weight", "classifier.1.weight", "classifier.6.weight"}  # of torchvision's files


@dataclass(frozen=True)
class Started:
    """What `start_from` did: the fraction of the weights that is `kept`, what is `drawn` at random, and of classes."""

    source: str
    kept: float
    drawn: tuple[str, ...]
    kept_classes: tuple[str, ...]
    drawn_classes: tuple[str, ...]

    def __str__(self) -> str:
        parts = {
            "drawn at random": self.drawn, "classes kept": self.kept_classes, "classes drawn": self.drawn_classes,
        }  # fmt: skip
        said = [f"{name}: {', '.join(each)}" for name, each in parts.items() if each]
        return "; ".join([f"from {self.source} {100 * self.kept:.0f} % of the weights are kept", *said])


def start_from(model: torch.nn.Module, source: str | Path | Mapping, classes: Sequence[str]) -> Started:
    """Put the weights of a trained network into `model`, as far as they fit; the others stay as `deeplab` drew them.

    `source` is a checkpoint of this course, of any version on the same backbone, or a file or state dict of one, or of
    torchvision's `deeplabv3_resnet50` or `deeplabv3_resnet101`. Of the classifier the rows of those `classes` are kept
    that the source has by the same name; one that names none is taken to have these, if it has as many. Raises
    CheckpointError, and leaves `model` alone, for another backbone, less than half of its weights, or another file;
    ValueError for a model that `deeplab` has not built.
    """
    network: Any = unwrapped(model)
    if not hasattr(network, "arguments"):
        raise ValueError("model does not state its arguments: pass a network that models.deeplab has built")
    name = str(source) if isinstance(source, (str, Path)) else "the state dict"
    state, theirs, names = _read(source, name)
    inner = network.model if isinstance(network, MultiScale) else network
    own, rows = inner.state_dict(), _class_rows(network.arguments, inner)
    kept = {k: v for k, v in state.items() if k in own and k not in rows and v.shape == own[k].shape}
    _check_backbone(own, kept, theirs, network.arguments, name)
    names = list(classes if names is None else names)
    here = [place for place, label in enumerate(classes) if label in names]
    there = [names.index(classes[place]) for place in here]
    for key in rows if here else ():
        if key in state and state[key].shape == (len(names), *own[key].shape[1:]):
            kept[key] = own[key].clone()
            kept[key][here] = state[key][there].to(own[key])
    if ruined := [key for key, value in kept.items() if not value.isfinite().all()]:
        raise CheckpointError(f"{name} is ruined: {ruined[0]} holds NaN or infinity. Pass another file.")
    inner.load_state_dict(own | kept)
    known = [classes[place] for place in here] if rows & kept.keys() else []
    new = [label for label in classes if label not in known]
    return Started(name, _count(kept, kept) / _count(own, own), _drawn(own, kept), tuple(known), tuple(new))


def _read(source: str | Path | Mapping[str, Any], name: str) -> tuple[dict, dict, Sequence[str] | None]:
    """A trained network's weights by our names, the arguments of `deeplab`, and its classes if it states them."""
    content = source if isinstance(source, Mapping) else read(source)
    if isinstance(content, Mapping) and str(content.get("format")).startswith(stored.FORMAT):
        content = content if isinstance(source, Mapping) else load_checkpoint(source)
        about = content.get("about", {})
        if "model" not in about:
            raise CheckpointError(f"{name} does not say which model it holds: pass one that does")
        with torch.device("meta"):  # with the defaults that it left out
            built: Any = deeplab(**about["model"])
        return stored.state_dict_in(content["model"], name), built.arguments, about.get("classes")
    state = stored.state_dict_in(content, name)
    if "classifier.0.convs.0.0.weight" not in state:
        if any(key.startswith("backbone.") for key in state):
            return state, {}, None
        kind = "neither a network of this course nor torchvision's DeepLabV3"
        if _IMAGENET & state.keys():
            kind = "a classifier for ImageNet: pass it as weights=FILE, as those of the backbone"
        raise CheckpointError(f"{name} holds {kind} (it holds: {stored.contents(state)})")
    if "backbone.layer1.0.conv1.weight" not in state:
        raise CheckpointError(
            f"{name} is DeepLabV3 on MobileNetV3, which is not here: pass deeplabv3_resnet50 or deeplabv3_resnet101"
        )
    backbone = "resnet101" if "backbone.layer3.22.conv1.weight" in state else "resnet50"
    state = {our_name(key): value for key, value in state.items() if not key.startswith("aux_classifier.")}
    count = len(state["classifier.1.bias"])
    arguments = {"version": "v3", "backbone": backbone, "width": 1.0, "refine": True}
    return state, arguments, VOC_CLASSES if count == 21 else None


def _class_rows(arguments: dict[str, Any], inner: torch.nn.Module) -> set[str]:
    """The weights that have a row for each class: those that another class would make larger."""
    with torch.device("meta"):
        larger: Any = deeplab(**{**arguments, "num_classes": arguments["num_classes"] + 1})
    larger = larger.model if isinstance(larger, MultiScale) else larger
    own = inner.state_dict()
    return {key for key, value in larger.state_dict().items() if value.shape != own[key].shape}


def _check_backbone(own: dict, kept: dict, theirs: dict, ours: dict, name: str) -> None:
    """Raise CheckpointError unless the backbone is the same one and at least half of its weights are kept."""
    backbone = [key for key in own if key.startswith("backbone.")]
    fits = 2 * _count(own, [key for key in backbone if key in kept]) >= _count(own, backbone)
    lost = theirs.get("batch_norm", False) and ours.get("batch_norm") is False and ours["backbone"] == "vgg16"
    if theirs.get("backbone", ours["backbone"]) != ours["backbone"] or lost or not fits:
        changes = differences(theirs, ours)
        found = [f"{key} {' there, '.join(changes[key])} here" for key in _OF_BACKBONES if key in changes]
        apart = "; ".join(found) or "less than half of its weights fits"
        raise CheckpointError(f"{name} holds another backbone than here: {apart}. Start from the same one.")


def _count(state: Mapping[str, torch.Tensor], keys: Iterable[str]) -> int:
    return sum(state[key].numel() for key in keys)


def _drawn(own: Mapping[str, Any], kept: Mapping[str, Any]) -> tuple[str, ...]:
    """The parts of a network that nothing is kept of, and the layers in others; batch norm's counters are none."""
    begun = {key.partition(".")[0] for key in kept}
    missing = [key for key in own if key not in kept and not key.endswith("num_batches_tracked")]
    parts = [(key, key.partition(".")[0]) for key in missing]
    return tuple(dict.fromkeys(key.rpartition(".")[0] if part in begun else part for key, part in parts))
