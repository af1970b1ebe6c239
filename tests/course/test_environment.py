"""`make lab`'s first step: what it says when something is missing, and that a second start does nothing."""

import argparse
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


def test_a_python_that_is_too_old_is_refused(monkeypatch):
    fake_python(monkeypatch, (3, 10))
    with pytest.raises(SystemExit, match=r"needs Python 3\.11 or newer[\s\S]*PYTHON=python3\.14"):
        environment.check_python()


def test_a_python_that_was_tested_needs_no_words(monkeypatch, capsys):
    for version in ((3, 11), (3, 14)):
        fake_python(monkeypatch, version)
        environment.check_python()
    assert capsys.readouterr().out == ""


def test_a_newer_python_gets_a_warning_and_goes_on(monkeypatch, capsys):
    fake_python(monkeypatch, (3, 15))
    environment.check_python()
    said = capsys.readouterr().out
    assert (
        "Python 3.15 is newer than the newest that was tested, 3.14" in said and "PYTHON=python3.14" in said
    )


def test_the_folders_of_an_environment_are_its_systems(monkeypatch):
    monkeypatch.setattr(environment, "WINDOWS", False)
    assert environment.python_of("here") == Path("here/bin/python")
    assert environment.in_venv("here", "purelib").match("here/lib/python3.*/site-packages")
    monkeypatch.setattr(environment, "WINDOWS", True)
    assert environment.python_of("here") == Path("here/Scripts/python.exe")
    assert environment.in_venv("here", "purelib") == Path("here/Lib/site-packages")


@pytest.mark.parametrize(
    ("have", "want", "runs"), [("test", "lab", 0), ("lab", "lab", 0), ("lab", "test", 1)]
)
def test_a_second_start_installs_nothing(monkeypatch, options, have, want, runs):
    """An environment for tests opens lessons too; one for lessons still lacks the tests' packages."""
    Path(options.venv).mkdir()
    (Path(options.venv) / ".ready").write_text(f"{have} {environment.fingerprint(options)}")
    made, installed = [], []
    monkeypatch.setattr(environment, "make_venv", made.append)
    monkeypatch.setattr(environment, "pip", lambda *words, **_: installed.append(words[-1]) or True)
    environment.install(want, options)
    assert len(made) == runs and installed[:1] == [f".[{want}]"] * runs


def test_a_changed_requirement_installs_anew(options, tmp_path):
    before = environment.fingerprint(options)
    changed = tmp_path / "constraints.txt"
    changed.write_text((ROOT / "constraints.txt").read_text() + "# another pin\n")
    options.constraints = str(changed)
    assert environment.fingerprint(options) != before


def test_a_failed_installation_leaves_no_stamp_and_says_what_to_do(monkeypatch, options):
    monkeypatch.setattr(environment, "make_venv", lambda venv: venv.mkdir())
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


@pytest.mark.parametrize("version", [(3, 13), (3, 14)])
def test_python_313_leaves_the_crf_reference_out(monkeypatch, capsys, no_commands, version):
    fake_python(monkeypatch, version)
    environment.install_crf_reference(Path("venv"), [])
    assert "does not build on Python 3.13" in capsys.readouterr().out


def test_test_gpu_wants_a_python_with_torch(tmp_path):
    """-S hides site-packages: a Python without torch."""
    command = [sys.executable, "-S", ROOT / "tools" / "environment.py", "--venv", tmp_path / "gpu", "gpu"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode and "has no torch" in done.stderr and not (tmp_path / "gpu").exists()


@pytest.mark.slow
def test_test_gpu_stops_where_there_is_no_cuda():
    hidden = os.environ | {"CUDA_VISIBLE_DEVICES": "", "DEEPLAB_LESSONS_DEVICE": "cuda"}
    command = [sys.executable, ROOT / "tools" / "require_cuda.py"]
    done = subprocess.run(command, capture_output=True, text=True, env=hidden)
    assert done.returncode and "needs a CUDA device" in done.stderr and "finds only: cpu" in done.stderr


def test_katex_comes_without_the_django_that_its_package_wants(monkeypatch, tmp_path, capsys):
    ran = []
    monkeypatch.setattr(environment, "pip", lambda *words, **_: ran.append(words) or len(ran) == 1)
    environment.install_katex(tmp_path, ["--find-links", "wheels"])
    (_, *words) = ran[0]
    assert words[:3] == ["install", "--find-links", "wheels"] and "--no-deps" in words
    assert words[-2:] == [str(tmp_path / "share/katex"), environment.KATEX] and capsys.readouterr().out == ""
    environment.install_katex(tmp_path, [])
    assert "Only `make site` needs it" in capsys.readouterr().out


def test_wheels_are_enough_for_the_tests_and_the_site(monkeypatch):
    ran = []
    monkeypatch.setattr(
        subprocess, "run", lambda command, **_: ran.append(command) or argparse.Namespace(returncode=0)
    )
    environment.download("wheels", argparse.Namespace(constraints="constraints.txt"))
    assert [command[-1] for command in ran] == [".[test]", environment.KATEX]
    assert all("constraints.txt" in command for command in ran) and "--no-deps" in ran[1]
