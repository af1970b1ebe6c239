"""The five numbers and the published presets."""

import math

import pytest
import torch
from crf_cases import SETTING, photograph_piece

from deeplab_lessons import crf


def test_parameters_are_checked_and_presets_found():
    assert crf.preset("v2_resnet101").sigma_alpha == 67
    assert crf.preset(SETTING) is SETTING
    assert "\n" not in repr(SETTING)
    with pytest.raises(KeyError, match=r"unknown preset 'v9': choose from .*v1_caffe"):
        crf.preset("v9")
    wrong = [({"w1": -1}, ValueError), ({"sigma_beta": 0}, ValueError), ({"w2": math.nan}, ValueError)]
    wrong += [
        ({"sigma_alpha": "3"}, TypeError),
        ({"iterations": 2.5}, TypeError),
        ({"iterations": -1}, ValueError),
        ({"normalisation": "rows"}, ValueError),
    ]
    given = {"w1": 1, "sigma_alpha": 1, "sigma_beta": 1, "w2": 1, "sigma_gamma": 1}
    for change, error in wrong:
        with pytest.raises(error, match=next(iter(change))):
            crf.Parameters(**(given | change))


@pytest.mark.parametrize("name", ["v1_largefov", "v1_caffe", "v2_vgg", "v2_resnet101"])
def test_deeplabs_settings_are_normalised_by_row_as_the_code_they_ran_in(name):
    """The released densecrf divides by K·1 once, after filtering; pydensecrf on both sides, by the root."""
    assert crf.PRESETS[name].normalisation == "row"
    assert (
        crf.PRESETS["pydensecrf_readme"].normalisation
        == crf.Parameters(4, 67, 3, 3, 1).normalisation
        == "symmetric"
    )
    logits, picture = photograph_piece()
    found = crf.refine(logits, picture, name)
    by_row, symmetric = (
        crf.DenseCRF(name, normalisation=how)(logits, picture) for how in ("row", "symmetric")
    )
    assert torch.equal(found, by_row) and (found - symmetric).abs().max() > 1e-2
