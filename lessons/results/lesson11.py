"""The comparisons of lesson 11: small-scale twins of DeepLab v3's tables 5, 6 and 8, and a finished network.

    python lessons/results/lesson11.py

writes `lesson11.json` next to this file in about 35 minutes on one core, continues where it stopped, and prints each
run.

**The twins** (25 minutes, three seeds). A scene of 161 pixels has 11 x 11 cells at output stride 16, a third of the
paper's 33 x 33; so the pyramid's dilations are a third of 6, 12, 18 (and 24), and the same taps are on the map. All
but the second stages are trained at output stride 16 from random weights.

| name | what |
|---|---|
| no multi-grid | blocks of layer4 alike: (1, 1, 1); pyramid without image pooling |
| multi-grid | (1, 2, 4) |
| rate 8 too | with a fourth 3 x 3 branch: stands for the paper's dilation of 24 |
| v3 | multi-grid and image pooling instead: the complete network |
| subsampled labels | the same, trained on one label per cell instead of upsampled logits |
| v3, stage 2 | "v3" trained on at output stride 8, batch norm frozen, a seventh of the learning rate, as long |
| v3, on at 16 | the same second stage, but still at output stride 16 |

Each is measured at output stride 16 and, with the same weights, at 8 (dilations of the pyramid doubled, "8"; and
left as they were, "8, same rates"); "v3" also mirrored, and at three scales and mirrored; the second stages at 16
and at 8.

**The finished network** (10 minutes) is the DeepLab v3 on MobileNetV2 published for PASCAL VOC, on photographs of
VOC's val: the first 100 of its list in the data folder, which needs both (data/README.md). The stored results belong to
a list of 100 that is balanced by class. Nothing is trained: `LIES` change the vector of its image pooling branch, and
`WAYS` how it is tested. "against" holds the difference to the network as it is, in points, and a 95 % interval:
percentiles over `draws` bootstrap samples of the photographs, the same photographs on both sides. The seed chooses
which other photograph lends its vector, one without a class in common. "drawn" is what the network makes of
scikit-image's cat, also with the vectors of `LENDERS`. Which photographs it was trained on is not known.
"""

import functools
from collections.abc import Callable, Sequence

import numpy as np
import runs
import torch

from deeplab_lessons import datasets, inference, models, training
from deeplab_lessons.backbones import mobilenet_v2
from deeplab_lessons.classroom.built_in import Embedded, photograph
from deeplab_lessons.classroom.mobile_deeplab import MobileDeepLabV3, mobile_deeplab_v3
from deeplab_lessons.datasets import transforms
from deeplab_lessons.grid import Grid

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

WEIGHTS = "deeplabv3_mobilenet_v2_tf-voc-fp16.pt"
PHOTOS, DRAWS, BANDS = 100, 1000, (1, 4)  # bands in pixels around VOC's void borders
LIES = ("another's vector", "the mean vector", "zeros")
WAYS = ("output stride 8", "mirrored too", "three scales")
LENDERS = ("astronaut", "coffee")


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


class Finished:
    """The finished network on photographs of VOC's val, and what becomes of its results."""

    def __init__(self, photos: int = PHOTOS, draws: int = DRAWS):
        path = runs.weights_beside_voc(WEIGHTS)
        voc = datasets.VOC(split="val")
        self.pairs = [voc.pair(index) for index in range(photos)]
        self.net, self.draws = mobile_deeplab_v3(path), draws

    def run(self, name: str, seed: int) -> dict[str, dict]:
        """Measure the network in one way: mIoU, also near boundaries, and the differences to the network as it is."""
        drawn, counts = {}, self.counts(name, seed) if name in (*LIES, *WAYS) else self.as_it_is
        found = {}
        if counts is not self.as_it_is:
            found["against"] = named(runs.gain(self.as_it_is, counts, self.draws))
        if name == "as it is":
            cat = photograph("chelsea")
            vectors = {"its own": self.vector(cat)} | {
                each: self.vector(photograph(each)) for each in LENDERS
            }
            drawn = {
                "drawn": {each: runs.as_text(self.told(cat, vector)) for each, vector in vectors.items()}
            }
        return {name: named(runs.mean_ious(counts.sum(0))) | found | drawn}

    @functools.cached_property
    def as_it_is(self) -> np.ndarray:
        """The counts of the network as it is."""
        return self.counted(lambda index, picture: inference.predict(self.net, picture))

    @functools.cached_property
    def vectors(self) -> list[torch.Tensor]:
        """What image pooling says of each photograph, [1, channels, 1, 1]."""
        return [self.vector(picture) for picture, _ in self.pairs]

    def counts(self, name: str, seed: int) -> np.ndarray:
        """The counts of the network in one of `LIES` or `WAYS`."""
        if name in LIES:
            lies = self.lies(name, seed)
            return self.counted(lambda index, picture: self.told(picture, lies[index]))
        fine = MobileDeepLabV3().eval()
        fine.features, fine.grid = mobilenet_v2(8).eval(), Grid(8, 0.0)
        fine.load_state_dict(self.net.state_dict())
        other = {
            "output stride 8": fine,
            "mirrored too": inference.ManyViews(self.net, flip=True),
            "three scales": inference.ManyViews(self.net, SCALES),
        }[name]
        return self.counted(lambda index, picture: inference.predict(other, picture))

    def lies(self, name: str, seed: int) -> list[torch.Tensor]:
        """A vector for each photograph that is not its own."""
        if name != "another's vector":
            mean = torch.stack(self.vectors).mean(0)
            return [mean * (name != "zeros")] * len(self.vectors)
        draw = np.random.default_rng(seed)
        classes = [set(np.unique(labels)) - {0, datasets.IGNORE_INDEX} for _, labels in self.pairs]
        others = [[j for j, far in enumerate(classes) if not near & far] for near in classes]
        return [self.vectors[draw.choice(each)] for each in others]

    def vector(self, picture: np.ndarray) -> torch.Tensor:
        """What image pooling says of a picture."""
        said: list[torch.Tensor] = []
        listening = self.net.image_pooling.register_forward_hook(lambda part, x, y: said.append(y))
        inference.predict(self.net, picture)
        listening.remove()
        return said[0]

    def told(self, picture: np.ndarray, vector: torch.Tensor) -> np.ndarray:
        """What the network predicts when image pooling says `vector`, uint8 [H, W]."""
        lying = self.net.image_pooling.register_forward_hook(lambda part, x, y: vector)
        labels = inference.predict(self.net, picture)
        lying.remove()
        return labels

    def counted(self, predict: Callable[[int, np.ndarray], np.ndarray]) -> np.ndarray:
        """Confusion matrices of each photograph: of all pixels, and of each of `BANDS`, [photos, 1 + bands, C, C]."""
        found = []
        for index, (picture, labels) in enumerate(self.pairs):
            found.append(runs.counts(predict(index, picture), labels, 21, BANDS))
        return np.stack(found)


def named(rows: np.ndarray) -> dict:
    """Return what was measured of all pixels, then of each of `BANDS`, under its name, with two decimals."""
    return dict(zip(("mean_iou", *map(str, BANDS)), rows.round(2).tolist(), strict=True))


def settings(quick: bool) -> dict:
    """Return what `train` is given."""
    return TRAINING | ({"iterations": 1} if quick else {})


def on_photos(quick: bool) -> dict:
    """Return what `Finished` is given."""
    return {"photos": 2, "draws": 10} if quick else {"photos": PHOTOS, "draws": DRAWS}


def plan(quick: bool = False) -> dict:
    """Return what the numbers depend on."""
    return {
        "network": NETWORK, "training": settings(quick), "second": SECOND, "networks": RUNS, "size": SIZE,
        "scenes": [TRAIN, VAL], "rates": RATES, "scales": SCALES, "quick": quick,
        "photos": {"weights": WEIGHTS, "bands": BANDS, **on_photos(quick)},
    }  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is missing, seed by seed, and save after each."""
    options = runs.options(__file__, "Train and measure what lesson 11 compares.", arguments)
    runs.fill(
        options.results, plan(options.quick), SEEDS[: 1 if options.quick else None], RUNS,
        lambda name, seed: run(name, seed, settings(options.quick), options.quick),
    )  # fmt: skip
    finished = functools.cache(lambda: Finished(**on_photos(options.quick)))
    runs.fill(
        options.results, plan(options.quick), SEEDS[:1], ("as it is", *LIES, *WAYS),
        lambda name, seed: finished().run(name, seed), "finished",
    )  # fmt: skip


if __name__ == "__main__":
    main()
