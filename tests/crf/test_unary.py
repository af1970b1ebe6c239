"""Unaries from logits and from probabilities."""

import math

import pytest
import torch

from deeplab_lessons import crf


def test_unaries_of_logits_and_probabilities_agree_and_zero_is_floored():
    logits = torch.randn(2, 4, 3, 5, generator=torch.Generator().manual_seed(0))
    p = logits.softmax(1)
    torch.testing.assert_close(crf.unary_from_logits(logits), crf.unary_from_probabilities(p))
    certain = torch.eye(2).view(2, 1, 2)
    assert crf.unary_from_probabilities(certain).max() == pytest.approx(-math.log(1e-5))
