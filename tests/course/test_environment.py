"""`make lab`'s first step: what it says when something is missing, and that a second start does nothing."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import environment
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def options(tmp_path):
    return argparse.Namespace(
        venv=str(tmp_path / "venv"), constraints=str(ROOT / "constraints.txt"), wheels=""
    )


@pytest.fixture
def no_commands(monkeypatch):
    def refuse(*words, **_):
        raise AssertionError(f"ran {words}")

    monkeypatch.setattr(subprocess, "run", refuse)


def fake_python(monkeypatch, version):
    monkeypatch.setattr(sys, "version_info", (*version, 0, "final", 0))


@pytest.mark.parametrize("version", [(3, 10), (3, 14)])
def test_an_unsupported_python_is_named(monkeypatch, version):
    fake_python(monkeypatch, version)
    with pytest.raises(SystemExit, match=r"needs Python 3\.11, 3\.12 or 3\.13[\s\S]*PYTHON="):
        environment.check_python()


@pytest.mark.parametrize(
    ("have", "want", "runs"), [("test", "lab", 0), ("lab", "lab", 0), ("lab", "test", 1)]
)
def test_a_second_start_installs_nothing(monkeypatch, options, have, want, runs):
    """An environment for tests opens lessons too; one for lessons still lacks the tests' packages."""
    Path(options.venv).mkdir()
    (Path(options.venv) / ".ready").write_text(f"{have} {environment.fingerprint(options)}")
    made = []
    monkeypatch.setattr(environment, "make_venv", made.append)
    monkeypatch.setattr(environment, "pip", lambda *words, **_: True)
    environment.install(want, options)
    assert len(made) == runs


def test_a_changed_requirement_installs_anew(options, tmp_path):
    before = environment.fingerprint(options)
    changed = tmp_path / "constraints.txt"
    changed.write_text((ROOT / "constraints.txt").read_text() + "# another pin\n")
    options.constraints = str(changed)
    assert environment.fingerprint(options) != before


def test_a_failed_installation_leaves_no_stamp_and_says_what_to_do(monkeypatch, options):
    monkeypatch.setattr(environment, "pip", lambda *words, **_: False)
    with pytest.raises(SystemExit, match=r"No network\?[\s\S]*make wheels[\s\S]*WHEELS=wheels"):
        environment.install("lab", options)
    assert not (Path(options.venv) / ".ready").exists()


def test_a_missing_wheels_folder_is_named(no_commands, options):
    options.wheels = "nowhere"
    with pytest.raises(SystemExit, match="'nowhere', which is not there"):
        environment.install("lab", options)


def test_without_a_compiler_only_the_crf_reference_is_left_out(monkeypatch, capsys, no_commands):
    fake_python(monkeypatch, (3, 12))
    monkeypatch.setattr(environment.shutil, "which", lambda name: None)
    environment.install_crf_reference(Path("venv"), [])
    said = capsys.readouterr().out
    assert (
        "no C++ compiler found" in said and "Everything else works" in said and "apt-get install g++" in said
    )


def test_python_313_leaves_the_crf_reference_out(monkeypatch, capsys, no_commands):
    fake_python(monkeypatch, (3, 13))
    environment.install_crf_reference(Path("venv"), [])
    assert "does not build on Python 3.13" in capsys.readouterr().out


def test_test_gpu_wants_a_python_with_torch(tmp_path):
    """-S hides site-packages: a Python without torch."""
    command = [sys.executable, "-S", ROOT / "tools" / "environment.py", "--venv", tmp_path / "gpu", "gpu"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode and "has no torch" in done.stderr and not (tmp_path / "gpu").exists()


def test_test_gpu_stops_where_there_is_no_cuda():
    hidden = os.environ | {"CUDA_VISIBLE_DEVICES": "", "DEEPLAB_LESSONS_DEVICE": "cuda"}
    command = [sys.executable, ROOT / "tools" / "require_cuda.py"]
    done = subprocess.run(command, capture_output=True, text=True, env=hidden)
    assert done.returncode and "needs a CUDA device" in done.stderr and "finds only: cpu" in done.stderr


def test_the_lab_shows_no_news(tmp_path):
    environment.quiet_lab(tmp_path)
    settings = json.loads((tmp_path / "share/jupyter/lab/settings/overrides.json").read_text())
    assert settings["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"
