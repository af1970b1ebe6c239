"""The sliding kernel: the arithmetic's numbers and refusals, and the same by key, number and pointer."""

import pytest
from pages import FRAME, picture

from deeplab_lessons import arithmetic
from deeplab_lessons.classroom.widgets import SlidingKernel


def test_sliding_kernel_answers_like_the_arithmetic():
    kernel = SlidingKernel(12, 3, stride=2, padding=1, dilation=2, position=4)
    assert kernel.output_size == arithmetic.output_size(12, 3, 2, 1, 2) == 5
    assert (kernel.effective_kernel_size, kernel.taps) == (5, [7, 9, 11])
    assert (
        repr(kernel)
        == "SlidingKernel(input_size=12, kernel_size=3, stride=2, padding=1, dilation=2, position=4)"
    )
    kernel.stride = 6
    assert (kernel.output_size, kernel.position) == (2, 1)


@pytest.mark.parametrize(
    ("trait", "value", "error", "message"),
    [
        ("dilation", 0, ValueError, "has dilation 1"),
        ("dilation", 9, ValueError, "the kernel covers 19 cells"),
        ("padding", "same", TypeError, "one whole number"),
        ("position", 10, IndexError, "position must be from 0 to 9, the cells of the output, got 10"),
        ("input_size", 65, ValueError, "at most 64"),
    ],
)
def test_sliding_kernel_refuses_in_words(trait, value, error, message):
    kernel = SlidingKernel()
    with pytest.raises(error, match=message):
        setattr(kernel, trait, value)
    assert repr(kernel) == repr(SlidingKernel())


@pytest.mark.browser
def test_sliding_kernel_by_number_key_and_pointer(show):
    page = show(SlidingKernel())
    size, strip = page.locator(".dl-output-size b"), page.locator("canvas.dl-strip")
    assert size.text_content() == "10"
    for label, value, out in [
        ("dilation", "3", "6"),
        ("padding", "2", "10"),
        ("stride", "4", "3"),
        ("kernel", "5", "1"),
    ]:
        page.get_by_label(label, exact=True).fill(value)
        page.evaluate(FRAME)
        assert size.text_content() == out
    numbers = {"dilation": 3, "padding": 2, "stride": 4, "kernel_size": 5}
    assert SlidingKernel(**numbers).output_size == 1
    page.get_by_label("kernel, slider").fill("3")
    strip.focus()
    page.keyboard.press("ArrowRight")
    page.evaluate(FRAME)
    assert page.get_by_label("position", exact=True).input_value() == "1"
    assert "Output cell 1 of 3 reads the cells 2, 5, 8" in strip.get_attribute("aria-label")
    box = strip.bounding_box()
    page.mouse.click(box["x"] + box["width"] - 30, box["y"] + 20)
    page.evaluate(FRAME)
    assert page.get_by_label("position", exact=True).input_value() == "2"
    before = picture(page, "strip")
    page.get_by_label("dilation", exact=True).fill("0")
    page.evaluate(FRAME)
    assert "has dilation 1 (its taps are neighbours), not 0" in page.locator(".dl-status").text_content()
    assert picture(page, "strip") == before
