"""Heads: what turns a backbone's map into scores for each class."""

from deeplab_lessons.heads.aspp import ASPP_RATES, SummedASPP
from deeplab_lessons.heads.large_fov import LargeFOV, head_parameters, rate_that_keeps_field
from deeplab_lessons.heads.side_branches import SideBranches

__all__ = ["ASPP_RATES", "LargeFOV", "SideBranches", "SummedASPP", "head_parameters", "rate_that_keeps_field"]
