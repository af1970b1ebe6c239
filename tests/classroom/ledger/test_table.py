"""The ledger's table and summary, in a checkout and from an installed wheel."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deeplab_lessons.classroom.ledger import ENTRIES, summary, table

ROOT = Path(__file__).parents[3]
MEASURED = [entry for entry in ENTRIES if entry.standing == "measure"]


@pytest.mark.slow
def test_the_table():
    whole, ten = table(), table(lesson="10")
    assert len(whole) == len(ENTRIES) > len(ten) > 20
    assert all("10" in lessons.split(", ") for lessons in ten.lessons)
    assert set(whole[whole.printed == "224"].ours) == {"404"}


def test_one_standing():
    measured = table("measure")
    assert set(measured.standing) == {"measure"} and len(measured) == len(MEASURED)
    assert all("±" in ours for ours in measured.ours) and all(measured.remark.str.startswith("twin, lesson "))


def test_another_kind_or_lesson_is_refused():
    with pytest.raises(ValueError, match="unknown kind 'guess': choose from compute, measure, cite"):
        table(kind="guess")
    with pytest.raises(ValueError, match=r"lesson '15' states no number of a paper: choose from 00, .* 14$"):
        table(lesson="15")


def test_the_summary_counts():
    assert summary(MEASURED[:2]).startswith("2 numbers from papers: 0 computed, 2 with a measured twin")


@pytest.mark.slow
def test_the_table_of_an_installed_wheel(tmp_path):
    """It has no lessons and no `lessons/results/` next to it."""
    source, wheels, site = (tmp_path / name for name in ("source", "wheels", "site"))
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(
        ROOT / "deeplab_lessons", source / "deeplab_lessons", ignore=shutil.ignore_patterns("__pycache__")
    )
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    offline = ["--no-deps", "--no-index"]
    subprocess.run(
        [*pip, "wheel", source, *offline, "--no-build-isolation", "--wheel-dir", wheels], check=True
    )
    (wheel,) = wheels.glob("deeplab_lessons-*.whl")
    subprocess.run([*pip, "install", wheel, *offline, "--target", site], check=True)
    code = (
        "import deeplab_lessons; from deeplab_lessons.classroom.ledger import table\n"
        "measured, tenth = table('measure'), table('cite', lesson='10')\n"
        "print(deeplab_lessons.__file__, len(measured), len(tenth), *measured.ours, sep='\\n')"
    )
    environment = os.environ | {"PYTHONPATH": str(site)}
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, text=True, capture_output=True
    )
    assert ran.returncode == 0, ran.stderr
    where, measured, tenth, *ours = ran.stdout.splitlines()
    assert Path(where).is_relative_to(site)
    assert int(measured) == len(MEASURED) and int(tenth) == len(table("cite", lesson="10"))
    assert ours == list(table("measure").ours)
