"""What the tests in a browser share: waiting for a frame, counting drawings, refusing the network."""

FRAME = """() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() =>
    setTimeout(() => requestAnimationFrame(done), 40))))"""  # the drawing of a busy machine may miss a frame
COUNT_DRAWINGS = """
window.drawings = 0;
const reset = CanvasRenderingContext2D.prototype.reset;
CanvasRenderingContext2D.prototype.reset = function () { window.drawings++; reset.apply(this); };
"""


def refuse(route, refused):
    """Let files of the page itself through; note every other address in `refused`."""
    url = route.request.url
    if url.startswith(("file:", "data:", "blob:", "about:")):
        route.continue_()
    else:
        refused.append(url)
        route.abort()


def too_wide(page, selector):
    """Class names of the boxes, among those that `selector` finds, whose content is wider than they are."""
    return page.locator(selector).evaluate_all(
        "(boxes) => boxes.filter((b) => b.scrollWidth > b.clientWidth + 1).map((b) => b.className)"
    )
