"""The three-seed comparisons of lesson 05: heads and losses at class size, 15 trainings.

    python -m deeplab_lessons.training.compare lessons/results/lesson05.json

goes on where it stopped, if the file is there, and prints each run.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from scipy import ndimage

from deeplab_lessons import inference, training
from deeplab_lessons.datasets import Pairs
from deeplab_lessons.training import recipes

SEEDS = (0, 1, 2)
EDGES = (8, 16, 32, 64)  # diameters in pixels that part the sizes of objects
SIZES = ["below 8", "8 to 16", "16 to 32", "32 to 64"]
COMPACT = (1, 2, 3)  # discs, boxes, triangles: shapes that have a diameter


def found_by_size(network: torch.nn.Module, dataset: Pairs) -> list[float]:
    """Per cent of the pixels of discs, boxes and triangles that get their class, by size of the visible part.

    The diameter is that of a disc with as many pixels.
    """
    right, total = np.zeros(len(SIZES)), np.zeros(len(SIZES))
    for index in range(len(dataset)):
        drawn, labels = inference.predict(network, dataset[index][0]), dataset.pair(index)[1]
        for label in COMPACT:
            parts, count = ndimage.label(labels == label)
            for part in range(1, count + 1):
                inside = parts == part
                place = min(np.searchsorted(EDGES, 2 * np.sqrt(inside.sum() / np.pi)), len(SIZES) - 1)
                total[place] += inside.sum()
                right[place] += (drawn[inside] == label).sum()
    return (100 * right / np.maximum(total, 1)).round(2).tolist()


def one_run(head: str, loss: str, seed: int) -> dict:
    """Train one network by the class recipe and measure it on the validation scenes."""
    scenes, val = recipes.class_data()
    network = recipes.class_network(head, seed)
    scenes.fill()
    history = training.train(network, scenes, loss=loss, seed=seed, progress=False, **recipes.CLASS_RECIPE)
    scores = training.evaluate(network, val)
    return {
        "seed": seed,
        "mean_iou": round(100 * scores.mean_iou, 2),
        "iou": {name: round(100 * value, 1) for name, value in scores.iou.items()},
        "found_by_size": found_by_size(network.eval(), val),
        "loss": round(history.smooth()[-1], 4),
        "seconds": round(history.seconds),
    }


def main() -> None:
    """Run what is missing, head by head and loss by loss, and save after each."""
    options = argparse.ArgumentParser(description="Train and measure what lesson 05 compares.")
    options.add_argument("results", type=Path, help="JSON file to write, or to go on with")
    options.add_argument("--only", choices=("heads", "losses"))
    options = options.parse_args()
    recipe = {"recipe": recipes.CLASS_RECIPE, "size": recipes.SIZE, "heads_tried": recipes.HEADS}
    results = json.loads(options.results.read_text()) if options.results.is_file() else {}
    if {key: results.get(key) for key in recipe} != json.loads(json.dumps(recipe)):
        results = {**recipe, "sizes": SIZES, "heads": {}, "losses": {}}
    plans = [("heads", head, head, "subsample") for head in recipes.HEADS]
    plans += [("losses", loss, "LargeFOV", loss) for loss in ("area", "upsampled")]
    for seed in SEEDS:
        for part, name, head, loss in plans:
            runs = results[part].setdefault(name, [])
            if options.only in (None, part) and seed not in [run["seed"] for run in runs]:
                began = time.process_time()
                runs.append(one_run(head, loss, seed))
                print(part, name, runs[-1], f"{time.process_time() - began:.0f} s of computing", flush=True)
                results["losses"]["subsample"] = results["heads"].get("LargeFOV", [])
                options.results.parent.mkdir(exist_ok=True)
                options.results.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
