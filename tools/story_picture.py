"""Draw lessons/images/story.png: the photograph, the network's coarse map, that map enlarged, and after the CRF.

Needs, in the data folder, weights/deeplabv3_mobilenet_v2_tf-voc-fp16.pt: a DeepLabv3 on MobileNetV2 trained on PASCAL
VOC (Google's, Apache-2.0, dequantized). Run by hand; the picture is stored. A path after the command is written
instead of the stored picture.
"""

import sys
from pathlib import Path

from deeplab_lessons import crf  # isort: skip  # sets how torch's threads wait
import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.patches import Patch
from PIL import Image

from deeplab_lessons.classroom import drawing
from deeplab_lessons.classroom.built_in import photograph
from deeplab_lessons.classroom.mobile_deeplab import mobile_deeplab_v3
from deeplab_lessons.datasets import transforms
from deeplab_lessons.grid import upsample
from deeplab_lessons.runtime import data_dir

PICTURE = Path(__file__).resolve().parent.parent / "lessons" / "images" / "story.png"
WEIGHTS = data_dir() / "weights" / "deeplabv3_mobilenet_v2_tf-voc-fp16.pt"
SIZE, CLASSES = 513, {15: "person", 5: "bottle"}
#: Chosen by eye.
CRF = crf.Parameters(w1=6, sigma_alpha=40, sigma_beta=8, w2=3, sigma_gamma=3, iterations=10)


def label_maps(picture):
    """Labels of the coarse map [33, 33], of its enlarged scores [513, 513], and of those after the CRF."""
    model = mobile_deeplab_v3(WEIGHTS)
    with torch.inference_mode():
        coarse = model(transforms.normalise(picture)[None])
        fine = upsample(coarse, (SIZE, SIZE), model.grid)[0]
        refined = crf.refine(fine, torch.tensor(picture).permute(2, 0, 1), CRF)
    return [scores.argmax(0).numpy() for scores in (coarse[0], fine, refined)]


def main(output=PICTURE):
    picture = np.array(Image.fromarray(photograph("astronaut")).resize((SIZE, SIZE), Image.BICUBIC))
    colours = dict(zip(CLASSES, drawing.COLOURS, strict=False))
    maps = label_maps(picture)
    side = maps[0].shape[-1]
    titles = ["The photograph", f"Scores on {side} × {side} cells", "Enlarged", "After the CRF"]
    drawing.use_style()
    _, axes = plt.subplots(1, 4, figsize=(12, 3.25), layout="constrained")
    for ax, labels, title in zip(axes, [None, *maps], titles, strict=True):
        ax.imshow(picture, extent=(0, SIZE, SIZE, 0))
        for label, colour in colours.items() if labels is not None else ():
            tint = np.zeros((*labels.shape, 4))
            tint[labels == label] = (*plt.matplotlib.colors.to_rgb(colour), 0.7)
            ax.imshow(tint, extent=(0, SIZE, SIZE, 0), interpolation="nearest")
        ax.set_title(title)
        ax.axis("off")
    patches = [Patch(color=colour, label=CLASSES[key]) for key, colour in colours.items()]
    axes[1].legend(handles=patches, loc="lower right", frameon=True, facecolor="white", framealpha=1)
    plt.savefig(output, dpi=80)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
