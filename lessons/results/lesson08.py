"""The comparison of lesson 08: post-processing by a dense CRF, a learned one, and joint training; three seeds.

    python lessons/results/lesson08.py

writes `lesson08.json` next to this file in about 15 minutes on one core, continues where it stopped, and prints
each run.

| name | what |
|---|---|
| alone | the small network of lesson 05, without a CRF |
| after | the same network, and a CRF as post-processing; its numbers chosen on training scenes from `runs.CRF_GRID` |
| frozen | that network as it is, with a CRF whose weights and compatibility are learned ("CRF-only") |
| joint | network and CRF trained further jointly |
| joint, CRF off | that network without its CRF |
| further | the network alone trained further: iterations, batches, learning rates and loss as in "joint" |
| further, after | that network, and a CRF as post-processing, its numbers chosen again |
| further, frozen | that network, and a learned CRF: both learned, one after the other |

and, under "parts", what the CRF of "frozen" owes to which of its learned numbers: "weights" are the learned weights
with Potts, "number" is the CRF of "after" with nothing learned but what background next to background costs, and
"weights and number" are both.
"""

import copy
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path

import runs
import torch

from deeplab_lessons import crf, training
from deeplab_lessons.classroom.experiments import experiment
from deeplab_lessons.classroom.networks import cache_path, trained
from deeplab_lessons.models.with_crf import CRFNetwork

SEEDS = (0, 1, 2)
NETWORK = "small_largefov"
WIDTHS = (1, 2, 4, 8, 16)  # of the bands around the boundaries, in pixels

#: How "frozen", "joint" and "further" are trained. Rates and clip were chosen on training scenes, with seed 0.
FURTHER = {
    "iterations": 60, "batch_size": 4, "lr": 0.005, "schedule": "poly", "loss": "upsampled", "clip": 1.0,
}  # fmt: skip
#: The CRF's learning rate as a multiple of `lr`.
CRF_RATE = 2.0
ITERATIONS = (5, 10)  # mean-field updates in training and in use: CRF-as-RNN, section 6
NAMES = (
    "alone", "after", "frozen", "joint", "joint, CRF off", "further", "further, after", "further, frozen",
)  # fmt: skip
PARTS = ("weights", "number", "weights and number")


class Comparison:
    """All runs of one seed; what several of them need is made once.

    With `quick` a few iterations on a few scenes, to see whether everything runs. `path` is the results file.
    """

    def __init__(self, seed: int, quick: bool, path: Path):
        self.seed, self.quick, self.path = seed, quick, path
        self.which = replace(experiment(NETWORK), **{"count": 20} if quick else {})
        self.scenes, self.val = self.which.data_sets()
        self.made: dict[str, torch.nn.Module] = {}

    def network(self) -> torch.nn.Module:
        """The class network of this seed, trained by the recipe of lesson 05: a fresh copy."""
        if "alone" not in self.made:
            if self.quick:
                self.made["alone"] = self.which.model(self.seed).eval()
            else:
                self.made["alone"], _ = trained(self.which, self.seed, progress=False)
        return copy.deepcopy(self.made["alone"])

    def further(self, model: torch.nn.Module, name: str) -> training.History:
        """Train `model` in place by `FURTHER`, in the same order of scenes whatever the model is."""
        settings = FURTHER | ({"iterations": 2} if self.quick else {})
        history = training.train(model, self.scenes, seed=100 + self.seed, progress=False, **settings)
        self.made[name] = model.eval()
        return history

    def tuned(self, name: str) -> crf.Parameters | None:
        """Return the setting that "after" chose for the network of that name, if it has been run."""
        after = "further, after" if name.startswith("further,") else "after"
        done = runs.load(self.path, plan(self.quick)).get("runs", {}).get(after, [])
        return next(
            (crf.Parameters(**each["parameters"]) for each in done if each["seed"] == self.seed), None
        )

    def run(self, name: str) -> dict:
        """Make what `name` stands for and measure it."""
        began = time.monotonic()
        model, history = self.model(name, self.tuned(name))
        scores = training.evaluate(model.eval(), self.val, trimap=WIDTHS)
        drawn, there = scores.confusion.sum(0).double(), scores.confusion.sum(1).double()
        found = runs.measured(scores)
        found["drawn"] = dict(zip(scores.iou, (drawn / there).round(decimals=3).tolist(), strict=True))
        if hasattr(model, "crf"):
            with torch.no_grad():
                found["parameters"] = asdict(model.crf.current)
            if model.crf.compatibility is not None:
                matrix = model.crf.compatibility.detach().double()
                found["compatibility"] = matrix.round(decimals=4).tolist()
        found |= {"loss": round(history.smooth()[-1], 4)} if history else {}
        return found | {"seconds": round(time.monotonic() - began)}

    def model(
        self, name: str, tuned: crf.Parameters | None
    ) -> tuple[torch.nn.Module, training.History | None]:
        """The model of that name, and the history of its further training, if it has one."""
        if name == "joint, CRF off":
            return self.needed("joint", tuned).network, None
        network = self.needed("further", tuned) if name.startswith("further,") else self.network()
        if name.endswith("after"):
            layer = crf.DenseCRF(runs.tuned(network, self.which.crop, self.quick))
            return CRFNetwork(network, layer, frozen=True, iterations=ITERATIONS), None
        if name.endswith(("frozen", "joint")):
            layer = crf.DenseCRF(tuned, len(self.val.classes), trainable=("weights", "compatibility"))
            network = CRFNetwork(network, layer, name.endswith("frozen"), ITERATIONS, CRF_RATE)
        return network, self.further(network, name) if name != "alone" else None

    def part(self, name: str, learned: dict) -> dict:
        """Measure the CRF that has only some of the numbers which `learned`, the run "frozen" of this seed, found."""
        setting, costs = self.tuned("frozen"), crf.potts(len(self.val.classes))
        if name.startswith("weights"):
            setting = crf.Parameters(**learned["parameters"])
        if name.endswith("number"):
            costs[0, 0] = learned["compatibility"][0][0]
        layer = crf.DenseCRF(setting, compatibility=costs)
        model = CRFNetwork(self.network(), layer, frozen=True, iterations=ITERATIONS)
        return runs.measured(training.evaluate(model.eval(), self.val))

    def needed(self, name: str, tuned: crf.Parameters | None) -> torch.nn.Module:
        """A model that an earlier run made; made again after a stop."""
        if name not in self.made:
            self.model(name, tuned)
        return self.made[name]


def plan(quick: bool = False) -> dict:
    """Return what the numbers depend on."""
    which = experiment(NETWORK)
    recipe = ("iterations", "batch_size", "lr", "schedule", "channels_last")
    return {
        "network": cache_path(which, 0).stem, "recipe": {key: which.settings[key] for key in recipe},
        "size": which.crop, "grid": runs.CRF_GRID, "fixed": runs.CRF_FIXED, "tuned_on": runs.TUNED_ON,
        "iterations": ITERATIONS, "further": FURTHER, "crf_rate": CRF_RATE, "quick": quick,
    }  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is missing, seed by seed, and save after each."""
    options = runs.options(__file__, "Train and measure what lesson 08 compares.", arguments)
    comparison = cache(lambda seed: Comparison(seed, options.quick, options.results))
    planned, seeds = plan(options.quick), SEEDS[: 1 if options.quick else None]
    found = runs.fill(
        options.results, planned, seeds, NAMES, lambda name, seed: {name: comparison(seed).run(name)}
    )["runs"]
    learned = {run["seed"]: run for run in found["frozen"]}
    runs.fill(
        options.results, planned, seeds, PARTS,
        lambda name, seed: {name: comparison(seed).part(name, learned[seed])}, group="parts",
    )  # fmt: skip


if __name__ == "__main__":
    main()
