"""Cards: what is between backticks is code in a notebook; no heading is empty, and nothing becomes markup."""

from deeplab_lessons.classroom.exercises.cards import Card


def test_backticks_are_code_in_a_notebook_and_stay_in_a_terminal():
    card = Card("Hint 1 for `ex.size`", ("Is `a < b` true? `c` is not.", "One ` alone."))
    html = card._repr_html_()
    assert "Hint 1 for <code>ex.size</code>" in html
    assert "<p>Is <code>a &lt; b</code> true? <code>c</code> is not.</p><p>One ` alone.</p>" in html
    assert "Is `a < b` true?" in repr(card)
