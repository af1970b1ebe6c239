"""A prediction's form: nothing before the commit, then the computed answer, by mouse and keyboard, with no kernel."""

import pytest
import traitlets
from pages import FRAME, SMALL_TARGETS, barriers, play_kernel, too_wide

from deeplab_lessons.classroom.widgets.prediction import PredictionForm

OPTIONS = ("the field", "the map size", "both")


def number(**options):
    slips = ((3 * 2, "You counted the gaps."), (5, "That is the window."))
    given = {"question": "How many cells are left?", "kind": "number", "answer": 3, "unit": "cells"}
    return PredictionForm(**given | {"slips": slips} | options)


def choice():
    return PredictionForm(
        "Which column changes?", "choice", "the map size", OPTIONS, slips=[("both", "It stays.")]
    )


def order():
    answer = ("both", "the field", "the map size")
    return PredictionForm("Sort them.", "order", answer, OPTIONS, slips=[(OPTIONS[::-1], "Other way.")])


def test_its_text_is_the_question_with_unit_or_options():
    assert repr(number()) == "Predict. How many cells are left? [cells]"
    assert repr(choice()) == "Predict. Which column changes?\n- the field\n- the map size\n- both"
    assert number()._repr_mimebundle_()[0]["text/plain"] == repr(number())


def test_the_first_answer_stays():
    form = number()
    form.committed = 5
    form.committed = 3
    assert form.committed == 5


@pytest.mark.parametrize(
    ("form", "answer"),
    [(number, "3"), (number, True), (choice, "nothing"), (choice, 3), (order, ["both"]), (order, "both")],
)
def test_answers_that_the_form_cannot_give_are_refused(form, answer):
    form = form()
    with pytest.raises(traitlets.TraitError, match="cannot give"):
        form.committed = answer
    assert form.committed is None
    with pytest.raises(ValueError, match="the answer must be one that the form can give"):
        PredictionForm(form.question, form.kind, answer, form.options)


def test_a_notebook_can_hold_many():
    assert len(PredictionForm._esm) + len(PredictionForm._css) < 7_000


def test_its_script_is_stored_without_comments():
    assert "//" not in PredictionForm._esm


# ---------------------------------------------------------------- in a browser; `show` refuses the network


def said(page):
    page.evaluate(FRAME)
    return page.get_by_role("status").inner_text().split("\n\n")


def commit(page):
    page.get_by_role("button", name="Commit", exact=True).click()


@pytest.mark.browser
@pytest.mark.parametrize(
    ("text", "answer", "verdict"),
    [
        ("3", "3 cells", "✓ Right."),
        (" 3 cells", "3 cells", "✓ Right."),
        ("6/2", "3 cells", "✓ Right."),
        ("1", "1 cell", "✗ Not this time."),
        ("1,5", "1.5 cells", "✗ Not this time."),
        ("0,125", "0.125 cells", "✗ Not this time."),
        ("−2", "-2 cells", "✗ Not this time."),
        ("16 384", "16,384 cells", "✗ Not this time."),
        ("1,048,576", "1,048,576 cells", "✗ Not this time."),
        ("2e3", "2,000 cells", "✗ Not this time."),
    ],
)
def test_numbers_as_people_type_them(show, text, answer, verdict):
    page = show(number())
    field = page.get_by_label("Your prediction, in cells")
    field.fill(text)
    commit(page)
    own, computed, *slip = said(page)
    assert own == f"{verdict} Your prediction: {answer}."
    assert computed == "Computed answer: 3 cells." and not slip


@pytest.mark.browser
@pytest.mark.parametrize(
    ("unit", "one"),
    [
        ("cells per side", "1 cell per side"),
        ("branches", "1 branch"),
        ("vertices", "1 vertex"),
        ("million pairs", "1 million pairs"),
    ],
)
def test_one_of_a_unit_is_singular(show, unit, one):
    page = show(number(answer=1, unit=unit))
    page.get_by_label(f"Your prediction, in {unit}").fill("1")
    commit(page)
    assert said(page)[1] == f"Computed answer: {one}."


@pytest.mark.browser
def test_what_is_no_number_is_asked_again(show):
    page = show(number())
    field = page.get_by_label("Your prediction, in cells")
    assert said(page) == [""]
    for text in ("", "many", "3 or 4", "1/0", "1/2/3", "1.2.3", "0x10", "Infinity", "3 pixels"):
        field.fill(text)
        commit(page)
        assert said(page) == ["Type one number, such as 12 or 1.5."], text
        assert field.get_attribute("aria-invalid") == "true"
    for text in ("16,384", "16,384 cells"):
        field.fill(text)
        commit(page)
        assert said(page)[0].startswith("A comma before three digits can be read in two ways.")
    field.fill("5")
    field.press("Enter")
    assert said(page)[2] == "That is the window." and field.get_attribute("aria-invalid") == "false"


@pytest.mark.browser
def test_within_the_tolerance_is_right_and_beyond_it_a_slip_is_explained(show):
    for text, first, last in (("0.67", "✓ Right.", "0.6667."), ("0.32", "✗ Not", "Out of all three.")):
        page = show(number(answer=2 / 3, unit="", tolerance=0.02, slips=((1 / 3, "Out of all three."),)))
        page.get_by_label("Your prediction").fill(text)
        commit(page)
        assert said(page)[0].startswith(first) and said(page)[-1].endswith(last)


@pytest.mark.browser
def test_before_the_commit_nothing_is_revealed_and_after_it_nothing_changes(show):
    page = show(number())
    page.get_by_label("Your prediction, in cells").fill("6")
    assert "Computed" not in page.locator("body").inner_text() and said(page) == [""]
    commit(page)
    assert said(page)[2] == "You counted the gaps."
    field = page.get_by_label("Your prediction, in cells")
    assert not field.is_editable()
    before = said(page)
    page.get_by_role("button", name="Committed").press("Enter")
    assert said(page) == before and page.get_by_role("button").count() == 1


@pytest.mark.browser
def test_a_choice_by_keyboard_alone(show):
    page = show(choice())
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert said(page) == ["Choose one of the answers first."]
    page.keyboard.press("Shift+Tab")
    for key in (" ", "ArrowDown", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    own, computed, slip = said(page)
    assert own == "✗ Not this time. Your prediction: both."
    assert computed == "Computed answer: the map size." and slip == "It stays."
    assert page.get_by_role("radio", disabled=True).count() == 2 and page.get_by_label("both").is_checked()
    assert page.evaluate("document.activeElement.innerText") == "Committed", "the focus is not lost"


@pytest.mark.browser
def test_an_order_by_keyboard_alone(show):
    page = show(order())
    for _ in range(5):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.ariaLabel") == "Move up: both"
    page.keyboard.press("Enter")
    assert said(page) == ["both is now number 2 of 3."]
    page.keyboard.press("Space")
    page.keyboard.press("Space")  # it stays at the top
    assert said(page) == ["both is now number 1 of 3."]
    assert page.evaluate("document.activeElement.ariaLabel") == "Move up: both"
    page.get_by_label("Move down: the field").click()
    page.get_by_label("Move up: the field").click()
    commit(page)
    assert said(page) == [
        "✓ Right. Your prediction: both; the field; the map size.",
        "Computed answer: both; the field; the map size.",
    ]
    assert page.get_by_role("button").all_inner_texts() == ["Committed"]
    assert page.get_by_role("listitem").all_inner_texts() == ["both", "the field", "the map size"]


@pytest.mark.browser
def test_the_slip_of_an_order(show):
    page = show(order())
    for label in ("Move up: both", "Move up: both", "Move down: the field"):
        page.get_by_label(label).click()
    commit(page)
    assert said(page)[2] == "Other way."


@pytest.mark.browser
@pytest.mark.parametrize("form", [number, choice, order])
def test_names_for_ears_and_keys_that_stay(show, form):
    page = show(form())
    group = page.get_by_role("group", name=form().question)
    assert group.count() == 1
    nameless = page.locator("input, button").evaluate_all(
        "(all) => all.filter((n) => !(n.ariaLabel || n.innerText || n.labels?.[0]?.innerText.trim())).length"
    )
    assert nameless == 0 and page.locator("[role=status]").count() == 1
    page.evaluate(
        "() => { window.heard = []; document.addEventListener('keydown', (e) => heard.push(e.key)); }"
    )
    page.locator("input, button").first.focus()
    for key in ("b", "x", "ArrowDown", "Enter", "Shift+Enter", "Control+b"):
        page.keyboard.press(key)
    assert page.evaluate("heard") == ["Enter", "Control", "b"]


@pytest.mark.browser
@pytest.mark.parametrize("form", [number, choice, order])
def test_both_themes_at_390_pixels(show, form):
    page = show(form(), color_scheme="light", viewport={"width": 390, "height": 800})
    grounds = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert too_wide(page, ".dl-predict, .dl-predict *") == []
        assert barriers(page, "main") == page.evaluate(SMALL_TARGETS) == []
        style = "(node) => [getComputedStyle(node).backgroundColor, getComputedStyle(node).color]"
        ground, ink = page.locator(".dl-predict").evaluate(style)
        assert ground != ink
        grounds.append(ground)
    assert len(set(grounds)) == 2
    page.evaluate("""() => {
      document.body.style.setProperty("--jp-layout-color1", "#111111");
      document.body.style.setProperty("--jp-ui-font-color1", "#eeeeee");
    }""")
    assert page.locator(".dl-predict").evaluate(style) == ["rgb(17, 17, 17)", "rgb(238, 238, 238)"]


@pytest.mark.browser
def test_two_views_and_two_predictions_on_a_page(show):
    """A kernel hears one answer, both views show it, and a second prediction's buttons are its own."""
    form = choice()
    page = show(form)
    play_kernel(page, form, views=2)
    first, second = (page.locator(".dl-predict").nth(i) for i in (0, 1))
    second.get_by_label("both").check()
    first.get_by_label("the field").check()
    assert second.get_by_label("both").is_checked(), "the groups are apart"
    first.get_by_role("button", name="Commit").click()
    assert page.evaluate("[model.get('committed'), model.sent.length]") == ["the field", 1]
    assert second.get_by_label("the field").is_checked()
    assert second.get_by_role("status").inner_text() == first.get_by_role("status").inner_text() != ""
    second.get_by_role("button").press("Enter")
    assert page.evaluate("model.sent.length") == 1
    page.evaluate("ends.forEach((end) => end())")
    assert set(page.evaluate("listening()")) == {0} and page.locator(".dl-predict").count() == 0


@pytest.mark.browser
@pytest.mark.parametrize(("form", "answer"), [(number, 1.5), (choice, "both"), (order, list(OPTIONS))])
def test_a_committed_answer_is_shown_at_once(show, form, answer):
    form = form()
    form.committed = answer
    page = show(form)
    shown = {"number": "1.5 cells", "choice": "both", "order": "; ".join(OPTIONS)}[form.kind]
    assert said(page)[0] == f"✗ Not this time. Your prediction: {shown}."
