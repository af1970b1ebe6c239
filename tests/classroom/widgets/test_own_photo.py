"""The reader's own photograph: any file becomes a picture, the words tell what was found, nonsense is refused."""

import base64
import io
import re

import numpy as np
import pytest
import torch
import traitlets
from pages import FRAME, play_kernel, too_wide
from PIL import Image
from playwright.sync_api import expect

from deeplab_lessons import datasets, inference
from deeplab_lessons.classroom import built_in
from deeplab_lessons.classroom.widgets.own_photo import OwnPhoto, photo, strongest
from deeplab_lessons.grid import PIXELS
from deeplab_lessons.overlays import bright

CLASSES = ("background", "dark", "bright")
PALETTE = datasets.voc_colours()


class ByBrightness(torch.nn.Module):
    """Says "bright" where red is high, "dark" elsewhere, and nothing is background; output stride 1."""

    grid = PIXELS

    def forward(self, x):
        red = x[:, :1]
        return torch.cat([torch.full_like(red, -9), -3 * red, 3 * red], 1)


def halves(height=60, width=80):
    """Left dark, right bright; a red mark in the upper left corner tells which way up it is."""
    picture = np.full((height, width, 3), 10, np.uint8)
    picture[:, width * 3 // 4 :] = 250
    picture[: height // 4, : width // 8] = (200, 0, 0)
    return picture


def stored(image, kind="png", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def upload(shown, name, content, piece=1000, size=None):
    """Send a file as the browser does, in pieces; what Python answers to each."""
    answers = []
    shown.send = lambda message: answers.append(message)
    for start in range(0, max(len(content), 1), piece):
        message = {
            "upload": name,
            "name": name,
            "start": start,
            "size": len(content) if size is None else size,
        }
        shown._handle_custom_msg(message, [memoryview(content[start : start + piece])])
    return answers


def widget(**pictures):
    return OwnPhoto(ByBrightness(), CLASSES, PALETTE, pictures or {"halves": halves()})


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_as_the_camera_was_held(orientation, tmp_path):
    """What the camera would have stored for each way of holding it comes back upright."""
    turns = {2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE"}
    turns |= {6: "ROTATE_90", 7: "TRANSVERSE", 8: "ROTATE_270"}
    image = Image.fromarray(halves())
    if orientation > 1:
        image = image.transpose(Image.Transpose[turns[orientation]])
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "held.png"
    image.save(path, exif=exif)
    assert (photo(path) == halves()).all() and (photo(str(path)) == halves()).all()


def test_every_kind_of_file_becomes_red_green_and_blue():
    image = Image.fromarray(halves())
    grey = np.array(image.convert("L"))
    assert (photo(stored(image.convert("L"))) == grey[..., None]).all()
    assert photo(stored(image.convert("P"))).shape == (60, 80, 3)
    assert photo(stored(image.convert("CMYK"), "jpeg")).shape == (60, 80, 3)
    deep = Image.fromarray(grey.astype(np.uint16) * 256 + 255)
    assert (photo(stored(deep)) == grey[..., None]).all(), "16 bits keep their grey"
    see_through = image.convert("RGBA")
    see_through.putalpha(Image.fromarray(np.where(grey > 100, 255, 0).astype(np.uint8)))
    assert (photo(stored(see_through))[0, 20] == 255).all() and (
        photo(stored(see_through))[0, 79] == 250
    ).all()
    palette = Image.fromarray(np.zeros((20, 20), np.uint8))
    palette.putpalette([9, 9, 9])
    assert (photo(stored(palette, transparency=0)) == 255).all()


def test_a_large_picture_is_reduced_and_a_small_one_is_left():
    assert photo(np.zeros((3000, 4000, 3), np.uint8)).shape == (384, 512, 3)
    assert photo(np.zeros((40, 4000, 3), np.uint8), longest=100).shape == (1, 100, 3)
    assert photo(halves()).shape == (60, 80, 3)
    assert (photo("chelsea") == built_in.photograph("chelsea")).all()


def test_what_is_no_picture_is_told_so(tmp_path):
    (tmp_path / "notes.jpg").write_text("not a picture")
    with pytest.raises(ValueError, match=r"notes\.jpg cannot be read as a picture .*HEIC.*export"):
        photo(tmp_path / "notes.jpg")
    with pytest.raises(ValueError, match="the file cannot be read"):
        photo(stored(Image.fromarray(halves()))[:60])
    with pytest.raises(FileNotFoundError, match=r"no picture nowhere\.jpg: pass the path .* astronaut"):
        photo("nowhere.jpg")
    with pytest.raises(ValueError, match=r"uint8 \[H, W, 3\], got float64 \[4, 4\]"):
        photo(np.zeros((4, 4)))
    with pytest.raises(ValueError, match="8 × 30 pixels has nothing"):
        photo(np.zeros((30, 8, 3), np.uint8))


def test_the_words_tell_classes_shares_and_how_sure():
    shown = widget()
    assert shown.labels.shape == (60, 80) and set(np.unique(shown.labels)) == {1, 2}
    red = (60 // 4) * (80 // 8) / (60 * 80)
    assert shown.shares == pytest.approx({"dark": 0.75 - red, "bright": 0.25 + red})
    assert list(shown.shares) == ["dark", "bright"], "the largest first"
    sure = shown.scores.softmax(0).amax(0).numpy()[shown.labels == 1].mean()
    assert shown.caption.startswith(
        f"2 classes found, by area and mean probability: dark 71.9%, confident {sure:.0%};"
    )
    assert [line for line, _ in shown._shown["legend"]] == shown.caption.split(": ")[1][:-1].split("; ")
    expected = inference.scores(ByBrightness(), datasets.transforms.normalise(halves()))
    assert torch.equal(shown.scores, expected)


def test_the_squares_have_the_colours_that_are_drawn():
    """Of the rims, which hide the picture; the background has neither colour nor square of a colour."""
    for classes, coloured in ((("sky", "dark", "bright"), {1, 2}), (("background", "sky", "bright"), {2})):

        class Third(ByBrightness):
            def forward(self, x):
                logits = super().forward(x)
                return logits if len(coloured) == 2 else logits[:, [1, 0, 2]]  # noqa: B023

        shown = OwnPhoto(Third(), classes, PALETTE, {"halves": halves()})
        colours = [colour for _, colour in shown._shown["legend"]]
        squares = [tuple(map(int, re.findall(r"\d+", colour))) for colour in colours if colour]
        assert set(squares) == {tuple(bright(PALETTE)[label].tolist()) for label in coloured}
        assert colours.count("") == (len(coloured) == 1)
        file = io.BytesIO(base64.b64decode(shown._shown["panels"][1].split(",")[1]))
        middle = np.array(Image.open(file)).astype(int)
        for square in squares:
            assert np.abs(middle - square).sum(2).min() < 90, "JPEG mixes colours of neighbours"
        if len(coloured) == 1:
            assert np.abs(middle[30:, 10:50] - 10).max() < 25


def test_a_narrow_picture_is_shown():
    assert OwnPhoto(ByBrightness(), CLASSES, PALETTE, {"strip": halves(20, 900)}).picture.shape == (
        11,
        512,
        3,
    )


def test_the_list_an_upload_and_python_show_the_same():
    other = 255 - halves()
    shown = widget(halves=halves(), other=other)
    assert repr(shown) == "OwnPhoto(halves)"
    shown.set_state({"name": "other"})  # as the list in the browser does
    assert (shown.picture == other).all() and shown.name == "other"
    upload(shown, "mine.png", stored(Image.fromarray(halves())))
    assert (shown.picture == halves()).all() and shown.name == "" and repr(shown) == "OwnPhoto(your own)"
    assert shown.show("other") is shown and (shown.picture == other).all()
    with pytest.raises(traitlets.TraitError, match="unknown picture 'third': choose from halves, other"):
        shown.name = "third"


def test_a_file_comes_in_pieces_and_each_is_answered():
    shown, content = (
        widget(),
        stored(Image.fromarray(np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8))),
    )
    answers = upload(shown, "mine.png", content)
    assert len(content) > 3000 and [each["received"] for each in answers[:3]] == [1000, 2000, 3000]
    assert not any(each["done"] for each in answers[:-1]) and answers[-1]["done"] and not answers[-1]["error"]
    assert shown.picture.shape == (30, 40, 3) and shown.name == ""


def test_a_file_that_another_one_replaces_on_its_way_is_forgotten():
    shown = widget()
    late, early = (stored(Image.fromarray(part)) for part in (halves(), 255 - halves()))
    upload(shown, "early", early[:100], size=len(early))
    upload(shown, "late", late)
    message = {"upload": "early", "name": "early", "start": 100, "size": len(early)}
    shown._handle_custom_msg(message, [memoryview(early[100:])])
    assert (shown.picture == halves()).all()


def test_an_upload_that_is_no_picture_changes_nothing():
    shown = widget()
    before = shown._shown
    assert "HEIC" in upload(shown, "<b>.heic", b"ftypheic")[-1]["error"]
    assert "cannot be read" in upload(shown, "empty.png", b"")[-1]["error"]
    assert shown._shown == before and shown.name == "halves"
    assert upload(shown, "<b>.heic", stored(Image.fromarray(halves())))[-1]["error"] == ""
    assert shown.name == ""


def test_what_goes_wrong_with_a_picture_is_said_whatever_it_is():
    """An exception in an answer to the browser would only reach the server's log."""

    class Full(ByBrightness):
        def forward(self, x):
            if x.shape[-1] == 44:
                raise MemoryError
            return super().forward(x)

    shown = OwnPhoto(Full(), CLASSES, PALETTE, {"halves": halves()})
    answers = upload(shown, "wide.png", stored(Image.fromarray(halves(40, 44))))
    assert answers[-1] == answers[-1] | {"done": True, "error": "MemoryError"}
    assert shown.name == "halves" and (shown.picture == halves()).all(), "what was there stays"


def test_the_strongest_classes_keep_their_probabilities():
    scores = torch.randn(21, 5, 6, generator=torch.Generator().manual_seed(0))
    scores[0] -= 20
    scores[7] += 4
    few, kept = strongest(scores, 3)
    p = scores.softmax(0)
    order = p.flatten(1).sum(1).argsort(descending=True).tolist()
    assert kept == sorted([0, *order[:3]]) and 7 in kept and few.shape == (5, 5, 6)
    assert torch.allclose(few.softmax(0)[:-1], p[kept], atol=1e-6)
    same, kept = strongest(scores[:4], 8)
    assert same.shape == (4, 5, 6) and kept == [0, 1, 2, 3]


def test_the_crf_explorer_gets_picture_colours_and_few_classes():
    explorer = widget().explorer("v2_vgg", count=1, iterations=1)
    assert explorer.iterations == 1 and len(explorer.unary) == 3
    assert (explorer._palette[1] == bright(PALETTE)[1]).all() and (explorer._palette[2] == 255).all()
    scores = torch.exp(-explorer.unary)
    assert torch.allclose(scores.sum(0), torch.ones(60, 80), atol=1e-5)


# ---------------------------------------------------------------- in a browser


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_stored_page_shows_the_photograph_and_says_that_another_one_needs_python(show, scheme):
    stored = widget(halves=halves(), other=255 - halves())
    page = show(stored, color_scheme=scheme, viewport={"width": 390, "height": 900})
    assert page.locator(".dl-widget").get_attribute("data-theme") == scheme
    assert too_wide(page, ".dl-widget, .dl-bar, .dl-photo-panels, .dl-legend") == []
    images = page.get_by_role("img").all()
    assert len(images) == 3 and all(image.evaluate("(one) => one.naturalWidth === 80") for image in images)
    assert stored.caption in images[1].get_attribute("alt")
    assert page.get_by_role("listitem").all_inner_texts() == [line for line, _ in stored._shown["legend"]]
    names, told = page.get_by_role("combobox", name="picture"), page.get_by_role("alert").last
    names.focus()
    page.keyboard.press("ArrowDown")
    told.get_by_text("Another photograph needs Python").wait_for()
    page.evaluate(FRAME)
    assert names.input_value() == "halves"
    page.get_by_role("button", name="Your photograph").press("Enter")
    assert told.text_content().startswith("Another photograph needs Python")


@pytest.mark.browser
def test_the_list_asks_python_and_shows_its_answer(show):
    stored = widget(halves=halves(), other=255 - halves())
    page = show(stored)
    play_kernel(page, stored, views=2)
    page.evaluate("document.addEventListener('keydown', () => (window.heard = true))")
    names, told = page.get_by_role("combobox", name="picture").first, page.get_by_role("status").first
    names.focus()
    page.keyboard.press("ArrowDown")
    assert told.text_content() == "The network is looking at other."
    assert page.evaluate("[model.get('name'), model.sent.length, window.heard]") == ["other", 1, None]
    stored.name = "other"
    page.evaluate(
        "(state) => Object.entries(state).forEach(([name, value]) => model.set(name, value))",
        {
            "caption": stored.caption,
            "_shown": stored._shown,
        },
    )
    page.evaluate(FRAME)
    assert told.text_content() == ""
    expect(page.locator(".dl-live").first).to_contain_text(stored.caption)
    assert page.locator(".dl-photo-panels img").nth(3).get_attribute("src") == stored._shown["panels"][0]
    assert names.evaluate("(list) => list === document.activeElement")
    page.evaluate("ends.forEach((end) => end())")
    assert set(page.evaluate("listening()")) == {0}
