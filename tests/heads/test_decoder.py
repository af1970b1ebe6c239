"""The decoder of v3+: where its cells lie, step by step."""

import pytest
import torch
from networks import lively

from deeplab_lessons.grid import Grid, upsample
from deeplab_lessons.heads import Decoder


@pytest.mark.parametrize("factor", [2, 4, 8])
@pytest.mark.parametrize("size", [(129, 65), (128, 61), (17, 24), (9, 1)])
def test_enlarging_puts_cell_i_on_finer_cell_factor_times_i(factor, size):
    torch.manual_seed(0)
    coarse = [-(-side // factor) for side in size]
    x = torch.randn(2, 3, *coarse, dtype=torch.float64)
    found = upsample(x, size, Grid(factor, 0.0), by_torch=True)
    assert found.shape[2:] == size
    assert torch.allclose(found[..., ::factor, ::factor], x)
    assert torch.allclose(found.float(), upsample(x.float(), size, Grid(factor, 0.0)), atol=1e-5)


@pytest.mark.parametrize("size", [(1, 9), (10, 9)])
def test_maps_that_do_not_belong_together_are_refused(size):
    with pytest.raises(ValueError, match=r"cannot lie on \(\d+, 9\) pixels with Grid\(stride=4"):
        upsample(torch.zeros(1, 1, 2, 3), size, Grid(4, 0.0), by_torch=True)


def test_the_decoder_step_by_step():
    torch.manual_seed(0)
    head = lively(Decoder(6, 4, 3, 4, 2, 5))
    x, low = torch.randn(1, 4, 3, 3).double(), torch.randn(1, 6, 9, 9).double()
    joined = torch.cat([upsample(x, (9, 9), Grid(4, 0.0)), head.reduce(low)], dim=1)
    assert joined.shape[1] == 4 + 2
    assert torch.allclose(head(x, low), head.classifier(head.refine[1](head.refine[0](joined))))
