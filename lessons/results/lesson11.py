"""The comparisons of lesson 11: class-size twins of DeepLab v3's tables 5, 6 and 8; three seeds.

    python lessons/results/lesson11.py

writes `lesson11.json` beside this file in about 25 minutes on one core, continues where it stopped, and prints each
run. A scene of 161 pixels has 11 x 11 cells at output stride 16, a third of the paper's 33 x 33; so the pyramid's
dilations are a third of 6, 12, 18 (and 24), and the same taps are on the map. All but the second stages are
trained at output stride 16 from random weights.

| name | what |
|---|---|
| no multi-grid | blocks of layer4 alike: (1, 1, 1); pyramid without image pooling |
| multi-grid | (1, 2, 4) |
| rate 8 too | with a fourth 3 x 3 branch: stands for the paper's dilation of 24 |
| v3 | multi-grid and image pooling in its place: the whole network |
| subsampled labels | the same, trained on one label a cell in place of upsampled logits |
| v3, stage 2 | "v3" trained on at output stride 8, batch norm frozen, at a seventh of the rate, by as many iterations |
| v3, on at 16 | the same second stage, but still at output stride 16 |

Each is measured at output stride 16 and, with the same weights, at 8 (dilations of the pyramid doubled, "8"; and
left as they were, "8, same rates"); "v3" also mirrored, and at three scales and mirrored; the second stages at 16
and at 8.
"""

from collections.abc import Sequence

import runs
import torch

from deeplab_lessons import inference, models, training
from deeplab_lessons.classroom.built_in import Embedded
from deeplab_lessons.datasets import transforms

SEEDS = (0, 1, 2)
SIZE = 161  # pixels a side: 11 x 11 cells at output stride 16, 21 x 21 at 8
TRAIN, VAL = 1000, 100  # scenes
RATES = (2, 4, 6)
NETWORK = {"backbone": "resnet50", "width": 1 / 4, "blocks": (1, 1, 1, 3)}
TRAINING = {"iterations": 500, "batch_size": 4, "lr": 0.1, "schedule": "poly", "loss": "upsampled"}
SCALES = (0.75, 1.0, 1.25)
SECOND = {"lr": 0.1 / 7, "freeze_batch_norm": True}  # the paper's second rate is a seventh of its first

RUNS: dict[str, dict] = {
    "no multi-grid": {"multi_grid": (1, 1, 1), "image_pooling": False},
    "multi-grid": {"image_pooling": False},
    "rate 8 too": {"image_pooling": False, "rates": (*RATES, 8)},
    "v3": {},
    "subsampled labels": {"loss": "subsample"},
}


def network(name: str, output_stride: int = 16, doubled: bool = True) -> models.DeepLabV3:
    """The network of that name; at output stride 8 its pyramid's dilations are doubled, unless told otherwise."""
    options = {key: value for key, value in {"rates": RATES, **RUNS[name]}.items() if key != "loss"}
    if doubled:
        options["rates"] = tuple(rate * 16 // output_stride for rate in options["rates"])
    return models.deeplab_v3(len(Embedded.classes), output_stride=output_stride, **NETWORK, **options)


def trained(name: str, seed: int, settings: dict) -> tuple[models.DeepLabV3, training.History]:
    """Train the network of that name at output stride 16."""
    torch.manual_seed(seed)
    return fitted(network(name), seed, settings | {"loss": RUNS[name].get("loss", settings["loss"])})


def fitted(model: models.DeepLabV3, seed: int, settings: dict) -> tuple[models.DeepLabV3, training.History]:
    """Train `model` on the scenes."""
    scenes = Embedded("train", TRAIN, SIZE, transforms.train(SIZE, None))
    history = training.train(model, scenes, seed=seed, channels_last=True, progress=False, **settings)
    return model.eval(), history


def at_stride(
    name: str, model: models.DeepLabV3, output_stride: int, doubled: bool = True
) -> models.DeepLabV3:
    """The weights of `model` in the network of that name at another output stride."""
    found = network(name, output_stride, doubled)
    found.load_state_dict(model.state_dict())
    return found.eval()


def views(name: str, model: models.DeepLabV3) -> dict[str, torch.nn.Module]:
    """The trained network as it is measured: {name of the way: network}."""
    found = {"16": model, "8": at_stride(name, model, 8), "8, same rates": at_stride(name, model, 8, False)}
    if name == "v3":
        found["8, mirrored"] = inference.ManyViews(found["8"], flip=True)
        found["8, scales, mirrored"] = inference.ManyViews(found["8"], SCALES, flip=True)
    return found


def run(name: str, seed: int, settings: dict, quick: bool) -> dict[str, dict]:
    """Train the network of that name and measure it in every way; for "v3" the two second stages as well."""
    model, history = trained(name, seed, settings)
    found = {name: measured(history, views(name, model), quick)}
    if name == "v3":
        for title, stride in (("v3, stage 2", 8), ("v3, on at 16", 16)):
            further, history = fitted(at_stride(name, model, stride), seed, settings | SECOND)
            ways = {way: at_stride(name, further, int(way)) for way in ("16", "8")}
            found[title] = measured(history, ways, quick)
    return found


def measured(history: training.History, ways: dict[str, torch.nn.Module], quick: bool) -> dict:
    """Loss, seconds, and for each way to measure mIoU and IoU of the classes, in per cent."""
    scenes = Embedded("val", 2 if quick else VAL, SIZE)
    found = {way: runs.measured(training.evaluate(model, scenes)) for way, model in ways.items()}
    return {"loss": round(history.smooth()[-1], 4), "seconds": round(history.seconds), "at": found}


def settings(quick: bool) -> dict:
    """Return what `train` is given."""
    return TRAINING | ({"iterations": 1} if quick else {})


def plan(quick: bool = False) -> dict:
    """Return what the numbers depend on."""
    return {
        "network": NETWORK, "training": settings(quick), "second": SECOND, "networks": RUNS, "size": SIZE,
        "scenes": [TRAIN, VAL], "rates": RATES, "scales": SCALES, "quick": quick,
    }  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is missing, seed by seed, and save after each."""
    options = runs.options(__file__, "Train and measure what lesson 11 compares.", arguments)
    runs.fill(
        options.results, plan(options.quick), SEEDS[: 1 if options.quick else None], RUNS,
        lambda name, seed: run(name, seed, settings(options.quick), options.quick),
    )  # fmt: skip


if __name__ == "__main__":
    main()
