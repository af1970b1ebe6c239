"""CamVid by every version of DeepLab: the long runs of lesson 14's table, three seeds each.

    python lessons/results/lesson14.py

needs CamVid and `weights/mobilenet_v2-imagenet-fp16.pt` in the data folder (see data/README.md), writes
`lesson14.json` next to this file in about two hours on one core, continues where it stopped, and prints each run. The
networks are in `deeplab_lessons.classroom.experiments`. Times are taken at the end, the networks by turns: "ms" for one
image, "s" for one iteration of the training, one number for each turn.
"""

from collections.abc import Sequence
from dataclasses import replace

import runs
import torch

from deeplab_lessons import inference, runtime, training
from deeplab_lessons.classroom import measure
from deeplab_lessons.classroom.experiments import Experiment, experiment
from deeplab_lessons.classroom.networks import camvid_ready, mobilenet_weights

SEEDS = (0, 1, 2)
VERSIONS = {"v1": "camvid_v1", "v2": "camvid_v2", "v3": "camvid_v3", "v3+": "camvid_v3plus"}
ZOOM = 1.5  # size at which an image is shown when it is measured: the middle of what training saw
WIDTHS = (1, 2, 4, 8, 16)  # of the bands around the boundaries, in pixels
SHOWN = 40  # the validation image whose labels are kept
SIZE = (360, 480)  # of CamVid's images, in pixels
TURNS = 5  # of three iterations, to time them


def versions(quick: bool, iterations: int | None = None) -> dict[str, Experiment]:
    """Return the experiment of each version, trained for that many iterations (by default its own)."""
    found = {name: experiment(which, "full") for name, which in VERSIONS.items()}
    if quick:
        return {
            name: replace(each, iterations=1, batch_size=2, crop=(48, 64)) for name, each in found.items()
        }
    return {name: replace(each, iterations=iterations or each.iterations) for name, each in found.items()}


def measured(network: torch.nn.Module, data: Sequence) -> dict:
    """mIoU, IoU of the classes and mIoU near the boundaries, in per cent, of images shown at `ZOOM`."""
    views = inference.ManyViews(network.eval(), (ZOOM,))
    return runs.measured(training.evaluate(views, data, trimap=WIDTHS), digits=1)


def drawn(network: torch.nn.Module, image: torch.Tensor) -> str:
    """Return what a network predicts for an image shown at `ZOOM`, as text."""
    return runs.as_text(inference.predict(inference.ManyViews(network.eval(), (ZOOM,)), image))


def run(which: Experiment, seed: int, quick: bool) -> dict:
    """Train one version and measure it on val, shown at `ZOOM`; the last seed draws an image."""
    network, (train, val) = which.model(seed, mobilenet_weights()), which.data_sets()
    runtime.seed_everything(seed)
    history = training.train(network, train, seed=seed, progress=False, **which.settings)
    val = torch.utils.data.Subset(val, range(2)) if quick else val
    found = {"loss": round(history.smooth()[-1], 4), "val": measured(network, val)}
    if quick or seed == SEEDS[-1]:
        found["drawn"] = drawn(network, val[1 if quick else SHOWN][0])
    return found


def costs(tested: dict[str, Experiment], quick: bool) -> dict[str, dict]:
    """Parameters, multiply-adds, milliseconds for one image and seconds for one iteration, by version."""
    weights = mobilenet_weights()
    networks = {name: which.model(weights=weights).eval() for name, which in tested.items()}
    milliseconds: dict[str, list[float]] = {name: [] for name in networks}
    for _ in range(1 if quick else 9):
        for name, network in networks.items():
            milliseconds[name].append(round(measure.milliseconds(network, SIZE, repeats=1), 1))
    seconds: dict[str, list[float]] = {name: [] for name in networks}
    for _ in range(1 if quick else TURNS):
        for name, which in tested.items():
            short = which.settings | {"iterations": 1 if quick else 3, "progress": False}
            history = training.train(networks[name], which.data_sets()[0], **short)
            seconds[name].append(round(history.seconds / len(history.loss), 3))
    return {
        name: measure.cost(which, SIZE) | {"ms": milliseconds[name], "s": seconds[name]}
        for name, which in tested.items()
    }


def plan(quick: bool = False, iterations: int | None = None) -> dict:
    """Return what the numbers of a results file depend on."""
    tested = versions(quick, iterations)
    first = tested["v1"]
    recipe = {key: first.settings[key] for key in ("batch_size", "loss", "schedule", "channels_last")}
    return {
        "networks": {name: which.network for name, which in tested.items()}, "recipe": recipe,
        "iterations": first.iterations, "lr": {name: which.lr for name, which in tested.items()},
        "crop": first.crop, "scale": first.scale, "zoom": ZOOM, "shown": SHOWN, "quick": quick,
    }  # fmt: skip


def need_data() -> None:
    """Exit where CamVid or the backbone's weights are missing."""
    if not camvid_ready():
        raise SystemExit(
            f"CamVid or mobilenet_v2-imagenet-fp16.pt is not in {runtime.data_dir()}: see data/README.md"
        )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is missing, seed by seed, save after each, and count and time all versions at the end."""
    options = runs.options(__file__, "Train and measure what lesson 14 compares.", arguments)
    need_data()
    tested = versions(options.quick)
    results = runs.fill(
        options.results, plan(options.quick), SEEDS[: 1 if options.quick else None], tested,
        lambda name, seed: {name: run(tested[name], seed, options.quick)},
    )  # fmt: skip
    if "cost" not in results:
        cost = costs(tested, options.quick)
        results["cost"] = {"size": SIZE, "threads": torch.get_num_threads(), "versions": cost}
        runs.save(options.results, results)


if __name__ == "__main__":
    main()
