"""CamVid by every version of DeepLab: the long runs of lesson 13's table, three seeds each.

    python lessons/results/lesson13.py

needs CamVid and `weights/mobilenet_v2-imagenet-fp16.pt` in the data folder (see data/README.md), writes
`lesson13.json` beside this file in about two hours on one core, goes on where it stopped, and prints each run. The
networks and how they are measured stand in `deeplab_lessons.training.side_by_side`. Times are taken at the end, the
networks by turns: "ms" for one picture, "s" for one iteration of the training, one number for each turn.
"""

import json

import runs
import torch

from deeplab_lessons import inference, runtime, training
from deeplab_lessons.training import side_by_side

SEEDS = (0, 1, 2)
ITERATIONS = 400
#: First rates. v1 and v2 give their heads ten times as much; v3 and v3+ train everything at one rate.
LR = {"v1": 0.01, "v2": 0.01, "v3": 0.03, "v3+": 0.03}
SHOWN = 40  # the validation picture whose labels are kept
SIZE = (360, 480)  # of CamVid's pictures, in pixels
TURNS = 5  # of three iterations, to time them


def run(name: str, seed: int, quick: bool) -> dict[str, dict]:
    """Train one version and measure it on val enlarged by `side_by_side.ZOOM`; the last seed draws a picture."""
    train, val = side_by_side.sets()
    network = side_by_side.build(name, len(train.classes), seed)
    runtime.seed_everything(seed)
    history = training.train(
        network, train, seed=seed, iterations=3 if quick else ITERATIONS, lr=LR[name], progress=False,
        **side_by_side.RECIPE,
    )  # fmt: skip
    measured = torch.utils.data.Subset(val, range(3)) if quick else val
    found = {"loss": round(history.smooth()[-1], 4), "val": side_by_side.row(network, measured)}
    if seed == SEEDS[-1]:
        shown = inference.ManyViews(network, (side_by_side.ZOOM,))
        found["drawn"] = runs.as_text(inference.predict(shown, val[SHOWN][0]))
    return {name: found}


def costs() -> dict[str, dict]:
    """Parameters, multiply-adds, milliseconds for one picture and seconds for one iteration, by version."""
    train, _ = side_by_side.sets()
    classes = len(train.classes)
    networks = {name: side_by_side.build(name, classes) for name in side_by_side.NETWORKS}
    times = side_by_side.milliseconds(networks, SIZE, rounds=9)
    steps = {name: [] for name in networks}
    for _ in range(TURNS):
        for name, network in networks.items():
            short = {"iterations": 3, "lr": LR[name], "progress": False, **side_by_side.RECIPE}
            steps[name].append(training.train(network, train, **short).seconds / 3)
    return {
        name: side_by_side.cost(name, classes, SIZE)
        | {"ms": [round(each, 1) for each in times[name]], "s": [round(each, 3) for each in steps[name]]}
        for name in networks
    }


def plan(iterations: int, quick: bool) -> dict:
    """What the numbers of a results file depend on."""
    return {
        "networks": side_by_side.NETWORKS, "recipe": side_by_side.RECIPE, "iterations": iterations, "lr": LR,
        "crop": side_by_side.CROP, "scale": side_by_side.SCALE, "zoom": side_by_side.ZOOM, "shown": SHOWN,
        "quick": quick,
    }  # fmt: skip


def need_data() -> None:
    """Stop with a friendly word where CamVid or the backbone's weights are missing."""
    if not side_by_side.ready():
        raise SystemExit(f"CamVid and {side_by_side.imagenet().name} are not in {runtime.data_dir()}")


def main() -> None:
    """Run what is missing, seed by seed, save after each, and count and time all versions at the end."""
    options = runs.asked(__file__, "Train and measure what lesson 13 compares.")
    need_data()
    names = side_by_side.NETWORKS
    what = plan(ITERATIONS, options.quick)
    runs.fill(options.results, what, SEEDS, names, lambda name, seed: run(name, seed, options.quick))
    results = json.loads(options.results.read_text())
    if "cost" not in results:
        results["cost"] = {"size": SIZE, "threads": torch.get_num_threads(), "versions": costs()}
        options.results.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
