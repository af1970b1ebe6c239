"""A rule for each kind of operator; importing them fills `calls.RULES`."""

from deeplab_lessons.receptive_field.rules import axes, mixing, windows

__all__ = ["axes", "mixing", "windows"]
