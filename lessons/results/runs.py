"""Results files, filled run by run: each training is saved when it is done, and nothing is trained twice."""

import argparse
import base64
import io
import json
from collections.abc import Callable, Iterable
from pathlib import Path

from PIL import Image

#: What is done for one name and seed: the numbers by the name under which they are told.
Run = Callable[[str, int], dict[str, dict]]


def asked(script: str, about: str, keep: str = "") -> argparse.Namespace:
    """The command line of a results script: `results`, by default the .json beside it, and `--quick`.

    `keep`: what the folder `--keep` is for, where a script needs one.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("results", type=Path, nargs="?", default=Path(script).with_suffix(".json"))
    parser.add_argument("--quick", action="store_true", help="tiny: does everything run?")
    if keep:
        parser.add_argument("--keep", type=Path, required=True, help=keep)
    return parser.parse_args()


def fill(path: Path, plan: dict, seeds: Iterable[int], names: Iterable[str], run: Run) -> None:
    """Run what `path` lacks, seed by seed, and save and print after each; another `plan` begins anew.

    The file holds the plan and "runs": for each name a list with one entry for each seed.
    """
    plan = json.loads(json.dumps(plan))
    results = json.loads(path.read_text()) if path.is_file() else {}
    if {key: results.get(key) for key in plan} != plan:
        results = {**plan, "runs": {}}
    for seed in seeds:
        for name in names:
            if seed in [done["seed"] for done in results["runs"].get(name, [])]:
                continue
            for told, numbers in run(name, seed).items():
                results["runs"].setdefault(told, []).append({"seed": seed, **numbers})
                print(f"{told:<22}", results["runs"][told][-1], flush=True)
            path.write_text(json.dumps(results, indent=1) + "\n")


def as_text(labels) -> str:
    """A label map uint8 [H, W] as a PNG in base64."""
    file = io.BytesIO()
    Image.fromarray(labels).save(file, "png", optimize=True)
    return base64.b64encode(file.getvalue()).decode()
