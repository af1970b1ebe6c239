"""The ASPP explorer: which taps fall on the map, in Python and in a browser, with the same numbers."""

import random
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from pages import FRAME, colour_at, picture, rgb
from playwright.sync_api import expect
from torch.nn import functional as F

from deeplab_lessons import arithmetic
from deeplab_lessons.arithmetic import Layer
from deeplab_lessons.classroom.drawing.style import COLOURS
from deeplab_lessons.classroom.widgets.aspp import PRESETS, ASPPExplorer, moved
from deeplab_lessons.classroom.widgets.aspp.words import WORDS
from deeplab_lessons.classroom.widgets.shared import page as page_of_a_widget
from deeplab_lessons.grid import Grid, cell_centres
from deeplab_lessons.models import deeplab_v2
from deeplab_lessons.receptive_field import trace

TAPS = Path(page_of_a_widget.__file__).with_name("taps.js")


def grey(height, width):
    return np.full((height, width, 3), 128, np.uint8)


# ---------------------------------------------------------------- numbers


def test_it_starts_in_the_middle_with_aspp_l():
    explorer = ASPPExplorer()
    assert repr(explorer) == "ASPPExplorer(rates=[6, 12, 18, 24], output_stride=8, cell=[20, 20])"
    assert (explorer.preset, explorer.map_size, explorer.position) == ("aspp_l", (41, 41), (160, 160))
    assert explorer.windows == [13, 25, 37, 49]
    assert explorer.fields == [323, 419, 515, 611]  # as in `test_the_trunks_are_the_networks_own`
    assert explorer.valid_taps == [9, 9, 9, 1]  # 24 cells from the middle of 41 there is no cell left
    assert [round(share, 3) for share in explorer.whole_shares] == [0.5, 0.172, 0.015, 0]
    assert explorer.sentence.startswith("Branch 4 (dilation 24): 1 of 9 taps is on the map")
    explorer.row, explorer.column = 3, 30
    assert explorer.valid_taps == [6, 4, 4, 4]
    assert explorer.sentence == "Branch 4 (dilation 24): 4 of 9 taps are on the map; the others read zeros."
    explorer.chosen = 0
    explorer.rates = (1, 2)
    assert explorer.sentence == "Branch 1 (dilation 1): all 9 taps are on the map."


def test_taps_are_those_of_a_convolution_with_zeros_around():
    rng = random.Random(0)
    for _ in range(20):
        height, width, stride = rng.randint(16, 120), rng.randint(16, 120), rng.choice([4, 8, 16])
        rates = [rng.randint(1, 12) for _ in range(rng.randint(1, 4))]
        explorer = ASPPExplorer(grey(height, width), rates, stride)
        rows, columns = explorer.map_size
        explorer.row, explorer.column = rng.randrange(rows), rng.randrange(columns)
        ones, kernel = torch.ones(1, 1, rows, columns), torch.ones(1, 1, 3, 3)
        for i, rate in enumerate(rates):
            there = F.conv2d(ones, kernel, padding=rate, dilation=rate)[0, 0]
            assert explorer.valid_taps[i] == there[explorer.row, explorer.column]
            assert explorer.whole_shares[i] == pytest.approx((there == 9).double().mean().item())
            assert (
                sum(0 <= r < rows and 0 <= c < columns for r, c in explorer.taps[i]) == explorer.valid_taps[i]
            )


def test_the_trunks_are_the_networks_own():
    """227 from the course's VGG16 of DeepLab v2; 1283 from ResNet-101 at output stride 16, multi-grid (1, 2, 4)."""
    with torch.device("meta"):
        table = trace(deeplab_v2(backbone="vgg16"), 321)
    fields = [table[f"head.branches.{i}.fc6"].size for i in range(4)]
    explorer = ASPPExplorer()
    assert explorer.fields == fields and explorer.map_size == table["head.branches.0.fc6"].map_size
    assert arithmetic.receptive_fields(resnet101(2, 1, (1, 1, 1)))[-1].size == 1027
    trunk = arithmetic.receptive_fields(resnet101(1, 2, (1, 2, 4)))[-1]
    assert (trunk.size, trunk.jump) == (PRESETS["v3"]["trunk_field"], PRESETS["v3"]["output_stride"])


def resnet101(last_stride, rate, grid):
    """ResNet-101 along one axis, stride in a block's first 1 x 1; `rate` and `grid` dilate the last block."""
    layers = [Layer(7, 2, 3), Layer(3, 2, 1)]
    for units, stride, rates in ((3, 1, [1] * 3), (4, 2, [1] * 4), (23, 2, [1] * 23), (3, last_stride, grid)):
        for unit in range(units):
            dilation = rates[unit] * (rate if units == 3 and rates is grid else 1)
            layers += [Layer(1, stride if unit == 0 else 1), Layer(3, 1, dilation, dilation)]
    return layers


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_named_when_they_are_true(name):
    explorer = ASPPExplorer(rates=(1, 2))
    assert explorer.preset == "own"
    explorer.preset = name
    assert explorer.preset == name and explorer.chosen == len(explorer.rates) - 1
    assert explorer.rates == PRESETS[name]["rates"]
    explorer.rates = [*explorer.rates[:-1], 39]
    assert explorer.preset == "own"


def test_a_coarser_map_keeps_the_place_on_the_picture():
    explorer = ASPPExplorer(cell=(40, 11))
    explorer.output_stride = 16
    assert (explorer.map_size, explorer.row, explorer.column) == ((21, 21), 20, 6)
    assert explorer.position == (320, 96)
    explorer.output_stride = 8
    assert [explorer.row, explorer.column] == [40, 12]
    explorer.set_state(
        {"output_stride": 16, "row": 7, "column": 3, "rates": [6], "chosen": 0}
    )  # the browser's
    assert [explorer.output_stride, explorer.row, explorer.column, explorer.chosen] == [16, 7, 3, 0]


def test_fewer_branches_keep_the_choice_among_them():
    explorer = ASPPExplorer()
    explorer.rates = np.array([3, 5])
    assert (explorer.rates, explorer.chosen) == ([3, 5], 1)
    assert all(type(rate) is int for rate in explorer.rates)


@pytest.mark.parametrize(
    ("trait", "value", "error", "message"),
    [
        ("rates", (0, 6), ValueError, "has dilation 1 .* not 0"),
        ("rates", (), ValueError, "1 to 4 branches, got 0"),
        ("rates", (1, 2, 3, 4, 5), ValueError, "1 to 4 branches, got 5"),
        ("rates", (6, 41), ValueError, "dilation of branch 2 must be from 1 to 40, got 41"),
        ("rates", (6, 1.5), TypeError, "dilation of branch 2 must be a whole number"),
        ("rates", 12, TypeError, r"one dilation for each branch, such as \(6, 12, 18, 24\), got 12"),
        ("rates", "L", TypeError, "one dilation for each branch"),
        ("row", 41, IndexError, "row must be from 0 to 40, the rows of the map, got 41"),
        ("column", -1, IndexError, "column must be from 0 to 40, the columns of the map, got -1"),
        ("row", 1.5, TypeError, "row must be a whole number"),
        ("chosen", 4, IndexError, "chosen must be from 0 to 3, the branches, got 4"),
        ("output_stride", 0, ValueError, "output_stride must be from 1 to 321, got 0"),
        ("output_stride", 400, ValueError, "from 1 to 321"),
        ("trunk_field", 0, ValueError, "trunk_field must be at least 1, got 0"),
        ("trunk_field", "227", TypeError, "trunk_field must be a whole number"),
        ("preset", "aspp", ValueError, "unknown preset 'aspp': choose from aspp_s, aspp_l, large_fov, v3"),
    ],
)
def test_what_cannot_be_is_refused_in_words_and_changes_nothing(trait, value, error, message):
    explorer = ASPPExplorer()
    with pytest.raises(error, match=message):
        setattr(explorer, trait, value)
    assert repr(explorer) == repr(ASPPExplorer()) and explorer.chosen == 3 and explorer.trunk_field == 227


def test_pictures_and_cells_that_cannot_be_are_refused():
    for arguments, error, message in (
        ({"photograph": grey(9, 9) / 255}, ValueError, r"uint8 \[H, W, 3\]"),
        ({"photograph": grey(642, 9)}, ValueError, "at most 641 pixels"),
        ({"photograph": "dog"}, ValueError, "unknown photograph 'dog'"),
        ({"cell": 7}, TypeError, r"cell must be \[row, column\], two whole numbers, got 7"),
        ({"cell": (0, 41)}, IndexError, "cell column must be from 0 to 40, the columns of the map, got 41"),
        ({"output_stride": None}, TypeError, "output_stride must be a whole number"),
    ):
        with pytest.raises(error, match=message):
            ASPPExplorer(**arguments)
    assert ASPPExplorer(grey(96, 65)).map_size == (12, 9)
    assert ASPPExplorer("chelsea")._photo != ASPPExplorer()._photo


# ---------------------------------------------------------------- in a browser


def shown_table(page):
    """The visible rows of the table: dilation, window, field, taps here, share with all nine."""
    page.evaluate(FRAME)
    return page.locator(".dl-aspp tbody tr:visible").evaluate_all(
        """(rows) => rows.map((row) => [row.querySelector(".dl-rate").value,
          ...[...row.querySelectorAll("[data-value]")].map((cell) => cell.textContent)])"""
    )


def expected_table(explorer):
    numbers = explorer.rates, explorer.windows, explorer.fields, explorer.valid_taps, explorer.whole_shares
    return [
        [str(rate), f"{window} cells", f"{field} px", f"{taps} of 9", f"{100 * share:.1f} %"]
        for rate, window, field, taps, share in zip(*numbers, strict=True)
    ]


def agree(page, explorer):
    """The page shows Python's numbers and Python's sentence at Python's cell."""
    assert shown_table(page) == expected_table(explorer)
    assert page.locator(".dl-said").text_content() == explorer.sentence
    cell = [int(page.locator(f".dl-cell-{axis}").input_value()) for axis in ("row", "column")]
    assert cell == [explorer.row, explorer.column]
    return True


def point_of(page, explorer, row, column):
    """Where a cell, or a tap outside the map, lies on the page."""
    canvas = page.locator("canvas.dl-taps")
    box, drawn = canvas.bounding_box(), canvas.evaluate("(canvas) => ({ ...canvas.dataset })")
    starts = [
        float(cell_centres(side, cells, Grid(explorer.output_stride, None))[0])
        for side, cells in zip(explorer._shape, explorer.map_size, strict=True)
    ]
    y, x = (
        start + explorer.output_stride * place for start, place in zip(starts, (row, column), strict=True)
    )
    pixel, left, top = (float(drawn[name]) for name in ("pixel", "left", "top"))
    return box["x"] + left + (x + 0.5) * pixel, box["y"] + top + (y + 0.5) * pixel


@pytest.mark.browser
def test_the_pointer_looks_at_cells_and_a_click_chooses_one(show):
    explorer = ASPPExplorer()
    page = show(explorer)
    assert agree(page, explorer)
    seen = ASPPExplorer(cell=(2, 33))
    page.mouse.move(*point_of(page, explorer, 2, 33))
    assert agree(page, seen)
    page.mouse.move(2, 2)
    assert agree(page, explorer)  # looked, not chosen
    page.mouse.click(*point_of(page, explorer, 2, 33))
    page.mouse.move(2, 2)
    assert agree(page, seen)
    expect(page.locator(".dl-live")).to_have_text(f"Row 2, column 33. {seen.sentence}")
    page.mouse.move(*point_of(page, explorer, -15, 60))  # in the padding: the nearest cell of the map
    assert agree(page, ASPPExplorer(cell=(0, 40)))


@pytest.mark.browser
def test_arrow_keys_and_numbers_move_the_cell(show):
    explorer = ASPPExplorer()
    page = show(explorer)
    canvas = page.locator("canvas.dl-taps")
    canvas.focus()
    for key, cell in (
        ("ArrowUp", (19, 20)),
        ("Shift+ArrowRight", (19, 30)),
        ("End", (19, 40)),
        ("ArrowRight", (19, 40)),
        ("ArrowDown", (20, 40)),
        ("Home", (20, 0)),
    ):
        page.keyboard.press(key)
        explorer.row, explorer.column = cell
        assert agree(page, explorer), key
    described = canvas.get_attribute("aria-label")
    assert "row 20, column 0 is chosen" in described and "branch 4 with dilation 24, 1 of 9" not in described
    assert f"branch 1 with dilation 6, {explorer.valid_taps[0]} of 9" in described
    page.get_by_label("Row of the cell").fill("99")  # beyond the map: its last row
    explorer.row = 40
    assert agree(page, explorer)


@pytest.mark.browser
def test_sliders_and_numbers_change_a_dilation_and_choose_its_branch(show):
    explorer = ASPPExplorer(cell=(5, 5))
    page = show(explorer)
    page.get_by_label("Dilation of branch 2, slider").focus()
    page.keyboard.press("ArrowLeft")
    explorer.rates, explorer.chosen = [6, 11, 18, 24], 1
    assert agree(page, explorer)
    assert page.get_by_role("button", name="Branch 2").get_attribute("aria-pressed") == "true"
    assert page.locator(".dl-about").text_content() == WORDS["about_own"]
    page.get_by_label("Dilation of branch 1", exact=True).fill("1000")
    explorer.rates, explorer.chosen = [40, 11, 18, 24], 0
    assert agree(page, explorer)
    page.get_by_role("button", name="Branch 3").click()
    explorer.chosen = 2
    assert agree(page, explorer)


@pytest.mark.browser
def test_preset_buttons_change_everything_and_keep_the_place(show):
    explorer = ASPPExplorer(cell=(40, 11))
    page = show(explorer)
    for name in ("aspp_s", "v3", "large_fov", "aspp_l"):
        page.get_by_role("button", name=WORDS[f"name_{name}"]).click()
        explorer.preset = name
        assert agree(page, explorer), name
        pressed = page.locator(".dl-bar button[aria-pressed=true]").all_text_contents()
        assert pressed == [WORDS[f"name_{name}"]]
        assert page.locator(".dl-about").text_content() == WORDS[f"about_{name}"]


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_taps_on_the_map_are_full_and_those_outside_hollow(show, scheme):
    explorer = ASPPExplorer(cell=(3, 30), rates=(9, 4, 14, 20))
    page = show(explorer, color_scheme=scheme)
    page.evaluate(FRAME)
    paper = page.locator(".dl-widget").evaluate("(root) => getComputedStyle(root).backgroundColor")
    paper = [int(part) for part in re.findall(r"\d+", paper)[:3]]
    palette = [COLOURS[5] if scheme == "dark" else COLOURS[0], *COLOURS[1:4]]  # sky blue on a dark page
    counts = []
    for colour, taps in zip(palette, explorer.taps, strict=True):
        full = []
        for row, column in taps:
            if (row, column) != (explorer.row, explorer.column):
                inside = 0 <= row < 41 and 0 <= column < 41
                found = colour_at(page, "taps", *point_of(page, explorer, row, column))
                assert found == (rgb(colour) if inside else paper), (row, column)
                full.append(inside)
        counts.append(sum(full) + 1)
    assert counts == explorer.valid_taps and len(set(counts)) > 1


@pytest.mark.browser
def test_the_two_overlays_are_drawn_and_explained(show):
    page = show(ASPPExplorer(cell=(20, 20)))
    pictures = [picture(page, "taps")]
    for name, words in (("field of a tap", "227 pixels wide"), ("where all nine fit", "at no cell")):
        page.get_by_role("button", name=name).click()
        pictures.append(picture(page, "taps"))
        assert words in page.locator(".dl-legend").inner_text()
    assert pictures[0] != pictures[1] == pictures[2]  # branch 4 fits nowhere: nothing to outline
    page.get_by_role("button", name="Branch 1").click()
    page.evaluate(FRAME)
    assert "all nine taps of branch 1 are on the map" in page.locator(".dl-legend").inner_text()


JAVASCRIPT = """(cases) => cases.map((state) => ({
  branches: branchNumbers(state).map((b) => [b.window, b.field, b.taps, b.whole]),
  map: cellsOf(state.sides, state.stride),
  position: state.cell.map((place, axis) => centreOf(state.sides[axis], state.stride, place)),
  sentence: sentenceOf(state.words, 0, branchNumbers(state)[0]),
  moved: state.cell.map((place) => moved(place, state.stride, 16)),
}))"""


@pytest.mark.browser
def test_javascript_agrees_with_python_on_random_states(browser):
    rng = random.Random(5)
    explorers, cases = [], []
    for _ in range(40):
        sides, stride = [rng.randint(16, 200), rng.randint(16, 200)], rng.randint(1, 16)
        rates = [rng.randint(1, 40) for _ in range(rng.randint(1, 4))]
        explorer = ASPPExplorer(grey(*sides), rates, stride, trunk_field=rng.randint(1, 500))
        explorer.row, explorer.column = (rng.randrange(cells) for cells in explorer.map_size)
        explorer.chosen = 0
        explorers.append(explorer)
        numbers = {"sides": sides, "stride": stride, "rates": rates, "trunk": explorer.trunk_field}
        cases.append({**numbers, "cell": [explorer.row, explorer.column], "words": WORDS})
    page = browser.new_page()
    page.add_script_tag(content=page_of_a_widget.joined(TAPS))
    for explorer, case, answer in zip(explorers, cases, page.evaluate(JAVASCRIPT, cases), strict=True):
        columns = zip(*answer["branches"], strict=True)
        windows, fields, taps, whole = map(list, columns)
        assert (windows, fields, taps) == (explorer.windows, explorer.fields, explorer.valid_taps)
        assert whole == pytest.approx(explorer.whole_shares)
        assert tuple(answer["map"]) == explorer.map_size
        assert tuple(answer["position"]) == pytest.approx(explorer.position)
        assert answer["sentence"] == explorer.sentence
        assert answer["moved"] == [moved(place, case["stride"], 16) for place in case["cell"]]
    assert {taps for explorer in explorers for taps in explorer.valid_taps} >= {1, 2, 4, 6, 9}
    page.close()
