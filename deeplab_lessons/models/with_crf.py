"""A network and a dense CRF in one model, to be trained together or one after the other."""

from dataclasses import replace

import numpy as np
import torch
from torch import nn

from deeplab_lessons.crf import DenseCRF
from deeplab_lessons.datasets import transforms
from deeplab_lessons.grid import PIXELS, Grid, grid_of, logits_of, unwrapped, upsample


class CRFNetwork(nn.Module):
    """Scores of `network`, enlarged to the images' size, then `crf`: images [N, 3, H, W] -> log q [N, C, H, W].

    The logarithm of the marginals suits any loss that wants scores, since the softmax of log q is q. `frozen=True`
    leaves the network as it is, batch norm included. In training the CRF makes `iterations[0]` updates, otherwise
    `iterations[1]`: 5 and 10, as in CRF-as-RNN, section 6 (Zheng et al., ICCV 2015). `rate` is the CRF's learning rate
    as a multiple of the network's; `grid` that of a network that does not state it. The network is shared, not copied.
    """

    grid = PIXELS

    def __init__(
        self,
        network: nn.Module,
        crf: DenseCRF,
        frozen: bool = False,
        iterations: tuple[int, int] = (5, 10),
        rate: float = 1.0,
        grid: Grid | None = None,
    ):
        super().__init__()
        self.network, self.crf, self.frozen, self.network_grid = network, crf, frozen, grid_of(network, grid)
        self.iterations, self.rate = iterations, rate
        self.training = network.training
        self._follow_mode()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logarithms of the marginals [N, C, H, W] of normalised images [N, 3, H, W]."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            scores = upsample(logits_of(self.network(images)), images.shape[2:], self.network_grid)
        marginals = self.crf(scores, pictures_of(images))
        return marginals.clamp(min=torch.finfo(marginals.dtype).tiny).log()

    def train(self, mode: bool = True) -> "CRFNetwork":
        """Switch between training and use: the number of updates follows, a frozen network stays in use."""
        super().train(mode)
        self._follow_mode()
        return self

    def _follow_mode(self) -> None:
        if self.frozen:
            self.network.eval()
        self.crf.setting = replace(self.crf.setting, iterations=self.iterations[0 if self.training else 1])

    def parameter_groups(self, lr: float) -> list[dict]:
        """Return the network's groups at `lr` (none if frozen), and the CRF's at `rate * lr`, undecayed."""
        groups = [{"params": list(self.crf.parameters()), "lr": self.rate * lr, "weight_decay": 0.0}]
        if self.frozen:
            return groups
        network = unwrapped(self.network)
        if hasattr(network, "parameter_groups"):
            return network.parameter_groups(lr) + groups
        return [{"params": list(network.parameters())}, *groups]


def pictures_of(images: torch.Tensor) -> torch.Tensor:
    """Return grey levels 0 … 255 of normalised images [N, 3, H, W], uint8 [N, 3, H, W], as the CRF wants them."""
    pictures = np.stack([transforms.denormalise(image) for image in images.detach()])
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).to(images.device)
