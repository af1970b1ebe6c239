"""DeepLab v1 on CamVid, longer than in lesson 13's table: the run that lesson 05 shows. One seed.

    python lessons/results/camvid.py --checkpoint camvid.pt

needs CamVid and `weights/mobilenet_v2-imagenet-fp16.pt` in the data folder (see data/README.md), takes about forty
minutes on one quiet core, goes on where it stopped, measures val and test, writes `camvid.json` beside this file,
and keeps the network in the checkpoint. Network and data stand in `deeplab_lessons.training.side_by_side`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from deeplab_lessons import datasets, inference, training
from deeplab_lessons.training import side_by_side

RECIPE = {**side_by_side.RECIPE, "iterations": 2000, "lr": 0.01}
ZOOMS = (1.0, side_by_side.ZOOM)  # size at which a picture is shown to the network when it is measured


def main() -> None:
    """Train what is missing, measure, write."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--checkpoint", type=Path, required=True, help="file to keep the training in")
    options = options.parse_args()
    streets, _ = side_by_side.sets()
    network = side_by_side.build("v1", len(streets.classes))
    training.train(network, streets, checkpoint=options.checkpoint, progress=False, **RECIPE)
    results = {"model": side_by_side.NETWORKS["v1"], "recipe": RECIPE, "runs": []}
    for zoom in ZOOMS:
        for split in ("val", "test"):
            shown = inference.ManyViews(network.eval(), (zoom,))
            scores = training.evaluate(shown, datasets.CamVid(split=split))
            shares = {name: round(100 * value, 1) for name, value in scores.iou.items()}
            run = {"zoom": zoom, "split": split, "mean_iou": round(100 * scores.mean_iou, 1), "iou": shares}
            results["runs"].append(run)
            print(run, flush=True)
    Path(__file__).with_suffix(".json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
