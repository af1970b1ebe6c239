"""Lessons are read as statements, each with its line and the papers that it points to."""

import json

from ledger.statements import cites, outputs, sentences, statements, unbuilt


def test_statements_know_their_lines_and_their_papers(tmp_path):
    path = tmp_path / "04_a_lesson.md"
    path.write_text(
        "---\nx: 1\n---\n\n# 04\n\nOne thing. The paper has\n64.38 there.\n\n$$\n12.34\n$$\n\n"
        "| a (table 2) |\n|---|\n| 5 |\n\n```{code-cell} ipython3\n:tags: [x]\n\npaper = 6\nb = 7\n```\n\n"
        "```\nshell 77.77\n```\n\n## References\n\n- table 9: 88.88\n"
    )
    found = [(each.line, each.kind, each.cites, each.text) for each in statements(path)]
    assert found == [
        (7, "prose", "", "One thing."),
        (7, "prose", "place", "The paper has 64.38 there."),
        (14, "row", "place", "| a (table 2) |"),
        (16, "row", "place", "| 5 |"),
        (21, "code", "place", "paper = 6"),
        (22, "code", "", "b = 7"),
    ]


def test_sentences_and_what_they_cite():
    assert sentences("It has 1.5 of it. See Fig. 4 (v1). Done? \"Yes.\" 16 more.") == [
        "It has 1.5 of it.", "See Fig. 4 (v1).", "Done?", "\"Yes.\"", "16 more.",
    ]  # fmt: skip
    assert cites("as table 3 says") == cites("the paper") == "place"
    assert cites("DeepLab v2 does") == cites("v3+ has") == "name"
    assert cites("the last table answers it, `printed`") == ""


def test_a_cell_that_shows_the_ledger_proves_nothing(tmp_path):
    """Else lesson 14, which shows it, would state every entry and excuse every number."""
    cells = [
        {"source": ["ledger.table()"], "outputs": [{"data": {"text/plain": ["11.11"]}}]},
        {"source": ["print(x)"], "outputs": [{"text": ["22.22\n", "33.33"]}]},
        {"source": ["33.33"]},
        {"source": ["from deeplab_lessons.classroom.ledger import released"], "outputs": [{"text": "44.44"}]},
    ]
    (tmp_path / "14_x.ipynb").write_text(json.dumps({"cells": cells}))
    assert [each.text for each in outputs("14", tmp_path)] == ["22.22", "33.33", "44.44"]
    assert outputs("13", tmp_path) == []


def test_lessons_without_a_notebook_are_named(tmp_path):
    (tmp_path / "01_a.md").touch()
    (tmp_path / "02_b.md").touch()
    (tmp_path / "02_b.ipynb").touch()
    assert unbuilt(tmp_path, tmp_path) == ["01_a"]
