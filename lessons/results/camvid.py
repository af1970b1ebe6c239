"""CamVid by every version of DeepLab, five times as long as in lesson 13's table. Lessons 05 and 13 show it.

    python lessons/results/camvid.py --keep networks

needs CamVid and `weights/mobilenet_v2-imagenet-fp16.pt` in the data folder (see data/README.md), takes about three
and a half hours on one quiet core, measures each network on val and test, writes `camvid.json` beside this file after
each, and prints it. The trainings are kept in the folder `networks`, and go on where they stopped. The networks stand
in `deeplab_lessons.training.side_by_side`, the rates in `lesson13.py`.
"""

from pathlib import Path

import lesson13
import runs
import torch

from deeplab_lessons import datasets, inference, training
from deeplab_lessons.training import side_by_side

ITERATIONS = 2000
#: The versions that are trained with each seed: one again, to see how far two runs of a version lie apart.
SEEDS = {0: tuple(side_by_side.NETWORKS), 1: ("v2",)}


def run(name: str, seed: int, folder: Path, quick: bool) -> dict[str, dict]:
    """Train one version and measure it on val and test: enlarged by `side_by_side.ZOOM`, and as they are."""
    streets, _ = side_by_side.sets()
    network = side_by_side.build(name, len(streets.classes), seed)
    history = training.train(
        network, streets, seed=seed, iterations=3 if quick else ITERATIONS, lr=lesson13.LR[name], progress=False,
        checkpoint=folder / f"{name}-{seed}.pt", **side_by_side.RECIPE,
    )  # fmt: skip
    found = {"loss": round(history.smooth()[-1], 4), "as it is": {}}
    for split in ("val", "test"):
        data = datasets.CamVid(split=split)
        data = torch.utils.data.Subset(data, range(3)) if quick else data
        found[split] = side_by_side.row(network, data)
        found["as it is"][split] = round(100 * training.evaluate(network, data).mean_iou, 2)
    shown = inference.ManyViews(network, (side_by_side.ZOOM,))
    picture, _ = datasets.CamVid(split="val")[lesson13.SHOWN]
    return {name: found | {"drawn": runs.as_text(inference.predict(shown, picture))}}


def main() -> None:
    """Run what is missing, and save after each run."""
    options = runs.asked(__file__, "Train every version on CamVid for long.", keep="folder for the trainings")
    lesson13.need_data()
    plan = lesson13.plan(ITERATIONS, options.quick)
    options.keep.mkdir(parents=True, exist_ok=True)
    for seed, names in SEEDS.items():
        runs.fill(
            options.results, plan, (seed,), names,
            lambda name, seed: run(name, seed, options.keep, options.quick),
        )  # fmt: skip


if __name__ == "__main__":
    main()
