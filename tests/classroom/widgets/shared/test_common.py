"""What all widgets draw and say with: ink that can be read on any colour."""

from pathlib import Path

import pytest

from deeplab_lessons.classroom.widgets.shared import page as pages_of_widgets

SCRIPT = Path(pages_of_widgets.__file__).with_name("common.js")


def contrast(first, second):
    """Contrast of two colours as WCAG 2.2 defines it, 1 to 21."""

    def light(colour):
        parts = [part / 255 for part in colour]
        red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    dark, bright = sorted((light(first), light(second)))
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.browser
def test_ink_can_be_read_on_every_colour(browser):
    page = browser.new_page()
    steps = range(0, 256, 15)
    colours = [[red, green, blue] for red in steps for green in steps for blue in steps]
    inks = page.evaluate(
        f"(colours) => {{ {pages_of_widgets.joined(SCRIPT)}\n return colours.map(inkOn); }}", colours
    )
    page.close()
    ink = {"black": (0, 0, 0), "white": (255, 255, 255)}
    assert min(contrast(ink[name], colour) for name, colour in zip(inks, colours, strict=True)) >= 4.5
