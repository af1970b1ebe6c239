"""Where a lesson runs: variables that are read strictly, and folders that suit a checkout and an installed package."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import deeplab_lessons
from deeplab_lessons import checks, runtime

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    for name in ("DEVICE", "SCALE", "SEED", "DATA", "CACHE"):
        monkeypatch.delenv(f"DEEPLAB_LESSONS_{name}", raising=False)


@pytest.fixture
def no_accelerator(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


def test_defaults(no_accelerator):
    assert (runtime.device(), runtime.scale(), runtime.seed()) == (torch.device("cpu"), "class", 0)


@pytest.mark.parametrize(("cuda", "mps", "chosen"), [(True, True, "cuda"), (False, True, "mps")])
def test_auto_takes_the_first_accelerator(monkeypatch, cuda, mps, chosen):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert runtime.device().type == chosen
    monkeypatch.setenv("DEEPLAB_LESSONS_DEVICE", " CPU ")
    assert runtime.device().type == "cpu"


def test_a_device_that_is_not_there_is_refused(monkeypatch, no_accelerator):
    monkeypatch.setenv("DEEPLAB_LESSONS_DEVICE", "cuda")
    with pytest.raises(RuntimeError, match=r"DEVICE is 'cuda'.* finds only: cpu\. Unset the variable"):
        runtime.device()


@pytest.mark.parametrize(
    ("name", "value", "call", "message"),
    [
        ("DEVICE", "gpu", runtime.device, "unknown {} 'gpu': choose from auto, cpu, cuda, mps"),
        ("SCALE", "huge", runtime.scale, "unknown {} 'huge': choose from class, full"),
        ("SEED", "1.5", runtime.seed, "{} must be a whole number, got '1.5'"),
    ],
)
def test_a_wrong_value_is_named(monkeypatch, name, value, call, message):
    monkeypatch.setenv(f"DEEPLAB_LESSONS_{name}", value)
    with pytest.raises(ValueError, match=message.format(f"DEEPLAB_LESSONS_{name}")):
        call()


def test_one_seed_for_everything(monkeypatch):
    import random

    import numpy as np

    def draw():
        return random.random(), np.random.random(), torch.rand(1).item()

    monkeypatch.setenv("DEEPLAB_LESSONS_SEED", "7")
    assert runtime.seed_everything() == 7
    first = draw()
    assert runtime.seed_everything(7) == 7 and draw() == first
    assert runtime.seed_everything(8) == 8 and draw() != first


def test_a_checkout_keeps_data_beside_the_package():
    assert runtime.data_dir() == ROOT / "data" and runtime.cache_dir() == ROOT / "data" / "cache"


def test_variables_name_other_folders(monkeypatch):
    monkeypatch.setenv("DEEPLAB_LESSONS_DATA", "~/sets")
    monkeypatch.setenv("DEEPLAB_LESSONS_CACHE", "kept")
    assert (runtime.data_dir(), runtime.cache_dir()) == (Path.home() / "sets", Path("kept"))
    monkeypatch.setenv("DEEPLAB_LESSONS_DATA", "")
    assert runtime.data_dir() == ROOT / "data", "an empty variable is no folder"


@pytest.mark.parametrize("beside", [None, '[project]\nname = "another"\n', "no TOML ["])
def test_an_installed_package_keeps_nothing_beside_itself(tmp_path, beside):
    """Whatever lies beside it in site-packages: a folder data, another project's pyproject.toml."""
    packages, home = tmp_path / "site-packages", tmp_path / "home"
    for folder in (packages / "deeplab_lessons", packages / "data", home):
        folder.mkdir(parents=True)
    for module in (deeplab_lessons, checks, runtime):
        shutil.copy(module.__file__, packages / "deeplab_lessons")
    if beside is not None:
        (packages / "pyproject.toml").write_text(beside)
    code = (
        "from deeplab_lessons import runtime as r; print(r.__file__, r.data_dir(), r.cache_dir(), sep='\\n')"
    )
    environment = os.environ | {"PYTHONPATH": str(packages), "HOME": str(home), "USERPROFILE": str(home)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    module, data, cache = map(Path, done.stdout.splitlines())
    assert module.is_relative_to(packages)
    assert data == home / "deeplab-lessons" / "data" and cache == home / ".cache" / "deeplab-lessons"


def test_full_precision_leaves_no_tf32_and_torch_usable(recwarn):
    """On every torch since 2.11, with neither a warning nor the mixed state in which torch refuses to answer."""
    cudnn, products = torch.backends.cudnn, torch.backends.cuda.matmul
    try:
        cudnn.allow_tf32, products.allow_tf32 = True, True
        runtime.full_precision()
        assert "tf32" not in (
            cudnn.conv.fp32_precision,
            cudnn.rnn.fp32_precision,
            products.fp32_precision,
        )
        assert not cudnn.allow_tf32 and torch.get_float32_matmul_precision() == "highest"
        with cudnn.flags(enabled=True, allow_tf32=False):
            assert not cudnn.allow_tf32
    finally:
        cudnn.allow_tf32, products.allow_tf32 = True, False
    assert not [str(warning.message) for warning in recwarn if "TF32" in str(warning.message)]


def test_an_empty_variable_counts_as_none(monkeypatch):
    for name in ("DEVICE", "SCALE", "SEED"):
        monkeypatch.setenv(f"DEEPLAB_LESSONS_{name}", "")
    assert (runtime.scale(), runtime.seed()) == ("class", 0) and runtime.device()
