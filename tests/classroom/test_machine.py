"""What a lesson says of the machine that it runs on."""

import ntpath
import os
from pathlib import Path

import pytest
import torch
import torchvision

from deeplab_lessons import runtime
from deeplab_lessons.classroom import machine

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def no_variables_and_no_accelerator(monkeypatch):
    for name in ("DEVICE", "SCALE", "SEED", "DATA"):
        monkeypatch.delenv(f"DEEPLAB_LESSONS_{name}", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


def test_the_report_says_where_the_work_runs(monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT / "notebooks")
    lines = machine.report().splitlines()
    assert [line.split()[0] for line in lines] == ["Python", "torch", "device", "scale", "seed", "data"]
    assert lines[1] == f"torch   {torch.__version__}, torchvision {torchvision.__version__}"
    assert lines[2].startswith("device  cpu, ") and lines[-1] == f"data    {Path('..', 'data')} (there)"
    monkeypatch.setenv("DEEPLAB_LESSONS_DATA", str(tmp_path / "none"))
    assert machine.report().endswith("none (not there; the course does not need it)")


def test_the_report_works_across_drives(monkeypatch):
    """On Windows no relative path leads from one drive to another."""
    monkeypatch.setattr(os.path, "relpath", lambda path: ntpath.relpath(r"D:\data", r"C:\course"))
    assert f"{runtime.data_dir()} (there)" in machine.report()
