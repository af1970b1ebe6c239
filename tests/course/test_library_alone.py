"""What `pip install .` alone gives: the library works without JupyterLab, widgets, matplotlib, pandas or classroom."""

import os
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LAB = [Requirement(text).name for text in PROJECT["optional-dependencies"]["lab"]]
BLOCKED = [*LAB, "IPython", "traitlets", "deeplab_lessons.classroom"]

BLOCK = textwrap.dedent(
    """
    import sys

    class Without:
        # A finder that finds none of the blocked modules and distributions, as if they were not installed.

        def __init__(self, finder):
            self.finder = finder
        def __getattr__(self, name):
            return getattr(self.finder, name)
        def find_spec(self, name, path=None, target=None):
            if not any(name == blocked or name.startswith(f"{blocked}.") for blocked in BLOCKED):
                return self.finder.find_spec(name, path, target)

        def find_distributions(self, *context):
            found = getattr(self.finder, "find_distributions", lambda *_: ())(*context)
            return (one for one in found if one.name not in BLOCKED)

    sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
    """
)

EVERY_MODULE = textwrap.dedent(
    """
    import importlib, pkgutil
    import deeplab_lessons

    def walk(package):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            if module.name != "deeplab_lessons.classroom":
                loaded = importlib.import_module(module.name)
                yield module.name
                yield from walk(loaded) if module.ispkg else ()

    print(*walk(deeplab_lessons))
    """
)

OWN_DATA = textwrap.dedent(
    """
    import torch
    from deeplab_lessons import crf, inference, models, receptive_field, training

    numbers = torch.Generator().manual_seed(0)
    pairs = [
        (torch.randn(3, 41, 41, generator=numbers), torch.randint(3, (41, 41), generator=numbers)) for _ in range(2)
    ]
    model = models.deeplab("v1", num_classes=3, width=1 / 64)
    training.train(model, pairs, pairs, iterations=1, batch_size=2, lr=1e-3, device="cpu", progress=False)
    scores = inference.evaluate(model, pairs)
    print(f"{scores.mean_iou:.2f}", receptive_field.trace(model, input_size=41))
    picture = (torch.rand(3, 41, 41, generator=numbers) * 255).to(torch.uint8)
    print(crf.refine(torch.randn(3, 41, 41, generator=numbers), picture).shape)
    """
)

COMMANDS = textwrap.dedent(
    """
    import numpy as np
    from pathlib import Path
    from PIL import Image
    from deeplab_lessons import cli

    for folder, part in (("images", np.zeros((32, 32, 3), np.uint8)), ("labels", np.eye(32, dtype=np.uint8))):
        Path(folder).mkdir()
        for number in range(3):
            Image.fromarray(part + np.uint8(number) * (part.ndim == 3)).save(f"{folder}/{number}.png")
    files = ["--data", "folder", "--images", "images", "--labels", "labels", "--classes", "ground,line"]
    small = ["--width", "0.1", "--crop", "32", "--batch-size", "2", "--iterations", "1", "--device", "cpu"]
    cli.main(["check", *files])
    cli.main(["train", *files, "--checkpoint", "net.pt", *small])
    cli.main(["evaluate", "net.pt", "--device", "cpu"])
    cli.main(["segment", "images/0.png", "--checkpoint", "net.pt", "--device", "cpu"])
    """
)


def run(folder, code, *blocked):
    names = [*BLOCKED, *blocked]
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "DEEPLAB_LESSONS_DATA": str(folder),
    }
    done = subprocess.run(
        [sys.executable, "-c", f"BLOCKED = {names}\n{BLOCK}\n{code}"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.slow
def test_every_module_of_the_library_loads(tmp_path):
    loaded = set(run(tmp_path, EVERY_MODULE, "skimage").split())
    files = [path for path in (ROOT / "deeplab_lessons").rglob("*.py") if path.name != "__init__.py"]
    wanted = {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in files}
    assert loaded >= {name for name in wanted if ".classroom." not in name}


@pytest.mark.slow
def test_training_scores_table_and_crf_work_on_own_data(tmp_path):
    """Without scikit-image, which only the photographs of the built-in scenes need."""
    assert "torch.Size([3, 41, 41])" in run(tmp_path, OWN_DATA, "skimage")


@pytest.mark.slow
def test_the_command_line_works(tmp_path):
    said = run(tmp_path, COMMANDS)
    assert "mIoU" in said and "images/0-segmented.png" in said


@pytest.mark.slow
def test_what_is_blocked_is_blocked(tmp_path):
    with pytest.raises(AssertionError, match="No module named 'matplotlib'"):
        run(tmp_path, "import matplotlib.pyplot")
    with pytest.raises(AssertionError, match=r"No module named 'deeplab_lessons\.classroom'"):
        run(tmp_path, "from deeplab_lessons.classroom import drawing")
