"""The package's snapshot of the lessons is the one that is derived from them now."""

import pytest
from ledger import snapshot
from ledger.statements import unbuilt

from deeplab_lessons.classroom.ledger import snapshot as stored
from deeplab_lessons.classroom.ledger.twins import Twin


@pytest.mark.slow
def test_the_snapshot_is_what_the_lessons_and_their_results_say():
    if unbuilt():
        pytest.skip(f"not built yet: {', '.join(unbuilt())}")
    derived = snapshot.derive()
    for part, found in derived.items():
        assert found == stored.load()[part], "run `make ledger`"
    assert derived == stored.load(), "run `make ledger`"


def test_a_missing_notebook_is_named(monkeypatch):
    monkeypatch.setattr(snapshot, "unbuilt", lambda: ["07_x"])
    with pytest.raises(FileNotFoundError, match="no notebook of 07_x: run `make notebooks` first"):
        snapshot.derive()


def test_it_is_written_only_where_it_changed(tmp_path, monkeypatch):
    path = tmp_path / "snapshot.json"
    monkeypatch.setattr(stored, "PATH", path)
    monkeypatch.setattr(snapshot, "derive", lambda: {"lessons": {"σ": "07"}, "twins": {}})
    stored.load.cache_clear()
    assert snapshot.update() and not snapshot.update()
    assert stored.lessons("σ") == ["07"] and "σ" in path.read_text(encoding="utf-8")
    stored.load.cache_clear()


def test_a_number_is_read_from_the_results():
    seeds = snapshot.runs("12", "v3+")
    assert snapshot.mean_ious(Twin("12", "v3+")) == [run["mean_iou"] for run in seeds]
    assert snapshot.mean_ious(Twin("12", "v3+", band=1)) == [run["trimap"]["1"] for run in seeds]
    assert snapshot.mean_ious(Twin("11", "v3", at="16")) == [
        run["at"]["16"]["mean_iou"] for run in snapshot.runs("11", "v3")
    ]
    with pytest.raises(KeyError, match=r"unknown runs 'nobody' of lesson12\.json: choose from v3, OS 16"):
        snapshot.runs("12", "nobody")
