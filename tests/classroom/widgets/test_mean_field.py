"""The kernel explorer: whom a pixel listens to, in Python and in a browser; and the portrait that it shows."""

import math

import numpy as np
import pytest
import torch
from pages import facts, picture
from playwright.sync_api import expect

from deeplab_lessons import crf
from deeplab_lessons.classroom import tiny_crf
from deeplab_lessons.classroom.pictures import portrait
from deeplab_lessons.classroom.widgets.mean_field import KernelExplorer


def test_the_portrait_is_small_and_its_outline_plausible():
    picture, labels = portrait()
    assert picture.shape == (64, 64, 3) and picture.dtype == np.uint8
    assert set(np.unique(labels)) == {0, 1} and labels.dtype == np.uint8
    assert 0.45 < labels.mean() < 0.55
    brightness = picture.mean(2)
    assert brightness[labels == 0].mean() > brightness[labels == 1].mean() + 60  # a bright wall behind her
    inside = np.array([[20, 25], [30, 20], [55, 20], [61, 46]])
    outside = np.array([[2, 2], [30, 55], [33, 8], [42, 36]])
    assert labels[tuple(inside.T)].all() and not labels[tuple(outside.T)].any()


@pytest.mark.slow
@pytest.mark.parametrize("pixel", [[0, 0], [9, 38], [63, 20]])
def test_its_rows_are_those_of_the_exact_kernel(pixel):
    picture, labels = portrait()
    explorer = KernelExplorer(pixel=pixel, sigma_alpha=9, sigma_beta=20, sigma_gamma=3)
    image = torch.tensor(picture).permute(2, 0, 1).double()
    place, likely = pixel[0] * 64 + pixel[1], torch.tensor(labels).flatten().double()
    features = {
        "appearance": crf.bilateral_features(image, 9, 20),
        "smoothness": crf.spatial_features((64, 64), 3),
    }
    for name, wanted in features.items():
        row = tiny_crf.exact_kernel(wanted.double())[place]
        assert torch.allclose(getattr(explorer, name).flatten(), row, atol=1e-9)
        row[place] = 0
        assert explorer.listens[name] == pytest.approx(row.sum().item())
        assert explorer.votes[name] == pytest.approx((row @ likely / row.sum()).item())


def test_a_pixel_that_hears_nobody_has_no_votes():
    picture = np.zeros((2, 2, 3), np.uint8)
    picture[0, 0] = 255
    explorer = KernelExplorer(picture, np.zeros((2, 2)), pixel=[0, 0], sigma_beta=2)
    assert math.isnan(explorer.votes["appearance"]) and explorer.votes["smoothness"] == 0


def test_repr_is_stable_and_traits_are_checked():
    explorer = KernelExplorer()
    assert repr(explorer) == "KernelExplorer(pixel=[32, 32], sigma_alpha=16, sigma_beta=13, sigma_gamma=2)"
    explorer.pixel = (np.int64(3), 4)
    assert explorer.pixel == [3, 4]
    for wrong, error, message in (
        ([64, 0], IndexError, "pixel row must be from 0 to 63, the rows of the picture, got 64"),
        ([0, -1], IndexError, "pixel column must be from 0 to 63, the columns of the picture, got -1"),
        ([1.5, 0], TypeError, "whole numbers"),
        (7, TypeError, r"pixel must be \[row, column\], two whole numbers, got 7"),
    ):
        with pytest.raises(error, match=message):
            explorer.pixel = wrong
    for wrong in (0.0, -1.0, math.inf, math.nan):
        with pytest.raises(ValueError, match="above 0"):
            explorer.sigma_beta = wrong
    assert explorer.pixel == [3, 4] and explorer.sigma_beta == 13


def test_pictures_that_cannot_be_are_refused():
    picture, labels = portrait()
    for arguments, message in (
        ((picture,), "pass both"),
        ((picture / 255, labels), "uint8"),
        ((picture, labels[1:]), r"probability must be \[H, W\] as the picture"),
        ((np.zeros((97, 4, 3), np.uint8), np.zeros((97, 4))), "at most 96"),
    ):
        with pytest.raises(ValueError, match=message):
            KernelExplorer(*arguments)
    with pytest.raises(TypeError, match="unknown width 'sigma': choose from sigma_alpha, "):
        KernelExplorer(sigma=3)


# ---------------------------------------------------------------- in a browser


def agree(page, explorer):
    """The page's numbers are Python's, up to the last digit shown."""
    shown, (row, column) = facts(page), explorer.pixel
    assert shown["pixel"] == f"{row}, {column}"
    assert shown["network"] == f"{100 * explorer.probability[row, column]:.0f} % person"
    for name in ("appearance", "smoothness"):
        assert float(shown[name].split()[0]) == pytest.approx(explorer.listens[name], abs=0.06)
        share = float(shown[f"{name}_votes"].split()[0])
        assert share == pytest.approx(100 * explorer.votes[name], abs=0.51)
    return True


@pytest.mark.browser
def test_arrow_keys_and_clicks_choose_pixels(show):
    explorer = KernelExplorer(pixel=[9, 38])
    page = show(explorer)
    assert agree(page, explorer)
    before = picture(page, "appearance"), picture(page, "smoothness")
    page.locator("canvas.dl-picture").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    explorer.pixel = [19, 39]
    assert agree(page, explorer)
    assert all(
        picture(page, name) != old for name, old in zip(("appearance", "smoothness"), before, strict=True)
    )
    assert "row 19, column 39" in page.locator("canvas.dl-picture").get_attribute("aria-label")
    expect(page.locator(".dl-live")).to_contain_text("Row 19, column 39")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowLeft")  # stays on the picture
    explorer.pixel = [19, 0]
    assert agree(page, explorer)
    box = page.locator("canvas.dl-appearance").bounding_box()
    page.mouse.click(box["x"] + 0.5 * box["width"] / 64, box["y"] + 63.5 * box["height"] / 64)
    explorer.pixel = [63, 0]
    assert agree(page, explorer)
    page.mouse.move(box["x"] + 10.5 * box["width"] / 64, box["y"] + 20.5 * box["height"] / 64)
    assert facts(page)["pixel"] == "20, 10"
    page.mouse.move(2, 2)
    assert facts(page)["pixel"] == "63, 0"


@pytest.mark.browser
def test_sliders_change_what_is_heard(show):
    explorer = KernelExplorer(pixel=[20, 12])
    page = show(explorer)
    for name, key, value in (
        ("sigma_alpha", "Home", 1),
        ("sigma_beta", "End", 100),
        ("sigma_gamma", "End", 12),
    ):
        page.locator(f".dl-slide-{name}").focus()
        page.keyboard.press(key)
        setattr(explorer, name, value)
        assert agree(page, explorer), name
    page.locator(".dl-number-sigma_beta").fill("7.5")
    explorer.sigma_beta = 7.5
    assert agree(page, explorer)
    page.locator(".dl-number-sigma_beta").fill("0")  # no width: nothing changes
    assert agree(page, explorer)


@pytest.mark.browser
def test_on_a_phone_the_kernels_share_a_row_and_choose_pixels_too(show):
    explorer = KernelExplorer(pixel=[9, 38])
    page = show(explorer, viewport={"width": 390, "height": 800})
    boxes = {
        name: page.locator(f"canvas.dl-{name}").bounding_box()
        for name in ("picture", "appearance", "smoothness")
    }
    assert boxes["picture"]["width"] > 2 * boxes["appearance"]["width"] > 250
    assert boxes["appearance"]["y"] == pytest.approx(boxes["smoothness"]["y"], abs=1)
    assert page.locator(".dl-widget").bounding_box()["height"] <= 1000
    for name, pixel in (("picture", [40, 7]), ("smoothness", [12, 50])):
        box = boxes[name]
        place = {axis: box["width"] * (at + 0.5) / 64 for axis, at in zip("yx", pixel, strict=True)}
        page.locator(f"canvas.dl-{name}").click(position=place)
        explorer.pixel = pixel
        assert agree(page, explorer)
