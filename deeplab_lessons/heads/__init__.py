"""Heads: what turns a backbone's map into scores for each class."""

from deeplab_lessons.heads.aspp import ASPP, ASPP_RATES, ImagePooling, SummedASPP, atrous_rates
from deeplab_lessons.heads.decoder import Decoder
from deeplab_lessons.heads.large_fov import LargeFOV, SideBranches

__all__ = [
    "ASPP", "ASPP_RATES", "Decoder", "ImagePooling", "LargeFOV", "SideBranches", "SummedASPP", "atrous_rates",
]  # fmt: skip
