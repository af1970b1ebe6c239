"""Draw lessons/images/story.png: the photograph, the network's coarse map, that map enlarged, and after the CRF.

Needs pydensecrf and, in the data folder, weights/deeplabv3_mobilenet_v2_tf-voc-fp16.pt: a DeepLabv3 on
MobileNetV2 trained on PASCAL VOC (Google's, Apache-2.0, dequantized). Run by hand; the picture is stored.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pydensecrf.densecrf as densecrf
import torch
import torch.nn.functional as F
from matplotlib.patches import Patch
from PIL import Image
from torch import nn
from torchvision.models import mobilenet_v2
from torchvision.transforms.v2.functional import normalize

from deeplab_lessons.classroom import drawing
from deeplab_lessons.datasets import photograph
from deeplab_lessons.runtime import data_dir

PICTURE = Path(__file__).resolve().parent.parent / "lessons" / "images" / "story.png"
WEIGHTS = data_dir() / "weights" / "deeplabv3_mobilenet_v2_tf-voc-fp16.pt"
SIZE, CLASSES = 513, {15: "person", 5: "bottle"}


def unit(inputs, outputs):
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())


class MobileDeepLab(nn.Module):
    """DeepLabv3 for phones: output stride 16, image pooling beside one 1x1 branch."""

    def __init__(self):
        super().__init__()
        self.features = mobilenet_v2(weights=None).features[:18]
        self.features[14].conv[1][0].stride = (1, 1)
        for block in self.features[15:]:
            block.conv[1][0].dilation = block.conv[1][0].padding = (2, 2)
        self.aspp0, self.image_pooling, self.projection = unit(320, 256), unit(320, 256), unit(512, 256)
        self.logits = nn.Conv2d(256, 21, 1)

    def forward(self, x):
        x = self.features(x)
        whole = self.image_pooling(x.mean((2, 3), keepdim=True)).expand(-1, -1, *x.shape[2:])
        return self.logits(self.projection(torch.cat([whole, self.aspp0(x)], 1)))


def scores(picture):
    """Coarse scores [21, 33, 33] and their bilinear enlargement [21, 513, 513]."""
    model = MobileDeepLab().eval()
    stored = torch.load(WEIGHTS, weights_only=True)
    model.load_state_dict({name: t.float() if t.is_floating_point() else t for name, t in stored.items()})
    x = torch.from_numpy(picture.copy()).permute(2, 0, 1) / 255
    with torch.no_grad():
        coarse = model(normalize(x, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])[None])
    return coarse[0], F.interpolate(coarse, size=(SIZE, SIZE), mode="bilinear", align_corners=True)[0]


def refine(fine, picture):
    """Ten mean-field steps of the fully connected CRF, with weights chosen by eye."""
    crf = densecrf.DenseCRF2D(SIZE, SIZE, len(fine))
    crf.setUnaryEnergy(np.ascontiguousarray(-fine.log_softmax(0).flatten(1).numpy()))
    crf.addPairwiseGaussian(sxy=3, compat=3)
    crf.addPairwiseBilateral(sxy=40, srgb=8, rgbim=np.ascontiguousarray(picture), compat=6)
    return np.array(crf.inference(10)).argmax(0).reshape(SIZE, SIZE)


def main():
    picture = np.array(Image.fromarray(photograph("astronaut")).resize((SIZE, SIZE), Image.BICUBIC))
    coarse, fine = scores(picture)
    colours = dict(zip(CLASSES, (drawing.COLOURS[0], drawing.COLOURS[1]), strict=True))
    maps = [coarse.argmax(0).numpy(), fine.argmax(0).numpy(), refine(fine, picture)]
    titles = [
        "The photograph",
        f"Scores on {coarse.shape[-1]} × {coarse.shape[-1]} cells",
        "Enlarged",
        "After the CRF",
    ]
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
    plt.savefig(PICTURE, dpi=80)


if __name__ == "__main__":
    main()
