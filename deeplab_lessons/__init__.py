"""Helpers of the DeepLab course: small pieces that the lessons derive, then import.

Importing this package is cheap: nothing here loads torch. Each module says what it needs.
"""

import os

# Torch reads this when it is loaded: its threads then wait without spinning, and other programs slow it down less.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")

__version__ = "0.1.0"
