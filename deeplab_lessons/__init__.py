"""Helpers of the DeepLab course: small pieces that the lessons derive, then import.

Importing this package is cheap: nothing here loads torch. Each module says what it needs.
"""

__version__ = "0.1.0"
