"""`PYTHONPATH=tools python -m web build/site`: write the site into a folder and say where its first page is."""

import os
import sys
from pathlib import Path

from web.site import build


def main() -> None:
    """Build the site in the folder given, by default build/site."""
    given = sys.argv[1:] or ["build/site"]
    if len(given) != 1 or given[0].startswith("-"):
        sys.exit("usage: python -m web [FOLDER]")
    os.environ.pop("DEEPLAB_LESSONS_SOLUTIONS", None)  # it hides solutions from learners, not from this site
    print(f"written: {build(Path(given[0])) / 'index.html'}")


if __name__ == "__main__":
    main()
