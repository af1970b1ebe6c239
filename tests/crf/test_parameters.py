"""The five numbers and the published presets."""

import math

import pytest
from crf_cases import (
    SETTING,
)

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
    ]
    given = {"w1": 1, "sigma_alpha": 1, "sigma_beta": 1, "w2": 1, "sigma_gamma": 1}
    for change, error in wrong:
        with pytest.raises(error, match=next(iter(change))):
            crf.Parameters(**(given | change))
