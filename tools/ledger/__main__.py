"""`PYTHONPATH=tools python -m ledger build/ledger.html`: update the snapshot, write the page and print a summary."""

import sys
from collections.abc import Sequence
from pathlib import Path

from deeplab_lessons.classroom.ledger import summary
from deeplab_lessons.classroom.ledger.snapshot import PATH
from ledger.page import page
from ledger.snapshot import update


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page to the path given, by default build/ledger.html."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if len(given) > 1 or any(each.startswith("-") for each in given):
        print("usage: python -m ledger [PAGE.html]")
        return 2
    try:
        print(f"updated: {PATH}\n" * update(), end="")
    except FileNotFoundError as error:
        print(f"the ledger's snapshot stays as it was: {error}", file=sys.stderr)
    path = Path(given[0] if given else "build/ledger.html")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(), encoding="utf-8")
    print(f"{summary()}\nwritten: {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
