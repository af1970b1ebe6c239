"""The explorer of valid taps: counts, words and refusals in Python; the same numbers and gestures in a browser."""

import random

import pytest
import torch
from pages import FRAME, colour_at, rgb
from playwright.sync_api import expect
from torch.nn import functional as F

from deeplab_lessons.classroom.drawing.cascade import TAP_COLOURS
from deeplab_lessons.classroom.widgets.valid_taps import LARGEST, ValidTapsExplorer, percent
from deeplab_lessons.classroom.widgets.valid_taps.words import WORDS

# ---------------------------------------------------------------- numbers


def test_it_starts_with_figure_4_at_dilation_24():
    explorer = ValidTapsExplorer()
    assert repr(explorer) == "ValidTapsExplorer(dilation=24, map_size=65, cell=[32, 32])"
    assert explorer.shares[9] == pytest.approx((17 / 65) ** 2) and explorer.valid_taps == 9
    assert explorer.sentence == (
        "Dilation 24 on 65 × 65 cells: all nine taps are on the map at 6.8 % of the cells. "
        "The cell in row 32, column 32 has 9 of 9."
    )
    explorer.dilation = 64
    assert "nowhere are all nine taps on the map; 93.9 % of the cells have one" in explorer.sentence
    explorer.dilation = 65
    assert "every cell has one tap. This is a 1 × 1 convolution." in explorer.sentence
    assert explorer.sentence.endswith("has 1 of 9.")


def test_taps_are_those_of_a_convolution_with_zeros_around():
    rng, seen = random.Random(0), set()
    for _ in range(30):
        size, dilation = rng.randint(1, 40), rng.randint(1, 40)
        cell = rng.randrange(size), rng.randrange(size)
        explorer = ValidTapsExplorer(dilation, size, cell)
        there = F.conv2d(
            torch.ones(1, 1, size, size), torch.ones(1, 1, 3, 3), padding=dilation, dilation=dilation
        )[0, 0]
        assert explorer.valid_taps == there[cell]
        for taps in TAP_COLOURS:
            assert explorer.shares[taps] == pytest.approx((there == taps).double().mean().item())
        seen |= {taps for taps, share in explorer.shares.items() if share}
    assert seen == {1, 2, 4, 6, 9}  # three taps don't occur on a square map


def test_a_smaller_map_keeps_the_cell_on_it():
    explorer = ValidTapsExplorer(4, 65, (60, 3))
    explorer.map_size = 11
    assert explorer.cell == [10, 3]
    explorer.set_state({"map_size": 5, "cell": [4, 2], "dilation": 1})  # the browser's
    assert (explorer.map_size, explorer.cell, explorer.dilation) == (5, [4, 2], 1)


@pytest.mark.parametrize(
    ("trait", "value", "error", "message"),
    [
        ("dilation", 0, ValueError, "has dilation 1 .* not 0"),
        ("dilation", LARGEST + 1, ValueError, f"from 1 to {LARGEST}"),
        ("dilation", 1.5, TypeError, "dilation must be a whole number"),
        ("map_size", 0, ValueError, f"map_size must be from 1 to {LARGEST}, got 0"),
        ("map_size", "65", TypeError, "map_size must be a whole number"),
        ("cell", (65, 0), IndexError, "cell row must be from 0 to 64, the rows of the map, got 65"),
        ("cell", (0, -1), IndexError, "cell column must be from 0 to 64, the columns of the map, got -1"),
        ("cell", 7, TypeError, r"cell must be \[row, column\], two whole numbers, got 7"),
    ],
)
def test_what_cannot_be_is_refused_in_words_and_changes_nothing(trait, value, error, message):
    explorer = ValidTapsExplorer()
    with pytest.raises(error, match=message):
        setattr(explorer, trait, value)
    assert repr(explorer) == repr(ValidTapsExplorer())
    with pytest.raises(error, match=message):
        ValidTapsExplorer(**{trait: value})


def test_halves_are_rounded_up_as_in_a_browser():
    shares, shown = (0.1225, 0.0005, 1, 0, 0.06846), ["12.3", "0.1", "100.0", "0.0", "6.8"]
    assert [percent(share) for share in shares] == shown


# ---------------------------------------------------------------- in a browser


def agree(page, explorer):
    """The page shows Python's counts, shares and sentence."""
    page.evaluate(FRAME)
    shown = page.locator(".dl-valid-taps tbody tr").evaluate_all(
        """(rows) => rows.map((row) => [row.dataset.taps,
          ...[...row.querySelectorAll("[data-value]")].map((cell) => cell.textContent)])"""
    )
    shares = explorer.shares
    assert shown == [
        [str(taps), f"{round(shares[taps] * explorer.map_size**2):,}", f"{percent(shares[taps])} %"]
        for taps in TAP_COLOURS
    ]
    assert page.locator(".dl-said").text_content() == explorer.sentence
    for name in ("dilation", "map_size"):
        for kind in ("slide", "number"):
            assert page.locator(f".dl-{kind}-{name}").input_value() == str(getattr(explorer, name))
    return True


def point_of(page, row, column):
    """Middle of a cell on the page."""
    canvas = page.locator("canvas.dl-tap-map")
    box, cell = canvas.bounding_box(), float(canvas.get_attribute("data-cell"))
    return box["x"] + (column + 0.5) * cell, box["y"] + (row + 0.5) * cell


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_cell_has_the_colour_of_its_taps(show, scheme):
    explorer = ValidTapsExplorer(9, 13, (0, 0))
    page = show(explorer, color_scheme=scheme)
    assert agree(page, explorer)
    for row, column in ((1, 6), (6, 1), (6, 6), (2, 2), (6, 10), (12, 5)):
        explorer.cell = row, column
        off_the_mark = point_of(page, row + 0.25, column + 0.25)
        assert colour_at(page, "tap-map", *off_the_mark) == rgb(TAP_COLOURS[explorer.valid_taps]), (
            row,
            column,
        )


@pytest.mark.browser
def test_sliders_and_numbers_change_map_and_dilation(show):
    explorer = ValidTapsExplorer(24, 65, (60, 3))
    page = show(explorer)
    page.get_by_label("dilation, slider").focus()
    page.keyboard.press("ArrowRight")
    explorer.dilation = 25
    assert agree(page, explorer)
    page.get_by_label("map size", exact=True).fill("11")
    explorer.map_size = 11
    assert agree(page, explorer) and "row 10, column 3" in page.locator(".dl-said").text_content()
    dilation = page.get_by_label("dilation", exact=True)
    dilation.fill("1000")  # beyond the largest: it waits until the field is left
    page.evaluate(FRAME)
    assert dilation.input_value() == "1000" and page.locator(".dl-said").text_content() == explorer.sentence
    dilation.press("Tab")
    explorer.dilation = LARGEST
    assert agree(page, explorer)
    expect(page.locator(".dl-live")).to_contain_text("1 × 1 convolution")


@pytest.mark.browser
def test_the_pointer_looks_and_chooses_and_the_keys_move_the_cell(show):
    explorer = ValidTapsExplorer(6, 33, (16, 16))
    page = show(explorer)
    page.mouse.move(*point_of(page, 2, 30))
    seen = ValidTapsExplorer(6, 33, (2, 30))
    assert agree(page, seen)
    page.mouse.move(2, 2)
    assert agree(page, explorer)  # looked, not chosen
    page.mouse.click(*point_of(page, 2, 30))
    page.mouse.move(2, 2)
    assert agree(page, seen)
    canvas = page.locator("canvas.dl-tap-map")
    canvas.focus()
    for key, cell in (
        ("ArrowDown", (3, 30)),
        ("Shift+ArrowLeft", (3, 20)),
        ("End", (3, 32)),
        ("Home", (3, 0)),
    ):
        page.keyboard.press(key)
        assert agree(page, ValidTapsExplorer(6, 33, cell)), key
    described = canvas.get_attribute("aria-label")
    assert "33 by 33 cells for dilation 6" in described and "row 3, column 0 has 4" in described
    assert "none from dilation 17 on" in page.locator("canvas.dl-tap-chart").get_attribute("aria-label")


JAVASCRIPT = """(cases) => cases.map(({ words, dilation, map_size, cell }) => ({
  shares: tapShares(map_size, dilation).shares,
  sentence: tapSentence(words, { dilation, map_size, cell }),
}))"""


@pytest.mark.browser
def test_javascript_agrees_with_python_on_random_maps(browser):
    rng = random.Random(3)
    explorers = [
        ValidTapsExplorer(rng.randint(1, LARGEST), size, (rng.randrange(size), rng.randrange(size)))
        for size in (rng.randint(1, LARGEST) for _ in range(60))
    ]
    cases = [
        {"words": WORDS, "dilation": e.dilation, "map_size": e.map_size, "cell": e.cell} for e in explorers
    ]
    page = browser.new_page()
    page.add_script_tag(content=ValidTapsExplorer._esm.replace("export default", "void"))
    for explorer, answer in zip(explorers, page.evaluate(JAVASCRIPT, cases), strict=True):
        assert {int(taps): share for taps, share in answer["shares"].items()} == pytest.approx(
            explorer.shares
        )
        assert answer["sentence"] == explorer.sentence
    page.close()
