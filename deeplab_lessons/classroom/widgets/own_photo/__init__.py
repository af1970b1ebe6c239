"""`OwnPhoto`: a photograph of the reader's own, its classes, their fractions of the area, and the confidence."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import anywidget
import numpy as np
import torch
import traitlets
from PIL import Image

from deeplab_lessons import inference, overlays
from deeplab_lessons.classroom.built_in import PHOTOGRAPHS, photograph
from deeplab_lessons.classroom.widgets.crf import CRFExplorer
from deeplab_lessons.classroom.widgets.own_photo.upload import MOST, PIECE, Upload
from deeplab_lessons.classroom.widgets.own_photo.words import (
    CAPTION,
    NO_FILE,
    ONE,
    SEVERAL,
    SHARE,
    TOO_SMALL,
    WORDS,
)
from deeplab_lessons.classroom.widgets.shared.checks import unknown
from deeplab_lessons.classroom.widgets.shared.page import SavesHtml, module, style
from deeplab_lessons.classroom.widgets.shared.pictures import data_url
from deeplab_lessons.datasets import as_picture, transforms

LONGEST = 512  # side in pixels to which a photograph is reduced: about what VOC's networks were trained on
_LEAST = 0.001  # share of the area below which a class is left out of the words
_SHOWN = 260  # longest side of a panel in pixels


def photo(source: str | Path | bytes | np.ndarray | Image.Image, longest: int = LONGEST) -> np.ndarray:
    """Return a picture as a network takes it: upright, red, green and blue, no side longer than `longest` pixels.

    `source` is one of `PHOTOGRAPHS`, or what `datasets.as_picture` takes; uint8 [h, w, 3] comes back. Raises
    FileNotFoundError or ValueError for what can't be read as a picture.
    """
    if isinstance(source, str) and source in PHOTOGRAPHS:
        source = photograph(source)
    try:
        picture = as_picture(source)
    except FileNotFoundError as error:
        raise FileNotFoundError(NO_FILE.format(error=error, names=", ".join(PHOTOGRAPHS))) from None
    height, width = picture.shape[:2]
    if min(height, width) < 16:
        raise ValueError(TOO_SMALL.format(width=width, height=height))
    return np.array(transforms.reduced(picture, longest))


def strongest(scores: torch.Tensor, count: int = 4) -> tuple[torch.Tensor, list[int]]:
    """Return class 0 and the `count` classes with most probability over the picture, all others as one.

    `scores` are logits [C, H, W]; logits [count + 2, H, W] come back, the last of them for all others together, and
    the classes kept, in order. The probabilities stay what they were. A CRF with six classes for 21 needs a
    fraction of the time.
    """
    mass = scores.softmax(0).flatten(1).sum(1)
    mass[0] = mass.sum() + 1  # the background stays
    kept = sorted(mass.topk(min(count + 1, len(scores))).indices.tolist())
    others = [label for label in range(len(scores)) if label not in kept]
    if not others:
        return scores, kept
    return torch.cat([scores[kept], scores[others].logsumexp(0, keepdim=True)]), kept


class OwnPhoto(SavesHtml, anywidget.AnyWidget):
    """Choose or upload a photograph: its classes in colour, their fractions of the area, and the confidence.

    network: anything that `inference.scores` takes. classes: names in the order of the labels; a first one such as
    "background" is left without colour. palette: uint8 [C, 3], shown as `overlays.bright` makes it. pictures: name ->
    uint8 [H, W, 3], by default the colour photographs of `datasets`.

    Traits: `name` (a picture of the list) and, to be read, `caption`. `show(source)` takes what `photo` takes.
    Then `picture` uint8 [H, W, 3], `scores` [C, H, W], `labels` uint8 [H, W] and `shares` (name -> share of the
    area, the largest first) are there. An upload that can't be read as a picture is refused in words, and changes
    nothing.
    """

    _esm = module(__file__)
    _css = style(__file__)

    name = traitlets.Unicode(help="picture of the list that is shown; empty for another one").tag(sync=True)
    caption = traitlets.Unicode(help="what was found, in words", read_only=True).tag(sync=True)
    _names = traitlets.List().tag(sync=True)
    _shown = traitlets.Dict().tag(sync=True)
    _limits = traitlets.Dict({"piece": PIECE, "most": MOST}).tag(sync=True)
    _words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(
        self,
        network: inference.Model,
        classes: Sequence[str],
        palette: np.ndarray,
        pictures: Mapping[str, np.ndarray] | None = None,
        longest: int = LONGEST,
    ):
        if pictures is None:
            pictures = {name: photograph(name) for name in PHOTOGRAPHS[:5]}
        self._network, self._classes, self._palette = network, tuple(classes), overlays.bright(palette)
        self._background = overlays.background_of(self._classes)
        self._pictures, self._longest = dict(pictures), longest
        super().__init__(_names=[*self._pictures])
        self._upload = Upload(self, self.show)
        self.name = self._names[0]

    def __repr__(self) -> str:
        return f"OwnPhoto({self.name or 'your own'})"

    @traitlets.validate("name")
    def _check_name(self, proposal):
        if proposal["value"] and proposal["value"] not in self._pictures:
            raise traitlets.TraitError(unknown("picture", proposal["value"], self._pictures))
        return proposal["value"]

    @traitlets.observe("name")
    def _segment_named(self, change):
        if change["new"]:
            self._segment(self._pictures[change["new"]], change["new"])

    def show(self, source) -> "OwnPhoto":
        """Segment a picture of the list by its name, or what `photo` takes; raises what `photo` raises."""
        if isinstance(source, str) and source in self._pictures:
            self.name = source
            return self
        with self.hold_sync():
            self._segment(source)
            self.name = ""
        return self

    def explorer(self, preset: str = "v2_resnet101", count: int = 4, **numbers) -> CRFExplorer:
        """Return the CRF explorer on this picture, with the `strongest` classes as they are and all others as one."""
        scores, kept = strongest(self.scores, count)
        palette = np.full((256, 3), 255, np.uint8)
        palette[: len(kept)] = self._palette[kept]
        return CRFExplorer(self.picture, scores, preset=preset, palette=palette, **numbers)

    def _segment(self, source, name: str = "") -> None:
        """Scores, labels and shares of what `photo` takes; panels and words follow."""
        picture = photo(source, self._longest)
        self.scores = inference.scores(self._network, transforms.normalise(picture)).clone().cpu()
        self.picture = picture
        confidence = self.scores.softmax(0).amax(0).numpy()
        self.labels = self.scores.argmax(0).numpy().astype(np.uint8)
        areas = {label: float((self.labels == label).mean()) for label in np.unique(self.labels).tolist()}
        areas = dict(sorted(areas.items(), key=lambda pair: -pair[1]))
        self.shares = {self._classes[label]: share for label, share in areas.items()}
        shown = [label for label, share in areas.items() if share >= _LEAST]
        means = {label: float(confidence[self.labels == label].mean()) for label in shown}
        legend = {
            label: SHARE.format(name=self._classes[label], share=areas[label], sure=means[label])
            for label in shown
        }
        count = ONE if len(shown) == 1 else SEVERAL.format(count=len(shown))
        with self.hold_sync():
            self.set_trait("caption", CAPTION.format(count=count, shares="; ".join(legend.values())))
            self._shown = {
                "name": name,
                "panels": [data_url(panel, "jpeg", quality=85) for panel in self._panels(confidence)],
                "legend": [[line, self._colour(label)] for label, line in legend.items()],
            }

    def _panels(self, confidence: np.ndarray) -> list[np.ndarray]:
        """Photograph, classes in colour, and confidence, at the size at which they are drawn: outlines stay sharp."""
        picture = transforms.reduced(self.picture, _SHOWN)
        labels = np.array(Image.fromarray(self.labels).resize(picture.shape[1::-1], Image.Resampling.NEAREST))
        coloured = overlays.overlay(picture, labels, self._palette, background=self._background, bright=False)
        return [picture, coloured, transforms.reduced((255 * confidence).astype(np.uint8), _SHOWN)]

    def _colour(self, label: int) -> str:
        """A class's colour in CSS, empty for the background."""
        return "" if label == self._background else "rgb({}, {}, {})".format(*self._palette[label])
