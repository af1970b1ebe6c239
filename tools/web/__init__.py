"""The course as a web site: `make site` writes it to build/site, from the stored notebooks, and runs no cell.

It needs no server: opened from a folder (`file://`) or a static host, it asks the network for nothing.
"""

from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
