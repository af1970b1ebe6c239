"""`make ledger` writes the page, updates the snapshot and says what it did."""

import pytest
from ledger import __main__ as command

from deeplab_lessons.classroom.ledger import ENTRIES


@pytest.mark.slow
def test_the_page_needs_no_other_file(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(command, "update", lambda: True)
    path = tmp_path / "build" / "ledger.html"
    assert command.main([str(path)]) == 0
    text, printed = path.read_text(encoding="utf-8"), capsys.readouterr().out
    assert text.count("<tr class=") == len(ENTRIES)
    assert all(each not in text for each in ("<script", "<link", "http"))
    assert "differs. The paper" in text and "±" in text
    assert printed.startswith("updated: ") and f"{len(ENTRIES)} numbers from papers" in printed


def test_another_argument_is_refused(capsys):
    assert command.main(["--help"]) == command.main(["a.html", "b.html"]) == 2
    assert "usage: python -m ledger [PAGE.html]" in capsys.readouterr().out


def test_without_notebooks_the_snapshot_stays(tmp_path, capsys, monkeypatch):
    def update():
        raise FileNotFoundError("no notebook of 07_x: run `make notebooks` first")

    monkeypatch.setattr(command, "update", update)
    monkeypatch.setattr(command, "page", lambda: "the page")
    monkeypatch.setattr(command, "summary", lambda: "the summary")
    path = tmp_path / "ledger.html"
    assert command.main([str(path)]) == 0 and path.read_text() == "the page"
    captured = capsys.readouterr()
    assert "stays as it was: no notebook of 07_x" in captured.err and "updated" not in captured.out
